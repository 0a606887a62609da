//! The whole-buffer inflater: fast, for content whose size is known and small enough to be held.
//!
//! It wraps libdeflate's raw decompressor (1.7 GB/s of output measured on crates). Its state is worth keeping: one
//! [`Inflater`] per worker. It never allocates; the caller bounds the output.

use libdeflater::{DecompressionError, Decompressor};

/// Most output that one byte of a deflate stream can yield (RFC 1951: 258 bytes for two bits), rounded up. A
/// claimed size beyond this is a lie.
pub(super) const MAX_RATIO: u64 = 1032;

/// A reusable raw deflate decompressor for whole buffers.
pub struct Inflater {
    inner: Decompressor,
}

/// Why a whole-buffer inflation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InflateFault {
    /// Not a deflate stream, or one that ends too early.
    Corrupt,
    /// The content is larger than the given output.
    NoSpace,
}

impl Inflater {
    /// Makes one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inner: Decompressor::new(),
        }
    }

    /// Inflates one raw stream from the beginning of `input`; returns the number of bytes written.
    pub(super) fn raw(&mut self, input: &[u8], output: &mut [u8]) -> Result<usize, InflateFault> {
        self.inner
            .deflate_decompress(input, output)
            .map_err(|error| match error {
                DecompressionError::BadData => InflateFault::Corrupt,
                DecompressionError::InsufficientSpace => InflateFault::NoSpace,
            })
    }
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inflater")
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}
