//! The file system by handles: `openat` with `O_NOFOLLOW`, directory listings by `getdents`.
//!
//! Must never follow a link below a root, wait for anything, or open what is not a regular file or a folder. A file costs
//! `fstatat`, `openat`, `fstat`, its reads and `close` (a listed one no further `fstatat`); paths are put together for error messages only.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(target_os = "linux")]
use rustix::fs::ResolveFlags;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, SeekFrom};

use crate::world::{Dir, DirEntry, FileKind, PathError, ReadFile, ReadFs, RootDir, Stat};

const DIR_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const FILE_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Reads the machine's files.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemFs;

impl ReadFs for SystemFs {
    fn open_root(&self, path: &Path) -> Result<RootDir, PathError> {
        let given = |source| PathError {
            path: path.to_owned(),
            source,
        };
        // A trailing slash would look behind the link.
        let plain: PathBuf = path.components().collect();
        let was_link = std::fs::symlink_metadata(&plain)
            .map_err(given)?
            .is_symlink();
        let resolved = std::fs::canonicalize(path).map_err(given)?;
        let handle = rustix::fs::openat(CWD, &resolved, DIR_FLAGS, Mode::empty())
            .map_err(|e| given(e.into()))?;
        let mut ancestors = Vec::new();
        for above in resolved.ancestors().skip(1) {
            let stat = rustix::fs::statat(CWD, above, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|e| path_error(above.to_owned(), e))?;
            ancestors.push((above.to_owned(), stat_of(&stat)));
        }
        Ok(RootDir {
            dir: Box::new(HandleDir::new(handle, Arc::from(resolved.as_path()))),
            resolved,
            was_link,
            ancestors,
        })
    }

    fn read_named(&self, path: &Path, max: u64) -> Result<Vec<u8>, PathError> {
        let given = |source: io::Error| PathError {
            path: path.to_owned(),
            source,
        };
        require_file(self.stat_named(path)?.kind).map_err(given)?;
        let handle = rustix::fs::openat(CWD, path, FILE_FLAGS, Mode::empty())
            .map_err(|e| given(e.into()))?;
        let stat = stat_of(&rustix::fs::fstat(&handle).map_err(|e| given(e.into()))?);
        require_file(stat.kind).map_err(given)?;
        if stat.size > max {
            return Err(given(io::ErrorKind::FileTooLarge.into()));
        }
        let mut bytes =
            Vec::with_capacity(usize::try_from(stat.size).unwrap_or(0).saturating_add(1));
        File::from(handle)
            .take(max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(given)?;
        if bytes.len() as u64 > max {
            return Err(given(io::ErrorKind::FileTooLarge.into()));
        }
        Ok(bytes)
    }

    fn stat_named(&self, path: &Path) -> Result<Stat, PathError> {
        rustix::fs::statat(CWD, path, AtFlags::empty())
            .map(|s| stat_of(&s))
            .map_err(|e| path_error(path.to_owned(), e))
    }
}

/// A folder by its handle.
pub(super) struct HandleDir {
    handle: OwnedFd,
    path: Arc<Path>,
    /// Whether the handle's listing position has moved; held while listing, since the position is shared.
    listed: Mutex<bool>,
}

impl HandleDir {
    pub(super) fn new(handle: OwnedFd, path: Arc<Path>) -> Self {
        Self {
            handle,
            path,
            listed: Mutex::new(false),
        }
    }

    fn error_at(&self, name: &OsStr, source: impl Into<io::Error>) -> PathError {
        path_error(self.path.join(name), source)
    }

    /// One component, nothing that walks.
    fn component<'a>(&self, name: &'a OsStr) -> Result<&'a OsStr, PathError> {
        let bytes = name.as_bytes();
        if bytes.is_empty()
            || bytes == b"."
            || bytes == b".."
            || bytes.contains(&b'/')
            || bytes.contains(&0)
        {
            return Err(self.error_at(name, io::ErrorKind::InvalidInput));
        }
        Ok(name)
    }

    fn stat_at(&self, name: &OsStr) -> Result<Stat, PathError> {
        rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)
            .map(|s| stat_of(&s))
            .map_err(|e| self.error_at(name, e))
    }

    fn open_at(&self, name: &OsStr) -> Result<OwnedFd, PathError> {
        let flags = FILE_FLAGS | OFlags::NOFOLLOW;
        rustix::fs::openat(&self.handle, name, flags, Mode::empty())
            .map_err(|e| self.error_at(name, e))
    }

    fn opened(&self, handle: OwnedFd, name: &OsStr, first: Option<Stat>) -> HandleFile {
        HandleFile {
            file: File::from(handle),
            dir: Arc::clone(&self.path),
            name: name.to_owned(),
            first: Cell::new(first),
        }
    }

    /// The kind of an entry whose listing did not say; `None` when it is gone by now.
    fn unlisted_kind(&self, name: &OsStr) -> Result<Option<FileKind>, PathError> {
        match self.stat_at(name) {
            Ok(stat) => Ok(Some(stat.kind)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[cfg(target_os = "linux")]
    fn listing(&self) -> Result<Vec<DirEntry>, PathError> {
        let own = |source: rustix::io::Errno| path_error(self.path.to_path_buf(), source);
        let mut moved = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if *moved {
            rustix::fs::seek(&self.handle, SeekFrom::Start(0)).map_err(own)?;
        }
        *moved = true;
        let mut buffer = Vec::with_capacity(32 * 1024);
        let mut raw = rustix::fs::RawDir::new(&self.handle, buffer.spare_capacity_mut());
        let mut entries = Vec::new();
        while let Some(entry) = raw.next() {
            let entry = entry.map_err(own)?;
            self.take_entry(
                entry.file_name().to_bytes(),
                entry.file_type(),
                &mut entries,
            )?;
        }
        Ok(entries)
    }

    #[cfg(not(target_os = "linux"))]
    fn listing(&self) -> Result<Vec<DirEntry>, PathError> {
        let own = |source: rustix::io::Errno| path_error(self.path.to_path_buf(), source);
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.handle).map_err(own)? {
            let entry = entry.map_err(own)?;
            self.take_entry(
                entry.file_name().to_bytes(),
                entry.file_type(),
                &mut entries,
            )?;
        }
        Ok(entries)
    }

    fn take_entry(
        &self,
        name: &[u8],
        kind: FileType,
        entries: &mut Vec<DirEntry>,
    ) -> Result<(), PathError> {
        if name == b"." || name == b".." {
            return Ok(());
        }
        let name = OsStr::from_bytes(name).to_owned();
        let kind = match kind {
            FileType::Unknown => self.unlisted_kind(&name)?,
            known => Some(kind_of(known)),
        };
        if let Some(kind) = kind {
            entries.push(DirEntry { name, kind });
        }
        Ok(())
    }
}

impl Dir for HandleDir {
    fn path(&self) -> &Path {
        &self.path
    }

    fn stat(&self) -> Result<Stat, PathError> {
        rustix::fs::fstat(&self.handle)
            .map(|s| stat_of(&s))
            .map_err(|e| path_error(self.path.to_path_buf(), e))
    }

    fn list(&self) -> Result<Vec<DirEntry>, PathError> {
        let mut entries = self.listing()?;
        entries.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        Ok(entries)
    }

    fn stat_entry(&self, name: &OsStr) -> Result<Stat, PathError> {
        self.stat_at(self.component(name)?)
    }

    fn open_dir(&self, name: &OsStr) -> Result<Box<dyn Dir>, PathError> {
        let name = self.component(name)?;
        let handle = rustix::fs::openat(&self.handle, name, DIR_FLAGS, Mode::empty())
            .map_err(|e| self.error_at(name, e))?;
        Ok(Box::new(Self::new(handle, Arc::from(self.path.join(name)))))
    }

    #[cfg(target_os = "linux")]
    fn open_below(&self, components: &[&OsStr]) -> Option<Box<dyn Dir>> {
        let mut rel = PathBuf::new();
        for name in components {
            rel.push(self.component(name).ok()?);
        }
        // Linux 5.6 and later, unless a sandbox forbids it. Any refusal is left to walking, which says what stands there.
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let handle =
            rustix::fs::openat2(&self.handle, &rel, DIR_FLAGS, Mode::empty(), resolve).ok()?;
        Some(Box::new(Self::new(handle, Arc::from(self.path.join(rel)))))
    }

    fn open_file(&self, name: &OsStr) -> Result<Box<dyn ReadFile>, PathError> {
        let name = self.component(name)?;
        // Asked before opening: to open a FIFO or a device is to be noticed by whoever waits at its other end.
        require_file(self.stat_at(name)?.kind).map_err(|e| self.error_at(name, e))?;
        let handle = self.open_at(name)?;
        let stat = stat_of(&rustix::fs::fstat(&handle).map_err(|e| self.error_at(name, e))?);
        require_file(stat.kind).map_err(|e| self.error_at(name, e))?;
        Ok(Box::new(self.opened(handle, name, Some(stat))))
    }

    fn open_listed(&self, name: &OsStr, listed: &Stat) -> Result<Box<dyn ReadFile>, PathError> {
        let name = self.component(name)?;
        require_file(listed.kind).map_err(|e| self.error_at(name, e))?;
        // What takes its place meanwhile is opened without waiting, and found out when the reader compares.
        Ok(Box::new(self.opened(self.open_at(name)?, name, None)))
    }

    fn read_link(&self, name: &OsStr) -> Result<OsString, PathError> {
        let name = self.component(name)?;
        rustix::fs::readlinkat(&self.handle, name, Vec::new())
            .map(|target| OsString::from_vec(target.into_bytes()))
            .map_err(|e| self.error_at(name, e))
    }
}

/// A regular file by its handle.
struct HandleFile {
    file: File,
    dir: Arc<Path>,
    name: OsString,
    /// What opening learnt, for the first question before anything is read.
    first: Cell<Option<Stat>>,
}

impl Read for HandleFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.first.set(None);
        self.file.read(buffer)
    }
}

impl ReadFile for HandleFile {
    fn stat(&self) -> Result<Stat, PathError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        rustix::fs::fstat(self.file.as_fd())
            .map(|s| stat_of(&s))
            .map_err(|e| path_error(self.dir.join(&self.name), e))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.first.set(None);
        self.file.read_at(buffer, offset)
    }
}

fn path_error(path: PathBuf, source: impl Into<io::Error>) -> PathError {
    PathError {
        path,
        source: source.into(),
    }
}

fn require_file(kind: FileKind) -> io::Result<()> {
    let what = match kind {
        FileKind::File => return Ok(()),
        FileKind::Dir => return Err(io::ErrorKind::IsADirectory.into()),
        FileKind::Link => "a symbolic link where a regular file should be",
        FileKind::Other => "neither a regular file nor a folder: not opened",
    };
    Err(io::Error::other(what))
}

fn kind_of(kind: FileType) -> FileKind {
    match kind {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Dir,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    }
}

pub(super) fn stat_of(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        links: stat.st_nlink,
        dev: stat.st_dev,
        inode: stat.st_ino,
        mtime: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        ctime: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
    }
}

fn nanoseconds(seconds: impl Into<i128>, rest: impl Into<i128>) -> i128 {
    seconds.into() * 1_000_000_000 + rest.into()
}

#[cfg(test)]
mod tests;
