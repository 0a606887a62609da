//! Claims: who says which digest an artifact has, and how much that is worth.

use std::fmt;
use std::sync::Arc;

use super::digest::Digest;

/// How much a claim is worth, weakest first so that `Ord` reads as "stronger than".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Assurance {
    /// The suspect's own word: never counts.
    SelfClaimed,
    /// First seen by us on an earlier run.
    Remembered,
    /// A lockfile.
    Declared,
    /// A known root's own answer.
    Published,
    /// Proven: log proof, registry signature, attestation.
    Authenticated,
}

impl Assurance {
    /// Spelling in reports and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SelfClaimed => "self",
            Self::Remembered => "remembered",
            Self::Declared => "declared",
            Self::Published => "published",
            Self::Authenticated => "authenticated",
        }
    }

    /// Reads the spelling of options and reports; `self` cannot be required.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Remembered,
            Self::Declared,
            Self::Published,
            Self::Authenticated,
        ]
        .into_iter()
        .find(|a| a.as_str() == text)
    }

    /// Published or better: evidence from outside.
    pub fn is_trusted(self) -> bool {
        self >= Self::Published
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who says it, as reports name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claimant {
    /// A transparency log, by inclusion proof.
    Log,
    /// A registry's index or metadata.
    RegistryIndex,
    /// A lockfile.
    Lockfile,
    /// Our own memory of the first sight.
    FirstSeen,
    /// The cache's own record.
    Sidecar,
    /// A named claims file.
    Imported,
    /// A git commit named by the lockfile.
    GitCommit,
}

impl Claimant {
    /// Spelling in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::RegistryIndex => "registry-index",
            Self::Lockfile => "lockfile",
            Self::FirstSeen => "first-seen",
            Self::Sidecar => "sidecar",
            Self::Imported => "imported",
            Self::GitCommit => "git-commit",
        }
    }
}

/// A digest that somebody claims for an artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// How much it is worth, before [`Claim::effective`].
    pub assurance: Assurance,
    /// Who says so.
    pub by: Claimant,
    /// What they say.
    pub digest: Digest,
    /// Where it was said (`Cargo.lock:812`), for messages.
    pub detail: Option<Arc<str>>,
}

impl Claim {
    /// What the claim counts for: a weak digest never counts for more than declared.
    pub fn effective(&self) -> Assurance {
        if self.digest.scheme().is_weak() {
            self.assurance.min(Assurance::Declared)
        } else {
            self.assurance
        }
    }
}
