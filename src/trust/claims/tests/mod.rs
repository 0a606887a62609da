//! Tests of the claim store: what is kept, what happens to it on a bad day, and what files from elsewhere may say.

mod exchange;
mod hostile;
mod keep;

use std::sync::Arc;

use super::*;
use crate::model::{Effect, ManifestEntry, Sums, VersionFacts};
use crate::trust::fake_state::FakeState;

const NOW: i64 = 1_800_000_000;
const REGISTRY: Fingerprint = Fingerprint([7; 32]);

fn version(text: &str, digest: u8) -> VersionFacts {
    VersionFacts {
        version: Arc::from(text),
        digests: vec![Digest::sha256([digest; 32])],
        yanked: digest % 2 == 1,
        withdrawn: false,
        published_at: (digest > 1).then_some(NOW - 5),
        facts: [digest; 16],
    }
}

fn listing(versions: &[(&str, u8)]) -> Listing {
    Listing {
        complete: true,
        fetched_at: NOW - 10,
        confirmed_at: NOW - 10,
        etag: Some(Arc::from("\"abc\"")),
        last_modified: None,
        versions: versions.iter().map(|(v, d)| version(v, *d)).collect(),
    }
}

fn manifest(archive: u8) -> Manifest {
    let entry = |path: &str, size| ManifestEntry {
        path: path.as_bytes().into(),
        size,
        mode: 0o644,
        sum: [archive; 32],
    };
    Manifest {
        archive: Digest::sha256([archive; 32]),
        inflated: 300,
        entries: vec![entry("a-1/Cargo.toml", 100), entry("a-1/src/lib.rs", 200)],
        sums: if archive.is_multiple_of(3) {
            Sums::Sha256
        } else {
            Sums::Blake3
        },
        h1: Some(Digest::new(Scheme::H1, &[3; 32]).unwrap()),
        irregular: archive % 2 == 1,
    }
}

fn opened(state: &FakeState) -> ClaimStore {
    let (store, problems) = ClaimStore::open(Some(state), NOW);
    assert_eq!(problems, Vec::new());
    store
}

/// A store with something of every kind.
fn filled(state: &FakeState) -> ClaimStore {
    let store = opened(state);
    store.put_listing(&REGISTRY, "itoa", &listing(&[("1.0.0", 1), ("1.0.1", 2)]));
    store.put_listing(&REGISTRY, "ryu", &listing(&[("1.0.0", 3)]));
    store.put_manifest(&manifest(9));
    store.put_first_seen("pypi:x@1:x-1.tar.gz", &Digest::sha256([4; 32]));
    store.put_log_head("log.example", b"a note");
    store.put_blob("tile/1", b"a tile");
    store
}

fn check_filled(store: &ClaimStore) {
    assert_eq!(
        store.listing(&REGISTRY, "itoa"),
        Some(listing(&[("1.0.0", 1), ("1.0.1", 2)]))
    );
    assert_eq!(
        store.listing(&REGISTRY, "ryu"),
        Some(listing(&[("1.0.0", 3)]))
    );
    assert_eq!(store.listing(&REGISTRY, "ito"), None);
    assert_eq!(store.listing(&Fingerprint([8; 32]), "itoa"), None);
    assert_eq!(store.manifest(&manifest(9).archive), Some(manifest(9)));
    assert_eq!(store.manifest(&Digest::sha256([1; 32])), None);
    assert!(store.has_manifest(&manifest(9).archive));
    assert!(!store.has_manifest(&Digest::sha256([1; 32])));
    let seen = store.first_seen("pypi:x@1:x-1.tar.gz").unwrap();
    assert_eq!((seen.digest, seen.at), (Digest::sha256([4; 32]), NOW));
    assert_eq!(
        store.log_head("log.example").as_deref(),
        Some(&b"a note"[..])
    );
    assert_eq!(store.blob("tile/1").as_deref(), Some(&b"a tile"[..]));
}
