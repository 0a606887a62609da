//! First-seen memory: where nobody outside can be asked, what changes under the same name and version is told, also when
//! archive, tree, cached listing and lockfile were all changed together.

use std::fs;

use crate::support::{Source, World, write_file};
use crate::tamper::home_template;
use crate::tamper_rewrites::rewrite_everything;

/// Takes every checksum out of the lockfile.
fn drop_checksums(world: &World) {
    let lock = fs::read_to_string(world.lockfile()).unwrap();
    let kept: Vec<&str> = lock
        .lines()
        .filter(|line| !line.starts_with("checksum = "))
        .collect();
    assert!(kept.len() < lock.lines().count());
    write_file(&world.lockfile(), kept.join("\n") + "\n");
}

#[test]
fn a_crate_of_an_unpinned_registry_that_changes_with_its_lockfile_is_found() {
    let world = home_template().twin();
    write_file(&world.trust_file(), "");
    for _ in 0..2 {
        let scan = world.untaint().run();
        scan.exits(3).is_no_alarm();
        assert!(scan.unverifiable("unpinned-root") > 0, "{}", scan.story());
    }
    rewrite_everything(&world);
    for run in 1..=2 {
        let scan = world.untaint().run();
        scan.finds(&["first-seen-changed"], "beta-1.0.0.crate");
        assert_eq!(
            scan.codes(),
            ["first-seen-changed"],
            "{run}\n{}",
            scan.story()
        );
    }
    // Nothing is remembered without our state, so nothing can be told; nor is it verified.
    let isolated = world.untaint().arg("--isolated").run();
    isolated.exits(3).is_no_alarm();
    assert_eq!(isolated.count("verified"), 0, "{}", isolated.story());
}

#[test]
fn a_private_crate_that_its_lockfile_vouches_for_is_remembered_too() {
    let world = World::clean(Source::Mirror);
    let trust = fs::read_to_string(world.trust_file()).unwrap();
    write_file(
        &world.trust_file(),
        format!("{trust}[private]\ncargo = [\"beta\"]\nrequire = \"declared\"\n"),
    );
    let before = world.untaint().run();
    before.is_no_alarm();
    rewrite_everything(&world);
    let scan = world.untaint().run();
    scan.finds(&["first-seen-changed"], "beta-1.0.0.crate");
    let asked = world.registry.requests();
    let since = asked
        .iter()
        .filter(|line| line.starts_with("GET /index/be/ta/beta"));
    assert_eq!(since.count(), 1, "only cargo itself asked: {asked:?}");
}

#[test]
fn without_a_checksum_in_the_lockfile_memory_alone_vouches_and_accuses() {
    let world = home_template().twin();
    write_file(&world.trust_file(), "");
    drop_checksums(&world);
    let scan = world.untaint().run();
    scan.exits(3).is_no_alarm();
    let call = || world.untaint().args(&["--require", "remembered"]);
    let scan = call().run();
    assert!(
        scan.count("verified") >= 3,
        "archives and trees\n{}",
        scan.story()
    );
    let mut bytes = fs::read(world.archive("beta", "1.0.0")).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    write_file(&world.archive("beta", "1.0.0"), bytes);
    call()
        .run()
        .finds(&["first-seen-changed"], "beta-1.0.0.crate");
    let strict = world.untaint().run();
    strict.finds(&["first-seen-changed"], "beta-1.0.0.crate");
}

#[test]
fn what_is_tainted_is_never_what_was_first_seen() {
    let world = home_template().twin();
    write_file(&world.trust_file(), "");
    let good = fs::read(world.archive("beta", "1.0.0")).unwrap();
    let mut bad = good.clone();
    let at = bad.len() / 2;
    bad[at] ^= 1;
    write_file(&world.archive("beta", "1.0.0"), bad);
    world
        .untaint()
        .run()
        .finds(&["archive-tampered"], "beta-1.0.0.crate");
    write_file(&world.archive("beta", "1.0.0"), good);
    let mended = world.untaint().run();
    mended.exits(3).is_no_alarm();
}
