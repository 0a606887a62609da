//! The ports: the only ways in which the house touches the machine.
//!
//! Traits and values stand here and in the sibling files; what implements them for real stands in `real`. Every other
//! module is handed `&dyn` ports, and only those it needs: reading and writing are different ports, `decide` and `report`
//! get none.

pub mod clock;
pub mod env;
#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
pub(crate) mod fake_disk;
pub mod fetch;
pub mod process;
pub mod progress;
pub mod read_fs;
pub mod real;
pub mod services;
pub mod sink;
pub mod state;
pub mod write_fs;

pub use clock::Clock;
pub use env::Env;
pub use fetch::{Fetch, FetchError, Request, Response};
pub use progress::Progress;
pub use read_fs::{Dir, DirEntry, FileKind, PathError, ReadFile, ReadFs, RootDir, Stat};
pub use services::Services;
pub use sink::Sinks;
pub use state::StateDir;
pub use write_fs::WriteFs;
