//! The audit log: that its end, or all of it, was taken away is noticed, and what cannot be written is said.

use std::fs;
use std::path::PathBuf;

use super::world::{command, flip, heal, healed, restored, template};
use crate::support::{Scan, World, write_file};

fn state(world: &World, name: &str) -> PathBuf {
    world.state().join("state").join(name)
}

/// A heal and a restore: at least two lines.
fn logged() -> (World, String) {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let done = healed(&world, 0);
    let head = done.report["audit_log"].as_str().unwrap().to_owned();
    assert!(head.starts_with("1:"), "{head}");
    restored(&world);
    assert_eq!(verified(&world, &[]).exit, 0);
    (world, head)
}

fn verified(world: &World, more: &[&str]) -> Scan {
    command(world, &["log", "--verify"]).args(more).run_raw()
}

#[test]
fn a_log_without_its_end_or_gone_as_a_whole_is_noticed() {
    let (world, head) = logged();
    let log = state(&world, "audit.log");
    let text = fs::read_to_string(&log).unwrap();
    let first: String = text.lines().take(1).map(|l| format!("{l}\n")).collect();
    let run = fs::read_dir(state(&world, "quarantine")).unwrap();
    let run = run.map(|e| e.unwrap().path()).next().unwrap().join("audit");
    let heads = state(&world, "audit.heads");
    let (all, of_run) = (fs::read(&heads).unwrap(), fs::read(&run).unwrap());
    for cut in ["", &first] {
        if cut.is_empty() {
            fs::remove_file(&log).unwrap();
        } else {
            write_file(&log, cut);
        }
        let told = verified(&world, &[]);
        assert_eq!(told.exit, 1, "{}", told.story());
        assert!(told.stdout.contains("audit.heads"), "{}", told.stdout);
        assert!(told.stdout.contains("quarantine/"), "{}", told.stdout);
        // Whoever takes the heads beside it away too has forgotten the run.
        fs::remove_file(&heads).unwrap();
        let told = verified(&world, &[]);
        assert_eq!(told.exit, 1, "{}", told.story());
        assert!(told.stdout.contains("quarantine/"), "{}", told.stdout);
        fs::write(&heads, &all).unwrap();
    }
    // All of it, everywhere: only what was noted elsewhere tells.
    for path in [&log, &heads, &run] {
        fs::remove_file(path).unwrap();
    }
    assert_eq!(verified(&world, &[]).exit, 0);
    let told = verified(&world, &["--head", &head]);
    assert_eq!(told.exit, 1, "{}", told.story());
    assert!(told.stdout.contains("--head"), "{}", told.stdout);
    fs::write(&log, &text).unwrap();
    fs::write(&heads, &all).unwrap();
    fs::write(&run, &of_run).unwrap();
    assert_eq!(verified(&world, &["--head", &head]).exit, 0);
    let wrong = head.replacen("1:", "2:", 1);
    assert_eq!(verified(&world, &["--head", &wrong]).exit, 1);
    assert_eq!(verified(&world, &["--head", "1:x"]).exit, 2);
}

#[test]
fn the_next_heal_says_that_the_log_was_cut_and_does_its_work() {
    let (world, _) = logged();
    fs::remove_file(state(&world, "audit.log")).unwrap();
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 3, "{}", done.story());
    assert!(
        done.stderr.contains("audit log once had"),
        "{}",
        done.stderr
    );
    assert_eq!(done.report["problems"].as_array().unwrap().len(), 1);
    assert_eq!(done.report["steps"][0]["ended"], "healed");
    assert_eq!(verified(&world, &[]).exit, 1);
}

#[test]
fn a_log_that_cannot_be_written_is_said_and_the_heal_does_not_end_well() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    fs::create_dir_all(state(&world, "audit.log/x")).unwrap();
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 3, "{}", done.story());
    assert!(done.stderr.contains("audit log"), "{}", done.stderr);
    assert_eq!(done.report["steps"][0]["ended"], "healed");
    let problems = done.report["problems"].to_string();
    assert!(problems.contains("audit log"), "{problems}");
    // Cargo has unpacked nothing meanwhile: all is put back, and said not to be logged.
    let back = command(&world, &["restore", "last", "--yes", "--json"]).run_raw();
    assert_eq!(back.exit, 1, "{}", back.story());
    assert!(back.stderr.contains("audit log"), "{}", back.stderr);
    assert!(
        back.report["entries"][0]["refused"].is_null(),
        "{}",
        back.stdout
    );
    assert_eq!(verified(&world, &[]).exit, 2);
}
