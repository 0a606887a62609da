//! The whole-buffer engine: one pass of libdeflate for the file that everybody writes, the streaming engine for
//! every other shape.
//!
//! libdeflate does not tell how much input it used. The fast path therefore assumes one member that ends with
//! the file and proves it by the last eight bytes: length and CRC must fit, and the same eight bytes must not
//! occur earlier, where a shorter first member would have its own trailer.

use std::io::{BufRead as _, Read};

use libdeflater::crc32;

use super::{GzipError, GzipFacts, GzipStream, header};
use crate::formats::inflate::{Inflater, MAX_RATIO};

/// Inflates the whole of `input` into `output`, which is replaced.
///
/// `cap` bounds the inflated bytes of all members together, and the memory.
///
/// # Errors
/// [`GzipError::TooLarge`] if the content exceeds `cap`: take [`GzipStream`]. Otherwise what is wrong with the file; the
/// content of `output` is then meaningless.
pub fn inflate_small(
    inflater: &mut Inflater,
    input: &[u8],
    cap: usize,
    output: &mut Vec<u8>,
) -> Result<GzipFacts, GzipError> {
    if let Some(facts) = single_member(inflater, input, cap, output)? {
        return Ok(facts);
    }
    output.clear();
    let cap = u64::try_from(cap).unwrap_or(u64::MAX);
    let mut stream = GzipStream::new(input, cap);
    stream
        .read_to_end(output)
        .map_err(|error| GzipError::from_io(&error).unwrap_or(GzipError::Truncated))?;
    Ok(*stream.facts())
}

/// The fast path; `None` if the file has another shape or is damaged.
fn single_member(
    inflater: &mut Inflater,
    input: &[u8],
    cap: usize,
    output: &mut Vec<u8>,
) -> Result<Option<GzipFacts>, GzipError> {
    let Some((header, start)) = header::parse(input)? else {
        return Err(GzipError::Truncated);
    };
    let Some((body, trailer)) = input
        .get(start..)
        .and_then(|rest| rest.split_last_chunk::<8>())
    else {
        return Err(GzipError::Truncated);
    };
    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    let claimed = usize::try_from(length).unwrap_or(usize::MAX);
    if u64::from(length) > (body.len() as u64).saturating_mul(MAX_RATIO) {
        return Ok(None);
    }
    if claimed > cap {
        return Err(GzipError::TooLarge {
            cap: u64::try_from(cap).unwrap_or(u64::MAX),
        });
    }
    if output.capacity() < claimed {
        // Fresh zeroes from the system cost less than copying what is of no use and clearing the rest.
        *output = vec![0; claimed];
    } else {
        output.resize(claimed, 0);
    }
    let Ok(written) = inflater.raw(body, output) else {
        return Ok(None);
    };
    if written != claimed || crc32(output) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Ok(None);
    }
    if occurs_earlier(input, trailer) {
        return Ok(None);
    }
    let inflated = u64::from(length);
    Ok(Some(GzipFacts {
        members: 1,
        inflated,
        first_inflated: inflated,
        trailing: 0,
        trailing_garbage: false,
        header,
    }))
}

/// Whether the trailer stands anywhere before its place at the end.
fn occurs_earlier(input: &[u8], trailer: &[u8; 8]) -> bool {
    let [first, rest @ ..] = trailer;
    let end = input.len().saturating_sub(trailer.len());
    let mut behind = input;
    // Reading from memory cannot fail; the search behind it is the system's fastest.
    while behind.skip_until(*first).is_ok() && !behind.is_empty() {
        let at = input.len() - behind.len() - 1;
        if at >= end {
            return false;
        }
        if behind.starts_with(rest) {
            return true;
        }
    }
    false
}
