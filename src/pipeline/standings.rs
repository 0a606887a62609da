//! How a package stands with its registry: asked, not asked, or private. Also who gets which credential. Pure.
//!
//! A private name is never asked of a public root, nor of anything that is not pinned; only a registry that the user
//! pinned himself, and that is not publicly known, may be asked for it: it is the one that serves it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ecosystems;
use crate::model::{Assurance, Coordinate, EcosystemId, Fingerprint, Origin};
use crate::trust::known;
use crate::trust::root::{Role, TrustSet};
use crate::world::Env;
use crate::world::fetch::Secret;

use super::flow::Standing;

/// How the registries of a run stand, and which names are private.
pub struct Standings {
    by_registry: BTreeMap<(EcosystemId, Fingerprint), Standing>,
    trust: TrustSet,
    require: Assurance,
    unconfirmed: BTreeMap<EcosystemId, Vec<String>>,
}

impl Standings {
    /// From the registries that were met, the roots in force, what the run requires, and the patterns of names that
    /// tools' settings call private.
    pub fn new(
        by_registry: BTreeMap<(EcosystemId, Fingerprint), Standing>,
        trust: TrustSet,
        require: Assurance,
        unconfirmed: BTreeMap<EcosystemId, Vec<String>>,
    ) -> Self {
        Self {
            by_registry,
            trust,
            require,
            unconfirmed,
        }
    }

    /// How a package stands. What comes from no registry, or from one that was never met, is unpinned.
    pub fn of(&self, coordinate: &Coordinate) -> Standing {
        let Origin::Registry(registry) = &coordinate.origin else {
            return Standing::Unpinned;
        };
        let standing = self
            .by_registry
            .get(&(coordinate.ecosystem, registry.fingerprint))
            .cloned()
            .unwrap_or(Standing::Unpinned);
        let its_own = matches!(standing, Standing::Trusted { .. })
            && known::by_address(&registry.fingerprint).is_none();
        match self.private(coordinate) {
            Some(require) if !its_own => Standing::Private(require),
            _ if self.is_unconfirmed(coordinate) => Standing::PrivateUnconfirmed,
            _ => standing,
        }
    }

    /// Whether a name is private by the tool's settings: that is no verdict, but it is told to nobody.
    fn is_unconfirmed(&self, coordinate: &Coordinate) -> bool {
        let id = coordinate.ecosystem;
        let patterns = self.unconfirmed.get(&id).map_or(&[][..], Vec::as_slice);
        ecosystems::of(id).is_some_and(|e| {
            let mut patterns = patterns.iter();
            patterns.any(|p| e.is_private_by(p, &coordinate.name))
        })
    }

    /// Whether a name is private, by any spelling under which its registry would take it for the same.
    pub fn is_private(&self, coordinate: &Coordinate) -> bool {
        self.private(coordinate).is_some() || self.is_unconfirmed(coordinate)
    }

    fn private(&self, coordinate: &Coordinate) -> Option<Assurance> {
        let id = coordinate.ecosystem;
        let by_pattern = |name: &str| self.trust.private(id.as_str(), name, self.require);
        by_pattern(&coordinate.name).or_else(|| {
            ecosystems::of(id)?
                .spellings(&coordinate.name)
                .iter()
                .find_map(|name| by_pattern(name))
        })
    }

    /// The credential for a request to a registry: only for a believed root that names one, and only for an address of
    /// that root's exact origin.
    pub fn credential(
        &self,
        ecosystem: EcosystemId,
        registry: &Fingerprint,
        url: &str,
        env: &dyn Env,
    ) -> Option<Secret> {
        let value = |name: &str| env.var(name).and_then(|v| v.into_string().ok());
        self.trust
            .root(ecosystem.as_str(), Role::Index, registry)?
            .credential(url, &value)
    }

    /// The address at which a package is asked for, and the fingerprint under which the answers are kept; `None` where
    /// nobody is asked.
    pub fn asked_at(&self, coordinate: &Coordinate) -> Option<(Arc<str>, Fingerprint)> {
        match self.of(coordinate) {
            Standing::Trusted {
                address,
                fingerprint,
            } => Some((address, fingerprint)),
            Standing::Unpinned | Standing::Private(_) | Standing::PrivateUnconfirmed => None,
        }
    }
}

#[cfg(test)]
#[path = "standings_tests.rs"]
mod tests;
