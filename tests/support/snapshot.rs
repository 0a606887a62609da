//! A memory of every path below some folders: kind, size, mode, owner, times, links and content.
//!
//! Access times are left out: reading may touch them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::archive::sha256;

/// What lay where, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    entries: BTreeMap<PathBuf, String>,
}

impl Snapshot {
    pub(crate) fn take(roots: &[&Path]) -> Self {
        let mut entries = BTreeMap::new();
        for root in roots {
            note(root, &mut entries);
        }
        Self { entries }
    }

    /// The paths that differ, each with what was and what is.
    pub(crate) fn differences(&self, later: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, was) in &self.entries {
            match later.entries.get(path) {
                None => found.push(format!("{} is gone", path.display())),
                Some(is) if is != was => {
                    found.push(format!("{}: {was} became {is}", path.display()));
                }
                Some(_) => {}
            }
        }
        for path in later.entries.keys() {
            if !self.entries.contains_key(path) {
                found.push(format!("{} is new", path.display()));
            }
        }
        found
    }
}

fn note(path: &Path, entries: &mut BTreeMap<PathBuf, String>) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return;
    };
    let kind = meta.file_type();
    let mut text = format!(
        "mode {:o} owner {}:{} links {} size {} mtime {}.{} ctime {}.{} inode {}",
        meta.mode(),
        meta.uid(),
        meta.gid(),
        meta.nlink(),
        meta.size(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec(),
        meta.ino(),
    );
    if kind.is_symlink() {
        let _ = write!(text, " -> {:?}", fs::read_link(path).unwrap());
    } else if kind.is_file() {
        match fs::read(path) {
            Ok(bytes) => {
                let _ = write!(text, " sha256 {}", sha256(&bytes));
            }
            Err(error) => {
                let _ = write!(text, " unreadable: {error}");
            }
        }
    } else if kind.is_fifo() || kind.is_socket() {
        text.push_str(" special");
    } else if kind.is_dir() {
        let mut children: Vec<PathBuf> = match fs::read_dir(path) {
            Ok(listing) => listing
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect(),
            Err(_) => Vec::new(),
        };
        children.sort();
        for child in children {
            note(&child, entries);
        }
    }
    entries.insert(path.to_path_buf(), text);
}
