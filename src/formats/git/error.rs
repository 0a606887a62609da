//! Why something of a repository cannot be believed or read.

use super::{Fault, Oid};

/// A problem with one file of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum GitError {
    /// The source could not answer.
    #[error("`{file}` {fault}; check its permissions or fetch it again")]
    Fault {
        /// The file, relative to its repository.
        file: String,
        /// What the source said.
        fault: Fault,
    },
    /// The bytes break the format.
    #[error("`{file}` is damaged: {what}; fetch the repository again")]
    Corrupt {
        /// The file, relative to its repository.
        file: String,
        /// Which rule was broken.
        what: &'static str,
    },
    /// Reading on would cost more than is allowed.
    #[error("`{file}` was not read: {what}")]
    Limit {
        /// The file, relative to its repository.
        file: String,
        /// Which limit was met.
        what: &'static str,
    },
    /// An object's bytes hash to another id than the one it is stored under.
    #[error(
        "`{file}` holds other bytes under the id {oid}: they hash to {actual}; fetch the repository again"
    )]
    Forged {
        /// The file, relative to its repository.
        file: String,
        /// The id that was asked for.
        oid: Oid,
        /// The id of the bytes.
        actual: Oid,
    },
    /// An object's bytes carry the marks of a SHA-1 collision attack.
    #[error(
        "`{file}` holds an object made to collide in SHA-1 (asked for as {oid}); do not build with it"
    )]
    Collision {
        /// The file, relative to its repository.
        file: String,
        /// The id that was asked for.
        oid: Oid,
    },
}

impl GitError {
    pub(super) fn corrupt(file: impl Into<String>, what: &'static str) -> Self {
        Self::Corrupt {
            file: file.into(),
            what,
        }
    }

    pub(super) fn limit(file: impl Into<String>, what: &'static str) -> Self {
        Self::Limit {
            file: file.into(),
            what,
        }
    }

    pub(super) fn fault(file: impl Into<String>, fault: Fault) -> Self {
        Self::Fault {
            file: file.into(),
            fault,
        }
    }

    /// Whether the bytes themselves are wrong, rather than out of reach or too large.
    #[must_use]
    pub const fn is_bad_content(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. } | Self::Forged { .. } | Self::Collision { .. }
        )
    }
}
