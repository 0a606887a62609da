//! Trust roots that are publicly known: digests of their addresses and names, and raw public keys.
//!
//! No address stands here. An address comes from the trust file, the tools' settings and shipped defaults, lockfiles or
//! `tame-index`; it is recognised when the SHA-256 of its canonical text is in [`KNOWN`]. Keys are no addresses, so they
//! stand as they are.
//!
//! A row is made with `untaint trust fingerprint ADDRESS` (the same function that recognises: [`Address::fingerprint`]),
//! given the address that the tool itself ships: the two constants of `tame-index` for the crates index, `go env GOPROXY
//! GOSUMDB` for Go, the defaults of `npm config` and of pip's simple index, and the repository of Maven's super POM
//! (and its older alias). The key of the checksum database is the verifier key that the go command ships.
//!
//! [`Address::fingerprint`]: super::address::Address::fingerprint

use sha2::{Digest as _, Sha256};

use crate::model::{Digest, Fingerprint, Scheme};

use super::address::fingerprint;
use super::root::Role;

/// A publicly known trust root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Stable name for messages (`crates-index`).
    pub id: &'static str,
    /// Ecosystem, as in reports.
    pub ecosystem: &'static str,
    /// What it is believed for.
    pub role: Role,
    /// Lower-case hex of the fingerprints of its addresses, the primary one first. The others are aliases: what was
    /// published there is the same by its operator's word.
    addresses: &'static [&'static str],
    /// Of a log: what its notes are signed with.
    pub log: Option<KnownLog>,
}

/// Name digest and key of a transparency log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownLog {
    /// Lower-case hex of the SHA-256 of its name, as notes have it.
    name: &'static str,
    /// Lower-case hex of the SHA-256 of further names that its tool takes for it.
    aliases: &'static [&'static str],
    /// First four bytes of the SHA-256 over name, line end, algorithm byte and key, big-endian.
    pub key_id: u32,
    /// Ed25519 public key.
    pub key: [u8; 32],
}

/// The publicly known trust roots.
pub const KNOWN: &[Known] = &[
    Known {
        id: "crates-index",
        ecosystem: "cargo",
        role: Role::Index,
        // The sparse form, then the git form.
        addresses: &[
            "8f627bc141a50eeb96addaff9391a444b89244fd30ac3d033f9739cfee456835",
            "8a4b275139556f53b54688cc87bb83f02cc29493daf218a3707bf237996caf8d",
        ],
        log: None,
    },
    Known {
        id: "go-module-proxy",
        ecosystem: "go",
        role: Role::Proxy,
        addresses: &["a7b5c1ea871cf5c09686856a61e07ce3e5ff351e4595baa77def82e1696236ea"],
        log: None,
    },
    Known {
        id: "go-checksum-database",
        ecosystem: "go",
        role: Role::Log,
        addresses: &["decf8c4c1caf2bebfde55f64d1a37d13dc6e3a7364de2fa4d878a92c673026d9"],
        log: Some(KnownLog {
            name: "9da5f32d964125123cc368f231b473bea59307f811c7b9b2e731601e586b82b5",
            // Where the log's own address cannot be reached, Go asks under another name (`modfetch/sumdb.go`).
            aliases: &["7fa4043c8f9d788bb7468db474df18d4e0e3d0d324082c928171788a3a1d3d29"],
            key_id: 0x033d_e0ae,
            key: [
                0xce, 0x33, 0x72, 0xd7, 0x5a, 0xd1, 0xee, 0x5e, 0xcd, 0xaf, 0x87, 0x27, 0x29, 0x3d,
                0x4b, 0x11, 0x1d, 0x87, 0xeb, 0x37, 0x53, 0x1d, 0x7c, 0x86, 0xd4, 0xd3, 0x00, 0x3f,
                0x0e, 0xb8, 0x09, 0xfc,
            ],
        }),
    },
    Known {
        id: "npm-registry",
        ecosystem: "npm",
        role: Role::Index,
        addresses: &["ebf443bbfd931113c9ea291b8816e0362840f367d2a1b2a055a4605f0b9f007c"],
        log: None,
    },
    Known {
        id: "pypi-simple-index",
        ecosystem: "pypi",
        role: Role::Index,
        addresses: &["c7f8d697991d53b542b8642a19a92f84e260b54c6d24c67773119715da8189f0"],
        log: None,
    },
    Known {
        id: "maven-central",
        ecosystem: "maven",
        role: Role::Index,
        addresses: &[
            "5930cd77663ceaca9a21c66649c3d5812b39c334509362420152a5413aea0c3b",
            "e91c40563142e6437f7ff614e0fa1be999c9d9bbbd57354ec26f8fa17c48ccdc",
        ],
        log: None,
    },
];

impl Known {
    /// Fingerprint of its primary address: the one under which what it said is kept.
    pub fn primary(&self) -> Option<Fingerprint> {
        self.addresses.first().and_then(|hex| from_hex(hex))
    }

    /// Whether an address with this fingerprint is one of its.
    pub fn has(&self, address: &Fingerprint) -> bool {
        self.addresses
            .iter()
            .any(|hex| from_hex(hex).as_ref() == Some(address))
    }
}

impl KnownLog {
    /// Whether a log's name, as it stands in its notes, is this log's.
    pub fn is_named(&self, name: &str) -> bool {
        from_hex(self.name) == Some(fingerprint(name))
    }

    /// Whether a name from a note and a key are this log's: both must be known, and together recompute the key id.
    pub fn is_signed_with(&self, name: &str, key: &[u8; 32]) -> bool {
        self.is_named(name) && self.key == *key && key_id(name, key) == self.key_id
    }
}

/// The key id of an Ed25519 key of a log: the first four bytes, big-endian, of the SHA-256 over name, line end, the
/// algorithm byte 1, and key (the checksum database's signed notes).
pub fn key_id(name: &str, key: &[u8; 32]) -> u32 {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update(b"\n\x01");
    hash.update(key);
    hash.finalize()
        .iter()
        .take(4)
        .fold(0, |id, b| id << 8 | u32::from(*b))
}

/// The known trust root with an address of this fingerprint.
pub fn by_address(address: &Fingerprint) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.has(address))
}

/// The known log whose notes bear this name.
pub fn log_by_name(name: &str) -> Option<(&'static Known, KnownLog)> {
    KNOWN
        .iter()
        .find_map(|known| known.log.filter(|l| l.is_named(name)).map(|l| (known, l)))
}

/// The known log that a tool means by this name, which is not the one in its notes.
pub fn log_by_alias(name: &str) -> Option<(&'static Known, KnownLog)> {
    let fingerprint = fingerprint(name);
    KNOWN.iter().find_map(|known| {
        let log = known.log.filter(|log| {
            let mut aliases = log.aliases.iter();
            aliases.any(|hex| from_hex(hex) == Some(fingerprint))
        });
        log.map(|log| (known, log))
    })
}

/// A committed row's hex as a fingerprint.
fn from_hex(hex: &str) -> Option<Fingerprint> {
    let digest = Digest::from_hex(Scheme::Sha256, hex).ok()?;
    digest.bytes().try_into().ok().map(Fingerprint)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::address::Address;
    use super::*;

    #[test]
    fn the_crates_index_is_recognised_in_both_forms() {
        let sparse = Address::parse(tame_index::CRATES_IO_HTTP_INDEX).unwrap();
        let git = Address::parse(&format!("registry+{}", tame_index::CRATES_IO_INDEX)).unwrap();
        assert_ne!(sparse.fingerprint(), git.fingerprint());
        let known = by_address(&sparse.fingerprint()).unwrap();
        assert_eq!(known.id, "crates-index");
        assert_eq!(known.primary(), Some(sparse.fingerprint()));
        assert_eq!(by_address(&git.fingerprint()), Some(known));
    }

    #[test]
    fn neighbours_are_not_recognised() {
        let sparse = tame_index::CRATES_IO_HTTP_INDEX.trim_end_matches('/');
        for neighbour in [
            format!("{sparse}.git"),
            format!("{sparse}./"),
            format!("{sparse}:8443/"),
            format!("{sparse}/index/"),
            format!("{}.git", tame_index::CRATES_IO_INDEX),
        ] {
            if let Ok(address) = Address::parse(&neighbour) {
                assert_eq!(by_address(&address.fingerprint()), None, "{neighbour}");
            }
        }
    }

    #[test]
    fn every_row_is_whole_and_unique() {
        let mut seen = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for known in KNOWN {
            assert!(ids.insert(known.id));
            assert!(known.primary().is_some(), "{}", known.id);
            for hex in known.addresses {
                assert!(seen.insert(from_hex(hex).unwrap()), "{}", known.id);
            }
            assert_eq!(known.log.is_some(), known.role == Role::Log);
        }
    }

    #[test]
    fn a_log_is_known_by_name_and_key_together() {
        let (_, log) = KNOWN.iter().find_map(|k| k.log.map(|l| (k, l))).unwrap();
        assert!(log_by_name("log.example").is_none());
        // Another name with this key gives another key id: the pair cannot be mixed.
        assert_ne!(key_id("log.example", &log.key), log.key_id);
        assert!(!log.is_signed_with("log.example", &log.key));
    }
}
