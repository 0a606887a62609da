//! tar: a strict pull reader that remembers where other readers would disagree.
//!
//! It reads ustar, old (v7) and GNU headers, GNU long names (`L`, `K`), base-256 numbers, and PAX records (`x`,
//! `g`). Where real tools differ it follows the `tar` crate 0.4.45 that cargo unpacks with, and records a
//! [`TarAmbiguity`]. (That crate hands out a `g` header as a member of its own, and cargo refuses it; here it is skipped
//! and shows in [`TarMechanisms::pax_global`].) It never holds an archive: members are read through a window of their source.
//!
//! Formats: POSIX.1-2024 `pax`; GNU tar 1.35 `src/tar.h`. Readers compared: the `tar` crate, GNU tar 1.35, Python
//! `tarfile` 3.14, node-tar 7. Never extracts, never follows a link, never applies a global PAX value.

mod ambiguity;
mod block;
mod pax;
mod pending;
mod reader;

pub use ambiguity::{NumberField, TarAmbiguity};
pub use reader::{Member, TarReader};

use thiserror::Error;

use super::ambiguity::Ambiguities;
use super::limits::LimitError;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TarKind {
    /// A regular file.
    #[default]
    File,
    /// A folder.
    Folder,
    /// A hard link to another member.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A device, a pipe or a type that only some tools know: the type byte.
    Other(u8),
}

/// A member as the reader understands it. The values belong to the reader and are replaced by the next member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TarEntry {
    /// The name as stored, with the final slash of a folder.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: TarKind,
    /// Target of a link, else empty.
    pub link: Vec<u8>,
    /// Permission bits and whatever else the field holds.
    pub mode: u32,
    /// Bytes of content.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: i64,
    /// Where the content begins in the archive.
    pub offset: u64,
}

/// Which parts of the format an archive makes use of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TarMechanisms {
    /// Headers without magic.
    pub v7: bool,
    /// POSIX headers.
    pub ustar: bool,
    /// GNU headers.
    pub gnu: bool,
    /// GNU long names or long link targets.
    pub gnu_long: bool,
    /// PAX records for one member.
    pub pax: bool,
    /// PAX records for all members that follow.
    pub pax_global: bool,
    /// Binary numbers.
    pub base256: bool,
}

/// What an archive is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TarFacts {
    /// Members.
    pub entries: u64,
    /// Bytes of content of all members.
    pub content: u64,
    /// Bytes of the archive, everything included.
    pub length: u64,
    /// Parts of the format in use.
    pub mechanisms: TarMechanisms,
    /// Where readers can disagree.
    pub ambiguities: Ambiguities<TarAmbiguity>,
}

/// Why an archive could not be read.
#[derive(Debug, Error)]
pub enum TarError {
    /// The source failed; see [`GzipError::from_io`](super::gzip::GzipError::from_io) for a compressed one.
    #[error("could not read the archive")]
    Source(#[source] std::io::Error),
    /// The archive ends inside a member.
    #[error("the archive is truncated at byte {offset}")]
    Truncated {
        /// Where it ends.
        offset: u64,
    },
    /// A header has a wrong checksum.
    #[error("the header at byte {offset} has a wrong checksum")]
    Checksum {
        /// Where the header begins.
        offset: u64,
    },
    /// A size that cannot be read as a number.
    #[error("the header at byte {offset} has an unreadable size")]
    Size {
        /// Where the header begins.
        offset: u64,
    },
    /// A PAX record that is not `length key=value`.
    #[error("the PAX records at byte {offset} are malformed")]
    Pax {
        /// Where the header begins.
        offset: u64,
    },
    /// Long names or PAX records that no member follows.
    #[error("the extension header at byte {offset} belongs to no member")]
    Dangling {
        /// Where the archive ends.
        offset: u64,
    },
    /// A sparse file, whose content tools put together from a map.
    #[error("the member at byte {offset} is a sparse file, which is not supported")]
    Sparse {
        /// Where the header begins.
        offset: u64,
    },
    /// A bound was crossed.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The reader was used after an error.
    #[error("the archive was given up after an earlier error")]
    GivenUp,
}

impl From<std::io::Error> for TarError {
    /// Takes out the problem that reading a [`Member`] has wrapped; any other error is one of the source.
    fn from(error: std::io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Source)
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
