//! Tests of [`super`].

use super::super::{
    matching::{Subject, matches},
    record::Kind,
};
use super::*;
use std::io::Write as _;

#[test]
fn the_list_the_catalogue_and_the_embedded_indexes_fit() {
    let sources = sources().unwrap();
    let mut embedded: Vec<String> = catalogue::feeds()
        .into_iter()
        .filter(|feed| feed.embedded)
        .map(|feed| feed.name)
        .collect();
    embedded.sort();
    let names: Vec<&str> = EMBEDDED.iter().map(|(name, _)| *name).collect();
    assert_eq!(embedded, names);
    assert_eq!(sources.len(), embedded.len());
    for source in sources {
        let db = open(&source.feed).unwrap().unwrap();
        let meta = db.meta();
        assert_eq!(meta.name, source.feed);
        assert_eq!(meta.origin, FeedOrigin::Snapshot);
        assert_eq!(meta.confirmed, seconds_of(&source.as_of));
        assert!(meta.confirmed.is_some() && meta.updated <= meta.confirmed);
        let records = db.records().unwrap();
        assert!(
            meta.records > 1000 && records.len() as u64 >= meta.records,
            "{}",
            source.feed
        );
        // Facts only: nothing that a person wrote is long and has spaces.
        for record in records {
            let texts = record
                .versions
                .iter()
                .chain(&record.vectors)
                .chain(record.label.as_ref());
            assert!(
                texts
                    .chain([&record.id])
                    .all(|text| text.len() < 200 && !text.contains("  "))
            );
        }
    }
    assert!(open("nobody").is_none());
    let size: usize = EMBEDDED.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(size < 1_500_000, "{size}");
}

#[test]
fn the_snapshot_knows_old_acquaintances() {
    let found = |feed: &str, package: &str, version: &str| {
        let db = open(feed).unwrap().unwrap();
        let order = catalogue::feeds()
            .into_iter()
            .find(|f| f.name == feed)
            .unwrap()
            .version_order();
        matches(
            &[&db],
            order,
            &[Subject {
                package,
                version,
                public: true,
            }],
        )
        .found
    };
    let time = found("rustsec", "time", "0.1.43");
    assert!(
        time.iter()
            .any(|m| m.id == "RUSTSEC-2020-0071" && m.score.is_some())
    );
    assert!(
        found("rustsec", "time", "0.3.47")
            .iter()
            .all(|m| m.id != "RUSTSEC-2020-0071")
    );
    assert!(
        found("rustsec", "finch-rust", "0.1.0")
            .iter()
            .any(|m| m.kind == Kind::Malicious)
    );
    assert!(!found("go-vulndb", "github.com/boltdb-go/bolt", "v1.3.1").is_empty());
    assert!(
        found("pypa", "pyyaml", "5.3")
            .iter()
            .any(|m| m.id.starts_with("PYSEC-"))
    );
    assert!(found("pypa", "pyyaml", "6.0").is_empty());
}

#[test]
fn our_records_and_the_snapshot_speak_of_the_same_packages() {
    let own = super::super::poisoned::Poisoned::embedded();
    let mut tied = 0;
    for feed in catalogue::feeds().into_iter().filter(|feed| feed.embedded) {
        let db = open(&feed.name).unwrap().unwrap();
        for record in own.db(&feed.ecosystem).unwrap().records().unwrap() {
            for alias in &record.aliases {
                let theirs = db.find(alias).unwrap();
                assert!(
                    theirs.iter().any(|r| r.package == record.package),
                    "{} {alias}",
                    record.id
                );
                tied += 1;
            }
        }
    }
    assert!(tied >= 4);
}

/// A zip of stored members, made by hand: what is needed and no more.
fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, text) in members {
        let crc = libdeflater::crc32(text.as_bytes());
        let offset = u32::try_from(out.len()).unwrap();
        let size = u32::try_from(text.len()).unwrap();
        let length = u16::try_from(name.len()).unwrap();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        for number in [crc, size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend(length.to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(text.as_bytes());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, size) = (
        u32::try_from(out.len()).unwrap(),
        u32::try_from(directory.len()).unwrap(),
    );
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend(count);
    out.extend(count);
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn source(feed: &str, file: &[u8]) -> Source {
    Source {
        feed: feed.to_owned(),
        file: "all.zip".to_owned(),
        sha256: Sha256::digest(file)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        as_of: "2024-05-06T00:00:00Z".to_owned(),
        from: "a test".to_owned(),
    }
}

const ONE: &str = r#"{"id":"PYSEC-1","modified":"2024-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"Some.Thing"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.5"}]}],"versions":["1.0","1.4","2.0","odd one"]}]}"#;
const TWO: &str = r#"{"id":"PYSEC-2","modified":"2030-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"other"},"versions":["1"]}]}"#;

#[test]
fn the_same_records_give_the_same_bytes() {
    let (forward, backward) = (
        zip(&[("1.json", ONE), ("2.json", TWO)]),
        zip(&[("2.json", TWO), ("1.json", ONE)]),
    );
    let first = build(&source("pypa", &forward), &forward).unwrap();
    assert_eq!(build(&source("pypa", &forward), &forward).unwrap(), first);
    assert_eq!(build(&source("pypa", &backward), &backward).unwrap(), first);
    let db = AdvisoryDb::open(first).unwrap();
    assert_eq!(db.meta().records, 2);
    // A record from after the date of the export does not make the export newer.
    assert_eq!(db.meta().updated, db.meta().confirmed);
    let thing = &db.lookup("some-thing").unwrap()[0];
    assert_eq!(thing.versions, ["2.0", "odd one"]);
}

#[test]
fn a_rustsec_archive_is_read_from_its_tar_gz() {
    let tar = include_bytes!("../../../fixtures/advisories/rustsec-selection.tar");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(tar).unwrap();
    let file = gzip.finish().unwrap();
    let db = AdvisoryDb::open(build(&source("rustsec", &file), &file).unwrap()).unwrap();
    assert_eq!(db.meta().records, 170);
    let cut = &file[..file.len() - 20];
    assert!(matches!(
        build(&source("rustsec", cut), cut),
        Err(SnapshotError::Archive { .. })
    ));
}

#[test]
fn what_does_not_fit_is_refused() {
    let file = zip(&[("1.json", ONE)]);
    let good = source("pypa", &file);
    assert!(build(&good, &file).is_ok());
    let refused = |change: fn(&mut Source)| {
        let mut source = good.clone();
        change(&mut source);
        build(&source, &file).unwrap_err()
    };
    assert!(matches!(
        refused(|s| s.sha256 = "0".repeat(64)),
        SnapshotError::OtherFile { .. }
    ));
    assert!(matches!(
        refused(|s| s.feed = "osv-npm".into()),
        SnapshotError::List(_)
    ));
    assert!(matches!(
        refused(|s| s.as_of = "May".into()),
        SnapshotError::List(_)
    ));
    let bad = zip(&[("1.json", ONE), ("2.json", "{")]);
    assert!(matches!(
        build(&source("pypa", &bad), &bad),
        Err(SnapshotError::Record { .. })
    ));
    assert!(matches!(
        build(&source("pypa", b"?"), b"?"),
        Err(SnapshotError::Archive { .. })
    ));
    assert!(sources_of("[[source]]\nfeed = \"x\"").is_err());
}
