//! A bare database (`git/db/<name>-<hash>`): its settings and hooks, and under `--full` every object in it.
//!
//! Objects are named by their own hash, and what cargo checks out of them is judged as a checkout: so a database proves
//! nothing and is listed as `git`, unless objects are found that are not what their names say. All of them are also looked
//! at where a checkout of it is tainted, since cargo is to make that anew from them.

use std::ffi::{OsStr, OsString};

use crate::ecosystems::contract::{InspectContext, Inspection, Inspector};
use crate::ecosystems::git_folders::Folder;
use crate::formats::git::full::check_all;
use crate::formats::git::{Files, HashKind, Limits, posture};
use crate::model::{Outcome, Place, Problem, Reason};

use super::super::litter::{irregular, unlisted};
use super::{path, told};

/// A database without a checkout.
pub(super) struct GitDatabase {
    folder: OsString,
    irregular: bool,
    /// Whether it is a subject only if there is something to say of it.
    quiet: bool,
}

impl GitDatabase {
    pub(super) fn new(folder: OsString, quiet: bool) -> Self {
        Self {
            folder,
            irregular: false,
            quiet,
        }
    }

    /// Something else stands where the database should be.
    pub(super) fn irregular(folder: OsString) -> Self {
        Self {
            folder,
            irregular: true,
            quiet: false,
        }
    }
}

impl Inspector for GitDatabase {
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let mut inspection = Inspection::new(
            "git-db",
            path(&["git", "db"], &[&self.folder]),
            Outcome::Unverifiable(Reason::Git),
        );
        if self.irregular {
            irregular(&mut inspection, Place::Cache);
            return vec![inspection];
        }
        match open(context, &self.folder) {
            Ok(Some(files)) => {
                inspection.note =
                    Some("a database without a checkout: nothing builds from it as it is".into());
                look(&files, &self.folder, context, context.full, &mut inspection);
                let nothing = inspection.findings.is_empty() && inspection.problems.is_empty();
                if self.quiet && nothing {
                    return Vec::new();
                }
            }
            Ok(None) => return Vec::new(),
            Err(problem) => {
                inspection.outcome = Outcome::Unverifiable(Reason::Unreadable);
                inspection.problems.push(problem);
            }
        }
        vec![inspection]
    }

    fn weight(&self) -> u64 {
        1 << 20
    }
}

/// Opens a database; `None` if it is not there.
pub(super) fn open(
    context: &InspectContext<'_>,
    folder: &OsStr,
) -> Result<Option<Folder>, Problem> {
    let names = [OsStr::new("git"), OsStr::new("db"), folder];
    match context.root.descend(&names) {
        Ok(dir) => Ok(Some(Folder::new(dir))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(unlisted(context.root, &names, &error)),
    }
}

/// Adds what a database gives cause to say; `deep`: of every object in it too.
pub(super) fn look(
    files: &dyn Files,
    folder: &OsStr,
    context: &InspectContext<'_>,
    deep: bool,
    inspection: &mut Inspection,
) {
    let limits = Limits::default();
    let rel = path(&["git", "db"], &[folder]).display().to_string();
    let posture = posture::of(files, &limits);
    inspection.findings.extend(told::posture(&rel, &posture));
    problems(context, &rel, posture.faults.iter(), inspection);
    if !deep {
        return;
    }
    let kind = hash_kind(files, &limits);
    let check = check_all(files, kind, &limits);
    let bad = check.faults.iter().filter(|fault| fault.is_bad_content());
    let bad_total = bad.clone().count() as u64;
    if let Some(finding) = told::bad_objects(&rel, bad, bad_total) {
        inspection.findings.push(finding);
        inspection.outcome = Outcome::Tainted;
    }
    let unread = check.faults.iter().filter(|fault| !fault.is_bad_content());
    problems(context, &rel, unread, inspection);
}

/// Which hash function a repository says that it uses.
pub(super) fn hash_kind(files: &dyn Files, limits: &Limits) -> HashKind {
    let Ok(Some(bytes)) = files.read("config", limits.text) else {
        return HashKind::Sha1;
    };
    let config = crate::formats::git::config::parse(&bytes, 10_000);
    let sha256 = config.entries.iter().any(|entry| {
        entry.section == "extensions"
            && entry.key == "objectformat"
            && entry.value.as_deref() == Some("sha256")
    });
    if sha256 {
        HashKind::Sha256
    } else {
        HashKind::Sha1
    }
}

/// Problems of files of a repository that could not be read or understood.
pub(super) fn problems<'e>(
    context: &InspectContext<'_>,
    rel: &str,
    faults: impl Iterator<Item = &'e crate::formats::git::GitError>,
    inspection: &mut Inspection,
) {
    let path = context.root.path().join(rel);
    for fault in faults.take(20) {
        inspection
            .problems
            .push(Problem::partial("", fault.to_string()).at(&path));
    }
}
