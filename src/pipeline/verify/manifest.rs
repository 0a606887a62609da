//! Builds a proven manifest while an archive is read.

use crate::model::{Digest, Manifest, ManifestEntry, NEVER_BUILT};

use super::unpack::Visitor;

/// Collects path, size, mode and BLAKE3 of every file.
#[derive(Default)]
pub(super) struct Builder {
    entries: Vec<ManifestEntry>,
    hasher: blake3::Hasher,
}

impl Builder {
    /// The manifest of the archive with this digest.
    pub(super) fn finish(mut self, archive: Digest, inflated: u64, irregular: bool) -> Manifest {
        self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        Manifest {
            archive,
            inflated,
            entries: self.entries,
            h1: None,
            irregular,
        }
    }
}

impl Visitor for Builder {
    fn begin(&mut self, path: &[u8], size: u64, mode: u32) {
        self.hasher.reset();
        self.entries.push(ManifestEntry {
            path: path.into(),
            size,
            mode,
            blake3: [0; 32],
        });
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    fn never_built(&mut self) {
        if let Some(entry) = self.entries.last_mut() {
            entry.mode |= NEVER_BUILT;
        }
    }

    fn end(&mut self) {
        if let Some(entry) = self.entries.last_mut() {
            entry.blake3 = *self.hasher.finalize().as_bytes();
        }
    }
}
