//! One advisory, as far as it concerns one package: facts only, no prose.
//!
//! Feeds of every format are turned into these values; the compiled index stores them; matching reads them. An advisory that names three
//! packages becomes three records with the same id.

use super::ranges::AffectedRange;

/// What an advisory says about the versions it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Kind {
    /// A vulnerability.
    #[default]
    Vulnerable,
    /// The package was published to do harm, or a release of it was.
    Malicious,
    /// A safe interface that can cause undefined behaviour.
    Unsound,
    /// Nobody looks after the package.
    Unmaintained,
    /// Something worth knowing that is no vulnerability.
    Notice,
}

impl Kind {
    /// The kind that a RustSec `informational` text stands for. Unknown texts are notices, as `cargo audit` shows them.
    #[must_use]
    pub fn from_informational(text: &str) -> Self {
        match text {
            "unsound" => Self::Unsound,
            "unmaintained" => Self::Unmaintained,
            _ => Self::Notice,
        }
    }

    /// The number that stands for this kind in a compiled index. Never reused.
    #[must_use]
    pub fn tag(self) -> u8 {
        match self {
            Self::Vulnerable => 0,
            Self::Malicious => 1,
            Self::Unsound => 2,
            Self::Unmaintained => 3,
            Self::Notice => 4,
        }
    }

    /// The kind of a number; `None` for a number that we do not know.
    #[must_use]
    pub fn from_tag(tag: u8) -> Option<Self> {
        [
            Self::Vulnerable,
            Self::Malicious,
            Self::Unsound,
            Self::Unmaintained,
            Self::Notice,
        ]
        .into_iter()
        .find(|kind| kind.tag() == tag)
    }
}

/// A part of a package that an advisory narrows itself to (Go: an import path and the symbols in it).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Import {
    /// Import path.
    pub path: String,
    /// Affected symbols, sorted; empty means all of it.
    pub symbols: Vec<String>,
}

/// What one advisory says about one package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdvisoryRecord {
    /// The feed's own id, such as `RUSTSEC-2021-0086`.
    pub id: String,
    /// Ids of the same issue elsewhere, sorted, without `id`.
    pub aliases: Vec<String>,
    /// Package name as the ecosystem looks it up (normalised where the ecosystem normalises).
    pub package: String,
    /// Vulnerability or something milder or worse.
    pub kind: Kind,
    /// Affected versions as events on the ecosystem's line of versions.
    pub ranges: Vec<AffectedRange>,
    /// Affected versions by name, besides the ranges.
    pub versions: Vec<String>,
    /// Severity vectors (CVSS of any version) as the feed spells them.
    pub vectors: Vec<String>,
    /// The feed's own word for the severity (`HIGH`, `moderate`), if it has one.
    pub label: Option<String>,
    /// Affected parts, sorted; empty means the whole package.
    pub imports: Vec<Import>,
    /// Day of publication, in days since 1970-01-01 (UTC).
    pub published: Option<u32>,
    /// Day of the last change.
    pub modified: Option<u32>,
    /// Day on which the advisory was withdrawn; such a record never matches.
    pub withdrawn: Option<u32>,
    /// Where people read about it.
    pub link: Option<String>,
}

impl AdvisoryRecord {
    /// The versions that end an affected range, in the feed's order, each once.
    #[must_use]
    pub fn fixed(&self) -> Vec<String> {
        let mut fixed: Vec<String> = Vec::new();
        for version in self.ranges.iter().flat_map(AffectedRange::fixed) {
            if !fixed.iter().any(|known| known == version) {
                fixed.push(version.to_owned());
            }
        }
        fixed
    }
}
