//! Every way in which a heal ends, and what it may never say.

use std::path::PathBuf;

use super::*;
use crate::model::{Code, Problem};
use crate::pipeline::heal::receipt::Receipt;
use crate::pipeline::report::sample;

fn facts<'a>(policy: &'a Policy, report: &'a Report) -> Facts<'a> {
    Facts {
        policy,
        report,
        planned: 0,
        receipts: None,
        recovered: &[],
        left: &[],
    }
}

fn end(report: &Report) -> HealVerdict {
    HealVerdict::of(&facts(&Policy::default(), report))
}

fn with(finding: Finding) -> Report {
    let mut report = sample::clean();
    report.verdict.result = VerdictResult::Findings;
    report.findings.push(finding);
    report
}

fn receipts(ended: Ended) -> Receipts {
    Receipts {
        closed: true,
        done: vec![Receipt {
            number: 1,
            ecosystem: "cargo".into(),
            package: "a@1.0.0".into(),
            findings: Vec::new(),
            ended,
            moved: Vec::new(),
            put: Vec::new(),
            evidence: None,
            other_bytes: false,
        }],
        ..Receipts::default()
    }
}

#[test]
fn only_a_clean_scan_is_called_clean() {
    let clean = end(&sample::clean());
    assert_eq!(clean.result, HealResult::As(VerdictResult::Clean));
    assert_eq!(clean.line(), "clean");
    for (code, place) in [
        (Code::Vulnerable, Place::Lockfile),
        (Code::SourceRedirected, Place::Settings),
        (Code::Withdrawn, Place::Lockfile),
        (Code::LinkEscape, Place::Vendor),
    ] {
        let ended = end(&with(Finding::new(code, place, "x")));
        assert_eq!(ended.result, HealResult::Done, "{code}");
        assert_eq!(ended.result.verdict().exit_code(), 0, "{code}");
        assert!(!ended.line().contains("clean"), "{}", ended.line());
        assert!(ended.line().contains("a scan still reports 1 "), "{code}");
    }
}

#[test]
fn what_heal_is_there_for_counts_wherever_it_cannot_act() {
    for (code, place) in [
        (Code::TreeModified, Place::Cache),
        (Code::TreeModified, Place::Vendor),
        (Code::LockfileHashMismatch, Place::Lockfile),
        (Code::LinkEscape, Place::Cache),
        (Code::CacheWritableByOthers, Place::Cache),
        (Code::Malicious, Place::Cache),
    ] {
        let ended = end(&with(Finding::new(code, place, "x")));
        let wanted = HealResult::As(VerdictResult::Findings);
        assert_eq!(ended.result, wanted, "{code}");
        assert_eq!(ended.reasons.len(), 1, "{code}");
    }
}

#[test]
fn a_threshold_hides_no_taint() {
    let mut report = with(Finding::new(Code::TreeModified, Place::Vendor, "x"));
    report.verdict.result = VerdictResult::Incomplete;
    let ecosystem = report.checks[0].ecosystem;
    report.coverage.of(ecosystem).add(Outcome::Tainted);
    let policy = Policy {
        fail_on: Vec::new(),
        ..Policy::default()
    };
    let ended = HealVerdict::of(&facts(&policy, &report));
    assert_eq!(ended.result, HealResult::As(VerdictResult::Findings));
    assert!(ended.line().contains("stays tainted"), "{}", ended.line());
}

#[test]
fn below_the_threshold_it_is_not_clean_and_a_copy_that_does_not_fit_ends_one() {
    for (code, place, exit) in [
        (Code::LockfileHashMissing, Place::Lockfile, 0),
        (Code::ForeignOwner, Place::Cache, 0),
        (Code::LockfileFactMismatch, Place::Vendor, 1),
    ] {
        let mut finding = Finding::new(code, place, "x");
        finding.severity = Severity::Medium;
        let mut report = with(finding);
        report.verdict.result = VerdictResult::Clean;
        let ended = end(&report);
        assert_eq!(ended.result.verdict().exit_code(), exit, "{code}");
        assert_ne!(ended.line(), "clean", "{code}");
    }
}

#[test]
fn a_plan_that_was_shown_ends_one() {
    let (policy, report) = (Policy::default(), sample::clean());
    let facts = Facts {
        planned: 2,
        ..facts(&policy, &report)
    };
    let ended = HealVerdict::of(&facts);
    assert_eq!(ended.result, HealResult::As(VerdictResult::Findings));
    assert_eq!(ended.reasons, ["2 steps are planned"]);
}

#[test]
fn what_is_left_to_the_user_is_never_zero() {
    let (policy, report) = (Policy::default(), sample::clean());
    for (tainted, code) in [(true, 1), (false, 3)] {
        let left = [Left {
            path: PathBuf::from("/t"),
            why: "x".into(),
            tainted,
        }];
        let facts = Facts {
            left: &left,
            ..facts(&policy, &report)
        };
        let ended = HealVerdict::of(&facts);
        assert_eq!(ended.result.verdict().exit_code(), code);
        assert_eq!(ended.reasons.len(), 1);
    }
}

#[test]
fn a_step_that_failed_is_named_with_its_reason() {
    let (policy, report) = (Policy::default(), sample::clean());
    for ended in [Ended::Failed("no".into()), Ended::Stuck("no".into())] {
        let receipts = receipts(ended);
        let facts = Facts {
            receipts: Some(&receipts),
            ..facts(&policy, &report)
        };
        let ended = HealVerdict::of(&facts);
        assert_eq!(ended.result, HealResult::As(VerdictResult::Incomplete));
        assert!(ended.line().contains("cargo a@1.0.0"), "{}", ended.line());
        assert!(ended.line().contains(": no"), "{}", ended.line());
    }
    for ended in [
        Ended::Healed,
        Ended::Removed("x".into()),
        Ended::Nothing,
        Ended::Kept("x".into()),
    ] {
        let receipts = receipts(ended);
        let facts = Facts {
            receipts: Some(&receipts),
            ..facts(&policy, &report)
        };
        let ended = HealVerdict::of(&facts);
        assert_eq!(ended.result, HealResult::As(VerdictResult::Clean));
    }
}

/// What was tainted is gone, and whoever sent the taint again is still there.
#[test]
fn other_bytes_than_those_that_were_published_end_one() {
    let (policy, report) = (Policy::default(), sample::clean());
    let mut receipts = receipts(Ended::Removed("refused".into()));
    receipts.done[0].other_bytes = true;
    let facts = Facts {
        receipts: Some(&receipts),
        ..facts(&policy, &report)
    };
    let ended = HealVerdict::of(&facts);
    assert_eq!(ended.result, HealResult::As(VerdictResult::Findings));
    assert!(ended.line().contains("an attack"), "{}", ended.line());
}

#[test]
fn an_incomplete_end_names_everything_that_is_open() {
    let mut report = sample::clean();
    report.verdict.result = VerdictResult::Incomplete;
    report
        .problems
        .push(Problem::skipped("/h/registry/src", "is a link"));
    report
        .problems
        .push(Problem::as_the_tool("/h/x", "its tool ignores it too"));
    let mut row = report.checks[0].clone();
    row.rel = "registry/cache/x".into();
    row.outcome = Outcome::Unverifiable(Reason::Unbound);
    report.coverage.of(row.ecosystem).add(row.outcome);
    report.checks.push(row.clone());
    row.outcome = Outcome::Unverifiable(Reason::Git);
    report.coverage.of(row.ecosystem).add(row.outcome);
    report.checks.push(row);
    let ended = end(&report);
    assert_eq!(ended.result, HealResult::As(VerdictResult::Incomplete));
    assert_eq!(
        ended.reasons,
        ["1 could not be verified (unbound)", "1 problem in reading"]
    );
    let [problem, unbound] = &*ended.gaps else {
        panic!("{:?}", ended.gaps);
    };
    assert_eq!(problem.path, "/h/registry/src");
    assert!(unbound.path.ends_with("/registry/cache/x"));
    assert!(unbound.advice.is_some());
}

#[test]
fn a_run_that_was_cut_short_is_never_done() {
    let mut report = with(Finding::new(Code::Vulnerable, Place::Lockfile, "x"));
    report.verdict.cut_short = true;
    let ended = end(&report);
    assert_eq!(ended.result, HealResult::As(VerdictResult::Incomplete));
    assert_eq!(ended.beside, ["1 advisory finding"]);
}

/// A scan that is not clean for whatever reason is believed.
#[test]
fn no_scan_is_called_better_than_it_ended() {
    for result in VerdictResult::ALL {
        let mut report = sample::clean();
        report.verdict.result = result;
        let ended = end(&report);
        assert_eq!(ended.result.verdict(), result);
    }
}
