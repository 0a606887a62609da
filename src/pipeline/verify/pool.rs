//! Spreads work over threads, largest first, and bounds the bytes that are held at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Runs `work` for every position of `order` on `threads` threads; each thread makes its own scratch.
pub(super) fn for_each<S>(
    threads: usize,
    order: &[usize],
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) + Sync,
) {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut own = scratch();
        while let Some(position) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(&mut own, *position);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.max(1).min(order.len().max(1)) {
            scope.spawn(run);
        }
        run();
    });
}

/// A budget of bytes in flight. A request larger than all of it waits until nothing else is held.
pub(super) struct Budget {
    total: u64,
    held: Mutex<u64>,
    freed: Condvar,
}

impl Budget {
    /// A budget of `total` bytes.
    pub(super) fn new(total: u64) -> Self {
        Self {
            total,
            held: Mutex::new(0),
            freed: Condvar::new(),
        }
    }

    /// Waits for room and takes it until the grant is dropped.
    pub(super) fn take(&self, bytes: u64) -> Grant<'_> {
        let bytes = bytes.min(self.total);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while *held > 0 && held.saturating_add(bytes) > self.total {
            held = self
                .freed
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *held += bytes;
        Grant {
            budget: self,
            bytes,
        }
    }

    /// Takes room if there is some, without waiting: who already holds a grant may ask for this and nothing else.
    pub(super) fn try_take(&self, bytes: u64) -> Option<Grant<'_>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let more = held.checked_add(bytes).filter(|m| *m <= self.total)?;
        *held = more;
        Some(Grant {
            budget: self,
            bytes,
        })
    }
}

/// Room in a [`Budget`].
pub(super) struct Grant<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Drop for Grant<'_> {
    fn drop(&mut self) {
        let mut held = self
            .budget
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held = held.saturating_sub(self.bytes);
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_is_worked_on_once() {
        let order: Vec<usize> = (0..1000).collect();
        let sum = AtomicUsize::new(0);
        for_each(
            4,
            &order,
            || (),
            |(), n| {
                sum.fetch_add(n, Ordering::Relaxed);
            },
        );
        assert_eq!(sum.into_inner(), 499_500);
    }

    #[test]
    fn room_that_is_not_there_is_not_waited_for() {
        let budget = Budget::new(10);
        let first = budget.take(6);
        assert!(budget.try_take(5).is_none());
        let second = budget.try_take(4).expect("there is room");
        drop((first, second));
        assert!(budget.try_take(10).is_some());
        assert!(budget.try_take(u64::MAX).is_none());
    }

    #[test]
    fn a_request_larger_than_the_budget_still_runs() {
        let budget = Budget::new(10);
        let order: Vec<usize> = (0..50).collect();
        let peak = AtomicUsize::new(0);
        let now = AtomicUsize::new(0);
        for_each(
            4,
            &order,
            || (),
            |(), n| {
                let size = if n % 10 == 0 { 100 } else { 4 };
                let _grant = budget.take(size);
                let held = now.fetch_add(1, Ordering::SeqCst) + 1;
                peak.fetch_max(held, Ordering::SeqCst);
                now.fetch_sub(1, Ordering::SeqCst);
            },
        );
        assert!(peak.into_inner() <= 2);
    }
}
