//! Advisory data for a scan: the settings' feeds, those in our state, and the embedded snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cli::settings::{Base, Settings};
use crate::ecosystems::contract::{Binding, Ecosystem};
use crate::model::{Coordinate, EcosystemId};
use crate::pipeline::feeds::{self, FeedsContext, Shelf};
use crate::pipeline::flow::Inventory;
use crate::pipeline::scan::{Advice, Advise};
use crate::trust::{Address, Role};
use crate::world::real::World;
use crate::world::{Progress as _, StateDir};

/// Loads feeds as the settings say.
pub(super) struct FeedAdvice<'a> {
    pub(super) settings: &'a Settings,
    pub(super) world: &'a World,
    pub(super) now: i64,
}

impl FeedAdvice<'_> {
    fn load(&self, ecosystems: &[&'static dyn Ecosystem]) -> Shelf {
        let base = &self.settings.base;
        feeds::load(
            ecosystems,
            &FeedsContext {
                state: self.world.state.as_ref().map(|s| s as &dyn StateDir),
                named_dir: self.settings.feeds.as_deref(),
                fs: &self.world.fs,
                fetch: &*self.world.fetch,
                offline: base.offline,
                always: false,
                now: self.now,
                max_age: self.settings.policy.max_feed_age,
                pinned: &|id| pinned(base, id),
                cancelled: &|| self.world.progress.cancelled(),
            },
        )
    }
}

/// The address that the user pinned for an ecosystem's advisories. The file is asked for, so no slash ends it.
pub(super) fn pinned(base: &Base, id: EcosystemId) -> Option<String> {
    base.trust
        .believed(id.as_str(), Role::Advisories)
        .find_map(|root| root.address.as_ref().map(Address::text))
        .map(|address| address.trim_end_matches('/').to_owned())
}

impl Advise for FeedAdvice<'_> {
    fn advise(
        &self,
        ecosystems: &[&'static dyn Ecosystem],
        inventory: &Inventory,
        is_public: &dyn Fn(&Coordinate) -> bool,
    ) -> Advice {
        let shelf = self.load(ecosystems);
        let (matches, problems) = feeds::matches(&shelf, inventory, ecosystems, is_public);
        let named = named(&shelf, inventory, is_public);
        Advice {
            matches,
            named,
            feeds: shelf.facts,
            uncovered: shelf.uncovered,
            problems: shelf.problems.into_iter().chain(problems).collect(),
            findings: shelf.findings,
            notices: shelf.notices,
        }
    }
}

/// Package versions that an advisory names: those were published once.
fn named(
    shelf: &Shelf,
    inventory: &Inventory,
    is_public: &dyn Fn(&Coordinate) -> bool,
) -> Vec<Arc<Coordinate>> {
    let locked = inventory
        .locks
        .iter()
        .flat_map(|lock| lock.packages.iter().map(|locked| &*locked.coordinate));
    let cached = inventory
        .units
        .iter()
        .filter_map(|placed| match &placed.unit.binding {
            Binding::Artifact(artifact) => Some(&artifact.coordinate),
            _ => None,
        });
    let met: BTreeSet<&Coordinate> = locked.chain(cached).collect();
    met.into_iter()
        .filter(|coordinate| shelf.named_by_advisory(coordinate) && is_public(coordinate))
        .map(|coordinate| Arc::new(coordinate.clone()))
        .collect()
}
