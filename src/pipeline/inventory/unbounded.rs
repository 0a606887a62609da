//! Where a tool may take more from its cache than the lockfiles name, all of that cache is judged. Of every lockfile, also of
//! trees that were not walked: it may be built from all the same.

use std::collections::BTreeSet;

use crate::ecosystems::contract::Ecosystem;
use crate::model::text::printable;
use crate::model::{EcosystemId, Notice, NoticeCode};
use crate::pipeline::flow::Inventory;
use crate::world::{Env, ReadFs};

/// What is not bounded by lockfiles.
#[derive(Default)]
pub(super) struct Unbounded {
    /// Whose caches.
    pub(super) ecosystems: BTreeSet<EcosystemId>,
    /// By which lockfiles, by position.
    pub(super) locks: BTreeSet<usize>,
}

/// Asks every ecosystem, and says why once for each.
pub(super) fn find(
    inventory: &mut Inventory,
    ecosystems: &[&'static dyn Ecosystem],
    env: &dyn Env,
    fs: &dyn ReadFs,
) -> Unbounded {
    let mut found = Unbounded::default();
    for ecosystem in ecosystems {
        let facts = ecosystem.facts();
        let (positions, views) = inventory.views(facts.id);
        if views.is_empty() {
            continue;
        }
        let mut whys = BTreeSet::new();
        for (view, why) in ecosystem.unbounded(&views, env, fs) {
            found.locks.extend(positions.get(view));
            whys.insert(why);
        }
        let Some(first) = whys.first() else { continue };
        found.ecosystems.insert(facts.id);
        let more = match whys.len() {
            1 => String::new(),
            n => format!(" ({} more)", n - 1),
        };
        let message = format!(
            "{}{more}: {} may take whatever its cache holds, so all of it is judged, as with --caches",
            printable(first),
            facts.name
        );
        drop(views);
        inventory.notices.push(Notice {
            code: NoticeCode::WholeCache,
            reason: None,
            ecosystem: Some(facts.id),
            package: None,
            version: None,
            path: None,
            message,
            remedy: None,
        });
    }
    found
}
