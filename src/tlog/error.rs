//! What can be wrong with what a log, a proxy or a cache said, kept apart by what it proves.
//!
//! *Forged* and *Forked* are findings and carry their evidence; *Unverifiable* means that nothing is known either way;
//! *Malformed* means that the bytes are not of the form at all (torn write, error page). None may be read as another.

use super::fork::ForkEvidence;
use super::tile::Tile;
use super::tree::{Hash, TreeHead};

/// Why a log answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes contradict what the log signed, or pretend to be signed.
    #[error("forged: {0}")]
    Forged(Box<Forgery>),
    /// The log signed two heads that do not fit: evidence against the log itself.
    #[error("the log signed two histories: {0}")]
    Forked(Box<ForkEvidence>),
    /// Nothing speaks against it, but it cannot be proven with what is at hand.
    #[error("not proven: {0}")]
    Unverifiable(Reason),
    /// Not of the expected form; `what` names the thing, `why` what is wrong with it.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// The thing that was read.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// Shorthand for `Malformed`.
    pub fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        Self::Malformed {
            what,
            why: why.into(),
        }
    }

    /// Shorthand for `Forged`.
    pub fn forged(forgery: Forgery) -> Self {
        Self::Forged(Box::new(forgery))
    }

    /// Whether this is evidence of an attack (and not merely a lack of proof).
    pub const fn is_evidence(&self) -> bool {
        matches!(self, Self::Forged(_) | Self::Forked(_))
    }
}

/// What was forged, with the bytes that show it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forgery {
    /// A look-up answer.
    #[error("log record for `{module}` {version}: {why}")]
    Record {
        /// The module path asked for.
        module: String,
        /// The version asked for.
        version: String,
        /// What gives it away.
        why: RecordForgery,
        /// The whole answer.
        answer: Vec<u8>,
    },
    /// A hash tile.
    #[error("log tile `{tile}` gives {found}, but {expected} stands above it in the tree of {size} records", tile = tile.path(), size = head.size)]
    Tile {
        /// Which tile.
        tile: Tile,
        /// The bytes that were offered.
        bytes: Vec<u8>,
        /// The hash that its parent, or the signed head, commits to.
        expected: Hash,
        /// The hash that these bytes fold to.
        found: Hash,
        /// The head under which it was checked.
        head: TreeHead,
    },
    /// The tiles at a tree's right edge, which only together fold to the signed root: at least one of them.
    #[error("log tiles at the edge of the tree of {size} records give the root {found}, but {expected} is signed", size = head.size, expected = head.root)]
    Edge {
        /// The tiles and the bytes that were offered.
        tiles: Vec<(Tile, Vec<u8>)>,
        /// The root that these bytes fold to.
        found: Hash,
        /// The head under which they were checked.
        head: TreeHead,
    },
    /// A signed note.
    #[error("signed note: {why}")]
    Note {
        /// What gives it away.
        why: NoteForgery,
        /// The whole note.
        note: Vec<u8>,
    },
}

/// What gives a forged record away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordForgery {
    /// The text is not the leaf at that place of the log.
    #[error("its text is not the record at its number")]
    NotInTree,
    /// The record is genuine, but it is not the one asked for (GO-2026-4984).
    #[error("it has no line for the module and version asked for")]
    WithoutLine,
    /// The record speaks twice, and differently, of what was asked.
    #[error("it has two different lines for what was asked")]
    Contradictory,
    /// Hash lines stand where nothing authenticates them (GO-2026-6180).
    #[error("hash lines follow after the record's end, where nothing authenticates them")]
    LinesAfterRecord,
}

/// What gives a forged note away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteForgery {
    /// It names the log's key, but the signature is not of that key over this text.
    #[error("the signature under the log's key is false")]
    FalseSignature,
    /// No signature is by a key of this log.
    #[error("it is not signed by the log it is said to come from")]
    OtherSigner,
}

/// Why something could not be proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The log answers, and has no record of this module and version.
    #[error("the log has no record of it")]
    NoRecord,
    /// The answer could not be had; the text says why.
    #[error("{0}")]
    Unavailable(String),
    /// The record's number lies beyond every signed tree that is known.
    #[error("its record number {id} lies beyond the newest known tree of {size} records")]
    BeyondTree {
        /// The record number that the answer claims.
        id: u64,
        /// The largest known tree.
        size: u64,
    },
    /// A tile that the proof needs is neither cached nor to be had.
    #[error("tile `{}` is not to be had", .0.path())]
    TileMissing(Tile),
    /// No signed head is known, so there is nothing to prove anything under.
    #[error("no signed tree head is at hand")]
    NoHead,
}
