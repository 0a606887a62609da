//! Judges what a tree lacks of what its tool may leave out, and whether litter in it is that, once all that it has was compared.

use std::collections::BTreeSet;

use crate::ecosystems::contract::{Absent, Difference, Projection, TreeView, Unjudged};
use crate::model::EntryKind;
use crate::model::text::percent;
use crate::world::{Dir, Progress};

use super::compare::Found;
use super::listing::{Opener, TreeListing};

/// Largest file of a tree that is looked into for it.
const LARGEST: u64 = 64 << 20;

/// A tree all of whose files were compared.
pub(super) struct Whole<'a> {
    pub(super) dir: &'a dyn Dir,
    pub(super) listing: &'a TreeListing,
    pub(super) projection: &'a dyn Projection,
    /// Folders whose own files were copied.
    pub(super) copied: &'a [Box<[u8]>],
    /// Which of the listing's files have the archive's bytes.
    pub(super) equal: &'a [bool],
    pub(super) progress: &'a dyn Progress,
}

impl Whole<'_> {
    /// Adds what should be there and is not, and takes litter for what it is.
    pub(super) fn judge(&self, absent: &[Absent], litter: Vec<Vec<u8>>, found: &mut Found) {
        if absent.is_empty() && litter.is_empty() {
            return;
        }
        let files = |folder: &[u8]| files_in(self.listing, folder);
        let read = |path: &[u8]| {
            let mut opener = Opener::new(self.dir);
            let (folder, name) = opener.folder(path).map_err(|e| e.to_string())?;
            let read = folder.read(name, LARGEST);
            read.map(|(bytes, _)| bytes).map_err(|e| e.to_string())
        };
        let is_archives = |path: &[u8]| {
            let at = self.listing.find(path).map(|(at, _)| at);
            at.and_then(|at| self.equal.get(at)).copied() == Some(true)
        };
        let tree = TreeView {
            copied: self.copied,
            files: &files,
            read: &read,
            is_archives: &is_archives,
            cancelled: &|| self.progress.cancelled(),
        };
        let judged = self.litter(litter, &tree, found);
        let judged = judged.and_then(|()| self.absences(absent, &tree, found));
        if let Err(unjudged) = judged {
            found.unjudged = Some(unjudged);
        }
    }

    fn litter(
        &self,
        litter: Vec<Vec<u8>>,
        tree: &TreeView<'_>,
        found: &mut Found,
    ) -> Result<(), Unjudged> {
        if litter.is_empty() {
            return Ok(());
        }
        let loaded = self.projection.loaded_litter(&litter, tree)?;
        let loaded: BTreeSet<usize> = loaded.into_iter().collect();
        for (at, path) in litter.iter().enumerate() {
            if loaded.contains(&at) {
                found.differ(path, EntryKind::Extra);
            } else {
                found.litter.push(percent(path).0);
            }
        }
        Ok(())
    }

    fn absences(
        &self,
        absent: &[Absent],
        tree: &TreeView<'_>,
        found: &mut Found,
    ) -> Result<(), Unjudged> {
        if absent.is_empty() {
            return Ok(());
        }
        for (at, difference) in self.projection.absences(absent, tree)? {
            let Some(absent) = absent.get(at) else {
                continue;
            };
            match difference {
                Difference::Finding => found.differ(&absent.path, EntryKind::Missing),
                Difference::Listed(why) => found.list(&absent.path, why),
            }
        }
        Ok(())
    }
}

/// Names of the files directly in a folder; the listing is sorted.
fn files_in(listing: &TreeListing, folder: &[u8]) -> Vec<Vec<u8>> {
    let prefix = match folder {
        [] => Vec::new(),
        _ => [folder, b"/"].concat(),
    };
    let from = listing
        .files
        .partition_point(|file| *file.path < *prefix.as_slice());
    listing
        .files
        .iter()
        .skip(from)
        .map_while(|file| file.path.strip_prefix(&*prefix))
        .filter(|rest| !rest.contains(&b'/'))
        .map(<[u8]>::to_vec)
        .collect()
}
