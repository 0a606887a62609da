//! Lists a tree once: names, kinds and identities, without following links, and one digest over all of it.
//!
//! The digest is what the ledger keys a tree by. It covers device, inode, size, mode, modification and change time of every
//! entry: an unprivileged writer cannot change content and keep it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use crate::world::{Dir, FileKind, PathError, Stat};

use super::place::{Suspects, Watch};

/// Deepest folder below a tree's root.
const MAX_DEPTH: usize = 128;
/// Most entries of one tree: all are held at once, and no package comes near it.
const MAX_ENTRIES: usize = 250_000;

/// A listed tree.
pub(super) struct TreeListing {
    /// Everything that is no folder, sorted by path.
    pub(super) files: Vec<Listed>,
    /// Digest over the identities of all entries, folders included.
    pub(super) identity: [u8; 32],
    /// Youngest modification or change time, in seconds since 1970.
    pub(super) youngest: i64,
    /// What others could change, if anybody watches.
    pub(super) suspects: Suspects,
}

/// Something in a tree that is no folder.
pub(super) struct Listed {
    /// Path below the tree's root, with `/`.
    pub(super) path: Box<[u8]>,
    /// What it is, and its identity.
    pub(super) stat: Stat,
}

impl TreeListing {
    /// What stands at a path, and where in the listing.
    pub(super) fn find(&self, path: &[u8]) -> Option<(usize, Stat)> {
        let at = self.files.binary_search_by(|f| (*f.path).cmp(path)).ok()?;
        Some((at, self.files.get(at)?.stat))
    }
}

/// Why a tree could not be listed.
#[derive(Debug)]
pub(super) enum ListError {
    /// Something in it could not be read.
    Path(PathError),
    /// It is deeper or larger than any package.
    Limit,
}

impl From<PathError> for ListError {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

struct Walk<'a> {
    watch: Option<&'a Watch<'a>>,
    suspects: Suspects,
    files: Vec<Listed>,
    hasher: blake3::Hasher,
    /// What is said of one entry.
    said: Vec<u8>,
    youngest: i64,
    entries: usize,
}

/// Lists everything below `root`, except what lies below the folders in `without`.
///
/// # Errors
/// When a folder cannot be read, or the tree is larger than any package.
pub(super) fn list(
    root: &dyn Dir,
    without: &[Box<[u8]>],
    watch: Option<&Watch<'_>>,
) -> Result<TreeListing, ListError> {
    let mut walk = Walk {
        watch,
        suspects: Suspects::default(),
        files: Vec::new(),
        hasher: blake3::Hasher::new(),
        said: Vec::new(),
        youngest: 0,
        entries: 0,
    };
    walk.identify(b"", &root.stat()?);
    walk.folder(root, without, &mut Vec::new(), 0)?;
    walk.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(TreeListing {
        files: walk.files,
        identity: *walk.hasher.finalize().as_bytes(),
        youngest: walk.youngest,
        suspects: walk.suspects,
    })
}

impl Walk<'_> {
    fn folder(
        &mut self,
        dir: &dyn Dir,
        without: &[Box<[u8]>],
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), ListError> {
        if depth > MAX_DEPTH {
            return Err(ListError::Limit);
        }
        for entry in dir.list()? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(ListError::Limit);
            }
            let before = path.len();
            if before > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(entry.name.as_bytes());
            let stat = dir.stat_entry(&entry.name)?;
            self.identify(path, &stat);
            let elsewhere = without.iter().any(|other| **other == **path);
            if stat.kind == FileKind::Dir && elsewhere {
                // Another unit's.
            } else if stat.kind == FileKind::Dir {
                let below = dir.open_dir(&entry.name)?;
                self.folder(&*below, without, path, depth + 1)?;
            } else {
                self.files.push(Listed {
                    path: Box::from(path.as_slice()),
                    stat,
                });
            }
            path.truncate(before);
        }
        Ok(())
    }

    fn identify(&mut self, path: &[u8], stat: &Stat) {
        if let Some(watch) = self.watch {
            watch.judge(path, stat, &mut self.suspects);
        }
        self.youngest = self
            .youngest
            .max(seconds(stat.mtime))
            .max(seconds(stat.ctime));
        // Gathered first: the hasher is slow on many short pieces.
        let said = &mut self.said;
        said.clear();
        said.extend_from_slice(&(path.len() as u64).to_le_bytes());
        said.extend_from_slice(path);
        said.push(match stat.kind {
            FileKind::File => 0,
            FileKind::Dir => 1,
            FileKind::Link => 2,
            FileKind::Other => 3,
        });
        for number in [
            stat.dev,
            stat.inode,
            stat.size,
            u64::from(stat.mode),
            u64::from(stat.uid),
        ] {
            said.extend_from_slice(&number.to_le_bytes());
        }
        said.extend_from_slice(&stat.mtime.to_le_bytes());
        said.extend_from_slice(&stat.ctime.to_le_bytes());
        self.hasher.update(said);
    }
}

/// Nanoseconds to whole seconds.
pub(super) fn seconds(nanoseconds: i128) -> i64 {
    i64::try_from(nanoseconds.div_euclid(1_000_000_000)).unwrap_or(i64::MAX)
}

/// Opens files of a tree by their path, keeping the folders on the way open while neighbours are read.
pub(super) struct Opener<'a> {
    root: &'a dyn Dir,
    open: Vec<(OsString, Box<dyn Dir>)>,
}

impl<'a> Opener<'a> {
    /// Opens below `root`.
    pub(super) fn new(root: &'a dyn Dir) -> Self {
        Self {
            root,
            open: Vec::new(),
        }
    }

    /// The folder that a path lies in, and its last component.
    pub(super) fn folder<'p>(
        &mut self,
        path: &'p [u8],
    ) -> Result<(&dyn Dir, &'p OsStr), PathError> {
        let mut parts: Vec<&[u8]> = path.split(|b| *b == b'/').collect();
        let name = parts.pop().unwrap_or_default();
        let same = self
            .open
            .iter()
            .zip(&parts)
            .take_while(|((have, _), want)| have.as_bytes() == **want)
            .count();
        self.open.truncate(same);
        for part in parts.iter().skip(same) {
            let part = OsStr::from_bytes(part);
            let below = self.current().open_dir(part)?;
            self.open.push((part.to_owned(), below));
        }
        Ok((self.current(), OsStr::from_bytes(name)))
    }

    fn current(&self) -> &dyn Dir {
        self.open.last().map_or(self.root, |(_, dir)| &**dir)
    }
}
