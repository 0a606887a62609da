//! Where settings lead, as cargo itself goes: each attack is built and run by real cargo, and never called clean.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::{Source, World, copy_tree, write_file};

const EVIL: &str = "pub fn name() -> String { \"EVIL\".to_owned() }\n";

/// A vendor folder of the world's crates in which one is evil, sidecar and all.
fn evil_vendor(world: &World, folder: &Path) {
    vendor(world, folder);
    let package = folder.join("alpha");
    write_file(&package.join("src/lib.rs"), EVIL);
    let sidecar = package.join(".cargo-checksum.json");
    let mut value: serde_json::Value =
        serde_json::from_slice(&fs::read(&sidecar).unwrap()).unwrap();
    value["files"] = serde_json::json!({});
    write_file(&sidecar, value.to_string());
}

fn vendor(world: &World, folder: &Path) {
    let folder = folder.to_str().unwrap();
    world.cargo(&[
        "vendor",
        "--locked",
        "--offline",
        "--respect-source-config",
        folder,
    ]);
}

fn replaced_by(table: &str) -> String {
    format!("[source.crates-io]\nreplace-with = \"v\"\n[source.v]\n{table}\n")
}

fn project_settings(world: &World, text: &str) {
    write_file(&world.project().join(".cargo/config.toml"), text);
}

/// What a locked and offline build runs.
fn runs_evil(world: &World) {
    let printed = world.build_and_run();
    assert!(printed.contains("EVIL"), "cargo went elsewhere: {printed}");
}

/// The address of the registry with a user in it: another address for cargo, another folder.
fn with_user(world: &World) -> String {
    let index = world.registry.index_url();
    format!("sparse+{}", index.replace("://", "://u@"))
}

/// Fetches by the settings of now, and makes the unpacked package evil in the folder that this brought.
fn evil_in_the_new_folder(world: &World, before: &Path) -> PathBuf {
    world.cargo(&["fetch", "--locked"]);
    let sources = before.parent().unwrap();
    let mut folders: Vec<PathBuf> = fs::read_dir(sources)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path != before && path.is_dir())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    let folder = folders.remove(0);
    write_file(&folder.join("alpha-1.2.3/src/lib.rs"), EVIL);
    folder
}

#[test]
fn a_user_in_an_address_makes_another_folder() {
    for by_table in ["source", "registries"] {
        let world = World::clean(Source::Mirror);
        let genuine = world.registry_folder("src");
        let usual = fs::read_to_string(world.cargo_home().join("config.toml")).unwrap();
        let address = with_user(&world);
        let text = if by_table == "source" {
            replaced_by(&format!("registry = \"{address}\""))
        } else {
            format!(
                "[source.crates-io]\nreplace-with = \"v\"\n[registries.v]\nindex = \"{address}\"\n"
            )
        };
        write_file(&world.cargo_home().join("config.toml"), &text);
        let folder = evil_in_the_new_folder(&world, &genuine);
        let scan = world.untaint().run();
        scan.finds(&["tree-modified"], "src/lib.rs");
        assert!(!scan.report.to_string().contains("u@"), "{}", scan.story());
        runs_evil(&world);
        fs::remove_dir_all(world.project().join("target")).unwrap();

        // No settings lead there now, but they lead to that host: nobody can say that none of them ever could.
        write_file(&world.cargo_home().join("config.toml"), &usual);
        let scan = world.untaint().run();
        scan.exits(3);
        assert!(scan.unverifiable("unpinned-root") > 0, "{}", scan.story());
        for kind in ["src", "cache", "index"] {
            let name = folder.file_name().unwrap();
            let stray = world.cargo_home().join("registry").join(kind).join(name);
            fs::remove_dir_all(stray).unwrap();
        }
        world.untaint().run().is_clean();
    }
}

#[test]
fn a_user_in_the_address_of_a_genuine_cache_is_no_alarm() {
    let world = World::clean(Source::Mirror);
    let genuine = world.registry_folder("src");
    let text = replaced_by(&format!("registry = \"{}\"", with_user(&world)));
    write_file(&world.cargo_home().join("config.toml"), text);
    world.cargo(&["fetch", "--locked"]);
    world.untaint().run().is_clean();
    fs::remove_dir_all(genuine).unwrap();
    world.untaint().run().is_clean();
}

#[test]
fn a_variable_is_stronger_than_the_file() {
    let world = World::clean(Source::Mirror);
    let genuine = world.registry_folder("src");
    let index = world.registry.index_url();
    let text = format!(
        "[source.crates-io]\nreplace-with = \"my_reg\"\n[registries.my_reg]\nindex = \"sparse+{index}\"\n"
    );
    project_settings(&world, &text);
    world.untaint().run().is_clean();
    let (name, address) = ("CARGO_REGISTRIES_MY_REG_INDEX", with_user(&world));
    world.cargo_variable(name, &address);
    evil_in_the_new_folder(&world, &genuine);
    let scan = world.untaint().env(name, &address).run();
    scan.finds(&["tree-modified"], "src/lib.rs");
    let other = "sparse+https://evil.registry.example/";
    let scan = world.untaint().env(name, other).run();
    scan.finds(&["source-redirected"], "crates-io");
    runs_evil(&world);

    // Named by the variable alone.
    fs::remove_dir_all(world.project().join("target")).unwrap();
    project_settings(&world, "[source.crates-io]\nreplace-with = \"my_reg\"\n");
    let scan = world.untaint().env(name, &address).run();
    scan.finds(&["tree-modified"], "src/lib.rs");
    runs_evil(&world);
}

#[test]
fn a_variable_that_names_the_pinned_registry_is_no_alarm() {
    let world = World::clean(Source::Mirror);
    project_settings(&world, "[source.crates-io]\nreplace-with = \"my_reg\"\n");
    let index = format!("sparse+{}", world.registry.index_url());
    let scan = world.untaint().env("CARGO_REGISTRIES_MY_REG_INDEX", index);
    scan.run().is_clean();
}

#[test]
fn a_long_chain_of_replacements_is_followed_to_its_end() {
    let world = World::clean(Source::Mirror);
    let evil = world.root().join("evil");
    evil_vendor(&world, &evil);
    let chain = |steps: usize, end: &Path| {
        let mut text = "[source.crates-io]\nreplace-with = \"s0\"\n".to_owned();
        for step in 0..steps {
            let next = step + 1;
            text +=
                &format!("[source.s{step}]\ndirectory = \"d{step}\"\nreplace-with = \"s{next}\"\n");
        }
        let end = end.display();
        project_settings(
            &world,
            &(text + &format!("[source.s{steps}]\ndirectory = \"{end}\"\n")),
        );
    };
    chain(40, &evil);
    let scan = world.untaint().run();
    scan.finds(&["tree-modified", "sidecar-forged"], "alpha");
    runs_evil(&world);
    fs::remove_dir_all(world.project().join("target")).unwrap();
    // A limit of ours is said, and never passes for clean.
    project_settings(&world, "");
    vendor(&world, &world.project().join("vendor"));
    chain(300, &world.project().join("vendor"));
    world.untaint().run().exits(3);
    chain(100, &world.project().join("vendor"));
    world.untaint().run().is_clean();
}

#[test]
fn two_dots_behind_a_link_lead_where_the_system_goes() {
    let world = World::clean(Source::Mirror);
    let project = world.project();
    vendor(&world, &project.join("vendor"));
    evil_vendor(&world, &project.join(".git/vendor"));
    fs::create_dir_all(project.join(".git/x")).unwrap();
    symlink(".git/x", project.join("lnk")).unwrap();
    project_settings(&world, &replaced_by("directory = \"lnk/../vendor\""));
    let scan = world.untaint().run();
    scan.finds(&["tree-modified", "sidecar-forged"], "alpha");
    runs_evil(&world);
    fs::remove_dir_all(project.join("target")).unwrap();
    // The same spelling where it leads to the genuine folder.
    fs::remove_file(project.join("lnk")).unwrap();
    symlink("src", project.join("lnk")).unwrap();
    world.untaint().run().is_clean();
}

#[test]
fn an_included_file_is_the_one_that_the_system_opens() {
    let world = World::clean(Source::Mirror);
    let project = world.project();
    let evil = world.root().join("evil");
    evil_vendor(&world, &evil);
    let redirect = replaced_by(&format!("directory = \"{}\"", evil.display()));
    write_file(&project.join(".git/i.toml"), redirect);
    write_file(&project.join(".cargo/i.toml"), "");
    fs::create_dir_all(project.join(".git/x")).unwrap();
    symlink("../.git/x", project.join(".cargo/lnk")).unwrap();
    project_settings(&world, "include = [\"lnk/../i.toml\"]\n");
    let scan = world.untaint().run();
    scan.finds(&["source-redirected"], "crates-io");
    runs_evil(&world);
    fs::remove_dir_all(project.join("target")).unwrap();
    project_settings(&world, "include = [\"../.cargo/i.toml\"]\n");
    world.untaint().run().is_clean();
}

#[test]
fn what_is_relative_in_a_linked_home_is_so_to_the_link() {
    let world = World::clean(Source::Mirror);
    let real = world.root().join("real/r");
    copy_tree(&world.cargo_home(), &real.join("home"));
    let linked = world.root().join("linked");
    fs::create_dir_all(&linked).unwrap();
    symlink(real.join("home"), linked.join("home")).unwrap();
    vendor(&world, &real.join("vd"));
    evil_vendor(&world, &linked.join("vd"));
    write_file(
        &real.join("home/config.toml"),
        replaced_by("directory = \"vd\""),
    );
    let home = linked.join("home");
    let scan = world.untaint().env("CARGO_HOME", &home).run();
    scan.finds(&["tree-modified", "sidecar-forged"], "alpha");
    world.cargo_variable("CARGO_HOME", home.to_str().unwrap());
    runs_evil(&world);
}

#[test]
fn a_named_cache_is_a_home_with_settings() {
    let world = World::clean(Source::Mirror);
    let evil = world.root().join("evil");
    evil_vendor(&world, &evil);
    let other = world.root().join("other");
    copy_tree(&world.cargo_home(), &other);
    let named = format!("cargo={}", other.display());
    let scan = |world: &World| world.untaint().args(&["--cache", &named]).run();
    scan(&world).is_clean();
    let redirect = replaced_by(&format!("directory = \"{}\"", evil.display()));
    write_file(&other.join("config.toml"), redirect);
    scan(&world).finds(&["source-redirected"], "crates-io");
    world.untaint().run().is_clean();
    world.cargo_variable("CARGO_HOME", other.to_str().unwrap());
    runs_evil(&world);
}

#[test]
fn folders_that_nobody_walked_are_not_first_party() {
    let world = World::clean(Source::Mirror);
    let package = |folder: &Path| {
        copy_tree(&world.tree("alpha", "1.2.3"), folder);
        write_file(&folder.join("src/lib.rs"), EVIL);
        write_file(
            &folder.join("Cargo.toml"),
            "[package]\nname = \"alpha\"\nversion = \"1.2.3\"\n[dependencies]\nbeta = \"1\"\n[features]\ndefault = [\"std\"]\nstd = []\n",
        );
    };
    let hidden = world.project().join(".git/x/alpha");
    package(&hidden);
    project_settings(&world, "paths = [\".git/x/alpha\"]\n");
    let scan = world.untaint().run();
    scan.finds(&["source-redirected"], ".git/x/alpha");
    runs_evil(&world);
    fs::remove_dir_all(world.project().join("target")).unwrap();

    // The same from the user's settings, into a folder of build output.
    project_settings(&world, "");
    let built = world.project().join("target/x/alpha");
    package(&built);
    let usual = fs::read_to_string(world.cargo_home().join("config.toml")).unwrap();
    let paths = format!("paths = [\"{}\"]\n{usual}", built.display());
    write_file(&world.cargo_home().join("config.toml"), paths);
    let scan = world.untaint().run();
    scan.finds(&["source-redirected"], "target/x/alpha");

    // Settings of the tree that name a package of the tree are the project's own doing.
    let world = World::clean(Source::Mirror);
    copy_tree(
        &world.tree("alpha", "1.2.3"),
        &world.project().join("mine/alpha"),
    );
    project_settings(&world, "paths = [\"mine/alpha\"]\n");
    let scan = world.untaint().run();
    assert!(scan.findings().is_empty(), "{}", scan.story());
}

#[test]
fn patches_of_settings_are_told() {
    let world = World::clean(Source::Mirror);
    let patch = "[patch.crates-io]\nalpha = { git = \"https://registry.example/alpha\" }\n";
    world.settings(patch);
    let scan = world.untaint().run();
    scan.finds(&["source-redirected"], "alpha");
    let built = world.project().join("target/x/alpha");
    copy_tree(&world.tree("alpha", "1.2.3"), &built);
    world.settings(&format!(
        "[patch.crates-io]\nalpha = {{ path = \"{}\" }}\n",
        built.display()
    ));
    let scan = world.untaint().run();
    scan.finds(&["source-redirected"], "target/x/alpha");
}
