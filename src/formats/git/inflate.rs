//! One zlib stream inside a file, inflated in pieces of fixed size. It never holds more than two buffers, and stops as soon as
//! more comes out than was announced.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Files, GitError};

/// What a stream turned out to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    /// Compressed bytes, including the checksum at the end.
    pub(super) consumed: u64,
    /// Bytes that came out.
    pub(super) produced: u64,
}

/// Inflates the stream at `offset` of `rel` into `sink`; more than `most` bytes are an error.
pub(super) fn inflate(
    files: &dyn Files,
    rel: &str,
    offset: u64,
    most: u64,
    sink: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
) -> Result<Stream, GitError> {
    let mut engine = Decompress::new(true);
    let mut out = vec![
        0;
        usize::try_from(most.saturating_add(1))
            .unwrap_or(usize::MAX)
            .clamp(64, 64 << 10)
    ];
    // Most objects are small: a first short read spares the rest of the buffer.
    let mut ask = 4 << 10;
    loop {
        let consumed = engine.total_in();
        let at = offset
            .checked_add(consumed)
            .ok_or_else(|| GitError::corrupt(rel, "an offset is out of range"))?;
        let input = files
            .read_at(rel, at, ask)
            .map_err(|fault| GitError::fault(rel, fault))?
            .ok_or_else(|| GitError::corrupt(rel, "it vanished while it was read"))?;
        ask = 64 << 10;
        let mut rest = input.as_slice();
        loop {
            let (before_in, before_out) = (engine.total_in(), engine.total_out());
            let status = engine
                .decompress(rest, &mut out, FlushDecompress::None)
                .map_err(|_| GitError::corrupt(rel, "a compressed stream is broken"))?;
            let took = usize::try_from(engine.total_in() - before_in).unwrap_or(usize::MAX);
            let made = usize::try_from(engine.total_out() - before_out).unwrap_or(usize::MAX);
            if engine.total_out() > most {
                return Err(GitError::corrupt(
                    rel,
                    "an object is longer than its header says",
                ));
            }
            sink(out.get(..made).unwrap_or_default())?;
            rest = rest.get(took..).unwrap_or_default();
            if status == Status::StreamEnd {
                return Ok(Stream {
                    consumed: engine.total_in(),
                    produced: engine.total_out(),
                });
            }
            if took == 0 && made == 0 {
                break;
            }
        }
        if engine.total_in() == consumed {
            return Err(GitError::corrupt(rel, "a compressed stream ends early"));
        }
    }
}
