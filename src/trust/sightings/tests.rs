//! What is kept of a report, what is found again, and what damaged or crowded state costs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::model::finding::Place;
use crate::model::report::{CheckRow, Component, RunFacts, Verdict, VerdictResult};
use crate::model::{
    Assurance, Code, Coordinate, Coverage, Digest, EcosystemId, Finding, Origin, Outcome, RootId,
    RootInfo, RootOrigin,
};
use crate::trust::fake_state::FakeState;

const CARGO: EcosystemId = EcosystemId::new("cargo");

fn row(name: &str, rel: &str, byte: u8, place: Place, root: &str) -> CheckRow {
    CheckRow {
        ecosystem: CARGO,
        kind: "archive",
        package: Some(Arc::from(name)),
        version: Some(Arc::from("1.0.0")),
        artifact: None,
        place,
        root: RootId::new(root),
        rel: rel.to_owned(),
        path_escaped: false,
        outcome: Outcome::Verified(Assurance::Published),
        observed: Some(Digest::sha256([byte; 32])),
        expected: None,
        size: None,
    }
}

fn component(name: &str, first_party: bool) -> Component {
    Component {
        coordinate: Coordinate {
            ecosystem: CARGO,
            name: Arc::from(name),
            version: Arc::from("1.0.0"),
            origin: Origin::Unknown,
        },
        first_party,
        purl: None,
        verified: Vec::new(),
        declared: Vec::new(),
        assurance: None,
        licence: None,
        archive_size: None,
        archive: None,
        scope: None,
        depends_on: Vec::new(),
        is_root: false,
    }
}

fn report(project: &str, at: i64, checks: Vec<CheckRow>) -> Report {
    let root = |id: &str, path: &str, origin: RootOrigin| RootInfo {
        id: RootId::new(id),
        path: path.to_owned(),
        origin,
    };
    let mut finding = Finding::new(Code::ArchiveTampered, Place::Cache, "x");
    finding.id = "f-0123456789abcdef".to_owned();
    finding.package = Some(Arc::from("a"));
    finding.root = Some(RootId::new("cargo-home"));
    finding.rel = Some("a.crate".to_owned());
    Report {
        run: RunFacts {
            id: format!("RUN{at}"),
            started: at,
            roots: vec![
                root("cargo-home", "/h/.cargo", RootOrigin::Default),
                root("project", project, RootOrigin::CommandLine),
                root("target", &format!("{project}/target"), RootOrigin::Default),
            ],
            ..RunFacts::default()
        },
        verdict: Verdict {
            result: VerdictResult::Clean,
            assurance: Assurance::Published,
            counts: BTreeMap::new(),
            cut_short: false,
            reasons: Vec::new(),
        },
        findings: vec![finding],
        findings_total: 1,
        notices: Vec::new(),
        problems: Vec::new(),
        coverage: Coverage::default(),
        sources: Vec::new(),
        trust: Vec::new(),
        checks,
        components: vec![
            component("a", false),
            component("absent", false),
            component("own", true),
        ],
    }
}

fn all(state: &FakeState) -> (Vec<Scan>, Vec<Problem>) {
    search(
        state,
        &Search {
            needles: &[],
            sighting: &|_| true,
            finding: &|_| true,
        },
    )
}

#[test]
fn what_was_seen_is_found_again_and_a_newer_scan_replaces_it() {
    let state = FakeState::default();
    let first = report(
        "/p",
        10,
        vec![
            row("a", "a.crate", 1, Place::Cache, "cargo-home"),
            row("b", "", 2, Place::Build, "target"),
        ],
    );
    keep(&state, &first, &[]).unwrap();
    let (scans, problems) = all(&state);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(scans.len(), 1);
    let scan = &scans[0];
    assert_eq!(
        (scan.head.at, &*scan.head.targets),
        (10, &["/p".to_owned()][..])
    );
    assert!(scan.head.roots[2].build && !scan.head.roots[0].build);
    let names: Vec<_> = scan
        .sightings
        .iter()
        .map(|s| (s.package.as_deref().unwrap(), &*s.kind))
        .collect();
    // A package of which no byte was held is there too; the project itself is not.
    assert_eq!(
        names,
        [("a", "archive"), ("b", "archive"), ("absent", "component")]
    );
    assert_eq!(scan.findings[0].id, "f-0123456789abcdef");
    assert_eq!(scan.findings[0].root, Some(0));

    keep(&state, &report("/p", 20, Vec::new()), &[]).unwrap();
    keep(&state, &report("/q", 15, Vec::new()), &[]).unwrap();
    keep(
        &state,
        &report("/p", 30, Vec::new()),
        &["exclude=x".to_owned()],
    )
    .unwrap();
    let (scans, _) = all(&state);
    let times: Vec<i64> = scans.iter().map(|scan| scan.head.at).collect();
    assert_eq!(times, [30, 20, 15], "newest first, narrow ones beside");
    assert_eq!(forget(&state).unwrap(), 3);
    assert!(all(&state).0.is_empty());
}

#[test]
fn only_lines_that_hold_a_needle_are_read() {
    let state = FakeState::default();
    let rows = vec![
        row("alpha", "a", 1, Place::Cache, "cargo-home"),
        row("beta", "b", 2, Place::Cache, "cargo-home"),
    ];
    keep(&state, &report("/p", 10, rows), &[]).unwrap();
    let name = state.list().unwrap().remove(0);
    // A damaged line that nobody asks for costs nothing; one that is asked for is said.
    let mut bytes = state.get(&name).unwrap();
    bytes.extend_from_slice(b"{\"seen\":{\"n\":\"beta\"\n");
    state.set(&name, &bytes);
    let find = |needle: &str| {
        search(
            &state,
            &Search {
                needles: &[needle.to_owned()],
                sighting: &|s| s.package.as_deref() == Some(needle),
                finding: &|_| false,
            },
        )
    };
    let (scans, problems) = find("alpha");
    assert_eq!((scans[0].sightings.len(), problems.len()), (1, 0));
    let (scans, problems) = find("beta");
    assert_eq!((scans[0].sightings.len(), problems.len()), (1, 1));
}

#[test]
fn hostile_state_is_a_problem_and_never_an_end() {
    let state = FakeState::default();
    keep(&state, &report("/p", 10, Vec::new()), &[]).unwrap();
    for (name, bytes) in [
        ("seen-0000000000000000", &b""[..]),
        ("seen-0000000000000001", b"\xff\xfe\n{}\n"),
        ("seen-0000000000000002", b"{\"seen\":{}}\n"),
        ("seen-../../etc", b"x"),
        ("seen-short", b"x"),
    ] {
        state.set(name, bytes);
    }
    let (scans, problems) = all(&state);
    assert_eq!(scans.len(), 1);
    assert_eq!(problems.len(), 3, "{problems:?}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    state.set("seen-0000000000000003", deep.as_bytes());
    assert_eq!(all(&state).1.len(), 4);
}

#[test]
fn the_oldest_make_room() {
    let state = FakeState::default();
    for at in 0..i64::try_from(FILES).unwrap() + 5 {
        keep(&state, &report(&format!("/p{at}"), at, Vec::new()), &[]).unwrap();
    }
    let (scans, _) = all(&state);
    assert_eq!(scans.len(), FILES);
    assert_eq!(scans.last().unwrap().head.at, 5);
}

#[test]
fn what_cannot_be_kept_is_said() {
    let mut state = FakeState::default();
    state.read_only = true;
    let problem = keep(&state, &report("/p", 1, Vec::new()), &[]).unwrap_err();
    assert!(problem.message.contains("not recorded"), "{problem:?}");
}
