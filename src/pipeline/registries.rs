//! Which registry an address means, and how it stands: lockfiles, caches and settings select among known roots and never
//! add one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ecosystems::contract::{Ecosystem, KnownRegistry};
use crate::model::{Assurance, EcosystemId, Fingerprint, Registry};
use crate::trust::address::Address;
use crate::trust::root::{Role, Standing as TrustStanding, TrustSet};

use super::flow::Standing;
use super::standings::Standings;

/// Registries that were met in a run, resolved against the trust set.
pub struct Registries {
    trust: Mutex<TrustSet>,
    met: Mutex<BTreeMap<(EcosystemId, Fingerprint), Met>>,
    /// What a spelling meant, as long as nothing new was met: a lockfile says the same address a thousand times.
    meant: Mutex<BTreeMap<EcosystemId, Meanings>>,
}

/// Registries by the spelling that names them.
type Meanings = HashMap<Arc<str>, Arc<Registry>>;

/// A registry that was met.
#[derive(Debug, Clone)]
struct Met {
    /// Canonical addresses and verbatim spellings; the primary address first.
    addresses: Vec<Arc<str>>,
    trusted: bool,
}

impl Registries {
    /// Over a trust set with pins; addresses that ship with us are offered first.
    pub fn new(trust: TrustSet) -> Self {
        Self {
            trust: Mutex::new(trust),
            met: Mutex::new(BTreeMap::new()),
            meant: Mutex::new(BTreeMap::new()),
        }
    }

    fn trust(&self) -> std::sync::MutexGuard<'_, TrustSet> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers an address that a constant, a setting or a lockfile names, and gives the registry that it means.
    /// `None`: no address at all.
    pub fn meet(
        &self,
        ecosystem: EcosystemId,
        text: &str,
        named_by: &str,
    ) -> Option<Arc<Registry>> {
        let mut meant = self.meant.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = meant.get(&ecosystem).and_then(|of| of.get(text)) {
            return Some(Arc::clone(known));
        }
        let address = Address::parse(text).ok()?;
        let resolved = self
            .trust()
            .offer(ecosystem.as_str(), Role::Index, &address, named_by);
        let trusted = resolved.is_believed();
        // A pinned mirror is asked in place of its root: it is there because the root is out of reach.
        let trust = self.trust();
        let mirror = trust
            .mirrors_of(&resolved.primary)
            .next()
            .map(|mirror| mirror.address.text());
        let root = trust
            .root(ecosystem.as_str(), Role::Index, &resolved.primary)
            .and_then(|root| root.address.as_ref().map(Address::text));
        drop(trust);
        let primary = mirror.or(root).unwrap_or_else(|| address.text());
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = !met.contains_key(&(ecosystem, resolved.primary));
        let entry = met
            .entry((ecosystem, resolved.primary))
            .or_insert_with(|| Met {
                addresses: vec![Arc::clone(&primary)],
                trusted,
            });
        entry.trusted |= trusted;
        for spelling in [address.text(), Arc::from(text)] {
            if !entry.addresses.contains(&spelling) {
                is_new = true;
                entry.addresses.push(spelling);
            }
        }
        let meanings = meant.entry(ecosystem).or_default();
        if is_new {
            // The primary address may have come after an alias: then the alias means another address now.
            meanings.clear();
        }
        let registry = Arc::new(Registry {
            fingerprint: resolved.primary,
            address: primary,
        });
        meanings.insert(Arc::from(text), Arc::clone(&registry));
        Some(registry)
    }

    /// Every pinned root is met, so that caches of it are known without a lockfile.
    pub fn meet_pinned(&self, ecosystem: EcosystemId) {
        let pinned: Vec<Arc<str>> = self
            .trust()
            .believed(ecosystem.as_str(), Role::Index)
            .filter_map(|root| root.address.as_ref().map(Address::text))
            .collect();
        let mirrors: Vec<Arc<str>> = self.trust().mirrors().map(|m| m.address.text()).collect();
        for address in pinned.iter().chain(&mirrors) {
            self.meet(ecosystem, address, "trust.toml");
        }
    }

    /// The registries of an ecosystem that were met.
    pub fn known(&self, ecosystem: EcosystemId) -> Vec<KnownRegistry> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.iter()
            .filter(|((of, _), _)| *of == ecosystem)
            .map(|((_, fingerprint), met)| KnownRegistry {
                fingerprint: *fingerprint,
                addresses: met.addresses.clone(),
                trusted: met.trusted,
            })
            .collect()
    }

    /// How an address stands: known, pinned or a pinned mirror; `None` if it is no address.
    pub fn stands(&self, ecosystem: EcosystemId, text: &str) -> Option<bool> {
        let address = Address::parse(text).ok()?;
        let resolved = self
            .trust()
            .resolve(ecosystem.as_str(), Role::Index, &address);
        Some(resolved.standing != TrustStanding::Unpinned)
    }

    /// How every met registry stands, and which names are private; `require` is the run's.
    pub fn standings(
        &self,
        ecosystems: &[&'static dyn Ecosystem],
        require: Assurance,
    ) -> Standings {
        let trust = self.trust().clone();
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let of_interest = |id: EcosystemId| ecosystems.iter().any(|e| e.facts().id == id);
        let by_registry = met
            .iter()
            .filter(|((id, _), _)| of_interest(*id))
            .map(|((id, fingerprint), met)| {
                let standing = match met.addresses.first() {
                    // A mirror is asked in the root's place. What it says is kept under its own name, so that it
                    // stops counting when the mirror is no longer configured.
                    Some(address) if met.trusted => match trust.mirrors_of(fingerprint).next() {
                        Some(mirror) => Standing::Trusted {
                            address: mirror.address.text(),
                            fingerprint: mirror.address.fingerprint(),
                        },
                        None => Standing::Trusted {
                            address: Arc::clone(address),
                            fingerprint: *fingerprint,
                        },
                    },
                    _ => Standing::Unpinned,
                };
                ((*id, *fingerprint), standing)
            })
            .collect();
        drop(met);
        Standings::new(by_registry, trust, require)
    }

    /// Rows of the report's `trust` array.
    pub fn facts(&self, ecosystems: &[EcosystemId]) -> Vec<crate::model::report::TrustFacts> {
        let trust = self.trust();
        let mut rows: Vec<_> = ecosystems.iter().flat_map(|id| trust.facts(*id)).collect();
        rows.sort();
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_means_the_primary_address_as_soon_as_that_is_known() {
        let registries = Registries::new(TrustSet::new());
        let id = EcosystemId::new("cargo");
        let meet = |text: &str| registries.meet(id, text, "a test").unwrap();
        let alias = tame_index::CRATES_IO_INDEX;
        let primary = tame_index::CRATES_IO_HTTP_INDEX;
        let before = meet(alias);
        assert!(Arc::ptr_eq(&before, &meet(alias)));
        let now = meet(primary);
        assert_ne!(before.address, now.address);
        assert_eq!(meet(alias), now);
        assert_eq!(before.fingerprint, now.fingerprint);
        let other = meet("https://registry.example/index/");
        assert_ne!(other.fingerprint, now.fingerprint);
        assert_eq!(meet(primary), now);
        assert_eq!(registries.known(id).len(), 2);
    }
}
