//! How long and how much the quarantine keeps is what the user's own settings say.

use std::fs;

use super::world::{command, flip, heal, healed, template};
use crate::support::{World, write_file};

fn config(world: &World, text: &str) {
    write_file(&world.state().join("config.toml"), text);
}

fn runs(world: &World) -> usize {
    fs::read_dir(world.state().join("state/quarantine"))
        .unwrap()
        .count()
}

#[test]
fn a_limit_is_warned_of_and_nothing_goes_for_it() {
    let world = template().twin();
    config(&world, "quarantine-limit = \"10B\"\n");
    flip(&world, "beta", "1.0.0");
    let done = healed(&world, 0);
    assert!(done.stderr.contains("quarantine-limit"), "{}", done.stderr);
    assert_eq!(done.report["quarantine_limit"], 10);
    let list = command(&world, &["quarantine", "list"]).run_raw();
    assert_eq!(list.exit, 0, "{}", list.story());
    assert!(list.stderr.contains("more than 10"), "{}", list.stderr);
    assert_eq!(runs(&world), 1);
    config(&world, "quarantine-limit = \"1MB\"\n");
    let list = command(&world, &["quarantine", "list"]).run_raw();
    assert!(list.stderr.is_empty(), "{}", list.stderr);
}

#[test]
fn what_is_old_and_no_evidence_goes_after_the_time_that_was_set() {
    let world = template().twin();
    // Not verified, and purged on order: no confirmed taint.
    let purge = |now: &str| {
        let bytes = fs::read(world.archive("alpha", "1.2.3")).unwrap();
        let done = heal(
            &world,
            &["--yes", "--purge-unverified", "--offline", "--now", now],
        )
        .run_raw();
        assert!(
            done.report["steps"]
                .as_array()
                .is_some_and(|s| !s.is_empty()),
            "{}",
            done.story()
        );
        fs::write(world.archive("alpha", "1.2.3"), bytes).unwrap();
        done.report["pruned"].as_array().unwrap().len()
    };
    config(&world, "quarantine-retention = \"90d\"\n");
    assert_eq!(purge("2030-01-01T00:00:00Z"), 0);
    // 60 days later the default would take it, 90 days keep it.
    assert_eq!(purge("2030-03-02T00:00:00Z"), 0);
    assert_eq!(runs(&world), 2);
    config(&world, "quarantine-retention = \"30d\"\n");
    assert_eq!(purge("2030-03-03T00:00:00Z"), 1);
    assert_eq!(runs(&world), 2);
    config(&world, "quarantine-retention = \"1h\"\n");
    let wrong = heal(&world, &["--yes"]).run_raw();
    assert_eq!(wrong.exit, 2, "{}", wrong.story());
    assert!(wrong.stderr.contains("at least 1d"), "{}", wrong.stderr);
}
