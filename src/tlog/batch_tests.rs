//! Whole batches against an in-memory log: honest, caching, offline, replayed and forked.

use super::*;
use crate::tlog::client::{Got, Report, drive};
use crate::tlog::fork::{ForkEvidence, Relation};
use crate::tlog::testlog::{TestLog, World, wanted};
use crate::tlog::tree::Hash;

pub(super) const LIVE: Options = Options {
    ask_latest: true,
    check_heads: false,
    older_heads: false,
};
pub(super) const OFFLINE: Options = Options {
    ask_latest: false,
    check_heads: false,
    older_heads: true,
};

pub(super) fn log(size: u64) -> TestLog {
    TestLog::numbered("log.example", 1, size)
}

fn batch(world: &World, ours: Option<SignedHead>, ids: &[u64], options: Options) -> Batch {
    let wanted = ids.iter().map(|id| wanted(*id)).collect();
    Batch::new(
        vec![world.log.verifier()],
        ours,
        Vec::new(),
        wanted,
        options,
    )
}

pub(super) fn run(
    world: &mut World,
    ours: Option<SignedHead>,
    ids: &[u64],
    options: Options,
) -> Report {
    let mut batch = batch(world, ours, ids, options);
    drive(&mut batch, world)
}

pub(super) fn proven(report: &Report) -> usize {
    report
        .records
        .iter()
        .filter(|(_, result)| result.is_ok())
        .count()
}

/// The tile that holds a record's leaf.
pub(super) fn tile_of(id: u64, size: u64) -> Tile {
    Tile::holding(
        Node {
            level: 0,
            index: id,
        },
        size,
    )
    .unwrap()
}

pub(super) fn bad_tile(log: &TestLog, tile: Tile, at: usize) -> Got {
    let mut bytes = log.tile(tile).unwrap();
    bytes[at] ^= 4;
    Got::Bytes(bytes)
}

#[test]
fn many_records_are_proven_under_one_head_and_each_tile_is_asked_for_once() {
    let mut world = World::new(log(3000));
    let ids: Vec<u64> = (0..300).map(|n| n * 7 % 2999).collect();
    for &id in &ids {
        world.old.insert(id, id + 1);
    }
    let report = run(&mut world, Some(log(1500).signed(1500)), &ids, LIVE);
    assert_eq!(proven(&report), 300);
    let mut tiles = world.tiles_asked();
    tiles.sort_unstable();
    let once = tiles.len();
    tiles.dedup();
    assert_eq!(once, tiles.len(), "each tile once");
    let calls = world
        .asked
        .iter()
        .filter(|request| request.resource == Resource::Latest)
        .count();
    assert_eq!(calls, 1);
    assert_eq!(report.keep, Some(world.log.signed(3000)));
    assert_eq!(report.ours, Some(Relation::Consistent));
    assert!(report.evidence.is_empty());
    assert_eq!(
        report.tiles.len(),
        tiles.len(),
        "what was asked for was authenticated"
    );
    for (wanted, result) in &report.records {
        let proven = result.as_ref().unwrap();
        assert_eq!(proven.tree().size, 3000);
        let keys = [world.log.verifier()];
        let under = SignedHead::open(proven.under.note(), &keys).unwrap();
        let again = Proven::from_kept(wanted, &proven.answer, under, proven.proof.clone());
        assert_eq!(
            again.as_ref(),
            Ok(proven),
            "what is kept proves itself again"
        );
    }
}

#[test]
fn all_tiles_are_needed_at_once() {
    let mut world = World::new(log(3000));
    let mut batch = batch(&world, None, &[5, 700, 2999], LIVE);
    let mut rounds = Vec::new();
    let mut answers = Vec::new();
    while let Step::Need(requests) = batch.next(std::mem::take(&mut answers)) {
        rounds.push(requests.len());
        for request in requests {
            let got = crate::tlog::client::Port::read(&mut world, &request);
            answers.push(Answer { request, got });
        }
    }
    assert_eq!(
        rounds,
        [4, 5 - 1],
        "look-ups and head, then three leaf tiles and their parent"
    );
}

#[test]
fn heads_that_were_not_compared_are_said_so_and_are_compared_when_wished() {
    let mut world = World::new(log(3000));
    world.old = BTreeMap::from([(10, 300), (20, 1111), (2999, 3000)]);
    let report = run(&mut world, None, &[10, 20, 2999], LIVE);
    assert_eq!(proven(&report), 3);
    let sizes: Vec<u64> = report
        .heads
        .iter()
        .map(|head| head.head.head().size)
        .collect();
    assert_eq!(sizes, [300, 1111]);
    assert_eq!(report.heads_not_checked(), 2);
    let eager = Options {
        check_heads: true,
        ..LIVE
    };
    let report = run(&mut world, None, &[10, 20, 2999], eager);
    assert_eq!((proven(&report), report.heads_not_checked()), (3, 0));
}

#[test]
fn replayed_older_heads_do_not_take_ours_back() {
    let mut world = World::new(log(900));
    let ours = world.log.signed(900);
    world.size = 700;
    let report = run(&mut world, Some(ours.clone()), &[3], LIVE);
    assert_eq!(report.newest.as_ref(), Some(&ours));
    assert_eq!(report.keep.as_ref(), Some(&ours), "ours stays");
    assert_eq!(report.latest.clone().unwrap().unwrap().size, 700);
    assert!(
        report.evidence.is_empty(),
        "an old genuine head is no finding"
    );
}

#[test]
fn ours_does_not_move_without_a_proof_of_consistency() {
    let mut world = World::new(log(1000));
    let ours = world.log.signed(300);
    world.lies.insert(
        Resource::Tile(tile_of(299, 1000)),
        Got::Unavailable("down".to_owned()),
    );
    let report = run(&mut world, Some(ours), &[900], LIVE);
    assert_eq!(proven(&report), 1);
    assert_eq!(report.ours, Some(Relation::NotChecked));
    assert_eq!(report.keep, None);
}

#[test]
fn claimed_heads_are_compared_and_never_believed() {
    let mut world = World::new(log(1000));
    let stranger = world.log.clone().with_key(99);
    let claimed = vec![
        ("stored".to_owned(), world.log.note(400)),
        (
            "foreign".to_owned(),
            stranger.note(5000.min(stranger.size())),
        ),
        ("torn".to_owned(), vec![0; 80]),
    ];
    let keys = vec![world.log.verifier()];
    let mut batch = Batch::new(keys, None, claimed, vec![wanted(1)], LIVE);
    let report = drive(&mut batch, &mut world);
    let [stored, foreign, torn] = report.claimed.as_slice() else {
        panic!()
    };
    assert_eq!(
        stored.status.as_ref().unwrap().relation,
        Relation::Consistent
    );
    assert!(matches!(foreign.status, Err(Error::Forged(_))));
    assert!(
        matches!(torn.status, Err(Error::Malformed { .. })),
        "torn is not forged"
    );
    assert_eq!(report.evidence.len(), 1);
    assert_eq!(report.newest.unwrap().head().size, 1000);
}

/// Two histories of one key; ours and the world's differ from record 600 on.
fn forked() -> (TestLog, World) {
    let ours = log(1000);
    let mut theirs = ours.forked_at(600, 2);
    theirs.grow(2, 50);
    (ours, World::new(theirs))
}

#[test]
fn two_signed_heads_that_do_not_fit_are_a_fork_with_evidence_that_stands_alone() {
    for size in [1000, 768, 601, 700] {
        let (ours, mut world) = forked();
        let report = run(&mut world, Some(ours.signed(size)), &[5, 1001], LIVE);
        assert_eq!(report.keep, None);
        assert!(matches!(report.ours, Some(Relation::Forked(_))));
        for (_, result) in &report.records {
            assert!(
                matches!(result, Err(Error::Forked(_))),
                "nothing of such a log is believed"
            );
        }
        let [Error::Forked(evidence)] = report.evidence.as_slice() else {
            panic!()
        };
        assert_eq!(evidence.older().note(), ours.note(size));
        assert_eq!(evidence.newer().note(), world.log.note(1050));
        let keys = [ours.verifier()];
        let verify = |older: &[u8], newer: &[u8], root: Hash, proof: &[Hash]| {
            ForkEvidence::verify(older, newer, root, proof.to_vec(), &keys)
        };
        let (older, newer) = (evidence.older().note(), evidence.newer().note());
        let (root, proof) = (evidence.prefix_root(), evidence.proof());
        assert_eq!(verify(older, newer, root, proof).as_ref(), Ok(&**evidence));
        // It shows nothing once any part of it is another.
        assert!(verify(&world.log.note(size), newer, root, proof).is_err());
        assert!(verify(older, &ours.note(1000), root, proof).is_err());
        assert!(verify(older, newer, evidence.older().head().root, proof).is_err());
        assert!(verify(older, newer, root, &proof[1..]).is_err());
        let text = evidence.text();
        assert!(text.contains(str::from_utf8(older).unwrap()));
        assert!(text.contains(str::from_utf8(newer).unwrap()));
        assert!(proof.iter().all(|hash| text.contains(&hash.to_string())));
    }
}

#[test]
fn a_fork_at_the_same_size_needs_no_proof() {
    let ours = log(1000);
    let mut world = World::new(ours.forked_at(999, 2));
    let report = run(&mut world, Some(ours.signed(1000)), &[5], LIVE);
    // Of two roots for one size the served tiles fit at most one, so they may be accused besides.
    let evidence = report.evidence.iter().find_map(|error| match error {
        Error::Forked(evidence) => Some(evidence),
        _ => None,
    });
    let evidence = evidence.unwrap();
    assert_eq!(report.keep, None);
    let (older, newer) = (evidence.older().note(), evidence.newer().note());
    let keys = [ours.verifier()];
    assert!(ForkEvidence::verify(older, newer, evidence.prefix_root(), Vec::new(), &keys).is_ok());
}

#[test]
fn a_look_up_with_a_forked_head_is_evidence_and_is_not_believed() {
    let (ours, mut world) = forked();
    let resource = Resource::Lookup(wanted(5));
    world
        .lies
        .insert(resource, Got::Bytes(ours.answer(5, 1000)));
    let eager = Options {
        check_heads: true,
        ..LIVE
    };
    let report = run(&mut world, None, &[5, 6], eager);
    assert!(matches!(report.records[0].1, Err(Error::Forked(_))));
    assert!(report.records[1].1.is_ok());
    assert_eq!((report.evidence.len(), report.keep), (1, None));
}

#[test]
fn a_record_beyond_every_known_tree_is_unverifiable() {
    let mut world = World::new(log(1000));
    let text = world.log.record(5).to_owned();
    let beyond = [format!("1000\n{text}\n").into_bytes(), world.log.note(1000)].concat();
    world
        .lies
        .insert(Resource::Lookup(wanted(5)), Got::Bytes(beyond));
    let report = run(&mut world, None, &[5], LIVE);
    let reason = Reason::BeyondTree {
        id: 1000,
        size: 1000,
    };
    assert_eq!(report.records[0].1, Err(Error::Unverifiable(reason)));
}

#[test]
fn what_the_log_does_not_know_has_no_record() {
    let mut world = World::new(log(10));
    let report = run(&mut world, None, &[3, 10], LIVE);
    assert!(report.records[0].1.is_ok());
    assert_eq!(
        report.records[1].1,
        Err(Error::Unverifiable(Reason::NoRecord))
    );
    world.online = false;
    let report = run(&mut world, None, &[3], LIVE);
    let offline = Reason::Unavailable("offline".to_owned());
    assert_eq!(report.records[0].1, Err(Error::Unverifiable(offline)));
    assert_eq!(report.keep, None);
}

#[test]
fn offline_a_cache_proves_itself_under_the_heads_that_it_holds() {
    let mut world = World::new(log(3000));
    // Two visits of a tool, at two sizes of the log, left look-ups and tiles behind.
    for (id, size) in [(100, 1200), (2500, 2900)] {
        world.size = size;
        let report = run(&mut world, None, &[id], LIVE);
        assert_eq!(proven(&report), 1);
        world.old.insert(id, size);
        world.keep(Resource::Lookup(wanted(id)));
        for (tile, bytes) in report.tiles {
            world.cache.insert(Resource::Tile(tile), Got::Bytes(bytes));
        }
    }
    // A third look-up lies there without its tile.
    world.old.insert(1000, 1200);
    world.keep(Resource::Lookup(wanted(1000)));
    world.online = false;
    world.asked.clear();
    let report = run(&mut world, None, &[100, 1000, 2500], OFFLINE);
    let sizes: Vec<Option<u64>> = report
        .records
        .iter()
        .map(|(_, result)| result.as_ref().ok().map(|proven| proven.tree().size))
        .collect();
    assert_eq!(
        sizes,
        [Some(2900), None, Some(2900)],
        "full tiles serve the newer head too"
    );
    assert!(matches!(report.records[1].1, Err(Error::Unverifiable(_))));
    // Without the newer visit's tiles the older head still proves what it covers.
    world.cache.retain(|resource, _| match resource {
        Resource::Tile(tile) => !Tile::edge(2900).contains(tile),
        _ => true,
    });
    let report = run(&mut world, None, &[100, 2500], OFFLINE);
    assert_eq!(report.records[0].1.as_ref().unwrap().tree().size, 1200);
    assert!(report.records[1].1.is_err());
    assert_eq!(report.heads_not_checked(), 1);
}

#[test]
fn answers_that_were_not_asked_for_change_nothing() {
    let mut world = World::new(log(1000));
    let mut batch = batch(&world, None, &[5], LIVE);
    let tile = tile_of(5, 1000);
    let request = Request {
        resource: Resource::Tile(tile),
        fresh: false,
    };
    let planted = Answer {
        request,
        got: bad_tile(&world.log, tile, 1),
    };
    let Step::Need(first) = batch.next(vec![planted]) else {
        panic!()
    };
    assert_eq!(first.len(), 2);
    let report = drive(&mut batch, &mut world);
    // The two first requests went unanswered, which is a failure and not an endless loop.
    assert!(matches!(
        report.records[0].1,
        Err(Error::Unverifiable(Reason::Unavailable(_)))
    ));
    assert!(report.evidence.is_empty());
}

#[test]
fn a_record_wanted_twice_is_asked_for_once() {
    let mut world = World::new(log(10));
    let report = run(&mut world, None, &[3, 3, 4], LIVE);
    assert_eq!((report.records.len(), proven(&report)), (2, 2));
}

#[test]
fn a_partial_tile_that_is_gone_is_read_from_the_full_one() {
    let mut world = World::new(log(2000));
    let ours = world.log.signed(900);
    world.size = 900;
    let [edge, _] = Tile::edge(900)[..] else {
        panic!()
    };
    world.lies.insert(Resource::Tile(edge), Got::Absent);
    // The log has grown since and serves the full tile only.
    world.lies.insert(
        Resource::Tile(edge.full()),
        Got::Bytes(world.log.tile(edge.full()).unwrap()),
    );
    let report = run(&mut world, Some(ours), &[10, 899], LIVE);
    assert_eq!(proven(&report), 2);
    assert_eq!(
        report.tiles[&edge].len(),
        32 * usize::from(edge.width()),
        "only what was proven"
    );
    assert!(!report.tiles.contains_key(&edge.full()));
}
