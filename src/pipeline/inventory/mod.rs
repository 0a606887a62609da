//! What is in the sources? Lockfiles become packages, caches become units; nothing is judged here.

mod components;
mod together;
mod unbounded;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ecosystems::contract::{
    Ecosystem, KnownRegistry, LockError, LockedPackage, LockedSource, NamedPlace, OpenContext,
    ParseLimits, Session, Wanted,
};
use crate::model::report::SourceFacts;
use crate::model::{Coordinate, EcosystemId, Finding, Location, Origin, Problem, RootId, text};
use crate::world::{Env, ReadFs};

pub use components::components;

use super::flow::{
    Discovered, FoundLock, FoundPlace, Inventory, Lock, Locked, OpenRoot, Own, PlacedUnit,
};
use super::registries::Registries;

/// How the sources are to be read.
pub struct Reading {
    /// Whether caches are narrowed to what the lockfiles name.
    pub narrow: bool,
    /// Whether every object of a source is to be checked.
    pub full: bool,
    /// Whether bytes are looked at: if not, a cache says nothing beyond the lockfiles that it is narrowed to.
    pub bytes: bool,
}

/// Reads every source.
pub fn run(
    mut found: Discovered,
    registries: &Registries,
    reading: &Reading,
    ecosystems: &[&'static dyn Ecosystem],
    env: &dyn Env,
    fs: &dyn ReadFs,
) -> Inventory {
    let mut inventory = Inventory {
        problems: std::mem::take(&mut found.problems),
        notices: std::mem::take(&mut found.notices),
        findings: std::mem::take(&mut found.findings),
        sources: std::mem::take(&mut found.sources),
        walked: std::mem::take(&mut found.walked),
        first_party: std::mem::take(&mut found.first_party),
        ..Inventory::default()
    };
    inventory.roots = std::mem::take(&mut found.roots);
    for lock in std::mem::take(&mut found.locks) {
        read_lock(lock, registries, &mut inventory);
    }
    let unbounded = unbounded::find(&mut inventory, ecosystems, env, fs);
    together::apply(&mut inventory, registries, ecosystems, &unbounded.locks);
    let wanted: BTreeMap<EcosystemId, Wanted> = ecosystems
        .iter()
        .map(|e| {
            let id = e.facts().id;
            let mut wanted = wanted(*e, &inventory);
            wanted.any = unbounded.ecosystems.contains(&id);
            (id, wanted)
        })
        .collect();
    let known: BTreeMap<EcosystemId, Vec<KnownRegistry>> = ecosystems
        .iter()
        .map(|e| (e.facts().id, registries.known(e.facts().id)))
        .collect();
    let nothing = Wanted::default();
    let places: BTreeMap<EcosystemId, Vec<NamedPlace>> = ecosystems
        .iter()
        .map(|e| (e.facts().id, named_places(e.facts().id, &found, &inventory)))
        .collect();
    for (root, ecosystem, kind) in &found.caches {
        inventory.cache_roots.push((*root, *ecosystem));
        let id = ecosystem.facts().id;
        let named = inventory
            .roots
            .get(*root)
            .is_some_and(|r| matches!(r.info.origin, crate::model::RootOrigin::CommandLine));
        let context = OpenContext {
            registries: known.get(&id).map_or(&[], Vec::as_slice),
            wanted: wanted.get(&id).filter(|_| reading.narrow && !named),
            locked: wanted.get(&id).unwrap_or(&nothing),
            places: places.get(&id).map_or(&[], Vec::as_slice),
            full: reading.full,
        };
        let locks_any = inventory.locks.iter().any(|l| l.ecosystem.facts().id == id);
        if reading.narrow && !named && !(locks_any && reading.bytes) {
            // Nothing here would be built from that cache, or nobody asks whether it is genuine.
            continue;
        }
        let Some(opened) = inventory.roots.get(*root) else {
            continue;
        };
        let session = kind.open(opened.dir(), &context);
        inventory.read_caches.insert(id);
        take(session, *ecosystem, *root, &mut inventory);
    }
    for place in &found.places {
        let id = place.ecosystem.facts().id;
        let Some(posture) = place.ecosystem.posture() else {
            continue;
        };
        let Some(opened) = inventory.roots.get(place.root) else {
            continue;
        };
        let context = OpenContext {
            registries: known.get(&id).map_or(&[], Vec::as_slice),
            wanted: wanted.get(&id),
            locked: wanted.get(&id).unwrap_or(&nothing),
            places: places.get(&id).map_or(&[], Vec::as_slice),
            full: reading.full,
        };
        let named = named_place(place, opened);
        let session = posture.open_place(&named, opened.dir(), &context);
        take(session, place.ecosystem, place.root, &mut inventory);
    }
    inventory.units.sort_by_cached_key(|placed| {
        let unit = &placed.unit;
        let rel = unit
            .archive
            .as_ref()
            .map(|a| a.rel.clone())
            .or_else(|| unit.tree.as_ref().map(|t| t.rel.clone()));
        (placed.root, rel)
    });
    inventory.sources.sort();
    inventory
}

fn take(
    session: Session,
    ecosystem: &'static dyn Ecosystem,
    root: usize,
    inventory: &mut Inventory,
) {
    let id = inventory
        .roots
        .get(root)
        .map(|r| r.info.id.clone())
        .unwrap_or_else(|| RootId::new("?"));
    inventory.problems.extend(session.problems);
    inventory
        .findings
        .extend(session.findings.into_iter().map(|mut finding| {
            finding.root.get_or_insert_with(|| id.clone());
            finding.ecosystem.get_or_insert(ecosystem.facts().id);
            finding
        }));
    inventory.sources.extend(
        session
            .sources
            .into_iter()
            .map(|(kind, rel, entries)| SourceFacts {
                kind: kind.to_owned(),
                root: id.clone(),
                rel,
                entries,
            }),
    );
    inventory
        .units
        .extend(session.units.into_iter().map(|unit| PlacedUnit {
            ecosystem,
            root,
            unit,
        }));
}

fn read_lock(found: FoundLock, registries: &Registries, inventory: &mut Inventory) {
    let FoundLock {
        ecosystem,
        format,
        root,
        rel,
        bytes,
        own,
        ..
    } = found;
    let id = ecosystem.facts().id;
    let shown = inventory
        .roots
        .get(root)
        .map_or_else(|| rel.clone(), |r| format!("{}/{rel}", r.path.display()));
    let shown = text::printable(&shown);
    let parsed = match format.parse(&bytes, &ParseLimits::default()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let at = match &error {
                LockError::Broken {
                    line: Some(line), ..
                } => format!("{shown}:{line}"),
                _ => shown,
            };
            inventory
                .problems
                .push(Problem::skipped(at, error.to_string()));
            return;
        }
    };
    let root_id = inventory.roots.get(root).map(|r| r.info.id.clone());
    if let Some(root_id) = &root_id {
        inventory.sources.push(SourceFacts {
            kind: format.kind().to_owned(),
            root: root_id.clone(),
            rel: rel.clone(),
            entries: parsed.packages.len() as u64,
        });
    }
    for (line, message) in parsed.problems {
        let at = line.map_or_else(|| shown.clone(), |line| format!("{shown}:{line}"));
        inventory.problems.push(Problem::partial(at, message));
    }
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    for mut finding in parsed.findings {
        finding.ecosystem = Some(id);
        finding.root.clone_from(&root_id);
        finding.rel = Some(rel.clone());
        let line = finding.location.as_ref().and_then(|l| l.line);
        finding.excerpt = line.and_then(|line| excerpt(&lines, line));
        finding.location = Some(Location {
            file: rel.clone(),
            line,
        });
        inventory.findings.push(finding);
    }
    let source = format!("lockfile:{rel}");
    let mut excerpts = BTreeMap::new();
    for package in &parsed.packages {
        for digest in &package.digests {
            if let Some(text) = excerpt(&lines, digest.line) {
                excerpts.insert(digest.line, text);
            }
        }
    }
    let packages = parsed
        .packages
        .into_iter()
        .map(|package| {
            let origin = origin(id, &package, registries, &source);
            let coordinate = Arc::new(Coordinate {
                ecosystem: id,
                name: Arc::clone(&package.name),
                version: Arc::clone(&package.version),
                origin,
            });
            Locked {
                package,
                coordinate,
            }
        })
        .collect();
    inventory.locks.push(Lock {
        ecosystem,
        root,
        rel,
        packages,
        own,
        excerpts,
        kind: format.kind(),
        extra: parsed.extra,
    });
}

/// The text of a line, bounded, for the picture under a finding.
fn excerpt(lines: &[&[u8]], line: u32) -> Option<String> {
    let at = usize::try_from(line).ok()?.checked_sub(1)?;
    let text = String::from_utf8_lossy(lines.get(at)?).into_owned();
    Some(text.chars().take(200).collect())
}

fn origin(
    id: EcosystemId,
    package: &LockedPackage,
    registries: &Registries,
    named_by: &str,
) -> Origin {
    match &package.source {
        LockedSource::Registry(address) => registries
            .meet(id, address, named_by)
            .map_or(Origin::Unknown, Origin::Registry),
        LockedSource::Default => registries
            .default_of(id)
            .map_or(Origin::Unknown, Origin::Registry),
        LockedSource::Git { url, commit } => Origin::Git {
            url: Arc::clone(url),
            commit: Arc::clone(commit),
        },
        LockedSource::Path => Origin::Path,
    }
}

/// The places of an ecosystem that were found.
fn named_places(id: EcosystemId, found: &Discovered, inventory: &Inventory) -> Vec<NamedPlace> {
    found
        .places
        .iter()
        .filter(|place| place.ecosystem.facts().id == id)
        .filter_map(|place| Some(named_place(place, inventory.roots.get(place.root)?)))
        .collect()
}

fn named_place(place: &FoundPlace, root: &OpenRoot) -> NamedPlace {
    NamedPlace {
        kind: place.kind,
        path: root.path.clone(),
        named_by: place.named_by.clone(),
        stands_for: place.stands_for.clone(),
    }
}

/// What the lockfiles of an ecosystem name.
fn wanted(ecosystem: &dyn Ecosystem, inventory: &Inventory) -> Wanted {
    let id = ecosystem.facts().id;
    let mut wanted = Wanted::default();
    for lock in inventory
        .locks
        .iter()
        .filter(|l| l.ecosystem.facts().id == id)
    {
        if let Own::Held(held) = &lock.own {
            wanted.first_party.extend(held.folders.iter().cloned());
            for path in &held.audited {
                let key = (Arc::clone(&path.name), Arc::clone(&path.version));
                wanted.names.insert(Arc::clone(&path.name));
                wanted.packages.insert(key);
            }
        }
        for locked in &lock.packages {
            match &locked.coordinate.origin {
                origin @ (Origin::Registry(_) | Origin::Unknown) => {
                    let name = Arc::clone(&locked.coordinate.name);
                    let key = (Arc::clone(&name), Arc::clone(&locked.coordinate.version));
                    if let Origin::Registry(registry) = origin {
                        let first = wanted.registries.entry(key.clone());
                        let first = Arc::clone(first.or_insert_with(|| Arc::clone(registry)));
                        if first.fingerprint != registry.fingerprint {
                            let rivals = wanted.rivals.entry(key.clone());
                            let rivals = rivals.or_insert_with(|| vec![first]);
                            if rivals.iter().all(|r| r.fingerprint != registry.fingerprint) {
                                rivals.push(Arc::clone(registry));
                            }
                        }
                    }
                    wanted.packages.insert(key);
                    wanted.names.insert(name);
                }
                Origin::Git { url, commit } => {
                    wanted.git.insert((Arc::clone(url), Arc::clone(commit)));
                    wanted.git_packages.insert((
                        Arc::clone(url),
                        Arc::clone(commit),
                        Arc::clone(&locked.coordinate.name),
                        Arc::clone(&locked.coordinate.version),
                    ));
                }
                Origin::Path => {}
            }
        }
    }
    wanted
}

/// Adds what belongs to a finding's lock line.
pub fn picture(inventory: &Inventory, finding: &mut Finding) {
    let Some(location) = &finding.location else {
        return;
    };
    let Some(line) = location.line else { return };
    let lock = inventory.locks.iter().find(|l| l.rel == location.file);
    finding.excerpt = lock.and_then(|l| l.excerpts.get(&line).cloned());
}
