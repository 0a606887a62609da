//! The space before the directory: each local header against its entry, and every byte accounted for.

use super::end::End;
use super::read_at::{ReadAt, Window, le32, le64};
use super::record::{self, DECISIVE, DESCRIPTOR, Local};
use super::{ZipAmbiguity, ZipEntry, ZipError};
use crate::formats::ambiguity::Ambiguities;

/// One read gets a descriptor, the next local header and its name in most archives.
const CHUNK: usize = 1024;

/// Compares local headers, fills in where content begins, and looks for gaps and overlaps.
pub(super) fn check<S: ReadAt + ?Sized>(
    source: &S,
    end: &End,
    entries: &mut [ZipEntry],
    all: &mut Ambiguities<ZipAmbiguity>,
) -> Result<(), ZipError> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|at| entries.get(*at).map(|entry| entry.header_offset));
    let mut window = Window::new(source, CHUNK);
    let mut free = end.base;
    for (position, at) in order.iter().enumerate() {
        let next = order.get(position + 1).and_then(|next| entries.get(*next));
        let boundary = next.map_or(end.directory, |next| next.header_offset);
        let Some(entry) = entries.get_mut(*at) else {
            continue;
        };
        if entry.header_offset > free {
            let first = position == 0;
            all.push(
                &entry.name,
                if first {
                    ZipAmbiguity::Prefix
                } else {
                    ZipAmbiguity::Gap
                },
            );
        }
        if entry.header_offset < free {
            all.push(&entry.name, ZipAmbiguity::Overlap);
        }
        free = free.max(member(&mut window, entry, end.directory, boundary, all)?);
    }
    if free < end.directory {
        all.push(b"", ZipAmbiguity::Gap);
    }
    Ok(())
}

/// Compares one member; returns where it ends.
fn member<S: ReadAt + ?Sized>(
    window: &mut Window<'_, S>,
    entry: &mut ZipEntry,
    directory: u64,
    boundary: u64,
    all: &mut Ambiguities<ZipAmbiguity>,
) -> Result<u64, ZipError> {
    let at = entry.header_offset;
    let mut report = |kind| all.push(&entry.name, kind);
    let local = record::local(window, at, directory, &mut report)?;
    compare(entry, &local, &mut report);
    entry.data_offset = at + local.len as u64;
    let data_end = entry
        .data_offset
        .checked_add(entry.compressed)
        .filter(|data_end| *data_end <= directory)
        .ok_or(ZipError::Truncated)?;
    if entry.flags & DESCRIPTOR == 0 {
        return Ok(data_end);
    }
    let found = descriptor(window, entry, data_end, directory, boundary)?;
    if found.is_none() {
        all.push(&entry.name, ZipAmbiguity::Descriptor);
    }
    Ok(data_end + found.unwrap_or(0))
}

fn compare(entry: &ZipEntry, local: &Local<'_>, report: &mut impl FnMut(ZipAmbiguity)) {
    let fields = &local.fields;
    if *local.name != *entry.name {
        report(ZipAmbiguity::LocalName);
    }
    if fields.method != entry.method {
        report(ZipAmbiguity::LocalMethod);
    }
    let differing = fields.flags ^ entry.flags;
    if differing & DECISIVE != 0 {
        report(ZipAmbiguity::LocalFlags);
    }
    // A writer that announces a descriptor leaves these empty.
    let later = entry.flags & DESCRIPTOR != 0;
    let same = |local: u64, central: u64| local == central || (later && local == 0);
    if !same(fields.size, entry.size) || !same(fields.compressed, entry.compressed) {
        report(ZipAmbiguity::LocalSize);
    }
    if !same(u64::from(fields.crc), u64::from(entry.crc)) {
        report(ZipAmbiguity::LocalChecksum);
    }
    if differing & !DECISIVE != 0 || fields.dos_time != entry.dos_time {
        report(ZipAmbiguity::LocalOther);
    }
}

/// The length of the data descriptor that repeats the entry's numbers. There are four forms, with and without
/// signature and with two widths; one that ends at `boundary` is preferred.
fn descriptor<S: ReadAt + ?Sized>(
    window: &mut Window<'_, S>,
    entry: &ZipEntry,
    at: u64,
    directory: u64,
    boundary: u64,
) -> Result<Option<u64>, ZipError> {
    let room = usize::try_from(directory - at)
        .unwrap_or(usize::MAX)
        .min(24);
    let bytes = window.bytes(at, room)?;
    let numbers = |from: usize, wide: bool| {
        let crc = le32(bytes, from)?;
        let [compressed, size] = if wide {
            [le64(bytes, from + 4)?, le64(bytes, from + 12)?]
        } else {
            [le32(bytes, from + 4)?, le32(bytes, from + 8)?].map(u64::from)
        };
        Some((crc, compressed, size) == (entry.crc, entry.compressed, entry.size))
    };
    let signed = bytes.starts_with(b"PK\x07\x08");
    let mut fitting = None;
    for (with_signature, wide, len) in [
        (true, false, 16),
        (true, true, 24),
        (false, false, 12),
        (false, true, 20),
    ] {
        let from = if with_signature { 4 } else { 0 };
        if (with_signature && !signed) || numbers(from, wide) != Some(true) {
            continue;
        }
        if at + len == boundary {
            return Ok(Some(len));
        }
        fitting = fitting.or(Some(len));
    }
    Ok(fitting)
}
