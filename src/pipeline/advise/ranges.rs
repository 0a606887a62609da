//! Is a version affected? Evaluation of advisory events (OSV schema 1.x, `affected[].ranges[].events`) on an ecosystem's line of versions.
//!
//! A version is affected from the last `introduced` event at or before it, until a `fixed` event at or before it or a `last_affected` event
//! strictly before it. Pre-releases stand on the line like every other version; requirement languages of package managers, which leave them
//! out, are never used. A version or an event that has no place on the line gives [`Standing::Undecided`], never "unaffected".

use crate::model::version_order::VersionOrder;
use std::cmp::Ordering;

/// One mark on the line of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Affected from here on, inclusive. `0` is the beginning of the line.
    Introduced(String),
    /// No longer affected from here on, inclusive.
    Fixed(String),
    /// Affected up to here, inclusive.
    LastAffected(String),
    /// Nothing from here on is spoken of. `*` is no limit.
    Limit(String),
}

/// One range: its events apply together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AffectedRange {
    /// In the feed's order.
    pub events: Vec<Event>,
}

/// How a version stands to an advisory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Named or in a range.
    Affected,
    /// On the line, and outside.
    Unaffected,
    /// The version, or an event, is none that the ecosystem's order knows.
    Undecided,
}

impl AffectedRange {
    /// The range of everything.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            events: vec![Event::Introduced("0".to_owned())],
        }
    }

    /// The versions of the `fixed` events.
    pub fn fixed(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| match event {
            Event::Fixed(version) => Some(version.as_str()),
            _ => None,
        })
    }

    fn standing(&self, version: &str, order: &dyn VersionOrder) -> Standing {
        let mut limits = false;
        let mut within_a_limit = false;
        // The last event that has taken effect at `version`.
        let mut last: Option<&Event> = None;
        let mut events = self.events.iter().peekable();
        while let Some(event) = events.next() {
            // `introduced` with `fixed` of the same version behind it is an empty window (RUSTSEC-2022-0012 has one).
            if let (Event::Introduced(from), Some(Event::Fixed(to))) = (event, events.peek())
                && from != "0"
                && order.compare(from, to) == Some(Ordering::Equal)
            {
                events.next();
                continue;
            }
            let effective = match event {
                Event::Limit(limit) => {
                    limits = true;
                    match order.compare(version, limit) {
                        _ if limit == "*" => within_a_limit = true,
                        Some(Ordering::Less) => within_a_limit = true,
                        Some(_) => {}
                        None => return Standing::Undecided,
                    }
                    continue;
                }
                Event::Introduced(at) if at == "0" => Some(Ordering::Greater),
                Event::Introduced(at) | Event::Fixed(at) | Event::LastAffected(at) => {
                    order.compare(version, at)
                }
            };
            let takes_effect = match (event, effective) {
                (_, None) => return Standing::Undecided,
                (Event::LastAffected(_), Some(stands)) => stands == Ordering::Greater,
                (_, Some(stands)) => stands != Ordering::Less,
            };
            if takes_effect {
                last = match last {
                    None => Some(event),
                    Some(best) => match later(event, best, order) {
                        None => return Standing::Undecided,
                        Some(true) => Some(event),
                        Some(false) => Some(best),
                    },
                };
            }
        }
        if matches!(last, Some(Event::Introduced(_))) && (!limits || within_a_limit) {
            Standing::Affected
        } else {
            Standing::Unaffected
        }
    }
}

impl Event {
    fn version(&self) -> &str {
        match self {
            Self::Introduced(v) | Self::Fixed(v) | Self::LastAffected(v) | Self::Limit(v) => v,
        }
    }

    /// At one version an end comes before a new beginning, so that `[a, b)` and `[b, c)` give `[a, c)`.
    fn rank(&self) -> u8 {
        match self {
            Self::Fixed(_) => 0,
            Self::Introduced(_) => 1,
            Self::LastAffected(_) | Self::Limit(_) => 2,
        }
    }

    fn is_beginning_of_line(&self) -> bool {
        matches!(self, Self::Introduced(at) if at == "0")
    }
}

/// Whether `a` comes after `b` on the line.
fn later(a: &Event, b: &Event, order: &dyn VersionOrder) -> Option<bool> {
    match (a.is_beginning_of_line(), b.is_beginning_of_line()) {
        (true, _) => Some(false),
        (false, true) => Some(true),
        (false, false) => {
            let by_version = order.compare(a.version(), b.version())?;
            Some(by_version.then(a.rank().cmp(&b.rank())) == Ordering::Greater)
        }
    }
}

/// How `version` stands to what an advisory says: affected if it is named, or in one of the ranges.
///
/// A range without any event speaks of nothing.
#[must_use]
pub fn standing(
    ranges: &[AffectedRange],
    versions: &[String],
    version: &str,
    order: &dyn VersionOrder,
) -> Standing {
    let named = |listed: &String| {
        listed == version || order.compare(listed, version) == Some(Ordering::Equal)
    };
    if versions.iter().any(named) {
        return Standing::Affected;
    }
    let mut undecided = false;
    for range in ranges {
        match range.standing(version, order) {
            Standing::Affected => return Standing::Affected,
            Standing::Undecided => undecided = true,
            Standing::Unaffected => {}
        }
    }
    if undecided {
        Standing::Undecided
    } else {
        Standing::Unaffected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::semver_order::SemverOrder;

    fn range(events: &[Event]) -> AffectedRange {
        AffectedRange {
            events: events.to_vec(),
        }
    }
    fn introduced(v: &str) -> Event {
        Event::Introduced(v.to_owned())
    }
    fn fixed(v: &str) -> Event {
        Event::Fixed(v.to_owned())
    }
    fn last(v: &str) -> Event {
        Event::LastAffected(v.to_owned())
    }
    fn at(range: &AffectedRange, version: &str) -> Standing {
        standing(std::slice::from_ref(range), &[], version, &SemverOrder)
    }

    #[test]
    fn several_windows_in_one_range_whatever_their_order() {
        let mut events = vec![
            introduced("0"),
            fixed("1.2.0"),
            introduced("2.0.0"),
            fixed("2.3.0"),
            introduced("3.0.0"),
            last("3.1.0"),
        ];
        for turn in 0..events.len() {
            events.rotate_left(1);
            let range = range(&events);
            for hit in [
                "0.0.0-0",
                "1.1.9",
                "1.2.0-rc.1",
                "2.0.0",
                "2.3.0-alpha",
                "3.0.0",
                "3.1.0",
                "3.1.0+build",
            ] {
                assert_eq!(at(&range, hit), Standing::Affected, "{hit} turn {turn}");
            }
            for miss in [
                "1.2.0",
                "1.9.9",
                "2.0.0-rc.1",
                "2.3.0",
                "2.9.0",
                "3.1.1-0",
                "4.0.0",
            ] {
                assert_eq!(at(&range, miss), Standing::Unaffected, "{miss} turn {turn}");
            }
        }
    }

    #[test]
    fn a_window_that_ends_where_the_next_begins_has_no_gap() {
        for events in [
            [
                introduced("1.0.0"),
                fixed("2.0.0"),
                introduced("2.0.0"),
                fixed("3.0.0"),
            ],
            [
                introduced("2.0.0"),
                fixed("3.0.0"),
                introduced("1.0.0"),
                fixed("2.0.0"),
            ],
        ] {
            assert_eq!(at(&range(&events), "2.0.0"), Standing::Affected);
            assert_eq!(at(&range(&events), "2.5.0"), Standing::Affected);
            assert_eq!(at(&range(&events), "3.0.0"), Standing::Unaffected);
        }
    }

    #[test]
    fn one_version_alone() {
        let range = range(&[introduced("1.4.1"), last("1.4.1")]);
        assert_eq!(at(&range, "1.4.0"), Standing::Unaffected);
        assert_eq!(at(&range, "1.4.1"), Standing::Affected);
        assert_eq!(at(&range, "1.4.2"), Standing::Unaffected);
    }

    #[test]
    fn an_empty_window_is_none() {
        let range = range(&[
            introduced("0.9.0"),
            fixed("0.9.2"),
            introduced("0.10.0"),
            fixed("0.10.0"),
        ]);
        assert_eq!(at(&range, "0.9.1"), Standing::Affected);
        assert_eq!(at(&range, "0.10.0"), Standing::Unaffected);
        assert_eq!(at(&range, "1.0.0"), Standing::Unaffected);
    }

    #[test]
    fn limits_cut_off() {
        let limited = range(&[introduced("0"), Event::Limit("2.0.0".to_owned())]);
        assert_eq!(at(&limited, "1.9.0"), Standing::Affected);
        assert_eq!(at(&limited, "2.0.0"), Standing::Unaffected);
        let unlimited = range(&[introduced("0"), Event::Limit("*".to_owned())]);
        assert_eq!(at(&unlimited, "99.0.0"), Standing::Affected);
    }

    #[test]
    fn what_cannot_be_ordered_is_undecided() {
        let range = range(&[introduced("0"), fixed("1.2.0")]);
        assert_eq!(at(&range, "latest"), Standing::Undecided);
        assert_eq!(
            at(
                &AffectedRange {
                    events: vec![introduced("0"), fixed("soon")]
                },
                "1.0.0"
            ),
            Standing::Undecided
        );
        assert_eq!(
            at(&AffectedRange::everything(), "latest"),
            Standing::Affected
        );
        assert_eq!(at(&AffectedRange::default(), "1.0.0"), Standing::Unaffected);
    }

    #[test]
    fn named_versions_count_besides_ranges() {
        let ranges = [range(&[introduced("2.0.0")])];
        let named = ["1.0.0".to_owned(), "odd".to_owned()];
        let at = |v| standing(&ranges, &named, v, &SemverOrder);
        assert_eq!(at("1.0.0"), Standing::Affected);
        assert_eq!(at("1.0.0+meta"), Standing::Affected);
        assert_eq!(at("odd"), Standing::Affected);
        assert_eq!(at("1.0.1"), Standing::Unaffected);
        assert_eq!(at("2.0.1"), Standing::Affected);
        assert_eq!(at("other"), Standing::Undecided);
    }
}
