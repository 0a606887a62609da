//! What the proxy says and no log proves: facts of `.info` and `list` files, versions taken back, modules called deprecated,
//! versions that are gone.

use std::fs;

use crate::module::Module;
use crate::report::Scan;
use crate::world::World;

const LIST: &str = "cache/download/registry.example/!greet/@v/list";

fn severity(scan: &Scan, code: &str) -> String {
    let findings = scan.report["findings"].as_array().unwrap();
    let of = findings.iter().find(|f| f["code"] == code);
    of.map_or_else(String::new, |f| f["severity"].as_str().unwrap().to_owned())
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn facts_of_a_version_and_versions_that_never_were_are_held_against_the_proxy() {
    let world = World::downloaded();
    let info = world.download("info");
    let good = "{\"Version\":\"v1.0.0\",\"Time\":\"2026-01-01T00:00:00Z\"}";
    world.write(&info, good);
    world.scan(&[]).is_clean();
    world.write(&info, good.replace("2026-01-01", "2025-01-01"));
    let scan = world.scan(&[]);
    scan.finds(&["metadata-poisoned"], "v1.0.0.info");
    assert_eq!(severity(&scan, "metadata-poisoned"), "high");
    assert_eq!(scan.count("tainted"), 1, "{}", scan.story());
    // What it said is remembered for a day; without any memory nobody can tell.
    world.scan(&[]).finds(&["metadata-poisoned"], "v1.0.0.info");
    world.forget_state();
    world.scan(&["--offline"]).is_clean();
    world.write(&info, good);
    world.scan(&[]).is_clean();
    let list = world.cached(LIST);
    world.write(&list, "");
    world.scan(&[]).is_clean();
    world.write(&list, "v1.0.0\nv6.6.6\n");
    world.scan(&[]).finds(&["metadata-poisoned"], "v6.6.6");
    world.write(&list, "v1.0.0\n\0\0\0");
    world.scan(&[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn versions_that_were_taken_back_and_deprecated_modules_are_told() {
    let world = World::downloaded();
    assert_eq!(world.scan(&[]).codes(), Vec::<&str>::new());
    let newest = "// Deprecated: use words instead.\nmodule registry.example/Greet\n\ngo 1.21\n\n\
                  retract [v0.9.0, v1.0.0] // bad luck\n";
    let module = Module::new("registry.example/Greet", "v1.1.0").file("go.mod", newest);
    world.proxy.publish(module);
    // What it said counts for a day.
    assert_eq!(world.scan(&[]).codes(), Vec::<&str>::new());
    world.forget_state();
    let scan = world.scan(&[]);
    scan.exits(0);
    let mut codes = scan.codes();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, ["unmaintained", "yanked"], "{}", scan.story());
    assert!(scan.names("use words instead"), "{}", scan.story());
    assert!(
        !scan.names("words/v2@v2.1.0 was yanked"),
        "{}",
        scan.story()
    );
    // Offline the newest manifest of the cache says it.
    world.forget_state();
    assert_eq!(world.scan(&["--offline"]).codes(), Vec::<&str>::new());
    let at = world.cached("cache/download/registry.example/!greet/@v/v1.1.0.mod");
    world.write(&at, newest);
    let offline = world.scan(&["--offline"]);
    assert!(offline.codes().contains(&"yanked"), "{}", offline.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_the_log_has_and_the_proxy_no_longer_serves_is_withdrawn() {
    let world = World::downloaded();
    let gone = world.proxy.served.lock().unwrap().modules.remove(0);
    let scan = world.scan(&[]);
    scan.finds(&["withdrawn"], "Greet");
    assert_eq!(scan.count("tainted"), 0, "{}", scan.story());
    // A silent proxy says nothing of the kind, and what came back is there.
    world.forget_state();
    world.proxy.served.lock().unwrap().silent = true;
    assert!(!world.scan(&[]).codes().contains(&"withdrawn"));
    let mut served = world.proxy.served.lock().unwrap();
    served.silent = false;
    served.modules.insert(0, gone);
    drop(served);
    world.scan(&[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_no_module_can_be_called_and_what_is_private_leaves_in_no_request() {
    let world = World::downloaded();
    fs::remove_dir_all(world.at(&world.cached("cache/download/sumdb"))).unwrap();
    let sum = fs::read_to_string(world.at("project/go.sum")).unwrap();
    let hash = "h1:".to_owned() + &"A".repeat(43) + "=";
    let names = [
        "secret/local",
        "-secret.example/x",
        "secret.example/../x",
        "sécret.example/x",
        "secret.example/x y",
    ];
    let lines: String = names
        .iter()
        .map(|name| format!("{name} v1.0.0 {hash}\n"))
        .collect();
    world.write("project/go.sum", sum.clone() + &lines);
    world.scan(&[]);
    let asked = |word: &str| {
        let mut served = world.proxy.served.lock().unwrap();
        std::mem::take(&mut served.requests)
            .iter()
            .any(|request| request.to_lowercase().contains(word))
    };
    assert!(!asked("cret"));
    world.write("project/go.sum", sum);
    let project = world.at("project").display().to_string();
    world.write("go-env", "GOPRIVATE=registry.example/Greet\n");
    let env = world.at("go-env").display().to_string();
    for setting in [
        ("GOPRIVATE", "registry.example/Greet"),
        ("GONOSUMDB", "*/Greet"),
        ("GONOPROXY", "other.example,registry.example/Greet"),
        ("GOENV", &env),
    ] {
        world.forget_state();
        let scan = world.call(&[&project], &[setting]);
        assert!(!asked("greet"), "{setting:?}: {}", scan.story());
        assert_ne!(scan.exit, 0, "{setting:?}: {}", scan.story());
        assert!(
            scan.unverifiable("private-unconfirmed") > 0,
            "{setting:?}: {}",
            scan.story()
        );
        let notices = scan.report["notices"].to_string();
        assert!(notices.contains("untaint trust discover"), "{notices}");
        assert!(notices.contains("[private]"), "{notices}");
    }
    // A file in the scanned tree makes nothing private.
    world.write("project/go.env", "GOPRIVATE=registry.example\n");
    world.write("project/.config/go/env", "GOPRIVATE=registry.example\n");
    world.forget_state();
    world.scan(&[]).is_clean();
}
