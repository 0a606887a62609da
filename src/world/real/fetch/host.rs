//! What is known of each origin during a run: how many requests fit, when to ask again, whether to ask at all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// Every origin that was asked.
#[derive(Default)]
pub(super) struct Hosts(BTreeMap<String, Arc<Host>>);

impl Hosts {
    /// The state of an origin.
    pub(super) fn of(&mut self, origin: &str) -> Arc<Host> {
        if let Some(known) = self.0.get(origin) {
            return Arc::clone(known);
        }
        let fresh = Arc::new(Host::default());
        self.0.insert(origin.to_owned(), Arc::clone(&fresh));
        fresh
    }

    /// Origins that were slow, limited or down.
    pub(super) fn degraded(&self) -> Vec<String> {
        self.0
            .iter()
            .filter(|(_, host)| host.degraded.load(Ordering::Relaxed))
            .map(|(origin, _)| origin.clone())
            .collect()
    }
}

/// One origin.
pub(super) struct Host {
    /// Requests in flight. Begins with one, so that the first answer tells how many fit.
    pub(super) permits: Semaphore,
    width: AtomicUsize,
    failures: AtomicU32,
    degraded: AtomicBool,
    not_before: Mutex<Option<Instant>>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(1),
            width: AtomicUsize::new(1),
            failures: AtomicU32::new(0),
            degraded: AtomicBool::new(false),
            not_before: Mutex::new(None),
        }
    }
}

impl Host {
    /// Lets this many requests through at once from now on; never fewer than before.
    pub(super) fn widen(&self, width: usize) {
        let before = self.width.fetch_max(width, Ordering::SeqCst);
        if width > before {
            self.permits.add_permits(width - before);
        }
    }

    /// How many requests may be in flight.
    pub(super) fn width(&self) -> usize {
        self.width.load(Ordering::SeqCst)
    }

    /// An attempt found the origin slow, limited or down.
    pub(super) fn mark_degraded(&self) {
        self.degraded.store(true, Ordering::Relaxed);
    }

    /// A request was answered.
    pub(super) fn succeeded(&self) {
        self.failures.store(0, Ordering::SeqCst);
    }

    /// A request failed for good, after its retries.
    pub(super) fn failed(&self) {
        self.mark_degraded();
        self.failures.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether so many requests in a row failed that asking further is useless and rude.
    pub(super) fn is_open(&self, breaker: u32) -> bool {
        self.failures.load(Ordering::SeqCst) >= breaker
    }

    /// The origin asked for a pause.
    pub(super) fn pause(&self, pause: Duration) {
        let until = Instant::now().checked_add(pause);
        let mut slot = self
            .not_before
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if until > *slot {
            *slot = until;
        }
    }

    /// How long to wait before the next request.
    pub(super) fn wait(&self) -> Duration {
        let slot = self
            .not_before
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        slot.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let host = Host::default();
        host.failed();
        host.failed();
        assert!(!host.is_open(3));
        host.succeeded();
        host.failed();
        host.failed();
        assert!(!host.is_open(3));
        host.failed();
        assert!(host.is_open(3));
    }

    #[test]
    fn widens_once_and_pauses() {
        let host = Host::default();
        host.widen(6);
        host.widen(6);
        host.widen(1);
        assert_eq!((host.width(), host.permits.available_permits()), (6, 6));
        assert_eq!(host.wait(), Duration::ZERO);
        host.pause(Duration::from_secs(100));
        host.pause(Duration::from_secs(1));
        assert!(host.wait() > Duration::from_secs(90));
    }

    #[test]
    fn degraded_origins_are_named_in_order() {
        let mut hosts = Hosts::default();
        hosts.of("b").mark_degraded();
        hosts.of("a").failed();
        hosts.of("c").succeeded();
        assert_eq!(hosts.degraded(), ["a", "b"]);
    }
}
