//! Turns checks into outcomes, findings, notices and counts, one subject after the other.
//!
//! What a finding says stands in `words`, what is written down of every subject in `book`.

mod book;
mod packages;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::memorable::Memorable;
use crate::ecosystems::contract::ArchiveFormat;
use crate::model::report::CheckRow;
use crate::model::{
    Assurance, Claim, Code, Coordinate, Coverage, Digest, EcosystemId, Entry, Expected, Finding,
    Notice, Origin, Outcome, Place, Problem, Reason, text,
};
use crate::pipeline::flow::{Check, Knowledge, Seen, Subject};
use crate::pipeline::truth::{self, Evidence};

use super::{Case, existence};

/// A package version and the file name of its artifact, where it has several.
type Artifact = (Arc<Coordinate>, Option<Arc<str>>);

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
    knowledge: BTreeMap<Artifact, Arc<Knowledge>>,
    noticed: BTreeMap<(EcosystemId, Reason), usize>,
    /// Archives that nobody outside vouches for and nothing speaks against.
    pub(super) memorable: Vec<Memorable>,
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

    fn knowledge(&mut self, coordinate: &Arc<Coordinate>, subject: &Subject) -> Arc<Knowledge> {
        let key = (Arc::clone(coordinate), subject.artifact.clone());
        if let Some(known) = self.knowledge.get(&key) {
            return Arc::clone(known);
        }
        let file = subject.artifact.as_deref().unwrap_or_default();
        let recent = self.case.recent;
        let known = Arc::new(self.case.sage.knowledge(coordinate, file, recent));
        self.knowledge.insert(key, Arc::clone(&known));
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
                excused,
            } => {
                self.archive(subject, observed, *gap, (ambiguities, excused));
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

    fn archive(
        &mut self,
        subject: &Subject,
        observed: &[Digest],
        gap: Option<Reason>,
        (ambiguities, excused): (&[String], &[String]),
    ) {
        let Some(coordinate) = subject.coordinate.clone() else {
            return;
        };
        self.held.insert(Arc::clone(&coordinate));
        let knowledge = self.knowledge(&coordinate, subject);
        let (outcome, mut codes) = if let (Some(reason), true) = (gap, observed.is_empty()) {
            // What it is or how long it is says enough: it was not even read.
            let code = match reason {
                Reason::Unreadable => Some(Code::TreeIrregularFile),
                Reason::Limit => Some(Code::ArchiveTampered),
                _ => None,
            };
            let outcome = match code.filter(|_| !ambiguities.is_empty()) {
                Some(code) => {
                    let said = format!("`{}` {}", self.artifact(subject), ambiguities.join("; "));
                    self.push(subject, Finding::new(code, subject.place, said));
                    Outcome::Tainted
                }
                None => Outcome::Unverifiable(reason),
            };
            (outcome, BTreeSet::new())
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
        let sidecar = subject.kind == ArchiveFormat::H1Sidecar.subject_kind();
        let verified = matches!(outcome, Outcome::Verified(_));
        if sidecar && !verified && codes.contains(&Code::ArchiveTampered) {
            let message = format!(
                "the cache's own record `{}` is not the hash of what was published",
                text::printable(&subject.rel.to_string_lossy())
            );
            let mut finding = Finding::new(Code::SidecarForged, subject.place, message);
            finding.observed = observed.first().copied();
            finding.expected = expected(&knowledge.claims);
            self.push(subject, finding);
            codes.remove(&Code::ArchiveTampered);
        }
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
        // A recipe over the content that was published cannot be met by what has no readable content.
        let without_recipe = !ambiguities.is_empty()
            && !observed.is_empty()
            && matches!(outcome, Outcome::Unverifiable(_))
            && knowledge
                .claims
                .iter()
                .any(|c| observed.iter().all(|o| o.scheme() != c.digest.scheme()));
        if without_recipe {
            let mut finding = self.differs(
                subject,
                Code::ArchiveTampered,
                observed,
                &knowledge.claims,
                &coordinate,
            );
            finding.message = format!(
                "`{}` is not what was published: it {}",
                self.artifact(subject),
                ambiguities.join("; ")
            );
            self.push(subject, finding);
            outcome = Outcome::Tainted;
        }
        // Of bytes that are the wrong ones anyway, nobody needs to know how they could be read.
        let wrong = matches!(outcome, Outcome::Tainted | Outcome::Conflict);
        let trusted = truth::trusted_digests(&knowledge.claims);
        let vouched = observed.iter().any(|digest| trusted.contains(digest));
        let excused = excused.iter().filter(|_| !vouched);
        let counted: Vec<&str> = ambiguities.iter().chain(excused).map(|s| &**s).collect();
        if !counted.is_empty() && !observed.is_empty() && !wrong {
            let finding = self.ambiguous(subject, observed, &counted);
            self.push(subject, finding);
            if matches!(outcome, Outcome::Verified(_)) {
                outcome = Outcome::Tainted;
            }
        }
        // Also where the lockfile is enough: whoever changes it with the archive is still told apart from the first sight.
        let unvouched = match outcome {
            Outcome::Verified(level) => !level.is_trusted(),
            Outcome::Unverifiable(_) => true,
            Outcome::Tainted | Outcome::Conflict => false,
        };
        // What a cache says of itself is nothing to remember.
        if let (true, Some(digest), false) = (unvouched, observed.first(), sidecar) {
            self.memorable.push(Memorable {
                coordinate: Arc::clone(&coordinate),
                file: subject.artifact.clone().unwrap_or_else(|| Arc::from("")),
                digest: *digest,
            });
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

    fn tree(&mut self, subject: &Subject, seen: &Seen) {
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
        let knowledge = self.knowledge(&coordinate, subject);
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

    fn locked(&mut self, subject: &Subject, digests: &[Digest]) {
        let Some(coordinate) = subject.coordinate.clone() else {
            return;
        };
        let knowledge = self.knowledge(&coordinate, subject);
        let outside: Vec<Claim> = knowledge
            .claims
            .iter()
            .filter(|c| c.assurance.is_trusted())
            .cloned()
            .collect();
        let mut outcome: Option<Outcome> = None;
        for digest in digests {
            let ruling = truth::rule(Evidence {
                observed: std::slice::from_ref(digest),
                worst_entry: None,
                claims: &outside,
                gap: knowledge.gap.or(Some(Reason::DeclaredOnly)),
                require: self.require(&knowledge).max(Assurance::Declared),
            });
            // A requirement that a lockfile alone meets is met by a lockfile.
            let alone = outside.is_empty() && self.require(&knowledge) <= Assurance::Declared;
            let one = if alone {
                Outcome::Verified(Assurance::Declared)
            } else {
                ruling.outcome
            };
            outcome = Some(outcome.map_or(one, |sofar| worse(sofar, one)));
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
        let outcome = outcome.unwrap_or(Outcome::Unverifiable(
            knowledge.gap.unwrap_or(Reason::NoRecord),
        ));
        let (outcome, gone) = existence::judge(subject, &coordinate, &knowledge, outcome);
        if let Some(finding) = gone {
            self.push(subject, finding);
        }
        self.settle(subject, outcome, digests.first().copied(), Some(&knowledge));
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

/// Who expects what, strongest first.
fn expected(claims: &[Claim]) -> Vec<Expected> {
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

/// Address and commit of a package from git.
fn git_source(coordinate: &Coordinate) -> Option<(Arc<str>, Arc<str>)> {
    match &coordinate.origin {
        Origin::Git { url, commit } => Some((Arc::clone(url), Arc::clone(commit))),
        _ => None,
    }
}

/// The worse of two outcomes of one subject.
fn worse(a: Outcome, b: Outcome) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Outcome::Verified(_) => 0,
        Outcome::Unverifiable(_) => 1,
        Outcome::Conflict => 2,
        Outcome::Tainted => 3,
    };
    if rank(b) > rank(a) { b } else { a }
}
