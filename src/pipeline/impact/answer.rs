//! The answer: places, what was built from them, what lies in the quarantine.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::query::Wanted;
use crate::ecosystems::contract::SourceTree;
use crate::model::{Problem, shell};
use crate::trust::sightings::{self, Found, Scan, Search, Sighting};
use crate::world::{Dir, ReadFs, RootDir, Stat, StateDir};

/// Most places and built parts that an answer names; the rest is counted.
const MOST: usize = 10_000;

/// Something that lies in the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// When it was taken, seconds since 1970.
    pub at: i64,
    /// Its name in the quarantine.
    pub id: String,
    /// Ecosystem.
    pub ecosystem: String,
    /// Package name.
    pub package: String,
    /// Package version.
    pub version: String,
    /// Codes of the findings that it answered.
    pub codes: Vec<String>,
    /// Ids of these findings.
    pub findings: Vec<String>,
    /// What its files hash to, `sha256:<hex>`.
    pub digests: Vec<String>,
    /// Where it was.
    pub was: Vec<PathBuf>,
}

/// What an answer is made from.
pub struct Asked<'a> {
    /// Our state.
    pub state: &'a dyn StateDir,
    /// To see whether a place is still there.
    pub fs: &'a dyn ReadFs,
    /// Everything in the quarantine.
    pub kept: Vec<Kept>,
}

/// A place that holds what was asked for, or names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Ecosystem.
    pub ecosystem: String,
    /// Package name.
    pub package: Option<String>,
    /// Package version.
    pub version: Option<String>,
    /// Kind of place: `lockfile`, `cache`, `vendor`, `installed`, `build`.
    pub place: String,
    /// Kind of the subject (`archive`, `tree`, `lockfile-hash`, `component`).
    pub kind: String,
    /// Absolute path, escaped where it is not UTF-8.
    pub path: String,
    /// What became of it: `verified`, `tainted`, `conflict`, or why it could not be told.
    pub outcome: String,
    /// What its bytes hashed to.
    pub observed: Option<String>,
    /// When it was last seen, seconds since 1970.
    pub seen: i64,
    /// What was scanned then; empty for the user's own caches.
    pub targets: Vec<String>,
    /// How it is now.
    pub now: Held,
}

/// How a place is now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Held {
    /// Whether something is still there; `None` for what is no file of its own.
    pub present: Option<bool>,
    /// Hard links of a file, itself included.
    pub links: u64,
    /// Other places of this answer that are the same file.
    pub same_file: Vec<String>,
}

/// Parts of a build folder that were made from places of the answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Built {
    /// The build folder.
    pub folder: String,
    /// Ecosystem whose tool made them.
    pub ecosystem: String,
    /// The trees that they were made from; where its tool does not say which, all that are meant.
    pub from: Vec<String>,
    /// Parts, below the folder.
    pub parts: Vec<PathBuf>,
}

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// How many scans are recorded.
    pub scans: usize,
    /// When the oldest and the newest of them began, seconds since 1970.
    pub span: Option<(i64, i64)>,
    /// Places, by package, kind of place and path.
    pub places: Vec<Place>,
    /// Places beyond those.
    pub more: usize,
    /// What was made from them.
    pub built: Vec<Built>,
    /// What lies in the quarantine, oldest first.
    pub kept: Vec<Kept>,
    /// Why "nowhere" would say too much, if it would.
    pub blind: Option<String>,
    /// Records that could not be read.
    pub problems: Vec<Problem>,
}

impl Answer {
    /// Whether anything was found.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.built.is_empty() && self.kept.is_empty()
    }
}

/// Holds everything that is recorded against the question.
pub fn answer(mut wanted: Wanted, asked: Asked<'_>) -> Answer {
    if !wanted.findings.is_empty() {
        widen(&mut wanted, asked.state, &asked.kept);
    }
    let (scans, problems) = sightings::search(
        asked.state,
        &Search {
            needles: &wanted.needles(),
            sighting: &|sighting| is_meant(&wanted, sighting),
            finding: &|_| false,
        },
    );
    let mut roots = Roots {
        fs: asked.fs,
        open: BTreeMap::new(),
    };
    let (mut places, trees) = places(&scans, &mut roots);
    let built = built(&scans, &trees, &mut roots);
    let mut kept = asked.kept;
    kept.retain(|kept| is_kept(&wanted, kept));
    kept.sort();
    let blind = blind(&wanted, &scans);
    let more = places.len().saturating_sub(MOST);
    places.truncate(MOST);
    let times = || scans.iter().map(|scan| scan.head.at);
    Answer {
        scans: scans.len(),
        span: times().min().zip(times().max()),
        places,
        more,
        built,
        kept,
        blind,
        problems,
    }
}

/// A finding is about a package version, or about bytes: these are what is looked for.
fn widen(wanted: &mut Wanted, state: &dyn StateDir, kept: &[Kept]) {
    let ids = wanted.findings.clone();
    let is_one = |found: &Found| ids.contains(&found.id);
    let (scans, _) = sightings::search(
        state,
        &Search {
            needles: &ids,
            sighting: &|_| false,
            finding: &is_one,
        },
    );
    for found in scans.iter().flat_map(|scan| &scan.findings) {
        if let (Some(ecosystem), Some(package)) = (&found.ecosystem, &found.package) {
            wanted.add(ecosystem, package, found.version.as_deref());
        }
        wanted.digests.extend(found.observed.clone());
    }
    // After a heal the quarantine knows what the finding was about.
    for kept in kept {
        if kept.findings.iter().any(|id| ids.contains(id)) && !kept.version.is_empty() {
            wanted.add(&kept.ecosystem, &kept.package, Some(&kept.version));
        }
    }
}

/// What the recorded scans cannot have seen, although it may be there.
fn blind(wanted: &Wanted, scans: &[Scan]) -> Option<String> {
    if !scans.is_empty() && scans.iter().all(|scan| scan.head.narrow) {
        return Some("every recorded scan left something out (--ecosystem, --exclude)".to_owned());
    }
    wanted.digests.iter().find_map(|digest| {
        let asked = sightings::scheme(digest);
        let schemes = scans.iter().flat_map(|scan| &scan.head.schemes);
        let other = schemes.into_iter().find(|scheme| *scheme != asked)?;
        Some(format!(
            "some archives were seen under {other} alone, not under {asked}: ask by package"
        ))
    })
}

fn is_meant(wanted: &Wanted, sighting: &Sighting) -> bool {
    let package = sighting.package.as_deref().unwrap_or_default();
    let version = sighting.version.as_deref().unwrap_or_default();
    let digest = sighting.observed.as_ref().or(sighting.expected.as_ref());
    digest.is_some_and(|digest| wanted.digests.contains(digest))
        || (!package.is_empty() && wanted.package(&sighting.ecosystem, package, version))
}

fn is_kept(wanted: &Wanted, kept: &Kept) -> bool {
    kept.findings.iter().any(|id| wanted.findings.contains(id))
        || kept.digests.iter().any(|d| wanted.digests.contains(d))
        || wanted.package(&kept.ecosystem, &kept.package, &kept.version)
}

/// Roots that were opened to look at what is there now.
struct Roots<'a> {
    fs: &'a dyn ReadFs,
    open: BTreeMap<String, Option<RootDir>>,
}

impl Roots<'_> {
    fn dir(&mut self, path: &str) -> Option<&dyn Dir> {
        if !self.open.contains_key(path) {
            let root = self.fs.open_root(Path::new(path)).ok();
            self.open.insert(path.to_owned(), root);
        }
        self.open.get(path)?.as_ref().map(|root| &*root.dir)
    }

    /// Attributes of what lies there, following no link below the root.
    fn stat(&mut self, root: &str, rel: &Path) -> Option<Stat> {
        let dir = self.dir(root)?;
        let parts: Vec<&OsStr> = rel.iter().collect();
        let Some((last, above)) = parts.split_last() else {
            return dir.stat().ok();
        };
        if above.is_empty() {
            return dir.stat_entry(last).ok();
        }
        dir.descend(above).ok()?.stat_entry(last).ok()
    }
}

/// Trees that lie in caches, by ecosystem.
type Trees = BTreeMap<String, BTreeSet<PathBuf>>;

/// Every place once, as the newest scan saw it, and the trees among them.
fn places(scans: &[Scan], roots: &mut Roots<'_>) -> (Vec<Place>, Trees) {
    let mut found: BTreeMap<(String, String, Option<String>), Place> = BTreeMap::new();
    let mut files: BTreeMap<(u64, u64), Vec<String>> = BTreeMap::new();
    let mut identities: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut trees = Trees::new();
    for scan in scans {
        for sighting in &scan.sightings {
            let Some(root) = scan.head.roots.get(sighting.root) else {
                continue;
            };
            let component = sighting.kind == "component";
            let rel = rel(sighting);
            let path = if component {
                scan.head.targets.join(", ")
            } else if sighting.rel.is_empty() {
                root.path.clone()
            } else {
                format!("{}/{}", root.path.trim_end_matches('/'), sighting.rel)
            };
            let key = (
                path.clone(),
                sighting.kind.clone(),
                sighting.version.clone(),
            );
            // The newest scan comes first.
            if found.contains_key(&key) {
                continue;
            }
            let stat = (!component).then(|| roots.stat(&root.path, &rel)).flatten();
            let mut now = Held {
                present: (!component).then_some(stat.is_some()),
                ..Held::default()
            };
            if let Some(stat) = stat.filter(|s| s.kind == crate::world::FileKind::File) {
                now.links = stat.links;
                let identity = (stat.dev, stat.inode);
                identities.insert(path.clone(), identity);
                let names = files.entry(identity).or_default();
                if !names.contains(&path) {
                    names.push(path.clone());
                }
            }
            if ["archive", "tree"].contains(&&*sighting.kind) {
                let tree = tree(sighting, &rel);
                let all = trees.entry(sighting.ecosystem.clone()).or_default();
                all.extend(tree.map(|tree| Path::new(&root.path).join(tree)));
            }
            found.insert(
                key,
                Place {
                    ecosystem: sighting.ecosystem.clone(),
                    package: sighting.package.clone(),
                    version: sighting.version.clone(),
                    place: sighting.place.clone(),
                    kind: sighting.kind.clone(),
                    path,
                    outcome: sighting.outcome.clone(),
                    observed: sighting.observed.clone(),
                    seen: scan.head.at,
                    targets: scan.head.targets.clone(),
                    now,
                },
            );
        }
    }
    let mut places: Vec<Place> = found.into_values().collect();
    for place in &mut places {
        let identity = identities.get(&place.path);
        let same = identity.and_then(|identity| files.get(identity));
        place.now.same_file = same
            .into_iter()
            .flatten()
            .filter(|other| **other != place.path)
            .cloned()
            .collect();
    }
    places.sort();
    (places, trees)
}

/// The path below the root as the file system has it.
fn rel(sighting: &Sighting) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    if sighting.escaped {
        PathBuf::from(std::ffi::OsString::from_vec(shell::unescape(&sighting.rel)))
    } else {
        PathBuf::from(&sighting.rel)
    }
}

/// The unpacked tree that a sighting is, or that its archive is unpacked to.
fn tree(sighting: &Sighting, rel: &Path) -> Option<PathBuf> {
    if matches!(&*sighting.kind, "tree" | "checkout") {
        return Some(rel.to_owned());
    }
    let ecosystem = crate::ecosystems::all()
        .iter()
        .find(|e| e.facts().id.as_str() == sighting.ecosystem)?;
    ecosystem.healer()?.tree_of(rel)
}

/// What the build folders that scans met hold of these trees.
fn built(scans: &[Scan], trees: &Trees, roots: &mut Roots<'_>) -> Vec<Built> {
    let folders: BTreeSet<&str> = scans
        .iter()
        .flat_map(|scan| &scan.head.roots)
        .filter(|root| root.build)
        .map(|root| &*root.path)
        .collect();
    let mut all = Vec::new();
    for (ecosystem, trees) in trees {
        let healer = crate::ecosystems::all()
            .iter()
            .find(|e| e.facts().id.as_str() == ecosystem)
            .and_then(|e| e.healer());
        let tree = |path: &PathBuf| SourceTree {
            path: path.clone(),
            packages: Vec::new(),
        };
        let trees: Vec<SourceTree> = trees.iter().map(tree).collect();
        let Some(healer) = healer.filter(|_| !trees.is_empty()) else {
            continue;
        };
        for folder in &folders {
            let Some(dir) = roots.dir(folder) else {
                continue;
            };
            let parts = healer.derived(dir, &trees);
            if parts.is_empty() {
                continue;
            }
            let from: BTreeSet<usize> = parts.iter().map(|part| part.from).collect();
            let shown = |at: &usize| Some(trees.get(*at)?.path.display().to_string());
            let mut rels: Vec<PathBuf> = parts.into_iter().map(|part| part.rel).collect();
            rels.sort();
            rels.dedup();
            all.push(Built {
                folder: (*folder).to_owned(),
                ecosystem: ecosystem.clone(),
                from: from.iter().filter_map(shown).collect(),
                parts: rels,
            });
        }
    }
    all.sort();
    all
}

#[cfg(test)]
mod tests;
