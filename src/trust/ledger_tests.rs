//! Tests of the ledger: what counts, for how long, and that a bad file costs time only.

use proptest::prelude::*;

use super::*;
use crate::model::Effect;
use crate::trust::fake_state::FakeState;

const NOW: i64 = 1_800_000_000;

fn identity(inode: u64) -> FileIdentity {
    FileIdentity {
        dev: 1,
        inode,
        size: 100,
        mtime: i128::from(NOW - 100) * SECOND,
        ctime: i128::from(NOW - 50) * SECOND,
    }
}

fn digest(byte: u8) -> Digest {
    Digest::sha256([byte; 32])
}

fn opened(state: &FakeState, now: i64) -> Ledger {
    let (ledger, problem) = Ledger::open(state, now);
    assert_eq!(problem, None);
    ledger
}

fn filled(state: &FakeState) -> Vec<u8> {
    let ledger = opened(state, NOW);
    for inode in 0..20 {
        ledger.put_file(&identity(inode), &digest(u8::try_from(inode).unwrap()), NOW);
    }
    ledger.put_tree(&[5; 32], &digest(99), NOW - 100, NOW);
    ledger.flush(state).unwrap();
    assert!(
        ledger.file(&identity(1)).is_some(),
        "still known to this run"
    );
    state.get("ledger").unwrap()
}

#[test]
fn what_was_hashed_is_known_on_the_next_run() {
    let state = FakeState::default();
    filled(&state);
    let ledger = opened(&state, NOW + 10);
    for inode in 0..20 {
        let known = ledger.file(&identity(inode));
        assert_eq!(known, Some(digest(u8::try_from(inode).unwrap())));
    }
    assert_eq!(ledger.file(&identity(20)), None);
    assert_eq!(ledger.tree(&[5; 32]), Some(digest(99)));
    assert_eq!(ledger.tree(&[6; 32]), None);
}

#[test]
fn any_part_of_the_identity_tells_files_apart() {
    let state = FakeState::default();
    filled(&state);
    let ledger = opened(&state, NOW);
    let of = identity(3);
    for other in [
        FileIdentity { dev: 2, ..of },
        FileIdentity { inode: 77, ..of },
        FileIdentity { size: 101, ..of },
        FileIdentity {
            mtime: of.mtime + 1,
            ..of
        },
        FileIdentity {
            ctime: of.ctime - 1,
            ..of
        },
    ] {
        assert_eq!(ledger.file(&other), None);
    }
    // A tree's identity is never taken for a file's.
    assert_eq!(ledger.tree(&of.key()), None);
}

#[test]
fn rows_expire() {
    let state = FakeState::default();
    filled(&state);
    assert!(
        opened(&state, NOW + EXPIRES - 1)
            .file(&identity(1))
            .is_some()
    );
    assert!(opened(&state, NOW + EXPIRES).file(&identity(1)).is_none());
    assert!(
        opened(&state, NOW - 1).file(&identity(1)).is_none(),
        "from the future"
    );
    let later = opened(&state, NOW + EXPIRES);
    later.put_tree(&[8; 32], &digest(1), NOW, NOW + EXPIRES);
    later.flush(&state).unwrap();
    assert_eq!(state.get("ledger").unwrap().len(), AROUND + ROW);
}

#[test]
fn young_files_are_hashed_again() {
    let ledger = opened(&FakeState::default(), NOW);
    let aged = |mtime: i128, ctime: i128| FileIdentity {
        mtime,
        ctime,
        ..identity(1)
    };
    let now = i128::from(NOW) * SECOND;
    for (young, kept) in [
        (aged(now - SETTLED, now - SETTLED), true),
        (aged(now - SETTLED + 1, now - SETTLED), false),
        (aged(0, now - 1), false),
        (aged(now + SECOND, 0), false),
        (aged(i128::MIN / 4, i128::MIN / 4), true),
        (aged(0, i128::MAX / 4), false),
    ] {
        ledger.put_file(&young, &digest(1), NOW);
        assert_eq!(ledger.file(&young).is_some(), kept, "{young:?}");
    }
    ledger.put_tree(&[1; 32], &digest(1), NOW - 2, NOW);
    ledger.put_tree(&[2; 32], &digest(1), NOW - 3, NOW);
    ledger.put_tree(&[3; 32], &digest(1), i64::MAX, NOW);
    assert!(ledger.tree(&[1; 32]).is_none() && ledger.tree(&[3; 32]).is_none());
    assert!(ledger.tree(&[2; 32]).is_some());
}

#[test]
fn only_sha256_is_kept() {
    let ledger = opened(&FakeState::default(), NOW);
    let weak = Digest::new(Scheme::Sha1, &[1; 20]).unwrap();
    ledger.put_file(&identity(1), &weak, NOW);
    assert_eq!(ledger.file(&identity(1)), None);
}

#[test]
fn damaged_or_cut_at_every_byte() {
    let whole = filled(&FakeState::default());
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        for bytes in [&damaged[..], &whole[..at]] {
            let state = FakeState::with("ledger", bytes);
            let (ledger, problem) = Ledger::open(&state, NOW);
            let problem = problem.unwrap();
            assert_eq!(problem.effect, Effect::AsTheTool);
            assert_eq!(ledger.file(&identity(3)), None);
            ledger.put_file(&identity(3), &digest(3), NOW);
            ledger.flush(&state).unwrap();
            assert_eq!(opened(&state, NOW).file(&identity(3)), Some(digest(3)));
        }
    }
}

#[test]
fn rows_out_of_order_are_refused() {
    let whole = filled(&FakeState::default());
    let mut swapped = whole[..whole.len() - 16].to_vec();
    let (first, second) = (24, 24 + ROW);
    for offset in 0..ROW {
        swapped.swap(first + offset, second + offset);
    }
    let sum = checksum(&swapped);
    swapped.extend_from_slice(&sum);
    assert!(
        Ledger::open(&FakeState::with("ledger", &swapped), NOW)
            .1
            .is_some()
    );
}

#[test]
fn two_writers_lose_nothing() {
    let state = FakeState::default();
    let (one, two) = (opened(&state, NOW), opened(&state, NOW));
    one.put_file(&identity(1), &digest(1), NOW);
    two.put_file(&identity(2), &digest(2), NOW);
    one.flush(&state).unwrap();
    two.flush(&state).unwrap();
    let both = opened(&state, NOW);
    assert!(both.file(&identity(1)).is_some() && both.file(&identity(2)).is_some());
}

#[test]
fn folders_that_cannot_be_written_are_said() {
    let mut state = FakeState::default();
    filled(&state);
    state.read_only = true;
    let ledger = opened(&state, NOW);
    assert_eq!(
        ledger.flush(&state),
        Ok(()),
        "nothing learned, nothing written"
    );
    ledger.put_file(&identity(50), &digest(1), NOW);
    let problem = ledger.flush(&state).unwrap_err();
    assert!(problem.message.contains("not remembered"));
    let full = FakeState::default();
    *full.room.lock().unwrap() = Some(10);
    let ledger = opened(&full, NOW);
    ledger.put_file(&identity(1), &digest(1), NOW);
    assert!(ledger.flush(&full).is_err());
    let locked = FakeState::default();
    let held = locked.lock("ledger.lock").unwrap();
    let ledger = opened(&locked, NOW);
    ledger.put_file(&identity(1), &digest(1), NOW);
    assert!(ledger.flush(&locked).is_err());
    drop(held);
    ledger.flush(&locked).unwrap();
}

#[test]
fn the_oldest_rows_beyond_the_bound_are_dropped() {
    let key = |n: u64| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_be_bytes());
        key
    };
    let count = MOST as u64 + 3;
    let rows: BTreeMap<Key, Row> = (0..count)
        .map(|n| {
            let at = if n % 400_000 == 7 { NOW - 9 } else { NOW };
            (
                key(n),
                Row {
                    digest: [1; 32],
                    at,
                },
            )
        })
        .collect();
    let kept = newest(rows);
    assert_eq!(kept.len(), MOST);
    assert!(!kept.contains_key(&key(7)) && !kept.contains_key(&key(400_007)));
    assert!(kept.contains_key(&key(8)));
}

proptest! {
    #[test]
    fn any_file_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), sealed in any::<bool>()) {
        let mut file = HEADER.to_vec();
        file.extend_from_slice(&bytes);
        if sealed {
            let sum = checksum(&file);
            file.extend_from_slice(&sum);
        }
        let (ledger, _) = Ledger::open(&FakeState::with("ledger", &file), NOW);
        let _ = ledger.file(&identity(1));
    }
}
