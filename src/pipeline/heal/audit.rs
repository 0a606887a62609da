//! The audit log: one line per deed, each with the SHA-256 of the line before it and of its own JSON.
//!
//! It only ever grows. A line that was torn by a power cut is owned up to by the next one, with the SHA-256 of what is
//! left of it; anything else that does not fit the chain means that somebody changed the file. That its end is missing, or all
//! of it, is told by the [`heads`] that are kept elsewhere.

pub mod heads;

use std::io::{Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::heads::Head;
use super::chain;
use super::vault::Vault;
use crate::model::digest::hex;
use crate::model::text::printable;
use crate::world::PathError;

/// Its name in the vault.
pub const NAME: &str = "audit.log";
const LARGEST: u64 = 1 << 30;
const SEED: &str = "untaint audit log";
/// The action of a line that owns up to a torn one.
const TORN: &str = "torn";
/// Lines that one deed adds at most: its own, and one that owns up to a torn one.
const AT_ONCE: usize = 2;

/// Why a deed is not in the log, or the log not whole. The deed itself was done.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The line, or its head, could not be put on disk.
    #[error("what was done is not, or not surely, in the audit log: {0}")]
    Unwritten(#[from] PathError),
    /// Lines of it are gone.
    #[error(
        "the audit log once had {was} lines, and they are not all there any more: `untaint log --verify` says more"
    )]
    Cut {
        /// Lines that it had.
        was: usize,
    },
}

/// One deed.
pub struct Deed<'a> {
    /// When, seconds since 1970.
    pub at: i64,
    /// Who: the user's number.
    pub uid: u32,
    /// In which run.
    pub run: &'a str,
    /// What was done (`heal`, `restore`, `recover`, `prune`).
    pub action: &'a str,
    /// To what.
    pub what: &'a str,
    /// With which result.
    pub result: &'a str,
}

/// A line, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// When, seconds since 1970.
    pub at: i64,
    /// Who.
    pub uid: u32,
    /// In which run.
    pub run: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub what: String,
    /// With which result.
    pub result: String,
}

/// What the log says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Its rows, oldest first.
    pub rows: Vec<Row>,
    /// Numbers of lines that do not fit.
    pub broken: Vec<usize>,
    /// Checksum of each row.
    sums: Vec<String>,
    /// What is left of a torn last line.
    torn: Vec<u8>,
}

impl Read {
    /// How far it goes; `None` for an empty one.
    pub fn head(&self) -> Option<Head> {
        let sum = self.sums.last()?.clone();
        let lines = self.sums.len();
        Some(Head { lines, sum })
    }

    /// Whether it once went as far as that.
    pub fn reached(&self, head: &Head) -> bool {
        let at = head.lines.checked_sub(1);
        at.and_then(|at| self.sums.get(at)) == Some(&head.sum)
    }

    fn sum(&self) -> String {
        let last = self.sums.last();
        last.cloned().unwrap_or_else(|| chain::link(SEED, ""))
    }
}

/// Adds to the log.
pub struct Audit<'a> {
    vault: Option<&'a Vault<'a>>,
}

impl<'a> Audit<'a> {
    /// The log of a vault that is held; nothing is written if it is not wanted.
    pub fn of(vault: &'a Vault<'a>, wanted: bool) -> Self {
        Self {
            vault: wanted.then_some(vault),
        }
    }

    /// Adds a deed. An error changes nothing about the deed, for which the journal counts, but must be said.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn add(&self, deed: &Deed<'_>) -> Result<(), AuditError> {
        self.vault.map_or(Ok(()), |vault| add(vault, deed))
    }
}

fn add(vault: &Vault<'_>, deed: &Deed<'_>) -> Result<(), AuditError> {
    let mut read = read(vault)?;
    let known = heads::last(vault)?;
    let cut = known.filter(|head| !read.reached(head));
    let torn = (!read.torn.is_empty()).then(|| hex(&Sha256::digest(&read.torn)));
    let mut text = String::new();
    let mut push = |row: Row| {
        if let Ok(json) = serde_json::to_string(&row) {
            let sum = chain::link(&read.sum(), &json);
            text.push_str(&format!("{sum} {json}\n"));
            read.sums.push(sum);
        }
    };
    let row = |action: &str, what: &str, result: &str| Row {
        at: deed.at,
        uid: deed.uid,
        run: deed.run.to_owned(),
        action: action.to_owned(),
        what: what.to_owned(),
        result: result.to_owned(),
    };
    if let Some(rest) = &torn {
        push(row(TORN, rest, "the line before was torn"));
    }
    push(row(deed.action, deed.what, deed.result));
    if torn.is_some() {
        text.insert(0, '\n');
    }
    let at = vault.base.at(Path::new(NAME));
    let mut file = vault.fs.append(at)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync())
        .map_err(|source| PathError {
            path: vault.fs.shown(at),
            source,
        })?;
    if let Some(head) = read.head() {
        heads::add(vault, deed.run, &head)?;
    }
    cut.map_or(Ok(()), |head| Err(AuditError::Cut { was: head.lines }))
}

/// Reads the log; an absent one is empty.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read(vault: &Vault<'_>) -> Result<Read, PathError> {
    let at = vault.base.at(Path::new(NAME));
    let file = match vault.fs.read(at) {
        Err(error) if error.is_not_found() => return Ok(parse(&[])),
        other => other?,
    };
    let mut bytes = Vec::new();
    file.take(LARGEST)
        .read_to_end(&mut bytes)
        .map_err(|source| PathError {
            path: vault.fs.shown(at),
            source,
        })?;
    Ok(parse(&bytes))
}

/// Where the log does not go as far as it once did: one line per place that vouches for more, and one where its end is vouched
/// for by nothing.
///
/// # Errors
/// When a file with heads is there and cannot be read.
pub fn lost(vault: &Vault<'_>, read: &Read) -> Result<Vec<String>, PathError> {
    let mut told = Vec::new();
    let mut furthest = 0;
    for (path, known) in heads::all(vault)? {
        let path = printable(&path.to_string_lossy());
        let (fit, not): (Vec<_>, Vec<_>) = known.iter().partition(|head| read.reached(head));
        if let Some(head) = not.iter().max_by_key(|head| head.lines) {
            let (last, times) = (head.lines, not.len());
            told.push(format!(
                "{path} tells of {times} deeds, at most {last} lines into the log, that are not in it: lines were taken out"
            ));
        }
        let fit = fit.iter().map(|head| head.lines).max();
        furthest = furthest.max(fit.unwrap_or(0));
    }
    let beyond = read.rows.len().saturating_sub(furthest);
    // The process may have ended between the line and its head.
    if beyond > AT_ONCE {
        told.push(format!(
            "{} vouches for none of the last {beyond} lines: it was cut, or they were added by something else",
            heads::NAME
        ));
    }
    Ok(told)
}

/// Reads the bytes of a log.
pub fn parse(bytes: &[u8]) -> Read {
    let mut read = Read::default();
    let mut loose: Option<(usize, Vec<u8>)> = None;
    for (number, raw) in (1usize..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
        let text = raw.strip_suffix(b"\n");
        match text.and_then(|text| line(text, &read.sum())) {
            Some((sum, row)) => {
                read.sums.push(sum);
                if let Some((at, rest)) = loose.take()
                    && !(row.action == TORN && row.what == hex(&Sha256::digest(&rest)))
                {
                    read.broken.push(at);
                }
                read.rows.push(row);
            }
            None => {
                if let Some((at, _)) = loose.take() {
                    read.broken.push(at);
                }
                loose = Some((number, text.unwrap_or(raw).to_vec()));
            }
        }
    }
    if let Some((at, rest)) = loose {
        if bytes.last() == Some(&b'\n') {
            read.broken.push(at);
        } else {
            read.torn = rest;
        }
    }
    read
}

fn line(text: &[u8], before: &str) -> Option<(String, Row)> {
    let (sum, json) = chain::follow(text, before)?;
    Some((sum, serde_json::from_str(json).ok()?))
}

#[cfg(test)]
mod tests;
