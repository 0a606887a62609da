//! What became of a version at its registry: yanked, withdrawn, never published.

use crate::model::{Code, Coordinate, Finding, Outcome, Reason};
use crate::pipeline::flow::{Existence, Knowledge, Subject};

/// The finding that follows from a version's existence, and what it makes of the outcome.
pub(super) fn judge(
    subject: &Subject,
    coordinate: &Coordinate,
    knowledge: &Knowledge,
    outcome: Outcome,
) -> (Outcome, Option<Finding>) {
    match knowledge.existence {
        Existence::Unknown | Existence::Published { yanked: false } => (outcome, None),
        Existence::NotYet => (Outcome::Unverifiable(Reason::NoRecord), None),
        Existence::Published { yanked: true } => {
            let message = format!("{coordinate} was yanked: its authors took it back");
            (
                outcome,
                Some(Finding::new(Code::Yanked, subject.place, message)),
            )
        }
        Existence::Withdrawn => {
            let message = format!("{coordinate} is gone from its registry; it was there once");
            let outcome = match outcome {
                Outcome::Verified(_) | Outcome::Tainted | Outcome::Conflict => outcome,
                Outcome::Unverifiable(_) => Outcome::Unverifiable(Reason::NoRecord),
            };
            (
                outcome,
                Some(Finding::new(Code::Withdrawn, subject.place, message)),
            )
        }
        Existence::Never => {
            let message = format!("its registry never published {coordinate}");
            (
                Outcome::Tainted,
                Some(Finding::new(Code::NeverPublished, subject.place, message)),
            )
        }
    }
}
