//! What real cargo does not notice, reproduced and then found.
//!
//! Each test first proves that this machine's cargo builds the taint (or behaves as the measured table
//! of attacks says), and only then that untaint names it. Without the first half the second would
//! prove nothing about the world.

use std::fs;
use std::path::Path;

use crate::support::{Crate, Source, World, git, git_repository, standard_crates, write_file};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

/// The archive of an evil twin of `beta` 1.0.0.
fn evil_beta(world: &World) -> Vec<u8> {
    Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()))
}

#[test]
fn an_edited_unpacked_file_is_compiled_by_cargo_and_found() {
    let world = World::clean(Source::Alternate);
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL);
    assert!(
        world.build_and_run().contains("EVIL"),
        "cargo compiles the edited tree"
    );
    let scan = world.untaint().run();
    scan.finds(&["tree-modified"], "src/lib.rs");
    assert_eq!(
        scan.count("tainted"),
        1,
        "one tree and nothing else\n{}",
        scan.story()
    );
}

#[test]
fn a_replaced_archive_is_unpacked_by_cargo_and_found() {
    let world = World::clean(Source::Alternate);
    write_file(&world.archive("beta", "1.0.0"), evil_beta(&world));
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    let before = world.untaint().run();
    before.finds(&["archive-tampered"], "beta-1.0.0.crate");
    assert!(
        world.build_and_run().contains("EVIL"),
        "cargo unpacks and compiles it"
    );
    let after = world.untaint().run();
    after.finds(&["archive-tampered"], "beta-1.0.0.crate");
    assert!(
        after.count("tainted") >= 2,
        "archive and tree\n{}",
        after.story()
    );
}

#[test]
fn a_replaced_archive_is_found_behind_a_mirror_too() {
    let world = World::clean(Source::Mirror);
    let evil = Crate::lib("beta", "1.0.0", EVIL).archive(None);
    write_file(&world.archive("beta", "1.0.0"), evil);
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    assert!(world.build_and_run().contains("EVIL"));
    world
        .untaint()
        .run()
        .finds(&["archive-tampered"], "beta-1.0.0.crate");
}

#[test]
fn vendoring_launders_a_tampered_archive_and_is_found() {
    let world = World::clean(Source::Alternate);
    write_file(&world.archive("beta", "1.0.0"), evil_beta(&world));
    let settings = world.cargo(&["vendor", "--locked", "--offline"]);
    let settings = &settings[settings.find("[source").unwrap()..];
    let settings = &settings[..settings.rfind("directory = \"vendor\"").unwrap()];
    write_file(
        &world.project().join(".cargo/config.toml"),
        format!("{settings}directory = \"vendor\"\n"),
    );
    let sums =
        fs::read_to_string(world.project().join("vendor/beta/.cargo-checksum.json")).unwrap();
    let good =
        crate::support::sha256(&standard_crates()[0].archive(Some(&world.registry.index_url())));
    assert!(
        sums.contains(&good),
        "the record claims the good archive: {sums}"
    );
    // The cache is no more: only what was vendored is left to judge.
    fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
    assert!(
        world.build_and_run().contains("EVIL"),
        "cargo builds what was vendored"
    );
    let scan = world.untaint().run();
    scan.finds(&["tree-modified", "sidecar-forged"], "vendor/beta");
}

#[test]
fn an_extra_file_outlives_the_loss_of_the_marker_and_is_found() {
    let world = World::clean(Source::Alternate);
    let tree = world.tree("beta", "1.0.0");
    write_file(&tree.join("src/lib.rs"), EVIL);
    write_file(
        &tree.join("build.rs"),
        "fn main() { println!(\"cargo:warning=planted build script\"); }\n",
    );
    fs::remove_file(tree.join(".cargo-ok")).unwrap();
    let printed = world.build_and_run();
    assert!(
        printed.contains("alpha-beta"),
        "cargo heals what it overwrites: {printed}"
    );
    assert!(
        tree.join("build.rs").exists(),
        "and leaves what it does not know"
    );
    let scan = world.untaint().run();
    scan.finds(&["tree-extra-file"], "build.rs");
}

#[test]
fn a_taint_that_stays_in_the_target_folder_is_never_called_verified() {
    let world = World::clean(Source::Alternate);
    let (archive, tree) = (world.archive("beta", "1.0.0"), world.tree("beta", "1.0.0"));
    write_file(&archive, evil_beta(&world));
    fs::remove_dir_all(&tree).unwrap();
    assert!(world.build_and_run().contains("EVIL"));
    fs::remove_file(&archive).unwrap();
    fs::remove_dir_all(&tree).unwrap();
    world.cargo(&["fetch", "--locked"]);
    assert!(
        world.build_and_run().contains("EVIL"),
        "cargo does not compile again"
    );
    let listed = world.untaint().run();
    assert!(
        listed.unverifiable("derived") >= 1,
        "target is a subject\n{}",
        listed.story()
    );
    let strict = world.untaint().args(&["--derived", "deny"]).run();
    strict.exits(3);
    assert!(strict.unverifiable("derived") >= 1, "{}", strict.story());
}

#[test]
fn an_empty_archive_is_fetched_again_by_cargo_and_absent_for_us() {
    let world = World::clean(Source::Alternate);
    write_file(&world.archive("beta", "1.0.0"), "");
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    let scan = world.untaint().run();
    scan.exits(0);
    assert!(scan.count("absent") >= 1, "{}", scan.story());
    world.cargo(&["fetch", "--locked"]);
    assert!(fs::metadata(world.archive("beta", "1.0.0")).unwrap().len() > 0);
    world.untaint().run().is_clean();
}

#[test]
fn an_edited_tree_without_its_archive_is_compiled_and_found() {
    let world = World::clean(Source::Alternate);
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL);
    fs::remove_file(world.archive("beta", "1.0.0")).unwrap();
    let offline = world.try_cargo(&["run", "--quiet", "--locked", "--offline"]);
    assert!(
        !offline.status.success(),
        "offline cargo misses the archive"
    );
    // Found while the archive is missing, from the registry's own copy …
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/lib.rs");
    // … incomplete, never clean, where no archive may be fetched …
    let held = world
        .untaint()
        .args(&["--fetch-archives", "never"])
        .env("UNTAINT_HOME", world.root().join("other"))
        .run();
    held.exits(3);
    assert_eq!(held.unverifiable("archive-not-held"), 1, "{}", held.story());
    // … and found after cargo has downloaded the good archive and compiled the evil tree.
    assert!(
        world
            .cargo(&["run", "--quiet", "--locked"])
            .contains("EVIL")
    );
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/lib.rs");
}

/// A project with one git dependency beside its registry crates, fetched.
pub(crate) fn git_world() -> (World, String) {
    let world = World::clean(Source::Alternate);
    let repository = world.root().join("upstream");
    let commit = git_repository(
        &repository,
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"delta\"\nversion = \"0.5.0\"\nedition = \"2021\"\n",
            ),
            (
                "src/lib.rs",
                "pub mod inner;\npub fn name() -> &'static str { inner::NAME }\n",
            ),
            ("src/inner.rs", "pub const NAME: &str = \"delta\";\n"),
            ("run.sh", "#!/bin/sh\ntrue\n"),
        ],
    );
    let manifest = world.project().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let address = format!("file://{}", repository.display());
    write_file(
        &manifest,
        format!("{text}delta = {{ git = \"{address}\" }}\n"),
    );
    write_file(
        &world.project().join("src/main.rs"),
        "fn main() { println!(\"{} {}\", alpha::name(), delta::name()); }\n",
    );
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    (world, commit)
}

fn checkout(world: &World) -> std::path::PathBuf {
    let only = |folder: &Path| {
        let mut found: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        found.retain(|path| path.is_dir());
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    };
    only(&only(&world.cargo_home().join("git/checkouts")))
}

#[test]
fn a_clean_git_dependency_is_declared_and_listed() {
    let (world, commit) = git_world();
    assert!(checkout(&world).ends_with(&commit[..7]));
    assert!(world.build_and_run().contains("delta"));
    let scan = world.untaint().run();
    scan.exits(0);
    assert_eq!(scan.unverifiable("git"), 1, "{}", scan.story());
    let declared = world.untaint().args(&["--require", "declared"]).run();
    declared.exits(0);
    assert_eq!(declared.unverifiable("git"), 0, "{}", declared.story());
}

#[test]
fn an_edited_git_checkout_is_compiled_and_found() {
    let (world, _) = git_world();
    write_file(
        &checkout(&world).join("src/inner.rs"),
        "pub const NAME: &str = \"EVIL!\";\n",
    );
    assert!(
        world.build_and_run().contains("EVIL!"),
        "cargo builds the edited checkout"
    );
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/inner.rs");
}

#[test]
fn an_edited_git_checkout_whose_git_index_was_refreshed_is_found() {
    let (world, _) = git_world();
    let tree = checkout(&world);
    write_file(
        &tree.join("src/inner.rs"),
        "pub const NAME: &str = \"EVIL!\";\n",
    );
    git(
        &tree,
        &["update-index", "--assume-unchanged", "src/inner.rs"],
    );
    assert_eq!(
        git(&tree, &["status", "--short", "--untracked-files=no"]),
        ""
    );
    assert!(world.build_and_run().contains("EVIL!"));
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/inner.rs");
}

#[test]
fn an_untracked_build_script_in_a_git_checkout_is_run_and_found() {
    let (world, _) = git_world();
    write_file(
        &checkout(&world).join("build.rs"),
        "fn main() { println!(\"cargo:rustc-env=X=1\"); std::fs::write(std::env::var(\"OUT_DIR\").unwrap() \
         + \"/ran\", \"\").unwrap(); }\n",
    );
    world.build_and_run();
    assert!(
        !find(&world.project().join("target"), "ran").is_empty(),
        "cargo runs it"
    );
    world
        .untaint()
        .run()
        .finds(&["tree-extra-file"], "build.rs");
}

#[test]
fn a_git_checkout_that_commits_the_taint_under_the_locked_name_is_found() {
    let (world, commit) = git_world();
    let tree = checkout(&world);
    write_file(
        &tree.join("src/inner.rs"),
        "pub const NAME: &str = \"EVIL!\";\n",
    );
    // The object that the locked commit's tree names is overwritten with one of the taint: cargo
    // compares nothing but the id in HEAD.
    let blob = git(&tree, &["rev-parse", "HEAD:src/inner.rs"]);
    let evil = git(&tree, &["hash-object", "-w", "src/inner.rs"]);
    let loose = |id: &str| tree.join(".git/objects").join(&id[..2]).join(&id[2..]);
    let bytes = fs::read(loose(&evil)).unwrap();
    let _ = fs::remove_file(loose(&blob));
    write_file(&loose(&blob), bytes);
    assert_eq!(git(&tree, &["rev-parse", "HEAD"]), commit);
    assert!(world.build_and_run().contains("EVIL!"));
    let scan = world.untaint().run();
    scan.finds(&["tree-modified", "archive-tampered"], "src/inner.rs");
}

#[test]
fn a_hook_in_a_git_database_is_told() {
    let (world, _) = git_world();
    let tree = checkout(&world);
    let config = tree.join(".git/config");
    let text = fs::read_to_string(&config).unwrap();
    write_file(
        &config,
        format!("{text}[core]\n\tfsmonitor = /tmp/evil.sh\n"),
    );
    let scan = world.untaint().run();
    assert!(
        scan.codes().contains(&"code-in-settings"),
        "{}",
        scan.story()
    );
}

/// Every path below `folder` with this file name.
fn find(folder: &Path, name: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(find(&path, name));
        } else if path.file_name().is_some_and(|known| known == name) {
            found.push(path);
        }
    }
    found
}
