//! Locks of the owning tools: taken as the tool takes them, waited for, never broken.
//!
//! Where the folder of a lock is missing it is made as the tool makes it, and what was made is said, so that it can be
//! recorded and taken away again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::record::{Above, LockFolders, Name, Was};
use crate::world::write_fs::{Attributes, Lock, Root};
use crate::world::{FileKind, WriteFs};

/// Mode of a folder that is made, before the user's mask.
const MODE: u32 = 0o777;

/// A lock that is held until it is dropped; `None` inside where the file system has no locks, as for the tool.
pub(super) struct Taken {
    /// Held while it lives.
    pub(super) held: Option<Box<dyn Send>>,
    /// What was made for it; `folder` is 0.
    pub(super) made: Option<LockFolders>,
}

/// Takes one lock of a tool.
///
/// # Errors
/// Who holds it, or what stands in the way.
pub(super) fn take_lock(
    fs: &dyn WriteFs,
    root: Root,
    rel: &Path,
    wait: Duration,
) -> Result<Taken, String> {
    let made = folders(fs, root, rel)?;
    let at = root.at(rel);
    // A lock file that is made anew leaves no trace in its folder's time.
    let above = rel.parent().unwrap_or(Path::new(""));
    let before = match fs.stat(at) {
        Err(error) if error.is_not_found() => fs.stat(root.at(above)).ok(),
        _ => None,
    };
    let taken = fs.lock(at, wait);
    if let Some(before) = before {
        let times = Attributes {
            mode: None,
            mtime: Some(before.mtime),
        };
        let _ = fs.set(root.at(above), times);
    }
    match taken {
        Ok(Lock::Held(held)) => Ok(Taken {
            held: Some(held),
            made,
        }),
        Ok(Lock::Unsupported) => Ok(Taken { held: None, made }),
        Ok(Lock::Busy(who)) => Err(format!(
            "{} is locked by {}, and still was after {} s: end it or wait for it, then run again",
            fs.shown(at).display(),
            who.unwrap_or_else(|| "another program".to_owned()),
            wait.as_secs()
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// Makes the folders of a lock that are missing. A link on the way is named: nothing is changed behind one.
fn folders(fs: &dyn WriteFs, root: Root, rel: &Path) -> Result<Option<LockFolders>, String> {
    let mut above: Vec<&Path> = rel.ancestors().skip(1).collect();
    above.reverse();
    let mut nearest = None;
    let mut made: Option<LockFolders> = None;
    for folder in above {
        let at = root.at(folder);
        match fs.stat(at) {
            Ok(found) if found.kind == FileKind::Dir => nearest = Some((folder, found)),
            Ok(found) if found.kind == FileKind::Link => {
                return Err(format!(
                    "{} is a link, and stands above the lock {}: take it away, its tool makes the folder",
                    fs.shown(at).display(),
                    rel.display()
                ));
            }
            Ok(_) => {
                return Err(format!(
                    "{} is no folder, and stands above the lock {}: take it away, its tool makes the folder",
                    fs.shown(at).display(),
                    rel.display()
                ));
            }
            Err(error) if error.is_not_found() => {
                fs.make_dir(at, MODE).map_err(|e| e.to_string())?;
                let Some((rel_above, was)) = &nearest else {
                    continue;
                };
                made.get_or_insert_with(|| LockFolders {
                    folder: 0,
                    made: Vec::new(),
                    lock: Name::of(rel),
                    above: Above {
                        rel: Name::of(rel_above),
                        was: Was::of(was),
                    },
                })
                .made
                .push(Name::of(folder));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(made)
}

/// Takes away what was made for a lock, as far as nothing else lies in it by now.
///
/// # Errors
/// When the system refuses.
pub(super) fn unmake(
    fs: &dyn WriteFs,
    root: Root,
    folders: &LockFolders,
) -> Result<(), crate::world::PathError> {
    let lock = folders.lock.path();
    let alone = |at: &PathBuf, most: usize| match fs.list(root.at(at)) {
        Ok(entries) => Ok(entries.len() <= most),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    };
    for (at, made) in folders.made.iter().rev().enumerate() {
        let made = made.path();
        if at == 0 {
            let empty = match fs.stat(root.at(&lock)) {
                Ok(found) => found.kind == FileKind::File && found.size == 0,
                Err(_) => false,
            };
            if empty && lock.parent() == Some(&made) && alone(&made, 1)? {
                fs.remove(root.at(&lock))?;
            }
        }
        if !alone(&made, 0)? {
            return Ok(());
        }
        fs.remove_dir(root.at(&made))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake_disk::FakeDisk;

    const LOCK: &str = "cache/download/a.example/m/@v/v1.0.0.lock";

    fn take(disk: &FakeDisk) -> Result<Taken, String> {
        let root = disk.open(Path::new("/m")).unwrap();
        take_lock(disk, root, Path::new(LOCK), Duration::ZERO)
    }

    #[test]
    fn the_folders_of_a_lock_are_made_and_taken_away_again() {
        let disk = FakeDisk::new();
        disk.dir("/m/cache");
        let before = disk.image("/m");
        let taken = take(&disk).unwrap();
        let made = taken.made.unwrap();
        drop(taken.held);
        let names: Vec<String> = made.made.iter().map(|m| m.text.clone()).collect();
        assert_eq!(
            names,
            [
                "cache/download",
                "cache/download/a.example",
                "cache/download/a.example/m",
                "cache/download/a.example/m/@v"
            ]
        );
        assert_eq!(made.above.rel.text, "cache");
        assert!(take(&disk).unwrap().made.is_none(), "they are there now");
        let root = disk.open(Path::new("/m")).unwrap();
        unmake(&disk, root, &made).unwrap();
        let after = disk.image("/m");
        assert!(after.keys().eq(before.keys()), "{after:?}");
        unmake(&disk, root, &made).unwrap();
    }

    #[test]
    fn what_is_not_ours_stays() {
        let disk = FakeDisk::new();
        disk.dir("/m/cache");
        let made = take(&disk).unwrap().made.unwrap();
        disk.file("/m/cache/download/a.example/other", b"x", 0o644);
        let root = disk.open(Path::new("/m")).unwrap();
        unmake(&disk, root, &made).unwrap();
        assert!(disk.bytes("/m/cache/download/a.example/other").is_some());
    }

    #[test]
    fn a_link_on_the_way_is_named() {
        let disk = FakeDisk::new();
        disk.dir("/m/cache");
        disk.link("/m/cache/download", "/elsewhere");
        let Err(why) = take(&disk) else {
            panic!("a lock behind a link");
        };
        assert!(why.contains("/m/cache/download is a link"), "{why}");
    }
}
