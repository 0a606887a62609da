//! In which order steps are done: each as soon as what it needs is there, so that one slow server keeps back its own alone.
//!
//! Nobody waits for the network with a lock in hand. A run that is asked to end begins nothing more but what was fetched.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::Run;
use crate::pipeline::heal::Lack;
use crate::pipeline::heal::plan::{Plan, Step};
use crate::pipeline::heal::receipt::{Ended, Receipt};
use crate::pipeline::heal::supplied::{Goods, Need, Stage};

/// How often somebody who waits for a replacement looks whether the run should end.
const TICK: Duration = Duration::from_millis(100);

/// What has not been done yet.
struct Open<'p> {
    /// By number.
    steps: BTreeMap<u32, &'p Step>,
    /// How many things a step still waits for.
    missing: BTreeMap<u32, usize>,
    /// What there is for them.
    goods: BTreeMap<u32, Goods>,
}

impl Open<'_> {
    /// The first step that waits for nothing any more; of a run that ends, the first for which something was fetched.
    fn ready(&self, ending: bool) -> Option<u32> {
        let waits = |number: &u32| self.missing.get(number).is_some_and(|n| *n > 0);
        let mut numbers = self.steps.keys().copied();
        numbers.find(|number| !waits(number) && (!ending || self.goods.contains_key(number)))
    }
}

impl Run<'_> {
    /// Does every step as soon as what it needs has come.
    pub(super) fn steps(
        &mut self,
        plan: &Plan,
        needs: &[Need<'_>],
        arriving: &Receiver<(usize, Result<Vec<u8>, Lack>)>,
    ) {
        let mut open = Open {
            steps: (1u32..).zip(&plan.steps).collect(),
            missing: BTreeMap::new(),
            goods: BTreeMap::new(),
        };
        for need in needs {
            *open.missing.entry(need.number).or_default() += 1;
        }
        let mut stuck = false;
        let mut ending = false;
        while !stuck && !open.steps.is_empty() {
            ending |= (self.orders.cancelled)();
            if let Some(number) = open.ready(ending) {
                stuck = self.next(number, &mut open);
                continue;
            }
            self.held.clear();
            let wait = if ending { Duration::ZERO } else { TICK };
            match arriving.recv_timeout(wait) {
                Ok(first) => {
                    ending |= (self.orders.cancelled)();
                    for (at, bytes) in [first].into_iter().chain(arriving.try_iter()) {
                        // That a run which ends has no answer says nothing.
                        if let Some(need) = needs.get(at).filter(|_| bytes.is_ok() || !ending) {
                            self.arrived(need, bytes, &mut open);
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) if !ending => {}
                Err(_) => break,
            }
        }
        if stuck {
            self.rest(&open, "a step could neither be done nor taken back");
        } else if !open.steps.is_empty() {
            self.rest(&open, "the run was asked to end, or its time was over");
        }
        self.receipts.done.sort_by_key(|receipt| receipt.number);
    }

    /// Does a step. Whether it is stuck: then nothing more may be begun.
    fn next(&mut self, number: u32, open: &mut Open<'_>) -> bool {
        let goods = open.goods.remove(&number).unwrap_or_default();
        let Some(step) = open.steps.remove(&number) else {
            return false;
        };
        let at = &self.at;
        self.held.retain(|(folder, rel), _| {
            let same = |(root, lock): &(usize, _)| at.get(root) == Some(folder) && lock == rel;
            step.locks.iter().any(same)
        });
        let receipt = self.step(number, step, goods);
        self.note(&receipt);
        let stuck = matches!(receipt.ended, Ended::Stuck(_));
        self.receipts.done.push(receipt);
        stuck
    }

    /// Something came, or is not to be had.
    fn arrived(&self, need: &Need<'_>, bytes: Result<Vec<u8>, Lack>, open: &mut Open<'_>) {
        let stage = Stage {
            fs: self.vault.fs,
            grounds: &self.grounds,
            at: &self.at,
        };
        if let Some(missing) = open.missing.get_mut(&need.number) {
            *missing = missing.saturating_sub(1);
        }
        let goods = open.goods.entry(need.number).or_default();
        goods.take(&stage, need, bytes);
    }

    /// Steps that were not begun.
    fn rest(&mut self, open: &Open<'_>, why: &str) {
        self.receipts.early = Some(why.to_owned());
        for (number, step) in &open.steps {
            if let Some(goods) = open.goods.get(number) {
                self.unstage(&goods.puts);
            }
            let mut receipt = Receipt::of(*number, step);
            receipt.ended = Ended::Failed(format!("not begun: {why}"));
            self.receipts.done.push(receipt);
        }
    }
}
