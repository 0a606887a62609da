//! What a scan hands to healing: the subjects that are not well, with what is known of them.
//!
//! Made from checks, rows and findings of one run; holds no judgement of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ecosystems::contract::{Binding, Ecosystem, Healer, Remade, TreePart};
use crate::model::report::CheckRow;
use crate::model::{
    ArtifactId, Code, Coordinate, Digest, EcosystemId, Finding, Origin, Outcome, Place, Reason,
    RootId, text,
};
use crate::pipeline::flow::{Check, Inventory, PlacedUnit, Recent, Seen};
use crate::pipeline::knowledge::Sage;
use crate::pipeline::truth;

/// A subject that is not well.
#[derive(Clone)]
pub struct Ailing {
    /// Whose.
    pub ecosystem: EcosystemId,
    /// How its places are repaired; `None` if nobody can yet.
    pub healer: Option<&'static dyn Healer>,
    /// Root it lies in, by position.
    pub root: usize,
    /// Kind of the subject (`archive`, `tree`, `listing`).
    pub kind: &'static str,
    /// Path below the root.
    pub rel: PathBuf,
    /// Kind of place.
    pub place: Place,
    /// Package version, if bound.
    pub coordinate: Option<Arc<Coordinate>>,
    /// Its artifact, if bound.
    pub artifact: Option<Arc<ArtifactId>>,
    /// What became of it.
    pub outcome: Outcome,
    /// What its bytes hash to.
    pub observed: Option<Digest>,
    /// What a trusted claim says that its artifact must hash to.
    pub must: Option<Digest>,
    /// Whether somebody outside the cache, worth *published* or more, says that it is wrong.
    pub trusted: bool,
    /// Whether what was published under this name is itself the harm: nothing good can be fetched.
    pub unwanted: bool,
    /// How it appears, if it is an archive's tree.
    pub tree: Option<TreePart>,
    /// Whether the archive of its unit lies beside it.
    pub archived: bool,
    /// Archives of the same artifact, of a vendored copy: root by position, path below it.
    pub held: Vec<(usize, PathBuf)>,
    /// Folders of the units beside it, where the subject is the whole root.
    pub beside: Vec<PathBuf>,
    /// What it is a part of, where its tool makes all of that anew.
    pub remade: Option<Remade>,
    /// Packages that lockfiles take from it, of a git repository.
    pub packages: Vec<Arc<str>>,
    /// Trees of which the archives lie in the same root, and which lie behind it, where it is a link.
    pub behind: Vec<PathBuf>,
    /// What was found at it or, in a tree or a repository, below it; empty if all of it is waived.
    pub findings: Vec<Finding>,
    /// Lockfiles that name it, as shown.
    pub named_by: Vec<String>,
    /// Whether a project builds with exactly this version by a file outside the place.
    pub is_built: bool,
}

impl Ailing {
    /// Whether it is a link in the place of a folder that holds unpacked trees alone: what lies behind it is judged by
    /// nobody, and its tool unpacks all of it anew.
    pub fn is_link_above_trees(&self) -> bool {
        let above = |healer: &dyn Healer| healer.is_above_trees(&self.rel);
        is_link(self.kind) && self.place == Place::Cache && self.healer.is_some_and(above)
    }

    /// Whether it is a listing that its tool cannot use, and that can be had anew: without it nothing is built offline.
    pub fn is_torn_listing(&self) -> bool {
        let can_be_had = |healer: &dyn Healer, coordinate: &Coordinate| {
            healer.listing_request("", coordinate).is_some()
        };
        self.kind == "listing"
            && self.place == Place::Cache
            && self.outcome == Outcome::Unverifiable(Reason::Orphan)
            && self
                .healer
                .zip(self.coordinate.as_deref())
                .is_some_and(|(healer, coordinate)| can_be_had(healer, coordinate))
    }
}

/// A root, as healing needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Its name in reports.
    pub id: RootId,
    /// Its path, links resolved.
    pub path: PathBuf,
    /// Whether it holds what was built from the rest.
    pub build: bool,
    /// Whether it belongs to a project: nothing of ours is kept in it.
    pub project: bool,
    /// Whether neither this call nor what it scans names it: an earlier scan met it.
    pub unnamed: bool,
}

/// Everything that healing is handed by a scan.
#[derive(Default, Clone)]
pub struct Aftermath {
    /// Roots, by position.
    pub grounds: Vec<Ground>,
    /// What is not well, in the order of the checks.
    pub ailing: Vec<Ailing>,
    /// Everything that was found and is not waived.
    pub findings: Vec<Finding>,
    /// What a person should know beside, one line each; nothing of it is left to do.
    pub notes: Vec<String>,
}

/// Collects what is not well.
pub fn collect(
    inventory: &Inventory,
    checks: &[Check],
    rows: &[CheckRow],
    findings: &[Finding],
    sage: &Sage<'_>,
) -> Aftermath {
    let mut by_row: BTreeMap<(&RootId, &str, &str), &CheckRow> = BTreeMap::new();
    for row in rows {
        by_row.insert((&row.root, &row.rel, row.kind), row);
    }
    let mut by_place: BTreeMap<(&RootId, &str), Vec<&Finding>> = BTreeMap::new();
    let mut by_package: BTreeMap<(EcosystemId, &str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        if let (Some(root), Some(rel)) = (&finding.root, &finding.rel) {
            by_place.entry((root, rel)).or_default().push(finding);
        }
        if finding.code == Code::Malicious
            && let (Some(id), Some(name), Some(version)) =
                (finding.ecosystem, &finding.package, &finding.version)
        {
            let package = (id, &**name, &**version);
            by_package.entry(package).or_default().push(finding);
        }
    }
    let units = trees(inventory);
    let present: BTreeSet<(usize, &Path)> = checks
        .iter()
        .filter(|c| c.subject.kind == "archive" && !matches!(c.seen, Seen::Absent))
        .map(|c| (c.subject.root, &*c.subject.rel))
        .collect();
    let named = named_by(inventory);
    let mut aftermath = Aftermath {
        grounds: grounds(inventory),
        findings: findings
            .iter()
            .filter(|f| f.waived.is_none())
            .cloned()
            .collect(),
        ..Aftermath::default()
    };
    for check in checks {
        let subject = &check.subject;
        let Some(root) = inventory.roots.get(subject.root) else {
            continue;
        };
        let (rel, _) = text::percent(subject.rel.as_os_str().as_bytes());
        let Some(row) = by_row.get(&(&root.info.id, &*rel, subject.kind)) else {
            continue;
        };
        let ecosystem = ecosystem(inventory, subject.ecosystem);
        let healer = ecosystem.and_then(|e| e.healer());
        let remade = healer.and_then(|h| h.remade(subject.kind, &subject.rel));
        let id = &root.info.id;
        let at = |rel: &str| {
            let found = by_place.get(&(id, rel)).into_iter().flatten();
            found.map(|f| (*f).clone()).collect::<Vec<Finding>>()
        };
        let below = |rel: &str| {
            let (from, to) = (format!("{rel}/"), format!("{rel}0"));
            let found = by_place.range((id, &*from)..(id, &*to));
            let found = found.flat_map(|(_, all)| all.iter().copied().cloned());
            found.collect::<Vec<Finding>>()
        };
        let mut own = at(&rel);
        if (subject.kind == "tree" || remade.is_some()) && !rel.is_empty() {
            // What leads out of a tree lies in it.
            own.extend(below(&rel));
        }
        if let Some(remade) = &remade {
            let (source, _) = text::percent(remade.source.as_os_str().as_bytes());
            if source != rel {
                own.extend(at(&source));
                own.extend(below(&source));
            }
        }
        let malicious = subject.coordinate.as_ref().and_then(|c| {
            by_package
                .get(&(c.ecosystem, &*c.name, &*c.version))
                .filter(|_| subject.place == Place::Cache)
        });
        own.extend(malicious.into_iter().flatten().map(|f| (*f).clone()));
        // A repository may be equal to what was locked, and its settings make git run a program.
        let well = matches!(row.outcome, Outcome::Verified(_))
            && malicious.is_none()
            && (remade.is_none() || own.is_empty());
        // Of a lockfile nothing is moved: what is found in it is among the findings.
        if well || subject.place == Place::Lockfile {
            continue;
        }
        own.retain(|f| f.waived.is_none());
        let knowledge = subject.coordinate.as_ref().map(|c| {
            sage.knowledge(
                c,
                subject.artifact.as_deref().unwrap_or_default(),
                &Recent::new(),
            )
        });
        let claims = knowledge.map(|k| k.claims).unwrap_or_default();
        let trusted = truth::trusted_digests(&claims);
        let gone = own.iter().any(|f| f.code == Code::NeverPublished);
        let artifact = subject
            .coordinate
            .as_ref()
            .zip(subject.artifact.as_ref())
            .map(|(coordinate, file)| {
                Arc::new(ArtifactId {
                    coordinate: (**coordinate).clone(),
                    file: Arc::clone(file),
                })
            });
        let unit = units.get(&(subject.root, &*subject.rel)).copied();
        let one = (trusted.len() == 1)
            .then(|| trusted.first().copied())
            .flatten();
        aftermath.ailing.push(Ailing {
            ecosystem: subject.ecosystem,
            healer,
            root: subject.root,
            kind: subject.kind,
            rel: subject.rel.clone(),
            place: subject.place,
            named_by: subject
                .coordinate
                .as_ref()
                .map(|c| named_by_any(&named, c))
                .unwrap_or_default(),
            packages: match (&subject.coordinate, &remade) {
                (Some(coordinate), Some(_)) => packages(&named, coordinate),
                _ => Vec::new(),
            },
            remade,
            is_built: subject
                .coordinate
                .as_ref()
                .is_some_and(|c| is_built(inventory, subject.root, c)),
            coordinate: subject.coordinate.clone(),
            artifact: artifact.clone(),
            outcome: row.outcome,
            observed: row.observed,
            must: one.filter(|_| !gone && malicious.is_none()),
            // A listing is held against nothing but the registry's own answer.
            trusted: !trusted.is_empty()
                || subject.kind == "listing"
                || gone
                || own.iter().any(|f| by_log(f.code)),
            unwanted: gone || malicious.is_some(),
            archived: unit
                .and_then(|u| u.unit.archive.as_ref())
                .is_some_and(|archive| present.contains(&(subject.root, &*archive.rel))),
            tree: unit.and_then(|u| u.unit.tree.clone()),
            held: artifact
                .as_deref()
                .filter(|_| subject.place == Place::Vendor && subject.kind == "tree")
                .map(|artifact| held(inventory, artifact))
                .unwrap_or_default(),
            beside: beside(inventory, subject.root, &subject.rel),
            behind: ecosystem
                .and_then(|e| e.healer())
                .map(|healer| behind(inventory, healer, subject.root, &subject.rel))
                .filter(|_| is_link(subject.kind))
                .unwrap_or_default(),
            findings: own,
        });
    }
    aftermath
}

/// Whether a lockfile outside a root says that this version is built. A file that only lists hashes says so where it lists
/// no other version of the package, and no other file names the package.
fn is_built(inventory: &Inventory, root: usize, coordinate: &Coordinate) -> bool {
    let place = inventory.roots.get(root).map(|root| root.path.as_path());
    let same = |other: &Coordinate| {
        other.ecosystem == coordinate.ecosystem && other.name == coordinate.name
    };
    let (mut built, mut listed) = (BTreeSet::new(), BTreeSet::new());
    for lock in &inventory.locks {
        let folder = inventory.roots.get(lock.root).map(|root| &root.path);
        let inside = folder
            .zip(place)
            .is_some_and(|(folder, place)| folder.join(&lock.rel).starts_with(place));
        if inside {
            continue;
        }
        for locked in lock.packages.iter().filter(|p| same(&p.coordinate)) {
            let versions = if locked.package.built {
                &mut built
            } else {
                &mut listed
            };
            let file = &*locked.package.file;
            let whole = !file.is_empty() && !file.ends_with(".mod");
            if locked.package.built || whole {
                versions.insert(Arc::clone(&locked.coordinate.version));
            }
        }
    }
    if built.is_empty() {
        return listed.len() == 1 && listed.contains(&coordinate.version);
    }
    built.contains(&coordinate.version)
}

/// Where archives of an artifact lie.
fn held(inventory: &Inventory, artifact: &ArtifactId) -> Vec<(usize, PathBuf)> {
    let same =
        |u: &&PlacedUnit| matches!(&u.unit.binding, Binding::Artifact(a) if **a == *artifact);
    let units = inventory.units.iter().filter(same);
    units
        .filter_map(|u| Some((u.root, u.unit.archive.as_ref()?.rel.clone())))
        .collect()
}

/// Trees of the other units of a root, for a subject that is the root itself.
fn beside(inventory: &Inventory, root: usize, rel: &Path) -> Vec<PathBuf> {
    if !rel.as_os_str().is_empty() {
        return Vec::new();
    }
    let units = inventory.units.iter().filter(|u| u.root == root);
    units
        .filter_map(|u| Some(u.unit.tree.as_ref()?.rel.clone()))
        .collect()
}

/// Whether a subject of this kind is a link in the place of a tool's own folder.
fn is_link(kind: &str) -> bool {
    matches!(kind, "link" | "registry-folder")
}

/// Trees of the archives of a root that lie behind a link in it.
fn behind(inventory: &Inventory, healer: &dyn Healer, root: usize, rel: &Path) -> Vec<PathBuf> {
    let units = inventory.units.iter().filter(|u| u.root == root);
    let trees = units.filter_map(|u| healer.tree_of(&u.unit.archive.as_ref()?.rel));
    trees.filter(|tree| tree.starts_with(rel)).collect()
}

/// What the log itself denies.
const fn by_log(code: Code) -> bool {
    matches!(code, Code::LogRecordForged | Code::LogTileForged)
}

fn grounds(inventory: &Inventory) -> Vec<Ground> {
    let built = |at: usize| {
        inventory
            .units
            .iter()
            .any(|u| u.root == at && u.unit.place == Place::Build)
    };
    inventory
        .roots
        .iter()
        .enumerate()
        .map(|(at, root)| Ground {
            id: root.info.id.clone(),
            path: root.path.clone(),
            build: built(at),
            unnamed: false,
            project: !inventory.cache_roots.iter().any(|(cache, _)| *cache == at),
        })
        .collect()
}

fn ecosystem(inventory: &Inventory, id: EcosystemId) -> Option<&'static dyn Ecosystem> {
    inventory
        .units
        .iter()
        .map(|u| u.ecosystem)
        .find(|e| e.facts().id == id)
}

/// Units by the place of their tree.
fn trees(inventory: &Inventory) -> BTreeMap<(usize, &Path), &PlacedUnit> {
    let units = inventory.units.iter();
    units
        .filter_map(|u| Some(((u.root, &*u.unit.tree.as_ref()?.rel), u)))
        .collect()
}

/// Whether two packages come from one commit of one repository.
fn is_beside(one: &Coordinate, other: &Coordinate) -> bool {
    matches!(one.origin, Origin::Git { .. }) && one.origin == other.origin
}

/// Lockfiles that name a package, or one of the same commit.
fn named_by_any(
    named: &BTreeMap<&Coordinate, Vec<String>>,
    coordinate: &Coordinate,
) -> Vec<String> {
    let mut files = named.get(coordinate).cloned().unwrap_or_default();
    let beside = named.iter().filter(|(c, _)| is_beside(c, coordinate));
    files.extend(beside.flat_map(|(_, files)| files.iter().cloned()));
    files.sort();
    files.dedup();
    files
}

/// Names of the packages that lockfiles take from the commit that this one is of.
fn packages(named: &BTreeMap<&Coordinate, Vec<String>>, coordinate: &Coordinate) -> Vec<Arc<str>> {
    let beside = named.keys().filter(|c| is_beside(c, coordinate));
    let names: BTreeSet<Arc<str>> = beside.map(|c| Arc::clone(&c.name)).collect();
    names.into_iter().collect()
}

/// Lockfiles that name a package, as shown.
fn named_by(inventory: &Inventory) -> BTreeMap<&Coordinate, Vec<String>> {
    let mut all: BTreeMap<&Coordinate, Vec<String>> = BTreeMap::new();
    for lock in &inventory.locks {
        let Some(root) = inventory.roots.get(lock.root) else {
            continue;
        };
        let path = root.path.join(&lock.rel).display().to_string();
        for package in &lock.packages {
            let files = all.entry(&package.coordinate).or_default();
            if !files.contains(&path) {
                files.push(path.clone());
            }
        }
    }
    for files in all.values_mut() {
        files.sort();
    }
    all
}
