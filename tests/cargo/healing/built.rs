//! What cargo built from a tainted crate goes with it: cargo alone would link it again.

use std::fs;

use super::world::{command, heal, template};
use crate::support::{Crate, World, copy_tree, write_file};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

/// A world in which cargo has built an evil twin of `beta`.
fn built() -> World {
    let world = template().twin();
    let evil = Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()));
    write_file(&world.archive("beta", "1.0.0"), evil);
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    assert!(
        world.build_and_run().contains("EVIL"),
        "cargo builds the evil one"
    );
    world
}

#[test]
fn units_built_from_a_tainted_crate_are_taken_away_and_built_anew() {
    let world = built();
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
    let moves = done.report["steps"][0]["moves"].as_array().unwrap();
    let derived = moves.iter().filter(|m| m["role"] == "derived").count();
    assert!(derived >= 3, "{}", done.stdout);
    let printed = world.build_and_run();
    assert!(printed.contains("alpha-beta gamma"), "{printed}");
    // The dry run of a clean cache beside a clean target has nothing to say.
    let clean = heal(&world, &[]).run_raw();
    assert_eq!(clean.exit, 0, "{}", clean.story());
}

#[test]
fn a_build_folder_elsewhere_is_reached_when_it_is_named() {
    let world = built();
    let elsewhere = world.root().join("elsewhere");
    copy_tree(&world.project().join("target"), &elsewhere);
    fs::remove_dir_all(world.project().join("target")).unwrap();
    let done = heal(&world, &["--yes", "--target-dir"])
        .arg(&elsewhere)
        .run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    assert!(
        done.stdout.contains("elsewhere/debug/deps"),
        "{}",
        done.stdout
    );
    let left = fs::read_dir(elsewhere.join("debug/deps")).unwrap();
    let names: Vec<String> = left
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().all(|n| !n.contains("beta")), "{names:?}");
    let missing = heal(&world, &["--target-dir", "/nowhere/at/all"]).run_raw();
    assert_eq!(missing.exit, 2, "{}", missing.story());
}

#[test]
fn what_was_built_is_restored_with_the_rest() {
    let world = built();
    assert_eq!(heal(&world, &["--yes"]).run_raw().exit, 0);
    // A build folder needs no name: the record is sealed, and nothing but what was built there goes back.
    let back = command(&world, &["restore", "last", "--yes"]).run_raw();
    assert_eq!(back.exit, 0, "{}", back.stdout);
    assert!(
        world.build_and_run().contains("EVIL"),
        "the exact tainted image"
    );
}
