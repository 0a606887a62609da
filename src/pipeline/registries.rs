//! Which registry an address means, and how it stands: lockfiles, caches and settings select among known roots and never
//! add one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ecosystems::contract::{Ecosystem, KnownRegistry, ToolSettings};
use crate::ecosystems::proof::LogRoot;
use crate::model::{Assurance, EcosystemId, Fingerprint, Registry};
use crate::tlog::VerifierKey;
use crate::trust::address::Address;
use crate::trust::known;
use crate::trust::root::{How, Role, Standing as TrustStanding, TrustSet};

use super::flow::Standing;
use super::standings::Standings;

/// Registries that were met in a run, resolved against the trust set.
pub struct Registries {
    trust: Mutex<TrustSet>,
    met: Mutex<BTreeMap<(EcosystemId, Fingerprint), Met>>,
    /// What a spelling meant, as long as nothing new was met: a lockfile says the same address a thousand times.
    meant: Mutex<BTreeMap<EcosystemId, Meanings>>,
    logs: Mutex<BTreeMap<(EcosystemId, Fingerprint), LogRoot>>,
    defaults: Mutex<BTreeMap<EcosystemId, Arc<Registry>>>,
    /// Patterns of names that tools' settings call private.
    unconfirmed: Mutex<BTreeMap<EcosystemId, Vec<String>>>,
}

/// Registries by the spelling that names them.
type Meanings = HashMap<Arc<str>, Arc<Registry>>;

/// Transparency logs that are believed, by ecosystem and fingerprint.
pub type Logs = BTreeMap<(EcosystemId, Fingerprint), LogRoot>;

/// How logs are asked.
struct Transport<'a> {
    proxy: Option<&'a Arc<str>>,
    /// Why nobody is told a name whom the user did not pin.
    silent: Option<&'a str>,
    /// Heads that the tool keeps.
    heads: &'a [(String, String, Vec<u8>)],
}

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
            logs: Mutex::default(),
            defaults: Mutex::default(),
            unconfirmed: Mutex::default(),
        }
    }

    /// Takes what the settings of an ecosystem's tools name: logs and proxies become candidates, and trust decides. The
    /// first believed log is the ecosystem's one registry: that of the settings, else a pinned one.
    pub fn meet_settings(&self, ecosystem: EcosystemId, settings: &ToolSettings) {
        self.unconfirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(ecosystem, settings.private.clone());
        let (proxy, silent) = self.transport(ecosystem, settings);
        let by = Transport {
            proxy: proxy.as_ref(),
            silent: silent.as_deref(),
            heads: &settings.heads,
        };
        let mut candidates: Vec<(String, String)> = settings.logs.clone();
        candidates.extend(
            self.trust()
                .believed(ecosystem.as_str(), Role::Log)
                .filter_map(|root| {
                    Some((root.name.as_deref()?.to_owned(), root.origin.to_string()))
                }),
        );
        for (text, origin) in candidates {
            let name = text.split('+').next().unwrap_or_default();
            self.meet_log(ecosystem, name, &origin, &by);
        }
    }

    /// The proxy to ask, and why no name may be told to anybody whom the user did not pin. The settings in force alone choose:
    /// the first believed proxy that they name, else a pinned one. What their tool tells nobody, nobody is told.
    fn transport(
        &self,
        ecosystem: EcosystemId,
        settings: &ToolSettings,
    ) -> (Option<Arc<str>>, Option<String>) {
        let mut trust = self.trust();
        let (mut first, mut own) = (None, None);
        for (text, origin) in &settings.proxies {
            let Ok(address) = Address::parse(text) else {
                continue;
            };
            let resolved = trust.offer(ecosystem.as_str(), Role::Proxy, &address, origin);
            if !resolved.is_believed() {
                continue;
            }
            let root = trust.root(ecosystem.as_str(), Role::Proxy, &resolved.primary);
            let pinned = matches!(resolved.standing, TrustStanding::Mirror(_))
                || root.is_some_and(|root| root.how == How::Pinned);
            if pinned {
                own.get_or_insert_with(|| address.text());
            }
            first.get_or_insert_with(|| address.text());
        }
        let own = own.or_else(|| {
            let mut roots = trust.believed(ecosystem.as_str(), Role::Proxy);
            let pinned = roots.find(|root| root.how == How::Pinned)?;
            pinned.address.as_ref().map(Address::text)
        });
        drop(trust);
        let silent = settings.silent.clone().or_else(|| {
            if let Some((log, origin)) = settings.logs.first()
                && !self.log_stands(ecosystem, log)
            {
                return Some(format!(
                    "the log of the settings is neither known nor pinned ({origin})"
                ));
            }
            let (_, origin) = settings.proxies.first().filter(|_| first.is_none())?;
            Some(format!(
                "no proxy of the settings is known or pinned ({origin})"
            ))
        });
        match silent {
            Some(why) => (own, Some(why)),
            None => (first.or(own), None),
        }
    }

    fn meet_log(
        &self,
        ecosystem: EcosystemId,
        name: &str,
        origin: &str,
        by: &Transport<'_>,
    ) -> Option<()> {
        let pinned = self
            .trust()
            .believed(ecosystem.as_str(), Role::Log)
            .find(|root| root.name.as_deref() == Some(name) && root.key.is_some())
            .cloned();
        let is_pinned = pinned.is_some();
        let (address, key) = match pinned {
            Some(root) => (
                root.address?,
                VerifierKey::parse(root.key.as_deref()?).ok()?,
            ),
            None => {
                let (_, log) = known::log_by_name(name)?;
                let key = VerifierKey::new(name, &log.key).ok()?;
                log.is_signed_with(key.name(), key.raw()).then_some(())?;
                (Address::parse(&format!("https://{name}")).ok()?, key)
            }
        };
        let resolved = self
            .trust()
            .offer(ecosystem.as_str(), Role::Log, &address, origin);
        if !resolved.is_believed() {
            return None;
        }
        // A pin of the user's own says that it may be asked.
        let silent = by.silent.filter(|_| by.proxy.is_none() && !is_pinned);
        let id = (ecosystem, resolved.primary);
        self.met
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(id)
            .or_insert_with(|| Met {
                addresses: vec![address.text()],
                trusted: true,
            });
        self.logs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(id)
            .or_insert_with(|| LogRoot {
                name: Arc::from(name),
                key,
                proxy: by.proxy.cloned(),
                address: silent.is_none().then(|| address.text()),
                silent: silent.map(Arc::from),
                claimed: by
                    .heads
                    .iter()
                    .filter(|(of, ..)| of == name)
                    .map(|(_, place, note)| (place.clone(), note.clone()))
                    .collect(),
            });
        self.defaults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(ecosystem)
            .or_insert_with(|| {
                Arc::new(Registry {
                    fingerprint: resolved.primary,
                    address: address.text(),
                })
            });
        Some(())
    }

    /// Whether the settings of an ecosystem's tools call a name private: nobody is asked about it.
    pub fn is_untold(&self, ecosystem: &dyn Ecosystem, name: &str) -> bool {
        let unconfirmed = self
            .unconfirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let patterns = unconfirmed.get(&ecosystem.facts().id);
        patterns.is_some_and(|all| all.iter().any(|p| ecosystem.is_private_by(p, name)))
    }

    /// The one registry that an ecosystem has, if trust knows it.
    pub fn default_of(&self, ecosystem: EcosystemId) -> Option<Arc<Registry>> {
        let defaults = self.defaults.lock().unwrap_or_else(PoisonError::into_inner);
        defaults.get(&ecosystem).cloned()
    }

    /// The transparency logs that are believed.
    pub fn logs(&self) -> Logs {
        self.logs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether a registry is a publicly known one.
    pub fn is_recognised(&self, ecosystem: EcosystemId, fingerprint: &Fingerprint) -> bool {
        known::by_address(fingerprint).is_some_and(|known| known.ecosystem == ecosystem.as_str())
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
        let mut known: Vec<KnownRegistry> = met
            .iter()
            .filter(|((of, _), _)| *of == ecosystem)
            .map(|((_, fingerprint), met)| KnownRegistry {
                fingerprint: *fingerprint,
                addresses: met.addresses.clone(),
                trusted: met.trusted,
            })
            .collect();
        // The ecosystem's one registry comes first, where it has one.
        let default = self.default_of(ecosystem).map(|r| r.fingerprint);
        known.sort_by_key(|k| Some(k.fingerprint) != default);
        known
    }

    /// How an address stands: known, pinned or a pinned mirror; `None` if it is no address.
    pub fn stands(&self, ecosystem: EcosystemId, text: &str) -> Option<bool> {
        let address = Address::parse(text).ok()?;
        let trust = self.trust();
        let stands = |role| {
            trust.resolve(ecosystem.as_str(), role, &address).standing != TrustStanding::Unpinned
        };
        Some(stands(Role::Index) || stands(Role::Proxy))
    }

    /// Whether a transparency log is known or pinned. `text` is its name or its verifier key; a key must be that log's own.
    pub fn log_stands(&self, ecosystem: EcosystemId, text: &str) -> bool {
        let name = text.split('+').next().unwrap_or_default();
        let key = VerifierKey::parse(text).ok();
        if text.contains('+') && key.is_none() {
            return false;
        }
        let raw = key.as_ref().map(VerifierKey::raw);
        let pinned = self
            .trust()
            .believed(ecosystem.as_str(), Role::Log)
            .filter(|root| root.name.as_deref() == Some(name))
            .filter_map(|root| VerifierKey::parse(root.key.as_deref()?).ok())
            .any(|own| raw.is_none_or(|raw| raw == own.raw()));
        pinned
            || known::log_by_name(name)
                .is_some_and(|(_, log)| raw.is_none_or(|raw| *raw == log.key))
            || (raw.is_none() && known::log_by_alias(name).is_some())
    }

    /// How every met registry stands, and which names are private; `require` is the run's.
    pub fn standings(
        &self,
        ecosystems: &[&'static dyn Ecosystem],
        require: Assurance,
    ) -> Standings {
        let logs = self.logs();
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
                        // A log itself has no archives: they come from the proxy, or from nowhere.
                        None => Standing::Trusted {
                            address: logs.get(&(*id, *fingerprint)).map_or_else(
                                || Arc::clone(address),
                                |log| log.proxy.clone().unwrap_or_default(),
                            ),
                            fingerprint: *fingerprint,
                        },
                    },
                    _ => Standing::Unpinned,
                };
                ((*id, *fingerprint), standing)
            })
            .collect();
        drop(met);
        let unconfirmed = self
            .unconfirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Standings::new(by_registry, trust, require, unconfirmed.clone())
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
