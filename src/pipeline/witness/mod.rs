//! Remembers what an audit looked at, and tells afterwards what of it is no more as it was.
//!
//! A [`Witness`] stands between an audit and the file system: whatever is listed, opened or asked for its attributes passes
//! through it, and its identity (device, inode, size, mode, owner, modification and change time) is kept as it was *then*. A
//! file that was changed and put back has another change time, which no unprivileged writer can set. Judges nothing: what a
//! difference means is said in `recheck`.

mod look;
mod sums;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::world::{Dir, DirEntry, PathError, ReadFile, ReadFs, RootDir, Stat};

pub use look::{Change, Difference};
use sums::Sum;

/// Passes everything on to a file system, and remembers it.
pub struct Witness<'a> {
    fs: &'a dyn ReadFs,
    memory: Arc<Mutex<Memory>>,
    by_bytes: fn(&Path) -> bool,
}

/// One thing as it was first seen.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// `None`: nothing was there.
    stat: Option<Stat>,
    /// Whether it was opened or read: what was only asked for its attributes is of less account.
    opened: bool,
    /// Whether it was seen twice, and not the same.
    unsteady: bool,
}

/// A folder as it was first seen.
#[derive(Debug, Default)]
struct Folder {
    /// Its own attributes and the names in it, where it was listed.
    listed: Option<(Stat, Names)>,
    /// By name, sorted.
    marks: Vec<(Box<OsStr>, Mark)>,
}

/// Names in their order, as one text: thousands of folders are remembered.
#[derive(Debug, PartialEq, Eq)]
struct Names(Box<[u8]>);

impl Names {
    fn of(entries: &[DirEntry]) -> Self {
        let mut text = Vec::with_capacity(entries.iter().map(|e| e.name.len() + 1).sum());
        for entry in entries {
            text.extend_from_slice(entry.name.as_bytes());
            // No name holds it.
            text.push(0);
        }
        Self(text.into())
    }
}

impl Folder {
    fn find(&self, name: &OsStr) -> Result<usize, usize> {
        match self.marks.last() {
            // What is listed is asked for in its order.
            Some((last, _)) if **last < *name => Err(self.marks.len()),
            _ => self
                .marks
                .binary_search_by(|(known, _)| (**known).cmp(name)),
        }
    }

    fn put(&mut self, name: Box<OsStr>, mark: Mark) {
        match self.find(&name) {
            Ok(at) => {
                if let Some((_, known)) = self.marks.get_mut(at) {
                    known.merge(mark);
                }
            }
            Err(at) => self.marks.insert(at, (name, mark)),
        }
    }
}

#[derive(Debug, Default)]
struct Memory {
    /// Roots as they were asked for, and where they were.
    roots: BTreeMap<PathBuf, Option<PathBuf>>,
    /// By path, as its bytes: comparing components takes longer than looking at a folder.
    folders: BTreeMap<OsString, Folder>,
    /// Files by name, links followed.
    named: BTreeMap<PathBuf, Mark>,
    /// Sums of what was read of them, and of the files that are remembered by their bytes.
    sums: BTreeMap<PathBuf, Sum>,
    /// Folders of settings in which something was asked for that was not there; `None` where they are none.
    around: BTreeMap<PathBuf, Option<(Stat, Names)>>,
}

impl Mark {
    fn merge(&mut self, other: Self) {
        self.unsteady |= other.unsteady || self.stat != other.stat;
        self.opened |= other.opened;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Witness<'a> {
    /// Over a file system; nothing was seen yet. Files that are read by name are remembered by their bytes too, and others
    /// of which `by_bytes` says so.
    pub fn new(fs: &'a dyn ReadFs, by_bytes: fn(&Path) -> bool) -> Self {
        Self {
            fs,
            memory: Arc::default(),
            by_bytes,
        }
    }

    fn name(&self, path: &Path, stat: Option<Stat>, opened: bool) {
        let mark = Mark {
            stat,
            opened,
            unsteady: false,
        };
        locked(&self.memory)
            .named
            .entry(path.to_owned())
            .and_modify(|known| known.merge(mark))
            .or_insert(mark);
    }

    /// Something was asked for that is not there. Whether it came and went meanwhile, only the folder above it tells, and
    /// only where nothing else comes and goes in the ordinary course: in one that holds settings (`.cargo`, `.config/…`).
    fn lacking(&self, path: &Path) {
        let Some(above) = path.parent().filter(|above| is_of_settings(above)) else {
            return;
        };
        if locked(&self.memory).around.contains_key(above) {
            return;
        }
        let seen = self.fs.open_root(above).ok().and_then(|root| {
            let stat = root.dir.stat().ok()?;
            Some((stat, Names::of(&root.dir.list().ok()?)))
        });
        let mut memory = locked(&self.memory);
        memory.around.entry(above.to_owned()).or_insert(seen);
    }
}

/// By its name, or that of the folder above it.
fn is_of_settings(folder: &Path) -> bool {
    let hidden = |path: &Path| {
        let name = path.file_name().map(OsStrExt::as_bytes);
        name.is_some_and(|name| name.starts_with(b"."))
    };
    hidden(folder) || folder.parent().is_some_and(hidden)
}

impl ReadFs for Witness<'_> {
    fn open_root(&self, path: &Path) -> Result<RootDir, PathError> {
        let opened = self.fs.open_root(path);
        let at = opened.as_ref().ok().map(|root| root.resolved.clone());
        locked(&self.memory)
            .roots
            .entry(path.to_owned())
            .or_insert(at);
        opened.map(|root| RootDir {
            dir: Watched::over(root.dir, &self.memory, self.by_bytes),
            ..root
        })
    }

    fn read_named(&self, path: &Path, max: u64) -> Result<Vec<u8>, PathError> {
        // Asked before it is read: what changes meanwhile is then another one afterwards.
        let stat = self.fs.stat_named(path).ok();
        self.name(path, stat, true);
        if stat.is_none() {
            self.lacking(path);
        }
        let bytes = self.fs.read_named(path, max)?;
        sums::add(&self.memory, path, sums::of(&bytes));
        Ok(bytes)
    }

    fn stat_named(&self, path: &Path) -> Result<Stat, PathError> {
        let stat = self.fs.stat_named(path);
        self.name(path, stat.as_ref().ok().copied(), false);
        if stat.is_err() {
            self.lacking(path);
        }
        stat
    }
}

/// A folder that is watched. What was seen through it is handed in when it is closed.
struct Watched {
    dir: Box<dyn Dir>,
    memory: Arc<Mutex<Memory>>,
    own: Mutex<Folder>,
    by_bytes: fn(&Path) -> bool,
}

impl Watched {
    fn over(
        dir: Box<dyn Dir>,
        memory: &Arc<Mutex<Memory>>,
        by_bytes: fn(&Path) -> bool,
    ) -> Box<dyn Dir> {
        Box::new(Self {
            dir,
            memory: Arc::clone(memory),
            own: Mutex::default(),
            by_bytes,
        })
    }

    /// Remembers a file by its bytes too, if it is one of those.
    fn summed(&self, name: &OsStr, file: Box<dyn ReadFile>) -> Box<dyn ReadFile> {
        if (self.by_bytes)(Path::new(name)) {
            sums::while_read(file, self.dir.path().join(name), &self.memory)
        } else {
            file
        }
    }

    fn mark(&self, name: &OsStr, stat: Result<&Stat, &PathError>, opened: bool) {
        let stat = match stat {
            Ok(stat) => Some(*stat),
            Err(error) if error.is_not_found() => None,
            // What could not be asked is judged by whoever asked.
            Err(_) => return,
        };
        let mark = Mark {
            stat,
            opened,
            unsteady: false,
        };
        locked(&self.own).put(name.into(), mark);
    }
}

impl Dir for Watched {
    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn stat(&self) -> Result<Stat, PathError> {
        self.dir.stat()
    }

    fn list(&self) -> Result<Vec<DirEntry>, PathError> {
        let before = self.dir.stat()?;
        let entries = self.dir.list()?;
        let mut own = locked(&self.own);
        if own.listed.is_none() {
            own.listed = Some((before, Names::of(&entries)));
        }
        Ok(entries)
    }

    fn stat_entry(&self, name: &OsStr) -> Result<Stat, PathError> {
        let stat = self.dir.stat_entry(name);
        self.mark(name, stat.as_ref(), false);
        stat
    }

    fn open_dir(&self, name: &OsStr) -> Result<Box<dyn Dir>, PathError> {
        match self.dir.open_dir(name) {
            Ok(dir) => Ok(Self::over(dir, &self.memory, self.by_bytes)),
            Err(error) => {
                if error.is_not_found() {
                    self.mark(name, Err(&error), false);
                }
                Err(error)
            }
        }
    }

    fn open_below(&self, components: &[&OsStr]) -> Option<Box<dyn Dir>> {
        // The folders on the way are looked at again by whoever walks to what was seen below them.
        let dir = self.dir.open_below(components)?;
        Some(Self::over(dir, &self.memory, self.by_bytes))
    }

    fn open_file(&self, name: &OsStr) -> Result<Box<dyn ReadFile>, PathError> {
        let opened = self.dir.open_file(name);
        match &opened {
            Ok(file) => self.mark(name, file.stat().as_ref(), true),
            Err(error) => self.mark(name, Err(error), true),
        }
        opened.map(|file| self.summed(name, file))
    }

    fn open_listed(&self, name: &OsStr, listed: &Stat) -> Result<Box<dyn ReadFile>, PathError> {
        self.mark(name, Ok(listed), true);
        let file = self.dir.open_listed(name, listed)?;
        Ok(self.summed(name, file))
    }

    fn read_link(&self, name: &OsStr) -> Result<OsString, PathError> {
        self.mark(name, self.dir.stat_entry(name).as_ref(), true);
        self.dir.read_link(name)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let own = std::mem::take(&mut *locked(&self.own));
        if own.listed.is_none() && own.marks.is_empty() {
            return;
        }
        let mut memory = locked(&self.memory);
        let path = self.dir.path().as_os_str();
        let Some(known) = memory.folders.get_mut(path) else {
            memory.folders.insert(path.to_owned(), own);
            return;
        };
        if known.listed.is_none() {
            known.listed = own.listed;
        }
        for (name, mark) in own.marks {
            known.put(name, mark);
        }
    }
}

#[cfg(test)]
mod tests;
