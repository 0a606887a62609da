//! What a checkout must hold, out of the objects of its database: for the evidence of what was changed in it.
//!
//! Every object is hashed anew before it counts. What lies in submodules is not told.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use crate::ecosystems::contract::Copied;
use crate::ecosystems::git_folders::Folder;
use crate::formats::git::tree::{self, Mode};
use crate::formats::git::{Kind, Limits, Oid, Store, commit};
use crate::model::{Coordinate, Origin};
use crate::world::Dir;

/// Most files of a checkout.
const MOST: usize = 100_000;
/// Most bytes of them that are held.
const HELD: usize = 64 << 20;
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
