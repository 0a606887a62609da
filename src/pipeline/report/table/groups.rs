//! Which findings are shown together: copies of the same thing, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Finding;

/// One thing that is wrong.
pub(super) struct Group<'a> {
    /// Copies of the same finding in several places; never empty.
    pub(super) same: Vec<&'a Finding>,
    /// What follows from it.
    pub(super) follows: Vec<&'a Finding>,
}

impl<'a> Group<'a> {
    /// The finding that stands for the group.
    pub(super) fn head(&self) -> Option<&'a Finding> {
        self.same.first().copied()
    }
}

/// Groups in the order of their first finding. Every finding is in exactly one group.
pub(super) fn of<'a>(findings: &[&'a Finding]) -> Vec<Group<'a>> {
    let by_id: BTreeMap<&str, &Finding> = findings.iter().map(|f| (f.id.as_str(), *f)).collect();
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let (followers, causes): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .partition(|f| first_cause(f, &by_id).is_some());
    for finding in causes {
        let known = place.get(finding.id.as_str()).copied();
        match known.and_then(|at| groups.get_mut(at)) {
            // Findings without an id are never copies of each other.
            Some(group) if !finding.id.is_empty() => group.same.push(finding),
            _ => {
                place.insert(&finding.id, groups.len());
                groups.push(Group {
                    same: vec![finding],
                    follows: Vec::new(),
                });
            }
        }
    }
    for finding in followers {
        let cause = first_cause(finding, &by_id).and_then(|id| place.get(id).copied());
        match cause.and_then(|at| groups.get_mut(at)) {
            Some(group) => group.follows.push(finding),
            None => groups.push(Group {
                same: vec![finding],
                follows: Vec::new(),
            }),
        }
    }
    groups
}

/// The finding that a chain of causes ends in; none for what has no cause here, or whose causes go in a circle.
fn first_cause<'a>(finding: &'a Finding, by_id: &BTreeMap<&str, &'a Finding>) -> Option<&'a str> {
    let mut seen = BTreeSet::from([finding.id.as_str()]);
    let mut cause = finding.caused_by.as_deref()?;
    loop {
        let next = by_id.get(cause)?;
        if !seen.insert(cause) {
            return None;
        }
        match next.caused_by.as_deref() {
            Some(further) if by_id.contains_key(further) => cause = further,
            _ => return Some(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Code, Place};

    fn finding(id: &str, cause: Option<&str>) -> Finding {
        Finding {
            id: id.into(),
            caused_by: cause.map(Into::into),
            ..Finding::new(Code::ArchiveTampered, Place::Cache, "x")
        }
    }

    fn shape(findings: &[Finding]) -> Vec<(usize, usize)> {
        let all: Vec<&Finding> = findings.iter().collect();
        of(&all)
            .iter()
            .map(|g| (g.same.len(), g.follows.len()))
            .collect()
    }

    #[test]
    fn what_follows_is_folded_to_the_first_cause() {
        let all = [
            finding("c", Some("b")),
            finding("b", Some("a")),
            finding("a", None),
            finding("a", None),
            finding("z", Some("gone")),
        ];
        assert_eq!(shape(&all), [(2, 2), (1, 0)]);
    }

    #[test]
    fn a_circle_of_causes_hides_nothing() {
        let all = [
            finding("a", Some("b")),
            finding("b", Some("a")),
            finding("s", Some("s")),
            finding("", None),
            finding("", None),
        ];
        assert_eq!(shape(&all).iter().map(|(s, f)| s + f).sum::<usize>(), 5);
        assert_eq!(shape(&all).len(), 5);
    }
}
