//! Reports that nobody thought of, for property tests: every optional part present or not, every text hostile.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::sample;
use crate::model::advisory::AdvisoryFact;
use crate::model::finding::Waived;
use crate::model::report::{CheckRow, Report, VerdictResult};
use crate::model::{
    Assurance, Claimant, Code, Digest, Entry, EntryKind, Expected, Finding, Location, Notice,
    NoticeCode, Outcome, Place, Problem, Reason, RootId, Scheme, Severity,
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just(sample::HOSTILE.to_owned()),
        Just("::error::x".to_owned()),
        Just("/home/u/.cargo/registry".to_owned()),
        Just(String::new()),
    ]
}

fn name() -> impl Strategy<Value = Option<Arc<str>>> {
    option::of(text().prop_map(Arc::from))
}

fn digest() -> impl Strategy<Value = Digest> {
    (0..Scheme::ALL.len(), any::<[u8; 32]>()).prop_map(|(at, raw)| {
        let scheme = Scheme::ALL[at];
        let raw: Vec<u8> = raw.iter().cycle().take(scheme.len()).copied().collect();
        Digest::new(scheme, &raw).unwrap()
    })
}

fn assurance() -> impl Strategy<Value = Assurance> {
    prop::sample::select(vec![
        Assurance::Remembered,
        Assurance::Declared,
        Assurance::Published,
        Assurance::Authenticated,
    ])
}

fn claimant() -> impl Strategy<Value = Claimant> {
    prop::sample::select(vec![
        Claimant::Log,
        Claimant::RegistryIndex,
        Claimant::Lockfile,
        Claimant::Sidecar,
        Claimant::GitCommit,
    ])
}

fn place() -> impl Strategy<Value = Place> {
    prop::sample::select(vec![
        Place::Lockfile,
        Place::Cache,
        Place::Vendor,
        Place::Settings,
        Place::Build,
    ])
}

fn reason() -> impl Strategy<Value = Reason> {
    prop::sample::select(Reason::ALL.to_vec())
}

fn entry() -> impl Strategy<Value = Entry> {
    let kind = prop::sample::select(vec![
        EntryKind::Modified,
        EntryKind::Missing,
        EntryKind::Extra,
        EntryKind::Irregular,
    ]);
    (text(), any::<bool>(), kind).prop_map(|(path, path_escaped, kind)| Entry {
        path,
        path_escaped,
        kind,
    })
}

fn expected() -> impl Strategy<Value = Expected> {
    (claimant(), assurance(), digest()).prop_map(|(by, assurance, digest)| Expected {
        by,
        assurance,
        digest,
    })
}

fn advisory() -> impl Strategy<Value = AdvisoryFact> {
    let lists = (vec(text(), 0..3), vec(text(), 0..3));
    let facts = (
        option::of(any::<f64>()),
        option::of(text()),
        option::of(text()),
    );
    (text(), lists, facts).prop_map(
        |(id, (aliases, fixed), (score, vector, link))| AdvisoryFact {
            id,
            aliases,
            score,
            vector,
            fixed,
            source: "rustsec".into(),
            link,
        },
    )
}

fn finding() -> impl Strategy<Value = Finding> {
    let who = (
        name(),
        name(),
        name(),
        option::of(text()),
        option::of(text()),
    );
    let what = (
        vec(entry(), 0..25),
        any::<u64>(),
        vec(expected(), 0..4),
        option::of(digest()),
    );
    let place = (
        place(),
        any::<bool>(),
        option::of((text(), option::of(any::<u32>()))),
    );
    let told = (
        text(),
        option::of(text()),
        option::of(text()),
        vec(vec(text(), 0..4), 0..5),
    );
    let judged = (
        prop::sample::select(Code::ALL.to_vec()),
        prop::sample::select(Severity::ALL.to_vec()),
        0..6u8,
        option::of(0..6u8),
        option::of(advisory()),
        option::of((text(), option::of(text()))),
    );
    (who, what, place, told, judged).prop_map(|(who, what, place, told, judged)| {
        let (code, severity, id, cause, advisory, waived) = judged;
        Finding {
            id: format!("f-{id:016x}"),
            severity,
            ecosystem: Some(sample::CARGO),
            package: who.0,
            version: who.1,
            artifact: who.2,
            rel: who.3,
            path: who.4,
            root: Some(RootId::new("cargo-home")),
            path_escaped: place.1,
            location: place.2.map(|(file, line)| Location { file, line }),
            excerpt: told.2,
            entries: what.0,
            entries_total: what.1,
            expected: what.2,
            observed: what.3,
            remedy: told.1,
            evidence: cause.map(|c| format!("q-{c:X}-1")),
            caused_by: cause.map(|c| format!("f-{c:016x}")),
            advisory,
            why: told.3,
            waived: waived.map(|(reason, owner)| Waived {
                reason,
                owner,
                expires: "2027-01-31".into(),
            }),
            ..Finding::new(code, place.0, told.0)
        }
    })
}

fn check() -> impl Strategy<Value = CheckRow> {
    let outcome = prop_oneof![
        assurance().prop_map(Outcome::Verified),
        Just(Outcome::Tainted),
        Just(Outcome::Conflict),
        reason().prop_map(Outcome::Unverifiable),
    ];
    let facts = (
        option::of(digest()),
        option::of((claimant(), digest())),
        option::of(any::<u64>()),
    );
    let who = (name(), name(), name(), text(), any::<bool>());
    (who, place(), outcome, facts).prop_map(|(who, place, outcome, facts)| CheckRow {
        ecosystem: sample::CARGO,
        kind: "archive",
        package: who.0,
        version: who.1,
        artifact: who.2,
        place,
        root: RootId::new("cargo-home"),
        rel: who.3,
        path_escaped: who.4,
        outcome,
        observed: facts.0,
        expected: facts.1,
        size: facts.2,
    })
}

fn notice() -> impl Strategy<Value = Notice> {
    let words = (
        option::of(text()),
        option::of(text()),
        option::of(text()),
        text(),
    );
    (option::of(reason()), words).prop_map(|(reason, words)| Notice {
        code: NoticeCode::Unverifiable,
        reason,
        ecosystem: None,
        package: words.0,
        version: words.1,
        path: words.2,
        message: words.3.clone(),
        remedy: Some(words.3),
    })
}

/// A whole report.
pub(super) fn report() -> impl Strategy<Value = Report> {
    let results = prop::sample::select(VerdictResult::ALL.to_vec());
    let lists = (
        vec(finding(), 0..12),
        vec(check(), 0..8),
        vec(notice(), 0..4),
    );
    let texts = (vec(text(), 0..3), vec(text(), 0..3), text(), any::<i64>());
    (results, lists, texts, any::<bool>()).prop_map(|(result, lists, texts, portable)| {
        let mut report = sample::rich();
        report.verdict.result = result;
        report.findings_total = 0;
        (report.findings, report.checks, report.notices) = lists;
        report.coverage = Default::default();
        for row in &report.checks {
            report.coverage.of(row.ecosystem).add(row.outcome);
        }
        report.problems = vec![Problem::skipped(texts.2.clone(), texts.2)];
        report.run.targets = texts.0;
        report.verdict.reasons = texts.1;
        report.run.started = texts.3;
        report.run.portable = portable;
        report
    })
}
