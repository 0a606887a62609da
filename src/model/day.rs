//! Days, as waivers end on them: `YYYY-MM-DD`, UTC, the day itself counts.

use std::fmt;

/// A day of the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day {
    /// Days since 1970-01-01.
    number: i64,
}

impl Day {
    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| match at {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        if !shaped {
            return None;
        }
        let date: jiff::civil::Date = text.parse().ok()?;
        let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self::of(start.timestamp().as_second()))
    }

    /// The day of a time in seconds since 1970.
    pub const fn of(seconds: i64) -> Self {
        Self {
            number: seconds.div_euclid(86_400),
        }
    }

    /// Its first second, counted from 1970.
    pub const fn start(self) -> i64 {
        self.number.saturating_mul(86_400)
    }

    /// Whether the whole day lies before this time (seconds since 1970).
    pub fn is_over(self, now: i64) -> bool {
        Self::of(now) > self
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = jiff::Timestamp::from_second(self.number.saturating_mul(86_400));
        match start {
            Ok(start) => write!(f, "{}", start.strftime("%Y-%m-%d")),
            Err(_) => write!(f, "day {}", self.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_itself_counts() {
        let day = Day::parse("1970-01-02").unwrap();
        assert!(!day.is_over(0));
        assert!(!day.is_over(2 * 86_400 - 1));
        assert!(day.is_over(2 * 86_400));
        assert_eq!(day.to_string(), "1970-01-02");
        assert_eq!(Day::of(-1).to_string(), "1969-12-31");
    }

    #[test]
    fn only_real_days_in_one_spelling() {
        for text in [
            "",
            "2027-02-30",
            "2027-1-1",
            "20270101",
            "2027-01-01T00:00:00",
            "+027-01-01",
            "tomorrow",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        assert!(Day::parse("2028-02-29").is_some());
    }
}
