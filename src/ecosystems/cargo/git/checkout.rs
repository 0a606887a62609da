//! One checkout, held against the objects of the commit that it must be.
//!
//! With a lockfile that is the locked commit: an equal tree is `git` (declared by the lockfile, and by nothing else). Without
//! one, the commit is what the checkout's own `HEAD` says: an equal tree proves only that it agrees with itself, and the
//! note says so. A checkout whose `HEAD` is not the commit that its folder is named after is made anew by cargo before use.

use std::ffi::{OsStr, OsString};

use crate::ecosystems::contract::{InspectContext, Inspection, Inspector};
use crate::ecosystems::git_folders::{Checkout, Folder};
use crate::formats::git::compare::DifferenceKind;
use crate::formats::git::full::check_all;
use crate::formats::git::refs::{self, Head};
use crate::formats::git::verify::{Checked, GitVerdict};
use crate::formats::git::{self, Files, Limits, Oid};
use crate::model::text::percent;
use crate::model::{
    Code, Digest, Entry, EntryKind, Finding, Outcome, Place, Problem, Reason, Scheme,
};
use crate::world::{Dir, FileKind};

use super::super::litter::irregular;
use super::{database, path, told};

/// Differences that are named.
const NAMED: usize = 20;

/// A checkout.
pub(super) struct GitCheckout {
    folder: OsString,
    short: OsString,
    /// The commit that a lockfile names.
    locked: Option<Oid>,
    /// Whether this unit also looks at the database: one does for all checkouts of it.
    with_database: bool,
    irregular: bool,
}

impl GitCheckout {
    pub(super) fn new(
        folder: &OsStr,
        short: &OsStr,
        locked: Option<Oid>,
        with_database: bool,
    ) -> Self {
        Self {
            folder: folder.to_owned(),
            short: short.to_owned(),
            locked,
            with_database,
            irregular: false,
        }
    }

    /// Something else stands where the checkouts of a repository should be.
    pub(super) fn irregular(folder: OsString) -> Self {
        Self {
            folder,
            short: OsString::new(),
            locked: None,
            with_database: false,
            irregular: true,
        }
    }

    fn rel(&self) -> std::path::PathBuf {
        let short: &[&OsStr] = if self.short.is_empty() {
            &[]
        } else {
            &[&self.short]
        };
        path(&["git", "checkouts"], &[&[&*self.folder], short].concat())
    }

    fn folder(&self, context: &InspectContext<'_>) -> Result<Box<dyn Dir>, Stop> {
        let names = [OsStr::new("git"), OsStr::new("checkouts"), &self.folder];
        let failed = |error: crate::world::PathError| {
            let why = format!("cannot be opened: {}", error.source);
            Stop::Unreadable(Problem::skipped("", why).at(&error.path))
        };
        let above = context.root.descend(&names).map_err(failed)?;
        let stat = above.stat_entry(&self.short).map_err(failed)?;
        if stat.kind != FileKind::Dir {
            return Err(Stop::Irregular);
        }
        above.open_dir(&self.short).map_err(failed)
    }

    /// The commit to hold it against, and whether a lockfile names it.
    fn commit(&self, worktree: &dyn Dir) -> Option<Oid> {
        if self.locked.is_some() {
            return self.locked;
        }
        let own = Folder::new(worktree.open_dir(OsStr::new(".git")).ok()?);
        match refs::head(&own, &Limits::default()) {
            Head::At(oid) if oid.to_string().starts_with(self.short.to_str()?) => Some(oid),
            _ => None,
        }
    }
}

/// Why a checkout cannot be judged.
enum Stop {
    Irregular,
    Unreadable(Problem),
}

impl Inspector for GitCheckout {
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let mut inspection = Inspection::new(
            "checkout",
            self.rel(),
            Outcome::Unverifiable(Reason::Unreadable),
        );
        if self.irregular {
            irregular(&mut inspection, Place::Cache);
            return vec![inspection];
        }
        let databases: Vec<Folder> = match database::open(context, &self.folder) {
            Ok(found) => found.into_iter().collect(),
            Err(problem) => {
                inspection.problems.push(problem);
                Vec::new()
            }
        };
        match self.folder(context) {
            Ok(folder) => self.judge(&*folder, &databases, context, &mut inspection),
            Err(Stop::Irregular) => irregular(&mut inspection, Place::Cache),
            Err(Stop::Unreadable(problem)) => inspection.problems.push(problem),
        }
        // Whatever the checkout is: git works in the database.
        let deep = context.full || inspection.outcome == Outcome::Tainted;
        if let (true, Some(files)) = (self.with_database || deep, databases.first()) {
            database::look(files, &self.folder, context, deep, &mut inspection);
        }
        vec![inspection]
    }

    fn weight(&self) -> u64 {
        16 << 20
    }
}

impl GitCheckout {
    fn judge(
        &self,
        folder: &dyn Dir,
        databases: &[Folder],
        context: &InspectContext<'_>,
        inspection: &mut Inspection,
    ) {
        let Some(commit) = self.commit(folder) else {
            inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
            inspection.note = Some(
                "its HEAD is not the commit that the folder is named after: cargo makes it anew"
                    .into(),
            );
            return;
        };
        let worktree = match self.folder(context) {
            Ok(worktree) => Folder::new(worktree),
            Err(Stop::Irregular) => return irregular(inspection, Place::Cache),
            Err(Stop::Unreadable(problem)) => return inspection.problems.push(problem),
        };
        let repositories = Checkout {
            root: folder,
            databases,
        };
        let limits = Limits::default();
        let verdict = git::verify(commit, &worktree, &repositories, &limits);
        self.outcome(&verdict, context, inspection);
        self.repositories(&verdict, inspection);
        if context.full {
            own_objects(folder, &self.rel(), context, &limits, inspection);
        }
    }

    fn outcome(
        &self,
        verdict: &GitVerdict,
        context: &InspectContext<'_>,
        inspection: &mut Inspection,
    ) {
        let rel = self.rel().display().to_string();
        inspection.observed = verdict
            .repositories
            .first()
            .and_then(|checked| checked.observed_tree)
            .and_then(digest);
        inspection.outcome = match verdict.outcome() {
            git::verify::Outcome::Equal => Outcome::Unverifiable(Reason::Git),
            git::verify::Outcome::Unheld => Outcome::Unverifiable(Reason::GitUnheld),
            git::verify::Outcome::Unreadable => Outcome::Unverifiable(Reason::Unreadable),
            git::verify::Outcome::Different => {
                inspection.findings.push(self.difference(verdict));
                Outcome::Tainted
            }
        };
        let bad: Vec<_> = verdict.bad_objects().collect();
        if let Some(finding) = told::bad_objects(&rel, bad.iter().copied(), bad.len() as u64) {
            inspection.findings.push(finding);
            inspection.outcome = Outcome::Tainted;
        }
        let unread = verdict
            .faults
            .iter()
            .filter(|fault| !fault.is_bad_content());
        database::problems(context, &rel, unread, inspection);
        for (below, fault) in verdict.unreadable.iter().take(NAMED) {
            let shown = context.root.path().join(&rel).join(percent(below).0);
            let problem = Problem::partial("", fault.to_string());
            inspection.problems.push(problem.at(&shown));
        }
        inspection.note = self.note(verdict);
    }

    fn difference(&self, verdict: &GitVerdict) -> Finding {
        let worst = verdict.differences.iter().map(|d| kind(d.kind)).min();
        let code = if verdict.collisions_detected() && worst.is_none() {
            Code::TreeModified
        } else {
            worst.map_or(Code::TreeModified, EntryKind::code)
        };
        let (against, whose) = match self.locked {
            Some(oid) => (oid.to_string(), "the locked commit"),
            None => (self.short.to_string_lossy().into_owned(), "its commit"),
        };
        let total = verdict.differences_total;
        let files = if total == 1 { "file" } else { "files" };
        let mut message = format!("the checkout differs from {whose} {against} in {total} {files}");
        if !verdict.collisions.is_empty() {
            message.push_str("; a file is made to collide in SHA-1");
        }
        let mut finding = Finding::new(code, Place::Cache, message);
        finding.rel = Some(self.rel().display().to_string());
        finding.entries = entries(verdict);
        finding.entries_total = total;
        finding.remedy = Some(told::HEAL.into());
        finding
    }

    /// Settings, hooks and alternates of the checkout's own repository and of its submodules'.
    fn repositories(&self, verdict: &GitVerdict, inspection: &mut Inspection) {
        for checked in &verdict.repositories {
            let rel = git_folder(&self.rel(), checked);
            inspection
                .findings
                .extend(told::posture(&rel, &checked.posture));
            inspection
                .findings
                .extend(told::alternates(&rel, &checked.alternates));
        }
    }

    fn note(&self, verdict: &GitVerdict) -> Option<String> {
        let mut notes: Vec<String> = Vec::new();
        if self.locked.is_none() {
            notes.push("no lockfile of this run names its commit: it agrees with itself".into());
        }
        if !verdict.converted.is_empty() {
            let count = verdict.converted.len();
            notes.push(format!("git converted the line ends of {count} files"));
        }
        if !verdict.left_out.is_empty() {
            let count = verdict.left_out.len();
            notes.push(format!("{count} submodules are left out by `.gitmodules`"));
        }
        let disagrees = verdict.repositories.first().is_some_and(|r| !r.head_agrees);
        if self.locked.is_some() && disagrees {
            notes.push("its HEAD is another commit: cargo makes it anew".into());
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

fn git_folder(rel: &std::path::Path, checked: &Checked) -> String {
    let below = percent(&checked.path).0;
    let rel = rel.display();
    if below.is_empty() {
        format!("{rel}/.git")
    } else {
        format!("{rel}/{below}/.git")
    }
}

/// Under `--full`: every object of the checkout's own repository.
fn own_objects(
    folder: &dyn Dir,
    rel: &std::path::Path,
    context: &InspectContext<'_>,
    limits: &Limits,
    inspection: &mut Inspection,
) {
    let Ok(own) = folder.open_dir(OsStr::new(".git")) else {
        return;
    };
    let files = Folder::new(own);
    let check = check_all(
        &files as &dyn Files,
        database::hash_kind(&files, limits),
        limits,
    );
    let rel = format!("{}/.git", rel.display());
    let bad: Vec<_> = check.faults.iter().filter(|f| f.is_bad_content()).collect();
    if let Some(finding) = told::bad_objects(&rel, bad.iter().copied(), bad.len() as u64) {
        inspection.findings.push(finding);
        inspection.outcome = Outcome::Tainted;
    }
    let unread = check.faults.iter().filter(|f| !f.is_bad_content());
    database::problems(context, &rel, unread, inspection);
}

fn entries(verdict: &GitVerdict) -> Vec<Entry> {
    verdict
        .differences
        .iter()
        .take(NAMED)
        .map(|difference| {
            let (path, path_escaped) = percent(&difference.path);
            Entry {
                path,
                path_escaped,
                kind: kind(difference.kind),
            }
        })
        .collect()
}

const fn kind(of: DifferenceKind) -> EntryKind {
    match of {
        DifferenceKind::Modified => EntryKind::Modified,
        DifferenceKind::Missing => EntryKind::Missing,
        DifferenceKind::Extra => EntryKind::Extra,
        DifferenceKind::Irregular => EntryKind::Irregular,
    }
}

fn digest(oid: Oid) -> Option<Digest> {
    let scheme = match oid {
        Oid::Sha1(_) => Scheme::GitSha1,
        Oid::Sha256(_) => Scheme::GitSha256,
    };
    Digest::new(scheme, oid.as_bytes()).ok()
}
