//! The writing port: changes below folders that were opened once, by handle, without following a link.
//!
//! Only healing is handed it. What implements it must hold: every path is taken below its root and never through a link;
//! files are made anew and never written into; a rename replaces nothing; what [`NewFile::sync`] and [`WriteFs::sync`]
//! have said is on disk stays there through a power cut.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read_fs::{DirEntry, PathError, ReadFile, Stat};

/// A folder that was opened for changes, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Root(pub usize);

/// A path below an opened folder; an empty one is the folder itself.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The folder.
    pub root: Root,
    /// The path below it: plain components, nothing that walks up.
    pub rel: &'a Path,
}

impl Root {
    /// A path below this folder.
    pub const fn at(self, rel: &Path) -> At<'_> {
        At { root: self, rel }
    }
}

/// A file that is being made or lengthened.
pub trait NewFile: io::Write + Send {
    /// Puts what was written on disk.
    ///
    /// # Errors
    /// When the system could not.
    fn sync(&mut self) -> io::Result<()>;
}

/// What became of the wish for a lock.
pub enum Lock {
    /// Held until this is dropped.
    Held(Box<dyn Send>),
    /// Somebody else holds it, and still did when the time was over; who, where the system tells.
    Busy(Option<String>),
    /// The file system has no locks; tools go without there too.
    Unsupported,
}

/// Attributes to be set; `None` leaves one as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Permission bits (`0o7777`); never set on a link.
    pub mode: Option<u32>,
    /// Modification time in nanoseconds since 1970.
    pub mtime: Option<i128>,
}

/// Changes files.
pub trait WriteFs: Send + Sync {
    /// Opens a folder that is there; the path itself may lead through links.
    ///
    /// # Errors
    /// When it is not there or is no folder.
    fn open(&self, path: &Path) -> Result<Root, PathError>;
    /// Opens a folder of ours, making it and what is missing above it for this user alone (mode 0700).
    ///
    /// # Errors
    /// When it cannot be made or opened.
    fn make(&self, path: &Path) -> Result<Root, PathError>;
    /// A path for messages.
    fn shown(&self, at: At<'_>) -> PathBuf;

    /// Attributes, of a link those of the link itself.
    ///
    /// # Errors
    /// When it is not there or cannot be reached without a link.
    fn stat(&self, at: At<'_>) -> Result<Stat, PathError>;
    /// Entries of a folder, sorted by name bytes.
    ///
    /// # Errors
    /// When it is no folder or cannot be listed.
    fn list(&self, at: At<'_>) -> Result<Vec<DirEntry>, PathError>;
    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// When it is not there, irregular, or may not be read.
    fn read(&self, at: At<'_>) -> Result<Box<dyn ReadFile>, PathError>;
    /// Where a link points.
    ///
    /// # Errors
    /// When it is no link.
    fn read_link(&self, at: At<'_>) -> Result<OsString, PathError>;
    /// Extended attributes of a file or folder, sorted by name.
    ///
    /// # Errors
    /// When it cannot be opened; a file system without them has none.
    fn xattrs(&self, at: At<'_>) -> Result<Vec<(OsString, Vec<u8>)>, PathError>;
    /// Bytes that this user may still write beside a path.
    ///
    /// # Errors
    /// When the system does not tell.
    fn free(&self, root: Root) -> Result<u64, PathError>;

    /// Makes a file; it must not be there. The system's mask for new files is applied to the mode.
    ///
    /// # Errors
    /// When something is there, or it cannot be made.
    fn create(&self, at: At<'_>, mode: u32) -> Result<Box<dyn NewFile>, PathError>;
    /// Opens a file of ours to write at its end, making it if need be (mode 0600).
    ///
    /// # Errors
    /// When it is irregular or cannot be opened.
    fn append(&self, at: At<'_>) -> Result<Box<dyn NewFile>, PathError>;
    /// Makes a folder; it must not be there.
    ///
    /// # Errors
    /// When something is there, or it cannot be made.
    fn make_dir(&self, at: At<'_>, mode: u32) -> Result<(), PathError>;
    /// Makes a symbolic link; nothing must be there.
    ///
    /// # Errors
    /// When something is there, or it cannot be made.
    fn make_link(&self, at: At<'_>, target: &std::ffi::OsStr) -> Result<(), PathError>;
    /// Gives something another name, also below another root; nothing must have that name.
    ///
    /// # Errors
    /// Kind `AlreadyExists` when something has it, `CrossesDevices` when it lies on another file system.
    fn rename(&self, from: At<'_>, to: At<'_>) -> Result<(), PathError>;
    /// Removes a file or link.
    ///
    /// # Errors
    /// When it is not there, is a folder, or may not be removed.
    fn remove(&self, at: At<'_>) -> Result<(), PathError>;
    /// Removes an empty folder.
    ///
    /// # Errors
    /// When it is not there, not empty, or may not be removed.
    fn remove_dir(&self, at: At<'_>) -> Result<(), PathError>;
    /// Sets attributes of a file or folder, of a link its time alone.
    ///
    /// # Errors
    /// When they cannot be set.
    fn set(&self, at: At<'_>, attributes: Attributes) -> Result<(), PathError>;
    /// Gives something an owner and a group, of a link the link itself. Set-id bits of a file may go by it.
    ///
    /// # Errors
    /// Kind `PermissionDenied` when this user must not.
    fn own(&self, at: At<'_>, uid: u32, gid: u32) -> Result<(), PathError>;
    /// Sets an extended attribute.
    ///
    /// # Errors
    /// When it cannot be set.
    fn set_xattr(&self, at: At<'_>, name: &std::ffi::OsStr, value: &[u8]) -> Result<(), PathError>;
    /// Puts a folder's names on disk.
    ///
    /// # Errors
    /// When the system could not.
    fn sync(&self, at: At<'_>) -> Result<(), PathError>;
    /// Takes the one exclusive lock on a file that tools lock, making it if need be, and waits no longer than this.
    ///
    /// # Errors
    /// When the file cannot be made or opened.
    fn lock(&self, at: At<'_>, wait: Duration) -> Result<Lock, PathError>;
}
