//! The compiled index of one feed: opened in a moment, read with checked plain reads, decoded only for the names that are asked.
//!
//! The same form is embedded (the snapshot) and kept in our state (updated feeds). All numbers are little-endian or LEB128; text is UTF-8
//! after a LEB128 length.
//!
//! ```text
//! magic "untadv\x00\x01" | u32 lengths of: meta, names table (bytes), names, advisories, affected
//! meta         JSON, see FeedMeta
//! names table  per name, ascending: u32 start and length in names, u32 start and length in affected
//! names        the names' text
//! advisories   id, aliases, kind, label, vectors, published, modified, withdrawn (days + 1; 0 is none)
//! affected     per name: number of entries, then per entry: start of its advisory, ranges, versions, imports
//! SHA-256 of everything before
//! ```
//!
//! The hash says that the file is whole, not who wrote it. Nothing is allocated by a number that stands in the file.

use super::{decode, encode, record::AdvisoryRecord};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, collections::BTreeMap, ops::Range};

const MAGIC: &[u8; 8] = b"untadv\x00\x01";
const SECTIONS: usize = 5;
const HEADER: usize = MAGIC.len() + 4 * SECTIONS;
const ROW: usize = 16;
const TRAILER: usize = 32;

/// What is known of a feed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedMeta {
    /// Name of the feed in the catalogue and in reports.
    pub name: String,
    /// Ecosystem id (`cargo`, `go`, ...).
    pub ecosystem: String,
    /// Advisories in the feed, withdrawn ones included.
    pub records: u64,
    /// Newest date that the feed's content states, seconds since 1970.
    pub updated: Option<i64>,
    /// When its server last confirmed the content (snapshot, import: the date of the manifest), seconds since 1970.
    pub confirmed: Option<i64>,
    /// How it came here.
    pub origin: FeedOrigin,
}

/// How a feed came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedOrigin {
    /// Embedded in the program.
    Snapshot,
    /// From its server.
    Fetched,
    /// `untaint feeds import`.
    Imported,
    /// `--feeds DIR`.
    Named,
    /// Our own records of poisoned releases.
    Own,
}

impl FeedOrigin {
    /// Spelling in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Fetched => "fetched",
            Self::Imported => "imported",
            Self::Named => "named",
            Self::Own => "own",
        }
    }
}

/// An index that cannot be used. Its data is then missing, which is never "nothing known".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Another kind of file, or another version of ours.
    #[error("not an advisory index of this version of untaint, run `untaint feeds update`")]
    Foreign,
    /// Cut off or changed.
    #[error("the advisory index is damaged ({0}), run `untaint feeds update`")]
    Damaged(&'static str),
    /// More than the form can hold.
    #[error("the feed is too large for an advisory index ({0})")]
    TooLarge(&'static str),
}

/// Writes an index. The same records give the same bytes, in whatever order they come.
///
/// # Errors
///
/// [`IndexError::TooLarge`] beyond 4 GiB.
pub fn compile(meta: &FeedMeta, records: &[AdvisoryRecord]) -> Result<Vec<u8>, IndexError> {
    let mut by_name: BTreeMap<&str, Vec<&AdvisoryRecord>> = BTreeMap::new();
    for record in records {
        by_name.entry(&record.package).or_default().push(record);
    }
    let [mut table, mut names, mut advisories, mut affected] = [const { Vec::<u8>::new() }; 4];
    // An advisory on several packages is written once: equal heads share their place.
    let mut heads: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for (name, records) in by_name {
        let start = affected.len();
        // By id, then by what is written, so that the order of the input does not show.
        let mut entries: Vec<(&str, Vec<u8>, Vec<u8>)> = records
            .into_iter()
            .map(|record| {
                (
                    record.id.as_str(),
                    encode::head(record),
                    encode::body(record),
                )
            })
            .collect();
        entries.sort();
        entries.dedup();
        encode::number(&mut affected, entries.len());
        for (_, head, body) in entries {
            let place = *heads.entry(head).or_insert_with_key(|head| {
                let place = advisories.len();
                advisories.extend_from_slice(head);
                place
            });
            encode::number(&mut affected, place);
            affected.extend(body);
        }
        for number in [names.len(), name.len(), start, affected.len() - start] {
            table.extend(word(number)?);
        }
        names.extend_from_slice(name.as_bytes());
    }
    let meta = serde_json::to_vec(meta).map_err(|_| IndexError::TooLarge("meta"))?;
    let sections = [&meta, &table, &names, &advisories, &affected];
    let mut out = MAGIC.to_vec();
    for section in sections {
        out.extend(word(section.len())?);
    }
    for section in sections {
        out.extend_from_slice(section);
    }
    let hash = Sha256::digest(&out);
    out.extend_from_slice(&hash);
    Ok(out)
}

fn word(number: usize) -> Result<[u8; 4], IndexError> {
    u32::try_from(number)
        .map(u32::to_le_bytes)
        .map_err(|_| IndexError::TooLarge("4 GiB"))
}

/// An opened index.
#[derive(Debug, Clone)]
pub struct AdvisoryDb {
    bytes: Cow<'static, [u8]>,
    meta: FeedMeta,
    table: Range<usize>,
    names: Range<usize>,
    advisories: Range<usize>,
    affected: Range<usize>,
}

impl AdvisoryDb {
    /// Opens an index: checks its hash, the bounds of its sections and the order of its names. Records are not decoded.
    ///
    /// # Errors
    ///
    /// The bytes are no index of this version, or damaged.
    pub fn open(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, IndexError> {
        let bytes = bytes.into();
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(IndexError::Foreign);
        }
        let body = bytes
            .len()
            .checked_sub(TRAILER)
            .filter(|body| *body >= HEADER)
            .ok_or(IndexError::Damaged("cut off"))?;
        let (content, trailer) = bytes
            .split_at_checked(body)
            .ok_or(IndexError::Damaged("cut off"))?;
        if Sha256::digest(content).as_slice() != trailer {
            return Err(IndexError::Damaged("its hash does not fit"));
        }
        let mut at = HEADER;
        let mut ranges: [Range<usize>; SECTIONS] = Default::default();
        for (i, range) in ranges.iter_mut().enumerate() {
            let length = read_word(content, MAGIC.len() + 4 * i)?;
            let end = at
                .checked_add(length)
                .ok_or(IndexError::Damaged("section length"))?;
            *range = at..end;
            at = end;
        }
        if at != body {
            return Err(IndexError::Damaged("section lengths"));
        }
        let [meta, table, names, advisories, affected] = ranges;
        let meta = content
            .get(meta)
            .and_then(|meta| serde_json::from_slice(meta).ok())
            .ok_or(IndexError::Damaged("meta"))?;
        let db = Self {
            bytes,
            meta,
            table,
            names,
            advisories,
            affected,
        };
        db.check_names()?;
        Ok(db)
    }

    /// What is known of the feed as a whole.
    #[must_use]
    pub fn meta(&self) -> &FeedMeta {
        &self.meta
    }

    /// The same index with another date of confirmation: its server said that nothing changed, or a manifest beside it says when it did.
    #[must_use]
    pub fn confirmed_at(mut self, seconds: Option<i64>) -> Self {
        self.meta.confirmed = seconds;
        self
    }

    /// Every record on a package, withdrawn ones included, by the name as the ecosystem looks it up.
    ///
    /// # Errors
    ///
    /// The entries of this name are damaged. Nothing is known of the package then.
    pub fn lookup(&self, name: &str) -> Result<Vec<AdvisoryRecord>, IndexError> {
        let (mut low, mut high) = (0, self.table.len() / ROW);
        while low < high {
            let middle = low + (high - low) / 2;
            let (known, entries) = self.row(middle)?;
            match known.cmp(name.as_bytes()) {
                std::cmp::Ordering::Equal => return self.entries(name, entries),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(Vec::new())
    }

    /// Every record, by package name. Decodes everything: for explanations, tests and rebuilding.
    ///
    /// # Errors
    ///
    /// An entry is damaged.
    pub fn records(&self) -> Result<Vec<AdvisoryRecord>, IndexError> {
        let mut all = Vec::new();
        for i in 0..self.table.len() / ROW {
            let (name, entries) = self.row(i)?;
            let name = std::str::from_utf8(name).map_err(|_| IndexError::Damaged("name"))?;
            all.extend(self.entries(name, entries)?);
        }
        Ok(all)
    }

    /// Every record with this id or alias, in the feed's packages' order. Decodes everything: for explanations.
    ///
    /// # Errors
    ///
    /// An entry is damaged.
    pub fn find(&self, id: &str) -> Result<Vec<AdvisoryRecord>, IndexError> {
        let mut found = self.records()?;
        found.retain(|record| record.id == id || record.aliases.iter().any(|alias| alias == id));
        Ok(found)
    }

    fn entries(&self, name: &str, entries: &[u8]) -> Result<Vec<AdvisoryRecord>, IndexError> {
        let heads = self
            .bytes
            .get(self.advisories.clone())
            .ok_or(IndexError::Damaged("advisories"))?;
        decode::entries(name, entries, heads)
    }

    /// Name and entries of a row.
    fn row(&self, index: usize) -> Result<(&[u8], &[u8]), IndexError> {
        let at = self.table.start + index * ROW;
        let part = |section: &Range<usize>, field: usize| -> Result<&[u8], IndexError> {
            let bytes = self
                .bytes
                .get(section.clone())
                .ok_or(IndexError::Damaged("section"))?;
            let start = read_word(&self.bytes, at + field)?;
            let length = read_word(&self.bytes, at + field + 4)?;
            let end = start
                .checked_add(length)
                .ok_or(IndexError::Damaged("names table"))?;
            bytes
                .get(start..end)
                .ok_or(IndexError::Damaged("names table"))
        };
        Ok((part(&self.names, 0)?, part(&self.affected, 8)?))
    }

    /// Names must ascend strictly, or a binary search would pass over one.
    fn check_names(&self) -> Result<(), IndexError> {
        if !self.table.len().is_multiple_of(ROW) {
            return Err(IndexError::Damaged("names table"));
        }
        let mut before: Option<&[u8]> = None;
        for i in 0..self.table.len() / ROW {
            let (name, _) = self.row(i)?;
            if before.is_some_and(|before| before >= name) {
                return Err(IndexError::Damaged("order of names"));
            }
            before = Some(name);
        }
        Ok(())
    }
}

fn read_word(bytes: &[u8], at: usize) -> Result<usize, IndexError> {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk::<4>())
        .map(|word| u32::from_le_bytes(*word))
        .and_then(|word| usize::try_from(word).ok())
        .ok_or(IndexError::Damaged("cut off"))
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
