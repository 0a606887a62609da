//! CARGO_HOME: `registry/{cache,src,index}` and `git/{db,checkouts}` (cargo 1.95).
//!
//! ```text
//! registry/cache/<registry>/<name>-<version>.crate
//! registry/src/<registry>/<name>-<version>/…
//! registry/index/<registry>/.cache/<prefix>/<name>, config.json, .git
//! git/db/<name>-<hash>/, git/checkouts/<name>-<hash>/<short commit>/
//! ```
//! What no cargo loads is litter; a folder of a registry that nobody knows cannot be bound.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ecosystems::contract::{
    ArchiveFormat, ArchivePart, Binding, CacheKind, OpenContext, RootCandidate, Session, TreePart,
    Unit,
};
use crate::model::{
    ArtifactId, Code, Coordinate, Finding, Origin, Place, Problem, Reason, Registry, RootOrigin,
    text,
};
use crate::world::{Dir, DirEntry, Env, FileKind, ReadFs};

use super::folders::{Folders, is_git, split_name};
use super::index_file::{Form, IndexFile};
use super::listings::Listings;
use super::litter::{Irregular, Litter, led_away, link_among, unlisted};
use super::named;
use super::projection::Unpacked;
use super::{CARGO, authority};

/// The cache.
pub(super) struct CargoHome;

impl CacheKind for CargoHome {
    fn name(&self) -> &'static str {
        "cargo"
    }

    fn holds(&self, rel: &Path) -> bool {
        let parts: Vec<&OsStr> = rel.iter().take(3).collect();
        match parts.as_slice() {
            [top, part, _] if *top == "registry" => {
                *part == "cache" || *part == "src" || *part == "index"
            }
            // A link may stand in its place.
            [top, part] => *top == "registry" && *part == "src",
            [top, part, _] if *top == "git" => *part == "db" || *part == "checkouts",
            _ => false,
        }
    }

    fn locate(&self, env: &dyn Env, _: &dyn ReadFs) -> Vec<RootCandidate> {
        let named = env
            .var("CARGO_HOME")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        let (path, origin) = match named {
            Some(path) if path.is_absolute() => {
                (Some(path), RootOrigin::Env(Arc::from("CARGO_HOME")))
            }
            Some(path) => (
                env.current_dir().map(|dir| dir.join(path)),
                RootOrigin::Env(Arc::from("CARGO_HOME")),
            ),
            None => (
                env.home().map(|home| home.join(".cargo")),
                RootOrigin::Default,
            ),
        };
        path.map(|path| RootCandidate {
            name: "cargo-home",
            path,
            origin,
        })
        .into_iter()
        .collect()
    }

    fn open(&self, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
        let mut opening = Opening {
            root,
            context,
            folders: Folders::of(context.registries),
            listings: context
                .wanted
                .map(|wanted| Listings::of(wanted.names.iter().map(|name| &**name))),
            session: Session::default(),
        };
        opening.registries();
        super::git::open(root, context, &mut opening.session);
        opening.session
    }
}

struct Opening<'a> {
    root: &'a dyn Dir,
    context: &'a OpenContext<'a>,
    folders: Folders,
    /// The listings that matter; `None` for all.
    listings: Option<Listings>,
    session: Session,
}

/// Archive and tree of one `<name>-<version>` in one registry folder.
#[derive(Default)]
struct Pair {
    archive: Option<(PathBuf, u64)>,
    tree: Option<PathBuf>,
}

impl Opening<'_> {
    fn registries(&mut self) {
        let mut pairs: BTreeMap<(OsString, OsString), Pair> = BTreeMap::new();
        self.each_folder("cache", |opening, folder, dir, entries| {
            let count = entries.len() as u64;
            for entry in entries {
                let rel = rel(&["registry", "cache"], &[folder, &entry.name]);
                match stem(&entry.name, ".crate") {
                    Some(stem) => {
                        let size = if opening.may_matter(stem) {
                            dir.stat_entry(&entry.name).map_or(0, |s| s.size)
                        } else {
                            0
                        };
                        let key = (folder.to_owned(), stem.to_owned());
                        pairs.entry(key).or_default().archive = Some((rel, size));
                    }
                    None => opening.litter(rel, entry),
                }
            }
            opening.source("cargo-registry-cache", "cache", folder, count);
        });
        self.each_folder("src", |opening, folder, _, entries| {
            let count = entries.len() as u64;
            for entry in entries {
                let rel = rel(&["registry", "src"], &[folder, &entry.name]);
                let key = (folder.to_owned(), entry.name.clone());
                if split_name(&entry.name).is_some() {
                    pairs.entry(key).or_default().tree = Some(rel);
                } else {
                    opening.litter(rel, entry);
                }
            }
            opening.source("cargo-registry-src", "src", folder, count);
        });
        // Names that differ in case alone: a crate has one spelling, and which of them is it cannot be told here.
        let mut spelled: BTreeMap<(OsString, String), usize> = BTreeMap::new();
        let folded = |stem: &OsStr| stem.to_string_lossy().to_lowercase();
        for (folder, stem) in pairs.keys() {
            *spelled.entry((folder.clone(), folded(stem))).or_default() += 1;
        }
        // In a scan of one project, a folder of a registry that nobody names matters where it holds what no other folder
        // does, or carries a host that somebody names: cargo may know an address for it that we do not.
        let bound: BTreeSet<OsString> = pairs
            .keys()
            .filter(|(folder, stem)| self.is_bound(folder, stem))
            .map(|(_, stem)| stem.clone())
            .collect();
        for ((folder, stem), pair) in pairs {
            let stray = self.registry(&folder).is_none() && !named::is_local(&folder);
            let elsewhere = bound.contains(&stem) && !self.folders.shares_host(&folder);
            if stray && self.context.wanted.is_some() && elsewhere {
                continue;
            }
            let key = (folder, folded(&stem));
            let alone = spelled.get(&key).is_none_or(|count| *count == 1);
            self.pair(&key.0, &stem, pair, alone);
        }
        self.each_folder("index", |opening, folder, dir, entries| {
            if opening.context.wanted.is_none() || opening.registry(folder).is_some() {
                opening.index(folder, dir, entries);
            }
        });
    }

    /// Whether a folder is known to be of a registry that serves this `<name>-<version>`.
    fn is_bound(&self, folder: &OsStr, stem: &OsStr) -> bool {
        let locked = || {
            let (name, version) = split_name(stem)?;
            let key = (Arc::from(name), Arc::from(version));
            self.context.locked.registries.get(&key)
        };
        self.registry(folder).is_some() || (named::is_local(folder) && locked().is_some())
    }

    /// Calls `each` for every registry folder below `registry/<kind>`.
    fn each_folder(
        &mut self,
        kind: &str,
        mut each: impl FnMut(&mut Self, &OsStr, &dyn Dir, &[DirEntry]),
    ) {
        let parts = [OsStr::new("registry"), OsStr::new(kind)];
        let listed = self.root.descend(&parts);
        let (dir, folders) = match listed.and_then(|dir| dir.list().map(|list| (dir, list))) {
            Ok(listed) => listed,
            Err(error) if error.is_not_found() => return,
            Err(error) => {
                let problem = unlisted(self.root, &parts, &error);
                let Some(rel) = link_among(self.root, &parts) else {
                    return self.session.problems.push(problem);
                };
                return led_away(&mut self.session, rel, problem);
            }
        };
        for folder in folders {
            let at = rel(&["registry", kind], &[&folder.name]);
            if folder.kind != FileKind::Dir {
                self.no_folder(at, &folder);
                continue;
            }
            let opened = dir
                .open_dir(&folder.name)
                .and_then(|below| below.list().map(|list| (below, list)));
            match opened {
                Ok((below, entries)) => each(self, &folder.name, &*below, &entries),
                Err(error) => self.unreadable(&at, &error.source.to_string()),
            }
        }
    }

    /// Cargo follows a link in the place of a registry's folder; anything else there it passes over.
    fn no_folder(&mut self, rel: PathBuf, entry: &DirEntry) {
        let followed = entry.kind == FileKind::Link && self.registry(&entry.name).is_some();
        if !followed {
            return self.litter(rel, entry);
        }
        self.session.units.push(Unit {
            binding: Binding::Nothing,
            place: Place::Cache,
            archive: None,
            tree: None,
            inspector: Some(Box::new(Irregular {
                rel,
                kind: "registry-folder",
                place: Place::Cache,
            })),
        });
    }

    /// Whether what is scanned names this `<name>-<version>`, or everything matters.
    fn may_matter(&self, stem: &OsStr) -> bool {
        self.context.wanted.is_none_or(|wanted| {
            split_name(stem).is_some_and(|(name, version)| {
                let key = (Arc::from(name), Arc::from(version));
                wanted.packages.contains(&key)
            })
        })
    }

    fn registry(&self, folder: &OsStr) -> Option<Arc<Registry>> {
        self.folders.registry(folder.to_str()?).cloned()
    }

    fn pair(&mut self, folder: &OsStr, stem: &OsStr, pair: Pair, alone: bool) {
        if !self.may_matter(stem) {
            return;
        }
        let parsed = split_name(stem);
        let binding = match (parsed, self.registry(folder)) {
            // A scan of a project asks for one spelling, and that is the one that its tool loads.
            (Some((name, version)), Some(registry)) if alone || self.context.wanted.is_some() => {
                Binding::Artifact(Arc::new(ArtifactId {
                    coordinate: Coordinate {
                        ecosystem: CARGO,
                        name: Arc::from(name),
                        version: Arc::from(version),
                        origin: Origin::Registry(registry),
                    },
                    file: Arc::from(format!("{name}-{version}.crate")),
                }))
            }
            // Unpacked from a local registry: whatever that is called, the lockfile says what it stands for.
            (Some((name, version)), None) if named::is_local(folder) => {
                named::of_local(name, version, self.context)
                    .map_or(Binding::Unbound(Reason::UnpinnedRoot), Binding::Artifact)
            }
            (_, None) => Binding::Unbound(Reason::UnpinnedRoot),
            (_, Some(_)) => Binding::Unbound(Reason::Unbound),
        };
        let top = Arc::from(stem.to_string_lossy());
        self.session.units.push(Unit {
            binding,
            place: Place::Cache,
            archive: pair.archive.map(|(rel, size)| ArchivePart {
                rel,
                format: ArchiveFormat::CrateTarGz,
                size,
                top,
                empty_is_absent: true,
            }),
            tree: pair.tree.map(|rel| TreePart {
                rel,
                without: Vec::new(),
                copied: Vec::new(),
                projection: &Unpacked,
            }),
            inspector: None,
        });
    }

    fn index(&mut self, folder: &OsStr, dir: &dyn Dir, entries: &[DirEntry]) {
        let registry = self.registry(folder);
        let form = match folder.to_str() {
            Some(name) if self.folders.is_elsewhere(name) => Form::Elsewhere,
            _ => Form::Cached,
        };
        let mut count = 0u64;
        for entry in entries {
            let at = rel(&["registry", "index"], &[folder, &entry.name]);
            match entry.name.to_str() {
                Some(".cache") if entry.kind == FileKind::Dir => {
                    count += self.index_files(&registry, dir, &entry.name, (&at, &at), 0);
                }
                Some(authority::CONFIG) => {
                    let (name, entry) = (authority::CONFIG, (dir, entry));
                    let unit = IndexFile::unit(registry.clone(), name, at, entry, form);
                    self.session.units.push(unit);
                }
                // The data of the git protocol; its objects are judged as what they are: not read.
                Some(
                    ".git" | "refs" | "objects" | "HEAD" | "config" | "hooks" | "info"
                    | "FETCH_HEAD" | "description" | "packed-refs" | ".last-updated" | "ORIG_HEAD"
                    | "shallow",
                ) => {}
                _ => self.litter(at, entry),
            }
        }
        if is_git(entries) && self.is_loaded_by_git(registry.as_deref()) {
            self.session.units.push(Unit {
                binding: Binding::Unbound(Reason::Unsupported),
                place: Place::Cache,
                archive: None,
                tree: None,
                inspector: Some(Box::new(Litter {
                    rel: rel(&["registry", "index"], &[folder]),
                    kind: "git-index",
                    reason: Reason::Unsupported,
                })),
            });
        }
        self.source("cargo-registry-index", "index", folder, count);
    }

    /// Whether a build of what is scanned could read the repository of an index: an older cargo's leaves it beside the
    /// sparse one of the same registry, and then no locked package is looked up in it.
    fn is_loaded_by_git(&self, registry: Option<&Registry>) -> bool {
        let (Some(wanted), Some(registry)) = (self.context.wanted, registry) else {
            return self.context.wanted.is_none();
        };
        let same = |other: &Registry| other.fingerprint == registry.fingerprint;
        let is_sparse = |dir: &dyn Dir, entry: &DirEntry| {
            let listed = dir.open_dir(&entry.name).and_then(|dir| dir.list());
            self.registry(&entry.name).is_some_and(|r| same(&r))
                && listed
                    .is_ok_and(|list| !is_git(&list) && list.iter().any(|e| e.name == ".cache"))
        };
        let beside = [OsStr::new("registry"), OsStr::new("index")];
        let listed = self.root.descend(&beside).and_then(|dir| {
            let list = dir.list()?;
            Ok(list.iter().any(|entry| is_sparse(&*dir, entry)))
        });
        wanted.registries.values().any(|r| same(r)) && !listed.unwrap_or(false)
    }

    fn index_files(
        &mut self,
        registry: &Option<Arc<Registry>>,
        dir: &dyn Dir,
        name: &OsStr,
        (top, at): (&Path, &Path),
        depth: usize,
    ) -> u64 {
        let listed = dir
            .open_dir(name)
            .and_then(|below| below.list().map(|list| (below, list)));
        let (below, entries) = match listed {
            Ok(opened) => opened,
            Err(error) => {
                self.unreadable(at, &error.source.to_string());
                return 0;
            }
        };
        let mut count = 0;
        for entry in entries {
            let path = at.join(&entry.name);
            match entry.kind {
                FileKind::Dir if depth < 2 => {
                    let rel = path.strip_prefix(top).unwrap_or(&path);
                    let matters = |listings: &Listings| listings.has_folder(rel);
                    if self.listings.as_ref().is_none_or(matters) {
                        let at = (top, &*path);
                        count += self.index_files(registry, &*below, &entry.name, at, depth + 1);
                    }
                }
                FileKind::File => {
                    let Some(crate_name) = entry.name.to_str() else {
                        self.litter(path, &entry);
                        continue;
                    };
                    count += 1;
                    let matters = |listings: &Listings| listings.has_name(crate_name);
                    if self.listings.as_ref().is_none_or(matters) {
                        let entry = (&*below, &entry);
                        let unit = IndexFile::unit(
                            registry.clone(),
                            crate_name,
                            path,
                            entry,
                            Form::Cached,
                        );
                        self.session.units.push(unit);
                    }
                }
                _ => self.litter(path, &entry),
            }
        }
        count
    }

    /// Something that no cargo loads. In a scan of one project it does not matter.
    fn litter(&mut self, rel: PathBuf, entry: &DirEntry) {
        if matches!(entry.kind, FileKind::Link | FileKind::Other) {
            return self.irregular(&rel, entry.kind);
        }
        if self.context.wanted.is_some() || entry.name == "CACHEDIR.TAG" {
            return;
        }
        self.session.units.push(Unit {
            binding: Binding::Nothing,
            place: Place::Cache,
            archive: None,
            tree: None,
            inspector: Some(Box::new(Litter {
                rel,
                kind: "litter",
                reason: Reason::Orphan,
            })),
        });
    }

    /// Something that cargo would follow or read and untaint does not: never passed over in silence.
    fn irregular(&mut self, rel: &Path, kind: FileKind) {
        use std::os::unix::ffi::OsStrExt as _;
        let what = match kind {
            FileKind::Link => "is a link; untaint follows none below a cache",
            _ => "is no file or folder; untaint opens nothing of its kind",
        };
        if kind == FileKind::Link {
            let mut finding = Finding::new(
                Code::LinkEscape,
                Place::Cache,
                "a link stands where cargo keeps a folder or file of its own".to_owned(),
            );
            let (rel, escaped) = text::percent(rel.as_os_str().as_bytes());
            finding.rel = Some(rel);
            finding.path_escaped = escaped;
            self.session.findings.push(finding);
        }
        let why = format!("{what}: replace it by what it should be, or remove it");
        let path = self.root.path().join(rel);
        let problem = Problem::skipped("", why).at(&path);
        self.session.problems.push(problem);
    }

    fn source(&mut self, kind: &'static str, below: &str, folder: &OsStr, entries: u64) {
        let path = rel(&["registry", below], &[folder]);
        self.session
            .sources
            .push((kind, path.to_string_lossy().into_owned(), entries));
    }

    fn unreadable(&mut self, rel: &Path, why: &str) {
        let problem = Problem::skipped("", format!("cannot be listed: {why}"));
        let path = self.root.path().join(rel);
        self.session.problems.push(problem.at(&path));
    }
}

fn rel(fixed: &[&str], names: &[&OsStr]) -> PathBuf {
    fixed
        .iter()
        .map(OsStr::new)
        .chain(names.iter().copied())
        .collect()
}

fn stem<'a>(name: &'a OsStr, extension: &str) -> Option<&'a OsStr> {
    let path = Path::new(name);
    let has = path
        .extension()
        .is_some_and(|e| Some(e) == extension.strip_prefix('.').map(OsStr::new));
    if has { path.file_stem() } else { None }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
