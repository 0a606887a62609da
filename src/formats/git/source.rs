//! What git's readers need from the outside: three small reading traits, and the fault they answer with.
//!
//! The implementor opens everything relative to one root, follows no link and opens no FIFO, socket or device. Paths use
//! `/`, never begin with one and never hold `.` or `..`.

/// Why a source could not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The thing is there and cannot be read (permission, I/O error, a link, a device).
    Unreadable,
    /// The thing is larger than the limit given.
    Limit,
    /// The thing changed while it was read.
    Changed,
}

/// A source's failure, already in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What went wrong, for a program.
    pub kind: FaultKind,
    /// What went wrong, for a reader: a lower-case fragment that does not repeat the path.
    pub message: String,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// What one directory entry is, by its own type (links are not followed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Its length in bytes.
        size: u64,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device.
    Other,
}

/// One directory entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The name as the file system has it, without `/`.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: ItemKind,
}

/// Reads files of one repository folder (`.git` or a bare database). Names read here are git's own, hence text.
pub trait Files {
    /// Length of a regular file in bytes; `None` where there is nothing.
    fn size(&self, rel: &str) -> Result<Option<u64>, Fault>;

    /// At most `len` bytes from `offset`; fewer only at the end of the file. `None` where there is nothing.
    fn read_at(&self, rel: &str, offset: u64, len: usize) -> Result<Option<Vec<u8>>, Fault>;

    /// The entries of a directory in any order; empty where there is nothing.
    fn list(&self, rel: &str) -> Result<Vec<Item>, Fault>;

    /// A whole file of at most `max` bytes; `None` where there is nothing.
    fn read(&self, rel: &str, max: usize) -> Result<Option<Vec<u8>>, Fault> {
        let Some(bytes) = self.read_at(rel, 0, max.saturating_add(1))? else {
            return Ok(None);
        };
        if bytes.len() > max {
            return Err(Fault::new(
                FaultKind::Limit,
                format!("is larger than {max} bytes"),
            ));
        }
        Ok(Some(bytes))
    }
}

impl<T: Files + ?Sized> Files for &T {
    fn size(&self, rel: &str) -> Result<Option<u64>, Fault> {
        (**self).size(rel)
    }

    fn read_at(&self, rel: &str, offset: u64, len: usize) -> Result<Option<Vec<u8>>, Fault> {
        (**self).read_at(rel, offset, len)
    }

    fn list(&self, rel: &str) -> Result<Vec<Item>, Fault> {
        (**self).list(rel)
    }
}

/// Reads one worktree. Names are bytes; the root is the empty path.
pub trait Worktree {
    /// The entries of a directory in any order.
    fn list(&self, rel: &[u8]) -> Result<Vec<Item>, Fault>;

    /// Hands a regular file's bytes to `sink`, in order and in pieces of any size.
    fn read(&self, rel: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), Fault>;

    /// Where a symbolic link points, byte for byte.
    fn link(&self, rel: &[u8]) -> Result<Vec<u8>, Fault>;
}

/// Where the objects of one worktree may be.
#[derive(Default)]
pub struct Sources<'a> {
    /// Its own `.git` folder, if it is a folder.
    pub own: Option<Box<dyn Files + 'a>>,
    /// Others, such as the database that it was cloned from.
    pub others: Vec<Box<dyn Files + 'a>>,
    /// Why its own `.git` could not be opened, if it is there and is no file.
    pub fault: Option<Fault>,
}

/// Finds where the objects of a checkout and of its submodules are kept.
pub trait Repositories {
    /// The object sources for the worktree folder `rel` (empty: the checkout itself).
    fn open(&self, rel: &[u8]) -> Sources<'_>;
}
