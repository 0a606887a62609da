//! Which files of a module appear in a vendor folder (cmd/go 1.26, `modcmd/vendor.go`).
//!
//! Of the folder of each package that `modules.txt` lists Go copies every file but tests, `go.mod`, `go.sum`, and sources that
//! can never be built; what those sources embed, wherever it lies; and licences and the like from the folders above. What is
//! there must be the module's. What of that a build loads must be there; anything else is listed when it is not.

use std::collections::BTreeSet;

use crate::ecosystems::contract::{
    Absent, Difference, Extra, ExtraContext, Placement, Projection, TreeView,
};
use crate::world::FileKind;

use super::embed;
use super::projection::litter_or_forbidden;

/// Endings of what Go hands to compilers, assemblers and linkers beside its own sources (`go/build`).
const COMPILED: [&str; 19] = [
    "c", "cc", "cpp", "cxx", "m", "h", "hh", "hpp", "hxx", "f", "F", "for", "f90", "s", "S", "sx",
    "swig", "swigcxx", "syso",
];

/// `vendor/<path>/`.
pub(super) struct Vendored;

impl Projection for Vendored {
    fn id(&self) -> &'static str {
        "go-vendor/2"
    }

    fn placement(&self, _: &[u8]) -> Placement {
        Placement::Optional
    }

    fn weighs_absence(&self, _: &[u8], _: &[Box<[u8]>]) -> bool {
        true
    }

    fn absences(
        &self,
        absent: &[Absent],
        tree: &TreeView<'_>,
    ) -> Result<Vec<(usize, Difference)>, String> {
        // What a missing source embeds is not asked: that it is missing is found already.
        let mut embedding: Vec<(&[u8], Vec<String>)> = Vec::new();
        for folder in tree.copied {
            if absent
                .iter()
                .all(|file| below(&file.path, folder).is_none())
            {
                continue;
            }
            let mut patterns = Vec::new();
            for name in (tree.files)(folder) {
                if is_built(&name) && name.ends_with(b".go") {
                    patterns.extend(embed::patterns(&(tree.read)(&joined(folder, &name))?));
                }
            }
            if !patterns.is_empty() {
                embedding.push((folder, patterns));
            }
        }
        let embedded = |path: &[u8]| {
            embedding.iter().any(|(folder, patterns)| {
                let path = below(path, folder);
                path.is_some_and(|path| patterns.iter().any(|p| embed::takes(p, path)))
            })
        };
        // Go imports what lies there also where `modules.txt` does not list it.
        let folders: BTreeSet<&[u8]> = absent.iter().map(|file| folder(&file.path)).collect();
        let unlisted: BTreeSet<&[u8]> = folders
            .into_iter()
            .filter(|folder| {
                (tree.files)(folder).iter().any(|name| {
                    name.ends_with(b".go") && is_built(name) && !embedded(&joined(folder, name))
                })
            })
            .collect();
        let listed: BTreeSet<&[u8]> = tree.copied.iter().map(|folder| &**folder).collect();
        let judged = (0..).zip(absent).filter_map(|(at, file)| {
            let folder = folder(&file.path);
            let copied = listed.contains(folder) || unlisted.contains(folder);
            Some((at, missing(file, embedded(&file.path), copied)?))
        });
        Ok(judged.collect())
    }

    fn extra(&self, path: &[u8], kind: FileKind, _: Option<&[u8]>, _: &ExtraContext<'_>) -> Extra {
        litter_or_forbidden(path, kind)
    }

    fn ignores_modes(&self) -> bool {
        true
    }
}

/// How it is to be taken that a file is missing; `None` if Go does not copy it.
fn missing(file: &Absent, embedded: bool, copied: bool) -> Option<Difference> {
    if embedded {
        return Some(Difference::Finding);
    }
    let name = file.path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    if !copied || !is_copied(name, file.never_built) {
        return None;
    }
    Some(if is_loaded(name) {
        Difference::Finding
    } else {
        Difference::Listed("is not there, though Go copies it; no compiler loads it")
    })
}

/// Whether Go copies a file of a package's own folder.
pub(super) fn is_copied(name: &[u8], never_built: bool) -> bool {
    let never_built = never_built && name.ends_with(b".go");
    !(never_built || name.ends_with(b"_test.go") || matches!(name, b"go.mod" | b"go.sum"))
}

/// Whether a compiler, an assembler or a linker is handed a file by its name.
pub(super) fn is_loaded(name: &[u8]) -> bool {
    let ending = name.rsplit(|b| *b == b'.').next().unwrap_or_default();
    let known = || COMPILED.iter().any(|known| known.as_bytes() == ending);
    is_built(name) && ending.len() < name.len() && (ending == b"go" || known())
}

/// Go takes no notice of names like these, nor, in packages of others, of tests.
fn is_built(name: &[u8]) -> bool {
    !matches!(name.first(), Some(b'.' | b'_')) && !name.ends_with(b"_test.go")
}

/// The folder that a path lies in.
fn folder(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|b| *b == b'/');
    path.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// The rest of a path below a folder.
pub(super) fn below<'a>(path: &'a [u8], folder: &[u8]) -> Option<&'a [u8]> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix(b"/")
}

/// A name in a folder.
pub(super) fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    match folder {
        [] => name.to_vec(),
        _ => [folder, b"/", name].concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Of what is absent: missing, and listed.
    fn judged(
        tree: &[(&str, &str)],
        copied: &[&str],
        absent: &[(&str, bool)],
    ) -> (Vec<String>, Vec<String>) {
        let tree: BTreeMap<Vec<u8>, Vec<u8>> = tree
            .iter()
            .map(|(path, text)| (path.as_bytes().to_vec(), text.as_bytes().to_vec()))
            .collect();
        let absent: Vec<Absent> = absent
            .iter()
            .map(|(path, never_built)| Absent {
                path: path.as_bytes().into(),
                never_built: *never_built,
            })
            .collect();
        let copied: Vec<Box<[u8]>> = copied.iter().map(|f| f.as_bytes().into()).collect();
        let view = TreeView {
            copied: &copied,
            files: &|folder| {
                let names = tree.keys().filter_map(|path| below(path, folder));
                names
                    .filter(|name| !name.contains(&b'/'))
                    .map(<[u8]>::to_vec)
                    .collect()
            },
            read: &|path| Ok(tree[path].clone()),
        };
        let (mut missing, mut listed) = (Vec::new(), Vec::new());
        for (at, difference) in Vendored.absences(&absent, &view).unwrap() {
            let path = String::from_utf8(absent[at].path.to_vec()).unwrap();
            match difference {
                Difference::Finding => missing.push(path),
                Difference::Listed(_) => listed.push(path),
            }
        }
        (missing, listed)
    }

    #[test]
    fn what_a_build_loads_must_be_there() {
        let (missing, listed) = judged(
            &[("p/a.go", "package p\n")],
            &["p"],
            &[
                ("p/b.go", false),
                ("p/gen.go", true),
                ("p/b_test.go", false),
                ("p/_old.go", false),
                ("p/x.s", false),
                ("p/x.syso", false),
                ("p/README", false),
                ("p/go.mod", false),
                ("p/q/q.go", false),
                ("p/data/x.h", false),
                ("q/q.go", false),
            ],
        );
        assert_eq!(missing, ["p/b.go", "p/x.s", "p/x.syso"]);
        assert_eq!(listed, ["p/_old.go", "p/README"]);
    }

    #[test]
    fn folders_with_sources_are_packages_also_where_nothing_lists_them() {
        let embeds = "package p\nimport \"embed\"\n//go:embed t/*_x.go\nvar f embed.FS\n";
        let tree = [
            ("q/a.go", "package q\n"),
            ("p/p.go", embeds),
            ("p/t/a_x.go", "package t\n"),
        ];
        let absent = [("q/b.go", false), ("r/c.go", false), ("p/t/b.go", false)];
        assert_eq!(judged(&tree, &["p"], &absent).0, ["q/b.go"]);
    }

    #[test]
    fn what_is_embedded_must_be_there_wherever_it_lies() {
        let source = "package p\nimport \"embed\"\n//go:embed data/* x.txt\nvar f embed.FS\n";
        let absent = [
            ("p/data/a", false),
            ("p/data/deep/b", false),
            ("p/data/deep/_c", false),
            ("p/x.txt", false),
            ("p/y.txt", false),
            ("data/a", false),
        ];
        let (missing, listed) = judged(&[("p/a.go", source)], &["p"], &absent);
        assert_eq!(missing, ["p/data/a", "p/data/deep/b", "p/x.txt"]);
        assert_eq!(listed, ["p/y.txt"]);
        // In tests of others nothing is embedded, nor in what Go passes over.
        for name in ["p/a_test.go", "p/_a.go", "p/a.txt"] {
            let (missing, _) = judged(&[(name, source)], &["p"], &absent);
            assert!(missing.is_empty(), "{name}: {missing:?}");
        }
    }
}
