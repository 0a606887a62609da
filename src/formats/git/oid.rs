//! Object ids: SHA-1 (with collision detection) or SHA-256 of an object's header and content, lower-case hex only.

use std::fmt;

use sha2::Digest as _;

/// The hash function of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashKind {
    /// 20 bytes; the default of git.
    Sha1,
    /// 32 bytes; `extensions.objectFormat = sha256`.
    Sha256,
}

impl HashKind {
    /// Length of an id in bytes.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The scheme's name as the report spells it.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Sha1 => "git-sha1",
            Self::Sha256 => "git-sha256",
        }
    }

    /// The hash of plain bytes, as packs and indexes carry it at their end.
    #[cfg(test)]
    pub(super) fn of_bytes(self, bytes: &[u8]) -> Oid {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish().oid
    }
}

/// An object id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oid {
    /// SHA-1.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
}

/// A text is no object id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a git object id: write 40 or 64 lower-case hexadecimal digits")]
pub struct OidError;

impl Oid {
    /// Reads 40 or 64 lower-case hexadecimal digits and nothing else.
    ///
    /// # Errors
    /// [`OidError`] for any other text; abbreviated ids are not accepted.
    pub fn from_hex(text: &[u8]) -> Result<Self, OidError> {
        let kind = match text.len() {
            40 => HashKind::Sha1,
            64 => HashKind::Sha256,
            _ => return Err(OidError),
        };
        let mut bytes = Vec::with_capacity(kind.width());
        for pair in text.chunks_exact(2) {
            let [high, low] = pair else {
                return Err(OidError);
            };
            bytes.push(nibble(*high)? << 4 | nibble(*low)?);
        }
        Self::from_bytes(kind, &bytes).ok_or(OidError)
    }

    /// The id with exactly these bytes; `None` if their number does not fit `kind`.
    #[must_use]
    pub fn from_bytes(kind: HashKind, bytes: &[u8]) -> Option<Self> {
        match kind {
            HashKind::Sha1 => bytes.try_into().ok().map(Self::Sha1),
            HashKind::Sha256 => bytes.try_into().ok().map(Self::Sha256),
        }
    }

    /// The id's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }

    /// The hash function it belongs to.
    #[must_use]
    pub const fn kind(&self) -> HashKind {
        match self {
            Self::Sha1(_) => HashKind::Sha1,
            Self::Sha256(_) => HashKind::Sha256,
        }
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What bytes hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// Their id. With a collision it is deliberately not the plain SHA-1, so that it matches nothing.
    pub oid: Oid,
    /// Whether the bytes carry the marks of a SHA-1 collision attack.
    pub collision: bool,
}

/// Hashes in pieces.
pub(super) enum Hasher {
    Sha1(Box<sha1_checked::Sha1>),
    Sha256(sha2::Sha256),
}

impl Hasher {
    pub(super) fn new(kind: HashKind) -> Self {
        match kind {
            HashKind::Sha1 => Self::Sha1(Box::new(sha1_checked::Sha1::new())),
            HashKind::Sha256 => Self::Sha256(sha2::Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => sha1_checked::Digest::update(hasher.as_mut(), bytes),
            Self::Sha256(hasher) => sha2::Digest::update(hasher, bytes),
        }
    }

    pub(super) fn finish(self) -> Hashed {
        match self {
            Self::Sha1(hasher) => {
                let result = hasher.try_finalize();
                let mut bytes = [0; 20];
                bytes.copy_from_slice(result.hash());
                Hashed {
                    oid: Oid::Sha1(bytes),
                    collision: result.has_collision(),
                }
            }
            Self::Sha256(hasher) => {
                let mut bytes = [0; 32];
                bytes.copy_from_slice(&hasher.finalize());
                Hashed {
                    oid: Oid::Sha256(bytes),
                    collision: false,
                }
            }
        }
    }
}

const fn nibble(digit: u8) -> Result<u8, OidError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(OidError),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hex_is_strict_and_round_trips() {
        for text in ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", &"0f".repeat(32)] {
            assert_eq!(Oid::from_hex(text.as_bytes()).unwrap().to_string(), text);
        }
        for bad in [
            "",
            "4b825dc",
            &"0F".repeat(20),
            &"0g".repeat(20),
            &"00".repeat(21),
            " 4b825dc642cb6eb9a060e54bf8d69288fbee490",
        ] {
            assert_eq!(Oid::from_hex(bad.as_bytes()), Err(OidError), "{bad}");
        }
    }

    /// The first 320 bytes of one of the two published documents of 2017 whose SHA-1 is the same.
    const COLLIDING: &str = "\
        255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f\
        4865696768742033203020522f547970652034203020522f537562747970652035203020522f4669\
        6c7465722036203020522f436f6c6f7253706163652037203020522f4c656e677468203820302052\
        2f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d31\
        20697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe017346dc9166b67e11\
        8f029ab621b2560ff9ca67cca8c7f85ba84c79030c2b3de218f86db3a90901d5df45c14f26fedfb3\
        dc38e96ac22fe7bd728f0e45bce046d23c570feb141398bb552ef5a0a82be331fea48037b8b5d71f\
        0e332edf93ac3500eb4ddc0decc1a864790c782c76215660dd309791d06bd0af3f98cda4bc4629b1";

    #[test]
    fn bytes_made_to_collide_are_noticed_and_match_nothing() {
        let bytes: Vec<u8> = COLLIDING
            .as_bytes()
            .chunks(2)
            .map(|pair| nibble(pair[0]).unwrap() << 4 | nibble(pair[1]).unwrap())
            .collect();
        let mut hasher = Hasher::new(HashKind::Sha1);
        hasher.update(&bytes);
        let hashed = hasher.finish();
        let plain = Oid::from_hex(b"f92d74e3874587aaf443d1db961d4e26dde13e9c").unwrap();
        assert!(hashed.collision && hashed.oid != plain);
        let error = super::super::object::check("x", &plain, hashed).unwrap_err();
        assert!(matches!(error, super::super::GitError::Collision { .. }));
    }

    #[test]
    fn a_plain_hash_is_the_known_one() {
        assert_eq!(
            HashKind::Sha1.of_bytes(b"abc").to_string(),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert!(
            HashKind::Sha256
                .of_bytes(b"abc")
                .to_string()
                .starts_with("ba7816bf8f01cfea")
        );
    }

    proptest! {
        #[test]
        fn only_what_is_written_alike_is_read(text in "[0-9a-fA-F]{38,66}") {
            if let Ok(oid) = Oid::from_hex(text.as_bytes()) {
                prop_assert_eq!(oid.to_string(), text);
            }
        }
    }
}
