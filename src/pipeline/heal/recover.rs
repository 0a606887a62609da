//! Finishing what was interrupted: every transaction that was begun is done to its end, or taken back where it cannot be.
//!
//! Goes by the record alone, and only in folders that are the same ones and belong to this user.

use std::path::Path;
use std::time::Duration;

use super::allowed::Allowed;
use super::apply::{ApplyError, Grounds};
use super::audit::{Audit, Deed};
use super::journal::{self, Journal, JournalError, Standing};
use super::record::{Entry, Line, Role};
use super::relocate;
use super::restore::altered;
use super::transaction::take_lock;
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
    /// What could be neither, and why; the journal then stays.
    pub stuck: Vec<String>,
    /// Why the audit log does not have it, or is not whole.
    pub unlogged: Option<String>,
}

/// Finishes every interrupted run of the vault. `now` is in seconds since 1970.
///
/// # Errors
/// When a journal cannot be gone by: then nothing was done by that one.
pub fn all(
    vault: &Vault<'_>,
    uid: u32,
    now: i64,
    wait: Duration,
    allowed: &Allowed,
) -> Result<Vec<Recovered>, VaultError> {
    let mut all = Vec::new();
    for run in vault.pending()? {
        let mut recovered = one(vault, &run, wait, allowed)?;
        let result = format!(
            "finished {}, taken back {}, stuck {}",
            recovered.finished,
            recovered.undone,
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
    let mut recovered = Recovered {
        run: run.to_owned(),
        finished: 0,
        undone: 0,
        stuck: Vec::new(),
        unlogged: None,
    };
    let Some(story) = journal::read(vault.fs, vault.base, Path::new(&name))? else {
        // Not even its first line came to the disk: nothing was done by it.
        relocate::discard(vault.fs, vault.base, Path::new(&name))?;
        return Ok(recovered);
    };
    if story.id != run {
        return Err(VaultError::Journal(JournalError::Refused {
            name,
            why: "it tells of another run".to_owned(),
        }));
    }
    if story.is_pending() {
        let grounds = vault.grounds(&story.folders, run, allowed)?;
        let mut journal = Journal::resume(vault.fs, vault.base, &name, &story)?;
        for (entry, standing) in &story.entries {
            if matches!(standing, Standing::Begun | Standing::Restoring)
                && let Err(why) = allowed.permits(&story.folders, entry)
            {
                recovered.stuck.push(why);
                continue;
            }
            if !matches!(standing, Standing::Begun | Standing::Restoring) {
                continue;
            }
            let entry = match grounds.left(entry) {
                Ok((entry, _)) => entry,
                Err(why) => {
                    recovered.stuck.push(format!("{}: {why}", entry.package));
                    continue;
                }
            };
            let entry = &entry;
            let ended = match standing {
                Standing::Begun => begun(&grounds, entry, &mut journal, &mut recovered, wait),
                Standing::Restoring => {
                    restoring(&grounds, entry, &mut journal, &mut recovered, wait)
                }
                Standing::Done | Standing::Undone | Standing::Restored => Ok(()),
            };
            if let Err(why) = ended {
                recovered.stuck.push(format!("{}: {why}", entry.package));
            }
        }
    }
    if !story.is_pending() {
        // Its last line may not be on disk yet, and closed it is gone by for good.
        drop(Journal::resume(vault.fs, vault.base, &name, &story)?);
    }
    if recovered.stuck.is_empty() {
        sweep(vault, &story, run, allowed)?;
        vault.close(run)?;
    }
    Ok(recovered)
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
            held.push(take_lock(grounds.fs, *root, &rel.path(), wait)?);
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
    match grounds.apply(entry) {
        Ok(()) => {
            journal.line(&Line::Done(entry.number)).map_err(text)?;
            recovered.finished += 1;
        }
        Err(why) => {
            let both = |error: ApplyError| format!("{why}; and then: {error}");
            match grounds.unapply(entry) {
                // The taint is kept, and its tool has made a newer one meanwhile.
                Err(ApplyError::Occupied { .. }) => {
                    grounds.finish(entry).map_err(both)?;
                    journal.line(&Line::Done(entry.number)).map_err(text)?;
                    recovered.finished += 1;
                }
                Err(error) => return Err(both(error)),
                Ok(()) => {
                    journal.line(&Line::Undone(entry.number)).map_err(text)?;
                    recovered.undone += 1;
                }
            }
        }
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
    for mv in entry.moves.iter().filter(|mv| mv.role != Role::Newer) {
        let store = grounds.roots.get(mv.folder).map(|(_, store)| *store);
        if let Some(why) = store.and_then(|store| altered(grounds.fs, store, mv)) {
            return Err(why);
        }
    }
    put_back(grounds, entry)?;
    journal
        .line(&Line::Restored(entry.number))
        .map_err(|e| e.to_string())?;
    recovered.finished += 1;
    Ok(())
}

/// Puts everything back, after what stands in the way was taken.
pub(super) fn put_back(grounds: &Grounds<'_>, entry: &Entry) -> Result<(), String> {
    let newer = Entry {
        moves: entry
            .moves
            .iter()
            .filter(|mv| mv.role == Role::Newer)
            .cloned()
            .collect(),
        puts: Vec::new(),
        ..entry.clone()
    };
    grounds.apply(&newer).map_err(|e| e.to_string())?;
    grounds.unapply(entry).map_err(|e| e.to_string())
}

/// Removes what was fetched and never put in place.
fn sweep(
    vault: &Vault<'_>,
    story: &journal::Story,
    run: &str,
    allowed: &Allowed,
) -> Result<(), VaultError> {
    let Ok(grounds) = vault.grounds(&story.folders, run, allowed) else {
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
