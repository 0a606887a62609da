//! Workspaces and modules that Go finds and the walk does not (cmd/go 1.26, `modload/init.go`).
//!
//! Go looks for `go.work` and `go.mod` in every folder above, however far up, and builds with the first; and it goes to every
//! folder that a `use` line names. What they require and replace decides what is taken from the cache, so where they were not
//! read the scan is said to be partial. Nothing is read here but what is scanned; GOWORK itself is judged in `projects`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::PostureContext;
use crate::model::Problem;
use crate::model::text::printable;

use super::super::gomod::{self, Kind};
use super::super::settings::Settings;
use super::told::normal;

/// What was not scanned and decides what is built.
pub(super) fn judge(settings: &Settings, context: &PostureContext<'_>) -> Vec<Problem> {
    let mut told: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (root, _) in context.projects {
        if let Some(file) = module_above(root, context) {
            let why = format!(
                "is the module that {} is part of, and was not scanned: what it requires is not judged; scan its folder",
                root.display()
            );
            told.insert(file, why);
        }
    }
    let gowork = settings.get("GOWORK").map_or("auto", |s| &*s.value);
    if gowork == "off" {
        return problems(told);
    }
    for folder in context.folders {
        let has = |name: &str| there(&folder.join(name), context);
        if has("go.work") {
            unwalked(folder, context, &mut told);
        }
        if gowork != "auto" || !has("go.mod") {
            continue;
        }
        let mut above = folder.ancestors().map(|folder| folder.join("go.work"));
        if let Some(file) = above.find(|file| there(file, context))
            && !is_scanned(&file, context)
        {
            let why = format!(
                "is the workspace that Go builds {} with, and was not scanned: what it uses and replaces is not judged; \
                 scan its folder, or set GOWORK=off",
                folder.display()
            );
            told.entry(file).or_insert(why);
        }
    }
    problems(told)
}

fn problems(told: BTreeMap<PathBuf, String>) -> Vec<Problem> {
    told.into_iter()
        .map(|(path, why)| {
            Problem::partial(printable(&path.display().to_string()), printable(&why))
        })
        .collect()
}

/// The `go.mod` file above a scanned folder that has Go sources and is no module itself.
fn module_above(root: &Path, context: &PostureContext<'_>) -> Option<PathBuf> {
    if there(&root.join("go.mod"), context) || there(&root.join("go.work"), context) {
        return None;
    }
    let entries = context.fs.open_root(root).ok()?.dir.list().ok()?;
    let is_source = |name: &std::ffi::OsStr| name.to_str().is_some_and(|n| n.ends_with(".go"));
    if !entries.iter().any(|entry| is_source(&entry.name)) {
        return None;
    }
    let mut above = root.ancestors().skip(1).map(|folder| folder.join("go.mod"));
    above
        .find(|file| there(file, context))
        .filter(|file| !is_scanned(file, context))
}

/// Members of a workspace that the walk did not come to.
fn unwalked(folder: &Path, context: &PostureContext<'_>, told: &mut BTreeMap<PathBuf, String>) {
    let file = folder.join("go.work");
    let Ok(bytes) = context.fs.read_named(&file, gomod::MAX_BYTES as u64) else {
        // Said where lockfiles are read.
        return;
    };
    for used in gomod::parse(&bytes, Kind::Work).use_folders {
        // Along links, as Go goes; what is not there Go refuses.
        let named = folder.join(&used.value);
        let Ok(opened) = context.fs.open_root(&named) else {
            if context
                .fs
                .stat_named(&named)
                .is_err_and(|e| !e.is_not_found())
            {
                told.insert(
                    normal(&named),
                    format!(
                        "is used by {} and cannot be opened: make it readable",
                        file.display()
                    ),
                );
            }
            continue;
        };
        let member = opened.resolved;
        let walked = context.folders.contains(&member);
        if walked || (context.excluded)(&member) || !there(&member.join("go.mod"), context) {
            continue;
        }
        let why = format!(
            "is used by {}, and was not scanned: what it requires is not judged; scan it as well",
            file.display()
        );
        told.insert(member.join("go.mod"), why);
    }
}

fn is_scanned(path: &Path, context: &PostureContext<'_>) -> bool {
    let folder = path.parent().unwrap_or(path);
    context.folders.iter().any(|walked| walked == folder) || (context.excluded)(folder)
}

/// Whether something is there, also where that cannot be told.
fn there(path: &Path, context: &PostureContext<'_>) -> bool {
    match context.fs.stat_named(path) {
        Ok(stat) => stat.kind != crate::world::FileKind::Dir,
        Err(error) => !error.is_not_found(),
    }
}
