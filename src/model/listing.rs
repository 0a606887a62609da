//! What a registry says of one package: its versions, their digests, and the facts that judge a cached copy.
//!
//! A listing is compact on purpose: what a version's metadata says is folded into one 16-byte digest that the
//! ecosystem computes over its own canonical form, so that "does the cached copy say the same" needs no text.

use std::sync::Arc;

use super::digest::Digest;

/// Seconds for which existence and yank state count as current. Digest claims do not expire.
pub const CURRENT_FOR: i64 = 24 * 60 * 60;
/// A version younger than this, in seconds, may be missing from an answer or from a copy of one.
pub const SETTLING: i64 = 60 * 60;

/// One version of a package, as its registry describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFacts {
    /// The version, verbatim.
    pub version: Arc<str>,
    /// Digests of its archive, at most one per scheme, sorted.
    pub digests: Vec<Digest>,
    /// Withdrawn from new use by its publisher, still served.
    pub yanked: bool,
    /// An earlier answer of the registry had it, the newest has not: its digests still count, its existence is over.
    pub withdrawn: bool,
    /// When it was published, seconds since 1970, where the registry says so.
    pub published_at: Option<i64>,
    /// First 16 bytes of BLAKE3 over the ecosystem's canonical form of everything else that is said of the version
    /// (dependencies, features, scripts). All zero: not said.
    pub facts: [u8; 16],
}

/// What a registry said of one package, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Whether all versions are here, so that a missing one does not exist.
    pub complete: bool,
    /// When the content was received, seconds since 1970.
    pub fetched_at: i64,
    /// When the registry last confirmed it (a 304 renews it), seconds since 1970.
    pub confirmed_at: i64,
    /// Entity tag, for a conditional request.
    pub etag: Option<Arc<str>>,
    /// Modification date as the server wrote it, for a conditional request.
    pub last_modified: Option<Arc<str>>,
    /// The versions, in the registry's order.
    pub versions: Vec<VersionFacts>,
}

impl Listing {
    /// Whether existence and yank state still count as current at `now` (seconds since 1970). A confirmation that
    /// lies in the future does not: a clock that ran ahead must not keep a listing current for years.
    pub fn is_current(&self, now: i64) -> bool {
        now.checked_sub(self.confirmed_at)
            .is_some_and(|age| (0..CURRENT_FOR).contains(&age))
    }

    /// What is said of a version, by its verbatim text.
    pub fn version(&self, version: &str) -> Option<&VersionFacts> {
        self.versions.iter().find(|v| &*v.version == version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_for_a_day_and_never_from_the_future() {
        let listing = Listing {
            confirmed_at: 1_000_000,
            ..Listing::default()
        };
        assert!(listing.is_current(1_000_000));
        assert!(listing.is_current(1_000_000 + CURRENT_FOR - 1));
        assert!(!listing.is_current(1_000_000 + CURRENT_FOR));
        assert!(!listing.is_current(999_999));
        let extreme = Listing {
            confirmed_at: i64::MIN,
            ..Listing::default()
        };
        assert!(!extreme.is_current(i64::MAX));
    }
}
