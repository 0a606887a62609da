//! The policy file (`config.toml`, `untaint.toml`, `--config`; CONTRACT section 6): strict reading.
//!
//! An unknown key or a value that is not as the contract says is an error with file, line and what to write instead.
//! Reading takes bytes; who may do what with a file (tighten, loosen, waive) is `settings`' business.

mod reader;

use std::collections::BTreeSet;
use std::fmt;

use toml::de::DeTable;

use crate::model::policy::{Accept, Derived, Selector, Waiver};
use crate::model::text::printable;
use crate::model::{Assurance, Reason};
use crate::trust::file::line_at;
use reader::Reader;

/// Largest policy file, in bytes.
pub const LARGEST: u64 = 1 << 20;

/// What a policy file says; `None` where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyFile {
    /// Name for messages.
    pub name: String,
    /// What fails a run.
    pub fail_on: Option<Vec<Selector>>,
    /// What may stay unverifiable.
    pub allow: Option<BTreeSet<Reason>>,
    /// Derived state.
    pub derived: Option<Derived>,
    /// Least assurance that verifies.
    pub require: Option<Assurance>,
    /// Oldest advisory data that counts, in seconds.
    pub max_feed_age: Option<u64>,
    /// Globs of paths to leave out.
    pub exclude: Option<Vec<String>>,
    /// Whether what a scan sees is recorded for `untaint impact`.
    pub sightings: Option<bool>,
    /// How long runs without a confirmed taint stay in the quarantine, in seconds.
    pub quarantine_retention: Option<u64>,
    /// Bytes in the quarantine from which on it is said how to make room.
    pub quarantine_limit: Option<u64>,
    /// Waivers, in the file's order.
    pub waivers: Vec<Waiver>,
    /// Accepted artifacts, in the file's order.
    pub accepts: Vec<Accept>,
}

/// Why a policy file does not count: exit 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, as the user named it.
    pub file: String,
    /// Line, counted from 1; 0 when the file as a whole is meant.
    pub line: u32,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", printable(&self.file))?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// An error about a file as a whole.
    pub(super) fn whole(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            message: message.into(),
        }
    }
}

impl PolicyFile {
    /// Reads a policy file; `name` is for messages.
    ///
    /// # Errors
    /// [`ConfigError`] at the first thing that is not exactly as the contract says.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, ConfigError> {
        let at = |position: usize, message: String| ConfigError {
            file: name.to_owned(),
            line: line_at(bytes, position),
            message,
        };
        if bytes.len() as u64 > LARGEST {
            return Err(ConfigError::whole(
                name,
                format!("larger than {LARGEST} bytes: not a policy file"),
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| {
            at(
                e.valid_up_to(),
                "not UTF-8: save the file as UTF-8".to_owned(),
            )
        })?;
        let table = DeTable::parse(text).map_err(|e| {
            let position = e.span().map_or(0, |span| span.start);
            at(position, format!("not TOML: {}", printable(e.message())))
        })?;
        Reader { bytes, file: name }.policy(table.get_ref())
    }
}

#[cfg(test)]
mod tests;
