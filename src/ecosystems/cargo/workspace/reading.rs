//! Reads manifests where cargo would: by the path that another manifest writes, along links. Where each really lies is said,
//! so that whoever reads can tell the scanned project from a cache and from the rest of the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use toml::Table;

use crate::ecosystems::contract::ManifestContext;
use crate::world::FileKind;

use super::manifest::{self, Dependency, Manifest};

/// Largest manifest or settings file.
const LARGEST: u64 = 4 << 20;
/// Most links that are followed to one manifest.
const LINKS: usize = 8;
/// Most manifests of one run.
const MOST: usize = 20_000;
/// Most folders that one pattern is held against.
const LISTED: usize = 50_000;

/// Name of a manifest.
pub(super) const MANIFEST: &str = "Cargo.toml";

/// Where a manifest lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lies {
    /// In a scanned project.
    Inside,
    /// In a cache, or a place outside of every project.
    Audited,
    /// Elsewhere on the machine.
    Outside,
}

/// A manifest that was read.
pub(super) struct Found {
    pub(super) manifest: Manifest,
    pub(super) lies: Lies,
    /// Its folder, links resolved.
    pub(super) folder: PathBuf,
}

/// What became of a manifest.
#[derive(Clone)]
pub(super) enum Loaded {
    Missing,
    /// It is there, and why it cannot be used.
    Broken(String),
    Found(Rc<Found>),
}

/// Reads each manifest once.
pub(super) struct Reading<'a> {
    pub(super) context: &'a ManifestContext<'a>,
    loaded: BTreeMap<PathBuf, Loaded>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(context: &'a ManifestContext<'a>) -> Self {
        Self {
            context,
            loaded: BTreeMap::new(),
        }
    }

    /// The manifest in a folder.
    pub(super) fn load(&mut self, folder: &Path) -> Loaded {
        if let Some(known) = self.loaded.get(folder) {
            return known.clone();
        }
        let loaded = if self.loaded.len() < MOST {
            self.read(folder)
        } else {
            Loaded::Broken(format!(
                "was not read: there are more than {MOST} manifests"
            ))
        };
        self.loaded.insert(folder.to_owned(), loaded.clone());
        loaded
    }

    /// The manifest in a folder, if it can be used.
    pub(super) fn found(&mut self, folder: &Path) -> Option<Rc<Found>> {
        match self.load(folder) {
            Loaded::Found(found) => Some(found),
            Loaded::Missing | Loaded::Broken(_) => None,
        }
    }

    fn read(&self, folder: &Path) -> Loaded {
        // Of what is no folder, or may not be opened, the folder above it is told by the walk; cargo reads nothing there.
        let Ok(opened) = self.context.fs.open_root(folder) else {
            return Loaded::Missing;
        };
        let folder = opened.resolved;
        let (mut dir, mut at) = (opened.dir, folder.clone());
        let mut name = OsStr::new(MANIFEST).to_owned();
        for _ in 0..LINKS {
            let stat = match dir.stat_entry(&name) {
                Ok(stat) => stat,
                Err(error) if error.is_not_found() => return Loaded::Missing,
                Err(error) => return Loaded::Broken(format!("cannot be read: {}", error.source)),
            };
            if stat.kind != FileKind::Link {
                break;
            }
            let Ok(leads) = dir.read_link(&name) else {
                return Loaded::Missing;
            };
            let leads = at.join(leads);
            let (Some(above), Some(last)) = (leads.parent(), leads.file_name()) else {
                return Loaded::Missing;
            };
            let Ok(next) = self.context.fs.open_root(above) else {
                return Loaded::Missing;
            };
            name = last.to_owned();
            at = next.resolved;
            dir = next.dir;
        }
        let bytes = match dir.read(&name, LARGEST) {
            Ok((bytes, _)) => bytes,
            Err(error) => return Loaded::Broken(format!("cannot be read: {}", error.source)),
        };
        let lies = match (self.lies(&folder), self.lies(&at)) {
            (Lies::Audited, _) | (_, Lies::Audited) => Lies::Audited,
            (Lies::Inside, Lies::Inside) => Lies::Inside,
            _ => Lies::Outside,
        };
        match manifest::read(&bytes) {
            Ok(manifest) => Loaded::Found(Rc::new(Found {
                manifest,
                lies,
                folder,
            })),
            Err(why) => Loaded::Broken(why),
        }
    }

    fn lies(&self, folder: &Path) -> Lies {
        // The nearest root above says what it is.
        let nearest = |roots: &[PathBuf]| {
            let above = roots.iter().filter(|root| folder.starts_with(root));
            above.map(|root| root.components().count()).max()
        };
        let (audited, project) = (
            nearest(self.context.audited),
            nearest(self.context.projects),
        );
        if audited.is_some() && audited >= project {
            Lies::Audited
        } else if project.is_some() {
            Lies::Inside
        } else {
            Lies::Outside
        }
    }

    /// The folders that an entry of `members` means, below the workspace's folder.
    pub(super) fn members(&self, root: &Path, pattern: &str) -> Vec<PathBuf> {
        let mut here = BTreeSet::from([root.to_owned()]);
        let mut listed = 0;
        for part in Path::new(pattern).components() {
            let text = part.as_os_str().to_str().unwrap_or_default();
            if !text.contains(['*', '?', '[']) {
                here = here.iter().map(|at| step(at, part)).collect();
                continue;
            }
            let mut next = BTreeSet::new();
            if text == "**" {
                let mut open: Vec<PathBuf> = here.iter().cloned().collect();
                next.append(&mut here);
                while let Some(at) = open.pop() {
                    for below in self.folders(&at, &mut listed) {
                        if next.insert(below.clone()) {
                            open.push(below);
                        }
                    }
                }
            } else if let Ok(glob) = globset::Glob::new(text) {
                let glob = glob.compile_matcher();
                for at in &here {
                    let below = self.folders(at, &mut listed);
                    next.extend(
                        below.into_iter().filter(|path| {
                            path.file_name().is_some_and(|name| glob.is_match(name))
                        }),
                    );
                }
            }
            here = next;
        }
        here.into_iter().collect()
    }

    /// The folders in a folder; a link may be one.
    fn folders(&self, folder: &Path, listed: &mut usize) -> Vec<PathBuf> {
        let Ok(entries) = self
            .context
            .fs
            .open_root(folder)
            .and_then(|at| at.dir.list())
        else {
            return Vec::new();
        };
        *listed += entries.len();
        if *listed > LISTED {
            return Vec::new();
        }
        entries
            .into_iter()
            .filter(|entry| matches!(entry.kind, FileKind::Dir | FileKind::Link))
            .map(|entry| folder.join(entry.name))
            .collect()
    }

    /// The patches of cargo's settings for a build in this folder: the folder that their paths start at, what they stand in
    /// for, and with what.
    pub(super) fn patches_of_settings(
        &self,
        folder: &Path,
        home: Option<&Path>,
    ) -> Vec<(PathBuf, String, Dependency)> {
        let mut places: Vec<PathBuf> = folder.ancestors().map(|at| at.join(".cargo")).collect();
        places.extend(home.map(Path::to_owned));
        let mut found = Vec::new();
        for place in places {
            let read = |name: &str| self.context.fs.read_named(&place.join(name), LARGEST).ok();
            let Some(bytes) = read("config").or_else(|| read("config.toml")) else {
                continue;
            };
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            let Ok(table) = text.parse::<Table>() else {
                continue;
            };
            let base = place.parent().unwrap_or(&place).to_owned();
            let patches = manifest::patches(&table).into_iter();
            found.extend(patches.map(|(of, with)| (base.clone(), of, with)));
        }
        found
    }
}

/// Where a path leads from a folder, by its text alone, as cargo takes it.
pub(super) fn lexical(from: &Path, path: &str) -> PathBuf {
    Path::new(path)
        .components()
        .fold(from.to_owned(), |at, part| step(&at, part))
}

fn step(at: &Path, part: Component<'_>) -> PathBuf {
    match part {
        Component::ParentDir => at.parent().unwrap_or(at).to_owned(),
        Component::CurDir => at.to_owned(),
        other => at.join(other),
    }
}
