//! Members of an archive that want one place, on every system or on those that ignore case or normalise names: which of
//! them decide about a build.
//!
//! A name that is listed twice decides if its content differs. Names that only fold to the same decide if their content
//! differs and a build could load one of them: two spellings of a readme are an oddity, two of a source file are not.

use std::collections::{BTreeSet, HashMap};

use crate::formats::casefold::collision_key;

/// Endings of files that people read and no build does.
const PROSE: &[&[u8]] = &[b".md", b".txt", b".rst", b".adoc"];
/// Names of such files without an ending, up to a dash or underscore (`LICENSE-MIT`).
const PROSE_NAMES: &[&[u8]] = &[
    b"authors",
    b"changelog",
    b"changes",
    b"contributing",
    b"contributors",
    b"copying",
    b"copyright",
    b"history",
    b"licence",
    b"license",
    b"news",
    b"notice",
    b"readme",
    b"unlicense",
];
/// A build reads this one, whatever its ending says.
const NO_PROSE: &[u8] = b"cmakelists.txt";

/// BLAKE3 of a file's content; a folder has none.
type Content = Option<[u8; 32]>;

/// The members of one archive.
#[derive(Default)]
pub(super) struct Collisions {
    names: HashMap<Box<[u8]>, Content>,
    groups: HashMap<Box<[u8]>, Group>,
    /// Names under which two contents stand.
    twice: BTreeSet<Box<[u8]>>,
}

/// What falls together under one key.
struct Group {
    /// The first spelling, if it is not the key.
    spelling: Option<Box<[u8]>>,
    content: Content,
    /// Whether there is another spelling.
    folded: bool,
    /// Whether something else stands under it than under the first.
    differs: bool,
    /// Whether no build loads any of it.
    inert: bool,
}

impl Collisions {
    /// Takes a file by its name in the archive.
    pub(super) fn file(&mut self, name: &[u8], blake3: [u8; 32]) {
        self.take(name, Some(blake3));
    }

    /// Takes a folder.
    pub(super) fn folder(&mut self, name: &[u8]) {
        self.take(name, None);
    }

    fn take(&mut self, name: &[u8], content: Content) {
        let parts: Vec<&[u8]> = name
            .split(|b| *b == b'/')
            .filter(|part| !part.is_empty() && *part != b".")
            .collect();
        let name = parts.join(&b'/');
        let inert = content.is_none() || is_prose(&name);
        self.one(&name, content, inert);
        let mut above = name.as_slice();
        while let Some(slash) = above.iter().rposition(|b| *b == b'/') {
            above = above.get(..slash).unwrap_or_default();
            self.one(above, None, inert);
        }
    }

    fn one(&mut self, name: &[u8], content: Content, inert: bool) {
        match self.names.get(name) {
            None => {
                self.names.insert(name.into(), content);
            }
            Some(before) if *before != content => {
                self.twice.insert(name.into());
            }
            Some(_) => {}
        }
        let mut key = Vec::new();
        collision_key(name, &mut key);
        let Some(group) = self.groups.get_mut(key.as_slice()) else {
            let group = Group {
                spelling: (name != key).then(|| name.into()),
                content,
                folded: false,
                differs: false,
                inert,
            };
            self.groups.insert(key.into(), group);
            return;
        };
        let same = group.spelling.as_deref().unwrap_or(&key) == name;
        group.folded |= !same;
        // What lies in a folder that has two spellings depends on the system.
        group.differs |= group.content != content || (!same && content.is_none());
        group.inert &= inert;
    }

    /// The names, in order, where it decides about a build which member a system takes.
    pub(super) fn deciding(&self) -> BTreeSet<&[u8]> {
        let folded = self
            .groups
            .iter()
            .filter(|(_, group)| group.folded && group.differs && !group.inert)
            .map(|(key, group)| group.spelling.as_deref().unwrap_or(key));
        folded
            .chain(self.twice.iter().map(|name| &**name))
            .collect()
    }
}

/// Whether a file is for people alone.
fn is_prose(path: &[u8]) -> bool {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let word = name.split(|b| matches!(b, b'-' | b'_')).next();
    let named = !name.contains(&b'.') && word.is_some_and(|word| PROSE_NAMES.contains(&word));
    named || (name != NO_PROSE && PROSE.iter().any(|ending| name.ends_with(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deciding(members: &[(&str, &str)]) -> Vec<String> {
        let of = |members: &mut dyn Iterator<Item = &(&str, &str)>| {
            let mut all = Collisions::default();
            for (name, content) in members {
                match name.strip_suffix('/') {
                    Some(folder) => all.folder(folder.as_bytes()),
                    None => all.file(
                        name.as_bytes(),
                        *blake3::hash(content.as_bytes()).as_bytes(),
                    ),
                }
            }
            let names = all.deciding();
            (
                names.len(),
                names
                    .iter()
                    .map(|n| String::from_utf8_lossy(n).into_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let (count, names) = of(&mut members.iter());
        // The order of members decides about the spelling that is named and about nothing else.
        assert_eq!(of(&mut members.iter().rev()).0, count);
        names
    }

    #[test]
    fn two_spellings_of_prose_decide_nothing() {
        for (a, b) in [
            ("README.md", "Readme.md"),
            ("LICENSE", "License"),
            ("LICENSE-MIT", "license-mit"),
            ("docs/A.txt", "docs/a.txt"),
            ("caf\u{e9}.rst", "cafe\u{301}.rst"),
            ("Docs/a.md", "docs/b.md"),
        ] {
            assert!(deciding(&[(a, "1"), (b, "2")]).is_empty(), "{a} {b}");
        }
    }

    #[test]
    fn two_spellings_of_what_a_build_could_load_decide() {
        for (a, b) in [
            ("src/lib.rs", "src/Lib.rs"),
            ("src/a.rs", "SRC/b.rs"),
            ("build.rs", "BUILD.RS"),
            ("CMakeLists.txt", "cmakelists.txt"),
            ("README.rs", "readme.rs"),
            ("license.h", "LICENSE.h"),
            ("\u{e9}.rs", "e\u{301}.rs"),
            // One of them is for people, the other is not: `data` may be anything.
            ("data", "Data"),
        ] {
            assert_eq!(deciding(&[(a, "1"), (b, "2")]).len(), 1, "{a} {b}");
        }
        // A folder that holds both, and a file where a folder is.
        assert_eq!(
            deciding(&[("A/x.md", ""), ("a/y.md", ""), ("a/z.rs", "")]).len(),
            1
        );
        assert_eq!(deciding(&[("Src", ""), ("src/lib.rs", "")]).len(), 1);
        assert_eq!(deciding(&[("src", ""), ("src/lib.rs", "")]).len(), 1);
    }

    #[test]
    fn the_same_bytes_twice_decide_nothing() {
        assert!(deciding(&[("a.rs", "1"), ("A.rs", "1"), ("a.rs", "1")]).is_empty());
        let repeated = [("s/", ""), ("s/a.rs", "1"), ("s/./a.rs", "1"), ("s/", "")];
        assert!(deciding(&repeated).is_empty());
    }

    #[test]
    fn one_name_with_two_contents_decides_whatever_it_is() {
        assert_eq!(
            deciding(&[("README.md", "1"), ("README.md", "2")]),
            ["README.md"]
        );
        assert_eq!(
            deciding(&[("readme.md", "1"), ("README.md", "2"), ("README.md", "3")]),
            ["README.md"]
        );
        assert_eq!(deciding(&[("a//b.rs", "1"), ("a/b.rs", "2")]), ["a/b.rs"]);
    }
}
