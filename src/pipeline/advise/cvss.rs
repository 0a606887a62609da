//! Scores of CVSS vectors, versions 2.0, 3.0, 3.1 and 4.0 (specifications of FIRST), in tenths, so that they are ordered and equal exactly.
//!
//! Versions 3 and 4 are computed by the `cvss` crate behind a guard against its panics; version 2 is computed here. Of version 2 and 3 the
//! base metrics count. A vector that cannot be read has no score: the caller treats that as high, never as harmless.

use crate::model::Severity;
use std::{fmt, panic};

/// Vectors longer than this are not read.
const LONGEST: usize = 512;

/// A CVSS score from 0.0 to 10.0, in tenths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

impl Score {
    /// The score in tenths, 0 to 100.
    #[must_use]
    pub fn tenths(self) -> u8 {
        self.0
    }

    /// The score as a number from 0.0 to 10.0.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// The qualitative rating of versions 3 and 4 of the standard, also used for version 2; 0.0 is worth knowing.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self.0 {
            0 => Severity::Info,
            1..=39 => Severity::Low,
            40..=69 => Severity::Medium,
            70..=89 => Severity::High,
            _ => Severity::Critical,
        }
    }

    /// The score of a vector of any version; `None` if it cannot be read.
    #[must_use]
    pub fn of_vector(vector: &str) -> Option<Self> {
        if vector.len() > LONGEST {
            return None;
        }
        if vector.starts_with("CVSS:") {
            let base = if vector.starts_with("CVSS:3.") {
                base_of_version_3(vector)?
            } else {
                vector.to_owned()
            };
            let score = panic::catch_unwind(|| base.parse::<cvss::Cvss>().ok().map(|v| v.score()));
            return Self::from_value(score.ok()??);
        }
        Self::from_value(version_2(vector)?)
    }

    fn from_value(value: f64) -> Option<Self> {
        let tenths = (value * 10.0).round();
        (0..=100_u8)
            .find(|n| (f64::from(*n) - tenths).abs() < 0.5)
            .map(Self)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// The severity that a feed's own word stands for.
#[must_use]
pub fn severity_of_label(label: &str) -> Option<Severity> {
    Some(match label.to_ascii_lowercase().as_str() {
        "none" => Severity::Info,
        "low" => Severity::Low,
        "medium" | "moderate" => Severity::Medium,
        "high" | "important" => Severity::High,
        "critical" => Severity::Critical,
        _ => return None,
    })
}

/// The worst of several vectors with its score. Equal scores: the first vector.
#[must_use]
pub fn worst<'a>(vectors: impl IntoIterator<Item = &'a str>) -> Option<(Score, &'a str)> {
    let mut worst: Option<(Score, &str)> = None;
    for vector in vectors {
        if let Some(score) = Score::of_vector(vector)
            && worst.is_none_or(|(known, _)| score > known)
        {
            worst = Some((score, vector));
        }
    }
    worst
}

/// The base metrics of a version 3 vector, each exactly once; `None` if one is missing. The crate would count a missing one as harmless.
fn base_of_version_3(vector: &str) -> Option<String> {
    let (version, metrics) = vector.split_once('/')?;
    let mut base = version.to_owned();
    for name in ["AV", "AC", "PR", "UI", "S", "C", "I", "A"] {
        let mut named = metrics
            .split('/')
            .filter(|metric| metric.split_once(':').is_some_and(|(n, _)| n == name));
        let metric = named.next()?;
        if named.next().is_some() {
            return None;
        }
        base.push('/');
        base.push_str(metric);
    }
    Some(base)
}

/// The base score of a version 2.0 vector (`AV:N/AC:L/Au:N/C:P/I:P/A:P`, possibly in parentheses, further metrics ignored).
fn version_2(vector: &str) -> Option<f64> {
    let bare = vector
        .strip_prefix('(')
        .and_then(|v| v.strip_suffix(')'))
        .unwrap_or(vector);
    let [mut av, mut ac, mut au, mut c, mut i, mut a] = [None; 6];
    for metric in bare.split('/') {
        let (name, value) = metric.split_once(':')?;
        let impact = || match value {
            "N" => Some(0.0),
            "P" => Some(0.275),
            "C" => Some(0.660),
            _ => None,
        };
        let (slot, weight): (&mut Option<f64>, Option<f64>) = match name {
            "AV" => (
                &mut av,
                weight(value, &[("L", 0.395), ("A", 0.646), ("N", 1.0)]),
            ),
            "AC" => (
                &mut ac,
                weight(value, &[("H", 0.35), ("M", 0.61), ("L", 0.71)]),
            ),
            "Au" => (
                &mut au,
                weight(value, &[("M", 0.45), ("S", 0.56), ("N", 0.704)]),
            ),
            "C" => (&mut c, impact()),
            "I" => (&mut i, impact()),
            "A" => (&mut a, impact()),
            "E" | "RL" | "RC" | "CDP" | "TD" | "CR" | "IR" | "AR" => continue,
            _ => return None,
        };
        if slot.is_some() {
            return None;
        }
        *slot = Some(weight?);
    }
    let impact = 10.41 * (1.0 - (1.0 - c?) * (1.0 - i?) * (1.0 - a?));
    let exploitability = 20.0 * av? * ac? * au?;
    let factor = if impact == 0.0 { 0.0 } else { 1.176 };
    let score = ((0.6 * impact) + (0.4 * exploitability) - 1.5) * factor;
    // The standard rounds to one decimal.
    Some((score.clamp(0.0, 10.0) * 10.0).round() / 10.0)
}

fn weight(value: &str, weights: &[(&str, f64)]) -> Option<f64> {
    weights
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, weight)| *weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_of_known_vectors() {
        // Version 2: the three worked examples of the guide (CVE-2002-0392, CVE-2003-0818, CVE-2003-0062). Version 3: examples of the
        // 3.0 and 3.1 example documents. Version 4: examples of the 4.0 example document.
        for (vector, tenths) in [
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 78),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 100),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C", 62),
            ("(AV:N/AC:M/Au:N/C:N/I:P/A:N)", 43),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:F/RL:OF/RC:C", 75),
            ("AV:L/AC:H/Au:M/C:N/I:N/A:N", 0),
            ("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C",
                98,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                93,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
                100,
            ),
            (
                "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                73,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                77,
            ),
        ] {
            assert_eq!(
                Score::of_vector(vector).map(Score::tenths),
                Some(tenths),
                "{vector}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_has_no_score() {
        for bad in [
            "",
            "CVSS:9.0/AV:N",
            "CVSS:3.1/AV:N",
            "CVSS:4.0/AV:N/AC:L",
            "AV:N/AC:L/Au:N/C:P/I:P",
            "AV:N/AC:L/Au:N/C:P/I:P/A:X",
            "AV:N/AV:N/AC:L/Au:N/C:P/I:P/A:P",
            "7.5",
            "HIGH",
        ] {
            assert_eq!(Score::of_vector(bad), None, "{bad}");
        }
        assert_eq!(Score::of_vector(&"A".repeat(LONGEST + 1)), None);
    }

    #[test]
    fn the_worst_wins_and_ratings_follow_the_scale() {
        let low = "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N";
        let high = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
        assert_eq!(
            worst([low, "junk", high]).map(|(s, v)| (s.to_string(), v)),
            Some(("10.0".to_owned(), high))
        );
        assert_eq!(worst([]), None);
        for (tenths, rating) in [
            (0, Severity::Info),
            (1, Severity::Low),
            (39, Severity::Low),
            (40, Severity::Medium),
            (70, Severity::High),
            (90, Severity::Critical),
        ] {
            assert_eq!(Score(tenths).severity(), rating);
        }
        assert_eq!(severity_of_label("MODERATE"), Some(Severity::Medium));
        assert_eq!(severity_of_label("catastrophic"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(v in r"(CVSS:[2-4]\.[01]/)?([A-Za-z]{1,3}:[A-Za-z]/?){0,14}.{0,5}") {
            let _ = Score::of_vector(&v);
        }
    }
}
