//! Heads of the audit log, kept elsewhere: how many lines it had after each deed, and the sum of the last of them.
//!
//! The log itself cannot tell that its end was cut off, or that it was taken away as a whole. So every deed also adds a head to
//! `audit.heads` beside it, and to the folder of the run that it belongs to (`quarantine/<run>/audit`). That shows a log that was
//! emptied, cut or rolled back by a clean-up, a copy of an old state, a failing disk, or somebody who knows of one file alone.
//! Nothing here is secret: whoever can write all of the state can make all of it fit. Against that helps only a head that was
//! noted elsewhere, as every heal prints it and `untaint log --verify --head` takes it.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::pipeline::heal::vault::Vault;
use crate::world::{FileKind, PathError};

/// Name in the vault of the file with all heads.
pub const NAME: &str = "audit.heads";
/// Name in the folder of a run of the file with those of its own deeds.
const OF_RUN: &str = "audit";
const LARGEST: u64 = 256 << 20;

/// How far the log went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Lines that fit.
    pub lines: usize,
    /// Sum of the last of them, lower-case hex.
    pub sum: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.lines, self.sum)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_sum = |sum: &&str| {
            sum.len() == 64
                && sum
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        text.split_once(':')
            .filter(|(_, sum)| is_sum(sum))
            .and_then(|(lines, sum)| {
                let lines = lines.parse().ok().filter(|lines| *lines > 0)?;
                let sum = sum.to_owned();
                Some(Self { lines, sum })
            })
            .ok_or_else(|| "write LINES:SHA-256, as a heal printed it".to_owned())
    }
}

/// Heads of a file, oldest first; what a power cut tore says nothing.
pub(super) fn parse(bytes: &[u8]) -> Vec<Head> {
    String::from_utf8_lossy(bytes)
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect()
}

fn bytes(vault: &Vault<'_>, rel: &Path) -> Result<Vec<u8>, PathError> {
    let at = vault.base.at(rel);
    let mut bytes = Vec::new();
    match vault.fs.read(at) {
        Err(error) if error.is_not_found() => {}
        file => {
            file?
                .take(LARGEST)
                .read_to_end(&mut bytes)
                .map_err(|source| PathError {
                    path: vault.fs.shown(at),
                    source,
                })?;
        }
    }
    Ok(bytes)
}

/// The newest head.
pub(super) fn last(vault: &Vault<'_>) -> Result<Option<Head>, PathError> {
    Ok(parse(&bytes(vault, Path::new(NAME))?).pop())
}

/// Every file with heads, by its path below the vault, that of all deeds first.
pub(super) fn all(vault: &Vault<'_>) -> Result<Vec<(PathBuf, Vec<Head>)>, PathError> {
    let mut files = vec![PathBuf::from(NAME)];
    // What cannot be listed has no runs that a restore could go by either.
    let runs = vault.runs().unwrap_or_default();
    files.extend(runs.iter().map(|run| vault.kept(run).join(OF_RUN)));
    let read = |path: PathBuf| {
        let heads = parse(&bytes(vault, &path)?);
        Ok((path, heads))
    };
    files.into_iter().map(read).collect()
}

/// Notes a head, beside the log and with the run if that has a folder.
pub(super) fn add(vault: &Vault<'_>, run: &str, head: &Head) -> Result<(), PathError> {
    one(vault, Path::new(NAME), head)?;
    let folder = vault.kept(run);
    match vault.fs.stat(vault.base.at(&folder)) {
        Ok(stat) if stat.kind == FileKind::Dir => one(vault, &folder.join(OF_RUN), head),
        _ => Ok(()),
    }
}

fn one(vault: &Vault<'_>, rel: &Path, head: &Head) -> Result<(), PathError> {
    let torn = bytes(vault, rel)?.last().is_some_and(|b| *b != b'\n');
    let at = vault.base.at(rel);
    let mut file = vault.fs.append(at)?;
    let line = format!("{}{head}\n", if torn { "\n" } else { "" });
    file.write_all(line.as_bytes())
        .and_then(|()| file.sync())
        .map_err(|source| PathError {
            path: vault.fs.shown(at),
            source,
        })
}
