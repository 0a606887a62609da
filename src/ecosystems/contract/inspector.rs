//! What an ecosystem looks at itself: parts of a cache that are neither archive nor tree.

use std::sync::Arc;

use super::{Proofs, RelPath};
use crate::model::listing::Listing;
use crate::model::{Digest, Entry, Finding, Outcome, Problem, Reason, RootId};
use crate::world::{Dir, ReadFs};

/// What an inspector may use.
pub struct InspectContext<'a> {
    /// The cache root.
    pub root: &'a dyn Dir,
    /// Files by name, where a place is a copy of another one.
    pub fs: &'a dyn ReadFs,
    /// Name of the root.
    pub root_id: &'a RootId,
    /// What is published under a package name, if it could be learned.
    pub listing: Option<&'a Listing>,
    /// Why it could not be learned.
    pub gap: Option<Reason>,
    /// Seconds since 1970.
    pub now: i64,
    /// Whether every object is to be checked (`--full`).
    pub full: bool,
    /// What earlier runs proved of unchanged files; `None` where memory is not to be used.
    pub proofs: Option<&'a dyn Proofs>,
    /// Whether the run was asked to end.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// What an inspector saw: one subject.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Kind of the subject (`listing`, `checkout`, `derived`).
    pub kind: &'static str,
    /// Path below the root.
    pub rel: RelPath,
    /// What became of it.
    pub outcome: Outcome,
    /// What its bytes hash to.
    pub observed: Option<Digest>,
    /// Entries of a tree that are not as they should be.
    pub entries: Vec<Entry>,
    /// Findings; the pipeline adds package, place and path where they are missing.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Size in bytes, if one file or counted.
    pub size: Option<u64>,
    /// What a person should know of it (size of derived state).
    pub note: Option<String>,
    /// When versions were published that the registry's answer lacks, as the cached listing says: the suspect's word,
    /// which can only turn "never published" into "not known yet".
    pub recent: Vec<(Arc<str>, i64)>,
}

impl Inspection {
    /// An inspection that says what became of a subject, and nothing more yet.
    pub const fn new(kind: &'static str, rel: RelPath, outcome: Outcome) -> Self {
        Self {
            kind,
            rel,
            outcome,
            observed: None,
            entries: Vec::new(),
            findings: Vec::new(),
            problems: Vec::new(),
            size: None,
            note: None,
            recent: Vec::new(),
        }
    }
}

/// Looks at a part of a cache that is neither archive nor tree.
pub trait Inspector: Send + Sync {
    /// Looks. Never writes, never panics on hostile input.
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection>;
    /// Rough cost in bytes, for scheduling.
    fn weight(&self) -> u64 {
        4096
    }
}
