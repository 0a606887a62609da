//! Advisories as findings.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::model::text::printable;
use crate::model::{Finding, Location, Place};

use crate::pipeline::flow::AdvisoryMatch;

use super::Case;

/// Most packages, and symbols of one package, that a message names.
const SHOWN: usize = 3;

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
    let mut message = format!("{}: {what}", item.fact.id);
    if let Some(parts) = narrowed(item) {
        let _ = write!(message, " ({parts})");
    }
    if let Some(basis) = &item.basis {
        let _ = write!(message, "; {basis}");
    }
    if let Some(hint) = &item.hint {
        let _ = write!(message, "; {hint}");
    }
    message
}

/// The parts that the advisory speaks of, as many as a line holds.
fn narrowed(item: &AdvisoryMatch) -> Option<String> {
    let shown = item.parts.iter().take(SHOWN).map(|(path, symbols)| {
        let names: Vec<&str> = symbols.iter().take(SHOWN).map(String::as_str).collect();
        let more = symbols.len().saturating_sub(SHOWN);
        match (names.is_empty(), more) {
            (true, _) => path.clone(),
            (false, 0) => format!("{path}: {}", names.join(", ")),
            (false, more) => format!("{path}: {} and {more} more", names.join(", ")),
        }
    });
    let shown: Vec<String> = shown.collect();
    let more = item.parts.len().saturating_sub(SHOWN);
    let tail = (more > 0).then(|| format!("{more} more packages"));
    let all: Vec<String> = shown.into_iter().chain(tail).collect();
    (!all.is_empty()).then(|| printable(&all.join("; ")))
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
