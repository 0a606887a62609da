//! Selectors, waivers and accepted artifacts.

use std::sync::Arc;

use super::*;
use crate::model::Place;
use crate::model::advisory::AdvisoryFact;

#[test]
fn selectors_have_one_spelling_each() {
    for text in ["integrity", "advisory:high", "place:info", "yanked"] {
        assert_eq!(Selector::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(
        Selector::parse("integrity:low"),
        Selector::parse("integrity")
    );
    for text in [
        "",
        ":",
        "high",
        "integrity:",
        "integrity:worst",
        "yanked:high",
        "Integrity",
    ] {
        assert_eq!(Selector::parse(text), None, "{text}");
    }
}

#[test]
fn the_default_threshold_is_the_contracts() {
    let policy = Policy::default();
    let text: Vec<_> = policy.fail_on.iter().map(ToString::to_string).collect();
    assert_eq!(
        text.join(","),
        "integrity,lockfile:high,upstream:high,malicious,revoked,indicator,source:high,place:high,advisory:high"
    );
    assert!(policy.reaches(Code::ArchiveTampered, Severity::Critical));
    assert!(!policy.reaches(Code::Yanked, Severity::Medium));
    assert!(policy.allows(Reason::Git) && !policy.allows(Reason::Offline));
    assert!(policy.allows(Reason::Derived));
}

#[test]
fn including_is_selecting_at_least_as_much() {
    let all: Vec<Selector> = Class::ALL
        .into_iter()
        .flat_map(|c| Severity::ALL.map(|s| Selector::Class(c, s)))
        .chain(Code::ALL.iter().map(|c| Selector::Code(*c)))
        .collect();
    for a in &all {
        for b in &all {
            let more = Code::ALL.iter().all(|code| {
                Severity::ALL
                    .iter()
                    .all(|s| !b.selects(*code, *s) || a.selects(*code, *s))
            });
            // Where a class has a single code, the code covers the class too; to deny it is on the safe side.
            assert!(!a.includes(*b) || more, "{a} {b}");
            if matches!(a, Selector::Class(..)) {
                assert_eq!(a.includes(*b), more, "{a} {b}");
            }
        }
    }
}

fn waiver(what: Waivable) -> Waiver {
    Waiver {
        what,
        reason: "because".into(),
        until: Day::parse("2027-01-31").unwrap(),
        owner: None,
        at: "config.toml:1".into(),
    }
}

fn id(id: &str) -> Waiver {
    waiver(Waivable::Id(id.into()))
}

#[test]
fn an_advisory_is_waived_by_id_or_alias() {
    let mut finding = Finding::new(Code::Vulnerable, Place::Lockfile, "x");
    finding.id = "f-1".into();
    finding.advisory = Some(AdvisoryFact {
        id: "RUSTSEC-1".into(),
        aliases: vec!["CVE-1".into()],
        score: None,
        vector: None,
        fixed: Vec::new(),
        source: "rustsec".into(),
        link: None,
    });
    for known in ["RUSTSEC-1", "CVE-1", "f-1"] {
        assert!(id(known).covers(&finding), "{known}");
    }
    assert!(!id("CVE-2").covers(&finding));
}

#[test]
fn a_code_is_waived_for_a_package_and_version() {
    let mut finding = Finding::new(Code::Yanked, Place::Lockfile, "x");
    finding.package = Some(Arc::from("a"));
    finding.version = Some(Arc::from("1.0.0"));
    let by = |package: &str, version: Option<&str>| {
        waiver(Waivable::Code {
            code: Code::Yanked,
            package: package.into(),
            version: version.map(Into::into),
        })
    };
    assert!(by("a", None).covers(&finding));
    assert!(by("a", Some("1.0.0")).covers(&finding));
    assert!(!by("a", Some("1.0.1")).covers(&finding));
    assert!(!by("b", None).covers(&finding));
    finding.code = Code::Withdrawn;
    assert!(!by("a", None).covers(&finding));
}

#[test]
fn integrity_is_waived_by_exact_artifact_and_digest_only() {
    let mut finding = Finding::new(Code::ArchiveTampered, Place::Cache, "x");
    finding.id = "f-1".into();
    finding.package = Some(Arc::from("a"));
    let by_code = waiver(Waivable::Code {
        code: Code::ArchiveTampered,
        package: "a".into(),
        version: None,
    });
    assert!(!by_code.covers(&finding));
    assert!(!id("f-1").covers(&finding), "nothing exact in it");
    finding.artifact = Some(Arc::from("a-1.crate"));
    finding.observed = Some(Digest::sha256([1; 32]));
    assert!(id("f-1").covers(&finding));
    assert!(!by_code.covers(&finding));
}

#[test]
fn artifacts_are_spelled_with_four_parts() {
    for text in [
        "pypi:docopt@0.6.2:docopt-0.6.2-py2.py3-none-any.whl",
        "npm:@corp/x@1.0.0:x-1.0.0.tgz",
        "maven:org.example:lib@1:lib-1.jar",
    ] {
        assert_eq!(AcceptedArtifact::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "",
        "pypi",
        "pypi:a:b",
        "pypi:a@:b",
        "pypi:@1:b",
        ":a@1:b",
        "pypi:a@1:",
    ] {
        assert_eq!(AcceptedArtifact::parse(text), None, "{text}");
    }
}
