//! Which parts of its own tool a build uses: what lockfiles say of that, and what lies on this machine.

use crate::ecosystems::contract::{Ecosystem, LockView};
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
        let (positions, views): (Vec<usize>, Vec<LockView<'_>>) = (0..)
            .zip(&inventory.locks)
            .filter(|(_, lock)| lock.ecosystem.facts().id == id)
            .map(|(at, lock)| {
                let view = LockView {
                    root: lock.root,
                    rel: &lock.rel,
                    kind: lock.kind,
                    packages: lock.packages.iter().map(|l| &l.package).collect(),
                    extra: &lock.extra,
                };
                (at, view)
            })
            .unzip();
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
