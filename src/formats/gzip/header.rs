//! The header of one gzip member (RFC 1952, section 2.3).

use libdeflater::crc32;

use super::{GzipError, GzipHeader};

pub(super) const FHCRC: u8 = 1 << 1;
pub(super) const FEXTRA: u8 = 1 << 2;
pub(super) const FNAME: u8 = 1 << 3;
pub(super) const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Longest header that is read: the extra field has at most 64 KiB, name and comment have no bound of their own.
pub(super) const MAX_HEADER: usize = 128 << 10;

/// Reads a header from the beginning of `bytes`: the fields and the length, or `None` if more bytes are needed.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(GzipHeader, usize)>, GzipError> {
    let magic = [0x1f, 0x8b, 8];
    if !bytes.iter().zip(magic).all(|(a, b)| *a == b) {
        return Err(GzipError::NotGzip);
    }
    let &[_, _, _, flags, m0, m1, m2, m3, extra_flags, os, ..] = bytes else {
        return Ok(None);
    };
    if flags & RESERVED != 0 {
        return Err(GzipError::ReservedFlags);
    }
    let mtime = u32::from_le_bytes([m0, m1, m2, m3]);
    let Some(len) = variable_part(bytes, flags) else {
        return if bytes.len() > MAX_HEADER {
            Err(GzipError::HeaderTooLong)
        } else {
            Ok(None)
        };
    };
    if len > MAX_HEADER {
        return Err(GzipError::HeaderTooLong);
    }
    let header = GzipHeader {
        flags,
        mtime,
        extra_flags,
        os,
    };
    if flags & FHCRC == 0 {
        return Ok(Some((header, len)));
    }
    let (Some(covered), Some(&[c0, c1])) = (bytes.get(..len), bytes.get(len..len + 2)) else {
        return Ok(None);
    };
    let [r0, r1, ..] = crc32(covered).to_le_bytes();
    if [c0, c1] == [r0, r1] {
        Ok(Some((header, len + 2)))
    } else {
        Err(GzipError::HeaderChecksum)
    }
}

/// Where extra field, name and comment end, or `None` if they reach beyond `bytes`.
fn variable_part(bytes: &[u8], flags: u8) -> Option<usize> {
    let mut at = 10;
    if flags & FEXTRA != 0 {
        let &[low, high] = bytes.get(at..at + 2)? else {
            return None;
        };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    for text in [FNAME, FCOMMENT] {
        if flags & text != 0 {
            at += bytes.get(at..)?.iter().position(|b| *b == 0)? + 1;
        }
    }
    (at <= bytes.len()).then_some(at)
}
