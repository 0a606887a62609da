//! Whether a project itself imports what an advisory speaks of: a hint beside a finding that lowers nothing.
//!
//! Only what the sources say is read, and nothing is built: a package that no file imports may still be reached through others.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use crate::ecosystems::contract::Imported;
use crate::model::text::printable;

use super::flow::{AdvisoryMatch, Inventory};

/// Gives matches of narrowed advisories their hints.
pub(super) fn explain(matches: &mut [AdvisoryMatch], inventory: &Inventory) {
    let mut seen: BTreeMap<(usize, String), Option<Imported>> = BTreeMap::new();
    for item in matches.iter_mut().filter(|item| !item.parts.is_empty()) {
        let Some((root, rel, _)) = &item.location else {
            continue;
        };
        let folder = rel.rsplit_once('/').map_or("", |(folder, _)| folder);
        let key = (*root, folder.to_owned());
        let imported = seen.entry(key).or_insert_with(|| {
            let lock = inventory
                .locks
                .iter()
                .find(|lock| lock.root == *root && lock.rel == *rel)?;
            let opened = inventory.roots.get(*root)?;
            let parts: Vec<&OsStr> = folder
                .split('/')
                .filter(|part| !part.is_empty())
                .map(OsStr::new)
                .collect();
            if parts.is_empty() {
                return lock.ecosystem.imported(opened.dir());
            }
            let dir = opened.dir().descend(&parts).ok()?;
            lock.ecosystem.imported(&*dir)
        });
        item.hint = imported.as_ref().and_then(|imported| hint(item, imported));
    }
}

fn hint(item: &AdvisoryMatch, imported: &Imported) -> Option<String> {
    let paths = || item.parts.iter().map(|(path, _)| path);
    let is_program = |path: &String| {
        imported
            .programs
            .is_some_and(|start| path.starts_with(start))
    };
    if paths().all(is_program) {
        return None;
    }
    for path in paths() {
        if let Some(file) = imported.by_own.get(path) {
            return Some(format!(
                "`{}` is imported by this project's {}",
                printable(path),
                printable(file)
            ));
        }
    }
    if let Some((listed, by)) = &imported.listed {
        for path in paths() {
            if listed.contains(path) {
                return Some(format!(
                    "`{}` is part of the build, by {by}, though not imported by this project's own packages",
                    printable(path)
                ));
            }
        }
    }
    Some(if imported.complete {
        "this project's own packages import none of it; others that it builds may".to_owned()
    } else {
        "whether this project imports it was not found out: not all sources could be read"
            .to_owned()
    })
}
