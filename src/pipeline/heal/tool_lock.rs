//! The locks of the tools that own a cache: waited for, never broken.

use std::path::Path;
use std::time::Duration;

use crate::world::write_fs::{Attributes, Lock, Root};
use crate::world::{PathError, WriteFs};

/// Takes one lock of a tool; a file system without locks is one where the tool goes without, too.
pub(super) fn take_lock(
    fs: &dyn WriteFs,
    root: Root,
    rel: &Path,
    wait: Duration,
) -> Result<Option<Box<dyn Send>>, String> {
    let at = root.at(rel);
    // A lock file that is made anew leaves no trace in its folder's time.
    let above = rel.parent().unwrap_or(Path::new(""));
    let before = match fs.stat(at) {
        Err(error) if error.is_not_found() => fs.stat(root.at(above)).ok(),
        _ => None,
    };
    let mut taken = fs.lock(at, wait);
    if taken.as_ref().is_err_and(PathError::is_not_found) {
        // Its tool makes the folders of its locks too.
        let folders: Vec<&Path> = above.ancestors().collect();
        for folder in folders
            .into_iter()
            .rev()
            .filter(|f| !f.as_os_str().is_empty())
        {
            if fs.stat(root.at(folder)).is_err() {
                fs.make_dir(root.at(folder), 0o777)
                    .map_err(|e| e.to_string())?;
            }
        }
        taken = fs.lock(at, wait);
    }
    if let Some(before) = before {
        let times = Attributes {
            mode: None,
            mtime: Some(before.mtime),
        };
        let _ = fs.set(root.at(above), times);
    }
    match taken {
        Ok(Lock::Held(held)) => Ok(Some(held)),
        Ok(Lock::Unsupported) => Ok(None),
        Ok(Lock::Busy(who)) => Err(format!(
            "{} is locked by {}, and still was after {} s: end it or wait for it, then run again",
            fs.shown(at).display(),
            who.unwrap_or_else(|| "another program".to_owned()),
            wait.as_secs()
        )),
        Err(error) if error.is_unreachable() => Err(format!(
            "{error}: a link, or what is no folder, stands above this lock: take that away, its tool makes the folder"
        )),
        Err(error) => Err(error.to_string()),
    }
}
