//! What packages are used for, by a file that the user named: it explains findings and fills bills of materials.
//!
//! It never takes a finding away nor changes a severity: what is unused today is one feature away from being used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ecosystems::contract::Ecosystem;
use crate::ecosystems::uses::{SourceKind, UseMap};
use crate::model::report::{Component, Scope};
use crate::model::{Coordinate, EcosystemId, Finding, Origin, Problem};

use super::flow::{Inventory, Lock};

/// A file that was named, as its ecosystem read it.
#[derive(Clone)]
pub struct Named {
    /// Its path, for messages.
    pub path: String,
    /// Whose it is.
    pub ecosystem: &'static dyn Ecosystem,
    /// What it says.
    pub uses: UseMap,
}

/// What every locked package is used for; packages that a lockfile holds of which the file says nothing are left out.
#[derive(Default)]
pub struct Scopes {
    by_package: BTreeMap<Arc<Coordinate>, Scope>,
}

impl Scopes {
    /// Holds a file against the lockfiles. It speaks of a lockfile that locks all that it resolves, and of no other.
    ///
    /// # Errors
    /// A problem when it fits no lockfile.
    pub fn of(named: &Named, inventory: &Inventory) -> Result<Self, Problem> {
        let id = named.ecosystem.facts().id;
        let (fits, others): (Vec<&Lock>, Vec<&Lock>) = inventory
            .locks
            .iter()
            .filter(|lock| lock.ecosystem.facts().id == id)
            .partition(|lock| covers(lock, &named.uses));
        if fits.is_empty() {
            return Err(Problem::partial(
                named.path.clone(),
                "fits no lockfile that was read: make it anew for the locked versions",
            ));
        }
        let elsewhere: BTreeSet<&Coordinate> = others
            .iter()
            .flat_map(|lock| &lock.packages)
            .map(|locked| &*locked.coordinate)
            .collect();
        let mut by_package = BTreeMap::new();
        for locked in fits.iter().flat_map(|lock| &lock.packages) {
            let coordinate = &locked.coordinate;
            if elsewhere.contains(&**coordinate) {
                continue;
            }
            let scope = source(coordinate)
                .and_then(|kind| {
                    named
                        .uses
                        .scope(&coordinate.name, &coordinate.version, kind)
                })
                .unwrap_or(Scope::Unused);
            by_package.insert(Arc::clone(coordinate), scope);
        }
        Ok(Self { by_package })
    }

    /// Fills the components.
    pub fn fill(&self, components: &mut [Component]) {
        for component in components {
            component.scope = self.by_package.get(&component.coordinate).copied();
        }
    }

    /// Says in the findings on a package what it is used for, where all packages of its name and version agree.
    pub fn explain(&self, findings: &mut [Finding]) {
        let mut told: BTreeMap<(EcosystemId, &str, &str), Option<Scope>> = BTreeMap::new();
        for (of, scope) in &self.by_package {
            told.entry((of.ecosystem, &of.name, &of.version))
                .and_modify(|known| *known = known.filter(|known| known == scope))
                .or_insert(Some(*scope));
        }
        for finding in findings {
            let (Some(ecosystem), Some(package), Some(version)) =
                (finding.ecosystem, &finding.package, &finding.version)
            else {
                continue;
            };
            let words = match told.get(&(ecosystem, &**package, &**version)) {
                Some(Some(Scope::Unused)) => {
                    " (no part of the build that the named metadata describes)"
                }
                Some(Some(Scope::Build)) => " (used for building only)",
                Some(Some(Scope::Dev)) => " (used for development only)",
                _ => continue,
            };
            finding.message.push_str(words);
        }
    }
}

/// Whether a lockfile locks everything that the file resolves.
fn covers(lock: &Lock, uses: &UseMap) -> bool {
    let locked: BTreeSet<(&str, &str, SourceKind)> = lock
        .packages
        .iter()
        .filter_map(|p| {
            let kind = source(&p.coordinate)?;
            Some((&*p.coordinate.name, &*p.coordinate.version, kind))
        })
        .collect();
    uses.iter().all(|used| locked.contains(&used))
}

fn source(coordinate: &Coordinate) -> Option<SourceKind> {
    match coordinate.origin {
        Origin::Registry(_) => Some(SourceKind::Registry),
        Origin::Git { .. } => Some(SourceKind::Git),
        Origin::Path => Some(SourceKind::Path),
        Origin::Unknown => None,
    }
}
