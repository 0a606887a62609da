//! What is kept between runs, and how it is written.

use super::*;

#[test]
fn everything_is_there_on_the_next_run() {
    let state = FakeState::default();
    let store = filled(&state);
    check_filled(&store);
    assert_eq!(store.flush(&state), Ok(()));
    check_filled(&store);
    let again = opened(&state);
    check_filled(&again);
    assert_eq!(again.len(), 6);
    assert!(!again.is_empty());
}

#[test]
fn a_store_in_memory_reads_and_writes_nothing() {
    let state = FakeState::default();
    filled(&state).flush(&state).unwrap();
    let before = state.get("claims");
    let store = ClaimStore::in_memory(NOW);
    assert_eq!(store.listing(&REGISTRY, "itoa"), None);
    store.put_listing(&REGISTRY, "itoa", &listing(&[("6.6.6", 6)]));
    store.flush(&state).unwrap();
    assert_eq!(state.get("claims"), before);
}

#[test]
fn the_same_claims_give_the_same_bytes() {
    let (one, two) = (FakeState::default(), FakeState::default());
    filled(&one).flush(&one).unwrap();
    let store = opened(&two);
    store.put_blob("tile/1", b"a tile");
    store.put_listing(&REGISTRY, "ryu", &listing(&[("1.0.0", 3)]));
    store.put_log_head("log.example", b"a note");
    store.put_manifest(&manifest(9));
    store.put_listing(&REGISTRY, "itoa", &listing(&[("1.0.0", 1), ("1.0.1", 2)]));
    store.put_first_seen("pypi:x@1:x-1.tar.gz", &Digest::sha256([4; 32]));
    store.flush(&two).unwrap();
    assert_eq!(one.get("claims"), two.get("claims"));
}

#[test]
fn the_newest_record_counts_and_the_file_does_not_grow_forever() {
    let state = FakeState::default();
    for round in 0..60u8 {
        let store = opened(&state);
        store.put_blob("x", &[round; 1000]);
        store.put_blob(&format!("y{}", round % 4), &[round; 10]);
        store.flush(&state).unwrap();
        assert!(state.get("claims").unwrap().len() < 3500);
    }
    let store = opened(&state);
    assert_eq!(store.blob("x"), Some(vec![59; 1000]));
    assert_eq!(store.blob("y1"), Some(vec![57; 10]));
}

#[test]
fn a_confirmation_is_small_and_moves_the_date() {
    let state = FakeState::default();
    filled(&state).flush(&state).unwrap();
    let before = state.get("claims").unwrap().len();
    let store = opened(&state);
    let mut confirmed = store.listing(&REGISTRY, "itoa").unwrap();
    confirmed.confirmed_at = NOW + 100;
    store.put_listing(&REGISTRY, "itoa", &confirmed);
    store.flush(&state).unwrap();
    let after = state.get("claims").unwrap().len();
    assert!(after > before && after - before < 120);
    assert_eq!(
        opened(&state)
            .listing(&REGISTRY, "itoa")
            .unwrap()
            .confirmed_at,
        NOW + 100
    );
    // A new listing makes the old confirmation void.
    let store = opened(&state);
    let mut new = listing(&[("1.0.0", 1), ("1.0.1", 2), ("1.0.2", 4)]);
    new.confirmed_at = NOW + 50;
    store.put_listing(&REGISTRY, "itoa", &new);
    assert_eq!(
        store.listing(&REGISTRY, "itoa").unwrap().confirmed_at,
        NOW + 50
    );
}

#[test]
fn what_a_registry_takes_back_stays_known() {
    let state = FakeState::default();
    filled(&state).flush(&state).unwrap();
    let store = opened(&state);
    let mut new = listing(&[("1.0.0", 1), ("1.0.2", 4)]);
    new.etag = Some(Arc::from("\"def\""));
    store.put_listing(&REGISTRY, "itoa", &new);
    store.flush(&state).unwrap();
    let now = opened(&state).listing(&REGISTRY, "itoa").unwrap();
    let gone = now.version("1.0.1").unwrap();
    assert!(gone.withdrawn);
    assert_eq!(gone.digests, vec![Digest::sha256([2; 32])]);
    assert!(!now.version("1.0.0").unwrap().withdrawn);
    // An incomplete answer withdraws nothing.
    let store = opened(&state);
    let mut part = listing(&[("1.0.3", 5)]);
    part.complete = false;
    store.put_listing(&REGISTRY, "ryu", &part);
    let now = store.listing(&REGISTRY, "ryu").unwrap();
    assert!(!now.version("1.0.0").unwrap().withdrawn);
    assert!(now.version("1.0.3").is_some());
}

#[test]
fn a_changed_digest_is_never_forgotten() {
    let state = FakeState::default();
    filled(&state).flush(&state).unwrap();
    let store = opened(&state);
    assert_eq!(store.earlier(&REGISTRY, "itoa"), Vec::new());
    store.put_listing(&REGISTRY, "itoa", &listing(&[("1.0.0", 66), ("1.0.1", 2)]));
    store.flush(&state).unwrap();
    for _ in 0..3 {
        let store = opened(&state);
        let earlier = store.earlier(&REGISTRY, "itoa");
        assert_eq!(earlier.len(), 1);
        assert_eq!(earlier[0].facts, version("1.0.0", 1));
        assert_eq!(earlier[0].said_at, NOW - 10);
        // And back again: both digests stay known.
        store.put_listing(&REGISTRY, "itoa", &listing(&[("1.0.0", 1), ("1.0.1", 2)]));
        assert_eq!(store.earlier(&REGISTRY, "itoa").len(), 2);
    }
}

#[test]
fn the_first_sight_counts() {
    let state = FakeState::default();
    let (one, two) = (opened(&state), opened(&state));
    one.put_first_seen("a", &Digest::sha256([1; 32]));
    one.put_first_seen("a", &Digest::sha256([2; 32]));
    two.put_first_seen("a", &Digest::sha256([3; 32]));
    one.flush(&state).unwrap();
    two.flush(&state).unwrap();
    assert_eq!(
        opened(&state).first_seen("a").unwrap().digest,
        Digest::sha256([1; 32])
    );
}

#[test]
fn two_writers_lose_nothing() {
    let state = FakeState::default();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let state = &state;
            scope.spawn(move || {
                for round in 0..5u8 {
                    let (store, problems) = ClaimStore::open(Some(state), NOW);
                    assert_eq!(problems, Vec::new());
                    store.put_blob(&format!("{thread}-{round}"), &[thread; 40]);
                    store.flush(state).unwrap();
                }
            });
        }
    });
    assert_eq!(opened(&state).len(), 20);
}

#[test]
fn puts_from_many_threads_are_seen() {
    let store = ClaimStore::in_memory(NOW);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for name in 0..50 {
                    store.put_listing(
                        &REGISTRY,
                        &format!("p{thread}-{name}"),
                        &listing(&[("1", 1)]),
                    );
                }
            });
        }
    });
    assert_eq!(store.len(), 200);
}

#[test]
fn a_manifest_is_kept_sorted_and_only_by_sha256() {
    let store = ClaimStore::in_memory(NOW);
    let mut unsorted = manifest(8);
    unsorted.entries.reverse();
    store.put_manifest(&unsorted);
    assert_eq!(store.manifest(&manifest(8).archive), Some(manifest(8)));
    let mut twice = manifest(7);
    twice.entries[1].path = twice.entries[0].path.clone();
    store.put_manifest(&twice);
    assert_eq!(store.manifest(&manifest(7).archive), None);
    let mut weak = manifest(6);
    weak.archive = Digest::new(Scheme::Sha1, &[6; 20]).unwrap();
    store.put_manifest(&weak);
    assert_eq!(store.manifest(&weak.archive), None);
}
