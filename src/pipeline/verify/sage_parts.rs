//! What is known before a run learns anything, to be joined with what it learns.

use crate::model::{Coordinate, Digest};
use crate::pipeline::flow::Known;
use crate::pipeline::knowledge::Sage;
use crate::pipeline::standings::Standings;

/// What a [`Sage`] is made from, beside what is learned during the run.
pub struct SageParts<'a> {
    /// What lockfiles say.
    pub declared: &'a crate::pipeline::knowledge::Declared,
    /// What was first seen.
    pub remembered: &'a (dyn Fn(&Coordinate, &str) -> Option<Digest> + Sync),
    /// Whether an advisory names a version.
    pub named_by_advisory: &'a (dyn Fn(&Coordinate) -> bool + Sync),
}

impl<'a> SageParts<'a> {
    /// A sage that knows all of it.
    pub fn sage(&self, standings: &'a Standings, known: &'a Known, now: i64) -> Sage<'a>
    where
        Self: 'a,
    {
        Sage {
            standings,
            known,
            declared: self.declared,
            remembered: self.remembered,
            named_by_advisory: self.named_by_advisory,
            now,
        }
    }
}
