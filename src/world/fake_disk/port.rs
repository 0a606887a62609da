//! The writing port on a disk in memory: every change is a step that can be the last one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::FakeDisk;
use super::nodes::{Content, Node};
use crate::world::read_fs::{DirEntry, FileKind, PathError, ReadFile, Stat};
use crate::world::write_fs::{At, Attributes, Lock, NewFile, Root, WriteFs};

fn shown(path: &Path, result: io::Error) -> PathError {
    PathError {
        path: path.to_owned(),
        source: result,
    }
}

impl WriteFs for FakeDisk {
    fn open(&self, path: &Path) -> Result<Root, PathError> {
        let mut state = self.state();
        let found = state.now.walk(path);
        let inode = found.ok_or_else(|| shown(path, io::ErrorKind::NotFound.into()))?;
        state.roots.push((path.to_owned(), inode));
        Ok(Root(state.roots.len() - 1))
    }

    fn make(&self, path: &Path) -> Result<Root, PathError> {
        {
            let mut state = self.state();
            let mut at = 1;
            for part in path.components() {
                let Component::Normal(name) = part else {
                    continue;
                };
                let known = state
                    .now
                    .names(at)
                    .map_err(|e| shown(path, e))?
                    .get(name)
                    .copied();
                at = match known {
                    Some(inode) => inode,
                    None => {
                        state
                            .step(|| format!("make {}", path.display()))
                            .map_err(|e| shown(path, e))?;
                        let mut node = Node::dir(state.now.all[&at].device);
                        node.mode = 0o700;
                        state.enter(at, name, node).map_err(|e| shown(path, e))?
                    }
                };
            }
        }
        self.open(path)
    }

    fn shown(&self, at: At<'_>) -> PathBuf {
        let state = self.state();
        let root = state
            .roots
            .get(at.root.0)
            .map(|r| r.0.clone())
            .unwrap_or_default();
        if at.rel.as_os_str().is_empty() {
            root
        } else {
            root.join(at.rel)
        }
    }

    fn stat(&self, at: At<'_>) -> Result<Stat, PathError> {
        let state = self.state();
        let inode = state.inode(at).map_err(|e| shown(at.rel, e))?;
        let node = &state.now.all[&inode];
        let (kind, size) = match &node.content {
            Content::File { data, .. } => (FileKind::File, data.len() as u64),
            Content::Dir(_) => (FileKind::Dir, 0),
            Content::Link(_) => (FileKind::Link, 0),
            Content::Pipe => (FileKind::Other, 0),
        };
        Ok(Stat {
            kind,
            size,
            mode: node.mode,
            uid: node.owner.0,
            gid: node.owner.1,
            links: state.now.links(inode),
            dev: node.device,
            inode,
            mtime: node.mtime,
            ctime: node.mtime,
        })
    }

    fn list(&self, at: At<'_>) -> Result<Vec<DirEntry>, PathError> {
        let state = self.state();
        let inode = state.inode(at).map_err(|e| shown(at.rel, e))?;
        let Content::Dir(names) = &state.now.all[&inode].content else {
            return Err(shown(at.rel, io::ErrorKind::NotADirectory.into()));
        };
        let kind = |inode: &u64| match state.now.all[inode].content {
            Content::File { .. } => FileKind::File,
            Content::Dir(_) => FileKind::Dir,
            Content::Link(_) => FileKind::Link,
            Content::Pipe => FileKind::Other,
        };
        Ok(names
            .iter()
            .map(|(name, inode)| DirEntry {
                name: name.clone(),
                kind: kind(inode),
            })
            .collect())
    }

    fn read(&self, at: At<'_>) -> Result<Box<dyn ReadFile>, PathError> {
        let stat = self.stat(at)?;
        let state = self.state();
        let inode = state.inode(at).map_err(|e| shown(at.rel, e))?;
        let Content::File { data, .. } = &state.now.all[&inode].content else {
            return Err(shown(at.rel, io::Error::other("not a regular file")));
        };
        Ok(Box::new(Reader {
            data: data.clone(),
            at: 0,
            stat,
        }))
    }

    fn read_link(&self, at: At<'_>) -> Result<OsString, PathError> {
        let state = self.state();
        let inode = state.inode(at).map_err(|e| shown(at.rel, e))?;
        match &state.now.all[&inode].content {
            Content::Link(target) => Ok(target.clone()),
            _ => Err(shown(at.rel, io::ErrorKind::InvalidInput.into())),
        }
    }

    fn xattrs(&self, at: At<'_>) -> Result<Vec<(OsString, Vec<u8>)>, PathError> {
        let state = self.state();
        let inode = state.inode(at).map_err(|e| shown(at.rel, e))?;
        Ok(state.now.all[&inode].xattrs.clone().into_iter().collect())
    }

    fn free(&self, _: Root) -> Result<u64, PathError> {
        Ok(1 << 40)
    }

    fn create(&self, at: At<'_>, mode: u32) -> Result<Box<dyn NewFile>, PathError> {
        let path = self.shown(at);
        let mut state = self.state();
        let mut inner = || -> io::Result<u64> {
            let (parent, name) = state.parent(at)?;
            state.step(|| format!("create {}", path.display()))?;
            let node = Node {
                content: Content::File {
                    data: Vec::new(),
                    safe: Vec::new(),
                },
                mode: mode & !0o022,
                mtime: 2_000_000_000,
                owner: super::USER,
                device: state.now.all[&parent].device,
                xattrs: BTreeMap::new(),
            };
            state.enter(parent, &name, node)
        };
        let inode = inner().map_err(|e| shown(&path, e))?;
        Ok(Box::new(Writer {
            disk: self.clone(),
            inode,
            path,
        }))
    }

    fn append(&self, at: At<'_>) -> Result<Box<dyn NewFile>, PathError> {
        let known = self.state().inode(at);
        match known {
            Ok(inode) => Ok(Box::new(Writer {
                disk: self.clone(),
                inode,
                path: self.shown(at),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create(at, 0o600),
            Err(error) => Err(shown(at.rel, error)),
        }
    }

    fn make_dir(&self, at: At<'_>, mode: u32) -> Result<(), PathError> {
        let path = self.shown(at);
        let mut state = self.state();
        let mut inner = || -> io::Result<()> {
            let (parent, name) = state.parent(at)?;
            state.step(|| format!("mkdir {}", path.display()))?;
            let mut node = Node::dir(state.now.all[&parent].device);
            node.mode = mode;
            state.enter(parent, &name, node).map(drop)
        };
        inner().map_err(|e| shown(&path, e))
    }

    fn make_link(&self, at: At<'_>, target: &OsStr) -> Result<(), PathError> {
        let path = self.shown(at);
        let mut state = self.state();
        let mut inner = || -> io::Result<()> {
            let (parent, name) = state.parent(at)?;
            state.step(|| format!("link {}", path.display()))?;
            let mut node = Node::dir(state.now.all[&parent].device);
            node.content = Content::Link(target.to_owned());
            node.mode = 0o777;
            state.enter(parent, &name, node).map(drop)
        };
        inner().map_err(|e| shown(&path, e))
    }

    fn rename(&self, from: At<'_>, to: At<'_>) -> Result<(), PathError> {
        let path = self.shown(from);
        let target = self.shown(to);
        let mut state = self.state();
        let mut inner = || -> io::Result<()> {
            let (old, old_name) = state.parent(from)?;
            let (new, new_name) = state.parent(to)?;
            let known = state.now.names(old)?.get(&old_name).copied();
            let inode = known.ok_or(io::ErrorKind::NotFound)?;
            if state.now.names(new)?.contains_key(&new_name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            if state.now.all[&inode].device != state.now.all[&new].device {
                return Err(io::ErrorKind::CrossesDevices.into());
            }
            state.step(|| format!("rename {} to {}", path.display(), target.display()))?;
            state.now.names(old)?.remove(&old_name);
            state.now.names(new)?.insert(new_name, inode);
            state.touch(old);
            state.touch(new);
            Ok(())
        };
        inner().map_err(|e| shown(&path, e))
    }

    fn remove(&self, at: At<'_>) -> Result<(), PathError> {
        self.unlink(at, false)
    }

    fn remove_dir(&self, at: At<'_>) -> Result<(), PathError> {
        self.unlink(at, true)
    }

    fn set(&self, at: At<'_>, attributes: Attributes) -> Result<(), PathError> {
        let path = self.shown(at);
        let mut state = self.state();
        let mut inner = || -> io::Result<()> {
            let inode = state.inode(at)?;
            state.step(|| format!("set {attributes:?} of {}", path.display()))?;
            let node = state.now.node(inode);
            if let Some(mode) = attributes.mode {
                node.mode = mode;
            }
            if let Some(mtime) = attributes.mtime {
                node.mtime = mtime;
            }
            Ok(())
        };
        inner().map_err(|e| shown(&path, e))
    }

    fn own(&self, at: At<'_>, uid: u32, gid: u32) -> Result<(), PathError> {
        let path = self.shown(at);
        let mut state = self.state();
        let mut inner = || -> io::Result<()> {
            let inode = state.inode(at)?;
            if !state.superuser && (uid, gid) != state.now.all[&inode].owner {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            state.step(|| format!("own {}", path.display()))?;
            let node = state.now.node(inode);
            node.owner = (uid, gid);
            // As Linux does.
            if matches!(node.content, Content::File { .. }) {
                node.mode &= 0o1777;
            }
            Ok(())
        };
        inner().map_err(|e| shown(&path, e))
    }

    fn set_xattr(&self, at: At<'_>, name: &OsStr, value: &[u8]) -> Result<(), PathError> {
        let mut state = self.state();
        let mut inner = || -> io::Result<()> {
            let inode = state.inode(at)?;
            state.step(|| "xattr".to_owned())?;
            let node = state.now.node(inode);
            node.xattrs.insert(name.to_owned(), value.to_vec());
            Ok(())
        };
        inner().map_err(|e| shown(at.rel, e))
    }

    fn sync(&self, at: At<'_>) -> Result<(), PathError> {
        let path = self.shown(at);
        let mut state = self.state();
        state.inode(at).map_err(|e| shown(&path, e))?;
        state
            .step(|| format!("sync {}", path.display()))
            .map_err(|e| shown(&path, e))?;
        state.flush_names();
        Ok(())
    }

    fn lock(&self, at: At<'_>, _: Duration) -> Result<Lock, PathError> {
        drop(self.append(at)?);
        let mut state = self.state();
        let inode = state.inode(at).map_err(|e| shown(at.rel, e))?;
        if state.locks.contains(&inode) {
            return Ok(Lock::Busy(Some("process 7 (cargo)".to_owned())));
        }
        state.locks.push(inode);
        Ok(Lock::Held(Box::new(Held {
            disk: self.clone(),
            inode,
        })))
    }
}

impl FakeDisk {
    fn unlink(&self, at: At<'_>, folder: bool) -> Result<(), PathError> {
        let path = self.shown(at);
        let mut state = self.state();
        let mut inner = || -> io::Result<()> {
            let (parent, name) = state.parent(at)?;
            let known = state.now.names(parent)?.get(&name).copied();
            let inode = known.ok_or(io::ErrorKind::NotFound)?;
            match &state.now.all[&inode].content {
                Content::Dir(_) if !folder => return Err(io::ErrorKind::IsADirectory.into()),
                Content::Dir(names) if !names.is_empty() => {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                Content::Dir(_) => {}
                _ if folder => return Err(io::ErrorKind::NotADirectory.into()),
                _ => {}
            }
            state.step(|| format!("remove {}", path.display()))?;
            state.now.names(parent)?.remove(&name);
            state.touch(parent);
            Ok(())
        };
        inner().map_err(|e| shown(&path, e))
    }
}

struct Held {
    disk: FakeDisk,
    inode: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        let inode = self.inode;
        self.disk.state().locks.retain(|held| *held != inode);
    }
}

struct Writer {
    disk: FakeDisk,
    inode: u64,
    path: PathBuf,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.step(|| format!("write {}", self.path.display()))?;
        match &mut state.now.node(self.inode).content {
            Content::File { data, .. } => data.extend_from_slice(bytes),
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewFile for Writer {
    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.step(|| format!("fsync {}", self.path.display()))?;
        if let Content::File { data, safe } = &mut state.now.node(self.inode).content {
            safe.clone_from(data);
        }
        state.flush_names();
        Ok(())
    }
}

struct Reader {
    data: Vec<u8>,
    at: usize,
    stat: Stat,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.data[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

impl ReadFile for Reader {
    fn stat(&self) -> Result<Stat, PathError> {
        Ok(self.stat)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let at = usize::try_from(offset).unwrap();
        let rest = self.data.get(at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}
