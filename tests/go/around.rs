//! What Go finds and a walk of the project does not: linked and unlisted vendor folders, workspaces above and beside. What Go
//! builds in each case is shown first.

use std::fs;
use std::os::unix::fs::symlink;

use crate::report::Scan;
use crate::world::{EVIL, World};

const VENDORED: &str = "project/vendor/registry.example/Greet/greet.go";

fn vendored() -> World {
    let world = World::built();
    world.go(&["mod", "vendor"]);
    world.scan(&[]).is_clean();
    world
}

fn says(scan: &Scan, part: &str) {
    scan.exits(3);
    let told = |problem: &serde_json::Value| problem["path"].as_str().unwrap().ends_with(part);
    assert!(scan.problems().iter().any(told), "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_linked_vendor_folder_is_read_as_the_one_that_go_reads() {
    for place in ["project/third", "elsewhere"] {
        let world = vendored();
        fs::rename(world.at("project/vendor"), world.at(place)).unwrap();
        symlink(world.at(place), world.at("project/vendor")).unwrap();
        world.scan(&[]).is_clean();
        world.write(&format!("{place}/registry.example/Greet/greet.go"), EVIL);
        assert!(world.runs().contains("EVIL"));
        world.scan(&[]).finds(&["tree-modified"], "greet.go");
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_manifest_in_a_vendor_folder_hides_nothing() {
    let world = vendored();
    world.write(VENDORED, EVIL);
    world.write("project/vendor/go.mod", "module registry.example/decoy\n");
    assert!(world.runs().contains("EVIL"));
    world.scan(&[]).finds(&["tree-modified"], "greet.go");
    // What the user excludes stays excluded.
    world.scan(&["--exclude", "vendor"]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn go_files_in_a_vendor_folder_without_a_list_are_extra_where_go_imports_them() {
    let world = World::built();
    for (go, imported) in [
        ("1.13", false),
        ("1.21", true),
        ("1.22", true),
        ("1.23", false),
    ] {
        world.write(
            "project/go.mod",
            format!("module registry.example/app\n\ngo {go}\n"),
        );
        world.write("project/go.sum", "");
        world.write(
            "project/main.go",
            "package main\n\nimport greet \"registry.example/Greet\"\n\nfunc main() { println(greet.Hi()) }\n",
        );
        let _ = fs::remove_dir_all(world.at("project/vendor"));
        world.write("project/vendor/notes/README", "another tool's\n");
        world.scan(&[]).exits(0);
        world.write(VENDORED, EVIL);
        let run = world.try_go(&["run", "."], &[("GOPROXY", "off"), ("GOFLAGS", "")]);
        assert_eq!(run.status.success(), imported, "{go}: {run:?}");
        let scan = world.scan(&[]);
        if go == "1.23" {
            scan.exits(0);
        } else {
            // Below 1.14 only with -mod=vendor.
            scan.finds(&["tree-extra-file"], "greet.go");
        }
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_workspace_above_what_is_scanned_is_said() {
    let world = World::built();
    world.write(
        "go.work",
        "go 1.21\n\nuse ./project\n\nreplace registry.example/Greet => ./evil\n",
    );
    world.write("evil/go.mod", "module registry.example/Greet\n\ngo 1.21\n");
    world.write("evil/greet.go", EVIL);
    assert!(world.runs().contains("EVIL"));
    says(&world.scan(&[]), "/go.work");
    let project = world.at("project");
    world
        .call(&[project.to_str().unwrap()], &[("GOWORK", "off")])
        .is_clean();
    // The whole of it scanned: nothing is left out.
    let all = world.at("");
    let scan = world.call(&[all.to_str().unwrap()], &[]);
    let left_out = |p: &serde_json::Value| p["message"].as_str().unwrap().contains("not scanned");
    assert!(!scan.problems().iter().any(left_out), "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_module_above_what_is_scanned_is_said() {
    let world = World::built();
    world.write("project/sub/sub.go", "package sub\n");
    let sub = world.at("project/sub");
    says(&world.call(&[sub.to_str().unwrap()], &[]), "project/go.mod");
    fs::remove_file(world.at("project/sub/sub.go")).unwrap();
    world.write("project/sub/page.html", "no Go here\n");
    let scan = world.call(&[sub.to_str().unwrap()], &[]);
    assert!(scan.problems().is_empty(), "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn members_of_a_workspace_that_are_not_walked_are_said() {
    let world = World::built();
    world.write("project/go.work", "go 1.21\n\nuse .\n\nuse ../other\n");
    world.scan(&[]).is_clean();
    world.write("other/go.mod", "module registry.example/other\n\ngo 1.21\n");
    says(&world.scan(&[]), "other/go.mod");
    let world = World::built();
    world.write("project/go.work", "go 1.21\n\nuse .\n\nuse ./other\n");
    world.write(
        "project/other/go.mod",
        "module registry.example/other\n\ngo 1.21\n",
    );
    world.scan(&[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_line_of_a_go_mod_file_alone_covers_no_import() {
    let world = World::built();
    let sum = fs::read_to_string(world.at("project/go.sum")).unwrap();
    let rest: Vec<&str> = sum
        .lines()
        .filter(|line| !line.starts_with("registry.example/Greet v1.0.0 "))
        .collect();
    world.write("project/go.sum", rest.join("\n") + "\n");
    let run = world.try_go(&["run", "."], &[("GOPROXY", "off")]);
    assert!(!run.status.success());
    let scan = world.scan(&[]);
    assert_eq!(scan.codes(), ["lockfile-hash-missing"], "{}", scan.story());
    assert!(scan.names("of its go.mod file alone"), "{}", scan.story());
    scan.exits(3);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_lies_in_node_modules_is_judged_where_something_names_it() {
    const MODULE: &str = "project/node_modules/other";
    let world = World::built();
    world.write(
        &format!("{MODULE}/go.mod"),
        "module registry.example/other\n\ngo 1.21\n\nrequire registry.example/Greet v1.0.0\n",
    );
    world.write(
        &format!("{MODULE}/main.go"),
        "package main\n\nimport greet \"registry.example/Greet\"\n\nfunc main() { println(greet.Hi()) }\n",
    );
    let folder = world.at(MODULE).display().to_string();
    world.go(&["-C", &folder, "mod", "tidy"]);
    world.go(&["-C", &folder, "mod", "vendor"]);
    world.scan(&[]).is_clean();
    world.write(
        &format!("{MODULE}/vendor/registry.example/Greet/greet.go"),
        EVIL,
    );
    let run = world.try_go(&["-C", &folder, "run", "."], &[("GOPROXY", "off")]);
    assert!(
        String::from_utf8_lossy(&run.stderr).contains("EVIL"),
        "{run:?}"
    );
    // Nobody's project: what installs it put it there, and nothing here builds with it.
    world.scan(&[]).is_clean();
    world.write(
        "project/go.work",
        "go 1.21\n\nuse .\n\nuse ./node_modules/other\n",
    );
    world.scan(&[]).finds(&["tree-modified"], "greet.go");
    fs::remove_file(world.at("project/go.work")).unwrap();
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        format!("{manifest}\nreplace registry.example/other => ./node_modules/other\n"),
    );
    world.scan(&[]).finds(&["tree-modified"], "greet.go");
    // Itself scanned, it is a project like any other.
    world
        .call(&[&folder], &[])
        .finds(&["tree-modified"], "greet.go");
}
