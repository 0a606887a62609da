//! Walks a project tree once, for all ecosystems, without following links.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::{Ecosystem, LockfileFormat, Posture};
use crate::model::{Notice, NoticeCode, Problem, RootOrigin, text};
use crate::pipeline::flow::{Discovered, FoundLock, FoundManifest, FoundPlace, Own};
use crate::world::{Dir, DirEntry, FileKind};

use super::first_party::LARGEST as MANIFEST;
use super::{Targets, first_party, open, source, unread};

/// Deepest folder.
const MAX_DEPTH: usize = 64;
/// Most folders of one project.
const MAX_FOLDERS: usize = 200_000;
/// Largest lockfile.
pub(super) const LARGEST: u64 = 64 << 20;

mod named;

struct Walk<'a> {
    targets: &'a Targets<'a>,
    root: usize,
    folders: usize,
    limit_told: bool,
    found: &'a mut Discovered,
    /// Folders that must not be entered: caches that are audited as such.
    caches: Vec<PathBuf>,
    /// Ecosystems that look for projects here: below folders that others fill only those that do not skip them.
    looking: Vec<&'static dyn Ecosystem>,
    /// Whether this began at a folder that something names: what was walked before is not walked again.
    again: bool,
}

/// Walks the project at this root.
pub(super) fn project(targets: &Targets<'_>, root: usize, found: &mut Discovered) {
    found.walked.insert(root);
    let Some((dir, path)) = found
        .roots
        .get(root)
        .map(|r| (targets.fs.open_root(&r.path), r.path.clone()))
    else {
        return;
    };
    let opened = match dir {
        Ok(opened) => opened,
        Err(error) => {
            found.problems.push(Problem::skipped(
                text::printable(&path.display().to_string()),
                format!("cannot be opened: {}", error.source),
            ));
            return;
        }
    };
    let caches = targets
        .ecosystems
        .iter()
        .flat_map(|e| e.caches())
        .flat_map(|kind| kind.locate(targets.env, targets.fs))
        .map(|candidate| candidate.path)
        .chain(targets.named_caches.iter().map(|(_, path)| path.clone()))
        .filter_map(|path| {
            targets
                .fs
                .open_root(&path)
                .ok()
                .map(|opened| opened.resolved)
        })
        .collect();
    let mut walk = Walk {
        targets,
        root,
        folders: 0,
        limit_told: false,
        found,
        caches,
        looking: targets.ecosystems.clone(),
        again: false,
    };
    walk.folder(&*opened.dir, Path::new(""), &path, 0, false);
    walk.named(&path);
}

impl Walk<'_> {
    fn folder(&mut self, dir: &dyn Dir, rel: &Path, path: &Path, depth: usize, locked_above: bool) {
        if self.again && self.found.folders.iter().any(|walked| walked == path) {
            return;
        }
        if depth > MAX_DEPTH || self.folders > MAX_FOLDERS {
            if !std::mem::replace(&mut self.limit_told, true) {
                self.problem(
                    path,
                    "is deeper or larger than untaint walks: name the inner project itself",
                );
            }
            return;
        }
        self.folders += 1;
        let entries = match dir.list() {
            Ok(entries) => entries,
            Err(error) => {
                let why = format!("cannot be listed: {}; make it readable", error.source);
                return self.problem(path, &why);
            }
        };
        let place = (!self.is_projects(&entries))
            .then(|| self.place(dir, &entries, path))
            .flatten();
        if let Some((posture, kind)) = place.filter(|_| depth > 0) {
            return self.beside(
                dir,
                &entries,
                rel,
                path,
                (depth, locked_above),
                &|name, below, locked| posture.belongs(kind, name, below, locked),
            );
        }
        let mut locked = locked_above;
        let mut holds_lock = false;
        for entry in &entries {
            if entry.kind != FileKind::Dir {
                holds_lock |= self.file(dir, entry, rel, path);
            }
        }
        locked |= holds_lock;
        if holds_lock || self.has_settings(&entries) {
            self.found.folders.push(path.to_owned());
        }
        self.manifests(&entries, rel, path, locked);
        self.first_party(dir, &entries, rel, path);
        let locked = locked || entries.iter().any(|e| self.is_manifest(e));
        for entry in &entries {
            if entry.kind != FileKind::Dir || is_repository(&entry.name) {
                continue;
            }
            let below_path = path.join(&entry.name);
            if entry
                .name
                .to_str()
                .is_some_and(|name| format_of(&self.looking, name).is_some())
            {
                let why = "is a folder where a lockfile should be: restore the lockfile";
                self.problem(&below_path, why);
            }
            self.enter(dir, entry, rel, path, (depth, locked));
        }
        for entry in entries.iter().filter(|e| e.kind == FileKind::Link) {
            self.link(entry, rel, path);
        }
    }

    /// Walks a folder of a folder, unless it is excluded or a cache. `at`: the outer folder's depth, and whether a lockfile
    /// or manifest lies in it or above.
    fn enter(
        &mut self,
        dir: &dyn Dir,
        entry: &DirEntry,
        rel: &Path,
        path: &Path,
        at: (usize, bool),
    ) {
        let below = rel.join(&entry.name);
        let below_path = path.join(&entry.name);
        if self.targets.exclude.is_match(&below) || self.caches.contains(&below_path) {
            return;
        }
        let looking = self.looking.clone();
        self.looking
            .retain(|ecosystem| !skips(*ecosystem, &entry.name));
        match dir.open_dir(&entry.name) {
            _ if self.looking.is_empty() => {}
            Ok(next) => self.folder(&*next, &below, &below_path, at.0 + 1, at.1),
            Err(error) => {
                let why = format!("cannot be opened: {}; make it readable", error.source);
                self.problem(&below_path, &why);
            }
        }
        self.looking = looking;
    }

    /// Whether nobody looks for projects in folders of this name.
    fn skips(&self, name: &OsStr) -> bool {
        self.looking.iter().all(|ecosystem| skips(*ecosystem, name))
    }

    /// What lies in a recognised folder and is no part of it is walked like anything else: one decoy must not hide a project.
    fn beside(
        &mut self,
        dir: &dyn Dir,
        entries: &[DirEntry],
        rel: &Path,
        path: &Path,
        at: (usize, bool),
        belongs: &dyn Fn(&str, &[&str], bool) -> bool,
    ) {
        for entry in entries {
            if entry.kind != FileKind::Dir || is_repository(&entry.name) {
                continue;
            }
            // What cannot be read is told by whoever reads the place.
            let Ok(inside) = dir.open_dir(&entry.name).and_then(|below| below.list()) else {
                continue;
            };
            let names: Vec<&str> = inside.iter().filter_map(|e| e.name.to_str()).collect();
            let locked = names.iter().any(|name| self.is_lock(name));
            if !belongs(&entry.name.to_string_lossy(), &names, locked) {
                self.enter(dir, entry, rel, path, at);
            }
        }
    }

    /// Whether a name is that of a lockfile, also of one that untaint does not read.
    fn is_lock(&self, name: &str) -> bool {
        format_of(&self.looking, name).is_some() || unread::tool(name).is_some()
    }

    /// Whether a folder is somebody's project by what lies directly in it: then it is no place, whatever else lies there.
    fn is_projects(&self, entries: &[DirEntry]) -> bool {
        let locked = |e: &DirEntry| e.name.to_str().is_some_and(|name| self.is_lock(name));
        self.has_settings(entries) || entries.iter().any(|e| self.is_manifest(e) || locked(e))
    }

    /// A linked folder is not followed; one that leads out of what is scanned is said.
    fn link(&mut self, entry: &DirEntry, rel: &Path, path: &Path) {
        let below = rel.join(&entry.name);
        let below_path = path.join(&entry.name);
        // Settings are read along links too, as their tool does.
        let read = self.has_settings(std::slice::from_ref(entry));
        if read
            || is_repository(&entry.name)
            || self.skips(&entry.name)
            || self.targets.exclude.is_match(&below)
        {
            return;
        }
        let Ok(leads) = self.targets.fs.open_root(&below_path) else {
            return;
        };
        let mut roots = self.found.roots.iter().filter(|root| root.is_project);
        if roots.any(|root| leads.resolved.starts_with(&root.path)) {
            return;
        }
        let rel = text::percent(below.as_os_str().as_bytes()).0;
        self.found.notices.push(Notice {
            code: NoticeCode::FirstPartyOutside,
            reason: None,
            ecosystem: None,
            package: None,
            version: None,
            path: Some(rel.clone()),
            message: format!(
                "the folder `{}` is a link that leads out of what was scanned, and was not followed",
                text::printable(&rel)
            ),
            remedy: Some("scan the folder that it leads to as well".into()),
        });
    }

    fn problem(&mut self, path: &Path, message: &str) {
        self.found.problems.push(Problem::skipped(
            text::printable(&path.display().to_string()),
            message,
        ));
    }

    fn has_settings(&self, entries: &[DirEntry]) -> bool {
        let names: Vec<&str> = entries.iter().filter_map(|e| e.name.to_str()).collect();
        let postures = self.looking.iter().filter_map(|e| e.posture());
        postures
            .into_iter()
            .any(|posture| posture.has_settings(&names))
    }

    /// A folder that an ecosystem recognises (vendored packages, build output) is a root of its own.
    fn place(
        &mut self,
        dir: &dyn Dir,
        entries: &[DirEntry],
        path: &Path,
    ) -> Option<(&'static dyn Posture, &'static str)> {
        let names: Vec<&str> = entries.iter().filter_map(|e| e.name.to_str()).collect();
        for ecosystem in &self.looking {
            let Some(posture) = ecosystem.posture() else {
                continue;
            };
            let Some(kind) = posture.recognises(dir, &names) else {
                continue;
            };
            let count = self.found.places.iter().filter(|p| p.kind == kind).count();
            let id = if count == 0 {
                kind.to_owned()
            } else {
                format!("{kind}-{}", count + 1)
            };
            let origin = RootOrigin::Scanned("project".into());
            match open(self.targets.fs, path, &id, origin, false) {
                Ok(root) => {
                    self.found.roots.push(root);
                    self.found.places.push(FoundPlace {
                        ecosystem: *ecosystem,
                        kind,
                        root: self.found.roots.len() - 1,
                        named_by: "project".into(),
                        stands_for: None,
                    });
                }
                Err(why) => self.problem(path, &format!("cannot be opened: {why}")),
            }
            return Some((posture, kind));
        }
        None
    }

    /// Takes a lockfile; says whether this was one.
    fn file(&mut self, dir: &dyn Dir, entry: &DirEntry, rel: &Path, path: &Path) -> bool {
        let Some(name) = entry.name.to_str() else {
            return false;
        };
        let below = rel.join(name);
        if self.targets.exclude.is_match(&below) {
            return false;
        }
        let shown = path.join(name);
        let Some((ecosystem, format)) = format_of(&self.looking, name) else {
            self.unread(name, &below);
            return false;
        };
        if entry.kind != FileKind::File {
            let what = if entry.kind == FileKind::Link {
                "is a link"
            } else {
                "is no regular file"
            };
            self.problem(
                &shown,
                &format!(
                    "{what}, and untaint follows none in a scanned tree: name the file with -L"
                ),
            );
            return true;
        }
        match dir.read(&entry.name, LARGEST) {
            Ok((bytes, _)) => {
                let rel = text::percent(below.as_os_str().as_bytes()).0;
                self.found.locks.push(FoundLock {
                    ecosystem,
                    format,
                    root: self.root,
                    rel,
                    folder: path.to_owned(),
                    bytes,
                    own: Own::default(),
                });
            }
            Err(error) => {
                let why = format!("cannot be read: {}", error.source);
                self.problem(&shown, &why);
            }
        }
        true
    }

    fn unread(&mut self, name: &str, rel: &Path) {
        let all = self.looking.len() == self.targets.ecosystems.len();
        let Some((ecosystem, tool)) = unread::tool(name).filter(|_| all) else {
            return;
        };
        let chosen = |only: &Vec<String>| only.iter().any(|o| o == ecosystem);
        if self.targets.only.as_ref().is_some_and(|only| !chosen(only)) {
            return;
        }
        let rel = text::percent(rel.as_os_str().as_bytes()).0;
        source(self.found, "unsupported-lockfile", self.root, &rel, 0);
        self.found
            .unsupported
            .push((ecosystem, tool, self.root, rel));
    }

    fn is_manifest(&self, entry: &DirEntry) -> bool {
        let formats = self.looking.iter().flat_map(|e| e.lockfiles());
        matches!(entry.kind, FileKind::File | FileKind::Link)
            && formats
                .filter_map(|f| f.manifest())
                .any(|name| entry.name == name)
    }

    /// Hears what the manifests of a folder say of first-party code.
    fn first_party(&mut self, dir: &dyn Dir, entries: &[DirEntry], rel: &Path, path: &Path) {
        for ecosystem in self.looking.clone() {
            for format in ecosystem.lockfiles() {
                let (Some(manifest), None) = (format.manifest(), format.manifests()) else {
                    continue;
                };
                let is_it = |e: &&DirEntry| e.name == manifest && e.kind == FileKind::File;
                let Some(entry) = entries.iter().find(is_it) else {
                    continue;
                };
                if let Ok((bytes, _)) = dir.read(&entry.name, MANIFEST) {
                    let here = first_party::Manifest {
                        ecosystem,
                        format: *format,
                        root: self.root,
                        rel: &rel.join(manifest),
                        folder: path,
                    };
                    here.hear(&bytes, self.targets.fs, self.found);
                }
            }
        }
    }

    /// A manifest without a lockfile here or above: nothing pins what it would build with.
    fn manifests(&mut self, entries: &[DirEntry], rel: &Path, path: &Path, locked: bool) {
        for ecosystem in &self.looking {
            for format in ecosystem.lockfiles() {
                let Some(manifest) = format.manifest() else {
                    continue;
                };
                if format.manifests().is_some() {
                    let is_it = |e: &DirEntry| e.name == manifest && self.is_manifest(e);
                    if entries.iter().any(is_it) {
                        self.found.manifests.push(FoundManifest {
                            ecosystem: *ecosystem,
                            format: *format,
                            root: self.root,
                            rel: rel.join(manifest),
                            folder: path.to_owned(),
                        });
                    }
                    continue;
                }
                if locked {
                    continue;
                }
                if !entries
                    .iter()
                    .any(|e| e.name == manifest && e.kind == FileKind::File)
                {
                    continue;
                }
                let rel = text::percent(rel.join(manifest).as_os_str().as_bytes()).0;
                self.found.notices.push(Notice {
                    code: NoticeCode::NoLockfile,
                    reason: None,
                    ecosystem: Some(ecosystem.facts().id),
                    package: None,
                    version: None,
                    path: Some(rel.clone()),
                    message: format!(
                        "`{}` has no lockfile beside or above it",
                        text::printable(&rel)
                    ),
                    remedy: Some("let its tool write one, then scan again".into()),
                });
            }
        }
    }
}

/// Whether an ecosystem looks for no project in folders of this name.
fn skips(ecosystem: &dyn Ecosystem, name: &OsStr) -> bool {
    let skipped = ecosystem.facts().skips;
    skipped.iter().any(|known| name == *known)
}

/// Folders of tools that keep versions: they hold no project.
fn is_repository(name: &OsStr) -> bool {
    [".git", ".hg", ".svn"].iter().any(|known| name == *known)
}

pub(super) fn format_of(
    ecosystems: &[&'static dyn Ecosystem],
    name: &str,
) -> Option<(&'static dyn Ecosystem, &'static dyn LockfileFormat)> {
    ecosystems.iter().find_map(|ecosystem| {
        let format = ecosystem.lockfiles().iter().find(|f| f.matches(name))?;
        Some((*ecosystem, *format))
    })
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
