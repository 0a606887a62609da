//! One folder per ecosystem, the contract they meet, and the registry that lists them.
//!
//! A new ecosystem is a folder, its `pub mod` line, and its entry in [`all`].

mod cargo;
pub mod contract;
pub mod git_folders;
pub mod go;
pub mod proof;
pub mod uses;

use contract::Ecosystem;

use crate::model::EcosystemId;

/// Every ecosystem, in the order of reports.
pub fn all() -> &'static [&'static dyn Ecosystem] {
    &[&cargo::Cargo, &go::Go]
}

/// The ecosystem of a package, by the name that its coordinate carries.
pub fn of(id: EcosystemId) -> Option<&'static dyn Ecosystem> {
    all().iter().copied().find(|e| e.facts().id == id)
}
