//! Findings in words: bytes and trees that differ, and what of them is only worth listing.

use std::collections::BTreeMap;

use crate::model::{
    Claim, Code, Coordinate, Digest, Entry, EntryKind, Finding, Outcome, Reason, Severity, text,
};
use crate::pipeline::flow::Subject;

use super::{Judged, expected};

impl Judged<'_> {
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

    /// The finding for an archive that can be read as two.
    pub(super) fn ambiguous(
        &self,
        subject: &Subject,
        observed: &[Digest],
        how: &[&str],
    ) -> Finding {
        let message = format!(
            "two readers would extract different content from `{}`: {}",
            self.artifact(subject),
            how.get(..3).unwrap_or(how).join("; ")
        );
        let mut finding = Finding::new(Code::ArchiveAmbiguous, subject.place, message);
        finding.observed = observed.first().copied();
        finding
    }

    /// Another package version that has these bytes, as far as this run knows.
    pub(super) fn belongs_to(&self, digest: &Digest, not: &Coordinate) -> Option<String> {
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

    pub(super) fn tree_finding(
        &self,
        subject: &Subject,
        kind: EntryKind,
        entries: &[Entry],
        total: u64,
        basis: Option<Digest>,
        claims: &[Claim],
    ) -> Finding {
        let what = match kind {
            EntryKind::Modified => "was modified",
            EntryKind::Missing => "is missing",
            EntryKind::Extra => "does not belong there",
            EntryKind::Irregular => "is no plain file",
        };
        let first = entries.iter().find(|e| e.kind == kind).map_or_else(
            || "the folder".to_owned(),
            |e| format!("`{}`", text::printable(&e.path)),
        );
        let more = if total > 1 {
            format!(" ({total} entries differ)")
        } else {
            String::new()
        };
        let against = if basis.is_some() {
            ""
        } else {
            ", whatever it should be"
        };
        let mut finding = Finding::new(
            kind.code(),
            subject.place,
            format!("{first} {what}{more}{against}"),
        );
        finding.entries = entries.to_vec();
        finding.entries_total = total;
        finding.expected = expected(claims);
        finding
    }

    /// Files that no tool loads are subjects of their own.
    pub(super) fn litter(&mut self, subject: &Subject, litter: &[String]) {
        for name in litter {
            let own = Subject {
                kind: "litter",
                rel: subject.rel.join(name),
                ..subject.clone()
            };
            self.settle(&own, Outcome::Unverifiable(Reason::Orphan), None, None);
        }
    }

    /// Differences that are nothing, but worth knowing.
    pub(super) fn listed(&mut self, subject: &Subject, listed: &[(String, &'static str)]) {
        let mut by_why: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for (path, why) in listed {
            by_why.entry(why).or_default().push(path);
        }
        for (why, paths) in by_why {
            let mut finding = Finding::new(Code::FilesOmitted, subject.place, why.to_owned());
            finding.severity = Severity::Info;
            finding.entries_total = paths.len() as u64;
            let kind = if why.starts_with("missing") {
                EntryKind::Missing
            } else {
                EntryKind::Modified
            };
            finding.entries = paths
                .into_iter()
                .map(|path| Entry {
                    path: path.clone(),
                    path_escaped: false,
                    kind,
                })
                .collect();
            self.push(subject, finding);
        }
    }
}
