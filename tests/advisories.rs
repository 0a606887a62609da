//! Advisories, held against the library that `cargo audit` is made of: on the same lockfile and the same data the findings are equal, and for
//! every advisory every version around its limits is judged alike.
//!
//! The fixture is a selection of real RustSec advisories reduced to facts (no prose, no addresses) and a list of packages; the lockfile is made
//! from it here, because the address of the default registry is not written in our files. `rustsec-selection.json` records the findings, so that
//! a common change of both libraries shows as well.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use rustsec::{Collection, Lockfile, SourceId, database::Query};
use std::collections::BTreeSet;
use std::io::Read as _;
use untaint::formats::{limits::Limits, semver_order::SemverOrder, tar::TarReader};
use untaint::pipeline::advise::{
    catalogue,
    index::{AdvisoryDb, FeedOrigin},
    matching::{Subject, matches},
    ranges::{self, Standing},
    reading::FeedEntry,
    rustsec_db,
};

const SELECTION: &[u8] = include_bytes!("../fixtures/advisories/rustsec-selection.tar");
const RECORDED: &str = include_str!("../fixtures/advisories/rustsec-selection.json");

fn entries() -> Vec<FeedEntry> {
    let mut archive = TarReader::new(SELECTION, Limits::DEFAULT, None);
    let mut all = Vec::new();
    while let Some(mut member) = archive.next_member().unwrap() {
        let name = String::from_utf8(member.entry().path.clone()).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        all.push(FeedEntry {
            name,
            bytes,
            mtime: None,
        });
    }
    all
}

/// Name, version and origin of every package.
fn packages() -> Vec<(String, String, String)> {
    let entry = entries()
        .into_iter()
        .find(|entry| entry.name == "packages.txt")
        .unwrap();
    let text = String::from_utf8(entry.bytes).unwrap();
    let packages: Vec<_> = text
        .lines()
        .map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            (
                words.next().unwrap(),
                words.next().unwrap(),
                words.next().unwrap(),
            )
        })
        .collect();
    assert!(packages.len() >= 300);
    packages
}

fn lockfile() -> Lockfile {
    let public = SourceId::default();
    let mut text = String::from("version = 3\n");
    for (name, version, origin) in packages() {
        text += &format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        text += &match origin.as_str() {
            "public" => format!("source = \"{public}\"\n"),
            "private" => "source = \"registry+https://registry.example/index\"\n".to_owned(),
            "git" => format!(
                "source = \"git+https://git.example/{name}#{}\"\n",
                "0a".repeat(20)
            ),
            "path" => String::new(),
            other => panic!("unknown origin {other}"),
        };
    }
    text.parse().unwrap()
}

/// The advisories as the library reads them.
fn theirs() -> Vec<rustsec::Advisory> {
    entries()
        .into_iter()
        .filter(|entry| entry.name.ends_with(".md"))
        .map(|entry| {
            let mut advisory: rustsec::Advisory =
                String::from_utf8(entry.bytes).unwrap().parse().unwrap();
            advisory.metadata.collection = Some(Collection::Crates);
            advisory
        })
        .collect()
}

/// What `cargo audit` lists as vulnerabilities and as warnings: id, package, version.
fn their_findings() -> BTreeSet<[String; 3]> {
    let advisories = theirs();
    let mut found = BTreeSet::new();
    for package in lockfile().packages {
        if package
            .source
            .as_ref()
            .is_none_or(|source| !source.is_default_registry())
        {
            continue;
        }
        for informational in [false, true] {
            let query = Query::crate_scope()
                .informational(informational)
                .package(&package);
            found.extend(
                advisories
                    .iter()
                    .filter(|advisory| query.matches(advisory))
                    .map(|advisory| {
                        [
                            advisory.id().to_string(),
                            package.name.to_string(),
                            package.version.to_string(),
                        ]
                    }),
            );
        }
    }
    found
}

fn our_db() -> AdvisoryDb {
    let feed = catalogue::feed_of("cargo").unwrap();
    let reading = rustsec_db::read_feed(entries().into_iter());
    assert_eq!((reading.total, reading.unreadable), (170, 0));
    AdvisoryDb::open(feed.compile(reading, None, FeedOrigin::Named).unwrap()).unwrap()
}

#[test]
fn the_findings_are_those_of_cargo_audit() {
    let packages = packages();
    let subjects: Vec<Subject<'_>> = packages
        .iter()
        .map(|(name, version, origin)| Subject {
            package: name,
            version,
            public: origin == "public",
        })
        .collect();
    let db = our_db();
    let out = matches(&[&db], &SemverOrder, &subjects);
    assert_eq!((out.undecided, out.damaged), (Vec::new(), Vec::new()));
    let ours: BTreeSet<[String; 3]> = out
        .found
        .iter()
        .map(|found| {
            let subject = &subjects[found.subject];
            [
                found.id.clone(),
                subject.package.to_owned(),
                subject.version.to_owned(),
            ]
        })
        .collect();
    assert_eq!(ours.len(), out.found.len());
    let theirs = their_findings();
    assert_eq!(
        ours.symmetric_difference(&theirs).collect::<Vec<_>>(),
        Vec::<&[String; 3]>::new()
    );

    let recorded: serde_json::Value = serde_json::from_str(RECORDED).unwrap();
    let recorded: BTreeSet<[String; 3]> =
        serde_json::from_value(recorded["findings"].clone()).unwrap();
    assert!(recorded.len() > 100);
    assert_eq!(ours, recorded);
}

#[test]
fn scores_are_those_of_the_library() {
    let db = our_db();
    let mut scored = 0;
    for advisory in theirs() {
        let records = db.lookup(advisory.metadata.package.as_str()).unwrap();
        let record = records
            .iter()
            .find(|record| record.id == advisory.id().as_str())
            .unwrap();
        let ours =
            untaint::pipeline::advise::cvss::worst(record.vectors.iter().map(String::as_str));
        let theirs = advisory
            .metadata
            .cvss
            .as_ref()
            .map(|vector| format!("{:.1}", vector.score()));
        assert_eq!(
            ours.map(|(score, _)| score.to_string()),
            theirs,
            "{}",
            record.id
        );
        scored += usize::from(theirs.is_some());
    }
    assert!(scored > 30);
}

#[test]
fn every_version_around_every_limit_is_judged_alike() {
    let db = our_db();
    let (mut asked, mut affected) = (0, 0);
    for advisory in theirs() {
        let records = db.lookup(advisory.metadata.package.as_str()).unwrap();
        let record = records
            .iter()
            .find(|record| record.id == advisory.id().as_str())
            .unwrap();
        for version in around(&advisory.versions) {
            let theirs = advisory.versions.is_vulnerable(&version);
            let ours = ranges::standing(
                &record.ranges,
                &record.versions,
                &version.to_string(),
                &SemverOrder,
            );
            let expected = if theirs {
                Standing::Affected
            } else {
                Standing::Unaffected
            };
            assert_eq!(ours, expected, "{} {version}", record.id);
            asked += 1;
            affected += usize::from(theirs);
        }
    }
    assert!(
        asked > 3000 && affected > 1000 && asked - affected > 1000,
        "{affected} of {asked}"
    );
}

/// The versions that an advisory names, and their neighbours with and without pre-release and build parts.
fn around(versions: &rustsec::advisory::Versions) -> BTreeSet<semver::Version> {
    let mut all =
        BTreeSet::from(["0.0.0-0", "0.0.0", "999.0.0", "999.0.0-rc.1"].map(|v| v.parse().unwrap()));
    let named = versions.patched().iter().chain(versions.unaffected());
    for at in named.flat_map(|requirement| &requirement.comparators) {
        let (major, minor, patch) = (at.major, at.minor.unwrap_or(0), at.patch.unwrap_or(0));
        for (major, minor, patch) in [
            (major, minor, patch),
            (major, minor, patch + 1),
            (major, minor, patch.saturating_sub(1)),
            (major, minor + 1, 0),
            (major, minor.saturating_sub(1), 99),
            (major + 1, 0, 0),
            (major.saturating_sub(1), 99, 0),
        ] {
            for tail in ["", "-0", "-alpha.1", "-rc.1+b", "+b"] {
                all.insert(format!("{major}.{minor}.{patch}{tail}").parse().unwrap());
            }
            if !at.pre.is_empty() {
                for tail in ["", ".0", "z"] {
                    all.insert(
                        format!("{major}.{minor}.{patch}-{}{tail}", at.pre)
                            .parse()
                            .unwrap(),
                    );
                }
            }
        }
    }
    all
}
