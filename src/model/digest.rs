//! Digests: a scheme and its bytes, with exactly one spelling each.
//!
//! Spellings follow the report contract: `sha256|sha384|sha512|sha1|md5:<lower hex>`, `h1:<base64>` (Go's
//! directory hash, a recipe over SHA-256), `git-sha1|git-sha256:<lower hex>` (git object ids).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How the bytes of a digest were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// SHA-256 over the artifact's bytes.
    Sha256,
    /// SHA-384 over the artifact's bytes.
    Sha384,
    /// SHA-512 over the artifact's bytes.
    Sha512,
    /// SHA-1 over the artifact's bytes: weak, caps a claim at declared.
    Sha1,
    /// MD5 over the artifact's bytes: weak, caps a claim at declared.
    Md5,
    /// Go's `h1`: SHA-256 over the sorted list of the members' SHA-256 sums.
    H1,
    /// A git object id in a SHA-1 repository.
    GitSha1,
    /// A git object id in a SHA-256 repository.
    GitSha256,
}

impl Scheme {
    /// Every scheme, strongest first within its family.
    pub const ALL: [Self; 8] = [
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha1,
        Self::Md5,
        Self::H1,
        Self::GitSha1,
        Self::GitSha256,
    ];

    /// The prefix before the colon.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::H1 => "h1",
            Self::GitSha1 => "git-sha1",
            Self::GitSha256 => "git-sha256",
        }
    }

    /// Number of bytes of a digest of this scheme.
    #[expect(clippy::len_without_is_empty, reason = "a digest is never empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 | Self::GitSha1 => 20,
            Self::Sha256 | Self::H1 | Self::GitSha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Whether collisions can be made at will, so that a match alone proves little.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Sha1 | Self::Md5)
    }
}

/// A digest: scheme and bytes. Equality is equality of both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    scheme: Scheme,
    bytes: [u8; 64],
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a digest in its one spelling (expected e.g. `sha256:` and 64 lower-case hex digits)")]
pub struct NotADigest;

impl Digest {
    /// Makes a digest from raw bytes.
    ///
    /// # Errors
    /// [`NotADigest`] when the number of bytes does not fit the scheme.
    pub fn new(scheme: Scheme, raw: &[u8]) -> Result<Self, NotADigest> {
        if raw.len() != scheme.len() {
            return Err(NotADigest);
        }
        let mut bytes = [0u8; 64];
        for (to, from) in bytes.iter_mut().zip(raw) {
            *to = *from;
        }
        Ok(Self { scheme, bytes })
    }

    /// A SHA-256 digest from its 32 bytes.
    pub fn sha256(raw: [u8; 32]) -> Self {
        let mut bytes = [0u8; 64];
        for (to, from) in bytes.iter_mut().zip(raw) {
            *to = from;
        }
        Self {
            scheme: Scheme::Sha256,
            bytes,
        }
    }

    /// A Go `h1` digest from the 32 bytes of its last sum.
    pub fn h1(raw: [u8; 32]) -> Self {
        Self {
            scheme: Scheme::H1,
            ..Self::sha256(raw)
        }
    }

    /// A digest from the lower-case hex text that lockfiles and indexes use, without prefix.
    ///
    /// # Errors
    /// [`NotADigest`] for another length, upper case or anything that is not hex.
    pub fn from_hex(scheme: Scheme, hex: &str) -> Result<Self, NotADigest> {
        let text = hex.as_bytes();
        if text.len() != scheme.len() * 2 {
            return Err(NotADigest);
        }
        let nibble = |b: u8| match b {
            b'0'..=b'9' => Ok(b - b'0'),
            b'a'..=b'f' => Ok(b - b'a' + 10),
            _ => Err(NotADigest),
        };
        let mut bytes = [0u8; 64];
        for (to, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let [high, low] = pair else {
                return Err(NotADigest);
            };
            *to = nibble(*high)? << 4 | nibble(*low)?;
        }
        Ok(Self { scheme, bytes })
    }

    /// How it was made.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The raw bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.scheme.len()).unwrap_or(&self.bytes)
    }

    /// The bytes as lower-case hex, without prefix.
    pub fn hex(&self) -> String {
        hex(self.bytes())
    }
}

/// Lower-case hex of bytes.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Scheme::H1 => write!(f, "h1:{}", STANDARD.encode(self.bytes())),
            other => write!(f, "{}:{}", other.prefix(), self.hex()),
        }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let (prefix, rest) = text.split_once(':').ok_or(NotADigest)?;
        let scheme = Scheme::ALL
            .into_iter()
            .find(|s| s.prefix() == prefix)
            .ok_or(NotADigest)?;
        if scheme == Scheme::H1 {
            let raw = STANDARD.decode(rest).map_err(|_| NotADigest)?;
            return Self::new(scheme, &raw);
        }
        Self::from_hex(scheme, rest)
    }
}

/// SHA-256 of the canonical text of an address or name, or of a raw public key: how a trust root is recognised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let text = format!("sha256:{}", "ab".repeat(32));
        let digest: Digest = text.parse().unwrap();
        assert_eq!(digest.to_string(), text);
        assert!(text.to_uppercase().parse::<Digest>().is_err());
        assert!(
            format!("sha256:+f{}", "0".repeat(62))
                .parse::<Digest>()
                .is_err()
        );
        assert!(
            format!("sha256:{}é{}", "0", "0".repeat(61))
                .parse::<Digest>()
                .is_err()
        );
    }

    #[test]
    fn h1_is_base64() {
        let text = "h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=";
        assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
        assert!(
            "h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w1="
                .parse::<Digest>()
                .is_err()
        );
    }
}
