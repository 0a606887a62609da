//! untaint proves that the dependencies a machine is about to build with are the ones that were published.

pub mod cli;
pub mod ecosystems;
pub mod formats;
pub mod model;
pub mod pipeline;
pub mod tlog;
pub mod trust;
pub mod world;
