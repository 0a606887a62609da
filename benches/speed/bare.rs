//! The bare work that every audit is held against: on all cores, largest first, nothing judged, memory no object.

use std::io::{Error, Read as _, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags};
use sha2::{Digest as _, Sha256};

use crate::place::each;

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Reads and hashes every archive with plain `sha2`; gives the number of bytes.
pub(crate) fn hash_archives(home: &Path) -> Result<u64> {
    let archives = archives(home)?;
    over(&archives, |path, buffer: &mut Vec<u8>| {
        buffer.resize(128 << 10, 0);
        let mut file = std::fs::File::open(path)?;
        let mut hasher = Sha256::new();
        let mut total = 0;
        loop {
            match file.read(buffer)? {
                0 => break,
                n => {
                    hasher.update(buffer.get(..n).unwrap_or_default());
                    total += n as u64;
                }
            }
        }
        std::hint::black_box(hasher.finalize());
        Ok(total)
    })
}

/// Buffers of one thread.
#[derive(Default)]
struct Inflating {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
    engine: libdeflater::Decompressor,
}

/// Reads, hashes and inflates every archive with libdeflate, whole; gives the number of inflated bytes.
pub(crate) fn inflate_archives(home: &Path) -> Result<u64> {
    let archives = archives(home)?;
    over(&archives, |path, own: &mut Inflating| {
        own.packed.clear();
        std::fs::File::open(path)?.read_to_end(&mut own.packed)?;
        std::hint::black_box(Sha256::digest(&own.packed));
        let stored = own.packed.last_chunk::<4>().copied().unwrap_or_default();
        let size = usize::try_from(u32::from_le_bytes(stored)).map_err(Error::other)?;
        if own.unpacked.len() < size {
            own.unpacked.resize(size, 0);
        }
        let n = own
            .engine
            .gzip_decompress(&own.packed, &mut own.unpacked)
            .map_err(Error::other)?;
        std::hint::black_box(&own.unpacked);
        Ok(n as u64)
    })
}

/// Every archive of a CARGO_HOME, largest first.
fn archives(home: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    each(&home.join("registry/cache"), &mut |path, size| {
        if path.extension().is_some_and(|e| e == "crate") {
            all.push((size, path.to_owned()));
        }
    })?;
    all.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all.into_iter().map(|(_, path)| path).collect())
}

/// Spreads files over all cores; gives the sum of the results.
pub(crate) fn over<S: Default>(
    files: &[PathBuf],
    work: impl Fn(&Path, &mut S) -> Result<u64> + Sync,
) -> Result<u64> {
    let next = AtomicUsize::new(0);
    let total = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores())
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let mut own = S::default();
                    while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        total.fetch_add(work(path, &mut own)?, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| Error::other("a thread died"))?)
    })?;
    Ok(total.into_inner())
}

/// Folders that wait to be listed, and how many are being listed.
#[derive(Default)]
struct Waiting {
    folders: Vec<PathBuf>,
    busy: usize,
}

/// Lists every folder on all cores and looks once at every entry, relative to its folder; gives their number.
pub(crate) fn walk(root: &Path) -> Result<u64> {
    let waiting = Mutex::new(Waiting {
        folders: vec![root.to_owned()],
        busy: 0,
    });
    let changed = Condvar::new();
    let seen = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores())
            .map(|_| scope.spawn(|| worker(&waiting, &changed, &seen)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| Error::other("a thread died"))?)
    })?;
    Ok(seen.into_inner())
}

fn worker(waiting: &Mutex<Waiting>, changed: &Condvar, seen: &AtomicU64) -> Result<()> {
    let mut buffer = Vec::with_capacity(64 << 10);
    loop {
        let dir = {
            let mut held = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if let Some(dir) = held.folders.pop() {
                    held.busy += 1;
                    break dir;
                }
                if held.busy == 0 {
                    return Ok(());
                }
                held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let below = list(&dir, &mut buffer, seen);
        let mut held = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        held.busy -= 1;
        let below = below.inspect_err(|_| changed.notify_all())?;
        held.folders.extend(below);
        changed.notify_all();
    }
}

fn list(dir: &Path, buffer: &mut Vec<u8>, seen: &AtomicU64) -> Result<Vec<PathBuf>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = rustix::fs::open(dir, flags, Mode::empty())?;
    let mut raw = rustix::fs::RawDir::new(&handle, buffer.spare_capacity_mut());
    let mut below = Vec::new();
    let mut count = 0;
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = rustix::fs::statat(&handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
        count += 1;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir() {
            use std::os::unix::ffi::OsStrExt as _;
            below.push(dir.join(std::ffi::OsStr::from_bytes(name.to_bytes())));
        }
    }
    seen.fetch_add(count, Ordering::Relaxed);
    Ok(below)
}
