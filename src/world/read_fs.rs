//! The reading port: folders and files opened relative to handles, without following links below a root (DESIGN section 6).
//!
//! What implements it must hold: names come from the directory listing byte for byte; [`Dir::open_dir`] and
//! [`Dir::open_file`] take one path component and never follow a link; a FIFO, socket or device is never opened;
//! owner, mode and link count come from the opened handle.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

/// What a directory entry is, not following links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link.
    Link,
    /// A FIFO, socket, device, or anything else: never opened.
    Other,
}

/// A directory entry: its name, byte for byte, and its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// One path component.
    pub name: OsString,
    /// What it is, not following links.
    pub kind: FileKind,
}

/// Identity and attributes of a file, from an opened handle or without following links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Size in bytes.
    pub size: u64,
    /// Permission bits with set-id and sticky (`0o7777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of hard links.
    pub links: u64,
    /// File-system id.
    pub dev: u64,
    /// Inode.
    pub inode: u64,
    /// Modification time in nanoseconds since 1970.
    pub mtime: i128,
    /// Change time in nanoseconds since 1970: what an unprivileged writer cannot set back.
    pub ctime: i128,
}

/// An I/O error and the path it is about.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct PathError {
    /// The path, for messages.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl PathError {
    /// Whether the thing is simply not there.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether it cannot be reached: a link, or something else that is no folder, stands above it.
    pub fn is_unreachable(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotADirectory
            || self.source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
    }
}

/// An opened regular file. Reading is sequential; [`ReadFile::stat`] may be asked before and after.
pub trait ReadFile: io::Read + Send {
    /// Identity and attributes, from the handle.
    fn stat(&self) -> Result<Stat, PathError>;
    /// Reads at an offset without moving the sequential position.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// An opened folder.
pub trait Dir: Send + Sync {
    /// Its path, for messages only.
    fn path(&self) -> &Path;
    /// Identity and attributes, from the handle.
    fn stat(&self) -> Result<Stat, PathError>;
    /// Its entries, sorted by name bytes.
    fn list(&self) -> Result<Vec<DirEntry>, PathError>;
    /// Attributes of an entry, not following links.
    fn stat_entry(&self, name: &OsStr) -> Result<Stat, PathError>;
    /// Opens a folder in it; a link is an error.
    fn open_dir(&self, name: &OsStr) -> Result<Box<dyn Dir>, PathError>;
    /// Opens a regular file in it; a link or anything irregular is an error, and nothing is ever waited for.
    fn open_file(&self, name: &OsStr) -> Result<Box<dyn ReadFile>, PathError>;
    /// Opens a file that [`Dir::stat_entry`] has just called regular, without asking again. Whoever reads it must compare
    /// [`ReadFile::stat`] with `listed` afterwards: only that says that this was the file.
    fn open_listed(&self, name: &OsStr, listed: &Stat) -> Result<Box<dyn ReadFile>, PathError> {
        let _ = listed;
        self.open_file(name)
    }
    /// Opens a folder several components below in one step without following links, where the system can do that; `None`
    /// if it cannot or will not, so that only walking tells what is there.
    fn open_below(&self, components: &[&OsStr]) -> Option<Box<dyn Dir>> {
        let _ = components;
        None
    }
    /// Where a link in it points, verbatim.
    fn read_link(&self, name: &OsStr) -> Result<OsString, PathError>;
}

/// A root: opened through links once, then never again.
pub struct RootDir {
    /// The folder.
    pub dir: Box<dyn Dir>,
    /// Its path with all links resolved.
    pub resolved: PathBuf,
    /// Whether the path as given was a link.
    pub was_link: bool,
    /// Folders above it, nearest first, with their attributes.
    pub ancestors: Vec<(PathBuf, Stat)>,
}

/// Opens roots, and files that the user named.
pub trait ReadFs: Send + Sync {
    /// Opens a folder; the path itself may be a link.
    ///
    /// # Errors
    /// When it is not there, is no folder, or may not be read.
    fn open_root(&self, path: &Path) -> Result<RootDir, PathError>;

    /// Reads a file that the user named, following links; a FIFO, device or socket is an error. At most `max` bytes.
    ///
    /// # Errors
    /// When it is not there, is irregular or too large, or may not be read.
    fn read_named(&self, path: &Path, max: u64) -> Result<Vec<u8>, PathError>;

    /// Attributes of a path, following links.
    ///
    /// # Errors
    /// When it is not there or its folder may not be read.
    fn stat_named(&self, path: &Path) -> Result<Stat, PathError>;
}

impl dyn Dir + '_ {
    /// Reads a whole regular file of at most `max` bytes.
    ///
    /// # Errors
    /// When it cannot be opened or read, or is larger than `max` (kind `FileTooLarge`).
    pub fn read(&self, name: &OsStr, max: u64) -> Result<(Vec<u8>, Stat), PathError> {
        use io::Read as _;
        let mut file = self.open_file(name)?;
        let stat = file.stat()?;
        let path_error = |source| PathError {
            path: self.path().join(name),
            source,
        };
        if stat.size > max {
            return Err(path_error(io::ErrorKind::FileTooLarge.into()));
        }
        let capacity = usize::try_from(stat.size).unwrap_or(0).saturating_add(1);
        let mut bytes = Vec::with_capacity(capacity);
        file.by_ref()
            .take(max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(path_error)?;
        if bytes.len() as u64 > max {
            return Err(path_error(io::ErrorKind::FileTooLarge.into()));
        }
        Ok((bytes, stat))
    }

    /// Walks down several components without following links.
    ///
    /// # Errors
    /// When one of them is not there or is no folder.
    pub fn descend(&self, components: &[&OsStr]) -> Result<Box<dyn Dir>, PathError> {
        if components.len() > 1
            && let Some(dir) = self.open_below(components)
        {
            return Ok(dir);
        }
        let mut current: Option<Box<dyn Dir>> = None;
        for name in components {
            let next = match &current {
                Some(dir) => dir.open_dir(name)?,
                None => self.open_dir(name)?,
            };
            current = Some(next);
        }
        current.ok_or_else(|| PathError {
            path: self.path().to_owned(),
            source: io::ErrorKind::InvalidInput.into(),
        })
    }
}
