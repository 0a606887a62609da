//! Whether a `.d` file of rustc names something in an unpacked crate, whichever way the user spelled the path to it.
//!
//! What cargo unpacked lies in `registry/src/<index>/<name>-<version>/`: these components tell it whatever stands before
//! them (a link to the cargo home, a relative path). Other trees are told by their whole path, and by package name. Spaces
//! are escaped with a backslash.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use memchr::memmem;

use crate::ecosystems::cargo::folders::split_name;

const UNPACKED: &[u8] = b"registry/src/";

/// What is looked for.
pub(super) struct Sources {
    /// `<index>` and `<name>-<version>` of unpacked crates, each with the trees of that name.
    unpacked: BTreeMap<(Vec<u8>, Vec<u8>), Vec<usize>>,
    /// Other trees.
    elsewhere: Vec<(memmem::Finder<'static>, usize)>,
    /// Package of each tree.
    packages: Vec<String>,
}

/// What the `.d` files of a unit say.
#[derive(Default)]
pub(super) struct Says {
    /// Trees that they name.
    pub(super) trees: BTreeSet<usize>,
    /// Whether one could not be read.
    pub(super) unread: bool,
    /// Packages of which all of them name another version, unpacked; `None` if there is none.
    others: Option<BTreeSet<String>>,
}

impl Says {
    /// Whether they say that this package was built from another version.
    pub(super) fn is_other(&self, package: &str) -> bool {
        let named = self.others.as_ref().is_some_and(|o| o.contains(package));
        named && !self.unread
    }

    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        self.unread || self.others.is_some()
    }
}

impl Sources {
    /// Looks for these trees, absolute paths.
    pub(super) fn of(trees: &[PathBuf]) -> Self {
        let mut sources = Self {
            unpacked: BTreeMap::new(),
            elsewhere: Vec::new(),
            packages: Vec::new(),
        };
        for (at, tree) in trees.iter().enumerate() {
            let parts: Vec<&OsStr> = tree.iter().collect();
            let last = parts.last().copied().unwrap_or_default();
            let name = match split_name(last) {
                Some((name, _)) => name.to_owned(),
                None => last.to_string_lossy().into_owned(),
            };
            sources.packages.push(name);
            match parts.as_slice() {
                [.., registry, src, index, _] if *registry == "registry" && *src == "src" => {
                    let key = (index.as_bytes().to_vec(), last.as_bytes().to_vec());
                    sources.unpacked.entry(key).or_default().push(at);
                }
                _ => sources.elsewhere.extend(needle(tree).map(|n| (n, at))),
            }
        }
        sources
    }

    /// Trees of a package, by position.
    pub(super) fn of_package<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let named = self.packages.iter().enumerate();
        named.filter(move |(_, p)| *p == name).map(|(at, _)| at)
    }

    /// Packages, by position of their trees.
    pub(super) fn packages(&self) -> &[String] {
        &self.packages
    }

    /// Reads a `.d` file.
    pub(super) fn read(&self, bytes: &[u8], says: &mut Says) {
        let mut others = BTreeSet::new();
        for at in memmem::find_iter(bytes, UNPACKED) {
            let rest = bytes.get(at + UNPACKED.len()..).unwrap_or_default();
            let Some((index, rest)) = component(rest) else {
                continue;
            };
            let Some((tree, _)) = component(rest) else {
                continue;
            };
            let key = (index, tree);
            if let Some(trees) = self.unpacked.get(&key) {
                says.trees.extend(trees);
            } else if let Some((name, _)) = split_name(&std::ffi::OsString::from_vec(key.1))
                && self.packages.iter().any(|p| p == name)
            {
                others.insert(name.to_owned());
            }
        }
        for (finder, at) in &self.elsewhere {
            if finder.find(bytes).is_some() {
                says.trees.insert(*at);
            }
        }
        says.others = Some(match says.others.take() {
            Some(known) => known.intersection(&others).cloned().collect(),
            None => others,
        });
    }
}

/// The bytes up to the next `/`, unescaped, and what follows; none where the path ends before.
fn component(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = bytes;
    loop {
        let (first, tail) = rest.split_first()?;
        rest = tail;
        match (first, tail.first()) {
            (b'/', _) => return Some((out, tail)),
            (b'\\', Some(b' ')) => {
                out.push(b' ');
                rest = tail.get(1..)?;
            }
            (b' ' | b'\n', _) => return None,
            (byte, _) => out.push(*byte),
        }
    }
}

fn needle(tree: &Path) -> Option<memmem::Finder<'static>> {
    let last = tree.components().next_back();
    if !matches!(last, Some(Component::Normal(_))) || tree.as_os_str().len() < 4 {
        return None;
    }
    let mut needle = Vec::new();
    for byte in tree.as_os_str().as_bytes() {
        if *byte == b' ' {
            needle.push(b'\\');
        }
        needle.push(*byte);
    }
    needle.push(b'/');
    Some(memmem::Finder::new(&needle).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(trees: &[&str], text: &str) -> (Vec<usize>, bool) {
        let trees: Vec<PathBuf> = trees.iter().map(PathBuf::from).collect();
        let mut says = Says::default();
        Sources::of(&trees).read(text.as_bytes(), &mut says);
        (says.trees.iter().copied().collect(), says.is_other("beta"))
    }

    #[test]
    fn every_spelling_of_the_way_to_it_is_known() {
        let tree = "/h/.cargo/registry/src/r-1/beta-1.0.0";
        for way in ["/h/.cargo", "/link", "../x/.cargo", "", "/a\\ b"] {
            let text = format!("x.rlib: {way}/registry/src/r-1/beta-1.0.0/src/lib.rs\n");
            assert_eq!(says(&[tree], &text), (vec![0], false), "{way}");
        }
        for other in ["beta-1.0.01", "beta-1.0.0.crate", "xbeta-1.0.0"] {
            let text = format!("x: /h/.cargo/registry/src/r-1/{other}/src/lib.rs\n");
            assert!(says(&[tree], &text).0.is_empty(), "{other}");
        }
        assert!(
            says(&[tree], "x: /registry/src/r-2/beta-1.0.0/l.rs")
                .0
                .is_empty()
        );
        assert!(
            says(&[tree], "x: /registry/src/r-1/beta-1.0.0 y")
                .0
                .is_empty()
        );
    }

    #[test]
    fn another_version_is_told_from_this_one() {
        let tree = "/h/.cargo/registry/src/r-1/beta-1.0.0";
        let text = "x: /h/.cargo/registry/src/r-1/beta-2.0.0/src/lib.rs\n";
        assert_eq!(says(&[tree], text), (vec![], true));
        assert_eq!(says(&[tree], "x: src/lib.rs\n"), (vec![], false));
    }

    #[test]
    fn other_trees_are_known_by_their_path() {
        let tree = "/p q/vendor/beta";
        assert_eq!(says(&[tree], "x: /p\\ q/vendor/beta/src/lib.rs\n").0, [0]);
        assert!(
            says(&[tree], "x: /p\\ q/vendor/beta2/src/lib.rs\n")
                .0
                .is_empty()
        );
    }
}
