//! Which registry a cache folder belongs to: computed from the registries that are known, never read from the folder.
//!
//! `<host>-<16 hex>`: the hash is cargo's over the kind of source and its address as it is written (`SourceId`: a user, a
//! port or capitals in it make another folder), by a stable SipHash since cargo 1.85 and by the standard one before;
//! `-shallow` is appended with a shallow git index.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::hash::{Hash as _, Hasher};
use std::sync::Arc;

use rustc_stable_hash::StableSipHasher128;
use url::{Position, Url};

use crate::ecosystems::contract::KnownRegistry;
use crate::model::Registry;

/// Folder names of every known registry.
#[derive(Default)]
pub(super) struct Folders {
    by_name: BTreeMap<String, Arc<Registry>>,
    /// Names that come from another address than the one under which a registry is asked.
    elsewhere: BTreeSet<String>,
    /// Hosts of every address, in lower case.
    hosts: BTreeSet<String>,
}

impl Folders {
    /// Computes the names under which cargo keeps these registries.
    pub(super) fn of(registries: &[KnownRegistry]) -> Self {
        let mut by_name = BTreeMap::new();
        let mut elsewhere = BTreeSet::new();
        let mut hosts = BTreeSet::new();
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
                    hosts.extend(host(&spelling).map(|host| host.to_lowercase()));
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
        Self {
            by_name,
            elsewhere,
            hosts,
        }
    }

    /// Whether a folder is of another address than the one under which its registry is asked.
    pub(super) fn is_elsewhere(&self, folder: &str) -> bool {
        self.elsewhere.contains(folder)
    }

    /// The registry whose folder has this name.
    pub(super) fn registry(&self, folder: &str) -> Option<&Arc<Registry>> {
        self.by_name.get(folder)
    }

    /// Whether a folder carries the host of a registry that lockfiles, settings or trust name. Only such a folder could be
    /// reached by another spelling of an address; settings that name no address of its host cannot lead there.
    pub(super) fn shares_host(&self, folder: &OsStr) -> bool {
        let folder = folder.to_string_lossy();
        let whole = folder.strip_suffix("-shallow").unwrap_or(&folder);
        let host = whole.rsplit_once('-').map_or("", |(host, _)| host);
        self.hosts.contains(&host.to_lowercase())
    }
}

/// The ways in which cargo may have spelled an address when it hashed it.
fn spellings(address: &str) -> Vec<String> {
    let plain = address.strip_prefix("registry+");
    if plain.is_some() || address.starts_with("sparse+") {
        return plain
            .into_iter()
            .chain([address])
            .map(str::to_owned)
            .collect();
    }
    let bare = address.strip_suffix('/').unwrap_or(address);
    vec![
        format!("sparse+{bare}/"),
        format!("sparse+{bare}"),
        bare.to_owned(),
        format!("{bare}/"),
    ]
}

fn host(address: &str) -> Option<String> {
    Some(Url::parse(address).ok()?.host_str()?.to_owned())
}

/// The folder of an address, by the rules of cargo since 1.85 (`stable`) or before.
fn folder(address: &str, stable: bool) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str().unwrap_or_default();
    if stable {
        return Some(format!("{host}-{}", hash(&url)?));
    }
    // Addresses come from lockfiles too, so what hashes them is called behind a guard.
    let text = url.as_str();
    let old = std::panic::catch_unwind(|| tame_index::utils::url_to_local_dir(text, false).ok());
    let old = old.ok().flatten()?.dir_name;
    let (_, hash) = old.rsplit_once('-')?;
    Some(format!("{host}-{hash}"))
}

/// Cargo's hash over kind and canonical address (1.95, `SourceId`, `CanonicalUrl`, `short_name`).
fn hash(url: &Url) -> Option<String> {
    // Positions in cargo's list of kinds; signed, as the compiler hashes them.
    let kind: isize = if url.scheme().starts_with("sparse+") {
        3
    } else {
        2
    };
    let mut hasher = StableSipHasher128::new();
    kind.hash(&mut hasher);
    canonical(url.clone())?.as_str().hash(&mut hasher);
    let hash = Hasher::finish(&hasher).to_le_bytes();
    Some(crate::formats::hex::encode(&hash))
}

/// One final slash and a final `.git` do not count; what one forge serves is compared in lower case.
fn canonical(mut url: Url) -> Option<Url> {
    if url.cannot_be_a_base() {
        return None;
    }
    if url.path().ends_with('/') {
        url.path_segments_mut().ok()?.pop_if_empty();
    }
    // That forge is where the git form of the public index lies.
    if url.host_str() == host(tame_index::CRATES_IO_INDEX).as_deref() {
        url = Url::parse(&format!("https{}", &url[Position::AfterScheme..])).ok()?;
        let path = url.path().to_lowercase();
        url.set_path(&path);
    }
    if url.path().ends_with(".git") {
        let last = url.path_segments()?.next_back()?;
        let last = last.strip_suffix(".git")?.to_owned();
        url.path_segments_mut().ok()?.pop().push(&last);
    }
    Some(url)
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

    /// Measured with cargo 1.95: the setting, and the folder that it made.
    #[test]
    fn folders_are_named_after_the_address_as_it_is_written() {
        for (address, name) in [
            (
                "sparse+http://registry.example/",
                "registry.example-c9d6d36659d6bba5",
            ),
            (
                "sparse+http://registry.example/index/",
                "registry.example-4c0ca5631798857b",
            ),
            (
                "sparse+http://u@registry.example/index/",
                "registry.example-dd07c887791b6137",
            ),
            (
                "sparse+http://u:p@registry.example:80/index/",
                "registry.example-610b6228f45af4b8",
            ),
            (
                "sparse+http://REGISTRY.example/index/",
                "REGISTRY.example-9afd95c6946bf3e6",
            ),
            (
                "sparse+http://registry.example//index/",
                "registry.example-91a4f16343618dbf",
            ),
            (
                "sparse+http://registry.example/a/../index/",
                "registry.example-4c0ca5631798857b",
            ),
            (
                "sparse+http://registry.example/%69ndex/",
                "registry.example-741ce2f4db5915a5",
            ),
            (
                "sparse+http://registry.example/index.git/",
                "registry.example-4c0ca5631798857b",
            ),
            (
                "sparse+http://registry.example/index//",
                "registry.example-903f3a753e7ec9fc",
            ),
            (
                "SPARSE+HTTP://registry.example/index/",
                "registry.example-4c0ca5631798857b",
            ),
            (
                " sparse+http://registry.example/index/ ",
                "registry.example-4c0ca5631798857b",
            ),
            ("sparse+http://[::1]:8080/index/", "[::1]-3a97d6da8f96a5b3"),
            (
                "sparse+http://é.example/index/",
                "%C3%A9.example-e9d7b45a1e753a42",
            ),
            (
                "sparse+http:///registry.example/index/",
                "-656b266885ed6b2c",
            ),
            (
                "https://registry.example/index",
                "registry.example-499a8dd5871c76fc",
            ),
            (
                "https://registry.example/index/",
                "registry.example-499a8dd5871c76fc",
            ),
            (
                "https://u:p@REGISTRY.example:443/index.git",
                "registry.example-d67979e8146f3bdc",
            ),
            (
                "ssh://git@registry.example/index.git",
                "registry.example-74c6ae4b94d219ba",
            ),
            ("file:///srv/index", "-fc9be259ce804850"),
            (
                "registry+https://registry.example/index",
                "registry.example-b44450bb2012fee8",
            ),
        ] {
            assert_eq!(folder(address, true).as_deref(), Some(name), "{address}");
        }
        let forge = host(tame_index::CRATES_IO_INDEX).unwrap();
        for (scheme, end, hash) in [
            ("https", ".git", "9ea06dde277ea791"),
            ("HTTP", "", "9ea06dde277ea791"),
            ("sparse+http", "/", "5162049d14ab6fec"),
        ] {
            let address = format!("{scheme}://{forge}/Foo/Bar{end}");
            let name = format!("{forge}-{hash}");
            assert_eq!(folder(&address, true), Some(name), "{address}");
        }
        assert_eq!(folder("sparse+http:registry.example/index/", true), None);
    }

    #[test]
    fn a_folder_shares_the_host_of_what_is_known() {
        let known = KnownRegistry {
            fingerprint: Fingerprint([0; 32]),
            addresses: vec![Arc::from("sparse+https://u@registry.example:1/x/")],
            trusted: false,
        };
        let folders = Folders::of(&[known]);
        let shares = |name: &str| folders.shares_host(OsStr::new(name));
        assert!(shares("registry.example-0123456789abcdef"));
        assert!(shares("REGISTRY.example-0123456789abcdef-shallow"));
        assert!(!shares("other.example-0123456789abcdef"));
        assert!(!shares("registry.example"));
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
