//! Who can write where the audited bytes lie, who owns them, and which links lead out: seen on the way, judged at the end.
//!
//! Trees are listed anyway and archives opened anyway: their attributes are taken from there, so that nothing is walked
//! twice. Folders on the way to them, cached listings and checkouts are looked at here. A group counts only if it has other
//! members; what belongs to root is as safe as the machine.

mod report;
mod suspects;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::model::{Finding, Place};
use crate::pipeline::flow::{Check, Inventory, OpenRoot};
use crate::world::{Dir, Env, FileKind, Stat};

pub(super) use suspects::Suspects;

/// Most entries of checkouts that are looked at.
const MOST: usize = 200_000;
/// Deepest folder of a checkout.
const DEPTH: usize = 64;
/// Lock files of tools: of no bytes, they hold nothing that could be changed.
const SHARED_LOCKS: [&str; 2] = [".package-cache", ".package-cache-mutate"];

/// Collects what is seen, from all threads.
pub(super) struct Watch<'a> {
    env: &'a dyn Env,
    uid: u32,
    groups: Mutex<BTreeMap<u32, bool>>,
    /// By path of the root, then by path below it.
    seen: Mutex<BTreeMap<PathBuf, BTreeMap<PathBuf, Suspects>>>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(env: &'a dyn Env) -> Self {
        Self {
            env,
            uid: env.uid(),
            groups: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// Whether somebody else than the owner and root could write something with these attributes.
    fn writable(&self, stat: &Stat) -> bool {
        stat.kind != FileKind::Link
            && (stat.mode & 0o002 != 0 || (stat.mode & 0o020 != 0 && self.has_others(stat.gid)))
    }

    fn has_others(&self, gid: u32) -> bool {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        *groups
            .entry(gid)
            .or_insert_with(|| self.env.group_has_others(gid))
    }

    /// Judges one thing at a path.
    pub(super) fn judge(&self, path: &[u8], stat: &Stat, suspects: &mut Suspects) {
        if self.writable(stat) {
            suspects.writable.add(path);
        }
        if stat.uid != self.uid && stat.uid != 0 {
            suspects.owners.entry(stat.uid).or_default().add(path);
        }
        if stat.kind == FileKind::Link {
            suspects.link(path);
        }
    }

    /// Takes what was seen of a tree or a file; what is seen again replaces it.
    pub(super) fn take(&self, root: &Path, rel: &Path, suspects: Suspects) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let of_root = seen.entry(root.to_owned()).or_default();
        if suspects.is_empty() {
            of_root.remove(rel);
        } else {
            of_root.insert(rel.to_owned(), suspects);
        }
    }

    /// Takes what was seen of one file.
    pub(super) fn file(&self, root: &Path, rel: &Path, stat: &Stat) {
        let mut suspects = Suspects::default();
        self.judge(b"", stat, &mut suspects);
        self.take(root, rel, suspects);
    }

    /// Looks at the rest and gives the findings, one per root and code.
    pub(super) fn finish(&self, inventory: &Inventory, checks: &[Check]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (at, root) in inventory.roots.iter().enumerate() {
            if root.is_project {
                continue;
            }
            let mut units = inventory
                .units
                .iter()
                .filter(|unit| unit.root == at)
                .peekable();
            let first = units.peek();
            let place = first.map_or(Place::Cache, |unit| unit.unit.place);
            let ecosystem = first.map(|unit| unit.ecosystem.facts().id);
            if place == Place::Build {
                continue;
            }
            let mut all = self.taken(root.dir().path());
            let rels = units.flat_map(|unit| {
                let archive = unit.unit.archive.as_ref().map(|part| part.rel.as_path());
                let tree = unit.unit.tree.as_ref().map(|part| part.rel.as_path());
                archive.into_iter().chain(tree)
            });
            let mut folders = Folders {
                watch: self,
                root: root.dir(),
                done: BTreeSet::new(),
                suspects: &mut all,
            };
            folders.root(root, place);
            for rel in rels {
                folders.above(rel);
            }
            for check in checks.iter().filter(|check| check.subject.root == at) {
                folders.subject(check);
            }
            let owner = root.dir().stat().map_or(0, |stat| stat.uid);
            findings.extend(report::findings(root, place, ecosystem, &all, |uid| {
                // Root looking into somebody's cache: that somebody is no stranger there.
                self.uid == 0 && uid == owner
            }));
        }
        findings
    }

    /// Everything taken of a root, with paths below it.
    fn taken(&self, root: &Path) -> Suspects {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Suspects::default();
        for (rel, suspects) in seen.remove(root).unwrap_or_default() {
            all.merge(rel.as_os_str().as_bytes(), suspects);
        }
        all
    }
}

/// Looks at folders on the way, each once.
struct Folders<'w, 'a> {
    watch: &'w Watch<'a>,
    root: &'w dyn Dir,
    done: BTreeSet<PathBuf>,
    suspects: &'w mut Suspects,
}

impl Folders<'_, '_> {
    /// The root itself, what lies directly in it, and the folders above it.
    fn root(&mut self, root: &OpenRoot, place: Place) {
        if let Ok(stat) = self.root.stat() {
            self.watch.judge(b".", &stat, self.suspects);
        }
        if place != Place::Cache {
            return;
        }
        let mut up = String::new();
        for (_, stat) in &root.opened.ancestors {
            if !up.is_empty() {
                up.push('/');
            }
            up.push_str("..");
            // In a folder with the sticky bit nobody can rename what belongs to others.
            if self.watch.writable(stat) && stat.mode & 0o1000 == 0 {
                self.suspects.writable.add(up.as_bytes());
            }
        }
        for folder in ["", "registry", "git"] {
            self.entries(Path::new(folder));
        }
    }

    /// What lies directly in a folder.
    fn entries(&mut self, rel: &Path) {
        let opened = (!rel.as_os_str().is_empty()).then(|| self.root.open_dir(rel.as_os_str()));
        let dir = match &opened {
            None => self.root,
            Some(Ok(dir)) => &**dir,
            Some(Err(_)) => return,
        };
        for entry in dir.list().unwrap_or_default() {
            let Ok(stat) = dir.stat_entry(&entry.name) else {
                continue;
            };
            let is_lock = stat.size == 0 && SHARED_LOCKS.iter().any(|name| entry.name == *name);
            let path = rel.join(&entry.name);
            if !is_lock && self.done.insert(path.clone()) {
                self.watch
                    .judge(path.as_os_str().as_bytes(), &stat, self.suspects);
            }
        }
    }

    /// The folders between the root and a path.
    fn above(&mut self, rel: &Path) {
        let folders: Vec<&Path> = rel.ancestors().skip(1).collect();
        for folder in folders.into_iter().rev() {
            if !folder.as_os_str().is_empty() && self.done.insert(folder.to_owned()) {
                self.one(folder);
            }
        }
    }

    /// One path below the root.
    fn one(&mut self, rel: &Path) -> Option<Stat> {
        let names: Vec<&OsStr> = rel.iter().collect();
        let (name, above) = names.split_last()?;
        let opened = (!above.is_empty()).then(|| self.root.descend(above));
        let dir = match &opened {
            None => self.root,
            Some(Ok(dir)) => &**dir,
            Some(Err(_)) => return None,
        };
        let stat = dir.stat_entry(name).ok()?;
        self.watch
            .judge(rel.as_os_str().as_bytes(), &stat, self.suspects);
        Some(stat)
    }

    /// What an inspector looked at: a listing is a file, a checkout a tree of its own.
    fn subject(&mut self, check: &Check) {
        let subject = &check.subject;
        if !matches!(subject.kind, "listing" | "checkout" | "git-db") {
            return;
        }
        self.above(&subject.rel);
        if !self.done.insert(subject.rel.clone()) {
            return;
        }
        let is_folder = self
            .one(&subject.rel)
            .is_some_and(|stat| stat.kind == FileKind::Dir);
        if is_folder {
            let names: Vec<&OsStr> = subject.rel.iter().collect();
            if let Ok(dir) = self.root.descend(&names) {
                let mut left = MOST;
                self.tree(&*dir, &subject.rel, 0, &mut left);
            }
        }
    }

    /// A checkout: its links are objects of its commit, and judged as that.
    fn tree(&mut self, dir: &dyn Dir, rel: &Path, depth: usize, left: &mut usize) {
        for entry in dir.list().unwrap_or_default() {
            if *left == 0 || depth > DEPTH {
                return;
            }
            *left -= 1;
            if entry.kind == FileKind::Link {
                continue;
            }
            let path = rel.join(&entry.name);
            if let Ok(stat) = dir.stat_entry(&entry.name) {
                self.watch
                    .judge(path.as_os_str().as_bytes(), &stat, self.suspects);
            }
            if entry.kind == FileKind::Dir
                && let Ok(below) = dir.open_dir(&entry.name)
            {
                self.tree(&*below, &path, depth + 1, left);
            }
        }
    }
}

/// Whether a link at `rel` leads out of the root. The target is judged by its spelling.
fn escapes(root: &OpenRoot, rel: &Path) -> bool {
    let names: Vec<&OsStr> = rel.iter().collect();
    let Some((name, above)) = names.split_last() else {
        return false;
    };
    let opened = (!above.is_empty()).then(|| root.dir().descend(above));
    let dir = match &opened {
        None => root.dir(),
        Some(Ok(dir)) => &**dir,
        Some(Err(_)) => return true,
    };
    let Ok(target) = dir.read_link(name) else {
        return true;
    };
    let from = root.path.join(rel);
    let whole = from.parent().unwrap_or(&from).join(target);
    let mut real = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            Component::CurDir => {}
            other => real.push(other),
        }
    }
    !real.starts_with(&root.path)
}

#[cfg(test)]
mod tests;
