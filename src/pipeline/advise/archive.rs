//! From a feed's file to its records: the archives that advisory servers give, opened by our strict readers, entry by entry.
//!
//! An archive that cannot be read to its end is refused as a whole: half a feed would look like one that shrank. A single record that cannot
//! be read is counted by the format's reader instead. Nothing is extracted to disk.

use super::{
    catalogue::Feed,
    osv::{self, OsvLimits},
    reading::{FeedEntry, Reading},
    rustsec_db,
};
use crate::formats::{
    gzip::GzipStream,
    limits::Limits,
    tar::{TarKind, TarReader},
    zip::{EntryReader, ZipArchive, ZipKind},
};
use serde::Deserialize;
use std::{collections::BTreeMap, io::Read as _};

const MIB: u64 = 1 << 20;

/// Bounds for a feed's file. The largest known one (OSV's npm export) is about 180 MB with 230,000 records.
pub const LIMITS: Limits = Limits {
    max_compressed: 1024 * MIB,
    max_inflated: 8192 * MIB,
    max_entries: 2_000_000,
    ..Limits::DEFAULT
};

/// Largest single file of a feed's archive.
const LARGEST_ENTRY: u64 = 16 * MIB;

/// A feed's file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Neither gzip nor zip.
    #[error("neither an OSV export (.zip) nor a RustSec archive (.tar.gz)")]
    Unknown,
    /// The archive is damaged or beyond the limits.
    #[error("the feed's archive cannot be read: {0}")]
    Damaged(String),
}

/// Reads a feed's file, whichever of the two forms it has.
///
/// # Errors
///
/// The file is of neither form, damaged, or beyond [`LIMITS`].
pub fn read(feed: &Feed, bytes: &[u8]) -> Result<Reading, ArchiveError> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        read_rustsec(bytes)
    } else if bytes.starts_with(b"PK") {
        read_osv(feed, bytes)
    } else {
        Err(ArchiveError::Unknown)
    }
}

/// Files of an export that are looked into to learn what it is about.
const LOOKED_INTO: usize = 500;

/// The OSV ecosystems that an OSV export is about, with the number of times its first records name each.
///
/// # Errors
///
/// The file is no OSV export, or damaged.
pub fn ecosystems(bytes: &[u8]) -> Result<BTreeMap<String, usize>, ArchiveError> {
    #[derive(Deserialize)]
    struct Record {
        #[serde(default)]
        affected: Vec<Affected>,
    }
    #[derive(Deserialize)]
    struct Affected {
        package: Option<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        ecosystem: String,
    }
    if !bytes.starts_with(b"PK") {
        return Err(ArchiveError::Unknown);
    }
    let archive = ZipArchive::open(bytes, LIMITS, None).map_err(damaged)?;
    let mut reader = EntryReader::new();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let files = archive.entries().iter().filter(|listed| {
        listed.kind == ZipKind::File
            && listed.size <= LARGEST_ENTRY
            && listed.name.ends_with(b".json")
    });
    for listed in files.take(LOOKED_INTO) {
        let mut content = Vec::new();
        reader
            .read(&archive, listed, &mut |piece| {
                content.extend_from_slice(piece);
            })
            .map_err(damaged)?;
        let Ok(record) = serde_json::from_slice::<Record>(&content) else {
            continue;
        };
        for package in record.affected.into_iter().filter_map(|a| a.package) {
            // `Alpine:v3.1` is a part of an ecosystem.
            let name = package.ecosystem.split(':').next().unwrap_or_default();
            *found.entry(name.to_owned()).or_default() += 1;
        }
    }
    Ok(found)
}

/// Reads RustSec's `.tar.gz`.
fn read_rustsec(bytes: &[u8]) -> Result<Reading, ArchiveError> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > LIMITS.max_compressed {
        return Err(damaged("it is too large"));
    }
    let source = GzipStream::new(bytes, LIMITS.inflated_cap(length));
    let mut archive = TarReader::new(source, LIMITS, None);
    let mut failed = None;
    let entries = std::iter::from_fn(|| {
        loop {
            match next_file(&mut archive) {
                Ok(Step::File(entry)) => return Some(entry),
                Ok(Step::Other) => {}
                Ok(Step::End) => return None,
                Err(error) => {
                    failed = Some(error);
                    return None;
                }
            }
        }
    });
    let reading = rustsec_db::read_feed(entries);
    failed.map_or(Ok(reading), Err)
}

/// Reads an OSV `all.zip`.
fn read_osv(feed: &Feed, bytes: &[u8]) -> Result<Reading, ArchiveError> {
    let archive = ZipArchive::open(bytes, LIMITS, None).map_err(damaged)?;
    let mut reader = EntryReader::new();
    let mut failed = None;
    let mut listed = archive.entries().iter();
    let entries = std::iter::from_fn(|| {
        for listed in listed.by_ref() {
            let Ok(name) = std::str::from_utf8(&listed.name) else {
                continue;
            };
            if listed.kind != ZipKind::File || !name.ends_with(".json") {
                continue;
            }
            if listed.size > LARGEST_ENTRY {
                failed = Some(damaged(format!(
                    "{name} is larger than {LARGEST_ENTRY} bytes"
                )));
                return None;
            }
            let mut content = Vec::new();
            let passed = reader.read(&archive, listed, &mut |piece| {
                content.extend_from_slice(piece);
            });
            if let Err(error) = passed {
                failed = Some(damaged(format!("{name}: {error}")));
                return None;
            }
            return Some(FeedEntry {
                name: name.to_owned(),
                bytes: content,
                mtime: None,
            });
        }
        None
    });
    let reading = osv::read_feed(entries, &feed.osv, OsvLimits::default());
    failed.map_or(Ok(reading), Err)
}

enum Step {
    File(FeedEntry),
    Other,
    End,
}

fn next_file<R: std::io::BufRead>(archive: &mut TarReader<R>) -> Result<Step, ArchiveError> {
    let Some(mut member) = archive.next_member().map_err(damaged)? else {
        return Ok(Step::End);
    };
    let entry = member.entry();
    let name = match std::str::from_utf8(&entry.path) {
        Ok(name) if entry.kind == TarKind::File && name.ends_with(".md") => name.to_owned(),
        _ => return Ok(Step::Other),
    };
    if entry.size > LARGEST_ENTRY {
        return Err(damaged(format!(
            "{name} is larger than {LARGEST_ENTRY} bytes"
        )));
    }
    let mtime = Some(entry.mtime);
    let mut bytes = Vec::new();
    member.read_to_end(&mut bytes).map_err(damaged)?;
    Ok(Step::File(FeedEntry { name, bytes, mtime }))
}

fn damaged(error: impl ToString) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}
