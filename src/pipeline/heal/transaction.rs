//! Carrying out a plan: one transaction per step, in an order in which nothing can be lost.
//!
//! Replacements are fetched beside, several at once, and compared with the strongest claim; a step is done as soon as all
//! that it needs is there, and nobody waits for the network with a lock in hand. Step by step: locks of the owning tool; a look at what lies there now; evidence; the record on disk; the moves; a look at the result; the end of the record. Whatever fails before the
//! record has begun leaves everything as it was; whatever fails after it is taken back.

mod found;
mod order;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use self::found::Found;
use super::apply::ApplyError;
use super::audit::{self, Audit, Deed};
use super::evidence::{self, Incident};
use super::grounds::Grounds;
use super::journal::{Journal, JournalError};
use super::locking::take_lock;
use super::plan::{Plan, Step};
use super::quarantine::{self, Which};
use super::receipt::{Ended, Receipt, Receipts};
use super::record::{Entry, Folder, Line, LockFolders, Move, Name, Put, Role};
use super::supplied::{self, Goods, Source};
use super::vault::{Vault, VaultError, journal_name};
use super::{Supply, index};
use crate::pipeline::ailing::Ground;
use crate::world::PathError;
use crate::world::write_fs::Root;

/// Bytes that are to be free where something is kept, beside what is copied there.
const MARGIN: u64 = 1 << 20;

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
    /// How long runs are kept that hold no evidence of a confirmed taint, in seconds.
    pub retention: u64,
    /// Whether the deeds are written to the audit log.
    pub audited: bool,
    /// Whether the run was asked to end.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
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
    /// Folders that were made for locks, and are in no record yet.
    made: Vec<LockFolders>,
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
    let source = Source {
        fs: vault.fs,
        orders,
    };
    let needs = supplied::needs(plan, orders.evict);
    thread::scope(|scope| {
        let arriving = source.fetch(scope, &needs);
        run.steps(plan, &needs, &arriving);
    });
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
        let roots_of = |s: &Step| -> Vec<usize> {
            let moves = s.moves.iter().map(|m| m.root);
            moves.chain(s.copies.iter().map(|c| c.root)).collect()
        };
        for root in plan.steps.iter().flat_map(roots_of) {
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
            let (store, store_path) = vault.store(orders.run, ground, stat.dev)?;
            let place = fs.stat(store.at(Path::new("")))?;
            at.insert(root, folders.len());
            roots.push((opened, store));
            folders.push(Folder {
                path: Name::of(&ground.path),
                dev: stat.dev,
                inode: stat.inode,
                store: Name::of(&store_path),
                store_dev: place.dev,
                store_inode: place.inode,
            });
        }
        let Some(seal) = vault.seal() else {
            return Err(VaultError::Journal(JournalError::Refused {
                name: journal_name(orders.run),
                why: "there is no key to seal it with".to_owned(),
            }));
        };
        let journal = Journal::begin(fs, vault.base, seal, orders.run, orders.now, &folders)?;
        Ok(Self {
            vault,
            orders,
            grounds: Grounds {
                fs,
                roots,
                run: orders.run,
                lost: BTreeMap::new(),
                devices: BTreeMap::new(),
            },
            folders,
            at,
            journal,
            audit: Audit::of(vault, orders.audited),
            held: BTreeMap::new(),
            made: Vec::new(),
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
        self.receipts.closed = !stuck
            && self.journal.line(&Line::End).is_ok()
            && self.vault.close(self.orders.run).is_ok();
        self.retain();
        self.receipts
    }

    /// What is old goes, unless it is evidence of a confirmed taint; what goes is written down.
    fn retain(&mut self) {
        let retention = i64::try_from(self.orders.retention).unwrap_or(i64::MAX);
        let before = self.orders.now.saturating_sub(retention);
        let pruned = quarantine::prune(self.vault, before, Which::Unconfirmed, true);
        self.receipts.pruned = pruned.map(|(gone, _)| gone).unwrap_or_default();
        for (run, _) in self.receipts.pruned.clone() {
            self.log(&Deed {
                at: self.orders.now,
                uid: self.orders.uid,
                run: &run,
                action: "prune",
                what: "an old run without a confirmed taint",
                result: "removed",
            });
        }
        if self.orders.audited {
            let read = audit::read(self.vault);
            self.receipts.log = read.ok().and_then(|read| read.head());
        }
        index::refresh(self.vault);
        self.receipts.bytes = quarantine::bytes(self.vault).unwrap_or(0);
    }

    /// Writes a deed down; that it cannot be is said.
    fn log(&mut self, deed: &Deed<'_>) {
        if let Err(error) = self.audit.add(deed) {
            let why = error.to_string();
            if !self.receipts.unlogged.contains(&why) {
                self.receipts.unlogged.push(why);
            }
        }
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
        let run = self.orders.run;
        self.log(&Deed {
            at: self.orders.now,
            uid: self.orders.uid,
            run,
            action,
            what: &format!("{} {}", receipt.ecosystem, receipt.package),
            result: &result,
        });
    }

    fn step(&mut self, number: u32, step: &Step, goods: Goods) -> Receipt {
        let mut receipt = Receipt::of(number, step);
        let staged = goods.puts.clone();
        receipt.ended = match self.attempt(number, step, goods, &mut receipt) {
            Ok(ended) => ended,
            Err(why) => Ended::Failed(why),
        };
        if !matches!(receipt.ended, Ended::Stuck(_)) {
            // What waited for nothing: the place was good by now, or stays as it is.
            self.unstage(&staged);
        }
        receipt
    }

    fn attempt(
        &mut self,
        number: u32,
        step: &Step,
        goods: Goods,
        receipt: &mut Receipt,
    ) -> Result<Ended, String> {
        if let Some(why) = goods.failed {
            return Err(why);
        }
        self.lock(step)?;
        let marks = self.marks(step)?;
        let Found { moves, seen, puts } = self.look(number, step, &goods)?;
        let idle = moves.iter().all(|mv| mv.role == Role::Derived);
        if idle && (step.copies.is_empty() || puts.is_empty()) {
            // Gone, or good by now: somebody else, or its tool, was faster.
            return Ok(Ended::Nothing);
        }
        if let Err(why) = self.room(&moves) {
            self.unstage(&puts);
            return Err(why);
        }
        receipt.other_bytes = goods.why_not.as_ref().is_some_and(|lack| lack.other_bytes);
        let evicted = || {
            self.orders
                .evict
                .then(|| "nothing was to be fetched".to_owned())
        };
        let unfetched = || step.unfetched.map(str::to_owned);
        let why_not = goods.why_not.map(|lack| lack.why);
        let why_not = why_not.or_else(evicted).or_else(unfetched);
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
            made: std::mem::take(&mut self.made),
            marks,
            moves,
            puts,
        };
        let proofs = step.good.as_ref().map_or_else(Vec::new, |(artifact, _)| {
            self.orders.supply.proofs(&artifact.coordinate)
        });
        let bundle = Incident {
            step,
            supply: self.orders.supply,
            proofs: &proofs,
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
            // It may be on disk all the same: then the next heal does what it says.
            return Ok(Ended::Stuck(format!(
                "the journal cannot be written: {error}"
            )));
        }
        let mut why_not = why_not;
        match self.grounds.apply(&entry) {
            Ok(()) => {}
            // The taint is kept and its tool has made a newer one: that stays, and the scan that follows judges it.
            Err(ApplyError::Occupied { path }) => {
                if let Err(error) = self.grounds.finish(&entry) {
                    return Ok(self.take_back(&entry, &error.to_string()));
                }
                why_not = Some(format!(
                    "its tool has put a newer one there meanwhile: {path}"
                ));
            }
            Err(error) => return Ok(self.take_back(&entry, &error.to_string())),
        }
        if let Err(error) = self.journal.line(&Line::Done(number)) {
            // It is done, and the line may be on disk: the next heal sees to it.
            return Ok(Ended::Stuck(format!(
                "the journal cannot be written: {error}"
            )));
        }
        receipt.evidence = Some(evidence::id(self.orders.run, number));
        for mv in &entry.moves {
            receipt.moved.push((self.path(mv.folder, &mv.rel), mv.role));
        }
        for put in &entry.puts {
            receipt.put.push(self.path(put.folder, &put.rel));
        }
        Ok(why_not.map_or(Ended::Healed, Ended::Removed))
    }

    /// Whether there is room for what has to be copied, and for what is written down of it.
    fn room(&self, moves: &[Move]) -> Result<(), String> {
        let fs = self.vault.fs;
        let mut needed: BTreeMap<Root, u64> = BTreeMap::new();
        for mv in moves {
            let Some((_, store)) = self.grounds.roots.get(mv.folder).copied() else {
                continue;
            };
            let place = fs.stat(store.at(Path::new("")));
            let copied = place.is_ok_and(|place| place.dev != mv.was.dev);
            let sum = needed.entry(store).or_insert(MARGIN);
            *sum = sum.saturating_add(mv.bytes.filter(|_| copied).unwrap_or(0));
        }
        for (store, needed) in needed {
            // Where the system does not tell, the first write that fails does.
            if let Some(free) = fs.free(store).ok().filter(|free| *free < needed) {
                return Err(format!(
                    "{}: {free} bytes are free there, and {needed} may be needed: make room and run again; nothing was done",
                    fs.shown(store.at(Path::new(""))).display()
                ));
            }
        }
        Ok(())
    }

    fn take_back(&mut self, entry: &Entry, why: &str) -> Ended {
        let line = match self.grounds.unapply(entry) {
            Ok(()) => Line::Undone(entry.number),
            // The taint is kept and its tool has made a newer one: that stays, and the scan that follows judges it.
            Err(ApplyError::Occupied { path }) => match self.grounds.finish(entry) {
                Ok(()) => {
                    let why = format!("{why}; something newer stands there: {path}");
                    return match self.journal.line(&Line::Done(entry.number)) {
                        Ok(()) => Ended::Removed(why),
                        Err(error) => Ended::Stuck(format!("{why}; and then: {error}")),
                    };
                }
                Err(error) => return Ended::Stuck(format!("{why}; and then: {error}")),
            },
            Err(error) => return Ended::Stuck(format!("{why}; and then: {error}")),
        };
        let undone = self.journal.line(&line).map_err(|e| e.to_string());
        let undone = undone.and_then(|()| self.grounds.unstage(entry).map_err(|e| e.to_string()));
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
            let taken = take_lock(self.vault.fs, opened, rel, self.orders.wait)?;
            self.made
                .extend(taken.made.map(|made| LockFolders { folder, ..made }));
            self.held.insert((folder, rel.clone()), taken.held);
        }
        Ok(())
    }

    fn unstage(&self, puts: &[Put]) {
        for put in puts {
            if let Some((_, store)) = self.grounds.roots.get(put.folder) {
                let _ = self.vault.fs.remove(store.at(Path::new(&put.staged)));
            }
        }
    }
}
