//! Counts in the JSON report: the sum over all ecosystems, and each of them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Assurance, Coverage, Tally};

#[derive(Serialize)]
pub(super) struct WholeCoverage {
    #[serde(flatten)]
    total: Counts,
    by_ecosystem: BTreeMap<&'static str, OneEcosystem>,
}

#[derive(Serialize)]
struct OneEcosystem {
    #[serde(flatten)]
    counts: Counts,
    claims: Claims,
}

#[derive(Serialize)]
struct Counts {
    subjects: u64,
    verified: u64,
    tainted: u64,
    conflict: u64,
    unverifiable: BTreeMap<&'static str, u64>,
    absent: u64,
    first_party: u64,
}

#[derive(Serialize)]
struct Claims {
    authenticated: u64,
    published: u64,
    declared: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remembered: Option<u64>,
}

impl WholeCoverage {
    pub(super) fn new(coverage: &Coverage) -> Self {
        Self {
            total: Counts::new(&coverage.total()),
            by_ecosystem: coverage
                .by_ecosystem
                .iter()
                .map(|(ecosystem, tally)| (ecosystem.as_str(), OneEcosystem::new(tally)))
                .collect(),
        }
    }
}

impl OneEcosystem {
    fn new(tally: &Tally) -> Self {
        let claims = |assurance| tally.claims.get(&assurance).copied();
        Self {
            counts: Counts::new(tally),
            claims: Claims {
                authenticated: claims(Assurance::Authenticated).unwrap_or(0),
                published: claims(Assurance::Published).unwrap_or(0),
                declared: claims(Assurance::Declared).unwrap_or(0),
                remembered: claims(Assurance::Remembered),
            },
        }
    }
}

impl Counts {
    fn new(tally: &Tally) -> Self {
        Self {
            subjects: tally.subjects(),
            verified: tally.verified,
            tainted: tally.tainted,
            conflict: tally.conflict,
            unverifiable: tally
                .unverifiable
                .iter()
                .map(|(reason, n)| (reason.as_str(), *n))
                .collect(),
            absent: tally.absent,
            first_party: tally.first_party,
        }
    }
}
