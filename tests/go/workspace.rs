//! Workspaces: `go.work`, `go.work.sum`, and locks that do not cover what a manifest requires. What Go makes of each case is shown first.

use std::fs;

use crate::module::Module;
use crate::world::{EVIL, World, modules};

/// A workspace of the project and one more module, and the lines of the project's go.sum about one dependency.
fn workspace() -> (World, String, String) {
    let world = World::built();
    world.write("project/go.work", "go 1.21\n\nuse (\n\t.\n\t./sub\n)\n");
    world.write(
        "project/sub/go.mod",
        "module registry.example/sub\n\ngo 1.21\n\nrequire registry.example/words/v2 v2.1.0\n",
    );
    world.write(
        "project/sub/sub.go",
        "package sub\n\nimport _ \"registry.example/words/v2\"\n",
    );
    let sum = fs::read_to_string(world.at("project/go.sum")).unwrap();
    let (of_greet, rest): (Vec<&str>, Vec<&str>) = sum
        .lines()
        .partition(|line| line.starts_with("registry.example/Greet "));
    assert_eq!(of_greet.len(), 2);
    let lines = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    (world, lines(&of_greet), lines(&rest))
}

/// Whether Go builds the project as it is, without the network.
fn builds(world: &World) -> bool {
    let offline = [("GOPROXY", "off"), ("GOFLAGS", "-mod=readonly")];
    world
        .try_go(&["build", "-o", "/dev/null", "."], &offline)
        .status
        .success()
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn lines_of_all_go_sum_files_of_a_workspace_count() {
    let (world, of_greet, rest) = workspace();
    assert!(builds(&world));
    world.scan(&[]).is_clean();
    assert_eq!(world.scan(&[]).codes(), [""; 0]);
    world.write("project/go.sum", &rest);
    world.write("project/go.work.sum", &of_greet);
    assert!(builds(&world));
    let scan = world.scan(&[]);
    scan.is_clean();
    assert_eq!(scan.codes(), [""; 0], "{}", scan.story());
    // A line in a module that is not used counts for nothing: Go takes what its cache says, and writes go.work.sum itself.
    fs::remove_file(world.at("project/go.work.sum")).unwrap();
    world.write(
        "project/other/go.mod",
        "module registry.example/other\n\ngo 1.21\n",
    );
    world.write("project/other/go.sum", &of_greet);
    assert!(builds(&world));
    fs::remove_file(world.at("project/go.work.sum")).expect("written by Go");
    let scan = world.scan(&[]);
    assert_eq!(scan.codes(), ["lockfile-hash-missing"], "{}", scan.story());
    assert!(scan.names("registry.example/Greet"), "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_lock_that_does_not_cover_its_manifest_is_said() {
    let world = World::built();
    let sum = fs::read_to_string(world.at("project/go.sum")).unwrap();
    let rest: String = sum
        .lines()
        .filter(|line| !line.starts_with("registry.example/words/v2 "))
        .map(|line| format!("{line}\n"))
        .collect();
    world.write("project/go.sum", rest);
    assert!(!builds(&world));
    for scan in world.scans() {
        assert_eq!(scan.codes(), ["lockfile-hash-missing"], "{}", scan.story());
        assert!(scan.names("registry.example/words/v2"), "{}", scan.story());
    }
    fs::remove_file(world.at("project/go.sum")).unwrap();
    assert!(!builds(&world));
    assert!(world.scan(&[]).names("there is no go.sum"));
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn an_edited_go_work_sum_is_found_alone_and_against_a_good_go_sum() {
    let (world, of_greet, rest) = workspace();
    let good = modules()[0].clone();
    let evil = good.clone().file("greet.go", EVIL);
    let edited = of_greet.replace(&good.h1(), &evil.h1());
    // Beside a good line: Go notices only that they differ.
    world.write("project/go.work.sum", &edited);
    assert!(!builds(&world));
    for scan in world.scans() {
        scan.finds(&["lockfile-hash-mismatch"], "go.work.sum");
    }
    // Alone, with a zip that fits.
    world.write("project/go.sum", &rest);
    world.write(&world.download("zip"), evil.zip());
    world.write(&world.download("ziphash"), evil.h1());
    world.write(&world.tree("greet.go"), EVIL);
    world.forget_builds();
    assert!(world.runs().contains("EVIL"));
    for scan in world.scans() {
        scan.finds(&["lockfile-hash-mismatch"], "go.work.sum");
        scan.finds(&["archive-tampered"], "v1.0.0.zip");
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_a_workspace_puts_in_place_of_a_module_is_what_is_judged() {
    let (world, ..) = workspace();
    let fork = Module::new("registry.example/Fork", "v1.0.0").file(
        "greet.go",
        "package greet\n\nfunc Hi() string { return \"fork\" }\n",
    );
    world.write(
        "project/go.work",
        "go 1.21\n\nuse .\n\nreplace registry.example/Greet => registry.example/Fork v1.0.0\n",
    );
    let scan = world.scan(&[]);
    assert!(
        scan.codes().contains(&"lockfile-hash-missing"),
        "{}",
        scan.story()
    );
    assert!(scan.names("registry.example/Fork"), "{}", scan.story());
    // A zip of it that nobody published is asked about, since it is what is built.
    let at = world.cached("cache/download/registry.example/!fork/@v/v1.0.0");
    world.write(&format!("{at}.zip"), fork.zip());
    let scan = world.scan(&[]);
    assert_ne!(scan.exit, 0, "{}", scan.story());
    assert!(
        scan.story().contains("!fork/@v/v1.0.0.zip"),
        "{}",
        scan.story()
    );
    // A folder of the user's own stands for the module without any line. What nobody published may not lie there all the same:
    // a workspace may take anything of its cache.
    fs::remove_file(world.at(&format!("{at}.zip"))).unwrap();
    world.write(
        "project/go.work",
        "go 1.21\n\nuse .\n\nuse ./sub\n\nreplace registry.example/Greet => ./own\n",
    );
    world.write(
        "project/own/go.mod",
        "module registry.example/Greet\n\ngo 1.21\n",
    );
    world.write(
        "project/own/greet.go",
        "package greet\n\nfunc Hi() string { return \"own\" }\n",
    );
    assert!(world.runs().contains("own"));
    world.scan(&[]).is_clean();
}
