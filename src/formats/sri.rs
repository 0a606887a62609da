//! Integrity strings as npm writes them: one or more `algorithm-base64` hashes between white space.
//!
//! Source: W3C Subresource Integrity, and what ssri 12 (npm 11) reads and writes. Stricter than both: base64 is
//! accepted in its canonical spelling only and must decode to the length of its algorithm, options (`?…`) and
//! unknown algorithms are refused instead of ignored, because an ignored hash is a hash that was not checked.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// Hash functions of an integrity string, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SriAlgorithm {
    /// SHA-1: collisions are practical, so it never proves anything by itself.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl SriAlgorithm {
    const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name before the dash.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the digest in bytes.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// One hash of an integrity string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SriHash {
    algorithm: SriAlgorithm,
    digest: Box<[u8]>,
}

impl SriHash {
    /// Makes a hash from raw bytes.
    ///
    /// # Errors
    /// [`SriError::Length`] if the digest does not have the length of the algorithm.
    pub fn new(algorithm: SriAlgorithm, digest: &[u8]) -> Result<Self, SriError> {
        if digest.len() != algorithm.digest_len() {
            return Err(SriError::Length {
                algorithm: algorithm.name(),
            });
        }
        Ok(Self {
            algorithm,
            digest: digest.into(),
        })
    }

    /// The hash function.
    #[must_use]
    pub const fn algorithm(&self) -> SriAlgorithm {
        self.algorithm
    }

    /// The raw digest.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }
}

impl fmt::Display for SriHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}",
            self.algorithm.name(),
            STANDARD.encode(&self.digest)
        )
    }
}

/// A parsed integrity string: at least one hash, in the order written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sri {
    hashes: Vec<SriHash>,
}

/// Why a text is no integrity string.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SriError {
    /// No hash at all.
    #[error("the integrity string is empty")]
    Empty,
    /// More hashes than anybody writes.
    #[error("the integrity string has more than {} hashes", Sri::MAX_HASHES)]
    TooMany,
    /// No `algorithm-` in front, or one that is not known here.
    #[error("an integrity hash does not begin with sha1-, sha256-, sha384- or sha512-")]
    Algorithm,
    /// The digest is not base64 in its canonical spelling.
    #[error("the {algorithm} integrity hash is not canonical base64")]
    Base64 {
        /// Name of the hash function.
        algorithm: &'static str,
    },
    /// The digest has the wrong length.
    #[error("the {algorithm} integrity hash has the wrong length")]
    Length {
        /// Name of the hash function.
        algorithm: &'static str,
    },
}

impl Sri {
    /// Hashes that one string may have.
    pub const MAX_HASHES: usize = 16;

    /// Parses an integrity string.
    ///
    /// # Errors
    /// [`SriError`] for whatever is not a list of canonical hashes.
    pub fn parse(text: &str) -> Result<Self, SriError> {
        let mut hashes = Vec::new();
        for word in text.split_ascii_whitespace() {
            if hashes.len() == Self::MAX_HASHES {
                return Err(SriError::TooMany);
            }
            let (name, digest) = word.split_once('-').ok_or(SriError::Algorithm)?;
            let algorithm = SriAlgorithm::ALL
                .into_iter()
                .find(|known| known.name() == name)
                .ok_or(SriError::Algorithm)?;
            // The engine refuses missing padding and stray bits in the last digit: one spelling per digest.
            let digest = STANDARD.decode(digest).map_err(|_| SriError::Base64 {
                algorithm: algorithm.name(),
            })?;
            hashes.push(SriHash::new(algorithm, &digest)?);
        }
        if hashes.is_empty() {
            return Err(SriError::Empty);
        }
        Ok(Self { hashes })
    }

    /// All hashes in the order written.
    #[must_use]
    pub fn hashes(&self) -> &[SriHash] {
        &self.hashes
    }

    /// The strongest algorithm that is present.
    #[must_use]
    pub fn strongest_algorithm(&self) -> SriAlgorithm {
        self.hashes
            .iter()
            .map(SriHash::algorithm)
            .max()
            .unwrap_or(SriAlgorithm::Sha1)
    }

    /// The hashes of the strongest algorithm, the only ones that npm compares: content is accepted if it has
    /// one of them.
    pub fn strongest(&self) -> impl Iterator<Item = &SriHash> {
        let algorithm = self.strongest_algorithm();
        self.hashes
            .iter()
            .filter(move |hash| hash.algorithm == algorithm)
    }
}

impl fmt::Display for Sri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, hash) in self.hashes.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            hash.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA1: &str = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";

    #[test]
    fn several_hashes_are_kept_in_order() {
        let sha512 = SriHash::new(SriAlgorithm::Sha512, &[7; 64]).unwrap();
        let sri = Sri::parse(&format!(" {SHA1}  {sha512}\n")).unwrap();
        assert_eq!(sri.hashes().len(), 2);
        assert_eq!(sri.strongest_algorithm(), SriAlgorithm::Sha512);
        assert_eq!(sri.strongest().collect::<Vec<_>>(), [&sha512]);
        assert_eq!(sri.to_string(), format!("{SHA1} {sha512}"));
        assert_eq!(
            SriHash::new(SriAlgorithm::Sha1, b"x"),
            Err(SriError::Length { algorithm: "sha1" })
        );
    }

    #[test]
    fn other_spellings_are_refused() {
        for (text, error) in [
            ("", SriError::Empty),
            (" ", SriError::Empty),
            ("sha1", SriError::Algorithm),
            ("SHA1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", SriError::Algorithm),
            ("md5-1B2M2Y8AsgTpgAmY7PhCfg==", SriError::Algorithm),
            (
                "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk",
                SriError::Base64 { algorithm: "sha1" },
            ),
            (
                "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwl=",
                SriError::Base64 { algorithm: "sha1" },
            ),
            (
                "sha1-2jmj7l5rSw0yVb_vlWAYkK_YBwk=",
                SriError::Base64 { algorithm: "sha1" },
            ),
            (
                "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=?opt",
                SriError::Base64 { algorithm: "sha1" },
            ),
            (
                "sha256-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
                SriError::Length {
                    algorithm: "sha256",
                },
            ),
            (
                "sha512-",
                SriError::Length {
                    algorithm: "sha512",
                },
            ),
        ] {
            assert_eq!(Sri::parse(text), Err(error), "{text}");
        }
        assert_eq!(Sri::parse(&[SHA1; 17].join(" ")), Err(SriError::TooMany));
    }

    proptest! {
        #[test]
        fn what_parses_is_written_the_same(text in "(sha1|sha256|sha512|x)-[A-Za-z0-9+/=]{0,90}( sha1-[A-Za-z0-9+/]{27}=)?") {
            if let Ok(sri) = Sri::parse(&text) {
                prop_assert_eq!(sri.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_an_answer(text in any::<String>()) {
            let _ = Sri::parse(&text);
        }
    }
}
