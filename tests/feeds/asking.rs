//! What is asked about, and what is not.

use std::path::Path;
use std::sync::Arc;

use untaint::ecosystems::contract::{
    ArchiveFormat, ArchivePart, Binding, LockedPackage, LockedSource, Unit,
};
use untaint::model::{
    ArtifactId, Code, Coordinate, Digest, EcosystemId, Fingerprint, Origin, Place, Registry,
};
use untaint::pipeline::advise::poisoned::Poisoned;
use untaint::pipeline::feeds::{Shelf, indicators, matches};
use untaint::pipeline::flow::{Check, Inventory, Lock, Locked, PlacedUnit, Seen, Subject};

use super::data::{Machine, NEWER, ecosystem, osv, put, record, zip};

const ID: EcosystemId = EcosystemId::new("cargo");

fn registry(byte: u8) -> Origin {
    Origin::Registry(Arc::new(Registry {
        fingerprint: Fingerprint([byte; 32]),
        address: Arc::from("https://registry.example/"),
    }))
}

fn coordinate(name: &str, version: &str, origin: Origin) -> Coordinate {
    Coordinate {
        ecosystem: ID,
        name: Arc::from(name),
        version: Arc::from(version),
        origin,
    }
}

fn lock(rel: &str, packages: Vec<(Coordinate, u32)>) -> Lock {
    Lock {
        ecosystem: ecosystem("cargo"),
        root: 0,
        rel: rel.to_owned(),
        packages: packages
            .into_iter()
            .map(|(coordinate, line)| Locked {
                package: LockedPackage {
                    built: true,
                    name: Arc::clone(&coordinate.name),
                    version: Arc::clone(&coordinate.version),
                    source: LockedSource::Path,
                    file: Arc::from(""),
                    digests: Vec::new(),
                    line,
                    depends_on: Vec::new(),
                },
                coordinate: Arc::new(coordinate),
            })
            .collect(),
        excerpts: Default::default(),
        own: Default::default(),
        kind: "lock",
        extra: Default::default(),
    }
}

fn unit(coordinate: Coordinate) -> PlacedUnit {
    PlacedUnit {
        ecosystem: ecosystem("cargo"),
        root: 0,
        unit: Unit {
            binding: Binding::Artifact(Arc::new(ArtifactId {
                coordinate,
                file: Arc::from("x"),
            })),
            place: Place::Cache,
            archive: Some(ArchivePart {
                rel: "x".into(),
                format: ArchiveFormat::CrateTarGz,
                size: 1,
                top: Arc::from("x"),
                empty_is_absent: false,
            }),
            tree: None,
            inspector: None,
        },
    }
}

fn shelf(machine: &Machine) -> Shelf {
    let dir = machine.folder.path().join("feeds");
    let file = zip(&[
        record("cargo", "A-1", "one", "1.0.0", NEWER),
        record("cargo", "A-2", "two", "1.0.0", NEWER),
    ]);
    put(&dir.join(osv("cargo")).join("all.zip"), file);
    machine.load_with(&["cargo"], Some(Path::new(&dir)))
}

/// The only registry that is public here.
fn is_public(coordinate: &Coordinate) -> bool {
    coordinate.origin == registry(1)
}

#[test]
fn lockfiles_and_caches_are_asked_about_once_each() {
    let machine = Machine::new();
    let shelf = shelf(&machine);
    let one = || coordinate("one", "0.5.0", registry(1));
    let inventory = Inventory {
        locks: vec![
            lock("Cargo.lock", vec![(one(), 9), (one(), 4)]),
            lock("sub/Cargo.lock", vec![(one(), 7)]),
        ],
        units: vec![
            unit(one()),
            unit(coordinate("two", "0.9.0", registry(1))),
            unit(coordinate("two", "1.0.0", registry(1))),
            unit(coordinate("two", "0.9.0", registry(1))),
        ],
        ..Inventory::default()
    };
    let (found, problems) = matches(&shelf, &inventory, &[ecosystem("cargo")], &is_public);
    assert!(problems.is_empty(), "{problems:?}");
    let seen: Vec<_> = found
        .iter()
        .map(|m| {
            (
                m.fact.id.as_str(),
                m.coordinate.to_string(),
                m.location.clone(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                "A-1",
                "one@0.5.0".to_owned(),
                Some((0, "Cargo.lock".to_owned(), 4))
            ),
            (
                "A-1",
                "one@0.5.0".to_owned(),
                Some((0, "sub/Cargo.lock".to_owned(), 7))
            ),
            ("A-2", "two@0.9.0".to_owned(), None),
        ]
    );
}

#[test]
fn what_is_not_public_is_never_matched_with_its_namesake() {
    let machine = Machine::new();
    let shelf = shelf(&machine);
    let git = Origin::Git {
        url: Arc::from("https://git.example/one"),
        commit: Arc::from("00"),
    };
    let all: Vec<Coordinate> = [registry(2), git, Origin::Path, Origin::Unknown]
        .into_iter()
        .map(|origin| coordinate("one", "0.5.0", origin))
        .collect();
    let inventory = Inventory {
        locks: vec![lock(
            "Cargo.lock",
            all.iter().cloned().map(|c| (c, 1)).collect(),
        )],
        units: all.into_iter().map(unit).collect(),
        ..Inventory::default()
    };
    let (found, problems) = matches(&shelf, &inventory, &[ecosystem("cargo")], &is_public);
    assert!(found.is_empty() && problems.is_empty());
}

#[test]
fn what_cannot_be_decided_is_a_problem() {
    let machine = Machine::new();
    let shelf = shelf(&machine);
    let inventory = Inventory {
        locks: vec![lock(
            "Cargo.lock",
            vec![(coordinate("one", "not a version", registry(1)), 3)],
        )],
        ..Inventory::default()
    };
    let (found, problems) = matches(&shelf, &inventory, &[ecosystem("cargo")], &is_public);
    assert!(found.is_empty());
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "Cargo.lock:3");
    assert!(problems[0].message.contains("A-1"));
    assert_eq!(problems[0].effect.as_str(), "partial");
}

#[test]
fn an_advisory_tells_that_a_version_was_there() {
    let machine = Machine::new();
    let shelf = shelf(&machine);
    let named = |name, version, origin| shelf.named_by_advisory(&coordinate(name, version, origin));
    assert!(named("one", "0.5.0", registry(1)));
    assert!(!named("one", "1.0.0", registry(1)));
    assert!(!named("three", "0.5.0", registry(1)));
    assert!(!named("one", "0.5.0", Origin::Path));
}

#[test]
fn poisoned_bytes_are_known_under_any_name() {
    let digest = Digest::sha256([0xab; 32]);
    let own = Poisoned::parse(&format!(
        "[[release]]\nid = \"T-1\"\necosystem = \"cargo\"\npackage = \"x\"\nversions = [\"1.0.0\"]\nsha256 = [\"{}\"]\ndate = 2024-01-01\nincident = \"it\"\n",
        "ab".repeat(32)
    ))
    .unwrap();
    let check = |place, seen| Check {
        subject: Subject {
            ecosystem: ID,
            kind: "archive",
            coordinate: Some(Arc::new(coordinate("another", "2.0.0", registry(1)))),
            artifact: Some(Arc::from("another-2.0.0.crate")),
            place,
            root: 0,
            rel: "a/b".into(),
            size: None,
            line: Some(5),
        },
        seen,
    };
    let archive = |digest: Digest| Seen::Archive {
        observed: vec![digest],
        gap: None,
        ambiguities: Vec::new(),
        excused: Vec::new(),
    };
    let checks = [
        check(Place::Cache, archive(digest)),
        check(Place::Cache, archive(Digest::sha256([0; 32]))),
        check(
            Place::Lockfile,
            Seen::LockedHash {
                digests: vec![digest],
            },
        ),
    ];
    let found = indicators(&own, &Inventory::default(), &checks);
    assert_eq!(found.len(), 2);
    for finding in &found {
        assert_eq!(finding.code, Code::IndicatorMatch);
        assert_eq!(finding.observed, Some(digest));
        assert_eq!(finding.rel.as_deref(), Some("a/b"));
    }
    assert_eq!(found[1].location.as_ref().and_then(|l| l.line), Some(5));
}
