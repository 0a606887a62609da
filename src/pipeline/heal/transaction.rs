//! Carrying out a plan: one transaction per step, in an order in which nothing can be lost.
//!
//! Locks of the owning tool; a look at what lies there now; a replacement, fetched beside and compared with the strongest
//! claim; evidence; the record on disk; the moves; a look at the result; the end of the record. Whatever fails before the
//! record has begun leaves everything as it was; whatever fails after it is taken back.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::apply::Grounds;
use super::audit::{Audit, Deed};
use super::evidence::{self, Incident};
use super::journal::Journal;
use super::plan::{Plan, Planned, Step, Wanted};
use super::receipt::{Ended, Receipt, Receipts};
use super::record::{Entry, Folder, Line, Move, Name, Put, Role, Was};
use super::vault::{Vault, VaultError, journal_name};
use super::{Supply, look};
use crate::model::digest::hex;
use crate::pipeline::ailing::Ground;
use crate::world::write_fs::{Lock, Root};
use crate::world::{PathError, WriteFs};

/// What was ordered, and with which means.
pub struct Orders<'a> {
    /// Where replacements come from.
    pub supply: &'a dyn Supply,
    /// Roots, by position.
    pub grounds: &'a [Ground],
    /// The run's id.
    pub run: &'a str,
    /// Seconds since 1970.
    pub now: i64,
    /// Who this is.
    pub uid: u32,
    /// How long a tool's lock is waited for.
    pub wait: Duration,
    /// What has no replacement stays where it is.
    pub keep_if_unfetchable: bool,
    /// Nothing is fetched.
    pub evict: bool,
    /// Whether the deeds are written to the audit log.
    pub audited: bool,
    /// Whether the run was asked to end.
    pub cancelled: &'a dyn Fn() -> bool,
}

struct Run<'a> {
    vault: &'a Vault<'a>,
    orders: &'a Orders<'a>,
    folders: Vec<Folder>,
    grounds: Grounds<'a>,
    /// Position of a root among the folders.
    at: BTreeMap<usize, usize>,
    journal: Journal,
    audit: Audit<'a>,
    held: BTreeMap<(usize, PathBuf), Option<Box<dyn Send>>>,
    receipts: Receipts,
}

/// Carries it out.
///
/// # Errors
/// When not even the journal could be begun: then nothing was done.
pub fn carry_out(
    vault: &Vault<'_>,
    plan: &Plan,
    orders: &Orders<'_>,
) -> Result<Receipts, VaultError> {
    let mut run = Run::begin(vault, plan, orders)?;
    for (number, step) in (1u32..).zip(&plan.steps) {
        if (orders.cancelled)() {
            run.receipts.early = Some("the run was asked to end".to_owned());
            break;
        }
        let receipt = run.step(number, step);
        run.note(&receipt);
        let stuck = matches!(receipt.ended, Ended::Stuck(_));
        run.receipts.done.push(receipt);
        if stuck {
            run.receipts.early = Some("a step could neither be done nor taken back".to_owned());
            break;
        }
    }
    Ok(run.end())
}

impl<'a> Run<'a> {
    fn begin(
        vault: &'a Vault<'a>,
        plan: &Plan,
        orders: &'a Orders<'a>,
    ) -> Result<Self, VaultError> {
        let fs = vault.fs;
        let mut folders = Vec::new();
        let mut roots = Vec::new();
        let mut at = BTreeMap::new();
        for root in plan
            .steps
            .iter()
            .flat_map(|s| s.moves.iter().map(|m| m.root))
        {
            let Some(ground) = orders.grounds.get(root).filter(|_| !at.contains_key(&root)) else {
                continue;
            };
            let opened = fs.open(&ground.path)?;
            let stat = fs.stat(opened.at(Path::new("")))?;
            if stat.uid != orders.uid {
                return Err(VaultError::Io(PathError {
                    path: ground.path.clone(),
                    source: std::io::Error::other(
                        "it belongs to another user: run as its owner; nothing was done",
                    ),
                }));
            }
            let (store, store_path) =
                vault.store(orders.run, &ground.path, stat.dev, ground.build)?;
            at.insert(root, folders.len());
            roots.push((opened, store));
            folders.push(Folder {
                path: Name::of(&ground.path),
                dev: stat.dev,
                inode: stat.inode,
                store: Name::of(&store_path),
            });
        }
        let name = journal_name(orders.run);
        let journal = Journal::begin(fs, vault.base, &name, orders.run, orders.now, &folders)?;
        Ok(Self {
            vault,
            orders,
            grounds: Grounds {
                fs,
                roots,
                run: orders.run,
            },
            folders,
            at,
            journal,
            audit: Audit::of(vault, orders.audited),
            held: BTreeMap::new(),
            receipts: Receipts::default(),
        })
    }

    fn end(mut self) -> Receipts {
        self.held.clear();
        let stuck = self
            .receipts
            .done
            .iter()
            .any(|r| matches!(r.ended, Ended::Stuck(_)));
        self.receipts.closed = !stuck && self.vault.close(self.orders.run).is_ok();
        self.receipts
    }

    fn note(&mut self, receipt: &Receipt) {
        let (action, result) = match &receipt.ended {
            Ended::Healed => ("heal", "healed".to_owned()),
            Ended::Removed(why) => ("heal", format!("removed: {why}")),
            Ended::Kept(why) => ("heal", format!("kept: {why}")),
            Ended::Nothing => ("heal", "nothing to do".to_owned()),
            Ended::Failed(why) => ("heal", format!("failed: {why}")),
            Ended::Stuck(why) => ("heal", format!("stuck: {why}")),
        };
        self.audit.add(&Deed {
            at: self.orders.now,
            uid: self.orders.uid,
            run: self.orders.run,
            action,
            what: &format!("{} {}", receipt.ecosystem, receipt.package),
            result: &result,
        });
    }

    fn step(&mut self, number: u32, step: &Step) -> Receipt {
        let mut receipt = Receipt {
            number,
            ecosystem: step.ecosystem.clone(),
            package: step.package.clone(),
            findings: step.findings.iter().map(|f| f.id.clone()).collect(),
            ended: Ended::Nothing,
            moved: Vec::new(),
            put: Vec::new(),
        };
        receipt.ended = match self.attempt(number, step, &mut receipt) {
            Ok(ended) => ended,
            Err(why) => Ended::Failed(why),
        };
        receipt
    }

    fn attempt(
        &mut self,
        number: u32,
        step: &Step,
        receipt: &mut Receipt,
    ) -> Result<Ended, String> {
        self.lock(step)?;
        let (moves, seen) = self.look(number, step)?;
        if moves.iter().all(|mv| mv.role == Role::Derived) {
            // Gone, or good by now: somebody else, or its tool, was faster.
            return Ok(Ended::Nothing);
        }
        let (puts, why_not) = self.fetch(number, step, &moves)?;
        if let (Some(why), true) = (&why_not, self.orders.keep_if_unfetchable) {
            self.unstage(&puts);
            return Ok(Ended::Kept(why.clone()));
        }
        let why_not = why_not.or_else(|| step.nothing_good.map(str::to_owned));
        let entry = Entry {
            number,
            ecosystem: step.ecosystem.clone(),
            package: step.package.clone(),
            findings: receipt.findings.clone(),
            codes: step.findings.iter().map(|f| f.code.to_string()).collect(),
            locks: step
                .locks
                .iter()
                .filter_map(|(root, rel)| Some((*self.at.get(root)?, Name::of(rel))))
                .collect(),
            moves,
            puts,
        };
        let bundle = Incident {
            step,
            entry: &entry,
            folders: &self.folders,
            seen: &seen,
            why_not: why_not.as_deref(),
            now: self.orders.now,
            run: self.orders.run,
        };
        if let Err(error) = evidence::write(self.vault, &self.grounds, &bundle) {
            self.unstage(&entry.puts);
            return Err(format!("the evidence cannot be kept: {error}"));
        }
        if let Err(error) = self.journal.line(&Line::Begin(Box::new(entry.clone()))) {
            self.unstage(&entry.puts);
            return Err(format!("the journal cannot be written: {error}"));
        }
        if let Err(error) = self.grounds.apply(&entry) {
            return Ok(self.take_back(&entry, &error.to_string()));
        }
        if let Err(error) = self.journal.line(&Line::Done(number)) {
            return Ok(self.take_back(&entry, &error.to_string()));
        }
        for mv in &entry.moves {
            receipt.moved.push((self.path(mv.folder, &mv.rel), mv.role));
        }
        for put in &entry.puts {
            receipt.put.push(self.path(put.folder, &put.rel));
        }
        self.receipts.bytes = seen
            .iter()
            .fold(self.receipts.bytes, |sum, s| sum.saturating_add(s.bytes));
        Ok(why_not.map_or(Ended::Healed, Ended::Removed))
    }

    fn take_back(&mut self, entry: &Entry, why: &str) -> Ended {
        let undone = self
            .grounds
            .unapply(entry)
            .and_then(|()| self.grounds.unstage(entry))
            .map_err(|e| e.to_string())
            .and_then(|()| {
                self.journal
                    .line(&Line::Undone(entry.number))
                    .map_err(|e| e.to_string())
            });
        match undone {
            Ok(()) => Ended::Failed(why.to_owned()),
            Err(error) => Ended::Stuck(format!("{why}; and then: {error}")),
        }
    }

    fn path(&self, folder: usize, rel: &Name) -> PathBuf {
        self.folders
            .get(folder)
            .map(|f| f.path.path().join(rel.path()))
            .unwrap_or_default()
    }

    /// Takes the locks that the step needs and this run does not hold yet.
    fn lock(&mut self, step: &Step) -> Result<(), String> {
        for (root, rel) in &step.locks {
            let Some(folder) = self.at.get(root).copied() else {
                continue;
            };
            if self.held.contains_key(&(folder, rel.clone())) {
                continue;
            }
            let Some((opened, _)) = self.grounds.roots.get(folder).copied() else {
                continue;
            };
            let held = take_lock(self.vault.fs, opened, rel, self.orders.wait)?;
            self.held.insert((folder, rel.clone()), held);
        }
        Ok(())
    }

    /// What lies there now. What is gone, or good by now, is not moved.
    fn look(&self, number: u32, step: &Step) -> Result<(Vec<Move>, Vec<look::Seen>), String> {
        let fs = self.vault.fs;
        let (mut moves, mut all) = (Vec::new(), Vec::new());
        for (at, planned) in step.moves.iter().enumerate() {
            let Planned {
                root,
                rel,
                role,
                good,
            } = planned;
            let Some(folder) = self.at.get(root).copied() else {
                continue;
            };
            let Some((opened, _)) = self.grounds.roots.get(folder).copied() else {
                continue;
            };
            let seen = match look::at(fs, opened, rel) {
                Ok(seen) => seen,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error.to_string()),
            };
            let regular = seen.stat.kind == crate::world::FileKind::File;
            if let (Some(good), Some(digest), true) = (good, &seen.digest, regular)
                && good.hex() == *digest
            {
                continue;
            }
            let above = rel.parent().unwrap_or(Path::new(""));
            let above = fs.stat(opened.at(above)).map_err(|e| e.to_string())?;
            let short: String = seen
                .digest
                .as_deref()
                .unwrap_or("unread")
                .chars()
                .take(16)
                .collect();
            moves.push(Move {
                folder,
                rel: Name::of(rel),
                item: format!("i{number}-{at}-{short}"),
                role: *role,
                was: Was::of(&seen.stat),
                above: Was::of(&above),
                digest: seen.digest.clone(),
                armed: seen
                    .armed
                    .iter()
                    .map(|(path, mode)| (Name::of(path), *mode))
                    .collect(),
            });
            all.push(seen);
        }
        Ok((moves, all))
    }

    /// Fetches what is wanted in place of what is moved; what could not be had, in words.
    fn fetch(
        &self,
        number: u32,
        step: &Step,
        moves: &[Move],
    ) -> Result<(Vec<Put>, Option<String>), String> {
        let (mut puts, mut why_not) = (Vec::new(), None);
        if self.orders.evict {
            return Ok((puts, Some("nothing was to be fetched".to_owned())));
        }
        for (at, wanted) in step.wanted.iter().enumerate() {
            let (root, rel) = wanted.place();
            let Some(folder) = self.at.get(&root).copied() else {
                continue;
            };
            if !moves
                .iter()
                .any(|m| m.folder == folder && m.rel.path() == rel)
            {
                continue;
            }
            let bytes = match wanted {
                Wanted::Archive {
                    artifact, digest, ..
                } => self
                    .orders
                    .supply
                    .archive(artifact, digest)
                    .and_then(|bytes| {
                        // Whoever fetched it has compared it; this is the place where it counts.
                        if step.healer().fits(artifact, &bytes, digest) {
                            Ok(bytes)
                        } else {
                            Err("what was fetched is not what was published".to_owned())
                        }
                    }),
                Wanted::Known { bytes, .. } => Ok(bytes.clone()),
                Wanted::Listing { coordinate, .. } => self.orders.supply.listing(coordinate),
            };
            match bytes {
                Ok(bytes) => match self.stage(folder, &format!("n{number}-{at}"), rel, &bytes) {
                    Ok(put) => puts.push(put),
                    Err(error) => {
                        self.unstage(&puts);
                        return Err(format!("the replacement cannot be written: {error}"));
                    }
                },
                Err(why) => why_not = Some(why),
            }
        }
        Ok((puts, why_not))
    }

    fn stage(&self, folder: usize, name: &str, rel: &Path, bytes: &[u8]) -> Result<Put, PathError> {
        let fs = self.vault.fs;
        let store = self
            .grounds
            .roots
            .get(folder)
            .map_or(Root(usize::MAX), |r| r.1);
        let at = store.at(Path::new(name));
        let mut file = fs.create(at, 0o666)?;
        let written = file.write_all(bytes).and_then(|()| file.sync());
        if let Err(source) = written {
            drop(file);
            let _ = fs.remove(at);
            return Err(PathError {
                path: fs.shown(at),
                source,
            });
        }
        fs.sync(store.at(Path::new("")))?;
        Ok(Put {
            folder,
            rel: Name::of(rel),
            staged: name.to_owned(),
            sha256: hex(&Sha256::digest(bytes)),
        })
    }

    fn unstage(&self, puts: &[Put]) {
        for put in puts {
            if let Some((_, store)) = self.grounds.roots.get(put.folder) {
                let _ = self.vault.fs.remove(store.at(Path::new(&put.staged)));
            }
        }
    }
}

/// Takes one lock of a tool; a file system without locks is one where the tool goes without, too.
pub(super) fn take_lock(
    fs: &dyn WriteFs,
    root: Root,
    rel: &Path,
    wait: Duration,
) -> Result<Option<Box<dyn Send>>, String> {
    let at = root.at(rel);
    match fs.lock(at, wait) {
        Ok(Lock::Held(held)) => Ok(Some(held)),
        Ok(Lock::Unsupported) => Ok(None),
        Ok(Lock::Busy(who)) => Err(format!(
            "{} is locked by {}, and still was after {} s: end it or wait for it, then run again",
            fs.shown(at).display(),
            who.unwrap_or_else(|| "another program".to_owned()),
            wait.as_secs()
        )),
        Err(error) => Err(error.to_string()),
    }
}
