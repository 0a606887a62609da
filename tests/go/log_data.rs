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
fn tiles_of_older_heads_are_subjects_and_are_reached() {
    let world = World::downloaded();
    let first = world.scan(&["--offline"]);
    first.is_clean();
    let old = files(&world.at(&world.log_file("tile")));
    // The log grows, and go asks under the new head: the old partial tiles stay.
    for n in 0..40 {
        let module = crate::module::Module::new(&format!("registry.example/late{n}"), "v1.0.0");
        world.proxy.publish(module.file("m.go", "package m\n"));
    }
    world.go(&["mod", "download", "registry.example/late7@v1.0.0"]);
    let all = files(&world.at(&world.log_file("tile")));
    assert!(all.len() > old.len(), "{all:?}");
    world.forget_state();
    let grown = world.scan(&["--offline"]);
    grown.is_clean();
    assert_eq!(
        grown.count("verified"),
        first.count("verified") + (all.len() - old.len()) as u64 + 1,
        "each tile and the new look-up: {}",
        grown.story()
    );
    for tile in &old {
        let good = fs::read(tile).unwrap();
        let mut bad = good.clone();
        bad[5] ^= 2;
        fs::write(tile, &bad).unwrap();
        let rel = tile.strip_prefix(world.at(&world.log_file(""))).unwrap();
        let scan = world.scan(&["--offline"]);
        scan.finds(&["log-tile-forged"], rel.to_str().unwrap());
        fs::write(tile, &good).unwrap();
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_no_head_leads_to_is_named_and_stops_nothing() {
    let world = World::downloaded();
    let clean = world.scan(&["--offline"]);
    for (path, named) in [
        ("tile/8/0/x009/999", true),
        ("tile/8/0/000.p/256", true),
        ("tile/8/0/000.p/0", true),
        ("tile/8/0/000.p/257", true),
        ("tile/9/0/000", true),
        ("lookup/registry.example/nobody@v1.0.0", true),
        ("lookup/registry.example/Upper@v1.0.0", true),
        ("lookup/registry.example/empty@v1.0.0", false),
    ] {
        let content = match path {
            _ if !named => Vec::new(),
            path if path.starts_with("tile") => vec![7; 8192],
            _ => b"99999999999999999999\nx y h1:z\n\nnote\n".to_vec(),
        };
        world.write(&world.log_file(path), content);
        let scan = world.scan(&["--offline", "-o", "checks=checks.ndjson"]);
        let checks = fs::read_to_string(world.at("checks.ndjson")).unwrap();
        assert_eq!(checks.contains(path), named, "{path}\n{}", scan.story());
        if path.ends_with("nobody@v1.0.0") {
            scan.is_no_alarm().exits(3);
            assert!(scan.names(path), "{}", scan.story());
        } else {
            scan.is_clean();
        }
        assert_eq!(scan.count("verified"), clean.count("verified"), "{path}");
        fs::remove_file(world.at(&world.log_file(path))).unwrap();
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn links_and_pipes_among_log_data_are_not_followed() {
    let world = World::downloaded();
    let tile = files(&world.at(&world.log_file("tile"))).remove(0);
    let good = fs::read(&tile).unwrap();
    fs::remove_file(&tile).unwrap();
    world.write("elsewhere", &good);
    std::os::unix::fs::symlink(world.at("elsewhere"), &tile).unwrap();
    world.scan(&["--offline"]).finds(&["link-escape"], "sumdb");
    fs::remove_file(&tile).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&tile).status();
    assert!(made.unwrap().success());
    world.scan(&["--offline"]).is_no_alarm().exits(3);
    fs::remove_file(&tile).unwrap();
    fs::write(&tile, vec![0; good.len()]).unwrap();
    world.scan(&["--offline"]).is_no_alarm().exits(3);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_head_that_go_keeps_is_checked_and_never_becomes_ours() {
    let world = World::downloaded();
    let head = "home/go/pkg/sumdb/log.registry.example/latest";
    let good = fs::read_to_string(world.at(head)).unwrap();
    world.scan(&["--offline"]).is_clean();
    world.write(head, good.replacen("tree\n3", "tree\n4", 1));
    for scan in world.scans() {
        scan.finds(&["log-record-forged"], "latest");
        assert_eq!(scan.count("tainted"), 1, "{}", scan.story());
    }
    world.write(head, "no note");
    world.scan(&["--offline"]).is_no_alarm().exits(3);
    // Signed by the log's own key, of another history, and larger than anything else: evidence, and not kept as ours.
    world.write(head, &good);
    world.forget_state();
    let lie = {
        let mut served = world.proxy.served.lock().unwrap();
        let records = served.log.records.clone();
        served.log.records[3] = "changed.example v1 h1:x\n".to_owned();
        let lie = served.log.latest();
        served.log.records = records;
        lie
    };
    world.write(head, &lie);
    let scan = world.scan(&[]);
    scan.finds(&["log-forked"], "histories");
    stands_alone(&world, &scan, &lie);
    world.write(head, &good);
    world.scan(&[]).is_clean();
}

/// Verifies the evidence of a fork from the report alone, with nothing but the log's key.
fn stands_alone(world: &World, scan: &crate::report::Scan, lie: &str) {
    use untaint::tlog::{ForkEvidence, Hash, VerifierKey};
    let findings = scan.report["findings"].as_array().unwrap();
    let fork = findings.iter().find(|f| f["code"] == "log-forked").unwrap();
    let text = fork["message"].as_str().unwrap().replace("\\u{a}", "\n");
    let mut parts = text.split("records:\n\n").skip(1);
    let note = |part: &str, end: &str| part.split_once(end).unwrap().0.to_owned();
    let older = note(parts.next().unwrap(), "\nsigned head of");
    let rest = parts.next().unwrap();
    let newer = note(rest, "\nthe first ");
    assert!(older == lie || newer == lie, "{text}");
    let mut hashes = rest.lines().filter_map(Hash::from_base64).skip(1);
    let prefix = hashes.next().unwrap();
    let key = world.proxy.served.lock().unwrap().log.verifier();
    let keys = [VerifierKey::parse(&key).unwrap()];
    let (older, newer) = (older.as_bytes(), newer.as_bytes());
    ForkEvidence::verify(older, newer, prefix, hashes.collect(), &keys).unwrap();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_is_proven_without_the_log_says_so_and_of_when() {
    let world = World::downloaded();
    let told = |scan: &crate::report::Scan, text: &str| {
        let notices = scan.report["notices"].as_array().unwrap();
        let said = |n: &&serde_json::Value| n["message"].as_str().unwrap().contains(text);
        assert_eq!(
            notices.iter().filter(said).count(),
            1,
            "{text}: {notices:#?}\n{}",
            scan.story()
        );
    };
    let today = jiff::Timestamp::now().strftime("%Y-").to_string();
    let cached = world.scan(&["--offline"]);
    cached.is_clean();
    told(
        &cached,
        &format!("log proof from cached tiles, head of {today}"),
    );
    told(&cached, "its file's own date");
    // Without memory it is the same.
    let isolated = world.scan(&["--offline", "--isolated", "--derived", "note"]);
    told(&isolated, "log proof from cached tiles, head of ");
    // Online nothing has to be said, and later the day of that is known.
    world.forget_state();
    let online = world.scan(&[]);
    assert_eq!(online.report["notices"].as_array().unwrap().len(), 0);
    let kept = world.scan(&["--offline"]);
    told(
        &kept,
        &format!("log proof kept from earlier runs, head of {today}"),
    );
    told(&kept, "first seen here then");
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
