//! Files from elsewhere: what they may say, and that exports are the same bytes for the same claims.

use sha2::Digest as _;

use super::*;

fn sha256(bytes: &[u8]) -> Digest {
    Digest::sha256(sha2::Sha256::digest(bytes).into())
}

fn exported() -> (Vec<u8>, Digest) {
    filled(&FakeState::default()).export(&|_| true)
}

#[test]
fn the_same_claims_give_the_same_file() {
    let state = FakeState::default();
    let store = filled(&state);
    let before = store.export(&|_| true);
    store.flush(&state).unwrap();
    let again = opened(&state);
    assert_eq!(again.export(&|_| true), before);
    assert_eq!(before.1, sha256(&before.0));
    // Confirmations are folded in: a file holds one record of a listing.
    let mut confirmed = again.listing(&REGISTRY, "itoa").unwrap();
    confirmed.confirmed_at = NOW + 9;
    again.put_listing(&REGISTRY, "itoa", &confirmed);
    let (bytes, digest) = again.export(&|_| true);
    assert_eq!(bytes.len(), before.0.len());
    let mut other = ClaimStore::in_memory(NOW);
    other.add_file(bytes, Some(&digest)).unwrap();
    assert_eq!(
        other.listing(&REGISTRY, "itoa").unwrap().confirmed_at,
        NOW + 9
    );
}

#[test]
fn an_export_holds_what_was_chosen() {
    let store = filled(&FakeState::default());
    let (bytes, digest) =
        store.export(&|item| matches!(item, ExportItem::Package(REGISTRY, "ryu")));
    let mut other = ClaimStore::in_memory(NOW);
    other.add_file(bytes, Some(&digest)).unwrap();
    assert!(other.listing(&REGISTRY, "ryu").is_some());
    assert!(other.listing(&REGISTRY, "itoa").is_none());
    assert!(other.blob("tile/1").is_none());
}

#[test]
fn a_file_named_with_its_digest_is_published() {
    let (bytes, digest) = exported();
    let mut store = ClaimStore::in_memory(NOW);
    store.add_file(bytes, Some(&digest)).unwrap();
    let said = &store.listings(&REGISTRY, "itoa")[0];
    assert_eq!(
        (said.assurance, said.by),
        (Assurance::Published, Claimant::Imported)
    );
    assert!(store.listing(&REGISTRY, "itoa").is_some());
    assert_eq!(store.manifest(&manifest(9).archive), Some(manifest(9)));
    assert!(store.is_empty(), "a layer is not our own memory");
}

#[test]
fn a_file_named_without_is_declared_at_most() {
    let (bytes, _) = exported();
    let mut store = ClaimStore::in_memory(NOW);
    store.add_file(bytes, None).unwrap();
    assert_eq!(store.listing(&REGISTRY, "itoa"), None);
    let said = store.listings(&REGISTRY, "itoa");
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].assurance, Assurance::Declared);
    assert_eq!(store.manifest(&manifest(9).archive), None);
    assert_eq!(store.first_seen("pypi:x@1:x-1.tar.gz"), None);
    // What carries its own proof is verified at use, wherever it came from.
    assert!(store.log_head("log.example").is_some());
    let (laundered, _) = store.export(&|_| true);
    assert_eq!(laundered, ClaimStore::in_memory(NOW).export(&|_| true).0);
}

#[test]
fn another_file_is_refused() {
    let (mut bytes, digest) = exported();
    let mut store = ClaimStore::in_memory(NOW);
    bytes.extend_from_slice(&[0; 40]);
    let error = store.add_file(bytes.clone(), Some(&digest)).unwrap_err();
    assert!(matches!(error, ImportError::OtherDigest { .. }));
    assert!(error.to_string().contains("sha256:"));
    for broken in [&b"nothing"[..], &bytes[..bytes.len() - 50], b""] {
        let named = sha256(broken);
        let error = store.add_file(broken.to_vec(), Some(&named)).unwrap_err();
        assert!(matches!(error, ImportError::Broken(_)), "{error}");
        assert!(store.import(broken.to_vec(), None).is_err());
    }
    assert!(store.listings(&REGISTRY, "itoa").is_empty());
}

#[test]
fn an_import_is_remembered_with_its_worth() {
    for vouched in [true, false] {
        let (bytes, digest) = exported();
        let state = FakeState::default();
        let store = opened(&state);
        let taken = store.import(bytes, vouched.then_some(&digest)).unwrap();
        assert_eq!(taken.listings, 2);
        assert_eq!(taken.manifests, u64::from(vouched));
        assert_eq!(taken.others, if vouched { 3 } else { 2 });
        store.flush(&state).unwrap();
        let again = opened(&state);
        assert_eq!(again.listing(&REGISTRY, "itoa").is_some(), vouched);
        assert_eq!(again.listings(&REGISTRY, "itoa").len(), 1);
        assert_eq!(again.manifest(&manifest(9).archive).is_some(), vouched);
        let (out, _) = again.export(&|_| true);
        let mut other = ClaimStore::in_memory(NOW);
        other.add_file(out.clone(), Some(&sha256(&out))).unwrap();
        assert_eq!(other.listing(&REGISTRY, "itoa").is_some(), vouched);
    }
}

#[test]
fn an_import_contradicts_but_does_not_replace_what_is_newer() {
    let (bytes, digest) = exported();
    let state = FakeState::default();
    let store = opened(&state);
    let mut newer = listing(&[("1.0.0", 77), ("1.0.1", 2)]);
    newer.confirmed_at = NOW;
    store.put_listing(&REGISTRY, "itoa", &newer);
    store.put_log_head("log.example", b"newer");
    let taken = store.import(bytes, Some(&digest)).unwrap();
    assert_eq!(taken.listings, 1);
    assert_eq!(store.listing(&REGISTRY, "itoa"), Some(newer));
    assert_eq!(
        store.earlier(&REGISTRY, "itoa")[0].facts,
        version("1.0.0", 1)
    );
    assert_eq!(
        store.log_head("log.example").as_deref(),
        Some(&b"newer"[..])
    );
}

#[test]
fn layers_that_disagree_are_both_heard() {
    let (bytes, digest) = exported();
    let state = FakeState::default();
    let mut store = opened(&state);
    store.put_listing(&REGISTRY, "itoa", &listing(&[("1.0.0", 77)]));
    store.add_file(bytes, Some(&digest)).unwrap();
    let said = store.listings(&REGISTRY, "itoa");
    assert_eq!(said.len(), 2);
    assert_eq!(said[0].by, Claimant::RegistryIndex);
    assert_ne!(
        said[0].value.version("1.0.0").unwrap().digests,
        said[1].value.version("1.0.0").unwrap().digests
    );
}
