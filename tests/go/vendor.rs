//! Vendor folders as the real `go mod vendor` fills them, and what is missing from them or does not fit.

use std::fs;
use std::path::{Path, PathBuf};

use crate::module::Module;
use crate::world::{EVIL, World};

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
        .file("pages.go", "package motley\n\nimport \"embed\"\n\n//go:embed pages all:hidden\nvar Pages embed.FS\n")
        .file("tags.go", "//go:build never && !always\n\npackage motley\n")
        .file("old.go", "// +build ignore\n\npackage main\n")
        .file("torn.go", "//go:build &&\n\npackage motley\n")
        .file("_passed.go", "package motley\n")
        .file("pages/a.html", "a\n")
        .file("pages/deep/b.html", "b\n")
        .file("pages/_c.html", "c\n")
        .file("hidden/.d", "d\n")
        .file("data/embedded.txt", "embedded\n")
        .file("data/other.txt", "other\n")
        .file("testdata/t.txt", "t\n")
        .file("unused/unused.go", "package unused\n")
        .file("unused/unused.h", "/* nothing */\n")
        .file("deep/LICENSE.deep", "free\n")
        .file("deep/er/er.go", "package er\n")
        .file("deep/er/notes.txt", "notes\n")
        .file("deep/er/_passed.go", "package er\n")
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
        ("tags.go", true),
        ("old.go", false),
        ("torn.go", false),
        ("_passed.go", true),
        ("pages/a.html", true),
        ("pages/deep/b.html", true),
        ("pages/_c.html", false),
        ("hidden/.d", true),
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
    fs::remove_file(world.at(&format!("{FOLDER}/deep/er/notes.txt"))).unwrap();
    let scan = world.scan(&[]);
    scan.is_clean();
    assert!(scan.names("notes.txt"), "{}", scan.story());
    // What lies in an unlisted folder may be left out; what lies there must be the zip's.
    world.write(&format!("{FOLDER}/unused/unused.h"), "/* evil */\n");
    world.scan(&[]).finds(&["tree-modified"], "unused.h");
}

/// Every file below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn every_single_file_that_is_deleted_is_said() {
    let world = vendored();
    world.scan(&[]).is_clean();
    let mut found = 0;
    for file in files_below(&world.at(FOLDER)) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let content = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let scan = world.scan(&["--offline"]);
        let folder = file.parent().unwrap();
        let beside_assembly = folder == world.at(FOLDER);
        if !beside_assembly && matches!(&*name, "notes.txt" | "LICENSE.deep" | "_passed.go") {
            // No build loads them; of what lies in a package's own folder it is listed. Beside assembly they can be included.
            scan.exits(0);
            assert_eq!(scan.names(&name), name != "LICENSE.deep", "{name}");
        } else {
            scan.finds(&["tree-missing-file"], &name);
            found += 1;
        }
        fs::write(&file, content).unwrap();
    }
    assert_eq!(found, 13);
    world.scan(&[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_deleted_source_changes_what_is_built_and_is_said() {
    let world = vendored();
    let guard = format!("{FOLDER}/pages.go");
    fs::remove_file(world.at(&guard)).unwrap();
    // Go builds without it, and without a word.
    assert!(world.runs().contains("hi"));
    for scan in world.scans() {
        scan.finds(&["tree-missing-file"], "pages.go");
    }
}

/// A vendored project with a folder in place of a module.
fn with_a_folder() -> World {
    let world = World::built();
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        format!("{manifest}\nreplace registry.example/Greet v1.0.0 => ./greet\n"),
    );
    world.write(
        "project/greet/go.mod",
        "module registry.example/Greet\n\ngo 1.21\n",
    );
    world.write("project/greet/greet.go", "package greet\n\nimport _ \"embed\"\n\n//go:embed data/hi\nvar hi string\n\nfunc Hi() string { return hi }\n");
    world.write("project/greet/data/hi", "hi");
    world.write("project/greet/data/other", "other");
    world.write("project/greet/greet_test.go", "package greet\n");
    world.write(
        "project/greet/gen.go",
        "//go:build ignore\n\npackage main\n",
    );
    world.write("project/greet/more.go", "package greet\n");
    world.write("project/greet/README", "read\n");
    world.go(&["mod", "tidy"]);
    world.go(&["mod", "vendor"]);
    assert!(world.runs().contains("hi words"));
    world
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_copy_of_a_folder_is_held_against_the_folder() {
    let world = with_a_folder();
    let copy = "project/vendor/registry.example/Greet";
    let scan = world.scan(&[]);
    scan.is_clean();
    assert_eq!(scan.codes(), [""; 0], "{}", scan.story());
    let restore = |file: &str| {
        let good = fs::read(world.at(&format!("project/greet/{file}"))).unwrap();
        world.write(&format!("{copy}/{file}"), good);
    };
    for (file, code) in [
        ("more.go", "tree-missing-file"),
        ("greet.go", "tree-missing-file"),
        ("data/hi", "tree-missing-file"),
    ] {
        fs::remove_file(world.at(&format!("{copy}/{file}"))).unwrap();
        world.scan(&[]).finds(&[code], file);
        restore(file);
    }
    world.write(&format!("{copy}/greet.go"), EVIL);
    assert!(world.runs().contains("EVIL"));
    world.scan(&[]).finds(&["tree-modified"], "greet.go");
    restore("greet.go");
    world.write(
        &format!("{copy}/evil.go"),
        "package greet\n\nfunc init() { hi = \"EVIL\" }\n",
    );
    assert!(world.runs().contains("EVIL"));
    world.scan(&[]).finds(&["tree-extra-file"], "evil.go");
    fs::remove_file(world.at(&format!("{copy}/evil.go"))).unwrap();
    fs::remove_file(world.at(&format!("{copy}/more.go"))).unwrap();
    std::os::unix::fs::symlink(
        world.at("project/greet/more.go"),
        world.at(&format!("{copy}/more.go")),
    )
    .unwrap();
    world.scan(&[]).finds(&["tree-irregular-file"], "more.go");
    fs::remove_file(world.at(&format!("{copy}/more.go"))).unwrap();
    restore("more.go");
    world.scan(&[]).is_clean();
    // What modules.txt alone says of a folder is no reason to believe what lies there.
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        manifest.replace("=> ./greet", "=> ./other"),
    );
    world.scan(&[]).exits(3);
    world.write("project/go.mod", manifest);
    // Without the folder the copy is all that Go needs, and nobody can say what it must be.
    fs::rename(world.at("project/greet"), world.at("away")).unwrap();
    assert!(world.runs().contains("hi words"));
    world.scan(&[]).exits(3);
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

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn packages_that_are_listed_below_another_module_are_a_problem() {
    let world = vendored();
    let list = "project/vendor/modules.txt";
    let good = fs::read_to_string(world.at(list)).unwrap();
    let line = "registry.example/motley/deep/er\n";
    // Go believes it: what is missing of the package would be held against nothing.
    let moved = good.replace(line, "").replace(
        "\nregistry.example/words/v2\n",
        &format!("\n{line}registry.example/words/v2\n"),
    );
    assert_ne!(moved, good);
    world.write(list, moved);
    let scan = world.scan(&[]);
    scan.exits(3);
    let said = scan.problems().iter().any(|problem| {
        let message = problem["message"].as_str().unwrap();
        message.contains("motley/deep/er") && message.contains("words/v2")
    });
    assert!(said, "{}", scan.story());
    world.write(list, good);
    world.scan(&[]).is_clean();
}
