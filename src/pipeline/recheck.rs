//! What a guarded command left changed: differences that a witness found, held against what the audit had judged.
//!
//! What was judged in a cache must be as it was: an archive or a tree that was changed and put back has another change time,
//! and what the command read meanwhile nobody knows. What its tool renews in the ordinary course, what is new, and what the
//! user owns (lockfiles, vendor folders) is judged by a second audit instead: of those only a change that hides itself, with
//! the old time put back, is told here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::ecosystems;
use crate::model::policy::Policy;
use crate::model::report::{CheckRow, Report};
use crate::model::{
    Code, EcosystemId, Entry, EntryKind, Finding, Outcome, Place, Reason, RootId, text,
};
use crate::world::Stat;

use super::witness::{Change, Difference};

/// Entries of a subject that are named.
const NAMED: usize = 20;

/// What a command left behind.
#[derive(Default)]
pub struct Changes {
    /// What was judged and is no more as it was.
    suspects: Vec<Suspect>,
    /// Whether there is anything that a second audit has to judge.
    pub look_again: bool,
}

struct Suspect {
    finding: Finding,
    /// Kind of the subject, by which a second audit knows it.
    kind: &'static str,
}

/// Folders whose content nobody vouches for: they are not looked at again.
pub fn unjudged(report: &Report) -> Vec<PathBuf> {
    let rows = report.checks.iter().filter(|row| is_idle(row));
    let roots = |row: &CheckRow| {
        let root = report.run.roots.iter().find(|r| r.id == row.root)?;
        (row.rel.is_empty() && !row.path_escaped).then(|| PathBuf::from(&root.path))
    };
    rows.filter_map(roots).collect()
}

/// Whether a subject is of a kind that was not judged by its bytes.
fn is_idle(row: &CheckRow) -> bool {
    row.place == Place::Build
        || matches!(
            row.outcome,
            Outcome::Unverifiable(Reason::Derived | Reason::Orphan)
        )
}

/// The subjects of an audit by their absolute path, escaped as reports have it.
struct Subjects<'a> {
    by_path: HashMap<String, &'a CheckRow>,
    /// Folders on the way to what must stay as it was, and where they lie.
    above: HashMap<String, &'a CheckRow>,
    roots: BTreeMap<&'a RootId, &'a str>,
    /// Roots that are no caches.
    projects: Vec<&'a str>,
}

impl<'a> Subjects<'a> {
    fn of(report: &'a Report) -> Self {
        let roots: BTreeMap<&RootId, &str> = report
            .run
            .roots
            .iter()
            .map(|r| (&r.id, r.path.as_str()))
            .collect();
        let mut subjects = Self {
            by_path: HashMap::new(),
            above: HashMap::new(),
            projects: Vec::new(),
            roots,
        };
        let cached = report.checks.iter();
        let cached: BTreeSet<&RootId> = cached
            .filter(|row| row.place == Place::Cache)
            .map(|row| &row.root)
            .collect();
        let projects = report.run.roots.iter();
        let projects = projects.filter(|root| !cached.contains(&root.id));
        subjects.projects = projects.map(|root| root.path.as_str()).collect();
        for row in &report.checks {
            let Some(root) = subjects.roots.get(&row.root) else {
                continue;
            };
            // A cache as a whole is no subject that anything else belongs to.
            if row.rel.is_empty() && row.place == Place::Cache {
                continue;
            }
            let mut path = (*root).to_owned();
            if !row.rel.is_empty() {
                path = format!("{path}/{}", row.rel);
            }
            if row.place == Place::Cache && must_stay(row) {
                let mut up = path.as_str();
                while let Some((above, _)) = up.rsplit_once('/')
                    && above.len() >= root.len()
                    && !subjects.above.contains_key(above)
                {
                    subjects.above.insert(above.to_owned(), row);
                    up = above;
                }
            }
            subjects.by_path.insert(path, row);
        }
        subjects
    }

    /// The innermost subject that a path belongs to, and the path below it.
    fn covering<'p>(&self, path: &'p str) -> Option<(&'a CheckRow, &'p str)> {
        let mut at = path;
        loop {
            if let Some(row) = self.by_path.get(at) {
                let below = path.get(at.len()..).unwrap_or_default();
                return Some((row, below.trim_start_matches('/')));
            }
            at = at.rsplit_once('/')?.0;
        }
    }

    /// Whether a file that was asked for by its name, or a folder of such files, was swapped under the command: it was put
    /// back; or it lies in no project, whose files people and tools do change, and is another one now.
    fn decided(&self, difference: &Difference, path: &str) -> bool {
        match difference.change {
            Change::Around => !self.roots.values().any(|root| *root == path),
            Change::Content | Change::Place if hides(difference) || difference.put_back => true,
            Change::Content => {
                let below = |root: &&str| {
                    let rest = path.strip_prefix(root);
                    rest.is_some_and(|rest| rest.starts_with('/'))
                };
                !self.projects.iter().any(below)
            }
            _ => false,
        }
    }

    /// The path of a folder below the root of a subject.
    fn rel(&self, row: &CheckRow, path: &str) -> String {
        let root = self.roots.get(&row.root).copied().unwrap_or_default();
        let rel = path.strip_prefix(root).unwrap_or(path);
        rel.trim_start_matches('/').to_owned()
    }
}

/// Whether a subject of a cache is one that nobody replaces in the ordinary course.
fn must_stay(row: &CheckRow) -> bool {
    !is_idle(row) && !is_renewed(row.ecosystem, row.kind)
}

fn is_renewed(ecosystem: EcosystemId, kind: &str) -> bool {
    ecosystems::of(ecosystem)
        .and_then(|e| e.guarded())
        .is_none_or(|guarded| guarded.is_renewed(kind))
}

/// Whether a file has a lockfile's name: it is remembered by its bytes.
pub fn is_lockfile(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let mut formats = ecosystems::all().iter().flat_map(|e| e.lockfiles());
    name.is_some_and(|name| formats.any(|format| format.matches(name)))
}

/// Weighs what differs from what an audit has seen.
pub fn weigh(differences: &[Difference], report: &Report) -> Changes {
    let subjects = Subjects::of(report);
    let mut changes = Changes::default();
    let mut found: BTreeMap<String, Suspect> = BTreeMap::new();
    for difference in differences {
        let (path, escaped) = text::percent(difference.path.as_os_str().as_bytes());
        let covering = subjects.covering(&path);
        let is_cached = covering.is_some_and(|(row, _)| row.place == Place::Cache);
        let hidden = hides(difference) || difference.put_back;
        if !is_cached && is_lockfile(&difference.path) && hidden {
            changes.look_again = true;
            let suspect = lockfile(&subjects, &path);
            found.insert(path, suspect);
            continue;
        }
        if difference.named && covering.is_none() && subjects.decided(difference, &path) {
            changes.look_again = true;
            let suspect = settings(&subjects, &path, difference);
            found.insert(path, suspect);
            continue;
        }
        match covering {
            Some((row, _)) if is_idle(row) => {}
            Some((row, below)) if row.place == Place::Cache && must_stay(row) => {
                changes.look_again = true;
                let key = format!("{}/{}/{}", row.root.as_str(), row.rel, row.kind);
                let suspect = found.entry(key).or_insert_with(|| of_row(row));
                entry(&mut suspect.finding, below, escaped, difference);
            }
            Some((row, below)) if hides(difference) && row.place != Place::Cache => {
                changes.look_again = true;
                let key = format!("{}/{}/{}", row.root.as_str(), row.rel, row.kind);
                let suspect = found.entry(key).or_insert_with(|| of_row(row));
                entry(&mut suspect.finding, below, escaped, difference);
            }
            Some(_) => changes.look_again = true,
            None => changes.look_again |= loose(difference, &subjects, &path, escaped, &mut found),
        }
    }
    changes.suspects = found.into_values().collect();
    changes
}

/// What belongs to no subject. Says whether it is to be judged anew.
fn loose(
    difference: &Difference,
    subjects: &Subjects<'_>,
    path: &str,
    escaped: bool,
    found: &mut BTreeMap<String, Suspect>,
) -> bool {
    let on_the_way = subjects.above.get(path);
    // Tools keep notes of their own directly in a cache: what counts of the root is whether it is still the same.
    let is_root = subjects.roots.values().any(|root| *root == path);
    let on_the_way = on_the_way.filter(|_| !is_root || difference.change == Change::Place);
    match (difference.change, on_the_way) {
        (Change::Touched | Change::Place, Some(row)) => {
            let rel = subjects.rel(row, path);
            let mut finding = Finding::new(Code::ChangedDuringRun, row.place, String::new());
            finding.ecosystem = Some(row.ecosystem);
            finding.root = Some(row.root.clone());
            finding.rel = Some(rel);
            finding.path_escaped = escaped;
            let suspect = Suspect {
                finding,
                kind: "folder",
            };
            found.insert(path.to_owned(), suspect);
            true
        }
        // A folder whose names changed may hold something new.
        (Change::Names, _) => names_matter(difference),
        (Change::Touched | Change::Around | Change::Attributes, _) => false,
        (Change::Content | Change::Place, _) => true,
    }
}

/// Whether the names in a folder were looked at: the times of others say nothing.
fn names_matter(difference: &Difference) -> bool {
    let times = |stat: &Stat| stat.mtime;
    difference.was.as_ref().map(times) != difference.is.as_ref().map(times)
}

/// Whether a change was made to look like none: other change time, same modification time.
fn hides(difference: &Difference) -> bool {
    match (&difference.was, &difference.is) {
        (Some(was), Some(is)) => {
            was.kind == is.kind
                && was.kind == crate::world::FileKind::File
                && was.mtime == is.mtime
                && was.size == is.size
                && (was.ctime != is.ctime || was.inode != is.inode)
        }
        _ => false,
    }
}

fn lockfile(subjects: &Subjects<'_>, path: &str) -> Suspect {
    let mut finding = Finding::new(
        Code::ChangedDuringRun,
        Place::Lockfile,
        "this lockfile was changed while the command ran, and put back: which packages the command was given is not known",
    );
    placed(&mut finding, subjects, path);
    Suspect {
        finding,
        kind: "lockfile",
    }
}

fn settings(subjects: &Subjects<'_>, path: &str, difference: &Difference) -> Suspect {
    let words = match difference.change {
        Change::Around => {
            "something came and went in this folder of settings while the command ran: what it said is not known"
        }
        _ if difference.put_back || hides(difference) => {
            "this file, by which tools go, was changed while the command ran, and put back: what the command was told is not known"
        }
        _ => {
            "these settings were changed while the command ran: what the command was told is not known"
        }
    };
    let mut finding = Finding::new(Code::ChangedDuringRun, Place::Settings, words);
    placed(&mut finding, subjects, path);
    if finding.root.is_none() {
        finding.path = Some(path.to_owned());
    }
    Suspect {
        finding,
        kind: "settings",
    }
}

/// Names the innermost root that a path lies below.
fn placed(finding: &mut Finding, subjects: &Subjects<'_>, path: &str) {
    let root = subjects
        .roots
        .iter()
        .filter(|(_, root)| {
            path.strip_prefix(**root)
                .is_some_and(|r| r.starts_with('/'))
        })
        .max_by_key(|(_, root)| root.len());
    if let Some((id, root)) = root {
        finding.root = Some((*id).clone());
        finding.rel = path
            .strip_prefix(*root)
            .map(|rel| rel.trim_start_matches('/').to_owned());
    }
}

fn of_row(row: &CheckRow) -> Suspect {
    let mut finding = Finding::new(Code::ChangedDuringRun, row.place, String::new());
    finding.ecosystem = Some(row.ecosystem);
    finding.package.clone_from(&row.package);
    finding.version.clone_from(&row.version);
    finding.artifact.clone_from(&row.artifact);
    finding.root = Some(row.root.clone());
    finding.rel = Some(row.rel.clone());
    finding.path_escaped = row.path_escaped;
    Suspect {
        finding,
        kind: row.kind,
    }
}

fn entry(finding: &mut Finding, below: &str, escaped: bool, difference: &Difference) {
    if below.is_empty() {
        return;
    }
    finding.entries_total += 1;
    if finding.entries.len() < NAMED {
        finding.entries.push(Entry {
            path: below.to_owned(),
            path_escaped: escaped,
            kind: match (&difference.was, &difference.is) {
                (None, Some(_)) => EntryKind::Extra,
                (_, None) => EntryKind::Missing,
                _ => EntryKind::Modified,
            },
        });
    }
}

impl Changes {
    /// Whether something that was judged is no more as it was.
    pub fn is_suspect(&self) -> bool {
        !self.suspects.is_empty()
    }

    /// Findings of both audits together: what was judged and changed, what came and is not well, and, if neither explains
    /// why the second audit is not clean, that it is not.
    pub fn findings(self, before: &Report, after: &Report, policy: &Policy) -> Vec<Finding> {
        type Key<'a> = (&'a RootId, &'a str, &'a str);
        fn key(row: &CheckRow) -> Key<'_> {
            (&row.root, &row.rel, row.kind)
        }
        let known: HashMap<Key<'_>, &CheckRow> =
            before.checks.iter().map(|row| (key(row), row)).collect();
        let now: HashMap<Key<'_>, &CheckRow> =
            after.checks.iter().map(|row| (key(row), row)).collect();
        let mut findings = Vec::new();
        for Suspect { mut finding, kind } in self.suspects {
            if finding.message.is_empty() {
                let root = finding.root.clone().unwrap_or_else(|| RootId::new(""));
                let rel = finding.rel.clone().unwrap_or_default();
                let row = now.get(&(&root, &*rel, kind));
                finding.message = message(kind, row.map(|row| row.outcome));
            }
            finding.remedy = Some(REMEDY.to_owned());
            findings.push(finding);
        }
        for row in &after.checks {
            let new = known
                .get(&key(row))
                .is_none_or(|was| was.outcome != row.outcome);
            let bad = match row.outcome {
                Outcome::Verified(_) => false,
                Outcome::Unverifiable(reason) => !policy.allows(reason),
                Outcome::Tainted | Outcome::Conflict => true,
            };
            let told = findings
                .iter()
                .any(|f| f.root.as_ref() == Some(&row.root) && f.rel.as_ref() == Some(&row.rel));
            if new && bad && !told {
                let mut finding = of_row(row).finding;
                finding.message =
                    format!("this came while the command ran, {}", now_is(row.outcome));
                finding.remedy = Some(REMEDY.to_owned());
                findings.push(finding);
            }
        }
        if findings.is_empty() && after.verdict.result != before.verdict.result {
            let reasons = after.verdict.reasons.join(", ");
            findings.push(Finding::new(
                Code::ChangedDuringRun,
                Place::Settings,
                format!("what was audited changed while the command ran, and is not clean any more: {reasons}"),
            ));
        }
        findings
    }
}

const REMEDY: &str = "do not use what the command built: `untaint heal`, then build it anew with `untaint guard --fresh-derived -- COMMAND`";

fn message(kind: &str, now: Option<Outcome>) -> String {
    let end = match now {
        Some(outcome) => now_is(outcome).to_owned(),
        None if kind == "folder" => {
            "and put back: what lay there meanwhile is not known".to_owned()
        }
        None => "and is gone".to_owned(),
    };
    format!("this {kind} was changed while the command ran, {end}")
}

const fn now_is(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Verified(_) => {
            "and is as published again: what the command read of it is not known"
        }
        Outcome::Tainted => "and is not what was published",
        Outcome::Conflict => "and those who know of it disagree",
        Outcome::Unverifiable(_) => "and could not be verified",
    }
}

#[cfg(test)]
mod tests;
