//! Every tile file of a cache, held against all that signed heads commit to.
//!
//! What contradicts a head is a finding. What no head at hand leads to is named as such: Go holds a tile against a signed head
//! before it uses it, so such a tile serves nothing, and it is never called good. Tiles that were not written to their end
//! (of another length, or nothing but NULs) are problems.

use std::collections::{BTreeMap, BTreeSet};

use crate::ecosystems::proof::LogFile;
use crate::model::{Code, Outcome, Problem, Reason};
use crate::tlog::loose::{self, Fate};
use crate::tlog::{Error, Hash, SignedHead, Tile};

use super::log_audit::Accused;
use super::log_place::{Listed, LogFolder};

/// What is known from elsewhere.
pub(super) struct Known<'a> {
    /// Signed heads.
    pub(super) heads: &'a [SignedHead],
    /// Tiles that were authenticated.
    pub(super) tiles: &'a BTreeMap<Tile, Vec<u8>>,
}

/// Judges the tiles of one cache.
pub(super) fn judge(
    folder: &LogFolder<'_>,
    listed: &Listed,
    known: &Known<'_>,
    accused: &mut Accused,
    problems: &mut Vec<Problem>,
) -> Vec<LogFile> {
    let mut rows = Vec::new();
    let mut held: BTreeSet<Tile> = BTreeSet::new();
    for file in &listed.files {
        match Tile::parse_path(file) {
            Some(tile) => {
                held.insert(tile);
            }
            None => rows.push(row(
                folder,
                file,
                Outcome::Unverifiable(Reason::Orphan),
                Some("no tile has this name, so Go does not read it"),
            )),
        }
    }
    let given: BTreeMap<Tile, Vec<Hash>> = known
        .tiles
        .iter()
        .filter_map(|(tile, bytes)| Some((*tile, tile.hashes(bytes)?)))
        .collect();
    let read = |tile: Tile| whole(tile, &folder.read(&tile.path())?);
    let judged = loose::judge(&held, known.heads.to_vec(), given, &read);
    for fork in judged.forks {
        let error = Error::Forked(Box::new(fork));
        accused.add(&error, std::slice::from_ref(folder));
    }
    for tile in held {
        let file = tile.path();
        let rel = folder.below_root(&file);
        let mut accuse = |message| {
            accused.say(Code::LogTileForged, folder, &file, message);
            rows.push(row(folder, &file, Outcome::Tainted, None));
        };
        match judged.fates.get(&tile) {
            Some(Fate::Genuine) => {
                // An edge may have been accused as a whole before a fresh answer showed which of its tiles is false.
                accused.take(folder.root, &rel);
                rows.push(row(folder, &file, super::log_files::PROVEN, None));
            }
            Some(Fate::Forged) => accuse("it differs from what a signed head commits to"),
            Some(Fate::Suspect) => {
                accuse(
                    "it, or another tile at the same edge, differs from what a signed head commits to",
                );
            }
            Some(Fate::Unreached) => rows.push(row(
                folder,
                &file,
                Outcome::Unverifiable(Reason::Orphan),
                Some("no signed head at hand leads to it; Go does not use it without one"),
            )),
            None => torn(folder, &file, problems, &mut rows),
        }
    }
    rows
}

/// The hashes of a file that is a whole tile.
fn whole(tile: Tile, bytes: &[u8]) -> Option<Vec<Hash>> {
    let fits = bytes.len() == usize::from(tile.width()) * 32;
    let torn = bytes.iter().all(|byte| *byte == 0);
    tile.hashes(bytes).filter(|_| fits && !torn)
}

/// A file that is no tile, unless it is empty: that one was never written.
fn torn(folder: &LogFolder<'_>, file: &str, problems: &mut Vec<Problem>, rows: &mut Vec<LogFile>) {
    if folder
        .read_whole(file)
        .is_some_and(|(bytes, _)| bytes.is_empty())
    {
        return;
    }
    problems.push(Problem::partial(
        folder.shown(file),
        "is no whole tile of the log; remove it, and Go will ask again",
    ));
    let unreadable = Outcome::Unverifiable(Reason::Unreadable);
    rows.push(row(folder, file, unreadable, None));
}

fn row(folder: &LogFolder<'_>, file: &str, outcome: Outcome, note: Option<&str>) -> LogFile {
    LogFile {
        kind: "log-tile",
        root: folder.root.clone(),
        rel: folder.below_root(file),
        outcome,
        findings: Vec::new(),
        note: note.map(ToOwned::to_owned),
    }
}
