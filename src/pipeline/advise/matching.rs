//! Which advisories speak of which packages. Pure: indexes and a list of packages in, matches out, in a stable order.
//!
//! Only packages of the default public registry are asked about: a private package never matches its public namesake, and its name is not
//! looked up. Withdrawn advisories never match. What an advisory leaves undecided (a version that the ecosystem's order does not know) is
//! given back as undecided, never dropped.
//!
//! Records on one release are one match when they name each other as aliases and come from different issuers; two records of the same
//! issuer (`RUSTSEC-…` and `RUSTSEC-…`) are two issues, as that issuer counts them.

use super::{
    cvss,
    index::{AdvisoryDb, IndexError},
    ranges::{self, Standing},
    record::{AdvisoryRecord, Import, Kind},
};
use crate::model::{Code, Severity, VersionOrder, advisory::AdvisoryFact};
use std::collections::BTreeSet;

/// A package release to ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Name as the ecosystem looks it up.
    pub package: &'a str,
    /// Version as its lockfile or cache names it.
    pub version: &'a str,
    /// Whether it comes from the ecosystem's default public registry.
    pub public: bool,
}

/// An advisory, or several that are one, that affects a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Position of the release in the list that was asked.
    pub subject: usize,
    /// Id of the advisory.
    pub id: String,
    /// Every other id of it, sorted.
    pub aliases: Vec<String>,
    /// The gravest kind of the merged records.
    pub kind: Kind,
    /// CVSS score in tenths with its vector, the worst that any record states.
    pub score: Option<(cvss::Score, String)>,
    /// By the score, else by the feed's own word, else high; informational kinds are info, malicious ones critical.
    pub severity: Severity,
    /// Versions that end an affected range, in the feed's order.
    pub fixed: Vec<String>,
    /// Affected parts, if every record narrows itself to some.
    pub imports: Vec<Import>,
    /// Where people read about it.
    pub link: Option<String>,
    /// Name of the feed of the record that gave the id.
    pub feed: String,
}

impl Match {
    /// The code of the finding. A notice is shown under `vulnerable` with severity info: no code of its own exists.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.kind {
            Kind::Malicious => Code::Malicious,
            Kind::Vulnerable | Kind::Notice => Code::Vulnerable,
            Kind::Unsound => Code::Unsound,
            Kind::Unmaintained => Code::Unmaintained,
        }
    }

    /// The advisory part of the finding.
    #[must_use]
    pub fn fact(&self) -> AdvisoryFact {
        AdvisoryFact {
            id: self.id.clone(),
            aliases: self.aliases.clone(),
            score: self.score.as_ref().map(|(score, _)| score.value()),
            vector: self.score.as_ref().map(|(_, vector)| vector.clone()),
            fixed: self.fixed.clone(),
            source: self.feed.clone(),
            link: self.link.clone(),
        }
    }
}

/// An advisory of which it could not be said whether it affects a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undecided {
    /// Position of the release in the list that was asked.
    pub subject: usize,
    /// Id of the advisory.
    pub id: String,
}

/// What asking gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// By subject, then severity (worst first), then id.
    pub found: Vec<Match>,
    /// By subject, then id.
    pub undecided: Vec<Undecided>,
    /// Indexes whose entries on a name are damaged: subject, feed, why. Nothing is known of that package then.
    pub damaged: Vec<(usize, String, IndexError)>,
}

/// Asks every index about every public package, in the order of `dbs` for what they state alike.
#[must_use]
pub fn matches(dbs: &[&AdvisoryDb], order: &dyn VersionOrder, subjects: &[Subject<'_>]) -> Matches {
    let mut out = Matches::default();
    for (position, subject) in subjects.iter().enumerate() {
        if !subject.public {
            continue;
        }
        let mut groups: Vec<Group> = Vec::new();
        for db in dbs {
            let records = match db.lookup(subject.package) {
                Ok(records) => records,
                Err(error) => {
                    out.damaged.push((position, db.meta().name.clone(), error));
                    continue;
                }
            };
            for record in records
                .into_iter()
                .filter(|record| record.withdrawn.is_none())
            {
                match ranges::standing(&record.ranges, &record.versions, subject.version, order) {
                    Standing::Unaffected => {}
                    Standing::Undecided => {
                        out.undecided.push(Undecided {
                            subject: position,
                            id: record.id,
                        });
                    }
                    Standing::Affected => join(&mut groups, record, &db.meta().name),
                }
            }
        }
        let mut found: Vec<Match> = groups
            .into_iter()
            .map(|group| group.into_match(position))
            .collect();
        found.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)));
        out.found.extend(found);
    }
    let matched: BTreeSet<(usize, &str)> = out
        .found
        .iter()
        .map(|found| (found.subject, found.id.as_str()))
        .collect();
    out.undecided
        .retain(|undecided| !matched.contains(&(undecided.subject, &undecided.id)));
    out.undecided.sort();
    out.undecided.dedup();
    out
}

/// Records that are one issue; the first gives the id.
struct Group {
    records: Vec<AdvisoryRecord>,
    feed: String,
}

fn issuer(id: &str) -> &str {
    id.split_once('-').map_or(id, |(issuer, _)| issuer)
}

impl Group {
    fn takes(&self, record: &AdvisoryRecord) -> bool {
        let same_id = self.records.iter().any(|known| known.id == record.id);
        let stranger = self
            .records
            .iter()
            .all(|known| issuer(&known.id) != issuer(&record.id));
        let shares = || {
            self.records.iter().any(|known| {
                known.aliases.contains(&record.id)
                    || record.aliases.contains(&known.id)
                    || known
                        .aliases
                        .iter()
                        .any(|alias| record.aliases.contains(alias))
            })
        };
        same_id || (stranger && shares())
    }

    fn into_match(self, subject: usize) -> Match {
        let id = self
            .records
            .first()
            .map(|record| record.id.clone())
            .unwrap_or_default();
        let aliases: BTreeSet<String> = self
            .records
            .iter()
            .flat_map(|record| record.aliases.iter().chain([&record.id]))
            .filter(|alias| **alias != id)
            .cloned()
            .collect();
        let kind = self
            .records
            .iter()
            .map(|record| record.kind)
            .min_by_key(|kind| gravity(*kind));
        let kind = kind.unwrap_or_default();
        let vectors = self
            .records
            .iter()
            .flat_map(|record| record.vectors.iter().map(String::as_str));
        let score = cvss::worst(vectors).map(|(score, vector)| (score, vector.to_owned()));
        let label = self
            .records
            .iter()
            .filter_map(|record| record.label.as_deref().and_then(cvss::severity_of_label))
            .max();
        let mut fixed: Vec<String> = Vec::new();
        for version in self.records.iter().flat_map(AdvisoryRecord::fixed) {
            if !fixed.contains(&version) {
                fixed.push(version);
            }
        }
        let narrowed = self.records.iter().all(|record| !record.imports.is_empty());
        let imports: BTreeSet<Import> = self
            .records
            .iter()
            .filter(|_| narrowed)
            .flat_map(|record| record.imports.iter().cloned())
            .collect();
        Match {
            subject,
            severity: severity(kind, score.as_ref().map(|(score, _)| *score), label),
            link: self.records.iter().find_map(|record| record.link.clone()),
            aliases: aliases.into_iter().collect(),
            imports: imports.into_iter().collect(),
            id,
            kind,
            score,
            fixed,
            feed: self.feed,
        }
    }
}

/// Malicious before vulnerable before informational.
fn gravity(kind: Kind) -> u8 {
    match kind {
        Kind::Malicious => 0,
        Kind::Vulnerable => 1,
        Kind::Unsound => 2,
        Kind::Unmaintained => 3,
        Kind::Notice => 4,
    }
}

fn severity(kind: Kind, score: Option<cvss::Score>, label: Option<Severity>) -> Severity {
    match kind {
        Kind::Malicious => Severity::Critical,
        Kind::Unsound | Kind::Unmaintained | Kind::Notice => Severity::Info,
        Kind::Vulnerable => score
            .map(cvss::Score::severity)
            .or(label)
            .unwrap_or(Severity::High),
    }
}

fn join(groups: &mut Vec<Group>, record: AdvisoryRecord, feed: &str) {
    // A record may tie groups together that did not know of each other.
    let (tied, mut rest): (Vec<Group>, Vec<Group>) = std::mem::take(groups)
        .into_iter()
        .partition(|group| group.takes(&record));
    let mut tied = tied.into_iter();
    let mut group = tied.next().unwrap_or_else(|| Group {
        records: Vec::new(),
        feed: feed.to_owned(),
    });
    group.records.push(record);
    for other in tied {
        let fits = other.records.iter().all(|theirs| {
            group
                .records
                .iter()
                .all(|ours| ours.id == theirs.id || issuer(&ours.id) != issuer(&theirs.id))
        });
        if fits {
            group.records.extend(other.records);
        } else {
            rest.push(other);
        }
    }
    rest.push(group);
    *groups = rest;
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
