//! Cargo: `Cargo.lock`, CARGO_HOME, vendor folders and local registries, git dependencies, settings.

mod authority;
mod cache;
mod command_line;
mod derived;
mod folders;
mod git;
mod guarded;
mod healer;
mod index_file;
mod index_line;
mod index_memo;
mod index_rows;
mod licence;
mod listings;
mod litter;
mod local_registry;
mod lockfile;
mod metadata;
mod named;
mod posture;
mod projection;
mod vendor;
mod workspace;

use std::sync::Arc;

use crate::formats::semver_order::SemverOrder;
use crate::model::version_order::VersionOrder;
use crate::model::{EcosystemId, shell};

use super::contract::{
    Authority, CacheKind, Ecosystem, Facts, FileAbove, Guarded, Healer, LockfileFormat, Posture,
};
use super::uses::UseMap;

/// Its name in reports and on the command line.
pub(crate) const CARGO: EcosystemId = EcosystemId::new("cargo");

static FACTS: Facts = Facts {
    id: CARGO,
    name: "Cargo",
    purl_type: "cargo",
    osv_ecosystem: "crates.io",
    cache_names: &["cargo"],
    skips: &["node_modules"],
    verified: "`.crate` files, `registry/src`, cached index files, vendor folders, local registries, git checkouts (against the locked commit), `Cargo.lock` checksums",
    not_verified: "`target/` (listed as derived), the git data of registries that use the git protocol, `~/.cargo/bin`",
};

/// The ecosystem.
pub(super) struct Cargo;

impl Ecosystem for Cargo {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn lockfiles(&self) -> &'static [&'static dyn LockfileFormat] {
        &[&lockfile::CargoLock]
    }

    fn caches(&self) -> &'static [&'static dyn CacheKind] {
        &[&cache::CargoHome]
    }

    fn shipped_registries(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            (tame_index::CRATES_IO_HTTP_INDEX, "tame-index"),
            (tame_index::CRATES_IO_INDEX, "tame-index"),
        ]
    }

    fn authority(&self) -> Option<&'static dyn Authority> {
        Some(&authority::SparseIndex)
    }

    fn listing_name(&self, name: &Arc<str>) -> Arc<str> {
        if name.chars().any(char::is_uppercase) {
            Arc::from(name.to_lowercase())
        } else {
            Arc::clone(name)
        }
    }

    fn spellings(&self, name: &str) -> Vec<String> {
        let lower = name.to_lowercase();
        vec![lower.replace('_', "-"), lower.replace('-', "_"), lower]
    }

    fn refetch_command(&self) -> Option<&'static str> {
        Some("cargo fetch --locked")
    }

    fn healer(&self) -> Option<&'static dyn Healer> {
        Some(&healer::CargoHealer)
    }

    fn guarded(&self) -> Option<&'static dyn Guarded> {
        Some(&guarded::CargoGuarded)
    }

    fn posture(&self) -> Option<&'static dyn Posture> {
        Some(&posture::CargoPosture)
    }

    fn uses(&self, bytes: &[u8]) -> Option<Result<UseMap, String>> {
        Some(metadata::uses(bytes))
    }

    fn stated_licence(&self) -> Option<super::contract::LicenceFile> {
        Some(("Cargo.toml", licence::stated))
    }

    /// Cargo asks the system where it is, and goes by the text of a manifest's path that is named: to a workspace above.
    fn adopts(&self, above: &FileAbove<'_>) -> bool {
        let is_workspace = || {
            let text = String::from_utf8_lossy(above.text);
            let mut lines = text.lines().map(|line| line.trim_start().replace(' ', ""));
            lines.any(|line| line.starts_with("[workspace") || line.starts_with("workspace"))
        };
        !above.by_shell
            && above.name == "Cargo.toml"
            && above.project.contains(&"Cargo.toml")
            && is_workspace()
    }

    /// Within what a requirement in caret form takes; a step beyond that is an edit of `Cargo.toml`.
    fn update_command(&self, name: &str, from: &str, to: &str) -> Option<String> {
        let line = |version: &str| -> Option<(String, String)> {
            let (major, rest) = version.split_once('.')?;
            let minor = if major == "0" {
                rest.split('.').next()?
            } else {
                ""
            };
            Some((major.to_owned(), minor.to_owned()))
        };
        (line(from)? == line(to)?).then(|| {
            let (package, to) = (format!("{name}@{from}"), shell::quote(to.as_bytes()));
            format!(
                "cargo update -p {} --precise {to}",
                shell::quote(package.as_bytes())
            )
        })
    }

    fn version_order(&self) -> &'static dyn VersionOrder {
        &SemverOrder
    }
}
