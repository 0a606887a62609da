//! Archives made by hand, clean and with every ambiguity.

use std::io::Read;

use proptest::prelude::*;

use super::fixture::{Head, archive, extension, file, folder, records};
use super::*;
use crate::formats::limits::{Limit, Limits};
use crate::formats::names::{Clash, NameFlaw};

type Members = Vec<(TarEntry, Vec<u8>)>;

fn read_with(
    bytes: &[u8],
    limits: Limits,
    top: Option<&[u8]>,
) -> Result<(Members, TarFacts), TarError> {
    let mut reader = TarReader::new(bytes, limits, top);
    let mut members = Vec::new();
    while let Some(mut member) = reader.next_member()? {
        let mut content = Vec::new();
        member.read_to_end(&mut content)?;
        members.push((member.entry().clone(), content));
    }
    Ok((members, reader.finish()?.0))
}

fn read(bytes: &[u8]) -> Result<(Members, TarFacts), TarError> {
    read_with(bytes, Limits::DEFAULT, None)
}

fn found(parts: &[Vec<u8>]) -> Vec<TarAmbiguity> {
    let facts = read(&archive(parts)).unwrap().1;
    facts.ambiguities.kept().iter().map(|a| a.kind).collect()
}

fn sample() -> Vec<u8> {
    archive(&[
        folder("x-1/"),
        file("x-1/Cargo.toml", b"[package]"),
        file("x-1/src/lib.rs", &[b'a'; 600]),
    ])
}

#[test]
fn a_clean_archive_is_read_without_a_word() {
    let (members, facts) = read_with(&sample(), Limits::DEFAULT, Some(b"x-1")).unwrap();
    assert_eq!(facts.ambiguities.total(), 0);
    assert_eq!(
        (facts.entries, facts.content, facts.length),
        (3, 609, 512 * 6 + 1024)
    );
    assert!(facts.mechanisms.ustar && !facts.mechanisms.gnu);
    let (entry, content) = &members[2];
    assert_eq!(entry.path, b"x-1/src/lib.rs");
    assert_eq!(
        (entry.kind, entry.mode, entry.size, entry.mtime),
        (TarKind::File, 0o644, 600, 15)
    );
    assert_eq!(content, &[b'a'; 600]);
    assert_eq!(
        &sample()[usize::try_from(entry.offset).unwrap()..][..600],
        &content[..]
    );
    assert_eq!(members[0].0.kind, TarKind::Folder);
}

#[test]
fn content_that_nobody_reads_is_skipped() {
    let bytes = sample();
    let facts = TarReader::new(&bytes[..], Limits::DEFAULT, None)
        .finish()
        .unwrap()
        .0;
    assert_eq!(facts, read(&bytes).unwrap().1);
}

#[test]
fn long_names_come_from_every_mechanism() {
    let long = format!("x-1/{}", "n".repeat(150));
    let cut = long.split_at(100).0;
    for extra in [
        extension(b'L', format!("{long}\0").as_bytes()),
        extension(b'x', &records(&[("path", &long), ("mtime", "12.5")])),
    ] {
        let (members, facts) = read(&archive(&[extra, file(cut, b"abc")])).unwrap();
        assert_eq!(members[0].0.path, long.as_bytes());
        assert_eq!(facts.ambiguities.kept(), []);
        assert!(facts.mechanisms.gnu_long != facts.mechanisms.pax);
    }
    let split = Head::new(b"name", b'0', 0).put(345, b"pre/fix").bytes();
    assert_eq!(
        read(&archive(&[split])).unwrap().0[0].0.path,
        b"pre/fix/name"
    );
    // A name of all hundred bytes has no NUL behind it.
    let full = "f".repeat(100);
    assert_eq!(
        read(&archive(&[file(&full, b"")])).unwrap().0[0].0.path,
        full.as_bytes()
    );
}

#[test]
fn links_keep_their_targets() {
    let target = "t".repeat(120);
    let link = Head::new(b"l", b'2', 0)
        .put(157, &target.as_bytes()[..100])
        .bytes();
    for extra in [
        extension(b'K', format!("{target}\0").as_bytes()),
        extension(b'x', &records(&[("linkpath", &target)])),
    ] {
        let (members, facts) = read(&archive(&[extra, link.clone()])).unwrap();
        assert_eq!(
            (members[0].0.kind, &members[0].0.link[..]),
            (TarKind::Symlink, target.as_bytes())
        );
        assert_eq!(
            facts.ambiguities.kept()[0].kind,
            TarAmbiguity::Irregular(b'2')
        );
    }
}

#[test]
fn binary_sizes_are_read() {
    let head = Head::new(b"a", b'0', 0).put(124, b"\x80\0\0\0\0\0\0\0\0\0\0\x03");
    let (members, facts) = read(&archive(&[head.with(b"abc")])).unwrap();
    assert_eq!(members[0].1, b"abc");
    assert!(facts.mechanisms.base256);
    assert_eq!(facts.ambiguities.total(), 0);
}

#[test]
fn git_archives_have_a_global_comment() {
    let (_, facts) = read(&archive(&[
        extension(b'g', &records(&[("comment", "abc")])),
        file("a", b"x"),
    ]))
    .unwrap();
    assert!(facts.mechanisms.pax_global);
    assert_eq!(facts.ambiguities.total(), 0);
}

#[test]
fn names_from_two_places_are_ambiguous() {
    use TarAmbiguity as A;
    let long = "n".repeat(120);
    let other = "o".repeat(120);
    let l = |name: &str| extension(b'L', name.as_bytes());
    let x = |values: &[(&str, &str)]| extension(b'x', &records(values));
    let a = || file("a", b"abc");
    assert_eq!(
        found(&[l(&long), x(&[("path", &other)]), a()]),
        [A::TwoNames]
    );
    assert_eq!(found(&[l(&long), x(&[("path", &long)]), a()]), []);
    assert_eq!(found(&[x(&[("path", "b")]), a()]), [A::NeedlessLongName]);
    assert_eq!(found(&[l("b\0"), a()]), [A::NeedlessLongName]);
    assert_eq!(found(&[x(&[("path", "a")]), a()]), []);
    assert_eq!(found(&[l(&long), l(&long), a()]), [A::RepeatedExtension]);
    assert_eq!(found(&[x(&[]), x(&[]), a()]), [A::RepeatedExtension]);
    assert_eq!(
        found(&[x(&[("path", &long), ("path", &long)]), a()]),
        [A::PaxDuplicate]
    );
    assert_eq!(found(&[x(&[("path", "")]), a()]), [A::PaxEmpty]);
    assert_eq!(
        found(&[extension(b'g', &records(&[("path", "b")])), a()]),
        [A::PaxGlobal]
    );
    assert_eq!(
        found(&[x(&[("GNU.sparse.major", "1")]), a()]),
        [A::PaxSparse]
    );
    assert_eq!(
        found(&[l("a\0b\0"), a()]),
        [A::NeedlessLongName, A::Name(NameFlaw::Nul)]
    );
}

#[test]
fn sizes_from_two_places_are_ambiguous() {
    use TarAmbiguity as A;
    let x = || extension(b'x', &records(&[("size", "600")]));
    // The header says that the content has three bytes: what it hides behind them is a member to some.
    let inner = Head::new(b"a", b'0', 3).bytes();
    let body = [vec![b'a'; 512], vec![b'b'; 88], vec![0; 424]].concat();
    let (members, facts) = read(&archive(&[x(), inner.clone(), body.clone()])).unwrap();
    assert_eq!(members[0].0.size, 600);
    assert_eq!(facts.ambiguities.kept()[0].kind, A::PaxSize);
    let long = extension(b'L', "n".repeat(120).as_bytes());
    assert_eq!(
        found(&[x(), long, inner, body]),
        [A::PaxSizeBeforeExtension, A::PaxSize]
    );
    assert_eq!(
        found(&[Head::new(b"d/", b'5', 3).with(b"abc")]),
        [A::SizeOnNonFile]
    );
    assert_eq!(
        found(&[Head::new(b"l", b'1', 3).with(b"abc")]),
        [A::Irregular(b'1'), A::SizeOnNonFile]
    );
}

#[test]
fn odd_headers_are_ambiguous() {
    use TarAmbiguity as A;
    let a = || Head::new(b"a", b'0', 0);
    assert_eq!(found(&[a().put(257, b"ustar\x0001").bytes()]), [A::Magic]);
    assert_eq!(
        found(&[a().gnu().put(345, b"p").bytes()]),
        [A::PrefixWithoutUstar]
    );
    assert_eq!(
        found(&[a().v7().bytes(), a().gnu().put(0, b"b").bytes()]),
        []
    );
    assert_eq!(
        found(&[Head::new(b"x", b'x', 0).v7().bytes(), a().bytes()]),
        [A::ExtensionWithoutMagic]
    );
    assert_eq!(
        found(&[a().put(124, &[0; 12]).bytes()]),
        [A::Number(NumberField::Size)]
    );
    assert_eq!(
        found(&[a().put(136, &[0; 12]).bytes()]),
        [A::Number(NumberField::Mtime)]
    );
    assert_eq!(
        found(&[a().put(100, b"+000644\0").bytes()]),
        [A::Number(NumberField::Mode)]
    );
    assert_eq!(
        found(&[a().put(100, b"0004755\0").bytes()]),
        [A::SpecialMode]
    );
    assert_eq!(
        found(&[Head::new(b"a/", b'0', 0).bytes()]),
        [A::FileWithSlash, A::Name(NameFlaw::EmptyComponent)]
    );
    assert_eq!(found(&[Head::new(b"a/", 0, 0).v7().bytes()]), []);
    for kind in [b'1', b'2', b'3', b'4', b'6', b'7', b'D', b'V', b'X', b'z'] {
        assert_eq!(
            found(&[Head::new(b"a", kind, 0).bytes()]),
            [A::Irregular(kind)]
        );
    }
}

#[test]
fn names_and_places_are_judged() {
    use TarAmbiguity as A;
    let a = |name: &str| file(name, b"");
    assert_eq!(found(&[a("../a")]), [A::Name(NameFlaw::Parent)]);
    assert_eq!(found(&[a("/a")]), [A::Name(NameFlaw::Absolute)]);
    assert_eq!(found(&[a("")]), [A::Name(NameFlaw::Empty)]);
    assert_eq!(
        found(&[folder("./"), a("./a")]),
        [A::Name(NameFlaw::Dot), A::Name(NameFlaw::Dot)]
    );
    assert_eq!(found(&[a("a"), a("a")]), [A::Clash(Clash::Duplicate)]);
    assert_eq!(
        found(&[a("README"), a("readme")]),
        [A::Clash(Clash::Folded)]
    );
    assert_eq!(found(&[a("a"), a("a/b")]), [A::Clash(Clash::FileAndFolder)]);
    for (name, inside) in [
        ("x-1/a", true),
        ("./x-1/a", true),
        ("x-1", false),
        ("x-10/a", false),
        ("a", false),
    ] {
        let facts = read_with(&archive(&[a(name)]), Limits::DEFAULT, Some(b"x-1"))
            .unwrap()
            .1;
        let outside = facts
            .ambiguities
            .kept()
            .iter()
            .any(|f| f.kind == A::OutsideTop);
        assert_eq!(outside, !inside, "{name}");
    }
}

#[test]
fn the_end_is_looked_at() {
    use TarAmbiguity as A;
    let kinds = |bytes: &[u8]| -> Vec<_> {
        read(bytes)
            .unwrap()
            .1
            .ambiguities
            .kept()
            .iter()
            .map(|a| a.kind)
            .collect()
    };
    let a = file("a", b"abc");
    assert_eq!(kinds(&a), [A::MissingEnd]);
    assert_eq!(kinds(&[&a[..], &[0; 512]].concat()), [A::MissingEnd]);
    assert_eq!(kinds(&[&a[..], &[0; 10_240]].concat()), []);
    assert_eq!(
        kinds(&[&a[..], &[0; 512], &file("b", b""), &[0; 1024]].concat()),
        [A::TrailingData]
    );
    assert_eq!(
        kinds(&[&a[..], &[0; 1024], b"x"].concat()),
        [A::TrailingData]
    );
    assert_eq!(kinds(&[]), [A::MissingEnd]);
    let mut padded = archive(&[a]);
    padded[520] = 1;
    assert_eq!(kinds(&padded), [A::Padding]);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let a = Head::new(b"a", b'0', 0);
    let error = |parts: &[Vec<u8>]| read(&archive(parts)).unwrap_err();
    assert!(matches!(
        error(&[a.clone().put(124, b"x").bytes()]),
        TarError::Size { offset: 0 }
    ));
    assert!(matches!(
        error(&[a.clone().put(124, &[0xff; 12]).bytes()]),
        TarError::Size { .. }
    ));
    assert!(matches!(
        error(&[extension(b'x', b"7 a=b\n"), a.clone().bytes()]),
        TarError::Pax { .. }
    ));
    assert!(matches!(
        error(&[extension(b'x', &records(&[("size", "-1")])), a.bytes()]),
        TarError::Pax { .. }
    ));
    assert!(matches!(
        error(&[extension(b'L', b"name")]),
        TarError::Dangling { .. }
    ));
    assert!(matches!(
        error(&[Head::new(b"s", b'S', 0).bytes()]),
        TarError::Sparse { .. }
    ));
    // A size of nearly 2^63 bytes is only a number until the archive ends.
    let huge = Head::new(b"a", b'0', 0).put(124, b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
    assert!(matches!(error(&[huge.bytes()]), TarError::Truncated { .. }));
}

#[test]
fn a_reader_that_failed_does_not_look_clean_afterwards() {
    let bytes = [Head::new(b"s", b'S', 0).bytes(), vec![0; 1024]].concat();
    let mut reader = TarReader::new(&bytes[..], Limits::DEFAULT, None);
    assert!(reader.next_member().is_err());
    assert!(matches!(reader.next_member(), Err(TarError::GivenUp)));
    assert!(matches!(reader.finish(), Err(TarError::GivenUp)));
}

#[test]
fn limits_hold() {
    let limit = |limits, parts: &[Vec<u8>]| match read_with(&archive(parts), limits, None) {
        Err(TarError::Limit(error)) => error.limit,
        other => panic!("{other:?}"),
    };
    let small = Limits {
        max_entries: 1,
        max_name: 10,
        max_depth: 3,
        max_record: 100,
        ..Limits::DEFAULT
    };
    assert_eq!(
        limit(small, &[file("a", b""), file("b", b"")]),
        Limit::Entries
    );
    assert_eq!(limit(small, &[file("abcdefghijk", b"")]), Limit::Name);
    assert_eq!(limit(small, &[file("a/b/c/d", b"")]), Limit::Depth);
    assert_eq!(
        limit(small, &[extension(b'L', &[b'a'; 101])]),
        Limit::Record
    );
}

#[test]
fn every_truncation_is_an_error_or_a_missing_end() {
    let bytes = archive(&[
        extension(b'x', &records(&[("path", "a")])),
        file("a", &[1; 700]),
    ]);
    let end = bytes.len() - 1024;
    for len in 0..bytes.len() {
        match read(&bytes[..len]) {
            Err(TarError::Truncated { .. } | TarError::Dangling { .. }) => assert!(len < end + 512),
            Ok((_, facts)) => {
                assert!(len == 0 || len == end || len >= end + 512, "{len}");
                assert_eq!(facts.ambiguities.kept()[0].kind, TarAmbiguity::MissingEnd);
            }
            Err(error) => panic!("{len}: {error}"),
        }
    }
}

#[test]
fn every_flipped_byte_shows() {
    let clean = archive(&[
        extension(b'x', &records(&[("mtime", "5")])),
        file("a", b"abc"),
        extension(b'L', "n".repeat(120).as_bytes()),
        file("b", b"d"),
    ]);
    let before = read(&clean).unwrap();
    assert_eq!(before.1.ambiguities.total(), 0);
    for at in 0..clean.len() {
        for bit in [1, 0x20, 0x80] {
            let mut changed = clean.clone();
            changed[at] ^= bit;
            if let Ok(after) = read(&changed) {
                // Spaces and NULs around the checksum digits are the only bytes without meaning.
                let blank = at % 512 == 154 || at % 512 == 155;
                assert!(after != before || blank, "byte {at} bit {bit}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_change_is_an_answer(changes in proptest::collection::vec((0usize..4096, any::<u8>()), 0..8), fix in any::<bool>()) {
        let mut bytes = archive(&[
            extension(b'x', &records(&[("path", "a"), ("size", "3")])),
            file("a", b"abc"),
            file("c/b", b"d"),
        ]);
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
            if fix {
                // With the checksum put right, the change reaches the fields.
                let block = at / 512 * 512;
                let head = Head(bytes[block..block + 512].try_into().unwrap());
                bytes[block..block + 512].copy_from_slice(&head.bytes());
            }
        }
        let _ = read(&bytes);
    }
}
