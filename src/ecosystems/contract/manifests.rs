//! How a tool's manifests and lockfiles belong together: which lockfile a build in a folder uses, and whether that lockfile
//! says all that the manifests need. A lockfile that does not is made anew by its tool, from whatever lies in the cache.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::world::{Env, ReadFs};

/// What the reading of manifests may use.
pub struct ManifestContext<'a> {
    /// The environment.
    pub env: &'a dyn Env,
    /// Files by name.
    pub fs: &'a dyn ReadFs,
    /// Folders of scanned projects, absolute, links resolved.
    pub projects: &'a [PathBuf],
    /// Cache roots, and places outside of every project, absolute, links resolved: what lies in them is never first-party.
    pub audited: &'a [PathBuf],
    /// Whether the user leaves a folder out (absolute).
    pub excluded: &'a dyn Fn(&Path) -> bool,
}

/// A folder of a cache that a manifest names by its path: its tree is a subject of that cache.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditedPath {
    /// Name of the package in it, as its manifest says.
    pub name: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
    /// The folder, absolute, links resolved.
    pub folder: PathBuf,
}

/// A lockfile held against the manifests that it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The folder whose lockfile its tool uses instead of this one.
    pub instead: Option<PathBuf>,
    /// What manifests need and the lockfile does not have: the first, in order.
    pub gaps: Vec<String>,
    /// How many gaps there are.
    pub gaps_total: usize,
    /// Manifests that could not be understood: absolute path and why.
    pub unread: Vec<(PathBuf, String)>,
    /// Names of the packages that paths of the manifests lead to.
    pub first_party: BTreeSet<Arc<str>>,
    /// Folders of first-party packages, absolute, links resolved.
    pub folders: BTreeSet<PathBuf>,
    /// Folders among them outside of every scanned project: absolute path of the manifest that names it, and the folder.
    pub outside: BTreeSet<(PathBuf, PathBuf)>,
    /// Paths that lead into a cache.
    pub audited: BTreeSet<AuditedPath>,
}

/// What a tool's manifests say of its lockfiles. Everything they say is the scanned tree's word.
pub trait Manifests: Send + Sync {
    /// Name of the lockfile (`Cargo.lock`).
    fn lockfile(&self) -> &'static str;
    /// What makes such a lockfile fit its manifests again.
    fn remedy(&self) -> &'static str;
    /// For each folder that holds a manifest, the folder whose lockfile a build in it uses; `None` where its tool refuses to
    /// build.
    fn homes(&self, folders: &[&Path], context: &ManifestContext<'_>) -> Vec<Option<PathBuf>>;
    /// Holds a lockfile against the manifests that it is for; `None` if no manifest lies beside it.
    fn hold(&self, folder: &Path, lock: &[u8], context: &ManifestContext<'_>) -> Option<Held>;
}
