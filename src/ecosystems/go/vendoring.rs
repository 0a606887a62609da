//! Which files of a module appear in a vendor folder (cmd/go 1.26, `modcmd/vendor.go`).
//!
//! Of the folder of each package that `modules.txt` lists Go copies every file but tests, `go.mod`, `go.sum`, and sources that
//! can never be built; what those sources embed, wherever it lies; and licences and the like from the folders above. What is
//! there must be the module's. What of that a build loads must be there; anything else is listed when it is not. Beside sources
//! that are not Go's alone a build may load anything: they include files of any name.

use std::collections::{BTreeMap, BTreeSet};

use crate::ecosystems::contract::{
    Absent, Difference, Extra, ExtraContext, Placement, Projection, TreeView, Unjudged,
};
use crate::world::FileKind;

use super::embedding::{Embedding, above, embedded_litter};
use super::imports;
use super::projection::litter_or_forbidden;

/// Endings of what Go hands to compilers, assemblers and linkers beside its own sources (`go/build`).
const COMPILED: [&str; 19] = [
    "c", "cc", "cpp", "cxx", "m", "h", "hh", "hpp", "hxx", "f", "F", "for", "f90", "s", "S", "sx",
    "swig", "swigcxx", "syso",
];

/// `vendor/<path>/`.
pub(super) struct Vendored {
    /// Another module lies above it in the same vendor folder, and its patterns reach in here.
    pub(super) below_another: bool,
}

impl Projection for Vendored {
    fn id(&self) -> &'static str {
        "go-vendor/3"
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
    ) -> Result<Vec<(usize, Difference)>, Unjudged> {
        let mut lacking: BTreeSet<&[u8]> = BTreeSet::new();
        for file in absent {
            lacking.extend(above(&file.path));
        }
        let listed: BTreeSet<&[u8]> = tree.copied.iter().map(|folder| &**folder).collect();
        // What a missing source embeds is not asked: that it is missing is found already.
        let packages = listed.intersection(&lacking).copied();
        let mut embedding = Embedding::of(tree, packages, is_built)?;
        let folders: BTreeSet<&[u8]> = absent.iter().map(|file| folder(&file.path)).collect();
        // Whether Go copies what lies there, and whether compilers may be told to include any of it.
        let mut copied: BTreeMap<&[u8], (bool, Option<bool>)> = BTreeMap::new();
        for folder in folders {
            let is_copied = listed.contains(folder) || is_package(folder, tree, &mut embedding)?;
            copied.insert(folder, (is_copied, None));
        }
        let mut judged = Vec::new();
        for (at, file) in absent.iter().enumerate() {
            if embedding.takes(&file.path)? {
                judged.push((at, Difference::Finding));
                continue;
            }
            let (folder, name) = parted(&file.path);
            let Some((true, included)) = copied.get_mut(folder) else {
                continue;
            };
            if !is_copied(name, file.never_built) {
                continue;
            }
            let loaded = is_loaded(name)
                || match *included {
                    Some(included) => included,
                    None => *included.insert(includes(folder, tree)?),
                };
            let difference = if loaded {
                Difference::Finding
            } else {
                Difference::Listed("is not there, though Go copies it; no compiler loads it")
            };
            judged.push((at, difference));
        }
        Ok(judged)
    }

    fn extra(&self, path: &[u8], kind: FileKind, _: Option<&[u8]>, _: &ExtraContext<'_>) -> Extra {
        if self.below_another {
            Extra::Forbidden
        } else {
            litter_or_forbidden(path, kind)
        }
    }

    fn loaded_litter(
        &self,
        litter: &[Vec<u8>],
        tree: &TreeView<'_>,
    ) -> Result<Vec<usize>, Unjudged> {
        embedded_litter(litter, tree)
    }

    fn ignores_modes(&self) -> bool {
        true
    }
}

/// Whether sources lie in a folder that are not themselves embedded: Go imports them also where `modules.txt` does not list it.
fn is_package(
    folder: &[u8],
    tree: &TreeView<'_>,
    embedding: &mut Embedding<'_>,
) -> Result<bool, Unjudged> {
    for name in (tree.files)(folder) {
        let is_source = name.ends_with(b".go") && is_built(&name);
        if is_source && !embedding.takes(&joined(folder, &name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a package has sources that can include files of any name: such as are not Go's, or Go's with C in them.
fn includes(folder: &[u8], tree: &TreeView<'_>) -> Result<bool, Unjudged> {
    let names = (tree.files)(folder);
    let (own, others): (Vec<_>, Vec<_>) = names
        .iter()
        .filter(|name| is_loaded(name))
        .partition(|name| name.ends_with(b".go"));
    if !others.is_empty() {
        return Ok(true);
    }
    for name in own {
        let path = joined(folder, name);
        // Any other is a finding already.
        if (tree.is_archives)(&path) {
            let source = (tree.read)(&path).map_err(Unjudged::unreadable)?;
            if imports::import_paths(&source)
                .iter()
                .any(|path| path == "C")
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
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
    parted(path).0
}

/// The folder that a path lies in, and the name there.
fn parted(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(slash) => (
            path.get(..slash).unwrap_or_default(),
            path.get(slash + 1..).unwrap_or_default(),
        ),
        None => (&[], path),
    }
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
    use super::*;

    const VENDORED: Vendored = Vendored {
        below_another: false,
    };

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
            is_archives: &|_| true,
            cancelled: &|| false,
        };
        let (mut missing, mut listed) = (Vec::new(), Vec::new());
        for (at, difference) in VENDORED.absences(&absent, &view).unwrap() {
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
    fn what_compilers_may_include_must_be_there_by_any_name() {
        let absent = [
            ("p/table.inc", false),
            ("p/README", false),
            ("p/p_test.go", false),
            ("p/deep/table.inc", false),
        ];
        let both = ["p/table.inc", "p/README"];
        for (name, text) in [
            ("p/x.s", ""),
            ("p/x.h", ""),
            ("p/a.go", "package p\nimport \"C\"\n"),
        ] {
            let tree = [(name, text), ("p/deep/d.go", "package d\n")];
            let (missing, listed) = judged(&tree, &["p", "p/deep"], &absent);
            assert_eq!(missing, both, "{name}");
            assert_eq!(listed, ["p/deep/table.inc"], "{name}");
        }
        for name in ["p/a.go", "p/_x.s", "p/x.txt"] {
            let (missing, listed) = judged(&[(name, "package p\n")], &["p"], &absent);
            assert!(missing.is_empty(), "{name}: {missing:?}");
            assert_eq!(listed, both, "{name}");
        }
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
