//! What an ecosystem reads of its tools' settings, and the places that those name.

use std::sync::Arc;

use crate::model::{Finding, Notice, Problem, RootId};
use crate::world::{Dir, Env, ReadFs};

use super::{OpenContext, Session};

/// What posture reads: settings along the tool's own search path.
pub struct PostureContext<'a> {
    /// The environment.
    pub env: &'a dyn Env,
    /// Files by name.
    pub fs: &'a dyn ReadFs,
    /// Folders of scanned projects, absolute, with the name of their root.
    pub projects: &'a [(std::path::PathBuf, RootId)],
    /// Folders in them that hold lockfiles or settings: a tool may be started there.
    pub folders: &'a [std::path::PathBuf],
    /// Folders of scanned trees that were walked and hold a manifest: what is first-party lies in one of them.
    pub described: &'a std::collections::BTreeSet<std::path::PathBuf>,
    /// Whether the user excluded a folder, or one above it in its project.
    pub excluded: &'a dyn Fn(&std::path::Path) -> bool,
    /// Cache roots, absolute, with their name.
    pub caches: &'a [(std::path::PathBuf, RootId)],
    /// How an address stands with trust: `Some(true)` known or pinned (also as a mirror), `Some(false)` not, `None` malformed.
    pub standing: &'a dyn Fn(&str) -> Option<bool>,
    /// Whether a transparency log is known or pinned, by its name or verifier key as settings write it.
    pub log_stands: &'a dyn Fn(&str) -> bool,
}

/// What posture found.
#[derive(Debug, Default)]
pub struct PostureReport {
    /// Findings.
    pub findings: Vec<Finding>,
    /// Settings files that could not be read.
    pub problems: Vec<Problem>,
    /// Coverage facts.
    pub notices: Vec<Notice>,
    /// Settings files that were read.
    pub read: Vec<String>,
    /// Further places that settings name: vendor folders, local registries, target folders.
    pub places: Vec<NamedPlace>,
    /// Every registry address that settings lead to, as it is written: a tool may name its folders after that.
    pub spelled: Vec<Spelled>,
    /// Registries by name and address that settings define.
    pub registries: Vec<(String, Arc<str>)>,
    /// Addresses that a registry's packages really come from: (registry address, replacement address).
    pub replacements: Vec<(Arc<str>, Arc<str>)>,
}

/// An address as somebody wrote it. It may hold a password, so it is compared and hashed, never shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spelled(Arc<str>);

impl Spelled {
    /// Wraps an address.
    pub fn new(address: &str) -> Self {
        Self(Arc::from(address))
    }

    /// The address itself; no message may repeat it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Spelled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// A place that settings or a project name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPlace {
    /// Which kind: the ecosystem's own word (`vendor`, `local-registry`, `target`).
    pub kind: &'static str,
    /// Absolute path.
    pub path: std::path::PathBuf,
    /// File and line that name it.
    pub named_by: String,
    /// For which registry it stands in, as settings write it, if any.
    pub stands_for: Option<Arc<str>>,
}

/// Settings of a tool, and what is risky in them.
pub trait Posture: Send + Sync {
    /// Reads the settings and judges them. Never runs anything they name.
    fn examine(&self, context: &PostureContext<'_>) -> PostureReport;
    /// Whether a folder of a scanned tree holds settings of the tool, from the names in it.
    fn has_settings(&self, _names: &[&str]) -> bool {
        false
    }
    /// Opens a place that settings or a project name.
    fn open_place(&self, place: &NamedPlace, root: &dyn Dir, context: &OpenContext<'_>) -> Session;
    /// Whether a folder of a scanned tree is such a place, from the names in it; the walk goes below it only where something
    /// does not belong to it. Never asked of a folder that holds a lockfile, a manifest or settings itself.
    fn recognises(&self, dir: &dyn Dir, names: &[&str]) -> Option<&'static str>;
    /// Whether a folder directly in a recognised place is part of that place: its name, the names in it, and whether any of
    /// them is a lockfile's. What is not is walked as part of the project.
    fn belongs(&self, _kind: &str, _name: &str, _below: &[&str], _locked: bool) -> bool {
        true
    }
}
