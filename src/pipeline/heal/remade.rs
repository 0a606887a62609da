//! What a tree is once its tool has unpacked the good archive anew: told before the tainted one is moved away, so that a restore
//! knows it again. Reads through the writing port; bounded.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::look;
use super::plan::Step;
use super::record::Put;
use crate::model::digest::hex;
use crate::world::write_fs::Root;
use crate::world::{FileKind, WriteFs};

/// A tree that is moved away, and where its good archive may lie.
pub(super) struct Remade<'a> {
    pub(super) fs: &'a dyn WriteFs,
    /// Folder and store of the tree.
    pub(super) roots: (Root, Root),
    pub(super) tree: &'a Path,
    pub(super) step: &'a Step,
    /// What was laid ready in that store.
    pub(super) puts: &'a [Put],
}

/// Files and folders of a folder; `None` for a file's sum is a folder.
#[derive(Default)]
struct Node {
    sum: Option<String>,
    below: BTreeMap<OsString, Self>,
}

impl Remade<'_> {
    /// Its digest as [`look`] tells it; `None` where the archive is not at hand or cannot be read.
    pub(super) fn digest(&self) -> Option<String> {
        let healer = self.step.healer();
        let (artifact, published) = self.step.good.as_ref()?;
        let (root, store) = self.roots;
        let laid = || {
            self.puts
                .iter()
                .filter_map(|put| self.read(store, Path::new(&put.staged)))
                .find(|bytes| healer.fits(artifact, bytes, published))
        };
        let held = || {
            let bytes = self.read(root, &healer.archive_of(self.tree)?)?;
            healer.fits(artifact, &bytes, published).then_some(bytes)
        };
        let archive = laid().or_else(held)?;
        let (mut top, mut plain) = (Node::default(), true);
        let mut visit = |path: &[u8], _: u32, bytes: &[u8]| {
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            plain &= top.put(&path, hex(&Sha256::digest(bytes)));
        };
        healer.unpack(artifact, &archive, &mut visit).ok()?;
        if let Some((stamp, bytes)) = healer.stamp() {
            plain &= top.put(&stamp, hex(&Sha256::digest(bytes)));
        }
        plain.then(|| top.digest())
    }

    fn read(&self, root: Root, rel: &Path) -> Option<Vec<u8>> {
        let stat = self.fs.stat(root.at(rel)).ok()?;
        if stat.kind != FileKind::File || stat.size > look::LARGEST {
            return None;
        }
        let mut bytes = Vec::new();
        let file = self.fs.read(root.at(rel)).ok()?;
        file.take(look::LARGEST).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl Node {
    /// Whether that was a path below.
    fn put(&mut self, path: &Path, sum: String) -> bool {
        let mut at = self;
        for part in path.components() {
            let Component::Normal(name) = part else {
                return false;
            };
            at = at.below.entry(name.to_owned()).or_default();
        }
        at.sum = Some(sum);
        at.below.is_empty()
    }

    fn digest(&self) -> String {
        let mut lines = look::Lines::default();
        self.lines(Path::new(""), &mut lines);
        lines.digest()
    }

    fn lines(&self, path: &Path, lines: &mut look::Lines) {
        match &self.sum {
            Some(sum) => {
                lines.entry(path, FileKind::File);
                lines.content(sum.as_bytes());
            }
            None => lines.entry(path, FileKind::Dir),
        }
        for (name, node) in &self.below {
            node.lines(&path.join(name), lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake_disk::FakeDisk;

    #[test]
    fn a_tree_that_is_unpacked_has_the_digest_that_was_told() {
        let disk = FakeDisk::new();
        let mut top = Node::default();
        for (path, bytes) in [
            ("src/lib.rs", &b"a"[..]),
            ("src.txt", b"b"),
            ("src/a/b", b"c"),
            (".cargo-ok", b"{}"),
        ] {
            disk.file(&format!("/t/{path}"), bytes, 0o644);
            assert!(top.put(Path::new(path), hex(&Sha256::digest(bytes))));
        }
        let root = disk.open(Path::new("/")).unwrap();
        let told = || look::at(&disk, root, Path::new("t")).unwrap().digest;
        assert_eq!(told(), Some(top.digest()));
        disk.file("/t/src/more", b"", 0o644);
        assert_ne!(told(), Some(top.digest()));
        assert!(!top.put(Path::new("../x"), String::new()));
        assert!(!top.put(Path::new("src"), String::new()));
    }
}
