//! The nouns of the house: plain values without I/O, whose constructors hold their invariants.
//!
//! Nothing in here imports another module of ours. No type of a dependency stands in a public signature.

pub mod advisory;
pub mod artifact;
pub mod claim;
pub mod code;
pub mod coverage;
pub mod day;
pub mod digest;
pub mod ecosystem;
pub mod finding;
pub mod listing;
pub mod location;
pub mod manifest;
pub mod notice;
pub mod outcome;
pub mod policy;
pub mod problem;
pub mod reason;
pub mod report;
pub mod shell;
pub mod text;
pub mod version_order;
pub mod when;

pub use artifact::{ArtifactId, Coordinate, Origin, Registry};
pub use claim::{Assurance, Claim, Claimant};
pub use code::{Class, Code, Severity};
pub use coverage::{Coverage, Tally};
pub use digest::{Digest, Fingerprint, Scheme};
pub use ecosystem::EcosystemId;
pub use finding::{Entry, EntryKind, Expected, Finding, Place};
pub use listing::{CURRENT_FOR, Listing, SETTLING, VersionFacts};
pub use location::{Line, Location, RootId, RootInfo, RootOrigin};
pub use manifest::{Manifest, ManifestEntry, NEVER_BUILT, Sums};
pub use notice::{Notice, NoticeCode};
pub use outcome::Outcome;
pub use problem::{Effect, Problem};
pub use reason::Reason;
pub use version_order::VersionOrder;
