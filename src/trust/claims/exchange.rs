//! Claims that travel between machines: `claims export`, `claims import`, `--claims FILE[@sha256:HEX]`.
//!
//! A file has the form of our own store, sorted by kind and key, so that the same claims give the same bytes. What a file
//! says keeps its assurance only when the file was named with its SHA-256; otherwise listings count as declared, what
//! carries its own proof is verified at use as always, and manifests and first sights do not count at all.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::model::{Digest, Fingerprint, Listing};

use super::layer::Layer;
use super::record::{self, End, kind};
use super::{ClaimStore, values};

/// What can be exported, for choosing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportItem<'a> {
    /// What a registry said of a package.
    Package(Fingerprint, &'a str),
    /// What an archive holds, by its SHA-256.
    Manifest(Digest),
    /// The digest that an artifact had when it was first seen.
    FirstSeen(&'a str),
    /// The newest head of a log.
    LogHead(&'a str),
    /// Bytes that carry their own proof.
    Blob(&'a str),
}

/// Why a claims file cannot be used: exit 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is another file than the one that was named.
    #[error(
        "the claims file has {found}, not the digest that it was named with: take the right file, or name it with the digest that its maker printed"
    )]
    OtherDigest {
        /// What its bytes hash to.
        found: Digest,
    },
    /// Not what `claims export` writes.
    #[error("not a whole claims file ({0}): make it anew with `untaint claims export`")]
    Broken(String),
}

/// What an import brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Listings that were taken.
    pub listings: u64,
    /// Manifests that were taken.
    pub manifests: u64,
    /// Proofs, log heads and first sights that were taken.
    pub others: u64,
    /// Records that were left: known already, not understood, or of no worth without a digest.
    pub left: u64,
}

/// Takes a file's bytes as a layer, if they are what they were named as.
fn layer_of(bytes: Vec<u8>, named: Option<&Digest>) -> Result<Layer, ImportError> {
    let found = Digest::sha256(Sha256::digest(&bytes).into());
    if named.is_some_and(|named| *named != found) {
        return Err(ImportError::OtherDigest { found });
    }
    let (layer, end) = Layer::read(bytes);
    match end {
        End::Whole => Ok(layer),
        End::Torn(at) => Err(ImportError::Broken(format!("it breaks off at byte {at}"))),
        End::Corrupt(at) => Err(ImportError::Broken(format!("damaged from byte {at} on"))),
        End::Foreign => Err(ImportError::Broken("it begins otherwise".to_owned())),
        End::Newer(version) => Err(ImportError::Broken(format!(
            "written by a newer untaint, format {version}"
        ))),
    }
}

impl ClaimStore {
    /// Lays a claims file beside the store, for this run only (`--claims`). `named` is the SHA-256 that it was named with.
    ///
    /// # Errors
    /// [`ImportError`] when it is another file, or no claims file.
    pub fn add_file(&mut self, bytes: Vec<u8>, named: Option<&Digest>) -> Result<(), ImportError> {
        let layer = layer_of(bytes, named)?;
        if named.is_some() {
            self.vouched.push(layer);
        } else {
            self.declared.push(layer);
        }
        Ok(())
    }

    /// Takes a claims file into our own memory (`claims import`); [`ClaimStore::flush`] writes it. What we know better
    /// stays: newer listings, first sights, log heads.
    ///
    /// # Errors
    /// [`ImportError`] when it is another file, or no claims file.
    pub fn import(&self, bytes: Vec<u8>, named: Option<&Digest>) -> Result<Imported, ImportError> {
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let layer = layer_of(bytes, named)?;
        let mut taken = Imported::default();
        for r in layer.records() {
            let count = match (r.kind, named.is_some()) {
                (kind::LISTING, vouched) => self
                    .import_listing(r.key, r.value, vouched)
                    .then_some(&mut taken.listings),
                (kind::EARLIER, true) => self
                    .import_earlier(r.key, r.value)
                    .then_some(&mut taken.others),
                (kind::MANIFEST, true) => self
                    .import_manifest(r.key, r.value)
                    .then_some(&mut taken.manifests),
                (kind::FIRST_SEEN, true) => self
                    .import_new(
                        r.kind,
                        r.key,
                        r.value,
                        values::first_seen(r.value).is_some(),
                    )
                    .then_some(&mut taken.others),
                (kind::LOG_HEAD | kind::BLOB, _) => self
                    .import_new(r.kind, r.key, r.value, true)
                    .then_some(&mut taken.others),
                _ => None,
            };
            *count.unwrap_or(&mut taken.left) += 1;
        }
        self.put(
            kind::IMPORTED,
            digest.to_vec(),
            self.now.to_le_bytes().to_vec(),
        );
        Ok(taken)
    }

    fn import_listing(&self, key: &[u8], value: &[u8], vouched: bool) -> bool {
        let (Some((registry, name)), Some(new)) = (values::package_of(key), values::listing(value))
        else {
            return false;
        };
        if !vouched {
            self.put(kind::DECLARED_LISTING, key.to_vec(), value.to_vec());
            return true;
        }
        match self.own_listing(key) {
            Some(own) if own.confirmed_at >= new.confirmed_at => {
                self.learn_contradictions(&registry, name, &own, &new);
                false
            }
            _ => {
                self.put_listing(&registry, name, &new);
                true
            }
        }
    }

    /// An older listing that contradicts ours is an earlier claim all the same.
    fn learn_contradictions(
        &self,
        registry: &Fingerprint,
        name: &str,
        own: &Listing,
        old: &Listing,
    ) {
        let new = super::merge::contradicted(own, old);
        if !new.is_empty() {
            let all = super::merge::remembered(self.earlier(registry, name), new);
            let key = values::package_key(registry, name);
            self.put(kind::EARLIER, key, values::put_earlier(&all));
        }
    }

    fn import_earlier(&self, key: &[u8], value: &[u8]) -> bool {
        let (Some((registry, name)), Some(new)) = (values::package_of(key), values::earlier(value))
        else {
            return false;
        };
        let all = super::merge::remembered(self.earlier(&registry, name), new);
        self.put(kind::EARLIER, key.to_vec(), values::put_earlier(&all));
        true
    }

    fn import_manifest(&self, key: &[u8], value: &[u8]) -> bool {
        let manifest = <[u8; 32]>::try_from(key)
            .ok()
            .and_then(|raw| values::manifest(Digest::sha256(raw), value));
        manifest.is_some_and(|manifest| {
            let new = self.manifest(&manifest.archive).is_none();
            if new {
                self.put(kind::MANIFEST, key.to_vec(), value.to_vec());
            }
            new
        })
    }

    fn import_new(&self, kind: u8, key: &[u8], value: &[u8], whole: bool) -> bool {
        let new = whole && self.value(kind, key, |_| Some(())).is_none();
        if new {
            self.put(kind, key.to_vec(), value.to_vec());
        }
        new
    }

    /// The claims that `keep` chooses from our own memory and from vouched files, and the SHA-256 to name the file with.
    /// The same claims give the same bytes. What only counts as declared is left out.
    pub fn export(&self, keep: &dyn Fn(ExportItem<'_>) -> bool) -> (Vec<u8>, Digest) {
        let mut all: BTreeMap<(u8, Vec<u8>), Vec<u8>> = BTreeMap::new();
        for layer in self.vouched.iter().rev().chain([&self.own]) {
            for r in layer.records() {
                all.insert((r.kind, r.key.to_vec()), r.value.to_vec());
            }
        }
        for (key, learned) in self.waiting().iter() {
            all.insert(key.clone(), learned.value.clone());
        }
        let mut out = record::header();
        for ((kind, key), value) in &all {
            if item(*kind, key).is_some_and(keep) {
                match (*kind, values::package_of(key)) {
                    // With the date of its latest confirmation.
                    (kind::LISTING, Some((registry, name))) => {
                        if let Some(listing) = self.listing(&registry, name) {
                            record::put(&mut out, *kind, key, &values::put_listing(&listing));
                        }
                    }
                    _ => {
                        record::put(&mut out, *kind, key, value);
                    }
                }
            }
        }
        let digest = Digest::sha256(Sha256::digest(&out).into());
        (out, digest)
    }
}

/// What a record is, if it is something that is exported.
fn item(kind: u8, key: &[u8]) -> Option<ExportItem<'_>> {
    let text = || std::str::from_utf8(key).ok();
    match kind {
        kind::LISTING | kind::EARLIER => {
            values::package_of(key).map(|(registry, name)| ExportItem::Package(registry, name))
        }
        kind::MANIFEST => <[u8; 32]>::try_from(key)
            .ok()
            .map(|raw| ExportItem::Manifest(Digest::sha256(raw))),
        kind::FIRST_SEEN => text().map(ExportItem::FirstSeen),
        kind::LOG_HEAD => text().map(ExportItem::LogHead),
        kind::BLOB => text().map(ExportItem::Blob),
        _ => None,
    }
}
