//! What a command needs so that it uses what was audited: variables, shared locks, empty build caches.
//!
//! Answers only; nothing in here writes or starts anything. The one place per ecosystem that says which variables its tools
//! go by.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::RelPath;
use crate::world::{Env, ReadFs};

/// A variable to set; without a value, to take away.
pub type Export = (&'static str, Option<OsString>);

/// What the variables are made from.
pub struct GuardContext<'a> {
    /// The environment.
    pub env: &'a dyn Env,
    /// Files by name.
    pub fs: &'a dyn ReadFs,
    /// Cache roots, by the name of [`super::RootCandidate`]: where they lie, links resolved, or will lie once the tool makes them.
    pub caches: &'a [(&'static str, PathBuf)],
    /// Addresses of pinned roots that hand out archives.
    pub proxies: &'a [String],
    /// Pinned transparency logs: name, verifier key, address.
    pub logs: &'a [(String, String, Option<String>)],
}

impl GuardContext<'_> {
    /// Where a cache lies.
    pub fn cache(&self, name: &str) -> Option<&Path> {
        let found = self.caches.iter().find(|(known, _)| *known == name);
        found.map(|(_, path)| path.as_path())
    }
}

/// What a command line says of what it builds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// Projects that it names, as they are written: folders or manifests.
    pub projects: Vec<PathBuf>,
    /// Whether nothing in the folder that it is started in counts, not even settings: it goes elsewhere first.
    pub leaves: bool,
    /// Words by which it takes settings or code that no audit of a project sees.
    pub unseen: Vec<String>,
    /// Words by which it uses a build folder of its own.
    pub build_folders: Vec<String>,
    /// Words by which it takes packages from the caches that no lockfile of the project names.
    pub unlocked: Vec<String>,
}

/// How a command is made to use what was audited.
pub trait Guarded: Send + Sync {
    /// Variables with which its tools use the audited caches, and the sources that were judged.
    fn exports(&self, context: &GuardContext<'_>) -> Vec<Export>;

    /// Variables for build caches that are empty, below a fresh folder.
    fn fresh(&self, folder: &Path) -> Vec<Export>;

    /// What a command line says; `None` if the program is none of this ecosystem's. `words` come after the program.
    fn reads(&self, _program: &str, _words: &[OsString]) -> Option<CommandLine> {
        None
    }

    /// Files below a cache root that its tool locks shared while it builds, and alone to change what lies there.
    fn shared_locks(&self, _cache: &str) -> Vec<RelPath> {
        Vec::new()
    }

    /// Whether its tool writes into a cache root whenever it builds: a sandbox leaves that one open.
    fn is_written_by_builds(&self, _cache: &str) -> bool {
        false
    }

    /// Whether its tool replaces subjects of a kind by newer ones in the ordinary course.
    fn is_renewed(&self, _kind: &str) -> bool {
        false
    }
}
