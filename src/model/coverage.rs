//! How much was seen, and what became of it. Report and exit code are computed from these counts.

use std::collections::BTreeMap;

use super::claim::Assurance;
use super::ecosystem::EcosystemId;
use super::outcome::Outcome;
use super::reason::Reason;

/// Counts of one ecosystem, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Subjects that ended verified.
    pub verified: u64,
    /// Subjects that ended tainted.
    pub tainted: u64,
    /// Subjects in conflict.
    pub conflict: u64,
    /// Subjects that could not be verified, by reason.
    pub unverifiable: BTreeMap<Reason, u64>,
    /// Locked, but held by no cache: nothing to verify.
    pub absent: u64,
    /// First-party packages: no subjects.
    pub first_party: u64,
    /// Claims that were gathered, by assurance.
    pub claims: BTreeMap<Assurance, u64>,
}

impl Tally {
    /// Number of subjects: always the sum of the outcomes.
    pub fn subjects(&self) -> u64 {
        self.verified + self.tainted + self.conflict + self.unverifiable.values().sum::<u64>()
    }

    /// Counts one subject.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Verified(_) => self.verified += 1,
            Outcome::Tainted => self.tainted += 1,
            Outcome::Conflict => self.conflict += 1,
            Outcome::Unverifiable(reason) => {
                *self.unverifiable.entry(reason).or_default() += 1;
            }
        }
    }

    /// Adds another tally to this one.
    pub fn merge(&mut self, other: &Self) {
        self.verified += other.verified;
        self.tainted += other.tainted;
        self.conflict += other.conflict;
        self.absent += other.absent;
        self.first_party += other.first_party;
        for (reason, n) in &other.unverifiable {
            *self.unverifiable.entry(*reason).or_default() += n;
        }
        for (assurance, n) in &other.claims {
            *self.claims.entry(*assurance).or_default() += n;
        }
    }
}

/// The tallies of a run, by ecosystem.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// One tally per ecosystem met.
    pub by_ecosystem: BTreeMap<EcosystemId, Tally>,
}

impl Coverage {
    /// The tally of one ecosystem, made on first use.
    pub fn of(&mut self, ecosystem: EcosystemId) -> &mut Tally {
        self.by_ecosystem.entry(ecosystem).or_default()
    }

    /// The sum over all ecosystems.
    pub fn total(&self) -> Tally {
        self.by_ecosystem
            .values()
            .fold(Tally::default(), |mut sum, tally| {
                sum.merge(tally);
                sum
            })
    }
}
