//! The reading traits over real folders, with one file optionally replaced in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use untaint::formats::git::{
    Fault, FaultKind, Files, Item, ItemKind, Repositories, Sources, Worktree,
};

#[derive(Debug, Clone)]
pub(crate) struct Disk {
    root: PathBuf,
    /// A file, relative to the root, and the bytes it is to have.
    pub(crate) overlay: Option<(String, Vec<u8>)>,
}

impl Disk {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            overlay: None,
        }
    }

    /// A folder below, with what is replaced in it.
    pub(crate) fn repository(&self, below: &str) -> Self {
        let overlay = self.overlay.as_ref().and_then(|(rel, bytes)| {
            Some((
                rel.strip_prefix(&format!("{below}/"))?.to_owned(),
                bytes.clone(),
            ))
        });
        Self {
            root: self.root.join(below),
            overlay,
        }
    }

    fn at(&self, rel: &[u8]) -> PathBuf {
        self.root.join(std::ffi::OsStr::from_bytes(rel))
    }

    fn replaced(&self, rel: &[u8]) -> Option<&[u8]> {
        self.overlay
            .as_ref()
            .filter(|(name, _)| name.as_bytes() == rel)
            .map(|(_, bytes)| bytes.as_slice())
    }

    fn items(&self, rel: &[u8]) -> Vec<Item> {
        let Ok(folder) = fs::read_dir(self.at(rel)) else {
            return Vec::new();
        };
        let mut items: Vec<Item> = folder
            .map(|entry| {
                let entry = entry.unwrap();
                let meta = entry.path().symlink_metadata().unwrap();
                let kind = match meta.file_type() {
                    kind if kind.is_dir() => ItemKind::Directory,
                    kind if kind.is_symlink() => ItemKind::Link,
                    _ => ItemKind::File {
                        size: meta.len(),
                        executable: meta.permissions().mode() & 0o100 != 0,
                    },
                };
                Item {
                    name: entry.file_name().into_vec(),
                    kind,
                }
            })
            .collect();
        // No order is promised.
        items.sort_by(|a, b| b.name.cmp(&a.name));
        items
    }
}

impl Files for Disk {
    fn size(&self, rel: &str) -> Result<Option<u64>, Fault> {
        if let Some(bytes) = self.replaced(rel.as_bytes()) {
            return Ok(Some(bytes.len() as u64));
        }
        Ok(fs::metadata(self.at(rel.as_bytes()))
            .ok()
            .map(|meta| meta.len()))
    }

    fn read_at(&self, rel: &str, offset: u64, len: usize) -> Result<Option<Vec<u8>>, Fault> {
        if let Some(bytes) = self.replaced(rel.as_bytes()) {
            let start = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            return Ok(Some(
                bytes[start..bytes.len().min(start.saturating_add(len))].to_vec(),
            ));
        }
        let Ok(mut file) = fs::File::open(self.at(rel.as_bytes())) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(offset)).unwrap();
        file.take(len as u64).read_to_end(&mut bytes).unwrap();
        Ok(Some(bytes))
    }

    fn list(&self, rel: &str) -> Result<Vec<Item>, Fault> {
        Ok(self.items(rel.as_bytes()))
    }
}

impl Worktree for Disk {
    fn list(&self, rel: &[u8]) -> Result<Vec<Item>, Fault> {
        Ok(self.items(rel))
    }

    fn read(&self, rel: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        match self.replaced(rel) {
            Some(bytes) => sink(bytes),
            None => sink(
                &fs::read(self.at(rel))
                    .map_err(|error| Fault::new(FaultKind::Unreadable, error.to_string()))?,
            ),
        }
        Ok(())
    }

    fn link(&self, rel: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok(fs::read_link(self.at(rel))
            .unwrap()
            .into_os_string()
            .into_vec())
    }
}

/// Every worktree folder's own `.git`, and further sources.
pub(crate) struct Checkouts<'a> {
    pub(crate) disk: &'a Disk,
    pub(crate) others: BTreeMap<Vec<u8>, Vec<Disk>>,
}

impl Repositories for Checkouts<'_> {
    fn open(&self, rel: &[u8]) -> Sources<'_> {
        let below = if rel.is_empty() {
            ".git".to_owned()
        } else {
            format!("{}/.git", std::str::from_utf8(rel).unwrap())
        };
        let own = self.disk.repository(&below);
        let own: Option<Box<dyn Files>> =
            own.root.is_dir().then(|| Box::new(own) as Box<dyn Files>);
        let mut others: Vec<Box<dyn Files>> = Vec::new();
        for disk in self.others.get(rel).into_iter().flatten() {
            others.push(Box::new(disk.clone()));
        }
        Sources {
            own,
            others,
            fault: None,
        }
    }
}
