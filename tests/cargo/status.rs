//! `untaint status`: what earlier runs left behind, and whether one of them is new enough.

use std::fs;
use std::time::Duration;

use crate::support::{Fault, Scan, Source, Untaint, World, write_file};
use crate::tamper::home_template;

fn status(world: &World, arguments: &[&str]) -> Scan {
    Untaint::bare(world)
        .args(&["status", "--offline"])
        .args(arguments)
        .run_raw()
}

#[test]
fn a_complete_run_is_recorded_and_satisfies_max_age() {
    let world = home_template().twin();
    let before = status(&world, &["--max-age", "1d"]);
    assert_eq!(before.exit, 3, "{}", before.story());
    assert!(
        before.stderr.contains("no complete run"),
        "{}",
        before.story()
    );
    assert_eq!(status(&world, &[]).exit, 0);
    world.untaint().run().is_clean();
    let after = status(&world, &["--max-age", "1d"]);
    assert_eq!(after.exit, 0, "{}", after.story());
    assert!(after.stdout.contains("projects: clean"), "{}", after.stdout);
    assert!(!after.stdout.contains(" 0 claims"), "{}", after.stdout);
    let later = status(
        &world,
        &["--max-age", "1d", "--now", "2099-01-01T00:00:00Z"],
    );
    assert_eq!(later.exit, 3, "{}", later.story());
}

#[test]
fn what_was_not_whole_or_not_ours_is_no_run() {
    let world = home_template().twin();
    world.untaint().arg("--isolated").run();
    world.untaint().arg("--no-integrity").run_raw();
    let none = status(&world, &["--max-age", "1d"]);
    assert_eq!(none.exit, 3, "{}", none.story());
    assert!(none.stdout.contains("none"), "{}", none.stdout);
    // Incomplete runs are shown, and satisfy nobody.
    world.untaint().arg("--offline").run().exits(3);
    let offline = status(&world, &["--max-age", "1d"]);
    assert_eq!(offline.exit, 3, "{}", offline.story());
    assert!(
        offline.stdout.contains("projects: incomplete"),
        "{}",
        offline.stdout
    );
}

#[test]
fn a_run_that_was_cut_short_is_not_recorded() {
    let world = World::clean(Source::Alternate);
    world
        .registry
        .misbehave("/index/", Fault::Stall(Duration::from_secs(60)));
    let scan = world
        .untaint()
        .args(&["--timeout", "2s", "--jobs", "1"])
        .run();
    scan.exits(3).is_no_alarm();
    assert!(scan.took < Duration::from_secs(10), "{}", scan.story());
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
    let shown = status(&world, &[]);
    assert!(shown.stdout.contains("none"), "{}", shown.stdout);
}

#[test]
fn a_damaged_record_is_a_problem_and_no_more() {
    let world = home_template().twin();
    world.untaint().run().is_clean();
    let mut files = std::collections::BTreeMap::new();
    crate::fixtures::gather(&world.state(), &world.state(), &mut files);
    let name = files
        .keys()
        .find(|name| name.ends_with("runs"))
        .expect("a record of the run");
    let file = world.state().join(name);
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(b"\x1b[31m{\"at\":99\n");
    write_file(&file, &bytes);
    let shown = status(&world, &["--max-age", "1d"]);
    assert_eq!(shown.exit, 0, "{}", shown.story());
    assert!(shown.stderr.contains("1 records"), "{}", shown.story());
    write_file(&file, vec![b'['; 3_000_000]);
    let shown = status(&world, &["--max-age", "1d"]);
    assert_eq!(shown.exit, 3, "{}", shown.story());
    assert!(shown.stderr.contains("problem"), "{}", shown.story());
}
