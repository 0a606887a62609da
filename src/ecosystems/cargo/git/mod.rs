//! `git/db` and `git/checkouts` of a CARGO_HOME (cargo 1.95, `sources/git/source.rs`, `utils.rs`).
//!
//! ```text
//! git/db/<name>-<16 hex>[-shallow]/                      bare database
//! git/checkouts/<name>-<16 hex>[-shallow]/<short id>/    worktree of one commit, `.git` inside, `.cargo-ok`
//! ```
//! `<name>` and the digits are made from the repository's address as cargo rewrites it, and the short id is the beginning of
//! the commit. Which commit a checkout must be comes from a lockfile, never from the folder: every checkout that is called by
//! the beginning of a locked commit is held against that commit's full id, whatever the folder above it is called. A name
//! that we computed could be another than cargo's, and what is judged by its content needs none. For the same reason the
//! settings and hooks of every database are looked at as soon as a lockfile names any git package.

mod checkout;
mod copied;
mod database;
mod told;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use crate::ecosystems::contract::{Binding, Inspector, OpenContext, Session, Unit, Wanted};
use crate::formats::git::Oid;
use crate::model::{Coordinate, Origin, Place, Problem, Reason};
use crate::world::{Dir, DirEntry, FileKind};

use super::CARGO;
use super::litter::{Litter, unlisted};
use checkout::GitCheckout;
pub(super) use copied::{copied, packages};
use database::GitDatabase;

/// Shortest name of a checkout that is taken for the beginning of a commit.
const SHORTEST: usize = 4;

/// A git package of a lockfile.
#[derive(Debug, Clone)]
struct Locked {
    commit: Arc<str>,
    oid: Oid,
    coordinate: Arc<Coordinate>,
}

/// Finds the checkouts of a CARGO_HOME.
pub(super) fn open(root: &dyn Dir, context: &OpenContext<'_>, session: &mut Session) {
    let mut opening = Opening {
        root,
        locked: locked(context.locked),
        narrow: context.wanted.is_some(),
        session,
        used: BTreeSet::new(),
    };
    opening.checkouts();
    opening.databases();
}

/// The git packages that lockfiles name, one per commit: the first package by name stands for a repository of several.
fn locked(wanted: &Wanted) -> Vec<Locked> {
    wanted
        .git
        .iter()
        .filter_map(|(url, commit)| {
            let oid = Oid::from_hex(commit.as_bytes()).ok()?;
            let package = wanted
                .git_packages
                .iter()
                .find(|(of, at, ..)| of == url && at == commit);
            let (name, version) = package.map_or_else(
                || (Arc::from(last_part(url)), Arc::from("")),
                |(_, _, name, version)| (Arc::clone(name), Arc::clone(version)),
            );
            Some(Locked {
                commit: Arc::clone(commit),
                oid,
                coordinate: Arc::new(Coordinate {
                    ecosystem: CARGO,
                    name,
                    version,
                    origin: Origin::Git {
                        url: Arc::clone(url),
                        commit: Arc::clone(commit),
                    },
                }),
            })
        })
        .collect()
}

/// The last part of an address: the name of a repository in messages, where no package of it is known.
fn last_part(url: &str) -> &str {
    let path = url.trim_end_matches('/');
    let last = path.rsplit_once('/').map_or(path, |(_, last)| last);
    last.strip_suffix(".git").unwrap_or(last)
}

/// `<name>` of `<name>-<16 hex>[-shallow]`.
pub(super) fn folder_name(folder: &str) -> Option<&str> {
    let folder = folder.strip_suffix("-shallow").unwrap_or(folder);
    let (name, hash) = folder.rsplit_once('-')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    (is_hash && !name.is_empty()).then_some(name)
}

impl Locked {
    /// Whether cargo could have checked it out under this name.
    fn fits_short(&self, short: &str) -> bool {
        short.len() >= SHORTEST && self.commit.starts_with(short)
    }
}

struct Opening<'a> {
    root: &'a dyn Dir,
    /// What lockfiles name.
    locked: Vec<Locked>,
    /// Whether only that is looked at.
    narrow: bool,
    session: &'a mut Session,
    /// Databases that a checkout's unit looks at already.
    used: BTreeSet<OsString>,
}

impl Opening<'_> {
    fn checkouts(&mut self) {
        let mut count = 0u64;
        for (folder, below) in self.folders("checkouts") {
            let named_by_cargo = folder.to_str().and_then(folder_name).is_some();
            let entries = match &below {
                Some(dir) => match dir.list() {
                    Ok(entries) => entries,
                    Err(error) => {
                        self.unreadable(&["git", "checkouts"], &folder, &error.source.to_string());
                        continue;
                    }
                },
                // A link or a device where the checkouts should be: its own unit says so.
                None => {
                    self.unit(Binding::Nothing, GitCheckout::irregular(folder));
                    continue;
                }
            };
            let mut here = 0;
            for entry in entries {
                here += u64::from(self.checkout(&folder, &entry, named_by_cargo));
            }
            if here == 0 && !named_by_cargo {
                self.litter(&["git", "checkouts"], &[&folder]);
            }
            count += here;
        }
        if count > 0 {
            let row = ("cargo-git-checkouts", "git/checkouts".to_owned(), count);
            self.session.sources.push(row);
        }
    }

    /// Makes the units of one folder of checkouts; says whether there are any.
    fn checkout(&mut self, folder: &OsStr, entry: &DirEntry, named_by_cargo: bool) -> bool {
        let short = entry.name.to_str().unwrap_or_default();
        let fitting: Vec<Locked> = self
            .locked
            .iter()
            .filter(|locked| locked.fits_short(short))
            .cloned()
            .collect();
        if fitting.is_empty() && !named_by_cargo {
            return false;
        }
        if fitting.is_empty() && !self.narrow {
            if !is_short(&entry.name) {
                self.litter(&["git", "checkouts"], &[folder, &entry.name]);
                return false;
            }
            let unit = GitCheckout::new(folder, &entry.name, None, self.first_use(folder));
            self.unit(Binding::Nothing, unit);
            return true;
        }
        for one in &fitting {
            let first = self.first_use(folder);
            let unit = GitCheckout::new(folder, &entry.name, Some(one.oid), first);
            self.unit(Binding::Package(Arc::clone(&one.coordinate)), unit);
        }
        !fitting.is_empty()
    }

    fn first_use(&mut self, folder: &OsStr) -> bool {
        self.used.insert(folder.to_owned())
    }

    /// Databases without a checkout. In a scan of one project they are no subjects, since a build makes the checkout that a
    /// scan then judges; but git itself may run what their settings and hooks say.
    fn databases(&mut self) {
        let mut count = 0;
        for (folder, below) in self.folders("db") {
            let named_by_cargo = folder.to_str().and_then(folder_name).is_some();
            count += u64::from(named_by_cargo);
            if below.is_none() {
                self.unit(Binding::Nothing, GitDatabase::irregular(folder));
            } else if !named_by_cargo && !self.narrow {
                self.litter(&["git", "db"], &[&folder]);
            } else if !self.used.contains(&folder) {
                self.unit(Binding::Nothing, GitDatabase::new(folder, self.narrow));
            }
        }
        if count > 0 && !self.narrow {
            let row = ("cargo-git-db", "git/db".to_owned(), count);
            self.session.sources.push(row);
        }
    }

    /// The folders below `git/<kind>`, opened; `None` beside a name for what is a link or a device.
    fn folders(&mut self, kind: &str) -> Vec<(OsString, Option<Box<dyn Dir>>)> {
        if self.narrow && self.locked.is_empty() {
            return Vec::new();
        }
        let parts = [OsStr::new("git"), OsStr::new(kind)];
        let listed = self
            .root
            .descend(&parts)
            .and_then(|dir| dir.list().map(|list| (dir, list)));
        let (dir, list) = match listed {
            Ok(listed) => listed,
            Err(error) => {
                if !error.is_not_found() {
                    let problem = unlisted(self.root, &parts, &error);
                    self.session.problems.push(problem);
                }
                return Vec::new();
            }
        };
        let mut folders = Vec::new();
        for entry in list {
            let named_by_cargo = entry.name.to_str().and_then(folder_name).is_some();
            if entry.kind != FileKind::Dir {
                if named_by_cargo && entry.kind != FileKind::File {
                    folders.push((entry.name, None));
                } else {
                    self.litter(&["git", kind], &[&entry.name]);
                }
                continue;
            }
            match dir.open_dir(&entry.name) {
                Ok(below) => folders.push((entry.name, Some(below))),
                Err(error) => {
                    self.unreadable(&["git", kind], &entry.name, &error.source.to_string());
                }
            }
        }
        folders
    }

    fn unit(&mut self, binding: Binding, inspector: impl Inspector + 'static) {
        self.session.units.push(Unit {
            binding,
            place: Place::Cache,
            archive: None,
            tree: None,
            inspector: Some(Box::new(inspector)),
        });
    }

    /// Something that no cargo loads. In a scan of one project it does not matter.
    fn litter(&mut self, fixed: &[&str], names: &[&OsStr]) {
        let tag = names.last().is_some_and(|name| *name == "CACHEDIR.TAG");
        if !self.narrow && !tag {
            let litter = Litter {
                rel: path(fixed, names),
                kind: "litter",
                reason: Reason::Orphan,
            };
            self.unit(Binding::Nothing, litter);
        }
    }

    fn unreadable(&mut self, fixed: &[&str], name: &OsStr, why: &str) {
        let path = self.root.path().join(path(fixed, &[name]));
        self.session
            .problems
            .push(Problem::skipped("", format!("cannot be listed: {why}")).at(&path));
    }
}

fn is_short(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        (SHORTEST..=64).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn path(fixed: &[&str], names: &[&OsStr]) -> PathBuf {
    fixed
        .iter()
        .map(OsStr::new)
        .chain(names.iter().copied())
        .collect()
}

#[cfg(test)]
mod tests;
