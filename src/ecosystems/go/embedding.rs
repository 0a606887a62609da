//! Which files of a tree the sources in it embed, at a bounded cost.
//!
//! Only sources that are the archive's are asked: any other is a finding already, and nobody need do what it says. What costs
//! more than is spent on any tree is not judged, and that is said.

use std::collections::{BTreeMap, BTreeSet};

use crate::ecosystems::contract::{TreeView, Unjudged};
use crate::model::text::percent;

use super::embed::{self, Below, Pattern};
use super::vendoring::{below, joined};

/// Most patterns of one package.
const PATTERNS: usize = 10_000;
/// Longest pattern.
const LONGEST: usize = 4096;
/// Most steps of matching in one tree.
const STEPS: u64 = 64 << 20;

/// The patterns of packages, by their folders.
pub(super) struct Embedding<'t> {
    tree: &'t TreeView<'t>,
    packages: BTreeMap<Vec<u8>, Vec<Pattern>>,
    steps: u64,
}

impl<'t> Embedding<'t> {
    /// Reads the patterns of the sources in these folders whose names count.
    pub(super) fn of<'a>(
        tree: &'t TreeView<'t>,
        folders: impl IntoIterator<Item = &'a [u8]>,
        counts: fn(&[u8]) -> bool,
    ) -> Result<Self, Unjudged> {
        let mut packages = BTreeMap::new();
        for folder in folders {
            let mut texts = BTreeSet::new();
            for name in (tree.files)(folder) {
                let path = joined(folder, &name);
                if !name.ends_with(b".go") || !counts(&name) || !(tree.is_archives)(&path) {
                    continue;
                }
                asked_to_end(tree)?;
                let source = (tree.read)(&path).map_err(Unjudged::unreadable)?;
                let own = embed::patterns(&source);
                let too_long = own.iter().any(|text| text.len() > LONGEST);
                texts.extend(own);
                if too_long || texts.len() > PATTERNS {
                    let path = percent(&path).0;
                    let why = format!("`{path}` embeds by more or longer patterns than are read");
                    return Err(Unjudged::limit(why));
                }
            }
            let read: Vec<Pattern> = texts
                .iter()
                .filter_map(|text| Pattern::read(text))
                .collect();
            if !read.is_empty() {
                packages.insert(folder.to_vec(), read);
            }
        }
        Ok(Self {
            tree,
            packages,
            steps: STEPS,
        })
    }

    /// Whether a package above embeds a file.
    pub(super) fn takes(&mut self, path: &[u8]) -> Result<bool, Unjudged> {
        if self.packages.is_empty() {
            return Ok(false);
        }
        asked_to_end(self.tree)?;
        for folder in above(path) {
            let Some(patterns) = self.packages.get(folder) else {
                continue;
            };
            let Some(text) = below(path, folder).and_then(Below::of) else {
                continue;
            };
            for pattern in patterns {
                let takes = pattern.takes(&text, &mut self.steps).ok_or_else(|| {
                    let folder = percent(folder).0;
                    let why = format!(
                        "what the sources in `{folder}` embed takes too long to find out: too many patterns for its files"
                    );
                    Unjudged::limit(why)
                })?;
                if takes {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Steps of matching that were taken.
    #[cfg(test)]
    fn taken(&self) -> u64 {
        STEPS - self.steps
    }
}

/// Litter that something embeds: positions.
pub(super) fn embedded_litter(
    litter: &[Vec<u8>],
    tree: &TreeView<'_>,
) -> Result<Vec<usize>, Unjudged> {
    let folders: BTreeSet<&[u8]> = litter.iter().flat_map(|path| above(path)).collect();
    // Those of tests and of what is left out of most builds count too.
    let mut embedding = Embedding::of(tree, folders, |_| true)?;
    let mut taken = Vec::new();
    for (at, path) in litter.iter().enumerate() {
        if embedding.takes(path)? {
            taken.push(at);
        }
    }
    Ok(taken)
}

/// The folders that a path lies in, the innermost last.
pub(super) fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, b)| **b == b'/');
    let ends = [0].into_iter().chain(slashes.map(|(at, _)| at));
    ends.map(|end| path.get(..end).unwrap_or_default())
}

fn asked_to_end(tree: &TreeView<'_>) -> Result<(), Unjudged> {
    if (tree.cancelled)() {
        return Err(Unjudged::limit("the run was asked to end".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::model::Reason;

    /// What the package `p` embeds of some files, and how many steps that took.
    fn taken(
        source: &str,
        files: &[String],
        genuine: bool,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(usize, u64), Unjudged> {
        let tree = TreeView {
            copied: &[],
            files: &|folder| match folder {
                b"p" => vec![b"p.go".to_vec()],
                _ => Vec::new(),
            },
            read: &|_| Ok(source.as_bytes().to_vec()),
            is_archives: &|_| genuine,
            cancelled,
        };
        let mut embedding = Embedding::of(&tree, [&b""[..], b"p"], |_| true)?;
        let mut taken = 0;
        for file in files {
            taken += usize::from(embedding.takes(file.as_bytes())?);
        }
        Ok((taken, embedding.taken()))
    }

    fn bomb() -> (String, Vec<String>) {
        let line = |n: usize| format!("//go:embed {}{n}\n", "*a".repeat(2000));
        let source: String = (0..200).map(line).collect();
        let files = (0..500).map(|n| format!("p/{}{n}", "a".repeat(200)));
        (format!("package p\n{source}"), files.collect())
    }

    #[test]
    fn what_costs_too_much_is_said_and_not_done() {
        let (source, files) = bomb();
        let judged = taken(&source, &files, true, &|| false);
        assert_eq!(judged.unwrap_err().reason, Reason::Limit);
        // A source that is not the archive's is not asked at all.
        assert_eq!(taken(&source, &files, false, &|| false), Ok((0, 0)));
        let long = format!("//go:embed {}\n", "a".repeat(5000));
        let judged = taken(&long, &files, true, &|| false);
        assert_eq!(judged.unwrap_err().reason, Reason::Limit);
        let many: String = (0..10_001).map(|n| format!("//go:embed a{n}\n")).collect();
        let judged = taken(&many, &files, true, &|| false);
        assert_eq!(judged.unwrap_err().reason, Reason::Limit);
    }

    #[test]
    fn whoever_asks_it_to_end_is_heard_between_files() {
        let asked = Cell::new(0);
        let cancelled = || {
            asked.set(asked.get() + 1);
            asked.get() > 5
        };
        let files: Vec<String> = (0..100).map(|n| format!("p/{n}")).collect();
        let judged = taken("//go:embed *\n", &files, true, &cancelled);
        assert!(judged.is_err());
        assert_eq!(asked.get(), 6);
    }

    #[test]
    fn what_modules_really_embed_is_far_from_the_bound() {
        let source: String = (0..100)
            .map(|n| format!("//go:embed assets/{n}/*.html all:static/{n}\n"))
            .collect();
        let files: Vec<String> = (0..10_000)
            .map(|n| format!("p/assets/{}/some/page{n}.html", n % 200))
            .collect();
        let (taken, steps) = taken(&source, &files, true, &|| false).unwrap();
        assert_eq!(taken, 0);
        assert!(steps < STEPS / 4, "{steps}");
    }

    #[test]
    fn the_folders_above_a_path() {
        let all: Vec<&[u8]> = above(b"a/b/c").collect();
        assert_eq!(all, [&b""[..], b"a", b"a/b"]);
        assert_eq!(above(b"c").count(), 1);
    }
}
