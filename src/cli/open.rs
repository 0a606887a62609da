//! Settings to ports: what a run is handed of the machine.

use std::time::Duration;

use super::args::When;
use super::settings::Base;
use crate::world::Sinks;
use crate::world::real::{Style, World, WorldOptions};

/// Opens the ports that the settings allow: no network with `--offline`, no folders of ours with `--isolated`.
pub fn open(base: &Base, sinks: &dyn Sinks) -> World {
    let progress = match base.progress {
        When::Never => Style::Off,
        When::Auto | When::Always if sinks.stderr_is_terminal() => Style::Bar,
        When::Auto => Style::Off,
        When::Always => Style::Lines,
    };
    World::open(WorldOptions {
        offline: base.offline,
        config: base.homes.config.clone(),
        state: base.homes.state.clone(),
        ca_bundle: base.ca_bundle.clone(),
        proxy: base.proxy,
        timeout: base.timeout.map(Duration::from_secs),
        progress,
        now: base.now,
    })
}
