//! Members of a `.crate` that want one place: what counts always, and what only where nobody is trusted with the digest.

use std::io::Write as _;

use super::*;

/// A member of a plain POSIX archive.
fn member(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut head = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000017\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = head.iter().map(|b| u32::from(*b)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = [&head, content].concat();
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn packed(members: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for (name, kind, content) in members {
        let name = format!("a-1.0.0/{name}");
        writer.write_all(&member(&name, *kind, content)).unwrap();
    }
    writer.write_all(&[0; 1024]).unwrap();
    writer.finish().unwrap()
}

/// Counts what it is shown.
#[derive(Default)]
struct Count(usize);

impl Visitor for Count {
    fn begin(&mut self, _: &[u8], _: u64, _: u32) {
        self.0 += 1;
    }

    fn bytes(&mut self, _: &[u8]) {}

    fn end(&mut self, _: Option<&[u8; 32]>) {}
}

/// Inflated whole and streamed: both ways must say the same.
fn seen(members: &[(&str, u8, &[u8])]) -> Unpacked {
    let bytes = packed(members);
    let mut both = [1 << 20, 16].map(|whole| {
        let (mut scratch, mut count) = (Scratch::new(), Count::default());
        let seen = read(&bytes, "a-1.0.0", whole, &mut scratch, &mut count).unwrap();
        let files = members.iter().filter(|(_, kind, _)| *kind == b'0').count();
        assert_eq!(count.0, files, "each file is shown once");
        (seen.ambiguities, seen.excused, seen.irregular, seen.content)
    });
    assert_eq!(both[0], both[1]);
    let (ambiguities, excused, irregular, content) = std::mem::take(&mut both[0]);
    Unpacked {
        ambiguities,
        excused,
        irregular,
        content,
        recipe: None,
    }
}

#[test]
fn two_spellings_of_a_readme_are_excused_and_told() {
    let seen = seen(&[
        ("src/lib.rs", b'0', b"x"),
        ("README.md", b'0', b"one"),
        ("Readme.md", b'0', b"two"),
    ]);
    assert!(seen.ambiguities.is_empty(), "{:?}", seen.ambiguities);
    assert_eq!(seen.excused, ["a-1.0.0/Readme.md: Clash(Folded)"]);
    assert_eq!(seen.content, 7);
}

#[test]
fn two_spellings_of_a_source_file_count() {
    let seen = seen(&[
        ("src/lib.rs", b'0', b"one"),
        ("src/Lib.rs", b'0', b"two"),
        ("README.md", b'0', b"one"),
        ("Readme.md", b'0', b"two"),
    ]);
    assert_eq!(seen.ambiguities, ["a-1.0.0/src/lib.rs: Clash(Folded)"]);
}

#[test]
fn a_repeated_member_counts_only_with_other_bytes() {
    let same = seen(&[("src/lib.rs", b'0', b"one"), ("src/lib.rs", b'0', b"one")]);
    assert!(same.ambiguities.is_empty(), "{:?}", same.ambiguities);
    assert_eq!(same.excused, ["a-1.0.0/src/lib.rs: Clash(Duplicate)"]);
    let other = seen(&[("README.md", b'0', b"one"), ("README.md", b'0', b"two")]);
    assert_eq!(other.ambiguities.len(), 1);
}

#[test]
fn other_oddities_beside_an_excused_one_count_as_ever() {
    let link = seen(&[
        ("README.md", b'0', b"one"),
        ("Readme.md", b'0', b"two"),
        ("link", b'2', b""),
    ]);
    assert_eq!(link.ambiguities, ["a-1.0.0/link: Irregular(50)"]);
    assert!(link.irregular);
    let hidden = seen(&[("README.md", b'0', b"one"), ("readme.md", b'2', b"")]);
    assert!(!hidden.ambiguities.is_empty(), "a link among the two");
}

#[test]
fn a_flood_of_excused_ones_hides_nothing() {
    let spellings: Vec<String> = (0..200u32)
        .map(|n| {
            let upper = |at: u32, c: char| {
                if n >> at & 1 == 1 {
                    c.to_ascii_uppercase()
                } else {
                    c
                }
            };
            "abcdefgh.md"
                .chars()
                .zip(0..)
                .map(|(c, at)| upper(at, c))
                .collect()
        })
        .collect();
    let mut members: Vec<(&str, u8, &[u8])> = spellings
        .iter()
        .map(|name| (name.as_str(), b'0', name.as_bytes()))
        .collect();
    members.push(("src/lib.rs", b'0', b"one"));
    members.push(("src/LIB.rs", b'0', b"two"));
    let seen = seen(&members);
    assert_eq!(
        seen.ambiguities.len(),
        SHOWN,
        "what was not kept may be anything"
    );
}
