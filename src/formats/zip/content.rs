//! The content of a member: whole for small ones, piecewise for large ones, held to size and CRC.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{Crc, crc32};

use super::read_at::{ReadAt, read_exact_at};
use super::{ZipArchive, ZipEntry, ZipError};
use crate::formats::inflate::{InflateFault, Inflater, MAX_RATIO};

/// Members up to this size, compressed and not, are inflated whole.
const WHOLE: u64 = 4 << 20;
const CHUNK: usize = 64 << 10;

/// Reads members and keeps its buffers between them: one per worker, at most 8 MiB and a little.
pub struct EntryReader {
    inflater: Inflater,
    stream: Decompress,
    input: Vec<u8>,
    output: Vec<u8>,
    exact: bool,
}

impl EntryReader {
    /// The fast reader. For small members it does not notice data between the end of the deflate stream and the end
    /// of the compressed data, which a reader by directory never looks at.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inflater: Inflater::new(),
            stream: Decompress::new(false),
            input: Vec::new(),
            output: Vec::new(),
            exact: false,
        }
    }

    /// A reader that notices such data in every member ([`ZipError::Slack`]), at about half the speed. For archives
    /// that are also read from the front, where that data is taken for the next member.
    #[must_use]
    pub fn exact() -> Self {
        Self {
            exact: true,
            ..Self::new()
        }
    }

    /// Passes the content of `entry` to `sink` in pieces, in order.
    ///
    /// Size and CRC are checked when all of it has been passed: until this returns, the pieces are only claims.
    ///
    /// # Errors
    /// [`ZipError`] when the member cannot be read or is not what the directory states.
    pub fn read<S: ReadAt>(
        &mut self,
        archive: &ZipArchive<S>,
        entry: &ZipEntry,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), ZipError> {
        if entry.is_encrypted() {
            return Err(ZipError::Encrypted);
        }
        let source = &archive.source;
        match entry.method {
            0 => self.stored(source, entry, sink),
            8 if !self.exact && entry.compressed <= WHOLE && entry.size <= WHOLE => {
                self.whole(source, entry, sink)
            }
            8 => self.piecewise(source, entry, sink),
            method => Err(ZipError::Method { method }),
        }
    }

    fn stored(
        &mut self,
        source: &impl ReadAt,
        entry: &ZipEntry,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), ZipError> {
        if entry.compressed != entry.size {
            return Err(ZipError::Size);
        }
        let mut crc = Crc::new();
        let mut pieces = Pieces::of(entry);
        while pieces.fill(source, &mut self.input)? {
            crc.update(&self.input);
            sink(&self.input);
        }
        if crc.sum() == entry.crc {
            Ok(())
        } else {
            Err(ZipError::Checksum)
        }
    }

    fn whole(
        &mut self,
        source: &impl ReadAt,
        entry: &ZipEntry,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), ZipError> {
        if entry.size > entry.compressed.saturating_mul(MAX_RATIO) {
            return Err(ZipError::Size);
        }
        // Both are at most `WHOLE`; the compressed bytes are in the file, as opening has checked.
        let size = usize::try_from(entry.size).map_err(|_| ZipError::Size)?;
        let compressed = usize::try_from(entry.compressed).map_err(|_| ZipError::Size)?;
        let input = space(&mut self.input, compressed);
        read_exact_at(source, input, entry.data_offset)?;
        let output = space(&mut self.output, size);
        match self.inflater.raw(input, output) {
            Ok(written) if written == size => {}
            Ok(_) | Err(InflateFault::NoSpace) => return Err(ZipError::Size),
            Err(InflateFault::Corrupt) => return Err(ZipError::Corrupt),
        }
        if crc32(output) != entry.crc {
            return Err(ZipError::Checksum);
        }
        if !output.is_empty() {
            sink(output);
        }
        Ok(())
    }

    fn piecewise(
        &mut self,
        source: &impl ReadAt,
        entry: &ZipEntry,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), ZipError> {
        self.stream.reset(false);
        let output = space(&mut self.output, CHUNK);
        let mut crc = Crc::new();
        let mut pieces = Pieces::of(entry);
        while pieces.fill(source, &mut self.input)? {
            let mut used = 0;
            loop {
                let rest = self.input.get(used..).unwrap_or_default();
                let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
                let status = self
                    .stream
                    .decompress(rest, output, FlushDecompress::None)
                    .map_err(|_| ZipError::Corrupt)?;
                let took =
                    usize::try_from(self.stream.total_in() - before_in).unwrap_or(usize::MAX);
                let made =
                    usize::try_from(self.stream.total_out() - before_out).unwrap_or(usize::MAX);
                used += took;
                if self.stream.total_out() > entry.size {
                    return Err(ZipError::Size);
                }
                let piece = output.get(..made).unwrap_or_default();
                crc.update(piece);
                if !piece.is_empty() {
                    sink(piece);
                }
                if status == Status::StreamEnd {
                    return finish(&self.stream, entry, crc.sum());
                }
                if took == 0 && made == 0 {
                    // More input is needed.
                    break;
                }
            }
        }
        Err(ZipError::Corrupt)
    }
}

/// Compares what a finished stream has used and made with the entry.
fn finish(stream: &Decompress, entry: &ZipEntry, crc: u32) -> Result<(), ZipError> {
    if stream.total_out() != entry.size {
        return Err(ZipError::Size);
    }
    if crc != entry.crc {
        return Err(ZipError::Checksum);
    }
    if stream.total_in() != entry.compressed {
        Err(ZipError::Slack)
    } else {
        Ok(())
    }
}

/// The first `len` bytes of a buffer that only grows, so that its space is not cleared for each member.
fn space(buffer: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    buffer.get_mut(..len).unwrap_or_default()
}

/// The compressed bytes of a member, a chunk at a time.
struct Pieces {
    at: u64,
    left: u64,
}

impl Pieces {
    const fn of(entry: &ZipEntry) -> Self {
        Self {
            at: entry.data_offset,
            left: entry.compressed,
        }
    }

    /// Replaces `buffer` by the next chunk; false at the end.
    fn fill(&mut self, source: &impl ReadAt, buffer: &mut Vec<u8>) -> Result<bool, ZipError> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(CHUNK);
        buffer.resize(count, 0);
        read_exact_at(source, buffer, self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count > 0)
    }
}

impl Default for EntryReader {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for EntryReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntryReader")
            .field("exact", &self.exact)
            .finish_non_exhaustive()
    }
}
