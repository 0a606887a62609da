//! Judges a checkout against the commit that was locked. The commit's bytes must hash to its id, and the worktree, hashed
//! bottom-up, must be the tree that it names; so must every submodule for the commit its parent's tree names. What `HEAD`, the
//! index or a marker file say is no evidence.

use std::collections::BTreeSet;

use super::alternates::Alternate;
use super::compare::{Comparer, Difference, DifferenceKind, Found, Wanted};
use super::conversion::Conversion;
use super::posture::{self, Posture};
use super::refs::{self, Head};
use super::snapshot::{self, Snapshot, join};
use super::store::{Store, find};
use super::tree::NameFlaw;
use super::{Fault, GitError, HashKind, Kind, Limits, Oid, Repositories, Worktree, commit, config};

/// What a checkout turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every file is the one that the locked commit names.
    Equal,
    /// Something differs.
    Different,
    /// Nothing was seen to differ, and objects that would prove equality are gone or bad.
    Unheld,
    /// Nothing was seen to differ, and some of it could not be read.
    Unreadable,
}

/// Whether a commit's object is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitObject {
    /// Its bytes hash to its id.
    Held,
    /// No copy is known.
    Missing,
    /// Every copy is damaged, forged or unreadable; the faults say how.
    Bad,
}

/// What was found out about one repository: the checkout's own or a submodule's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The worktree folder; empty for the checkout itself.
    pub path: Vec<u8>,
    /// The commit that it should be.
    pub commit: Oid,
    /// Whether that commit is there.
    pub object: CommitObject,
    /// The tree that the commit names.
    pub expected_tree: Option<Oid>,
    /// The tree that the worktree is; `None` if it holds submodules or something unreadable.
    pub observed_tree: Option<Oid>,
    /// What its `HEAD` claims.
    pub head: Head,
    /// Whether the claim is the commit that it should be.
    pub head_agrees: bool,
    /// Its own settings and hooks that could run code.
    pub posture: Posture,
    /// Where else it would look for objects.
    pub alternates: Vec<Alternate>,
}

/// Everything found out about a checkout.
#[derive(Debug)]
pub struct GitVerdict {
    /// The hash function.
    pub hash: HashKind,
    /// Whether the worktree, submodules included, is exactly what the locked commit names.
    pub tree_equals: bool,
    /// The checkout first, then its submodules by path.
    pub repositories: Vec<Checked>,
    /// The first paths that differ, by path.
    pub differences: Vec<Difference>,
    /// How many paths differ in all.
    pub differences_total: u64,
    /// Files that differ from their object only by what git itself converts.
    pub converted: Vec<(Vec<u8>, Conversion)>,
    /// Submodules that are not checked out and whose `.gitmodules` says so (`update = none`).
    pub left_out: Vec<Vec<u8>>,
    /// Commits and trees that were needed and of which no good copy is held.
    pub missing_objects: Vec<Oid>,
    /// What was wrong with the repositories' files.
    pub faults: Vec<GitError>,
    /// What of the worktree could not be read.
    pub unreadable: Vec<(Vec<u8>, Fault)>,
    /// Worktree files that are made to collide in SHA-1; colliding objects are among the faults.
    pub collisions: Vec<Vec<u8>>,
    /// Names that are not what they seem on some file systems.
    pub name_flaws: Vec<(Vec<u8>, NameFlaw)>,
    /// Bytes of the worktree that were hashed.
    pub bytes_hashed: u64,
    incomplete: bool,
}

impl GitVerdict {
    /// The verdict in one word. Faults with bad content ([`GitVerdict::bad_objects`]), settings and hooks are findings of
    /// their own, whatever this says.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.differences_total > 0 || !self.collisions.is_empty() {
            Outcome::Different
        } else if self.incomplete || !self.unreadable.is_empty() {
            Outcome::Unreadable
        } else if self.tree_equals {
            Outcome::Equal
        } else {
            Outcome::Unheld
        }
    }

    /// Objects, packs and indexes whose bytes are damaged, forged or made to collide.
    pub fn bad_objects(&self) -> impl Iterator<Item = &GitError> {
        self.faults.iter().filter(|fault| fault.is_bad_content())
    }

    /// Whether the marks of a SHA-1 collision were seen anywhere.
    #[must_use]
    pub fn collisions_detected(&self) -> bool {
        !self.collisions.is_empty()
            || self
                .faults
                .iter()
                .any(|fault| matches!(fault, GitError::Collision { .. }))
    }
}

/// Judges the checkout `worktree` against `locked`.
#[must_use]
pub fn verify(
    locked: Oid,
    worktree: &dyn Worktree,
    repositories: &dyn Repositories,
    limits: &Limits,
) -> GitVerdict {
    let hash = locked.kind();
    let snapshot = snapshot::take(worktree, hash, limits);
    let comparer = Comparer {
        worktree,
        snapshot: &snapshot,
        hash,
        limits,
        found: Found::default(),
        allowance: limits.missing,
    };
    let mut judge = Judge {
        repositories,
        comparer,
        checked: Vec::new(),
        left_out: Vec::new(),
    };
    let mut work = vec![Wanted {
        path: Vec::new(),
        commit: locked,
        directory: Some(0),
    }];
    while let Some(wanted) = work.pop() {
        if judge.checked.len() > limits.submodules {
            judge.comparer.found.faults.insert(GitError::limit(
                show(&wanted.path),
                "there are too many submodules",
            ));
            judge.comparer.found.incomplete = true;
            break;
        }
        judge.repository(&wanted);
        work.append(&mut judge.submodules(&wanted.path));
    }
    let Judge {
        comparer,
        mut checked,
        mut left_out,
        ..
    } = judge;
    checked.sort_by(|a, b| a.path.cmp(&b.path));
    left_out.sort();
    conclude(hash, comparer.found, checked, left_out, snapshot)
}

fn conclude(
    hash: HashKind,
    found: Found,
    repositories: Vec<Checked>,
    left_out: Vec<Vec<u8>>,
    snapshot: Snapshot,
) -> GitVerdict {
    let commits = repositories
        .iter()
        .all(|checked| checked.expected_tree.is_some());
    let missing: Vec<Oid> = found.missing.into_iter().collect();
    let tree_equals = commits
        && missing.is_empty()
        && found.total == 0
        && !found.incomplete
        && snapshot.faults.is_empty()
        && snapshot.collisions.is_empty();
    GitVerdict {
        hash,
        tree_equals,
        repositories,
        differences: found.differences.into_iter().collect(),
        differences_total: found.total,
        converted: found.converted.into_iter().collect(),
        left_out,
        missing_objects: missing,
        faults: found.faults.into_iter().collect(),
        unreadable: snapshot.faults,
        collisions: snapshot.collisions,
        name_flaws: snapshot.flaws,
        bytes_hashed: snapshot.bytes,
        incomplete: found.incomplete,
    }
}

struct Judge<'a> {
    repositories: &'a dyn Repositories,
    comparer: Comparer<'a>,
    checked: Vec<Checked>,
    left_out: Vec<Vec<u8>>,
}

impl Judge<'_> {
    /// Checks one repository's commit and compares its worktree.
    fn repository(&mut self, wanted: &Wanted) {
        let (hash, limits) = (self.comparer.hash, self.comparer.limits);
        let sources = self.repositories.open(&wanted.path);
        if let Some(fault) = &sources.fault {
            self.fault(GitError::fault(
                show(&join(&wanted.path, b".git")),
                fault.clone(),
            ));
        }
        let stores: Vec<Store<'_>> = sources
            .own
            .iter()
            .chain(&sources.others)
            .map(|files| Store::open(files.as_ref(), hash, *limits))
            .collect();
        let opening: Vec<GitError> = stores
            .iter()
            .flat_map(|store| store.faults().iter().cloned())
            .collect();
        self.comparer.found.faults.extend(opening);
        let (object, expected_tree) = self.commit(&stores, &wanted.commit);
        let directory = wanted
            .directory
            .and_then(|at| self.comparer.snapshot.directories.get(at));
        let mut checked = Checked {
            path: wanted.path.clone(),
            commit: wanted.commit,
            object,
            expected_tree,
            observed_tree: directory.and_then(|directory| directory.oid),
            head: Head::Unborn,
            head_agrees: false,
            posture: Posture::default(),
            alternates: stores
                .iter()
                .flat_map(|store| store.alternates().iter().cloned())
                .collect(),
        };
        if let Some(own) = &sources.own {
            checked.head = refs::head(own.as_ref(), limits);
            checked.head_agrees = checked.head == Head::At(wanted.commit);
            checked.posture = posture::of(own.as_ref(), limits);
        }
        if let (Some(at), Some(tree)) = (wanted.directory, expected_tree) {
            self.comparer.compare(&stores, at, tree);
        }
        self.checked.push(checked);
    }

    fn commit(&mut self, stores: &[Store<'_>], oid: &Oid) -> (CommitObject, Option<Oid>) {
        let lookup = find(stores, oid);
        let bad = !lookup.faults.is_empty();
        self.comparer.found.faults.extend(lookup.faults);
        let Some(object) = lookup.object else {
            self.comparer.found.missing.insert(*oid);
            return (
                if bad {
                    CommitObject::Bad
                } else {
                    CommitObject::Missing
                },
                None,
            );
        };
        let parsed = match object.kind {
            Kind::Commit => commit::parse(oid.kind(), &object.data),
            _ => Err("it is no commit"),
        };
        match parsed {
            Ok(commit) => (CommitObject::Held, Some(commit.tree)),
            Err(what) => {
                self.fault(GitError::corrupt(format!("commit {oid}"), what));
                (CommitObject::Bad, None)
            }
        }
    }

    /// The submodules that were just asked for; those that are not checked out are judged here.
    fn submodules(&mut self, parent: &[u8]) -> Vec<Wanted> {
        let wanted = std::mem::take(&mut self.comparer.found.wanted);
        if wanted.is_empty() {
            return wanted;
        }
        let left_out = self.left_out_by(parent);
        let (held, absent): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|wanted| wanted.directory.is_some());
        for wanted in absent {
            if left_out.contains(&wanted.path) {
                self.left_out.push(wanted.path);
            } else {
                self.comparer.differs(wanted.path, DifferenceKind::Missing);
            }
        }
        held
    }

    /// Paths of submodules that the repository itself leaves out (`update = none` in its `.gitmodules`, a file of its tree).
    fn left_out_by(&self, parent: &[u8]) -> BTreeSet<Vec<u8>> {
        let most = self.comparer.limits.text;
        let mut bytes = Vec::new();
        let read = self
            .comparer
            .worktree
            .read(&join(parent, b".gitmodules"), &mut |piece| {
                if bytes.len() < most {
                    bytes.extend_from_slice(piece);
                }
            });
        if read.is_err() || bytes.len() > most {
            return BTreeSet::new();
        }
        let config = config::parse(&bytes, 10_000);
        let rows = |key: &'static str| {
            config
                .entries
                .iter()
                .filter(move |entry| entry.section == "submodule" && entry.key == key)
        };
        rows("update")
            .filter(|entry| entry.value.as_deref() == Some("none"))
            .flat_map(|none| rows("path").filter(move |path| path.subsection == none.subsection))
            .filter_map(|path| Some(join(parent, path.value.as_ref()?.as_bytes())))
            .collect()
    }

    fn fault(&mut self, error: GitError) {
        self.comparer.found.faults.insert(error);
    }
}

fn show(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
