//! Repositories and worktrees in memory, written byte by byte for the tests of this folder.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::tree::{Mode, TreeEntry};
use super::{
    Fault, FaultKind, Files, HashKind, Item, ItemKind, Kind, Limits, Oid, Repositories, Sources,
    Worktree, hash_object, tree,
};

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A repository folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    pub(super) fn put(&mut self, rel: &str, bytes: impl Into<Vec<u8>>) {
        self.files.insert(rel.to_owned(), bytes.into());
    }

    /// Stores a loose object and returns its id.
    pub(super) fn object(&mut self, hash: HashKind, kind: Kind, data: &[u8]) -> Oid {
        let oid = hash_object(hash, kind, data).oid;
        let whole = [format!("{} {}\0", kind.name(), data.len()).as_bytes(), data].concat();
        self.put(&super::object::loose_path("objects", &oid), deflate(&whole));
        oid
    }

    /// Stores a commit of this tree.
    pub(super) fn commit(&mut self, hash: HashKind, tree: Oid) -> Oid {
        let text = format!("tree {tree}\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nnote\n");
        self.object(hash, Kind::Commit, text.as_bytes())
    }

    /// Stores a tree of these entries, in git's order.
    pub(super) fn tree(&mut self, hash: HashKind, entries: &[(Mode, &str, Oid)]) -> Oid {
        let entries: Vec<TreeEntry> = entries
            .iter()
            .map(|(mode, name, oid)| TreeEntry {
                mode: *mode,
                name: name.as_bytes().to_vec(),
                oid: *oid,
            })
            .collect();
        self.object(hash, Kind::Tree, &tree::write(&entries))
    }
}

fn children<'a, T>(
    files: &'a BTreeMap<String, T>,
    rel: &str,
    kind: impl Fn(&'a T) -> ItemKind,
) -> Vec<Item> {
    let prefix = if rel.is_empty() {
        String::new()
    } else {
        format!("{rel}/")
    };
    let mut items: BTreeMap<String, ItemKind> = BTreeMap::new();
    for (path, value) in files {
        let Some(rest) = path.strip_prefix(&prefix) else {
            continue;
        };
        match rest.split_once('/') {
            Some((folder, _)) => items.insert(folder.to_owned(), ItemKind::Directory),
            None => items.insert(rest.to_owned(), kind(value)),
        };
    }
    items
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, kind)| Item {
            name: name.into_bytes(),
            kind,
        })
        .collect()
}

impl Files for Memory {
    fn size(&self, rel: &str) -> Result<Option<u64>, Fault> {
        Ok(self.files.get(rel).map(|bytes| bytes.len() as u64))
    }

    fn read_at(&self, rel: &str, offset: u64, len: usize) -> Result<Option<Vec<u8>>, Fault> {
        assert!(len <= 64 << 20, "an absurd read of {len} bytes");
        Ok(self.files.get(rel).map(|bytes| {
            let start = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            bytes[start..bytes.len().min(start.saturating_add(len))].to_vec()
        }))
    }

    fn list(&self, rel: &str) -> Result<Vec<Item>, Fault> {
        Ok(children(&self.files, rel, |bytes| ItemKind::File {
            size: bytes.len() as u64,
            executable: false,
        }))
    }
}

/// What stands at one path of a worktree; an empty directory is written with a final slash.
#[derive(Debug, Clone)]
pub(super) enum Thing {
    File(Vec<u8>),
    Program(Vec<u8>),
    Link(Vec<u8>),
    Fifo,
    Locked,
    Empty,
}

/// A worktree.
#[derive(Debug, Clone, Default)]
pub(super) struct Plain {
    pub(super) things: BTreeMap<String, Thing>,
}

impl Plain {
    pub(super) fn file(&mut self, path: &str, text: &str) {
        self.things
            .insert(path.to_owned(), Thing::File(text.into()));
    }
}

impl Worktree for Plain {
    fn list(&self, rel: &[u8]) -> Result<Vec<Item>, Fault> {
        let rel = std::str::from_utf8(rel).unwrap();
        Ok(children(&self.things, rel, |thing| match thing {
            Thing::File(bytes) => ItemKind::File {
                size: bytes.len() as u64,
                executable: false,
            },
            Thing::Program(bytes) => ItemKind::File {
                size: bytes.len() as u64,
                executable: true,
            },
            Thing::Locked => ItemKind::File {
                size: 1,
                executable: false,
            },
            Thing::Link(_) => ItemKind::Link,
            Thing::Fifo => ItemKind::Other,
            Thing::Empty => ItemKind::Directory,
        }))
    }

    fn read(&self, rel: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        match self.things.get(std::str::from_utf8(rel).unwrap()) {
            Some(Thing::File(bytes) | Thing::Program(bytes)) => {
                bytes.chunks(3).for_each(sink);
                Ok(())
            }
            Some(Thing::Fifo) => panic!("a device was opened"),
            _ => Err(Fault::new(FaultKind::Unreadable, "cannot be opened")),
        }
    }

    fn link(&self, rel: &[u8]) -> Result<Vec<u8>, Fault> {
        match self.things.get(std::str::from_utf8(rel).unwrap()) {
            Some(Thing::Link(target)) => Ok(target.clone()),
            _ => Err(Fault::new(FaultKind::Unreadable, "is no link")),
        }
    }
}

/// Repositories by worktree folder; the first is the worktree's own.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) by_path: BTreeMap<String, Vec<Memory>>,
}

impl Repositories for Known {
    fn open(&self, rel: &[u8]) -> Sources<'_> {
        let mut boxes: Vec<Box<dyn Files>> = Vec::new();
        for memory in self
            .by_path
            .get(std::str::from_utf8(rel).unwrap())
            .into_iter()
            .flatten()
        {
            boxes.push(Box::new(memory.clone()));
        }
        let own = if boxes.is_empty() {
            None
        } else {
            Some(boxes.remove(0))
        };
        Sources {
            own,
            others: boxes,
            fault: None,
        }
    }
}

/// One entry of a pack to be written.
pub(super) enum Put<'a> {
    Whole(u8, &'a [u8]),
    /// A delta on the entry of this number, by distance.
    Back(usize, &'a [u8]),
    /// A delta on this id.
    On(Oid, &'a [u8]),
    /// These bytes instead of an entry.
    Raw(&'a [u8]),
}

/// A pack and the offsets of its entries.
pub(super) fn pack(hash: HashKind, entries: &[Put<'_>]) -> (Vec<u8>, Vec<u64>) {
    let mut bytes = b"PACK\0\0\0\x02".to_vec();
    bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
    let mut offsets: Vec<u64> = Vec::new();
    for entry in entries {
        let at = bytes.len() as u64;
        match entry {
            Put::Whole(kind, data) => {
                head(&mut bytes, *kind, data.len());
                bytes.extend(deflate(data));
            }
            Put::Back(base, delta) => {
                head(&mut bytes, 6, delta.len());
                let mut back = at - offsets[*base];
                let mut coded = vec![u8::try_from(back & 0x7f).unwrap()];
                while back > 0x7f {
                    back = (back >> 7) - 1;
                    coded.insert(0, 0x80 | u8::try_from(back & 0x7f).unwrap());
                }
                bytes.extend(coded);
                bytes.extend(deflate(delta));
            }
            Put::On(oid, delta) => {
                head(&mut bytes, 7, delta.len());
                bytes.extend(oid.as_bytes());
                bytes.extend(deflate(delta));
            }
            Put::Raw(raw) => bytes.extend(*raw),
        }
        offsets.push(at);
    }
    let seal = hash.of_bytes(&bytes);
    bytes.extend(seal.as_bytes());
    (bytes, offsets)
}

fn head(bytes: &mut Vec<u8>, kind: u8, mut length: usize) {
    let mut byte = kind << 4 | u8::try_from(length & 0x0f).unwrap();
    length >>= 4;
    while length > 0 {
        bytes.push(byte | 0x80);
        byte = u8::try_from(length & 0x7f).unwrap();
        length >>= 7;
    }
    bytes.push(byte);
}

/// An index of version 1 or 2 for a pack.
pub(super) fn index(hash: HashKind, version: u8, pack: &[u8], rows: &[(Oid, u64)]) -> Vec<u8> {
    let mut rows = rows.to_vec();
    rows.sort();
    let mut bytes = if version == 2 {
        b"\xfftOc\0\0\0\x02".to_vec()
    } else {
        Vec::new()
    };
    for first in 0..=255_u8 {
        let count = rows
            .iter()
            .filter(|(oid, _)| oid.as_bytes()[0] <= first)
            .count();
        bytes.extend(u32::try_from(count).unwrap().to_be_bytes());
    }
    let small = |at: u64| u32::try_from(at).unwrap().to_be_bytes();
    if version == 2 {
        rows.iter()
            .for_each(|(oid, _)| bytes.extend(oid.as_bytes()));
        rows.iter().for_each(|_| bytes.extend([0; 4]));
        rows.iter().for_each(|(_, at)| bytes.extend(small(*at)));
    } else {
        for (oid, at) in &rows {
            bytes.extend(small(*at));
            bytes.extend(oid.as_bytes());
        }
    }
    bytes.extend(&pack[pack.len() - hash.width()..]);
    let seal = hash.of_bytes(&bytes);
    bytes.extend(seal.as_bytes());
    bytes
}

/// Limits small enough that meeting one takes no time.
pub(super) fn tight() -> Limits {
    Limits {
        object: 1 << 20,
        work: 4 << 20,
        total_work: 64 << 20,
        chain: 20,
        ..Limits::default()
    }
}
