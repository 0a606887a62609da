//! The ports as the machine implements them: the only folder that touches files, network, clock and environment.
//!
//! Nothing in here judges; it opens, reads, asks and writes what its callers name, within the promises of the traits
//! beside this folder. Only Unix is supported: handles and `O_NOFOLLOW` are what the promises rest on.

#![expect(
    clippy::disallowed_methods,
    reason = "this folder is the machine: the fences keep everyone else out"
)]

#[cfg(not(unix))]
compile_error!(
    "untaint supports Unix only: its reading rules rest on directory handles and O_NOFOLLOW"
);

mod bundle;
mod cage;
mod cancel;
mod chance;
mod clock;
mod env;
mod fetch;
mod lock_holder;
mod process;
mod progress;
mod read_fs;
mod services;
mod sink;
mod state;
mod write_fs;

pub use bundle::{World, WorldOptions, arguments};
pub use cancel::Cancel;
pub use chance::random;
pub use clock::SystemClock;
pub use env::ProcessEnv;
pub use fetch::{Caps, HttpFetch, HttpOptions};
pub use process::SystemProcesses;
pub use progress::{Style, TerminalProgress};
pub use read_fs::SystemFs;
pub use services::SystemServices;
pub use sink::SystemSinks;
pub use state::StateFolder;
pub use write_fs::SystemWriteFs;
