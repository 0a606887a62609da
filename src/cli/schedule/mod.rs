//! A nightly audit: what it does ([`job`]), how systemd, cron and launchd are told so, and whom it tells ([`alerts`]).
//!
//! Pure: values in, texts out. Who writes files and starts programs is the command, through its port.

pub mod alerts;
pub mod cron;
pub mod job;
pub mod launchd;
pub mod metrics;
pub mod systemd;

pub use job::{Clock, Job};
