//! GOMODCACHE (cmd/go 1.26, `modfetch/cache.go`).
//!
//! ```text
//! <escaped path>@<escaped version>/…                     unpacked modules
//! cache/download/<escaped path>/@v/<version>.{zip,ziphash,mod,info,lock,partial}, list
//! cache/download/sumdb/<log>/{lookup,tile}/…             data of the transparency log
//! cache/vcs/<hash>/                                      clones of direct mode
//! ```
//! A zip, its unpacked tree, its `ziphash` and the `go.mod` file are held against what the log has. `info` and `list` carry
//! no hash that anybody publishes: see `beside`. The log data proves itself and is judged where it is used.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ecosystems::contract::{
    ArchiveFormat, ArchivePart, Binding, CacheKind, Inspector, OpenContext, Projection,
    RootCandidate, Session, TreePart, Unit, Wanted,
};
use crate::model::text::printable;
use crate::model::{
    ArtifactId, Code, Coordinate, Finding, Origin, Place, Problem, Reason, Registry, RootOrigin,
};
use crate::world::{Dir, DirEntry, Env, FileKind, ReadFs};

use super::GO;
use super::beside::Beside;
use super::escape::{escape_path, escape_version, unescape_path, unescape_version};
use super::fips;
use super::leftover::Leftover;
use super::locks::{mod_file, zip_file};
use super::projection::{Toolchain, Unpacked};
use super::settings::{Setting, Settings, Source};

/// Deepest folder above a module.
const MAX_DEPTH: usize = 128;
/// The module that toolchains are versions of: the one in use may lie here whatever a project requires, even nothing.
const TOOLCHAIN: &str = "golang.org/toolchain";

/// The cache.
pub(super) struct ModCache;

/// How a place was found, from the setting that names it.
pub(super) fn origin(name: &str, setting: &Setting) -> RootOrigin {
    match &setting.source {
        Source::Environment => RootOrigin::Env(Arc::from(name)),
        Source::User(file, _) | Source::Shipped(file, _) => {
            RootOrigin::Settings(Arc::from(file.display().to_string()))
        }
    }
}

impl CacheKind for ModCache {
    fn name(&self) -> &'static str {
        "go"
    }

    fn locate(&self, env: &dyn Env, fs: &dyn ReadFs) -> Vec<RootCandidate> {
        let settings = Settings::load(env, fs);
        let named = settings
            .get("GOMODCACHE")
            .map(|s| (PathBuf::from(&s.value), origin("GOMODCACHE", s)))
            .filter(|(path, _)| path.is_absolute());
        let below_gopath = || {
            let origin = settings
                .get("GOPATH")
                .map_or(RootOrigin::Default, |s| origin("GOPATH", s));
            Some((settings.gopath(env)?.join("pkg/mod"), origin))
        };
        named
            .or_else(below_gopath)
            .map(|(path, origin)| RootCandidate {
                name: "go-mod-cache",
                path,
                origin,
            })
            .into_iter()
            .collect()
    }

    fn open(&self, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
        let registry = context.registries.iter().find(|r| r.trusted).and_then(|r| {
            Some(Arc::new(Registry {
                fingerprint: r.fingerprint,
                address: Arc::clone(r.addresses.first()?),
            }))
        });
        let mut opening = Opening {
            root,
            narrow: context.wanted.filter(|wanted| !wanted.any),
            registry,
            modules: BTreeMap::new(),
            trees: 0,
            session: Session::default(),
        };
        opening.read();
        opening.session
    }
}

/// What lies in a cache for one version of one module.
#[derive(Default)]
struct Held {
    zip: Option<(PathBuf, u64)>,
    ziphash: Option<(PathBuf, u64)>,
    go_mod: Option<(PathBuf, u64)>,
    info: Option<PathBuf>,
    tree: Option<PathBuf>,
    /// Says that the tree was not written to its end.
    partial: Option<PathBuf>,
}

struct Opening<'a> {
    root: &'a dyn Dir,
    /// What alone is looked at, if not everything.
    narrow: Option<&'a Wanted>,
    registry: Option<Arc<Registry>>,
    /// By module path and version, unescaped.
    modules: BTreeMap<(String, String), Held>,
    trees: u64,
    session: Session,
}

impl Opening<'_> {
    fn read(&mut self) {
        let entries = match self.root.list() {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(Path::new(""), &error.source.to_string()),
        };
        for entry in &entries {
            if entry.name == "cache" && entry.kind == FileKind::Dir {
                continue;
            }
            self.tree_or_folder(self.root, entry, PathBuf::new(), 0);
        }
        let download = [OsStr::new("cache"), OsStr::new("download")];
        match self.root.descend(&download) {
            Ok(dir) => self.downloads(&*dir, PathBuf::new(), 0),
            Err(error) if error.is_not_found() => {}
            Err(error) => self.unreadable(Path::new("cache/download"), &error.source.to_string()),
        }
        self.clones();
        let modules = std::mem::take(&mut self.modules);
        let downloaded = modules.values().filter(|h| h.zip.is_some()).count() as u64;
        for ((path, version), held) in modules {
            self.module(&path, &version, held);
        }
        self.session
            .sources
            .push(("go-mod-download", "cache/download".to_owned(), downloaded));
        self.session
            .sources
            .push(("go-mod-tree", String::new(), self.trees));
    }

    /// An entry above the unpacked modules: a module, or a folder on the way to some.
    fn tree_or_folder(&mut self, dir: &dyn Dir, entry: &DirEntry, above: PathBuf, depth: usize) {
        let rel = above.join(&entry.name);
        let name = entry.name.to_string_lossy();
        if name.contains('@') {
            self.trees += 1;
            let full = rel.to_string_lossy();
            let known = full
                .rsplit_once('@')
                .and_then(|(path, version)| names(path, version));
            return match known {
                Some(key) => self.modules.entry(key).or_default().tree = Some(rel),
                None => self.unbound(rel),
            };
        }
        if entry.kind != FileKind::Dir {
            return self.odd(rel, entry);
        }
        if depth > MAX_DEPTH {
            return self.unreadable(&rel, "deeper than any module");
        }
        let listed = dir
            .open_dir(&entry.name)
            .and_then(|below| below.list().map(|list| (below, list)));
        match listed {
            Ok((below, entries)) => {
                for entry in &entries {
                    self.tree_or_folder(&*below, entry, rel.clone(), depth + 1);
                }
            }
            Err(error) => self.unreadable(&rel, &error.source.to_string()),
        }
    }

    /// A folder below `cache/download`; `path` is the escaped module path so far.
    fn downloads(&mut self, dir: &dyn Dir, path: PathBuf, depth: usize) {
        let at = Path::new("cache/download").join(&path);
        let entries = match dir.list() {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&at, &error.source.to_string()),
        };
        for entry in &entries {
            let rel = at.join(&entry.name);
            if depth == 0 && entry.name == "sumdb" && entry.kind == FileKind::Dir {
                self.session
                    .sources
                    .push(("go-log-data", "cache/download/sumdb".to_owned(), 1));
                continue;
            }
            if entry.kind != FileKind::Dir {
                self.odd(rel, entry);
                continue;
            }
            if depth > MAX_DEPTH {
                self.unreadable(&rel, "deeper than any module");
                continue;
            }
            match dir.open_dir(&entry.name) {
                Ok(below) if entry.name == "@v" => self.versions(&*below, &path, &rel),
                Ok(below) => self.downloads(&*below, path.join(&entry.name), depth + 1),
                Err(error) => self.unreadable(&rel, &error.source.to_string()),
            }
        }
    }

    /// The files of one module's versions.
    fn versions(&mut self, dir: &dyn Dir, path: &Path, at: &Path) {
        let entries = match dir.list() {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(at, &error.source.to_string()),
        };
        for entry in &entries {
            let rel = at.join(&entry.name);
            let name = entry.name.to_string_lossy();
            if matches!(&*name, "list" | "list.lock") && entry.kind == FileKind::File {
                if name == "list" {
                    self.list(rel);
                }
                continue;
            }
            let Some((version, kind)) = name.rsplit_once('.') else {
                self.odd(rel, entry);
                continue;
            };
            let is_artifact = matches!(kind, "zip" | "ziphash" | "mod" | "partial");
            if kind == "lock" && entry.kind == FileKind::File {
                continue;
            }
            let is_info = kind == "info" && entry.kind == FileKind::File;
            let is_artifact = is_artifact || is_info;
            // A link that leads nowhere is no marker for Go, and what is no plain file was not made by it.
            let is_odd_marker = kind == "partial" && entry.kind != FileKind::File;
            if !is_artifact || is_odd_marker {
                self.odd(rel, entry);
                continue;
            }
            let Some(key) = names(&path.to_string_lossy(), version) else {
                self.unbound(rel);
                continue;
            };
            let size = dir.stat_entry(&entry.name).map_or(0, |s| s.size);
            let held = self.modules.entry(key).or_default();
            match kind {
                "zip" => held.zip = Some((rel, size)),
                "ziphash" => held.ziphash = Some((rel, size)),
                "mod" => held.go_mod = Some((rel, size)),
                "info" => held.info = Some(rel),
                _ => held.partial = Some(rel),
            }
        }
    }

    fn module(&mut self, path: &str, version: &str, held: Held) {
        let wanted = self.narrow.is_none_or(|wanted| {
            // No lockfile names these two, and yet they build everything.
            matches!(path, TOOLCHAIN | fips::MODULE)
                || wanted
                    .packages
                    .contains(&(Arc::from(path), Arc::from(version)))
        });
        if !wanted {
            return;
        }
        let mut held = held;
        if let Some(marker) = held.partial {
            self.session.problems.push(Problem::as_the_tool(
                self.shown(held.tree.as_ref().unwrap_or(&marker)),
                "was not unpacked to its end; Go will do it anew",
            ));
            // Go builds nothing from it as long as the marker is there, and removes it first of all.
            if let Some(rel) = held.tree.take() {
                self.inspected(Box::new(Leftover {
                    rel,
                    kind: "tree",
                    reason: Reason::Orphan,
                }));
            }
        }
        if path == fips::MODULE
            && held.zip.is_none()
            && let Some(rel) = held.tree.take()
        {
            let version = version.to_owned();
            self.inspected(Box::new(fips::Snapshot { rel, version }));
        }
        let top: Arc<str> = Arc::from(format!("{path}@{version}"));
        let zip_binding = self.binding(path, version, &zip_file(version));
        let mod_binding = self.binding(path, version, &mod_file(version));
        let plain = |(rel, size): (PathBuf, u64), format| ArchivePart {
            rel,
            format,
            size,
            top: Arc::clone(&top),
            empty_is_absent: false,
        };
        if held.zip.is_some() || held.tree.is_some() {
            // Where the zip is missing its place is named all the same: nothing lies there.
            let zip = held
                .zip
                .unwrap_or_else(|| (download(path, version, "zip"), 0));
            let projection: &'static dyn Projection = if path == TOOLCHAIN {
                &Toolchain
            } else {
                &Unpacked
            };
            self.session.units.push(Unit {
                binding: zip_binding.clone(),
                place: Place::Cache,
                archive: Some(plain(zip, ArchiveFormat::GoZip)),
                tree: held.tree.map(|rel| TreePart {
                    rel,
                    projection,
                    without: Vec::new(),
                    copied: Vec::new(),
                }),
                inspector: None,
            });
        }
        if let Some(rel) = held.info {
            self.beside(Beside::Info(rel, version.to_owned()));
        }
        let others = [
            (held.ziphash, ArchiveFormat::H1Sidecar, zip_binding),
            (held.go_mod, ArchiveFormat::GoMod, mod_binding),
        ];
        for (file, format, binding) in others {
            let Some(file) = file else { continue };
            self.session.units.push(Unit {
                binding,
                place: Place::Cache,
                archive: Some(plain(file, format)),
                tree: None,
                inspector: None,
            });
        }
    }

    /// Which versions there are is of no account to a project, whose versions are locked.
    fn list(&mut self, rel: PathBuf) {
        if self.narrow.is_none() {
            self.beside(Beside::List(rel));
        }
    }

    fn beside(&mut self, what: Beside) {
        self.inspected(Box::new(what));
    }

    fn inspected(&mut self, inspector: Box<dyn Inspector>) {
        self.session.units.push(Unit {
            binding: Binding::Nothing,
            place: Place::Cache,
            archive: None,
            tree: None,
            inspector: Some(inspector),
        });
    }

    fn binding(&self, path: &str, version: &str, file: &str) -> Binding {
        match &self.registry {
            Some(registry) => Binding::Artifact(Arc::new(ArtifactId {
                coordinate: Coordinate {
                    ecosystem: GO,
                    name: Arc::from(path),
                    version: Arc::from(version),
                    origin: Origin::Registry(Arc::clone(registry)),
                },
                file: Arc::from(file),
            })),
            None => Binding::Unbound(Reason::UnpinnedRoot),
        }
    }

    /// Clones of repositories: what Go makes modules from in direct mode. What it made is judged; from the clones alone, which
    /// it brings up to date before each use, nothing is built.
    fn clones(&mut self) {
        let vcs = [OsStr::new("cache"), OsStr::new("vcs")];
        let held = self
            .root
            .descend(&vcs)
            .and_then(|dir| dir.list())
            .is_ok_and(|entries| !entries.is_empty());
        if held && self.narrow.is_none() {
            self.leftover(PathBuf::from("cache/vcs"), "vcs", Reason::Derived);
        }
    }

    /// A name that no module has: Go would not look for it, but what it is cannot be said.
    fn unbound(&mut self, rel: PathBuf) {
        self.leftover(rel, "entry", Reason::Unbound);
    }

    /// Something that is no folder where only folders are: a link could stand in for a module's folder.
    fn odd(&mut self, rel: PathBuf, entry: &DirEntry) {
        if entry.kind == FileKind::Link {
            let mut finding = Finding::new(
                Code::LinkEscape,
                Place::Cache,
                format!(
                    "`{}` is a link, and Go would follow it",
                    printable(&rel.to_string_lossy())
                ),
            );
            finding.rel = Some(crate::model::text::percent(rel.as_os_str().as_encoded_bytes()).0);
            self.session.findings.push(finding);
        }
        if entry.kind == FileKind::Link && self.leads_to_wanted(&rel) {
            // What lies behind it would be loaded, and is judged by nobody.
            let reason = Reason::Unbound;
            let kind = "link";
            return self.inspected(Box::new(Leftover { rel, kind, reason }));
        }
        let reason = match entry.kind {
            FileKind::Dir => Reason::Unbound,
            _ => Reason::Orphan,
        };
        self.leftover(rel, "litter", reason);
    }

    /// Whether Go would pass this on the way to something that is scanned.
    fn leads_to_wanted(&self, rel: &Path) -> bool {
        let Some(wanted) = self.narrow else {
            return true;
        };
        let below = rel.strip_prefix("cache/download").unwrap_or(rel);
        let packages = wanted.packages.iter().map(|(path, _)| &**path);
        packages
            .chain([TOOLCHAIN, fips::MODULE])
            .filter_map(|path| escape_path(path).ok())
            .any(|path| Path::new(&path).join("@v").starts_with(below))
    }

    fn leftover(&mut self, rel: PathBuf, kind: &'static str, reason: Reason) {
        if self.narrow.is_some() {
            return;
        }
        self.inspected(Box::new(Leftover { rel, kind, reason }));
    }

    fn unreadable(&mut self, rel: &Path, why: &str) {
        let at = self.shown(rel);
        let message = format!("cannot be read: {why}; make it readable");
        self.session.problems.push(Problem::skipped(at, message));
    }

    fn shown(&self, rel: &Path) -> String {
        printable(&self.root.path().join(rel).display().to_string())
    }
}

/// Where a version's downloaded file lies.
fn download(path: &str, version: &str, kind: &str) -> PathBuf {
    let (path, version) = match (escape_path(path), escape_version(version)) {
        (Ok(path), Ok(version)) => (path, version),
        _ => (path.to_owned(), version.to_owned()),
    };
    PathBuf::from(format!("cache/download/{path}/@v/{version}.{kind}"))
}

/// Module path and version of their escaped forms.
fn names(path: &str, version: &str) -> Option<(String, String)> {
    Some((unescape_path(path).ok()?, unescape_version(version).ok()?))
}
