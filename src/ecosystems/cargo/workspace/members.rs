//! Which workspace a package belongs to, and which packages a workspace has (cargo 1.95, `core/workspace.rs`).
//!
//! The root is the manifest itself if it has `[workspace]`, else where `package.workspace` points, else the nearest manifest
//! above with `[workspace]` that does not exclude it; without any, the package stands alone. Members are what `members`
//! names, the root's own package, and every path dependency of a member that lies below the root.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::manifest::{Dependency, Manifest, Wants};
use super::reading::{Found, Loaded, Reading, lexical};

/// Most members of one workspace.
const MOST: usize = 20_000;

/// The folder of the workspace's root for the package in a folder: its own if it stands alone.
pub(super) fn root_of(reading: &mut Reading<'_>, folder: &Path, home: Option<&Path>) -> PathBuf {
    let Some(own) = reading.found(folder) else {
        return folder.to_owned();
    };
    if let Some(root) = said(&own.manifest, folder, folder) {
        return root;
    }
    let mut last = folder;
    for above in folder.ancestors().skip(1) {
        // Cargo walks neither out of what it packages nor across its own home.
        if above.ends_with("target/package") || home == Some(last) {
            break;
        }
        last = above;
        let Some(found) = reading.found(above) else {
            continue;
        };
        if let Some(root) = said(&found.manifest, above, folder) {
            return root;
        }
    }
    folder.to_owned()
}

/// What a manifest says of the root of the package in `of`.
fn said(manifest: &Manifest, at: &Path, of: &Path) -> Option<PathBuf> {
    if manifest.workspace.is_some() {
        return (!excludes(manifest, at, of)).then(|| at.to_owned());
    }
    let pointer = manifest.package.as_ref()?.workspace.as_ref()?;
    Some(lexical(at, pointer))
}

/// Whether the workspace at `root` excludes a folder: what is named as a member, by its text, is not.
fn excludes(manifest: &Manifest, root: &Path, folder: &Path) -> bool {
    let Some(workspace) = &manifest.workspace else {
        return false;
    };
    let below = |list: &[String]| list.iter().any(|path| folder.starts_with(root.join(path)));
    below(&workspace.exclude) && !below(&workspace.members)
}

/// The members of the workspace at `root`, or the package that stands alone there; by folder.
pub(super) fn members(
    reading: &mut Reading<'_>,
    root: &Path,
    home: Option<&Path>,
) -> BTreeSet<PathBuf> {
    let mut members = BTreeSet::new();
    let Some(found) = reading.found(root) else {
        return members;
    };
    let Some(workspace) = &found.manifest.workspace else {
        members.insert(root.to_owned());
        return members;
    };
    let mut open = vec![root.to_owned()];
    for pattern in &workspace.members {
        let named = reading.members(root, pattern).into_iter();
        open.extend(named.filter(|at| !matches!(reading.load(at), Loaded::Missing)));
    }
    while let Some(folder) = open.pop() {
        if members.len() >= MOST || excludes(&found.manifest, root, &folder) {
            continue;
        }
        if !members.insert(folder.clone()) {
            continue;
        }
        let Some(member) = reading.found(&folder) else {
            continue;
        };
        for target in paths(reading, &member, &folder, home) {
            if target.starts_with(root) || root_of(reading, &target, home) == root {
                open.push(target);
            }
        }
    }
    members
}

/// The folders that the dependencies of a package lead to.
fn paths(
    reading: &mut Reading<'_>,
    found: &Rc<Found>,
    folder: &Path,
    home: Option<&Path>,
) -> Vec<PathBuf> {
    dependencies(reading, found, folder, home)
        .into_iter()
        .filter_map(|(base, dependency)| match &dependency.wants {
            Wants::Path(path) => Some(lexical(&base, path)),
            _ => None,
        })
        .collect()
}

/// The dependencies of a package with what it inherits filled in, each with the folder that its path starts at.
pub(super) fn dependencies(
    reading: &mut Reading<'_>,
    found: &Rc<Found>,
    folder: &Path,
    home: Option<&Path>,
) -> Vec<(PathBuf, Dependency)> {
    let inherits = found.manifest.dependencies.iter().any(|d| d.inherited);
    let root = inherits.then(|| root_of(reading, folder, home));
    let above = root.and_then(|root| Some((reading.found(&root)?, root)));
    let all = found.manifest.dependencies.iter();
    all.filter_map(|one| {
        if !one.inherited {
            return Some((folder.to_owned(), one.clone()));
        }
        let (manifest, root) = above.as_ref()?;
        let workspace = manifest.manifest.workspace.as_ref()?;
        let whole = workspace.dependencies.get(&one.key)?;
        let filled = Dependency {
            kind: one.kind,
            optional: one.optional,
            ..whole.clone()
        };
        Some((root.clone(), filled))
    })
    .collect()
}

/// The version of a package.
pub(super) fn version(
    reading: &mut Reading<'_>,
    found: &Rc<Found>,
    folder: &Path,
    home: Option<&Path>,
) -> Option<String> {
    let package = found.manifest.package.as_ref()?;
    if let Some(version) = &package.version {
        return Some(version.clone());
    }
    let root = root_of(reading, folder, home);
    let above = reading.found(&root)?;
    above.manifest.workspace.as_ref()?.version.clone()
}
