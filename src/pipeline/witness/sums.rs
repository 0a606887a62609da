//! What was read of a file, by its sum: so that one that was changed and put back is told from one that was changed.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::{Memory, locked};
use crate::world::{PathError, ReadFile, ReadFs, Stat};

/// SHA-256 of a file's bytes.
pub(super) type Sum = [u8; 32];
/// Largest file that is read again, in bytes.
const LARGEST: u64 = 64 << 20;

pub(super) fn of(bytes: &[u8]) -> Sum {
    Sha256::digest(bytes).into()
}

/// Remembers what was read of a file first.
pub(super) fn add(memory: &Mutex<Memory>, path: &Path, sum: Sum) {
    let mut memory = locked(memory);
    memory.sums.entry(path.to_owned()).or_insert(sum);
}

/// Whether a file that is not the same any more holds the same bytes as when it was read.
pub(super) fn is_back(fs: &dyn ReadFs, memory: &Memory, path: &Path) -> bool {
    memory.sums.get(path).is_some_and(|sum| {
        let now = fs.read_named(path, LARGEST);
        now.is_ok_and(|bytes| of(&bytes) == *sum)
    })
}

/// The file, with its sum remembered once it was read to its end.
pub(super) fn while_read(
    file: Box<dyn ReadFile>,
    path: PathBuf,
    memory: &Arc<Mutex<Memory>>,
) -> Box<dyn ReadFile> {
    Box::new(Summing {
        file,
        path,
        memory: Arc::clone(memory),
        hasher: Some(Sha256::new()),
    })
}

struct Summing {
    file: Box<dyn ReadFile>,
    path: PathBuf,
    memory: Arc<Mutex<Memory>>,
    /// Gone once the end was met.
    hasher: Option<Sha256>,
}

impl Read for Summing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count > 0 {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(buffer.get(..count).unwrap_or_default());
            }
        } else if !buffer.is_empty()
            && let Some(hasher) = self.hasher.take()
        {
            add(&self.memory, &self.path, hasher.finalize().into());
        }
        Ok(count)
    }
}

impl ReadFile for Summing {
    fn stat(&self) -> Result<Stat, PathError> {
        self.file.stat()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}
