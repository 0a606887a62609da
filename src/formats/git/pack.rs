//! Packs (`.pack`, versions 2 and 3): objects stored whole or as a chain of deltas on another object of the same pack. Chains are
//! walked with a list, not by recursion; their length, every object's size and the work in all are bounded.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::delta;
use super::index::{Index, be32, exact};
use super::inflate::inflate;
use super::object::object_hasher;
use super::oid::Hashed;
use super::{Files, GitError, HashKind, Kind, Limits, Oid};

/// An opened pack with its index.
#[derive(Debug)]
pub(super) struct Pack {
    /// The file, relative to the repository.
    pub(super) rel: String,
    /// Its index.
    pub(super) index: Index,
    /// The file's length in bytes.
    pub(super) size: u64,
    hash: HashKind,
}

/// How an entry is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// As it is.
    Whole(Kind),
    /// As a delta on the entry that begins here.
    At(u64),
    /// As a delta on the entry of this id.
    On(Oid),
}

/// The head of one entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) stored: Stored,
    /// Length of what the stream holds, in bytes: the object, or its delta.
    pub(super) length: u64,
    /// Where the stream begins.
    pub(super) data: u64,
}

/// Work that may still be done, in bytes.
pub(super) struct Budget(pub(super) u64);

/// An object rebuilt from its pack.
pub(super) type Rebuilt = (Kind, Rc<Vec<u8>>);

/// Objects rebuilt lately, by where their entry begins.
#[derive(Default)]
pub(super) struct Cache {
    most: usize,
    held: usize,
    rows: BTreeMap<u64, Rebuilt>,
    order: VecDeque<u64>,
}

impl Cache {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    fn get(&self, at: u64) -> Option<Rebuilt> {
        self.rows.get(&at).cloned()
    }

    fn put(&mut self, at: u64, row: &Rebuilt) {
        if row.1.len() > self.most / 4 || self.rows.contains_key(&at) {
            return;
        }
        self.held += row.1.len() + 64;
        self.rows.insert(at, row.clone());
        self.order.push_back(at);
        while self.held > self.most {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if let Some(row) = self.rows.remove(&oldest) {
                self.held = self.held.saturating_sub(row.1.len() + 64);
            }
        }
    }
}

impl Pack {
    /// Opens `<stem>.pack` and `<stem>.idx` and compares their counts.
    pub(super) fn open(files: &dyn Files, stem: &str, hash: HashKind) -> Result<Self, GitError> {
        let rel = format!("{stem}.pack");
        let index = Index::open(files, &format!("{stem}.idx"), hash)?;
        let size = files
            .size(&rel)
            .map_err(|fault| GitError::fault(&rel, fault))?
            .ok_or_else(|| GitError::corrupt(&rel, "the index has no pack"))?;
        let head = exact(files, &rel, 0, 12)?;
        let (magic, numbers) = head.split_at_checked(4).unwrap_or_default();
        let (version, count) = numbers.split_at_checked(4).unwrap_or_default();
        if magic != b"PACK" || !matches!(be32(version), 2 | 3) {
            return Err(GitError::corrupt(
                rel,
                "it does not begin like a pack of a known version",
            ));
        }
        if be32(count) != index.count() {
            return Err(GitError::corrupt(
                rel,
                "it holds another number of objects than its index",
            ));
        }
        Ok(Self {
            rel,
            index,
            size,
            hash,
        })
    }

    /// Reads the head of the entry that begins at `at`.
    pub(super) fn head(&self, files: &dyn Files, at: u64) -> Result<Head, GitError> {
        let corrupt = |what| GitError::corrupt(&self.rel, what);
        if at < 12 || at >= self.size.saturating_sub(self.hash.width() as u64) {
            return Err(corrupt("an offset is out of range"));
        }
        let bytes = files
            .read_at(&self.rel, at, 64)
            .map_err(|fault| GitError::fault(&self.rel, fault))?
            .unwrap_or_default();
        parse_head(&bytes, at, self.hash).map_err(corrupt)
    }

    /// Inflates an entry's own stream into memory; returns it and where the stream ends.
    fn stream(
        &self,
        files: &dyn Files,
        head: &Head,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Result<(Vec<u8>, u64), GitError> {
        if head.length > limits.object {
            return Err(GitError::limit(
                &self.rel,
                "an object is too large to hold in memory",
            ));
        }
        self.spend(budget, head.length)?;
        let mut data = Vec::new();
        let stream = inflate(files, &self.rel, head.data, head.length, &mut |bytes| {
            data.extend_from_slice(bytes);
            Ok(())
        })?;
        if stream.produced != head.length {
            return Err(GitError::corrupt(
                &self.rel,
                "an object is shorter than its header says",
            ));
        }
        Ok((data, head.data.saturating_add(stream.consumed)))
    }

    /// Hashes an entry that is stored whole, of any size, without holding it; returns its id and where the stream ends.
    pub(super) fn hash_whole(
        &self,
        files: &dyn Files,
        head: &Head,
        kind: Kind,
        budget: &mut Budget,
    ) -> Result<(Hashed, u64), GitError> {
        self.spend(budget, head.length)?;
        let mut hasher = object_hasher(self.hash, kind, head.length);
        let stream = inflate(files, &self.rel, head.data, head.length, &mut |bytes| {
            hasher.update(bytes);
            Ok(())
        })?;
        if stream.produced != head.length {
            return Err(GitError::corrupt(
                &self.rel,
                "an object is shorter than its header says",
            ));
        }
        Ok((hasher.finish(), head.data.saturating_add(stream.consumed)))
    }

    /// Rebuilds the object whose entry begins at `at`; also returns where its own stream ends.
    pub(super) fn rebuild(
        &self,
        files: &dyn Files,
        at: u64,
        limits: &Limits,
        cache: &mut Cache,
        budget: &mut Budget,
    ) -> Result<(Rebuilt, u64), GitError> {
        let mut chain: Vec<(u64, Head)> = Vec::new();
        let mut here = at;
        let mut end = 0;
        let mut row = loop {
            // The entry asked for is always read itself: only bases may come from the cache.
            if let Some(row) = cache.get(here).filter(|_| !chain.is_empty()) {
                break row;
            }
            let head = self.head(files, here)?;
            let base = match head.stored {
                Stored::Whole(kind) => {
                    let (data, stop) = self.stream(files, &head, limits, budget)?;
                    if chain.is_empty() {
                        end = stop;
                    }
                    let row = (kind, Rc::new(data));
                    cache.put(here, &row);
                    break row;
                }
                Stored::At(base) => base,
                Stored::On(oid) => self.index.find(files, &oid)?.ok_or_else(|| {
                    GitError::corrupt(&self.rel, "a delta's base is not in the pack")
                })?,
            };
            if chain.len() >= limits.chain {
                return Err(GitError::limit(
                    &self.rel,
                    "a chain of deltas is too long or runs in a circle",
                ));
            }
            chain.push((here, head));
            here = base;
        };
        while let Some((place, head)) = chain.pop() {
            let (instructions, stop) = self.stream(files, &head, limits, budget)?;
            let data = delta::apply(&row.1, &instructions, limits.object.min(budget.0))
                .map_err(|what| GitError::corrupt(&self.rel, what))?;
            self.spend(budget, data.len() as u64)?;
            row = (row.0, Rc::new(data));
            cache.put(place, &row);
            if place == at {
                end = stop;
            }
        }
        Ok((row, end))
    }

    fn spend(&self, budget: &mut Budget, bytes: u64) -> Result<(), GitError> {
        // Each entry costs something even if it is empty.
        budget.0 = budget
            .0
            .checked_sub(bytes.saturating_add(64))
            .ok_or_else(|| {
                GitError::limit(&self.rel, "rebuilding its objects would cost too much work")
            })?;
        Ok(())
    }
}

/// Type and length, then for a delta its base: a distance backwards or an id.
fn parse_head(bytes: &[u8], at: u64, hash: HashKind) -> Result<Head, &'static str> {
    const SHORT: &str = "an entry is cut short";
    let mut rest = bytes.iter();
    let first = *rest.next().ok_or(SHORT)?;
    let mut length = u64::from(first & 0x0f);
    let (mut shift, mut more) = (4_u32, first & 0x80 != 0);
    while more {
        let byte = *rest.next().ok_or(SHORT)?;
        if shift > 56 {
            return Err("an entry's length is out of range");
        }
        length |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        more = byte & 0x80 != 0;
    }
    let stored = match first >> 4 & 7 {
        1 => Stored::Whole(Kind::Commit),
        2 => Stored::Whole(Kind::Tree),
        3 => Stored::Whole(Kind::Blob),
        4 => Stored::Whole(Kind::Tag),
        6 => {
            let mut byte = *rest.next().ok_or(SHORT)?;
            let mut back = u64::from(byte & 0x7f);
            while byte & 0x80 != 0 {
                byte = *rest.next().ok_or(SHORT)?;
                back = back
                    .checked_add(1)
                    .and_then(|back| back.checked_mul(128))
                    .ok_or("a delta's base is out of range")?
                    | u64::from(byte & 0x7f);
            }
            let base = at
                .checked_sub(back)
                .filter(|_| back > 0)
                .ok_or("a delta's base is out of range")?;
            Stored::At(base)
        }
        7 => {
            let name = rest.as_slice().get(..hash.width()).ok_or(SHORT)?;
            rest = rest
                .as_slice()
                .get(hash.width()..)
                .unwrap_or_default()
                .iter();
            Stored::On(Oid::from_bytes(hash, name).ok_or(SHORT)?)
        }
        _ => return Err("an entry has a reserved type"),
    };
    let used = bytes.len() - rest.as_slice().len();
    Ok(Head {
        stored,
        length,
        data: at.saturating_add(used as u64),
    })
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
