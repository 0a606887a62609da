//! The bare work that an audit of module zips is held against: reading, hashing and inflating them, nothing judged, memory
//! no object.

use std::io::{Error, Read as _, Result};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::bare::over;
use crate::place::each;

/// Buffers of one thread.
#[derive(Default)]
struct Inflating {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
    engine: libdeflater::Decompressor,
}

/// Reads and hashes every zip, inflates every member with libdeflate, whole, and hashes it; gives the number of inflated
/// bytes.
pub(crate) fn inflate(cache: &Path) -> Result<u64> {
    let zips = zips(cache)?;
    over(&zips, |path, own: &mut Inflating| {
        own.packed.clear();
        std::fs::File::open(path)?.read_to_end(&mut own.packed)?;
        std::hint::black_box(Sha256::digest(&own.packed));
        members(own).ok_or_else(|| Error::other(format!("{} is no plain zip", path.display())))
    })
}

/// Every zip of a module cache, largest first.
pub(crate) fn zips(cache: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    each(&cache.join("cache/download"), &mut |path, size| {
        if path.extension().is_some_and(|e| e == "zip") {
            all.push((size, path.to_owned()));
        }
    })?;
    all.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all.into_iter().map(|(_, path)| path).collect())
}

/// Inflates and hashes the members that the directory lists.
fn members(own: &mut Inflating) -> Option<u64> {
    let zip = own.packed.as_slice();
    let number = |at: usize, bytes: usize| -> Option<usize> {
        let raw = zip.get(at..at + bytes)?;
        let wide = raw.iter().rev().fold(0u64, |n, b| (n << 8) | u64::from(*b));
        usize::try_from(wide).ok()
    };
    // No comment is longer than 64 KiB.
    let end = (0..=zip.len().checked_sub(22)?)
        .rev()
        .take(1 << 16)
        .find(|at| zip.get(*at..*at + 4) == Some(b"PK\x05\x06"))?;
    let wide = end
        .checked_sub(20)
        .filter(|at| zip.get(*at..*at + 4) == Some(b"PK\x06\x07"));
    let mut at = match wide {
        Some(locator) => number(number(locator + 8, 8)? + 48, 8)?,
        None => number(end + 16, 4)?,
    };
    let mut total = 0;
    while zip.get(at..at + 4) == Some(b"PK\x01\x02") {
        // Members of 4 GiB and headers behind that do not occur here.
        let (method, packed, size) = (
            number(at + 10, 2)?,
            number(at + 20, 4)?,
            number(at + 24, 4)?,
        );
        let local = number(at + 42, 4)?;
        let begin = local + 30 + number(local + 26, 2)? + number(local + 28, 2)?;
        let bytes = zip.get(begin..begin + packed)?;
        if method == 0 {
            std::hint::black_box(Sha256::digest(bytes));
        } else {
            if own.unpacked.len() < size {
                own.unpacked.resize(size, 0);
            }
            let room = own.unpacked.get_mut(..size)?;
            own.engine.deflate_decompress(bytes, room).ok()?;
            std::hint::black_box(Sha256::digest(room));
        }
        total += size as u64;
        at += 46 + number(at + 28, 2)? + number(at + 30, 2)? + number(at + 32, 2)?;
    }
    Some(total)
}
