//! Where are lockfiles, manifests, caches and installed trees? Also those that we cannot read.
//!
//! Project trees are walked once for all ecosystems, without following links; caches are found by the tools' own rules.

mod as_typed;
mod first_party;
mod lockfiles;
mod named_lock;
mod ourselves;
mod unread;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobSet;

use crate::ecosystems::contract::{CacheKind, Ecosystem, NamedPlace, PostureContext};
use crate::model::report::SourceFacts;
use crate::model::{Problem, RootId, RootInfo, RootOrigin, text};
use crate::world::{Env, ReadFs};

use super::flow::{Discovered, FoundPlace, OpenRoot};
use super::registries::Registries;

/// What is to be scanned.
pub struct Targets<'a> {
    /// Projects, as the user named them.
    pub paths: Vec<PathBuf>,
    /// Lockfiles, as the user named them.
    pub lockfiles: Vec<PathBuf>,
    /// Whether the user's caches are looked at.
    pub caches: bool,
    /// Further caches: name and folder.
    pub named_caches: Vec<(String, PathBuf)>,
    /// The ecosystems in force.
    pub ecosystems: Vec<&'static dyn Ecosystem>,
    /// Names of the ecosystems that the user chose, if any.
    pub only: Option<Vec<String>>,
    /// What the user excludes, relative to a project.
    pub exclude: GlobSet,
    /// Our own configuration and state, as far as they are used.
    pub own: Vec<(&'static str, PathBuf)>,
    /// The environment.
    pub env: &'a dyn Env,
    /// The file system.
    pub fs: &'a dyn ReadFs,
}

/// Something named on the command line that is not there.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct NotThere {
    /// What was named.
    pub path: String,
    /// Why it cannot be used.
    pub why: String,
}

/// Finds everything that is to be read.
///
/// # Errors
/// [`NotThere`] when something that the user named is missing or cannot be opened.
pub fn run(targets: &Targets<'_>, registries: &Registries) -> Result<Discovered, NotThere> {
    let mut found = Discovered::default();
    for (at, path) in targets.paths.iter().enumerate() {
        let id = if at == 0 {
            "project".to_owned()
        } else {
            format!("project-{}", at + 1)
        };
        project(targets, path, &id, &mut found)?;
    }
    for path in &targets.lockfiles {
        named_lock::named_lockfile(targets, path, &mut found)?;
    }
    as_typed::judge(targets, &mut found);
    let described = found.manifests.iter().map(|m| m.folder.clone());
    found.described = described.collect();
    lockfiles::find(targets, &mut found);
    caches(targets, &mut found)?;
    first_party::inside_caches(targets.fs, &mut found);
    posture(targets, registries, &mut found);
    lockfiles::hold(targets, &mut found);
    let own = ourselves::findings(&targets.own, targets.env, targets.fs, &found.roots);
    found.findings.extend(own);
    found.sources.sort();
    Ok(found)
}

fn project(
    targets: &Targets<'_>,
    path: &Path,
    id: &str,
    found: &mut Discovered,
) -> Result<(), NotThere> {
    let stat = targets
        .fs
        .stat_named(path)
        .map_err(|e| not_there(path, &e.source.to_string()))?;
    if stat.kind == crate::world::FileKind::File {
        return named_lock::named_lockfile(targets, path, found);
    }
    let root = open(targets.fs, path, id, RootOrigin::CommandLine, true)
        .map_err(|e| not_there(path, &e))?;
    found.roots.push(root);
    walk::project(targets, found.roots.len() - 1, found);
    Ok(())
}

fn not_there(path: &Path, why: &str) -> NotThere {
    NotThere {
        path: text::printable(&path.display().to_string()),
        why: why.to_owned(),
    }
}

/// Opens a root.
fn open(
    fs: &dyn ReadFs,
    path: &Path,
    id: &str,
    origin: RootOrigin,
    is_project: bool,
) -> Result<OpenRoot, String> {
    use std::os::unix::ffi::OsStrExt as _;
    let opened = fs.open_root(path).map_err(|e| e.source.to_string())?;
    let shown = text::percent(opened.resolved.as_os_str().as_bytes()).0;
    Ok(OpenRoot {
        info: RootInfo {
            id: RootId::new(id),
            path: shown,
            origin,
        },
        path: opened.resolved.clone(),
        opened,
        is_project,
    })
}

/// Opens the caches: by the tools' own rules, and those that the user named.
fn caches(targets: &Targets<'_>, found: &mut Discovered) -> Result<(), NotThere> {
    let use_located = targets.caches || !targets.paths.is_empty() || !targets.lockfiles.is_empty();
    for ecosystem in &targets.ecosystems {
        for kind in ecosystem.caches() {
            if use_located {
                located(targets, *ecosystem, *kind, found);
            }
            for (at, (_, path)) in targets
                .named_caches
                .iter()
                .filter(|(name, _)| name == kind.name())
                .enumerate()
            {
                let base = kind
                    .locate(targets.env, targets.fs)
                    .first()
                    .map_or(kind.name(), |c| c.name);
                let id = if use_located || at > 0 {
                    format!("{base}-{}", at + 2)
                } else {
                    base.to_owned()
                };
                let root = open(targets.fs, path, &id, RootOrigin::CommandLine, false)
                    .map_err(|e| not_there(path, &e))?;
                found.roots.push(root);
                found
                    .caches
                    .push((found.roots.len() - 1, *ecosystem, *kind));
            }
        }
    }
    Ok(())
}

fn located(
    targets: &Targets<'_>,
    ecosystem: &'static dyn Ecosystem,
    kind: &'static dyn CacheKind,
    found: &mut Discovered,
) {
    for candidate in kind.locate(targets.env, targets.fs) {
        match targets.fs.open_root(&candidate.path) {
            Ok(opened) => {
                use std::os::unix::ffi::OsStrExt as _;
                if found
                    .roots
                    .iter()
                    .any(|r| !r.is_project && r.path == opened.resolved)
                {
                    continue;
                }
                let shown = text::percent(opened.resolved.as_os_str().as_bytes()).0;
                found.roots.push(OpenRoot {
                    info: RootInfo {
                        id: RootId::new(candidate.name),
                        path: shown,
                        origin: candidate.origin,
                    },
                    path: opened.resolved.clone(),
                    opened,
                    is_project: false,
                });
                found.caches.push((found.roots.len() - 1, ecosystem, kind));
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => found.problems.push(Problem::skipped(
                text::printable(&candidate.path.display().to_string()),
                format!("cannot be opened: {}; make it readable", error.source),
            )),
        }
    }
}

/// Lets every ecosystem read the settings along its tool's own search path.
fn posture(targets: &Targets<'_>, registries: &Registries, found: &mut Discovered) {
    let projects: Vec<(PathBuf, RootId)> = found
        .roots
        .iter()
        .filter(|r| r.is_project)
        .map(|r| (r.path.clone(), r.info.id.clone()))
        .collect();
    let folders: Vec<PathBuf> = projects.iter().map(|(path, _)| path.clone()).collect();
    for ecosystem in &targets.ecosystems {
        let Some(posture) = ecosystem.posture() else {
            continue;
        };
        let id = ecosystem.facts().id;
        let caches: Vec<(PathBuf, RootId)> = found
            .caches
            .iter()
            .filter(|(_, of, _)| of.facts().id == id)
            .filter_map(|(at, ..)| found.roots.get(*at))
            .map(|r| (r.path.clone(), r.info.id.clone()))
            .collect();
        let report = posture.examine(&PostureContext {
            env: targets.env,
            fs: targets.fs,
            projects: &projects,
            folders: &found.folders,
            described: &found.described,
            excluded: &|folder| lockfiles::excluded(targets, &folders, folder),
            caches: &caches,
            standing: &|address| registries.stands(id, address),
            log_stands: &|log| registries.log_stands(id, log),
        });
        found.findings.extend(report.findings);
        found.problems.extend(report.problems);
        found.notices.extend(report.notices);
        for (name, address) in &report.registries {
            registries.meet(id, address, &format!("settings:{name}"));
        }
        for (_, address) in &report.replacements {
            registries.meet(id, address, "settings");
        }
        for address in &report.spelled {
            registries.meet(id, address.reveal(), "settings");
        }
        found.replacements.extend(report.replacements);
        for place in report.places {
            named_place(targets, *ecosystem, &place, found);
        }
    }
}

fn named_place(
    targets: &Targets<'_>,
    ecosystem: &'static dyn Ecosystem,
    place: &NamedPlace,
    found: &mut Discovered,
) {
    let origin = RootOrigin::Scanned(Arc::from(place.named_by.as_str()));
    let count = found.places.iter().filter(|p| p.kind == place.kind).count();
    let id = if count == 0 {
        place.kind.to_owned()
    } else {
        format!("{}-{}", place.kind, count + 1)
    };
    match open(targets.fs, &place.path, &id, origin, false) {
        Ok(root) => {
            let same = |p: &FoundPlace| {
                found.roots.get(p.root).is_some_and(|r| r.path == root.path) && p.kind == place.kind
            };
            if let Some(existing) = found.places.iter().position(same) {
                if let Some(existing) = found.places.get_mut(existing)
                    && existing.stands_for.is_none()
                {
                    existing.stands_for.clone_from(&place.stands_for);
                }
                return;
            }
            found.roots.push(root);
            found.places.push(FoundPlace {
                ecosystem,
                kind: place.kind,
                root: found.roots.len() - 1,
                named_by: place.named_by.clone(),
                stands_for: place.stands_for.clone(),
            });
        }
        Err(why) => {
            let shown = text::printable(&place.path.display().to_string());
            let by = text::printable(&place.named_by);
            let why = format!("is named by {by} and cannot be opened: {why}");
            // What is not there is not there for its tool either; anything else may be a limit of ours.
            let gone = targets.fs.stat_named(&place.path);
            found.problems.push(match gone {
                Err(error) if error.is_not_found() => Problem::as_the_tool(shown, why),
                _ => Problem::partial(shown, why),
            });
        }
    }
}

/// A row for the list of sources.
fn source(found: &mut Discovered, kind: &str, root: usize, rel: &str, entries: u64) {
    let Some(id) = found.roots.get(root).map(|r| r.info.id.clone()) else {
        return;
    };
    found.sources.push(SourceFacts {
        kind: kind.to_owned(),
        root: id,
        rel: rel.to_owned(),
        entries,
    });
}
