//! gzip: a strict reader with two engines that report the same facts.
//!
//! [`inflate_small`] inflates a whole file into a buffer (libdeflate) and says [`GzipError::TooLarge`] when the content
//! exceeds a cap; [`GzipStream`] inflates any size piecewise (zlib-rs). Both check the CRC and length of every
//! member, read members one after the other as gzip(1) does, and tell what stands behind the last one, because
//! tools differ there: cargo stops after the first member, most others read all.
//!
//! Format: RFC 1952. Never trusts the stored length for more than a guess below the cap.

mod header;
mod small;
mod stream;

pub use small::inflate_small;
pub use stream::GzipStream;

use thiserror::Error;

/// What a gzip file is made of. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GzipFacts {
    /// Members, at least one.
    pub members: u64,
    /// Inflated bytes of all members.
    pub inflated: u64,
    /// Inflated bytes of the first member, all that cargo reads.
    pub first_inflated: u64,
    /// Bytes behind the last member.
    pub trailing: u64,
    /// Whether any of those is not zero: padding is harmless, other data is not.
    pub trailing_garbage: bool,
    /// Header of the first member.
    pub header: GzipHeader,
}

impl GzipFacts {
    /// Whether tools can disagree about the content: several members, or data behind the last.
    #[must_use]
    pub const fn splits_readers(&self) -> bool {
        self.members != 1 || self.trailing_garbage
    }
}

/// The header fields of a member that do not change its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GzipHeader {
    /// Flag byte: bit 0 text, 1 header CRC, 2 extra field, 3 file name, 4 comment.
    pub flags: u8,
    /// Modification time, seconds since 1970, 0 for none.
    pub mtime: u32,
    /// Compression effort as the writer states it.
    pub extra_flags: u8,
    /// Operating system of the writer.
    pub os: u8,
}

impl GzipHeader {
    /// Whether a file name is stored.
    #[must_use]
    pub const fn has_name(&self) -> bool {
        self.flags & header::FNAME != 0
    }

    /// Whether an extra field is stored.
    #[must_use]
    pub const fn has_extra(&self) -> bool {
        self.flags & header::FEXTRA != 0
    }

    /// Whether a comment is stored.
    #[must_use]
    pub const fn has_comment(&self) -> bool {
        self.flags & header::FCOMMENT != 0
    }
}

/// Why a gzip file could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GzipError {
    /// The first bytes are not those of gzip with deflate.
    #[error("not a gzip file")]
    NotGzip,
    /// Flag bits are set that RFC 1952 reserves.
    #[error("reserved gzip header flags are set")]
    ReservedFlags,
    /// The header has a checksum, and it is wrong.
    #[error("the gzip header checksum is wrong")]
    HeaderChecksum,
    /// Name, comment and extra field are longer than anybody writes.
    #[error("the gzip header is longer than {} bytes", header::MAX_HEADER)]
    HeaderTooLong,
    /// The file ends inside a member.
    #[error("the gzip file is truncated")]
    Truncated,
    /// The compressed data is no deflate stream.
    #[error("the compressed data is corrupt")]
    Corrupt,
    /// The content does not have the stored checksum.
    #[error("the gzip checksum does not fit the content")]
    Checksum,
    /// The content does not have the stored length.
    #[error("the gzip length does not fit the content")]
    Length,
    /// The content is larger than the cap.
    #[error("the content is larger than {cap} bytes")]
    TooLarge {
        /// The cap that was given.
        cap: u64,
    },
}

impl GzipError {
    /// The gzip problem inside an error of [`GzipStream`]; `None` if the source itself failed.
    #[must_use]
    pub fn from_io(error: &std::io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<GzipError> for std::io::Error {
    fn from(error: GzipError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

#[cfg(test)]
mod tests;
