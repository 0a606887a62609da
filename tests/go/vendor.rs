//! Vendor folders as the real `go mod vendor` fills them, and what is missing from them or does not fit.

use std::fs;

use crate::module::Module;
use crate::world::World;

/// A module with everything that Go treats in its own way when it copies.
fn motley() -> Module {
    Module::new("registry.example/motley", "v1.0.0")
        .file("motley.go", "package motley\n\nimport _ \"embed\"\n\n//go:embed data/embedded.txt\nvar Data string\n")
        .file("motley_test.go", "package motley\n")
        .file("gen.go", "//go:build ignore\n\npackage main\n")
        .file("motley_plan9.go", "package motley\n")
        .file("add_amd64.s", "// nothing\n")
        .file("notes.txt", "notes\n")
        .file("LICENSE", "free\n")
        .file("data/embedded.txt", "embedded\n")
        .file("data/other.txt", "other\n")
        .file("testdata/t.txt", "t\n")
        .file("unused/unused.go", "package unused\n")
        .file("unused/unused.h", "/* nothing */\n")
        .file("deep/LICENSE.deep", "free\n")
        .file("deep/er/er.go", "package er\n")
}

/// A project that vendors it.
fn vendored() -> World {
    let world = World::built();
    world.proxy.publish(motley());
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        format!("{manifest}\nrequire registry.example/motley v1.0.0\n"),
    );
    world.write(
        "project/more.go",
        "package main\n\nimport (\n\t\"registry.example/motley\"\n\t_ \"registry.example/motley/deep/er\"\n)\n\nvar _ = motley.Data\n",
    );
    world.go(&["mod", "tidy"]);
    world.go(&["mod", "vendor"]);
    assert!(world.runs().contains("hi"));
    world
}

const FOLDER: &str = "project/vendor/registry.example/motley";

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_go_copies_is_clean_and_what_a_compiler_loads_must_be_there() {
    let world = vendored();
    for (file, there) in [
        ("motley.go", true),
        ("motley_plan9.go", true),
        ("add_amd64.s", true),
        ("notes.txt", true),
        ("LICENSE", true),
        ("data/embedded.txt", true),
        ("deep/LICENSE.deep", true),
        ("deep/er/er.go", true),
        ("motley_test.go", false),
        ("gen.go", false),
        ("go.mod", false),
        ("data/other.txt", false),
        ("testdata", false),
        ("unused", false),
    ] {
        assert_eq!(
            world.at(&format!("{FOLDER}/{file}")).exists(),
            there,
            "{file}"
        );
    }
    let scan = world.scan(&[]);
    scan.is_clean();
    assert_eq!(scan.codes(), [""; 0], "{}", scan.story());
    // Also from what was remembered of the zip, and where the zip has to be fetched.
    world.scan(&["--full"]).is_clean();
    fs::remove_file(world.at(&format!("{FOLDER}/add_amd64.s"))).unwrap();
    for scan in world.scans() {
        scan.finds(&["tree-missing-file"], "add_amd64.s");
    }
    world.write(&format!("{FOLDER}/add_amd64.s"), "// nothing\n");
    world.scan(&[]).is_clean();
    fs::remove_file(world.at(&format!("{FOLDER}/notes.txt"))).unwrap();
    let scan = world.scan(&[]);
    scan.is_clean();
    assert!(scan.names("notes.txt"), "{}", scan.story());
    // What lies in an unlisted folder may be left out; what lies there must be the zip's.
    world.write(&format!("{FOLDER}/unused/unused.h"), "/* evil */\n");
    world.scan(&[]).finds(&["tree-modified"], "unused.h");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_vendor_folder_that_does_not_fit_is_said_where_go_refuses_it() {
    let world = vendored();
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        manifest.replace("motley v1.0.0", "motley v1.0.1"),
    );
    let built = world.try_go(&["build", "-o", "/dev/null", "."], &[("GOPROXY", "off")]);
    let text = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(text.contains("inconsistent vendoring"), "{text}");
    let scan = world.scan(&[]);
    assert!(
        scan.codes().contains(&"lockfile-fact-mismatch"),
        "{}",
        scan.story()
    );
    assert!(
        scan.names("motley v1.0.1 is required, v1.0.0 is there"),
        "{}",
        scan.story()
    );
}
