//! What is said of each file of log data in a cache: a signed head commits to it, something in it is false, or nothing at
//! hand leads to it.
//!
//! A record that the cached tiles cannot prove is held against what was proven of the same version by other means. None is
//! passed over: what nobody asked about and no head commits to is listed as serving nothing in this run.

use std::collections::BTreeMap;

use crate::ecosystems::proof::LogFile;
use crate::model::{Assurance, Code, Outcome as Fate, Problem, Reason};
use crate::world::FileKind;

use crate::tlog::{Error, Forgery, Lookup, RecordForgery, Resource, Wanted};

use super::log::Outcome;
use super::log_audit::{Accused, Genuine};
use super::log_place::{Listed, LogFolder, looked_up, name};
use super::log_tiles::{self, Known};

pub(super) const PROVEN: Fate = Fate::Verified(Assurance::Authenticated);

/// One row for each file, sorted.
pub(super) fn judge(
    folders: &[LogFolder<'_>],
    results: &BTreeMap<Wanted, Outcome>,
    genuine: &Genuine,
    known: &Known<'_>,
    accused: &mut Accused,
    problems: &mut Vec<Problem>,
) -> Vec<LogFile> {
    let mut rows = Vec::new();
    for folder in folders {
        let lookups = folder.listed("lookup");
        for file in &lookups.files {
            rows.extend(record(folder, file, results, genuine, accused));
        }
        let tiles = folder.listed("tile");
        rows.extend(log_tiles::judge(folder, &tiles, known, accused, problems));
        for (listed, kind) in [(lookups, "log-record"), (tiles, "log-tile")] {
            rows.extend(odd(folder, listed, kind, accused, problems));
        }
    }
    for row in &mut rows {
        row.findings = accused.take(&row.root, &row.rel);
        if !row.findings.is_empty() {
            row.outcome = Fate::Tainted;
            row.note = None;
        }
    }
    rows.sort_by(|a, b| (&a.root, &a.rel).cmp(&(&b.root, &b.rel)));
    rows
}

/// What is said of a look-up; nothing of one that was never written.
fn record(
    folder: &LogFolder<'_>,
    file: &str,
    results: &BTreeMap<Wanted, Outcome>,
    genuine: &Genuine,
    accused: &mut Accused,
) -> Option<LogFile> {
    let unused = |why: &str| {
        let outcome = Fate::Unverifiable(Reason::Orphan);
        (outcome, Some(why.to_owned()))
    };
    let rel = folder.below_root(file);
    let wanted = looked_up(file)
        .filter(|wanted| name(&Resource::Lookup(wanted.clone())).as_deref() == Some(file));
    let (outcome, note) = match &wanted {
        None => unused("no module has this name, so Go does not read it"),
        Some(_) if genuine.contains(&(folder.root.clone(), rel.clone())) => (PROVEN, None),
        Some(wanted) => {
            let bytes = match folder.read_whole(file) {
                Some((bytes, _)) if bytes.is_empty() => return None,
                Some((bytes, _)) => bytes,
                None => Vec::new(),
            };
            match results.get(wanted) {
                Some(outcome) => (used(folder, &bytes, wanted, outcome, accused), None),
                None => unused(
                    "nothing in this run rests on it, and no head at hand leads to it; Go does not use it without one",
                ),
            }
        }
    };
    Some(LogFile {
        kind: "log-record",
        root: folder.root.clone(),
        rel,
        outcome,
        findings: Vec::new(),
        note,
    })
}

/// A record that something rests on, and that the cached tiles do not prove.
fn used(
    folder: &LogFolder<'_>,
    bytes: &[u8],
    wanted: &Wanted,
    outcome: &Outcome,
    accused: &mut Accused,
) -> Fate {
    let Outcome::Proven { record, .. } = outcome else {
        return Fate::Unverifiable(match outcome {
            Outcome::Gap(reason) => *reason,
            _ => Reason::NoRecord,
        });
    };
    let error = match Lookup::parse(bytes, wanted) {
        Ok(lookup) if (lookup.id(), lookup.leaf()) == *record => return PROVEN,
        Ok(_) => Error::forged(Forgery::Record {
            module: wanted.module.clone(),
            version: wanted.version.clone(),
            why: RecordForgery::NotInTree,
            answer: bytes.to_vec(),
        }),
        Err(error @ Error::Forged(_)) => error,
        Err(_) => return Fate::Unverifiable(Reason::Unreadable),
    };
    accused.add(&error, std::slice::from_ref(folder));
    Fate::Tainted
}

/// What is no plain file: Go follows links, and would wait at the rest.
fn odd(
    folder: &LogFolder<'_>,
    listed: Listed,
    kind: &'static str,
    accused: &mut Accused,
    problems: &mut Vec<Problem>,
) -> Vec<LogFile> {
    for (file, why) in listed.unreadable {
        let message = format!("cannot be read: {why}; make it readable");
        problems.push(Problem::skipped(folder.shown(&file), message));
    }
    let mut rows = Vec::new();
    for (file, what) in listed.odd {
        if what == FileKind::Link {
            let message = "it is a link, and Go would follow it";
            accused.say(Code::LinkEscape, folder, &file, message);
        } else {
            problems.push(Problem::skipped(
                folder.shown(&file),
                "is no file, and Go would wait for what it says; remove it",
            ));
        }
        rows.push(LogFile {
            kind,
            root: folder.root.clone(),
            rel: folder.below_root(&file),
            outcome: Fate::Unverifiable(Reason::Unreadable),
            findings: Vec::new(),
            note: None,
        });
    }
    rows
}
