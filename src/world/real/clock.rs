//! The system clock, or the fixed time of the hidden `--now`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::world::Clock;

/// Tells the machine's time, unless a fixed one was given.
pub struct SystemClock {
    fixed: Option<i64>,
    began: Instant,
}

impl SystemClock {
    /// Starts to count durations now. `fixed` is the time to tell instead, in seconds since 1970.
    pub fn new(fixed: Option<i64>) -> Self {
        Self {
            fixed,
            began: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        self.fixed.unwrap_or_else(wall_seconds)
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Seconds since 1970 by the machine's clock; negative before.
pub(super) fn wall_seconds() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_time_is_told_as_it_is() {
        assert_eq!(SystemClock::new(Some(42)).now(), 42);
        assert!(SystemClock::new(None).now() > 1_700_000_000);
    }
}
