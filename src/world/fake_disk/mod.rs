//! A disk in memory for the writing port: it can stop before any change, fail any change, and lose what was not synced.
//!
//! Its model of a power cut is that of a file system with an ordered journal: names change in order, every sync of
//! anything puts all earlier changes of names on disk, and the bytes of a file are safe only after its own sync.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::write_fs::At;
use nodes::{Content, Node, Nodes};

mod nodes;
mod port;

/// What is left after the process ended at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The process was killed: everything that was done stands.
    Killed,
    /// The power went: names and bytes since the last sync are gone.
    PowerLost,
    /// The power went: names are there, bytes that were not synced are torn.
    PowerTorn,
}

/// Owner and group of this process, and of everything that it makes.
const USER: (u32, u32) = (1000, 1000);

#[derive(Default)]
struct State {
    now: Nodes,
    safe: Nodes,
    roots: Vec<(PathBuf, u64)>,
    locks: Vec<u64>,
    steps: usize,
    stop_before: Option<usize>,
    fail: Option<(usize, io::ErrorKind)>,
    meanwhile: Option<(usize, PathBuf, Vec<u8>)>,
    dead: bool,
    /// Whether owners may be given.
    superuser: bool,
    log: Vec<String>,
}

/// The disk.
#[derive(Clone, Default)]
pub(crate) struct FakeDisk(Arc<Mutex<State>>);

impl FakeDisk {
    pub(crate) fn new() -> Self {
        let disk = Self::default();
        {
            let mut state = disk.state();
            state.now.next = 2;
            let root = Node::dir(1);
            state.now.all.insert(1, Arc::new(root));
            state.safe = state.now.clone();
        }
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Puts a file on disk, with the folders above it.
    pub(crate) fn file(&self, path: &str, data: &[u8], mode: u32) {
        let data = data.to_vec();
        let content = Content::File {
            safe: data.clone(),
            data,
        };
        self.put(path, content, mode);
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        self.put(path, Content::Link(target.into()), 0o777);
    }

    pub(crate) fn pipe(&self, path: &str) {
        self.put(path, Content::Pipe, 0o644);
    }

    pub(crate) fn dir(&self, path: &str) {
        self.put(path, Content::Dir(BTreeMap::new()), 0o755);
    }

    /// A second name for a file.
    pub(crate) fn hard_link(&self, path: &str, of: &str) {
        let mut state = self.state();
        let inode = state.now.walk(Path::new(of)).unwrap();
        let (parent, name) = Path::new(path)
            .parent()
            .zip(Path::new(path).file_name())
            .unwrap();
        let parent = state.now.walk(parent).unwrap();
        state
            .now
            .names(parent)
            .unwrap()
            .insert(name.to_owned(), inode);
        state.safe = state.now.clone();
    }

    /// From here on everything below lies on another file system.
    pub(crate) fn device(&self, path: &str, device: u64) {
        let mut state = self.state();
        let inode = state.now.walk(Path::new(path)).unwrap();
        state.now.set_device(inode, device);
        state.safe = state.now.clone();
    }

    pub(crate) fn mode(&self, path: &str, mode: u32) {
        let mut state = self.state();
        let inode = state.now.walk(Path::new(path)).unwrap();
        state.now.node(inode).mode = mode;
        state.safe = state.now.clone();
    }

    /// Gives something to another user.
    pub(crate) fn owner(&self, path: &str, uid: u32, gid: u32) {
        let mut state = self.state();
        let inode = state.now.walk(Path::new(path)).unwrap();
        state.now.node(inode).owner = (uid, gid);
        state.safe = state.now.clone();
    }

    /// From here on the process may give owners.
    pub(crate) fn superuser(&self) {
        self.state().superuser = true;
    }

    pub(crate) fn delete(&self, path: &str) {
        let mut state = self.state();
        let path = Path::new(path);
        let parent = state.now.walk(path.parent().unwrap()).unwrap();
        state
            .now
            .names(parent)
            .unwrap()
            .remove(path.file_name().unwrap());
        state.safe = state.now.clone();
    }

    fn put(&self, path: &str, content: Content, mode: u32) {
        let mut state = self.state();
        let mut parent = 1;
        let path = Path::new(path);
        for part in path.parent().unwrap().components() {
            let Component::Normal(name) = part else {
                continue;
            };
            let device = state.now.all[&parent].device;
            let known = state.now.names(parent).unwrap().get(name).copied();
            parent = known.unwrap_or_else(|| state.now.add(parent, name, Node::dir(device)));
        }
        let device = state.now.all[&parent].device;
        let node = Node {
            content,
            mode,
            mtime: 1_000_000_000,
            owner: USER,
            device,
            xattrs: BTreeMap::new(),
        };
        state.now.add(parent, path.file_name().unwrap(), node);
        state.safe = state.now.clone();
    }

    /// Ends the process before its `step`-th change from now.
    pub(crate) fn stop_before(&self, step: usize) {
        let mut state = self.state();
        state.steps = 0;
        state.stop_before = Some(step);
        state.log.clear();
    }

    /// Lets the `step`-th change from now fail.
    pub(crate) fn fail_at(&self, step: usize, kind: io::ErrorKind) {
        let mut state = self.state();
        state.steps = 0;
        state.fail = Some((step, kind));
    }

    /// Before this change another program puts a file in a place, whatever lies there.
    pub(crate) fn meanwhile(&self, step: usize, path: &str, data: &[u8]) {
        let mut state = self.state();
        state.steps = 0;
        state.meanwhile = Some((step, PathBuf::from(path), data.to_vec()));
    }

    /// The machine started anew: every device has another number.
    pub(crate) fn renumber(&self) {
        let mut state = self.state();
        let all: Vec<u64> = state.now.all.keys().copied().collect();
        for inode in all {
            state.now.node(inode).device += 100;
        }
        state.safe = state.now.clone();
    }

    /// Whether something is there.
    pub(crate) fn is_there(&self, path: &str) -> bool {
        self.state().now.walk(Path::new(path)).is_some()
    }

    /// Changes since the last order.
    pub(crate) fn steps(&self) -> usize {
        self.state().steps
    }

    /// What was done, for a failed test.
    pub(crate) fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// A new process after the end of the last one.
    pub(crate) fn restart(&self, end: End) {
        let mut state = self.state();
        match end {
            End::Killed => {}
            End::PowerLost => state.now = state.safe.clone(),
            End::PowerTorn => {}
        }
        if end != End::Killed {
            for node in state.now.all.values_mut().map(Arc::make_mut) {
                if let Content::File { data, safe } = &mut node.content {
                    if data != safe && end == End::PowerTorn {
                        let torn = safe.len().max(data.len() / 2).min(data.len());
                        data.truncate(torn);
                    } else {
                        data.clone_from(safe);
                    }
                    safe.clone_from(data);
                }
            }
        }
        state.safe = state.now.clone();
        state.locks.clear();
        state.roots.clear();
        state.dead = false;
        state.stop_before = None;
        state.fail = None;
        state.steps = 0;
    }

    /// Every path below one, with everything that can be told of it; times of change are those that can be set.
    pub(crate) fn image(&self, path: &str) -> BTreeMap<PathBuf, String> {
        let state = self.state();
        let mut image = BTreeMap::new();
        if let Some(inode) = state.now.walk(Path::new(path)) {
            state.now.picture(inode, Path::new(path), &mut image);
        }
        image
    }

    /// Bytes of a file; `None` when it is not there.
    pub(crate) fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let inode = state.now.walk(Path::new(path))?;
        match &state.now.all.get(&inode)?.content {
            Content::File { data, .. } => Some(data.clone()),
            _ => None,
        }
    }
}

impl State {
    /// Counts a change, and says whether it happens.
    fn step(&mut self, what: impl FnOnce() -> String) -> io::Result<()> {
        if self.dead {
            return Err(io::Error::other("the process has ended"));
        }
        let step = self.steps;
        self.steps += 1;
        if self.stop_before == Some(step) {
            self.dead = true;
            return Err(io::Error::other("the process has ended"));
        }
        if let Some((_, path, data)) = self.meanwhile.take_if(|(at, ..)| *at == step) {
            self.replace(&path, data);
        }
        let what = what();
        if let Some((at, kind)) = self.fail
            && at == step
        {
            self.log.push(format!("{what}: FAILED"));
            return Err(kind.into());
        }
        self.log.push(what);
        self.now.ticks += 1;
        Ok(())
    }

    /// A file of another program, by rename; nothing where its folder is not there.
    fn replace(&mut self, path: &Path, data: Vec<u8>) {
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return;
        };
        let Some(parent) = self.now.walk(above) else {
            return;
        };
        let node = Node {
            content: Content::File {
                safe: data.clone(),
                data,
            },
            mode: 0o644,
            mtime: 1_500_000_000,
            device: self.now.all[&parent].device,
            owner: self.now.all[&parent].owner,
            xattrs: BTreeMap::new(),
        };
        self.now.add(parent, name, node);
    }

    fn alive(&self) -> io::Result<()> {
        if self.dead {
            Err(io::Error::other("the process has ended"))
        } else {
            Ok(())
        }
    }

    fn inode(&self, at: At<'_>) -> io::Result<u64> {
        self.alive()?;
        let root = self
            .roots
            .get(at.root.0)
            .ok_or(io::ErrorKind::InvalidInput)?
            .1;
        self.now.below(root, at.rel)
    }

    fn parent(&self, at: At<'_>) -> io::Result<(u64, OsString)> {
        self.alive()?;
        let name = at.rel.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let above = at.rel.parent().unwrap_or(Path::new(""));
        let root = self
            .roots
            .get(at.root.0)
            .ok_or(io::ErrorKind::InvalidInput)?
            .1;
        Ok((self.now.below(root, above)?, name.to_owned()))
    }

    /// A new name in a folder; it must be free.
    fn enter(&mut self, parent: u64, name: &OsStr, node: Node) -> io::Result<u64> {
        if self.now.names(parent)?.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = self.now.add(parent, name, node);
        self.touch(parent);
        Ok(inode)
    }

    fn touch(&mut self, inode: u64) {
        let time = 2_000_000_000 + self.now.ticks;
        self.now.node(inode).mtime = time;
    }

    /// Everything about names is on disk; bytes of files only as far as they were synced.
    fn flush_names(&mut self) {
        self.safe = self.now.clone();
    }
}
