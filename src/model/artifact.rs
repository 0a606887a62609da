//! What a package is called, where it comes from, and which file of it is meant.

use std::fmt;
use std::sync::Arc;

use super::digest::Fingerprint;
use super::ecosystem::EcosystemId;

/// A registry as lockfiles and caches name it: by the fingerprint of its address.
///
/// The address itself is kept for messages and requests; being believed comes from the fingerprint alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Registry {
    /// Fingerprint of the canonical address (of the primary one, where a registry has several).
    pub fingerprint: Fingerprint,
    /// Canonical address.
    pub address: Arc<str>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A registry.
    Registry(Arc<Registry>),
    /// A git repository at a commit.
    Git {
        /// Address as the lockfile has it, without reference and commit, without credentials.
        url: Arc<str>,
        /// Commit as lower-case hex; empty when the lockfile names none.
        commit: Arc<str>,
    },
    /// A folder of the user: first-party.
    Path,
    /// Not known: the cache entry cannot be bound to a source.
    Unknown,
}

/// A package version of one ecosystem, from one source. Name and version are verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Coordinate {
    /// Which ecosystem.
    pub ecosystem: EcosystemId,
    /// Name as its tool writes it.
    pub name: Arc<str>,
    /// Version as its tool writes it.
    pub version: Arc<str>,
    /// Source.
    pub origin: Origin,
}

/// One file of a package version: has one digest per scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactId {
    /// The package version.
    pub coordinate: Coordinate,
    /// File name, classifier or part (`itoa-1.0.11.crate`).
    pub file: Arc<str>,
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}
