//! One entry of the central directory, one local header, and their extra fields.

use super::read_at::{ReadAt, Window, le16, le32, le64};
use super::{ZipAmbiguity, ZipError};

pub(super) const CENTRAL_LEN: usize = 46;
pub(super) const LOCAL_LEN: usize = 30;

/// Flag: the content is encrypted.
pub(super) const ENCRYPTED: u16 = 1;
/// Flag: sizes and CRC follow the content.
pub(super) const DESCRIPTOR: u16 = 1 << 3;
/// Flag: name and comment are UTF-8.
pub(super) const UTF8: u16 = 1 << 11;
/// Flags that decide how a member is read: encryption, descriptor, strong encryption, UTF-8, masked headers.
pub(super) const DECISIVE: u16 = ENCRYPTED | DESCRIPTOR | 1 << 6 | UTF8 | 1 << 13;

const ZIP64: u16 = 1;
const UNICODE_NAME: u16 = 0x7075;

/// What both kinds of header hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fields {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) dos_time: u32,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
}

impl Fields {
    /// Reads the run of common fields, which begins at the version needed (not kept) in both headers.
    fn parse(run: &[u8]) -> Option<Self> {
        Some(Self {
            flags: le16(run, 2)?,
            method: le16(run, 4)?,
            dos_time: le32(run, 6)?,
            crc: le32(run, 10)?,
            compressed: u64::from(le32(run, 14)?),
            size: u64::from(le32(run, 18)?),
        })
    }
}

/// An entry of the central directory. `name` is borrowed from the window.
pub(super) struct Central<'a> {
    pub(super) fields: Fields,
    pub(super) name: &'a [u8],
    pub(super) external: u32,
    pub(super) offset: u64,
    /// Bytes of the whole entry.
    pub(super) len: usize,
}

/// Reads the entry at `at`, which must end at or before `end`.
pub(super) fn central<'w, S: ReadAt + ?Sized>(
    window: &'w mut Window<'_, S>,
    at: u64,
    end: u64,
    report: &mut impl FnMut(ZipAmbiguity),
) -> Result<Central<'w>, ZipError> {
    let bad = || ZipError::BadDirectory { offset: at };
    let room = usize::try_from(end - at).unwrap_or(usize::MAX);
    if room < CENTRAL_LEN {
        return Err(bad());
    }
    let head = window.bytes(at, CENTRAL_LEN)?;
    if !head.starts_with(b"PK\x01\x02") {
        return Err(bad());
    }
    let lengths =
        [le16(head, 28), le16(head, 30), le16(head, 32)].map(|n| usize::from(n.unwrap_or(0)));
    let [name_len, extra_len, comment_len] = lengths;
    let len = CENTRAL_LEN + name_len + extra_len + comment_len;
    if len > room {
        return Err(bad());
    }
    let bytes = window.bytes(at, len)?;
    let head = |bytes: &[u8]| {
        let fields = Fields::parse(bytes.get(6..)?)?;
        Some((
            fields,
            le16(bytes, 34)?,
            le32(bytes, 38)?,
            u64::from(le32(bytes, 42)?),
        ))
    };
    let (mut fields, disk, external, mut offset) = head(bytes).ok_or_else(bad)?;
    let (name, behind) = bytes
        .get(CENTRAL_LEN..)
        .and_then(|b| b.split_at_checked(name_len))
        .ok_or_else(bad)?;
    let extra = behind.get(..extra_len).ok_or_else(bad)?;

    let found = extras(extra, name, report);
    let mut long = found.zip64.unwrap_or_default();
    let mut widen = |value: &mut u64| -> Option<()> {
        if *value == u64::from(u32::MAX) && found.zip64.is_some() {
            *value = le64(long, 0)?;
            long = long.get(8..)?;
        }
        Some(())
    };
    widen(&mut fields.size).ok_or_else(bad)?;
    widen(&mut fields.compressed).ok_or_else(bad)?;
    widen(&mut offset).ok_or_else(bad)?;
    let disk = if disk == u16::MAX {
        le32(long, 0).unwrap_or(0)
    } else {
        u32::from(disk)
    };
    if disk != 0 {
        return Err(ZipError::MultiDisk);
    }
    Ok(Central {
        fields,
        name,
        external,
        offset,
        len,
    })
}

/// A local header.
pub(super) struct Local<'a> {
    pub(super) fields: Fields,
    pub(super) name: &'a [u8],
    /// Bytes of the whole header; content follows.
    pub(super) len: usize,
}

/// Reads the local header at `at`, which must end at or before `end`.
pub(super) fn local<'w, S: ReadAt + ?Sized>(
    window: &'w mut Window<'_, S>,
    at: u64,
    end: u64,
    report: &mut impl FnMut(ZipAmbiguity),
) -> Result<Local<'w>, ZipError> {
    let bad = || ZipError::BadLocal { offset: at };
    let room = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
    if room < LOCAL_LEN {
        return Err(bad());
    }
    let head = window.bytes(at, LOCAL_LEN)?;
    if !head.starts_with(b"PK\x03\x04") {
        return Err(bad());
    }
    let [name_len, extra_len] =
        [le16(head, 26), le16(head, 28)].map(|n| usize::from(n.unwrap_or(0)));
    let len = LOCAL_LEN + name_len + extra_len;
    if len > room {
        return Err(bad());
    }
    let bytes = window.bytes(at, len)?;
    let mut fields = bytes.get(4..).and_then(Fields::parse).ok_or_else(bad)?;
    let (name, extra) = bytes
        .get(LOCAL_LEN..)
        .and_then(|b| b.split_at_checked(name_len))
        .ok_or_else(bad)?;
    if let Some(long) = extras(extra, name, report).zip64 {
        // A local header has either both sizes there or none.
        for (value, at) in [(&mut fields.size, 0), (&mut fields.compressed, 8)] {
            if *value == u64::from(u32::MAX) {
                *value = le64(long, at).ok_or_else(bad)?;
            }
        }
    }
    Ok(Local { fields, name, len })
}

struct Extras<'a> {
    zip64: Option<&'a [u8]>,
}

/// Walks the extra fields.
fn extras<'a>(
    mut rest: &'a [u8],
    name: &[u8],
    report: &mut impl FnMut(ZipAmbiguity),
) -> Extras<'a> {
    let mut zip64 = None;
    while !rest.is_empty() {
        let split = |rest: &'a [u8]| {
            let (id, len) = (le16(rest, 0)?, usize::from(le16(rest, 2)?));
            let (body, behind) = rest.get(4..)?.split_at_checked(len)?;
            Some((id, body, behind))
        };
        let Some((id, body, behind)) = split(rest) else {
            report(ZipAmbiguity::Extra);
            break;
        };
        match id {
            ZIP64 if zip64.is_some() => report(ZipAmbiguity::RepeatedZip64),
            ZIP64 => zip64 = Some(body),
            // Version and CRC of the header's name stand before the other name.
            UNICODE_NAME if body.get(5..) != Some(name) => report(ZipAmbiguity::UnicodeName),
            _ => {}
        }
        rest = behind;
    }
    Extras { zip64 }
}
