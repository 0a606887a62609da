//! What is to be done, from what a scan found: a pure function, so that the dry run shows what will happen.
//!
//! Acts on what is tainted by the word of somebody outside the cache worth *published* or more, on what was published
//! nowhere, and on what is malicious as published; on git checkouts that differ from their commit, and on repositories
//! whose objects, settings or hooks are not as their tool makes them; on what nobody can vouch for only when told to. Everything else that
//! was found is left to the user, with the words that the finding has for it.

mod chosen;
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::chosen::is_for_us;
pub use self::chosen::is_healings;
use self::places::{entry_path, spoiled, strays};
use super::record::Role;
use crate::ecosystems::contract::{DerivedPart, Healer, Projection, TreePart};
use crate::model::{ArtifactId, Coordinate, Digest, EntryKind, Finding, Place, Reason, text};
use crate::pipeline::ailing::{Aftermath, Ailing};

/// What the user chose.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only these findings; empty for all.
    pub only: BTreeSet<String>,
    /// Also what nobody can vouch for, and what is in conflict.
    pub purge_unverified: bool,
    /// Reasons for which something may stay unverifiable.
    pub allowed: BTreeSet<Reason>,
    /// Nothing is fetched.
    pub evict: bool,
    /// Also what belongs to a project: vendored copies, local registries.
    pub project: bool,
}

/// What is to be done.
#[derive(Default)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is left to the user.
    pub by_hand: Vec<Finding>,
}

/// One transaction.
#[derive(Clone)]
pub struct Step {
    /// Ecosystem.
    pub ecosystem: String,
    /// Package and version, or the path where it is none.
    pub package: String,
    /// What it answers.
    pub findings: Vec<Finding>,
    /// What is moved away.
    pub moves: Vec<Planned>,
    /// What is put in place.
    pub wanted: Vec<Wanted>,
    /// Copies in a project of which single files are put right.
    pub copies: Vec<Copy>,
    /// Why nothing is put in place of an archive, where that is known beforehand.
    pub nothing_good: Option<&'static str>,
    /// Why heal cannot put anything in place of what it moves, though its tool can.
    pub unfetched: Option<&'static str>,
    /// Lock files in the order in which they are taken: root, path below it.
    pub locks: Vec<(usize, PathBuf)>,
    /// Files that say to the owning tool that something is not whole, while it is so: root, path below it.
    pub marks: Vec<(usize, PathBuf)>,
    /// The artifact that it is about, and what its archive must hash to.
    pub good: Option<(Arc<ArtifactId>, Digest)>,
    /// How the archive appears in its tree.
    pub projection: Option<&'static dyn Projection>,
    /// Lockfiles that name it.
    pub named_by: Vec<String>,
    /// Unpacked trees that something may have been built from: root, path below it.
    pub trees: Vec<(usize, PathBuf)>,
    /// Packages that are known to lie in them, beside what their names say.
    pub packages: Vec<Arc<str>>,
    /// Package versions that it is about.
    pub about: BTreeSet<Arc<Coordinate>>,
    /// What of the moves is a program or a library that somebody runs or links: root, path below it.
    pub products: BTreeSet<(usize, PathBuf)>,
    healer: &'static dyn Healer,
}

/// Something that is to be moved away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planned {
    /// Root, by position.
    pub root: usize,
    /// Path below it.
    pub rel: PathBuf,
    /// Why.
    pub role: Role,
    /// What a good one hashes to: found there, it stays.
    pub good: Option<Digest>,
}

/// A copy of an archive in a project, which belongs to the user: what is right in it stays.
#[derive(Clone)]
pub struct Copy {
    /// Root, by position.
    pub root: usize,
    /// Of which artifact.
    pub artifact: Arc<ArtifactId>,
    /// What the archive must hash to.
    pub digest: Digest,
    /// Where it lies, and how the archive appears there.
    pub tree: TreePart,
    /// Where caches hold the archive, verified before it is used: root by position, path below it.
    pub held: Vec<(usize, PathBuf)>,
}

/// Something good that is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// An archive.
    Archive {
        /// Root, by position.
        root: usize,
        /// Path below it.
        rel: PathBuf,
        /// Which.
        artifact: Arc<ArtifactId>,
        /// What it must hash to.
        digest: Digest,
    },
    /// A part that nobody needs to be asked for.
    Known {
        /// Root, by position.
        root: usize,
        /// Path below it.
        rel: PathBuf,
        /// What it holds.
        bytes: Vec<u8>,
    },
    /// A cached listing.
    Listing {
        /// Root, by position.
        root: usize,
        /// Path below it.
        rel: PathBuf,
        /// Of which package.
        coordinate: Arc<Coordinate>,
    },
}

impl Wanted {
    /// Where it goes: root, path below it.
    pub fn place(&self) -> (usize, &Path) {
        match self {
            Self::Archive { root, rel, .. }
            | Self::Known { root, rel, .. }
            | Self::Listing { root, rel, .. } => (*root, rel),
        }
    }
}

/// Makes the plan.
pub fn plan(aftermath: &Aftermath, choice: &Choice) -> Plan {
    let mut groups: BTreeMap<(usize, String), Vec<&Ailing>> = BTreeMap::new();
    let mut plan = Plan::default();
    for ailing in &aftermath.ailing {
        let key = match (&ailing.artifact, &ailing.remade) {
            (Some(artifact), None) if ailing.kind != "listing" => {
                format!("{} {}", artifact.coordinate.name, artifact.file)
            }
            (_, Some(remade)) => remade.source.to_string_lossy().into_owned(),
            _ => ailing.rel.to_string_lossy().into_owned(),
        };
        groups.entry((ailing.root, key)).or_default().push(ailing);
    }
    for group in groups.into_values() {
        let chosen: Vec<&Ailing> = group
            .iter()
            .copied()
            .filter(|a| is_for_us(a, choice))
            .collect();
        if let Some(healer) = chosen.first().and_then(|first| first.healer) {
            plan.steps.push(step(&group, &chosen, healer, choice));
        }
    }
    let answered: BTreeSet<&str> = plan
        .steps
        .iter()
        .flat_map(|s| s.findings.iter().map(|f| &*f.id))
        .collect();
    plan.by_hand = aftermath
        .findings
        .iter()
        .filter(|f| is_healings(f) && !answered.contains(&*f.id))
        .cloned()
        .collect();
    plan
}

/// A vendored copy whose archive is known: only what differs from that is touched.
fn copy(ailing: &Ailing) -> Option<Copy> {
    let vendored = ailing.place == Place::Vendor && ailing.kind == "tree" && !ailing.unwanted;
    Some(Copy {
        root: ailing.root,
        artifact: Arc::clone(ailing.artifact.as_ref().filter(|_| vendored)?),
        digest: ailing.must?,
        tree: ailing.tree.clone()?,
        held: ailing.held.clone(),
    })
}

/// What is moved of an ailing subject, as far as the scan has named it.
fn moved(ailing: &Ailing, evict: bool) -> BTreeSet<PathBuf> {
    if ailing.rel.as_os_str().is_empty() {
        return strays(ailing);
    }
    let cut = |f: &Finding| usize::try_from(f.entries_total).is_ok_and(|n| n > f.entries.len());
    if copy(ailing).is_none() || (evict && ailing.findings.iter().any(cut)) {
        return BTreeSet::from([ailing.rel.clone()]);
    }
    let entries = ailing.findings.iter().flat_map(|f| &f.entries);
    entries
        .filter(|entry| entry.kind != EntryKind::Missing)
        .map(|entry| ailing.rel.join(entry_path(&entry.path, entry.path_escaped)))
        .collect()
}

fn step(
    group: &[&Ailing],
    chosen: &[&Ailing],
    healer: &'static dyn Healer,
    choice: &Choice,
) -> Step {
    let mut moves = BTreeMap::new();
    let mut wanted = Vec::new();
    let mut copies = Vec::new();
    let mut trees = BTreeSet::new();
    let mut nothing_good = None;
    let whole = chosen.iter().any(|a| a.kind == "archive");
    let spoiled = spoiled(chosen);
    if let (Some(remade), Some(first)) = (&spoiled, group.first()) {
        // What was copied from it may be as bad, and what its hooks did nobody knows.
        moves.insert((first.root, remade.source.clone()), (Role::Tainted, None));
        moves.insert((first.root, remade.copies.clone()), (Role::Follows, None));
        trees.insert((first.root, remade.copies.clone()));
    }
    for ailing in group {
        let own = chosen.iter().any(|c| std::ptr::eq(*c, *ailing));
        if ailing.remade.is_some() {
            if own && spoiled.is_none() {
                moves.insert((ailing.root, ailing.rel.clone()), (Role::Tainted, None));
                trees.insert((ailing.root, ailing.rel.clone()));
            }
            continue;
        }
        // Beside an archive that goes, a tree that was not verified goes too.
        let follows = whole && ailing.kind == "tree" && !ailing.rel.as_os_str().is_empty();
        if !own && !follows {
            continue;
        }
        let role = if own { Role::Tainted } else { Role::Follows };
        let good = ailing.must.filter(|_| ailing.kind == "archive");
        for rel in moved(ailing, choice.evict) {
            moves.insert((ailing.root, rel), (role, good));
        }
        if ailing.kind == "archive" {
            trees.extend(healer.tree_of(&ailing.rel).map(|tree| (ailing.root, tree)));
        } else if ailing.kind == "tree" {
            trees.insert((ailing.root, ailing.rel.clone()));
        }
        trees.extend(ailing.behind.iter().map(|tree| (ailing.root, tree.clone())));
        if choice.evict {
            continue;
        }
        if let Some(copy) = copy(ailing) {
            copies.push(copy);
            continue;
        }
        if ailing.kind == "tree" {
            // Without its archive a tool could not make the tree anew, offline.
            if !ailing.archived && !whole {
                wanted.extend(archive_of(ailing, healer));
            }
            continue;
        }
        match replacement(ailing, healer) {
            Some(good) => wanted.push(good),
            None if ailing.unwanted => {
                nothing_good = Some(
                    "what goes by this name was never published, or is malicious as published",
                );
            }
            None if ailing.kind == "archive" => {
                nothing_good = Some("nobody vouches for what it must be");
            }
            None => {}
        }
    }
    let mut findings: Vec<Finding> = group.iter().flat_map(|a| a.findings.clone()).collect();
    findings.sort_by(|a, b| (a.code, &a.id).cmp(&(b.code, &b.id)));
    findings.dedup_by(|a, b| a.id == b.id);
    let mut named_by: Vec<String> = group.iter().flat_map(|a| a.named_by.clone()).collect();
    named_by.sort();
    named_by.dedup();
    let (mut locks, mut marks) = (Vec::new(), Vec::new());
    let cached = chosen.iter().any(|a| a.place == Place::Cache);
    for (root, rel) in moves.keys().filter(|_| cached) {
        for lock in healer.locks(rel) {
            if !locks.contains(&(*root, lock.clone())) {
                locks.push((*root, lock));
            }
        }
        marks.extend(healer.marks(rel).into_iter().map(|mark| (*root, mark)));
    }
    marks.sort();
    marks.dedup();
    let packages: BTreeSet<Arc<str>> = group.iter().flat_map(|a| a.packages.clone()).collect();
    Step {
        ecosystem: group
            .first()
            .map(|a| a.ecosystem.as_str().to_owned())
            .unwrap_or_default(),
        package: group.first().map(|a| title(a)).unwrap_or_default(),
        findings,
        moves: moves
            .into_iter()
            .map(|((root, rel), (role, good))| Planned {
                root,
                rel,
                role,
                good,
            })
            .collect(),
        wanted,
        copies,
        nothing_good,
        unfetched: spoiled.map(|remade| remade.unfetched),
        locks,
        marks,
        good: group
            .iter()
            .find_map(|a| Some((Arc::clone(a.artifact.as_ref()?), a.must?))),
        projection: group
            .iter()
            .find_map(|a| a.tree.as_ref().map(|t| t.projection)),
        named_by,
        trees: trees.into_iter().collect(),
        packages: packages.into_iter().collect(),
        about: chosen.iter().filter_map(|a| a.coordinate.clone()).collect(),
        products: BTreeSet::new(),
        healer,
    }
}

/// The archive that a tree is made anew from, where the cache does not hold it.
fn archive_of(ailing: &Ailing, healer: &'static dyn Healer) -> Option<Wanted> {
    let wanted = ailing.place == Place::Cache && !ailing.unwanted;
    Some(Wanted::Archive {
        root: ailing.root,
        rel: healer.archive_of(&ailing.rel).filter(|_| wanted)?,
        artifact: Arc::clone(ailing.artifact.as_ref()?),
        digest: ailing.must?,
    })
}

/// What can be had in place of a part.
fn replacement(ailing: &Ailing, healer: &'static dyn Healer) -> Option<Wanted> {
    let (root, rel) = (ailing.root, ailing.rel.clone());
    if ailing.unwanted {
        return None;
    }
    if ailing.kind == "listing" {
        let coordinate = Arc::clone(ailing.coordinate.as_ref()?);
        return Some(Wanted::Listing {
            root,
            rel,
            coordinate,
        });
    }
    let digest = ailing.must?;
    if let Some(bytes) = healer.known_bytes(ailing.kind, &digest) {
        return Some(Wanted::Known { root, rel, bytes });
    }
    let artifact = Arc::clone(ailing.artifact.as_ref()?);
    Some(Wanted::Archive {
        root,
        rel,
        artifact,
        digest,
    })
}

fn title(ailing: &Ailing) -> String {
    match &ailing.coordinate {
        Some(coordinate) if coordinate.version.is_empty() => text::printable(&coordinate.name),
        Some(coordinate) => text::printable(&coordinate.to_string()),
        None if ailing.rel.as_os_str().is_empty() => "what belongs to no module".to_owned(),
        None => text::printable(&ailing.rel.to_string_lossy()),
    }
}

impl Step {
    /// How its ecosystem is repaired.
    pub fn healer(&self) -> &'static dyn Healer {
        self.healer
    }

    /// Adds what was built from its trees in the build folder that is this root.
    pub fn reach(&mut self, root: usize, parts: &[DerivedPart]) {
        let mut known: BTreeSet<Planned> = self.moves.iter().cloned().collect();
        for part in parts {
            let planned = Planned {
                root,
                rel: part.rel.clone(),
                role: Role::Derived,
                good: None,
            };
            if known.insert(planned.clone()) {
                self.moves.push(planned);
            }
            if part.product {
                self.products.insert((root, part.rel.clone()));
            }
            let lock = (root, part.lock.clone());
            if !part.lock.as_os_str().is_empty() && !self.locks.contains(&lock) {
                self.locks.push(lock);
            }
        }
    }
}
