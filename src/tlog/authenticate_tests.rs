//! Every tile, every byte: what is not what the log signed does not get through.

use super::*;
use crate::tlog::error::Reason;
use crate::tlog::testlog::TestLog;

/// All tiles of a log, some of them replaced.
struct Offered {
    tiles: BTreeMap<Tile, Vec<Hash>>,
}

impl Offered {
    fn honest(log: &TestLog) -> Self {
        let read = |tile: Tile| (tile, tile.hashes(&log.tile(tile).unwrap()).unwrap());
        Self {
            tiles: whole_plan(log).into_iter().map(read).collect(),
        }
    }

    fn with(log: &TestLog, tile: Tile, entries: Vec<Hash>) -> Self {
        let mut honest = Self::honest(log);
        honest.tiles.insert(tile, entries);
        honest
    }
}

impl Unchecked for Offered {
    fn entries(&self, tile: Tile) -> Result<Vec<Hash>, Error> {
        let entries = self.tiles.get(&tile).cloned();
        entries.ok_or(Error::Unverifiable(Reason::TileMissing(tile)))
    }
}

fn leaves(size: u64) -> impl Iterator<Item = Node> {
    (0..size).map(|index| Node { level: 0, index })
}

/// Authenticates the whole tree with one tile replaced; tells which tiles were refused and which kept.
fn offered(log: &TestLog, tile: Tile, entries: Vec<Hash>) -> (VerifiedTree, Troubles) {
    let mut tree = VerifiedTree::new(log.head(log.size()));
    let plan = tree.plan(leaves(log.size()));
    let source = Offered::with(log, tile, entries);
    let troubles = tree.authenticate(&plan, &source);
    (tree, troubles)
}

fn whole_plan(log: &TestLog) -> BTreeSet<Tile> {
    VerifiedTree::new(log.head(log.size())).plan(leaves(log.size()))
}

fn flipped(entries: &[Hash], at: usize, bit: u8) -> Vec<Hash> {
    let mut flipped = entries.to_vec();
    let mut raw = *flipped[at / 32].as_bytes();
    raw[at % 32] ^= 1 << bit;
    flipped[at / 32] = Hash::new(raw);
    flipped
}

#[test]
fn all_tiles_of_honest_logs_are_authenticated() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 1000, 1023, 1024] {
        let log = TestLog::numbered("log.example", 1, size);
        let mut tree = VerifiedTree::new(log.head(size));
        let plan = tree.plan(leaves(size));
        let source = Offered::honest(&log);
        assert_eq!(tree.authenticate(&plan, &source), Troubles::new(), "{size}");
        assert_eq!(tree.tiles().count(), plan.len());
        for node in leaves(size) {
            assert_eq!(tree.hash(node), log.stored().hash(node));
        }
        assert_eq!(
            tree.hash(Node {
                level: 0,
                index: size
            }),
            None
        );
    }
}

#[test]
fn go_2026_6179_every_byte_of_every_tile_is_authenticated() {
    let log = TestLog::numbered("log.example", 1, 1000);
    let plan = whole_plan(&log);
    assert_eq!(plan.len(), 5, "three full tiles, two at the edge");
    let mut source = Offered::honest(&log);
    let mut with_edge = VerifiedTree::new(log.head(1000));
    let edge = with_edge.plan([]);
    assert_eq!(with_edge.authenticate(&edge, &source), Troubles::new());
    for &tile in &plan {
        let entries = source.tiles[&tile].clone();
        // What is at the edge stands or falls with the root; the others come after an honest edge.
        let start = if tile.is_full() {
            with_edge.clone()
        } else {
            VerifiedTree::new(log.head(1000))
        };
        let plan = if tile.is_full() {
            BTreeSet::from([tile])
        } else {
            edge.clone()
        };
        // Every byte of the full tiles and of the top one, every fifth of the lower edge (which shares its check with the top).
        let step = if tile.level() == 0 && !tile.is_full() {
            5
        } else {
            1
        };
        for at in (0..entries.len() * 32).step_by(step) {
            // All bits of the small top tile; one bit, another each time, of every byte of the others.
            let single = u8::try_from(at % 8).unwrap();
            let bits = if tile.level() > 0 {
                0..8
            } else {
                single..single + 1
            };
            for bit in bits {
                source.tiles.insert(tile, flipped(&entries, at, bit));
                let mut tree = start.clone();
                let troubles = tree.authenticate(&plan, &source);
                let Some(Error::Forged(forgery)) = troubles.get(&tile) else {
                    panic!("{} byte {at} bit {bit} got through", tile.path());
                };
                assert!(matches!(
                    **forgery,
                    Forgery::Tile { .. } | Forgery::Edge { .. }
                ));
                assert_eq!(tree.entries(tile), None, "nothing of it is kept");
            }
        }
        source.tiles.insert(tile, entries);
    }
}

#[test]
fn go_2026_6179_a_tile_that_serves_several_subtrees_of_the_root_is_checked_like_any_other() {
    // 0b11111111 records at level 0: eight subtree hashes in one tile. The bypass counted eight tiles as done.
    for size in [767, 1023, 1279] {
        let log = TestLog::numbered("log.example", 1, size);
        for tile in whole_plan(&log) {
            let entries = tile.hashes(&log.tile(tile).unwrap()).unwrap();
            for at in [0, entries.len() * 16, entries.len() * 32 - 1] {
                let (tree, troubles) = offered(&log, tile, flipped(&entries, at, 3));
                assert!(troubles.contains_key(&tile), "{size} {}", tile.path());
                assert_eq!(tree.entries(tile), None);
            }
        }
    }
}

#[test]
fn a_forged_parent_does_not_vouch_for_its_children() {
    let log = TestLog::numbered("log.example", 1, 1000);
    // The child is forged, and the parent with it, consistently: the root gives them away.
    let child = Tile::new(0, 1, 256).unwrap();
    let forged = flipped(&child.hashes(&log.tile(child).unwrap()).unwrap(), 77, 0);
    let parent = Tile::new(1, 0, 3).unwrap();
    let mut above = parent.hashes(&log.tile(parent).unwrap()).unwrap();
    above[1] = Folded::of(forged.clone()).root().unwrap();
    let mut tree = VerifiedTree::new(log.head(1000));
    let plan = whole_plan(&log);
    let mut source = Offered::with(&log, child, forged);
    source.tiles.insert(parent, above);
    let troubles = tree.authenticate(&plan, &source);
    assert!(troubles.contains_key(&parent));
    assert_eq!(tree.tiles().count(), 0);
    assert!(!tree.has_edge());
}

#[test]
fn tiles_of_other_logs_places_and_widths_are_refused() {
    let log = TestLog::numbered("log.example", 1, 1000);
    let other = TestLog::numbered("log.example", 2, 1000);
    for tile in whole_plan(&log) {
        let foreign = tile.hashes(&other.tile(tile).unwrap()).unwrap();
        assert!(offered(&log, tile, foreign).1.contains_key(&tile));
        let mut short = tile.hashes(&log.tile(tile).unwrap()).unwrap();
        short.pop();
        assert!(
            offered(&log, tile, short).1.contains_key(&tile),
            "one hash short"
        );
        assert!(
            offered(&log, tile, Vec::new()).1.contains_key(&tile),
            "empty"
        );
    }
    let (first, second) = (Tile::new(0, 0, 256).unwrap(), Tile::new(0, 1, 256).unwrap());
    let swapped = first.hashes(&log.tile(first).unwrap()).unwrap();
    assert!(offered(&log, second, swapped).1.contains_key(&second));
}

#[test]
fn the_forged_tile_is_named_with_what_was_expected() {
    let log = TestLog::numbered("log.example", 1, 1000);
    let tile = Tile::new(0, 2, 256).unwrap();
    let entries = tile.hashes(&log.tile(tile).unwrap()).unwrap();
    let expected = Folded::of(entries.clone()).root().unwrap();
    let (_, troubles) = offered(&log, tile, flipped(&entries, 5, 1));
    assert_eq!(troubles.len(), 1, "its neighbours are not accused");
    let Some(Error::Forged(forgery)) = troubles.get(&tile) else {
        panic!()
    };
    let Forgery::Tile {
        tile: named,
        expected: said,
        ..
    } = &**forgery
    else {
        panic!()
    };
    assert_eq!((*named, *said), (tile, expected));
    assert!(troubles[&tile].to_string().contains("tile/8/0/002"));
}

#[test]
fn plans_hold_what_is_needed_and_no_more() {
    let log = TestLog::numbered("log.example", 1, 1000);
    let tree = VerifiedTree::new(log.head(1000));
    let plan = tree.plan([Node {
        level: 0,
        index: 300,
    }]);
    let paths: Vec<String> = plan.iter().map(|tile| tile.path()).collect();
    assert_eq!(
        paths,
        ["tile/8/0/001", "tile/8/0/003.p/232", "tile/8/1/000.p/3"]
    );
    assert_eq!(
        tree.plan([Node {
            level: 0,
            index: 1000
        }])
        .len(),
        2,
        "the edge alone"
    );
}

#[test]
fn plans_for_a_log_of_real_size_have_the_sizes_that_were_measured() {
    let size = 71_848_828;
    let tree = VerifiedTree::new(TreeHead {
        size,
        root: crate::tlog::tree::empty_hash(),
    });
    let upper = (1..=3u8).map(|level| {
        (0..)
            .take_while(|index| Tile::in_tree(level, *index, size).is_some())
            .count()
    });
    assert_eq!(upper.sum::<usize>(), 1103, "all tiles of levels 1 to 3");
    let one = tree.plan([Node {
        level: 0,
        index: 20_485_579,
    }]);
    assert_eq!(one.len(), 7, "one record");
    let many = tree.plan((0..300).map(|n| Node {
        level: 0,
        index: n * 239_496,
    }));
    let level = |level: u8| many.iter().filter(|tile| tile.level() == level).count();
    assert_eq!((level(2), level(3)), (5, 1));
    assert!(
        level(0) <= 301 && level(1) <= 301,
        "at most two tiles for each record"
    );
}
