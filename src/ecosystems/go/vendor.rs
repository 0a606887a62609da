//! Vendor folders (cmd/go 1.26, `modcmd/vendor.go`): some files of each module's zip, and `modules.txt`.
//!
//! ```text
//! vendor/modules.txt            which modules, in which versions, with which packages
//! vendor/<module path>/…        files of its packages, as the zip has them
//! ```
//! Every file must be, byte for byte, the file of the same name in the published zip of the version that `modules.txt` names,
//! and there must be no others. What a build loads must not be missing (see `vendoring`). What
//! is a copy of a folder of the user's is held against that (see `copied_folder`). Whether `modules.txt` fits `go.mod` is
//! said with the settings (see `posture`).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ecosystems::contract::{
    Binding, InspectContext, Inspection, Inspector, NamedPlace, OpenContext, Session, TreePart,
    Unit,
};
use crate::model::text::{percent, printable};
use crate::model::{
    ArtifactId, Code, Coordinate, Entry, EntryKind, Finding, Origin, Outcome, Place, Problem,
    Reason, Registry,
};
use crate::world::{Dir, FileKind};

use super::GO;
use super::copied_folder::CopiedFolder;
use super::escape::check_path;
use super::gomod::Replacement;
use super::leftover::Leftover;
use super::locks::zip_file;
use super::modulestxt;
use super::vendoring::Vendored;

/// Kind of the place.
pub(super) const KIND: &str = "go-vendor";
/// What makes a folder one.
pub(super) const MODULES: &str = "modules.txt";
/// Most differences that are named.
const NAMED: usize = 20;
/// Modules by themselves, and such as lie below another.
static OUTER: Vendored = Vendored {
    below_another: false,
};
static INNER: Vendored = Vendored {
    below_another: true,
};
/// Deepest folder.
const MAX_DEPTH: usize = 128;

/// Whether a folder of a project is a vendor folder.
pub(super) fn is_one(dir: &dyn Dir, names: &[&str]) -> bool {
    dir.path().file_name() == Some(OsStr::new("vendor")) && names.contains(&MODULES)
}

/// Opens a vendor folder.
pub(super) fn open(place: &NamedPlace, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
    let mut session = Session::default();
    let at = root.path().join(MODULES);
    let bytes = match root.read(OsStr::new(MODULES), modulestxt::MAX_BYTES as u64) {
        Ok((bytes, _)) => bytes,
        Err(error) if error.is_not_found() => {
            // Such a folder is a place only where Go imports from it (see `posture`).
            session.units.push(rest(Vec::new(), false));
            session.sources.push((KIND, String::new(), 0));
            return session;
        }
        Err(error) => {
            session.problems.push(Problem::skipped(
                printable(&at.display().to_string()),
                format!("cannot be read: {}; make it readable", error.source),
            ));
            return session;
        }
    };
    let file = modulestxt::parse(&bytes);
    for problem in &file.problems {
        session.problems.push(Problem::partial(
            printable(&format!("{}:{}", at.display(), problem.line)),
            problem.message.clone(),
        ));
    }
    // A vendor folder may be a link; what names it lies where Go starts from.
    let by = Path::new(&place.named_by);
    let beside = if by.is_absolute() { by } else { root.path() };
    let beside = beside.parent().unwrap_or(beside);
    let registry = context.registries.iter().find(|r| r.trusted).and_then(|r| {
        Some(Arc::new(Registry {
            fingerprint: r.fingerprint,
            address: Arc::clone(r.addresses.first()?),
        }))
    });
    let present: Vec<&modulestxt::Vendored> = file
        .modules
        .iter()
        .filter(|m| !m.packages.is_empty() && check_path(&m.path).is_ok())
        .collect();
    let folders: Vec<&str> = present.iter().map(|m| m.path.as_str()).collect();
    session.problems.extend(strangers(&present, &at));
    for module in &present {
        session
            .units
            .push(unit(module, &folders, beside, registry.as_ref()));
    }
    session
        .units
        .push(rest(folders.iter().map(PathBuf::from).collect(), true));
    session
        .sources
        .push((KIND, String::new(), present.len() as u64));
    session
}

/// One module. `beside`: the folder that replacements are named from.
fn unit(
    module: &modulestxt::Vendored,
    folders: &[&str],
    beside: &Path,
    registry: Option<&Arc<Registry>>,
) -> Unit {
    let rel = PathBuf::from(&module.path);
    let below_another = folders.iter().any(|other| {
        let rest = module.path.strip_prefix(other);
        rest.is_some_and(|rest| rest.starts_with('/'))
    });
    let (path, version) = match (&module.replacement, &module.version) {
        (Some(Replacement::Module(other)), _) => (&other.path, &other.version),
        (None, Some(version)) => (&module.path, version),
        (Some(Replacement::Folder(named)), _) => {
            let copied = CopiedFolder {
                rel,
                module: module.path.clone(),
                beside: beside.to_owned(),
                from: beside.join(named),
                named: named.clone(),
                projection: Vendored { below_another },
                without: without(module, folders),
                copied: copied(module),
            };
            return inspected(Box::new(copied));
        }
        (None, None) => return leftover(rel, Reason::Unsupported),
    };
    let binding = match registry {
        Some(registry) => Binding::Artifact(Arc::new(ArtifactId {
            coordinate: Coordinate {
                ecosystem: GO,
                name: Arc::from(path.as_str()),
                version: Arc::from(version.as_str()),
                origin: Origin::Registry(Arc::clone(registry)),
            },
            file: Arc::from(zip_file(version)),
        })),
        None => Binding::Unbound(Reason::UnpinnedRoot),
    };
    Unit {
        binding,
        place: Place::Vendor,
        archive: None,
        tree: Some(TreePart {
            rel,
            projection: if below_another { &INNER } else { &OUTER },
            without: without(module, folders),
            copied: copied(module),
        }),
        inspector: None,
    }
}

/// Folders of a module's packages in its zip.
fn copied(module: &modulestxt::Vendored) -> Vec<Box<[u8]>> {
    let packages = module.packages.iter();
    let mut folders: Vec<Box<[u8]>> = packages
        .filter_map(|(_, path)| Some(below(module, path)?.as_bytes().into()))
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

/// Where a package lies in its module; `None` if it lies elsewhere.
fn below<'p>(module: &modulestxt::Vendored, package: &'p str) -> Option<&'p str> {
    let rest = package.strip_prefix(&*module.path)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('/')
    }
}

/// Packages that are listed under a module whose they cannot be: what of them is missing is held against nothing.
fn strangers(present: &[&modulestxt::Vendored], file: &Path) -> Vec<Problem> {
    let packages = present
        .iter()
        .flat_map(|module| module.packages.iter().map(|package| (*module, package)));
    let strange = packages.filter(|(module, (_, path))| below(module, path).is_none());
    let named = strange.take(NAMED).map(|(module, (line, path))| {
        Problem::partial(
            printable(&format!("{}:{line}", file.display())),
            format!(
                "lists the package `{}`, which is none of {}: run go mod vendor",
                printable(path),
                printable(&module.path)
            ),
        )
    });
    named.collect()
}

/// Folders in a module's own that belong to other modules.
fn without(module: &modulestxt::Vendored, folders: &[&str]) -> Vec<Box<[u8]>> {
    let prefix = format!("{}/", module.path);
    let others = folders.iter().filter_map(|f| f.strip_prefix(&prefix));
    others.map(|below| below.as_bytes().into()).collect()
}

fn leftover(rel: PathBuf, reason: Reason) -> Unit {
    inspected(Box::new(Leftover {
        rel,
        kind: "tree",
        reason,
    }))
}

fn rest(folders: Vec<PathBuf>, listed: bool) -> Unit {
    inspected(Box::new(Rest { folders, listed }))
}

fn inspected(inspector: Box<dyn Inspector>) -> Unit {
    Unit {
        binding: Binding::Nothing,
        place: Place::Vendor,
        archive: None,
        tree: None,
        inspector: Some(inspector),
    }
}

/// Looks for what lies in no module's folder.
struct Rest {
    folders: Vec<PathBuf>,
    /// Whether there is a list; without one the folder may be another tool's, and only what Go could import counts.
    listed: bool,
}

/// What was found there.
#[derive(Default)]
struct Found {
    entries: Vec<Entry>,
    total: u64,
    irregular: bool,
    unreadable: Option<String>,
}

impl Inspector for Rest {
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let mut found = Found::default();
        self.walk(context.root, Path::new(""), 0, &mut found);
        let mut inspection = Inspection::new("tree", PathBuf::new(), Outcome::Tainted);
        inspection.entries = found.entries.clone();
        if let Some(why) = found.unreadable {
            inspection.outcome = Outcome::Unverifiable(Reason::Unreadable);
            inspection.problems.push(Problem::partial(
                printable(&context.root.path().display().to_string()),
                why,
            ));
        }
        if found.total > 0 {
            let (code, what) = if found.irregular {
                (Code::TreeIrregularFile, "is no plain file")
            } else {
                let what = if self.listed {
                    "belongs to no module of `modules.txt`"
                } else {
                    "is imported by Go and listed nowhere: there is no `modules.txt`"
                };
                (Code::TreeExtraFile, what)
            };
            let first = found.entries.first().map_or("", |e| e.path.as_str());
            let mut finding = Finding::new(
                code,
                Place::Vendor,
                format!("`{}` {what}", printable(first)),
            );
            finding.entries = found.entries;
            finding.entries_total = found.total;
            inspection.outcome = Outcome::Tainted;
            inspection.findings.push(finding);
        } else if inspection.problems.is_empty() {
            return Vec::new();
        }
        vec![inspection]
    }
}

impl Rest {
    fn walk(&self, dir: &dyn Dir, at: &Path, depth: usize, found: &mut Found) {
        let entries = match dir.list() {
            Ok(entries) if depth <= MAX_DEPTH => entries,
            Ok(_) => {
                found.unreadable = Some("is deeper than any module".to_owned());
                return;
            }
            Err(error) => {
                found.unreadable = Some(error.to_string());
                return;
            }
        };
        let is_source = |name: &OsStr| {
            let name = name.as_bytes();
            name.ends_with(b".go") && !name.starts_with(b"_") && !name.starts_with(b".")
        };
        let counts = self.listed || entries.iter().any(|entry| is_source(&entry.name));
        for entry in entries {
            let rel = at.join(&entry.name);
            if self.folders.contains(&rel) {
                continue;
            }
            match entry.kind {
                FileKind::Dir => match dir.open_dir(&entry.name) {
                    Ok(below) => self.walk(&*below, &rel, depth + 1, found),
                    Err(error) => found.unreadable = Some(error.to_string()),
                },
                // Nothing is imported from the vendor folder itself.
                FileKind::File if depth == 0 || !counts => {}
                kind => {
                    found.total += 1;
                    let irregular = kind != FileKind::File;
                    found.irregular |= irregular;
                    if found.entries.len() < NAMED {
                        let (path, path_escaped) = percent(rel.as_os_str().as_bytes());
                        found.entries.push(Entry {
                            path,
                            path_escaped,
                            kind: if irregular {
                                EntryKind::Irregular
                            } else {
                                EntryKind::Extra
                            },
                        });
                    }
                }
            }
        }
    }
}
