//! Private names: no public root hears of them, and the pattern says what is required instead.

use std::fs;

use crate::support::{Source, World, write_file};
use crate::tamper::home_template;

/// A world on a stand-in for the public index, where `beta` and everything like it is private.
fn private(pattern: &str, more: &str) -> World {
    let world = World::clean(Source::Mirror);
    let trust = fs::read_to_string(world.trust_file()).unwrap();
    write_file(
        &world.trust_file(),
        format!("{trust}[private]\ncargo = [\"{pattern}\"]\n{more}"),
    );
    world.registry.forget();
    world
}

#[test]
fn no_packet_names_a_private_package() {
    for pattern in ["beta", "be*", "bet?"] {
        let world = private(pattern, "");
        // The archive is gone too, so there is a reason to fetch it.
        fs::remove_file(world.archive("beta", "1.0.0")).unwrap();
        let scan = world.untaint().run();
        let asked = world.registry.requests();
        assert!(!asked.is_empty(), "{}", scan.story());
        assert!(
            asked.iter().any(|line| line.contains("alpha")),
            "the others are still asked for: {asked:?}"
        );
        assert!(
            asked.iter().all(|line| !line.contains("beta")),
            "{pattern}: {asked:?}"
        );
        scan.exits(3).is_no_alarm();
        assert!(scan.unverifiable("private") > 0, "{}", scan.story());
    }
}

#[test]
fn the_pattern_says_what_is_required() {
    let world = private("beta", "require = \"declared\"\n");
    let scan = world.untaint().run();
    // Archive, tree and hash agree with the lockfile; the cached listing has nobody to speak for it.
    assert!(scan.unverifiable("private") <= 1, "{}", scan.story());
    assert_eq!(scan.count("tainted"), 0, "{}", scan.story());
    assert!(
        world
            .registry
            .requests()
            .iter()
            .all(|l| !l.contains("beta")),
        "{:?}",
        world.registry.requests()
    );
    // What contradicts the lockfile is a taint all the same.
    write_file(&world.archive("beta", "1.0.0"), "not a crate");
    world
        .untaint()
        .run()
        .finds(&["archive-tampered"], "beta-1.0.0.crate");
}

#[test]
fn what_was_learned_of_a_public_namesake_does_not_count() {
    let world = World::clean(Source::Mirror);
    world.untaint().run().is_clean();
    let trust = fs::read_to_string(world.trust_file()).unwrap();
    write_file(
        &world.trust_file(),
        format!("{trust}[private]\ncargo = [\"beta\"]\n"),
    );
    let scan = world.untaint().run();
    scan.exits(3);
    assert!(scan.unverifiable("private") > 0, "{}", scan.story());
}

#[test]
fn a_pinned_registry_of_one_s_own_is_asked_for_its_private_packages() {
    let world = home_template().twin();
    let trust = fs::read_to_string(world.trust_file()).unwrap();
    write_file(
        &world.trust_file(),
        format!("{trust}[private]\ncargo = [\"beta\"]\n"),
    );
    world.untaint().run().is_clean();
}
