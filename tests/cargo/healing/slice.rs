//! One flipped archive from end to end.

use super::world::{archives, command, differences, flip, heal, healed, image, restored, template};

#[test]
fn a_flipped_archive_is_healed_and_restored() {
    let world = template().twin();
    let good = archives(&world);
    flip(&world, "beta", "1.0.0");
    let tainted = image(&world.cargo_home(), true);

    let plan = heal(&world, &[]).run_raw();
    assert_eq!(
        plan.exit,
        1,
        "a dry run with a plan ends with 1\n{}",
        plan.story()
    );
    assert_eq!(plan.report["dry_run"], true);
    assert_eq!(
        plan.report["steps"].as_array().unwrap().len(),
        1,
        "{}",
        plan.report
    );
    let same = differences(&tainted, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "a dry run changed something: {same:#?}");

    let done = healed(&world, 0);
    assert_eq!(
        done.report["steps"][0]["ended"], "healed",
        "{}",
        done.report
    );
    assert_eq!(archives(&world), good);
    world.untaint().run().is_clean();
    assert!(world.build_and_run().contains("alpha-beta"));

    let again = healed(&world, 0);
    assert_eq!(again.report["steps"].as_array().unwrap().len(), 0);

    // Cargo has used what was healed; only the archive itself goes back.
    restored(&world);
    let mut after = image(&world.cargo_home(), true);
    let mut before = tainted;
    // A build may have written beside what was tainted.
    for image in [&mut before, &mut after] {
        image.retain(|path, _| path.starts_with("registry/cache"));
    }
    let changed = differences(&before, &after);
    assert!(changed.is_empty(), "{changed:#?}");
    let log = command(&world, &["log", "--verify"]).run_raw();
    assert_eq!(log.exit, 0, "{}", log.stdout);
    assert!(
        log.stdout.contains("healed") && log.stdout.contains("put back"),
        "{}",
        log.stdout
    );
    let list = command(&world, &["quarantine", "list"]).run_raw();
    assert_eq!(list.exit, 0, "{}", list.story());
    assert!(list.stdout.contains("restored"), "{}", list.stdout);
}
