//! Adds findings to a report that is already decided: what came out afterwards, with the verdict that follows.

use crate::model::policy::Policy;
use crate::model::report::{Report, VerdictResult};
use crate::model::{Class, Finding};

use super::identity;

/// Adds findings. They get their ids and paths as all others do; the verdict only ever becomes worse.
pub fn amend(report: &mut Report, findings: Vec<Finding>, policy: &Policy) {
    for mut finding in findings {
        identity::place(&mut finding, |root| {
            let known = report.run.roots.iter().find(|known| known.id == *root);
            known.map(|known| known.path.as_str())
        });
        if report.findings.iter().any(|known| known.id == finding.id) {
            continue;
        }
        if policy.reaches(finding.code, finding.severity) {
            let class = finding.class();
            let count = report.verdict.counts.entry(class).or_default();
            let old = told(class, *count);
            *count += 1;
            let new = told(class, *count);
            let reasons = &mut report.verdict.reasons;
            match reasons.iter_mut().find(|reason| **reason == old) {
                Some(reason) => *reason = new,
                None => reasons.insert(0, new),
            }
            report.verdict.result = VerdictResult::Findings;
        }
        report.findings_total += 1;
        report.findings.push(finding);
    }
    identity::sort(&mut report.findings);
}

/// How the verdict counts a class.
pub(super) fn told(class: Class, count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {} finding{plural}", class.as_str())
}
