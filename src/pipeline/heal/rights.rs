//! Who may do what with a thing that is taken and put back: in the quarantine nothing can be executed, and back in its place
//! it has the rights that it had, but none that a record alone says.

use std::path::{Path, PathBuf};

use super::apply::ApplyError;
use super::grounds::Grounds;
use super::look;
use super::record::Move;
use super::relocate::stat;
use crate::world::FileKind;
use crate::world::write_fs::{Attributes, Root};

impl Grounds<'_> {
    /// The mode of a folder that could not be moved without changing it. What is not ours is left alone.
    pub(super) fn top_mode(&self, root: Root, place: &Path, mv: &Move) -> Result<(), ApplyError> {
        let Some(found) = stat(self.fs, root, place)? else {
            return Ok(());
        };
        // A record alone gives no file the rights of another user.
        let mode = match found.kind {
            FileKind::Link => return Ok(()),
            FileKind::Dir => mv.was.mode & 0o3777,
            // What it still has of them in the quarantine it had before.
            FileKind::File | FileKind::Other => {
                (mv.was.mode & 0o777) | (mv.was.mode & found.mode & 0o7000)
            }
        };
        if found.mode == mode || found.mode == mv.was.mode {
            return Ok(());
        }
        let ours = mv.was.is(&found)
            || (mv.digest.is_some() && look::at(self.fs, root, place)?.digest == mv.digest);
        if ours {
            self.mode(root, place, mode)?;
        }
        Ok(())
    }

    /// What lies in the quarantine cannot be executed. Files with further names outside are left alone: their mode is
    /// not ours to change.
    pub(super) fn disarm(&self, mv: &Move) -> Result<(), ApplyError> {
        let (_, store) = self.roots(mv.folder)?;
        for (below, mode) in &mv.armed {
            let path = inside(&mv.item, &below.path());
            self.mode_if(store, &path, *mode, mode & 0o7600)?;
            // A copy has no set-id bits.
            self.mode_if(store, &path, mode & 0o777, mode & 0o600)?;
        }
        // A copy of what has further names has one.
        let odd = mv.odd.iter().map(|(below, was)| (below.path(), was));
        let top = (PathBuf::new(), &mv.was);
        for (below, was) in odd.chain([top]).filter(|(_, was)| was.mode & 0o111 != 0) {
            let path = inside(&mv.item, &below);
            self.mode_if(store, &path, was.mode & 0o777, was.mode & 0o600)?;
        }
        Ok(())
    }

    pub(super) fn arm(&self, store: Root, item: &Path, mv: &Move) -> Result<(), ApplyError> {
        let top = self.fs.stat(store.at(item))?;
        if top.kind == FileKind::Dir && top.mode & 0o200 == 0 {
            self.mode(store, item, top.mode | 0o700)?;
        }
        for (below, mode) in &mv.armed {
            let path = inside(&mv.item, &below.path());
            // The rights of another user only where it has them still: a record alone gives none.
            self.mode_if(store, &path, mode & 0o7600, *mode)?;
            self.mode_if(store, &path, mode & 0o600, mode & 0o777)?;
        }
        Ok(())
    }

    fn mode_if(&self, store: Root, path: &Path, is: u32, to: u32) -> Result<(), ApplyError> {
        match stat(self.fs, store, path)? {
            Some(found) if found.kind == FileKind::File && found.mode == is && found.links == 1 => {
                self.mode(store, path, to)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn mode(&self, root: Root, rel: &Path, mode: u32) -> Result<(), ApplyError> {
        let mode = Some(mode);
        Ok(self
            .fs
            .set(root.at(rel), Attributes { mode, mtime: None })?)
    }
}

/// A path inside a kept thing; the thing itself for an empty one.
fn inside(item: &str, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() {
        PathBuf::from(item)
    } else {
        Path::new(item).join(below)
    }
}
