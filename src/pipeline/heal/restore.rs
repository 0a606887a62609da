//! Putting back what a heal moved: every byte, mode, time and link as before, latest first.
//!
//! Refuses where something newer stands, unless forced; then that is taken into the quarantine too. Nothing is ever lost
//! by it. The good file that a heal put in place is known by its digest and does not count as newer. Of a run that was given
//! up, what it had moved goes back, and what it had not is left where it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::allowed::Allowed;
use super::audit::{Audit, Deed};
use super::grounds::Grounds;
use super::journal::{Journal, JournalError, Standing, Story, read};
use super::record::{Entry, Folder, Line, Move, Name, Role, Was};
use super::relocate::stat;
use super::vault::{Vault, VaultError, journal_name};
use super::{look, recover};
use crate::world::write_fs::Root;
use crate::world::{FileKind, WriteFs};

/// What is ordered.
#[derive(Debug, Clone)]
pub struct Restoring {
    /// Whether it is done, or only shown.
    pub yes: bool,
    /// Whether what stands in the way is moved into the quarantine.
    pub force: bool,
    /// Seconds since 1970.
    pub now: i64,
    /// Who this is.
    pub uid: u32,
    /// How long a tool's lock is waited for.
    pub wait: Duration,
    /// Folders in which something may be put back.
    pub allowed: Allowed,
}

/// What became of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Number in its run.
    pub number: u32,
    /// Ecosystem.
    pub ecosystem: String,
    /// Package and version.
    pub package: String,
    /// What was, or would be, put back.
    pub paths: Vec<PathBuf>,
    /// Why it was not.
    pub refused: Option<String>,
    /// Why some of what was built from it stays in the quarantine.
    pub left: Vec<String>,
    /// What of it is not as it was, though its bytes are.
    pub unlike: Vec<String>,
    /// Why the audit log does not have it, or is not whole.
    pub unlogged: Option<String>,
}

/// Whether something of it lies in the quarantine that can be put back.
const fn is_open(standing: Standing) -> bool {
    matches!(standing, Standing::Done | Standing::Abandoned)
}

/// The run that `last` stands for: the newest that moved something, with its time, and whether it is back already.
///
/// # Errors
/// When the vault cannot be read, or the newest run cannot be gone by.
pub fn last(vault: &Vault<'_>) -> Result<Option<(i64, String, bool)>, VaultError> {
    let mut newest: Option<(i64, String, bool)> = None;
    let mut unfit = None;
    for run in vault.runs()? {
        let story = match vault.story(&run) {
            Ok(Some(story)) => story,
            Ok(None) => continue,
            Err(error) => {
                unfit = Some(error);
                continue;
            }
        };
        let any = |is: fn(Standing) -> bool| story.entries.iter().any(|(_, s)| is(*s));
        let moved = any(|s| is_open(s) || s == Standing::Restored);
        let key = (story.at, run, !any(is_open));
        if moved
            && newest
                .as_ref()
                .is_none_or(|n| (n.0, &n.1) < (key.0, &key.1))
        {
            newest = Some(key);
        }
    }
    // Nothing can be put back by one that cannot be gone by: that is said where there is no other.
    match (newest, unfit) {
        (None, Some(error)) => Err(error.into()),
        (newest, _) => Ok(newest),
    }
}

/// Puts back what a run moved.
///
/// # Errors
/// When the run is not known, or its journal cannot be gone by.
pub fn run(
    vault: &Vault<'_>,
    run: &str,
    restoring: &Restoring,
) -> Result<Vec<Returned>, VaultError> {
    let Some(story) = vault.story(run)? else {
        return Err(VaultError::Journal(JournalError::Refused {
            name: run.to_owned(),
            why: "it says nothing".to_owned(),
        }));
    };
    let grounds = vault.grounds(&story, run, &restoring.allowed)?;
    let mut journal = if restoring.yes {
        Some(reopen(vault, run, &story)?)
    } else {
        None
    };
    let mut all = Vec::new();
    for (entry, standing) in story.entries.iter().rev() {
        if !is_open(*standing) {
            continue;
        }
        let mut returned = Returned {
            number: entry.number,
            ecosystem: entry.ecosystem.clone(),
            package: entry.package.clone(),
            paths: entry.moves.iter().map(|mv| path(&story, mv)).collect(),
            refused: None,
            left: Vec::new(),
            unlike: Vec::new(),
            unlogged: None,
        };
        let given_up = *standing == Standing::Abandoned;
        let step = (entry, given_up);
        match one(&grounds, &story.folders, step, restoring, journal.as_mut()) {
            Ok((left, unlike)) => (returned.left, returned.unlike) = (left, unlike),
            Err(why) => returned.refused = Some(why),
        }
        if restoring.yes {
            let added = Audit::of(vault, true).add(&Deed {
                at: restoring.now,
                uid: restoring.uid,
                run,
                action: "restore",
                what: &format!("{} {}", entry.ecosystem, entry.package),
                result: match (&returned.refused, returned.unlike.first()) {
                    (Some(why), _) => why,
                    (None, Some(_)) => "put back, not in all as it was",
                    (None, None) => "put back",
                },
            });
            returned.unlogged = added.err().map(|error| error.to_string());
        }
        all.push(returned);
    }
    if let Some(mut journal) = journal {
        let name = journal_name(run);
        let ended = read(vault.fs, vault.base, Path::new(&name), vault.seal())?;
        if ended.is_none_or(|story| !story.is_pending()) {
            journal.line(&Line::End)?;
            vault.close(run)?;
        }
    }
    Ok(all)
}

/// While it is written to, a journal lies where an interrupted run's lies.
fn reopen(vault: &Vault<'_>, run: &str, story: &Story) -> Result<Journal, VaultError> {
    let Some(seal) = vault.seal() else {
        return Err(VaultError::Journal(JournalError::Refused {
            name: run.to_owned(),
            why: "there is no key".to_owned(),
        }));
    };
    let name = journal_name(run);
    let kept = vault.kept(run).join("journal");
    vault
        .fs
        .rename(vault.base.at(&kept), vault.base.at(Path::new(&name)))?;
    vault.fs.sync(vault.base.at(Path::new("")))?;
    Ok(Journal::resume(vault.fs, vault.base, seal, story)?)
}

fn path(story: &Story, mv: &Move) -> PathBuf {
    story
        .folders
        .get(mv.folder)
        .map(|f| f.path.path().join(mv.rel.path()))
        .unwrap_or_default()
}

fn one(
    grounds: &Grounds<'_>,
    folders: &[Folder],
    (entry, given_up): (&Entry, bool),
    restoring: &Restoring,
    journal: Option<&mut Journal>,
) -> Result<(Vec<String>, Vec<String>), String> {
    let (mut here, left) = grounds.left(entry)?;
    let _held = if restoring.yes {
        recover::locks(grounds, &here, restoring.wait)?
    } else {
        Vec::new()
    };
    restoring.allowed.permits(folders, entry)?;
    let kept = |mv: &Move| {
        let store = grounds.roots.get(mv.folder).map(|(_, store)| *store);
        store.is_some_and(|store| grounds.fs.stat(store.at(Path::new(&mv.item))).is_ok())
    };
    // What was to be taken out of the way and was not yet, is looked at anew.
    here.moves.retain(|mv| mv.role != Role::Newer || kept(mv));
    let newer = newer(grounds, &here, restoring.force, given_up)?;
    let Some(journal) = journal else {
        return Ok((left, Vec::new()));
    };
    let mut entry = entry.clone();
    here.moves.extend(newer.iter().cloned());
    entry.moves.extend(newer);
    journal
        .line(&Line::Restore(Box::new(entry.clone())))
        .map_err(|e| e.to_string())?;
    let unlike = recover::put_back(grounds, &here)?;
    journal
        .line(&Line::Restored(entry.number))
        .map_err(|e| e.to_string())?;
    Ok((left, unlike))
}

/// Why what is kept of a thing is not put back: it is not what was taken any more.
pub(super) fn altered(fs: &dyn WriteFs, store: Root, mv: &Move) -> Option<String> {
    let digest = mv.digest.as_ref()?;
    let item = Path::new(&mv.item);
    let kept = look::at(fs, store, item).ok()?;
    (kept.digest.as_ref() != Some(digest)).then(|| {
        format!(
            "{}: it is not what was taken any more: somebody changed it in the quarantine, and it stays there",
            fs.shown(store.at(item)).display()
        )
    })
}

/// What stands where something is to be put back.
fn newer(
    grounds: &Grounds<'_>,
    entry: &Entry,
    force: bool,
    given_up: bool,
) -> Result<Vec<Move>, String> {
    let mut found = Vec::new();
    let moves = entry.moves.iter().enumerate();
    for (at, mv) in moves.filter(|(_, mv)| mv.role != Role::Newer) {
        let Some((root, store)) = grounds.roots.get(mv.folder).copied() else {
            continue;
        };
        let place = mv.rel.path();
        let fs = grounds.fs;
        let text = |e: crate::world::PathError| e.to_string();
        let there = stat(fs, root, &place).map_err(text)?;
        if stat(fs, store, Path::new(&mv.item))
            .map_err(text)?
            .is_none()
        {
            let unmoved = |there| grounds.is_it((root, &place), mv, there).unwrap_or(false);
            if given_up && there.as_ref().is_some_and(unmoved) {
                continue;
            }
            return Err(format!(
                "{}: it is not in the quarantine any more",
                fs.shown(root.at(&place)).display()
            ));
        }
        if let Some(why) = altered(fs, store, mv) {
            return Err(why);
        }
        let Some(there) = there else { continue };
        let put = entry
            .puts
            .iter()
            .find(|p| p.folder == mv.folder && p.rel == mv.rel);
        let seen = look::at(fs, root, &place).map_err(text)?;
        let ours = put.is_some_and(|p| {
            there.kind == FileKind::File && seen.digest.as_ref() == Some(&p.sha256)
        });
        if ours {
            continue;
        }
        // What tools make by themselves is made again; it is moved away, not lost.
        let remade = seen.digest.is_some() && seen.digest == mv.remade;
        if !force && !remade && !matches!(mv.role, Role::Derived | Role::Follows) {
            return Err(format!(
                "{}: something newer stands there; --force moves it into the quarantine",
                fs.shown(root.at(&place)).display()
            ));
        }
        let above = place.parent().unwrap_or(Path::new(""));
        let above = fs.stat(root.at(above)).map_err(text)?;
        found.push(Move {
            folder: mv.folder,
            rel: mv.rel.clone(),
            // No other one has this name: a run that was given up may have taken some out of the way already.
            item: format!(
                "f{}-{}-{}",
                entry.number,
                at + entry.moves.len(),
                there.inode
            ),
            role: Role::Newer,
            was: Was::of(&there),
            above: Was::of(&above),
            digest: seen.digest.clone(),
            bytes: Some(seen.bytes),
            armed: seen
                .armed
                .iter()
                .map(|(path, mode)| (Name::of(path), *mode))
                .collect(),
            odd: seen
                .odd
                .iter()
                .map(|(path, stat)| (Name::of(path), Was::of(stat)))
                .collect(),
            remade: None,
        });
    }
    Ok(found)
}
