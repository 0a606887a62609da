//! Where heal keeps what it took and what it did: one folder of ours, readable by this user alone.
//!
//! ```text
//! heal.lock                       one heal or restore at a time
//! heal-<run>.journal              a run that is going on or was interrupted
//! audit.log                       every deed
//! quarantine/<run>/journal        a run that has ended
//! quarantine/<run>/<item>         what it took, under names of our own making
//! quarantine/<run>/evidence-<n>/  what was known of it
//! ```
//! What lies on another file system is kept beside its cache, so that it can be moved by rename.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::journal::{self, JournalError, Story};
use super::seal::Seal;
use crate::pipeline::ailing::Ground;
use crate::world::write_fs::{Attributes, Lock, Root};
use crate::world::{FileKind, PathError, WriteFs};

/// Name of the folder beside a cache.
pub const BESIDE: &str = ".untaint-quarantine";
const LOCK: &str = "heal.lock";
const KEPT: &str = "quarantine";

/// Why the vault cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] PathError),
    /// Another one is at work.
    #[error("another heal or restore is at work{}: wait for it, or run again later", holder(.0))]
    Busy(Option<String>),
    /// A record of this user names a folder that nobody named now.
    #[error("{}: its record names this folder, which is no cache of yours and was not named", .0.display())]
    Unnamed(PathBuf),
    /// A journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn holder(who: &Option<String>) -> String {
    who.as_ref()
        .map_or_else(String::new, |who| format!(" ({who})"))
}

/// The vault, held by this process alone.
pub struct Vault<'a> {
    /// The writing port.
    pub fs: &'a dyn WriteFs,
    /// Its folder.
    pub base: Root,
    uid: u32,
    seal: Option<Seal>,
    _lock: Option<Box<dyn Send>>,
}

/// The journal of a run that is not closed.
pub fn journal_name(run: &str) -> String {
    format!("heal-{run}.journal")
}

/// The run of such a journal's name.
pub fn run_of(name: &str) -> Option<&str> {
    let run = name.strip_prefix("heal-")?.strip_suffix(".journal")?;
    is_run(run).then_some(run)
}

/// Whether a name has the form of a run's id: it begins with its time, in upper case.
fn is_run(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
    let time = name.bytes().next().is_some_and(|b| b.is_ascii_digit());
    time && name.len() <= 40 && name.bytes().all(plain)
}

/// A run's id, its time (ten letters of base 32) moved behind that of another one if it is not later by itself.
fn behind(run: &str, other: &str) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let (Some((time, rest)), Some((known, _))) =
        (run.split_at_checked(10), other.split_at_checked(10))
    else {
        return run.to_owned();
    };
    if time > known {
        return run.to_owned();
    }
    let digit = |b: u8| LETTERS.iter().position(|letter| *letter == b).unwrap_or(0) as u64;
    let next = known.bytes().fold(0, |sum, b| (sum << 5) | digit(b)) + 1;
    let letter = |place: u32| {
        let at = usize::try_from((next >> (5 * place)) & 31).unwrap_or(0);
        char::from(LETTERS.get(at).copied().unwrap_or(b'0'))
    };
    (0..10u32).rev().map(letter).chain(rest.chars()).collect()
}

/// Opens a folder of ours by its path, through no link in its last part, making it if wanted; `None` where it is not there,
/// or is a link, another user's, or open to others. What was there already is not changed.
///
/// # Errors
/// When the system refuses.
pub fn own_folder(
    fs: &dyn WriteFs,
    path: &Path,
    uid: u32,
    make: bool,
) -> Result<Option<Root>, PathError> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let above = fs.open(above)?;
    let at = above.at(Path::new(name));
    if make
        && let Err(error) = fs.make_dir(at, 0o700)
        && error.source.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(error);
    }
    let Some(stat) = super::relocate::stat(fs, above, Path::new(name))? else {
        return Ok(None);
    };
    if stat.kind != FileKind::Dir || stat.uid != uid || stat.mode & 0o077 != 0 {
        return Ok(None);
    }
    let root = fs.open(path)?;
    let opened = fs.stat(root.at(Path::new("")))?;
    Ok((opened.dev == stat.dev && opened.inode == stat.inode).then_some(root))
}

impl<'a> Vault<'a> {
    /// Opens it for changes, making it if need be.
    ///
    /// # Errors
    /// When it cannot be made, or another process holds it.
    pub fn open(
        fs: &'a dyn WriteFs,
        path: &Path,
        uid: u32,
        wait: Duration,
    ) -> Result<Self, VaultError> {
        Self::hold(fs, fs.make(path)?, uid, wait)
    }

    /// Opens one that lies beside or in a cache; `None` where there is none, or what is there is not this user's alone.
    /// With `make` one is made there.
    ///
    /// # Errors
    /// When the system refuses, or another process holds it.
    pub fn open_beside(
        fs: &'a dyn WriteFs,
        path: &Path,
        uid: u32,
        wait: Duration,
        make: bool,
    ) -> Result<Option<Self>, VaultError> {
        match own_folder(fs, path, uid, make) {
            Ok(Some(base)) => Self::hold(fs, base, uid, wait).map(Some),
            Ok(None) => Ok(None),
            Err(error) if !make && error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The same to look only.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn look_beside(
        fs: &'a dyn WriteFs,
        path: &Path,
        uid: u32,
    ) -> Result<Option<Self>, VaultError> {
        let base = match own_folder(fs, path, uid, false) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        Ok(base.map(|base| Self {
            fs,
            base,
            uid,
            seal: None,
            _lock: None,
        }))
    }

    fn hold(fs: &'a dyn WriteFs, base: Root, uid: u32, wait: Duration) -> Result<Self, VaultError> {
        let lock = match fs.lock(base.at(Path::new(LOCK)), wait)? {
            Lock::Held(held) => Some(held),
            Lock::Busy(who) => return Err(VaultError::Busy(who)),
            Lock::Unsupported => None,
        };
        Ok(Self {
            fs,
            base,
            uid,
            seal: None,
            _lock: lock,
        })
    }

    /// With the key that its journals are sealed with; without one nothing can be done by any.
    #[must_use]
    pub fn sealed(mut self, seal: Option<Seal>) -> Self {
        self.seal = seal;
        self
    }

    /// The key that its journals are sealed with.
    pub const fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// Opens it to look; `None` where nothing was ever kept.
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    pub fn look(fs: &'a dyn WriteFs, path: &Path, uid: u32) -> Result<Option<Self>, VaultError> {
        match fs.open(path) {
            Ok(base) => Ok(Some(Self {
                fs,
                base,
                uid,
                seal: None,
                _lock: None,
            })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs that are not closed.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn pending(&self) -> Result<Vec<String>, VaultError> {
        let entries = self.fs.list(self.base.at(Path::new("")))?;
        Ok(entries
            .iter()
            .filter_map(|e| run_of(e.name.to_str()?).map(str::to_owned))
            .collect())
    }

    /// Runs that are closed, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn runs(&self) -> Result<Vec<String>, VaultError> {
        let at = self.base.at(Path::new(KEPT));
        let entries = match self.fs.list(at) {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            other => other?,
        };
        Ok(entries
            .iter()
            .filter(|e| e.kind == FileKind::Dir)
            .filter_map(|e| e.name.to_str().filter(|n| is_run(n)).map(str::to_owned))
            .filter(|run| {
                let journal = self.kept(run).join("journal");
                self.fs.stat(self.base.at(&journal)).is_ok()
            })
            .collect())
    }

    /// The id of a new run: later than every one that is here, so that the newest is the last.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn fresh(&self, run: &str) -> Result<String, VaultError> {
        let all = self.runs()?.into_iter().chain(self.pending()?);
        let newest = all.filter(|known| known.len() == run.len()).max();
        Ok(newest.map_or_else(|| run.to_owned(), |newest| behind(run, &newest)))
    }

    /// Where the vault keeps a run, below its folder.
    pub fn kept(&self, run: &str) -> PathBuf {
        Path::new(KEPT).join(run)
    }

    /// What the journal of a run says, closed or not.
    ///
    /// # Errors
    /// [`JournalError`], also when it is not sealed by this user, or a closed one does not say that it ends.
    pub fn story(&self, run: &str) -> Result<Option<Story>, JournalError> {
        let kept = self.kept(run).join("journal");
        let (name, closed) = if self.fs.stat(self.base.at(&kept)).is_ok() {
            (kept, true)
        } else {
            (PathBuf::from(journal_name(run)), false)
        };
        let story = match journal::read(self.fs, self.base, &name, self.seal()) {
            Err(JournalError::Io(error)) if error.is_not_found() && !closed => return Ok(None),
            other => other?,
        };
        let name = || self.fs.shown(self.base.at(&name)).display().to_string();
        match story {
            Some(story) if story.id != run => Err(JournalError::Refused {
                name: name(),
                why: "it tells of another run".to_owned(),
            }),
            Some(story) if closed && !story.ended => Err(JournalError::Cut { name: name() }),
            story => Ok(story),
        }
    }

    /// What the journal of a run says, whoever wrote it: to be shown.
    ///
    /// # Errors
    /// [`JournalError`] when it says nothing that could be shown.
    pub fn told(&self, run: &str) -> Result<Option<Story>, JournalError> {
        let kept = self.kept(run).join("journal");
        let closed = self.fs.stat(self.base.at(&kept)).is_ok();
        let name = if closed {
            kept
        } else {
            PathBuf::from(journal_name(run))
        };
        journal::tell(self.fs, self.base, &name)
    }

    /// Whether a run has both an open and a closed journal: one of them was brought here from elsewhere or before.
    pub fn is_twice(&self, run: &str) -> bool {
        let there = |rel: &Path| self.fs.stat(self.base.at(rel)).is_ok();
        there(&self.kept(run).join("journal")) && there(Path::new(&journal_name(run)))
    }

    /// Whose it is.
    pub const fn uid(&self) -> u32 {
        self.uid
    }

    /// Makes and opens the place where a run keeps what it takes from the file system of `device`: the vault itself, or
    /// beside the cache, or in it. Never in a folder that holds what was built: that is emptied without a thought.
    ///
    /// # Errors
    /// When none can be made.
    pub fn store(
        &self,
        run: &str,
        ground: &Ground,
        device: u64,
    ) -> Result<(Root, PathBuf), VaultError> {
        let own = self.fs.shown(self.base.at(Path::new(""))).join(KEPT);
        let mut error = None;
        let (path, build) = (&ground.path, ground.build);
        // Nothing of ours is left in a project.
        let cache = !build && !ground.project;
        let beside = path.parent().filter(|_| cache);
        let within = cache.then(|| path.join(BESIDE));
        for (first, place) in [Some(own.clone()), beside.map(|p| p.join(BESIDE)), within]
            .into_iter()
            .flatten()
            .enumerate()
        {
            let found = if first == 0 {
                self.private(&place, run, device)
            } else {
                self.outside(&place, run, device)
            };
            match found {
                Ok(Some(root)) => return Ok((root, place.join(run))),
                Ok(None) => {}
                Err(refused) if first == 0 => return Err(refused.into()),
                Err(refused) => error = Some(refused),
            }
        }
        drop(error);
        // Nothing fits: what is taken is copied to the vault.
        let above = self.fs.make(&own)?;
        self.close_to_others(above)?;
        let root = self.fs.make(&own.join(run))?;
        Ok((root, own.join(run)))
    }

    /// A folder of this user alone on that file system; `None` where it lies on another one, or is not ours alone.
    fn private(&self, place: &Path, run: &str, device: u64) -> Result<Option<Root>, PathError> {
        let nearest = place.ancestors().find_map(|above| self.fs.open(above).ok());
        let Some(nearest) = nearest else {
            return Ok(None);
        };
        if self.fs.stat(nearest.at(Path::new("")))?.dev != device {
            return Ok(None);
        }
        let root = self.fs.make(place)?;
        let stat = self.fs.stat(root.at(Path::new("")))?;
        if stat.uid != self.uid || stat.dev != device {
            return Ok(None);
        }
        self.close_to_others(root)?;
        self.fs.make(&place.join(run)).map(Some)
    }

    /// Takes away from a folder of ours what rights others have.
    fn close_to_others(&self, folder: Root) -> Result<(), PathError> {
        let at = folder.at(Path::new(""));
        if self.fs.stat(at)?.mode & 0o077 == 0 {
            return Ok(());
        }
        let mode = Some(0o700);
        self.fs.set(at, Attributes { mode, mtime: None })
    }

    /// The same in a folder of others: nothing there is followed or changed that we did not make.
    fn outside(&self, place: &Path, run: &str, device: u64) -> Result<Option<Root>, PathError> {
        let Some(above) = place.parent() else {
            return Ok(None);
        };
        let opened = self.fs.open(above)?;
        if self.fs.stat(opened.at(Path::new("")))?.dev != device {
            return Ok(None);
        }
        let Some(root) = own_folder(self.fs, place, self.uid, true)? else {
            return Ok(None);
        };
        if self.fs.stat(root.at(Path::new("")))?.dev != device {
            return Ok(None);
        }
        own_folder(self.fs, &place.join(run), self.uid, true)
    }

    /// Whether this is where a run keeps what it takes from a folder: in the vault, or beside or in that folder.
    pub(super) fn is_store(&self, store: &Path, folder: &Path, run: &str) -> bool {
        let own = self.fs.shown(self.base.at(Path::new(""))).join(KEPT);
        let beside = folder.parent().map(|above| above.join(BESIDE));
        [Some(own), beside, Some(folder.join(BESIDE))]
            .into_iter()
            .flatten()
            .any(|place| place.join(run) == *store)
    }

    /// Closes a run: its journal moves to what it kept.
    ///
    /// # Errors
    /// When the system refuses; the run is then looked at once more by the next one.
    pub fn close(&self, run: &str) -> Result<(), VaultError> {
        let from = journal_name(run);
        let kept = self.kept(run);
        self.fs.make(&self.fs.shown(self.base.at(&kept)))?;
        let from = self.base.at(Path::new(&from));
        let names = (2u32..100).map(|number| format!("journal-{number}"));
        for name in std::iter::once("journal".to_owned()).chain(names) {
            match self.fs.rename(from, self.base.at(&kept.join(name))) {
                // It has one already: this one was brought here, and is kept beside it.
                Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
                other => {
                    other?;
                    break;
                }
            }
        }
        self.fs.sync(self.base.at(&kept))?;
        self.fs.sync(self.base.at(Path::new("")))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake_disk::FakeDisk;

    #[test]
    fn a_new_run_is_later_than_all_that_are_kept() {
        let disk = FakeDisk::new();
        let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
        let run = "01M81G8XS1AAAAAAAAAAAAAAAA";
        assert_eq!(vault.fresh(run).unwrap(), run);
        disk.file(
            "/s/quarantine/01M81G8XSZBBBBBBBBBBBBBBBB/journal",
            b"",
            0o600,
        );
        disk.file("/s/heal-01M81G8XS5CCCCCCCCCCCCCCCC.journal", b"", 0o600);
        let fresh = vault.fresh(run).unwrap();
        assert_eq!(fresh, "01M81G8XT0AAAAAAAAAAAAAAAA");
        assert!(is_run(&fresh));
        let later = "01M81G8XT1AAAAAAAAAAAAAAAA";
        assert_eq!(vault.fresh(later).unwrap(), later);
    }
}
