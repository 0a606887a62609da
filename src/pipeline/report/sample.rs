//! Reports for tests: one with everything in it, hostile names included, and one where nothing is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::advisory::AdvisoryFact;
use crate::model::finding::Waived;
use crate::model::report::{
    CheckRow, Component, FeedFacts, Report, RunFacts, Scope, SourceFacts, TrustFacts, Verdict,
    VerdictResult,
};
use crate::model::{
    Assurance, Claimant, Class, Code, Coordinate, Coverage, Digest, EcosystemId, Entry, EntryKind,
    Expected, Finding, Fingerprint, Location, Notice, NoticeCode, Origin, Outcome, Place, Problem,
    Reason, Registry, RootId, RootInfo, RootOrigin, Severity,
};

pub(super) const CARGO: EcosystemId = EcosystemId::new("cargo");
const GO: EcosystemId = EcosystemId::new("go");
const NOW: i64 = 1_795_312_800; // 2026-11-22T02:00:00Z
const DAY: i64 = 86_400;

pub(super) fn sha(byte: u8) -> Digest {
    Digest::sha256([byte; 32])
}

/// Text of an attacker: colour, cursor, a CI command on a line of its own, reordering, invisible letters.
pub(super) const HOSTILE: &str =
    "evil\u{1b}[2J\n::error::pwned\r##[error]x##vso[y]\u{202e}txt\u{200b}\u{9b}1m";

fn run() -> RunFacts {
    RunFacts {
        id: "01KB0000000000000000000000".into(),
        started: NOW,
        duration_ms: 412,
        targets: vec![".".into()],
        roots: vec![
            root("project", "/home/u/app", RootOrigin::CommandLine),
            root("cargo-home", "/home/u/.cargo", RootOrigin::Default),
        ],
        requests: 12,
        bytes_hashed: 485_500_000,
        from_ledger: 4,
        feeds: vec![
            feed("rustsec", CARGO, NOW - 3_600, "fetched", false),
            feed("go-vulndb", GO, NOW - 93 * DAY, "embedded", true),
        ],
        ..RunFacts::default()
    }
}

fn root(id: &str, path: &str, origin: RootOrigin) -> RootInfo {
    RootInfo {
        id: RootId::new(id),
        path: path.into(),
        origin,
    }
}

fn feed(
    name: &str,
    ecosystem: EcosystemId,
    updated: i64,
    origin: &'static str,
    too_old: bool,
) -> FeedFacts {
    FeedFacts {
        name: name.into(),
        ecosystem: Some(ecosystem),
        updated,
        records: 1_192,
        origin,
        too_old,
    }
}

fn package(code: Code, place: Place, name: &str, version: &str, message: &str) -> Finding {
    Finding {
        ecosystem: Some(CARGO),
        package: Some(Arc::from(name)),
        version: Some(Arc::from(version)),
        ..Finding::new(code, place, message)
    }
}

/// A tampered crate, its modified tree, and a second copy of the crate under another root.
fn tampered() -> Vec<Finding> {
    let rel = "registry/cache/index-0123456789abcdef/itoa-1.0.11.crate";
    let archive = Finding {
        id: "f-3b1c000000000001".into(),
        artifact: Some(Arc::from("itoa-1.0.11.crate")),
        purl: Some("pkg:cargo/itoa@1.0.11".into()),
        root: Some(RootId::new("cargo-home")),
        rel: Some(rel.into()),
        path: Some(format!("/home/u/.cargo/{rel}")),
        location: Some(Location {
            file: "Cargo.lock".into(),
            line: Some(812),
        }),
        excerpt: Some(format!("checksum = \"{}\"\n", "49".repeat(32))),
        expected: vec![
            expected(Claimant::RegistryIndex, Assurance::Published, 0x49),
            expected(Claimant::Lockfile, Assurance::Declared, 0x49),
        ],
        observed: Some(sha(0xee)),
        remedy: Some(format!(
            "rm -r -- /home/u/.cargo/{rel} && cargo fetch --locked"
        )),
        why: vec![
            vec!["app@0.1.0".into(), "b@1.0.0".into(), "itoa@1.0.11".into()],
            vec!["app@0.1.0".into(), "a@1.0.0".into(), "itoa@1.0.11".into()],
        ],
        ..package(
            Code::ArchiveTampered,
            Place::Cache,
            "itoa",
            "1.0.11",
            "the bytes of `itoa-1.0.11.crate` are not the ones that the registry published",
        )
    };
    let copy = Finding {
        root: Some(RootId::new("cargo-home-2")),
        path: Some(format!("/srv/cache/{rel}")),
        remedy: None,
        ..archive.clone()
    };
    let tree_rel = "registry/src/index-0123456789abcdef/itoa-1.0.11";
    let entry = |path: &str, kind| Entry {
        path: path.into(),
        path_escaped: false,
        kind,
    };
    let tree = Finding {
        id: "f-3b1c000000000002".into(),
        root: Some(RootId::new("cargo-home")),
        rel: Some(tree_rel.into()),
        path: Some(format!("/home/u/.cargo/{tree_rel}")),
        entries: vec![
            entry("src/lib.rs", EntryKind::Modified),
            entry("build.rs", EntryKind::Extra),
        ],
        entries_total: 31,
        caused_by: Some(archive.id.clone()),
        remedy: Some(format!("rm -r -- /home/u/.cargo/{tree_rel}")),
        ..package(
            Code::TreeModified,
            Place::Cache,
            "itoa",
            "1.0.11",
            "31 files differ from the verified archive",
        )
    };
    vec![tree, copy, archive]
}

fn expected(by: Claimant, assurance: Assurance, byte: u8) -> Expected {
    Expected {
        by,
        assurance,
        digest: sha(byte),
    }
}

/// A file whose name, package and messages an attacker chose, and whose path is not UTF-8.
fn hostile() -> Finding {
    Finding {
        id: "f-bad0000000000003".into(),
        root: Some(RootId::new("cargo-home")),
        rel: Some(format!("registry/src/{HOSTILE}/%FF%25")),
        path: Some(format!("/home/u/.cargo/registry/src/{HOSTILE}/%FF%25")),
        path_escaped: true,
        entries: vec![Entry {
            path: format!("::warning::{HOSTILE}%FF"),
            path_escaped: true,
            kind: EntryKind::Irregular,
        }],
        entries_total: 1,
        location: Some(Location {
            file: "::error::Cargo.lock".into(),
            line: Some(3),
        }),
        excerpt: Some(HOSTILE.into()),
        why: vec![vec!["::error::app@1".into(), HOSTILE.into()]],
        ..package(
            Code::TreeIrregularFile,
            Place::Vendor,
            HOSTILE,
            "::error::1",
            &format!("::error::{HOSTILE} is a link"),
        )
    }
}

fn advisories() -> Vec<Finding> {
    let vulnerable = Finding {
        id: "f-ad00000000000004".into(),
        severity: Severity::Critical,
        purl: Some("pkg:cargo/h2@0.3.27".into()),
        location: Some(Location {
            file: "Cargo.lock".into(),
            line: Some(7),
        }),
        remedy: Some("cargo update -p h2@0.3.27 --precise 0.4.16".into()),
        advisory: Some(AdvisoryFact {
            id: "RUSTSEC-2026-0258".into(),
            aliases: vec!["GHSA-xxxx".into(), "CVE-2026-1".into()],
            score: Some(9.8),
            vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
            fixed: vec!["0.4.16".into()],
            source: "rustsec".into(),
            link: Some("https://advisories.example/RUSTSEC-2026-0258".into()),
        }),
        why: vec![vec!["app@0.1.0".into(), "h2@0.3.27".into()]],
        ..package(
            Code::Vulnerable,
            Place::Lockfile,
            "h2",
            "0.3.27",
            "unbounded empty DATA frames",
        )
    };
    let unmaintained = Finding {
        id: "f-ad00000000000005".into(),
        ..package(
            Code::Unmaintained,
            Place::Lockfile,
            "ansi_term",
            "0.12.1",
            "nobody maintains it",
        )
    };
    let waived = Finding {
        id: "f-ad00000000000006".into(),
        waived: Some(Waived {
            reason: "not reachable from the server".into(),
            owner: Some("platform team".into()),
            expires: "2027-01-31".into(),
        }),
        state: Some("unchanged"),
        ..package(
            Code::Yanked,
            Place::Lockfile,
            "old",
            "1.0.0",
            "its authors took it back",
        )
    };
    vec![waived, unmaintained, vulnerable]
}

fn settings() -> Finding {
    Finding {
        id: "f-5e70000000000007".into(),
        location: Some(Location {
            file: "env:RUSTC_WRAPPER".into(),
            line: None,
        }),
        ..Finding::new(
            Code::CodeInSettings,
            Place::Settings,
            "`RUSTC_WRAPPER` makes cargo run `/home/u/bin/wrap` for every crate",
        )
    }
}

fn checks() -> Vec<CheckRow> {
    let row = |name: &str, outcome| CheckRow {
        ecosystem: CARGO,
        kind: "archive",
        package: Some(Arc::from(name)),
        version: Some(Arc::from("1.0.0")),
        artifact: Some(Arc::from(format!("{name}-1.0.0.crate"))),
        place: Place::Cache,
        root: RootId::new("cargo-home"),
        rel: format!("registry/cache/x/{name}-1.0.0.crate"),
        path_escaped: false,
        outcome,
        observed: Some(sha(1)),
        expected: Some((Claimant::RegistryIndex, sha(1))),
        size: Some(1_234),
    };
    let unbound = CheckRow {
        package: None,
        version: None,
        artifact: None,
        rel: format!("registry/cache/{HOSTILE}%FF"),
        path_escaped: true,
        observed: None,
        expected: None,
        size: None,
        ..row("", Outcome::Unverifiable(Reason::Unbound))
    };
    let mut rows = vec![
        row("zebra", Outcome::Verified(Assurance::Published)),
        row("itoa", Outcome::Tainted),
        row("two-faced", Outcome::Conflict),
        unbound,
    ];
    for name in ["one", "two", "three", "four", "five"] {
        rows.push(row(name, Outcome::Unverifiable(Reason::UnpinnedRoot)));
    }
    rows.push(row("forked", Outcome::Unverifiable(Reason::Git)));
    rows
}

fn coverage(checks: &[CheckRow]) -> Coverage {
    let mut coverage = Coverage::default();
    for row in checks {
        coverage.of(row.ecosystem).add(row.outcome);
    }
    let tally = coverage.of(CARGO);
    tally.verified += 803;
    tally.absent = 31;
    tally.first_party = 1;
    tally.claims = BTreeMap::from([(Assurance::Published, 804), (Assurance::Declared, 380)]);
    coverage
}

fn component(name: &str, version: &str) -> Component {
    Component {
        coordinate: Coordinate {
            ecosystem: CARGO,
            name: Arc::from(name),
            version: Arc::from(version),
            origin: Origin::Registry(Arc::new(Registry {
                fingerprint: Fingerprint([7; 32]),
                address: Arc::from("https://registry.example/"),
            })),
        },
        first_party: false,
        purl: Some(format!("pkg:cargo/{name}@{version}")),
        verified: vec![sha(0x22)],
        declared: Vec::new(),
        assurance: Some(Assurance::Published),
        licence: Some("MIT OR Apache-2.0".into()),
        archive_size: Some(1_234),
        archive: Some(Arc::from(format!("{name}-{version}.crate"))),
        scope: Some(Scope::Required),
        depends_on: Vec::new(),
        is_root: false,
    }
}

fn components() -> Vec<Component> {
    let app = Component {
        coordinate: Coordinate {
            origin: Origin::Path,
            ..component("app", "0.1.0").coordinate
        },
        first_party: true,
        purl: None,
        verified: Vec::new(),
        assurance: None,
        archive: None,
        archive_size: None,
        depends_on: vec![1, 2, 3],
        is_root: true,
        ..component("app", "0.1.0")
    };
    let old = Component {
        licence: Some("MIT/Apache-2.0".into()),
        scope: Some(Scope::Build),
        depends_on: vec![2],
        ..component("b", "1.0.0")
    };
    let tainted = Component {
        verified: Vec::new(),
        declared: vec![sha(0x49)],
        assurance: None,
        licence: Some("see the file LICENCE".into()),
        scope: Some(Scope::Dev),
        ..component("itoa", "1.0.11")
    };
    let hostile = Component {
        purl: None,
        verified: Vec::new(),
        assurance: None,
        licence: None,
        scope: Some(Scope::Unused),
        archive: None,
        ..component(HOSTILE, "::error::1")
    };
    vec![app, old, tainted, hostile]
}

/// Everything at once.
pub(super) fn rich() -> Report {
    let checks = checks();
    let mut findings = tampered();
    findings.push(hostile());
    findings.extend(advisories());
    findings.push(settings());
    Report {
        run: RunFacts {
            weakened: vec!["--exit-zero".into(), "--feeds=/srv/feeds".into()],
            ..run()
        },
        verdict: Verdict {
            result: VerdictResult::Findings,
            assurance: Assurance::Published,
            counts: BTreeMap::from([(Class::Integrity, 4), (Class::Advisory, 1)]),
            reasons: vec!["4 integrity findings".into(), "1 advisory finding".into()],
            cut_short: false,
        },
        findings_total: u64::try_from(findings.len()).unwrap_or(u64::MAX),
        findings,
        notices: vec![
            Notice {
                code: NoticeCode::Unverifiable,
                reason: Some(Reason::UnpinnedRoot),
                ecosystem: Some(CARGO),
                package: Some("one".into()),
                version: Some("1.0.0".into()),
                path: Some("cargo-home/registry/cache/x/one-1.0.0.crate".into()),
                message: "its registry is neither recognised nor pinned".into(),
                remedy: Some("untaint trust discover".into()),
            },
            Notice {
                code: NoticeCode::FeedTooOld,
                reason: None,
                ecosystem: Some(GO),
                package: None,
                version: None,
                path: None,
                message: "advisories for go are 93 days old, allowed are 7".into(),
                remedy: Some("untaint feeds update".into()),
            },
        ],
        problems: vec![
            Problem::skipped(
                "/home/u/app/sub/Cargo.lock",
                "broken at line 4: expected `=`",
            ),
            Problem::partial(format!("::error::{HOSTILE}%FF"), "a torn row").escaped(true),
            Problem::as_the_tool("/home/u/.cargo/registry/cache/x/e.crate", "an empty file"),
        ],
        coverage: coverage(&checks),
        sources: vec![
            SourceFacts {
                kind: "cargo-registry-cache".into(),
                root: RootId::new("cargo-home"),
                rel: "registry/cache".into(),
                entries: 412,
            },
            SourceFacts {
                kind: "cargo-lock".into(),
                root: RootId::new("project"),
                rel: String::new(),
                entries: 380,
            },
        ],
        trust: vec![TrustFacts {
            ecosystem: CARGO,
            root: "registry-index".into(),
            how: "recognised",
            fingerprint: Fingerprint([7; 32]),
            origin: "tame-index".into(),
        }],
        checks,
        components: components(),
    }
}

/// Nothing wrong, nothing old, nothing hidden.
pub(in crate::pipeline) fn clean() -> Report {
    let rich = rich();
    let checks: Vec<CheckRow> = rich
        .checks
        .into_iter()
        .filter(|row| matches!(row.outcome, Outcome::Verified(_)))
        .collect();
    Report {
        run: RunFacts {
            feeds: vec![feed("rustsec", CARGO, NOW - 3_600, "fetched", false)],
            ..run()
        },
        verdict: Verdict {
            result: VerdictResult::Clean,
            counts: BTreeMap::new(),
            reasons: Vec::new(),
            ..rich.verdict
        },
        findings: Vec::new(),
        findings_total: 0,
        notices: Vec::new(),
        problems: Vec::new(),
        coverage: coverage(&checks),
        checks,
        components: rich
            .components
            .into_iter()
            .take(2)
            .map(|mut c| {
                c.depends_on.retain(|d| *d < 2);
                c
            })
            .collect(),
        ..rich
    }
}
