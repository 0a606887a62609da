//! Folders that manifests name as part of what they build, wherever they lie in the project: also below folders that the walk
//! skips, such as those that others fill.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::Ecosystem;
use crate::model::EcosystemId;

use super::Walk;

impl Walk<'_> {
    /// Walks those that were skipped, each for the ecosystem that names it alone.
    pub(super) fn named(&mut self, root: &Path) {
        let mut done: BTreeSet<PathBuf> = BTreeSet::new();
        loop {
            let named = self.found.named_folders.iter();
            let open: BTreeSet<(PathBuf, EcosystemId)> = named
                .filter(|named| named.root == self.root && !done.contains(&named.target))
                .map(|named| (named.target.clone(), named.ecosystem))
                .collect();
            let Some((target, id)) = open.into_iter().next() else {
                return;
            };
            done.insert(target.clone());
            // Along links, as the tool goes.
            let Ok(opened) = self.targets.fs.open_root(&target) else {
                continue;
            };
            let path = opened.resolved;
            let Ok(rel) = path.strip_prefix(root).map(Path::to_owned) else {
                continue;
            };
            let mut above = rel.ancestors().filter(|rel| !rel.as_os_str().is_empty());
            let is_left_out = above.any(|rel| self.targets.exclude.is_match(rel))
                || self.caches.iter().any(|cache| path.starts_with(cache));
            let of_it = |e: &&&'static dyn Ecosystem| e.facts().id == id;
            let Some(ecosystem) = self.targets.ecosystems.iter().find(of_it).copied() else {
                continue;
            };
            let manifests = ecosystem.lockfiles().iter().filter_map(|f| f.manifest());
            let held = manifests
                .into_iter()
                .any(|name| opened.dir.stat_entry(OsStr::new(name)).is_ok());
            if is_left_out || !held || self.found.folders.contains(&path) {
                continue;
            }
            self.looking = vec![ecosystem];
            self.again = true;
            self.folder(&*opened.dir, &rel, &path, rel.iter().count(), false);
        }
    }
}
