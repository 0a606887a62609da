//! Names the differences between a hashed worktree and the tree it should be. Tree objects are read only where the ids differ;
//! files are judged by their id alone.

use std::collections::{BTreeMap, BTreeSet};

use super::conversion::{self, Conversion};
use super::snapshot::{Directory, MARKER, Node, Snapshot, What, join};
use super::store::{Store, find};
use super::tree::{self, Mode, TreeEntry};
use super::{GitError, HashKind, Kind, Limits, Oid, Worktree, hash_object};

/// Longest path that is followed below something missing, in bytes.
const PATH: usize = 16 << 10;

/// How a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Other content or another link target.
    Modified,
    /// It should be there.
    Missing,
    /// It should not be there.
    Extra,
    /// Another type, or another executable bit.
    Irregular,
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Relative to the checkout.
    pub path: Vec<u8>,
    /// How it differs.
    pub kind: DifferenceKind,
}

/// A submodule that a tree asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    pub(super) path: Vec<u8>,
    pub(super) commit: Oid,
    /// Its place in the snapshot, if it is checked out at all.
    pub(super) directory: Option<usize>,
}

/// What the comparison has found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) differences: BTreeSet<Difference>,
    pub(super) total: u64,
    pub(super) converted: BTreeMap<Vec<u8>, Conversion>,
    pub(super) wanted: Vec<Wanted>,
    pub(super) missing: BTreeSet<Oid>,
    pub(super) faults: BTreeSet<GitError>,
    /// Something of the worktree could not be judged.
    pub(super) incomplete: bool,
}

/// Compares trees of one worktree.
pub(super) struct Comparer<'a> {
    pub(super) worktree: &'a dyn Worktree,
    pub(super) snapshot: &'a Snapshot,
    pub(super) hash: HashKind,
    pub(super) limits: &'a Limits,
    pub(super) found: Found,
    /// Entries that may still be named as missing, so that a tree that repeats itself ends.
    pub(super) allowance: usize,
}

impl Comparer<'_> {
    /// Compares the worktree rooted at the snapshot's directory `at` with the tree `expected`.
    pub(super) fn compare(&mut self, stores: &[Store<'_>], at: usize, expected: Oid) {
        let mut work = vec![(at, expected, true)];
        while let Some((at, expected, root)) = work.pop() {
            let snapshot = self.snapshot;
            let Some(directory) = snapshot.directories.get(at) else {
                continue;
            };
            if !directory.readable {
                self.found.incomplete = true;
            } else if directory.oid != Some(expected) || (directory.root && !root) {
                let Some(entries) = self.entries(stores, expected) else {
                    continue;
                };
                self.directory(stores, directory, &entries, root, &mut work);
            }
        }
    }

    fn directory(
        &mut self,
        stores: &[Store<'_>],
        directory: &Directory,
        entries: &[TreeEntry],
        root: bool,
        work: &mut Vec<(usize, Oid, bool)>,
    ) {
        let mut nodes: BTreeMap<&[u8], &Node> = directory
            .nodes
            .iter()
            .map(|node| (&*node.name, node))
            .collect();
        for entry in entries {
            let path = join(&directory.path, &entry.name);
            match nodes.remove(entry.name.as_slice()).map(|node| node.what) {
                // Cargo overwrites a file of this name with its own marker.
                Some(What::File { .. }) if root && entry.name == MARKER => {}
                Some(What::Unreadable) => self.found.incomplete = true,
                Some(what) => self.entry(stores, path, entry, what, work),
                None => self.missing(stores, path, entry),
            }
        }
        for (name, node) in nodes {
            let ours = match node.what {
                What::DotGit => root,
                What::File { .. } => root && name == MARKER,
                _ => false,
            };
            if !ours {
                self.extra(join(&directory.path, name), node.what);
            }
        }
    }

    fn entry(
        &mut self,
        stores: &[Store<'_>],
        path: Vec<u8>,
        entry: &TreeEntry,
        what: What,
        work: &mut Vec<(usize, Oid, bool)>,
    ) {
        match (entry.mode, what) {
            (Mode::File { executable: wanted }, What::File { executable, oid }) => {
                if oid != entry.oid && !self.is_converted(stores, &path, &entry.oid) {
                    self.differs(path, DifferenceKind::Modified);
                } else if executable != wanted {
                    self.differs(path, DifferenceKind::Irregular);
                }
            }
            (Mode::Link, What::Link { oid }) => {
                if oid != entry.oid {
                    self.differs(path, DifferenceKind::Modified);
                }
            }
            (Mode::Directory, What::Directory(at)) => work.push((at, entry.oid, false)),
            (Mode::Submodule, What::Directory(at)) => {
                let held =
                    self.snapshot.directories.get(at).is_some_and(|directory| {
                        !directory.nodes.is_empty() || !directory.readable
                    });
                self.found.wanted.push(Wanted {
                    path,
                    commit: entry.oid,
                    directory: held.then_some(at),
                });
            }
            // An empty directory is nothing to git, so the entry is not there.
            (_, What::Directory(at)) if self.is_empty(at) => self.missing(stores, path, entry),
            (_, What::Directory(_)) => {
                self.differs(path.clone(), DifferenceKind::Irregular);
                self.extra(path, what);
            }
            _ => self.differs(path, DifferenceKind::Irregular),
        }
    }

    fn is_empty(&self, at: usize) -> bool {
        self.snapshot
            .directories
            .get(at)
            .is_some_and(|directory| directory.bare && !directory.root)
    }

    fn is_converted(&mut self, stores: &[Store<'_>], path: &[u8], oid: &Oid) -> bool {
        let most = usize::try_from(self.limits.object / 4).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let mut whole = true;
        let read = self.worktree.read(path, &mut |piece| {
            whole = whole && bytes.len().saturating_add(piece.len()) <= most;
            if whole {
                bytes.extend_from_slice(piece);
            }
        });
        if read.is_err() || !whole {
            return false;
        }
        let mut object = || find(stores, oid).object.map(|object| object.data);
        let Some(conversion) = conversion::explain(self.hash, &bytes, oid, &mut object) else {
            return false;
        };
        self.found.converted.insert(path.to_vec(), conversion);
        true
    }

    /// Names everything that an absent entry stands for.
    fn missing(&mut self, stores: &[Store<'_>], path: Vec<u8>, entry: &TreeEntry) {
        let mut stack = vec![(path, entry.mode, entry.oid)];
        while let Some((path, mode, oid)) = stack.pop() {
            let Some(left) = self.allowance.checked_sub(1) else {
                self.found.faults.insert(GitError::limit(
                    format!("tree {oid}"),
                    "too much is missing to name it all",
                ));
                return self.differs(path, DifferenceKind::Missing);
            };
            self.allowance = left;
            if path.len() > PATH {
                self.found.faults.insert(GitError::limit(
                    format!("tree {oid}"),
                    "it lies too many directories deep",
                ));
                return self.differs(path, DifferenceKind::Missing);
            }
            match mode {
                Mode::Submodule => self.found.wanted.push(Wanted {
                    path,
                    commit: oid,
                    directory: None,
                }),
                Mode::Directory => match self.entries(stores, oid) {
                    Some(entries) => stack.extend(
                        entries
                            .into_iter()
                            .map(|entry| (join(&path, &entry.name), entry.mode, entry.oid)),
                    ),
                    None => self.differs(path, DifferenceKind::Missing),
                },
                Mode::File { .. } | Mode::Link => self.differs(path, DifferenceKind::Missing),
            }
        }
    }

    /// Names every file below something that should not be there.
    pub(super) fn extra(&mut self, path: Vec<u8>, what: What) {
        let snapshot = self.snapshot;
        let mut stack = vec![(path, what)];
        while let Some((path, what)) = stack.pop() {
            match what {
                What::Directory(at) => {
                    let Some(directory) = snapshot.directories.get(at) else {
                        continue;
                    };
                    if directory.readable {
                        stack.extend(
                            directory
                                .nodes
                                .iter()
                                .map(|node| (join(&path, &node.name), node.what)),
                        );
                    } else {
                        self.differs(path, DifferenceKind::Extra);
                    }
                }
                _ => self.differs(path, DifferenceKind::Extra),
            }
        }
    }

    pub(super) fn differs(&mut self, path: Vec<u8>, kind: DifferenceKind) {
        self.found.total = self.found.total.saturating_add(1);
        self.found.differences.insert(Difference { path, kind });
        // The first by path are kept, whatever order they were found in.
        if self.found.differences.len() > self.limits.differences {
            self.found.differences.pop_last();
        }
    }

    /// A tree's entries, from bytes that hash to its id.
    fn entries(&mut self, stores: &[Store<'_>], oid: Oid) -> Option<Vec<TreeEntry>> {
        // Git knows the empty tree without holding it.
        if oid == hash_object(self.hash, Kind::Tree, b"").oid {
            return Some(Vec::new());
        }
        let lookup = find(stores, &oid);
        self.found.faults.extend(lookup.faults);
        let Some(object) = lookup.object else {
            self.found.missing.insert(oid);
            return None;
        };
        let parsed = match object.kind {
            Kind::Tree => tree::parse(self.hash, &object.data, self.limits.entries),
            _ => Err("it is no tree"),
        };
        match parsed {
            Ok(entries) => Some(entries),
            Err(what) => {
                self.found
                    .faults
                    .insert(GitError::corrupt(format!("tree {oid}"), what));
                self.found.incomplete = true;
                None
            }
        }
    }
}
