//! First-party code: which packages the manifests of a project describe, and what they name outside it.
//!
//! A lockfile may call a package first-party; that is believed only of a package whose manifest was seen.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::ecosystems::contract::{Ecosystem, LockfileFormat};
use crate::model::{Code, Finding, Location, Notice, NoticeCode, Place, text};
use crate::pipeline::flow::{Discovered, NamedFolder};
use crate::world::ReadFs;

/// Largest manifest that is looked into.
pub(super) const LARGEST: u64 = 4 << 20;
/// Most manifests outside a project that are followed.
const FOLLOWED: usize = 1000;

/// A manifest of a scanned tree.
pub(super) struct Manifest<'a> {
    pub(super) ecosystem: &'static dyn Ecosystem,
    pub(super) format: &'static dyn LockfileFormat,
    pub(super) root: usize,
    /// Path below the root.
    pub(super) rel: &'a Path,
    /// The folder that it lies in, absolute.
    pub(super) folder: &'a Path,
}

impl Manifest<'_> {
    /// Takes down its name, tells what it names outside, and follows that.
    pub(super) fn hear(&self, bytes: &[u8], fs: &dyn ReadFs, found: &mut Discovered) {
        let Some(root) = found.roots.get(self.root).map(|r| r.path.clone()) else {
            return;
        };
        let said = self.format.first_party(bytes);
        let id = self.ecosystem.facts().id;
        found.first_party.extend(said.name.map(|name| (id, name)));
        let mut open: Vec<PathBuf> = Vec::new();
        for (name, path) in &said.stand_ins {
            let seen = self.format.manifest().is_some_and(|manifest| {
                let at = lexical(self.folder, path).join(manifest);
                fs.read_named(&at, LARGEST).is_ok()
            });
            if seen {
                found.first_party.insert((id, name.clone()));
            }
        }
        for named in &said.paths {
            let target = lexical(self.folder, named);
            self.name(&target, found);
            if !target.starts_with(&root) {
                found.notices.push(self.outside(&target));
                open.push(target);
            }
        }
        self.follow(open, fs, found);
    }

    /// Reads the manifests of folders outside the project, and of those that they name.
    fn follow(&self, mut open: Vec<PathBuf>, fs: &dyn ReadFs, found: &mut Discovered) {
        let id = self.ecosystem.facts().id;
        let mut seen: BTreeSet<PathBuf> = open.iter().cloned().collect();
        while let Some(folder) = open.pop() {
            let Some(manifest) = self.format.manifest() else {
                return;
            };
            let Ok(bytes) = fs.read_named(&folder.join(manifest), LARGEST) else {
                continue;
            };
            let said = self.format.first_party(&bytes);
            found.first_party.extend(said.name.map(|name| (id, name)));
            for named in &said.paths {
                let target = lexical(&folder, named);
                if seen.len() < FOLLOWED && seen.insert(target.clone()) {
                    self.name(&target, found);
                    open.push(target);
                }
            }
        }
    }

    fn name(&self, target: &Path, found: &mut Discovered) {
        found.named_folders.insert(NamedFolder {
            ecosystem: self.ecosystem.facts().id,
            root: self.root,
            rel: self.rel.to_owned(),
            from: self.folder.to_owned(),
            target: target.to_owned(),
        });
    }

    fn outside(&self, target: &Path) -> Notice {
        use std::os::unix::ffi::OsStrExt as _;
        let shown = text::printable(&target.display().to_string());
        Notice {
            code: NoticeCode::FirstPartyOutside,
            reason: None,
            ecosystem: Some(self.ecosystem.facts().id),
            package: None,
            version: None,
            path: Some(text::percent(self.rel.as_os_str().as_bytes()).0),
            message: format!("first-party code at `{shown}` lies outside the scanned root"),
            remedy: Some("scan it as well, if it has dependencies of its own".into()),
        }
    }
}

/// First-party code that lies in a cache: what is built from there is neither the user's own nor held against anything.
pub(super) fn inside_caches(fs: &dyn ReadFs, found: &mut Discovered) {
    use std::os::unix::ffi::OsStrExt as _;
    let caches: Vec<&Path> = found
        .caches
        .iter()
        .filter_map(|(at, ..)| Some(found.roots.get(*at)?.path.as_path()))
        .collect();
    let mut findings = Vec::new();
    for named in &found.named_folders {
        let resolved = fs.open_root(&named.target).map(|root| root.resolved);
        let resolved = resolved.as_ref().unwrap_or(&named.target);
        let holds = |path: &Path| caches.iter().any(|cache| path.starts_with(cache));
        // A manifest in the cache itself is the publisher's.
        if !holds(resolved) || holds(&named.from) {
            continue;
        }
        let shown = text::printable(&named.target.display().to_string());
        let mut finding = Finding::new(
            Code::SourceRedirected,
            Place::Settings,
            format!(
                "takes `{shown}` for first-party code, which lies in a cache and is held against nothing"
            ),
        );
        let (rel, escaped) = text::percent(named.rel.as_os_str().as_bytes());
        finding.ecosystem = Some(named.ecosystem);
        finding.root = found.roots.get(named.root).map(|r| r.info.id.clone());
        finding.location = Some(Location {
            file: rel.clone(),
            line: None,
        });
        finding.rel = Some(rel);
        finding.path_escaped = escaped;
        finding.remedy =
            Some("require the module itself, or copy the folder out of the cache".to_owned());
        findings.push(finding);
    }
    found.findings.extend(findings);
}

/// Where a relative path leads from a folder, by its text alone: nothing is opened.
fn lexical(from: &Path, path: &str) -> PathBuf {
    let mut out = from.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}
