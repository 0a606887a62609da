//! Finds the manifest of an archive by its recipe digest (`h1`), which packings of the same content share.
//!
//! The claim store keeps manifests by the SHA-256 of the archive. Which archive has a recipe digest is kept beside them, and
//! holds only if the manifest found says so itself.

use crate::model::{Digest, Manifest, Scheme};
use crate::trust::claims::ClaimStore;

fn name(recipe: &Digest) -> String {
    format!("archive-of/{recipe}")
}

/// Remembers that an archive has this recipe digest.
pub(super) fn put(store: &ClaimStore, recipe: &Digest, archive: &Digest) {
    let name = name(recipe);
    if store.blob(&name).is_none() {
        store.put_blob(&name, archive.bytes());
    }
}

/// The manifest of the archive with this digest, by SHA-256 or by recipe.
pub(super) fn manifest(store: &ClaimStore, digest: &Digest) -> Option<Manifest> {
    if digest.scheme() != Scheme::H1 {
        return store.manifest(digest);
    }
    let archive = store.blob(&name(digest))?;
    let archive = Digest::new(Scheme::Sha256, &archive).ok()?;
    store
        .manifest(&archive)
        .filter(|manifest| manifest.h1 == Some(*digest))
}

/// Whether there is one.
pub(super) fn has_manifest(store: &ClaimStore, digest: &Digest) -> bool {
    if digest.scheme() == Scheme::H1 {
        manifest(store, digest).is_some()
    } else {
        store.has_manifest(digest)
    }
}
