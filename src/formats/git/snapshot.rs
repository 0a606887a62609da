//! A worktree, hashed bottom-up: every file and link as a blob, every directory as the tree that git would write for it. Empty
//! directories do not exist for git. Directories are worked through with a list, so depth costs no stack.

use super::object::{hash_object, object_hasher};
use super::tree::{self, Mode, NameFlaw, TreeEntry, name_flaws, sort_key};
use super::{Fault, FaultKind, HashKind, ItemKind, Kind, Limits, Oid, Worktree};

/// What one name of the worktree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    File {
        executable: bool,
        oid: Oid,
    },
    Link {
        oid: Oid,
    },
    /// A directory and its place in the list.
    Directory(usize),
    /// A `.git` of any kind: a repository's own folder, or a file that points to one.
    DotGit,
    /// A FIFO, socket or device.
    Other,
    /// It could not be read; the fault is listed.
    Unreadable,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Box<[u8]>,
    pub(super) what: What,
}

/// One directory.
#[derive(Debug)]
pub(super) struct Directory {
    /// Its path; empty for the root.
    pub(super) path: Vec<u8>,
    /// Its entries by name.
    pub(super) nodes: Vec<Node>,
    /// Whether it is the root of a worktree: the outermost directory, or one that holds a `.git`.
    pub(super) root: bool,
    /// Its tree id. A root's leaves out `.git` and cargo's marker. `None` if something in it could not be read or is a
    /// worktree of its own, so that only the objects can tell.
    pub(super) oid: Option<Oid>,
    /// Whether its entries are known; if not, neither it nor what holds it has an id.
    pub(super) readable: bool,
    /// Whether it holds nothing that git would record.
    pub(super) bare: bool,
}

/// The hashed worktree.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// Every directory after the one that holds it; the first is the root.
    pub(super) directories: Vec<Directory>,
    /// What could not be read, by path.
    pub(super) faults: Vec<(Vec<u8>, Fault)>,
    /// Files whose bytes are made to collide in SHA-1.
    pub(super) collisions: Vec<Vec<u8>>,
    /// Names that are not what they seem on some file systems.
    pub(super) flaws: Vec<(Vec<u8>, NameFlaw)>,
    /// Bytes hashed.
    pub(super) bytes: u64,
    entries: usize,
}

/// Cargo's marker at the root of each of its checkouts: an empty file (a few bytes from old versions).
pub(super) const MARKER: &[u8] = b".cargo-ok";

/// Lists and hashes a whole worktree.
pub(super) fn take(worktree: &dyn Worktree, hash: HashKind, limits: &Limits) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.enter(Vec::new());
    let mut at = 0;
    while at < snapshot.directories.len() {
        snapshot.fill(at, worktree, hash, limits);
        at += 1;
    }
    // Children stand after their parents, so backwards means bottom-up.
    for at in (0..snapshot.directories.len()).rev() {
        let (bare, oid) = snapshot.fold(at, hash);
        if let Some(directory) = snapshot.directories.get_mut(at) {
            directory.bare = bare;
            directory.oid = oid;
        }
    }
    snapshot.faults.sort();
    snapshot
}

/// `path/name`.
pub(super) fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        name.to_vec()
    } else {
        [path, b"/", name].concat()
    }
}

impl Snapshot {
    fn enter(&mut self, path: Vec<u8>) -> usize {
        let root = path.is_empty();
        self.directories.push(Directory {
            path,
            nodes: Vec::new(),
            root,
            oid: None,
            readable: true,
            bare: true,
        });
        self.directories.len() - 1
    }

    fn fill(&mut self, at: usize, worktree: &dyn Worktree, hash: HashKind, limits: &Limits) {
        let Some(path) = self
            .directories
            .get(at)
            .map(|directory| directory.path.clone())
        else {
            return;
        };
        let listed = if path.iter().filter(|byte| **byte == b'/').count() >= limits.depth {
            Err(Fault::new(
                FaultKind::Limit,
                "lies too many directories deep",
            ))
        } else {
            worktree.list(&path)
        };
        let mut items = match listed {
            Ok(items) => items,
            Err(fault) => return self.unreadable(at, path, fault),
        };
        self.entries = self.entries.saturating_add(items.len());
        if self.entries > limits.entries {
            return self.unreadable(
                at,
                path,
                Fault::new(FaultKind::Limit, "has too many entries to hold"),
            );
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<&[u8]> = items.iter().map(|item| item.name.as_slice()).collect();
        for (name, flaw) in name_flaws(&names) {
            if name != b".git" && self.flaws.len() < limits.differences {
                self.flaws.push((join(&path, name), flaw));
            }
        }
        let mut nodes = Vec::with_capacity(items.len());
        let mut root = at == 0;
        for item in items {
            let child = join(&path, &item.name);
            let what = if item.name == b".git" {
                root = true;
                What::DotGit
            } else {
                self.look(child, item.kind, worktree, hash)
            };
            nodes.push(Node {
                name: item.name.into_boxed_slice(),
                what,
            });
        }
        if let Some(directory) = self.directories.get_mut(at) {
            directory.nodes = nodes;
            directory.root = root;
        }
    }

    fn look(
        &mut self,
        path: Vec<u8>,
        kind: ItemKind,
        worktree: &dyn Worktree,
        hash: HashKind,
    ) -> What {
        let read = match kind {
            ItemKind::Directory => return What::Directory(self.enter(path)),
            ItemKind::Other => return What::Other,
            ItemKind::Link => worktree.link(&path).map(|target| {
                (
                    hash_object(hash, Kind::Blob, &target),
                    target.len() as u64,
                    false,
                )
            }),
            ItemKind::File { size, executable } => {
                let mut hasher = object_hasher(hash, Kind::Blob, size);
                let mut seen = 0_u64;
                let read = worktree.read(&path, &mut |bytes| {
                    seen = seen.saturating_add(bytes.len() as u64);
                    hasher.update(bytes);
                });
                match read {
                    Ok(()) if seen != size => {
                        Err(Fault::new(FaultKind::Changed, "changed while it was read"))
                    }
                    Ok(()) => Ok((hasher.finish(), seen, executable)),
                    Err(fault) => Err(fault),
                }
            }
        };
        match read {
            Ok((hashed, bytes, executable)) => {
                self.bytes = self.bytes.saturating_add(bytes);
                if hashed.collision {
                    self.collisions.push(path);
                }
                match kind {
                    ItemKind::Link => What::Link { oid: hashed.oid },
                    _ => What::File {
                        executable,
                        oid: hashed.oid,
                    },
                }
            }
            Err(fault) => {
                self.faults.push((path, fault));
                What::Unreadable
            }
        }
    }

    fn unreadable(&mut self, at: usize, path: Vec<u8>, fault: Fault) {
        self.faults.push((path, fault));
        if let Some(directory) = self.directories.get_mut(at) {
            directory.readable = false;
        }
    }

    /// Whether a directory is empty for git, and its tree id.
    fn fold(&self, at: usize, hash: HashKind) -> (bool, Option<Oid>) {
        let Some(directory) = self.directories.get(at) else {
            return (true, None);
        };
        let mut entries = Vec::new();
        let mut whole = directory.readable;
        for node in &directory.nodes {
            let (mode, oid) = match node.what {
                What::DotGit => continue,
                What::File { .. } if directory.root && *node.name == *MARKER => continue,
                What::File { executable, oid } => (Mode::File { executable }, oid),
                What::Link { oid } => (Mode::Link, oid),
                What::Directory(child) => match self.directories.get(child) {
                    Some(child) if child.bare && !child.root => continue,
                    Some(Directory {
                        oid: Some(oid),
                        root: false,
                        ..
                    }) => (Mode::Directory, *oid),
                    _ => {
                        whole = false;
                        continue;
                    }
                },
                What::Other | What::Unreadable => {
                    whole = false;
                    continue;
                }
            };
            entries.push(TreeEntry {
                mode,
                name: node.name.to_vec(),
                oid,
            });
        }
        let bare = entries.is_empty() && whole;
        if !whole {
            return (false, None);
        }
        entries.sort_by(|a, b| sort_key(&a.name, a.mode).cmp(sort_key(&b.name, b.mode)));
        (
            bare,
            Some(hash_object(hash, Kind::Tree, &tree::write(&entries)).oid),
        )
    }
}
