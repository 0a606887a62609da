//! Bad days: torn, damaged, foreign and hostile files, folders that cannot be written.

use proptest::prelude::*;

use super::super::record::{self, End};
use super::super::values;
use super::*;

fn bytes() -> Vec<u8> {
    let state = FakeState::default();
    filled(&state).flush(&state).unwrap();
    state.get("claims").unwrap()
}

/// Whatever is there is what was put; nothing else is.
fn nothing_false(store: &ClaimStore) {
    let good = filled(&FakeState::default());
    for name in ["itoa", "ryu"] {
        if let Some(found) = store.listing(&REGISTRY, name) {
            assert_eq!(Some(found), good.listing(&REGISTRY, name));
        }
    }
    if let Some(found) = store.manifest(&manifest(9).archive) {
        assert_eq!(found, manifest(9));
    }
    if let Some(found) = store.blob("tile/1") {
        assert_eq!(found, b"a tile");
    }
}

#[test]
fn torn_at_every_byte() {
    let whole = bytes();
    let mut ends = vec![16];
    let end = record::walk(&whole, |r| ends.push(r.start + r.whole.len()));
    assert_eq!(end, End::Whole);
    for length in 0..whole.len() {
        let state = FakeState::with("claims", &whole[..length]);
        let store = opened(&state);
        let expected = ends
            .iter()
            .filter(|e| **e <= length)
            .count()
            .saturating_sub(1);
        assert_eq!(store.len(), expected, "{length}");
        nothing_false(&store);
        // The next writer mends it, and what follows can be read.
        store.put_blob("new", b"after");
        store.flush(&state).unwrap();
        let again = opened(&state);
        assert_eq!(again.len(), expected + 1, "{length}");
        assert_eq!(again.blob("new").as_deref(), Some(&b"after"[..]));
    }
}

#[test]
fn a_tail_of_nuls_is_torn() {
    for nuls in [1, 4, 21, 500] {
        let mut long = bytes();
        long.extend(std::iter::repeat_n(0, nuls));
        check_filled(&opened(&FakeState::with("claims", &long)));
    }
}

#[test]
fn damaged_at_every_byte() {
    let whole = bytes();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x41;
        let state = FakeState::with("claims", &damaged);
        let (store, problems) = ClaimStore::open(Some(&state), NOW);
        nothing_false(&store);
        assert!(store.len() < 6, "byte {at} is covered by a checksum");
        assert!(problems.iter().all(|p| p.effect == Effect::AsTheTool));
        let kept = state.get("claims.unreadable-1");
        // A flipped version is a newer untaint's file, which is left alone.
        let newer = at == 15;
        assert_eq!(kept.is_some(), !problems.is_empty() && !newer, "{at}");
        if newer {
            continue;
        }
        // The next run is clean, with what could be read.
        let count = store.len();
        assert_eq!(opened(&state).len(), count);
    }
}

#[test]
fn damage_in_the_middle_is_said_and_what_lies_before_is_used() {
    let mut damaged = bytes();
    let mut starts = Vec::new();
    record::walk(&damaged, |r| starts.push(r.start));
    damaged[starts[2] + 30] ^= 1;
    let state = FakeState::with("claims", &damaged);
    let (store, problems) = ClaimStore::open(Some(&state), NOW);
    assert_eq!(store.len(), 2);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .message
            .contains("set aside as claims.unreadable-1")
    );
    assert!(problems[0].message.contains("2 records"));
    assert_eq!(state.get("claims.unreadable-1"), Some(damaged));
}

#[test]
fn foreign_and_newer_files() {
    for foreign in [
        &b"SQLite format 3\0 and more bytes"[..],
        b"x",
        b"untaint claims",
    ] {
        let state = FakeState::with("claims", foreign);
        let (store, problems) = ClaimStore::open(Some(&state), NOW);
        let torn_header = record::header().starts_with(foreign);
        assert_eq!(problems.is_empty(), torn_header);
        store.put_blob("a", b"b");
        store.flush(&state).unwrap();
        assert_eq!(opened(&state).len(), 1);
    }
    let mut newer = bytes();
    newer[15] = 2;
    let state = FakeState::with("claims", &newer);
    let (store, problems) = ClaimStore::open(Some(&state), NOW);
    assert!(problems[0].message.contains("newer untaint"));
    store.put_blob("a", b"b");
    assert!(store.flush(&state).is_err());
    assert_eq!(
        state.get("claims"),
        Some(newer),
        "a newer file is left alone"
    );
}

#[test]
fn unknown_kinds_survive() {
    let mut file = record::header();
    record::put(&mut file, 200, b"key", b"value of the future");
    let state = FakeState::with("claims", &file[..]);
    for round in 0..8u8 {
        let store = opened(&state);
        store.put_blob("x", &[round; 100]);
        store.flush(&state).unwrap();
    }
    let mut found = false;
    let written = state.get("claims").unwrap();
    record::walk(&written, |r| {
        found |= r.kind == 200 && r.value == b"value of the future";
    });
    assert!(found);
}

#[test]
fn a_read_only_folder_costs_memory_only() {
    let mut state = FakeState::with("claims", &bytes());
    state.read_only = true;
    let store = opened(&state);
    check_filled(&store);
    store.put_blob("new", b"x");
    let problem = store.flush(&state).unwrap_err();
    assert_eq!(problem.effect, Effect::AsTheTool);
    assert!(problem.message.contains("not remembered"), "{problem:?}");
    assert!(store.blob("new").is_some());
    let mut damaged = bytes();
    damaged[40] ^= 1;
    state.set("claims", &damaged);
    let (_, problems) = ClaimStore::open(Some(&state), NOW);
    assert!(problems[0].message.contains("remove it"), "{problems:?}");
}

#[test]
fn a_full_disk_leaves_a_torn_tail_that_the_next_writer_mends() {
    let state = FakeState::with("claims", &bytes());
    let store = opened(&state);
    store.put_blob("new", &[5; 100]);
    *state.room.lock().unwrap() = Some(50);
    assert!(store.flush(&state).is_err());
    *state.room.lock().unwrap() = None;
    check_filled(&opened(&state));
    store.flush(&state).unwrap();
    let again = opened(&state);
    check_filled(&again);
    assert_eq!(again.blob("new"), Some(vec![5; 100]));
}

#[test]
fn another_writer_is_not_waited_for() {
    let state = FakeState::default();
    let store = filled(&state);
    let held = state.lock("claims.lock").unwrap();
    let problem = store.flush(&state).unwrap_err();
    assert!(problem.message.contains("another untaint"));
    drop(held);
    store.flush(&state).unwrap();
    check_filled(&opened(&state));
}

proptest! {
    #[test]
    fn any_file_is_read_without_panic(tail in proptest::collection::vec(any::<u8>(), 0..300), headed in any::<bool>()) {
        let mut file = if headed { record::header() } else { Vec::new() };
        file.extend_from_slice(&tail);
        let state = FakeState::with("claims", &file);
        let (store, _) = ClaimStore::open(Some(&state), NOW);
        let _ = store.listing(&REGISTRY, "itoa");
        store.put_blob("a", b"b");
        let _ = store.flush(&state);
    }

    #[test]
    fn any_value_with_a_good_checksum_is_read_without_panic(value in proptest::collection::vec(any::<u8>(), 0..200), k in 1u8..10) {
        let mut file = record::header();
        let key = values::package_key(&REGISTRY, "itoa");
        record::put(&mut file, k, &key, &value);
        record::put(&mut file, kind::MANIFEST, &[9; 32], &value);
        record::put(&mut file, kind::FIRST_SEEN, b"a", &value);
        let state = FakeState::with("claims", &file);
        let store = opened(&state);
        let _ = store.listings(&REGISTRY, "itoa");
        let _ = store.earlier(&REGISTRY, "itoa");
        let _ = store.manifest(&Digest::sha256([9; 32]));
        let _ = store.first_seen("a");
        let _ = store.export(&|_| true);
    }

    #[test]
    fn a_changed_value_is_read_without_panic(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut of_listing = values::put_listing(&listing(&[("1.0.0", 1), ("1.0.1", 2)]));
        let mut of_manifest = values::put_manifest(&manifest(9));
        for value in [&mut of_listing, &mut of_manifest] {
            let at = at.index(value.len());
            value[at] = byte;
            if cut {
                value.truncate(at);
            }
            let _ = values::listing(value);
            let _ = values::manifest(Digest::sha256([1; 32]), value);
            let _ = values::earlier(value);
            let _ = values::first_seen(value);
        }
    }

    #[test]
    fn any_listing_is_kept(
        versions in proptest::collection::vec(("\\PC{0,12}", any::<[u8; 16]>(), any::<bool>(), any::<bool>(), any::<Option<i64>>(), 0usize..8), 0..20),
        complete in any::<bool>(), dates in any::<(i64, i64)>(), etag in any::<Option<String>>(),
    ) {
        let versions = versions.into_iter().map(|(v, facts, yanked, withdrawn, published_at, schemes)| VersionFacts {
            version: Arc::from(v),
            digests: Scheme::ALL.iter().take(schemes).map(|s| Digest::new(*s, &vec![facts[0]; s.len()]).unwrap()).collect(),
            yanked, withdrawn, published_at, facts,
        }).collect();
        let before = Listing {
            complete, fetched_at: dates.0, confirmed_at: dates.1,
            etag: etag.as_deref().map(Arc::from), last_modified: None, versions,
        };
        prop_assert_eq!(values::listing(&values::put_listing(&before)), Some(before));
    }
}

#[test]
fn a_count_reserves_nothing_that_is_not_there() {
    // A listing that claims 2^40 versions, and a manifest with as many entries.
    let mut value = vec![1];
    value.extend_from_slice(&[0; 16]);
    value.extend_from_slice(&[0, 0]);
    value.extend_from_slice(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);
    assert_eq!(values::listing(&value), None);
    let value = [0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    assert_eq!(values::manifest(Digest::sha256([1; 32]), &value), None);
}
