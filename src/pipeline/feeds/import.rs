//! Takes a feed from a file into our state: `untaint feeds import`.
//!
//! The same rules hold as for what a server gives: nothing older, smaller or more broken takes the place of what is in use.

use sha2::{Digest as _, Sha256};

use crate::model::Digest;
use crate::model::day::Day;
use crate::pipeline::advise::archive::{self, ArchiveError};
use crate::pipeline::advise::catalogue::{self, Feed, FeedFormat};
use crate::pipeline::advise::freshness::{self, Refusal};
use crate::pipeline::advise::index::{AdvisoryDb, FeedMeta, FeedOrigin, IndexError};
use crate::pipeline::advise::snapshot;
use crate::world::{PathError, StateDir};

use super::kept::{self, Sidecar};

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is another file than the user means.
    #[error("its sha256 is {found}, not the one that was given: fetch the file anew")]
    OtherFile {
        /// What it hashes to, lower-case hex.
        found: String,
    },
    /// The day lies ahead.
    #[error("{0} is in the future: give the day on which the file was current")]
    Future(Day),
    /// It cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It is about nothing that we have a feed for.
    #[error("it holds no advisory for an ecosystem that untaint has a feed for ({0})")]
    Foreign(String),
    /// It may not take the place of what is in use.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// What is in use was confirmed on a later day.
    #[error("refused: the feed in use is of {in_use}, this file of {file}; the old one is kept")]
    Older {
        /// Day of the feed in use.
        in_use: Day,
        /// Day of the file.
        file: Day,
    },
    /// It cannot be compiled.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Our state cannot be written.
    #[error("the feed cannot be kept: {0}")]
    State(#[from] PathError),
    /// Another process writes.
    #[error("another untaint is writing feeds: run again")]
    Busy,
}

impl ImportError {
    /// Whether the file was read and judged, and may not be used: a finding rather than a failure.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Older { .. })
    }
}

/// A feed that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// What is known of it.
    pub meta: FeedMeta,
    /// Records that could not be read and were left out.
    pub unreadable: u64,
}

/// Reads, checks and keeps a feed.
///
/// `as_of` is the day on which the file was its server's content; without it the feed is as old as the newest date in it. `now` in seconds
/// since 1970.
///
/// # Errors
///
/// [`ImportError`]; what was kept before is then whole.
pub fn import(
    state: &dyn StateDir,
    bytes: &[u8],
    sha256: &Digest,
    as_of: Option<Day>,
    now: i64,
) -> Result<Imported, ImportError> {
    let found = Digest::sha256(Sha256::digest(bytes).into());
    if found != *sha256 {
        return Err(ImportError::OtherFile { found: found.hex() });
    }
    if let Some(day) = as_of.filter(|day| *day > Day::of(now)) {
        return Err(ImportError::Future(day));
    }
    let feed = feed_of(bytes)?;
    let reading = archive::read(&feed, bytes)?;
    let snapshot = snapshot::open(&feed.name).and_then(Result::ok);
    // A kept feed that is broken is no rule for the new one.
    let kept = kept::read(state, &feed).ok().flatten().map(|(db, _)| db);
    let in_use = freshness::choose(snapshot.into_iter().chain(kept).collect(), now).pop();
    freshness::admit(in_use.as_ref().map(AdvisoryDb::meta), &reading)?;
    // The day counts to its end: the time of day is not known.
    let confirmed = as_of.map(|day| day.start().saturating_add(86_399).min(now));
    let unreadable = reading.unreadable;
    let index = feed.compile(reading, confirmed, FeedOrigin::Imported)?;
    let db = AdvisoryDb::open(index.clone())?;
    let day = |meta: &FeedMeta| meta.confirmed.or(meta.updated).map(Day::of);
    if let (Some(in_use), Some(file)) = (
        in_use.as_ref().and_then(|db| day(db.meta())),
        day(db.meta()),
    ) && in_use > file
    {
        return Err(ImportError::Older { in_use, file });
    }
    let sidecar = Sidecar {
        unreadable,
        ..Sidecar::default()
    };
    if !kept::write(state, &feed, Some(&index), &db, &sidecar)? {
        return Err(ImportError::Busy);
    }
    Ok(Imported {
        meta: db.meta().clone(),
        unreadable,
    })
}

/// Which feed a file is of: RustSec's archive by its form, an OSV export by what its records are about.
fn feed_of(bytes: &[u8]) -> Result<Feed, ImportError> {
    let feeds = catalogue::feeds();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return feeds
            .into_iter()
            .find(|feed| feed.format == FeedFormat::RustsecArchive)
            .ok_or(ImportError::Archive(ArchiveError::Unknown));
    }
    let about = archive::ecosystems(bytes)?;
    feeds
        .into_iter()
        .filter_map(|feed| Some((*about.get(&feed.osv)?, feed)))
        .max_by_key(|(times, _)| *times)
        .map(|(_, feed)| feed)
        .ok_or_else(|| {
            let names: Vec<&str> = about.keys().take(5).map(String::as_str).collect();
            ImportError::Foreign(if names.is_empty() {
                "no OSV record is in it".to_owned()
            } else {
                format!("it is about {}", names.join(", "))
            })
        })
}
