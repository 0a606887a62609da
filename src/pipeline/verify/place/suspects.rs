//! What was seen that others could change: paths by kind, the first few of each, the rest counted.

use std::collections::{BTreeMap, BTreeSet};

/// Paths that are named.
const NAMED: usize = 20;
/// Links that are looked at.
const LINKS: usize = 100;

/// Some paths, and how many there are.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in super::super) struct Tally {
    pub(super) first: BTreeSet<Vec<u8>>,
    pub(super) total: u64,
}

impl Tally {
    pub(super) fn add(&mut self, path: &[u8]) {
        self.total += 1;
        if self.first.len() < NAMED {
            self.first.insert(path.to_vec());
        }
    }

    fn merge(&mut self, above: &[u8], other: Self) {
        self.total += other.total;
        for path in other.first {
            if self.first.len() < NAMED {
                self.first.insert(below(above, &path));
            }
        }
    }
}

/// What was seen of a tree, a file or a root.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in super::super) struct Suspects {
    /// Others could write it.
    pub(super) writable: Tally,
    /// It belongs to another user, by user id.
    pub(super) owners: BTreeMap<u32, Tally>,
    /// Links.
    pub(super) links: BTreeSet<Vec<u8>>,
}

impl Suspects {
    pub(super) fn is_empty(&self) -> bool {
        self.writable.total == 0 && self.owners.is_empty() && self.links.is_empty()
    }

    pub(super) fn link(&mut self, path: &[u8]) {
        if self.links.len() < LINKS {
            self.links.insert(path.to_vec());
        }
    }

    /// Takes what was seen below a path.
    pub(super) fn merge(&mut self, above: &[u8], other: Self) {
        self.writable.merge(above, other.writable);
        for (uid, tally) in other.owners {
            self.owners.entry(uid).or_default().merge(above, tally);
        }
        for link in other.links {
            self.link(&below(above, &link));
        }
    }
}

fn below(above: &[u8], path: &[u8]) -> Vec<u8> {
    match (above, path) {
        (_, b"") => above.to_vec(),
        (b"", _) => path.to_vec(),
        _ => [above, b"/", path].concat(),
    }
}
