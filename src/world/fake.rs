//! Folders, files and an environment in memory, for tests: owners and modes that no test could make on a disk.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::{Dir, DirEntry, Env, FileKind, PathError, ReadFile, ReadFs, RootDir, Stat};

#[derive(Debug, Clone)]
struct Node {
    stat: Stat,
    /// Content of a file, target of a link.
    bytes: Arc<[u8]>,
}

/// A file system: absolute paths to nodes; the folders above a node are made with it.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    nodes: Arc<BTreeMap<PathBuf, Node>>,
    uid: u32,
    gid: u32,
}

impl Disk {
    /// An empty one, whose nodes belong to this user and group.
    pub(crate) fn of(uid: u32, gid: u32) -> Self {
        let mut disk = Self {
            nodes: Arc::default(),
            uid,
            gid,
        };
        disk.node("/", FileKind::Dir, b"", 0o755);
        disk.own("/", 0, 0);
        disk
    }

    fn nodes(&mut self) -> &mut BTreeMap<PathBuf, Node> {
        Arc::make_mut(&mut self.nodes)
    }

    fn node(&mut self, path: &str, kind: FileKind, bytes: &[u8], mode: u32) {
        let path = Path::new(path);
        if let Some(parent) = path.parent()
            && !self.nodes.contains_key(parent)
        {
            self.node(parent.to_str().unwrap(), FileKind::Dir, b"", 0o755);
        }
        let stat = Stat {
            kind,
            size: bytes.len() as u64,
            mode,
            uid: self.uid,
            gid: self.gid,
            links: 1,
            dev: 1,
            inode: self.nodes.len() as u64,
            mtime: 0,
            ctime: 0,
        };
        let bytes = Arc::from(bytes);
        self.nodes().insert(path.to_owned(), Node { stat, bytes });
    }

    pub(crate) fn file(&mut self, path: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.node(path, FileKind::File, bytes.as_ref(), 0o644);
        self
    }

    pub(crate) fn folder(&mut self, path: &str) -> &mut Self {
        self.node(path, FileKind::Dir, b"", 0o755);
        self
    }

    pub(crate) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.node(path, FileKind::Link, target.as_bytes(), 0o777);
        self
    }

    pub(crate) fn mode(&mut self, path: &str, mode: u32) -> &mut Self {
        self.nodes().get_mut(Path::new(path)).unwrap().stat.mode = mode;
        self
    }

    /// When it was last written, in nanoseconds since 1970.
    pub(crate) fn time(&mut self, path: &str, mtime: i128) -> &mut Self {
        let stat = &mut self.nodes().get_mut(Path::new(path)).unwrap().stat;
        (stat.mtime, stat.ctime) = (mtime, mtime);
        self
    }

    pub(crate) fn own(&mut self, path: &str, uid: u32, gid: u32) -> &mut Self {
        let stat = &mut self.nodes().get_mut(Path::new(path)).unwrap().stat;
        (stat.uid, stat.gid) = (uid, gid);
        self
    }

    /// Opens a folder, without following links.
    pub(crate) fn dir(&self, path: &str) -> Box<dyn Dir> {
        Box::new(Folder {
            disk: self.clone(),
            path: PathBuf::from(path),
        })
    }

    fn get(&self, path: &Path) -> Result<&Node, PathError> {
        self.nodes
            .get(path)
            .ok_or_else(|| error(path, io::ErrorKind::NotFound))
    }

    /// Resolves every link on the way.
    fn resolve(&self, path: &Path) -> Result<PathBuf, PathError> {
        let mut done = PathBuf::from("/");
        let mut rest: Vec<OsString> = components(path);
        rest.reverse();
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if name == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&name);
            let node = self.get(&next)?;
            if node.stat.kind != FileKind::Link {
                done = next;
                continue;
            }
            links += 1;
            if links > 40 {
                return Err(error(path, io::ErrorKind::Other));
            }
            let target = PathBuf::from(std::str::from_utf8(&node.bytes).unwrap());
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            rest.extend(components(&target).into_iter().rev());
        }
        Ok(done)
    }
}

fn components(path: &Path) -> Vec<OsString> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

fn error(path: &Path, kind: io::ErrorKind) -> PathError {
    PathError {
        path: path.to_owned(),
        source: kind.into(),
    }
}

impl ReadFs for Disk {
    fn open_root(&self, path: &Path) -> Result<RootDir, PathError> {
        let resolved = self.resolve(path)?;
        if self.get(&resolved)?.stat.kind != FileKind::Dir {
            return Err(error(path, io::ErrorKind::NotADirectory));
        }
        let ancestors = resolved
            .ancestors()
            .skip(1)
            .map(|above| Ok((above.to_owned(), self.get(above)?.stat)))
            .collect::<Result<_, PathError>>()?;
        Ok(RootDir {
            dir: self.dir(resolved.to_str().unwrap()),
            was_link: resolved != path,
            resolved,
            ancestors,
        })
    }

    fn read_named(&self, path: &Path, max: u64) -> Result<Vec<u8>, PathError> {
        let node = self.get(&self.resolve(path)?)?;
        match node.stat.kind {
            FileKind::File if node.stat.size <= max => Ok(node.bytes.to_vec()),
            FileKind::File => Err(error(path, io::ErrorKind::FileTooLarge)),
            _ => Err(error(path, io::ErrorKind::InvalidInput)),
        }
    }

    fn stat_named(&self, path: &Path) -> Result<Stat, PathError> {
        Ok(self.get(&self.resolve(path)?)?.stat)
    }
}

struct Folder {
    disk: Disk,
    path: PathBuf,
}

impl Dir for Folder {
    fn path(&self) -> &Path {
        &self.path
    }

    fn stat(&self) -> Result<Stat, PathError> {
        Ok(self.disk.get(&self.path)?.stat)
    }

    fn list(&self) -> Result<Vec<DirEntry>, PathError> {
        let below = |path: &Path| path.parent() == Some(&self.path);
        Ok(self
            .disk
            .nodes
            .iter()
            .filter(|(path, _)| below(path))
            .map(|(path, node)| DirEntry {
                name: path.file_name().unwrap().to_owned(),
                kind: node.stat.kind,
            })
            .collect())
    }

    fn stat_entry(&self, name: &OsStr) -> Result<Stat, PathError> {
        Ok(self.disk.get(&self.path.join(name))?.stat)
    }

    fn open_dir(&self, name: &OsStr) -> Result<Box<dyn Dir>, PathError> {
        let path = self.path.join(name);
        match self.disk.get(&path)?.stat.kind {
            FileKind::Dir => Ok(self.disk.dir(path.to_str().unwrap())),
            _ => Err(error(&path, io::ErrorKind::NotADirectory)),
        }
    }

    fn open_file(&self, name: &OsStr) -> Result<Box<dyn ReadFile>, PathError> {
        let path = self.path.join(name);
        let node = self.disk.get(&path)?;
        match node.stat.kind {
            FileKind::File => Ok(Box::new(Opened {
                stat: node.stat,
                bytes: Cursor::new(Arc::clone(&node.bytes)),
            })),
            _ => Err(error(&path, io::ErrorKind::InvalidInput)),
        }
    }

    fn read_link(&self, name: &OsStr) -> Result<OsString, PathError> {
        let node = self.disk.get(&self.path.join(name))?;
        Ok(OsString::from(std::str::from_utf8(&node.bytes).unwrap()))
    }
}

struct Opened {
    stat: Stat,
    bytes: Cursor<Arc<[u8]>>,
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl ReadFile for Opened {
    fn stat(&self) -> Result<Stat, PathError> {
        Ok(self.stat)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut at = self.bytes.clone();
        at.set_position(offset);
        at.read(buffer)
    }
}

/// An environment: variables, who we are, which groups are shared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) current_dir: Option<PathBuf>,
    pub(crate) program: Option<PathBuf>,
    pub(crate) uid: u32,
    pub(crate) gids: Vec<u32>,
    pub(crate) shared_groups: Vec<u32>,
}

impl Given {
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl Env for Given {
    fn var(&self, name: &str) -> Option<OsString> {
        self.vars.get(name).map(OsString::from)
    }

    fn vars(&self) -> Vec<(OsString, OsString)> {
        let pair = |(name, value): (&String, &String)| (name.into(), value.into());
        self.vars.iter().map(pair).collect()
    }

    fn current_dir(&self) -> Option<PathBuf> {
        self.current_dir.clone()
    }

    fn home(&self) -> Option<PathBuf> {
        self.home.clone()
    }

    fn program(&self) -> Option<PathBuf> {
        self.program.clone()
    }

    fn uid(&self) -> u32 {
        self.uid
    }

    fn gids(&self) -> Vec<u32> {
        self.gids.clone()
    }

    fn group_has_others(&self, gid: u32) -> bool {
        self.shared_groups.contains(&gid)
    }
}
