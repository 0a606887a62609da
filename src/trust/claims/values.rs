//! How listings, manifests and the rest are written as values of records, and read back.
//!
//! Reading returns `None` for anything that is not exactly what writing would have made of the value it reads as: a record
//! that is understood only in part is not used at all.

use std::sync::Arc;

use crate::model::{
    Digest, Fingerprint, Listing, Manifest, ManifestEntry, Scheme, Sums, VersionFacts,
};

use super::codec::{Reader, put_bytes, put_digest, put_number, put_optional_text};

/// What a registry said of a version once and says otherwise now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// What was said.
    pub facts: VersionFacts,
    /// When it was last confirmed, seconds since 1970.
    pub said_at: i64,
}

/// The digest that an artifact had when it was first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSeen {
    /// What its bytes hashed to.
    pub digest: Digest,
    /// When, seconds since 1970.
    pub at: i64,
}

const COMPLETE: u8 = 1;
const YANKED: u8 = 1;
const DATED: u8 = 2;
const WITHDRAWN: u8 = 4;
const IRREGULAR: u8 = 1;
const WITH_H1: u8 = 2;
const WITH_SHA256: u8 = 4;

/// Writes a listing.
pub(super) fn put_listing(listing: &Listing) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + listing.versions.len() * 80);
    out.push(if listing.complete { COMPLETE } else { 0 });
    out.extend_from_slice(&listing.fetched_at.to_le_bytes());
    out.extend_from_slice(&listing.confirmed_at.to_le_bytes());
    put_optional_text(&mut out, listing.etag.as_deref());
    put_optional_text(&mut out, listing.last_modified.as_deref());
    put_number(&mut out, listing.versions.len() as u64);
    for version in &listing.versions {
        put_version(&mut out, version);
    }
    out
}

/// Reads a listing.
pub(super) fn listing(bytes: &[u8]) -> Option<Listing> {
    let mut reader = Reader::new(bytes);
    let complete = match reader.byte()? {
        0 => false,
        COMPLETE => true,
        _ => return None,
    };
    let fetched_at = reader.signed()?;
    let confirmed_at = reader.signed()?;
    let etag = reader.optional_text()?;
    let last_modified = reader.optional_text()?;
    let count = reader.count(SMALLEST_VERSION)?;
    let mut versions = Vec::with_capacity(count);
    for _ in 0..count {
        versions.push(version(&mut reader)?);
    }
    reader.end()?;
    Some(Listing {
        complete,
        fetched_at,
        confirmed_at,
        etag,
        last_modified,
        versions,
    })
}

/// Length of its text, flags, facts, number of digests.
const SMALLEST_VERSION: usize = 1 + 1 + 16 + 1;

fn put_version(out: &mut Vec<u8>, version: &VersionFacts) {
    put_bytes(out, version.version.as_bytes());
    let mut flags = 0;
    if version.yanked {
        flags |= YANKED;
    }
    if version.published_at.is_some() {
        flags |= DATED;
    }
    if version.withdrawn {
        flags |= WITHDRAWN;
    }
    out.push(flags);
    if let Some(at) = version.published_at {
        out.extend_from_slice(&at.to_le_bytes());
    }
    out.extend_from_slice(&version.facts);
    put_number(out, version.digests.len() as u64);
    for digest in &version.digests {
        put_digest(out, digest);
    }
}

fn version(reader: &mut Reader<'_>) -> Option<VersionFacts> {
    let version: Arc<str> = Arc::from(reader.text()?);
    let flags = reader.byte()?;
    if flags & !(YANKED | DATED | WITHDRAWN) != 0 {
        return None;
    }
    let published_at = if flags & DATED != 0 {
        Some(reader.signed()?)
    } else {
        None
    };
    let facts = reader.array()?;
    let count = reader.count(1 + Scheme::Md5.len())?;
    let mut digests = Vec::with_capacity(count);
    for _ in 0..count {
        digests.push(reader.digest()?);
    }
    Some(VersionFacts {
        version,
        digests,
        yanked: flags & YANKED != 0,
        withdrawn: flags & WITHDRAWN != 0,
        published_at,
        facts,
    })
}

/// Writes a manifest; the archive's digest is the key.
pub(super) fn put_manifest(manifest: &Manifest) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + manifest.entries.len() * 96);
    let mut flags = 0;
    if manifest.irregular {
        flags |= IRREGULAR;
    }
    if manifest.h1.is_some() {
        flags |= WITH_H1;
    }
    if manifest.sums == Sums::Sha256 {
        flags |= WITH_SHA256;
    }
    out.push(flags);
    put_number(&mut out, manifest.inflated);
    if let Some(h1) = &manifest.h1 {
        put_digest(&mut out, h1);
    }
    put_number(&mut out, manifest.entries.len() as u64);
    for entry in &manifest.entries {
        put_bytes(&mut out, &entry.path);
        put_number(&mut out, entry.size);
        put_number(&mut out, u64::from(entry.mode));
        out.extend_from_slice(&entry.sum);
    }
    out
}

/// Reads the recipe digest of a manifest, and nothing behind it; `None` if it is no manifest.
pub(super) fn manifest_h1(bytes: &[u8]) -> Option<Option<Digest>> {
    let mut reader = Reader::new(bytes);
    let flags = reader.byte()?;
    if flags & !(IRREGULAR | WITH_H1 | WITH_SHA256) != 0 {
        return None;
    }
    let _inflated = reader.number()?;
    if flags & WITH_H1 == 0 {
        return Some(None);
    }
    reader.digest().map(Some)
}

/// Reads the manifest of an archive.
pub(super) fn manifest(archive: Digest, bytes: &[u8]) -> Option<Manifest> {
    let mut reader = Reader::new(bytes);
    let flags = reader.byte()?;
    if flags & !(IRREGULAR | WITH_H1 | WITH_SHA256) != 0 {
        return None;
    }
    let inflated = reader.number()?;
    let h1 = if flags & WITH_H1 != 0 {
        Some(reader.digest()?)
    } else {
        None
    };
    // Length of the path, size, mode, content.
    let count = reader.count(1 + 1 + 1 + 32)?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push(ManifestEntry {
            path: Box::from(reader.bytes()?),
            size: reader.number()?,
            mode: u32::try_from(reader.number()?).ok()?,
            sum: reader.array()?,
        });
    }
    reader.end()?;
    // Look-ups search: an order that is not the promised one would hide entries.
    let sorted = entries
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.path < b.path));
    sorted.then_some(Manifest {
        archive,
        inflated,
        entries,
        sums: if flags & WITH_SHA256 != 0 {
            Sums::Sha256
        } else {
            Sums::Blake3
        },
        h1,
        irregular: flags & IRREGULAR != 0,
    })
}

/// Writes a first sight.
pub(super) fn put_first_seen(seen: &FirstSeen) -> Vec<u8> {
    let mut out = seen.at.to_le_bytes().to_vec();
    put_digest(&mut out, &seen.digest);
    out
}

/// Reads a first sight.
pub(super) fn first_seen(bytes: &[u8]) -> Option<FirstSeen> {
    let mut reader = Reader::new(bytes);
    let at = reader.signed()?;
    let digest = reader.digest()?;
    reader.end()?;
    Some(FirstSeen { digest, at })
}

/// Writes what was said earlier.
pub(super) fn put_earlier(all: &[Earlier]) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(&mut out, all.len() as u64);
    for earlier in all {
        out.extend_from_slice(&earlier.said_at.to_le_bytes());
        put_version(&mut out, &earlier.facts);
    }
    out
}

/// Reads what was said earlier.
pub(super) fn earlier(bytes: &[u8]) -> Option<Vec<Earlier>> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(8 + SMALLEST_VERSION)?;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let said_at = reader.signed()?;
        let facts = version(&mut reader)?;
        all.push(Earlier { facts, said_at });
    }
    reader.end()?;
    Some(all)
}

/// Writes that a listing was confirmed: when, and the checksum of the listing that is meant.
pub(super) fn put_confirmed(at: i64, of: [u8; 16]) -> Vec<u8> {
    let mut out = at.to_le_bytes().to_vec();
    out.extend_from_slice(&of);
    out
}

/// Reads when a listing with this checksum was confirmed.
pub(super) fn confirmed(bytes: &[u8], of: [u8; 16]) -> Option<i64> {
    let mut reader = Reader::new(bytes);
    let at = reader.signed()?;
    let which: [u8; 16] = reader.array()?;
    reader.end()?;
    (which == of).then_some(at)
}

/// Key of what is said of a package of a registry.
pub(super) fn package_key(registry: &Fingerprint, name: &str) -> Vec<u8> {
    let mut key = registry.0.to_vec();
    key.extend_from_slice(name.as_bytes());
    key
}

/// Registry and package of a key.
pub(super) fn package_of(key: &[u8]) -> Option<(Fingerprint, &str)> {
    let (registry, name) = key.split_first_chunk::<32>()?;
    Some((Fingerprint(*registry), std::str::from_utf8(name).ok()?))
}
