//! Whether a `Cargo.lock` says all that the manifests of its workspace need, and which packages in it are the user's own
//! (cargo 1.95, `core/workspace.rs`, `core/resolver`, `ops/resolve.rs`).
//!
//! Without `--locked`, cargo resolves anew what the lockfile does not cover, from whatever lies in its cache: a lockfile that
//! is genuine as far as it goes then says nothing of what is built. So each dependency of each member (normal, build, dev,
//! optional, of every target), and each that a path package outside the workspace builds with, must be met by a package of
//! the lockfile of that name, a version that fits, and that kind of source; each patch must be recorded. And a package that
//! the lockfile calls first-party is so only if a path of a manifest leads to a manifest of that name.

mod manifest;
mod members;
mod reading;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::ecosystems::contract::{AuditedPath, CacheKind, Held, ManifestContext, Manifests};
use crate::model::text::printable;

use super::cache::CargoHome;
use manifest::{Dependency, Kind, Wants};
use reading::{Found, Lies, Loaded, MANIFEST, Reading, lexical};
use rows::Rows;

/// Gaps that are named.
const NAMED: usize = 5;
/// Most packages that paths are followed to.
const MOST: usize = 20_000;

/// Cargo's manifests.
pub(super) struct CargoManifests;

impl Manifests for CargoManifests {
    fn lockfile(&self) -> &'static str {
        "Cargo.lock"
    }

    fn remedy(&self) -> &'static str {
        "run `cargo update --workspace` or `cargo generate-lockfile`, then scan again"
    }

    fn homes(&self, folders: &[&Path], context: &ManifestContext<'_>) -> Vec<Option<PathBuf>> {
        let home = cargo_home(context);
        let mut reading = Reading::new(context);
        let mut known: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        let of_each = folders.iter().map(|folder| {
            let root = members::root_of(&mut reading, folder, home.as_deref());
            if root == **folder {
                return Some(root);
            }
            let members = known
                .entry(root.clone())
                .or_insert_with(|| members::members(&mut reading, &root, home.as_deref()));
            members.contains(*folder).then_some(root)
        });
        of_each.collect()
    }

    fn hold(&self, folder: &Path, lock: &[u8], context: &ManifestContext<'_>) -> Option<Held> {
        let mut holding = Holding {
            home: cargo_home(context),
            reading: Reading::new(context),
            rows: Rows::read(lock),
            root: folder.to_owned(),
            patches: Vec::new(),
            seen: BTreeSet::new(),
            held: Held::default(),
        };
        match holding.reading.load(folder) {
            Loaded::Missing => return None,
            Loaded::Broken(why) => {
                let path = folder.join(MANIFEST);
                holding.held.unread.push((path, why));
            }
            Loaded::Found(root) => holding.all(&root),
        }
        Some(holding.held)
    }
}

fn cargo_home(context: &ManifestContext<'_>) -> Option<PathBuf> {
    let located = CargoHome.locate(context.env, context.fs);
    located.into_iter().next().map(|candidate| candidate.path)
}

struct Holding<'a> {
    home: Option<PathBuf>,
    reading: Reading<'a>,
    rows: Option<Rows>,
    /// The folder of the lockfile.
    root: PathBuf,
    /// What stands in for what: the folder that its path starts at, for which source, and with what.
    patches: Vec<(PathBuf, String, Dependency)>,
    /// Folders of packages that were followed.
    seen: BTreeSet<PathBuf>,
    held: Held,
}

impl Holding<'_> {
    fn all(&mut self, root: &Rc<Found>) {
        let folder = self.root.clone();
        let at = members::root_of(&mut self.reading, &folder, self.home.as_deref());
        if at != folder {
            self.held.instead = Some(at);
        }
        let manifest = &root.manifest;
        let own = manifest.patches.iter();
        self.patches = own
            .map(|(of, with)| (folder.clone(), of.clone(), with.clone()))
            .collect();
        let settings = &self.reading;
        let settings = settings.patches_of_settings(&folder, self.home.as_deref());
        self.patches.extend(settings);
        let members = members::members(&mut self.reading, &folder, self.home.as_deref());
        let mut open: Vec<(PathBuf, PathBuf)> = Vec::new();
        for member in &members {
            open.push((folder.clone(), member.clone()));
        }
        let stand_ins = self.patches.clone();
        let replaced = manifest.replacements.iter();
        let replaced = replaced.map(|with| (folder.clone(), String::new(), with.clone()));
        for (base, _, with) in stand_ins.into_iter().chain(replaced) {
            if let Wants::Path(path) = &with.wants {
                open.push((folder.clone(), lexical(&base, path)));
            }
        }
        while let Some((named_by, folder)) = open.pop() {
            if self.seen.len() >= MOST || !self.seen.insert(folder.clone()) {
                continue;
            }
            let is_member = members.contains(&folder);
            for target in self.package(&named_by, &folder, is_member) {
                open.push((folder.clone(), target));
            }
        }
        if self.held.instead.is_none() {
            self.patched();
        }
        self.held.gaps.sort();
        self.held.gaps.truncate(NAMED);
        self.held.unread.sort();
    }

    /// One package: what its paths lead to, and what of its dependencies the lockfile does not have.
    fn package(&mut self, named_by: &Path, folder: &Path, is_member: bool) -> Vec<PathBuf> {
        let found = match self.reading.load(folder) {
            Loaded::Missing => return Vec::new(),
            Loaded::Broken(why) => {
                self.held.unread.push((folder.join(MANIFEST), why));
                return Vec::new();
            }
            Loaded::Found(found) => found,
        };
        let home = self.home.clone();
        let home = home.as_deref();
        if let Some(package) = &found.manifest.package {
            let name: Arc<str> = Arc::from(package.name.as_str());
            if found.lies == Lies::Audited {
                let version = members::version(&mut self.reading, &found, folder, home);
                self.held.audited.insert(AuditedPath {
                    name,
                    version: Arc::from(version.unwrap_or_default()),
                    folder: found.folder.clone(),
                });
                // What a cache holds is judged there; what it needs is the lockfile's to say.
                return Vec::new();
            }
            self.held.first_party.insert(name);
            self.held.folders.insert(found.folder.clone());
        }
        if found.lies == Lies::Outside {
            let named = (named_by.join(MANIFEST), folder.to_owned());
            self.held.outside.insert(named);
        }
        let checked = self.held.instead.is_none() && !(self.reading.context.excluded)(folder);
        let mut leads = Vec::new();
        for (base, one) in members::dependencies(&mut self.reading, &found, folder, home) {
            if let Wants::Path(path) = &one.wants {
                leads.push(lexical(&base, path));
            }
            let counts = is_member || (one.kind == Kind::Build && !one.optional);
            if checked && counts {
                self.dependency(folder, &one);
            }
        }
        leads
    }

    fn dependency(&mut self, folder: &Path, one: &Dependency) {
        let Some(rows) = &self.rows else { return };
        let requirement = one.requirement.as_deref();
        let patched = self.patches.iter().any(|(_, of, with)| {
            with.name == one.name
                && stands_in(of, &one.wants)
                && rows.meet(&one.name, &with.wants, requirement)
        });
        if patched || rows.meet(&one.name, &one.wants, requirement) {
            return;
        }
        let gap = format!("`{}` needs {}", self.shown(folder), told(one));
        self.gap(gap);
    }

    /// A patch that the lockfile does not record makes cargo resolve anew.
    fn patched(&mut self) {
        let Some(rows) = &self.rows else { return };
        let mut gaps = Vec::new();
        for (_, _, with) in &self.patches {
            if !rows.record(&with.name, &with.wants) {
                gaps.push(format!("a patch puts {} in place", told(with)));
            }
        }
        for gap in gaps {
            self.gap(gap);
        }
    }

    fn gap(&mut self, gap: String) {
        self.held.gaps_total += 1;
        if self.held.gaps.len() < MOST {
            self.held.gaps.push(gap);
        }
    }

    /// A manifest as a person would call it.
    fn shown(&self, folder: &Path) -> String {
        let path = folder.join(MANIFEST);
        let path = path.strip_prefix(&self.root).unwrap_or(&path);
        printable(&path.display().to_string())
    }
}

/// Whether a patch for this source could stand in for what is wanted.
fn stands_in(of: &str, wants: &Wants) -> bool {
    let is_default = of == "crates-io" || rows::is_default(of);
    match wants {
        Wants::Default => is_default,
        Wants::Registry => true,
        Wants::Git { url, .. } => rows::canonical(of) == rows::canonical(url),
        Wants::Path(_) | Wants::Other => false,
    }
}

fn told(one: &Dependency) -> String {
    let from = match &one.wants {
        Wants::Default => " of the default registry",
        Wants::Registry => " of another registry",
        Wants::Git { .. } => " from git",
        Wants::Path(_) => " by its path",
        Wants::Other => "",
    };
    let requirement = one.requirement.as_deref().unwrap_or("*");
    printable(&format!("`{} = \"{requirement}\"`{from}", one.name))
}
