//! Which lockfile a build of each manifest would use, and whether it says all that its manifests need.
//!
//! The lockfile beside a manifest is not always the one that its tool reads: a member of a workspace uses the workspace's,
//! wherever that lies. It is found as the tool finds it, also outside of what is scanned.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::{Held, LockfileFormat, ManifestContext, Manifests};
use crate::model::{Notice, NoticeCode, Problem, RootOrigin, text};
use crate::pipeline::flow::{Discovered, FoundLock, FoundManifest, Own};
use crate::world::FileKind;

use super::{Targets, open};

/// Largest lockfile.
const LARGEST: u64 = 64 << 20;

/// Whether the user excluded a folder of a project, or one above it there.
pub(super) fn excluded(targets: &Targets<'_>, projects: &[PathBuf], folder: &Path) -> bool {
    projects.iter().any(|project| {
        folder.strip_prefix(project).is_ok_and(|rel| {
            let mut above = rel.ancestors().filter(|rel| !rel.as_os_str().is_empty());
            above.any(|rel| targets.exclude.is_match(rel))
        })
    })
}

/// Runs `ask` with what manifests may be read with.
fn with<T>(
    targets: &Targets<'_>,
    found: &Discovered,
    ask: impl FnOnce(&ManifestContext<'_>) -> T,
) -> T {
    let roots = |wanted: bool| {
        let of_kind = found.roots.iter().filter(move |r| r.is_project == wanted);
        of_kind.map(|root| root.path.clone())
    };
    let projects: Vec<PathBuf> = roots(true).collect();
    // A place inside a project is part of it: what a manifest of the project makes its own there, it may.
    let inside: Vec<usize> = found
        .places
        .iter()
        .filter(|place| {
            let root = found.roots.get(place.root);
            root.is_some_and(|root| projects.iter().any(|p| root.path.starts_with(p)))
        })
        .map(|place| place.root)
        .collect();
    let audited: Vec<PathBuf> = found
        .roots
        .iter()
        .enumerate()
        .filter(|(at, root)| !root.is_project && !inside.contains(at))
        .map(|(_, root)| root.path.clone())
        .collect();
    ask(&ManifestContext {
        env: targets.env,
        fs: targets.fs,
        projects: &projects,
        audited: &audited,
        excluded: &|folder| excluded(targets, &projects, folder),
    })
}

/// Finds the lockfile of every manifest: adds those that lie outside of what is scanned, and says where there is none.
pub(super) fn find(targets: &Targets<'_>, found: &mut Discovered) {
    let mut told: BTreeSet<(PathBuf, &'static str)> = BTreeSet::new();
    let manifests = std::mem::take(&mut found.manifests);
    let homes = homes(targets, &manifests, found);
    for (manifest, home) in manifests.iter().zip(homes) {
        let Some(manifests) = manifest.format.manifests() else {
            continue;
        };
        // What its tool refuses to build uses no lockfile.
        let Some(home) = home else { continue };
        let name = manifests.lockfile();
        if !told.insert((home.clone(), name)) {
            continue;
        }
        let path = home.join(name);
        if found.locks.iter().any(|lock| lock.folder == home) {
            continue;
        }
        let mut projects = found.roots.iter().filter(|root| root.is_project);
        let scanned = projects.any(|root| home.starts_with(&root.path));
        let there = targets.fs.stat_named(&path);
        match there {
            // A lockfile of the scanned tree that was not taken is excluded, or told where it was met.
            Ok(_) if scanned => {}
            Ok(stat) if stat.kind == FileKind::File => outside(targets, manifest, &home, found),
            _ => found.notices.push(none(manifest)),
        }
    }
}

/// For each manifest, the folder whose lockfile a build of it uses.
fn homes(
    targets: &Targets<'_>,
    manifests: &[FoundManifest],
    found: &Discovered,
) -> Vec<Option<PathBuf>> {
    let mut homes = vec![None; manifests.len()];
    let mut formats: Vec<&'static dyn LockfileFormat> = Vec::new();
    for manifest in manifests {
        if formats.iter().all(|f| f.kind() != manifest.format.kind()) {
            formats.push(manifest.format);
        }
    }
    for format in formats {
        let of_it = |m: &FoundManifest| m.format.kind() == format.kind();
        let folders: Vec<&Path> = manifests
            .iter()
            .filter(|m| of_it(m))
            .map(|m| &*m.folder)
            .collect();
        let Some(asked) = format.manifests() else {
            continue;
        };
        let answers = with(targets, found, |context| asked.homes(&folders, context));
        let places = manifests.iter().zip(&mut homes).filter(|(m, _)| of_it(m));
        for ((_, place), answer) in places.zip(answers) {
            *place = answer;
        }
    }
    homes
}

/// Takes a lockfile that lies outside of what is scanned.
fn outside(targets: &Targets<'_>, manifest: &FoundManifest, home: &Path, found: &mut Discovered) {
    let Some(manifests) = manifest.format.manifests() else {
        return;
    };
    let name = manifests.lockfile();
    let count = found.roots.iter().filter(|r| r.is_project).count();
    let id = format!("project-{}", count + 1);
    let named_by = text::printable(&manifest.folder.display().to_string());
    let origin = RootOrigin::Scanned(named_by.into());
    let taken = open(targets.fs, home, &id, origin, true).and_then(|root| {
        let bytes = targets.fs.read_named(&home.join(name), LARGEST);
        Ok((root, bytes.map_err(|error| error.source.to_string())?))
    });
    match taken {
        Ok((root, bytes)) => {
            let folder = root.path.clone();
            found.roots.push(root);
            found.folders.push(folder.clone());
            found.locks.push(FoundLock {
                ecosystem: manifest.ecosystem,
                format: manifest.format,
                root: found.roots.len() - 1,
                rel: name.to_owned(),
                folder,
                bytes,
                own: Own::default(),
            });
        }
        Err(why) => found.problems.push(Problem::skipped(
            text::printable(&home.join(name).display().to_string()),
            format!(
                "is the lockfile that a build in {} uses, and cannot be read: {why}",
                manifest.folder.display()
            ),
        )),
    }
}

fn none(manifest: &FoundManifest) -> Notice {
    let rel = text::percent(manifest.rel.as_os_str().as_bytes()).0;
    Notice {
        code: NoticeCode::NoLockfile,
        reason: None,
        ecosystem: Some(manifest.ecosystem.facts().id),
        package: None,
        version: None,
        path: Some(rel.clone()),
        message: format!(
            "`{}` has no lockfile beside it, nor in a workspace that it belongs to",
            text::printable(&rel)
        ),
        remedy: Some("let its tool write one, then scan again".into()),
    }
}

/// Holds every lockfile against the manifests that it is for.
pub(super) fn hold(targets: &Targets<'_>, found: &mut Discovered) {
    let mut locks = std::mem::take(&mut found.locks);
    for lock in &mut locks {
        let Some(manifests) = lock.format.manifests() else {
            continue;
        };
        let held = with(targets, found, |context| {
            manifests.hold(&lock.folder, &lock.bytes, context)
        });
        match held {
            Some(held) => {
                tell(lock, manifests, &held, found);
                lock.own = Own::Held(Box::new(held));
            }
            None => {
                let rel = text::printable(&lock.rel);
                let message = format!(
                    "no manifest lies beside `{rel}`: whether it says all that a build takes cannot be told"
                );
                found.notices.push(notice(
                    lock,
                    NoticeCode::NoLockfile,
                    message,
                    "scan the project that it belongs to",
                ));
                lock.own = if found.walked.contains(&lock.root) {
                    Own::Held(Box::default())
                } else {
                    Own::Unasked
                };
            }
        }
    }
    found.locks = locks;
}

fn tell(lock: &FoundLock, manifests: &dyn Manifests, held: &Held, found: &mut Discovered) {
    let shown = lock.folder.join(manifests.lockfile());
    let shown = text::printable(&shown.display().to_string());
    if let Some(instead) = &held.instead {
        let message = format!(
            "`{}` is not what a build beside it uses: that is the lockfile in {}",
            text::printable(&lock.rel),
            text::printable(&instead.display().to_string())
        );
        found.notices.push(notice(
            lock,
            NoticeCode::NoLockfile,
            message,
            "remove it, and keep the one of the workspace",
        ));
    }
    if held.gaps_total > 0 {
        let more = held.gaps_total.saturating_sub(held.gaps.len());
        let more = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        let message = format!(
            "does not cover its manifests: {}{more}; a build without `--locked` takes whatever the cache holds: {}",
            held.gaps.join("; "),
            manifests.remedy()
        );
        found
            .problems
            .push(Problem::partial(shown.clone(), message));
    }
    for (path, why) in &held.unread {
        let message = format!("{why}; whether the lockfile covers it cannot be told: mend it");
        let path = text::printable(&path.display().to_string());
        found.problems.push(Problem::partial(path, message));
    }
    for (manifest, folder) in &held.outside {
        let root = found.roots.get(lock.root).map(|r| r.path.clone());
        let rel = root
            .as_deref()
            .and_then(|root| manifest.strip_prefix(root).ok());
        let rel = text::percent(rel.unwrap_or(manifest).as_os_str().as_bytes()).0;
        let message = format!(
            "first-party code at `{}` lies outside the scanned root",
            text::printable(&folder.display().to_string())
        );
        let mut told = notice(
            lock,
            NoticeCode::FirstPartyOutside,
            message,
            "scan it as well, if it has dependencies of its own",
        );
        told.path = Some(rel);
        found.notices.push(told);
    }
}

fn notice(lock: &FoundLock, code: NoticeCode, message: String, remedy: &str) -> Notice {
    Notice {
        code,
        reason: None,
        ecosystem: Some(lock.ecosystem.facts().id),
        package: None,
        version: None,
        path: Some(lock.rel.clone()),
        message,
        remedy: Some(remedy.to_owned()),
    }
}
