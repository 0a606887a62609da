//! Beside the stages: what to type for each finding. Where heal would act, its remedy is that call of heal and no other.
//!
//! Decided by the plan itself, so that a remedy never names a heal that would do nothing. Where heal does not act, what was
//! said before stays, but for what must not be removed or changed by hand: there it is said what does help.

use std::collections::BTreeSet;

use super::ailing::Aftermath;
use super::heal::plan::{Choice, plan};
use crate::model::{Class, Code, Finding};

/// Findings that are planned for; a machine format carries no more.
const MOST: usize = 10_000;

/// Sets the remedies. `collect` is what healing is handed, `call` what stands behind `untaint heal`.
pub(super) fn fill(
    findings: &mut [Finding],
    collect: &dyn Fn(&[Finding]) -> Aftermath,
    call: &str,
) {
    let wanted = |f: &Finding| {
        f.waived.is_none()
            && matches!(
                f.class(),
                Class::Integrity | Class::Malicious | Class::Place | Class::Lockfile
            )
    };
    for finding in findings.iter_mut().filter(|f| wanted(f)) {
        if let Some(words) = by_hand(finding.code) {
            finding.remedy = Some(words.to_owned());
        }
    }
    let meant = |f: &Finding| wanted(f) || (f.waived.is_none() && f.class() == Class::Source);
    if findings.len() > MOST || !findings.iter().any(meant) {
        return;
    }
    let aftermath = collect(findings);
    let choices = [
        ("", Choice::default()),
        (
            " --project",
            Choice {
                project: true,
                ..Choice::default()
            },
        ),
        (
            " --purge-unverified",
            Choice {
                purge_unverified: true,
                ..Choice::default()
            },
        ),
    ];
    let mut answered = BTreeSet::new();
    for (option, choice) in choices {
        let ids: BTreeSet<String> = plan(&aftermath, &choice)
            .steps
            .iter()
            .flat_map(|step| step.findings.iter().map(|f| f.id.clone()))
            .collect();
        let new = |f: &&mut Finding| {
            meant(f)
                && !f.id.is_empty()
                && ids.contains(&f.id)
                && !answered.contains(&f.id)
                && by_hand(f.code).is_none()
        };
        for finding in findings.iter_mut().filter(new) {
            let id = &finding.id;
            finding.remedy = Some(format!("untaint heal{call}{option} --only {id} --yes"));
        }
        answered.extend(ids);
    }
}

/// What heal must not do, and nobody should in a hurry.
const fn by_hand(code: Code) -> Option<&'static str> {
    match code {
        Code::PublishedHashChanged => Some(
            "build nothing with it, and ask its registry which digest it published; heal takes no side",
        ),
        Code::LockfileHashMismatch | Code::LockfileHashUnknown => Some(
            "look who changed the line, and take the lockfile of a revision that you trust; heal leaves lockfiles alone",
        ),
        _ => None,
    }
}
