//! The truth table, row by row and by property.

use proptest::prelude::*;

use super::*;
use crate::model::Scheme;

fn digest(n: u8) -> Digest {
    Digest::sha256([n; 32])
}

fn weak(n: u8) -> Digest {
    Digest::new(Scheme::Sha1, &[n; 20]).unwrap()
}

fn claim(assurance: Assurance, digest: Digest) -> Claim {
    let by = match assurance {
        Assurance::SelfClaimed => Claimant::Sidecar,
        Assurance::Remembered => Claimant::FirstSeen,
        Assurance::Declared => Claimant::Lockfile,
        Assurance::Published => Claimant::RegistryIndex,
        Assurance::Authenticated => Claimant::Log,
    };
    Claim {
        assurance,
        by,
        digest,
        detail: None,
    }
}

fn ruled(claims: &[Claim], observed: &[Digest], gap: Option<Reason>) -> Ruling {
    rule(Evidence {
        observed,
        worst_entry: None,
        claims,
        gap,
        require: Assurance::Published,
    })
}

/// The exit code that one ruling leads to under the default policy.
fn exit(ruling: &Ruling) -> u8 {
    if !ruling.codes.is_empty() {
        return 1;
    }
    match ruling.outcome {
        Outcome::Verified(_) => 0,
        Outcome::Tainted | Outcome::Conflict => 1,
        Outcome::Unverifiable(reason) if reason.allowed_by_default() => 0,
        Outcome::Unverifiable(_) => 3,
    }
}

#[test]
fn published_and_equal_is_verified() {
    let ruling = ruled(
        &[claim(Assurance::Published, digest(1))],
        &[digest(1)],
        None,
    );
    assert_eq!(ruling.outcome, Outcome::Verified(Assurance::Published));
    assert!(ruling.codes.is_empty());
}

#[test]
fn a_sidecar_never_clears_and_never_counts() {
    let ruling = ruled(
        &[claim(Assurance::SelfClaimed, digest(1))],
        &[digest(1)],
        None,
    );
    assert_eq!(ruling.outcome, Outcome::Unverifiable(Reason::NoRecord));
}

#[test]
fn a_lockfile_alone_is_not_enough() {
    let claims = [claim(Assurance::Declared, digest(1))];
    let ruling = ruled(&claims, &[digest(1)], Some(Reason::Offline));
    assert_eq!(ruling.outcome, Outcome::Unverifiable(Reason::Offline));
    let ruling = ruled(&claims, &[digest(1)], None);
    assert_eq!(ruling.outcome, Outcome::Unverifiable(Reason::DeclaredOnly));
    let ruling = ruled(&claims, &[digest(2)], Some(Reason::Offline));
    assert_eq!(ruling.outcome, Outcome::Tainted);
}

#[test]
fn a_weak_digest_is_never_published() {
    let claims = [claim(Assurance::Published, weak(1))];
    let ruling = ruled(&claims, &[weak(1), digest(1)], None);
    assert_eq!(ruling.outcome, Outcome::Unverifiable(Reason::WeakDigest));
}

#[test]
fn trusted_claims_that_differ_are_a_conflict() {
    let claims = [
        claim(Assurance::Published, digest(1)),
        claim(Assurance::Authenticated, digest(2)),
    ];
    let ruling = ruled(&claims, &[digest(1)], None);
    assert_eq!(ruling.outcome, Outcome::Conflict);
    assert!(ruling.codes.contains(&Code::PublishedHashChanged));
    assert!(trusted_digests(&claims).is_empty());
}

#[test]
fn a_changed_tree_of_a_good_archive_is_tainted() {
    let ruling = rule(Evidence {
        observed: &[digest(1)],
        worst_entry: Some(EntryKind::Extra),
        claims: &[claim(Assurance::Published, digest(1))],
        gap: None,
        require: Assurance::Published,
    });
    assert_eq!(ruling.outcome, Outcome::Tainted);
    assert_eq!(
        ruling.codes.into_iter().collect::<Vec<_>>(),
        [Code::TreeExtraFile]
    );
}

#[test]
fn memory_that_differs_is_reported_even_if_the_registry_agrees() {
    let claims = [
        claim(Assurance::Published, digest(1)),
        claim(Assurance::Remembered, digest(2)),
    ];
    let ruling = ruled(&claims, &[digest(1)], None);
    assert_eq!(ruling.outcome, Outcome::Verified(Assurance::Published));
    assert!(ruling.codes.contains(&Code::FirstSeenChanged));
}

fn any_claim() -> impl Strategy<Value = Claim> {
    let assurance = prop_oneof![
        Just(Assurance::SelfClaimed),
        Just(Assurance::Remembered),
        Just(Assurance::Declared),
        Just(Assurance::Published),
        Just(Assurance::Authenticated),
    ];
    (assurance, 0u8..3, any::<bool>())
        .prop_map(|(a, n, is_weak)| claim(a, if is_weak { weak(n) } else { digest(n) }))
}

fn any_gap() -> impl Strategy<Value = Option<Reason>> {
    prop_oneof![
        Just(None),
        Just(Some(Reason::Offline)),
        Just(Some(Reason::Unreachable)),
        Just(Some(Reason::UnpinnedRoot)),
        Just(Some(Reason::NoRecord)),
    ]
}

fn any_require() -> impl Strategy<Value = Assurance> {
    prop_oneof![
        Just(Assurance::Remembered),
        Just(Assurance::Declared),
        Just(Assurance::Published),
        Just(Assurance::Authenticated),
    ]
}

proptest! {
    #[test]
    fn the_order_of_claims_does_not_matter(
        mut claims in prop::collection::vec(any_claim(), 0..5),
        n in 0u8..3,
        gap in any_gap(),
        require in any_require(),
    ) {
        let observed = [digest(n), weak(n)];
        let before = rule(Evidence { observed: &observed, worst_entry: None, claims: &claims, gap, require });
        claims.reverse();
        let after = rule(Evidence { observed: &observed, worst_entry: None, claims: &claims, gap, require });
        prop_assert_eq!(before, after);
    }

    #[test]
    fn another_claim_never_clears_a_finding(
        claims in prop::collection::vec(any_claim(), 0..5),
        more in any_claim(),
        n in 0u8..3,
        gap in any_gap(),
        require in any_require(),
        worst_entry in prop_oneof![Just(None), Just(Some(EntryKind::Modified))],
    ) {
        let observed = [digest(n), weak(n)];
        let before = rule(Evidence { observed: &observed, worst_entry, claims: &claims, gap, require });
        let mut all = claims.clone();
        all.push(more);
        let after = rule(Evidence { observed: &observed, worst_entry, claims: &all, gap, require });
        if exit(&before) == 1 {
            prop_assert_eq!(exit(&after), 1);
        }
    }

    #[test]
    fn exit_0_only_by_a_sufficient_claim_that_equals_and_none_that_differs(
        claims in prop::collection::vec(any_claim(), 0..5),
        n in 0u8..3,
        gap in any_gap(),
        require in any_require(),
    ) {
        let observed = [digest(n), weak(n)];
        let ruling = rule(Evidence { observed: &observed, worst_entry: None, claims: &claims, gap, require });
        if exit(&ruling) == 0 {
            let counts = |c: &&Claim| c.assurance > Assurance::SelfClaimed;
            let sufficient = |c: &Claim| c.effective() >= require && observed.contains(&c.digest)
                && !c.digest.scheme().is_weak();
            prop_assert!(claims.iter().filter(counts).any(sufficient));
            prop_assert!(claims.iter().filter(counts).all(|c| observed.contains(&c.digest)));
        }
    }

    #[test]
    fn nothing_observed_is_never_verified(
        claims in prop::collection::vec(any_claim(), 0..5),
        gap in any_gap(),
        require in any_require(),
    ) {
        let ruling = rule(Evidence { observed: &[], worst_entry: None, claims: &claims, gap, require });
        prop_assert!(!matches!(ruling.outcome, Outcome::Verified(_)));
    }
}
