//! What something on disk is, told so that it can be compared: the SHA-256 of a file, or of a tree's list of entries.
//!
//! Reads through the writing port, so that what is looked at is what is moved. Opens no FIFO, follows no link, goes no
//! deeper and counts no further than its limits; where something could not be read there is no digest.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::model::digest::hex;
use crate::world::write_fs::{At, Root};
use crate::world::{FileKind, PathError, Stat, WriteFs};

/// Deepest folder of a tree that is looked into.
pub(super) const DEPTH: usize = 96;
/// Most entries of a tree that are looked at.
pub(super) const MOST: usize = 500_000;
/// Largest file that is held in memory.
pub(super) const LARGEST: u64 = 512 << 20;

/// Largest file that is read to its end: what a hole in a file pretends to hold would take hours. It is moved as it is, and
/// known by its attributes.
const LONGEST: u64 = 4 << 30;

/// What was seen of something on disk.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Attributes of its top.
    pub(super) stat: Stat,
    /// Digest; `None` if something could not be read.
    pub(super) digest: Option<String>,
    /// Files that could be executed and have no other name: path below the top, mode.
    pub(super) armed: Vec<(PathBuf, u32)>,
    /// Bytes of all files.
    pub(super) bytes: u64,
    /// Files and folders.
    pub(super) entries: usize,
    /// Files with further names outside: hard links.
    pub(super) linked: usize,
    /// What a copy does not have by itself, below the top: other owners than the top's, set-id bits, further names.
    pub(super) odd: Vec<(PathBuf, Stat)>,
}

/// SHA-256 of a file's bytes, lower-case hex.
///
/// # Errors
/// It cannot be read, or is longer than anything that a registry serves.
pub(super) fn sha256(fs: &dyn WriteFs, at: At<'_>) -> Result<String, PathError> {
    let mut file = fs.read(at)?;
    if fs.stat(at)?.size > LONGEST {
        return Err(PathError {
            path: fs.shown(at),
            source: std::io::ErrorKind::FileTooLarge.into(),
        });
    }
    let mut file = file.by_ref().take(LONGEST);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0u8; 128 << 10];
    loop {
        let count = file.read(&mut buffer).map_err(|source| PathError {
            path: fs.shown(at),
            source,
        })?;
        if count == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

/// Bytes of all files there, none of them read.
pub(super) fn bytes(fs: &dyn WriteFs, root: Root, rel: &Path) -> u64 {
    let (mut sum, mut open, mut seen) = (0u64, vec![(rel.to_owned(), 0usize)], 0usize);
    while let Some((path, depth)) = open.pop() {
        for entry in fs.list(root.at(&path)).unwrap_or_default() {
            seen += 1;
            if seen > MOST {
                return sum;
            }
            let below = path.join(&entry.name);
            match entry.kind {
                FileKind::Dir if depth < DEPTH => open.push((below, depth + 1)),
                FileKind::File => {
                    let size = fs.stat(root.at(&below)).map_or(0, |stat| stat.size);
                    sum = sum.saturating_add(size);
                }
                _ => {}
            }
        }
    }
    sum
}

/// Looks at whatever lies there.
pub(super) fn at(fs: &dyn WriteFs, root: Root, rel: &Path) -> Result<Seen, PathError> {
    let stat = fs.stat(root.at(rel))?;
    let mut seen = Seen {
        stat,
        digest: None,
        armed: Vec::new(),
        bytes: 0,
        entries: 0,
        linked: 0,
        odd: Vec::new(),
    };
    let mut walk = Walk {
        fs,
        root,
        seen: &mut seen,
        whole: true,
        lines: Lines::default(),
    };
    walk.entry(rel, Path::new(""), &stat, 0);
    let (whole, digest) = (walk.whole, walk.lines.digest());
    // A file's digest is that of its bytes, so that it can be compared with what was published.
    seen.digest = match stat.kind {
        FileKind::File => sha256(fs, root.at(rel)).ok(),
        _ => whole.then_some(digest),
    };
    Ok(seen)
}

/// What is told of the entries of a tree, in their order: each folder's by name, what lies below an entry right after it.
#[derive(Default)]
pub(super) struct Lines(Sha256);

impl Lines {
    pub(super) fn entry(&mut self, below: &Path, kind: FileKind) {
        let kind = match kind {
            FileKind::File => b'f',
            FileKind::Dir => b'd',
            FileKind::Link => b'l',
            FileKind::Other => b'o',
        };
        for bytes in [below.as_os_str().as_bytes(), &[kind]] {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }
    }

    /// The sum of a file's bytes, or where a link points.
    pub(super) fn content(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn digest(self) -> String {
        hex(&self.0.finalize())
    }
}

struct Walk<'a> {
    fs: &'a dyn WriteFs,
    root: Root,
    seen: &'a mut Seen,
    whole: bool,
    lines: Lines,
}

impl Walk<'_> {
    fn entry(&mut self, rel: &Path, below: &Path, stat: &Stat, depth: usize) {
        self.seen.entries += 1;
        if self.seen.entries > MOST || depth > DEPTH {
            self.whole = false;
            return;
        }
        self.lines.entry(below, stat.kind);
        let top = &self.seen.stat;
        let stranger = (stat.uid, stat.gid) != (top.uid, top.gid);
        let linked = stat.kind == FileKind::File && stat.links > 1;
        let rights = stat.kind != FileKind::Link && stat.mode & 0o6000 != 0;
        if depth > 0 && (stranger || linked || rights) {
            self.seen.odd.push((below.to_owned(), *stat));
        }
        match stat.kind {
            FileKind::File => {
                self.seen.bytes = self.seen.bytes.saturating_add(stat.size);
                self.seen.linked += usize::from(stat.links > 1);
                if stat.mode & 0o7111 != 0 && stat.links == 1 {
                    self.seen.armed.push((below.to_owned(), stat.mode));
                }
                if depth == 0 {
                    return;
                }
                match sha256(self.fs, self.root.at(rel)) {
                    Ok(sum) => self.lines.content(sum.as_bytes()),
                    Err(_) => self.whole = false,
                }
            }
            FileKind::Link => match self.fs.read_link(self.root.at(rel)) {
                Ok(target) => self.lines.content(target.as_bytes()),
                Err(_) => self.whole = false,
            },
            FileKind::Dir => self.folder(rel, below, depth),
            FileKind::Other => {}
        }
    }

    fn folder(&mut self, rel: &Path, below: &Path, depth: usize) {
        let Ok(entries) = self.fs.list(self.root.at(rel)) else {
            self.whole = false;
            return;
        };
        let names: Vec<OsString> = entries.into_iter().map(|e| e.name).collect();
        for name in names {
            let path = rel.join(&name);
            match self.fs.stat(self.root.at(&path)) {
                Ok(stat) => self.entry(&path, &below.join(&name), &stat, depth + 1),
                Err(_) => self.whole = false,
            }
        }
    }
}
