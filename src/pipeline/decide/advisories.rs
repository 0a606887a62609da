//! Advisories as findings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::ecosystems::contract::Ecosystem;
use crate::model::text::printable;
use crate::model::{Coordinate, Finding, Location, Place};

use crate::pipeline::flow::AdvisoryMatch;

use super::Case;

/// Most packages, and symbols of one package, that a message names.
const SHOWN: usize = 3;

/// Adds one finding per advisory and package version.
pub(super) fn add(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if !case.policy.advisories {
        return;
    }
    let targets = targets(case.matches);
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
        finding.remedy = remedy(item, &targets);
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

/// For every package version, the version that mends all that is known of it.
fn targets(matches: &[AdvisoryMatch]) -> BTreeMap<&Coordinate, String> {
    let mut targets: BTreeMap<&Coordinate, String> = BTreeMap::new();
    for item in matches {
        let Some(ecosystem) = ecosystem(&item.coordinate) else {
            continue;
        };
        let is_later = |a: &str, b: &str| {
            ecosystem.version_order().compare(a, b) == Some(std::cmp::Ordering::Greater)
        };
        let fixed = item.fact.fixed.iter().map(|v| ecosystem.spelled_version(v));
        let later = fixed.filter(|fixed| is_later(fixed, &item.coordinate.version));
        let next = later.reduce(|one, other| if is_later(&one, &other) { other } else { one });
        if let Some(next) = next {
            let known = targets
                .entry(&item.coordinate)
                .or_insert_with(|| next.clone());
            if is_later(&next, known) {
                *known = next;
            }
        }
    }
    targets
}

fn ecosystem(coordinate: &Coordinate) -> Option<&'static dyn Ecosystem> {
    let all = crate::ecosystems::all().iter().copied();
    let mut all = all.filter(|e| e.facts().id == coordinate.ecosystem);
    all.next()
}

fn remedy(item: &AdvisoryMatch, targets: &BTreeMap<&Coordinate, String>) -> Option<String> {
    let Coordinate { name, version, .. } = &*item.coordinate;
    let Some(target) = targets.get(&*item.coordinate) else {
        let fixed = &item.fact.fixed;
        return (!fixed.is_empty()).then(|| {
            format!(
                "take a version of {name} in which it is fixed: {}",
                fixed.join(", ")
            )
        });
    };
    let command = ecosystem(&item.coordinate)?.update_command(name, version, target);
    Some(command.unwrap_or_else(|| format!("update {name} to {target} or later")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::advisory::AdvisoryFact;
    use crate::model::{Code, Origin, Severity};

    fn matched(ecosystem: &str, (name, version): (&str, &str), fixed: &[&str]) -> AdvisoryMatch {
        let all = crate::ecosystems::all().iter();
        let mut ids = all
            .map(|e| e.facts().id)
            .filter(|id| id.as_str() == ecosystem);
        AdvisoryMatch {
            coordinate: Arc::new(Coordinate {
                ecosystem: ids.next().unwrap(),
                name: name.into(),
                version: version.into(),
                origin: Origin::Unknown,
            }),
            code: Code::Vulnerable,
            severity: Severity::High,
            fact: AdvisoryFact {
                id: "X-1".into(),
                aliases: Vec::new(),
                score: None,
                vector: None,
                fixed: fixed.iter().map(|v| (*v).to_owned()).collect(),
                source: "feed".into(),
                link: None,
            },
            location: None,
            parts: Vec::new(),
            hint: None,
            basis: None,
        }
    }

    /// Remedies of advisories, each with the versions in which it is fixed, on one version of a package.
    fn remedies(ecosystem: &str, at: (&str, &str), fixed: &[&[&str]]) -> Vec<Option<String>> {
        let matches: Vec<AdvisoryMatch> = fixed
            .iter()
            .map(|fixed| matched(ecosystem, at, fixed))
            .collect();
        let targets = targets(&matches);
        matches.iter().map(|item| remedy(item, &targets)).collect()
    }

    #[test]
    fn one_command_mends_everything_that_is_known_of_a_package() {
        let two = remedies(
            "cargo",
            ("smallvec", "1.6.0"),
            &[&["0.6.14", "1.6.1"], &["1.8.0"]],
        );
        let command = Some("cargo update -p smallvec@1.6.0 --precise 1.8.0".to_owned());
        assert_eq!(two, [command.clone(), command]);
        let go = remedies(
            "go",
            ("golang.org/x/net", "v0.1.0"),
            &[&["0.7.0"], &["0.39.0"]],
        );
        let command = Some("go get golang.org/x/net@v0.39.0".to_owned());
        assert_eq!(go, [command.clone(), command]);
    }

    #[test]
    fn what_no_command_does_is_said_in_words() {
        let said = |ecosystem, at, fixed: &[&str]| remedies(ecosystem, at, &[fixed]).remove(0);
        let words = |text: &str| Some(text.to_owned());
        assert_eq!(
            said("cargo", ("a", "0.3.1"), &["0.4.0"]),
            words("update a to 0.4.0 or later")
        );
        assert_eq!(
            said("go", ("stdlib", "v1.24.0"), &["1.24.1"]),
            words("update stdlib to v1.24.1 or later")
        );
        assert_eq!(
            said("cargo", ("a", "2.0.0"), &["1.0.1"]),
            words("take a version of a in which it is fixed: 1.0.1")
        );
        assert_eq!(said("cargo", ("a", "1.0.0"), &[]), None);
        let hostile = said("cargo", ("a;rm", "1.0.0"), &["1.0.1"]);
        assert_eq!(
            hostile,
            words("cargo update -p 'a;rm@1.0.0' --precise 1.0.1")
        );
    }
}
