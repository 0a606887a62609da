//! Hashes of a transparency log (RFC 6962 over SHA-256), tree heads, and the arithmetic of subtrees.
//!
//! A leaf is `SHA-256(0x00 ‖ record)`, an inner node `SHA-256(0x01 ‖ left ‖ right)`, the empty tree `SHA-256("")`.
//! A tree head of the Go checksum database is text (observed with Go 1.13 to 1.27):
//!
//! ```text
//! go.sum database tree
//! <number of records, canonical decimal>
//! <root hash, standard base64>
//! ```
//!
//! More lines may follow and mean nothing here. This file never verifies signatures: see `note`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::error::Error;

/// The largest tree we reason about: sizes are signed 64-bit numbers in the protocol.
pub const MAX_TREE_SIZE: u64 = i64::MAX as u64;

/// The first line of a tree head of a Go checksum database.
const HEAD_TITLE: &str = "go.sum database tree";

/// One SHA-256 value of a log: a leaf, an inner node, a root, or the digest inside an `h1:` line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Wraps 32 raw bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the one canonical base64 spelling (44 characters, padded, no spare bits).
    pub fn from_base64(text: &str) -> Option<Self> {
        if text.len() != 44 {
            return None;
        }
        let bytes = STANDARD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a record as a leaf. `record` is the record's text with its final newline.
pub fn leaf_hash(record: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(record);
    Hash(hasher.finalize().into())
}

/// The hash of an inner node over its two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [0x01; 65];
    let (_, children) = node.split_at_mut(1);
    let (first, second) = children.split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    Hash(Sha256::digest(node).into())
}

/// The root of a tree without records.
pub fn empty_hash() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// A complete, aligned subtree: `2^level` records, the `index`-th of that size counted from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Height above the leaves; leaves are level 0.
    pub level: u8,
    /// Position among the nodes of that level.
    pub index: u64,
}

impl Node {
    /// The first record below this node and the one after its last, or `None` when that leaves 64 bits.
    pub fn range(self) -> Option<(u64, u64)> {
        let width = 1u64.checked_shl(u32::from(self.level))?;
        let first = self.index.checked_mul(width)?;
        Some((first, first.checked_add(width)?))
    }

    /// The place of this node in the order in which a log stores its hashes (each node right after its right child).
    pub fn stored_index(self) -> Option<u64> {
        let mut last_leaf = self.index;
        for _ in 0..self.level {
            last_leaf = last_leaf.checked_mul(2)?.checked_add(1)?;
        }
        let mut place = u64::from(self.level);
        while last_leaf > 0 {
            place = place.checked_add(last_leaf)?;
            last_leaf >>= 1;
        }
        Some(place)
    }
}

/// The maximal complete subtrees that make up the records `lo..hi`, from left to right.
///
/// `lo` must be a multiple of a power of two not below `hi - lo` (always so for ranges met in proofs, and for 0).
pub fn subtrees(lo: u64, hi: u64) -> Vec<Node> {
    let size = hi.saturating_sub(lo);
    let mut start = lo;
    let mut nodes = Vec::new();
    for level in (0..64u8).rev() {
        let width = 1u64 << level;
        if size & width != 0 {
            nodes.push(Node {
                level,
                index: start >> level,
            });
            start = start.wrapping_add(width);
        }
    }
    nodes
}

/// Folds the hashes of maximal subtrees, left to right, into the hash of their range. Of nothing: the empty tree's.
pub fn fold(hashes: &[Hash]) -> Hash {
    let mut from_right = hashes.iter().rev();
    let Some(last) = from_right.next() else {
        return empty_hash();
    };
    from_right.fold(*last, |right, left| node_hash(left, &right))
}

/// What a log commits to at one moment: how many records there are and the root hash over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeHead {
    /// Number of records.
    pub size: u64,
    /// Root hash over them.
    pub root: Hash,
}

impl TreeHead {
    /// Reads the text of a tree head.
    ///
    /// # Errors
    /// `Error::Malformed` when the title, the canonical size or the root is missing.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut lines = text.split('\n');
        if lines.next() != Some(HEAD_TITLE) {
            return Err(Error::malformed(
                "tree head",
                "its first line is not that of a tree",
            ));
        }
        let size = lines
            .next()
            .and_then(canonical_decimal)
            .ok_or_else(|| Error::malformed("tree head", "its size is not a canonical number"))?;
        let root = lines
            .next()
            .and_then(Hash::from_base64)
            .ok_or_else(|| Error::malformed("tree head", "its root is not 32 bytes of base64"))?;
        if lines.next().is_none() {
            return Err(Error::malformed("tree head", "its last line does not end"));
        }
        if size == 0 && root != empty_hash() {
            return Err(Error::malformed(
                "tree head",
                "an empty tree has another root",
            ));
        }
        Ok(Self { size, root })
    }

    /// The text that a log signs for this head.
    pub fn text(&self) -> String {
        format!("{HEAD_TITLE}\n{}\n{}\n", self.size, self.root)
    }
}

/// Reads a number in its one canonical spelling: digits only, no leading zero, within a signed 64-bit number.
pub fn canonical_decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() || !digits || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok().filter(|number| *number <= MAX_TREE_SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_record_of_a_tree_is_its_root() {
        let record = "example.com/Foo/bar v1.0.0 h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=\n\
                      example.com/Foo/bar v1.0.0/go.mod h1:DuHFTR/T1U+R+7hIifGaU/MKbuUR3XKsRWVFj+5Y9KA=\n";
        let root = leaf_hash(record.as_bytes());
        assert_eq!(
            root.to_string(),
            "8wmFsByQLG/wt7Kn/cps+1QMXSN7mwk3hG4U+d3yGQY="
        );
        assert_eq!(fold(&[root]), root);
    }

    #[test]
    fn rfc_6962_empty_tree() {
        assert_eq!(
            fold(&[]).to_string(),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }

    #[test]
    fn stored_indexes_count_every_node_once_in_order_of_completion() {
        // Walk a log of 64 records the slow way: append a leaf, then every node it completes.
        let mut next = 0;
        for leaf in 0..64u64 {
            let mut node = Node {
                level: 0,
                index: leaf,
            };
            loop {
                assert_eq!(node.stored_index(), Some(next), "{node:?}");
                next += 1;
                if node.index & 1 == 0 {
                    break;
                }
                node = Node {
                    level: node.level + 1,
                    index: node.index >> 1,
                };
            }
        }
        assert_eq!(
            Node {
                level: 70,
                index: 3
            }
            .stored_index(),
            None
        );
    }

    #[test]
    fn subtrees_cover_the_range_without_gaps() {
        for size in 0..600u64 {
            let mut at = 0;
            for node in subtrees(0, size) {
                let (first, end) = node.range().unwrap();
                assert_eq!(first, at);
                at = end;
            }
            assert_eq!(at, size);
        }
    }

    #[test]
    fn heads_have_one_spelling() {
        let root = empty_hash();
        let good = format!("go.sum database tree\n7\n{root}\n");
        assert_eq!(TreeHead::parse(&good).unwrap(), TreeHead { size: 7, root });
        assert_eq!(TreeHead::parse(&good).unwrap().text(), good);
        assert!(
            TreeHead::parse(&format!("{good}more\n")).is_ok(),
            "more lines are allowed"
        );
        for bad in ["07", "+7", "-7", "", " 7", "7 ", "9223372036854775808", "١"] {
            let text = format!("go.sum database tree\n{bad}\n{root}\n");
            assert!(TreeHead::parse(&text).is_err(), "{bad:?}");
        }
        assert!(TreeHead::parse(good.trim_end()).is_err());
        assert!(TreeHead::parse(&good.replace("tree", "trees")).is_err());
        assert!(TreeHead::parse(&good.replace('=', "")).is_err());
        // Spare bits set: the same bytes in a second spelling.
        assert!(TreeHead::parse(&good.replace("FU=", "FV=")).is_err());
        let lie = format!("go.sum database tree\n0\n{}\n", leaf_hash(b""));
        assert!(TreeHead::parse(&lie).is_err());
    }
}
