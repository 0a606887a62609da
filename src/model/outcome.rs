//! What became of a subject: exactly one of four.

use super::claim::Assurance;
use super::reason::Reason;

/// The end of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The bytes are what was published, at this assurance.
    Verified(Assurance),
    /// The bytes differ from what a claim says.
    Tainted,
    /// Trusted claims differ from one another.
    Conflict,
    /// It could not be told.
    Unverifiable(Reason),
}
