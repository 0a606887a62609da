//! The bytes of an archive to look into: in memory, or in an open file whose members are sought one by one.
//!
//! A file may change between hashing and looking. It is told by its identity on the same handle: what was learned from a file
//! that changed meanwhile counts for nothing.

use std::io;

use crate::formats::zip::ReadAt;
use crate::world::{ReadFile, Stat};

/// An open file, and what it was when it was hashed.
pub(super) struct Opened {
    file: Box<dyn ReadFile>,
    before: Stat,
}

impl Opened {
    /// A file that was hashed while it had this identity.
    pub(super) fn new(file: Box<dyn ReadFile>, before: Stat) -> Self {
        Self { file, before }
    }

    /// Whether it is no longer what was hashed.
    pub(super) fn changed(&self) -> bool {
        self.file.stat().map_or(true, |now| now != self.before)
    }
}

impl ReadAt for Opened {
    fn len(&self) -> u64 {
        self.before.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}

/// Where the bytes are.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// In memory.
    Bytes(&'a [u8]),
    /// In a file.
    File(&'a Opened),
}

/// Why an archive could not be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody could: what is wrong with it.
    Broken(String),
    /// Its file could not be read.
    Unreadable(String),
    /// Its file changed meanwhile.
    Changed,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Broken(why)
    }
}
