//! Turns checks into outcomes, findings, notices and counts, one subject after the other.
//!
//! Archives and lockfile hashes are judged in `bytes`, unpacked trees in `tree`; `book` is what is written down of every
//! subject.

mod book;
mod bytes;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::report::CheckRow;
use crate::model::{
    Assurance, Coordinate, Coverage, Digest, EcosystemId, Entry, Finding, Notice, Origin, Outcome,
    Place, Problem, Reason, text,
};
use crate::pipeline::flow::{Check, Knowledge, Seen, Subject};

use super::Case;

/// What has been judged so far.
pub(super) struct Judged<'a> {
    case: &'a Case<'a>,
    pub(super) findings: Vec<Finding>,
    pub(super) notices: Vec<Notice>,
    pub(super) problems: Vec<Problem>,
    pub(super) coverage: Coverage,
    pub(super) rows: Vec<CheckRow>,
    /// Artifacts that some place holds.
    held: BTreeSet<Arc<Coordinate>>,
    /// Git repositories at commits that a checkout holds: address and commit.
    held_git: BTreeSet<(Arc<str>, Arc<str>)>,
    knowledge: BTreeMap<Arc<Coordinate>, Arc<Knowledge>>,
    noticed: BTreeMap<(EcosystemId, Reason), usize>,
    /// Archives that nobody outside vouches for and nothing speaks against.
    pub(super) memorable: Vec<(Arc<Coordinate>, Digest)>,
}

impl<'a> Judged<'a> {
    pub(super) fn new(case: &'a Case<'a>) -> Self {
        Self {
            case,
            findings: Vec::new(),
            notices: Vec::new(),
            problems: Vec::new(),
            coverage: Coverage::default(),
            rows: Vec::new(),
            held: BTreeSet::new(),
            held_git: BTreeSet::new(),
            knowledge: BTreeMap::new(),
            noticed: BTreeMap::new(),
            memorable: Vec::new(),
        }
    }

    fn knowledge(&mut self, coordinate: &Arc<Coordinate>) -> Arc<Knowledge> {
        if let Some(known) = self.knowledge.get(coordinate) {
            return Arc::clone(known);
        }
        let known = Arc::new(self.case.sage.knowledge(coordinate, None));
        self.knowledge
            .insert(Arc::clone(coordinate), Arc::clone(&known));
        known
    }

    fn require(&self, knowledge: &Knowledge) -> Assurance {
        knowledge.require.unwrap_or(self.case.policy.require)
    }

    /// Judges one subject.
    pub(super) fn check(&mut self, check: &Check) {
        let subject = &check.subject;
        if !self.case.policy.integrity && subject.kind != "derived" {
            if let Some(coordinate) = &subject.coordinate {
                self.held.insert(Arc::clone(coordinate));
            }
            return;
        }
        match &check.seen {
            Seen::Absent => {}
            Seen::Unbound(reason) => {
                self.settle(subject, Outcome::Unverifiable(*reason), None, None);
            }
            Seen::Archive {
                observed,
                gap,
                ambiguities,
                ..
            } => {
                self.archive(subject, observed, *gap, ambiguities);
            }
            Seen::Tree { .. } => self.tree(subject, &check.seen),
            Seen::LockedHash { digests } => self.locked(subject, digests),
            Seen::Inspected {
                outcome,
                observed,
                entries,
                findings,
                note,
            } => {
                self.inspected(
                    subject,
                    *outcome,
                    *observed,
                    entries,
                    findings,
                    note.as_deref(),
                );
            }
        }
    }

    fn inspected(
        &mut self,
        subject: &Subject,
        outcome: Outcome,
        observed: Option<Digest>,
        entries: &[Entry],
        findings: &[Finding],
        note: Option<&str>,
    ) {
        if let Some(coordinate) = &subject.coordinate
            && subject.artifact.is_some()
        {
            self.held.insert(Arc::clone(coordinate));
        }
        let git = subject.coordinate.as_deref().and_then(git_source);
        let of_a_lock = git.is_some();
        self.held_git.extend(git);
        for finding in findings {
            let mut finding = finding.clone();
            if finding.entries.is_empty() {
                finding.entries = entries.to_vec();
                finding.entries_total = finding.entries_total.max(entries.len() as u64);
            }
            self.push(subject, finding);
        }
        let require = self.case.policy.require;
        let outcome = match outcome {
            // The tree equals the locked commit's objects: that is what the lockfile declares.
            Outcome::Unverifiable(Reason::Git) if require <= Assurance::Declared && of_a_lock => {
                Outcome::Verified(Assurance::Declared)
            }
            Outcome::Unverifiable(Reason::Derived)
                if self.case.policy.derived == crate::model::policy::Derived::Ignore =>
            {
                return;
            }
            Outcome::Verified(level) if level < require => {
                Outcome::Unverifiable(Reason::DeclaredOnly)
            }
            other => other,
        };
        self.settle_noted(subject, outcome, observed, None, note);
    }

    /// Counts what has no subject: first-party packages, and locked packages that nothing holds.
    pub(super) fn first_party_and_absent(&mut self) {
        let mut counted: BTreeSet<Arc<Coordinate>> = BTreeSet::new();
        for lock in &self.case.inventory.locks {
            let id = lock.ecosystem.facts().id;
            for locked in &lock.packages {
                if !counted.insert(Arc::clone(&locked.coordinate)) {
                    continue;
                }
                match locked.coordinate.origin {
                    Origin::Path => self.coverage.of(id).first_party += 1,
                    _ if git_source(&locked.coordinate)
                        .is_some_and(|source| self.held_git.contains(&source)) => {}
                    _ if !self.held.contains(&locked.coordinate) => {
                        self.coverage.of(id).absent += 1;
                    }
                    _ => {}
                }
            }
        }
    }

    /// Lockfiles that nobody reads are subjects that could not be verified.
    pub(super) fn unsupported(&mut self) {
        for (ecosystem, tool, root, rel) in self.case.unsupported {
            let subject = Subject {
                ecosystem: EcosystemId::new(ecosystem),
                kind: "lockfile",
                coordinate: None,
                artifact: None,
                place: Place::Lockfile,
                root: *root,
                rel: std::path::PathBuf::from(rel),
                size: None,
                line: None,
            };
            let note = format!(
                "`{}` is a lockfile of {tool}, which untaint cannot read yet",
                text::printable(rel)
            );
            self.settle_noted(
                &subject,
                Outcome::Unverifiable(Reason::Unsupported),
                None,
                None,
                Some(&note),
            );
        }
    }
}

/// Address and commit of a package from git.
fn git_source(coordinate: &Coordinate) -> Option<(Arc<str>, Arc<str>)> {
    match &coordinate.origin {
        Origin::Git { url, commit } => Some((Arc::clone(url), Arc::clone(commit))),
        _ => None,
    }
}
