//! The log data that a cache holds: forged records and tiles are found offline, with nothing but the log's key.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::World;

fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_flipped_bit_in_any_cached_tile_is_found() {
    let world = World::built();
    let tiles = files(&world.at(&world.log_file("tile")));
    assert!(tiles.len() > 1, "{tiles:?}");
    for tile in tiles {
        let good = fs::read(&tile).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 0x10;
        fs::write(&tile, &bad).unwrap();
        world.forget_state();
        world
            .scan(&["--offline"])
            .finds(&["log-tile-forged"], "tile");
        world.scan(&[]).finds(&["log-tile-forged"], "tile");
        fs::write(&tile, &good).unwrap();
    }
    world.forget_state();
    world.scan(&["--offline"]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn records_that_are_not_in_the_log_are_found() {
    let world = World::built();
    let lookup = world.at(&world.log_file("lookup/registry.example/!greet@v1.0.0"));
    let good = fs::read_to_string(&lookup).unwrap();
    let other =
        fs::read_to_string(world.at(&world.log_file("lookup/registry.example/words/v2@v2.1.0")))
            .unwrap();
    let line = good.lines().nth(1).unwrap();
    let after = line.replacen("h1:", "h1:AA", 1);
    let forgeries = [
        ("another record", other),
        ("another hash", good.replacen("h1:", "h1:AAAA", 1)),
        (
            "hash lines after the record",
            good.replacen("\n\n", &format!("\n\n{after}\n"), 1),
        ),
        ("another number", good.replacen("300\n", "7\n", 1)),
    ];
    for (what, forged) in forgeries {
        assert_ne!(forged, good, "{what}");
        fs::write(&lookup, forged).unwrap();
        world.forget_state();
        let offline = world.scan(&["--offline"]);
        if what == "another number" {
            // What stands under that number is in no cached tile, so no signed head contradicts it: not proven is all
            // that can be said offline.
            offline.is_no_alarm().exits(3);
        } else {
            offline.finds(&["log-record-forged"], "!greet@v1.0.0");
        }
        world.forget_state();
        let online = world.scan(&[]);
        online.finds(&["log-record-forged"], "!greet@v1.0.0");
        assert_eq!(
            online.count("tainted"),
            1,
            "the record alone, since the log itself was asked: {}",
            online.story()
        );
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_note_of_another_signer_is_found() {
    let world = World::built();
    let lookup = world.at(&world.log_file("lookup/registry.example/!greet@v1.0.0"));
    let good = fs::read_to_string(&lookup).unwrap();
    let (text, signature) = good.rsplit_once(' ').unwrap();
    let flipped: String = signature
        .chars()
        .enumerate()
        .map(|(at, c)| match (at, c) {
            (20, 'A') => 'B',
            (20, _) => 'A',
            (_, c) => c,
        })
        .collect();
    fs::write(&lookup, format!("{text} {flipped}")).unwrap();
    world.forget_state();
    world
        .scan(&["--offline"])
        .finds(&["log-record-forged"], "!greet@v1.0.0");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_half_written_tile_is_no_forgery() {
    let world = World::built();
    let tile = files(&world.at(&world.log_file("tile"))).remove(0);
    let bytes = fs::read(&tile).unwrap();
    fs::write(&tile, &bytes[..bytes.len() / 2 + 3]).unwrap();
    world.scan(&["--offline"]).is_no_alarm().exits(3);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn two_histories_of_one_log_are_found() {
    let world = World::built();
    world.scan(&[]).is_clean();
    // The log denies a record that it had signed.
    world.proxy.served.lock().unwrap().log.records[3] = "changed.example v1 h1:x\n".to_owned();
    world
        .proxy
        .served
        .lock()
        .unwrap()
        .log
        .add("late.example/m", "v1.0.0", "h1:x", "h1:y");
    fs::remove_dir_all(world.at(&world.cached("cache/download/sumdb"))).unwrap();
    let unknown = crate::module::Module::new("registry.example/new", "v0.1.0");
    let at = world.cached("cache/download/registry.example/new/@v/v0.1.0");
    world.write(&format!("{at}.mod"), unknown.go_mod());
    world
        .call(&["--caches"], &[])
        .finds(&["log-forked"], "histories");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_forged_record_is_found_where_the_proof_was_kept_and_no_tile_is_left() {
    let world = World::downloaded();
    let records = |scan: &crate::report::Scan| scan.count("verified");
    let clean = world.scan(&[]);
    clean.is_clean();
    // Both records and the tiles that prove them are subjects of their own.
    fs::remove_dir_all(world.at(&world.log_file("tile"))).unwrap();
    let without_tiles = world.scan(&["--offline"]);
    without_tiles.is_clean();
    assert!(records(&without_tiles) < records(&clean));
    let lookup = world.at(&world.log_file("lookup/registry.example/!greet@v1.0.0"));
    let good = fs::read_to_string(&lookup).unwrap();
    fs::write(&lookup, good.replacen("h1:", "h1:AAAA", 1)).unwrap();
    let scan = world.scan(&["--offline"]);
    scan.finds(&["log-record-forged"], "!greet@v1.0.0");
    assert_eq!(scan.count("tainted"), 1, "{}", scan.story());
}
