//! Every object of a small repository is checked, and every bad one is told.

use super::super::testing::{Memory, Put, deflate, index, pack, tight};
use super::super::{Kind, hash_object};
use super::*;

const SHA1: HashKind = HashKind::Sha1;

fn repository() -> Memory {
    let mut files = Memory::default();
    files.object(SHA1, Kind::Blob, b"loose");
    let (bytes, offsets) = pack(SHA1, &[Put::Whole(3, b"one"), Put::Whole(3, b"two")]);
    let rows = [
        (hash_object(SHA1, Kind::Blob, b"one").oid, offsets[0]),
        (hash_object(SHA1, Kind::Blob, b"two").oid, offsets[1]),
    ];
    files.put("objects/pack/pack-1.idx", index(SHA1, 2, &bytes, &rows));
    files.put("objects/pack/pack-1.pack", bytes);
    files
}

#[test]
fn everything_is_counted() {
    let check = check_all(&repository(), SHA1, &tight());
    assert_eq!((check.loose, check.packed, check.packs), (1, 2, 1));
    assert!(check.is_whole(), "{:?}", check.faults);
    assert_eq!(check.unread, Vec::<String>::new());
}

#[test]
fn an_object_larger_than_memory_allows_is_still_hashed() {
    let mut limits = tight();
    limits.object = 2;
    let check = check_all(&repository(), SHA1, &limits);
    assert_eq!((check.loose, check.packed), (1, 2), "{:?}", check.faults);
}

#[test]
fn forged_loose_objects_and_consistently_forged_packs_are_found() {
    let mut files = repository();
    let oid = hash_object(SHA1, Kind::Blob, b"victim").oid;
    files.put(
        &super::super::object::loose_path("objects", &oid),
        deflate(b"blob 4\0evil"),
    );
    let (bytes, offsets) = pack(SHA1, &[Put::Whole(3, b"evil")]);
    files.put(
        "objects/pack/pack-2.idx",
        index(SHA1, 2, &bytes, &[(oid, offsets[0])]),
    );
    files.put("objects/pack/pack-2.pack", bytes);
    let check = check_all(&files, SHA1, &tight());
    assert_eq!(check.faults_total, 2);
    assert!(
        check
            .faults
            .iter()
            .all(|fault| matches!(fault, GitError::Forged { oid: found, .. } if *found == oid))
    );
}

#[test]
fn hidden_bytes_in_a_pack_are_found() {
    let hidden = deflate(b"hidden");
    let (mut bytes, offsets) = pack(
        SHA1,
        &[
            Put::Whole(3, b"one"),
            Put::Raw(&hidden),
            Put::Whole(3, b"two"),
        ],
    );
    bytes[11] = 2;
    bytes.truncate(bytes.len() - 20);
    let seal = SHA1.of_bytes(&bytes);
    bytes.extend(seal.as_bytes());
    let rows = [
        (hash_object(SHA1, Kind::Blob, b"one").oid, offsets[0]),
        (hash_object(SHA1, Kind::Blob, b"two").oid, offsets[2]),
    ];
    let mut files = Memory::default();
    files.put("objects/pack/pack-1.idx", index(SHA1, 2, &bytes, &rows));
    files.put("objects/pack/pack-1.pack", bytes);
    let check = check_all(&files, SHA1, &tight());
    assert_eq!(
        check.faults,
        [GitError::corrupt(
            "objects/pack/pack-1.pack",
            "its objects leave gaps or overlap"
        )]
    );
}

#[test]
fn what_is_not_read_is_named_and_sealed_files_are_checked() {
    let mut files = repository();
    files.put("objects/stray", b"x".to_vec());
    files.put("objects/pack/pack-1.promisor", b"x".to_vec());
    files.put("objects/ab/not-an-id", b"x".to_vec());
    files.put(
        "objects/pack/multi-pack-index",
        b"MIDX without its hash".to_vec(),
    );
    let check = check_all(&files, SHA1, &tight());
    assert_eq!(
        check.unread,
        [
            "objects/ab/not-an-id",
            "objects/pack/pack-1.promisor",
            "objects/stray"
        ]
    );
    assert_eq!(
        check.faults,
        [GitError::corrupt(
            "objects/pack/multi-pack-index",
            "it does not end in the hash of its bytes"
        )]
    );
}

#[test]
fn spent_work_is_a_limit_and_never_whole() {
    let limits = Limits {
        total_work: 60,
        ..tight()
    };
    let check = check_all(&repository(), SHA1, &limits);
    assert!(!check.is_whole());
    assert!(
        check
            .faults
            .iter()
            .any(|fault| matches!(fault, GitError::Limit { .. }))
    );
}
