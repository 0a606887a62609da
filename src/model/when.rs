//! Times as text: RFC 3339 in UTC, from seconds since 1970. Never reads a clock.

use jiff::Timestamp;

const DAY: i64 = 86_400;

/// `2026-11-22T02:00:00Z`. What no calendar holds is brought to the nearest time it holds.
pub fn rfc3339(seconds: i64) -> String {
    let nearest = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    // The fraction of the latest time is dropped, so that the text always has the same form.
    let time = Timestamp::from_second(seconds)
        .or_else(|_| Timestamp::from_second(nearest.as_second()))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_string()
}

/// `2026-11-22`.
pub fn day(seconds: i64) -> String {
    let text = rfc3339(seconds);
    text.split_once('T')
        .map_or(text.clone(), |(day, _)| day.to_owned())
}

/// Whole days from one time to a later one; none if it is not later.
pub fn days_between(from: i64, to: i64) -> i64 {
    to.saturating_sub(from).max(0) / DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_never_fail() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(day(1_795_305_600), "2026-11-22");
        assert!(rfc3339(i64::MAX).starts_with("9999-"));
        assert!(rfc3339(i64::MIN).ends_with('Z'));
        assert_eq!(days_between(0, 3 * DAY + 5), 3);
        assert_eq!(days_between(i64::MAX, i64::MIN), 0);
    }
}
