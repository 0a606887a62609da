//! Tests of [`super`].

use super::super::{
    ranges::{AffectedRange, Event},
    record::{Import, Kind},
};
use super::*;
use proptest::prelude::*;

fn meta() -> FeedMeta {
    FeedMeta {
        name: "feed".to_owned(),
        ecosystem: "go".to_owned(),
        records: 3,
        updated: Some(1),
        confirmed: None,
        origin: FeedOrigin::Snapshot,
    }
}

fn record(id: &str, package: &str) -> AdvisoryRecord {
    AdvisoryRecord {
        id: id.to_owned(),
        aliases: vec![
            "CVE-2024-00012".into(),
            "CVE-2024-1234567".into(),
            "GHSA-23cf-x999-qwrv".into(),
            "GHSA-odd".into(),
        ],
        package: package.to_owned(),
        kind: Kind::Unsound,
        ranges: vec![AffectedRange {
            events: vec![
                Event::Introduced("0".into()),
                Event::Fixed("1.0.0".into()),
                Event::Introduced("2.0.0".into()),
                Event::LastAffected("2.1.0".into()),
                Event::Limit("3.0.0".into()),
            ],
        }],
        versions: vec!["1.5.0".into()],
        vectors: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()],
        label: Some("HIGH".into()),
        imports: vec![
            Import {
                path: format!("{package}/sub"),
                symbols: vec!["A".into(), "B.c".into()],
            },
            Import {
                path: "elsewhere".into(),
                symbols: vec![],
            },
        ],
        published: Some(19_000),
        modified: None,
        withdrawn: Some(0),
        link: Some("https://advisories.example/1".into()),
    }
}

fn sample() -> Vec<AdvisoryRecord> {
    vec![
        record("X-1", "example.test/b"),
        record("X-2", "example.test/a"),
        // One advisory on two packages.
        record("X-1", "example.test/c"),
        AdvisoryRecord {
            link: Some("https://osv.dev/vulnerability/X-3".into()),
            ..record("X-3", "example.test/b")
        },
        AdvisoryRecord {
            id: "X-4".into(),
            package: "example.test/b".into(),
            ..AdvisoryRecord::default()
        },
    ]
}

#[test]
fn what_is_written_is_found_again() {
    let records = sample();
    let db = AdvisoryDb::open(compile(&meta(), &records).unwrap()).unwrap();
    assert_eq!(db.meta(), &meta());
    assert_eq!(db.lookup("example.test/a").unwrap(), [records[1].clone()]);
    assert_eq!(
        db.lookup("example.test/b").unwrap(),
        [records[0].clone(), records[3].clone(), records[4].clone()]
    );
    assert_eq!(db.lookup("example.test/c").unwrap(), [records[2].clone()]);
    for absent in ["", "example.test", "example.test/aa", "zzz"] {
        assert_eq!(db.lookup(absent).unwrap(), []);
    }
    assert_eq!(db.records().unwrap().len(), records.len());
    assert_eq!(
        db.find("X-1").unwrap(),
        [records[0].clone(), records[2].clone()]
    );
    assert_eq!(db.find("GHSA-odd").unwrap().len(), 4);
    assert_eq!(db.find("X").unwrap(), []);
    assert_eq!(db.confirmed_at(Some(9)).meta().confirmed, Some(9));
}

#[test]
fn the_order_of_the_input_does_not_show() {
    let mut records = sample();
    let first = compile(&meta(), &records).unwrap();
    for _ in 0..records.len() {
        records.rotate_left(1);
        assert_eq!(compile(&meta(), &records).unwrap(), first);
    }
    records.reverse();
    records.push(records[0].clone());
    assert_eq!(compile(&meta(), &records).unwrap(), first);
}

#[test]
fn an_empty_feed_opens() {
    let db = AdvisoryDb::open(compile(&meta(), &[]).unwrap()).unwrap();
    assert_eq!(db.lookup("a").unwrap(), []);
}

#[test]
fn damage_is_seen() {
    let whole = compile(&meta(), &sample()).unwrap();
    for at in 0..whole.len() {
        let mut bad = whole.clone();
        bad[at] ^= 0x20;
        assert!(AdvisoryDb::open(bad).is_err(), "byte {at}");
        assert!(
            AdvisoryDb::open(whole[..at].to_vec()).is_err(),
            "cut at {at}"
        );
    }
    let mut long = whole.clone();
    long.push(0);
    assert!(AdvisoryDb::open(long).is_err());
}

/// Whoever writes the file can make the hash fit: reading must hold all the same.
fn rehash(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len().saturating_sub(TRAILER);
    bytes.truncate(body);
    let hash = Sha256::digest(&bytes);
    bytes.extend_from_slice(&hash);
    bytes
}

fn exercise(bytes: Vec<u8>) {
    if let Ok(db) = AdvisoryDb::open(bytes) {
        let _ = db.records();
        let _ = db.lookup("example.test/b");
    }
}

#[test]
fn every_forged_byte_is_survived() {
    let whole = compile(&meta(), &sample()).unwrap();
    for at in 0..whole.len() - TRAILER {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bad = whole.clone();
            bad[at] = value;
            exercise(rehash(bad));
        }
    }
}

#[test]
fn names_out_of_order_are_refused() {
    let whole = compile(&meta(), &sample()).unwrap();
    let mut bad = whole.clone();
    // `example.test/a` becomes `example.test/z`, behind its successor.
    let at = whole
        .windows(14)
        .position(|w| w == b"example.test/a")
        .unwrap();
    bad[at + 13] = b'z';
    assert_eq!(
        AdvisoryDb::open(rehash(bad)).err(),
        Some(IndexError::Damaged("order of names"))
    );
}

proptest! {
    #[test]
    fn forged_bytes_are_survived(edits in proptest::collection::vec((0_usize..2000, any::<u8>()), 1..6)) {
        let mut bytes = compile(&meta(), &sample()).unwrap();
        for (at, value) in edits {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        exercise(rehash(bytes));
    }

    #[test]
    fn ids_of_every_shape_come_back(id in r"(CVE-[0-9]{1,5}-[0-9]{1,12}|GHSA(-[2-9a-z]{2,5}){2,4}|[A-Z]{2,4}-.{0,9})") {
        let record = AdvisoryRecord { id, package: "p".into(), ..AdvisoryRecord::default() };
        let db = AdvisoryDb::open(compile(&meta(), std::slice::from_ref(&record)).unwrap()).unwrap();
        prop_assert_eq!(db.lookup("p").unwrap(), vec![record]);
    }
}
