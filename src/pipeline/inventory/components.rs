//! The inventory as components, for the bill of materials and for advisories.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::report::Component;
use crate::model::{Coordinate, Origin};
use crate::pipeline::flow::Inventory;

use crate::pipeline::graph::Graph;
use crate::pipeline::purls;

/// Every package of every lockfile once, sorted by coordinate, with its edges. `public` says whether an address is the
/// default one of its ecosystem (it is then left out of package URLs).
pub fn components(inventory: &Inventory, public: &dyn Fn(&Coordinate) -> bool) -> Vec<Component> {
    let mut all: BTreeMap<Arc<Coordinate>, Component> = BTreeMap::new();
    for lock in &inventory.locks {
        let graph = Graph::of(lock);
        for (at, locked) in lock.packages.iter().enumerate() {
            if !locked.package.built {
                continue;
            }
            let entry = all
                .entry(Arc::clone(&locked.coordinate))
                .or_insert_with(|| Component {
                    coordinate: (*locked.coordinate).clone(),
                    first_party: matches!(locked.coordinate.origin, Origin::Path),
                    purl: purls::of(lock.ecosystem.facts().purl_type, &locked.coordinate, public),
                    verified: Vec::new(),
                    declared: Vec::new(),
                    assurance: None,
                    licence: None,
                    archive_size: None,
                    archive: (!locked.package.file.is_empty())
                        .then(|| Arc::clone(&locked.package.file)),
                    scope: None,
                    depends_on: Vec::new(),
                    is_root: false,
                });
            entry.is_root |= graph.is_root(at);
            for digest in &locked.package.digests {
                if !entry.declared.contains(&digest.digest) {
                    entry.declared.push(digest.digest);
                }
            }
        }
    }
    let positions: BTreeMap<Arc<Coordinate>, usize> = all
        .keys()
        .enumerate()
        .map(|(at, key)| (Arc::clone(key), at))
        .collect();
    let mut components: Vec<Component> = all.into_values().collect();
    for lock in &inventory.locks {
        for locked in &lock.packages {
            let below: Vec<usize> = locked
                .package
                .depends_on
                .iter()
                .filter_map(|at| lock.packages.get(usize::try_from(*at).ok()?))
                .filter_map(|below| positions.get(&below.coordinate).copied())
                .collect();
            let Some(at) = positions.get(&locked.coordinate) else {
                continue;
            };
            if let Some(component) = components.get_mut(*at) {
                component.depends_on.extend(below);
                component.depends_on.sort_unstable();
                component.depends_on.dedup();
            }
        }
    }
    components
}
