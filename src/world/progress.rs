//! The progress port: what a person sees while waiting.

/// Receives progress. Calls are cheap and may come from any thread.
pub trait Progress: Send + Sync {
    /// A stage begins; `total` is its number of steps, 0 when unknown.
    fn stage(&self, name: &str, total: u64);
    /// Some steps of the current stage are done.
    fn advance(&self, steps: u64);
    /// A line for the person, already escaped.
    fn note(&self, line: &str);
    /// Whether the run was asked to end (Ctrl-C, `--timeout`): stop starting new work.
    fn cancelled(&self) -> bool;
}

/// Shows nothing and never cancels.
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn cancelled(&self) -> bool {
        false
    }
}
