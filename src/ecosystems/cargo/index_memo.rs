//! Remembers that a cached index file was held against a listing and fitted, so that unchanged files are not read again.
//!
//! The key covers the file's identity and every fact of the listing that the comparison uses: another file, another listing or
//! another way to compare is another key. Only plain fits are kept, never a finding and nothing that time alone can change.

use crate::ecosystems::contract::{InspectContext, Proofs};
use crate::model::VersionFacts;
use crate::world::{FileKind, Stat};

use super::authority;
use super::index_file::{Form, IndexFile};

/// Changes with what a comparison means.
const MEANING: &str = concat!(
    "cargo index file 2, untaint ",
    env!("CARGO_PKG_VERSION"),
    "\0"
);

/// What is remembered of one index file, against one listing.
pub(super) struct Memo<'a> {
    proofs: &'a dyn Proofs,
    /// Over the name and the listing.
    against: blake3::Hasher,
}

impl<'a> Memo<'a> {
    /// `None` where nothing is remembered: no memory, no current listing, or a file that is cheap to read.
    pub(super) fn of(file: &IndexFile, context: &InspectContext<'a>) -> Option<Self> {
        if file.form == Form::Plain || file.name == authority::CONFIG || context.gap.is_some() {
            return None;
        }
        let (proofs, listing) = (context.proofs?, context.listing?);
        let mut said = Vec::with_capacity(64 + listing.versions.len() * 96);
        said.extend_from_slice(MEANING.as_bytes());
        field(&mut said, file.name.as_bytes());
        said.push(u8::from(listing.complete));
        for tag in [&listing.etag, &listing.last_modified] {
            field(&mut said, tag.as_deref().unwrap_or_default().as_bytes());
        }
        for version in &listing.versions {
            add(&mut said, version);
        }
        let mut against = blake3::Hasher::new();
        against.update(&said);
        Some(Self { proofs, against })
    }

    /// Whether a file of this identity was found to fit.
    pub(super) fn holds(&self, stat: &Stat) -> bool {
        stat.kind == FileKind::File && self.proofs.proven(&self.key(stat))
    }

    /// Keeps that a file of this identity fits.
    pub(super) fn keep(&self, stat: &Stat) {
        let youngest = stat.mtime.max(stat.ctime).div_euclid(1_000_000_000);
        let youngest = i64::try_from(youngest).unwrap_or(i64::MAX);
        self.proofs.prove(&self.key(stat), youngest);
    }

    fn key(&self, stat: &Stat) -> [u8; 32] {
        let mut hasher = self.against.clone();
        for number in [stat.dev, stat.inode, stat.size] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(&stat.mtime.to_le_bytes());
        hasher.update(&stat.ctime.to_le_bytes());
        *hasher.finalize().as_bytes()
    }
}

fn add(said: &mut Vec<u8>, version: &VersionFacts) {
    field(said, version.version.as_bytes());
    said.extend_from_slice(&version.facts);
    said.extend_from_slice(&[u8::from(version.yanked), u8::from(version.withdrawn)]);
    said.extend_from_slice(&version.published_at.unwrap_or(i64::MIN).to_le_bytes());
    said.extend_from_slice(&(version.digests.len() as u64).to_le_bytes());
    for digest in &version.digests {
        field(said, digest.scheme().prefix().as_bytes());
        field(said, digest.bytes());
    }
}

fn field(said: &mut Vec<u8>, bytes: &[u8]) {
    said.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    said.extend_from_slice(bytes);
}

#[cfg(test)]
#[path = "index_memo_tests.rs"]
mod tests;
