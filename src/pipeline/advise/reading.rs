//! What reading a feed gives: the good records, how many there were, and which could not be read.
//!
//! Every feed format ends here, so that counting, limits and the newest date are the same for all. A bad record is named and counted; it
//! never stops the rest and never becomes a record.

use super::record::AdvisoryRecord;

/// Unreadable entries that are named; the rest is only counted.
const NAMED: usize = 50;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// Dates before this (1990-01-01) are placeholders: the Go export writes the year 1.
pub(super) const EARLIEST: i64 = 631_152_000;

/// One file of a feed's archive.
#[derive(Debug, Clone)]
pub struct FeedEntry {
    /// Path inside the archive, with `/`.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// Modification time that the archive states, seconds since 1970, where it means something.
    pub mtime: Option<i64>,
}

/// An entry that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Path inside the archive.
    pub entry: String,
    /// Lower-case fragment.
    pub why: String,
}

/// The outcome of reading one feed.
#[derive(Debug, Default)]
pub struct Reading {
    /// One per advisory and package, in no particular order; the index sorts.
    pub records: Vec<AdvisoryRecord>,
    /// Entries that should hold an advisory, readable or not.
    pub total: u64,
    /// Entries that could not be read.
    pub unreadable: u64,
    /// The first of them by name.
    pub named: Vec<Unreadable>,
    /// Newest date in it, seconds since 1970; `None` if it states none that is not a placeholder.
    pub newest: Option<i64>,
}

impl Reading {
    /// Counts an entry that could not be read.
    pub(super) fn refuse(&mut self, entry: &str, why: impl Into<String>) {
        self.unreadable += 1;
        if self.named.len() < NAMED {
            self.named.push(Unreadable {
                entry: entry.to_owned(),
                why: why.into(),
            });
        }
    }

    /// Notes a date that the feed states.
    pub(super) fn saw(&mut self, seconds: Option<i64>) {
        if let Some(seconds) = seconds.filter(|s| *s >= EARLIEST) {
            self.newest = Some(self.newest.map_or(seconds, |known| known.max(seconds)));
        }
    }
}

/// Days since 1970 of a time in seconds; `None` for placeholders.
pub(super) fn day_of(seconds: i64) -> Option<u32> {
    (seconds >= EARLIEST).then(|| u32::try_from(seconds.div_euclid(DAY)).ok())?
}

/// Seconds since 1970 of an RFC 3339 time.
pub(super) fn seconds_of(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_second)
}
