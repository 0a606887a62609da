//! Archives, and what a lockfile records of them: bytes held against what is said of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{
    Assurance, Claim, Code, Coordinate, Digest, Expected, Finding, Outcome, Place, Reason, text,
};
use crate::pipeline::flow::Subject;
use crate::pipeline::truth::{self, Evidence};

use super::super::existence;
use super::Judged;

impl Judged<'_> {
    pub(super) fn archive(
        &mut self,
        subject: &Subject,
        observed: &[Digest],
        gap: Option<Reason>,
        ambiguities: &[String],
    ) {
        let Some(coordinate) = subject.coordinate.clone() else {
            return;
        };
        self.held.insert(Arc::clone(&coordinate));
        let knowledge = self.knowledge(&coordinate);
        let (outcome, codes) = if let (Some(reason), true) = (gap, observed.is_empty()) {
            let irregular = reason == Reason::Unreadable && !ambiguities.is_empty();
            if irregular {
                let finding = Finding::new(
                    Code::TreeIrregularFile,
                    subject.place,
                    format!("`{}` {}", self.artifact(subject), ambiguities.join("; ")),
                );
                self.push(subject, finding);
            }
            (
                if irregular {
                    Outcome::Tainted
                } else {
                    Outcome::Unverifiable(reason)
                },
                BTreeSet::new(),
            )
        } else {
            let ruling = truth::rule(Evidence {
                observed,
                worst_entry: None,
                claims: &knowledge.claims,
                gap: knowledge.gap,
                require: self.require(&knowledge),
            });
            (ruling.outcome, ruling.codes)
        };
        // That a lockfile differs from what is verified is told on the lockfile's own subject.
        let blamed = |code: &Code| {
            !(matches!(outcome, Outcome::Verified(_)) && *code == Code::ArchiveTampered)
        };
        for code in codes.iter().filter(|code| blamed(code)) {
            let finding = self.differs(subject, *code, observed, &knowledge.claims, &coordinate);
            self.push(subject, finding);
        }
        let (outcome, gone) = existence::judge(subject, &coordinate, &knowledge, outcome);
        if let Some(mut finding) = gone {
            finding.observed = observed.first().copied();
            self.push(subject, finding);
        }
        let mut outcome = outcome;
        // Of bytes that are the wrong ones anyway, nobody needs to know how they could be read.
        let wrong = matches!(outcome, Outcome::Tainted | Outcome::Conflict);
        if !ambiguities.is_empty() && !observed.is_empty() && !wrong {
            let message = format!(
                "two readers would extract different content from `{}`: {}",
                self.artifact(subject),
                ambiguities
                    .iter()
                    .take(3)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("; ")
            );
            let mut finding = Finding::new(Code::ArchiveAmbiguous, subject.place, message);
            finding.observed = observed.first().copied();
            self.push(subject, finding);
            if matches!(outcome, Outcome::Verified(_)) {
                outcome = Outcome::Tainted;
            }
        }
        if let (Outcome::Unverifiable(_), Some(digest)) = (outcome, observed.first()) {
            self.memorable.push((Arc::clone(&coordinate), *digest));
        }
        self.settle(
            subject,
            outcome,
            observed.first().copied(),
            Some(&knowledge),
        );
    }

    fn artifact(&self, subject: &Subject) -> String {
        text::printable(
            subject
                .artifact
                .as_deref()
                .unwrap_or(&subject.rel.to_string_lossy()),
        )
    }

    /// The finding for bytes that differ from a claim.
    pub(super) fn differs(
        &self,
        subject: &Subject,
        code: Code,
        observed: &[Digest],
        claims: &[Claim],
        coordinate: &Coordinate,
    ) -> Finding {
        let seen = observed.first().copied();
        let other = seen.and_then(|digest| self.belongs_to(&digest, coordinate));
        let (code, message) = match (code, other) {
            (Code::ArchiveTampered, Some(other)) => (
                Code::EntryMisbound,
                format!(
                    "`{}` holds the genuine bytes of {other}",
                    self.artifact(subject)
                ),
            ),
            (Code::PublishedHashChanged, _) => (
                code,
                format!(
                    "trusted sources disagree about `{}`: do not build, and tell its registry",
                    self.artifact(subject)
                ),
            ),
            (Code::FirstSeenChanged, _) => (
                code,
                format!(
                    "`{}` is not what this machine saw first",
                    self.artifact(subject)
                ),
            ),
            (code, _) => (
                code,
                format!("`{}` is not what was published", self.artifact(subject)),
            ),
        };
        let mut finding = Finding::new(code, subject.place, message);
        finding.observed = seen;
        finding.expected = expected(claims);
        finding
    }

    /// Another package version that has these bytes, as far as this run knows.
    fn belongs_to(&self, digest: &Digest, not: &Coordinate) -> Option<String> {
        self.case
            .sage
            .known
            .packages
            .iter()
            .find_map(|((_, name), learned)| {
                let listing = learned.listing.as_deref()?;
                let version = listing
                    .versions
                    .iter()
                    .find(|v| v.digests.contains(digest))?;
                let same = name.eq_ignore_ascii_case(&not.name) && *version.version == *not.version;
                (!same).then(|| {
                    format!(
                        "{}@{}",
                        text::printable(name),
                        text::printable(&version.version)
                    )
                })
            })
    }

    pub(super) fn locked(&mut self, subject: &Subject, digests: &[Digest]) {
        let Some(coordinate) = subject.coordinate.clone() else {
            return;
        };
        let knowledge = self.knowledge(&coordinate);
        let outside: Vec<Claim> = knowledge
            .claims
            .iter()
            .filter(|c| c.assurance.is_trusted())
            .cloned()
            .collect();
        let mut outcome = Outcome::Unverifiable(knowledge.gap.unwrap_or(Reason::NoRecord));
        for digest in digests {
            let ruling = truth::rule(Evidence {
                observed: std::slice::from_ref(digest),
                worst_entry: None,
                claims: &outside,
                gap: knowledge.gap.or(Some(Reason::DeclaredOnly)),
                require: self.require(&knowledge).max(Assurance::Declared),
            });
            outcome = ruling.outcome;
            // A requirement that a lockfile alone meets is met by a lockfile.
            if outside.is_empty() && self.require(&knowledge) <= Assurance::Declared {
                outcome = Outcome::Verified(Assurance::Declared);
            }
            if ruling.codes.contains(&Code::ArchiveTampered) {
                let message = format!(
                    "the checksum that the lockfile records for {coordinate} is not what was published"
                );
                let mut finding =
                    Finding::new(Code::LockfileHashMismatch, Place::Lockfile, message);
                finding.observed = Some(*digest);
                finding.expected = expected(&outside);
                self.push(subject, finding);
            }
            if ruling.codes.contains(&Code::PublishedHashChanged) {
                let finding = self.differs(
                    subject,
                    Code::PublishedHashChanged,
                    &[*digest],
                    &outside,
                    &coordinate,
                );
                self.push(subject, finding);
            }
        }
        let (outcome, gone) = existence::judge(subject, &coordinate, &knowledge, outcome);
        if let Some(finding) = gone {
            self.push(subject, finding);
        }
        self.settle(subject, outcome, digests.first().copied(), Some(&knowledge));
    }
}

/// Who expects what, strongest first.
pub(super) fn expected(claims: &[Claim]) -> Vec<Expected> {
    let mut all: Vec<Expected> = claims
        .iter()
        .map(|c| Expected {
            by: c.by,
            assurance: c.effective(),
            digest: c.digest,
        })
        .collect();
    all.sort();
    all.dedup();
    all
}
