//! The claim store: what known roots have said, kept so that the next run is fast and an offline run possible.
//!
//! Digest claims do not expire; existence and yank are current for a day ([`Listing::is_current`]), after that they count
//! with their date. The package managers' own metadata is never a source. State is a convenience: what cannot be read is
//! set aside with a problem, what cannot be written is said, and neither changes a verdict for the better.
//!
//! One append-only file (`record`) with many readers and one locked writer; what a run learned waits in memory until
//! [`ClaimStore::flush`]. Claims files that the user named lie beside it as read-only layers: they keep their assurance
//! only when they were named with their SHA-256, otherwise they count as declared.

mod codec;
mod exchange;
mod layer;
mod merge;
mod record;
mod values;
mod write;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use exchange::{ExportItem, ImportError, Imported};
pub use values::{Earlier, FirstSeen};

use crate::model::{
    Assurance, Claimant, Digest, Fingerprint, Listing, Manifest, ManifestEntry, Problem, Scheme,
};
use crate::world::StateDir;

use layer::Layer;
use record::kind;

/// Name of the file in our state folder.
const FILE: &str = "claims";
/// Name of the writer's lock.
const LOCK: &str = "claims.lock";
/// Largest file that is read.
const LARGEST_FILE: u64 = 1 << 30;

/// Something that was said, who said it to us, and what that is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<T> {
    /// What was said.
    pub value: T,
    /// Published for our own memory and vouched files, else declared.
    pub assurance: Assurance,
    /// [`Claimant::RegistryIndex`] for our own memory, [`Claimant::Imported`] for files.
    pub by: Claimant,
}

/// What this run learned, by kind and key. It stays here after it was written: the layer below is not read anew.
type Pending = BTreeMap<(u8, Vec<u8>), Learned>;

/// A value that this run learned.
struct Learned {
    value: Vec<u8>,
    written: bool,
}

/// The claim store. Putting is thread-safe and seen at once by every reader of this value.
pub struct ClaimStore {
    own: Layer,
    vouched: Vec<Layer>,
    declared: Vec<Layer>,
    pending: Mutex<Pending>,
    now: i64,
    in_memory: bool,
}

impl ClaimStore {
    /// Opens the store in our state folder; without one (`--isolated`) it lives in memory and [`ClaimStore::flush`] writes
    /// nothing. `now` is in seconds since 1970. Never fails: what cannot be used is a problem without effect on the verdict.
    pub fn open(state: Option<&dyn StateDir>, now: i64) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let own = state.map_or_else(Layer::default, |state| write::open(state, &mut problems));
        let store = Self {
            own,
            vouched: Vec::new(),
            declared: Vec::new(),
            pending: Mutex::default(),
            now,
            in_memory: state.is_none(),
        };
        (store, problems)
    }

    /// A store without state.
    pub fn in_memory(now: i64) -> Self {
        Self::open(None, now).0
    }

    /// The newest thing said of a package by a registry that counts as published: our own memory, or a vouched file.
    /// `registry` is the primary fingerprint of a root.
    pub fn listing(&self, registry: &Fingerprint, name: &str) -> Option<Listing> {
        self.listings(registry, name)
            .into_iter()
            .filter(|said| said.assurance >= Assurance::Published)
            .map(|said| said.value)
            .max_by_key(|listing| listing.confirmed_at)
    }

    /// Everything that is said of a package: our own memory first, then vouched files, then others. Files may contradict
    /// our memory; that is for the truth table to judge.
    pub fn listings(&self, registry: &Fingerprint, name: &str) -> Vec<Said<Listing>> {
        let key = values::package_key(registry, name);
        let own = self.own_listing(&key).map(|value| Said {
            value,
            assurance: Assurance::Published,
            by: Claimant::RegistryIndex,
        });
        let in_files = |layers: &[Layer], assurance| {
            let read = |layer: &Layer| {
                Some(Said {
                    value: values::listing(layer.get(kind::LISTING, &key)?)?,
                    assurance,
                    by: Claimant::Imported,
                })
            };
            layers.iter().filter_map(read).collect::<Vec<_>>()
        };
        let declared = self
            .value(kind::DECLARED_LISTING, &key, values::listing)
            .map(|value| Said {
                value,
                assurance: Assurance::Declared,
                by: Claimant::Imported,
            });
        own.into_iter()
            .chain(in_files(&self.vouched, Assurance::Published))
            .chain(declared)
            .chain(in_files(&self.declared, Assurance::Declared))
            .collect()
    }

    /// Keeps what a registry has just said. Versions that it named before and names no more stay, as withdrawn when the new
    /// listing is complete; digests that differ from earlier ones are remembered ([`ClaimStore::earlier`]).
    pub fn put_listing(&self, registry: &Fingerprint, name: &str, listing: &Listing) {
        let key = values::package_key(registry, name);
        let old = self.own_listing(&key);
        let Some(old) = old else {
            self.put(kind::LISTING, key, values::put_listing(listing));
            return;
        };
        let said = merge::carried(listing, &old);
        let contradicted = merge::contradicted(&said, &old);
        if !contradicted.is_empty() {
            let before = self.earlier(registry, name);
            let all = merge::remembered(before, contradicted);
            self.put(kind::EARLIER, key.clone(), values::put_earlier(&all));
        }
        if let Some(of) = self.unchanged(&key, &said) {
            let confirmed = values::put_confirmed(said.confirmed_at, of);
            self.put(kind::CONFIRMED, key, confirmed);
        } else {
            self.put(kind::LISTING, key, values::put_listing(&said));
        }
    }

    /// What a registry said of a package's versions on earlier runs and says otherwise now. Published artifacts do not
    /// change: each of these is a trusted claim that contradicts the newest.
    pub fn earlier(&self, registry: &Fingerprint, name: &str) -> Vec<Earlier> {
        let key = values::package_key(registry, name);
        let mut all = self
            .value(kind::EARLIER, &key, values::earlier)
            .unwrap_or_default();
        for layer in &self.vouched {
            let said = layer.get(kind::EARLIER, &key).and_then(values::earlier);
            all = merge::remembered(all, said.unwrap_or_default());
        }
        all
    }

    /// What the archive with a SHA-256 holds, proven by us or by a vouched file.
    pub fn manifest(&self, archive: &Digest) -> Option<Manifest> {
        let key = archive_key(archive)?;
        let read = |bytes: &[u8]| values::manifest(*archive, bytes);
        self.value(kind::MANIFEST, key, read).or_else(|| {
            let mut layers = self.vouched.iter();
            layers.find_map(|layer| layer.get(kind::MANIFEST, key).and_then(read))
        })
    }

    /// The recipe digest (`h1`) of an archive whose manifest is known, without reading the manifest out.
    pub fn manifest_h1(&self, archive: &Digest) -> Option<Digest> {
        let key = archive_key(archive)?;
        let own = self.value(kind::MANIFEST, key, values::manifest_h1);
        own.or_else(|| {
            let mut layers = self.vouched.iter();
            layers.find_map(|layer| layer.get(kind::MANIFEST, key).and_then(values::manifest_h1))
        })?
    }

    /// Whether it is known what an archive holds, without reading it out.
    pub fn has_manifest(&self, archive: &Digest) -> bool {
        archive_key(archive).is_some_and(|key| {
            self.value(kind::MANIFEST, key, |_| Some(())).is_some()
                || self
                    .vouched
                    .iter()
                    .any(|layer| layer.get(kind::MANIFEST, key).is_some())
        })
    }

    /// Keeps what an archive holds. Entries are sorted by path; a manifest that names a path twice is not kept.
    pub fn put_manifest(&self, manifest: &Manifest) {
        let Some(key) = archive_key(&manifest.archive) else {
            return;
        };
        let in_order = |entries: &[ManifestEntry]| {
            let mut pairs = entries.windows(2);
            pairs.all(|pair| matches!(pair, [a, b] if a.path < b.path))
        };
        if in_order(&manifest.entries) {
            let value = values::put_manifest(manifest);
            self.put(kind::MANIFEST, key.to_vec(), value);
            return;
        }
        let mut sorted = manifest.clone();
        sorted.entries.sort_unstable();
        if in_order(&sorted.entries) {
            self.put(kind::MANIFEST, key.to_vec(), values::put_manifest(&sorted));
        }
    }

    /// The digest that an artifact had when it was first seen here. `artifact` is the text of its [`crate::model::ArtifactId`].
    pub fn first_seen(&self, artifact: &str) -> Option<FirstSeen> {
        self.value(kind::FIRST_SEEN, artifact.as_bytes(), values::first_seen)
    }

    /// Remembers the digest of an artifact, unless one is remembered already: the first counts.
    pub fn put_first_seen(&self, artifact: &str, digest: &Digest) {
        if self.first_seen(artifact).is_none() {
            let seen = FirstSeen {
                digest: *digest,
                at: self.now,
            };
            let key = artifact.as_bytes().to_vec();
            self.put(kind::FIRST_SEEN, key, values::put_first_seen(&seen));
        }
    }

    /// The newest signed head of a log, as its note; to be verified at each use.
    pub fn log_head(&self, log: &str) -> Option<Vec<u8>> {
        self.proof(kind::LOG_HEAD, log)
    }

    /// Keeps the newest signed head of a log. The caller has verified it, and that it continues the one before.
    pub fn put_log_head(&self, log: &str, note: &[u8]) {
        self.put(kind::LOG_HEAD, log.as_bytes().to_vec(), note.to_vec());
    }

    /// Bytes that carry their own proof (tiles, records, signed metadata); to be verified at each use.
    pub fn blob(&self, name: &str) -> Option<Vec<u8>> {
        self.proof(kind::BLOB, name)
    }

    /// Keeps bytes that carry their own proof.
    pub fn put_blob(&self, name: &str, bytes: &[u8]) {
        self.put(kind::BLOB, name.as_bytes().to_vec(), bytes.to_vec());
    }

    /// Writes what was learned. Does nothing for a store in memory, or when nothing was learned.
    ///
    /// # Errors
    /// A problem without effect on the verdict: what could not be remembered, and why.
    pub fn flush(&self, state: &dyn StateDir) -> Result<(), Problem> {
        if self.in_memory {
            return Ok(());
        }
        let mut pending = self.waiting();
        if pending.values().all(|learned| learned.written) {
            return Ok(());
        }
        write::write(state, &pending)?;
        for learned in pending.values_mut() {
            learned.written = true;
        }
        Ok(())
    }

    /// Number of records in our own memory, those not yet written included.
    pub fn len(&self) -> usize {
        let pending = self.waiting();
        let new = pending
            .keys()
            .filter(|(k, key)| self.own.get(*k, key).is_none());
        self.own.len() + new.count()
    }

    /// Whether our own memory is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn waiting(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, kind: u8, key: Vec<u8>, value: Vec<u8>) {
        let learned = Learned {
            value,
            written: false,
        };
        self.waiting().insert((kind, key), learned);
    }

    /// Reads our own newest value of a key.
    fn value<T>(&self, kind: u8, key: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let pending = self.waiting();
        if let Some(learned) = pending.get(&(kind, key.to_vec())) {
            return read(&learned.value);
        }
        drop(pending);
        self.own.get(kind, key).and_then(read)
    }

    /// Bytes that carry their own proof, from wherever they are.
    fn proof(&self, kind: u8, name: &str) -> Option<Vec<u8>> {
        let key = name.as_bytes();
        self.value(kind, key, |bytes| Some(bytes.to_vec()))
            .or_else(|| {
                let mut layers = self.vouched.iter().chain(&self.declared);
                layers.find_map(|layer| layer.get(kind, key).map(<[u8]>::to_vec))
            })
    }

    /// Our own newest listing, with the date of its latest confirmation.
    fn own_listing(&self, key: &[u8]) -> Option<Listing> {
        let read = |bytes: &[u8]| Some((values::listing(bytes)?, record::checksum(bytes)));
        let (mut listing, of) = self.value(kind::LISTING, key, read)?;
        let confirmed = self.value(kind::CONFIRMED, key, |bytes| values::confirmed(bytes, of));
        listing.confirmed_at = confirmed.unwrap_or(listing.confirmed_at);
        Some(listing)
    }

    /// The checksum of the kept listing, if a new one differs from it by its confirmation alone.
    fn unchanged(&self, key: &[u8], new: &Listing) -> Option<[u8; 16]> {
        self.value(kind::LISTING, key, |bytes| {
            let old = values::listing(bytes)?;
            let same = Listing {
                confirmed_at: new.confirmed_at,
                fetched_at: new.fetched_at,
                ..old
            };
            (same == *new).then(|| record::checksum(bytes))
        })
    }
}

/// Key of a manifest; archives are named by SHA-256 only.
fn archive_key(archive: &Digest) -> Option<&[u8]> {
    (archive.scheme() == Scheme::Sha256).then(|| archive.bytes())
}

#[cfg(test)]
mod tests;
