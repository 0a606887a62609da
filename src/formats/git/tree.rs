//! Tree objects: `<octal mode> <name>\0<id>` in git's order. A tree that two readers could understand differently is refused:
//! names that are empty, hold `/`, are `.`, `..` or `.git`, come twice or out of order, and unknown modes.

use super::{HashKind, Oid};

/// What a tree's entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// A regular file.
    File {
        /// Whether it is executable.
        executable: bool,
    },
    /// A symbolic link.
    Link,
    /// A directory.
    Directory,
    /// A submodule: the id is a commit of another repository.
    Submodule,
}

impl Mode {
    /// The spelling that git writes.
    #[must_use]
    pub const fn spelling(self) -> &'static str {
        match self {
            Self::File { executable: false } => "100644",
            Self::File { executable: true } => "100755",
            Self::Link => "120000",
            Self::Directory => "40000",
            Self::Submodule => "160000",
        }
    }

    /// Reads a mode. Besides git's own spellings, two that old versions wrote and that still lie in histories are understood:
    /// a group-writable file and a directory with a leading zero.
    fn parse(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"100644" | b"100664" => Self::File { executable: false },
            b"100755" => Self::File { executable: true },
            b"120000" => Self::Link,
            b"40000" | b"040000" => Self::Directory,
            b"160000" => Self::Submodule,
            _ => return None,
        })
    }
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// What it is.
    pub mode: Mode,
    /// Its name.
    pub name: Vec<u8>,
    /// Its object, or for a submodule the commit.
    pub oid: Oid,
}

/// Reads a tree.
///
/// # Errors
/// The rule that is broken, or that there are more than `most` entries.
pub fn parse(hash: HashKind, bytes: &[u8], most: usize) -> Result<Vec<TreeEntry>, &'static str> {
    const SHORT: &str = "a tree is cut short";
    let mut entries: Vec<TreeEntry> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == 0).ok_or(SHORT)?;
        let (head, tail) = rest.split_at_checked(end).ok_or(SHORT)?;
        let space = head
            .iter()
            .position(|byte| *byte == b' ')
            .ok_or("a tree's entry has no mode")?;
        let (mode, name) = head.split_at_checked(space).ok_or(SHORT)?;
        let name = name.get(1..).ok_or(SHORT)?;
        let mode = Mode::parse(mode).ok_or("a tree's entry has an unknown mode")?;
        let id = tail.get(1..=hash.width()).ok_or(SHORT)?;
        let oid = Oid::from_bytes(hash, id).ok_or(SHORT)?;
        rest = tail.get(1 + hash.width()..).ok_or(SHORT)?;
        if name.is_empty()
            || name.contains(&b'/')
            || name == b"."
            || name == b".."
            || name.eq_ignore_ascii_case(b".git")
        {
            return Err("a tree's entry has a forbidden name");
        }
        if let Some(last) = entries.last() {
            if last.name == name {
                return Err("a tree holds one name twice");
            }
            if sort_key(&last.name, last.mode)
                .cmp(sort_key(name, mode))
                .is_ge()
            {
                return Err("a tree is not in order");
            }
        }
        if entries.len() >= most {
            return Err("a tree has too many entries");
        }
        entries.push(TreeEntry {
            mode,
            name: name.to_vec(),
            oid,
        });
    }
    // A file and a directory of one name need not be neighbours in git's order.
    let mut names: Vec<&[u8]> = entries.iter().map(|entry| entry.name.as_slice()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err("a tree holds one name twice");
    }
    Ok(entries)
}

/// Git's order: byte for byte, a directory's name as if it ended in `/`.
pub(super) fn sort_key(name: &[u8], mode: Mode) -> impl Iterator<Item = u8> + '_ {
    name.iter()
        .copied()
        .chain((mode == Mode::Directory).then_some(b'/'))
}

/// Writes a tree's content; the entries must be in git's order.
#[must_use]
pub fn write(entries: &[TreeEntry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(entry.mode.spelling().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&entry.name);
        bytes.push(0);
        bytes.extend_from_slice(entry.oid.as_bytes());
    }
    bytes
}

/// Why a name is not what it seems on some file systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameFlaw {
    /// Another system takes it for `.git`: a short name, trailing dots or blanks, a stream, ignored code points.
    LikeDotGit,
    /// It differs from a neighbour only in letter case.
    CaseCollision,
}

/// The names of one directory that are not what they seem, in the order given.
#[must_use]
pub fn name_flaws<'a>(names: &[&'a [u8]]) -> Vec<(&'a [u8], NameFlaw)> {
    let mut folded: Vec<String> = names.iter().map(|name| fold(name)).collect();
    folded.sort_unstable();
    let twice: Vec<String> = folded
        .windows(2)
        .filter(|pair| pair.first() == pair.last())
        .filter_map(|pair| pair.first().cloned())
        .collect();
    let mut flaws = Vec::new();
    for name in names {
        if is_like_dot_git(name) {
            flaws.push((*name, NameFlaw::LikeDotGit));
        }
        if !twice.is_empty() && twice.binary_search(&fold(name)).is_ok() {
            flaws.push((*name, NameFlaw::CaseCollision));
        }
    }
    flaws
}

fn fold(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_lowercase()
}

fn is_like_dot_git(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name);
    // HFS+ leaves these code points out when it compares names.
    let seen: String = text
        .chars()
        .filter(|c| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
        .collect();
    // NTFS knows short names, drops trailing dots and blanks and reads `:` as a stream.
    let stem = seen
        .split([':', '\\'])
        .next()
        .unwrap_or_default()
        .trim_end_matches(['.', ' '])
        .to_ascii_lowercase();
    stem == ".git" || stem == "git~1"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(mode: Mode, name: &str) -> TreeEntry {
        TreeEntry {
            mode,
            name: name.into(),
            oid: Oid::Sha1([7; 20]),
        }
    }

    const FILE: Mode = Mode::File { executable: false };

    fn refusal(entries: &[TreeEntry]) -> &'static str {
        parse(HashKind::Sha1, &write(entries), 100).unwrap_err()
    }

    #[test]
    fn order_is_gits() {
        let good = [
            entry(FILE, "a.b"),
            entry(Mode::Directory, "a"),
            entry(FILE, "a0"),
            entry(Mode::Link, "b"),
            entry(Mode::Submodule, "c"),
        ];
        assert_eq!(parse(HashKind::Sha1, &write(&good), 100).unwrap(), good);
        assert_eq!(
            refusal(&[entry(Mode::Directory, "a"), entry(FILE, "a.b")]),
            "a tree is not in order"
        );
        assert_eq!(
            refusal(&[entry(FILE, "a"), entry(FILE, "a")]),
            "a tree holds one name twice"
        );
        assert_eq!(
            refusal(&[
                entry(FILE, "a"),
                entry(FILE, "a.b"),
                entry(Mode::Directory, "a")
            ]),
            "a tree holds one name twice"
        );
    }

    #[test]
    fn forbidden_names_and_modes() {
        for name in ["", ".", "..", ".git", ".GiT", "a/b"] {
            assert_eq!(
                refusal(&[entry(FILE, name)]),
                "a tree's entry has a forbidden name",
                "{name}"
            );
        }
        for mode in ["100600", "0100644", "40755", "644", "", "160001"] {
            let bytes = [mode.as_bytes(), b" a\0", &[0; 20]].concat();
            assert_eq!(
                parse(HashKind::Sha1, &bytes, 9),
                Err("a tree's entry has an unknown mode"),
                "{mode}"
            );
        }
        assert_eq!(
            parse(
                HashKind::Sha1,
                &write(&[entry(FILE, "a"), entry(FILE, "b")]),
                1
            ),
            Err("a tree has too many entries")
        );
    }

    #[test]
    fn names_that_are_not_what_they_seem() {
        let names: Vec<&[u8]> = [".g\u{200c}it", "GIT~1", "Readme", "readme", ".git ."]
            .map(str::as_bytes)
            .to_vec();
        let flaws: Vec<_> = name_flaws(&names)
            .into_iter()
            .map(|(_, flaw)| flaw)
            .collect();
        use NameFlaw::{CaseCollision, LikeDotGit};
        assert_eq!(
            flaws,
            [
                LikeDotGit,
                LikeDotGit,
                CaseCollision,
                CaseCollision,
                LikeDotGit
            ]
        );
        assert!(name_flaws(&[b".gitignore", b"git"]).is_empty());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse(HashKind::Sha1, &bytes, 8);
            let _ = parse(HashKind::Sha1, &[b"100644 ", bytes.as_slice()].concat(), 8);
            let _ = name_flaws(&[&bytes, b"a"]);
        }
    }
}
