//! What is written down of every subject: its findings, its row, its count, its notice.

use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use crate::model::report::CheckRow;
use crate::model::{
    Assurance, Digest, Finding, Notice, NoticeCode, Outcome, Place, Reason, RootId, text,
};
use crate::pipeline::flow::{Knowledge, Subject};

use super::Judged;

/// How many notices of one reason and ecosystem are written out; the rest is counted in coverage.
const NOTICES: usize = 2000;

impl Judged<'_> {
    /// Adds what every finding of a subject has in common.
    pub(super) fn push(&mut self, subject: &Subject, mut finding: Finding) {
        finding.ecosystem.get_or_insert(subject.ecosystem);
        if let Some(coordinate) = &subject.coordinate {
            finding
                .package
                .get_or_insert_with(|| Arc::clone(&coordinate.name));
            if !coordinate.version.is_empty() {
                finding
                    .version
                    .get_or_insert_with(|| Arc::clone(&coordinate.version));
            }
        }
        if finding.artifact.is_none() {
            finding.artifact.clone_from(&subject.artifact);
        }
        if finding.rel.is_none() {
            let (rel, escaped) = text::percent(subject.rel.as_os_str().as_bytes());
            finding.rel = Some(rel);
            finding.path_escaped |= escaped;
        }
        if finding.root.is_none() {
            finding.root = self.root(subject.root);
        }
        if subject.place == Place::Lockfile && finding.location.is_none() {
            finding.location = Some(crate::model::Location {
                file: subject.rel.to_string_lossy().into_owned(),
                line: subject.line,
            });
        }
        self.findings.push(finding);
    }

    pub(super) fn root(&self, at: usize) -> Option<RootId> {
        self.case.inventory.roots.get(at).map(|r| r.info.id.clone())
    }

    pub(super) fn settle(
        &mut self,
        subject: &Subject,
        outcome: Outcome,
        observed: Option<Digest>,
        knowledge: Option<&Knowledge>,
    ) {
        self.settle_noted(subject, outcome, observed, knowledge, None);
    }

    /// Counts a subject, writes its row, and lists it if it could not be verified.
    pub(super) fn settle_noted(
        &mut self,
        subject: &Subject,
        outcome: Outcome,
        observed: Option<Digest>,
        knowledge: Option<&Knowledge>,
        note: Option<&str>,
    ) {
        let outcome = self.accepted(subject, outcome, observed);
        self.coverage.of(subject.ecosystem).add(outcome);
        let (rel, path_escaped) = text::percent(subject.rel.as_os_str().as_bytes());
        let strongest = knowledge.and_then(|k| {
            k.claims
                .iter()
                .max_by_key(|c| (c.effective(), std::cmp::Reverse(c.by)))
        });
        self.rows.push(CheckRow {
            ecosystem: subject.ecosystem,
            kind: subject.kind,
            package: subject.coordinate.as_ref().map(|c| Arc::clone(&c.name)),
            version: subject
                .coordinate
                .as_ref()
                .filter(|c| !c.version.is_empty())
                .map(|c| Arc::clone(&c.version)),
            artifact: subject.artifact.clone(),
            place: subject.place,
            root: self.root(subject.root).unwrap_or_else(|| RootId::new("?")),
            rel: rel.clone(),
            path_escaped,
            outcome,
            observed,
            expected: strongest.map(|c| (c.by, c.digest)),
            size: subject.size,
        });
        if let Outcome::Unverifiable(reason) = outcome {
            self.list(subject, reason, rel, note);
        }
    }

    /// Whether somebody answers for these bytes.
    pub(super) fn accepted(
        &self,
        subject: &Subject,
        outcome: Outcome,
        observed: Option<Digest>,
    ) -> Outcome {
        let (Outcome::Unverifiable(_), Some(digest), Some(coordinate), Some(file)) =
            (outcome, observed, &subject.coordinate, &subject.artifact)
        else {
            return outcome;
        };
        let fits = self.case.policy.accepts.iter().any(|accept| {
            let artifact = &accept.artifact;
            accept.digest == digest
                && artifact.ecosystem == subject.ecosystem.as_str()
                && artifact.name == *coordinate.name
                && artifact.version == *coordinate.version
                && artifact.file == **file
                && !accept.until.is_over(self.case.now)
        });
        if fits {
            Outcome::Verified(Assurance::Declared)
        } else {
            outcome
        }
    }

    pub(super) fn list(
        &mut self,
        subject: &Subject,
        reason: Reason,
        rel: String,
        note: Option<&str>,
    ) {
        let count = self.noticed.entry((subject.ecosystem, reason)).or_default();
        *count += 1;
        if *count > NOTICES {
            return;
        }
        let what = match (&subject.coordinate, note) {
            (_, Some(note)) => note.to_owned(),
            (Some(coordinate), None) if coordinate.version.is_empty() => {
                let name = &coordinate.name;
                format!("the {} of {name} could not be verified", subject.kind)
            }
            (Some(coordinate), None) => {
                format!("the {} of {coordinate} could not be verified", subject.kind)
            }
            (None, None) if reason == Reason::Orphan => format!("`{rel}` is loaded by no tool"),
            (None, None) => format!("`{rel}` could not be verified"),
        };
        self.notices.push(Notice {
            code: NoticeCode::Unverifiable,
            reason: Some(reason),
            ecosystem: Some(subject.ecosystem),
            package: subject.coordinate.as_ref().map(|c| c.name.to_string()),
            version: subject
                .coordinate
                .as_ref()
                .filter(|c| !c.version.is_empty())
                .map(|c| c.version.to_string()),
            path: Some(rel),
            message: what,
            remedy: Some(reason.advice().to_owned()),
        });
    }
}
