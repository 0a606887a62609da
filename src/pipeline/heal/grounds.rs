//! The folders of a record, opened again: each must be the one that it was.
//!
//! A folder is known by its path, its inode and the place that the run made for what it took from it. Numbers of devices are
//! no identity, since they change when the machine starts anew; a folder that was put in the place of another one is none of
//! the record, and nothing is done in it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::allowed::Allowed;
use super::apply::ApplyError;
use super::journal::Story;
use super::look;
use super::record::{Entry, Folder, Move, Role};
use super::restore::altered;
use super::vault::{Vault, VaultError, own_folder};
use crate::world::write_fs::Root;
use crate::world::{PathError, Stat, WriteFs};

/// Stands for a folder that cannot be opened.
const NOWHERE: Root = Root(usize::MAX);

/// The opened folders of a record: each with the one that keeps what is taken out of it.
pub struct Grounds<'a> {
    /// The writing port.
    pub fs: &'a dyn WriteFs,
    /// Folder and store, by position.
    pub roots: Vec<(Root, Root)>,
    /// The run, for passing names.
    pub run: &'a str,
    /// Folders that cannot be opened any more, and why; their handles open nothing.
    pub lost: BTreeMap<usize, String>,
    /// Numbers of devices as they were written down, and as they are now.
    pub devices: BTreeMap<u64, u64>,
}

/// A folder of a record, opened again.
struct Found {
    root: Root,
    store: Root,
    dev: u64,
    store_dev: u64,
}

/// Whether all that a record does in a folder is to move what was built there: then its seal is enough to go by.
fn is_built(story: &Story, folder: usize) -> bool {
    let mut entries = story.entries.iter().map(|(entry, _)| entry).peekable();
    let derived = |entry: &Entry| {
        let mut moves = entry.moves.iter().filter(|mv| mv.folder == folder);
        moves.all(|mv| mv.role == Role::Derived)
            && entry.puts.iter().all(|put| put.folder != folder)
            && entry.marks.iter().all(|mark| mark.folder != folder)
    };
    story.sealed && entries.peek().is_some() && entries.all(derived)
}

impl Grounds<'_> {
    /// What of a record can be done: all but what was built in folders that are gone by now; and why that is left out.
    ///
    /// # Errors
    /// When a folder is gone of which more is needed.
    pub fn left(&self, entry: &Entry) -> Result<(Entry, Vec<String>), String> {
        let moves = entry.moves.iter();
        let moves = moves.filter(|mv| mv.role != Role::Derived);
        let needed = moves
            .map(|mv| mv.folder)
            .chain(entry.puts.iter().map(|put| put.folder))
            .chain(entry.marks.iter().map(|mark| mark.folder))
            .chain(entry.made.iter().map(|made| made.folder));
        for folder in needed {
            if let Some(why) = self.lost.get(&folder) {
                return Err(why.clone());
            }
        }
        let without: BTreeSet<&String> = entry
            .moves
            .iter()
            .filter_map(|mv| self.lost.get(&mv.folder))
            .collect();
        let mut left = self.today(entry);
        left.moves.retain(|mv| !self.lost.contains_key(&mv.folder));
        left.locks
            .retain(|(folder, _)| !self.lost.contains_key(folder));
        Ok((left, without.into_iter().cloned().collect()))
    }

    /// Whether something that was taken is not what it was any more: somebody changed it in the quarantine.
    pub(super) fn is_altered(&self, entry: &Entry) -> bool {
        let moves = entry.moves.iter().filter(|mv| mv.role != Role::Newer);
        let kept = moves.filter_map(|mv| Some((self.roots.get(mv.folder)?.1, mv)));
        kept.into_iter()
            .any(|(store, mv)| altered(self.fs, store, mv).is_some())
    }

    /// The same record with the numbers that devices have now.
    fn today(&self, entry: &Entry) -> Entry {
        let mut entry = entry.clone();
        let moves = entry.moves.iter_mut();
        let moves = moves.flat_map(|mv| [&mut mv.was, &mut mv.above]);
        let puts = entry.puts.iter_mut().filter_map(|put| put.above.as_mut());
        let marks = entry.marks.iter_mut().map(|mark| &mut mark.above);
        let made = entry.made.iter_mut().map(|made| &mut made.above.was);
        let above = puts.map(|above| &mut above.was).chain(made);
        for was in moves.chain(above).chain(marks) {
            was.dev = self.devices.get(&was.dev).copied().unwrap_or(was.dev);
        }
        entry
    }

    /// Whether this is what was looked at: the same inode on the same device; where the device has another number now, with
    /// the same content.
    pub(super) fn is_it(
        &self,
        at: (Root, &Path),
        mv: &Move,
        found: &Stat,
    ) -> Result<bool, ApplyError> {
        if mv.was.is(found) {
            return Ok(true);
        }
        if mv.was.inode != found.inode || mv.digest.is_none() {
            return Ok(false);
        }
        Ok(look::at(self.fs, at.0, at.1)?.digest == mv.digest)
    }
}

impl<'a> Vault<'a> {
    /// Opens the folders of a record again; each must be the one that it was.
    ///
    /// # Errors
    /// When one of them is not ours, or is none that may be changed. One that is gone, or another one by now, costs only
    /// what is recorded of it.
    pub fn grounds<'r>(
        &self,
        story: &Story,
        run: &'r str,
        allowed: &Allowed,
    ) -> Result<Grounds<'r>, VaultError>
    where
        'a: 'r,
    {
        let mut grounds = Grounds {
            fs: self.fs,
            roots: Vec::new(),
            run,
            lost: BTreeMap::new(),
            devices: BTreeMap::new(),
        };
        for (at, folder) in story.folders.iter().enumerate() {
            let covered = allowed.covers(&folder.path.path()) || is_built(story, at);
            let found = self.ground(folder, run, covered)?;
            grounds.roots.push(match found {
                Ok(found) => {
                    let devices = [(folder.dev, found.dev), (folder.store_dev, found.store_dev)];
                    grounds.devices.extend(devices);
                    (found.root, found.store)
                }
                Err(why) => {
                    let path = folder.path.path();
                    let why = format!("{}: {why}", path.display());
                    grounds.lost.insert(at, why);
                    (NOWHERE, NOWHERE)
                }
            });
        }
        Ok(grounds)
    }

    /// One folder of a record; or why it is not there any more.
    fn ground(
        &self,
        folder: &Folder,
        run: &str,
        covered: bool,
    ) -> Result<Result<Found, &'static str>, VaultError> {
        const OTHER: &str = "it is another folder than the one that was changed";
        let path = folder.path.path();
        let refused = |why: &str| {
            VaultError::Io(PathError {
                path: path.clone(),
                source: io::Error::other(why.to_owned()),
            })
        };
        let root = match self.fs.open(&path) {
            Err(error) if error.is_not_found() => return Ok(Err("the folder is gone")),
            other => other?,
        };
        let stat = self.fs.stat(root.at(Path::new("")))?;
        if stat.inode != folder.inode {
            return Ok(Err(OTHER));
        }
        if !covered {
            return Err(VaultError::Unnamed(path));
        }
        if stat.uid != self.uid() {
            return Err(refused("it belongs to another user: run as its owner"));
        }
        let store = folder.store.path();
        if !self.is_store(&store, &path, run) {
            return Err(refused(
                "its record names a quarantine that is none of ours",
            ));
        }
        let Some(above) = store.parent() else {
            return Ok(Err(OTHER));
        };
        if self
            .fs
            .open(&store)
            .is_err_and(|error| error.is_not_found())
        {
            return Ok(Err(
                "what was taken from it is not in the quarantine any more",
            ));
        }
        let kept = match own_folder(self.fs, above, self.uid(), false)? {
            Some(_) => own_folder(self.fs, &store, self.uid(), false)?,
            None => None,
        };
        let Some(kept) = kept else {
            return Err(refused(
                "what it keeps lies in a folder that is a link, or not yours alone",
            ));
        };
        let marked = self.fs.stat(kept.at(Path::new("")))?;
        // Numbers of devices change when the machine starts anew. The same inode at the same path is then the same folder if
        // the place that the run made is the same one too, and both lie on one device or on two as they did.
        let together = (marked.dev == stat.dev) == (folder.store_dev == folder.dev);
        if stat.dev != folder.dev && !(marked.inode == folder.store_inode && together) {
            return Ok(Err(OTHER));
        }
        Ok(Ok(Found {
            root,
            store: kept,
            dev: stat.dev,
            store_dev: marked.dev,
        }))
    }
}
