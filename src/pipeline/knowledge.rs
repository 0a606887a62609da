//! Puts together what is known about one package version: claims, gaps, existence. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ecosystems;
use crate::model::{
    Assurance, Claim, Claimant, Coordinate, Digest, Fingerprint, Listing, Origin, Reason, SETTLING,
    VersionFacts,
};

use super::flow::{Existence, Inventory, Knowledge, Known, Learned, Recent, Standing};
use super::standings::Standings;

/// What lockfiles declare: by registry, name and version.
#[derive(Default)]
pub struct Declared {
    by_artifact: BTreeMap<(Fingerprint, Arc<str>, Arc<str>), Vec<Claim>>,
}

impl Declared {
    /// Gathers the hashes of every lockfile.
    pub fn of(inventory: &Inventory) -> Self {
        let mut by_artifact: BTreeMap<_, Vec<Claim>> = BTreeMap::new();
        for lock in &inventory.locks {
            for locked in &lock.packages {
                let Origin::Registry(registry) = &locked.coordinate.origin else {
                    continue;
                };
                let key = (
                    registry.fingerprint,
                    Arc::clone(&locked.coordinate.name),
                    lock.ecosystem
                        .listing_row(&locked.coordinate.version, &locked.package.file),
                );
                let claims = by_artifact.entry(key).or_default();
                for entry in &locked.package.digests {
                    let claim = Claim {
                        assurance: Assurance::Declared,
                        by: Claimant::Lockfile,
                        digest: entry.digest,
                        detail: Some(Arc::from(format!("{}:{}", lock.rel, entry.line))),
                    };
                    if !claims.contains(&claim) {
                        claims.push(claim);
                    }
                }
            }
        }
        Self { by_artifact }
    }

    fn claims(&self, registry: Fingerprint, name: &Arc<str>, row: &Arc<str>) -> &[Claim] {
        let key = (registry, Arc::clone(name), Arc::clone(row));
        self.by_artifact.get(&key).map_or(&[], Vec::as_slice)
    }
}

/// Everything that is known, ready to be asked per package version.
pub struct Sage<'a> {
    /// How packages stand with their registries.
    pub standings: &'a Standings,
    /// What the registries said.
    pub known: &'a Known,
    /// What lockfiles say.
    pub declared: &'a Declared,
    /// What was first seen, by artifact text and digest; empty where memory is off.
    pub remembered: &'a dyn Fn(&Coordinate, &str) -> Option<Digest>,
    /// Whether an advisory names a version of a package.
    pub named_by_advisory: &'a dyn Fn(&Coordinate) -> bool,
    /// Seconds since 1970.
    pub now: i64,
}

impl Sage<'_> {
    /// What is known of an artifact of a package version (`file`: its name; empty for the only one). `recent` is when the
    /// cache says that it was published.
    pub fn knowledge(&self, coordinate: &Coordinate, file: &str, recent: &Recent) -> Knowledge {
        let row = row_of(coordinate, file);
        let mut knowledge = Knowledge::default();
        let Origin::Registry(registry) = &coordinate.origin else {
            knowledge.gap = Some(match coordinate.origin {
                Origin::Git { .. } => Reason::GitUnheld,
                _ => Reason::Unbound,
            });
            return knowledge;
        };
        knowledge.claims.extend_from_slice(self.declared.claims(
            registry.fingerprint,
            &coordinate.name,
            &row,
        ));
        if let Some(digest) = (self.remembered)(coordinate, &row) {
            knowledge.claims.push(Claim {
                assurance: Assurance::Remembered,
                by: Claimant::FirstSeen,
                digest,
                detail: None,
            });
        }
        match self.standings.of(coordinate) {
            Standing::Unpinned => knowledge.gap = Some(Reason::UnpinnedRoot),
            Standing::PrivateUnconfirmed => knowledge.gap = Some(Reason::PrivateUnconfirmed),
            Standing::Private(require) => {
                knowledge.gap = Some(Reason::Private);
                knowledge.require = Some(require);
            }
            Standing::Trusted { .. } => {
                let key = (registry.fingerprint, listing_name(coordinate));
                match self.known.packages.get(&key) {
                    Some(learned) => {
                        self.take_learned(learned, coordinate, &row, recent, &mut knowledge);
                    }
                    None => knowledge.gap = Some(Reason::Unreachable),
                }
            }
        }
        knowledge
    }

    fn take_learned(
        &self,
        learned: &Learned,
        coordinate: &Coordinate,
        row: &Arc<str>,
        recent: &Recent,
        knowledge: &mut Knowledge,
    ) {
        let version = learned.listing.as_deref().and_then(|l| l.version(row));
        if let Some(facts) = version {
            knowledge.claims.extend(claims_of(facts, learned));
        }
        // What was said before, and by claims files, counts too: published artifacts do not change.
        for saying in learned.said.iter().filter(|s| s.version == *row) {
            if !knowledge.claims.contains(&saying.claim) {
                knowledge.claims.push(saying.claim.clone());
            }
        }
        match version {
            Some(facts) if facts.withdrawn => knowledge.existence = Existence::Withdrawn,
            Some(facts) => {
                knowledge.existence = Existence::Published {
                    yanked: facts.yanked,
                }
            }
            None if learned.gap.is_some() && !learned.denied.contains(row) => {
                knowledge.gap = learned.gap;
            }
            None if learned.denied.contains(row) || self.missing_is_final(learned) => {
                let recent = self.is_recent(coordinate, recent);
                let denied_now =
                    learned.denied.contains(row) && learned.said.iter().any(|s| s.version == *row);
                if denied_now || (self.named_by_advisory)(coordinate) {
                    knowledge.existence = Existence::Withdrawn;
                    knowledge.gap = Some(Reason::NoRecord);
                } else if recent {
                    knowledge.existence = Existence::NotYet;
                    knowledge.gap = Some(Reason::NoRecord);
                } else {
                    knowledge.existence = Existence::Never;
                    knowledge.gap = Some(Reason::NoRecord);
                }
            }
            None => knowledge.gap = Some(Reason::NoRecord),
        }
    }

    /// Whether a cached listing says that the version came out within the last hour.
    fn is_recent(&self, coordinate: &Coordinate, recent: &Recent) -> bool {
        let Origin::Registry(registry) = &coordinate.origin else {
            return false;
        };
        let key = (
            registry.fingerprint,
            listing_name(coordinate),
            Arc::clone(&coordinate.version),
        );
        recent
            .get(&key)
            .is_some_and(|at| (0..SETTLING).contains(&(self.now - at)))
    }

    /// Whether a version that is missing from an answer does not exist.
    fn missing_is_final(&self, learned: &Learned) -> bool {
        learned.no_such_package
            || learned
                .listing
                .as_deref()
                .is_some_and(|l: &Listing| l.complete && l.is_current(self.now))
    }
}

/// The row of a listing that speaks of an artifact.
pub fn row_of(coordinate: &Coordinate, file: &str) -> Arc<str> {
    ecosystems::of(coordinate.ecosystem).map_or_else(
        || Arc::clone(&coordinate.version),
        |e| e.listing_row(&coordinate.version, file),
    )
}

/// The name under which a package's listing is kept.
fn listing_name(coordinate: &Coordinate) -> Arc<str> {
    ecosystems::of(coordinate.ecosystem).map_or_else(
        || Arc::clone(&coordinate.name),
        |e| e.listing_name(&coordinate.name),
    )
}

fn claims_of(facts: &VersionFacts, learned: &Learned) -> Vec<Claim> {
    facts
        .digests
        .iter()
        .map(|digest| Claim {
            assurance: learned.assurance,
            by: if learned.assurance == Assurance::Authenticated {
                Claimant::Log
            } else {
                Claimant::RegistryIndex
            },
            digest: *digest,
            detail: None,
        })
        .collect()
}
