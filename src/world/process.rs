//! The port that starts a program: only `untaint guard` is handed it, and it starts only what the user typed behind `--`.
//!
//! What implements it must hold: no shell; the program inherits standard streams, folder and environment but for the
//! changes that are named; the wait ends when the program has ended, and signals that this process alone was sent
//! meanwhile are passed on; nothing is written but lock files of tools, and folders of its own.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read_fs::PathError;

/// A program to run.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Name or path, looked up as a shell would.
    pub program: OsString,
    /// Arguments, verbatim.
    pub args: Vec<OsString>,
    /// Environment variables to set, or to take away.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// Where it may write; `None` for wherever its user may.
    pub cage: Option<Cage>,
}

/// What a caged program may change: what lies below some folders, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cage {
    /// Folders and files that it may change; what is not there is passed over.
    pub writable: Vec<PathBuf>,
    /// Folders of which it is made sure that it may not.
    pub sealed: Vec<PathBuf>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

impl Ended {
    /// What a shell would end with: the code, or 128 and the signal's number.
    pub const fn shell_code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(number) => number.saturating_add(128),
        }
    }
}

/// Why a program was not started.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// There is none of that name.
    #[error("not found")]
    Missing,
    /// The system does not start it.
    #[error("{0}")]
    Refused(io::Error),
    /// The cage could not be put up; a program is never started without the one that was asked for.
    #[error("{0}")]
    Cage(String),
}

/// What became of the wish to share a lock.
pub enum Shared {
    /// Held until this is dropped.
    Held(Box<dyn Send>),
    /// Somebody else holds it alone, and still did when the time was over; who, where the system tells.
    Busy(Option<String>),
    /// It cannot be had (a folder that this user cannot write, a file system without locks): its tool goes without too.
    Without,
}

/// A folder of our own for one run.
pub trait Scratch: Send {
    /// Where it is, absolute.
    fn path(&self) -> &Path;
    /// Removes it with all that it holds.
    ///
    /// # Errors
    /// When something of it could not be removed.
    fn remove(self: Box<Self>) -> io::Result<()>;
}

/// Starts programs.
pub trait Processes: Send + Sync {
    /// Runs one to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    fn run(&self, launch: &Launch) -> Result<Ended, NotStarted>;
    /// Whether a cage can be put up on this machine.
    ///
    /// # Errors
    /// A line that says why not.
    fn can_cage(&self) -> Result<(), String>;
    /// Shares a lock on a file below a folder that is there, making the file if need be, and waits no longer than this.
    ///
    /// # Errors
    /// When something else than a file has that name.
    fn share(&self, folder: &Path, file: &Path, wait: Duration) -> Result<Shared, PathError>;
    /// Makes a new folder for this user alone where temporary files go. Dropped, it is removed as far as that works.
    ///
    /// # Errors
    /// When it cannot be made.
    fn scratch(&self) -> io::Result<Box<dyn Scratch>>;
    /// Makes a folder that is to stay; one that is there must be empty. Gives its absolute path.
    ///
    /// # Errors
    /// When it cannot be made, or holds something.
    fn fresh(&self, path: &Path) -> Result<PathBuf, PathError>;
}
