//! Doing a transaction, and taking it back: both by its record alone, and as often as one likes.
//!
//! What was begun and not ended is finished by calling the same function again: each step first looks whether it is done.
//! Nothing is overwritten, nothing of unknown identity is moved, nothing unverified is put in place.

use std::io;
use std::path::{Path, PathBuf};

use super::grounds::Grounds;
use super::likeness::Back;
use super::locking;
use super::look;
use super::record::{Entry, Move, Put, Role, Was};
use super::relocate::{self, Way, stat};
use crate::world::write_fs::{Attributes, Root};
use crate::world::{FileKind, PathError};

impl ApplyError {
    /// Whether a link, or something else that is no folder, stands above the place by now.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Io(error) if error.is_unreachable())
    }
}

/// Why a transaction could not be done or taken back.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] PathError),
    /// Something else lies there than what was looked at.
    #[error(
        "{path}: something else lies there now than what was looked at: it was left alone; run again"
    )]
    Changed {
        /// Where.
        path: String,
    },
    /// What was fetched is not what was verified any more.
    #[error("{path}: its bytes are not those that were verified: it was not put in place")]
    NotGood {
        /// Where.
        path: String,
    },
    /// Something newer stands where something is to be put.
    #[error("{path}: something newer stands there")]
    Occupied {
        /// Where.
        path: String,
    },
}

impl Grounds<'_> {
    pub(super) fn roots(&self, folder: usize) -> Result<(Root, Root), ApplyError> {
        self.roots.get(folder).copied().ok_or_else(|| {
            ApplyError::Io(PathError {
                path: PathBuf::new(),
                source: io::ErrorKind::InvalidInput.into(),
            })
        })
    }

    fn passing(&self, name: &str) -> String {
        format!(".untaint-{}-{name}", self.run)
    }

    fn changed(&self, root: Root, rel: &Path) -> ApplyError {
        let path = self.fs.shown(root.at(rel)).display().to_string();
        ApplyError::Changed { path }
    }

    /// Does what the record says to its end where something newer stands by now: that stays, and what was fetched for its
    /// place goes, as does what is not good any more.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn finish(&self, entry: &Entry) -> Result<(), ApplyError> {
        self.perform(entry, true)
    }

    /// Does what the record says, as far as it is not done.
    ///
    /// # Errors
    /// [`ApplyError`]; what was done until then stands, and [`Grounds::unapply`] takes it back.
    pub fn apply(&self, entry: &Entry) -> Result<(), ApplyError> {
        self.perform(entry, false)
    }

    fn perform(&self, entry: &Entry, newer_stays: bool) -> Result<(), ApplyError> {
        let derived = |mv: &&Move| mv.role == Role::Derived;
        for mark in &entry.marks {
            let (root, _) = self.roots(mark.folder)?;
            let rel = mark.rel.path();
            if stat(self.fs, root, &rel)?.is_none() {
                let mut file = self.fs.create(root.at(&rel), 0o644)?;
                file.sync().map_err(|source| PathError {
                    path: self.fs.shown(root.at(&rel)),
                    source,
                })?;
            }
        }
        for mv in entry.moves.iter().filter(|mv| !derived(mv)) {
            self.take(mv, newer_stays)?;
        }
        for put in &entry.puts {
            self.put(put, newer_stays)?;
        }
        for mv in entry.moves.iter().filter(derived) {
            self.take(mv, newer_stays)?;
        }
        for mv in &entry.moves {
            self.disarm(mv)?;
        }
        self.unmark(entry)
    }

    /// Takes the marks away.
    fn unmark(&self, entry: &Entry) -> Result<(), ApplyError> {
        for mark in &entry.marks {
            let (root, _) = self.roots(mark.folder)?;
            relocate::discard(self.fs, root, &mark.rel.path())?;
        }
        Ok(())
    }

    /// Takes back what the record says, as far as it was done.
    ///
    /// # Errors
    /// [`ApplyError`]; what cannot be put back stays whole in the quarantine.
    pub fn unapply(&self, entry: &Entry) -> Result<(), ApplyError> {
        for put in entry.puts.iter().rev() {
            self.unput(put)?;
        }
        for mv in entry.moves.iter().rev().filter(|mv| mv.role != Role::Newer) {
            self.give_back(mv)?;
        }
        self.unmark(entry)?;
        // Only when everything is back are the folders above as they were.
        for mv in entry.moves.iter().rev().filter(|mv| mv.role != Role::Newer) {
            let place = mv.rel.path();
            let above = place.parent().unwrap_or(Path::new(""));
            self.times(mv.folder, above, &mv.above)?;
        }
        for put in entry.puts.iter().rev() {
            if let Some(above) = &put.above {
                self.times(put.folder, &above.rel.path(), &above.was)?;
            }
        }
        for mark in entry.marks.iter().rev() {
            let rel = mark.rel.path();
            self.times(
                mark.folder,
                rel.parent().unwrap_or(Path::new("")),
                &mark.above,
            )?;
        }
        for made in entry.made.iter().rev() {
            let (root, _) = self.roots(made.folder)?;
            locking::unmake(self.fs, root, made)?;
            self.times(made.folder, &made.above.rel.path(), &made.above.was)?;
        }
        Ok(())
    }

    /// Removes what was fetched for a transaction and never used.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn unstage(&self, entry: &Entry) -> Result<(), ApplyError> {
        for put in &entry.puts {
            let (_, store) = self.roots(put.folder)?;
            relocate::discard(self.fs, store, Path::new(&put.staged))?;
        }
        Ok(())
    }

    fn take(&self, mv: &Move, newer_stays: bool) -> Result<(), ApplyError> {
        let (root, store) = self.roots(mv.folder)?;
        let (from, item) = (mv.rel.path(), Path::new(&mv.item));
        let passing = self.passing(&mv.item);
        let way = Way {
            from: root,
            old: &from,
            to: store,
            new: item,
            passing: &passing,
        };
        if let Some(kept) = stat(self.fs, store, item)? {
            if mv.was.is(&kept) {
                return Ok(());
            }
            if self.is_copy(store, item, mv)? {
                // Whole and compared: what is left of the removal.
                match stat(self.fs, root, &from)? {
                    Some(old) if !self.is_it((root, &from), mv, &old)? => {}
                    _ => relocate::clear(self.fs, &way)?,
                }
                return Ok(relocate::tidy(self.fs, &way)?);
            }
            if newer_stays && stat(self.fs, root, &from)?.is_some() {
                return Ok(());
            }
            // Somebody swapped it between the look and the move.
            relocate::relocate(self.fs, &way.reversed(), None)?;
            return Err(self.changed(root, &from));
        }
        let Some(found) = stat(self.fs, root, &from)? else {
            return Ok(());
        };
        if !self.is_it((root, &from), mv, &found)? {
            if newer_stays {
                return Ok(());
            }
            return Err(self.changed(root, &from));
        }
        if found.kind == FileKind::Dir && found.mode & 0o200 == 0 {
            // A folder that may not be written cannot leave the folder above it.
            self.mode(root, &from, found.mode | 0o700)?;
        }
        relocate::relocate(self.fs, &way, mv.digest.as_deref())?;
        match stat(self.fs, store, item)? {
            Some(kept) if mv.was.is(&kept) || self.is_copy(store, item, mv)? => Ok(()),
            Some(_) => {
                relocate::relocate(self.fs, &way.reversed(), None)?;
                Err(self.changed(root, &from))
            }
            None => Err(self.changed(root, &from)),
        }
    }

    /// Whether what is kept is a whole copy of what was taken.
    fn is_copy(&self, store: Root, item: &Path, mv: &Move) -> Result<bool, ApplyError> {
        let Some(digest) = &mv.digest else {
            return Ok(false);
        };
        let kept = look::at(self.fs, store, item)?;
        Ok(kept.stat.dev != mv.was.dev && kept.digest.as_ref() == Some(digest))
    }

    fn put(&self, put: &Put, newer_stays: bool) -> Result<(), ApplyError> {
        let (root, store) = self.roots(put.folder)?;
        let (place, staged) = (put.rel.path(), Path::new(&put.staged));
        let passing = self.passing(&put.staged);
        let way = Way {
            from: store,
            old: staged,
            to: root,
            new: &place,
            passing: &passing,
        };
        if stat(self.fs, root, &place)?.is_some() {
            if !newer_stays && !self.is_good(root, &place, put)? {
                return Err(ApplyError::Occupied {
                    path: self.fs.shown(root.at(&place)).display().to_string(),
                });
            }
            relocate::discard(self.fs, store, staged)?;
            return Ok(relocate::tidy(self.fs, &way)?);
        }
        if stat(self.fs, store, staged)?.is_none() {
            return Ok(());
        }
        if !self.is_good(store, staged, put)? {
            if newer_stays {
                // Absent, its tool fetches it anew.
                return Ok(relocate::discard(self.fs, store, staged)?);
            }
            return Err(ApplyError::NotGood {
                path: self.fs.shown(store.at(staged)).display().to_string(),
            });
        }
        for made in &put.made {
            let made = made.path();
            if stat(self.fs, root, &made)?.is_none() {
                self.fs.make_dir(root.at(&made), 0o755)?;
            }
        }
        relocate::relocate(self.fs, &way, Some(&put.sha256))?;
        if self.is_good(root, &place, put)? {
            Ok(())
        } else {
            Err(ApplyError::NotGood {
                path: self.fs.shown(root.at(&place)).display().to_string(),
            })
        }
    }

    fn is_good(&self, root: Root, rel: &Path, put: &Put) -> Result<bool, ApplyError> {
        let file = self.fs.stat(root.at(rel))?.kind == FileKind::File;
        Ok(file && look::sha256(self.fs, root.at(rel))? == put.sha256)
    }

    fn unput(&self, put: &Put) -> Result<(), ApplyError> {
        let (root, store) = self.roots(put.folder)?;
        let (place, staged) = (put.rel.path(), Path::new(&put.staged));
        let passing = self.passing(&put.staged);
        let way = Way {
            from: root,
            old: &place,
            to: store,
            new: staged,
            passing: &passing,
        };
        if self.is_unreachable(root, &place) {
            // Nothing was ever put behind a link.
            return Ok(());
        }
        relocate::tidy(self.fs, &way)?;
        let Some(found) = stat(self.fs, root, &place)? else {
            return self.unmake(root, put);
        };
        // A link, or other bytes, are not ours.
        if found.kind != FileKind::File || !self.is_good(root, &place, put)? {
            return Ok(());
        }
        relocate::discard(self.fs, store, staged)?;
        relocate::relocate(self.fs, &way, Some(&put.sha256))?;
        self.unmake(root, put)
    }

    /// Whether a link, or something else that is no folder, stands above a place.
    fn is_unreachable(&self, root: Root, place: &Path) -> bool {
        let found = self.fs.stat(root.at(place));
        found.is_err_and(|error| error.is_unreachable())
    }

    /// Removes the folders that were made for a file, as far as nothing else lies in them.
    fn unmake(&self, root: Root, put: &Put) -> Result<(), ApplyError> {
        for made in put.made.iter().rev() {
            let made = made.path();
            let found = stat(self.fs, root, &made)?;
            if found.is_none_or(|found| found.kind != FileKind::Dir) {
                continue;
            }
            if self.fs.list(root.at(&made))?.is_empty() {
                self.fs.remove_dir(root.at(&made))?;
            }
        }
        Ok(())
    }

    fn give_back(&self, mv: &Move) -> Result<(), ApplyError> {
        let (root, store) = self.roots(mv.folder)?;
        let (place, item) = (mv.rel.path(), Path::new(&mv.item));
        let passing = self.passing(&mv.item);
        let way = Way {
            from: store,
            old: item,
            to: root,
            new: &place,
            passing: &passing,
        };
        if stat(self.fs, store, item)?.is_none() {
            relocate::tidy(self.fs, &way)?;
            return self.mode_as_it_was(root, &place, mv);
        }
        if let Some(found) = stat(self.fs, root, &place)? {
            if mv.was.is(&found) {
                return self.mode_as_it_was(root, &place, mv);
            }
            let copied = look::at(self.fs, root, &place)?;
            if mv.digest.is_some() && copied.digest == mv.digest {
                relocate::clear(self.fs, &way)?;
                relocate::tidy(self.fs, &way)?;
                return self.mode_as_it_was(root, &place, mv);
            }
            return Err(ApplyError::Occupied {
                path: self.fs.shown(root.at(&place)).display().to_string(),
            });
        }
        self.make_above(root, &place)?;
        self.arm(store, item, mv)?;
        relocate::relocate(self.fs, &way, mv.digest.as_deref())?;
        self.mode_as_it_was(root, &place, mv)
    }

    /// The mode, and what else a copy can be given.
    fn mode_as_it_was(&self, root: Root, place: &Path, mv: &Move) -> Result<(), ApplyError> {
        self.top_mode(root, place, mv)?;
        let fs = self.fs;
        let back = Back {
            fs,
            root,
            place,
            mv,
        };
        Ok(back.give()?)
    }

    fn make_above(&self, root: Root, place: &Path) -> Result<(), ApplyError> {
        let mut missing = Vec::new();
        for above in place.ancestors().skip(1) {
            if above.as_os_str().is_empty() || stat(self.fs, root, above)?.is_some() {
                break;
            }
            missing.push(above);
        }
        for above in missing.into_iter().rev() {
            self.fs.make_dir(root.at(above), 0o755)?;
        }
        Ok(())
    }

    /// Sets a folder's time to what it was, if it is that folder.
    fn times(&self, folder: usize, rel: &Path, was: &Was) -> Result<(), ApplyError> {
        let (root, _) = self.roots(folder)?;
        let Some(found) = stat(self.fs, root, rel)? else {
            return Ok(());
        };
        if was.inode == found.inode && Was::of(&found).mtime() != was.mtime() {
            let mtime = Some(was.mtime());
            self.fs
                .set(root.at(rel), Attributes { mode: None, mtime })?;
        }
        Ok(())
    }
}

impl Way<'_> {
    fn reversed(&self) -> Self {
        Self {
            from: self.to,
            old: self.new,
            to: self.from,
            new: self.old,
            passing: self.passing,
        }
    }
}
