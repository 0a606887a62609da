//! What every black-box test stands on: a loopback registry, real cargo homes, the real binary, and
//! a memory of what lay on disk before a scan.
//!
//! Nothing here knows how untaint works inside. It knows the contract (command line, exit codes, JSON
//! report) and it knows cargo.

mod archive;
mod cargo_home;
mod pack;
mod registry;
mod remedy;
mod report;
mod snapshot;
mod untaint;

pub(crate) use archive::{Crate, Tar, gunzip, gzip, gzip_level, sha256};
pub(crate) use cargo_home::{
    Source, World, cargo_program, copy_tree, git, git_repository, standard_crates, write_file,
};
pub(crate) use pack::{pack, unpack};
pub(crate) use registry::{Fault, Registry};
pub(crate) use report::Scan;
pub(crate) use untaint::Untaint;
