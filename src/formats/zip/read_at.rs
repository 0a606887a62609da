//! Random access to bytes, and a small window over it.

use std::io;

use super::ZipError;

/// A source of bytes that can be read at any offset. Implemented for slices; `world` implements it for files.
pub trait ReadAt {
    /// Size in bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads some bytes at `offset`; 0 at the end.
    ///
    /// # Errors
    /// Whatever the source reports.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let offset = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.len());
        io::Read::read(&mut self.get(offset..).unwrap_or_default(), buffer)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }
}

/// Fills `buffer` from `offset`.
pub(super) fn read_exact_at(
    source: &(impl ReadAt + ?Sized),
    mut buffer: &mut [u8],
    mut offset: u64,
) -> Result<(), ZipError> {
    while !buffer.is_empty() {
        match source.read_at(buffer, offset) {
            Ok(0) => return Err(ZipError::Truncated),
            Ok(count) => {
                let count = count.min(buffer.len());
                buffer = buffer.split_at_mut(count).1;
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A buffer over a part of the source, so that neighbouring headers cost one read.
pub(super) struct Window<'a, S: ?Sized> {
    source: &'a S,
    chunk: usize,
    start: u64,
    buffer: Vec<u8>,
}

impl<'a, S: ReadAt + ?Sized> Window<'a, S> {
    /// Reads at least `chunk` bytes at a time, where the source has them.
    pub(super) const fn new(source: &'a S, chunk: usize) -> Self {
        Self {
            source,
            chunk,
            start: 0,
            buffer: Vec::new(),
        }
    }

    /// `len` bytes at `offset`. `len` is at most what three 16-bit lengths add up to.
    pub(super) fn bytes(&mut self, offset: u64, len: usize) -> Result<&[u8], ZipError> {
        let held = offset
            .checked_sub(self.start)
            .and_then(|at| usize::try_from(at).ok())
            .filter(|at| {
                at.checked_add(len)
                    .is_some_and(|end| end <= self.buffer.len())
            });
        let at = match held {
            Some(at) => at,
            None => {
                let left = self
                    .source
                    .len()
                    .checked_sub(offset)
                    .ok_or(ZipError::Truncated)?;
                let wanted = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(self.chunk.max(len));
                if wanted < len {
                    return Err(ZipError::Truncated);
                }
                self.buffer.resize(wanted, 0);
                self.start = offset;
                let read = read_exact_at(self.source, &mut self.buffer, offset);
                if read.is_err() {
                    self.buffer.clear();
                }
                read?;
                0
            }
        };
        self.buffer.get(at..at + len).ok_or(ZipError::Truncated)
    }
}

/// A little-endian number of two bytes.
pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A little-endian number of four bytes.
pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A little-endian number of eight bytes.
pub(super) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
