//! What lies in the module cache beside the modules that a project requires: markers, toolchains, snapshots, clones.

use std::fs;
use std::os::unix::fs::symlink;

use crate::module::Module;
use crate::world::{EVIL, GREET, World, copy_folder};

const TOOLCHAIN: &str = "golang.org/toolchain@v0.0.1-go1.98.0.linux-amd64";

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_marker_that_leads_nowhere_hides_no_tree() {
    let world = World::built();
    world.write(&world.tree("greet.go"), EVIL);
    symlink("/nonexistent", world.at(&world.download("partial"))).unwrap();
    world.forget_builds();
    assert!(world.runs().contains("EVIL"));
    for scan in world.scans() {
        scan.finds(&["tree-modified"], "greet.go");
        scan.finds(&["link-escape"], "v1.0.0.partial");
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_tree_that_go_makes_anew_is_named_as_one_that_nothing_loads() {
    let world = World::built();
    world.write(&world.tree("greet.go"), EVIL);
    world.write(&world.download("partial"), "");
    let scan = world.scan(&[]);
    scan.is_clean();
    assert_eq!(scan.unverifiable("orphan"), 1, "{}", scan.story());
    world.forget_builds();
    assert!(!world.runs().contains("EVIL"));
    world.scan(&[]).is_clean();
}

/// Downloads the toolchain and unpacks it, as Go does when it is first asked for.
fn toolchain(world: &World) {
    let (path, version) = TOOLCHAIN.split_once('@').unwrap();
    let published = Module::new(path, version)
        .file("bin/go", "a program\n")
        .file("src/_go.mod", "module std\n")
        .file("src/cmd/_go.mod", "module cmd\n");
    let mut served = world.proxy.served.lock().unwrap();
    let (zip, go_mod) = (published.h1(), published.go_mod_h1());
    served.log.add(path, version, &zip, &go_mod);
    served.modules.push(published);
    drop(served);
    world.go(&["mod", "download", TOOLCHAIN]);
    assert!(
        world
            .at(&world.cached(&format!("{TOOLCHAIN}/bin/go")))
            .exists()
    );
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_toolchain_is_judged_for_a_project_that_requires_nothing() {
    let world = World::built();
    toolchain(&world);
    fs::remove_file(world.at("project/go.sum")).unwrap();
    world.write("project/go.mod", "module registry.example/app\n\ngo 1.21\n");
    world.write("project/main.go", "package main\n\nfunc main() {}\n");
    world.scan(&[]).is_clean();
    world.write(
        &world.cached(&format!("{TOOLCHAIN}/bin/go")),
        "another program\n",
    );
    world.scan(&[]).finds(&["tree-modified"], "toolchain");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_toolchain_that_was_run_is_clean_and_its_copies_must_be_copies() {
    let world = World::built();
    toolchain(&world);
    let at = |file: &str| world.cached(&format!("{TOOLCHAIN}/{file}"));
    for folder in ["src", "src/cmd"] {
        let original = fs::read(world.at(&at(&format!("{folder}/_go.mod")))).unwrap();
        world.write(&at(&format!("{folder}/go.mod")), original);
    }
    world.scan(&[]).is_clean();
    world.write(&at("src/cmd/go.mod"), "module other\n");
    world.scan(&[]).finds(&["tree-extra-file"], "toolchain");
    fs::remove_file(world.at(&at("src/cmd/go.mod"))).unwrap();
    world.write(&at("bin/go.mod"), "module other\n");
    world.scan(&[]).finds(&["tree-extra-file"], "toolchain");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_snapshot_that_fips_builds_use_is_judged() {
    let world = World::built();
    let with = [("GOFIPS140", "v1.26.0"), ("GOPROXY", "off")];
    let listed = world.try_go(&["list", "crypto/sha256"], &with);
    assert!(listed.status.success(), "{listed:?}");
    let tree = world.cached("golang.org/fips140@v1.26.0");
    world.scan(&[]).is_clean();
    world.call(&["--caches"], &[]).is_clean();
    let file = format!("{tree}/fips140/v1.26.0/sha256/sha256.go");
    let good = fs::read_to_string(world.at(&file)).unwrap();
    world.write(&file, format!("{good}\n// EVIL\n"));
    world
        .scan(&["--offline"])
        .finds(&["tree-modified"], "fips140@v1.26.0");
    world.write(&file, good);
    world.scan(&[]).is_clean();
    symlink("sha256.go", world.at(&format!("{tree}/fips140/more.go"))).unwrap();
    world
        .scan(&[])
        .finds(&["tree-irregular-file"], "fips140@v1.26.0");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn clones_of_repositories_are_listed_and_stop_nothing() {
    let world = World::built();
    world.write(&world.cached("cache/vcs/0123abcd/HEAD"), "ref\n");
    let scan = world.call(&["--caches"], &[]);
    scan.is_clean();
    assert_eq!(scan.unverifiable("derived"), 2, "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_folder_in_the_cache_is_nobodys_own() {
    let world = World::built();
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    let replaced = |by: &str| format!("{manifest}\nreplace registry.example/Greet => {by}\n");
    let evil = "registry.example/greet-evil";
    let inside = world.cached(evil);
    world.write(&format!("{inside}/go.mod"), "module any.example/thing\n");
    world.write(&format!("{inside}/greet.go"), EVIL);
    world.write(
        "project/go.mod",
        replaced(&format!("../home/go/pkg/mod/{evil}")),
    );
    assert!(world.runs().contains("EVIL"));
    for scan in world.scans() {
        scan.finds(&["source-redirected"], "greet-evil");
    }
    // The same by way of a link, and of another folder.
    symlink(world.at(&inside), world.at("elsewhere")).unwrap();
    world.write("project/go.mod", replaced("../elsewhere"));
    assert!(world.runs().contains("EVIL"));
    world.scan(&[]).finds(&["source-redirected"], "elsewhere");
    // A folder beside the cache is the user's own, as ever.
    fs::remove_file(world.at("elsewhere")).unwrap();
    copy_folder(&world.at(&inside), &world.at("beside"));
    world.write("beside/greet.go", GREET);
    fs::remove_dir_all(world.at(&inside)).unwrap();
    world.write("project/go.mod", replaced("../beside"));
    world.scan(&[]).is_no_alarm().exits(0);
}
