//! Inclusion and consistency proofs of RFC 6962: made from stored hashes, and verified without any.
//!
//! Proofs are short (at most 64 hashes) and stand alone, so they are what the claim store and fork evidence keep.
//! Making one only computes; what it is worth depends on hashes that were authenticated before (see `authenticate`).
//! The verifying half follows section 2.1.3 and 2.1.4 of RFC 9162, which spells the arithmetic out.

use super::tree::{Hash, Node, TreeHead, empty_hash, fold, node_hash, subtrees};

/// Longer proofs cannot be of a 63-bit tree.
pub const MAX_PROOF: usize = 64;

/// Where proofs take the hashes of complete subtrees from.
pub trait Stored {
    /// The hash of a complete subtree, if it is at hand.
    fn hash(&self, node: Node) -> Option<Hash>;
}

impl<F: Fn(Node) -> Option<Hash>> Stored for F {
    fn hash(&self, node: Node) -> Option<Hash> {
        self(node)
    }
}

/// The hash over the records `lo..hi`, where that range is one that RFC 6962 cuts a tree into.
fn range_hash(stored: &dyn Stored, lo: u64, hi: u64) -> Option<Hash> {
    let hashes: Option<Vec<Hash>> = subtrees(lo, hi)
        .into_iter()
        .map(|node| stored.hash(node))
        .collect();
    Some(fold(&hashes?))
}

/// The root of the first `size` records.
pub fn root(stored: &dyn Stored, size: u64) -> Option<Hash> {
    range_hash(stored, 0, size)
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1u64 << (63 - (size - 1).leading_zeros())
}

/// Proves that record `id` is in the tree of `size` records. `None` when it is not, or a hash is not at hand.
pub fn inclusion(stored: &dyn Stored, id: u64, size: u64) -> Option<Vec<Hash>> {
    if id >= size {
        return None;
    }
    let (mut lo, mut hi) = (0, size);
    let mut path = Vec::new();
    while hi - lo > 1 {
        let middle = lo + split(hi - lo);
        if id < middle {
            path.push(range_hash(stored, middle, hi)?);
            hi = middle;
        } else {
            path.push(range_hash(stored, lo, middle)?);
            lo = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// Proves that the tree of `old` records is the beginning of that of `new`. `None` when it cannot be, or a hash is not at hand.
pub fn consistency(stored: &dyn Stored, old: u64, new: u64) -> Option<Vec<Hash>> {
    if old > new {
        return None;
    }
    if old == 0 || old == new {
        return Some(Vec::new());
    }
    let (mut lo, mut hi, mut whole) = (0, new, true);
    let mut path = Vec::new();
    while old != hi {
        let middle = lo + split(hi - lo);
        if old <= middle {
            path.push(range_hash(stored, middle, hi)?);
            hi = middle;
        } else {
            path.push(range_hash(stored, lo, middle)?);
            lo = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range_hash(stored, lo, hi)?);
    }
    path.reverse();
    Some(path)
}

/// Whether `proof` shows that `leaf` is record `id` of `tree`.
pub fn verify_inclusion(proof: &[Hash], id: u64, leaf: &Hash, tree: &TreeHead) -> bool {
    if id >= tree.size || proof.len() > MAX_PROOF {
        return false;
    }
    let (mut at, mut last, mut hash) = (id, tree.size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == tree.root
}

/// Whether `proof` shows that `old` is the beginning of `new`.
pub fn verify_consistency(proof: &[Hash], old: &TreeHead, new: &TreeHead) -> bool {
    if old.size > new.size || proof.len() > MAX_PROOF {
        return false;
    }
    if old.size == new.size {
        return proof.is_empty() && old.root == new.root;
    }
    if old.size == 0 {
        return proof.is_empty() && old.root == empty_hash();
    }
    let (mut at, mut last) = (old.size - 1, new.size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let mut rest = proof.iter();
    // An old tree that is one complete subtree is its own first hash; the proof leaves it out.
    let first = if old.size.is_power_of_two() {
        Some(&old.root)
    } else {
        rest.next()
    };
    let Some(first) = first else { return false };
    let (mut old_root, mut new_root) = (*first, *first);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_root = node_hash(hash, &old_root);
            new_root = node_hash(hash, &new_root);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_root = node_hash(&new_root, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_root == old.root && new_root == new.root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::testlog::TestLog;
    use crate::tlog::tree::leaf_hash;

    /// The definition of the tree hash in RFC 6962, section 2.1, word for word.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_hash(),
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_definition() {
        let log = TestLog::numbered("log.example", 1, 300);
        for size in 0..300u64 {
            let leaves: Vec<Hash> = (0..size)
                .map(|id| leaf_hash(log.record(id).as_bytes()))
                .collect();
            assert_eq!(root(&log.stored(), size), Some(defined(&leaves)), "{size}");
        }
    }

    #[test]
    fn every_inclusion_is_proven_and_nothing_else() {
        let log = TestLog::numbered("log.example", 1, 70);
        for size in 1..70u64 {
            let tree = log.head(size);
            for id in 0..size {
                let leaf = leaf_hash(log.record(id).as_bytes());
                let proof = inclusion(&log.stored(), id, size).unwrap();
                assert!(verify_inclusion(&proof, id, &leaf, &tree), "{id} {size}");
                assert!(!verify_inclusion(&proof, id, &leaf_hash(b"x"), &tree));
                assert!(
                    !verify_inclusion(&proof, id + 1, &leaf, &tree),
                    "{id} {size}"
                );
                for n in 0..proof.len() {
                    let mut bad = proof.clone();
                    bad[n] = leaf_hash(b"x");
                    assert!(!verify_inclusion(&bad, id, &leaf, &tree));
                    bad.remove(n);
                    assert!(!verify_inclusion(&bad, id, &leaf, &tree));
                }
                let mut long = proof.clone();
                long.push(leaf);
                assert!(!verify_inclusion(&long, id, &leaf, &tree));
            }
            assert_eq!(inclusion(&log.stored(), size, size), None);
        }
    }

    #[test]
    fn every_consistency_is_proven_and_nothing_else() {
        let log = TestLog::numbered("log.example", 1, 70);
        let other = TestLog::numbered("log.example", 2, 70);
        for new in 0..70u64 {
            for old in 0..=new {
                let (first, second) = (log.head(old), log.head(new));
                let proof = consistency(&log.stored(), old, new).unwrap();
                assert!(verify_consistency(&proof, &first, &second), "{old} {new}");
                if old > 0 {
                    assert!(
                        !verify_consistency(&proof, &other.head(old), &second),
                        "{old} {new}"
                    );
                    assert!(!verify_consistency(&proof, &first, &other.head(new)));
                }
                for n in 0..proof.len() {
                    let mut bad = proof.clone();
                    bad[n] = leaf_hash(b"x");
                    assert!(
                        !verify_consistency(&bad, &first, &second),
                        "{old} {new} {n}"
                    );
                    bad.remove(n);
                    assert!(
                        !verify_consistency(&bad, &first, &second),
                        "{old} {new} {n}"
                    );
                }
                let mut long = proof.clone();
                long.push(first.root);
                assert!(!verify_consistency(&long, &first, &second));
            }
        }
        assert_eq!(consistency(&log.stored(), 5, 4), None);
    }
}
