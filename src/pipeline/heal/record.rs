//! What a heal does to the disk, as values that are written down before it is done.
//!
//! Paths are relative to folders of the record, names of quarantined things are of our own making. A record that is read
//! back is hostile input: every path in it is checked before anything is done by it.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::shell;
use crate::model::text;
use crate::world::Stat;

/// Version of what is written down.
pub const VERSION: u32 = 2;

/// A folder that is changed, and the one that holds what is taken out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Its path, escaped.
    pub path: Name,
    /// File-system id.
    pub dev: u64,
    /// Inode.
    pub inode: u64,
    /// Where things from it are kept, escaped.
    pub store: Name,
    /// File-system id of that place.
    pub store_dev: u64,
    /// Its inode: the place was made by the run, so that it is a mark that nobody else's folder has.
    pub store_inode: u64,
}

/// A path or link target: text if it is UTF-8, else escaped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Whether it is escaped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escaped: bool,
}

impl Name {
    /// From a path.
    pub fn of(path: &Path) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        let (text, escaped) = text::percent(path.as_os_str().as_bytes());
        Self { text, escaped }
    }

    /// The path.
    pub fn path(&self) -> PathBuf {
        use std::os::unix::ffi::OsStringExt as _;
        if self.escaped {
            PathBuf::from(std::ffi::OsString::from_vec(shell::unescape(&self.text)))
        } else {
            PathBuf::from(&self.text)
        }
    }

    /// Whether it stays below the folder that it is taken in.
    pub fn is_below(&self) -> bool {
        let path = self.path();
        let mut any = false;
        for part in path.components() {
            if !matches!(part, Component::Normal(_)) {
                return false;
            }
            any = true;
        }
        any && !self.text.contains('\0')
    }
}

/// Why something is moved away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It is not what was published.
    Tainted,
    /// It belongs to what is not.
    Follows,
    /// It was made from what is not.
    Derived,
    /// It stood where something was put back.
    Newer,
}

/// Attributes of what is moved, as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Was {
    /// File-system id.
    pub dev: u64,
    /// Inode.
    pub inode: u64,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Hard links.
    pub links: u64,
    /// Bytes.
    pub size: u64,
    /// Modification time: seconds since 1970, rounded down.
    pub seconds: i64,
    /// The rest in nanoseconds.
    pub nanoseconds: u32,
}

impl Was {
    /// From what the system says.
    pub fn of(stat: &Stat) -> Self {
        Self {
            dev: stat.dev,
            inode: stat.inode,
            mode: stat.mode,
            uid: stat.uid,
            gid: stat.gid,
            links: stat.links,
            size: stat.size,
            seconds: i64::try_from(stat.mtime.div_euclid(1_000_000_000)).unwrap_or(0),
            nanoseconds: u32::try_from(stat.mtime.rem_euclid(1_000_000_000)).unwrap_or(0),
        }
    }

    /// Modification time in nanoseconds since 1970.
    pub fn mtime(&self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }

    /// Whether this is the same file, by its identity.
    pub fn is(&self, stat: &Stat) -> bool {
        self.dev == stat.dev && self.inode == stat.inode
    }
}

/// Something that is moved into the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Folder, by position in the record.
    pub folder: usize,
    /// Path below it.
    pub rel: Name,
    /// Name in the quarantine.
    pub item: String,
    /// Why.
    pub role: Role,
    /// As it was.
    pub was: Was,
    /// The folder above it, as it was.
    pub above: Was,
    /// SHA-256 of a file's bytes, or of a tree's list of entries; `None` where something could not be read.
    pub digest: Option<String>,
    /// Bytes of all its files, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Files in it that could be executed, with their modes: in the quarantine they cannot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub armed: Vec<(Name, u32)>,
    /// What a copy on another file system does not have by itself, below the top, as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<(Name, Was)>,
    /// Digest of what its tool makes in this place by itself, from what was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remade: Option<String>,
}

/// Something good that is put in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// Folder, by position in the record.
    pub folder: usize,
    /// Path below it.
    pub rel: Name,
    /// Name under which it waits in the quarantine.
    pub staged: String,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// Folders that are made for it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Name>,
    /// The nearest folder above that was there, as it was, where nothing is moved away from the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Above>,
}

/// A folder, as it was before something in it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Above {
    /// Path below the folder of the record; empty for that itself.
    pub rel: Name,
    /// As it was.
    pub was: Was,
}

/// A file that says to the owning tool that something is not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Folder, by position in the record.
    pub folder: usize,
    /// Path below it.
    pub rel: Name,
    /// The folder above it, as it was.
    pub above: Was,
}

/// Folders that were made for a lock of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFolders {
    /// Folder, by position in the record.
    pub folder: usize,
    /// Paths below it, outermost first.
    pub made: Vec<Name>,
    /// The lock file in the innermost.
    pub lock: Name,
    /// The nearest folder above that was there, as it was.
    pub above: Above,
}

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Number in its run, from 1.
    pub number: u32,
    /// Ecosystem.
    pub ecosystem: String,
    /// Package and version, as far as it is one.
    pub package: String,
    /// Ids of the findings that it answers.
    pub findings: Vec<String>,
    /// Codes of these findings.
    pub codes: Vec<String>,
    /// Lock files: folder, path below it.
    pub locks: Vec<(usize, Name)>,
    /// Folders that were made for locks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<LockFolders>,
    /// Files that are there while it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// What is moved away, in this order.
    pub moves: Vec<Move>,
    /// What is put in place.
    pub puts: Vec<Put>,
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Line {
    /// A run begins.
    Run {
        /// [`VERSION`].
        version: u32,
        /// Its id.
        id: String,
        /// When, seconds since 1970.
        at: i64,
        /// Folders that it changes.
        folders: Vec<Folder>,
    },
    /// A transaction is about to be done.
    Begin(Box<Entry>),
    /// It was done and looked at.
    Done(u32),
    /// It was taken back.
    Undone(u32),
    /// It is about to be put back for the user.
    Restore(Box<Entry>),
    /// It was put back.
    Restored(u32),
    /// It was begun and is given up as it stands.
    Abandoned(u32),
    /// The journal ends here, until something is put back.
    End,
}

impl Entry {
    /// Whether everything it names stays where it belongs.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self, folders: usize) -> Result<(), String> {
        let ours = |name: &str| {
            !name.is_empty()
                && name.len() <= 80
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let place = |folder: usize, rel: &Name| folder < folders && rel.is_below();
        for mv in &self.moves {
            if !place(mv.folder, &mv.rel) || !ours(&mv.item) {
                return Err("it names a path that leaves its folder".to_owned());
            }
            if mv
                .armed
                .iter()
                .any(|(rel, _)| !rel.text.is_empty() && !rel.is_below())
                || mv.odd.iter().any(|(rel, _)| !rel.is_below())
            {
                return Err("it names a path that leaves its folder".to_owned());
            }
        }
        let puts = self
            .puts
            .iter()
            .all(|put| place(put.folder, &put.rel) && ours(&put.staged));
        let made = self.puts.iter().all(|put| {
            let above = put.above.as_ref();
            put.made.iter().all(Name::is_below)
                && above.is_none_or(|a| a.rel.text.is_empty() || a.rel.is_below())
        });
        let marks = self.marks.iter().all(|mark| place(mark.folder, &mark.rel));
        let locks = self.locks.iter().all(|(folder, rel)| place(*folder, rel));
        let below = self.made.iter().all(|made| {
            let rel = &made.above.rel;
            made.made.iter().all(|name| place(made.folder, name))
                && place(made.folder, &made.lock)
                && (rel.text.is_empty() || rel.is_below())
        });
        if puts && made && marks && locks && below {
            Ok(())
        } else {
            Err("it names a path that leaves its folder".to_owned())
        }
    }
}
