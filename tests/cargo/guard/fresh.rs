//! Empty build caches, and repair before the run.

use std::fs;
use std::path::Path;

use super::{ends, shell, template};
use crate::support::{Crate, World, copy_tree, write_file};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";
const RUN: &str = "cargo run --quiet --locked --offline";

/// A world whose build folder holds what cargo built from an evil twin of `beta`; the cache is clean again.
fn built_from_evil() -> World {
    let world = template().twin();
    let aside = world.root().join("aside");
    copy_tree(&world.cargo_home().join("registry"), &aside);
    let evil = Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()));
    write_file(&world.archive("beta", "1.0.0"), evil);
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    assert!(world.build_and_run().contains("EVIL"));
    fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
    copy_tree(&aside, &world.cargo_home().join("registry"));
    world.untaint().run().is_clean();
    world
}

#[test]
fn what_was_built_before_is_not_used() {
    let world = built_from_evil();
    // That is what the option is for: cargo links what lies in target/.
    let done = ends(shell(&world, &["-q"], RUN), 0);
    assert_eq!(done.stdout, "alpha-EVIL gamma\n");
    let fresh = ends(shell(&world, &["-q", "--fresh-derived"], RUN), 0);
    assert_eq!(fresh.stdout, "alpha-beta gamma\n");
    let denied = ends(shell(&world, &["-q", "--derived", "deny"], RUN), 123);
    assert_eq!(denied.stdout, "");
}

#[test]
fn a_fresh_folder_goes_afterwards_and_one_with_a_name_stays() {
    let world = template().twin();
    let echo = "printf %s \"$CARGO_TARGET_DIR\"; cargo build --quiet --locked --offline";
    let gone = ends(shell(&world, &["-q", "--fresh-derived"], echo), 0).stdout;
    assert!(
        Path::new(&gone).is_absolute() && !Path::new(&gone).exists(),
        "{gone}"
    );
    assert!(!world.project().join("target").exists());
    let out = world.root().join("out");
    let option = format!("--fresh-derived={}", out.display());
    ends(shell(&world, &["-q", &option], echo), 0);
    assert!(out.join("target/debug/app").is_file());
    let again = ends(shell(&world, &["-q", &option], echo), 122);
    assert!(again.stderr.contains("new or empty"), "{}", again.stderr);
}

#[test]
fn a_build_folder_of_the_users_own_choice_is_not_used_either() {
    let world = built_from_evil();
    let elsewhere = world.root().join("elsewhere");
    copy_tree(&world.project().join("target"), &elsewhere);
    for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"] {
        let call = shell(&world, &["-q", "--fresh-derived"], RUN).env(name, &elsewhere);
        assert_eq!(ends(call, 0).stdout, "alpha-beta gamma\n", "{name}");
    }
}

#[test]
fn what_is_tainted_is_repaired_first() {
    let world = template().twin();
    let path = world.archive("beta", "1.0.0");
    let good = fs::read(&path).unwrap();
    let evil = Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()));
    write_file(&path, evil);
    fs::write(world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL).unwrap();
    ends(shell(&world, &["-q"], RUN), 121);
    let done = ends(shell(&world, &["--heal"], RUN), 0);
    assert_eq!(done.stdout, "alpha-beta gamma\n");
    assert!(done.stderr.contains("healed"), "{}", done.stderr);
    assert_eq!(fs::read(path).unwrap(), good);
}
