//! Whether what was put back from another file system is as it was, beyond its bytes.
//!
//! A copy has no further names, belongs to who made it unless that may give owners, and has no set-id bits. What can be given
//! to it is given by the record: rights of an owner to what belongs to that owner alone, and only where the bytes are those that
//! were taken. The rest is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::grounds::Grounds;
use super::look;
use super::record::{Entry, Move, Role, Was};
use super::relocate::stat;
use crate::world::write_fs::{Attributes, Root};
use crate::world::{FileKind, PathError, Stat, WriteFs};

/// Differences of one thing that are written out.
const SHOWN: usize = 10;

/// Something that lies at its place again.
pub(super) struct Back<'a> {
    pub(super) fs: &'a dyn WriteFs,
    pub(super) root: Root,
    pub(super) place: &'a Path,
    pub(super) mv: &'a Move,
}

impl Grounds<'_> {
    /// What was put back and is not as it was, though its bytes are.
    pub(super) fn unlike(&self, entry: &Entry) -> Vec<String> {
        let moves = entry.moves.iter().filter(|mv| mv.role != Role::Newer);
        let told = moves.flat_map(|mv| {
            let Some((root, _)) = self.roots.get(mv.folder).copied() else {
                return Vec::new();
            };
            let (fs, place) = (self.fs, &*mv.rel.path());
            let back = Back {
                fs,
                root,
                place,
                mv,
            };
            back.unlike()
                .unwrap_or_else(|error| vec![error.to_string()])
        });
        told.collect()
    }
}

impl Back<'_> {
    /// Its top, if it is a copy with the bytes that were taken: what was moved there is as it was.
    fn copied(&self) -> Result<Option<Stat>, PathError> {
        let Some(top) = stat(self.fs, self.root, self.place)? else {
            return Ok(None);
        };
        if self.mv.was.is(&top) || self.mv.digest.is_none() {
            return Ok(None);
        }
        let seen = look::at(self.fs, self.root, self.place)?;
        Ok((seen.digest == self.mv.digest).then_some(top))
    }

    fn parts(&self) -> impl Iterator<Item = (PathBuf, &Was)> {
        let odd = self.mv.odd.iter();
        let odd = odd.map(|(rel, was)| (self.place.join(rel.path()), was));
        [(self.place.to_owned(), &self.mv.was)]
            .into_iter()
            .chain(odd)
    }

    /// Gives what can be given.
    pub(super) fn give(&self) -> Result<(), PathError> {
        let plain = self.mv.was.mode & 0o6000 == 0;
        if (plain && self.mv.odd.is_empty()) || self.copied()?.is_none() {
            return Ok(());
        }
        for (path, was) in self.parts() {
            let Some(found) = stat(self.fs, self.root, &path)? else {
                continue;
            };
            if found.kind == FileKind::Link {
                continue;
            }
            let same = (found.uid, found.gid) == (was.uid, was.gid);
            let mode = was.mode & if same { 0o7777 } else { 0o1777 };
            if found.mode != mode {
                let mode = Some(mode);
                let attributes = Attributes { mode, mtime: None };
                self.fs.set(self.root.at(&path), attributes)?;
            }
        }
        Ok(())
    }

    /// What is not as it was, in words.
    pub(super) fn unlike(&self) -> Result<Vec<String>, PathError> {
        let Some(_) = self.copied()? else {
            return Ok(Vec::new());
        };
        let known: BTreeMap<PathBuf, &Was> = self.parts().collect();
        let mut told = Vec::new();
        for (path, was) in &known {
            if let Some(found) = stat(self.fs, self.root, path)? {
                self.compare(path, was, &found, &mut told);
            }
        }
        // Everything else has the owner of the top.
        let seen = look::at(self.fs, self.root, self.place)?;
        let others = seen.odd.iter().filter(|(rel, found)| {
            let strange = (found.uid, found.gid) != (self.mv.was.uid, self.mv.was.gid);
            strange && !known.contains_key(&self.place.join(rel))
        });
        let others = others.count();
        if others > 0 {
            told.push(format!(
                "{}: {others} parts of it belong to another owner now",
                self.shown(self.place)
            ));
        }
        let more = told.len().saturating_sub(SHOWN);
        told.truncate(SHOWN);
        if more > 0 {
            told.push(format!("{}: and {more} more", self.shown(self.place)));
        }
        Ok(told)
    }

    fn compare(&self, path: &Path, was: &Was, found: &Stat, told: &mut Vec<String>) {
        let shown = self.shown(path);
        if (found.uid, found.gid) != (was.uid, was.gid) {
            told.push(format!(
                "{shown}: it belonged to user {} and group {}, and belongs to {} and {} now",
                was.uid, was.gid, found.uid, found.gid
            ));
        }
        if found.kind != FileKind::Link && found.mode != was.mode {
            told.push(format!(
                "{shown}: its mode was {:04o}, and is {:04o} now",
                was.mode, found.mode
            ));
        }
        if found.kind == FileKind::File && found.links != was.links {
            told.push(format!(
                "{shown}: it had {} names (hard links), and has {} now: the others lie apart",
                was.links, found.links
            ));
        }
        let mtime = Was::of(found).mtime();
        if mtime != was.mtime() {
            told.push(format!("{shown}: its time of change is another one"));
        }
    }

    fn shown(&self, path: &Path) -> String {
        self.fs.shown(self.root.at(path)).display().to_string()
    }
}
