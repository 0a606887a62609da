//! What a checkout must hold, out of the objects of its database: for the evidence of what was changed in it, and for the
//! names of its packages where no lockfile has them.
//!
//! Every object is hashed anew before it counts. What lies in submodules is not told.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use crate::ecosystems::contract::Copied;
use crate::ecosystems::git_folders::Folder;
use crate::formats::git::refs::{self, Head};
use crate::formats::git::tree::{self, Mode};
use crate::formats::git::{Kind, Limits, Oid, Store, commit};
use crate::model::{Coordinate, Origin};
use crate::world::Dir;

/// Most files of a checkout.
const MOST: usize = 100_000;
/// Most bytes of them that are held.
const HELD: usize = 64 << 20;
/// Most checkouts of a repository that are looked at.
const CHECKOUTS: usize = 200;
/// Deepest folder.
const DEPTH: usize = 96;

/// The files of the commit that a checkout is of, where a package says which that is.
pub(in crate::ecosystems::cargo) fn copied(
    cache: &dyn Dir,
    copy: &Path,
    about: &[Arc<Coordinate>],
) -> Option<Copied> {
    let parts: Vec<&OsStr> = copy.iter().collect();
    let [git, checkouts, folder, short] = parts.as_slice() else {
        return None;
    };
    if *git != "git" || *checkouts != "checkouts" {
        return None;
    }
    let short = short.to_str()?;
    let commit = about.iter().find_map(|package| match &package.origin {
        Origin::Git { commit, .. } if commit.starts_with(short) => Some(commit),
        _ => None,
    })?;
    let database = cache.descend(&[*git, OsStr::new("db"), folder]).ok()?;
    let files = files(
        &Folder::new(database),
        Oid::from_hex(commit.as_bytes()).ok()?,
    )?;
    Some(Copied {
        files,
        made: |path| {
            let mut parts = path.split(|byte| *byte == b'/');
            path == b".cargo-ok" || parts.any(|part| part == b".git")
        },
    })
}

/// Names of the packages in one checkout, or in all of a repository, each by the commit that its `HEAD` says and its folder
/// is named after.
pub(in crate::ecosystems::cargo) fn packages(cache: &dyn Dir, copies: &Path) -> Vec<Arc<str>> {
    let parts: Vec<&OsStr> = copies.iter().collect();
    let [git, checkouts, folder, shorts @ ..] = parts.as_slice() else {
        return Vec::new();
    };
    let (Ok(database), Ok(all)) = (
        cache.descend(&[*git, OsStr::new("db"), folder]),
        cache.descend(&[*git, *checkouts, folder]),
    ) else {
        return Vec::new();
    };
    let database = Folder::new(database);
    let mut shorts: Vec<OsString> = shorts.iter().map(|short| (*short).to_owned()).collect();
    if shorts.is_empty() {
        let listed = all.list().unwrap_or_default();
        shorts.extend(listed.into_iter().take(CHECKOUTS).map(|entry| entry.name));
    }
    let mut names = BTreeSet::new();
    for short in shorts {
        let Ok(own) = all.descend(&[&*short, OsStr::new(".git")]) else {
            continue;
        };
        let Head::At(at) = refs::head(&Folder::new(own), &Limits::default()) else {
            continue;
        };
        if !at.to_string().starts_with(&*short.to_string_lossy()) {
            continue;
        }
        for (path, bytes) in files(&database, at).unwrap_or_default() {
            let is_manifest = path.rsplit(|b| *b == b'/').next() == Some(b"Cargo.toml");
            let text = bytes.filter(|_| is_manifest);
            names.extend(text.and_then(|text| name(&text)));
        }
    }
    names.into_iter().collect()
}

/// The name that a manifest gives its package.
fn name(manifest: &[u8]) -> Option<Arc<str>> {
    let table: toml::Table = std::str::from_utf8(manifest).ok()?.parse().ok()?;
    Some(Arc::from(table.get("package")?.get("name")?.as_str()?))
}

fn files(database: &Folder, at: Oid) -> Option<BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
    let store = Store::open(database, at.kind(), Limits::default());
    let get = |oid: &Oid, kind: Kind| {
        let object = store.get(oid).object?;
        (object.kind == kind).then_some(object.data)
    };
    let top = commit::parse(at.kind(), &get(&at, Kind::Commit)?)
        .ok()?
        .tree;
    let (mut files, mut held) = (BTreeMap::new(), 0usize);
    let mut open = vec![(Vec::new(), top, 0usize)];
    while let Some((path, oid, depth)) = open.pop() {
        let entries = tree::parse(at.kind(), &get(&oid, Kind::Tree)?, MOST).ok()?;
        for entry in entries {
            let mut below: Vec<u8> = path.clone();
            if !below.is_empty() {
                below.push(b'/');
            }
            below.extend_from_slice(&entry.name);
            match entry.mode {
                Mode::Directory if depth < DEPTH => open.push((below, entry.oid, depth + 1)),
                Mode::File { .. } => {
                    let bytes = get(&entry.oid, Kind::Blob)?;
                    held = held.saturating_add(bytes.len());
                    files.insert(below, Some(bytes));
                }
                Mode::Link => {
                    files.insert(below, None);
                }
                Mode::Directory | Mode::Submodule => {}
            }
            if files.len() > MOST || held > HELD || open.len() > MOST {
                return None;
            }
        }
    }
    Some(files)
}
