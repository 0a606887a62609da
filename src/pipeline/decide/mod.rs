//! What does the policy make of it? Pure: checks, matches, problems and policy in; findings and a verdict out.
//!
//! No port is handed in here. Outcomes come from the truth table alone ([`crate::pipeline::truth`]).

mod advisories;
mod amend;
mod existence;
mod identity;
mod judge;
mod lockfile;
mod memorable;
mod verdict;

pub use amend::amend;
pub use memorable::Memorable;

use std::collections::BTreeMap;

use crate::model::policy::Policy;
use crate::model::report::{CheckRow, FeedFacts, Verdict};
use crate::model::{Coordinate, Coverage, Finding, Notice, Problem};

use super::flow::{AdvisoryMatch, Check, Inventory, Recent};
use super::knowledge::Sage;

/// Everything that deciding needs.
pub struct Case<'a> {
    /// What was read.
    pub inventory: &'a Inventory,
    /// What was seen.
    pub checks: &'a [Check],
    /// What is known.
    pub sage: &'a Sage<'a>,
    /// Times of publication that cached listings claim.
    pub recent: &'a Recent,
    /// Advisories that cover something.
    pub matches: &'a [AdvisoryMatch],
    /// Advisory feeds in use.
    pub feeds: &'a [FeedFacts],
    /// Ecosystems that advisories were asked about and no feed covers.
    pub uncovered: &'a [String],
    /// The policy.
    pub policy: &'a Policy,
    /// Problems of every stage.
    pub problems: Vec<Problem>,
    /// Notices of every stage.
    pub notices: Vec<Notice>,
    /// Findings that stand already (places, settings, feeds).
    pub findings: Vec<Finding>,
    /// Lockfiles that nobody reads: (ecosystem, tool, root, path).
    pub unsupported: &'a [(&'static str, &'static str, usize, String)],
    /// Whether the user left parts of a tree out.
    pub excluded: bool,
    /// Whether the run was cut short.
    pub cut_short: bool,
    /// Shell words for what its tool does to fetch anew.
    pub portable: bool,
    /// Seconds since 1970.
    pub now: i64,
}

/// What was decided.
pub struct Decision {
    /// Findings, sorted as the contract says.
    pub findings: Vec<Finding>,
    /// Notices, sorted.
    pub notices: Vec<Notice>,
    /// Problems, sorted.
    pub problems: Vec<Problem>,
    /// Counts.
    pub coverage: Coverage,
    /// One row per subject, sorted.
    pub rows: Vec<CheckRow>,
    /// The verdict.
    pub verdict: Verdict,
    /// Archives whose first sight is worth remembering: what they are, and what they hash to.
    pub memorable: Vec<Memorable>,
}

/// Decides.
pub fn decide(case: Case<'_>) -> Decision {
    let mut judged = judge::Judged::new(&case);
    for check in case.checks {
        judged.check(check);
    }
    judged.settle_locked();
    judged.unsupported();
    let judge::Judged {
        mut findings,
        mut notices,
        mut problems,
        mut coverage,
        mut rows,
        memorable,
        ..
    } = judged;
    findings.extend(case.findings.iter().cloned());
    if !case.policy.integrity {
        findings.retain(|f| {
            !matches!(
                f.class(),
                crate::model::Class::Integrity | crate::model::Class::Lockfile
            )
        });
    }
    advisories::add(&case, &mut findings);
    lockfile::pictures(&case, &mut findings);
    identity::name(&mut findings, case.inventory);
    identity::causes(&mut findings);
    identity::remedies(&mut findings, case.inventory);
    identity::chains(&case, &mut findings);
    let waived = verdict::waive(&case, &mut findings);
    findings.extend(waived);
    identity::name(&mut findings, case.inventory);
    identity::sort(&mut findings);
    notices.extend(case.notices.iter().cloned());
    problems.extend(case.problems.iter().cloned());
    notices.extend(verdict::feed_notices(&case));
    notices.sort();
    notices.dedup();
    problems.sort();
    problems.dedup();
    rows.sort_by(|a, b| {
        (
            a.ecosystem,
            &a.package,
            &a.version,
            a.place,
            &a.root,
            &a.rel,
            a.kind,
        )
            .cmp(&(
                b.ecosystem,
                &b.package,
                &b.version,
                b.place,
                &b.root,
                &b.rel,
                b.kind,
            ))
    });
    count_claims(&case, &mut coverage);
    let verdict = verdict::verdict(&case, &findings, &problems, &coverage);
    Decision {
        findings,
        notices,
        problems,
        coverage,
        rows,
        verdict,
        memorable,
    }
}

/// How many package versions each assurance says something about.
fn count_claims(case: &Case<'_>, coverage: &mut Coverage) {
    let mut seen: BTreeMap<&Coordinate, ()> = BTreeMap::new();
    for check in case.checks {
        let Some(coordinate) = &check.subject.coordinate else {
            continue;
        };
        if check.subject.artifact.is_none() || seen.insert(coordinate, ()).is_some() {
            continue;
        }
        let file = check.subject.artifact.as_deref().unwrap_or_default();
        let knowledge = case.sage.knowledge(coordinate, file, case.recent);
        let mut levels: Vec<_> = knowledge
            .claims
            .iter()
            .map(crate::model::Claim::effective)
            .collect();
        levels.sort();
        levels.dedup();
        let tally = coverage.of(check.subject.ecosystem);
        for level in levels {
            *tally.claims.entry(level).or_default() += 1;
        }
    }
}
