//! When to ask again: exponential pauses with jitter, and `Retry-After` (RFC 9110 section 10.2.3).

use std::time::Duration;

/// The pause before try number `next` (2, 3, …): doubles from `base`, at least half of it and the rest by chance.
pub(super) fn pause(base: Duration, next: u32, chance: &mut Chance) -> Duration {
    let doublings = next.saturating_sub(2).min(10);
    let full = base.saturating_mul(1 << doublings);
    let half = full / 2;
    let span = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
    half + Duration::from_micros(chance.below(span.saturating_add(1)))
}

/// What a `Retry-After` header asks for; `now` in seconds since 1970. `None` when it cannot be read.
pub(super) fn retry_after(value: &str, now: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    let ahead = date.as_second().saturating_sub(now);
    Some(Duration::from_secs(u64::try_from(ahead).unwrap_or(0)))
}

/// Small random numbers for jitter (xorshift); never for secrets.
pub(super) struct Chance(u64);

impl Chance {
    /// Begins anywhere.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stay_within_bounds() {
        let mut chance = Chance::new(7);
        let base = Duration::from_millis(500);
        for (next, full) in [(2, 500), (3, 1000), (4, 2000)] {
            for _ in 0..100 {
                let pause = pause(base, next, &mut chance);
                assert!(pause >= Duration::from_millis(full / 2));
                assert!(pause <= Duration::from_millis(full));
            }
        }
        assert!(pause(base, u32::MAX, &mut chance) <= base * 1024);
    }

    #[test]
    fn seconds_or_a_date() {
        assert_eq!(retry_after(" 7 ", 0), Some(Duration::from_secs(7)));
        let date = "Thu, 01 Jan 1970 00:01:00 GMT";
        assert_eq!(retry_after(date, 20), Some(Duration::from_secs(40)));
        assert_eq!(retry_after(date, 90), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", 0), None);
        assert_eq!(retry_after("-5", 0), None);
    }
}
