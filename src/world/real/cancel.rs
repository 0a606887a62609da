//! The wish to end: Ctrl-C, termination signals, and the deadline of `--timeout`.
//!
//! The first signal asks for a partial report; the second ends the process at once, because whoever asks twice means it.
//! While a program of the user's runs, signals are that program's affair, and no deadline counts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Whose run signals of this process are about: the one that began to listen last.
static LISTENING: Mutex<Option<Cancel>> = Mutex::new(None);

/// Who is told of signals instead.
type Teller = Box<dyn Fn(i32) + Send>;

/// Whether the run was asked to end; clones share the wish.
#[derive(Clone)]
pub struct Cancel {
    asked: Arc<AtomicBool>,
    teller: Arc<Mutex<Option<Teller>>>,
    deadline: Arc<Mutex<Option<Instant>>>,
    timeout: Option<Duration>,
}

impl Cancel {
    /// Without signals; ends by itself after `timeout`, if one is given.
    pub fn new(timeout: Option<Duration>) -> Self {
        Self {
            asked: Arc::new(AtomicBool::new(false)),
            teller: Arc::default(),
            deadline: Arc::new(Mutex::new(from_now(timeout))),
            timeout,
        }
    }

    /// Listens to Ctrl-C and termination signals of this process, in place of whoever did before.
    pub fn listen(&self) {
        if locked(&LISTENING).replace(self.clone()).is_some() {
            return;
        }
        // That signals cannot be had is no reason not to run.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
            return;
        };
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let cancel = locked(&LISTENING).clone();
                if let Some(cancel) = cancel {
                    cancel.heard(signal);
                }
            }
        });
    }

    fn heard(&self, signal: i32) {
        if let Some(tell) = locked(&self.teller).as_ref() {
            return tell(signal);
        }
        if self.asked.swap(true, Ordering::SeqCst) {
            end_at_once();
        }
    }

    /// Until the guard is dropped, signals are told to somebody else and ask nothing of this run. Its time begins anew then.
    pub(super) fn hold(&self, tell: impl Fn(i32) + Send + 'static) -> Hold {
        *locked(&self.deadline) = None;
        *locked(&self.teller) = Some(Box::new(tell));
        Hold(self.clone())
    }

    /// Asks the run to end.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether the run should end.
    pub fn cancelled(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
            || (self.timeout.is_some()
                && locked(&self.deadline).is_some_and(|d| Instant::now() >= d))
    }
}

fn from_now(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|t| Instant::now().checked_add(t))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it lives, signals are somebody else's affair.
#[must_use]
pub(super) struct Hold(Cancel);

impl Drop for Hold {
    fn drop(&mut self) {
        *locked(&self.0.teller) = None;
        *locked(&self.0.deadline) = from_now(self.0.timeout);
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

    #[test]
    fn while_it_is_held_neither_signals_nor_time_end_anything() {
        let cancel = Cancel::new(Some(Duration::ZERO));
        let told = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&told);
        let hold = cancel.hold(move |signal| locked(&to).push(signal));
        cancel.heard(SIGTERM);
        cancel.heard(SIGTERM);
        assert!(!cancel.cancelled());
        assert_eq!(*locked(&told), [SIGTERM, SIGTERM]);
        drop(hold);
        assert!(cancel.cancelled(), "its time is over at once, as before");
    }
}
