//! The writing port on the machine: `openat2` below a root without links, `renameat2` that replaces nothing, `flock`.
//!
//! Must never open, follow or write into what is there already, beside files of ours that only grow. Where `openat2` is
//! not known, paths are walked one component at a time with `O_NOFOLLOW`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustix::fs::{
    AtFlags, CWD, FileType, FlockOperation, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps,
    Uid, XattrFlags,
};

use super::lock_holder;
use super::read_fs::{HandleDir, stat_of};
use crate::world::read_fs::{Dir as _, DirEntry, PathError, ReadFile, Stat};
use crate::world::write_fs::{At, Attributes, Lock, NewFile, Root, WriteFs};

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const PLAIN: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
/// How often a lock is tried.
const PATIENCE: Duration = Duration::from_millis(25);

struct Opened {
    handle: OwnedFd,
    path: PathBuf,
}

/// Changes the machine's files.
#[derive(Default)]
pub struct SystemWriteFs {
    roots: RwLock<Vec<Arc<Opened>>>,
}

fn failed(path: PathBuf, source: impl Into<io::Error>) -> PathError {
    PathError {
        path,
        source: source.into(),
    }
}

impl SystemWriteFs {
    fn root(&self, at: At<'_>) -> Result<Arc<Opened>, PathError> {
        let roots = self.roots.read().unwrap_or_else(PoisonError::into_inner);
        roots
            .get(at.root.0)
            .cloned()
            .ok_or_else(|| failed(at.rel.to_owned(), io::ErrorKind::InvalidInput))
    }

    fn error(&self, at: At<'_>, source: impl Into<io::Error>) -> PathError {
        failed(self.shown(at), source)
    }

    fn adopt(&self, path: &Path) -> Result<Root, PathError> {
        let resolved = std::fs::canonicalize(path).map_err(|e| failed(path.to_owned(), e))?;
        let handle = rustix::fs::openat(CWD, &resolved, FOLDER, Mode::empty())
            .map_err(|e| failed(resolved.clone(), e))?;
        let mut roots = self.roots.write().unwrap_or_else(PoisonError::into_inner);
        roots.push(Arc::new(Opened {
            handle,
            path: resolved,
        }));
        Ok(Root(roots.len() - 1))
    }

    /// A folder below a root, through no link.
    fn folder(&self, root: &Opened, rel: &Path) -> io::Result<OwnedFd> {
        let mut parts = Vec::new();
        for part in rel.components() {
            match part {
                Component::Normal(name) => parts.push(name),
                _ => return Err(io::ErrorKind::InvalidInput.into()),
            }
        }
        if parts.is_empty() {
            return Ok(rustix::fs::openat(
                &root.handle,
                ".",
                FOLDER,
                Mode::empty(),
            )?);
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::ResolveFlags;
            let how =
                ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match rustix::fs::openat2(&root.handle, rel, FOLDER, Mode::empty(), how) {
                Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {}
                other => return Ok(other?),
            }
        }
        let mut folder = rustix::fs::openat(&root.handle, ".", FOLDER, Mode::empty())?;
        for name in parts {
            folder = rustix::fs::openat(&folder, name, FOLDER, Mode::empty())?;
        }
        Ok(folder)
    }

    /// The folder that holds a path, and its last component.
    fn parent<'a>(&self, at: At<'a>) -> Result<(OwnedFd, &'a OsStr), PathError> {
        let root = self.root(at)?;
        let inner = || -> io::Result<(OwnedFd, &'a OsStr)> {
            let Some(Component::Normal(name)) = at.rel.components().next_back() else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            let above = at.rel.parent().unwrap_or(Path::new(""));
            Ok((self.folder(&root, above)?, name))
        };
        inner().map_err(|e| self.error(at, e))
    }

    /// A regular file or folder by its own handle.
    fn handle(&self, at: At<'_>) -> Result<OwnedFd, PathError> {
        if at.rel.as_os_str().is_empty() {
            let root = self.root(at)?;
            return self.folder(&root, at.rel).map_err(|e| self.error(at, e));
        }
        let (folder, name) = self.parent(at)?;
        let inner = || -> io::Result<OwnedFd> {
            let stat = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile | FileType::Directory => {}
                _ => return Err(io::Error::other("neither a regular file nor a folder")),
            }
            Ok(rustix::fs::openat(
                &folder,
                name,
                OFlags::RDONLY | PLAIN,
                Mode::empty(),
            )?)
        };
        inner().map_err(|e| self.error(at, e))
    }
}

impl WriteFs for SystemWriteFs {
    fn open(&self, path: &Path) -> Result<Root, PathError> {
        self.adopt(path)
    }

    fn make(&self, path: &Path) -> Result<Root, PathError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|e| failed(path.to_owned(), e))?;
        self.adopt(path)
    }

    fn shown(&self, at: At<'_>) -> PathBuf {
        match self.root(at) {
            Ok(root) if at.rel.as_os_str().is_empty() => root.path.clone(),
            Ok(root) => root.path.join(at.rel),
            Err(_) => at.rel.to_owned(),
        }
    }

    fn stat(&self, at: At<'_>) -> Result<Stat, PathError> {
        if at.rel.as_os_str().is_empty() {
            let handle = self.handle(at)?;
            let stat = rustix::fs::fstat(&handle).map_err(|e| self.error(at, e))?;
            return Ok(stat_of(&stat));
        }
        let (folder, name) = self.parent(at)?;
        rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .map(|stat| stat_of(&stat))
            .map_err(|e| self.error(at, e))
    }

    fn list(&self, at: At<'_>) -> Result<Vec<DirEntry>, PathError> {
        let root = self.root(at)?;
        let handle = self.folder(&root, at.rel).map_err(|e| self.error(at, e))?;
        HandleDir::new(handle, Arc::from(self.shown(at).as_path())).list()
    }

    fn read(&self, at: At<'_>) -> Result<Box<dyn ReadFile>, PathError> {
        let (folder, name) = self.parent(at)?;
        let shown = self.shown(at);
        let above = shown.parent().unwrap_or(Path::new(""));
        HandleDir::new(folder, Arc::from(above)).open_file(name)
    }

    fn read_link(&self, at: At<'_>) -> Result<OsString, PathError> {
        let (folder, name) = self.parent(at)?;
        rustix::fs::readlinkat(&folder, name, Vec::new())
            .map(|target| OsString::from_vec(target.into_bytes()))
            .map_err(|e| self.error(at, e))
    }

    fn xattrs(&self, at: At<'_>) -> Result<Vec<(OsString, Vec<u8>)>, PathError> {
        let handle = self.handle(at)?;
        let mut names = vec![0u8; 64 << 10];
        let length = match rustix::fs::flistxattr(&handle, names.as_mut_slice()) {
            Ok(length) => length,
            Err(rustix::io::Errno::NOTSUP) => 0,
            Err(error) => return Err(self.error(at, error)),
        };
        let mut found = Vec::new();
        let listed = names.get(..length).unwrap_or_default();
        for name in listed.split(|b| *b == 0).filter(|name| !name.is_empty()) {
            let name = OsStr::from_bytes(name);
            let mut value = vec![0u8; 64 << 10];
            if let Ok(length) = rustix::fs::fgetxattr(&handle, name, value.as_mut_slice()) {
                value.truncate(length);
                found.push((name.to_owned(), value));
            }
        }
        found.sort();
        Ok(found)
    }

    fn free(&self, root: Root) -> Result<u64, PathError> {
        let at = root.at(Path::new(""));
        let opened = self.root(at)?;
        let facts = rustix::fs::fstatvfs(&opened.handle).map_err(|e| self.error(at, e))?;
        Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
    }

    fn create(&self, at: At<'_>, mode: u32) -> Result<Box<dyn NewFile>, PathError> {
        let (folder, name) = self.parent(at)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | PLAIN;
        let handle = rustix::fs::openat(&folder, name, flags, Mode::from_raw_mode(mode))
            .map_err(|e| self.error(at, e))?;
        Ok(Box::new(Written(File::from(handle))))
    }

    fn append(&self, at: At<'_>) -> Result<Box<dyn NewFile>, PathError> {
        let (folder, name) = self.parent(at)?;
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | PLAIN;
        let inner = || -> io::Result<File> {
            let handle = rustix::fs::openat(&folder, name, flags, PRIVATE)?;
            let stat = rustix::fs::fstat(&handle)?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                return Err(io::Error::other("not a regular file"));
            }
            Ok(File::from(handle))
        };
        let file = inner().map_err(|e| self.error(at, e))?;
        Ok(Box::new(Written(file)))
    }

    fn make_dir(&self, at: At<'_>, mode: u32) -> Result<(), PathError> {
        let (folder, name) = self.parent(at)?;
        rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(mode)).map_err(|e| self.error(at, e))
    }

    fn make_link(&self, at: At<'_>, target: &OsStr) -> Result<(), PathError> {
        let (folder, name) = self.parent(at)?;
        rustix::fs::symlinkat(target, &folder, name).map_err(|e| self.error(at, e))
    }

    fn rename(&self, from: At<'_>, to: At<'_>) -> Result<(), PathError> {
        let (old, old_name) = self.parent(from)?;
        let (new, new_name) = self.parent(to)?;
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        match rustix::fs::renameat_with(&old, old_name, &new, new_name, RenameFlags::NOREPLACE) {
            // Some file systems know no such flag.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
            Err(rustix::io::Errno::EXIST) => {
                return Err(self.error(to, rustix::io::Errno::EXIST));
            }
            other => return other.map_err(|e| self.error(from, e)),
        }
        if rustix::fs::statat(&new, new_name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Err(self.error(to, rustix::io::Errno::EXIST));
        }
        rustix::fs::renameat(&old, old_name, &new, new_name).map_err(|e| self.error(from, e))
    }

    fn remove(&self, at: At<'_>) -> Result<(), PathError> {
        let (folder, name) = self.parent(at)?;
        rustix::fs::unlinkat(&folder, name, AtFlags::empty()).map_err(|e| self.error(at, e))
    }

    fn remove_dir(&self, at: At<'_>) -> Result<(), PathError> {
        let (folder, name) = self.parent(at)?;
        rustix::fs::unlinkat(&folder, name, AtFlags::REMOVEDIR).map_err(|e| self.error(at, e))
    }

    fn set(&self, at: At<'_>, attributes: Attributes) -> Result<(), PathError> {
        if let Some(mode) = attributes.mode {
            let handle = self.handle(at)?;
            rustix::fs::fchmod(&handle, Mode::from_raw_mode(mode))
                .map_err(|e| self.error(at, e))?;
        }
        let Some(mtime) = attributes.mtime else {
            return Ok(());
        };
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: rustix::fs::UTIME_OMIT,
            },
            last_modification: timespec(mtime),
        };
        let set = if at.rel.as_os_str().is_empty() {
            let handle = self.handle(at)?;
            rustix::fs::futimens(&handle, &times)
        } else {
            let (folder, name) = self.parent(at)?;
            rustix::fs::utimensat(&folder, name, &times, AtFlags::SYMLINK_NOFOLLOW)
        };
        set.map_err(|e| self.error(at, e))
    }

    fn own(&self, at: At<'_>, uid: u32, gid: u32) -> Result<(), PathError> {
        let (folder, name) = self.parent(at)?;
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::chownat(&folder, name, Some(uid), Some(gid), flags)
            .map_err(|e| self.error(at, e))
    }

    fn set_xattr(&self, at: At<'_>, name: &OsStr, value: &[u8]) -> Result<(), PathError> {
        let handle = self.handle(at)?;
        rustix::fs::fsetxattr(&handle, name, value, XattrFlags::empty())
            .map_err(|e| self.error(at, e))
    }

    fn sync(&self, at: At<'_>) -> Result<(), PathError> {
        let root = self.root(at)?;
        let handle = self.folder(&root, at.rel).map_err(|e| self.error(at, e))?;
        match rustix::fs::fsync(&handle) {
            // Some file systems cannot flush a folder.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOTSUP) => Ok(()),
            other => other.map_err(|e| self.error(at, e)),
        }
    }

    fn lock(&self, at: At<'_>, wait: Duration) -> Result<Lock, PathError> {
        let (folder, name) = self.parent(at)?;
        let flags = OFlags::RDWR | OFlags::CREATE | PLAIN;
        let mode = Mode::from_raw_mode(0o644);
        let handle =
            rustix::fs::openat(&folder, name, flags, mode).map_err(|e| self.error(at, e))?;
        let started = Instant::now();
        loop {
            match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock::Held(Box::new(handle))),
                Err(
                    rustix::io::Errno::NOTSUP | rustix::io::Errno::NOSYS | rustix::io::Errno::NOLCK,
                ) => {
                    return Ok(Lock::Unsupported);
                }
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {
                    if started.elapsed() >= wait {
                        return Ok(Lock::Busy(lock_holder::of(&handle)));
                    }
                    std::thread::sleep(PATIENCE);
                }
                Err(error) => return Err(self.error(at, error)),
            }
        }
    }
}

/// Seconds rounded down, so that the rest is never negative.
fn timespec(nanoseconds: i128) -> Timespec {
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    let rest = nanoseconds.rem_euclid(1_000_000_000);
    Timespec {
        tv_sec: i64::try_from(seconds).unwrap_or(if seconds < 0 { i64::MIN } else { i64::MAX }),
        tv_nsec: i64::try_from(rest).unwrap_or(0),
    }
}

/// A file of which only this process knows yet, or one of ours that grows.
struct Written(File);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl NewFile for Written {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

#[cfg(test)]
mod tests;
