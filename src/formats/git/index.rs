//! Pack indexes (`.idx`) of version 1 and 2. Only the fan-out table is held; look-ups read a few blocks. An index is a hint where
//! an object lies and never evidence: whatever it leads to is hashed.

use super::{Files, GitError, HashKind, Oid};

const MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
/// Entries that are read at once when a search has come close.
const BLOCK: u32 = 256;

/// An opened index.
#[derive(Debug)]
pub(super) struct Index {
    /// The file, relative to the repository.
    pub(super) rel: String,
    hash: HashKind,
    second: bool,
    fanout: Vec<u32>,
    count: u32,
    large: u64,
    /// The file's length in bytes.
    pub(super) size: u64,
}

impl Index {
    /// Reads the fan-out table and checks it and the file's length.
    pub(super) fn open(files: &dyn Files, rel: &str, hash: HashKind) -> Result<Self, GitError> {
        let corrupt = |what| GitError::corrupt(rel, what);
        let size = files
            .size(rel)
            .map_err(|fault| GitError::fault(rel, fault))?
            .ok_or_else(|| corrupt("the pack has no index"))?;
        let head = exact(files, rel, 0, 1032)?;
        let second = head.starts_with(&MAGIC);
        if !second && head.starts_with(&[0xff, b't', b'O', b'c']) {
            return Err(corrupt("its version is unknown"));
        }
        let table = if second {
            head.get(8..)
        } else {
            head.get(..1024)
        }
        .unwrap_or_default();
        let fanout: Vec<u32> = table.chunks_exact(4).map(be32).collect();
        if !fanout.is_sorted() || fanout.len() != 256 {
            return Err(corrupt("its table is not in order"));
        }
        let count = fanout.last().copied().unwrap_or_default();
        let (n, width) = (u64::from(count), hash.width() as u64);
        let fixed = if second {
            8 + 1024 + n * (width + 8) + 2 * width
        } else {
            1024 + n * (width + 4) + 2 * width
        };
        let over = size
            .checked_sub(fixed)
            .ok_or_else(|| corrupt("it is cut short"))?;
        if over % 8 != 0 || over / 8 > n || (!second && over != 0) {
            return Err(corrupt("its length does not fit its table"));
        }
        Ok(Self {
            rel: rel.to_owned(),
            hash,
            second,
            fanout,
            count,
            large: over / 8,
            size,
        })
    }

    /// How many objects it lists.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Where in the pack the object begins, if the index knows it.
    pub(super) fn find(&self, files: &dyn Files, oid: &Oid) -> Result<Option<u64>, GitError> {
        let first = usize::from(oid.as_bytes().first().copied().unwrap_or_default());
        let mut low = first
            .checked_sub(1)
            .and_then(|at| self.fanout.get(at))
            .copied()
            .unwrap_or_default();
        let mut high = self.fanout.get(first).copied().unwrap_or_default();
        while high - low > BLOCK {
            let middle = low + (high - low) / 2;
            if self
                .names(files, middle, 1)?
                .first()
                .is_some_and(|name| name > oid)
            {
                high = middle;
            } else {
                low = middle;
            }
        }
        let names = self.names(files, low, high - low)?;
        let Some(at) = names.iter().position(|name| name == oid) else {
            return Ok(None);
        };
        let at = low.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
        Ok(self.offsets(files, at, 1)?.first().copied())
    }

    /// Ids of `count` entries from `from`; both within the table.
    pub(super) fn names(
        &self,
        files: &dyn Files,
        from: u32,
        count: u32,
    ) -> Result<Vec<Oid>, GitError> {
        let width = self.hash.width();
        let (start, step, skip) = if self.second {
            (8 + 1024, width, 0)
        } else {
            (1024, width + 4, 4)
        };
        let bytes = self.block(files, start, from, count, step)?;
        Ok(bytes
            .chunks_exact(step)
            .filter_map(|entry| {
                entry
                    .get(skip..)
                    .and_then(|name| Oid::from_bytes(self.hash, name))
            })
            .collect())
    }

    /// Pack offsets of `count` entries from `from`; both within the table.
    pub(super) fn offsets(
        &self,
        files: &dyn Files,
        from: u32,
        count: u32,
    ) -> Result<Vec<u64>, GitError> {
        let width = self.hash.width();
        if !self.second {
            let bytes = self.block(files, 1024, from, count, width + 4)?;
            return Ok(bytes
                .chunks_exact(width + 4)
                .map(|entry| u64::from(be32(entry)))
                .collect());
        }
        let start = 8 + 1024 + u64::from(self.count) * (width as u64 + 4);
        let bytes = self.block(files, start, from, count, 4)?;
        let mut offsets = Vec::with_capacity(bytes.len() / 4);
        for entry in bytes.chunks_exact(4) {
            let small = be32(entry);
            offsets.push(if small & 0x8000_0000 == 0 {
                u64::from(small)
            } else {
                self.long(files, small & 0x7fff_ffff)?
            });
        }
        Ok(offsets)
    }

    /// The id of the pack's bytes that the index was made for, and the id it ends with itself.
    pub(super) fn trailer(&self, files: &dyn Files) -> Result<(Oid, Oid), GitError> {
        let width = self.hash.width();
        let bytes = exact(
            files,
            &self.rel,
            self.size.saturating_sub(2 * width as u64),
            2 * width,
        )?;
        let (pack, own) = bytes.split_at_checked(width).unwrap_or_default();
        match (
            Oid::from_bytes(self.hash, pack),
            Oid::from_bytes(self.hash, own),
        ) {
            (Some(pack), Some(own)) => Ok((pack, own)),
            _ => Err(GitError::corrupt(&self.rel, "it is cut short")),
        }
    }

    fn long(&self, files: &dyn Files, at: u32) -> Result<u64, GitError> {
        if u64::from(at) >= self.large {
            return Err(GitError::corrupt(
                &self.rel,
                "a long offset is out of its table",
            ));
        }
        let start = 8 + 1024 + u64::from(self.count) * (self.hash.width() as u64 + 8);
        let bytes = exact(files, &self.rel, start + 8 * u64::from(at), 8)?;
        Ok(bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn block(
        &self,
        files: &dyn Files,
        start: u64,
        from: u32,
        count: u32,
        step: usize,
    ) -> Result<Vec<u8>, GitError> {
        let len = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .saturating_mul(step);
        exact(files, &self.rel, start + u64::from(from) * step as u64, len)
    }
}

/// Exactly `len` bytes.
pub(super) fn exact(
    files: &dyn Files,
    rel: &str,
    offset: u64,
    len: usize,
) -> Result<Vec<u8>, GitError> {
    let bytes = files
        .read_at(rel, offset, len)
        .map_err(|fault| GitError::fault(rel, fault))?
        .unwrap_or_default();
    if bytes.len() == len {
        Ok(bytes)
    } else {
        Err(GitError::corrupt(rel, "it is cut short"))
    }
}

pub(super) fn be32(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .take(4)
        .fold(0, |value, byte| value << 8 | u32::from(*byte))
}
