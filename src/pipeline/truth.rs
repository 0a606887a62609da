//! The truth table: claims of every assurance against what the bytes hash to. Pure; the one place where an outcome is made.
//!
//! | trusted claims | other claims | bytes | outcome | codes |
//! |---|---|---|---|---|
//! | disagree | any | any | Conflict | `published-hash-changed` |
//! | agree | any | differ from them | Tainted | `archive-tampered` or the tree's |
//! | agree, enough for `require` | any | equal | Verified | those of the claims that differ |
//! | agree, too weak for `require` | any | equal | Unverifiable | those of the claims that differ |
//! | none | one differs | | Tainted, blame open | `archive-tampered`, `first-seen-changed` |
//! | none | all equal | | by `require`: Verified, else Unverifiable | |
//! | none | none | | Unverifiable with the reason of the gap | |
//!
//! A claim that differs from the bytes always leaves a code, whoever makes it: so another claim may move the blame, but it
//! never lowers the exit code. The suspect's own claims never clear anything.

use std::collections::BTreeSet;

use crate::model::{Assurance, Claim, Claimant, Code, Digest, EntryKind, Outcome, Reason};

/// What is known about one subject.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the bytes hash to, in every scheme that was computed. Of a tree: the digest of the archive that it was held
    /// against. Empty: there was nothing to hold it against.
    pub observed: &'a [Digest],
    /// The worst difference between a tree and that archive.
    pub worst_entry: Option<EntryKind>,
    /// Who says what.
    pub claims: &'a [Claim],
    /// Why a trusted claim is missing, if one is.
    pub gap: Option<Reason>,
    /// What is required for Verified.
    pub require: Assurance,
}

/// What the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The outcome.
    pub outcome: Outcome,
    /// Codes of the findings that follow, in order of `Code`.
    pub codes: BTreeSet<Code>,
}

/// Looks the evidence up in the table.
pub fn rule(evidence: Evidence<'_>) -> Ruling {
    let (trusted, rest): (Vec<&Claim>, Vec<&Claim>) = evidence
        .claims
        .iter()
        .filter(|claim| claim.assurance > Assurance::SelfClaimed)
        .partition(|claim| claim.effective().is_trusted());
    let mut codes: BTreeSet<Code> = rest
        .iter()
        .filter_map(|claim| differing(claim, evidence.observed))
        .collect();
    if disagree(&trusted) {
        codes.insert(Code::PublishedHashChanged);
        return Ruling {
            outcome: Outcome::Conflict,
            codes,
        };
    }
    let tree_code = evidence.worst_entry.map(EntryKind::code);
    if trusted
        .iter()
        .any(|claim| differs(claim, evidence.observed))
    {
        codes.insert(tree_code.unwrap_or(Code::ArchiveTampered));
        return Ruling {
            outcome: Outcome::Tainted,
            codes,
        };
    }
    if let Some(code) = tree_code {
        codes.insert(code);
        return Ruling {
            outcome: Outcome::Tainted,
            codes,
        };
    }
    let best = trusted
        .iter()
        .filter(|claim| equals(claim, evidence.observed))
        .map(|claim| claim.effective())
        .max();
    if let Some(level) = best {
        let outcome = if level >= evidence.require {
            Outcome::Verified(level)
        } else {
            Outcome::Unverifiable(evidence.gap.unwrap_or(Reason::NoRecord))
        };
        return Ruling { outcome, codes };
    }
    if !codes.is_empty() {
        return Ruling {
            outcome: Outcome::Tainted,
            codes,
        };
    }
    Ruling {
        outcome: without_trust(&rest, &evidence),
        codes,
    }
}

/// The outcome where only weaker claims exist, and none of them differs.
fn without_trust(rest: &[&Claim], evidence: &Evidence<'_>) -> Outcome {
    let matching = || rest.iter().filter(|claim| equals(claim, evidence.observed));
    let strong = matching()
        .filter(|c| !c.digest.scheme().is_weak())
        .map(|c| c.effective())
        .max();
    match strong {
        Some(level) if level >= evidence.require => Outcome::Verified(level),
        Some(level) => Outcome::Unverifiable(evidence.gap.unwrap_or(match level {
            Assurance::Remembered => Reason::RememberedOnly,
            _ => Reason::DeclaredOnly,
        })),
        None if matching().next().is_some() => {
            Outcome::Unverifiable(evidence.gap.unwrap_or(Reason::WeakDigest))
        }
        None => Outcome::Unverifiable(evidence.gap.unwrap_or(Reason::NoRecord)),
    }
}

/// Whether two trusted claims cannot both be true.
pub fn disagree(trusted: &[&Claim]) -> bool {
    trusted.iter().enumerate().any(|(at, a)| {
        trusted
            .iter()
            .skip(at + 1)
            .any(|b| a.digest.scheme() == b.digest.scheme() && a.digest != b.digest)
    })
}

/// The digests that trusted claims agree on; empty if there are none or they disagree.
pub fn trusted_digests(claims: &[Claim]) -> Vec<Digest> {
    let trusted: Vec<&Claim> = claims
        .iter()
        .filter(|c| c.effective().is_trusted())
        .collect();
    if disagree(&trusted) {
        return Vec::new();
    }
    let set: BTreeSet<Digest> = trusted.iter().map(|c| c.digest).collect();
    set.into_iter().collect()
}

fn equals(claim: &Claim, observed: &[Digest]) -> bool {
    observed.contains(&claim.digest)
}

fn differs(claim: &Claim, observed: &[Digest]) -> bool {
    let mut same_scheme = observed
        .iter()
        .filter(|d| d.scheme() == claim.digest.scheme())
        .peekable();
    same_scheme.peek().is_some() && same_scheme.all(|d| *d != claim.digest)
}

/// The code that a weaker claim leaves if it differs from the bytes.
fn differing(claim: &Claim, observed: &[Digest]) -> Option<Code> {
    differs(claim, observed).then_some(match claim.by {
        Claimant::FirstSeen => Code::FirstSeenChanged,
        _ => Code::ArchiveTampered,
    })
}

#[cfg(test)]
#[path = "truth_tests.rs"]
mod tests;
