//! Advisory data for a scan: the settings' feeds, our own, and the embedded snapshot.

use crate::cli::settings::Settings;
use crate::ecosystems::contract::Ecosystem;
use crate::model::Coordinate;
use crate::pipeline::flow::Inventory;
use crate::pipeline::scan::{Advice, Advise};
use crate::world::real::World;

/// Loads feeds as the settings say.
pub(super) struct FeedAdvice<'a> {
    pub(super) settings: &'a Settings,
    pub(super) world: &'a World,
    pub(super) now: i64,
}

impl Advise for FeedAdvice<'_> {
    fn advise(
        &self,
        ecosystems: &[&'static dyn Ecosystem],
        _inventory: &Inventory,
        _is_public: &dyn Fn(&Coordinate) -> bool,
    ) -> Advice {
        let _ = (self.settings, self.world, self.now);
        Advice {
            uncovered: ecosystems
                .iter()
                .map(|e| e.facts().id.to_string())
                .collect(),
            ..Advice::default()
        }
    }
}
