//! The audit log: one line per deed, each with the SHA-256 of the line before it and of its own JSON.
//!
//! It only ever grows. A line that was torn by a power cut is owned up to by the next one, with the SHA-256 of what is
//! left of it; anything else that does not fit the chain means that somebody changed the file.

use std::io::{Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::vault::Vault;
use crate::model::digest::hex;
use crate::world::PathError;

/// Its name in the vault.
pub const NAME: &str = "audit.log";
const LARGEST: u64 = 1 << 30;
const SEED: &str = "untaint audit log";
/// The action of a line that owns up to a torn one.
const TORN: &str = "torn";

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
    /// Checksum of the last line that fits.
    chain: String,
    /// What is left of a torn last line.
    torn: Vec<u8>,
}

/// Adds to the log.
pub struct Audit<'a> {
    vault: Option<&'a Vault<'a>>,
}

fn link(chain: &str, json: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(chain.as_bytes());
    hasher.update(json.as_bytes());
    hex(&hasher.finalize())
}

impl<'a> Audit<'a> {
    /// The log of a vault that is held; nothing is written if it is not wanted.
    pub fn of(vault: &'a Vault<'a>, wanted: bool) -> Self {
        Self {
            vault: wanted.then_some(vault),
        }
    }

    /// Adds a deed. That it cannot be written changes nothing about the deed: the journal is what counts.
    pub fn add(&self, deed: &Deed<'_>) {
        if let Some(vault) = self.vault {
            let _ = add(vault, deed);
        }
    }
}

fn add(vault: &Vault<'_>, deed: &Deed<'_>) -> Result<(), PathError> {
    let read = read(vault)?;
    let mut text = String::new();
    let mut chain = read.chain;
    let mut push = |row: &Row| {
        if let Ok(json) = serde_json::to_string(row) {
            chain = link(&chain, &json);
            text.push_str(&format!("{chain} {json}\n"));
        }
    };
    let torn = !read.torn.is_empty();
    if torn {
        push(&Row {
            at: deed.at,
            uid: deed.uid,
            run: deed.run.to_owned(),
            action: TORN.to_owned(),
            what: hex(&Sha256::digest(&read.torn)),
            result: "the line before was torn".to_owned(),
        });
    }
    push(&Row {
        at: deed.at,
        uid: deed.uid,
        run: deed.run.to_owned(),
        action: deed.action.to_owned(),
        what: deed.what.to_owned(),
        result: deed.result.to_owned(),
    });
    if torn {
        text.insert(0, '\n');
    }
    let at = vault.base.at(Path::new(NAME));
    let mut file = vault.fs.append(at)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync())
        .map_err(|source| PathError {
            path: vault.fs.shown(at),
            source,
        })
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

/// Reads the bytes of a log.
pub fn parse(bytes: &[u8]) -> Read {
    let mut read = Read {
        chain: link(SEED, ""),
        ..Read::default()
    };
    let mut loose: Option<(usize, Vec<u8>)> = None;
    for (number, raw) in (1usize..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
        let text = raw.strip_suffix(b"\n");
        match text.and_then(|text| line(text, &read.chain)) {
            Some((chain, row)) => {
                read.chain = chain;
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

fn line(text: &[u8], chain: &str) -> Option<(String, Row)> {
    let json = std::str::from_utf8(text.get(65..)?).ok()?;
    let next = link(chain, json);
    (text.get(..64) == Some(next.as_bytes()) && text.get(64) == Some(&b' ')).then_some(())?;
    Some((next, serde_json::from_str(json).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake_disk::FakeDisk;
    use std::time::Duration;

    fn deed<'a>(what: &'a str) -> Deed<'a> {
        Deed {
            at: 7,
            uid: 1000,
            run: "01A",
            action: "heal",
            what,
            result: "healed",
        }
    }

    fn log(disk: &FakeDisk) -> Vec<u8> {
        disk.bytes("/s/audit.log").unwrap()
    }

    #[test]
    fn deeds_are_chained_and_any_change_shows() {
        let disk = FakeDisk::new();
        let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
        let audit = Audit::of(&vault, true);
        for what in ["a", "b", "c"] {
            audit.add(&deed(what));
        }
        let bytes = log(&disk);
        let read = parse(&bytes);
        assert!(read.broken.is_empty());
        assert_eq!(read.rows.len(), 3);
        for at in 0..bytes.len() - 1 {
            let mut changed = bytes.clone();
            changed[at] ^= 2;
            assert!(!parse(&changed).broken.is_empty(), "byte {at}");
        }
        let text = String::from_utf8(bytes).unwrap();
        let without: String = text.lines().skip(1).map(|l| format!("{l}\n")).collect();
        assert!(!parse(without.as_bytes()).broken.is_empty());
    }

    #[test]
    fn a_torn_line_is_owned_up_to() {
        let disk = FakeDisk::new();
        {
            let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
            Audit::of(&vault, true).add(&deed("a"));
            Audit::of(&vault, true).add(&deed("b"));
        }
        let bytes = log(&disk);
        disk.file("/s/audit.log", &bytes[..bytes.len() - 20], 0o600);
        let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
        Audit::of(&vault, true).add(&deed("c"));
        let read = parse(&log(&disk));
        assert!(read.broken.is_empty(), "{read:?}");
        let actions: Vec<&str> = read.rows.iter().map(|r| &*r.action).collect();
        assert_eq!(actions, ["heal", "torn", "heal"]);
    }

    #[test]
    fn nothing_is_written_where_nothing_is_wanted() {
        let disk = FakeDisk::new();
        let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
        Audit::of(&vault, false).add(&deed("a"));
        assert!(disk.bytes("/s/audit.log").is_none());
    }
}
