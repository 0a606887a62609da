//! The embedded snapshot of advisory facts, and how it is made.
//!
//! One compiled index per embedded feed of the catalogue stands in `advisories/`; `advisories/snapshot.toml` says from which file, of which
//! date, each was made. The same files and the same list give the same bytes. The age of a snapshot runs from the date in the list, so that an
//! old program never passes its data off as current.

use super::{
    archive::{self, ArchiveError},
    catalogue,
    index::{AdvisoryDb, FeedOrigin, IndexError},
    reading::seconds_of,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

const LIST: &str = include_str!("../../../advisories/snapshot.toml");

const EMBEDDED: &[(&str, &[u8])] = &[
    (
        "go-vulndb",
        include_bytes!("../../../advisories/go-vulndb.idx"),
    ),
    ("pypa", include_bytes!("../../../advisories/pypa.idx")),
    ("rustsec", include_bytes!("../../../advisories/rustsec.idx")),
];

/// From what one index of the snapshot is made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the feed in the catalogue.
    pub feed: String,
    /// The file, relative to the folder that the command is given.
    pub file: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// When the feed was of this content, RFC 3339: its age runs from here.
    pub as_of: String,
    /// Where the file comes from.
    pub from: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    source: Vec<Source>,
}

/// Why a snapshot cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The list names a feed that the catalogue does not embed, or states no date.
    #[error("advisories/snapshot.toml: {0}")]
    List(String),
    /// The file is another one than the list names.
    #[error(
        "{file} has the sha256 {found}, the list says {expected}: correct advisories/snapshot.toml if it is a new export"
    )]
    OtherFile {
        /// The file.
        file: String,
        /// Its SHA-256.
        found: String,
        /// That of the list.
        expected: String,
    },
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Archive {
        /// The file.
        file: String,
        /// Why.
        source: ArchiveError,
    },
    /// A record cannot be read. A snapshot is made from whole data only.
    #[error("{file}: {entry} cannot be read: {why}")]
    Record {
        /// The file.
        file: String,
        /// The record's place in it.
        entry: String,
        /// Why.
        why: String,
    },
    /// The index cannot be written.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// The committed list of sources.
///
/// # Errors
///
/// The list is not in its form; tests hold that it is.
pub fn sources() -> Result<Vec<Source>, SnapshotError> {
    sources_of(LIST)
}

fn sources_of(text: &str) -> Result<Vec<Source>, SnapshotError> {
    toml::from_str::<List>(text)
        .map(|list| list.source)
        .map_err(|error| SnapshotError::List(error.message().to_owned()))
}

/// Makes one index of the snapshot from the bytes of its file. It is written as `<feed>.idx`.
///
/// # Errors
///
/// The list and the file do not fit, or anything in the file cannot be read.
pub fn build(source: &Source, file: &[u8]) -> Result<Vec<u8>, SnapshotError> {
    let found: String = Sha256::digest(file)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found != source.sha256 {
        return Err(SnapshotError::OtherFile {
            file: source.file.clone(),
            found,
            expected: source.sha256.clone(),
        });
    }
    let feed = catalogue::feed_named(&source.feed)
        .filter(|feed| feed.embedded)
        .ok_or_else(|| SnapshotError::List(format!("`{}` is no embedded feed", source.feed)))?;
    let as_of = seconds_of(&source.as_of)
        .ok_or_else(|| SnapshotError::List(format!("`{}` is no RFC 3339 time", source.as_of)))?;
    let reading = archive::read(&feed, file).map_err(|error| SnapshotError::Archive {
        file: source.file.clone(),
        source: error,
    })?;
    if let Some(bad) = reading.named.first() {
        return Err(SnapshotError::Record {
            file: source.file.clone(),
            entry: bad.entry.clone(),
            why: bad.why.clone(),
        });
    }
    Ok(feed.compile(reading, Some(as_of), FeedOrigin::Snapshot)?)
}

/// Opens the embedded index of a feed; `None` if the catalogue does not embed it.
///
/// # Errors
///
/// The program's own bytes are damaged.
pub fn open(feed: &str) -> Option<Result<AdvisoryDb, IndexError>> {
    EMBEDDED
        .iter()
        .find(|(name, _)| *name == feed)
        .map(|(_, bytes)| AdvisoryDb::open(*bytes))
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
