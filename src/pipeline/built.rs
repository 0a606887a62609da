//! Beside the stages: what was built from what a heal takes away, in every build folder that untaint can know of.
//!
//! Build folders are those that the scan met, those that the user named, those that earlier scans met, and those that
//! stand where tools put them beside a lockfile. What earlier scans wrote down is a hint by a file that anybody may have
//! written: only a folder of this user is touched in which the ecosystem recognises its own build folder, and of it only
//! parts that its healer names. Whatever cannot be reached is told as left to the user, never passed over.

mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::ailing::{Aftermath, Ground};
use super::heal::plan::{Plan, Step};
use super::heal::receipt::{Ended, Receipts};
use crate::ecosystems::contract::{Derived, Healer, SourceTree};
use crate::model::{RootId, shell, text};
use crate::trust::sightings::{self, Search};
use crate::world::{Dir, ReadFs, StateDir};

/// Most places that are told as left.
const TOLD: usize = 200;

/// Something that was built, and is left to the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub why: String,
    /// Whether it was built from what is tainted; otherwise that cannot be told.
    pub tainted: bool,
}

/// Where what was built may be.
pub struct Reach<'a> {
    /// Reads folders.
    pub fs: &'a dyn ReadFs,
    /// What earlier scans met; `None` if our state is not to be used.
    pub state: Option<&'a dyn StateDir>,
    /// Who this is.
    pub uid: u32,
    /// Build folders that the user named.
    pub named: &'a [PathBuf],
}

/// A build folder.
struct Folder {
    /// Position among the grounds, once it is one.
    ground: Option<usize>,
    path: PathBuf,
    dir: Box<dyn Dir>,
    /// Why nothing in it may be touched, if so.
    hands_off: Option<&'static str>,
}

impl Reach<'_> {
    /// Adds to a plan what was built from the trees that it takes away, and tells what is left. Reads only.
    ///
    /// # Errors
    /// A folder that the user named and that cannot be opened.
    pub fn extend(&self, plan: &mut Plan, aftermath: &mut Aftermath) -> Result<Vec<Left>, PathBuf> {
        self.name(aftermath)?;
        self.name_packages(plan, aftermath);
        let (mut left, trees) = (Vec::new(), trees(&plan.steps, aftermath, |_| true));
        if trees.is_empty() {
            return Ok(left);
        }
        left.extend(self.programs(plan, aftermath, |_| true));
        let unknown = self.untraced(plan, aftermath);
        aftermath.notes.extend(unknown);
        let mut folders = self.folders(aftermath, &mut left);
        for (healer, trees) in trees {
            let derived = among(healer, &folders, &trees);
            left.extend(untold(&derived, &folders));
            aftermath.notes.extend(ran(&derived, &folders));
            let mut by_step: BTreeMap<(usize, usize), Vec<_>> = BTreeMap::new();
            for (at, part) in derived.parts {
                let (Some(folder), Some((step, _))) = (folders.get_mut(at), trees.get(part.from))
                else {
                    continue;
                };
                if let Some(why) = folder.hands_off {
                    left.push(Left {
                        path: folder.path.join(&part.rel),
                        why: why.to_owned(),
                        tainted: true,
                    });
                    continue;
                }
                let ground = *folder.ground.get_or_insert_with(|| {
                    let mut met = built(RootId::new("build"), folder.path.clone());
                    met.unnamed = !beside(aftermath).any(|p| folder.path.starts_with(p));
                    aftermath.grounds.push(met);
                    aftermath.grounds.len() - 1
                });
                by_step.entry((*step, ground)).or_default().push(part);
            }
            for ((step, ground), parts) in by_step {
                if let Some(step) = plan.steps.get_mut(step) {
                    step.reach(ground, &parts);
                }
            }
        }
        Ok(short(left))
    }

    /// What is still there of what was built from trees that are gone: a last look after a heal.
    pub fn remains(&self, plan: &Plan, aftermath: &Aftermath, receipts: &Receipts) -> Vec<Left> {
        let gone = |step: usize| {
            let ended = receipts.done.get(step).map(|receipt| &receipt.ended);
            matches!(ended, Some(Ended::Healed | Ended::Removed(_)))
        };
        let (mut left, trees) = (Vec::new(), trees(&plan.steps, aftermath, gone));
        if trees.is_empty() {
            return left;
        }
        left.extend(self.programs(plan, aftermath, gone));
        let folders = self.folders(aftermath, &mut left);
        for (healer, trees) in trees {
            let derived = among(healer, &folders, &trees);
            left.extend(untold(&derived, &folders));
            for (at, part) in &derived.parts {
                if let Some(folder) = folders.get(*at) {
                    let why = folder.hands_off.unwrap_or(
                        "it was built from it, and is still there or has come back: run `untaint heal` again when nothing builds",
                    );
                    left.push(Left {
                        path: folder.path.join(&part.rel),
                        why: why.to_owned(),
                        tainted: true,
                    });
                }
            }
        }
        short(left)
    }

    /// Build folders of this user that earlier scans met and that an ecosystem recognises: what a heal that was interrupted
    /// may be finished in.
    pub fn known(&self) -> Vec<PathBuf> {
        let folders = self.folders(&Aftermath::default(), &mut Vec::new());
        let own = folders.into_iter().filter(|f| f.hands_off.is_none());
        own.map(|folder| folder.path).collect()
    }

    /// Adds the build folders that the user named.
    fn name(&self, aftermath: &mut Aftermath) -> Result<(), PathBuf> {
        for path in self.named {
            let root = self.fs.open_root(path).map_err(|_| path.clone())?;
            let mut known = aftermath.grounds.iter_mut();
            match known.find(|g| g.path == root.resolved) {
                Some(ground) => ground.build = true,
                None => aftermath
                    .grounds
                    .push(built(RootId::new("target-dir"), root.resolved)),
            }
        }
        Ok(())
    }

    fn folders(&self, aftermath: &Aftermath, left: &mut Vec<Left>) -> Vec<Folder> {
        let mut folders = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, ground) in aftermath.grounds.iter().enumerate() {
            if !ground.build || !seen.insert(ground.path.clone()) {
                continue;
            }
            match self.fs.open_root(&ground.path) {
                Ok(root) => folders.push(Folder {
                    ground: Some(at),
                    hands_off: self.foreign(&*root.dir),
                    path: root.resolved,
                    dir: root.dir,
                }),
                Err(error) if error.is_not_found() => {}
                Err(_) => left.push(closed(ground.path.clone())),
            }
        }
        let (recorded, usual) = self.remembered(aftermath);
        let all = recorded.iter().chain(usual.difference(&recorded));
        for path in all {
            let root = match self.fs.open_root(path) {
                Ok(root) => root,
                Err(error) => {
                    if recorded.contains(path) && !absent(&error) {
                        left.push(closed(path.clone()));
                    }
                    continue;
                }
            };
            if !seen.insert(root.resolved.clone()) {
                continue;
            }
            let known = healers().any(|(_, healer)| healer.is_build(&*root.dir));
            let unknown = (!known).then_some(
                "it was built from it, in a folder that is not recognised as a build folder: nothing was touched; remove it",
            );
            folders.push(Folder {
                ground: None,
                hands_off: self.foreign(&*root.dir).or(unknown),
                path: root.resolved,
                dir: root.dir,
            });
        }
        folders
    }

    fn foreign(&self, dir: &dyn Dir) -> Option<&'static str> {
        let own = dir.stat().is_ok_and(|stat| stat.uid == self.uid);
        (!own).then_some("it was built from it, in a folder of another user: heal as its owner")
    }

    /// Build folders that earlier scans met, and those that tools make beside lockfiles that this and earlier scans met.
    fn remembered(&self, aftermath: &Aftermath) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
        let (mut recorded, mut usual) = (BTreeSet::new(), BTreeSet::new());
        let mut projects: BTreeSet<PathBuf> = beside(aftermath).map(Path::to_owned).collect();
        if let Some(state) = self.state {
            let (scans, _) = sightings::search(
                state,
                &Search {
                    needles: &[r#""p":"lockfile""#.to_owned()],
                    sighting: &|seen| seen.place == "lockfile",
                    finding: &|_| false,
                },
            );
            for scan in scans {
                for root in &scan.head.roots {
                    if root.build {
                        recorded.extend(spellings(&root.path));
                    } else {
                        projects.extend(spellings(&root.path));
                    }
                }
                for seen in &scan.sightings {
                    let Some(root) = scan.head.roots.get(seen.root) else {
                        continue;
                    };
                    for root in spellings(&root.path) {
                        projects.extend(root.join(&seen.rel).parent().map(Path::to_owned));
                    }
                }
            }
        }
        for (_, healer) in healers() {
            usual.extend(projects.iter().flat_map(|p| healer.builds_of(p)));
        }
        recorded.retain(|path| plain(path));
        usual.retain(|path| plain(path));
        (recorded, usual)
    }
}

/// Folders of the lockfiles of this call that name something that is not well.
fn beside(aftermath: &Aftermath) -> impl Iterator<Item = &Path> {
    let locks = aftermath.ailing.iter().flat_map(|a| &a.named_by);
    locks.filter_map(|lock| Path::new(lock).parent())
}

/// A ground that holds what was built.
fn built(id: RootId, path: PathBuf) -> Ground {
    Ground {
        id,
        path,
        build: true,
        project: true,
        unnamed: false,
    }
}

/// That code of what is tainted was run while it was built.
fn ran(derived: &Derived, folders: &[Folder]) -> Vec<String> {
    let told = derived.ran.iter().filter_map(|(at, rel)| {
        let path = folders.get(*at)?.path.join(rel);
        Some(format!(
            "its build script ran here: {}: what it did as its user, elsewhere on this machine, nobody can tell",
            text::printable(&path.to_string_lossy())
        ))
    });
    told.collect()
}

fn closed(path: PathBuf) -> Left {
    Left {
        path,
        why: "a build folder that cannot be opened: look into it as its owner, or remove it"
            .to_owned(),
        tainted: false,
    }
}

fn absent(error: &crate::world::PathError) -> bool {
    error.is_not_found() || error.source.kind() == std::io::ErrorKind::NotADirectory
}

/// A path as it was written down, which is escaped only where it is not UTF-8, without a word that it is.
fn spellings(path: &str) -> Vec<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let mut all = vec![PathBuf::from(path)];
    if path.contains('%') {
        let bytes = shell::unescape(path);
        all.push(PathBuf::from(std::ffi::OsString::from_vec(bytes)));
    }
    all
}

fn plain(path: &Path) -> bool {
    let up = |part| matches!(part, std::path::Component::ParentDir);
    path.is_absolute() && path.parent().is_some() && !path.components().any(up)
}

fn healers() -> impl Iterator<Item = (&'static str, &'static dyn Healer)> {
    crate::ecosystems::all()
        .iter()
        .filter_map(|e| Some((e.facts().id.as_str(), e.healer()?)))
}

/// Trees of these steps by ecosystem, each with its step.
type Trees = Vec<Asked>;

/// A healer, and the trees that it is asked about.
type Asked = (&'static dyn Healer, Vec<(usize, SourceTree)>);

fn trees(steps: &[Step], aftermath: &Aftermath, is_meant: impl Fn(usize) -> bool) -> Trees {
    let mut all: BTreeMap<&str, Asked> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate().filter(|(at, _)| is_meant(*at)) {
        for (root, rel) in &step.trees {
            let Some(ground) = aftermath.grounds.get(*root) else {
                continue;
            };
            let (_, trees) = all
                .entry(&step.ecosystem)
                .or_insert_with(|| (step.healer(), Vec::new()));
            let tree = SourceTree {
                path: ground.path.join(rel),
                packages: step.packages.clone(),
            };
            trees.push((at, tree));
        }
    }
    all.into_values().collect()
}

/// Asks a healer for what was built, in all folders that are not recognised as another's.
fn among(healer: &dyn Healer, folders: &[Folder], trees: &[(usize, SourceTree)]) -> Derived {
    let trees: Vec<SourceTree> = trees.iter().map(|(_, tree)| tree.clone()).collect();
    let others =
        |dir: &dyn Dir| !healer.is_build(dir) && healers().any(|(_, other)| other.is_build(dir));
    let meant: Vec<(usize, &Folder)> = folders
        .iter()
        .enumerate()
        .filter(|(_, folder)| !others(&*folder.dir))
        .collect();
    let dirs: Vec<&dyn Dir> = meant.iter().map(|(_, folder)| &*folder.dir).collect();
    let mut derived = healer.derived_among(&dirs, &trees);
    let place = |at: usize| meant.get(at).map_or(usize::MAX, |(at, _)| *at);
    for (at, _) in &mut derived.parts {
        *at = place(*at);
    }
    for unclear in &mut derived.unclear {
        unclear.build = place(unclear.build);
    }
    for (at, _) in &mut derived.ran {
        *at = place(*at);
    }
    derived
}

fn untold(derived: &Derived, folders: &[Folder]) -> Vec<Left> {
    let told = derived.unclear.iter().filter_map(|unclear| {
        let folder = folders.get(unclear.build)?;
        Some(Left {
            path: folder.path.join(&unclear.rel),
            why: unclear.why.to_owned(),
            tainted: unclear.tainted,
        })
    });
    told.collect()
}

/// In order, each once, and not without end.
fn short(mut left: Vec<Left>) -> Vec<Left> {
    left.sort();
    left.dedup();
    let more = left.len().saturating_sub(TOLD);
    if let (true, Some(first)) = (more > 0, left.first()) {
        let rest = Left {
            path: first.path.clone(),
            why: format!("and {more} more places of this kind"),
            tainted: left.iter().any(|l| l.tainted),
        };
        left.truncate(TOLD);
        left.push(rest);
    }
    left
}

#[cfg(test)]
mod tests;
