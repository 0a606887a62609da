//! What becomes of earlier words when a registry speaks again: nothing that counted is lost.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Listing, VersionFacts};

use super::values::Earlier;

/// Most contradictions that are remembered of one package.
const MOST: usize = 1024;

/// The new listing with the versions that only the old one has: withdrawn, if the new one says that it is complete.
pub(super) fn carried(new: &Listing, old: &Listing) -> Listing {
    let have: BTreeSet<&str> = new.versions.iter().map(|v| &*v.version).collect();
    let missing: Vec<VersionFacts> = old
        .versions
        .iter()
        .filter(|v| !have.contains(&*v.version))
        .map(|v| VersionFacts {
            withdrawn: v.withdrawn || new.complete,
            ..v.clone()
        })
        .collect();
    let mut all = new.clone();
    all.versions.extend(missing);
    all
}

/// Versions of which both speak and whose digests differ in a scheme that both know, as the old listing had them.
pub(super) fn contradicted(new: &Listing, old: &Listing) -> Vec<Earlier> {
    let now: BTreeMap<&str, &VersionFacts> =
        new.versions.iter().map(|v| (&*v.version, v)).collect();
    let differs = |before: &VersionFacts, after: &VersionFacts| {
        before.digests.iter().any(|d| {
            let mut same_scheme = after.digests.iter().filter(|n| n.scheme() == d.scheme());
            same_scheme.any(|n| n != d)
        })
    };
    old.versions
        .iter()
        .filter(|v| now.get(&*v.version).is_some_and(|new| differs(v, new)))
        .map(|v| Earlier {
            facts: v.clone(),
            said_at: old.confirmed_at,
        })
        .collect()
}

/// Adds contradictions to those remembered already: each version with each set of digests once, in a fixed order.
pub(super) fn remembered(before: Vec<Earlier>, new: Vec<Earlier>) -> Vec<Earlier> {
    let mut all = BTreeMap::new();
    for earlier in before.into_iter().chain(new) {
        let key = (earlier.facts.version.clone(), earlier.facts.digests.clone());
        all.entry(key).or_insert(earlier);
    }
    all.into_values().take(MOST).collect()
}
