//! Package URLs of what lockfiles and caches hold, for components and findings: output only, never a key.

use std::collections::{BTreeMap, BTreeSet};

use crate::ecosystems::contract::Ecosystem;
use crate::formats::purl;
use crate::model::{Coordinate, EcosystemId, Finding, Origin};

use super::flow::{Check, Inventory};

/// The package URL of a coordinate. `public` says whether a package comes from the default registry of its ecosystem (its
/// address is then left out).
pub fn of(
    kind: &str,
    coordinate: &Coordinate,
    public: &dyn Fn(&Coordinate) -> bool,
) -> Option<String> {
    let repository = match &coordinate.origin {
        Origin::Registry(registry) if !public(coordinate) => Some(&*registry.address),
        _ => None,
    };
    let qualifiers: Vec<(&str, &str)> = repository
        .map(|address| ("repository_url", address))
        .into_iter()
        .collect();
    purl::spell(
        kind,
        None,
        &coordinate.name,
        &coordinate.version,
        &qualifiers,
    )
    .ok()
}

/// Gives every finding about a version of a registry's package its package URL.
pub(super) fn fill(
    findings: &mut [Finding],
    ecosystems: &[&'static dyn Ecosystem],
    inventory: &Inventory,
    checks: &[Check],
    public: &dyn Fn(&Coordinate) -> bool,
) {
    let mut of_registries: BTreeMap<(EcosystemId, &str, &str), BTreeSet<&Coordinate>> =
        BTreeMap::new();
    let locked = inventory.locks.iter().flat_map(|lock| &lock.packages);
    let coordinates = locked.map(|locked| &*locked.coordinate).chain(
        checks
            .iter()
            .filter_map(|c| c.subject.coordinate.as_deref()),
    );
    for coordinate in coordinates {
        if matches!(coordinate.origin, Origin::Registry(_)) && !coordinate.version.is_empty() {
            let key = (
                coordinate.ecosystem,
                &*coordinate.name,
                &*coordinate.version,
            );
            of_registries.entry(key).or_default().insert(coordinate);
        }
    }
    for finding in findings.iter_mut().filter(|f| f.purl.is_none()) {
        let (Some(id), Some(name), Some(version)) =
            (finding.ecosystem, &finding.package, &finding.version)
        else {
            continue;
        };
        let found = of_registries.get(&(id, &**name, &**version));
        let coordinate = match found.map(|found| (found.len(), found.first())) {
            Some((1, Some(one))) => Some(*one),
            // One name in two registries: the finding's own place says which of them it is about.
            Some(_) => here(finding, inventory, checks),
            None => None,
        };
        let kind = ecosystems.iter().find(|e| e.facts().id == id);
        if let (Some(coordinate), Some(kind)) = (coordinate, kind) {
            finding.purl = of(kind.facts().purl_type, coordinate, public);
        }
    }
}

/// The package version whose check gave a finding.
fn here<'a>(
    finding: &Finding,
    inventory: &Inventory,
    checks: &'a [Check],
) -> Option<&'a Coordinate> {
    let rel = finding.rel.as_deref()?;
    let root = finding.root.as_ref()?;
    checks
        .iter()
        .filter(|check| {
            let at = inventory.roots.get(check.subject.root);
            at.is_some_and(|at| at.info.id == *root) && check.subject.rel.to_string_lossy() == *rel
        })
        .filter_map(|check| check.subject.coordinate.as_deref())
        .find(|c| {
            Some(&c.name) == finding.package.as_ref()
                && Some(&c.version) == finding.version.as_ref()
                && matches!(c.origin, Origin::Registry(_))
        })
}
