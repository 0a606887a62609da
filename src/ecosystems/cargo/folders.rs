//! Which registry a cache folder belongs to: computed from the registries that are known, never read from the folder.
//!
//! `<host>-<16 hex>`: the hash is cargo's over the kind of source and its address (`SourceId`), by a stable SipHash since
//! cargo 1.85 and by the standard one before; `-shallow` is appended with a shallow git index.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::sync::Arc;

use crate::ecosystems::contract::KnownRegistry;
use crate::model::Registry;

/// Folder names of every known registry.
#[derive(Default)]
pub(super) struct Folders {
    by_name: BTreeMap<String, Arc<Registry>>,
    /// Names that come from another address than the one under which a registry is asked.
    elsewhere: BTreeSet<String>,
}

impl Folders {
    /// Computes the names under which cargo keeps these registries.
    pub(super) fn of(registries: &[KnownRegistry]) -> Self {
        let mut by_name = BTreeMap::new();
        let mut elsewhere = BTreeSet::new();
        for known in registries {
            let Some(primary) = known.addresses.first() else {
                continue;
            };
            let registry = Arc::new(Registry {
                fingerprint: known.fingerprint,
                address: Arc::clone(primary),
            });
            for address in &known.addresses {
                for spelling in spellings(address) {
                    for stable in [true, false] {
                        let Some(name) = folder(&spelling, stable) else {
                            continue;
                        };
                        for name in [format!("{name}-shallow"), name] {
                            if address != primary && !by_name.contains_key(&name) {
                                elsewhere.insert(name.clone());
                            }
                            by_name.entry(name).or_insert_with(|| Arc::clone(&registry));
                        }
                    }
                }
            }
        }
        Self { by_name, elsewhere }
    }

    /// Whether a folder is of another address than the one under which its registry is asked.
    pub(super) fn is_elsewhere(&self, folder: &str) -> bool {
        self.elsewhere.contains(folder)
    }

    /// The registry whose folder has this name.
    pub(super) fn registry(&self, folder: &str) -> Option<&Arc<Registry>> {
        self.by_name.get(folder)
    }
}

/// The ways in which cargo may have spelled an address when it hashed it.
fn spellings(address: &str) -> Vec<String> {
    if address.starts_with("sparse+") || address.starts_with("registry+") {
        return vec![address.to_owned()];
    }
    let bare = address.strip_suffix('/').unwrap_or(address);
    vec![
        format!("sparse+{bare}/"),
        format!("sparse+{bare}"),
        bare.to_owned(),
        format!("{bare}/"),
    ]
}

/// `tame-index` computes what cargo computes. Addresses come from lockfiles too, so it is called behind a guard.
fn folder(address: &str, stable: bool) -> Option<String> {
    std::panic::catch_unwind(|| tame_index::utils::url_to_local_dir(address, stable).ok())
        .ok()
        .flatten()
        .map(|dir| dir.dir_name)
}

/// Splits `<name>-<version>`: a crate's name holds no dot, so the first `-` behind which a version stands is the one.
pub(super) fn split_name(text: &OsStr) -> Option<(&str, &str)> {
    let text = text.to_str()?;
    text.match_indices('-').find_map(|(at, _)| {
        let (name, version) = (text.get(..at)?, text.get(at + 1..)?);
        let plausible = !name.is_empty() && !name.contains('.') && name.len() <= 255;
        (plausible && semver::Version::parse(version).is_ok()).then_some((name, version))
    })
}

/// Whether a folder of an index holds a git repository.
pub(super) fn is_git(entries: &[crate::world::DirEntry]) -> bool {
    entries
        .iter()
        .any(|e| e.name == ".git" || e.name == "objects")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Fingerprint;

    #[test]
    fn the_public_registry_has_the_measured_folders() {
        let known = KnownRegistry {
            fingerprint: Fingerprint([0; 32]),
            addresses: vec![
                Arc::from(tame_index::CRATES_IO_HTTP_INDEX),
                Arc::from(tame_index::CRATES_IO_INDEX),
            ],
            trusted: true,
        };
        let folders = Folders::of(&[known]);
        for hash in [
            "1949cf8c6b5b557f",
            "6f17d22bba15001f",
            "25cdd57fae9f0462",
            "1ecc6299db9ec823",
        ] {
            assert!(
                folders.by_name.keys().any(|name| name.ends_with(hash)),
                "no folder ends with {hash}"
            );
        }
        assert!(
            folders
                .registry("registry.example-1949cf8c6b5b557f")
                .is_none()
        );
    }

    #[test]
    fn hostile_addresses_have_no_folder() {
        for address in ["", "x", "://", "sparse+", "sparse+é://é", "a+b://c"] {
            let known = KnownRegistry {
                fingerprint: Fingerprint([0; 32]),
                addresses: vec![Arc::from(address)],
                trusted: false,
            };
            let _ = Folders::of(&[known]);
        }
    }
}
