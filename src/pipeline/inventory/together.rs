//! What the lockfiles of a tree say together. Only of trees that were walked: elsewhere a lockfile may lie unseen.

use std::collections::BTreeSet;

use crate::ecosystems::contract::{Ecosystem, LockView};
use crate::model::{Location, Problem, text};
use crate::pipeline::flow::Inventory;
use crate::pipeline::registries::Registries;

/// Lets every ecosystem look at its lockfiles side by side.
/// `unbounded`: lockfiles, by position, of which all that a cache holds is judged.
pub(super) fn apply(
    inventory: &mut Inventory,
    registries: &Registries,
    ecosystems: &[&'static dyn Ecosystem],
    unbounded: &BTreeSet<usize>,
) {
    for ecosystem in ecosystems {
        let id = ecosystem.facts().id;
        let seen: Vec<usize> = (0..)
            .zip(&inventory.locks)
            .filter(|(_, lock)| lock.ecosystem.facts().id == id)
            .filter(|(_, lock)| inventory.walked.contains(&lock.root))
            .map(|(at, _)| at)
            .collect();
        let views: Vec<LockView<'_>> = seen
            .iter()
            .filter_map(|at| inventory.locks.get(*at))
            .map(|lock| inventory.view(lock))
            .collect();
        if views.is_empty() {
            continue;
        }
        let together = ecosystem.together(&views);
        drop(views);
        for (view, package) in together.built {
            let lock = seen.get(view).and_then(|at| inventory.locks.get_mut(*at));
            if let Some(locked) = lock.and_then(|lock| lock.packages.get_mut(package)) {
                locked.package.built = true;
            }
        }
        // Of names that a registry is not asked about nobody judges what comes, wherever it comes from.
        let untold = |view: usize| {
            let of_it = together.findings.iter().filter(|(at, _)| *at == view);
            let mut names = of_it.filter_map(|(_, finding)| finding.package.as_deref());
            names.any(|name| registries.is_untold(*ecosystem, name))
        };
        for (view, gap) in &together.gaps {
            let Some((at, lock)) = seen
                .get(*view)
                .and_then(|at| Some((at, inventory.locks.get(*at)?)))
            else {
                continue;
            };
            // Whatever it leaves open is judged where it lies, in the cache.
            if unbounded.contains(at) && !untold(*view) {
                continue;
            }
            let root = inventory.roots.get(lock.root);
            let path = root.map_or_else(
                || lock.rel.clone(),
                |root| format!("{}/{}", root.path.display(), lock.rel),
            );
            let path = text::printable(&path);
            inventory.problems.push(Problem::partial(path, gap.clone()));
        }
        for (view, mut finding) in together.findings {
            let Some(lock) = seen.get(view).and_then(|at| inventory.locks.get(*at)) else {
                continue;
            };
            finding.ecosystem = Some(id);
            finding.root = inventory.roots.get(lock.root).map(|r| r.info.id.clone());
            finding.rel = Some(lock.rel.clone());
            let line = finding.location.as_ref().and_then(|l| l.line);
            finding.location = Some(Location {
                file: lock.rel.clone(),
                line,
            });
            inventory.findings.push(finding);
        }
    }
}
