//! Licences for the bill of materials: read from verified bytes only.
//!
//! A component whose archive was verified has a proven manifest; the file that states the licence is read from an
//! unpacked tree and counts only if its bytes are those of that manifest. So a tree that was edited states nothing.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Component as PathPart, Path};

use crate::ecosystems::contract::Binding;
use crate::model::report::Component;
use crate::model::{Coordinate, Digest};
use crate::trust::claims::ClaimStore;
use crate::world::{Dir, ReadFile};

use super::flow::{Inventory, PlacedUnit};

/// Largest manifest that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Fills in the licences that verified bytes state.
pub fn fill(components: &mut [Component], inventory: &Inventory, store: &ClaimStore) {
    let mut trees: BTreeMap<&Coordinate, Vec<&PlacedUnit>> = BTreeMap::new();
    for placed in &inventory.units {
        if let (Binding::Artifact(artifact), Some(_)) = (&placed.unit.binding, &placed.unit.tree) {
            trees.entry(&artifact.coordinate).or_default().push(placed);
        }
    }
    for component in components {
        let places = trees
            .get(&component.coordinate)
            .map_or(&[][..], Vec::as_slice);
        component.licence = places.iter().find_map(|placed| {
            let (file, stated) = placed.ecosystem.stated_licence()?;
            let digests = &component.verified;
            let bytes = digests
                .iter()
                .find_map(|digest| proven(placed, inventory, store, digest, file))?;
            stated(&bytes)
        });
    }
}

/// The bytes of a file in a tree, if they are those that the archive holds.
fn proven(
    placed: &PlacedUnit,
    inventory: &Inventory,
    store: &ClaimStore,
    archive: &Digest,
    file: &str,
) -> Option<Vec<u8>> {
    let manifest = store.manifest(archive)?;
    let entry = manifest.entry(file.as_bytes())?;
    let root = inventory.roots.get(placed.root)?;
    let rel = placed.unit.tree.as_ref()?.rel.join(file);
    let bytes = read(root.dir(), &rel, entry.size)?;
    (manifest.sums.digest(&bytes) == entry.sum).then_some(bytes)
}

/// Reads a file of this size below a folder, following no link.
fn read(root: &dyn Dir, rel: &Path, size: u64) -> Option<Vec<u8>> {
    if size > LARGEST {
        return None;
    }
    let mut parts: Vec<_> = rel
        .components()
        .map(|part| match part {
            PathPart::Normal(name) => Some(name),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let file = parts.pop()?;
    let mut folder: Option<Box<dyn Dir>> = None;
    for part in parts {
        folder = Some(folder.as_deref().unwrap_or(root).open_dir(part).ok()?);
    }
    let opened: Box<dyn ReadFile> = folder.as_deref().unwrap_or(root).open_file(file).ok()?;
    let mut bytes = Vec::new();
    opened.take(size + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
