//! Content against the claims of the directory, and bombs against the limits.

use super::fixture::{Item, archive, assemble};
use super::tests::{a, contents, open, read, sample};
use super::*;
use crate::formats::limits::{Limit, Limits};

#[test]
fn content_is_held_to_its_claims() {
    let read_all = |local: &[u8], central: &Item| {
        let bytes = assemble(local, &central.central(0), 1, b"");
        let opened = open(&bytes).unwrap();
        [EntryReader::new(), EntryReader::exact()]
            .map(|reader| contents(&opened, reader).map(|_| ()))
    };
    let lie = Item {
        content: b"package b package b package b".to_vec(),
        ..a()
    };
    for answer in read_all(&a().local(), &lie) {
        assert!(matches!(answer, Err(ZipError::Checksum)), "{answer:?}");
    }
    let mut corrupt = a().local();
    corrupt[39] = 0xff;
    for answer in read_all(&corrupt, &a()) {
        assert!(matches!(answer, Err(ZipError::Corrupt)), "{answer:?}");
    }
    // The size of the first entry in the directory.
    let at = a().local().len() + 24;
    for change in [-1i8, 1] {
        let mut bytes = archive(&[a()]);
        bytes[at] = bytes[at].wrapping_add_signed(change);
        let opened = open(&bytes).unwrap();
        for reader in [EntryReader::new(), EntryReader::exact()] {
            assert!(matches!(contents(&opened, reader), Err(ZipError::Size)));
        }
    }
    let encrypted = archive(&[Item { flags: 1, ..a() }]);
    assert!(matches!(read(&encrypted), Err(ZipError::Encrypted)));
    assert!(matches!(
        read(&archive(&[Item { method: 12, ..a() }])),
        Err(ZipError::Method { method: 12 })
    ));
    // Data behind the stream: nothing to a reader by directory, the next member to one from the front.
    let slack = Item {
        content: [a().data(), b"hidden".to_vec()].concat(),
        method: 0,
        ..a()
    };
    let mut bytes = archive(&[slack]);
    let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    for (at, number) in [(8, 8u32), (central + 10, 8)] {
        bytes[at..at + 2].copy_from_slice(&number.to_le_bytes()[..2]);
    }
    for (at, number) in [
        (central + 16, libdeflater::crc32(&a().content)),
        (central + 24, 29),
    ] {
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    let opened = open(&bytes).unwrap();
    assert_eq!(
        contents(&opened, EntryReader::new()).unwrap(),
        [a().content]
    );
    assert!(matches!(
        contents(&opened, EntryReader::exact()),
        Err(ZipError::Slack)
    ));
}

#[test]
fn large_members_are_read_in_pieces() {
    let content: Vec<u8> = (0..3_000_000u32)
        .flat_map(|n| (n / 3).to_le_bytes())
        .collect();
    for item in [
        Item::deflated("big", &content),
        Item::stored("big", &content),
    ] {
        let bytes = archive(&[item]);
        let opened = open(&bytes).unwrap();
        let mut pieces = 0;
        let mut all = Vec::new();
        let mut sink = |piece: &[u8]| {
            pieces += 1;
            all.extend_from_slice(piece);
        };
        EntryReader::new()
            .read(&opened, &opened.entries()[0], &mut sink)
            .unwrap();
        assert!(pieces > 100 && all == content);
    }
}

#[test]
fn limits_hold_for_bombs_too() {
    let limit = |bytes: &[u8], limits| match ZipArchive::open(bytes, limits, None) {
        Err(ZipError::Limit(error)) => error.limit,
        other => panic!("{other:?}"),
    };
    let small = Limits {
        max_compressed: 10_000,
        max_entries: 2,
        max_name: 12,
        ratio_floor: 1000,
        max_ratio: 2,
        ..Limits::DEFAULT
    };
    assert_eq!(limit(&vec![0; 10_001], small), Limit::Compressed);
    assert_eq!(limit(&sample(), small), Limit::Entries);
    assert_eq!(
        limit(&archive(&[Item::stored("a-name-of-fifteen", b"")]), small),
        Limit::Name
    );
    let bomb = archive(&[Item::deflated("bomb", &vec![0; 1 << 20])]);
    assert_eq!(limit(&bomb, small), Limit::Inflated);
    // A bomb that lies about its size is cut off at the lie.
    let mut lying = bomb;
    let central = lying.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    lying[central + 24..central + 28].copy_from_slice(&9u32.to_le_bytes());
    let opened = open(&lying).unwrap();
    for mut reader in [EntryReader::new(), EntryReader::exact()] {
        let mut passed = 0;
        let answer = reader.read(&opened, &opened.entries()[0], &mut |piece| {
            passed += piece.len();
        });
        assert!(matches!(answer, Err(ZipError::Size)) && passed == 0);
    }
}
