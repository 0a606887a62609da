//! Judges what a tree lacks of what its tool may leave out, once all that it has was compared.

use crate::ecosystems::contract::{Absent, Difference, Projection, TreeView};
use crate::model::EntryKind;
use crate::world::Dir;

use super::compare::Found;
use super::listing::{Opener, TreeListing};

/// Largest file of a tree that is looked into for it.
const LARGEST: u64 = 64 << 20;

/// Adds what should be there. `absent`: what is not, and the folders whose own files were copied.
pub(super) fn judge(
    dir: &dyn Dir,
    listing: &TreeListing,
    projection: &dyn Projection,
    absent: (&[Absent], &[Box<[u8]>]),
    found: &mut Found,
) {
    let (absent, copied) = absent;
    if absent.is_empty() {
        return;
    }
    let files = |folder: &[u8]| files_in(listing, folder);
    let read = |path: &[u8]| {
        let mut opener = Opener::new(dir);
        let (folder, name) = opener.folder(path).map_err(|e| e.to_string())?;
        let read = folder.read(name, LARGEST);
        read.map(|(bytes, _)| bytes).map_err(|e| e.to_string())
    };
    let tree = TreeView {
        copied,
        files: &files,
        read: &read,
    };
    match projection.absences(absent, &tree) {
        Ok(judged) => {
            for (at, difference) in judged {
                let Some(absent) = absent.get(at) else {
                    continue;
                };
                match difference {
                    Difference::Finding => found.differ(&absent.path, EntryKind::Missing),
                    Difference::Listed(why) => found.list(&absent.path, why),
                }
            }
        }
        Err(why) => {
            found.unreadable.get_or_insert(why);
        }
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
