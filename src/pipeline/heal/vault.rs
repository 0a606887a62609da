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

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::allowed::Allowed;
use super::apply::Grounds;
use super::journal::{self, JournalError, Story};
use super::record::Folder;
use crate::pipeline::ailing::Ground;
use crate::world::write_fs::{Attributes, Lock, Root};
use crate::world::{FileKind, PathError, WriteFs};

/// Name of the folder beside a cache.
pub const BESIDE: &str = ".untaint-quarantine";
const LOCK: &str = "heal.lock";
const KEPT: &str = "quarantine";
/// Stands for a folder that cannot be opened.
const NOWHERE: Root = Root(usize::MAX);

/// Why the vault cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] PathError),
    /// Another one is at work.
    #[error("another heal or restore is at work{}: wait for it, or run again later", holder(.0))]
    Busy(Option<String>),
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
        let base = fs.make(path)?;
        let lock = match fs.lock(base.at(Path::new(LOCK)), wait)? {
            Lock::Held(held) => Some(held),
            Lock::Busy(who) => return Err(VaultError::Busy(who)),
            Lock::Unsupported => None,
        };
        Ok(Self {
            fs,
            base,
            uid,
            _lock: lock,
        })
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

    /// Where the vault keeps a run, below its folder.
    pub fn kept(&self, run: &str) -> PathBuf {
        Path::new(KEPT).join(run)
    }

    /// What the closed journal of a run says.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn story(&self, run: &str) -> Result<Option<Story>, JournalError> {
        let name = self.kept(run).join("journal");
        let story = journal::read(self.fs, self.base, &name)?;
        match story {
            Some(story) if story.id != run => Err(JournalError::Refused {
                name: self.fs.shown(self.base.at(&name)).display().to_string(),
                why: "it tells of another run".to_owned(),
            }),
            // One that was interrupted has its journal elsewhere.
            None => match journal::read(self.fs, self.base, Path::new(&journal_name(run))) {
                Err(JournalError::Io(error)) if error.is_not_found() => Ok(None),
                other => other,
            },
            story => Ok(story),
        }
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
        if stat.mode & 0o077 != 0 {
            let mode = Some(0o700);
            self.fs
                .set(root.at(Path::new("")), Attributes { mode, mtime: None })?;
        }
        self.fs.make(&place.join(run)).map(Some)
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

    /// Opens the folders of a record again; each must be the one that it was.
    ///
    /// # Errors
    /// When one of them is not ours, or is none that may be changed. One that is gone, or another one by now, costs only
    /// what is recorded of it.
    pub fn grounds<'r>(
        &self,
        folders: &[Folder],
        run: &'r str,
        allowed: &Allowed,
    ) -> Result<Grounds<'r>, VaultError>
    where
        'a: 'r,
    {
        let (mut roots, mut lost) = (Vec::new(), BTreeMap::new());
        for (at, folder) in folders.iter().enumerate() {
            let path = folder.path.path();
            let refused = |why: &str| {
                VaultError::Io(PathError {
                    path: path.clone(),
                    source: io::Error::other(why.to_owned()),
                })
            };
            let mut gone = |why: &str| {
                lost.insert(at, format!("{}: {why}", path.display()));
                (NOWHERE, NOWHERE)
            };
            let root = match self.fs.open(&path) {
                Err(error) if error.is_not_found() => {
                    roots.push(gone("the folder is gone"));
                    continue;
                }
                other => other?,
            };
            let stat = self.fs.stat(root.at(Path::new("")))?;
            if stat.dev != folder.dev || stat.inode != folder.inode {
                roots.push(gone("it is another folder than the one that was changed"));
                continue;
            }
            if !allowed.covers(&path) {
                return Err(refused(
                    "its record names this folder, which is no cache of yours and was not named: add --root with it if it is right",
                ));
            }
            if stat.uid != self.uid {
                return Err(refused("it belongs to another user: run as its owner"));
            }
            let store = folder.store.path();
            if !self.is_store(&store, &path, run) {
                return Err(refused(
                    "its record names a quarantine that is none of ours",
                ));
            }
            let outside = store.parent().and_then(Path::file_name) == Some(OsStr::new(BESIDE));
            let kept = match store.parent().filter(|_| outside) {
                None => match self.fs.open(&store) {
                    Err(error) if error.is_not_found() => {
                        roots.push(gone(
                            "what was taken from it is not in the quarantine any more",
                        ));
                        continue;
                    }
                    other => Some(other?),
                },
                Some(above) => match own_folder(self.fs, above, self.uid, false)? {
                    Some(_) => own_folder(self.fs, &store, self.uid, false)?,
                    None => None,
                },
            };
            let Some(kept) = kept else {
                return Err(refused(
                    "what it keeps lies in a folder that is a link, or not yours alone",
                ));
            };
            roots.push((root, kept));
        }
        Ok(Grounds {
            fs: self.fs,
            roots,
            run,
            lost,
        })
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
        let to = kept.join("journal");
        self.fs
            .rename(self.base.at(Path::new(&from)), self.base.at(&to))?;
        self.fs.sync(self.base.at(&kept))?;
        self.fs.sync(self.base.at(Path::new("")))?;
        Ok(())
    }
}
