//! The state port: our own folder, and nothing but it. Names are single components, so no path can leave it.

use super::read_fs::PathError;

/// Our state folder. A missing, full or read-only folder gives errors that the run survives: state is a convenience.
pub trait StateDir: Send + Sync {
    /// Reads a whole file; `None` when it is not there. A link or anything irregular is an error.
    ///
    /// # Errors
    /// When it is there and cannot be read, or is larger than `max` bytes.
    fn read(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>, PathError>;

    /// Replaces a file: written beside it, flushed to disk, renamed over it; mode 0600.
    ///
    /// # Errors
    /// When the folder cannot be written; the old file is then whole.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), PathError>;

    /// Appends to a file in one write; mode 0600. Call it only while holding the writer's [`StateDir::lock`].
    ///
    /// # Errors
    /// When the folder cannot be written.
    fn append(&self, name: &str, bytes: &[u8]) -> Result<(), PathError>;

    /// Takes the one writer's lock without waiting for long (at most a second); `None` when another holds it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    fn lock(&self, name: &str) -> Result<Option<Box<dyn StateLock>>, PathError>;

    /// Moves a file aside under a new name that says why (`claims.unreadable-1`).
    ///
    /// # Errors
    /// When the folder cannot be written.
    fn set_aside(&self, name: &str) -> Result<String, PathError>;

    /// Takes a file away for good; one that is not there is as good as gone. A link or anything irregular is an error.
    ///
    /// # Errors
    /// When the folder cannot be written.
    fn remove(&self, name: &str) -> Result<(), PathError>;

    /// Size of a file in bytes; 0 when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn size(&self, name: &str) -> Result<u64, PathError>;

    /// Names of the files in it, sorted.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn list(&self) -> Result<Vec<String>, PathError>;

    /// Its path, for messages.
    fn path(&self) -> std::path::PathBuf;
}

/// Held while this process is the one writer; released on drop.
pub trait StateLock: Send {}
