//! Our state folder, by handle: nothing in it is reached through a link, and no name leaves it.
//!
//! Made lazily with mode 0700. Files are replaced by rename after a flush; what fails leaves the old file whole.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags};

use crate::world::state::StateLock;
use crate::world::{PathError, StateDir};

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
const LONGEST_NAME: usize = 120;

/// A folder of ours.
pub struct StateFolder {
    path: PathBuf,
    handle: Mutex<Option<File>>,
    serial: AtomicU32,
}

impl StateFolder {
    /// Touches nothing yet; the folder is made when something is first written.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            handle: Mutex::new(None),
            serial: AtomicU32::new(0),
        }
    }

    /// The folder's handle; `None` when it is not there and should not be made.
    fn folder(&self, make: bool) -> Result<Option<File>, PathError> {
        let own = |source: io::Error| PathError {
            path: self.path.clone(),
            source,
        };
        let mut held = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = held.as_ref() {
            return handle.try_clone().map(Some).map_err(own);
        }
        if make {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.path)
                .map_err(own)?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle: OwnedFd = match rustix::fs::openat(CWD, &self.path, flags, Mode::empty()) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::NOENT) if !make => return Ok(None),
            Err(error) => return Err(own(error.into())),
        };
        let handle = File::from(handle);
        let twin = handle.try_clone().map_err(own)?;
        *held = Some(handle);
        Ok(Some(twin))
    }

    fn made(&self) -> Result<File, PathError> {
        self.folder(true)?.ok_or_else(|| PathError {
            path: self.path.clone(),
            source: io::ErrorKind::NotFound.into(),
        })
    }

    fn error_at(&self, name: &str, source: impl Into<io::Error>) -> PathError {
        PathError {
            path: self.path.join(Path::new(name)),
            source: source.into(),
        }
    }

    /// Letters, digits, dot, dash and underscore, not beginning with a dot.
    fn safe(&self, name: &str) -> Result<(), PathError> {
        let fits = !name.is_empty()
            && name.len() <= LONGEST_NAME
            && !name.starts_with('.')
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if fits {
            Ok(())
        } else {
            Err(self.error_at("", io::ErrorKind::InvalidInput))
        }
    }

    fn open(&self, folder: &File, name: &str, flags: OFlags) -> Result<File, PathError> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let handle =
            rustix::fs::openat(folder, name, flags, PRIVATE).map_err(|e| self.error_at(name, e))?;
        let stat = rustix::fs::fstat(&handle).map_err(|e| self.error_at(name, e))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.error_at(name, io::Error::other("not a regular file")));
        }
        Ok(File::from(handle))
    }

    /// Whether an entry is there and regular; a link, a FIFO or a folder is an error, and nothing is opened.
    fn regular(&self, folder: &File, name: &str) -> Result<bool, PathError> {
        match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(self.error_at(name, error)),
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => Ok(true),
            Ok(_) => Err(self.error_at(
                name,
                io::Error::other("not a regular file: move it away, it is not untaint's"),
            )),
        }
    }
}

impl StateDir for StateFolder {
    fn read(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>, PathError> {
        self.safe(name)?;
        let Some(folder) = self.folder(false)? else {
            return Ok(None);
        };
        if !self.regular(&folder, name)? {
            return Ok(None);
        }
        let file = self.open(&folder, name, OFlags::RDONLY)?;
        let too_large = || self.error_at(name, io::ErrorKind::FileTooLarge);
        let size = file.metadata().map_err(|e| self.error_at(name, e))?.len();
        if size > max {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
        file.take(max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|e| self.error_at(name, e))?;
        if bytes.len() as u64 > max {
            return Err(too_large());
        }
        Ok(Some(bytes))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), PathError> {
        self.safe(name)?;
        let folder = self.made()?;
        self.regular(&folder, name)?;
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let beside = format!(".{name}.{}-{serial}.part", std::process::id());
        // What a killed process of the same number left behind is ours to take away.
        let _ = rustix::fs::unlinkat(&folder, &beside, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut file = self.open(&folder, &beside, flags)?;
        let written = file
            .write_all(bytes)
            .and_then(|()| file.sync_all())
            .and_then(|()| Ok(rustix::fs::renameat(&folder, &beside, &folder, name)?));
        if let Err(error) = written {
            let _ = rustix::fs::unlinkat(&folder, &beside, AtFlags::empty());
            return Err(self.error_at(name, error));
        }
        // Some file systems cannot flush a folder; the content is whole either way.
        let _ = folder.sync_all();
        Ok(())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> Result<(), PathError> {
        self.safe(name)?;
        let folder = self.made()?;
        self.regular(&folder, name)?;
        let mut file = self.open(
            &folder,
            name,
            OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE,
        )?;
        file.write_all(bytes).map_err(|e| self.error_at(name, e))
    }

    fn lock(&self, name: &str) -> Result<Option<Box<dyn StateLock>>, PathError> {
        self.safe(name)?;
        let folder = self.made()?;
        self.regular(&folder, name)?;
        let file = self.open(&folder, name, OFlags::RDWR | OFlags::CREATE)?;
        for attempt in 0..=20u32 {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Box::new(Held(file)))),
                Err(TryLockError::WouldBlock) if attempt < 20 => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(self.error_at(name, error)),
            }
        }
        Ok(None)
    }

    fn set_aside(&self, name: &str) -> Result<String, PathError> {
        self.safe(name)?;
        let folder = self.made()?;
        for number in 1..=1000u32 {
            let aside = format!("{name}.unreadable-{number}");
            match rename_new(&folder, name, &aside) {
                Ok(()) => return Ok(aside),
                Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(self.error_at(name, error)),
            }
        }
        Err(self.error_at(name, io::ErrorKind::AlreadyExists))
    }

    fn remove(&self, name: &str) -> Result<(), PathError> {
        self.safe(name)?;
        let Some(folder) = self.folder(false)? else {
            return Ok(());
        };
        if !self.regular(&folder, name)? {
            return Ok(());
        }
        match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(self.error_at(name, error)),
        }
    }

    fn size(&self, name: &str) -> Result<u64, PathError> {
        self.safe(name)?;
        let Some(folder) = self.folder(false)? else {
            return Ok(0);
        };
        match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(u64::try_from(stat.st_size).unwrap_or(0)),
            Err(rustix::io::Errno::NOENT) => Ok(0),
            Err(error) => Err(self.error_at(name, error)),
        }
    }

    fn list(&self) -> Result<Vec<String>, PathError> {
        let Some(folder) = self.folder(false)? else {
            return Ok(Vec::new());
        };
        let own = |e: rustix::io::Errno| self.error_at("", e);
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&folder).map_err(own)? {
            let entry = entry.map_err(own)?;
            let name = std::ffi::OsStr::from_bytes(entry.file_name().to_bytes());
            if let Some(name) = name.to_str()
                && self.safe(name).is_ok()
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn path(&self) -> PathBuf {
        self.path.clone()
    }
}

/// Renames unless something has the new name.
fn rename_new(folder: &File, from: &str, to: &str) -> rustix::io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    match rustix::fs::renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        // Some file systems know no such flag.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
        other => return other,
    }
    match rustix::fs::statat(folder, to, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(rustix::io::Errno::EXIST),
        Err(_) => rustix::fs::renameat(folder, from, folder, to),
    }
}

/// The lock goes when the handle does.
struct Held(File);

impl StateLock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests;
