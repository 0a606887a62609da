//! Every kind of file times every act, each against a fresh copy of a clean world.

use crate::support::World;
use crate::tamper::{
    Act, CONTENT_ACTS, Kind, Memory, OTHER_ACTS, act, empty, expect, files, home_template, judge,
    kind, other, vendor_template,
};

/// How many files of a kind are tried: all that differ in meaning, not each of a hundred.
const PER_KIND: usize = 4;

fn matrix(template: &World, wanted: &[Kind]) {
    let world = template.twin();
    let all = files(&world);
    let mut tried = 0;
    for kind_tried in wanted {
        let of_kind: Vec<&String> = all
            .iter()
            .filter(|path| kind(path) == *kind_tried)
            .collect();
        assert!(
            !of_kind.is_empty(),
            "the clean world holds a {kind_tried:?}"
        );
        let step = of_kind.len().div_ceil(PER_KIND);
        for path in of_kind.into_iter().step_by(step) {
            for deed in CONTENT_ACTS.iter().chain(OTHER_ACTS) {
                if trial(&world, &all, path, *deed) {
                    tried += 1;
                }
            }
        }
    }
    assert!(tried >= 15 * wanted.len(), "only {tried} trials took place");
    world.untaint().run().is_clean();
}

/// One act on one file, undone afterwards; false if it would change nothing (an empty file emptied).
fn trial(world: &World, all: &[String], path: &str, deed: Act) -> bool {
    let full = world.root().join(path);
    let memory = Memory::of(&full);
    let needs_bytes =
        matches!(deed, Act::Flip | Act::Truncate | Act::Empty | Act::Zeros) && memory.is_empty();
    if needs_bytes {
        return false;
    }
    let outside = world.root().join("outside");
    empty(&outside);
    empty(&world.state());
    act(deed, &full, &other(world, all, path), &outside);
    let scan = world.untaint().run();
    judge(&scan, expect(path, deed), path, &format!("{deed:?}"));
    memory.restore();
    true
}

#[test]
fn the_untouched_worlds_are_clean() {
    let home = home_template().twin().untaint().run();
    home.is_clean();
    assert_eq!(home.count("verified"), 13, "{}", home.story());
    assert_eq!(home.unverifiable("git"), 1, "{}", home.story());
    let vendored = vendor_template().twin().untaint().run();
    vendored.is_clean();
    assert_eq!(vendored.count("verified"), 6, "{}", vendored.story());
}

#[test]
fn archives() {
    matrix(home_template(), &[Kind::Archive]);
}

#[test]
fn unpacked_trees() {
    matrix(home_template(), &[Kind::Tree, Kind::Marker]);
}

#[test]
fn listings() {
    matrix(home_template(), &[Kind::Listing, Kind::IndexSettings]);
}

#[test]
fn git_checkouts() {
    matrix(home_template(), &[Kind::Checkout]);
}

#[test]
fn git_databases() {
    matrix(home_template(), &[Kind::GitInside]);
}

#[test]
fn vendor_folders() {
    matrix(vendor_template(), &[Kind::Vendored, Kind::VendorRecord]);
}

#[test]
fn the_project_and_the_settings() {
    let kinds = [
        Kind::Lockfile,
        Kind::FirstParty,
        Kind::Settings,
        Kind::Indifferent,
    ];
    matrix(home_template(), &kinds);
}
