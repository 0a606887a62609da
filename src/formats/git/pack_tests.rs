//! Packs read back, by hand and by dice.

use proptest::prelude::*;

use super::super::testing::{Memory, Put, index, pack, tight};
use super::super::{Store, hash_object};
use super::*;

const SHA1: HashKind = HashKind::Sha1;

/// A delta that copies the whole base and appends `more`.
fn append(base: &[u8], more: &[u8]) -> Vec<u8> {
    let mut delta = vec![
        u8::try_from(base.len()).unwrap(),
        u8::try_from(base.len() + more.len()).unwrap(),
    ];
    delta.extend([
        0x90,
        u8::try_from(base.len()).unwrap(),
        u8::try_from(more.len()).unwrap(),
    ]);
    delta.extend(more);
    delta
}

fn blob(data: &[u8]) -> Oid {
    hash_object(SHA1, Kind::Blob, data).oid
}

fn stored(version: u8, entries: &[Put<'_>], ids: &[Oid]) -> Memory {
    let (bytes, offsets) = pack(SHA1, entries);
    let rows: Vec<_> = ids.iter().copied().zip(offsets).collect();
    let mut files = Memory::default();
    files.put(
        "objects/pack/pack-1.idx",
        index(SHA1, version, &bytes, &rows),
    );
    files.put("objects/pack/pack-1.pack", bytes);
    files
}

#[test]
fn both_index_versions_and_both_kinds_of_delta() {
    let (one, two) = (append(b"base", b"+1"), append(b"base+1", b"+2"));
    let ids = [blob(b"base"), blob(b"base+1"), blob(b"base+1+2")];
    for version in [1, 2] {
        let entries = [
            Put::Whole(3, b"base"),
            Put::Back(0, &one),
            Put::On(ids[1], &two),
        ];
        let files = stored(version, &entries, &ids);
        let store = Store::open(&files, SHA1, tight());
        assert_eq!(store.faults(), []);
        for (oid, data) in ids.iter().zip(["base", "base+1", "base+1+2"]) {
            assert_eq!(store.get(oid).object.unwrap().data, data.as_bytes());
        }
        assert!(store.get(&blob(b"none")).object.is_none());
    }
}

#[test]
fn other_bytes_under_an_id_are_never_handed_out() {
    let oid = blob(b"good");
    let files = stored(2, &[Put::Whole(3, b"evil")], &[oid]);
    let lookup = Store::open(&files, SHA1, tight()).get(&oid);
    assert!(lookup.object.is_none());
    assert!(
        matches!(lookup.faults[..], [GitError::Forged { actual, .. }] if actual == blob(b"evil"))
    );
}

#[test]
fn circles_and_long_chains_end() {
    let delta = append(b"x", b"y");
    let ids = [blob(b"a"), blob(b"b")];
    let files = stored(2, &[Put::On(ids[1], &delta), Put::On(ids[0], &delta)], &ids);
    let lookup = Store::open(&files, SHA1, tight()).get(&ids[0]);
    assert!(
        matches!(lookup.faults[..], [GitError::Limit { .. }]),
        "{:?}",
        lookup.faults
    );
    // Forty deltas, one on the other, where twenty are allowed.
    let deltas: Vec<Vec<u8>> = (1..=40_usize)
        .map(|n| append(&vec![b'x'; n], b"x"))
        .collect();
    let mut entries = vec![Put::Whole(3, b"x")];
    entries.extend(
        deltas
            .iter()
            .enumerate()
            .map(|(n, delta)| Put::Back(n, delta)),
    );
    let ids: Vec<Oid> = (1..=41).map(|n| blob(&vec![b'x'; n])).collect();
    let files = stored(2, &entries, &ids);
    let store = Store::open(&files, SHA1, tight());
    let lookup = store.get(&ids[20]);
    assert!(lookup.object.is_some(), "{:?}", lookup.faults);
    assert!(matches!(
        store.get(&ids[40]).faults[..],
        [GitError::Limit { .. }]
    ));
}

#[test]
fn bombs_meet_a_limit() {
    // Each delta copies its base 16 times over: 16 to the power of the chain.
    let zeros = [0; 4096];
    let mut entries = vec![Put::Whole(3, &zeros)];
    let deltas: Vec<Vec<u8>> = (0..8_u32)
        .map(|n| {
            let (from, to) = (4096_u64 << (4 * n), 4096_u64 << (4 * n + 4));
            let mut delta = Vec::new();
            for mut value in [from, to] {
                while value > 0x7f {
                    delta.push(0x80 | u8::try_from(value & 0x7f).unwrap());
                    value >>= 7;
                }
                delta.push(u8::try_from(value).unwrap());
            }
            let size = u32::try_from(from)
                .unwrap_or(0xff_ffff)
                .min(0xff_ffff)
                .to_le_bytes();
            (0..16).for_each(|_| delta.extend([0xf0, size[0], size[1], size[2]]));
            delta
        })
        .collect();
    entries.extend(
        deltas
            .iter()
            .enumerate()
            .map(|(n, delta)| Put::Back(n, delta)),
    );
    let ids: Vec<Oid> = (0..9_u8).map(|n| blob(&[n])).collect();
    let files = stored(2, &entries, &ids);
    let store = Store::open(&files, SHA1, tight());
    assert_eq!(store.faults(), []);
    for oid in &ids {
        assert!(store.get(oid).object.is_none());
    }
    assert!(
        store.get(&ids[8]).faults[0]
            .to_string()
            .contains("too large")
    );
    // A stream that inflates to more than its entry says.
    let mut raw = vec![0x31];
    raw.extend(super::super::testing::deflate(&vec![0; 1 << 20]));
    let files = stored(2, &[Put::Raw(&raw)], &ids[..1]);
    assert!(Store::open(&files, SHA1, tight()).get(&ids[0]).faults[0].is_bad_content());
}

#[test]
fn every_flipped_byte_of_pack_and_index_is_harmless() {
    let delta = append(b"base", b"+1");
    let ids = [blob(b"base"), blob(b"base+1")];
    let good = stored(2, &[Put::Whole(3, b"base"), Put::Back(0, &delta)], &ids);
    for name in ["objects/pack/pack-1.pack", "objects/pack/pack-1.idx"] {
        for at in 0..good.files[name].len() {
            let mut bad = good.clone();
            bad.files.get_mut(name).unwrap()[at] ^= 0xff;
            let store = Store::open(&bad, SHA1, tight());
            for (oid, data) in ids.iter().zip(["base", "base+1"]) {
                if let Some(object) = store.get(oid).object {
                    assert_eq!(object.data, data.as_bytes());
                }
            }
            assert!(
                !super::super::full::check_all(&bad, SHA1, &tight()).is_whole(),
                "{name} byte {at}"
            );
        }
    }
}

proptest! {
    #[test]
    fn never_panics(raw in prop::collection::vec(any::<u8>(), 0..80), idx in prop::collection::vec(any::<u8>(), 0..80), kind in 0..8_u8) {
        let oid = blob(b"x");
        let mut entry = vec![kind << 4 | 0x8f];
        entry.extend(&raw);
        let mut files = stored(2, &[Put::Raw(&entry)], &[oid]);
        prop_assert!(Store::open(&files, SHA1, tight()).get(&oid).object.is_none());
        let _ = super::super::full::check_all(&files, SHA1, &tight());
        let index = files.files.get_mut("objects/pack/pack-1.idx").unwrap();
        let start = idx.first().map_or(0, |first| usize::from(*first) * 4);
        for (place, byte) in index.iter_mut().skip(start).zip(&idx) {
            *place = *byte;
        }
        let _ = Store::open(&files, SHA1, tight()).get(&oid);
        files.put("objects/pack/pack-1.idx", idx);
        files.put("objects/pack/pack-1.pack", raw);
        let _ = super::super::full::check_all(&files, SHA1, &tight());
    }
}
