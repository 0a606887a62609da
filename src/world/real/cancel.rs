//! The wish to end: Ctrl-C, termination signals, and the deadline of `--timeout`.
//!
//! The first signal asks for a partial report; the second ends the process at once, because whoever asks twice means it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether the run was asked to end; clones share the wish.
#[derive(Clone, Debug)]
pub struct Cancel {
    asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// Without signals; ends by itself after `timeout`, if one is given.
    pub fn new(timeout: Option<Duration>) -> Self {
        Self {
            asked: Arc::new(AtomicBool::new(false)),
            deadline: timeout.and_then(|t| Instant::now().checked_add(t)),
        }
    }

    /// Listens to Ctrl-C and termination signals of this process. A second call in one process changes nothing.
    pub fn listen(&self) {
        let asked = Arc::clone(&self.asked);
        // An error means that a handler stands already, or that signals cannot be had: the run works without.
        let _ = ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::SeqCst) {
                end_at_once();
            }
        });
    }

    /// Asks the run to end.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether the run should end.
    pub fn cancelled(&self) -> bool {
        self.asked.load(Ordering::Relaxed) || self.deadline.is_some_and(|d| Instant::now() >= d)
    }
}

#[expect(clippy::exit, reason = "the second Ctrl-C must end a run that hangs")]
fn end_at_once() -> ! {
    std::process::exit(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asked_or_too_late() {
        let cancel = Cancel::new(None);
        let twin = cancel.clone();
        assert!(!twin.cancelled());
        cancel.ask();
        assert!(twin.cancelled());
        assert!(Cancel::new(Some(Duration::ZERO)).cancelled());
        assert!(!Cancel::new(Some(Duration::from_secs(3600))).cancelled());
    }
}
