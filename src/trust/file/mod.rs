//! The trust file (`trust.toml`, `--trust`; CONTRACT section 5): strict reading, and pins that extend it.
//!
//! An unknown key, a newer version, an address that is no trust root's: each is an error with file, line and what to write
//! instead, never a part that is silently left out. Reading takes bytes; finding and writing files is the caller's.

mod entry;
mod pin;

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use pin::{PinRequest, pin};

use crate::model::text::printable;

use super::known::KNOWN;
use super::private::Private;
use super::root::{Mirror, Role, TrustRoot, TrustSet};
use super::{known, root};
use entry::Reader;

/// Largest trust file, in bytes.
pub const LARGEST: usize = 1 << 20;

/// The version of the format that is read.
const VERSION: i64 = 1;

/// Where a trust file stands: what it may do depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `trust.toml` beside the user's own configuration: may lower `require`.
    User,
    /// Named by `--trust`: may raise `require`.
    Named,
}

/// What a trust file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustFile {
    /// Pinned roots, in the file's order.
    pub roots: Vec<TrustRoot>,
    /// Mirrors, in the file's order.
    pub mirrors: Vec<Mirror>,
    /// Private names.
    pub private: Private,
    /// Position of every mirror, for errors that show only when all files are together.
    mirror_lines: Vec<u32>,
    /// Name for messages.
    name: String,
}

/// Why a trust file does not count: exit 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustFileError {
    /// The file, as the user named it.
    pub file: String,
    /// Line, counted from 1; 0 when the file as a whole is meant.
    pub line: u32,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for TrustFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", printable(&self.file))?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TrustFileError {}

impl TrustFile {
    /// Reads a trust file. `name` is for messages, `ecosystems` the names that this program knows; names of publicly known
    /// roots' ecosystems are accepted besides.
    ///
    /// # Errors
    /// [`TrustFileError`] at the first thing that is not exactly as the contract says.
    pub fn parse(
        bytes: &[u8],
        name: &str,
        source: Source,
        ecosystems: &[&str],
    ) -> Result<Self, TrustFileError> {
        let whole = |message: String| TrustFileError {
            file: name.to_owned(),
            line: 0,
            message,
        };
        if bytes.len() > LARGEST {
            return Err(whole(format!(
                "larger than {LARGEST} bytes: not a trust file"
            )));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| TrustFileError {
            file: name.to_owned(),
            line: line_at(bytes, e.valid_up_to()),
            message: "not UTF-8: save the file as UTF-8".to_owned(),
        })?;
        let table = DeTable::parse(text).map_err(|e| TrustFileError {
            file: name.to_owned(),
            line: e.span().map_or(0, |span| line_at(bytes, span.start)),
            message: format!("not TOML: {}", printable(e.message())),
        })?;
        let mut known: Vec<&str> = ecosystems
            .iter()
            .copied()
            .chain(KNOWN.iter().map(|k| k.ecosystem))
            .collect();
        known.sort_unstable();
        known.dedup();
        let reader = Reader {
            text,
            file: name,
            source,
            ecosystems: &known,
        };
        Self::read(&reader, table.get_ref())
    }

    /// Reads the top level.
    fn read(reader: &Reader<'_>, table: &DeTable<'_>) -> Result<Self, TrustFileError> {
        reader.only_keys(table, &["version", "root", "mirror", "private"], "")?;
        if let Some(version) = table.get("version") {
            check_version(reader, version)?;
        }
        let mut file = Self {
            name: reader.file.to_owned(),
            ..Self::default()
        };
        for entry in reader.tables(table, "root")? {
            file.roots.push(reader.root(entry)?);
        }
        for entry in reader.tables(table, "mirror")? {
            file.mirrors.push(reader.mirror(entry)?);
            file.mirror_lines.push(reader.line(entry.span().start));
        }
        if let Some(value) = table.get("private") {
            file.private = reader.private(value)?;
        }
        Ok(file)
    }
}

/// Refuses what a newer untaint wrote.
fn check_version(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Result<(), TrustFileError> {
    let number = value
        .get_ref()
        .as_integer()
        .and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
    match number {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => Err(reader.error(
            value.span().start,
            format!("version {newer} is newer than this untaint reads ({VERSION}): update untaint"),
        )),
        _ => Err(reader.error(
            value.span().start,
            format!("`version` is not a version: write `version = {VERSION}`"),
        )),
    }
}

impl TrustSet {
    /// Puts the trust files that count together, in their order: a later pin of the same root wins.
    ///
    /// # Errors
    /// When a mirror stands for a root that is neither publicly known nor pinned by one of the files.
    pub fn from_files(files: &[TrustFile]) -> Result<Self, TrustFileError> {
        let mut set = Self::new();
        for root in files.iter().flat_map(|file| &file.roots) {
            set.pin(root.clone());
        }
        for file in files {
            for (mirror, line) in file.mirrors.iter().zip(&file.mirror_lines) {
                let of = root::primary(mirror.of);
                let pinned = set.roots().any(|r| r.fingerprint == of);
                if !pinned && known::by_address(&of).is_none() {
                    return Err(TrustFileError {
                        file: file.name.clone(),
                        line: *line,
                        message: format!(
                            "the mirror's `of` {} is the fingerprint of no known or pinned root: \
                             `untaint trust show` prints those that are",
                            mirror.of
                        ),
                    });
                }
                set.add_mirror(mirror.clone());
            }
            if !file.private.patterns.is_empty() {
                set.add_private(file.private.clone());
            }
        }
        Ok(set)
    }
}

/// Line of a byte position, counted from 1.
pub(crate) fn line_at(bytes: &[u8], position: usize) -> u32 {
    let before = bytes.get(..position).unwrap_or(bytes);
    let count = before.iter().filter(|b| **b == b'\n').count();
    u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1)
}

/// The spelling that was probably meant: the nearest of a few, at most two edits away.
pub(crate) fn nearest<'a>(typed: &str, all: &[&'a str]) -> Option<&'a str> {
    all.iter()
        .map(|candidate| (edits(typed, candidate), *candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance, bounded: texts that differ much in length are simply far apart.
fn edits(from: &str, to: &str) -> usize {
    if from.len().abs_diff(to.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (b, above) in to.chars().zip(row.iter().skip(1)) {
            let cell = (diagonal + usize::from(a != b))
                .min(above + 1)
                .min(left + 1);
            diagonal = *above;
            left = cell;
            next.push(cell);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Every role's spelling, for messages.
fn roles() -> Vec<&'static str> {
    Role::ALL.iter().map(|role| role.as_str()).collect()
}

#[cfg(test)]
mod tests;
