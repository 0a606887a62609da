//! Options: what is chosen, what is only shown, and what ends as a mistake of whoever typed it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::world::{command, differences, flip, heal, image, template};
use crate::support::{Source, Untaint, World};

#[test]
fn only_the_chosen_finding_is_healed() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    flip(&world, "gamma", "0.3.1");
    let plan = heal(&world, &[]).run_raw();
    let steps = plan.report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "{}", plan.stdout);
    let id = steps[0]["findings"][0].as_str().unwrap().to_owned();
    let done = heal(&world, &["--yes", "--only", &id]).run_raw();
    assert_eq!(done.exit, 1, "the other one stays\n{}", done.story());
    assert_eq!(
        done.report["steps"].as_array().unwrap().len(),
        1,
        "{}",
        done.stdout
    );
    let wrong = heal(&world, &["--yes", "--only", "f-0000000000000000"]).run_raw();
    assert_eq!(wrong.exit, 2, "{}", wrong.story());
    assert!(wrong.stderr.contains("no such finding"), "{}", wrong.stderr);
    let rest = heal(&world, &["--yes"]).run_raw();
    assert_eq!(rest.exit, 0, "{}", rest.story());
    world.untaint().run().is_clean();
}

#[test]
fn evicting_fetches_nothing_and_ends_well() {
    // A registry of its own: what it is asked counts.
    let world = World::clean(Source::Alternate);
    flip(&world, "beta", "1.0.0");
    world.untaint().run();
    world.registry.forget();
    let done = heal(&world, &["--yes", "--evict"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    assert!(!world.archive("beta", "1.0.0").exists());
    let asked = world.registry.requests();
    assert!(asked.iter().all(|r| !r.contains("/dl/")), "{asked:?}");
}

#[test]
fn isolated_keeps_what_it_takes_beside_the_cache_and_leaves_our_state_alone() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let state = image(&world.state(), true);
    let done = heal(&world, &["--yes", "--evict", "--isolated"]).run_raw();
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
    let changed = differences(&state, &image(&world.state(), true));
    assert!(changed.is_empty(), "{changed:#?}");
    assert!(world.home().join(".untaint-quarantine/quarantine").is_dir());
    world.untaint().run().is_clean();
}

#[test]
fn what_nobody_vouches_for_goes_only_when_told_to() {
    let world = template().twin();
    // Nobody pins the registry: everything is unverifiable.
    let call = |more: &[&str]| -> Untaint {
        command(&world, &["heal"])
            .arg(world.project())
            .args(&["--json", "--no-advisories"])
            .args(more)
    };
    let before = image(&world.cargo_home(), true);
    let left = call(&["--yes"]).run_raw();
    assert_eq!(left.exit, 3, "{}", left.story());
    let same = differences(&before, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");
    let purged = call(&["--yes", "--purge-unverified"]).run_raw();
    assert!(
        purged.report["steps"].as_array().unwrap().len() >= 3,
        "{}",
        purged.stdout
    );
    assert!(!world.archive("beta", "1.0.0").exists());
    world.cargo(&["fetch", "--locked"]);
    world.untaint().run().is_clean();
}

#[test]
fn a_hostile_name_never_becomes_a_name_of_ours() {
    let world = template().twin();
    let name = b"\x1b[31mevil\xff$(touch x)-1.0.0.crate";
    let hostile = world
        .registry_folder("cache")
        .join(Path::new(std::ffi::OsStr::from_bytes(name)));
    fs::write(&hostile, b"evil").unwrap();
    let shown = command(
        &world,
        &[
            "heal",
            "--caches",
            "--no-advisories",
            "--purge-unverified",
            "--yes",
            "--trust",
        ],
    )
    .arg(world.trust_file())
    .run_raw();
    assert!(!shown.stdout.contains('\x1b'), "{:?}", shown.stdout);
    assert!(!hostile.exists(), "{}", shown.stdout);
    let mut names = Vec::new();
    for run in fs::read_dir(world.state().join("state/quarantine")).unwrap() {
        for item in fs::read_dir(run.unwrap().path()).unwrap() {
            names.push(
                item.unwrap()
                    .file_name()
                    .into_string()
                    .expect("plain names"),
            );
        }
    }
    assert!(names.len() >= 2, "{names:?}");
    let plain = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    assert!(names.iter().all(plain), "{names:?}");
    let list = command(&world, &["quarantine", "list"]).run_raw();
    assert!(!list.stdout.contains('\x1b'));
}

#[test]
fn what_is_not_built_is_a_usage_error() {
    let world = template().twin();
    for arguments in [
        &["heal", "--evict", "--keep-if-unfetchable"][..],
        &["restore"],
        &["quarantine", "prune"],
    ] {
        assert_eq!(
            command(&world, arguments).run_raw().exit,
            2,
            "{arguments:?}"
        );
    }
    assert_eq!(
        command(&world, &["restore", "last", "--yes"])
            .run_raw()
            .exit,
        2
    );
    assert_eq!(command(&world, &["log", "--verify"]).run_raw().exit, 0);
    assert_eq!(command(&world, &["quarantine", "list"]).run_raw().exit, 0);
}
