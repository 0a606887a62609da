//! Which registry a package in a vendored folder or a local registry stands for: the lockfile's, else the one that settings
//! replace with the folder, else the default one. Where lockfiles name it from several registries, it is the one of them that
//! settings replace with the folder, since cargo serves it as that. Nothing in the folder itself is asked.

use std::ffi::OsStr;
use std::sync::Arc;

use crate::ecosystems::contract::{KnownRegistry, OpenContext};
use crate::model::{ArtifactId, Coordinate, Origin, Registry};
use crate::trust::address::Address;

use super::{CARGO, local_registry};

/// What a name and version in such a folder stand for.
pub(super) enum Named {
    /// A crate of a registry.
    Crate(Arc<ArtifactId>),
    /// A git package of a lockfile.
    Git(Arc<Coordinate>),
    /// No registry is known that it could come from.
    Unknown,
}

/// Looks up a name and version. `stands_for` is the address that settings replace with the folder.
pub(super) fn resolve(
    name: &str,
    version: &str,
    stands_for: Option<&str>,
    context: &OpenContext<'_>,
) -> Named {
    let key = (Arc::from(name), Arc::from(version));
    if let Some(registry) = locked(&key, stands_for, context) {
        return Named::Crate(artifact(name, version, registry));
    }
    let git = context
        .locked
        .git_packages
        .iter()
        .find(|(_, _, of, at)| **of == *name && **at == *version);
    if let Some((url, commit, ..)) = git {
        return Named::Git(Arc::new(Coordinate {
            ecosystem: CARGO,
            name: key.0,
            version: key.1,
            origin: Origin::Git {
                url: Arc::clone(url),
                commit: Arc::clone(commit),
            },
        }));
    }
    stands_for
        .and_then(|address| known(address, context.registries))
        .or_else(|| known(tame_index::CRATES_IO_HTTP_INDEX, context.registries))
        .map_or(Named::Unknown, |registry| {
            Named::Crate(artifact(name, version, registry))
        })
}

/// The registry for a whole listing of this name: that of any locked version, else as [`resolve`].
pub(super) fn listing_registry(
    name: &str,
    stands_for: Option<&str>,
    context: &OpenContext<'_>,
) -> Option<Arc<Registry>> {
    let replaced = stands_for.and_then(|address| known(address, context.registries));
    let named = |of: &Arc<str>| of.eq_ignore_ascii_case(name);
    let rivals = context.locked.rivals.iter();
    let of_several = rivals
        .filter(|((of, _), _)| named(of))
        .find_map(|(_, rivals)| same(rivals, replaced.as_ref()?));
    let first = || {
        let mut all = context.locked.registries.iter();
        all.find(|((of, _), _)| named(of))
            .map(|(_, registry)| Arc::clone(registry))
    };
    of_several
        .or_else(first)
        .or(replaced)
        .or_else(|| known(tame_index::CRATES_IO_HTTP_INDEX, context.registries))
}

/// Whether a folder of a cache belongs to a registry without a host, such as a local one: `-<16 hex>`.
pub(super) fn is_local(folder: &OsStr) -> bool {
    let hash = folder.to_str().and_then(|folder| folder.strip_prefix('-'));
    hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// What a crate in such a folder stands for: what a lockfile or the settings of a local registry of this run say.
pub(super) fn of_local(
    name: &str,
    version: &str,
    context: &OpenContext<'_>,
) -> Option<Arc<ArtifactId>> {
    let key = (Arc::from(name), Arc::from(version));
    let places = context.places.iter();
    let replaced = places
        .filter(|place| place.kind == local_registry::KIND)
        .find_map(|place| known(place.stands_for.as_deref()?, context.registries));
    let of_several = context.locked.rivals.get(&key).and_then(|rivals| {
        let replaced = replaced.as_ref()?;
        same(rivals, replaced)
    });
    let registry = of_several
        .or_else(|| context.locked.registries.get(&key).cloned())
        .or(replaced)?;
    Some(artifact(name, version, registry))
}

/// The registry that lockfiles take a version from: of several, the one that settings replace with the folder.
fn locked(
    key: &(Arc<str>, Arc<str>),
    stands_for: Option<&str>,
    context: &OpenContext<'_>,
) -> Option<Arc<Registry>> {
    let of_several = context.locked.rivals.get(key).and_then(|rivals| {
        let replaced = known(stands_for?, context.registries)?;
        same(rivals, &replaced)
    });
    of_several.or_else(|| context.locked.registries.get(key).cloned())
}

fn same(among: &[Arc<Registry>], one: &Registry) -> Option<Arc<Registry>> {
    among
        .iter()
        .find(|registry| registry.fingerprint == one.fingerprint)
        .cloned()
}

fn artifact(name: &str, version: &str, registry: Arc<Registry>) -> Arc<ArtifactId> {
    Arc::new(ArtifactId {
        coordinate: Coordinate {
            ecosystem: CARGO,
            name: Arc::from(name),
            version: Arc::from(version),
            origin: Origin::Registry(registry),
        },
        file: Arc::from(format!("{name}-{version}.crate")),
    })
}

/// The known registry that an address means.
fn known(address: &str, registries: &[KnownRegistry]) -> Option<Arc<Registry>> {
    let wanted = Address::parse(address).ok()?;
    let known = registries.iter().find(|known| {
        known.fingerprint == wanted.fingerprint()
            || known
                .addresses
                .iter()
                .any(|of| Address::parse(of).is_ok_and(|of| of == wanted))
    })?;
    Some(Arc::new(Registry {
        fingerprint: known.fingerprint,
        address: Arc::clone(known.addresses.first()?),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::contract::Wanted;

    fn context<'a>(registries: &'a [KnownRegistry], locked: &'a Wanted) -> OpenContext<'a> {
        OpenContext {
            registries,
            wanted: None,
            locked,
            places: &[],
            full: false,
        }
    }

    fn registry(address: &str) -> KnownRegistry {
        KnownRegistry {
            fingerprint: Address::parse(address).unwrap().fingerprint(),
            addresses: vec![Address::parse(address).unwrap().text()],
            trusted: true,
        }
    }

    #[test]
    fn the_lockfile_comes_first_then_settings_then_the_default() {
        let known = [
            registry("https://other.registry.example/index/"),
            registry(tame_index::CRATES_IO_HTTP_INDEX),
        ];
        let mut locked = Wanted::default();
        let at = |named| match named {
            Named::Crate(artifact) => match &artifact.coordinate.origin {
                Origin::Registry(registry) => registry.fingerprint,
                _ => panic!("a registry"),
            },
            _ => panic!("a crate"),
        };
        let default = at(resolve("a", "1.0.0", None, &context(&known, &locked)));
        assert_eq!(default, known[1].fingerprint);
        let other = Some("sparse+https://other.registry.example/index");
        let replaced = at(resolve("a", "1.0.0", other, &context(&known, &locked)));
        assert_eq!(replaced, known[0].fingerprint);
        let key = (Arc::from("a"), Arc::from("1.0.0"));
        let third = Arc::new(Registry {
            fingerprint: crate::model::Fingerprint([3; 32]),
            address: Arc::from("x"),
        });
        locked.registries.insert(key, Arc::clone(&third));
        let by_lock = at(resolve("a", "1.0.0", other, &context(&known, &locked)));
        assert_eq!(by_lock, third.fingerprint);
        let key = (Arc::from("a"), Arc::from("1.0.0"));
        let of_other = Arc::new(Registry {
            fingerprint: known[0].fingerprint,
            address: Arc::clone(&known[0].addresses[0]),
        });
        locked.rivals.insert(key, vec![third, of_other]);
        let of_several = at(resolve("a", "1.0.0", other, &context(&known, &locked)));
        assert_eq!(of_several, known[0].fingerprint);
        assert!(matches!(
            resolve("b", "1.0.0", None, &context(&[], &locked)),
            Named::Unknown
        ));
    }

    #[test]
    fn git_packages_are_those_of_the_lockfile() {
        let mut locked = Wanted::default();
        let text = |t: &str| Arc::<str>::from(t);
        locked.git_packages.insert((
            text("https://h.example/d"),
            text("c"),
            text("d"),
            text("1.0.0"),
        ));
        let known = [registry(tame_index::CRATES_IO_HTTP_INDEX)];
        let context = context(&known, &locked);
        assert!(matches!(
            resolve("d", "1.0.0", None, &context),
            Named::Git(_)
        ));
        assert!(matches!(
            resolve("d", "2.0.0", None, &context),
            Named::Crate(_)
        ));
    }
}
