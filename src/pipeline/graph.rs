//! The dependency graph of a lockfile: shortest chains from its roots to a package.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::model::Origin;
use crate::pipeline::flow::Lock;

/// Most chains that are given for one package.
const CHAINS: usize = 3;

/// Who depends on whom, per lockfile, ready to be asked.
pub struct Graph {
    /// For each package, who depends on it.
    parents: Vec<Vec<usize>>,
    labels: Vec<String>,
    by_package: BTreeMap<(Arc<str>, Arc<str>), Vec<usize>>,
    is_root: Vec<bool>,
}

impl Graph {
    /// The graph of one lockfile. Its roots are the first-party packages that no other first-party package needs; if
    /// there are none, the packages that nothing needs.
    pub fn of(lock: &Lock) -> Self {
        let count = lock.packages.len();
        let mut parents = vec![Vec::new(); count];
        let mut by_package: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, locked) in lock.packages.iter().enumerate() {
            let key = (
                Arc::clone(&locked.coordinate.name),
                Arc::clone(&locked.coordinate.version),
            );
            by_package.entry(key).or_default().push(at);
            for below in &locked.package.depends_on {
                if let Some(slot) = usize::try_from(*below)
                    .ok()
                    .and_then(|b| parents.get_mut(b))
                {
                    slot.push(at);
                }
            }
        }
        let own: Vec<bool> = lock
            .packages
            .iter()
            .map(|p| matches!(p.coordinate.origin, Origin::Path))
            .collect();
        let any_own = own.contains(&true);
        let is_root = parents
            .iter()
            .zip(&own)
            .map(|(parents, own)| if any_own { *own } else { parents.is_empty() })
            .collect();
        let labels = lock
            .packages
            .iter()
            .map(|p| p.coordinate.to_string())
            .collect();
        Self {
            parents,
            labels,
            by_package,
            is_root,
        }
    }

    /// Whether the package at this position is a root.
    pub fn is_root(&self, at: usize) -> bool {
        self.is_root.get(at).copied().unwrap_or(false)
    }

    /// Shortest chains from roots to a package, by different direct dependencies of roots first; at most three.
    pub fn chains(&self, name: &Arc<str>, version: &Arc<str>) -> Vec<Vec<String>> {
        let key = (Arc::clone(name), Arc::clone(version));
        let targets = self.by_package.get(&key).map_or(&[][..], Vec::as_slice);
        targets
            .iter()
            .flat_map(|at| self.chains_of(*at))
            .take(CHAINS)
            .collect()
    }

    /// Breadth-first towards the roots: the first roots that are met are the nearest.
    fn chains_of(&self, target: usize) -> Vec<Vec<String>> {
        let mut next: Vec<Option<usize>> = vec![None; self.parents.len()];
        let mut seen = vec![false; self.parents.len()];
        let mut queue = VecDeque::from([target]);
        if let Some(slot) = seen.get_mut(target) {
            *slot = true;
        }
        let mut chains = Vec::new();
        while let Some(at) = queue.pop_front() {
            if self.is_root(at) {
                chains.push(self.walk(at, &next));
                if chains.len() == CHAINS {
                    break;
                }
            }
            for parent in self.parents.get(at).into_iter().flatten() {
                if let Some(slot) = seen.get_mut(*parent)
                    && !std::mem::replace(slot, true)
                {
                    if let Some(slot) = next.get_mut(*parent) {
                        *slot = Some(at);
                    }
                    queue.push_back(*parent);
                }
            }
        }
        chains
    }

    fn walk(&self, from: usize, next: &[Option<usize>]) -> Vec<String> {
        let mut chain = Vec::new();
        let mut at = Some(from);
        while let Some(here) = at {
            chain.push(self.labels.get(here).cloned().unwrap_or_default());
            at = next.get(here).copied().flatten();
        }
        chain
    }
}
