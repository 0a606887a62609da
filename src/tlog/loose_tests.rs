//! Loose tiles of honest and of forged caches: each is reached or named.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::tlog::testlog::TestLog;
use crate::tlog::tree::leaf_hash;

/// A cache: tiles as files.
type Files = BTreeMap<Tile, Vec<Hash>>;

fn hashes(log: &TestLog, tile: Tile) -> Vec<Hash> {
    tile.hashes(&log.tile(tile).unwrap()).unwrap()
}

/// Every tile of the tree of this size.
fn tiles_of(log: &TestLog, size: u64, files: &mut Files) {
    for level in 0..3u8 {
        for index in 0.. {
            let Some(tile) = Tile::in_tree(level, index, size) else {
                break;
            };
            files.insert(tile, hashes(log, tile));
        }
    }
}

fn judged(files: &Files, heads: Vec<SignedHead>) -> Judged {
    let held: BTreeSet<Tile> = files.keys().copied().collect();
    judge(&held, heads, BTreeMap::new(), &|tile| {
        files.get(&tile).cloned()
    })
}

#[test]
fn every_tile_of_every_head_is_genuine() {
    let log = TestLog::numbered("log.example", 1, 66_000);
    let sizes = [5, 256, 700, 65_536, 66_000];
    let mut files = Files::new();
    for size in sizes {
        tiles_of(&log, size, &mut files);
    }
    let judged = judged(&files, sizes.iter().map(|s| log.signed(*s)).collect());
    assert_eq!(judged.fates.len(), files.len());
    assert!(judged.fates.values().all(|fate| *fate == Fate::Genuine));
    assert!(judged.forks.is_empty());
}

#[test]
fn a_flipped_bit_in_any_loose_tile_is_noticed_and_the_rest_is_not_accused_of_more_than_an_edge() {
    let log = TestLog::numbered("log.example", 1, 1_300);
    let mut files = Files::new();
    for size in [700, 1_300] {
        tiles_of(&log, size, &mut files);
    }
    let heads = || vec![log.signed(700), log.signed(1_300)];
    for (tile, good) in files.clone() {
        for at in (0..good.len()).step_by(5) {
            let mut raw = *good[at].as_bytes();
            raw[at % 32] ^= 4;
            let mut bad = good.clone();
            bad[at] = Hash::new(raw);
            let mut forged = files.clone();
            forged.insert(tile, bad);
            let fates = judged(&forged, heads()).fates;
            assert!(
                matches!(fates[&tile], Fate::Forged | Fate::Suspect),
                "{tile:?} {at}"
            );
            let accused = fates.iter().filter(|(_, fate)| **fate == Fate::Forged);
            assert!(accused.clone().all(|(other, _)| *other == tile));
            let suspects: Vec<_> = fates
                .iter()
                .filter(|(_, fate)| **fate == Fate::Suspect)
                .map(|(tile, _)| *tile)
                .collect();
            assert!(suspects.is_empty() || suspects.contains(&tile), "{at}");
        }
    }
}

#[test]
fn what_no_head_leads_to_is_neither_good_nor_bad() {
    let log = TestLog::numbered("log.example", 1, 1_300);
    let mut files = Files::new();
    tiles_of(&log, 1_300, &mut files);
    let full = Tile::new(0, 2, 256).unwrap();
    // The part of a full tile that an older head commits to says nothing of the rest.
    let only_700: Files = [Tile::new(0, 2, 188).unwrap(), Tile::new(1, 0, 2).unwrap()]
        .into_iter()
        .map(|tile| (tile, hashes(&log, tile)))
        .chain([(full, hashes(&log, full))])
        .collect();
    let fates = judged(&only_700, vec![log.signed(700)]).fates;
    assert_eq!(fates[&full], Fate::Unreached);
    assert_eq!(fates[&Tile::new(1, 0, 2).unwrap()], Fate::Genuine);
    let mut forged = only_700;
    forged.get_mut(&full).unwrap()[3] = leaf_hash(b"x");
    let fates = judged(&forged, vec![log.signed(700)]).fates;
    assert_eq!(fates[&full], Fate::Forged);
    // Without a head nothing is reached, and without the edge of its tree neither.
    assert!(
        judged(&files, vec![])
            .fates
            .values()
            .all(|f| *f == Fate::Unreached)
    );
    files.remove(&Tile::new(1, 0, 5).unwrap());
    let fates = judged(&files, vec![log.signed(1_300)]).fates;
    assert!(fates.values().all(|f| *f == Fate::Unreached));
}

#[test]
fn tiles_that_were_authenticated_elsewhere_lead_to_others() {
    let log = TestLog::numbered("log.example", 1, 1_300);
    let tile = Tile::new(0, 3, 256).unwrap();
    let parent = Tile::new(1, 0, 5).unwrap();
    let mut files = Files::from([(tile, hashes(&log, tile))]);
    let fate = |files: &Files| {
        let given = BTreeMap::from([(parent, hashes(&log, parent))]);
        let held = files.keys().copied().collect();
        judge(&held, vec![], given, &|tile| files.get(&tile).cloned()).fates[&tile]
    };
    assert_eq!(fate(&files), Fate::Genuine);
    files.get_mut(&tile).unwrap()[9] = leaf_hash(b"x");
    assert_eq!(fate(&files), Fate::Forged);
}

#[test]
fn heads_of_two_histories_are_evidence_that_stands_alone() {
    let log = TestLog::numbered("log.example", 1, 1_300);
    let fork = log.forked_at(100, 9);
    let mut files = Files::new();
    tiles_of(&log, 1_300, &mut files);
    let judged = judged(&files, vec![fork.signed(700), log.signed(1_300)]);
    let [evidence] = &judged.forks[..] else {
        panic!("{:?}", judged.forks)
    };
    assert_eq!(evidence.older().head().size, 700);
    let verified = ForkEvidence::verify(
        evidence.older().note(),
        evidence.newer().note(),
        evidence.prefix_root(),
        evidence.proof().to_vec(),
        &[log.verifier()],
    );
    assert!(verified.is_ok());
    assert!(judged.fates.values().all(|fate| *fate == Fate::Genuine));
}

#[test]
fn a_wider_forgery_does_not_hide_the_genuine_edge() {
    let log = TestLog::numbered("log.example", 1, 700);
    let mut files = Files::new();
    tiles_of(&log, 700, &mut files);
    let wide = Tile::new(0, 2, 256).unwrap();
    files.insert(wide, vec![leaf_hash(b"x"); 256]);
    let fates = judged(&files, vec![log.signed(700)]).fates;
    assert_eq!(fates[&wide], Fate::Forged);
    let others = fates.iter().filter(|(tile, _)| **tile != wide);
    assert!(others.clone().all(|(_, fate)| *fate == Fate::Genuine));
}
