//! The environment port: variables, folders, who we are.

use std::ffi::OsString;
use std::path::PathBuf;

/// What the process was given.
pub trait Env: Send + Sync {
    /// An environment variable; `None` when unset. An empty value is `Some`.
    fn var(&self, name: &str) -> Option<OsString>;
    /// Every variable, sorted by name.
    fn vars(&self) -> Vec<(OsString, OsString)>;
    /// The working folder.
    fn current_dir(&self) -> Option<PathBuf>;
    /// The user's home folder.
    fn home(&self) -> Option<PathBuf>;
    /// Where our own program lies.
    fn program(&self) -> Option<PathBuf>;
    /// Effective user id (0 elsewhere than on Unix).
    fn uid(&self) -> u32;
    /// Effective group ids, the primary one first.
    fn gids(&self) -> Vec<u32>;
    /// Whether a group has members other than this user: only then does group-writable count. Unknown counts as yes.
    fn group_has_others(&self, gid: u32) -> bool;
}
