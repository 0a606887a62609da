//! Whether a `.d` file of rustc names something in an unpacked crate, whichever way the user spelled the path to it.
//!
//! What cargo unpacked lies in `registry/src/<index>/<name>-<version>/`, what it checked out in
//! `git/checkouts/<name>-<hash>/<short>/`: these components tell it whatever stands before
//! them (a link to the cargo home, a relative path). Other trees are told by their whole path, and by package name. Spaces
//! are escaped with a backslash.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path};

use memchr::memmem;

use crate::ecosystems::cargo::folders::split_name;
use crate::ecosystems::cargo::git::folder_name;
use crate::ecosystems::contract::SourceTree;

const UNPACKED: &[u8] = b"registry/src/";

/// Where git packages are checked out.
const CHECKED_OUT: &[u8] = b"git/checkouts/";

/// `<name>-<hash>` and `<short>`; without the latter every checkout of a repository.
type Checkout = (Vec<u8>, Option<Vec<u8>>);

/// What is looked for.
pub(super) struct Sources {
    /// `<index>` and `<name>-<version>` of unpacked crates, each with the trees of that name.
    unpacked: BTreeMap<(Vec<u8>, Vec<u8>), Vec<usize>>,
    /// `<name>-<hash>` and, of one checkout, `<short>`, each with the trees of that name.
    checked_out: BTreeMap<Checkout, Vec<usize>>,
    /// Other trees.
    elsewhere: Vec<(memmem::Finder<'static>, usize)>,
    /// Packages, each with its tree.
    packages: Vec<(String, usize)>,
    /// Packages of checkouts.
    of_git: BTreeSet<String>,
}

/// What the `.d` files of a unit say.
#[derive(Default)]
pub(super) struct Says {
    /// Trees that they name.
    pub(super) trees: BTreeSet<usize>,
    /// Whether one could not be read.
    pub(super) unread: bool,
    /// Whether one names nothing that cargo fetched: the user's own code, or what passes itself off as that.
    pub(super) own: bool,
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
    /// Looks for these trees.
    pub(super) fn of(trees: &[SourceTree]) -> Self {
        let mut sources = Self {
            unpacked: BTreeMap::new(),
            checked_out: BTreeMap::new(),
            elsewhere: Vec::new(),
            packages: Vec::new(),
            of_git: BTreeSet::new(),
        };
        for (at, tree) in trees.iter().enumerate() {
            let parts: Vec<&OsStr> = tree.path.iter().collect();
            let last = parts.last().copied().unwrap_or_default();
            let is = |part: &OsStr, name: &str| part == name;
            match parts.as_slice() {
                [.., registry, src, index, _] if is(registry, "registry") && is(src, "src") => {
                    let key = (index.as_bytes().to_vec(), last.as_bytes().to_vec());
                    sources.unpacked.entry(key).or_default().push(at);
                }
                [.., git, all, folder, short] if is(git, "git") && is(all, "checkouts") => {
                    sources.checkout(tree, folder, Some(short), at);
                    continue;
                }
                [.., git, all, folder] if is(git, "git") && is(all, "checkouts") => {
                    sources.checkout(tree, folder, None, at);
                    continue;
                }
                _ => sources
                    .elsewhere
                    .extend(needle(&tree.path).map(|n| (n, at))),
            }
            let name = match split_name(last) {
                Some((name, _)) => name.to_owned(),
                None => last.to_string_lossy().into_owned(),
            };
            sources.packages.push((name, at));
        }
        sources
    }

    /// A checkout, or all of one repository. Where no lockfile says which packages it holds, the repository's name stands
    /// for them: most are called so.
    fn checkout(&mut self, tree: &SourceTree, folder: &OsStr, short: Option<&OsStr>, at: usize) {
        let key = (
            folder.as_bytes().to_vec(),
            short.map(|short| short.as_bytes().to_vec()),
        );
        self.checked_out.entry(key).or_default().push(at);
        let mut names: Vec<String> = tree.packages.iter().map(|name| (**name).into()).collect();
        if names.is_empty() {
            names.extend(folder.to_str().and_then(folder_name).map(str::to_owned));
        }
        self.of_git.extend(names.iter().cloned());
        self.packages
            .extend(names.into_iter().map(|name| (name, at)));
    }

    /// Trees of a package, by position.
    pub(super) fn of_package<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let named = self.packages.iter();
        named.filter(move |(p, _)| p == name).map(|(_, at)| *at)
    }

    /// Packages, each with its tree by position.
    pub(super) fn packages(&self) -> &[(String, usize)] {
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
                && self.packages.iter().any(|(p, _)| p == name)
            {
                others.insert(name.to_owned());
            }
        }
        for at in memmem::find_iter(bytes, CHECKED_OUT) {
            let rest = bytes.get(at + CHECKED_OUT.len()..).unwrap_or_default();
            let Some((folder, rest)) = component(rest) else {
                continue;
            };
            let Some((short, _)) = component(rest) else {
                continue;
            };
            let one = self.checked_out.get(&(folder.clone(), Some(short)));
            let all = self.checked_out.get(&(folder, None));
            if one.is_none() && all.is_none() {
                others.extend(self.of_git.iter().cloned());
            }
            says.trees.extend(one.into_iter().chain(all).flatten());
        }
        for (finder, at) in &self.elsewhere {
            if finder.find(bytes).is_some() {
                says.trees.insert(*at);
            }
        }
        says.own |= [UNPACKED, CHECKED_OUT]
            .iter()
            .all(|place| memmem::find(bytes, place).is_none());
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
        let tree = |path: &&str| SourceTree {
            path: path.into(),
            packages: Vec::new(),
        };
        let trees: Vec<SourceTree> = trees.iter().map(tree).collect();
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
    fn checkouts_are_known_by_repository_and_commit() {
        let one = "/h/.cargo/git/checkouts/beta-0123456789abcdef/abc1234";
        let all = "/h/.cargo/git/checkouts/beta-0123456789abcdef";
        let text = "x: /link/git/checkouts/beta-0123456789abcdef/abc1234/src/lib.rs\n";
        assert_eq!(says(&[one], text), (vec![0], false));
        assert_eq!(says(&[all], text), (vec![0], false));
        let other = text.replace("abc1234", "def5678");
        assert_eq!(says(&[one], &other), (vec![], true));
        assert_eq!(says(&[all], &other), (vec![0], false));
        let other = text.replace("beta-", "gamma-");
        assert_eq!(says(&[all], &other), (vec![], true));
        assert_eq!(says(&[all], "x: src/lib.rs\n"), (vec![], false));
        let tree = SourceTree {
            path: one.into(),
            packages: vec!["first".into(), "second".into()],
        };
        let sources = Sources::of(&[tree]);
        let named: Vec<usize> = sources.of_package("second").collect();
        assert_eq!((named, sources.of_package("beta").count()), (vec![0], 0));
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
