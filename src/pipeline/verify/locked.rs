//! What a lockfile records is a subject too: each hash is held against what is said from outside.

use std::sync::Arc;

use crate::model::{Origin, Place};
use crate::pipeline::flow::{Check, Checked, Inventory, Seen, Subject};

/// One subject for each hash that a lockfile records.
pub(super) fn hashes(inventory: &Inventory, checked: &mut Checked) {
    for lock in &inventory.locks {
        for locked in &lock.packages {
            let is_registry = matches!(locked.coordinate.origin, Origin::Registry(_));
            if locked.package.digests.is_empty() || !is_registry {
                continue;
            }
            checked.checks.push(Check {
                subject: Subject {
                    ecosystem: lock.ecosystem.facts().id,
                    kind: "lockfile-hash",
                    coordinate: Some(Arc::clone(&locked.coordinate)),
                    artifact: Some(Arc::clone(&locked.package.file)),
                    place: Place::Lockfile,
                    root: lock.root,
                    rel: std::path::PathBuf::from(&lock.rel),
                    size: None,
                    line: locked.package.digests.first().map(|d| d.line),
                },
                seen: Seen::LockedHash {
                    digests: locked.package.digests.iter().map(|d| d.digest).collect(),
                },
            });
        }
    }
}
