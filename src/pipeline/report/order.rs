//! The order of findings that the report contract fixes, for every format.

use std::cmp::Ordering;

use crate::model::Finding;

/// Worst severity first, then class, code, ecosystem, package, version, artifact, place, root, path, id, as spelled;
/// what is absent comes first.
pub(super) fn findings(all: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<&Finding> = all.iter().collect();
    sorted.sort_by(|a, b| contract(a, b).then_with(|| rest(a, b)));
    sorted
}

fn contract(a: &Finding, b: &Finding) -> Ordering {
    b.severity
        .cmp(&a.severity)
        .then_with(|| key(a).cmp(&key(b)))
}

/// The compared values, in the contract's order.
fn key(f: &Finding) -> [Option<&str>; 10] {
    [
        Some(f.class().as_str()),
        Some(f.code.as_str()),
        f.ecosystem.map(|e| e.as_str()),
        f.package.as_deref(),
        f.version.as_deref(),
        f.artifact.as_deref(),
        Some(f.place.as_str()),
        f.root.as_ref().map(|r| r.as_str()),
        f.rel.as_deref(),
        Some(&f.id),
    ]
}

/// Findings that the contract's order cannot tell apart still come in one order.
fn rest(a: &Finding, b: &Finding) -> Ordering {
    (&a.message, &a.path, a.observed, &a.entries)
        .cmp(&(&b.message, &b.path, b.observed, &b.entries))
        .then_with(|| format!("{a:?}").cmp(&format!("{b:?}")))
}
