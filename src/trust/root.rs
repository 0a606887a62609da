//! Trust roots: who is believed, why, and what stands in for them.
//!
//! A [`TrustSet`] is built from the trust files that count and from addresses that tools' settings, defaults and lockfiles
//! name. Only two things make a root believed: its fingerprint in [`super::known`], or a pin. An offered address selects
//! among known roots and never adds one; what it offers beyond is remembered as unpinned, for messages.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::model::{Assurance, EcosystemId, Fingerprint, report::TrustFacts};
use crate::world::fetch::Secret;

use super::address::{Address, origin_of};
use super::known;
use super::private::Private;

/// What a trust root is believed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Says which versions exist and which digests they have.
    Index,
    /// Hands out archives and listings.
    Proxy,
    /// A transparency log.
    Log,
    /// Signature keys.
    Keys,
    /// Advisory feeds.
    Advisories,
}

impl Role {
    /// Every role, in the order of the contract.
    pub const ALL: [Self; 5] = [
        Self::Index,
        Self::Proxy,
        Self::Log,
        Self::Keys,
        Self::Advisories,
    ];

    /// Spelling in the trust file and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Proxy => "proxy",
            Self::Log => "log",
            Self::Keys => "keys",
            Self::Advisories => "advisories",
        }
    }

    /// Reads the spelling of the trust file.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Spelling under `trust` in reports.
    pub const fn in_reports(self) -> &'static str {
        match self {
            Self::Index => "registry-index",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a root is believed, or that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// Its fingerprint is publicly known.
    Recognised,
    /// The user pinned it.
    Pinned,
    /// Neither: nothing it says counts.
    Unpinned,
}

impl How {
    /// Spelling in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recognised => "recognised",
            Self::Pinned => "pinned",
            Self::Unpinned => "unpinned",
        }
    }
}

/// A trust root, or an address that asks to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    /// Ecosystem, as in reports.
    pub ecosystem: Arc<str>,
    /// What it is believed for.
    pub role: Role,
    /// Where it answers; a key needs no address.
    pub address: Option<Address>,
    /// Of a log: its name, as its notes have it.
    pub name: Option<Arc<str>>,
    /// Of a log: its verifier key. Of keys: `id:base64`.
    pub key: Option<Arc<str>>,
    /// Of its primary address, or of its key where it has no address. What it said is kept under this.
    pub fingerprint: Fingerprint,
    /// Why it is believed.
    pub how: How,
    /// Where its address came from (`tame-index`, `trust.toml:3`, `settings:…`).
    pub origin: Arc<str>,
    /// Assurance required of its packages, where it differs from the run's.
    pub require: Option<Requirement>,
    /// Variable that holds its credential.
    pub token: Option<TokenVariable>,
    /// When a key stops counting, seconds since 1970.
    pub expires: Option<i64>,
}

/// A required assurance, and whether it may be lower than the run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// What is required.
    pub assurance: Assurance,
    /// Whether it stands in the user's own file, the only place that may lower.
    pub may_lower: bool,
}

impl Requirement {
    /// What is required under a run's `--require`.
    pub fn under(self, run: Assurance) -> Assurance {
        if self.may_lower {
            self.assurance
        } else {
            self.assurance.max(run)
        }
    }
}

/// Name of an environment variable that holds a credential. The credential itself is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenVariable(Arc<str>);

impl TokenVariable {
    /// Reads `env:NAME`: upper-case letters, digits and `_`, not starting with a digit.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("env:")?;
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        let first = name.bytes().next()?;
        (!first.is_ascii_digit() && name.len() <= 128 && name.bytes().all(fits))
            .then(|| Self(Arc::from(name)))
    }

    /// The variable's name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl TrustRoot {
    /// Whether what it says counts.
    pub fn is_believed(&self) -> bool {
        self.how != How::Unpinned
    }

    /// The credential for a request, if the request goes to this root's exact origin. The caller must have chosen this
    /// root for the request: a neighbour on the same host is another root and gets nothing.
    pub fn credential(&self, url: &str, env: &dyn Fn(&str) -> Option<String>) -> Option<Secret> {
        let address = self.address.as_ref().filter(|_| self.is_believed())?;
        let variable = self.token.as_ref()?;
        if origin_of(url)? != address.origin() {
            return None;
        }
        env(variable.name())
            .filter(|value| !value.is_empty() && value.bytes().all(|b| (0x20..0x7f).contains(&b)))
            .map(|value| Secret::new(&value))
    }

    /// Assurance required of its packages under a run's `--require`.
    pub fn required(&self, run: Assurance) -> Assurance {
        self.require.map_or(run, |require| require.under(run))
    }
}

/// Transport that stands in for a root: what carries a proof keeps its assurance, the rest is published by the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Fingerprint of the root it mirrors (any of that root's).
    pub of: Fingerprint,
    /// Where it answers.
    pub address: Address,
    /// Where it was configured (`trust.toml:9`).
    pub origin: Arc<str>,
}

/// What an address is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// A publicly known root, by its stable name.
    Recognised(&'static str),
    /// A root that the user pinned.
    Pinned,
    /// A pinned mirror of the root with this (primary) fingerprint.
    Mirror(Fingerprint),
    /// Neither.
    Unpinned,
}

/// An address, what it is to us, and under which fingerprint its root's words are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What it is.
    pub standing: Standing,
    /// Canonical address that was asked about.
    pub address: Address,
    /// Fingerprint of the root: the primary one where it has several addresses, the mirrored root's for a mirror.
    pub primary: Fingerprint,
}

impl Resolved {
    /// Whether what comes from it counts.
    pub fn is_believed(&self) -> bool {
        self.standing != Standing::Unpinned
    }
}

/// Every root in force, and what asked to be one.
#[derive(Debug, Clone, Default)]
pub struct TrustSet {
    /// By ecosystem, role, and primary fingerprint.
    roots: BTreeMap<(Arc<str>, Role, Fingerprint), TrustRoot>,
    /// By fingerprint of the mirror's own address.
    mirrors: BTreeMap<Fingerprint, Mirror>,
    /// Private names, in the order of their files.
    private: Vec<Private>,
}

/// The fingerprint under which a root's words are kept: the primary one of a known root, else its own.
pub fn primary(fingerprint: Fingerprint) -> Fingerprint {
    known::by_address(&fingerprint)
        .and_then(known::Known::primary)
        .unwrap_or(fingerprint)
}

impl TrustSet {
    /// An empty set: nothing but publicly known roots is believed, and those once an address is offered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pinned root; a later pin replaces an earlier one of the same root.
    pub fn pin(&mut self, root: TrustRoot) {
        let fingerprint = primary(root.fingerprint);
        let key = (Arc::clone(&root.ecosystem), root.role, fingerprint);
        self.roots.insert(
            key,
            TrustRoot {
                fingerprint,
                how: How::Pinned,
                ..root
            },
        );
    }

    /// Adds a mirror.
    pub fn add_mirror(&mut self, mirror: Mirror) {
        self.mirrors.insert(mirror.address.fingerprint(), mirror);
    }

    /// Adds private names.
    pub fn add_private(&mut self, private: Private) {
        self.private.push(private);
    }

    /// Takes an address from a tool's settings, its shipped defaults, a constant or a lockfile. If it is the address of a
    /// known root, that root can now be asked; otherwise it is remembered as unpinned. Pins are never changed by it.
    pub fn offer(
        &mut self,
        ecosystem: &str,
        role: Role,
        address: &Address,
        origin: &str,
    ) -> Resolved {
        let resolved = self.resolve(ecosystem, role, address);
        let how = match resolved.standing {
            Standing::Recognised(_) => How::Recognised,
            Standing::Unpinned => How::Unpinned,
            Standing::Pinned | Standing::Mirror(_) => return resolved,
        };
        let new = TrustRoot {
            ecosystem: Arc::from(ecosystem),
            role,
            address: Some(address.clone()),
            name: None,
            key: None,
            fingerprint: resolved.primary,
            how,
            origin: Arc::from(origin),
            require: None,
            token: None,
            expires: None,
        };
        let key = (Arc::clone(&new.ecosystem), role, resolved.primary);
        let is_primary = address.fingerprint() == resolved.primary;
        match self.roots.get_mut(&key) {
            // The primary address answers look-ups; an alias only stands until it is offered.
            Some(old)
                if old.how != How::Pinned
                    && is_primary
                    && old.address.as_ref() != new.address.as_ref() =>
            {
                *old = new;
            }
            Some(_) => {}
            None => {
                self.roots.insert(key, new);
            }
        }
        resolved
    }

    /// What an address is to us, for an ecosystem and a role. A root that is believed for one of them is not for others.
    pub fn resolve(&self, ecosystem: &str, role: Role, address: &Address) -> Resolved {
        let own = address.fingerprint();
        if let Some(mirror) = self.mirrors.get(&own) {
            let of = primary(mirror.of);
            if self.believes(ecosystem, role, &of) {
                return Resolved {
                    standing: Standing::Mirror(of),
                    address: address.clone(),
                    primary: of,
                };
            }
        }
        let of = primary(own);
        let recognised = known::by_address(&own)
            .filter(|known| known.ecosystem == ecosystem && known.role == role);
        let standing = match recognised {
            Some(known) => Standing::Recognised(known.id),
            None if self.believes(ecosystem, role, &of) => Standing::Pinned,
            None => Standing::Unpinned,
        };
        Resolved {
            standing,
            address: address.clone(),
            primary: of,
        }
    }

    /// Whether a root is believed for an ecosystem and a role: publicly known, or pinned.
    fn believes(&self, ecosystem: &str, role: Role, of: &Fingerprint) -> bool {
        known::by_address(of)
            .is_some_and(|known| known.ecosystem == ecosystem && known.role == role)
            || self
                .roots
                .get(&(Arc::from(ecosystem), role, *of))
                .is_some_and(TrustRoot::is_believed)
    }

    /// The root with a fingerprint (any of a known root's), if it was pinned or offered.
    pub fn root(
        &self,
        ecosystem: &str,
        role: Role,
        fingerprint: &Fingerprint,
    ) -> Option<&TrustRoot> {
        self.roots
            .get(&(Arc::from(ecosystem), role, primary(*fingerprint)))
    }

    /// Every root of an ecosystem and role that is believed, in a fixed order.
    pub fn believed(&self, ecosystem: &str, role: Role) -> impl Iterator<Item = &TrustRoot> {
        self.roots()
            .filter(move |r| &*r.ecosystem == ecosystem && r.role == role && r.is_believed())
    }

    /// Every root, unpinned ones included, in a fixed order.
    pub fn roots(&self) -> impl Iterator<Item = &TrustRoot> {
        self.roots.values()
    }

    /// Mirrors of a root, in a fixed order.
    pub fn mirrors_of(&self, fingerprint: &Fingerprint) -> impl Iterator<Item = &Mirror> {
        let of = primary(*fingerprint);
        self.mirrors.values().filter(move |m| primary(m.of) == of)
    }

    /// Every mirror, in a fixed order.
    pub fn mirrors(&self) -> impl Iterator<Item = &Mirror> {
        self.mirrors.values()
    }

    /// The private pattern that a name fits, with the assurance that it requires under a run's `--require`.
    pub fn private(&self, ecosystem: &str, name: &str, run: Assurance) -> Option<Assurance> {
        self.private
            .iter()
            .find(|p| p.covers(ecosystem, name))
            .map(|p| p.require.unwrap_or(run))
    }

    /// Private patterns in force, for `trust show`.
    pub fn private_patterns(&self) -> &[Private] {
        &self.private
    }

    /// Rows of the report's `trust` array for one ecosystem.
    pub fn facts(&self, ecosystem: EcosystemId) -> Vec<TrustFacts> {
        self.roots()
            .filter(|root| &*root.ecosystem == ecosystem.as_str())
            .map(|root| TrustFacts {
                ecosystem,
                root: root.role.in_reports().to_owned(),
                how: root.how.as_str(),
                fingerprint: root.fingerprint,
                origin: root.origin.to_string(),
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "root_tests.rs"]
mod tests;
