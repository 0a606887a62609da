//! The port to the user's own timers: only `untaint schedule` is handed it.
//!
//! What implements it must hold: programs are started without a shell unless the caller names one, get their text on
//! standard input, and end within a time; files are written whole beside their name and renamed, readable by this user
//! alone, and no link at the last component is followed.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::PathError;

/// A program of the system, or of the user's, that is told something.
#[derive(Debug, Clone)]
pub struct Errand {
    /// Name or path, looked up as a shell would.
    pub program: OsString,
    /// Arguments, verbatim.
    pub args: Vec<OsString>,
    /// What it reads on standard input.
    pub input: Vec<u8>,
    /// Longest time; then it is killed.
    pub within: Duration,
}

/// What came of an errand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Whether it ended with 0.
    pub well: bool,
    /// Standard output, the first mebibyte.
    pub output: Vec<u8>,
    /// Whether there was more of it.
    pub cut: bool,
    /// Standard error, the first mebibyte.
    pub words: Vec<u8>,
}

/// Programs and files of the user's timers.
pub trait Services: Send + Sync {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// When it cannot be started, or did not end in time.
    fn run(&self, errand: &Errand) -> io::Result<Told>;

    /// Writes a file and the folders above it.
    ///
    /// # Errors
    /// When something irregular has the name, or the folder cannot be written; an old file is then whole.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PathError>;

    /// Takes a regular file away; one that is not there is as good as gone.
    ///
    /// # Errors
    /// When something irregular has the name, or the folder cannot be written.
    fn remove(&self, path: &Path) -> Result<(), PathError>;
}
