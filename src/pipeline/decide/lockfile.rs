//! The picture of the lockfile line under a finding.

use crate::model::Finding;

use super::Case;

/// Adds the text of the line to every finding that lies in a lockfile.
pub(super) fn pictures(case: &Case<'_>, findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|f| f.excerpt.is_none()) {
        let Some(location) = &finding.location else {
            continue;
        };
        let Some(line) = location.line else { continue };
        let root = finding.root.as_ref();
        let lock = case.inventory.locks.iter().find(|lock| {
            lock.rel == location.file
                && case.inventory.roots.get(lock.root).map(|r| &r.info.id) == root
        });
        finding.excerpt = lock.and_then(|lock| lock.excerpts.get(&line).cloned());
    }
}
