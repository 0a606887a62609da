//! Settles every locked package to exactly one end: held, first-party and seen, searched for and absent, or not to be bound.
//!
//! "Absent" is no fault, so nothing may end there that could not be looked for: what cannot be bound to a source that
//! untaint can judge is a subject of its own, and unverifiable.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ecosystems::contract::{AuditedPath, LockedSource};
use crate::model::{Code, Coordinate, Finding, Origin, Outcome, Place, Reason, text};
use crate::pipeline::flow::{Lock, Locked, Own, Subject};

use super::{Judged, git_source};

impl Judged<'_> {
    /// Settles the packages of every lockfile, each once.
    pub(in crate::pipeline::decide) fn settle_locked(&mut self) {
        let case = self.case;
        let mut counted: BTreeSet<Arc<Coordinate>> = BTreeSet::new();
        for lock in &case.inventory.locks {
            let id = lock.ecosystem.facts().id;
            for locked in &lock.packages {
                if !counted.insert(Arc::clone(&locked.coordinate)) {
                    continue;
                }
                match &locked.coordinate.origin {
                    Origin::Path if self.is_first_party(lock, locked) => {
                        self.coverage.of(id).first_party += 1;
                    }
                    Origin::Path if self.is_judged_in_its_cache(lock, locked) => {}
                    Origin::Path => self.not_bound(lock, locked, Reason::Unbound),
                    Origin::Unknown => {
                        self.insecure(lock, locked);
                        self.not_bound(lock, locked, Reason::UnpinnedRoot);
                    }
                    Origin::Git { commit, .. } if commit.is_empty() => {
                        self.not_bound(lock, locked, Reason::GitUnheld);
                    }
                    Origin::Git { .. } | Origin::Registry(_) => {
                        let held = self.held.contains(&locked.coordinate)
                            || git_source(&locked.coordinate)
                                .is_some_and(|source| self.held_git.contains(&source));
                        if !held {
                            self.coverage.of(id).absent += 1;
                        }
                    }
                }
            }
        }
    }

    /// Whether a path of a manifest leads into a cache, where the tree itself was judged.
    fn is_judged_in_its_cache(&self, lock: &Lock, locked: &Locked) -> bool {
        let Own::Held(held) = &lock.own else {
            return false;
        };
        let named = |path: &&AuditedPath| path.name == locked.coordinate.name;
        let folders: Vec<&AuditedPath> = held.audited.iter().filter(named).collect();
        let judged = |path: &AuditedPath| {
            self.case.checks.iter().any(|check| {
                let subject = &check.subject;
                let root = self.case.inventory.roots.get(subject.root);
                subject.kind == "tree"
                    && subject.coordinate.is_some()
                    && root.is_some_and(|root| root.path.join(&subject.rel) == path.folder)
            })
        };
        !folders.is_empty() && folders.iter().all(|path| judged(path))
    }

    /// A lockfile's word that a package is the user's own counts only if the paths of the manifests that it is for lead
    /// there; where an ecosystem cannot say that, only if a manifest of that name was seen. Where no tree was walked (`-L`),
    /// or the user left parts out, that cannot be asked for.
    fn is_first_party(&self, lock: &Lock, locked: &Locked) -> bool {
        let inventory = self.case.inventory;
        match &lock.own {
            Own::Held(held) => return held.first_party.contains(&locked.coordinate.name),
            Own::Unasked => return true,
            Own::Seen => {}
        }
        let name = locked.coordinate.name.to_string();
        !inventory.walked.contains(&lock.root)
            || self.case.excluded
            || inventory
                .first_party
                .contains(&(lock.ecosystem.facts().id, name))
    }

    fn not_bound(&mut self, lock: &Lock, locked: &Locked, reason: Reason) {
        let subject = subject(lock, locked);
        let coordinate = &locked.coordinate;
        let note = match reason {
            Reason::Unbound => format!(
                "the lockfile calls {coordinate} first-party, and no path of a manifest leads to a package of that name"
            ),
            Reason::GitUnheld => format!("the lockfile names no full commit for {coordinate}"),
            _ => format!(
                "the registry of {coordinate} is no address that untaint can ask or pin: {}",
                source(locked)
            ),
        };
        self.settle_noted(
            &subject,
            Outcome::Unverifiable(reason),
            None,
            None,
            Some(&note),
        );
    }

    /// A source that anyone on the way can change.
    fn insecure(&mut self, lock: &Lock, locked: &Locked) {
        let LockedSource::Registry(address) = &locked.package.source else {
            return;
        };
        let bare = address.split_once('+').map_or(&**address, |(_, rest)| rest);
        if bare.starts_with("http:") || bare.starts_with("git:") {
            let message = format!(
                "the lockfile takes {} over transport that anyone on the way can change",
                locked.coordinate
            );
            let finding = Finding::new(Code::InsecureTransport, Place::Lockfile, message);
            self.push(&subject(lock, locked), finding);
        }
    }
}

fn subject(lock: &Lock, locked: &Locked) -> Subject {
    Subject {
        ecosystem: lock.ecosystem.facts().id,
        kind: "locked-package",
        coordinate: Some(Arc::clone(&locked.coordinate)),
        artifact: None,
        place: Place::Lockfile,
        root: lock.root,
        rel: std::path::PathBuf::from(&lock.rel),
        size: None,
        line: Some(locked.package.line),
    }
}

/// The source as the lockfile has it, for a message; never with credentials.
fn source(locked: &Locked) -> String {
    match &locked.package.source {
        LockedSource::Registry(address) => {
            let kind = address
                .split_once("://")
                .map_or(&**address, |(scheme, _)| scheme);
            format!("`{}`", text::printable(kind))
        }
        LockedSource::Git { .. } => "git".into(),
        LockedSource::Path => "a path".into(),
        LockedSource::Default => "the registry".into(),
    }
}
