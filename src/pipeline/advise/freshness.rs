//! May a feed be believed to be current, and may a new one replace it? Pure rules over dates and counts.
//!
//! A feed's age runs from the last time its server confirmed the content, not from the dates of its records: a quiet feed is not an old one,
//! and a replayed one must not look young. Without any date of confirmation a feed is as old as the newest date in its content; without
//! that its age is unknown, which counts as too old.

use super::{
    index::{AdvisoryDb, FeedMeta, FeedOrigin},
    reading::{DAY, Reading},
};
use crate::model::Code;
use std::collections::{BTreeMap, btree_map::Entry};

/// How far a date may lie in the future before it counts as unknown: clocks differ.
const AHEAD: i64 = DAY;

/// How current a feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Within the allowed age.
    Current {
        /// Seconds since it was confirmed.
        age: i64,
    },
    /// Older than allowed.
    TooOld {
        /// Seconds since it was confirmed.
        age: i64,
    },
    /// It states no date that can be believed. Counts as too old.
    Unknown,
}

impl Freshness {
    /// Whether the run may end with 0 on this feed.
    #[must_use]
    pub fn is_current(self) -> bool {
        matches!(self, Self::Current { .. })
    }
}

/// How current a feed is at `now`; all in seconds, dates since 1970.
#[must_use]
pub fn judge(meta: &FeedMeta, now: i64, allowed_age: i64) -> Freshness {
    let Some(since) = meta.confirmed.or(meta.updated) else {
        return Freshness::Unknown;
    };
    let age = now.saturating_sub(since);
    if age < -AHEAD {
        Freshness::Unknown
    } else if age > allowed_age {
        Freshness::TooOld { age }
    } else {
        Freshness::Current { age: age.max(0) }
    }
}

/// Whether a feed should be asked for anew: older than a day, or of unknown age.
#[must_use]
pub fn wants_refresh(meta: &FeedMeta, now: i64) -> bool {
    !judge(meta, now, DAY).is_current()
}

/// Of several indexes of one feed, the one to ask: a feed that the command line names, else the one confirmed last. Dates that are not
/// believed lose. One index per feed comes back, by the feed's name.
#[must_use]
pub fn choose(candidates: Vec<AdvisoryDb>, now: i64) -> Vec<AdvisoryDb> {
    let rank = |db: &AdvisoryDb| {
        let meta = db.meta();
        let believed = |date: Option<i64>| date.filter(|date| *date <= now.saturating_add(AHEAD));
        (
            meta.origin == FeedOrigin::Named,
            believed(meta.confirmed.or(meta.updated)),
            believed(meta.updated),
            meta.origin != FeedOrigin::Snapshot,
        )
    };
    let mut chosen: BTreeMap<String, AdvisoryDb> = BTreeMap::new();
    for candidate in candidates {
        match chosen.entry(candidate.meta().name.clone()) {
            Entry::Vacant(free) => {
                free.insert(candidate);
            }
            Entry::Occupied(mut taken) => {
                if rank(&candidate) > rank(taken.get()) {
                    taken.insert(candidate);
                }
            }
        }
    }
    chosen.into_values().collect()
}

/// Why a new feed may not take the place of the old one. The old one is kept, and the finding [`Refusal::CODE`] says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its newest date is before that of the feed in use.
    #[error("the new feed ends {days} days before the one in use; the old one is kept")]
    BackInTime {
        /// Whole days, at least 1 when shown.
        days: i64,
    },
    /// More than 5 % of the advisories are gone.
    #[error(
        "the new feed has {new} advisories where the one in use has {old}; the old one is kept"
    )]
    Shrunk {
        /// Advisories in use.
        old: u64,
        /// Advisories in the new feed.
        new: u64,
    },
    /// More than 0.1 % of its records cannot be read.
    #[error("{unreadable} of {total} records of the new feed cannot be read; the old one is kept")]
    Unreadable {
        /// Records that cannot be read.
        unreadable: u64,
        /// Records in all.
        total: u64,
    },
    /// It holds no advisory at all.
    #[error("the new feed holds no advisory; the old one is kept")]
    Empty,
}

impl Refusal {
    /// The code of the finding.
    pub const CODE: Code = Code::FeedRolledBack;
}

/// Whether a feed that was read may be used, in place of `old` if there is one (the feed in use, or the embedded snapshot).
///
/// # Errors
///
/// The rule that it breaks.
pub fn admit(old: Option<&FeedMeta>, new: &Reading) -> Result<(), Refusal> {
    if new.unreadable.saturating_mul(1000) > new.total {
        return Err(Refusal::Unreadable {
            unreadable: new.unreadable,
            total: new.total,
        });
    }
    let readable = new.total - new.unreadable.min(new.total);
    if readable == 0 {
        return Err(Refusal::Empty);
    }
    let Some(old) = old else {
        return Ok(());
    };
    if readable.saturating_mul(100) < old.records.saturating_mul(95) {
        return Err(Refusal::Shrunk {
            old: old.records,
            new: readable,
        });
    }
    if let (Some(before), Some(after)) = (old.updated, new.newest)
        && after < before
    {
        return Err(Refusal::BackInTime {
            days: (before - after).div_euclid(DAY).max(1),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn meta(confirmed: Option<i64>, updated: Option<i64>) -> FeedMeta {
        FeedMeta {
            name: "feed".to_owned(),
            ecosystem: "cargo".to_owned(),
            records: 1000,
            updated,
            confirmed,
            origin: FeedOrigin::Fetched,
        }
    }

    fn reading(total: u64, unreadable: u64, newest: Option<i64>) -> Reading {
        Reading {
            total,
            unreadable,
            newest,
            ..Reading::default()
        }
    }

    #[test]
    fn age_runs_from_the_confirmation() {
        let week = 7 * DAY;
        let judged = |confirmed, updated| judge(&meta(confirmed, updated), NOW, week);
        assert_eq!(
            judged(Some(NOW - week), Some(0)),
            Freshness::Current { age: week }
        );
        assert_eq!(
            judged(Some(NOW - week - 1), Some(NOW)),
            Freshness::TooOld { age: week + 1 }
        );
        assert_eq!(
            judged(None, Some(NOW - DAY)),
            Freshness::Current { age: DAY }
        );
        assert_eq!(
            judged(None, Some(NOW - 30 * DAY)),
            Freshness::TooOld { age: 30 * DAY }
        );
        assert_eq!(judged(None, None), Freshness::Unknown);
    }

    #[test]
    fn a_date_in_the_future_is_not_believed() {
        assert_eq!(
            judge(&meta(Some(NOW + 3600), None), NOW, DAY),
            Freshness::Current { age: 0 }
        );
        assert_eq!(
            judge(&meta(Some(NOW + DAY + 1), None), NOW, DAY),
            Freshness::Unknown
        );
        assert!(!Freshness::Unknown.is_current());
        assert!(wants_refresh(&meta(Some(NOW - DAY - 1), None), NOW));
        assert!(!wants_refresh(&meta(Some(NOW - DAY), None), NOW));
    }

    #[test]
    fn the_named_feed_else_the_newest_is_asked() {
        let db = |origin, confirmed, updated| {
            let meta = FeedMeta {
                origin,
                ..meta(confirmed, updated)
            };
            AdvisoryDb::open(super::super::index::compile(&meta, &[]).unwrap()).unwrap()
        };
        let snapshot = db(FeedOrigin::Snapshot, Some(NOW - 50), Some(NOW - 60));
        let fetched = db(FeedOrigin::Fetched, Some(NOW - 50), Some(NOW - 60));
        let stale = db(FeedOrigin::Imported, Some(NOW - 90), Some(NOW - 10));
        let forged = db(
            FeedOrigin::Imported,
            Some(NOW + 9 * DAY),
            Some(NOW + 9 * DAY),
        );
        let named = db(FeedOrigin::Named, None, None);
        let origins = |all: &[&AdvisoryDb]| {
            let forward: Vec<_> = choose(all.iter().map(|db| (*db).clone()).collect(), NOW)
                .iter()
                .map(|db| db.meta().origin)
                .collect();
            let backward: Vec<_> = choose(all.iter().rev().map(|db| (*db).clone()).collect(), NOW)
                .iter()
                .map(|db| db.meta().origin)
                .collect();
            assert_eq!(forward, backward);
            forward
        };
        assert_eq!(
            origins(&[&snapshot, &fetched, &stale, &forged]),
            [FeedOrigin::Fetched]
        );
        assert_eq!(origins(&[&snapshot, &forged]), [FeedOrigin::Snapshot]);
        assert_eq!(origins(&[&fetched, &named]), [FeedOrigin::Named]);
        assert_eq!(origins(&[]), []);
    }

    #[test]
    fn what_goes_back_shrinks_or_breaks_is_refused() {
        let old = meta(Some(NOW), Some(NOW));
        let admit = |new: &Reading| admit(Some(&old), new);
        assert_eq!(admit(&reading(950, 0, Some(NOW))), Ok(()));
        assert_eq!(
            admit(&reading(949, 0, Some(NOW))),
            Err(Refusal::Shrunk {
                old: 1000,
                new: 949
            })
        );
        assert_eq!(admit(&reading(1000, 1, Some(NOW))), Ok(()));
        assert_eq!(
            admit(&reading(1000, 2, Some(NOW))),
            Err(Refusal::Unreadable {
                unreadable: 2,
                total: 1000
            })
        );
        assert_eq!(
            admit(&reading(2000, 0, Some(NOW - 1))),
            Err(Refusal::BackInTime { days: 1 })
        );
        assert_eq!(admit(&reading(2000, 0, None)), Ok(()));
        assert_eq!(
            super::admit(None, &reading(0, 0, None)),
            Err(Refusal::Empty)
        );
        assert_eq!(super::admit(None, &reading(3, 0, None)), Ok(()));
    }
}
