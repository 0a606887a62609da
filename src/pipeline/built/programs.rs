//! What is asked of the cache itself about what a heal takes away: its packages, and installed programs that may hold it.
//! Programs are told, never touched, since nobody wrote down what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::{Left, Reach};
use crate::ecosystems::contract::{Healer, Installed};
use crate::model::{Coordinate, text};
use crate::pipeline::ailing::Aftermath;
use crate::pipeline::heal::plan::Plan;

/// Most programs of which nothing is known that are named.
const NAMED: usize = 12;

/// A cache root and an ecosystem, with what is tainted there.
type Asked = (&'static dyn Healer, BTreeSet<Arc<Coordinate>>);

impl Reach<'_> {
    /// Programs that may hold what these steps take away.
    pub(super) fn programs(
        &self,
        plan: &Plan,
        aftermath: &Aftermath,
        is_meant: impl Fn(usize) -> bool,
    ) -> Vec<Left> {
        let all = self.installed(plan, aftermath, is_meant);
        let named = all.into_iter().filter(|(_, program)| program.named);
        let left = named.map(|(path, program)| Left {
            path,
            why: program.why,
            tainted: false,
        });
        left.collect()
    }

    /// A line on programs of which nobody knows what they hold.
    pub(super) fn untraced(&self, plan: &Plan, aftermath: &Aftermath) -> Option<String> {
        let all = self.installed(plan, aftermath, |_| true);
        let paths: Vec<String> = all
            .into_iter()
            .filter(|(_, program)| !program.named)
            .map(|(path, _)| text::printable(&path.to_string_lossy()))
            .collect();
        let more = paths.len().saturating_sub(NAMED);
        let named: Vec<&str> = paths.iter().take(NAMED).map(String::as_str).collect();
        (!named.is_empty()).then(|| {
            let rest = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!(
                "what these installed programs were built from is written down nowhere, so nobody can tell whether they hold it: {}{rest}",
                named.join(", ")
            )
        })
    }

    /// Adds the packages of trees that no lockfile of this call names.
    pub(super) fn name_packages(&self, plan: &mut Plan, aftermath: &Aftermath) {
        for step in &mut plan.steps {
            let mut names: BTreeSet<Arc<str>> = step.packages.iter().cloned().collect();
            for (root, rel) in &step.trees {
                let ground = aftermath.grounds.get(*root).filter(|g| !g.project);
                if let Some(opened) = ground.and_then(|g| self.fs.open_root(&g.path).ok()) {
                    names.extend(step.healer().packages(&*opened.dir, rel));
                }
            }
            step.packages = names.into_iter().collect();
        }
    }

    fn installed(
        &self,
        plan: &Plan,
        aftermath: &Aftermath,
        is_meant: impl Fn(usize) -> bool,
    ) -> Vec<(PathBuf, Installed)> {
        let mut asked: BTreeMap<(usize, &str), Asked> = BTreeMap::new();
        let steps = plan.steps.iter().enumerate();
        for (_, step) in steps.filter(|(at, _)| is_meant(*at)) {
            for (root, _) in &step.trees {
                let (_, packages) = asked
                    .entry((*root, &step.ecosystem))
                    .or_insert_with(|| (step.healer(), BTreeSet::new()));
                packages.extend(step.about.iter().cloned());
            }
        }
        let mut all = Vec::new();
        for ((root, _), (healer, packages)) in asked {
            let ground = aftermath.grounds.get(root).filter(|g| !g.project);
            let Some(opened) = ground.and_then(|g| self.fs.open_root(&g.path).ok()) else {
                continue;
            };
            let packages: Vec<Arc<Coordinate>> = packages.into_iter().collect();
            let programs = healer.installed(&*opened.dir, self.fs, &packages);
            let placed = programs.into_iter();
            all.extend(placed.map(|p| (opened.resolved.join(&p.rel), p)));
        }
        all
    }
}
