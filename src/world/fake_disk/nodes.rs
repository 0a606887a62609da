//! What a disk in memory holds: files, folders, links and pipes by number.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(super) enum Content {
    File { data: Vec<u8>, safe: Vec<u8> },
    Dir(BTreeMap<OsString, u64>),
    Link(OsString),
    Pipe,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) mode: u32,
    pub(super) mtime: i128,
    pub(super) owner: (u32, u32),
    pub(super) device: u64,
    pub(super) xattrs: BTreeMap<OsString, Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    pub(super) all: BTreeMap<u64, Arc<Node>>,
    pub(super) next: u64,
    pub(super) ticks: i128,
}

impl Node {
    pub(super) fn dir(device: u64) -> Self {
        Self {
            content: Content::Dir(BTreeMap::new()),
            mode: 0o755,
            mtime: 1_000_000_000,
            owner: super::USER,
            device,
            xattrs: BTreeMap::new(),
        }
    }
}

impl Nodes {
    /// A node to be changed; a copy that is kept elsewhere stays as it is.
    pub(super) fn node(&mut self, inode: u64) -> &mut Node {
        Arc::make_mut(self.all.get_mut(&inode).unwrap())
    }

    pub(super) fn names(&mut self, dir: u64) -> io::Result<&mut BTreeMap<OsString, u64>> {
        match self
            .all
            .get_mut(&dir)
            .map(|node| &mut Arc::make_mut(node).content)
        {
            Some(Content::Dir(names)) => Ok(names),
            Some(Content::Link(_)) => Err(rustix::io::Errno::LOOP.into()),
            Some(_) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn add(&mut self, dir: u64, name: &OsStr, node: Node) -> u64 {
        let inode = self.next;
        self.next += 1;
        self.all.insert(inode, Arc::new(node));
        self.names(dir).unwrap().insert(name.to_owned(), inode);
        inode
    }

    /// By absolute path, through no link.
    pub(super) fn walk(&self, path: &Path) -> Option<u64> {
        let mut at = 1;
        for part in path.components() {
            if let Component::Normal(name) = part {
                let Content::Dir(names) = &self.all.get(&at)?.content else {
                    return None;
                };
                at = *names.get(name)?;
            }
        }
        Some(at)
    }

    pub(super) fn below(&self, root: u64, rel: &Path) -> io::Result<u64> {
        let mut at = root;
        for part in rel.components() {
            let Component::Normal(name) = part else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            at = match &self.all.get(&at).ok_or(io::ErrorKind::NotFound)?.content {
                Content::Dir(names) => *names.get(name).ok_or(io::ErrorKind::NotFound)?,
                Content::Link(_) => return Err(rustix::io::Errno::LOOP.into()),
                _ => return Err(io::ErrorKind::NotADirectory.into()),
            };
        }
        Ok(at)
    }

    pub(super) fn links(&self, inode: u64) -> u64 {
        let count = |node: &Node| match &node.content {
            Content::Dir(names) => names.values().filter(|i| **i == inode).count(),
            _ => 0,
        };
        self.all.values().map(|node| count(node)).sum::<usize>() as u64
    }

    pub(super) fn set_device(&mut self, inode: u64, device: u64) {
        let node = self.node(inode);
        node.device = device;
        if let Content::Dir(names) = &node.content {
            for below in names.values().copied().collect::<Vec<_>>() {
                self.set_device(below, device);
            }
        }
    }

    pub(super) fn picture(&self, inode: u64, path: &Path, image: &mut BTreeMap<PathBuf, String>) {
        let node = &self.all[&inode];
        let what = match &node.content {
            Content::File { data, .. } => format!("file {:?}", String::from_utf8_lossy(data)),
            Content::Dir(_) => "dir".to_owned(),
            Content::Link(target) => format!("link {target:?}"),
            Content::Pipe => "pipe".to_owned(),
        };
        let links = if matches!(node.content, Content::File { .. }) {
            self.links(inode)
        } else {
            1
        };
        image.insert(
            path.to_owned(),
            format!(
                "{what} mode {:o} mtime {} links {links} xattrs {:?}{}",
                node.mode,
                node.mtime,
                node.xattrs,
                if node.owner == super::USER {
                    String::new()
                } else {
                    format!(" owner {:?}", node.owner)
                }
            ),
        );
        if let Content::Dir(names) = &node.content {
            for (name, below) in names {
                self.picture(*below, &path.join(name), image);
            }
        }
    }
}
