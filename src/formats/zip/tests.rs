//! Archives made by hand, clean and with every ambiguity.

use proptest::prelude::*;

use super::fixture::{Item, archive, archive_of, assemble, end, end64};
use super::*;
use crate::formats::limits::Limits;
use crate::formats::names::{Clash, NameFlaw};

pub(super) type Content = Vec<Vec<u8>>;

pub(super) fn open(bytes: &[u8]) -> Result<ZipArchive<&[u8]>, ZipError> {
    ZipArchive::open(bytes, Limits::DEFAULT, None)
}

pub(super) fn contents(
    archive: &ZipArchive<&[u8]>,
    mut reader: EntryReader,
) -> Result<Content, ZipError> {
    let mut out = Vec::new();
    for entry in archive.entries() {
        let mut content = Vec::new();
        reader.read(archive, entry, &mut |piece| {
            content.extend_from_slice(piece);
        })?;
        out.push(content);
    }
    Ok(out)
}

/// Everything that the reader says about an archive.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<ZipEntry>, ZipFacts, Content), ZipError> {
    let archive = open(bytes)?;
    let exact = contents(&archive, EntryReader::exact());
    if let Ok(exact) = &exact {
        assert_eq!(exact, &contents(&archive, EntryReader::new()).unwrap());
    }
    Ok((archive.entries().to_vec(), archive.facts().clone(), exact?))
}

pub(super) fn found(bytes: &[u8]) -> Vec<ZipAmbiguity> {
    let archive = open(bytes).unwrap();
    archive
        .facts()
        .ambiguities
        .kept()
        .iter()
        .map(|a| a.kind)
        .collect()
}

pub(super) fn a() -> Item {
    Item::deflated("m@v1/a.go", b"package a package a package a")
}

pub(super) fn b() -> Item {
    Item::stored("m@v1/b/c.go", b"package b")
}

pub(super) fn sample() -> Vec<u8> {
    archive(&[
        a().streamed(),
        b(),
        Item {
            mode: 0o040_755,
            ..Item::stored("m@v1/d/", b"")
        },
    ])
}

#[test]
fn a_clean_archive_is_read_without_a_word() {
    let bytes = sample();
    let archive = ZipArchive::open(&bytes[..], Limits::GO_MODULE, Some(b"m@v1/")).unwrap();
    assert_eq!(archive.facts().ambiguities.kept(), []);
    let (entries, facts, content) = read(&bytes).unwrap();
    assert_eq!((facts.content, facts.zip64), (38, false));
    assert_eq!(
        content,
        [&b"package a package a package a"[..], b"package b", b""]
    );
    assert_eq!(&*entries[1].name, b"m@v1/b/c.go");
    assert_eq!(entries[2].kind, ZipKind::Folder);
    assert_eq!(found(&archive_of(&[], &[])), []);
    let mut wide = a().streamed();
    wide.wide_descriptor = true;
    assert_eq!(found(&fixture::archive(&[wide, b()])), []);
}

#[test]
fn zip64_is_read() {
    let items = [a(), b()];
    let front: Vec<u8> = items.iter().flat_map(Item::local).collect();
    // The second entry leaves its numbers to the extra field.
    let plain = items[1].central(items[0].local().len());
    let mut long = plain.clone();
    let (sizes, offset) = (plain[20..28].to_vec(), plain[42..46].to_vec());
    long[20..28].fill(0xff);
    long[42..46].fill(0xff);
    long[30] = 28;
    long.extend([1, 0, 24, 0]);
    for number in [&sizes[4..8], &sizes[..4], &offset] {
        long.extend(number);
        long.extend([0; 4]);
    }
    let directory = [items[0].central(0), long].concat();
    let ends = |count: usize| {
        let mut short = end(u16::MAX, 0, 0, b"");
        short[12..20].fill(0xff);
        [
            &front[..],
            &directory,
            &end64(count, directory.len(), front.len()),
            &short,
        ]
        .concat()
    };
    let (entries, facts, content) = read(&ends(2)).unwrap();
    assert!(facts.zip64);
    assert_eq!(facts.ambiguities.kept(), []);
    assert_eq!(content, [&items[0].content[..], &items[1].content]);
    assert_eq!(entries[1].header_offset, items[0].local().len() as u64);

    assert_eq!(found(&ends(3)), [ZipAmbiguity::Count]);
    let short = end(7, directory.len(), front.len(), b"");
    let both = [
        &front[..],
        &directory,
        &end64(2, directory.len(), front.len()),
        &short,
    ]
    .concat();
    assert_eq!(found(&both), [ZipAmbiguity::EndsDiffer]);
    let mut moved = ends(2);
    let at = moved.len() - 22 - 20 + 8;
    moved[at] ^= 1;
    assert_eq!(found(&moved), [ZipAmbiguity::Zip64Place]);
}

#[test]
fn many_members_are_read() {
    let count = 70_000;
    let (mut front, mut directory) = (Vec::new(), Vec::new());
    for n in 0..count {
        let item = Item::stored(&format!("d{}/f{n}", n % 100), b"x");
        directory.extend(item.central(front.len()));
        front.extend(item.local());
    }
    let long = end64(count, directory.len(), front.len());
    let bytes = [
        &front[..],
        &directory,
        &long,
        &end(u16::MAX, directory.len(), front.len(), b""),
    ]
    .concat();
    let archive = open(&bytes).unwrap();
    assert_eq!(archive.entries().len(), count);
    assert_eq!(archive.facts().ambiguities.total(), 0);
    // Without the zip64 record the count is only right modulo 2^16.
    let wrapped = assemble(&front, &directory, 4464, b"");
    assert_eq!(found(&wrapped), [ZipAmbiguity::Count]);
}

#[test]
fn members_are_judged() {
    use ZipAmbiguity as A;
    let named = |name: &str| archive(&[Item::stored(name, b"")]);
    assert_eq!(found(&named("../a")), [A::Name(NameFlaw::Parent)]);
    assert_eq!(found(&named("/a")), [A::Name(NameFlaw::Absolute)]);
    assert_eq!(found(&named("a\\b")), [A::Name(NameFlaw::Backslash)]);
    assert_eq!(found(&named("a\0b")), [A::Name(NameFlaw::Nul)]);
    assert_eq!(found(&named("a\nb")), [A::Name(NameFlaw::Control)]);
    assert_eq!(found(&named("")), [A::Name(NameFlaw::Empty)]);
    assert_eq!(found(&named("\u{e9}")), [A::NameEncoding]);
    assert_eq!(
        found(&archive(&[Item {
            flags: 1 << 11,
            ..Item::stored("\u{e9}", b"")
        }])),
        []
    );
    assert_eq!(found(&archive(&[a(), a()])), [A::Clash(Clash::Duplicate)]);
    assert_eq!(
        found(&archive(&[Item::stored("A", b""), Item::stored("a", b"")])),
        [A::Clash(Clash::Folded)]
    );
    assert_eq!(
        found(&archive(&[
            Item::stored("a/b", b""),
            Item::stored("a", b"")
        ])),
        [A::Clash(Clash::FileAndFolder)]
    );
    assert_eq!(
        found(&archive(&[Item {
            mode: 0o120_777,
            ..a()
        }])),
        [A::Irregular]
    );
    assert_eq!(
        found(&archive(&[Item {
            mode: 0o020_644,
            ..a()
        }])),
        [A::Irregular]
    );
    assert_eq!(
        found(&archive(&[Item {
            mode: 0o040_755,
            ..a()
        }])),
        [A::FolderOrFile]
    );
    assert_eq!(
        found(&archive(&[Item {
            mode: 0o104_755,
            ..a()
        }])),
        [A::SpecialMode]
    );
    assert_eq!(
        found(&archive(&[Item::stored("d/", b"x")])),
        [A::FolderWithContent]
    );
    assert_eq!(found(&archive(&[Item { flags: 1, ..a() }])), [A::Encrypted]);
    assert_eq!(
        found(&archive(&[Item { method: 93, ..a() }])),
        [A::Method(93)]
    );
    assert_eq!(
        found(&archive(&[Item {
            extra: vec![1, 2, 3],
            ..a()
        }])),
        [A::Extra, A::Extra]
    );
    let mut other = b"\x75\x70\x06\0\x01\0\0\0\0z".to_vec();
    assert_eq!(
        found(&archive(&[Item {
            extra: other.clone(),
            ..a()
        }])),
        [A::UnicodeName, A::UnicodeName]
    );
    other = [[1, 0, 0, 0], [1, 0, 0, 0]].concat();
    assert_eq!(
        found(&archive(&[Item {
            extra: other,
            ..a()
        }])),
        [A::RepeatedZip64, A::RepeatedZip64]
    );
    let bytes = sample();
    let outside = ZipArchive::open(&bytes[..], Limits::DEFAULT, Some(b"other/")).unwrap();
    assert_eq!(outside.facts().ambiguities.splitting(), 3);
}

#[test]
fn local_headers_are_compared() {
    use ZipAmbiguity as A;
    let against = |local: Item| found(&archive_of(&[local], &[a()]));
    assert_eq!(
        against(Item {
            name: b"m@v1/z.go".to_vec(),
            ..a()
        }),
        [A::LocalName]
    );
    assert_eq!(
        against(Item {
            flags: 1 << 11,
            ..a()
        }),
        [A::LocalFlags]
    );
    assert_eq!(
        against(Item {
            flags: 1 << 1,
            ..a()
        }),
        [A::LocalOther]
    );
    let method = Item {
        method: 9,
        content: a().data(),
        ..a()
    };
    assert_eq!(
        against(method),
        [A::LocalMethod, A::LocalSize, A::LocalChecksum]
    );
    let mut bytes = archive(&[a()]);
    bytes[14] ^= 1;
    assert_eq!(found(&bytes), [A::LocalChecksum]);
    let mut bytes = archive(&[a()]);
    bytes[22] ^= 1;
    assert_eq!(found(&bytes), [A::LocalSize]);
    let mut bytes = archive(&[a().streamed()]);
    let descriptor = a().local().len();
    bytes[descriptor + 5] ^= 1;
    assert_eq!(found(&bytes), [A::Descriptor, A::Gap]);
}

#[test]
fn every_byte_has_an_owner() {
    use ZipAmbiguity as A;
    let (first, second) = (a().local(), b().local());
    let build = |parts: &[&[u8]], offsets: [usize; 2]| {
        let directory = [a().central(offsets[0]), b().central(offsets[1])].concat();
        assemble(&parts.concat(), &directory, 2, b"")
    };
    let len = first.len();
    assert_eq!(found(&build(&[&first, &second], [0, len])), []);
    // The order in the directory is free.
    assert_eq!(found(&build(&[&second, &first], [second.len(), 0])), []);
    let hidden = Item::stored("hidden", b"x").local();
    let between = len + hidden.len();
    assert_eq!(
        found(&build(&[&first, &hidden, &second], [0, between])),
        [A::Gap]
    );
    assert_eq!(
        found(&build(&[&first, &second, &hidden], [0, len])),
        [A::Gap]
    );
    assert_eq!(
        found(&build(&[&hidden, &first, &second], [hidden.len(), between])),
        [A::Prefix]
    );
    let prefixed = [b"#!/bin/sh\n", &build(&[&first, &second], [0, len])[..]].concat();
    assert_eq!(found(&prefixed), [A::Prefix]);
    assert_eq!(read(&prefixed).unwrap().2[1], b().content);
    let twice = [a().central(0), a().central(0)].concat();
    assert_eq!(
        found(&assemble(&first, &twice, 2, b"")),
        [A::Clash(Clash::Duplicate), A::Overlap]
    );
}

#[test]
fn ends_are_compared() {
    use ZipAmbiguity as A;
    let (front, directory) = (a().local(), a().central(0));
    let with = |comment: &[u8]| assemble(&front, &directory, 1, comment);
    assert_eq!(found(&with(b"a comment is nothing")), []);
    assert_eq!(found(&with(&[b'c'; 65_535])), []);
    assert_eq!(open(&with(b"words")).unwrap().facts().comment, 5);
    assert_eq!(found(&with(b"PK\x05\x06")), [A::SeveralEnds]);
    let later = [&b"PK\x05\x06"[..], &[0xff; 20]].concat();
    assert_eq!(found(&with(&later)), [A::SeveralEnds]);
    assert_eq!(found(&[&with(b"")[..], b"x"].concat()), [A::TrailingData]);
    // A whole archive in the comment of another: the inner one is read, and does not begin where it should.
    let nested = with(&archive(&[b()]));
    let opened = open(&nested).unwrap();
    assert_eq!(&*opened.entries()[0].name, b"m@v1/b/c.go");
    assert_eq!(found(&nested), [A::Prefix]);
    assert_eq!(found(&assemble(&front, &directory, 2, b"")), [A::Count]);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    assert!(matches!(open(b""), Err(ZipError::NoEnd)));
    assert!(matches!(open(&[b'x'; 100]), Err(ZipError::NoEnd)));
    let bytes = sample();
    let last = bytes.len() - 22;
    let patched = |at: usize, patch: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + patch.len()].copy_from_slice(patch);
        open(&bytes).map(|_| ()).unwrap_err()
    };
    assert!(matches!(patched(last + 4, &[1]), ZipError::MultiDisk));
    assert!(matches!(patched(last + 8, &[9]), ZipError::MultiDisk));
    assert!(matches!(patched(last + 12, &[0xff; 4]), ZipError::BadEnd));
    assert!(matches!(patched(last + 16, &[0xff; 4]), ZipError::BadEnd));
    assert!(matches!(
        patched(0, b"XX"),
        ZipError::BadLocal { offset: 0 }
    ));
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    assert!(matches!(
        patched(directory, b"XX"),
        ZipError::BadDirectory { .. }
    ));
    assert!(matches!(
        patched(directory + 42, &[0xff; 4]),
        ZipError::BadLocal { .. }
    ));
    assert!(matches!(
        patched(directory + 20, &[0xff; 3]),
        ZipError::Truncated
    ));
    assert!(matches!(
        patched(directory + 28, &[0xff; 2]),
        ZipError::BadDirectory { .. }
    ));
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = sample();
    for len in 0..bytes.len() {
        assert!(open(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn every_flipped_byte_shows() {
    let clean = sample();
    let before = read(&clean).unwrap();
    let headers: Vec<usize> = (0..clean.len())
        .filter(|at| clean[*at..].starts_with(b"PK\x01\x02"))
        .collect();
    let stream_end = a().local().len() - 1;
    for at in 0..clean.len() {
        for bit in 0..8 {
            let mut changed = clean.clone();
            changed[at] ^= 1 << bit;
            if let Ok(after) = read(&changed) {
                // Version made by and needed, internal and MS-DOS attributes decide about nothing, nor do the spare
                // bits of the last deflate byte and the version in local headers.
                let idle = headers
                    .iter()
                    .any(|h| matches!(at - h.min(&at), 4..=7 | 36..=39))
                    || clean[..at].ends_with(b"PK\x03\x04")
                    || at > 0 && clean[..at - 1].ends_with(b"PK\x03\x04")
                    || at == stream_end;
                assert!(after != before || idle, "byte {at} bit {bit}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let _ = read(&[&bytes[..], &end(1, bytes.len().min(60), bytes.len().saturating_sub(60), b"")].concat());
    }

    #[test]
    fn any_change_is_an_answer(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = sample();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = read(&bytes);
    }
}
