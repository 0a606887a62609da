//! Modules that no lock names and that Go takes from its cache all the same: in a workspace, whose go.work.sum it completes by
//! itself, and with `-mod=mod`. What Go makes of each case is shown last, after the scan.

use std::fs;

use crate::module::Module;
use crate::report::Scan;
use crate::world::{EVIL, World};

/// The module that alone is locked; it needs Greet, which no lock names.
fn top() -> Module {
    let mut top = Module::new("registry.example/top", "v1.0.0").file(
        "top.go",
        "package top\n\nimport greet \"registry.example/Greet\"\n\nfunc Say() string { return greet.Hi() }\n",
    );
    let manifest =
        "module registry.example/top\n\ngo 1.21\n\nrequire registry.example/Greet v1.0.0\n";
    top.files.insert("go.mod".to_owned(), manifest.into());
    top
}

/// A machine whose cache has everything, and a module in `folder` whose go.sum has the lines of `top` alone.
fn untidy(folder: &str) -> World {
    let world = World::built();
    world.proxy.publish(top());
    fs::remove_dir_all(world.at("project")).unwrap();
    relock(&world, folder);
    world.write(
        &format!("{folder}/main.go"),
        "package main\n\nimport (\n\t\"fmt\"\n\t\"registry.example/top\"\n)\n\nfunc main() { fmt.Println(top.Say()) }\n",
    );
    world
}

/// What Go wrote into its locks is taken back.
fn relock(world: &World, folder: &str) {
    let _ = fs::remove_file(world.at("project/go.work.sum"));
    world.write(
        &format!("{folder}/go.mod"),
        "module registry.example/app\n\ngo 1.21\n\nrequire registry.example/top v1.0.0\n",
    );
    let top = top();
    let lines = format!(
        "{0} {1} {2}\n{0} {1}/go.mod {3}\n",
        top.path,
        top.version,
        top.h1(),
        top.go_mod_h1()
    );
    world.write(&format!("{folder}/go.sum"), lines);
}

/// What Go prints that builds `package`, without the network unless that is asked for.
fn prints(world: &World, package: &str, more: &[(&str, &str)]) -> String {
    let mut settings = vec![("GOPROXY", "off")];
    settings.extend(more);
    let output = world.try_go(&["run", package], &settings);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Online with what was learned before, and from nothing. (Log data that was cached before `top` came lacks what leads to it.)
fn scans(world: &World) -> [Scan; 2] {
    let learned = world.scan(&[]);
    world.forget_state();
    [learned, world.scan(&[])]
}

fn is_said(scan: &Scan, why: &str) {
    let notices = scan.report["notices"].as_array().unwrap();
    let said: Vec<_> = notices
        .iter()
        .filter(|notice| notice["code"] == "whole-cache")
        .collect();
    assert_eq!(said.len(), 1, "{}", scan.story());
    let message = said[0]["message"].as_str().unwrap();
    assert!(message.contains(why), "{message}");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_workspace_takes_modules_that_no_lock_names_and_all_of_them_are_judged() {
    let world = untidy("project/a");
    world.write("project/go.work", "go 1.21\n\nuse ./a\n");
    let online = world.proxy.url();
    let first = prints(&world, "./a", &[("GOPROXY", &online)]);
    assert!(first.contains("hi"), "{first}");
    fs::remove_file(world.at("project/go.work.sum")).expect("written by Go");
    relock(&world, "project/a");
    for scan in scans(&world) {
        scan.is_clean();
        is_said(&scan, "go.work makes a workspace");
    }
    // A member that does not even list what it imports: the log proves what lies in the cache.
    let manifest = "module registry.example/app\n\ngo 1.21\n\nrequire (\n\tregistry.example/Greet v1.0.0\n\
                    \tregistry.example/top v1.0.0\n)\n";
    world.write("project/a/go.mod", manifest);
    let scan = world.scan(&[]);
    assert_eq!(scan.codes(), ["lockfile-hash-missing"], "{}", scan.story());
    scan.is_clean();
    // Unless nobody asks the log about it.
    let project = world.at("project");
    let private = [("GONOSUMDB", "registry.example/Greet")];
    world.call(&[project.to_str().unwrap()], &private).exits(3);
    relock(&world, "project/a");
    world.write(&world.tree("greet.go"), EVIL);
    world.forget_builds();
    for scan in scans(&world) {
        scan.exits(1).finds(&["tree-modified"], "greet.go");
    }
    // Also where the workspace lies above what is scanned, or elsewhere.
    let member = world.at("project/a");
    let member = member.to_str().unwrap();
    world
        .call(&[member], &[])
        .finds(&["tree-modified"], "greet.go");
    let work = world.at("project/go.work");
    let named = [("GOWORK", work.to_str().unwrap())];
    world
        .call(&[member], &named)
        .finds(&["tree-modified"], "greet.go");
    // A module by itself is bound to its locks: Go refuses what they do not name.
    let alone = [("GOWORK", "off")];
    world.call(&[member], &alone).is_clean();
    let refused = prints(&world, "./a", &alone);
    assert!(!refused.contains("EVIL"), "{refused}");
    let built = prints(&world, "./a", &[]);
    assert!(built.contains("EVIL"), "{built}");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_go_that_writes_its_locks_itself_takes_modules_that_they_do_not_name() {
    let world = untidy("project");
    let online = world.proxy.url();
    let flags = ("GOFLAGS", "-mod=mod -modcacherw");
    let first = prints(&world, ".", &[("GOPROXY", &online), flags]);
    assert!(first.contains("hi"), "{first}");
    relock(&world, "project");
    world.write("go-env", "GOFLAGS=-mod=mod -modcacherw\n");
    let file = world.at("go-env");
    let (project, file) = (world.at("project"), file.to_str().unwrap());
    let project = project.to_str().unwrap();
    let (by_variable, by_file) = ([flags], [("GOENV", file)]);
    for settings in [&by_variable, &by_file] {
        let scan = world.call(&[project], settings);
        scan.is_clean();
        is_said(&scan, "GOFLAGS has -mod=mod");
        assert_eq!(scan.codes(), ["source-redirected"], "{}", scan.story());
    }
    world.write(&world.tree("greet.go"), EVIL);
    world.forget_builds();
    for settings in [&by_variable, &by_file] {
        for more in [&[project][..], &[project, "--full"]] {
            world
                .call(more, settings)
                .exits(1)
                .finds(&["tree-modified"], "greet.go");
        }
    }
    // Without the flag Go refuses.
    world.scan(&[]).is_clean();
    let refused = prints(&world, ".", &[]);
    assert!(!refused.contains("EVIL"), "{refused}");
    for settings in [&by_variable[..], &[("GOENV", file), ("GOFLAGS", "")]] {
        let built = prints(&world, ".", settings);
        assert!(built.contains("EVIL"), "{built}");
        relock(&world, "project");
    }
}
