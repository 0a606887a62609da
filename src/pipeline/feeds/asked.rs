//! Asks the shelf about an inventory: every package version that a lockfile names or a cache holds.
//!
//! Only packages of the ecosystem's public registry are asked about. What comes from git, a folder, a private or an unpinned registry is never
//! matched with a public namesake, and its name is looked up nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ecosystems::contract::{Binding, Ecosystem};
use crate::model::{
    Code, Coordinate, Digest, EcosystemId, Finding, Location, Origin, Place, Problem, Scheme, text,
};
use crate::pipeline::advise::index::AdvisoryDb;
use crate::pipeline::advise::matching::{self, Match, Subject};
use crate::pipeline::advise::poisoned::{Indicator, Poisoned};
use crate::pipeline::flow::{AdvisoryMatch, Check, Inventory, Seen};

use super::shelf::Shelf;

/// Where a package version is named: root, path below it, line.
type Spot = (usize, String, u32);

/// Every package version to ask about, with the lockfiles that name it: once per lockfile, at its first line there.
type Asked = BTreeMap<Arc<Coordinate>, BTreeMap<(usize, String), u32>>;

/// The advisories on every public package version of an inventory, by ecosystem, package and place; and what could not be decided.
pub fn matches(
    shelf: &Shelf,
    inventory: &Inventory,
    ecosystems: &[&'static dyn Ecosystem],
    is_public: &dyn Fn(&Coordinate) -> bool,
) -> (Vec<AdvisoryMatch>, Vec<Problem>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for ecosystem in ecosystems {
        let id = ecosystem.facts().id;
        let asked = collect(id, inventory, is_public);
        let dbs: Vec<&AdvisoryDb> = shelf.of(id).iter().collect();
        if asked.is_empty() || dbs.is_empty() {
            continue;
        }
        let order = shelf
            .rules
            .get(&id)
            .map_or_else(|| ecosystem.version_order(), |feed| feed.version_order());
        let coordinates: Vec<(&Arc<Coordinate>, String)> = asked
            .keys()
            .map(|coordinate| (coordinate, shelf.normalise(id, &coordinate.name)))
            .collect();
        let subjects: Vec<Subject<'_>> = coordinates
            .iter()
            .map(|(coordinate, package)| Subject {
                package,
                version: &coordinate.version,
                public: true,
            })
            .collect();
        let answer = matching::matches(&dbs, order, &subjects);
        for matched in answer.found {
            let Some((coordinate, _)) = coordinates.get(matched.subject) else {
                continue;
            };
            for location in spots(&asked, coordinate) {
                let basis = basis(inventory, coordinate, location.as_ref());
                found.push(AdvisoryMatch {
                    basis,
                    ..one(coordinate, &matched, location)
                });
            }
        }
        let at = |subject: usize| {
            coordinates
                .get(subject)
                .map(|(coordinate, _)| (place(inventory, &asked, coordinate), *coordinate))
        };
        for undecided in answer.undecided {
            let Some((place, coordinate)) = at(undecided.subject) else {
                continue;
            };
            let message = format!(
                "it cannot be said whether {} affects {}: read the advisory and compare the versions",
                undecided.id,
                text::printable(&coordinate.to_string())
            );
            problems.push(Problem::partial(place, message));
        }
        for (subject, feed, error) in answer.damaged {
            let Some((place, coordinate)) = at(subject) else {
                continue;
            };
            let message = format!(
                "advisory feed `{feed}` cannot be asked about {}: {error}",
                text::printable(&coordinate.to_string())
            );
            problems.push(Problem::partial(place, message));
        }
    }
    problems.sort();
    (found, problems)
}

fn collect(
    id: EcosystemId,
    inventory: &Inventory,
    is_public: &dyn Fn(&Coordinate) -> bool,
) -> Asked {
    let mut asked = Asked::new();
    let mut refused: BTreeSet<&Coordinate> = BTreeSet::new();
    // What a lockfile lists without building it is no part of the project.
    let mut listed: BTreeSet<&Coordinate> = BTreeSet::new();
    let locks = inventory
        .locks
        .iter()
        .filter(|lock| lock.ecosystem.facts().id == id);
    for lock in locks {
        for locked in &lock.packages {
            let coordinate = &locked.coordinate;
            if !locked.package.built {
                listed.insert(coordinate);
                continue;
            }
            if !asked.contains_key(coordinate) && !is_asked(coordinate, is_public, &mut refused) {
                continue;
            }
            let line = asked
                .entry(Arc::clone(coordinate))
                .or_default()
                .entry((lock.root, lock.rel.clone()))
                .or_insert(locked.package.line);
            *line = (*line).min(locked.package.line);
        }
    }
    parts(id, inventory, &mut asked);
    let units = inventory
        .units
        .iter()
        .filter(|placed| placed.ecosystem.facts().id == id);
    for placed in units {
        let Binding::Artifact(artifact) = &placed.unit.binding else {
            continue;
        };
        let coordinate = &artifact.coordinate;
        // A file beside archives (`go.mod`) is nothing that could be built.
        let whole = placed.unit.tree.is_some()
            || placed
                .unit
                .archive
                .as_ref()
                .is_some_and(|a| !a.format.is_plain());
        if !whole || listed.contains(coordinate) {
            continue;
        }
        if asked.contains_key(coordinate) || !is_asked(coordinate, is_public, &mut refused) {
            continue;
        }
        asked.insert(Arc::new(coordinate.clone()), BTreeMap::new());
    }
    asked
}

/// Parts of the tool itself (its standard library): no artifact of a registry, and public by nature.
fn parts(id: EcosystemId, inventory: &Inventory, asked: &mut Asked) {
    let locks = inventory
        .locks
        .iter()
        .filter(|lock| lock.ecosystem.facts().id == id);
    for lock in locks {
        for part in &lock.extra.parts {
            let coordinate = Coordinate {
                ecosystem: id,
                name: Arc::clone(&part.name),
                version: Arc::clone(&part.version),
                origin: Origin::Unknown,
            };
            asked
                .entry(Arc::new(coordinate))
                .or_default()
                .entry((lock.root, lock.rel.clone()))
                .or_insert(part.line);
        }
    }
}

/// Why a part of the tool itself was asked about in that version.
fn basis(
    inventory: &Inventory,
    coordinate: &Coordinate,
    location: Option<&Spot>,
) -> Option<Arc<str>> {
    let (root, rel, _) = location.filter(|_| coordinate.origin == Origin::Unknown)?;
    let mut locks = inventory.locks.iter();
    let lock = locks.find(|lock| lock.root == *root && lock.rel == *rel)?;
    let mut parts = lock.extra.parts.iter();
    let part = parts.find(|p| p.name == coordinate.name && p.version == coordinate.version)?;
    Some(Arc::clone(&part.why))
}

fn is_asked<'a>(
    coordinate: &'a Coordinate,
    is_public: &dyn Fn(&Coordinate) -> bool,
    refused: &mut BTreeSet<&'a Coordinate>,
) -> bool {
    if !matches!(coordinate.origin, Origin::Registry(_)) || refused.contains(coordinate) {
        return false;
    }
    let public = is_public(coordinate);
    if !public {
        refused.insert(coordinate);
    }
    public
}

/// The lockfiles that name a package version; one empty place if the cache alone holds it.
fn spots(asked: &Asked, coordinate: &Arc<Coordinate>) -> Vec<Option<Spot>> {
    let Some(named) = asked.get(coordinate).filter(|named| !named.is_empty()) else {
        return vec![None];
    };
    named
        .iter()
        .map(|((root, rel), line)| Some((*root, rel.clone(), *line)))
        .collect()
}

/// The first of them, for a person.
fn place(inventory: &Inventory, asked: &Asked, coordinate: &Arc<Coordinate>) -> String {
    match spots(asked, coordinate).into_iter().next().flatten() {
        None => text::printable(&coordinate.to_string()),
        Some((root, rel, line)) => {
            let shown = inventory
                .roots
                .get(root)
                .map_or_else(|| rel.clone(), |r| format!("{}/{rel}", r.path.display()));
            format!("{}:{line}", text::printable(&shown))
        }
    }
}

fn one(coordinate: &Arc<Coordinate>, matched: &Match, location: Option<Spot>) -> AdvisoryMatch {
    AdvisoryMatch {
        coordinate: Arc::clone(coordinate),
        code: matched.code(),
        severity: matched.severity,
        fact: matched.fact(),
        location,
        parts: matched
            .imports
            .iter()
            .map(|import| (import.path.clone(), import.symbols.clone()))
            .collect(),
        hint: None,
        basis: None,
    }
}

/// Our record of an artifact that was published to do harm.
fn indicator<'a>(own: &'a Poisoned, digest: &Digest) -> Option<&'a Indicator> {
    (digest.scheme() == Scheme::Sha256)
        .then(|| own.artifact(&digest.hex()))
        .flatten()
}

/// Findings for what is a known poisoned artifact by its bytes, under whatever name it lies or is locked.
pub fn indicators(own: &Poisoned, inventory: &Inventory, checks: &[Check]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in checks {
        let digests = match &check.seen {
            Seen::Archive { observed, .. } => observed.as_slice(),
            Seen::LockedHash { digests } => digests.as_slice(),
            Seen::Inspected {
                observed: Some(observed),
                ..
            } => std::slice::from_ref(observed),
            _ => continue,
        };
        let known = digests
            .iter()
            .find_map(|digest| Some((digest, indicator(own, digest)?)));
        let Some((digest, indicator)) = known else {
            continue;
        };
        let subject = &check.subject;
        let mut finding = Finding::new(
            Code::IndicatorMatch,
            subject.place,
            format!("{}: {}", indicator.id, indicator.incident),
        );
        finding.ecosystem = Some(subject.ecosystem);
        if let Some(coordinate) = &subject.coordinate {
            finding.package = Some(Arc::clone(&coordinate.name));
            finding.version = Some(Arc::clone(&coordinate.version));
        }
        finding.artifact.clone_from(&subject.artifact);
        finding.root = inventory
            .roots
            .get(subject.root)
            .map(|root| root.info.id.clone());
        let (rel, escaped) = text::percent(std::os::unix::ffi::OsStrExt::as_bytes(
            subject.rel.as_os_str(),
        ));
        if subject.place == Place::Lockfile {
            finding.location = Some(Location {
                file: rel.clone(),
                line: subject.line,
            });
        }
        finding.rel = Some(rel);
        finding.path_escaped = escaped;
        finding.observed = Some(*digest);
        findings.push(finding);
    }
    findings
}
