//! Which parts of its own tool a build uses: what lockfiles say of that, and what lies on this machine.

use crate::ecosystems::contract::Ecosystem;
use crate::world::{Env, ReadFs};

use super::flow::Inventory;

/// Lets every ecosystem settle the parts of its tool that build what the lockfiles stand for.
pub(super) fn settle(
    inventory: &mut Inventory,
    ecosystems: &[&'static dyn Ecosystem],
    env: &dyn Env,
    fs: &dyn ReadFs,
) {
    for ecosystem in ecosystems {
        let id = ecosystem.facts().id;
        let (positions, views) = inventory.views(id);
        if views.is_empty() {
            continue;
        }
        let settled = ecosystem.parts(&views, env, fs);
        drop(views);
        for (view, parts) in settled {
            let lock = positions
                .get(view)
                .and_then(|at| inventory.locks.get_mut(*at));
            if let Some(lock) = lock {
                lock.extra.parts = parts;
            }
        }
    }
}
