//! Who was told of what: the same finding is told once, until it changes or was gone for a while.
//!
//! A finding's id changes with what was observed, so a changed one is a new one. The record lies in our state as one line
//! of JSON per alert; a damaged line costs one alert told twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Most alerts that are remembered.
const MOST: usize = 20_000;

/// Something that was told, or is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// A finding's id, or a word for the run's own state.
    pub id: String,
    /// When it was last met, seconds since 1970.
    pub met: i64,
    /// When it was told; `None` while nobody could be.
    pub told: Option<i64>,
}

/// Reads the record; lines that cannot be read are left out.
pub fn read(bytes: &[u8]) -> Vec<Alert> {
    bytes
        .split(|b| *b == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .take(MOST)
        .collect()
}

/// Writes the record.
///
/// # Errors
/// Never for alerts of ours; what serializing says.
pub fn write(alerts: &[Alert]) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    for alert in alerts.iter().take(MOST) {
        serde_json::to_writer(&mut out, alert)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// Brings the record up to date with what this run met, and says what of it is to be told.
///
/// What was not met for longer than `cool_down` seconds is forgotten, so that it is told again when it comes back.
pub fn due(
    known: &mut Vec<Alert>,
    met: &BTreeSet<String>,
    now: i64,
    cool_down: u64,
) -> Vec<String> {
    let cool_down = i64::try_from(cool_down).unwrap_or(i64::MAX);
    known.retain(|alert| {
        // A clock that was wrong once must not silence anybody for years.
        let age = now.saturating_sub(alert.met);
        (0..=cool_down).contains(&age)
    });
    let mut due = Vec::new();
    for id in met {
        match known.iter_mut().find(|alert| alert.id == *id) {
            Some(alert) => {
                alert.met = now;
                if alert.told.is_none() {
                    due.push(id.clone());
                }
            }
            None => {
                known.push(Alert {
                    id: id.clone(),
                    met: now,
                    told: None,
                });
                due.push(id.clone());
            }
        }
    }
    due
}

/// Marks as told.
pub fn told(known: &mut [Alert], ids: &[String], now: i64) {
    for alert in known.iter_mut().filter(|alert| ids.contains(&alert.id)) {
        alert.told = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn ids(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    fn night(known: &mut Vec<Alert>, day: i64, met: &[&str]) -> Vec<String> {
        let now = day * 86_400;
        let due = due(known, &ids(met), now, 3 * DAY);
        told(known, &due, now);
        // As the next night reads it.
        *known = read(&write(known).unwrap());
        due
    }

    #[test]
    fn the_same_finding_is_told_once_until_it_changes_or_comes_back() {
        let mut known = Vec::new();
        assert_eq!(night(&mut known, 1, &["f-a"]), ["f-a"]);
        for day in 2..20 {
            assert!(night(&mut known, day, &["f-a"]).is_empty(), "{day}");
        }
        assert_eq!(night(&mut known, 20, &["f-a", "f-b"]), ["f-b"]);
        assert!(night(&mut known, 21, &["f-b"]).is_empty());
        // Gone for two nights is not gone; gone for longer than the cool-down is.
        assert!(night(&mut known, 23, &["f-a"]).is_empty());
        assert_eq!(night(&mut known, 30, &["f-a"]), ["f-a"]);
    }

    #[test]
    fn what_could_not_be_told_is_told_the_next_time() {
        let mut known = Vec::new();
        assert_eq!(due(&mut known, &ids(&["f-a"]), 100, DAY), ["f-a"]);
        assert_eq!(due(&mut known, &ids(&["f-a"]), 200, DAY), ["f-a"]);
        told(&mut known, &["f-a".to_owned()], 200);
        assert!(due(&mut known, &ids(&["f-a"]), 300, DAY).is_empty());
    }

    #[test]
    fn a_record_from_the_future_or_of_rubbish_silences_nobody() {
        let mut known = read(b"\xff\n{\"id\":\"f-a\",\"met\":99999999999,\"told\":1}\n[[[\n");
        assert_eq!(known.len(), 1);
        assert_eq!(due(&mut known, &ids(&["f-a"]), 100, DAY), ["f-a"]);
    }
}
