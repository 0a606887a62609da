//! Progress on standard error: a bar on a terminal, lines where a person asked for them, silence otherwise.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::cancel::Cancel;
use crate::world::Progress;

/// Short runs show nothing: a bar that flashes by says nothing.
const APPEARS_AFTER: Duration = Duration::from_millis(300);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Not at all.
    Off,
    /// One line per stage, for logs.
    Lines,
    /// A bar that moves, for terminals.
    Bar,
}

/// Shows progress on standard error, and passes on the wish to end.
pub struct TerminalProgress {
    style: Style,
    cancel: Cancel,
    began: Instant,
    shown: AtomicBool,
    bar: Mutex<ProgressBar>,
}

impl TerminalProgress {
    /// Shows nothing yet.
    pub fn new(style: Style, cancel: Cancel) -> Self {
        Self {
            style,
            cancel,
            began: Instant::now(),
            shown: AtomicBool::new(false),
            bar: Mutex::new(ProgressBar::hidden()),
        }
    }

    /// Takes the bar away, so that what is printed next stands alone.
    pub fn finish(&self) {
        self.bar().finish_and_clear();
    }

    fn bar(&self) -> ProgressBar {
        self.bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn reveal(&self, bar: &ProgressBar) {
        if self.style == Style::Bar
            && !self.shown.load(Ordering::Relaxed)
            && self.began.elapsed() >= APPEARS_AFTER
            && !self.shown.swap(true, Ordering::Relaxed)
        {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Progress for TerminalProgress {
    fn stage(&self, name: &str, total: u64) {
        match self.style {
            Style::Off => return,
            Style::Lines => return self.note(name),
            Style::Bar => {}
        }
        let template = if total == 0 {
            "{spinner} {msg} {pos}"
        } else {
            "{msg} {wide_bar} {pos}/{len}"
        };
        let length = (total > 0).then_some(total);
        let fresh = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden())
            .with_message(name.to_owned());
        if let Ok(style) = ProgressStyle::with_template(template) {
            fresh.set_style(style);
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        bar.finish_and_clear();
        *bar = fresh.clone();
        drop(bar);
        self.shown.store(false, Ordering::Relaxed);
        self.reveal(&fresh);
    }

    fn advance(&self, steps: u64) {
        if self.style == Style::Bar {
            let bar = self.bar();
            self.reveal(&bar);
            bar.inc(steps);
        }
    }

    fn note(&self, line: &str) {
        if self.style != Style::Off {
            self.bar().suspend(|| {
                let _ = writeln!(std::io::stderr().lock(), "{line}");
            });
        }
    }

    fn cancelled(&self) -> bool {
        self.cancel.cancelled()
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_run_shows_nothing_and_cancelling_is_passed_on() {
        let cancel = Cancel::new(None);
        let progress = TerminalProgress::new(Style::Bar, cancel.clone());
        progress.stage("reading", 3);
        progress.advance(2);
        assert!(!progress.shown.load(Ordering::Relaxed));
        assert_eq!(progress.bar().position(), 2);
        assert!(!progress.cancelled());
        cancel.ask();
        assert!(progress.cancelled());
    }

    #[test]
    fn off_counts_nothing() {
        let progress = TerminalProgress::new(Style::Off, Cancel::new(None));
        progress.stage("reading", 3);
        progress.advance(2);
        assert_eq!(progress.bar().position(), 0);
    }
}
