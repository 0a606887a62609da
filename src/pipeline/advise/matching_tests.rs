//! Tests of [`super`].

use super::super::{
    index::{FeedMeta, FeedOrigin, compile},
    ranges::{AffectedRange, Event},
};
use super::*;
use crate::formats::semver_order::SemverOrder;

fn db(name: &str, records: &[AdvisoryRecord]) -> AdvisoryDb {
    let meta = FeedMeta {
        name: name.to_owned(),
        ecosystem: "cargo".to_owned(),
        records: 0,
        updated: None,
        confirmed: None,
        origin: FeedOrigin::Named,
    };
    AdvisoryDb::open(compile(&meta, records).unwrap()).unwrap()
}

fn record(id: &str, aliases: &[&str]) -> AdvisoryRecord {
    AdvisoryRecord {
        id: id.to_owned(),
        aliases: aliases.iter().map(ToString::to_string).collect(),
        package: "p".to_owned(),
        ranges: vec![AffectedRange {
            events: vec![Event::Introduced("0".into()), Event::Fixed("2.0.0".into())],
        }],
        ..AdvisoryRecord::default()
    }
}

fn ask(dbs: &[&AdvisoryDb], version: &str) -> Matches {
    matches(
        dbs,
        &SemverOrder,
        &[Subject {
            package: "p",
            version,
            public: true,
        }],
    )
}

fn ids(matches: &Matches) -> Vec<&str> {
    matches
        .found
        .iter()
        .map(|found| found.id.as_str())
        .collect()
}

#[test]
fn a_private_package_is_not_its_public_namesake() {
    let db = db("f", &[record("A-1", &[])]);
    let subjects = [true, false].map(|public| Subject {
        package: "p",
        version: "1.0.0",
        public,
    });
    let found = matches(&[&db], &SemverOrder, &subjects).found;
    assert_eq!(found.iter().map(|m| m.subject).collect::<Vec<_>>(), [0]);
}

#[test]
fn withdrawn_and_fixed_do_not_match() {
    let withdrawn = AdvisoryRecord {
        withdrawn: Some(0),
        ..record("A-2", &[])
    };
    let db = db("f", &[record("A-1", &[]), withdrawn]);
    assert_eq!(ids(&ask(&[&db], "1.9.9")), ["A-1"]);
    assert_eq!(ids(&ask(&[&db], "2.0.0-rc.1")), ["A-1"]);
    assert_eq!(ask(&[&db], "2.0.0"), Matches::default());
}

#[test]
fn aliases_of_other_issuers_are_one_issue() {
    let ours = db(
        "rustsec",
        &[record("A-1", &["CVE-1"]), record("A-2", &["CVE-1"])],
    );
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned();
    let more = db(
        "osv",
        &[
            AdvisoryRecord {
                vectors: vec![vector.clone()],
                ..record("B-1", &["CVE-1"])
            },
            record("C-9", &["A-2"]),
            record("B-2", &["CVE-7"]),
        ],
    );
    let out = ask(&[&ours, &more], "1.0.0");
    assert_eq!(ids(&out), ["A-1", "A-2", "B-2"]);
    let first = &out.found[0];
    assert_eq!(first.aliases, ["B-1", "CVE-1"]);
    assert_eq!(first.feed, "rustsec");
    assert_eq!(
        first.score.as_ref().map(|(s, v)| (s.tenths(), v)),
        Some((98, &vector))
    );
    assert_eq!(first.severity, Severity::Critical);
    assert_eq!(out.found[1].aliases, ["C-9", "CVE-1"]);
    assert_eq!(first.fixed, ["2.0.0"]);
    // The other way round the other feed gives the id; the issues are the same.
    assert_eq!(ask(&[&more, &ours], "1.0.0").found.len(), 3);
}

#[test]
fn severity_follows_kind_score_and_word() {
    let with = |kind, label: Option<&str>, vectors: &[&str]| {
        let record = AdvisoryRecord {
            kind,
            label: label.map(str::to_owned),
            vectors: vectors.iter().map(ToString::to_string).collect(),
            ..record("A-1", &[])
        };
        ask(&[&db("f", &[record])], "1.0.0").found[0].severity
    };
    let low = "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N";
    assert_eq!(with(Kind::Vulnerable, None, &[]), Severity::High);
    assert_eq!(
        with(Kind::Vulnerable, None, &["CVSS:9/unknown"]),
        Severity::High
    );
    assert_eq!(
        with(Kind::Vulnerable, Some("critical"), &["CVSS:9/unknown"]),
        Severity::Critical
    );
    assert_eq!(
        with(Kind::Vulnerable, Some("critical"), &[low]),
        Severity::Low
    );
    assert_eq!(with(Kind::Unsound, Some("high"), &[low]), Severity::Info);
    assert_eq!(with(Kind::Malicious, None, &[low]), Severity::Critical);
}

#[test]
fn a_match_becomes_a_finding() {
    for (kind, code) in [
        (Kind::Vulnerable, Code::Vulnerable),
        (Kind::Malicious, Code::Malicious),
        (Kind::Unsound, Code::Unsound),
        (Kind::Unmaintained, Code::Unmaintained),
        (Kind::Notice, Code::Vulnerable),
    ] {
        let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned();
        let record = AdvisoryRecord {
            kind,
            vectors: vec![vector.clone()],
            ..record("A-1", &["B-1"])
        };
        let out = ask(&[&db("f", &[record])], "1.0.0");
        assert_eq!(out.found[0].code(), code);
        let fact = out.found[0].fact();
        assert_eq!(
            (fact.id.as_str(), fact.score, fact.vector),
            ("A-1", Some(9.8), Some(vector))
        );
        assert_eq!(
            (fact.aliases, fact.fixed),
            (vec!["B-1".to_owned()], vec!["2.0.0".to_owned()])
        );
        assert_eq!(fact.source, "f");
    }
}

#[test]
fn the_gravest_kind_and_one_match_per_id() {
    let mild = AdvisoryRecord {
        kind: Kind::Unmaintained,
        ..record("A-1", &["B-1"])
    };
    let other_half = AdvisoryRecord {
        versions: vec!["1.0.0".into()],
        ..mild.clone()
    };
    let bad = AdvisoryRecord {
        kind: Kind::Malicious,
        ..record("B-1", &[])
    };
    let out = ask(&[&db("f", &[mild, other_half]), &db("g", &[bad])], "1.0.0");
    assert_eq!(ids(&out), ["A-1"]);
    assert_eq!(out.found[0].kind, Kind::Malicious);
}

#[test]
fn parts_are_named_only_if_all_narrow_themselves() {
    let import = Import {
        path: "p/x".into(),
        symbols: vec![],
    };
    let narrow = AdvisoryRecord {
        imports: vec![import.clone()],
        ..record("A-1", &["B-1"])
    };
    let wide = record("B-1", &[]);
    assert_eq!(
        ask(&[&db("f", std::slice::from_ref(&narrow))], "1.0.0").found[0].imports,
        [import]
    );
    assert_eq!(
        ask(&[&db("f", &[narrow, wide])], "1.0.0").found[0].imports,
        []
    );
}

#[test]
fn what_cannot_be_decided_is_told() {
    let db = db("f", &[record("A-1", &[])]);
    let out = ask(&[&db], "not a version");
    assert_eq!(out.found, []);
    assert_eq!(
        out.undecided,
        [Undecided {
            subject: 0,
            id: "A-1".into()
        }]
    );
}
