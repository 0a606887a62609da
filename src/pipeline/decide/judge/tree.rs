//! Unpacked trees: judged by their archive and by what stands in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{
    Claim, Code, Digest, Entry, EntryKind, Finding, Outcome, Reason, Severity, text,
};
use crate::pipeline::flow::{Seen, Subject};
use crate::pipeline::truth::{self, Evidence};

use super::super::existence;
use super::Judged;
use super::bytes::expected;

impl Judged<'_> {
    pub(super) fn tree(&mut self, subject: &Subject, seen: &Seen) {
        let Seen::Tree {
            basis,
            gap,
            entries,
            total,
            worst,
            forged_sidecar,
            litter,
            listed,
        } = seen
        else {
            return;
        };
        let Some(coordinate) = subject.coordinate.clone() else {
            return;
        };
        self.held.insert(Arc::clone(&coordinate));
        let knowledge = self.knowledge(&coordinate);
        let trusted = truth::trusted_digests(&knowledge.claims);
        // Held against an archive that is itself not the published one, a tree has not been judged at all.
        let held = basis.filter(|basis| trusted.is_empty() || trusted.contains(basis));
        let observed: Vec<Digest> = held.into_iter().collect();
        let missing = if basis.is_some() && held.is_none() {
            Some(Reason::ArchiveNotHeld)
        } else {
            gap.or(Some(Reason::ArchiveNotHeld))
        };
        let ruling = truth::rule(Evidence {
            observed: &observed,
            worst_entry: *worst,
            claims: &knowledge.claims,
            gap: if observed.is_empty() {
                missing
            } else {
                knowledge.gap
            },
            require: self.require(&knowledge),
        });
        let (mut outcome, gone) =
            existence::judge(subject, &coordinate, &knowledge, ruling.outcome);
        if let Some(kind) = worst {
            let finding =
                self.tree_finding(subject, *kind, entries, *total, *basis, &knowledge.claims);
            self.push(subject, finding);
        } else if ruling.codes.contains(&Code::PublishedHashChanged) {
            let finding = self.differs(
                subject,
                Code::PublishedHashChanged,
                &observed,
                &knowledge.claims,
                &coordinate,
            );
            self.push(subject, finding);
        }
        if let Some(gone) = gone {
            self.push(subject, gone);
        }
        if let Some(says) = forged_sidecar {
            let finding = Finding::new(Code::SidecarForged, subject.place, says.clone());
            self.push(subject, finding);
            outcome = Outcome::Tainted;
        }
        self.settle(subject, outcome, *basis, Some(&knowledge));
        self.litter(subject, litter);
        self.listed(subject, listed);
    }

    fn tree_finding(
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
    fn litter(&mut self, subject: &Subject, litter: &[String]) {
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
    fn listed(&mut self, subject: &Subject, listed: &[(String, &'static str)]) {
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
