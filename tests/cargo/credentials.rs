//! Credentials of pinned registries: they reach the registry that they belong to and nobody else, and no output.

use std::fs;

use crate::support::{Registry, Scan, Source, World, write_file};

const TOKEN: &str = "Bearer t0p-s3cret-0451";

/// A clean world whose registry from now on demands a credential, which the trust file names.
fn guarded() -> World {
    let world = World::clean(Source::Alternate);
    let trust = fs::read_to_string(world.trust_file()).unwrap();
    write_file(
        &world.trust_file(),
        format!("{trust}token = \"env:LOOP_TOKEN\"\n"),
    );
    world.registry.demand(TOKEN);
    world
}

fn says_nothing(world: &World, scan: &Scan) {
    let mut files = std::collections::BTreeMap::new();
    crate::fixtures::gather(&world.state(), &world.state(), &mut files);
    let kept = files.values().map(|bytes| String::from_utf8_lossy(bytes));
    for text in kept.chain([scan.stdout.as_str().into(), scan.stderr.as_str().into()]) {
        assert!(!text.contains("t0p-s3cret"), "the credential is shown");
    }
}

#[test]
fn a_registry_that_demands_a_credential_is_given_it() {
    let world = guarded();
    let scan = world.untaint().env("LOOP_TOKEN", TOKEN).arg("-v").run();
    scan.is_clean();
    says_nothing(&world, &scan);
}

#[test]
fn without_its_credential_it_is_unreachable_not_clean() {
    let world = guarded();
    for value in [None, Some(""), Some("Bearer wrong"), Some("a\nb: c")] {
        let mut call = world.untaint();
        if let Some(value) = value {
            call = call.env("LOOP_TOKEN", value);
        }
        let scan = call.run();
        scan.exits(3).is_no_alarm();
        assert_eq!(scan.count("verified"), 0, "{}", scan.story());
    }
    let without = World::clean(Source::Alternate);
    without.registry.demand(TOKEN);
    let scan = without.untaint().env("LOOP_TOKEN", TOKEN).run();
    scan.exits(3);
    assert!(
        without.registry.credentials().is_empty(),
        "a credential that no trust file names was sent"
    );
}

#[test]
fn archives_are_fetched_with_it_too() {
    let world = guarded();
    fs::remove_file(world.archive("beta", "1.0.0")).unwrap();
    let scan = world.untaint().env("LOOP_TOKEN", TOKEN).run();
    scan.is_clean();
    let fetched = world.registry.requests();
    assert!(
        fetched.iter().any(|line| line.contains("/dl/beta/")),
        "the tree was to be judged by a fetched archive: {fetched:?}"
    );
    says_nothing(&world, &scan);
}

#[test]
fn another_origin_is_never_given_it() {
    // The registry's own answer sends downloads elsewhere, and a redirect leads elsewhere.
    let world = guarded();
    let other = Registry::start();
    for release in crate::support::standard_crates() {
        other.publish_bytes(&release, release.archive(Some(&world.registry.index_url())));
    }
    world
        .registry
        .download_from(&format!("{}/dl", other.origin()));
    fs::remove_file(world.archive("beta", "1.0.0")).unwrap();
    // (That the cached `config.json` is another one now is a finding of its own.)
    let scan = world.untaint().env("LOOP_TOKEN", TOKEN).run();
    let there = other.requests();
    assert!(
        there.iter().any(|line| line.contains("/dl/beta/")),
        "nothing was asked there, so nothing was shown: {there:?}\n{}",
        scan.story()
    );
    assert!(other.credentials().is_empty(), "{:?}", other.credentials());

    let world = guarded();
    let target = format!("{}/index/be/ta/beta", other.origin());
    world
        .registry
        .misbehave("/index/be/ta/beta", crate::support::Fault::Redirect(target));
    let scan = world.untaint().env("LOOP_TOKEN", TOKEN).run();
    assert_eq!(scan.count("tainted"), 0, "{}", scan.story());
    assert!(other.credentials().is_empty(), "{:?}", other.credentials());
    says_nothing(&world, &scan);
}
