//! The end records: where the central directory is, and whether every reader finds the same one.

use super::read_at::{ReadAt, Window, le16, le32, le64, read_exact_at};
use super::{ZipAmbiguity, ZipError};

const END: &[u8; 4] = b"PK\x05\x06";
const END64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
const END_LEN: usize = 22;
const END64_LEN: u64 = 56;
const LOCATOR_LEN: u64 = 20;

/// Where the central directory is, in offsets of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Number of members that the record states, if it can state it.
    pub(super) count: u64,
    /// Whether the count is exact or modulo 2^16.
    pub(super) zip64: bool,
    pub(super) directory: u64,
    pub(super) directory_end: u64,
    /// What to add to stored offsets.
    pub(super) base: u64,
    pub(super) comment: u16,
}

/// Finds the end records.
pub(super) fn find<S: ReadAt + ?Sized>(
    source: &S,
    report: &mut impl FnMut(ZipAmbiguity),
) -> Result<End, ZipError> {
    let len = source.len();
    // The comment has at most 65,535 bytes.
    let tail_len = len.min((END_LEN + usize::from(u16::MAX)) as u64);
    let tail_start = len - tail_len;
    let mut tail = vec![0; usize::try_from(tail_len).map_err(|_| ZipError::Truncated)?];
    read_exact_at(source, &mut tail, tail_start)?;

    let at = choose(&tail, report).ok_or(ZipError::NoEnd)?;
    let record = tail.get(at..).unwrap_or_default();
    let short = Short::parse(record).ok_or(ZipError::MultiDisk)?;
    if record.len() > END_LEN + usize::from(short.comment) {
        report(ZipAmbiguity::TrailingData);
    }
    let end_at = tail_start + at as u64;
    let long = long_record(source, end_at, report)?;

    let absent = if long.is_some() {
        [0, u16::MAX]
    } else {
        [0, 0]
    };
    if !short.disks.iter().all(|disk| absent.contains(disk)) {
        return Err(ZipError::MultiDisk);
    }

    let mut size = u64::from(short.size);
    let mut offset = u64::from(short.offset);
    let mut count = u64::from(short.count);
    let mut directory_end = end_at;
    let zip64 = long.is_some();
    if let Some(long) = long {
        let differ = (short.size != u32::MAX && size != long.size)
            || (short.offset != u32::MAX && offset != long.offset)
            || (short.count != u16::MAX && count != long.count);
        if differ {
            report(ZipAmbiguity::EndsDiffer);
        }
        (size, offset, count, directory_end) = (long.size, long.offset, long.count, long.at);
    }
    let directory = directory_end.checked_sub(size).ok_or(ZipError::BadEnd)?;
    let base = directory.checked_sub(offset).ok_or(ZipError::BadEnd)?;
    if base > 0 {
        report(ZipAmbiguity::Prefix);
    }
    Ok(End {
        count,
        zip64,
        directory,
        directory_end,
        base,
        comment: short.comment,
    })
}

/// The last end record whose comment fits into the file. A signature behind it is what other readers choose.
fn choose(tail: &[u8], report: &mut impl FnMut(ZipAmbiguity)) -> Option<usize> {
    let mut later = false;
    for at in (0..=tail.len().checked_sub(END_LEN)?).rev() {
        let record = tail.get(at..)?;
        if !record.starts_with(END) {
            continue;
        }
        let comment = usize::from(le16(record, 20)?);
        if END_LEN + comment <= record.len() {
            // A signature too close to the end to be a record still stops a reader that looks for nothing else.
            let behind = record.get(4..).unwrap_or_default();
            if later || behind.windows(4).any(|w| w == END) {
                report(ZipAmbiguity::SeveralEnds);
            }
            return Some(at);
        }
        later = true;
    }
    None
}

struct Short {
    count: u16,
    size: u32,
    offset: u32,
    comment: u16,
    /// The numbers of disks: all zero, or all left to the zip64 record, or split.
    disks: [u16; 2],
}

impl Short {
    fn parse(record: &[u8]) -> Option<Self> {
        let record = record.get(..END_LEN)?;
        Some(Self {
            count: le16(record, 10).filter(|count| le16(record, 8) == Some(*count))?,
            size: le32(record, 12)?,
            offset: le32(record, 16)?,
            comment: le16(record, 20)?,
            disks: [le16(record, 4)?, le16(record, 6)?],
        })
    }
}

struct Long {
    at: u64,
    count: u64,
    size: u64,
    offset: u64,
}

/// The zip64 end record that a locator before the end record points to.
fn long_record<S: ReadAt + ?Sized>(
    source: &S,
    end_at: u64,
    report: &mut impl FnMut(ZipAmbiguity),
) -> Result<Option<Long>, ZipError> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR_LEN) else {
        return Ok(None);
    };
    let mut window = Window::new(source, 128);
    let locator = window.bytes(locator_at, 20)?;
    if !locator.starts_with(LOCATOR) {
        return Ok(None);
    }
    let stated = le64(locator, 8).ok_or(ZipError::BadEnd)?;
    // Some writers state no disks at all.
    if le32(locator, 4) != Some(0) || le32(locator, 16).is_none_or(|disks| disks > 1) {
        return Err(ZipError::MultiDisk);
    }
    // Python looks directly before the locator, Go where the locator points: one place, or two archives.
    let at = locator_at.checked_sub(END64_LEN).ok_or(ZipError::BadEnd)?;
    let record = window.bytes(at, 56)?;
    if !record.starts_with(END64) {
        return Err(ZipError::BadEnd);
    }
    if stated != at || le64(record, 4) != Some(END64_LEN - 12) {
        report(ZipAmbiguity::Zip64Place);
    }
    if le32(record, 16) != Some(0) || le32(record, 20) != Some(0) {
        return Err(ZipError::MultiDisk);
    }
    let long = |record: &[u8]| {
        Some(Long {
            at,
            count: le64(record, 32).filter(|count| le64(record, 24) == Some(*count))?,
            size: le64(record, 40)?,
            offset: le64(record, 48)?,
        })
    };
    Ok(Some(long(record).ok_or(ZipError::BadEnd)?))
}
