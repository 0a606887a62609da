//! Dice with a fixed seed: several acts at once on files drawn at random, cold and warm, online and
//! offline. Whatever else happens, content that was changed is never part of a clean answer.

use std::fs;

use crate::support::World;
use crate::tamper::{
    Act, CONTENT_ACTS, Expect, Kind, Memory, OTHER_ACTS, act, empty, expect, files, home_template,
    kind, other, vendor_template,
};

/// A small generator of numbers (64-bit xorshift): the same row on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }
}

fn rounds(template: &World, seed: u64, count: usize, prepare: fn(&World), arguments: &[&str]) {
    let world = template.twin();
    let all = files(&world);
    let outside = world.root().join("outside");
    let mut dice = Dice(seed);
    let mut serious = 0;
    for round in 0..count {
        empty(&outside);
        empty(&world.state());
        prepare(&world);
        let (mut deeds, mut memories, mut found) = (Vec::new(), Vec::new(), false);
        for _ in 0..=dice.below(3) {
            let path = &all[dice.below(all.len())];
            let acts: Vec<&Act> = CONTENT_ACTS.iter().chain(OTHER_ACTS).collect();
            let deed = *acts[dice.below(acts.len())];
            let full = world.root().join(path);
            // An act needs a file that is still one, and the name of the hard link is taken once.
            let usable = fs::symlink_metadata(&full).is_ok_and(|meta| meta.len() > 0)
                && !outside.join("hard").exists();
            if !usable || deeds.iter().any(|(known, _)| known == path) {
                continue;
            }
            let memory = Memory::of(&full);
            act(
                deed,
                &full,
                &other(&world, &still_files(&world, &all), path),
                &outside,
            );
            memories.push(memory);
            found |= expect(path, deed) == Expect::Found;
            deeds.push((path.clone(), deed));
        }
        let scan = world.untaint().args(arguments).run();
        let story = || format!("seed {seed:#x} round {round}: {deeds:?}\n{}", scan.story());
        if found && !deeds.iter().any(|(path, _)| steers(kind(path))) {
            serious += 1;
            assert_eq!(scan.exit, 1, "{}", story());
        }
        assert!(matches!(scan.exit, 0 | 1 | 3 | 5), "{}", story());
        memories.iter().for_each(Memory::restore);
    }
    assert!(
        serious * 5 >= count,
        "the dice did too little: {serious} of {count}"
    );
}

/// Does a file of this kind decide what a scan of the project looks at? A lockfile that no longer names
/// a thing hides it; then the answer is open.
fn steers(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Lockfile | Kind::Settings | Kind::FirstParty | Kind::GitInside | Kind::Marker
    )
}

fn still_files(world: &World, all: &[String]) -> Vec<String> {
    let is_file = |path: &&String| {
        fs::symlink_metadata(world.root().join(path)).is_ok_and(|meta| meta.is_file())
    };
    all.iter().filter(is_file).cloned().collect()
}

#[test]
fn dice_over_a_cargo_home() {
    rounds(home_template(), 0x5eed_0001, 60, |_| {}, &[]);
}

#[test]
fn dice_over_a_vendor_folder() {
    rounds(vendor_template(), 0x5eed_0002, 40, |_| {}, &[]);
}

/// A scan before the deed fills claim store and ledger: they must not speak for what came after.
#[test]
fn dice_after_a_clean_scan_and_offline() {
    let warm = |world: &World| {
        world.untaint().run().is_clean();
    };
    rounds(home_template(), 0x5eed_0003, 30, warm, &["--offline"]);
    rounds(vendor_template(), 0x5eed_0004, 20, warm, &["--offline"]);
}

#[test]
fn dice_under_isolation() {
    rounds(home_template(), 0x5eed_0005, 25, |_| {}, &["--isolated"]);
}
