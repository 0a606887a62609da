//! Advisories as findings.

use std::sync::Arc;

use crate::model::{Finding, Location, Place};

use crate::pipeline::flow::AdvisoryMatch;

use super::Case;

/// Adds one finding per advisory and package version.
pub(super) fn add(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if !case.policy.advisories {
        return;
    }
    for item in case.matches {
        let place = if item.location.is_some() {
            Place::Lockfile
        } else {
            Place::Cache
        };
        let mut finding = Finding::new(item.code, place, message(item));
        finding.severity = item.severity;
        finding.ecosystem = Some(item.coordinate.ecosystem);
        finding.package = Some(Arc::clone(&item.coordinate.name));
        finding.version = Some(Arc::clone(&item.coordinate.version));
        finding.advisory = Some(item.fact.clone());
        if let Some((root, rel, line)) = &item.location {
            finding.root = case.inventory.roots.get(*root).map(|r| r.info.id.clone());
            finding.rel = Some(rel.clone());
            finding.location = Some(Location {
                file: rel.clone(),
                line: Some(*line),
            });
        }
        finding.remedy = remedy(item);
        findings.push(finding);
    }
}

fn message(item: &AdvisoryMatch) -> String {
    let what = item.code.summary();
    format!("{}: {what}", item.fact.id)
}

fn remedy(item: &AdvisoryMatch) -> Option<String> {
    let fixed = &item.fact.fixed;
    (!fixed.is_empty()).then(|| {
        let name = &item.coordinate.name;
        format!(
            "update {name} to a version in which it is fixed: {}",
            fixed.join(", ")
        )
    })
}
