//! Waivers, thresholds and the verdict.

use std::collections::BTreeMap;

use crate::model::finding::Waived;
use crate::model::report::{Verdict, VerdictResult};
use crate::model::{
    Class, Code, Coverage, Effect, Finding, Notice, NoticeCode, Place, Problem, Severity,
};

use super::Case;
use super::amend::told;

/// Marks what is waived; gives findings about waivers themselves.
pub(super) fn waive(case: &Case<'_>, findings: &mut [Finding]) -> Vec<Finding> {
    let mut about = Vec::new();
    for waiver in &case.policy.waivers {
        let over = waiver.until.is_over(case.now);
        let mut used = false;
        for finding in findings.iter_mut().filter(|f| waiver.covers(f)) {
            used = true;
            if !over {
                finding.waived = Some(Waived {
                    reason: waiver.reason.clone(),
                    owner: waiver.owner.clone(),
                    expires: waiver.until.to_string(),
                });
            }
        }
        let code = match (over, used) {
            (true, true) => Code::WaiverExpired,
            (false, false) => Code::WaiverUnused,
            _ => continue,
        };
        let message = format!(
            "the waiver at {} {}",
            waiver.at,
            if over {
                "has run out"
            } else {
                "matches nothing"
            }
        );
        about.push(Finding::new(code, Place::Settings, message));
    }
    about
}

/// What is to be said of feeds that are missing or too old.
pub(super) fn feed_notices(case: &Case<'_>) -> Vec<Notice> {
    if !case.policy.advisories {
        return Vec::new();
    }
    let old = case.feeds.iter().filter(|f| f.too_old).map(|f| {
        let date = day(f.updated);
        (
            format!(
                "advisory data `{}` is of {date}, older than allowed",
                f.name
            ),
            f.ecosystem,
        )
    });
    let none = case
        .uncovered
        .iter()
        .map(|name| (format!("no advisory data for {name}"), None));
    old.chain(none)
        .map(|(message, ecosystem)| Notice {
            code: NoticeCode::FeedTooOld,
            reason: None,
            ecosystem,
            package: None,
            version: None,
            path: None,
            message,
            remedy: Some("untaint feeds update".into()),
        })
        .collect()
}

fn day(seconds: i64) -> String {
    crate::model::day::Day::of(seconds).to_string()
}

/// The verdict: the worst that applies, computed from findings and counts alone.
pub(super) fn verdict(
    case: &Case<'_>,
    findings: &[Finding],
    problems: &[Problem],
    coverage: &Coverage,
) -> Verdict {
    let policy = case.policy;
    let mut counts: BTreeMap<Class, u64> = BTreeMap::new();
    let reaching = findings
        .iter()
        .filter(|f| f.waived.is_none() && policy.reaches(f.code, f.severity));
    for finding in reaching {
        *counts.entry(finding.class()).or_default() += 1;
    }
    let mut reasons: Vec<(VerdictResult, String)> = counts
        .iter()
        .map(|(class, n)| (VerdictResult::Findings, told(*class, *n)))
        .collect();
    let total = coverage.total();
    for (reason, n) in &total.unverifiable {
        if !policy.allows(*reason) {
            let text = format!("{n} could not be verified ({reason})");
            reasons.push((VerdictResult::Incomplete, text));
        }
    }
    let unread = problems
        .iter()
        .filter(|p| p.effect != Effect::AsTheTool)
        .count();
    if unread > 0 {
        let plural = if unread == 1 { "" } else { "s" };
        reasons.push((
            VerdictResult::Incomplete,
            format!("{unread} problem{plural} in reading"),
        ));
    }
    if case.cut_short {
        reasons.push((VerdictResult::Incomplete, "the run was cut short".into()));
    }
    if policy.advisories {
        let stale = case.feeds.iter().filter(|f| f.too_old).count() + case.uncovered.len();
        if stale > 0 {
            reasons.push((
                VerdictResult::Stale,
                "advisory data missing or older than allowed".into(),
            ));
        }
    }
    let nothing = total.subjects() == 0 && total.absent == 0 && total.first_party == 0;
    let no_locks = case.inventory.locks.is_empty();
    if nothing && no_locks && problems.is_empty() && !policy.allow_empty {
        reasons.push((VerdictResult::Empty, "nothing to audit".into()));
    }
    // A threshold may leave integrity out; that never makes a tainted subject clean. A waiver by exact bytes may.
    if total.tainted + total.conflict > 0 {
        let of_bytes = |f: &&Finding| matches!(f.class(), Class::Integrity | Class::Lockfile);
        let told = findings.iter().filter(of_bytes).count();
        let below = findings
            .iter()
            .filter(of_bytes)
            .filter(|f| f.severity >= Severity::High && f.waived.is_none())
            .any(|f| !policy.reaches(f.code, f.severity));
        if below || told == 0 {
            reasons.push((
                VerdictResult::Incomplete,
                "tainted subjects are below the threshold".into(),
            ));
        }
    }
    reasons.sort_by_key(|(result, _)| result.exit_code());
    let result = reasons
        .first()
        .map_or(VerdictResult::Clean, |(result, _)| *result);
    Verdict {
        result,
        assurance: policy.require,
        counts,
        reasons: reasons.into_iter().map(|(_, text)| text).collect(),
        cut_short: case.cut_short,
    }
}
