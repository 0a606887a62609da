//! Signed notes: a text, a blank line, and one line per signature.
//!
//! ```text
//! text, any number of lines, the last one ended
//!
//! — <signer's name> <base64 of: key hash, 4 bytes big endian ‖ signature>
//! ```
//!
//! The split is at the *last* blank line. A verifier key is written `<name>+<key hash, 8 hex>+<base64 of 0x01 ‖ key>`
//! where the key hash is recomputed from name and key, never believed. Format as of golang.org/x/mod 0.40.
//! Signatures by unknown keys are ignored; a false one by a known key condemns the note. Nothing here may look at the
//! text before a known key has signed it, except to find out which key would.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::error::{Error, Forgery, NoteForgery};
use super::known_key::{PUBLIC_GO_SUMDB_KEY, PUBLIC_GO_SUMDB_KEY_HASH};
use super::tree::{Hash, TreeHead};

/// Longer notes are not read.
pub const MAX_NOTE: usize = 1_000_000;
/// More signature lines are not read.
pub const MAX_SIGNATURES: usize = 100;
/// The kind byte of an Ed25519 key.
const ED25519: u8 = 0x01;
/// What a signature line begins with: an em dash and a space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// A key that may sign for a log, with the log's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    hash: u32,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Builds a key from its log's name and its 32 raw bytes.
    ///
    /// # Errors
    /// `Error::Malformed` when the name cannot be one or the bytes are no curve point.
    pub fn new(name: &str, key: &[u8; 32]) -> Result<Self, Error> {
        if !is_name(name) {
            return Err(Error::malformed(
                "verifier key",
                "its name is empty, or has a space or `+`",
            ));
        }
        let point = VerifyingKey::from_bytes(key)
            .ok()
            .filter(|point| !point.is_weak())
            .ok_or_else(|| Error::malformed("verifier key", "its bytes are no usable key"))?;
        Ok(Self {
            name: name.to_owned(),
            hash: key_hash(name, key),
            key: point,
        })
    }

    /// Reads the written form, and recomputes the key hash in it.
    ///
    /// # Errors
    /// `Error::Malformed` when a part is missing, the key is of another kind, or the key hash is not that of name and key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let broken = |why: &str| Error::malformed("verifier key", why);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(broken("it does not have three parts joined by `+`"));
        };
        let canonical = hash.len() == 8
            && hash
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let hash = u32::from_str_radix(hash, 16)
            .ok()
            .filter(|_| canonical)
            .ok_or_else(|| broken("its key hash is not 8 lower-case hex digits"))?;
        let bytes = STANDARD
            .decode(key)
            .map_err(|_| broken("its key is not base64"))?;
        let Some((&ED25519, raw)) = bytes.split_first() else {
            return Err(broken("its key is not of the Ed25519 kind"));
        };
        let raw: &[u8; 32] = raw
            .try_into()
            .map_err(|_| broken("its key is not 32 bytes long"))?;
        let key = Self::new(name, raw)?;
        if key.hash != hash {
            return Err(broken("its key hash is not that of its name and key"));
        }
        Ok(key)
    }

    /// The public Go checksum database under the name `name`: known by its raw key, believed only if the name fits it.
    pub fn public_go_sumdb(name: &str) -> Option<Self> {
        let key = Self::new(name, &PUBLIC_GO_SUMDB_KEY).ok()?;
        (key.hash == PUBLIC_GO_SUMDB_KEY_HASH).then_some(key)
    }

    /// The name of the log that this key signs for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key hash, as it stands before a signature.
    pub const fn hash(&self) -> u32 {
        self.hash
    }

    /// The 32 raw bytes of the key.
    pub fn raw(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
}

/// The first four bytes, big endian, of the digest over name and key: what tells keys apart in a note.
pub fn key_hash(name: &str, key: &[u8; 32]) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', ED25519]);
    hasher.update(key);
    let digest: [u8; 32] = hasher.finalize().into();
    let [a, b, c, d, ..] = digest;
    u32::from_be_bytes([a, b, c, d])
}

/// One signature line, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name it is signed with.
    pub name: String,
    /// The key hash it claims.
    pub hash: u32,
    bytes: Vec<u8>,
}

/// A note taken apart, nothing of it verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    raw: Vec<u8>,
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Takes a note apart.
    ///
    /// # Errors
    /// `Error::Malformed` when it is too long, not clean UTF-8 text, or has no well-formed signature lines.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let broken = |why: &str| Error::malformed("signed note", why);
        if bytes.len() > MAX_NOTE {
            return Err(broken("it is too long"));
        }
        let whole = str::from_utf8(bytes).map_err(|_| broken("it is not UTF-8"))?;
        if whole.chars().any(|c| c.is_control() && c != '\n') {
            return Err(broken("it has control characters"));
        }
        let (before, lines) = whole
            .rsplit_once("\n\n")
            .ok_or_else(|| broken("it has no blank line"))?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or_else(|| broken("its signatures do not end with a line end"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(broken("it has too many signatures"));
            }
            signatures
                .push(signature(line).ok_or_else(|| broken("a signature line is malformed"))?);
        }
        Ok(Self {
            raw: bytes.to_vec(),
            text: format!("{before}\n"),
            signatures,
        })
    }

    /// The signature lines as they stand, not verified.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The key of the public Go checksum database, if a line of this note names it. This verifies nothing yet.
    pub fn public_go_sumdb_key(&self) -> Option<VerifierKey> {
        self.signatures
            .iter()
            .filter(|line| line.hash == PUBLIC_GO_SUMDB_KEY_HASH)
            .find_map(|line| VerifierKey::public_go_sumdb(&line.name))
    }

    /// The text, once at least one of `keys` has truly signed it and none of them falsely.
    ///
    /// # Errors
    /// `Error::Forged` when a signature under one of the keys is false, or none is by any of them.
    pub fn verified(&self, keys: &[VerifierKey]) -> Result<&str, Error> {
        let forged = |why| {
            Error::forged(Forgery::Note {
                why,
                note: self.raw.clone(),
            })
        };
        let mut signed = false;
        for line in &self.signatures {
            let known = keys
                .iter()
                .find(|key| key.hash == line.hash && key.name == line.name);
            let Some(key) = known else { continue };
            let genuine = Ed25519Signature::from_slice(&line.bytes)
                .is_ok_and(|bytes| key.key.verify_strict(self.text.as_bytes(), &bytes).is_ok());
            if !genuine {
                return Err(forged(NoteForgery::FalseSignature));
            }
            signed = true;
        }
        if signed {
            Ok(&self.text)
        } else {
            Err(forged(NoteForgery::OtherSigner))
        }
    }
}

/// Reads one signature line.
fn signature(line: &str) -> Option<Signature> {
    let (name, encoded) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (hash, bytes) = bytes.split_first_chunk::<4>()?;
    if !is_name(name) || bytes.is_empty() {
        return None;
    }
    Some(Signature {
        name: name.to_owned(),
        hash: u32::from_be_bytes(*hash),
        bytes: bytes.to_vec(),
    })
}

/// Whether a signer may be called this: something, without white space and without `+`.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// A tree head whose signature was verified, with the note that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    head: TreeHead,
    note: Vec<u8>,
}

impl SignedHead {
    /// Opens a note and reads the tree head that it signs.
    ///
    /// # Errors
    /// As `Note::parse`, `Note::verified` and `TreeHead::parse`.
    pub fn open(bytes: &[u8], keys: &[VerifierKey]) -> Result<Self, Error> {
        let note = Note::parse(bytes)?;
        let head = TreeHead::parse(note.verified(keys)?)?;
        Ok(Self {
            head,
            note: note.raw,
        })
    }

    /// Puts a head together from what a release embeds (size, root, 64 signature bytes) and the name found at run time,
    /// and verifies it like any other.
    ///
    /// # Errors
    /// As `open`.
    pub fn from_parts(
        key: &VerifierKey,
        size: u64,
        root: Hash,
        signature: &[u8; 64],
    ) -> Result<Self, Error> {
        let text = TreeHead { size, root }.text();
        let mut signed = key.hash.to_be_bytes().to_vec();
        signed.extend_from_slice(signature);
        let line = format!(
            "{text}\n{SIGNATURE_PREFIX}{} {}\n",
            key.name,
            STANDARD.encode(signed)
        );
        Self::open(line.as_bytes(), std::slice::from_ref(key))
    }

    /// The head.
    pub const fn head(&self) -> &TreeHead {
        &self.head
    }

    /// The whole note, as it was read.
    pub fn note(&self) -> &[u8] {
        &self.note
    }
}

#[cfg(test)]
#[path = "note_tests.rs"]
mod tests;
