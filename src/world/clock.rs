//! The clock port. Nothing else asks what time it is.

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z. Fixed by the hidden `--now` in tests.
    fn now(&self) -> i64;
    /// Milliseconds since the process began; for durations, which stand only under `run`.
    fn elapsed_ms(&self) -> u64;
}
