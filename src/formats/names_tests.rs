//! Names and places of archive members.

use proptest::prelude::*;

use super::*;

fn all(name: &[u8]) -> Vec<NameFlaw> {
    let mut out = Vec::new();
    flaws(name, |flaw| out.push(flaw));
    out.sort();
    out
}

#[test]
fn ordinary_names_have_no_flaw() {
    for name in [
        "a",
        "a/b.rs",
        ".gitignore",
        "a/..b",
        "a/...c",
        "x-1.0.0/src/comma.rs",
        "com10",
        "\u{e9}",
    ] {
        assert_eq!(all(name.as_bytes()), [], "{name}");
    }
}

#[test]
fn each_flaw_is_seen_once() {
    for (name, expected) in [
        (&b""[..], vec![NameFlaw::Empty]),
        (b".", vec![NameFlaw::Empty, NameFlaw::Dot]),
        (b"/a", vec![NameFlaw::Absolute]),
        (b"a/../../b", vec![NameFlaw::Parent]),
        (b"./a/./b", vec![NameFlaw::Dot]),
        (b"a//b", vec![NameFlaw::EmptyComponent]),
        (b"a\\b", vec![NameFlaw::Backslash]),
        (b"a\0b", vec![NameFlaw::Nul]),
        (b"a\x1b[0m", vec![NameFlaw::Control]),
        ("a\u{9b}b".as_bytes(), vec![NameFlaw::Control]),
        (b"C:/a", vec![NameFlaw::Drive, NameFlaw::Colon]),
        (b"a/b:c", vec![NameFlaw::Colon]),
        (b"a/Con.txt", vec![NameFlaw::Reserved]),
        (b"LPT1/x", vec![NameFlaw::Reserved]),
        (b"a /b", vec![NameFlaw::TrailingDotOrSpace]),
        (b"a/b.", vec![NameFlaw::TrailingDotOrSpace]),
        (b"\xff", vec![NameFlaw::NotUtf8]),
    ] {
        assert_eq!(all(name), expected, "{}", name.escape_ascii());
    }
}

fn clashes(members: &[(&str, Shape)]) -> Vec<Clash> {
    let mut places = Places::default();
    let mut out = Vec::new();
    for (name, shape) in members {
        places.take(name.as_bytes(), *shape, |clash| out.push(clash));
    }
    out
}

#[test]
fn places_meet_by_name_fold_and_parent() {
    use Shape::{File, Folder};
    assert_eq!(
        clashes(&[
            ("a", Folder),
            ("a/b", File),
            ("a/c", File),
            ("d/e", File),
            ("d", Folder)
        ]),
        []
    );
    assert_eq!(clashes(&[("a/b", File), ("a/b", File)]), [Clash::Duplicate]);
    assert_eq!(
        clashes(&[("a/b", File), ("./a//b", File)]),
        [Clash::Duplicate]
    );
    assert_eq!(
        clashes(&[("a", Folder), ("a", Folder)]),
        [Clash::DuplicateFolder]
    );
    assert_eq!(clashes(&[("a", Folder), ("a", File)]), [Clash::Duplicate]);
    assert_eq!(clashes(&[("a/B", File), ("a/b", File)]), [Clash::Folded]);
    assert_eq!(clashes(&[("A/b", File), ("a/c", File)]), [Clash::Folded]);
    assert_eq!(
        clashes(&[("\u{e9}", File), ("e\u{301}", File)]),
        [Clash::Folded]
    );
    assert_eq!(
        clashes(&[("a", File), ("a/b", File)]),
        [Clash::FileAndFolder]
    );
    assert_eq!(
        clashes(&[("a/b", File), ("a", File)]),
        [Clash::FileAndFolder]
    );
}

proptest! {
    #[test]
    fn any_names_are_taken(names in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..20)) {
        let mut places = Places::default();
        for name in &names {
            flaws(name, |_| {});
            places.take(name, Shape::File, |_| {});
            let mut again = false;
            places.take(name, Shape::File, |_| again = true);
            prop_assert!(again);
        }
    }
}
