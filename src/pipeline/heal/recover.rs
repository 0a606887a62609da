//! Finishing what was interrupted: every transaction that was begun is done to its end, or taken back where it cannot be.
//!
//! Goes by the record alone, if this user has sealed it, and only in folders that are the same ones and belong to this user.
//! The world moves on in between: where its tool has put something newer, that stays; what belongs to a folder that is gone,
//! or another one by now, is given up, and what was taken from it stays in the quarantine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::allowed::Allowed;
use super::apply::ApplyError;
use super::audit::{Audit, Deed};
use super::grounds::Grounds;
use super::journal::{self, Journal, JournalError, Standing, Story};
use super::locking::take_lock;
use super::record::{Entry, Line, Role};
use super::relocate;
use super::vault::{Vault, VaultError, journal_name};
use crate::world::PathError;

/// What became of an interrupted run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The run.
    pub run: String,
    /// Transactions that were finished.
    pub finished: u32,
    /// Transactions that were taken back.
    pub undone: u32,
    /// What could be neither, since its folder is gone, and why; what was taken is kept.
    pub given_up: Vec<String>,
    /// What could be neither, and why; the journal then stays.
    pub stuck: Vec<String>,
    /// What was put back and is not as it was, though its bytes are.
    pub unlike: Vec<String>,
    /// Why nothing at all was done by its journal; that stays.
    pub refused: Option<String>,
    /// The folder that would have to be named for it.
    pub unnamed: Option<PathBuf>,
    /// Why the audit log does not have it, or is not whole.
    pub unlogged: Option<String>,
}

impl Recovered {
    fn of(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            finished: 0,
            undone: 0,
            given_up: Vec::new(),
            stuck: Vec::new(),
            unlike: Vec::new(),
            refused: None,
            unnamed: None,
            unlogged: None,
        }
    }
}

/// Finishes every interrupted run of the vault. `now` is in seconds since 1970. One whose journal cannot be gone by stops
/// none of the others.
///
/// # Errors
/// When the vault cannot be listed.
pub fn all(
    vault: &Vault<'_>,
    uid: u32,
    now: i64,
    wait: Duration,
    allowed: &Allowed,
) -> Result<Vec<Recovered>, VaultError> {
    let mut all = Vec::new();
    for run in vault.pending()? {
        let mut recovered = match one(vault, &run, wait, allowed) {
            Ok(recovered) => recovered,
            Err(error) => {
                let refused = Some(error.to_string());
                let unnamed = match error {
                    VaultError::Unnamed(path) => Some(path),
                    _ => None,
                };
                all.push(Recovered {
                    refused,
                    unnamed,
                    ..Recovered::of(&run)
                });
                continue;
            }
        };
        let result = format!(
            "finished {}, taken back {}, given up {}, stuck {}",
            recovered.finished,
            recovered.undone,
            recovered.given_up.len(),
            recovered.stuck.len()
        );
        let added = Audit::of(vault, true).add(&Deed {
            at: now,
            uid,
            run: &run,
            action: "recover",
            what: "an interrupted run",
            result: &result,
        });
        recovered.unlogged = added.err().map(|error| error.to_string());
        all.push(recovered);
    }
    Ok(all)
}

fn one(
    vault: &Vault<'_>,
    run: &str,
    wait: Duration,
    allowed: &Allowed,
) -> Result<Recovered, VaultError> {
    let name = journal_name(run);
    let mut recovered = Recovered::of(run);
    let refused = |why: &str| {
        let name = vault.fs.shown(vault.base.at(Path::new(&name)));
        Err(VaultError::Journal(JournalError::Refused {
            name: name.display().to_string(),
            why: why.to_owned(),
        }))
    };
    let read = journal::read(vault.fs, vault.base, Path::new(&name), vault.seal())?;
    let Some(story) = read else {
        // Not even its first line came to the disk: nothing was done by it.
        relocate::discard(vault.fs, vault.base, Path::new(&name))?;
        return Ok(recovered);
    };
    if story.id != run {
        return refused("it tells of another run");
    }
    if vault.is_twice(run) {
        return refused(
            "the same run has a closed journal: one of them was brought here from elsewhere",
        );
    }
    let Some(seal) = vault.seal() else {
        return refused("there is no key");
    };
    if !story.ended {
        let mut journal = Journal::resume(vault.fs, vault.base, seal, &story)?;
        if story.is_pending() {
            let grounds = vault.grounds(&story, run, allowed)?;
            for (entry, standing) in &story.entries {
                let open = matches!(standing, Standing::Begun | Standing::Restoring);
                if open && let Err(why) = allowed.permits(&story.folders, entry) {
                    recovered.stuck.push(why);
                } else if open {
                    let begun = *standing == Standing::Begun;
                    finish(&grounds, entry, begun, &mut journal, &mut recovered, wait);
                }
            }
        }
        if recovered.stuck.is_empty() {
            sweep(vault, &story, run, allowed)?;
            journal.line(&Line::End)?;
        }
    } else {
        // Its last line may not be on disk yet, and closed it is gone by for good.
        drop(Journal::resume(vault.fs, vault.base, seal, &story)?);
    }
    if recovered.stuck.is_empty() {
        vault.close(run)?;
    }
    Ok(recovered)
}

fn finish(
    grounds: &Grounds<'_>,
    entry: &Entry,
    is_begun: bool,
    journal: &mut Journal,
    recovered: &mut Recovered,
    wait: Duration,
) {
    let named = |why: String| format!("{}: {why}", entry.package);
    let ended = match grounds.left(entry) {
        Ok((entry, _)) if is_begun => begun(grounds, &entry, journal, recovered, wait),
        Ok((entry, _)) => restoring(grounds, &entry, journal, recovered, wait),
        Err(why) => {
            recovered.given_up.push(named(why));
            let line = journal.line(&Line::Abandoned(entry.number));
            line.map_err(|error| error.to_string())
        }
    };
    if let Err(why) = ended {
        recovered.stuck.push(named(why));
    }
}

/// Takes the locks of a transaction.
pub(super) fn locks(
    grounds: &Grounds<'_>,
    entry: &Entry,
    wait: Duration,
) -> Result<Vec<Option<Box<dyn Send>>>, String> {
    let mut held = Vec::new();
    for (folder, rel) in &entry.locks {
        if let Some((root, _)) = grounds.roots.get(*folder) {
            held.push(take_lock(grounds.fs, *root, &rel.path(), wait)?.held);
        }
    }
    Ok(held)
}

fn begun(
    grounds: &Grounds<'_>,
    entry: &Entry,
    journal: &mut Journal,
    recovered: &mut Recovered,
    wait: Duration,
) -> Result<(), String> {
    let _held = locks(grounds, entry, wait)?;
    let text = |error: PathError| error.to_string();
    let finished = match grounds.apply(entry) {
        Ok(()) => true,
        // Its tool was faster: what it put there stays.
        Err(ApplyError::Occupied { .. }) => {
            grounds.finish(entry).map_err(|error| error.to_string())?;
            true
        }
        Err(why) => {
            let both = |error: ApplyError| format!("{why}; and then: {error}");
            // What was changed in the quarantine is not put back; a record alone makes nothing good.
            let back = if grounds.is_altered(entry) {
                grounds.finish(entry).map_err(both)?;
                false
            } else {
                match grounds.unapply(entry) {
                    Ok(()) => true,
                    // The taint is kept, and its tool has made a newer one meanwhile.
                    Err(ApplyError::Occupied { .. }) => {
                        grounds.finish(entry).map_err(both)?;
                        false
                    }
                    Err(error) if error.is_unreachable() => {
                        recovered
                            .given_up
                            .push(format!("{}: {}", entry.package, both(error)));
                        let line = journal.line(&Line::Abandoned(entry.number));
                        return line.map_err(text);
                    }
                    Err(error) => return Err(both(error)),
                }
            };
            !back
        }
    };
    if finished {
        journal.line(&Line::Done(entry.number)).map_err(text)?;
        recovered.finished += 1;
    } else {
        journal.line(&Line::Undone(entry.number)).map_err(text)?;
        recovered.undone += 1;
    }
    Ok(())
}

fn restoring(
    grounds: &Grounds<'_>,
    entry: &Entry,
    journal: &mut Journal,
    recovered: &mut Recovered,
    wait: Duration,
) -> Result<(), String> {
    let _held = locks(grounds, entry, wait)?;
    if grounds.is_altered(entry) {
        // Nothing of it is put in place; the rest stays where it stands.
        let why = "somebody changed in the quarantine what was to be put back; it stays there";
        recovered.given_up.push(format!("{}: {why}", entry.package));
        let line = journal.line(&Line::Abandoned(entry.number));
        return line.map_err(|e| e.to_string());
    }
    recovered.unlike.extend(put_back(grounds, entry)?);
    journal
        .line(&Line::Restored(entry.number))
        .map_err(|e| e.to_string())?;
    recovered.finished += 1;
    Ok(())
}

/// Puts everything back, after what stands in the way was taken.
/// What is not as it was then, though its bytes are.
pub(super) fn put_back(grounds: &Grounds<'_>, entry: &Entry) -> Result<Vec<String>, String> {
    let newer = Entry {
        moves: entry
            .moves
            .iter()
            .filter(|mv| mv.role == Role::Newer)
            .cloned()
            .collect(),
        puts: Vec::new(),
        made: Vec::new(),
        ..entry.clone()
    };
    grounds.apply(&newer).map_err(|e| e.to_string())?;
    grounds.unapply(entry).map_err(|e| e.to_string())?;
    Ok(grounds.unlike(entry))
}

/// Removes what was fetched and never put in place.
fn sweep(vault: &Vault<'_>, story: &Story, run: &str, allowed: &Allowed) -> Result<(), VaultError> {
    let Ok(grounds) = vault.grounds(story, run, allowed) else {
        return Ok(());
    };
    for (at, (_, store)) in grounds.roots.iter().enumerate() {
        if grounds.lost.contains_key(&at) {
            continue;
        }
        for entry in vault.fs.list(store.at(Path::new("")))? {
            let staged = entry.name.to_str().is_some_and(|name| {
                name.strip_prefix('n')
                    .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
            });
            if staged {
                relocate::discard(vault.fs, *store, Path::new(&entry.name))?;
            }
        }
    }
    Ok(())
}
