//! The sink port: where reports go that the user asked for.

use std::io;
use std::path::Path;

use super::read_fs::PathError;

/// Writes finished reports. Only the command line is handed it.
pub trait Sinks: Send + Sync {
    /// Writes to standard output. A reader that went away is success: it has what it wanted.
    ///
    /// # Errors
    /// When standard output cannot be written for another reason.
    fn stdout(&self, bytes: &[u8]) -> io::Result<()>;

    /// Writes to standard error; what cannot be said there is lost.
    fn stderr(&self, bytes: &[u8]);

    /// Replaces a file that the user named: written beside it, renamed over it. The last component is never followed.
    ///
    /// # Errors
    /// When the file is a link or irregular, or its folder cannot be written; an old file is then whole.
    fn file(&self, path: &Path, bytes: &[u8]) -> Result<(), PathError>;

    /// Whether standard output is a terminal.
    fn stdout_is_terminal(&self) -> bool;

    /// Whether standard error is a terminal.
    fn stderr_is_terminal(&self) -> bool;
}
