//! Reports to standard output and to named files.
//!
//! Must never follow a link at the last component of a named file, nor leave half a report under its name.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::world::PathError;
use crate::world::sink::Sinks;

/// The machine's standard streams and files.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemSinks;

impl Sinks for SystemSinks {
    fn stdout(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    fn stderr(&self, bytes: &[u8]) {
        let _ = io::stderr().lock().write_all(bytes);
    }

    fn file(&self, path: &Path, bytes: &[u8]) -> Result<(), PathError> {
        let named = |source: io::Error| PathError {
            path: path.to_owned(),
            source,
        };
        replace(path, bytes, 0o666).map_err(named)
    }

    fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    fn stderr_is_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }
}

/// Replaces a regular file, or makes it, with this mode (less the umask): written beside it, flushed, renamed over it.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    refuse_irregular(path)?;
    let (mut file, beside) = create_beside(path, mode)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, path));
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}

/// Anything but a regular file is an error; nothing at all is none.
pub(super) fn refuse_irregular(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => Err(io::Error::other(
            "a symbolic link: name the file that it points to",
        )),
        Ok(meta) if meta.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(meta) if !meta.is_file() => Err(io::Error::other(
            "not a regular file: use -f to write to standard output",
        )),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A new file in the same folder, under a name that nothing has.
fn create_beside(path: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    let name = path
        .file_name()
        .ok_or(io::Error::from(io::ErrorKind::InvalidInput))?;
    for attempt in 0..100u32 {
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}-{attempt}.part", std::process::id()));
        let beside = path.with_file_name(beside);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)
        {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn replaces_whole_files_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        SystemSinks.file(&path, b"one").unwrap();
        SystemSinks.file(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn follows_no_link_and_writes_into_no_device() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::fs::write(&target, b"precious").unwrap();
        let link = folder.path().join("link");
        symlink(&target, &link).unwrap();
        assert!(SystemSinks.file(&link, b"x").is_err());
        assert_eq!(std::fs::read(&target).unwrap(), b"precious");
        symlink("nowhere", folder.path().join("dangling")).unwrap();
        assert!(
            SystemSinks
                .file(&folder.path().join("dangling"), b"x")
                .is_err()
        );
        assert!(SystemSinks.file(Path::new("/dev/null"), b"x").is_err());
        assert!(SystemSinks.file(folder.path(), b"x").is_err());
        assert!(
            SystemSinks
                .file(&folder.path().join("no/where"), b"x")
                .is_err()
        );
    }

    #[test]
    fn a_planted_link_at_the_temporary_name_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::fs::write(&target, b"precious").unwrap();
        let planted = format!(".r.json.{}-0.part", std::process::id());
        symlink(&target, folder.path().join(planted)).unwrap();
        let path = folder.path().join("r.json");
        SystemSinks.file(&path, b"x").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"precious");
        assert_eq!(std::fs::read(&path).unwrap(), b"x");
    }
}
