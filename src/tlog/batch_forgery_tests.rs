//! Batches that meet forged and torn tiles and records, in caches and from the log itself.

use super::tests::{LIVE, OFFLINE, bad_tile, log, proven, run, tile_of};
use super::*;
use crate::tlog::client::Got;
use crate::tlog::error::{Forgery, RecordForgery};
use crate::tlog::testlog::{World, wanted};

#[test]
fn a_forged_cached_tile_is_evidence_and_is_replaced() {
    for at in [0, 4000, 8191] {
        let mut world = World::new(log(1000));
        let tile = tile_of(300, 1000);
        world
            .cache
            .insert(Resource::Tile(tile), bad_tile(&world.log, tile, at));
        let report = run(&mut world, None, &[300, 900], LIVE);
        assert_eq!(proven(&report), 2);
        let [Error::Forged(forgery)] = report.evidence.as_slice() else {
            panic!()
        };
        assert!(matches!(&**forgery, Forgery::Tile { tile: named, .. } if *named == tile));
        assert_eq!(
            report.tiles[&tile],
            world.log.tile(tile).unwrap(),
            "the genuine one is kept"
        );
        let asked: Vec<bool> = world
            .asked
            .iter()
            .filter(|request| request.resource == Resource::Tile(tile))
            .map(|request| request.fresh)
            .collect();
        assert_eq!(asked, [false, true]);
    }
}

#[test]
fn a_forged_tile_at_the_edge_is_named_once_the_genuine_one_is_there() {
    let mut world = World::new(log(1000));
    let [low, high] = Tile::edge(1000)[..] else {
        panic!()
    };
    for tile in [low, high] {
        world.keep(Resource::Tile(tile));
    }
    world
        .cache
        .insert(Resource::Tile(high), bad_tile(&world.log, high, 40));
    let report = run(&mut world, None, &[1], LIVE);
    assert_eq!(proven(&report), 1);
    let [Error::Forged(forgery)] = report.evidence.as_slice() else {
        panic!()
    };
    let Forgery::Edge { tiles, .. } = &**forgery else {
        panic!()
    };
    assert_eq!(
        tiles.iter().map(|(tile, _)| *tile).collect::<Vec<_>>(),
        [high]
    );
}

#[test]
fn a_tile_forged_for_good_proves_nothing_and_is_not_kept() {
    let mut world = World::new(log(1000));
    let tile = tile_of(300, 1000);
    world
        .lies
        .insert(Resource::Tile(tile), bad_tile(&world.log, tile, 9));
    let report = run(&mut world, None, &[300, 900], LIVE);
    assert!(matches!(report.records[0].1, Err(Error::Forged(_))));
    assert!(report.records[1].1.is_ok());
    assert!(!report.tiles.contains_key(&tile));
    assert_eq!(report.evidence.len(), 1);
}

#[test]
fn a_torn_tile_is_replaced_and_is_no_evidence() {
    let mut world = World::new(log(1000));
    let tile = tile_of(300, 1000);
    let half = world.log.tile(tile).unwrap()[..4096].to_vec();
    for torn in [half, vec![0; 5], Vec::new()] {
        world.cache.insert(Resource::Tile(tile), Got::Bytes(torn));
        let report = run(&mut world, None, &[300], LIVE);
        assert_eq!((proven(&report), report.evidence.len()), (1, 0));
        world.online = false;
        world.keep(Resource::Lookup(wanted(300)));
        for edge in Tile::edge(1000) {
            world.keep(Resource::Tile(edge));
        }
        let report = run(&mut world, None, &[300], OFFLINE);
        assert!(matches!(report.records[0].1, Err(Error::Malformed { .. })));
        world.online = true;
    }
}

#[test]
fn a_forged_cached_record_is_evidence_and_is_replaced() {
    let mut world = World::new(log(1000));
    let resource = Resource::Lookup(wanted(77));
    let genuine = world.log.record(77).to_owned();
    let planted = world
        .log
        .record(78)
        .rsplit_once(' ')
        .unwrap()
        .1
        .trim_end()
        .to_owned();
    let digest = genuine
        .split(' ')
        .nth(2)
        .unwrap()
        .split('\n')
        .next()
        .unwrap();
    let forged = format!("77\n{}\n", genuine.replace(digest, &planted)).into_bytes();
    let forged = [forged, world.log.note(1000)].concat();
    world
        .cache
        .insert(resource.clone(), Got::Bytes(forged.clone()));
    let report = run(&mut world, None, &[77], LIVE);
    assert!(report.records[0].1.is_ok());
    let [Error::Forged(forgery)] = report.evidence.as_slice() else {
        panic!()
    };
    let Forgery::Record { why, answer, .. } = &**forgery else {
        panic!()
    };
    assert_eq!((*why, answer), (RecordForgery::NotInTree, &forged));
    // And where no other answer is to be had, it stays forged.
    world.lies.insert(resource, Got::Bytes(forged));
    let report = run(&mut world, None, &[77], LIVE);
    assert!(matches!(report.records[0].1, Err(Error::Forged(_))));
    assert_eq!(report.evidence.len(), 1);
}

#[test]
fn go_2026_4984_the_genuine_record_of_another_module_is_not_an_answer() {
    let mut world = World::new(log(1000));
    let other = Got::Bytes(world.log.answer(78, 1000));
    world.lies.insert(Resource::Lookup(wanted(77)), other);
    let report = run(&mut world, None, &[77, 78], LIVE);
    let Err(Error::Forged(forgery)) = &report.records[0].1 else {
        panic!()
    };
    assert!(matches!(
        **forgery,
        Forgery::Record {
            why: RecordForgery::WithoutLine,
            ..
        }
    ));
    assert!(report.records[1].1.is_ok());
}

#[test]
fn heads_signed_by_another_key_are_evidence_and_prove_nothing() {
    let mut world = World::new(log(1000));
    let stranger = world.log.clone().with_key(9);
    world
        .lies
        .insert(Resource::Latest, Got::Bytes(stranger.note(1000)));
    world.old.insert(3, 900);
    let foreign = Got::Bytes(stranger.answer(4, 999));
    world.lies.insert(Resource::Lookup(wanted(4)), foreign);
    let report = run(&mut world, None, &[3, 4], LIVE);
    assert_eq!(report.newest.map(|head| head.head().size), Some(900));
    assert!(
        report.records[0].1.is_ok(),
        "what the true key signed is still proven"
    );
    let Err(Error::Forged(forgery)) = &report.records[1].1 else {
        panic!()
    };
    assert!(matches!(**forgery, Forgery::Note { .. }));
    assert!(matches!(report.latest, Some(Err(Error::Forged(_)))));
    assert_eq!(report.evidence.len(), 2);
}

#[test]
fn a_note_moved_from_one_answer_to_another_proves_only_its_own_tree() {
    let mut world = World::new(log(1000));
    // A genuine record with a genuine, older head under which it does not exist yet.
    let text = world.log.record(800).to_owned();
    let moved = [format!("800\n{text}\n").into_bytes(), world.log.note(500)].concat();
    world
        .lies
        .insert(Resource::Lookup(wanted(800)), Got::Bytes(moved));
    world
        .lies
        .insert(Resource::Latest, Got::Unavailable("down".to_owned()));
    let report = run(&mut world, None, &[800], LIVE);
    let beyond = Reason::BeyondTree { id: 800, size: 500 };
    assert_eq!(report.records[0].1, Err(Error::Unverifiable(beyond)));
    // Under a head that covers it, it is what it is.
    world.lies.remove(&Resource::Latest);
    let report = run(&mut world, None, &[800], LIVE);
    assert!(report.records[0].1.is_ok());
}

#[test]
fn every_flipped_byte_of_a_cached_answer_is_noticed_or_changes_nothing() {
    let mut world = World::new(log(40));
    let resource = Resource::Lookup(wanted(17));
    let answer = world.log.answer(17, 40);
    let honest = run(&mut world, None, &[17], LIVE).records[0]
        .1
        .clone()
        .unwrap();
    for at in 0..answer.len() {
        let mut bad = answer.clone();
        bad[at] ^= 1 << (at % 8);
        world.cache.insert(resource.clone(), Got::Bytes(bad));
        world.asked.clear();
        let report = run(&mut world, None, &[17], LIVE);
        let proven = report.records[0].1.as_ref().unwrap();
        assert_eq!(
            (proven.zip, proven.go_mod),
            (honest.zip, honest.go_mod),
            "byte {at}"
        );
        let again = world
            .asked
            .iter()
            .filter(|request| request.resource == resource);
        assert_eq!(again.count(), 2, "byte {at} went unnoticed");
    }
}
