//! Which units of a build folder a tainted crate has reached, and everything that they left there.
//!
//! A unit is reached if its `.d` file names the crate's tree, if it is of the crate's package and no `.d` file says that it
//! was made from another version, or if its fingerprint says that it was built with a reached one. Fingerprints lie where
//! build scripts can write, and cargo never compares what they list as dependencies. So beside a unit of the crate whatever
//! cannot be shown to be clean counts as reached: all of the user's own code in that workspace, every unit that is newer
//! than it, one without a whole fingerprint, one that was built with something that is gone, a final artifact of no clean
//! unit. Cargo builds all of it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::ecosystems::contract::{Derived, DerivedPart, Unclear};

use super::sources::Sources;
use super::units::{Map, Piece, Unit, incremental_crate};

/// Everything that was made from these trees.
pub(super) fn reached(map: Map, sources: &Sources) -> Derived {
    let from = Spread::over(&map, sources);
    let mut derived = Derived::default();
    if !from.units.is_empty() {
        for (piece, tree) in pieces(&map, &from) {
            let Some(profile) = map.profiles.get(piece.profile) else {
                continue;
            };
            if map.marked(profile.group) {
                derived.parts.push((
                    profile.build,
                    DerivedPart {
                        rel: piece.rel.clone(),
                        from: tree,
                        lock: profile.rel.join(".cargo-lock"),
                        product: is_product(piece),
                    },
                ));
            } else {
                derived.unclear.push(Unclear {
                    build: profile.build,
                    rel: piece.rel.clone(),
                    why: "it was built from it, in a folder that lacks the marks of a build folder (CACHEDIR.TAG)",
                    tainted: true,
                });
            }
        }
        derived.unclear.extend(linked(&map, &derived.parts));
        derived.ran = ran(&map, &from);
    }
    derived.unclear.extend(orphans(&map));
    derived.parts.sort();
    derived.parts.dedup();
    derived.unclear.extend(map.unclear);
    derived.unclear.sort();
    derived.unclear.dedup();
    derived
}

/// Whether it is what a user runs or links.
fn is_product(piece: &Piece) -> bool {
    let dep_info = piece.rel.extension().is_some_and(|e| e == "d");
    piece.unit.is_none() && piece.object && !dep_info && incremental_crate(&piece.rel).is_none()
}

/// Where build scripts of the crates themselves were run.
fn ran(map: &Map, from: &Spread) -> Vec<(usize, PathBuf)> {
    let units = map.units.iter().enumerate();
    let ran = units.filter(|(at, _)| from.seeds.contains(at));
    let mut all: Vec<(usize, PathBuf)> = ran
        .filter_map(|(_, unit)| {
            let profile = map.profiles.get(unit.profile)?;
            Some((profile.build, unit.ran.clone()?))
        })
        .collect();
    all.sort();
    all
}

/// Reached units, each with the tree that reached it first.
struct Spread {
    units: BTreeMap<usize, usize>,
    /// Those of the crates themselves.
    seeds: BTreeSet<usize>,
}

impl Spread {
    fn over(map: &Map, sources: &Sources) -> Self {
        let mut by_print: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut known: BTreeSet<u64> = BTreeSet::new();
        for (at, unit) in map.units.iter().enumerate() {
            known.extend(&unit.prints);
            for (_, print) in &unit.edges {
                by_print.entry(*print).or_default().push(at);
            }
        }
        let mut spread = Self {
            units: BTreeMap::new(),
            seeds: BTreeSet::new(),
        };
        for (at, unit) in map.units.iter().enumerate() {
            if let Some(tree) = seeded(map, unit, sources) {
                spread.units.insert(at, tree);
            }
        }
        spread.seeds.extend(spread.units.keys());
        let (since, own) = (spread.since(map), own(map));
        let mut open: Vec<usize> = spread.units.keys().copied().collect();
        loop {
            while let Some(at) = open.pop() {
                let tree = spread.units.get(&at).copied().unwrap_or_default();
                let prints = map.units.get(at).into_iter().flat_map(|u| &u.prints);
                for next in prints.filter_map(|print| by_print.get(print)).flatten() {
                    if !spread.units.contains_key(next) {
                        spread.units.insert(*next, tree);
                        open.push(*next);
                    }
                }
            }
            // What stands beside a reached unit, and cannot be shown to be clean.
            let groups = spread.groups(map);
            for (at, unit) in map.units.iter().enumerate() {
                let Some(tree) = groups.get(&group(map, unit.profile)) else {
                    continue;
                };
                let cut = unit.edges.iter().any(|(_, print)| !known.contains(print));
                let since = since.get(&group(map, unit.profile));
                let newer = since.is_some_and(|since| unit.made.until() >= Some(*since));
                let unsure = !unit.known || cut || newer || own.contains(&at);
                if unsure && !spread.units.contains_key(&at) {
                    spread.units.insert(at, *tree);
                    open.push(at);
                }
            }
            if open.is_empty() {
                return spread;
            }
        }
    }

    /// Workspaces that hold a unit of the crates themselves, each with the time from which on others could be built with it.
    fn since(&self, map: &Map) -> BTreeMap<usize, i128> {
        let mut all: BTreeMap<usize, i128> = BTreeMap::new();
        for unit in self.seeds.iter().filter_map(|at| map.units.get(*at)) {
            if let Some(since) = unit.made.since() {
                let first = all.entry(group(map, unit.profile)).or_insert(since);
                *first = since.min(*first);
            }
        }
        all
    }

    /// Workspaces that hold a reached unit, each with the tree that reached it.
    fn groups(&self, map: &Map) -> BTreeMap<usize, usize> {
        let mut groups = BTreeMap::new();
        for (at, tree) in &self.units {
            if let Some(unit) = map.units.get(*at) {
                groups.entry(group(map, unit.profile)).or_insert(*tree);
            }
        }
        groups
    }
}

fn group(map: &Map, profile: usize) -> usize {
    map.profiles.get(profile).map_or(usize::MAX, |p| p.group)
}

/// Units of the user's own code: their `.d` files name nothing that cargo fetched. What has no `.d` file is of the same
/// package.
fn own(map: &Map) -> BTreeSet<usize> {
    let package = |unit: &Unit| Some((group(map, unit.profile), unit.package.clone()?));
    let all = || map.units.iter().enumerate();
    let packages: BTreeSet<(usize, String)> = all()
        .filter(|(_, unit)| unit.says.own)
        .filter_map(|(_, unit)| package(unit))
        .collect();
    let is_own =
        |unit: &Unit| unit.says.own || package(unit).is_some_and(|p| packages.contains(&p));
    all()
        .filter(|(_, unit)| is_own(unit))
        .map(|(at, _)| at)
        .collect()
}

/// The tree that a unit was made from, or may have been.
fn seeded(map: &Map, unit: &Unit, sources: &Sources) -> Option<usize> {
    if let Some(tree) = unit.says.trees.first() {
        return Some(*tree);
    }
    let of = |package: &str| {
        let tree = sources.of_package(package).next()?;
        (!unit.says.is_other(package) && !ran_other(map, unit, package)).then_some(tree)
    };
    if let Some(package) = &unit.package {
        return of(package).or_else(|| missing(map, unit, sources));
    }
    // Without a fingerprint there is only the crate's name.
    let named = sources.packages().iter().find(|(package, _)| {
        let spelled = package.replace('-', "_");
        unit.names.contains(&spelled)
    });
    named.and_then(|(package, _)| of(package))
}

/// A build script that ran has no `.d` file of its own: it is of the version that the script was built from.
fn ran_other(map: &Map, unit: &Unit, package: &str) -> bool {
    !unit.says.any()
        && map.units.iter().any(|other| {
            other.package.as_deref() == Some(package)
                && other.says.is_other(package)
                && unit.edges.iter().any(|(_, p)| other.prints.contains(p))
        })
}

/// A unit that was built with the crate, of which nothing is there any more.
fn missing(map: &Map, unit: &Unit, sources: &Sources) -> Option<usize> {
    unit.edges.iter().find_map(|(name, print)| {
        let mut all = sources.packages().iter();
        let (_, at) = all.find(|(p, _)| p.replace('-', "_") == *name)?;
        let gone = map.units.iter().all(|other| !other.prints.contains(print));
        gone.then_some(*at)
    })
}

/// What reached units left: all that carries their hash, and final artifacts and incremental folders of their names.
fn pieces<'a>(map: &'a Map, from: &Spread) -> Vec<(&'a Piece, usize)> {
    let groups = from.groups(map);
    let (dirty, all) = (Names::of(map, Some(from)), Names::of(map, None));
    let apart = apart(map);
    let reached = |piece: &Piece| {
        if let Some(unit) = piece.unit {
            return from.units.get(&unit).copied();
        }
        let group = groups.get(&group(map, piece.profile)).copied();
        if let Some(name) = incremental_crate(&piece.rel) {
            return dirty.names.get(name).copied().filter(|_| group.is_some());
        }
        if let Some(tree) = piece.id.and_then(|id| dirty.ids.get(&id)) {
            return Some(*tree);
        }
        let meant = group.is_some() || apart.contains(&piece.profile);
        // Whatever is reached has been told by now.
        if all.links(piece) || !meant {
            return None;
        }
        match (dirty.names.get(&*piece.name), group) {
            (Some(tree), _) => Some(*tree),
            (None, Some(tree)) if piece.object && !all.names.contains_key(&*piece.name) => {
                Some(tree)
            }
            _ => None,
        }
    };
    map.pieces
        .iter()
        .filter_map(|piece| Some((piece, reached(piece)?)))
        .collect()
}

/// Profiles without a unit: with `build-dir` they hold the final artifacts alone.
fn apart(map: &Map) -> BTreeSet<usize> {
    let units: BTreeSet<usize> = map.units.iter().map(|u| u.profile).collect();
    (0..map.profiles.len())
        .filter(|profile| !units.contains(profile))
        .collect()
}

/// Final artifacts that were linked from a build folder that nobody knows.
fn orphans(map: &Map) -> Vec<Unclear> {
    let all = Names::of(map, None);
    let apart = apart(map);
    let is_orphan = |piece: &&Piece| {
        let dep_info = piece.rel.extension().is_some_and(|e| e == "d");
        let known = all.names.contains_key(&*piece.name) || all.links(piece);
        piece.object && !dep_info && apart.contains(&piece.profile) && !known
    };
    let orphans = map.pieces.iter().filter(is_orphan);
    let told = orphans.filter_map(|piece| {
        let profile = map.profiles.get(piece.profile)?;
        map.marked(profile.group).then(|| Unclear {
            build: profile.build,
            rel: piece.rel.clone(),
            why: "it was linked from a build folder that is not known: name that one with --target-dir, or remove this",
            tainted: false,
        })
    });
    told.collect()
}

#[derive(Default)]
struct Names<'a> {
    ids: BTreeMap<(u64, u64), usize>,
    names: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    /// Of reached units, or of all.
    fn of(map: &'a Map, reached: Option<&Spread>) -> Self {
        let mut all = Self::default();
        let tree = |unit: usize| match reached {
            Some(spread) => spread.units.get(&unit).copied(),
            None => Some(0),
        };
        for piece in &map.pieces {
            if let Some(tree) = piece.unit.and_then(tree) {
                all.ids.extend(piece.id.map(|id| (id, tree)));
            }
        }
        for (at, unit) in map.units.iter().enumerate() {
            if let Some(tree) = tree(at) {
                for name in &unit.names {
                    all.names.entry(name).or_insert(tree);
                }
            }
        }
        all
    }

    /// Whether a file is a further name of one of theirs.
    fn links(&self, piece: &Piece) -> bool {
        piece.links > 1 && piece.id.is_some_and(|id| self.ids.contains_key(&id))
    }
}

/// Final artifacts with further names that are not in these folders.
fn linked(map: &Map, parts: &[(usize, DerivedPart)]) -> Vec<Unclear> {
    let mut seen: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for id in map.pieces.iter().filter_map(|piece| piece.id) {
        *seen.entry(id).or_default() += 1;
    }
    let taken: BTreeSet<(usize, &std::path::Path)> =
        parts.iter().map(|(b, p)| (*b, &*p.rel)).collect();
    let mut found = Vec::new();
    for piece in map.pieces.iter().filter(|p| p.unit.is_none()) {
        let (Some(id), Some(profile)) = (piece.id, map.profiles.get(piece.profile)) else {
            continue;
        };
        let more = piece.links > seen.get(&id).copied().unwrap_or_default();
        if more && taken.contains(&(profile.build, &*piece.rel)) {
            found.push(Unclear {
                build: profile.build,
                rel: piece.rel.clone(),
                why: "it was built from it, and has further names (hard links) elsewhere: find them with `find / -xdev -samefile`",
                tainted: true,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests;
