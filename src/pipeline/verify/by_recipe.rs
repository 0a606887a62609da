//! Finds the manifest of an archive by its recipe digest (`h1`), which packings of the same content share.
//!
//! The claim store keeps manifests by the SHA-256 of the archive. Which archive has a recipe digest is kept beside them, and
//! holds only if the manifest found says so itself.

use crate::model::{Digest, Scheme};
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

/// The SHA-256 of an archive with this digest, by SHA-256 or by recipe, whose manifest is known.
pub(super) fn archive(store: &ClaimStore, digest: &Digest) -> Option<Digest> {
    if digest.scheme() != Scheme::H1 {
        return store.has_manifest(digest).then_some(*digest);
    }
    let archive = store.blob(&name(digest))?;
    let archive = Digest::new(Scheme::Sha256, &archive).ok()?;
    (store.manifest_h1(&archive) == Some(*digest)).then_some(archive)
}

/// Whether there is one.
pub(super) fn has_manifest(store: &ClaimStore, digest: &Digest) -> bool {
    archive(store, digest).is_some()
}
