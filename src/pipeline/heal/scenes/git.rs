//! Scenes of cargo's git repositories: a checkout that was edited, a database with objects that are not what their names say.

use super::{Taint, ailing};
use crate::model::Code;
use crate::pipeline::ailing::Ailing;
use crate::world::fake_disk::FakeDisk;

const DATABASE: &str = "git/db/delta-0123456789abcdef";
const CHECKOUTS: &str = "git/checkouts/delta-0123456789abcdef";

/// Puts a taint on the disk; says whether it is one of ours.
pub(super) fn lay(taint: Taint, disk: &FakeDisk) -> bool {
    if !matches!(taint, Taint::GitCheckout | Taint::GitDatabase) {
        return false;
    }
    let file =
        |path: &str, text: &str, mode| disk.file(&format!("/h/{path}"), text.as_bytes(), mode);
    let object = if taint == Taint::GitDatabase {
        "an evil object"
    } else {
        "an object"
    };
    file(&format!("{DATABASE}/HEAD"), "ref: refs/heads/main", 0o644);
    file(&format!("{DATABASE}/objects/ab/cdef"), object, 0o444);
    for short in ["abc1234", "def5678"] {
        let checkout = format!("{CHECKOUTS}/{short}");
        let lib = if short == "abc1234" {
            "evil code"
        } else {
            "code"
        };
        file(&format!("{checkout}/.cargo-ok"), "", 0o644);
        file(&format!("{checkout}/.git/HEAD"), short, 0o644);
        file(
            &format!("{checkout}/.git/objects/ab/cdef"),
            "an object",
            0o444,
        );
        file(&format!("{checkout}/src/lib.rs"), lib, 0o644);
        file(&format!("{checkout}/run.sh"), "#!evil", 0o755);
        disk.link(&format!("/h/{checkout}/out"), "src/lib.rs");
    }
    disk.mode(&format!("/h/{DATABASE}/objects/ab"), 0o555);
    for part in [
        ".fingerprint/beta-0123456789abcdef/lib",
        "deps/libbeta-0123456789abcdef.rlib",
    ] {
        disk.file(&format!("/p/target/debug/{part}"), b"evil object", 0o755);
    }
    true
}

/// What a scan would say of it.
pub(super) fn found(taint: Taint) -> Vec<Ailing> {
    let rel = format!("{CHECKOUTS}/abc1234");
    let mut checkout = ailing("checkout", &rel, Code::TreeModified);
    (checkout.artifact, checkout.must, checkout.trusted) = (None, None, false);
    checkout.remade = checkout.healer.unwrap().remade("checkout", &checkout.rel);
    checkout.findings[0].rel = Some(rel);
    if taint == Taint::GitDatabase {
        let mut bad = checkout.findings[0].clone();
        (bad.code, bad.id) = (Code::ArchiveTampered, "f-database".to_owned());
        bad.rel = Some(DATABASE.to_owned());
        checkout.findings.push(bad);
    }
    vec![checkout]
}

#[test]
fn a_checkout_goes_alone_and_a_database_with_all_that_was_made_from_it() {
    use super::super::record::Role;
    use super::Scene;
    let moves = |taint| {
        let plan = Scene::new(taint).plan();
        assert_eq!(plan.steps.len(), 1, "{taint:?}");
        let step = &plan.steps[0];
        assert!(step.wanted.is_empty() && !step.locks.is_empty());
        let moves = step.moves.iter().filter(|m| m.role != Role::Derived);
        let told = moves.map(|m| (m.rel.display().to_string(), m.role));
        (
            told.collect::<Vec<_>>(),
            step.trees.clone(),
            step.unfetched.is_some(),
        )
    };
    let checkout = format!("{CHECKOUTS}/abc1234");
    assert_eq!(
        moves(Taint::GitCheckout),
        (
            vec![(checkout.clone(), Role::Tainted)],
            vec![(0, checkout.into())],
            false
        )
    );
    assert_eq!(
        moves(Taint::GitDatabase),
        (
            vec![
                (CHECKOUTS.to_owned(), Role::Follows),
                (DATABASE.to_owned(), Role::Tainted)
            ],
            vec![(0, CHECKOUTS.into())],
            true
        )
    );
}
