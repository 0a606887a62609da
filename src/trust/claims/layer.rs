//! The bytes of one claims file, and where in them the newest record of every key begins.
//!
//! Opening reads once, front to back, and holds every checksum against its bytes; values are decoded only when asked for.
//! Beside the bytes it keeps about 24 bytes per record.

use std::collections::HashMap;

use super::record::{self, End, HEADER, Record};

/// First 16 bytes of BLAKE3 over kind and key: enough to find a record, whose key is then compared.
type Slot = [u8; 16];

/// A claims file in memory.
#[derive(Default)]
pub(super) struct Layer {
    bytes: Vec<u8>,
    newest: HashMap<Slot, usize>,
    /// Bytes of records that a newer one replaced.
    garbage: usize,
}

impl Layer {
    /// Reads a file's bytes as far as they are records, and says how that ended.
    pub(super) fn read(bytes: Vec<u8>) -> (Self, End) {
        let mut newest = HashMap::new();
        let mut replaced = Vec::new();
        let mut end_of_records = HEADER;
        let end = record::walk(&bytes, |record| {
            end_of_records = record.start + record.whole.len();
            if let Some(old) = newest.insert(slot(record.kind, record.key), record.start) {
                replaced.push(old);
            }
        });
        let garbage = replaced
            .iter()
            .filter_map(|start| record::at(&bytes, *start))
            .map(|r| r.whole.len())
            .sum();
        let mut layer = Self {
            bytes,
            newest,
            garbage,
        };
        match end {
            End::Whole => {}
            End::Torn(_) | End::Corrupt(_) => layer.bytes.truncate(end_of_records),
            End::Foreign | End::Newer(_) => layer = Self::default(),
        }
        (layer, end)
    }

    /// The newest value of a key.
    pub(super) fn get(&self, kind: u8, key: &[u8]) -> Option<&[u8]> {
        let start = *self.newest.get(&slot(kind, key))?;
        record::at(&self.bytes, start)
            .filter(|r| r.kind == kind && r.key == key)
            .map(|r| r.value)
    }

    /// The newest record of every key, sorted by kind and key.
    pub(super) fn records(&self) -> Vec<Record<'_>> {
        let mut all: Vec<_> = self
            .newest
            .values()
            .filter_map(|start| record::at(&self.bytes, *start))
            .collect();
        all.sort_unstable_by_key(|r| (r.kind, r.key));
        all
    }

    /// Whether more than half of it is of no more use once records of so many bytes were replaced besides.
    pub(super) fn is_mostly_garbage(&self, besides: usize) -> bool {
        (self.garbage + besides) > self.bytes.len() / 2
    }

    /// Bytes of the newest record of a key, or 0.
    pub(super) fn weight(&self, kind: u8, key: &[u8]) -> usize {
        self.newest
            .get(&slot(kind, key))
            .and_then(|start| record::at(&self.bytes, *start))
            .map_or(0, |r| r.whole.len())
    }

    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.newest.len()
    }
}

fn slot(kind: u8, key: &[u8]) -> Slot {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(key);
    let mut slot = [0; 16];
    for (to, from) in slot.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to = *from;
    }
    slot
}
