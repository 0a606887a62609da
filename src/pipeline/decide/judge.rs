//! Turns checks into outcomes, findings, notices and counts, one subject after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use crate::model::report::CheckRow;
use crate::model::{
    Assurance, Claim, Code, Coordinate, Coverage, Digest, EcosystemId, Entry, EntryKind, Expected,
    Finding, Notice, NoticeCode, Origin, Outcome, Place, Problem, Reason, RootId, Severity, text,
};
use crate::pipeline::flow::{Check, Knowledge, Seen, Subject};
use crate::pipeline::truth::{self, Evidence};

use super::{Case, existence};

/// How many notices of one reason and ecosystem are written out; the rest is counted in coverage.
const NOTICES: usize = 2000;

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

    fn archive(
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
    fn differs(
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

    fn locked(&mut self, subject: &Subject, digests: &[Digest]) {
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

    /// Adds what every finding of a subject has in common.
    fn push(&mut self, subject: &Subject, mut finding: Finding) {
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

    fn root(&self, at: usize) -> Option<RootId> {
        self.case.inventory.roots.get(at).map(|r| r.info.id.clone())
    }

    fn settle(
        &mut self,
        subject: &Subject,
        outcome: Outcome,
        observed: Option<Digest>,
        knowledge: Option<&Knowledge>,
    ) {
        self.settle_noted(subject, outcome, observed, knowledge, None);
    }

    /// Counts a subject, writes its row, and lists it if it could not be verified.
    fn settle_noted(
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
    fn accepted(&self, subject: &Subject, outcome: Outcome, observed: Option<Digest>) -> Outcome {
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

    fn list(&mut self, subject: &Subject, reason: Reason, rel: String, note: Option<&str>) {
        let count = self.noticed.entry((subject.ecosystem, reason)).or_default();
        *count += 1;
        if *count > NOTICES {
            return;
        }
        let what = match (&subject.coordinate, note) {
            (_, Some(note)) => note.to_owned(),
            (Some(coordinate), None) => {
                format!("the {} of {coordinate} could not be verified", subject.kind)
            }
            (None, None) => format!("a {} could not be verified", subject.kind),
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
