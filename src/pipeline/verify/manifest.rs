//! Builds a proven manifest while an archive is read.

use crate::ecosystems::contract::ArchiveFormat;
use crate::model::{Digest, Manifest, ManifestEntry, NEVER_BUILT, Sums};

use super::unpack::Visitor;

/// Collects path, size, mode and digest of every file.
pub(super) struct Builder {
    entries: Vec<ManifestEntry>,
    sums: Sums,
    hasher: blake3::Hasher,
}

impl Builder {
    /// A builder for an archive of this format. Readers that take a SHA-256 of every member hand it over.
    pub(super) fn of(format: ArchiveFormat) -> Self {
        Self {
            entries: Vec::new(),
            sums: match format {
                ArchiveFormat::GoZip => Sums::Sha256,
                ArchiveFormat::CrateTarGz | ArchiveFormat::GoMod | ArchiveFormat::H1Sidecar => {
                    Sums::Blake3
                }
            },
            hasher: blake3::Hasher::new(),
        }
    }

    /// The manifest of the archive with this digest.
    pub(super) fn finish(mut self, archive: Digest, inflated: u64, irregular: bool) -> Manifest {
        self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        Manifest {
            archive,
            inflated,
            entries: self.entries,
            sums: self.sums,
            h1: None,
            irregular,
        }
    }
}

impl Visitor for Builder {
    fn begin(&mut self, path: &[u8], size: u64, mode: u32) {
        self.entries.push(ManifestEntry {
            path: path.into(),
            size,
            mode,
            sum: [0; 32],
        });
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.sums == Sums::Blake3 {
            self.hasher.update(bytes);
        }
    }

    fn never_built(&mut self) {
        if let Some(entry) = self.entries.last_mut() {
            entry.mode |= NEVER_BUILT;
        }
    }

    fn end(&mut self, sha256: Option<&[u8; 32]>) {
        let Some(entry) = self.entries.last_mut() else {
            return;
        };
        match (self.sums, sha256) {
            (Sums::Blake3, _) => {
                entry.sum = *self.hasher.finalize().as_bytes();
                self.hasher.reset();
            }
            (Sums::Sha256, Some(sum)) => entry.sum = *sum,
            // No file equals one without a digest.
            (Sums::Sha256, None) => {}
        }
    }
}
