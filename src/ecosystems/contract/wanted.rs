//! What the lockfiles of a run name: caches are narrowed to it, and folders are judged as what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::Registry;

/// Address, commit, name and version of a git package.
pub type GitPackage = (Arc<str>, Arc<str>, Arc<str>, Arc<str>);

/// Name and version of a package.
pub type NameVersion = (Arc<str>, Arc<str>);

/// What the lockfiles of a run name.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// (name, version) of registry packages.
    pub packages: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Names of registry packages.
    pub names: BTreeSet<Arc<str>>,
    /// (address, commit) of git packages.
    pub git: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Git packages.
    pub git_packages: BTreeSet<GitPackage>,
    /// Folders of first-party packages, absolute, links resolved.
    pub first_party: BTreeSet<PathBuf>,
    /// Registries of registry packages, by name and version; of several, the first that was met.
    pub registries: BTreeMap<(Arc<str>, Arc<str>), Arc<Registry>>,
    /// Every registry of packages that lockfiles name from several, by name and version.
    pub rivals: BTreeMap<NameVersion, Vec<Arc<Registry>>>,
    /// Whether a tool may take any package that a cache holds, named or not: then nothing in it is unwanted.
    pub any: bool,
}
