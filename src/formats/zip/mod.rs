//! zip: a strict reader of the central directory that checks it against everything else in the file.
//!
//! Tools find the members of a zip in different ways: by the directory at the end (Go, Python, most), by the
//! local headers from the front (streaming installers), by the first or the last end record. [`ZipArchive::open`]
//! reads the directory, compares each entry with its local header and data descriptor, and accounts for every byte
//! before the directory; what does not fit is recorded as a [`ZipAmbiguity`]. Content is read with an [`EntryReader`],
//! which checks length and CRC.
//!
//! Format: APPNOTE 6.3.10, zip64 included. Readers compared: Go 1.26 `archive/zip`, Python 3.14 `zipfile`, streaming
//! readers of wheels. Allocation follows bytes that are there, never counts that are claimed. No split
//! archives, no encryption, stored and deflate only.

mod ambiguity;
mod archive;
mod content;
mod end;
mod layout;
mod read_at;
mod record;

pub use ambiguity::ZipAmbiguity;
pub use archive::ZipArchive;
pub use content::EntryReader;
pub use read_at::ReadAt;

use thiserror::Error;

use super::ambiguity::Ambiguities;
use super::limits::LimitError;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZipKind {
    /// A regular file.
    #[default]
    File,
    /// A folder: the name ends in a slash.
    Folder,
    /// A symbolic link, by its Unix mode; the content is the target.
    Symlink,
    /// A device or pipe, by its Unix mode.
    Other,
}

/// A member as the central directory describes it. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZipEntry {
    /// The name as stored.
    pub name: Box<[u8]>,
    /// What it is.
    pub kind: ZipKind,
    /// Compression method: 0 stored, 8 deflate.
    pub method: u16,
    /// General purpose flags.
    pub flags: u16,
    /// CRC-32 of the content.
    pub crc: u32,
    /// Size in the archive.
    pub compressed: u64,
    /// Size of the content.
    pub size: u64,
    /// Unix mode, 0 if the writer gave none.
    pub mode: u32,
    /// MS-DOS date (upper half) and time.
    pub dos_time: u32,
    /// Where the local header begins in the file.
    pub header_offset: u64,
    /// Where the compressed content begins in the file.
    pub data_offset: u64,
}

impl ZipEntry {
    /// Whether the content is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.flags & record::ENCRYPTED != 0
    }
}

/// What an archive is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZipFacts {
    /// Bytes of content of all members, as claimed; reading holds each member to its claim.
    pub content: u64,
    /// Whether the zip64 end record is used.
    pub zip64: bool,
    /// Length of the archive comment.
    pub comment: u16,
    /// Where readers can disagree.
    pub ambiguities: Ambiguities<ZipAmbiguity>,
}

/// Why an archive or a member could not be read.
#[derive(Debug, Error)]
pub enum ZipError {
    /// The source failed.
    #[error("could not read the archive")]
    Source(#[from] std::io::Error),
    /// There is no end record.
    #[error("not a zip file: there is no end of central directory")]
    NoEnd,
    /// The end records point to places that do not exist.
    #[error("the end of central directory contradicts the size of the file")]
    BadEnd,
    /// The archive is a part of several.
    #[error("the archive is split over several files, which is not supported")]
    MultiDisk,
    /// The central directory is malformed.
    #[error("the central directory is malformed at byte {offset}")]
    BadDirectory {
        /// Where.
        offset: u64,
    },
    /// There is no local header where the directory says.
    #[error("there is no local header at byte {offset}")]
    BadLocal {
        /// Where it should be.
        offset: u64,
    },
    /// The source is shorter than it says or than the member needs.
    #[error("the archive is truncated")]
    Truncated,
    /// A bound was crossed.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The member is encrypted.
    #[error("the member is encrypted")]
    Encrypted,
    /// The member is compressed in a way that is not supported.
    #[error("compression method {method} is not supported")]
    Method {
        /// Its number.
        method: u16,
    },
    /// The compressed data is no deflate stream.
    #[error("the compressed data of the member is corrupt")]
    Corrupt,
    /// The content does not have the size that the directory states.
    #[error("the member does not have the size that the directory states")]
    Size,
    /// The content does not have the CRC that the directory states.
    #[error("the checksum does not fit the member")]
    Checksum,
    /// The deflate stream ends before the compressed data does.
    #[error("there is other data behind the compressed data of the member")]
    Slack,
}

#[cfg(test)]
mod content_tests;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
