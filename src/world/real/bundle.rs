//! All ports of a run together.

use std::path::PathBuf;
use std::time::Duration;

use super::cancel::Cancel;
use super::clock::SystemClock;
use super::env::ProcessEnv;
use super::fetch::{Caps, HttpFetch, HttpOptions};
use super::process::SystemProcesses;
use super::progress::{Style, TerminalProgress};
use super::read_fs::SystemFs;
use super::sink::SystemSinks;
use super::state::StateFolder;
use crate::world::Fetch;
use crate::world::fetch::NoNetwork;

/// What the user decided about the machine.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// No packet leaves.
    pub offline: bool,
    /// Our configuration folder; `None` to leave it alone.
    pub config: Option<PathBuf>,
    /// Our state folder; `None` to leave it alone.
    pub state: Option<PathBuf>,
    /// Certificates (PEM) to believe in place of the system's.
    pub ca_bundle: Option<Vec<u8>>,
    /// Whether the environment names a proxy.
    pub proxy: bool,
    /// Time after which the run ends.
    pub timeout: Option<Duration>,
    /// How progress is shown.
    pub progress: Style,
    /// The time to go by, seconds since 1970.
    pub now: Option<i64>,
}

/// The machine, as far as a run may touch it.
pub struct World {
    /// Files to read.
    pub fs: SystemFs,
    /// The network, or its absence.
    pub fetch: Box<dyn Fetch>,
    /// The environment.
    pub env: ProcessEnv,
    /// The clock.
    pub clock: SystemClock,
    /// Progress and the wish to end.
    pub progress: TerminalProgress,
    /// Our state folder.
    pub state: Option<StateFolder>,
    /// Our configuration folder; only commands that change configuration write there.
    pub config: Option<StateFolder>,
    /// Where reports go.
    pub sinks: SystemSinks,
    cancel: Cancel,
}

impl World {
    /// Opens the ports and listens to Ctrl-C. No file is made and no packet sent yet.
    pub fn open(options: WorldOptions) -> Self {
        let cancel = Cancel::new(options.timeout);
        cancel.listen();
        let fetch: Box<dyn Fetch> = if options.offline {
            Box::new(NoNetwork)
        } else {
            let http = HttpOptions {
                ca_bundle: options.ca_bundle,
                proxy: options.proxy,
                caps: Caps::default(),
            };
            Box::new(HttpFetch::new(http, cancel.clone()))
        };
        Self {
            fs: SystemFs,
            fetch,
            env: ProcessEnv::new(),
            clock: SystemClock::new(options.now),
            progress: TerminalProgress::new(options.progress, cancel.clone()),
            state: options.state.map(StateFolder::new),
            config: options.config.map(StateFolder::new),
            sinks: SystemSinks,
            cancel,
        }
    }

    /// What starts programs: for the guard alone.
    pub fn processes(&self) -> SystemProcesses {
        SystemProcesses::new(self.cancel.clone())
    }
}

/// The arguments of this process, the program's name first.
pub fn arguments() -> Vec<std::ffi::OsString> {
    std::env::args_os().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Request;

    #[test]
    fn offline_and_isolated_touch_nothing() {
        let world = World::open(WorldOptions {
            offline: true,
            config: None,
            state: None,
            ca_bundle: None,
            proxy: true,
            timeout: None,
            progress: Style::Off,
            now: Some(7),
        });
        assert!(world.state.is_none() && world.config.is_none());
        let mut answers = Vec::new();
        let request = Request::get("http://127.0.0.1:1/", 1);
        world
            .fetch
            .batch(vec![request], &mut |_, answer| answers.push(answer));
        assert!(answers.len() == 1 && answers[0].is_err());
        assert_eq!(
            world.fetch.facts(),
            crate::world::fetch::NetworkFacts::default()
        );
    }
}
