//! Framing of the claims file: a header, then records one after the other, never changed once written.
//!
//! Header, 16 bytes: `untaint claims` and a line end, then the version, 1. Record: length of the payload (u32,
//! little-endian), kind (u8), payload, and the first 16 bytes of BLAKE3 over all of that. Payload: length of the key (u16,
//! little-endian), key, value. The newest record of a kind and key counts.
//!
//! A record that breaks off at the end of the file is a torn tail: a writer was killed or the disk was full. Anything else
//! that does not fit is corruption; nothing behind it is read, since where the next record begins is not known.

/// What a claims file begins with, without the version.
const MAGIC: &[u8; 15] = b"untaint claims\n";
/// The version that is written and read.
const VERSION: u8 = 1;
/// Length of the header.
pub(super) const HEADER: usize = 16;
/// Bytes of a record around its payload.
const AROUND: usize = 4 + 1 + 16;
/// Largest payload.
pub(super) const LARGEST: usize = 64 << 20;

/// What a record is about. Numbers are part of the format; unknown ones are kept and not understood.
pub(super) mod kind {
    /// A registry's listing of a package.
    pub(in super::super) const LISTING: u8 = 1;
    /// What an archive holds.
    pub(in super::super) const MANIFEST: u8 = 2;
    /// The digest that an artifact had when it was first seen.
    pub(in super::super) const FIRST_SEEN: u8 = 3;
    /// The newest signed head of a log.
    pub(in super::super) const LOG_HEAD: u8 = 4;
    /// Bytes that carry their own proof.
    pub(in super::super) const BLOB: u8 = 5;
    /// A claims file that was imported.
    pub(in super::super) const IMPORTED: u8 = 6;
    /// A listing was confirmed unchanged.
    pub(in super::super) const CONFIRMED: u8 = 7;
    /// What a registry said earlier and says otherwise now.
    pub(in super::super) const EARLIER: u8 = 8;
    /// A listing from a file that nobody vouched for: declared at most.
    pub(in super::super) const DECLARED_LISTING: u8 = 9;
}

/// A record in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// Where it begins.
    pub(super) start: usize,
    /// What it is about.
    pub(super) kind: u8,
    /// Whom it is about.
    pub(super) key: &'a [u8],
    /// What is said.
    pub(super) value: &'a [u8],
    /// All its bytes.
    pub(super) whole: &'a [u8],
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At the end of the last record.
    Whole,
    /// The last record breaks off; it begins here.
    Torn(usize),
    /// Something that is no record begins here.
    Corrupt(usize),
    /// Not a claims file.
    Foreign,
    /// Written by a newer untaint.
    Newer(u8),
}

/// The header of an empty file.
pub(super) fn header() -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.push(VERSION);
    out
}

/// Appends a record; `false` when key or value are too long to be kept.
pub(super) fn put(out: &mut Vec<u8>, kind: u8, key: &[u8], value: &[u8]) -> bool {
    let length = 2 + key.len() + value.len();
    let (Ok(key_length), Ok(payload)) = (u16::try_from(key.len()), u32::try_from(length)) else {
        return false;
    };
    if length > LARGEST {
        return false;
    }
    let mut record = Vec::with_capacity(length + AROUND);
    record.extend_from_slice(&payload.to_le_bytes());
    record.push(kind);
    record.extend_from_slice(&key_length.to_le_bytes());
    record.extend_from_slice(key);
    record.extend_from_slice(value);
    let sum = checksum(&record);
    record.extend_from_slice(&sum);
    out.extend_from_slice(&record);
    true
}

/// Hands over every record in order, and says how the file ended.
pub(super) fn walk<'a>(bytes: &'a [u8], mut each: impl FnMut(Record<'a>)) -> End {
    match bytes.split_at_checked(HEADER) {
        None if bytes.is_empty() || header().starts_with(bytes) => return End::Torn(0),
        None => return End::Foreign,
        Some((head, _)) => match head.split_last() {
            Some((&VERSION, magic)) if magic == MAGIC => {}
            Some((version, magic)) if magic == MAGIC && *version > VERSION => {
                return End::Newer(*version);
            }
            _ => return End::Foreign,
        },
    }
    let mut at = HEADER;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return End::Whole;
        }
        match one(rest, at) {
            Step::Record(record) => {
                at += record.whole.len();
                each(record);
            }
            Step::Torn => return End::Torn(at),
            Step::Corrupt => return End::Corrupt(at),
        }
    }
}

/// The record that begins at a position that [`walk`] has named.
pub(super) fn at(bytes: &[u8], start: usize) -> Option<Record<'_>> {
    let (length, rest) = bytes.get(start..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (kind, rest) = rest.split_first()?;
    let payload = rest.get(..length)?;
    let (key, value) = split(payload)?;
    Some(Record {
        start,
        kind: *kind,
        key,
        value,
        whole: bytes.get(start..start.checked_add(length)?.checked_add(AROUND)?)?,
    })
}

/// What begins at a position.
enum Step<'a> {
    Record(Record<'a>),
    Torn,
    Corrupt,
}

/// Reads one record and holds its checksum against its bytes.
fn one(rest: &[u8], start: usize) -> Step<'_> {
    let Some((length, _)) = rest.split_first_chunk::<4>() else {
        return Step::Torn;
    };
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    // A disk that filled up or lost power can leave NULs where the tail should be.
    let nothing = || rest.iter().all(|b| *b == 0);
    if length > LARGEST {
        return Step::Corrupt;
    }
    let Some((whole, behind)) = rest.split_at_checked(length + AROUND) else {
        return Step::Torn;
    };
    let Some((said, sum)) = whole.split_last_chunk::<16>() else {
        return Step::Corrupt;
    };
    let parts = said.get(5..).and_then(split);
    match (checksum(said) == *sum, parts, said.get(4)) {
        (true, Some((key, value)), Some(kind)) => Step::Record(Record {
            start,
            kind: *kind,
            key,
            value,
            whole,
        }),
        (false, ..) if behind.is_empty() || nothing() => Step::Torn,
        _ => Step::Corrupt,
    }
}

/// Splits a payload into key and value.
fn split(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = payload.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

/// First 16 bytes of BLAKE3.
pub(super) fn checksum(bytes: &[u8]) -> [u8; 16] {
    let mut sum = [0; 16];
    for (to, from) in sum.iter_mut().zip(blake3::hash(bytes).as_bytes()) {
        *to = *from;
    }
    sum
}
