//! What is in force: built in, user `config.toml`, `--config`, command line; later wins (CONTRACT section 6).
//!
//! Files are read through the ports that are handed in. Nothing here judges what is scanned; `untaint.toml` of a scanned
//! root comes in by [`tighten`], which can only make the policy stricter.

mod call;
mod homes;
mod load;
pub mod tighten;
mod weakened;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

pub use homes::Homes;

use super::args::{CacheArg, Fetching, OutputArg, When};
use super::config::{ConfigError, PolicyFile};
use crate::model::policy::Policy;
use crate::model::text::printable;
use crate::pipeline::report::{Detail, Format};
use crate::trust::{TrustFileError, TrustSet};
use crate::world::PathError;

/// Who decided a value, weakest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decided {
    /// Nobody: the program's own choice.
    BuiltIn,
    /// The user's `config.toml`.
    UserConfig,
    /// The file of `--config`.
    NamedConfig,
    /// An option.
    CommandLine,
    /// `untaint.toml` of a scanned root, by its path in reports.
    Project(String),
}

/// What every command needs that touches the machine.
#[derive(Debug, Clone)]
pub struct Base {
    /// No packet leaves.
    pub offline: bool,
    /// Our own configuration and state are left alone.
    pub isolated: bool,
    /// Where our own folders are; nothing with `--isolated`.
    pub homes: Homes,
    /// Roots, mirrors and private names in force.
    pub trust: TrustSet,
    /// The user's policy file, if there is one.
    pub user_policy: Option<PolicyFile>,
    /// The policy file of `--config`.
    pub named_policy: Option<PolicyFile>,
    /// File-system id and inode of the file of `--config`: named, it is not inert.
    pub named_policy_is: Option<(u64, u64)>,
    /// Certificates to believe in place of the system's.
    pub ca_bundle: Option<Vec<u8>>,
    /// Whether the environment names a proxy.
    pub proxy: bool,
    /// Seconds after which a run ends.
    pub timeout: Option<u64>,
    /// Threads; `None` for all cores.
    pub jobs: Option<u16>,
    /// How much the table says.
    pub detail: Detail,
    /// Colour.
    pub color: When,
    /// Progress.
    pub progress: When,
    /// Columns of the terminal, as the environment says.
    pub width: Option<usize>,
    /// The time to go by, seconds since 1970.
    pub now: Option<i64>,
    /// What weakens a verdict among these.
    pub weakened: Vec<String>,
}

/// What an audit needs besides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What every command needs.
    pub base: Base,
    /// Projects, as the user named them.
    pub targets: Vec<PathBuf>,
    /// Whether every cache of this user is audited.
    pub caches: bool,
    /// Further caches.
    pub named_caches: Vec<CacheArg>,
    /// Only these ecosystems; empty for all.
    pub ecosystems: Vec<String>,
    /// Globs of paths to leave out.
    pub exclude: Vec<String>,
    /// These lockfiles instead of those found.
    pub lockfiles: Vec<PathBuf>,
    /// Output of `cargo metadata`.
    pub cargo_metadata: Option<PathBuf>,
    /// Claims files: name, bytes, and whether a digest on the command line vouches for them.
    pub claims: Vec<NamedClaims>,
    /// Folder of advisory feeds.
    pub feeds: Option<PathBuf>,
    /// When archives are fetched.
    pub fetch_archives: Fetching,
    /// Most bytes of archives to fetch.
    pub max_fetch: u64,
    /// Whether the ledger is ignored.
    pub full: bool,
    /// What turns what was seen into a verdict.
    pub policy: Policy,
    /// Who decided each key of the policy.
    pub decided: BTreeMap<&'static str, Decided>,
    /// Format on standard output.
    pub format: Format,
    /// Where standard output's format goes instead (`sbom -o`).
    pub to_file: Option<PathBuf>,
    /// Reports to files.
    pub outputs: Vec<OutputArg>,
    /// Whether absolute paths are left out.
    pub portable: bool,
    /// Whether every verdict ends with 0.
    pub exit_zero: bool,
    /// What is to be typed behind `untaint heal` to see what this audit sees.
    pub call: String,
    /// Everything in force that weakens a verdict, for `run.weakened`; sorted.
    pub weakened: Vec<String>,
}

/// How the quarantine is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// How long runs without a confirmed taint stay, in seconds.
    pub retention: u64,
    /// Bytes from which on it is said how to make room; nothing ever goes for its size.
    pub limit: u64,
}

impl Base {
    /// Whether what a scan sees is recorded for `untaint impact`.
    pub fn sightings(&self) -> bool {
        self.said(|policy| policy.sightings).unwrap_or(true)
    }

    /// How the quarantine is kept: 30 days and 2 GiB unless the user's files say otherwise.
    pub fn keeping(&self) -> Keeping {
        Keeping {
            retention: self
                .said(|policy| policy.quarantine_retention)
                .unwrap_or(30 * 24 * 3600),
            limit: self
                .said(|policy| policy.quarantine_limit)
                .unwrap_or(2 << 30),
        }
    }

    /// What the user's files say, the named one first.
    fn said<T>(&self, of: impl Fn(&PolicyFile) -> Option<T>) -> Option<T> {
        let files = [&self.named_policy, &self.user_policy];
        files.into_iter().flatten().find_map(of)
    }
}

/// A claims file that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedClaims {
    /// The file, for messages.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether a digest on the command line vouches for them.
    pub vouched: bool,
}

/// Why settings cannot be put together: exit 2.
#[derive(Debug)]
pub enum SettingsError {
    /// A policy file.
    Config(ConfigError),
    /// A trust file.
    Trust(TrustFileError),
    /// A file that was named and cannot be read.
    File(PathError),
    /// An environment variable.
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong and what to write instead.
        message: String,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Trust(error) => error.fmt(f),
            Self::File(error) => f.write_str(&printable(&error.to_string())),
            Self::Variable { name, message } => write!(f, "{name}: {message}"),
        }
    }
}

impl std::error::Error for SettingsError {}

impl From<ConfigError> for SettingsError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<TrustFileError> for SettingsError {
    fn from(error: TrustFileError) -> Self {
        Self::Trust(error)
    }
}

impl From<PathError> for SettingsError {
    fn from(error: PathError) -> Self {
        Self::File(error)
    }
}

#[cfg(test)]
mod tests;
