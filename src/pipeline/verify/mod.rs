//! Are the bytes what was published? Observing (disk, processor) runs beside asking (network); both meet per artifact.
//!
//! Verification judges nothing itself: it gives one [`Check`] per subject with what was seen, and what was learned.

mod absences;
mod both;
mod by_recipe;
mod collisions;
mod compare;
mod consult;
mod crate_tar;
mod go_zip;
mod inspect;
mod listing;
mod locked;
mod manifest;
mod observe;
mod opened;
mod opening;
mod place;
mod plain;
mod pool;
mod prove;
mod refetch;
mod sage_parts;
mod tree;
mod unpack;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ecosystems::contract::{Binding, Ecosystem, Inspection};
use crate::model::{Coordinate, Digest, Fingerprint, Origin, Problem, Reason};
use crate::pipeline::flow::{Check, Checked, Inventory, Known, PlacedUnit, Seen, Subject};
use crate::pipeline::registries::Logs;
use crate::pipeline::standings::Standings;
use crate::pipeline::truth;
use crate::trust::claims::ClaimStore;
use crate::trust::ledger::Ledger;
use crate::world::{Env, Fetch, Progress, ReadFs};

use consult::{Ask, Desk};
use observe::{ArchiveSeen, Bench};
use place::Watch;
use pool::Budget;
pub use sage_parts::SageParts;
use tree::TreeSeen;
use unpack::Scratch;

/// When archives are fetched to judge trees by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchArchives {
    /// Never.
    Never,
    /// When the cache holds no good one.
    Missing,
    /// For every tree.
    Always,
}

/// What verification may use and how it is to go about it.
pub struct Verify<'a> {
    /// What was learned on earlier runs.
    pub store: &'a ClaimStore,
    /// Which bytes were hashed on earlier runs.
    pub ledger: Option<&'a Ledger>,
    /// The network.
    pub fetch: &'a dyn Fetch,
    /// Files by name.
    pub fs: &'a dyn ReadFs,
    /// The environment: variables that hold credentials of pinned roots.
    pub env: &'a dyn Env,
    /// What a person sees meanwhile.
    pub progress: &'a dyn Progress,
    /// How packages stand with their registries.
    pub standings: &'a Standings,
    /// Transparency logs that are believed.
    pub logs: &'a Logs,
    /// Whether no packet may leave.
    pub offline: bool,
    /// Seconds since 1970.
    pub now: i64,
    /// Threads.
    pub jobs: usize,
    /// Look at everything anew.
    pub full: bool,
    /// When archives are fetched.
    pub fetch_archives: FetchArchives,
    /// How many bytes of archives may be fetched.
    pub max_fetch: u64,
    /// Bytes of archives that may be held in memory at once.
    pub in_flight: u64,
    /// Whether bytes are looked at at all (`--no-integrity`).
    pub integrity: bool,
}

/// What was seen of one unit.
#[derive(Default)]
struct UnitSeen {
    archive: Option<ArchiveSeen>,
    tree: Option<TreeSeen>,
}

impl Verify<'_> {
    /// Learns and observes. Inspectors run last, since they want what was learned.
    pub fn run(&self, inventory: &Inventory, sage_parts: &SageParts<'_>) -> (Checked, Known) {
        let desk = Desk {
            store: self.store,
            fetch: self.fetch,
            env: self.env,
            standings: self.standings,
            progress: self.progress,
            offline: self.offline,
            now: self.now,
            logs: self.logs,
            inventory,
        };
        if !self.integrity {
            return (Checked::default(), Known::default());
        }
        let asks = self.asks(inventory);
        let watch = Watch::new(self.env);
        self.progress.stage("verify", inventory.units.len() as u64);
        let (known, mut seen) = std::thread::scope(|scope| {
            let learning = scope.spawn(|| desk.consult(asks));
            let seen = self.observe(inventory, &watch);
            (learning.join().unwrap_or_default(), seen)
        });
        let sage = sage_parts.sage(self.standings, &known, self.now);
        refetch::second_pass(self, inventory, &sage, &mut seen);
        let inspected = self.inspect(inventory, &known);
        let mut checked = Checked {
            cut_short: self.progress.cancelled(),
            ..Checked::default()
        };
        for ((placed, seen), inspections) in inventory.units.iter().zip(seen).zip(inspected) {
            put_together(placed, seen, inspections, inventory, &mut checked);
        }
        locked::hashes(inventory, &mut checked);
        prove::log_files(&known, inventory, &mut checked);
        checked.findings = watch.finish(inventory, &checked.checks);
        (checked, known)
    }

    /// What the registries are to be asked.
    fn asks(&self, inventory: &Inventory) -> Vec<Ask> {
        let mut wanted: BTreeMap<(Fingerprint, Arc<str>), Ask> = BTreeMap::new();
        let mut want =
            |ecosystem: &'static dyn Ecosystem, coordinate: &Coordinate, file: Option<&str>| {
                let Origin::Registry(registry) = &coordinate.origin else {
                    return;
                };
                let Some((address, kept)) = self.standings.asked_at(coordinate) else {
                    return;
                };
                let ask = wanted
                    .entry((
                        registry.fingerprint,
                        ecosystem.listing_name(&coordinate.name),
                    ))
                    .or_insert_with(|| Ask {
                        ecosystem,
                        registry: registry.fingerprint,
                        kept,
                        address,
                        name: ecosystem.listing_name(&coordinate.name),
                        versions: BTreeSet::new(),
                    });
                if let Some(file) = file {
                    ask.versions
                        .insert(ecosystem.listing_row(&coordinate.version, file));
                }
            };
        for placed in &inventory.units {
            match &placed.unit.binding {
                Binding::Artifact(artifact) => {
                    want(
                        placed.ecosystem,
                        &artifact.coordinate,
                        Some(&*artifact.file),
                    );
                }
                Binding::Package(coordinate) => want(placed.ecosystem, coordinate, None),
                Binding::Unbound(_) | Binding::Nothing => {}
            }
        }
        for lock in &inventory.locks {
            for locked in &lock.packages {
                want(
                    lock.ecosystem,
                    &locked.coordinate,
                    Some(&*locked.package.file),
                );
            }
        }
        wanted.into_values().collect()
    }

    fn bench<'b>(&'b self, budget: &'b Budget, watch: Option<&'b Watch<'b>>) -> Bench<'b> {
        Bench {
            store: self.store,
            ledger: self.ledger.filter(|_| !self.full),
            budget,
            watch,
            now: self.now,
            progress: self.progress,
        }
    }

    /// Observes every unit, largest first.
    fn observe(&self, inventory: &Inventory, watch: &Watch<'_>) -> Vec<UnitSeen> {
        let budget = Budget::new(self.in_flight);
        let bench = self.bench(&budget, Some(watch));
        let weight = |placed: &PlacedUnit| placed.unit.archive.as_ref().map_or(0, |a| a.size);
        let mut order: Vec<usize> = (0..inventory.units.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(inventory.units.get(*at).map_or(0, weight)));
        let slots: Vec<Mutex<UnitSeen>> = inventory
            .units
            .iter()
            .map(|_| Mutex::new(UnitSeen::default()))
            .collect();
        pool::for_each(self.jobs, &order, Scratch::new, |scratch, at| {
            if self.progress.cancelled() {
                return;
            }
            let Some(placed) = inventory.units.get(at) else {
                return;
            };
            let unit = &placed.unit;
            if unit.archive.is_none() && unit.tree.is_none() {
                return;
            }
            let Some(root) = inventory.roots.get(placed.root) else {
                return;
            };
            let (archive, tree) = bench.unit(
                root.dir(),
                unit.archive.as_ref(),
                unit.tree.as_ref(),
                scratch,
            );
            if let Some(slot) = slots.get(at) {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = UnitSeen { archive, tree };
            }
            self.progress.advance(1);
        });
        slots
            .into_iter()
            .map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }
}

/// Makes the checks of one unit.
fn put_together(
    placed: &PlacedUnit,
    seen: UnitSeen,
    inspections: Vec<Inspection>,
    inventory: &Inventory,
    checked: &mut Checked,
) {
    let unit = &placed.unit;
    let (coordinate, artifact) = match &unit.binding {
        Binding::Artifact(artifact) => (
            Some(Arc::new(artifact.coordinate.clone())),
            Some(Arc::clone(&artifact.file)),
        ),
        Binding::Package(coordinate) => (Some(Arc::clone(coordinate)), None),
        Binding::Unbound(_) | Binding::Nothing => (None, None),
    };
    let unbound = match &unit.binding {
        Binding::Unbound(reason) => Some(*reason),
        _ => None,
    };
    let subject = |kind, rel: &std::path::Path, size| Subject {
        ecosystem: placed.ecosystem.facts().id,
        kind,
        coordinate: coordinate.clone(),
        artifact: artifact.clone(),
        place: unit.place,
        root: placed.root,
        rel: rel.to_owned(),
        size,
        line: None,
    };
    let shown = |rel: &std::path::Path| {
        inventory
            .roots
            .get(placed.root)
            .map_or_else(|| rel.to_owned(), |root| root.path.join(rel))
    };
    if let (Some(part), Some(seen)) = (&unit.archive, seen.archive) {
        checked.bytes_hashed += seen.hashed;
        checked.from_ledger += u64::from(seen.from_ledger);
        if let Some(why) = &seen.problem {
            let problem = if seen.torn {
                Problem::as_the_tool("", why.clone())
            } else {
                Problem::skipped("", why.clone())
            };
            checked.problems.push(problem.at(&shown(&part.rel)));
        }
        if seen.absent {
            checked.checks.push(Check {
                subject: subject(part.format.subject_kind(), &part.rel, None),
                seen: Seen::Absent,
            });
        } else {
            let mut ambiguities = seen.ambiguities;
            ambiguities.extend(seen.broken.map(|why| format!("cannot be unpacked: {why}")));
            ambiguities.extend(seen.oversize);
            let mut gap = seen.gap.or(unbound.filter(|_| seen.digest.is_none()));
            if let Some(kind) = seen.irregular {
                ambiguities.push(format!("is no regular file ({kind:?})"));
                gap = Some(Reason::Unreadable);
            }
            checked.checks.push(Check {
                subject: subject(part.format.subject_kind(), &part.rel, Some(seen.size)),
                seen: match unbound {
                    Some(reason) => Seen::Unbound(reason),
                    None => Seen::Archive {
                        // A recipe over the content says more than the bytes of the packing.
                        observed: seen.recipe.into_iter().chain(seen.digest).collect(),
                        gap,
                        ambiguities,
                        excused: seen.excused,
                    },
                },
            });
        }
    }
    if let (Some(part), Some(seen)) = (&unit.tree, seen.tree) {
        tree_check(part, seen, unbound, &subject, &shown, checked);
    }
    for inspection in inspections {
        if let Some(coordinate) = &coordinate
            && let Origin::Registry(registry) = &coordinate.origin
        {
            for (version, at) in &inspection.recent {
                let name = placed.ecosystem.listing_name(&coordinate.name);
                let key = (registry.fingerprint, name, Arc::clone(version));
                checked.recent.insert(key, *at);
            }
        }
        checked.problems.extend(inspection.problems);
        checked.checks.push(Check {
            subject: subject(inspection.kind, &inspection.rel, inspection.size),
            seen: Seen::Inspected {
                outcome: inspection.outcome,
                observed: inspection.observed,
                entries: inspection.entries,
                findings: inspection.findings,
                note: inspection.note,
            },
        });
    }
    if unit.archive.is_none()
        && unit.tree.is_none()
        && unit.inspector.is_none()
        && let Some(reason) = unbound
    {
        checked.checks.push(Check {
            subject: subject("entry", std::path::Path::new(""), None),
            seen: Seen::Unbound(reason),
        });
    }
}

fn tree_check(
    part: &crate::ecosystems::contract::TreePart,
    seen: TreeSeen,
    unbound: Option<Reason>,
    subject: &dyn Fn(&'static str, &std::path::Path, Option<u64>) -> Subject,
    shown: &dyn Fn(&std::path::Path) -> std::path::PathBuf,
    checked: &mut Checked,
) {
    checked.bytes_hashed += seen.found.bytes;
    checked.from_ledger += u64::from(seen.from_ledger);
    if let Some(why) = &seen.problem {
        checked
            .problems
            .push(Problem::partial("", why.clone()).at(&shown(&part.rel)));
    }
    let state = if seen.absent {
        Seen::Absent
    } else if let Some(reason) = unbound {
        Seen::Unbound(reason)
    } else {
        let mut found = seen.found;
        let irregular = seen.irregular.is_some();
        if irregular {
            found.total = found.total.max(1);
        }
        Seen::Tree {
            basis: seen.basis,
            gap: seen.gap,
            entries: found.entries.into_iter().collect(),
            total: found.total,
            worst: if irregular {
                Some(crate::model::EntryKind::Irregular)
            } else {
                found.worst
            },
            forged_sidecar: found.forged_sidecar,
            litter: found.litter,
            listed: found.listed,
        }
    };
    checked.checks.push(Check {
        subject: subject("tree", &part.rel, None),
        seen: state,
    });
}

/// The one digest that an artifact must have, if trusted claims agree on one.
fn must_be(claims: &[crate::model::Claim]) -> Option<Digest> {
    use crate::model::Scheme;
    truth::trusted_digests(claims)
        .into_iter()
        .filter(|d| matches!(d.scheme(), Scheme::Sha256 | Scheme::H1))
        .min_by_key(Digest::scheme)
}
