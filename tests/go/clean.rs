//! Clean caches are clean: online, remembered, and offline with nothing but the log data that `go` cached.

use std::fs;

use crate::module::Module;
use crate::world::{GREET, World};

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_built_project_is_proven_online_remembered_and_offline_from_cached_log_data() {
    let world = World::built();
    let online = world.scan(&[]);
    online.is_clean();
    let of_go = &online.report["coverage"]["by_ecosystem"]["go"];
    assert!(
        of_go["claims"]["authenticated"].as_u64() >= Some(2),
        "{}",
        online.story()
    );
    let asked = world.proxy.served.lock().unwrap().requests.len();
    world.scan(&["--offline"]).is_clean();
    assert_eq!(world.proxy.served.lock().unwrap().requests.len(), asked);
    world.forget_state();
    world.scan(&["--offline"]).is_clean();
    assert_eq!(world.proxy.served.lock().unwrap().requests.len(), asked);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn every_cache_of_the_user_is_clean() {
    let world = World::built();
    let scan = world.call(&["--caches"], &[]);
    scan.is_clean();
    assert_eq!(scan.unverifiable("derived"), 1, "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn without_log_data_offline_proves_nothing() {
    let world = World::built();
    fs::remove_dir_all(world.at(&world.cached("cache/download/sumdb"))).unwrap();
    world.scan(&["--offline"]).exits(3);
    world.forget_state();
    world.scan(&[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_log_that_nobody_pinned_proves_nothing() {
    let world = World::built();
    world.write("trust.toml", "");
    let scan = world.scan(&["--offline"]);
    // Settings that send everything to an unknown proxy and log are a finding; nothing else is.
    scan.exits(1);
    assert_eq!(scan.codes(), ["source-redirected"], "{}", scan.story());
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
    assert_eq!(scan.count("tainted"), 0, "{}", scan.story());
    // The log that Go is shipped with is known, and yet nobody is told a name that Go itself would not tell it.
    assert!(
        scan.unverifiable("private-unconfirmed") > 0,
        "{}",
        scan.story()
    );
    let project = world.at("project");
    let unset = [("GOPROXY", ""), ("GOSUMDB", "")];
    let scan = world.call(&[project.to_str().unwrap(), "--offline"], &unset);
    scan.is_no_alarm().exits(3);
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_folder_that_stands_in_for_a_module_is_the_users_own_if_it_is_there() {
    let world = World::built();
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        format!("{manifest}\nreplace registry.example/Greet => ./own\n"),
    );
    world.write("project/own/go.mod", "module anything.example/goes\n");
    world.write("project/own/greet.go", GREET);
    assert!(world.runs().contains("hi"));
    world.scan(&[]).is_clean();
    fs::remove_dir_all(world.at("project/own")).unwrap();
    let scan = world.scan(&[]);
    scan.is_no_alarm().exits(3);
    assert_eq!(scan.unverifiable("unbound"), 1, "{}", scan.story());
}

/// A module lies in the cache as if it had been downloaded.
fn plant(world: &World, module: &Module, time: &str) {
    let at = world.cached("cache/download/registry.example/new/@v/v0.1.0");
    world.write(&format!("{at}.zip"), module.zip());
    world.write(&format!("{at}.ziphash"), module.h1());
    world.write(&format!("{at}.mod"), module.go_mod());
    let info = format!("{{\"Version\":\"v0.1.0\",\"Time\":\"{time}\"}}");
    world.write(&format!("{at}.info"), info);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_module_that_the_log_does_not_know_yet_has_no_record() {
    let world = World::downloaded();
    let new = Module::new("registry.example/new", "v0.1.0").file("new.go", "package new\n");
    plant(&world, &new, "2020-01-01T00:00:00Z");
    // The proxy serves what the log has not taken in.
    world.proxy.served.lock().unwrap().modules.push(new.clone());
    let scan = world.call(&["--caches"], &[]);
    scan.is_no_alarm().exits(3);
    assert_eq!(scan.unverifiable("no-record"), 3, "{}", scan.story());
    // Neither has it, and it says that it is a minute old.
    world.proxy.served.lock().unwrap().modules.pop();
    let minute_old = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(60);
    plant(&world, &new, &minute_old.to_string());
    let scan = world.call(&["--caches"], &[]);
    scan.is_no_alarm().exits(3);
    assert_eq!(scan.unverifiable("no-record"), 3, "{}", scan.story());
    // Neither has it, and it says that it is old.
    plant(&world, &new, "2020-01-01T00:00:00Z");
    let scan = world.call(&["--caches"], &[]);
    scan.finds(&["never-published"], "registry.example/new");
    assert_eq!(scan.count("tainted"), 3, "{}", scan.story());
    // Once the log has it, it is proven.
    let mut served = world.proxy.served.lock().unwrap();
    served
        .log
        .add(&new.path, &new.version, &new.h1(), &new.go_mod_h1());
    served.modules.push(new.clone());
    drop(served);
    plant(&world, &new, "2026-01-01T00:00:00Z");
    world.call(&["--caches"], &[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_silent_proxy_accuses_nobody() {
    let world = World::downloaded();
    let new = Module::new("registry.example/new", "v0.1.0").file("new.go", "package new\n");
    plant(&world, &new, "2020-01-01T00:00:00Z");
    world.proxy.served.lock().unwrap().silent = true;
    world.call(&["--caches"], &[]).is_no_alarm().exits(3);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_was_not_written_to_its_end_is_no_alarm() {
    let world = World::built();
    world.write(&world.download("ziphash"), [0; 47]);
    world.write(&world.log_file("lookup/registry.example/!greet@v1.0.0"), "");
    let scan = world.scan(&[]);
    scan.is_clean();
    assert!(scan.names("ziphash"), "{}", scan.story());
    world.write(&world.download("partial"), "");
    world.write(&world.tree("greet.go"), "package half");
    world.scan(&[]).is_clean();
    world.write(&world.download("info"), [0; 60]);
    world.write(&world.download("ziphash"), "");
    world.write(&world.download("zip1234.tmp"), "half");
    let folder = "cache/download/registry.example/!greet/@v";
    world.write(&world.cached(&format!("{folder}/list")), "v1.0.0\n\0\0\0");
    let scan = world.call(&["--caches"], &[]);
    scan.is_clean();
    assert!(scan.names(".info"), "{}", scan.story());
    assert!(scan.names("list"), "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_same_content_packed_otherwise_is_verified() {
    let world = World::built();
    let mut zip = fs::read(world.at(&world.download("zip"))).unwrap();
    let at = zip.len() - 2;
    zip[at..].copy_from_slice(&5_u16.to_le_bytes());
    zip.extend(b"hello");
    world.write(&world.download("zip"), zip);
    world.scan(&[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn private_names_are_told_to_nobody() {
    let world = World::built();
    world.proxy.served.lock().unwrap().requests.clear();
    let project = world.at("project");
    fs::remove_dir_all(world.at(&world.cached("cache/download/sumdb"))).unwrap();
    let scan = world.call(
        &[project.to_str().unwrap()],
        &[("GOPRIVATE", "registry.example/Greet")],
    );
    scan.is_no_alarm().exits(3);
    assert!(
        scan.unverifiable("private-unconfirmed") > 0,
        "{}",
        scan.story()
    );
    let served = world.proxy.served.lock().unwrap();
    assert!(
        served.requests.iter().all(|r| !r.contains("reet")),
        "{:?}",
        served.requests
    );
    assert!(served.requests.iter().any(|r| r.contains("words")));
}
