//! What differs between a copy of an archive in a project and the archive, file by file: what is taken out, what is put in.
//!
//! Such a copy belongs to the user: what is right in it, and what its tool passes over, stays as it is. Looks through the
//! writing port, follows no link, changes nothing.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::look;
use super::plan::Copy;
use super::relocate::stat;
use crate::ecosystems::contract::{
    Absent, Difference, Extra, ExtraContext, Healer, Placement, Projection, TreeView, Unjudged,
};
use crate::model::NEVER_BUILT;
use crate::model::text::percent;
use crate::world::write_fs::Root;
use crate::world::{FileKind, Stat, WriteFs};

/// Largest file that is looked at whole.
const SHOWN: u64 = 4 << 20;

/// A file that is put in.
pub(super) struct Good {
    /// Path below the root.
    pub(super) rel: PathBuf,
    /// What it holds.
    pub(super) bytes: Vec<u8>,
    /// Whether it can be executed.
    pub(super) executable: bool,
}

/// What is to be done with a copy.
#[derive(Default)]
pub(super) struct Mended {
    /// Paths below the root that are taken out.
    pub(super) moves: Vec<PathBuf>,
    /// What is put in.
    pub(super) puts: Vec<Good>,
}

struct Looking<'a> {
    fs: &'a dyn WriteFs,
    root: Root,
    copy: &'a Copy,
    projection: &'static dyn Projection,
    present: BTreeMap<Vec<u8>, Stat>,
    /// Paths of the archive, whatever became of them.
    known: BTreeSet<Vec<u8>>,
    /// SHA-256 of every file of the archive that will be there.
    sums: BTreeMap<Vec<u8>, [u8; 32]>,
    excused: BTreeSet<Vec<u8>>,
    moves: BTreeSet<Vec<u8>>,
    puts: BTreeMap<Vec<u8>, (Vec<u8>, bool)>,
    /// What its tool may have left out, and what it holds.
    absent: Vec<Absent>,
    spare: Vec<(Vec<u8>, bool)>,
    /// The whole folder is gone, or no folder.
    bare: bool,
}

/// Compares. `archive` was verified.
///
/// # Errors
/// Why it cannot be done, in words.
pub(super) fn mend(
    fs: &dyn WriteFs,
    root: Root,
    copy: &Copy,
    healer: &dyn Healer,
    archive: &[u8],
) -> Result<Mended, String> {
    let mut looking = Looking {
        fs,
        root,
        copy,
        projection: copy.tree.projection,
        present: BTreeMap::new(),
        known: BTreeSet::new(),
        sums: BTreeMap::new(),
        excused: BTreeSet::new(),
        moves: BTreeSet::new(),
        puts: BTreeMap::new(),
        absent: Vec::new(),
        spare: Vec::new(),
        bare: false,
    };
    let mut mended = Mended::default();
    match stat(fs, root, &copy.tree.rel).map_err(|e| e.to_string())? {
        Some(top) if top.kind == FileKind::Dir => looking.walk(Path::new(""), 0)?,
        Some(_) => {
            mended.moves.push(copy.tree.rel.clone());
            looking.bare = true;
        }
        None => looking.bare = true,
    }
    let mut wrong = None;
    healer.unpack(&copy.artifact, archive, &mut |path, mode, bytes| {
        if is_plain(path) {
            looking.entry(path, mode, bytes);
        } else {
            wrong = Some(percent(path).0);
        }
    })?;
    if let Some(path) = wrong {
        return Err(format!("the archive names {path}, which no copy can hold"));
    }
    looking.extras()?;
    looking.absences()?;
    looking.record(healer);
    looking.finish(&mut mended);
    Ok(mended)
}

/// Whether a path of an archive stays below the folder that it is put in.
fn is_plain(path: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(path));
    let normal = |part: Component<'_>| matches!(part, Component::Normal(_));
    !path.as_os_str().is_empty()
        && path.components().all(normal)
        && !path.as_os_str().as_bytes().contains(&0)
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

impl Looking<'_> {
    fn walk(&mut self, below: &Path, depth: usize) -> Result<(), String> {
        let at = self.copy.tree.rel.join(below);
        let listed = self.fs.list(self.root.at(&at)).map_err(|e| e.to_string())?;
        if depth > look::DEPTH || self.present.len() > look::MOST {
            return Err("it is deeper or larger than any package".to_owned());
        }
        for entry in listed {
            let rel = below.join(&entry.name);
            let bytes = rel.as_os_str().as_bytes();
            if self.copy.tree.without.iter().any(|other| **other == *bytes) {
                continue;
            }
            let at = self.copy.tree.rel.join(&rel);
            let found = self.fs.stat(self.root.at(&at)).map_err(|e| e.to_string())?;
            self.present.insert(bytes.to_vec(), found);
            if found.kind == FileKind::Dir {
                self.walk(&rel, depth + 1)?;
            }
        }
        Ok(())
    }

    fn content(&self, below: &[u8]) -> Option<Vec<u8>> {
        let at = self.copy.tree.rel.join(path(below));
        let found = self.present.get(below)?;
        if found.kind != FileKind::File || found.size > look::LARGEST {
            return None;
        }
        let mut bytes = Vec::new();
        let file = self.fs.read(self.root.at(&at)).ok()?;
        file.take(look::LARGEST).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Judges one file of the archive as the scan does.
    fn entry(&mut self, below: &[u8], mode: u32, bytes: &[u8]) {
        let optional = match self.projection.placement(below) {
            Placement::Skipped => return,
            Placement::Exact => false,
            Placement::Optional => true,
        };
        self.known.insert(below.to_vec());
        let sum: [u8; 32] = Sha256::digest(bytes).into();
        let put = (bytes.to_vec(), mode & 0o100 != 0);
        let Some(found) = self.present.get(below).copied() else {
            if optional {
                if self
                    .projection
                    .weighs_absence(below, &self.copy.tree.copied)
                {
                    let absent = Absent {
                        path: below.into(),
                        never_built: mode & NEVER_BUILT != 0,
                    };
                    self.absent.push(absent);
                    self.spare.push(put);
                }
            } else if self.bare || self.projection.missing(below) == Difference::Finding {
                self.puts.insert(below.to_vec(), put);
                self.sums.insert(below.to_vec(), sum);
            }
            return;
        };
        self.sums.insert(below.to_vec(), sum);
        let plain = found.kind == FileKind::File && found.mode & 0o6000 == 0;
        if plain && let Some(tree) = self.content(below) {
            if tree == bytes {
                return;
            }
            if self.projection.differing(below, bytes, &tree) != Difference::Finding {
                self.excused.insert(below.to_vec());
                return;
            }
        }
        self.moves.insert(below.to_vec());
        self.puts.insert(below.to_vec(), put);
    }

    /// Shows the copy as it will be.
    fn viewed<T>(
        &self,
        judge: impl FnOnce(&TreeView<'_>) -> Result<T, Unjudged>,
    ) -> Result<T, String> {
        // Listed once: a copy has as many folders to ask about as it likes.
        let listed = OnceCell::new();
        let files = |folder: &[u8]| {
            let folders = listed.get_or_init(|| self.by_folder());
            let names = folders.get(folder).map_or(&[][..], Vec::as_slice);
            names.iter().map(|name| name.to_vec()).collect()
        };
        let read = |below: &[u8]| {
            let put = self.puts.get(below).map(|(bytes, _)| bytes.clone());
            put.or_else(|| self.content(below))
                .ok_or_else(|| format!("{} cannot be read", percent(below).0))
        };
        // What of the archive is there and stays is as the archive has it, or excused.
        let is_archives = |below: &[u8]| {
            let stays = self.present.contains_key(below) && !self.moves.contains(below);
            let known = self.known.contains(below) && !self.excused.contains(below);
            self.puts.contains_key(below) || (stays && known)
        };
        let view = TreeView {
            copied: &self.copy.tree.copied,
            files: &files,
            read: &read,
            is_archives: &is_archives,
            cancelled: &|| false,
        };
        judge(&view).map_err(|unjudged| unjudged.why)
    }

    /// What its tool may leave out is put in where it should be there.
    fn absences(&mut self) -> Result<(), String> {
        let judged = self.viewed(|view| self.projection.absences(&self.absent, view))?;
        for (at, difference) in judged {
            let (Some(absent), Some(put)) = (self.absent.get(at), self.spare.get(at)) else {
                continue;
            };
            if self.bare || difference == Difference::Finding {
                let path = absent.path.to_vec();
                let sum: [u8; 32] = Sha256::digest(&put.0).into();
                self.sums.insert(path.clone(), sum);
                self.puts.insert(path, put.clone());
            }
        }
        Ok(())
    }

    /// Names of the files that will lie directly in each folder, sorted.
    fn by_folder(&self) -> BTreeMap<&[u8], Vec<&[u8]>> {
        let stays = |(below, found): &(&Vec<u8>, &Stat)| {
            found.kind == FileKind::File && !self.moves.contains(*below)
        };
        let present = self.present.iter().filter(stays).map(|(below, _)| below);
        let all: BTreeSet<&Vec<u8>> = present.chain(self.puts.keys()).collect();
        let mut folders: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
        for below in all {
            let cut = below.iter().rposition(|b| *b == b'/');
            let (folder, name) = match cut.and_then(|at| below.split_at_checked(at)) {
                Some((folder, rest)) => (folder, rest.get(1..).unwrap_or_default()),
                None => (&[][..], below.as_slice()),
            };
            folders.entry(folder).or_default().push(name);
        }
        folders
    }

    /// What the archive does not have goes, unless its tool made it or passes over it.
    fn extras(&mut self) -> Result<(), String> {
        let extra: Vec<(Vec<u8>, Stat)> = self
            .present
            .iter()
            .filter(|(below, found)| found.kind != FileKind::Dir && !self.known.contains(*below))
            .map(|(below, found)| (below.clone(), *found))
            .collect();
        let mut litter = Vec::new();
        for (below, found) in extra {
            let content = (found.kind == FileKind::File && found.size <= SHOWN)
                .then(|| self.content(&below))
                .flatten();
            let file_sha256 = |name: &[u8]| self.sums.get(name).copied();
            let excused = |name: &[u8]| self.excused.contains(name);
            let context = ExtraContext {
                archive: &self.copy.digest,
                file_sha256: &file_sha256,
                excused: &excused,
            };
            let judged = self
                .projection
                .extra(&below, found.kind, content.as_deref(), &context);
            match judged {
                Extra::Generated if found.kind == FileKind::File => {}
                Extra::Litter if found.kind == FileKind::File => litter.push(below),
                _ => {
                    self.moves.insert(below);
                }
            }
        }
        if !litter.is_empty() {
            let loaded = self.viewed(|view| self.projection.loaded_litter(&litter, view))?;
            let loaded = loaded.into_iter().filter_map(|at| litter.get(at).cloned());
            self.moves.extend(loaded);
        }
        Ok(())
    }

    /// The tool's own record of the copy's files is made anew where it is false.
    fn record(&mut self, healer: &dyn Healer) {
        let present = |name: &Path| self.content(name.as_os_str().as_bytes());
        let made = healer.vendor_record(&self.copy.digest, &self.sums, &present);
        if let Some((name, bytes)) = made {
            let below = name.as_os_str().as_bytes().to_vec();
            if self.present.contains_key(&below) {
                self.moves.insert(below.clone());
            }
            self.puts.insert(below, (bytes, false));
        }
    }

    fn finish(self, mended: &mut Mended) {
        let top = &self.copy.tree.rel;
        // Folders that something stays in, or is put in.
        let mut kept: BTreeSet<&Path> = BTreeSet::new();
        let files = self
            .present
            .iter()
            .filter(|(below, found)| found.kind != FileKind::Dir && !self.moves.contains(*below))
            .map(|(below, _)| below.as_slice());
        let others = self.copy.tree.without.iter().map(|other| &**other);
        for stays in files
            .chain(self.puts.keys().map(Vec::as_slice))
            .chain(others)
        {
            kept.extend(path(stays).ancestors());
        }
        let mut moves: BTreeSet<PathBuf> = BTreeSet::new();
        for below in &self.moves {
            let whole = path(below)
                .ancestors()
                .filter(|above| !above.as_os_str().is_empty() && !kept.contains(above))
                .last();
            moves.insert(top.join(whole.unwrap_or(path(below))));
        }
        // What lies in a folder that goes, goes with it.
        let inner = |rel: &PathBuf| {
            let mut above = rel.ancestors().skip(1);
            above.any(|above| moves.contains(above))
        };
        mended
            .moves
            .extend(moves.iter().filter(|rel| !inner(rel)).cloned());
        for (below, (bytes, executable)) in self.puts {
            mended.puts.push(Good {
                rel: top.join(path(&below)),
                bytes,
                executable,
            });
        }
    }
}
