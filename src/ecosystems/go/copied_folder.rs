//! Vendored copies of a module that `replace` puts a folder of the user's in place of (cmd/go 1.26, `modcmd/vendor.go`).
//!
//! The copy is what is built, and nobody but the folder can say what it must be: files that differ from the folder's, that it
//! does not have, and that a build loads and the copy lacks, are findings. The folder itself is the user's own code. Links in it
//! are not followed, as Go follows none.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::{
    Absent, Difference, Extra, ExtraContext, InspectContext, Inspection, Inspector,
    Projection as _, TreeView, Unjudged,
};
use crate::formats::go_source;
use crate::model::text::{percent, printable};
use crate::model::{Code, Digest, Entry, EntryKind, Finding, Outcome, Place, Problem, Reason};
use crate::world::{Dir, FileKind};

use super::embed::patterns;
use super::embedding::embedded_litter;
use super::gomod::{self, GoMod, Kind, Replacement};
use super::posture::normal;
use super::vendoring::{Vendored, below, is_copied, joined};

/// Most differences that are named.
const NAMED: usize = 20;
/// Deepest folder.
const DEPTH: usize = 64;
/// Most files of one side.
const FILES: usize = 200_000;
/// Largest file.
const LARGEST: u64 = 64 << 20;

/// The copy of one module.
pub(super) struct CopiedFolder {
    /// Where the copy lies, below the vendor folder.
    pub(super) rel: PathBuf,
    /// The module that it stands in for.
    pub(super) module: String,
    /// The folder of the files that replace it.
    pub(super) beside: PathBuf,
    /// The folder that was copied, absolute.
    pub(super) from: PathBuf,
    /// The same as `modules.txt` names it.
    pub(super) named: String,
    /// Folders in the copy that belong to other modules.
    pub(super) without: Vec<Box<[u8]>>,
    /// Folders of its packages.
    pub(super) copied: Vec<Box<[u8]>>,
    /// What a module's files look like in that place.
    pub(super) projection: Vendored,
}

/// Why a side could not be looked at to its end.
struct Gap(Reason, String);

/// Files by path, and what they are.
type Files = BTreeMap<Vec<u8>, FileKind>;

impl Inspector for CopiedFolder {
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let names: Vec<&OsStr> = self.rel.iter().collect();
        let copy = match context.root.descend(&names) {
            Ok(copy) => copy,
            // Go refuses to build without it.
            Err(error) if error.is_not_found() => return Vec::new(),
            Err(error) => {
                return vec![self.gap(context, &Gap(Reason::Unreadable, error.to_string()))];
            }
        };
        let source = match context.fs.open_root(&self.from) {
            Ok(source) => source,
            Err(error) => {
                let why = format!(
                    "is a copy of `{}`, which cannot be opened ({}): scan with that folder in its place, or run `go mod vendor` where it is",
                    printable(&self.named),
                    error.source
                );
                return vec![self.gap(context, &Gap(Reason::ArchiveNotHeld, why))];
            }
        };
        if !self.is_replaced(context) {
            let why = format!(
                "is listed as a copy of `{}`, and no go.mod or go.work file puts that in place of {}: go mod vendor",
                printable(&self.named),
                printable(&self.module)
            );
            return vec![self.gap(context, &Gap(Reason::Unbound, why))];
        }
        match self.compare(&*copy, &*source.dir, context.cancelled) {
            Ok(found) => {
                let litter = found.litter.iter().map(|path| {
                    let rel = self.rel.join(OsStr::from_bytes(path));
                    Inspection::new("litter", rel, Outcome::Unverifiable(Reason::Orphan))
                });
                let mut inspections: Vec<Inspection> = litter.collect();
                if !found.entries.is_empty() {
                    inspections.push(self.tainted(&found));
                }
                inspections
            }
            Err(gap) => vec![self.gap(context, &gap)],
        }
    }
}

/// What differs, worst first.
struct Found {
    entries: BTreeSet<(EntryKind, Vec<u8>)>,
    /// What nothing loads.
    litter: Vec<Vec<u8>>,
}

impl CopiedFolder {
    /// Whether the project itself says so: `modules.txt` alone is no reason to believe what lies in some folder.
    fn is_replaced(&self, context: &InspectContext<'_>) -> bool {
        let read = |folder: &Path, name: &str, kind| {
            let bytes = context
                .fs
                .read_named(&folder.join(name), gomod::MAX_BYTES as u64);
            bytes.ok().map(|bytes| gomod::parse(&bytes, kind))
        };
        let work = read(&self.beside, "go.work", Kind::Work);
        let used = work.iter().flat_map(|work| &work.use_folders);
        let members = used.map(|at| self.beside.join(&at.value));
        let mut files: Vec<(PathBuf, GoMod)> = members
            .chain([self.beside.clone()])
            .filter_map(|folder| Some((folder.clone(), read(&folder, "go.mod", Kind::Mod)?)))
            .collect();
        files.extend(work.map(|work| (self.beside.clone(), work)));
        let wanted = normal(&self.from);
        files.iter().any(|(folder, file)| {
            file.replace.iter().any(|at| {
                let to = match &at.value.with {
                    Replacement::Folder(to) => normal(&folder.join(to)),
                    Replacement::Module(_) => return false,
                };
                at.value.path == self.module && to == wanted
            })
        })
    }

    fn compare(
        &self,
        copy: &dyn Dir,
        source: &dyn Dir,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Found, Gap> {
        let mut there = Files::new();
        list(copy, b"", &self.without, false, &mut there)?;
        let mut entries: BTreeSet<(EntryKind, Vec<u8>)> = BTreeSet::new();
        let (mut equal, mut litter) = (BTreeSet::new(), Vec::new());
        for (path, kind) in &there {
            if cancelled() {
                return Err(Gap(Reason::Limit, "the run was asked to end".to_owned()));
            }
            if *kind != FileKind::File {
                entries.insert((EntryKind::Irregular, path.clone()));
                continue;
            }
            match read(source, path)? {
                Some(original) if read(copy, path)?.as_ref() == Some(&original) => {
                    equal.insert(path.as_slice());
                }
                Some(_) => {
                    entries.insert((EntryKind::Modified, path.clone()));
                }
                None if self.may_be_litter(path) => litter.push(path.clone()),
                None => {
                    entries.insert((EntryKind::Extra, path.clone()));
                }
            }
        }
        let absent = self.absent(copy, source, (&there, &equal))?;
        let view = TreeView {
            copied: &self.copied,
            files: &|folder| files_in(&there, folder),
            read: &|path| {
                let read = read(copy, path).map_err(|Gap(_, why)| why)?;
                Ok(read.unwrap_or_default())
            },
            is_archives: &|path| equal.contains(path),
            cancelled,
        };
        let gap = |unjudged: Unjudged| Gap(unjudged.reason, unjudged.why);
        let loaded = embedded_litter(&litter, &view).map_err(gap)?;
        let loaded = loaded.into_iter().filter_map(|at| litter.get(at));
        entries.extend(loaded.map(|path| (EntryKind::Extra, path.clone())));
        let judged = self.projection.absences(&absent, &view).map_err(gap)?;
        for (at, difference) in judged {
            if let (Some(file), Difference::Finding) = (absent.get(at), difference) {
                entries.insert((EntryKind::Missing, file.path.to_vec()));
            }
        }
        litter.retain(|path| !entries.contains(&(EntryKind::Extra, path.clone())));
        Ok(Found { entries, litter })
    }

    /// Files of the folder that the copy may lack and should not.
    fn absent(
        &self,
        copy: &dyn Dir,
        source: &dyn Dir,
        (there, equal): (&Files, &BTreeSet<&[u8]>),
    ) -> Result<Vec<Absent>, Gap> {
        let mut held = Files::new();
        // Go imports what lies there also where `modules.txt` does not list it.
        let sources = there.iter().filter(|(path, _)| path.ends_with(b".go"));
        let with_sources = sources.map(|(path, _)| {
            let end = path.iter().rposition(|b| *b == b'/');
            path.get(..end.unwrap_or(0)).unwrap_or_default()
        });
        let listed = self.copied.iter().map(|folder| &**folder);
        let folders: BTreeSet<&[u8]> = listed.chain(with_sources).collect();
        for folder in folders {
            let names: Vec<&OsStr> = components(folder);
            let opened = (!names.is_empty()).then(|| source.descend(&names));
            let dir = match &opened {
                None => source,
                Some(Ok(dir)) => &**dir,
                // What lies in the copy is extra then.
                Some(Err(error)) if error.is_not_found() => continue,
                Some(Err(error)) => return Err(Gap(Reason::Unreadable, error.to_string())),
            };
            let embeds = files_in(there, folder).iter().any(|name| {
                let path = joined(folder, name);
                let bytes = || read(copy, &path).ok().flatten();
                name.ends_with(b".go")
                    && equal.contains(path.as_slice())
                    && bytes().is_some_and(|bytes| !patterns(&bytes).is_empty())
            });
            if embeds {
                list(dir, folder, &[], true, &mut held)?;
            } else {
                let entries = dir
                    .list()
                    .map_err(|e| Gap(Reason::Unreadable, e.to_string()))?;
                let own = entries.iter().filter(|entry| entry.kind != FileKind::Dir);
                held.extend(own.map(|e| (joined(folder, e.name.as_bytes()), e.kind)));
            }
        }
        let mut absent = Vec::new();
        for (path, kind) in held {
            if kind != FileKind::File || there.contains_key(&path) {
                continue;
            }
            let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
            let never_built = name.ends_with(b".go")
                && is_copied(name, false)
                && go_source::is_never_built(&read(source, &path)?.unwrap_or_default());
            absent.push(Absent {
                path: path.into(),
                never_built,
            });
        }
        Ok(absent)
    }

    fn may_be_litter(&self, path: &[u8]) -> bool {
        let context = ExtraContext {
            archive: &Digest::sha256([0; 32]),
            file_sha256: &|_| None,
            excused: &|_| false,
        };
        let extra = self.projection.extra(path, FileKind::File, None, &context);
        extra == Extra::Litter
    }

    fn tainted(&self, found: &Found) -> Inspection {
        let total = u64::try_from(found.entries.len()).unwrap_or(u64::MAX);
        let worst = found.entries.first().map(|(kind, _)| *kind);
        let code = match worst {
            Some(EntryKind::Irregular) => Code::TreeIrregularFile,
            Some(EntryKind::Extra) => Code::TreeExtraFile,
            Some(EntryKind::Missing) => Code::TreeMissingFile,
            _ => Code::TreeModified,
        };
        let entries: BTreeSet<Entry> = found
            .entries
            .iter()
            .take(NAMED)
            .map(|(kind, path)| {
                let (path, path_escaped) = percent(path);
                Entry {
                    path,
                    path_escaped,
                    kind: *kind,
                }
            })
            .collect();
        let named = printable(&self.named);
        let mut finding = Finding::new(
            code,
            Place::Vendor,
            format!("differs from `{named}`, of which it is a copy ({total} entries differ)"),
        );
        finding.remedy = Some(format!(
            "if `{named}` is what you want to build: `go mod vendor`"
        ));
        finding.entries = entries.into_iter().collect();
        finding.entries_total = total;
        let mut inspection = Inspection::new("tree", self.rel.clone(), Outcome::Tainted);
        inspection.entries = finding.entries.clone();
        inspection.findings.push(finding);
        inspection
    }

    fn gap(&self, context: &InspectContext<'_>, gap: &Gap) -> Inspection {
        let outcome = Outcome::Unverifiable(gap.0);
        let mut inspection = Inspection::new("tree", self.rel.clone(), outcome);
        let at = context.root.path().join(&self.rel);
        let at = printable(&at.display().to_string());
        inspection
            .problems
            .push(Problem::partial(at, gap.1.clone()));
        inspection
    }
}

/// Lists what is no folder, and does not go into `without` nor, where `of_module`, into other modules and repositories.
fn list(
    dir: &dyn Dir,
    at: &[u8],
    without: &[Box<[u8]>],
    of_module: bool,
    files: &mut Files,
) -> Result<(), Gap> {
    let limit = || {
        Gap(
            Reason::Limit,
            "is deeper or larger than any module".to_owned(),
        )
    };
    let unreadable = |e: crate::world::PathError| Gap(Reason::Unreadable, e.to_string());
    if at.split(|b| *b == b'/').count() > DEPTH {
        return Err(limit());
    }
    for entry in dir.list().map_err(unreadable)? {
        let path = joined(at, entry.name.as_bytes());
        if entry.kind != FileKind::Dir {
            files.insert(path, entry.kind);
            if files.len() > FILES {
                return Err(limit());
            }
            continue;
        }
        if without.iter().any(|folder| **folder == *path) {
            continue;
        }
        let opened = dir.open_dir(&entry.name).map_err(unreadable)?;
        let is_other = || {
            [".git", ".hg", ".svn", ".bzr"]
                .iter()
                .any(|name| entry.name == *name)
                || opened.stat_entry(OsStr::new("go.mod")).is_ok()
        };
        if !(of_module && is_other()) {
            list(&*opened, &path, without, of_module, files)?;
        }
    }
    Ok(())
}

fn components(path: &[u8]) -> Vec<&OsStr> {
    Path::new(OsStr::from_bytes(path)).iter().collect()
}

/// A regular file's content; `None` if there is none of that name.
fn read(dir: &dyn Dir, path: &[u8]) -> Result<Option<Vec<u8>>, Gap> {
    let unreadable = |e: &crate::world::PathError| Gap(Reason::Unreadable, e.to_string());
    let names = components(path);
    let Some((name, folders)) = names.split_last() else {
        return Ok(None);
    };
    let opened = (!folders.is_empty()).then(|| dir.descend(folders));
    let folder: &dyn Dir = match &opened {
        None => dir,
        Some(Ok(folder)) => &**folder,
        // A link or a file on the way is nothing that Go copies from.
        Some(Err(_)) => return Ok(None),
    };
    match folder.stat_entry(name) {
        Ok(stat) if stat.kind == FileKind::File => {}
        Ok(_) => return Ok(None),
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    }
    match folder.read(name, LARGEST) {
        Ok((bytes, _)) => Ok(Some(bytes)),
        Err(error) => Err(unreadable(&error)),
    }
}

fn files_in(files: &Files, folder: &[u8]) -> Vec<Vec<u8>> {
    let prefix = joined(folder, b"");
    files
        .range(prefix.clone()..)
        .take_while(|(path, _)| path.starts_with(&prefix))
        .filter(|(_, kind)| **kind == FileKind::File)
        .filter_map(|(path, _)| below(path, folder))
        .filter(|name| !name.contains(&b'/'))
        .map(<[u8]>::to_vec)
        .collect()
}
