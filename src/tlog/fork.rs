//! Evidence that a log signed two histories, of a form that a third party can check with nothing but the log's key.
//!
//! It holds both signed notes, what the first records of the newer tree really hash to, and the RFC 6962 proof of
//! that. If the proof fits the newer note and its beginning is not the older note's root, the log signed both of two
//! things that cannot both be true. Nothing here decides what follows from it.

use std::fmt;

use super::error::Error;
use super::note::{SignedHead, VerifierKey};
use super::proof::{Stored, consistency, root, verify_consistency};
use super::tree::{Hash, TreeHead};

/// Two signed heads that do not fit, and the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkEvidence {
    older: SignedHead,
    newer: SignedHead,
    prefix_root: Hash,
    proof: Vec<Hash>,
}

/// How an older head relates to a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The newer tree begins with the older one.
    Consistent,
    /// It does not.
    Forked(Box<ForkEvidence>),
    /// A hash for the comparison is not at hand.
    NotChecked,
}

impl ForkEvidence {
    /// Compares two heads with hashes that were authenticated under the larger one.
    pub fn compare(older: &SignedHead, newer: &SignedHead, stored: &dyn Stored) -> Relation {
        let (old, new) = (older.head(), newer.head());
        if old == new || old.size == 0 {
            return Relation::Consistent;
        }
        let found = if old.size == new.size {
            Some(new.root)
        } else {
            root(stored, old.size)
        };
        let Some(prefix_root) = found else {
            return Relation::NotChecked;
        };
        if prefix_root == old.root {
            return Relation::Consistent;
        }
        let Some(proof) = consistency(stored, old.size, new.size) else {
            return Relation::NotChecked;
        };
        let (older, newer) = (older.clone(), newer.clone());
        Relation::Forked(Box::new(Self {
            older,
            newer,
            prefix_root,
            proof,
        }))
    }

    /// Checks evidence that somebody else wrote down.
    ///
    /// # Errors
    /// As `SignedHead::open` for each note; `Error::Malformed` when the notes and the proof show no fork.
    pub fn verify(
        older: &[u8],
        newer: &[u8],
        prefix_root: Hash,
        proof: Vec<Hash>,
        keys: &[VerifierKey],
    ) -> Result<Self, Error> {
        let older = SignedHead::open(older, keys)?;
        let newer = SignedHead::open(newer, keys)?;
        let prefix = TreeHead {
            size: older.head().size,
            root: prefix_root,
        };
        if prefix.root == older.head().root || !verify_consistency(&proof, &prefix, newer.head()) {
            return Err(Error::malformed("fork evidence", "it shows no fork"));
        }
        Ok(Self {
            older,
            newer,
            prefix_root,
            proof,
        })
    }

    /// The head of the smaller tree.
    pub const fn older(&self) -> &SignedHead {
        &self.older
    }

    /// The head of the larger tree.
    pub const fn newer(&self) -> &SignedHead {
        &self.newer
    }

    /// What as many records as the older tree has hash to in the newer one.
    pub const fn prefix_root(&self) -> Hash {
        self.prefix_root
    }

    /// The RFC 6962 consistency proof from that root to the newer one.
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The whole evidence as text, for a report or a letter.
    pub fn text(&self) -> String {
        let mut text = format!(
            "signed head of {} records:\n\n{}\nsigned head of {} records:\n\n{}\n\
             the first {} records of the second tree hash to\n{}\nproof (RFC 6962, consistency of that root with the second head):\n",
            self.older.head().size,
            String::from_utf8_lossy(self.older.note()),
            self.newer.head().size,
            String::from_utf8_lossy(self.newer.note()),
            self.older.head().size,
            self.prefix_root,
        );
        for hash in &self.proof {
            text.push_str(&hash.to_string());
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for ForkEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (older, newer) = (self.older.head(), self.newer.head());
        write!(
            f,
            "the head of {} records says {}, but the tree of {} records begins with {}",
            older.size, older.root, newer.size, self.prefix_root
        )
    }
}
