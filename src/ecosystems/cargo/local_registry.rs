//! Local registries (cargo 1.95, `sources/registry/local.rs`).
//!
//! ```text
//! <folder>/<name>-<version>.crate
//! <folder>/index/<prefix>/<name>      one JSON line per version
//! ```
//! Cargo hashes an archive against the folder's own index, so whoever can write both decides what is built. Archives are held
//! against what the registry that the folder stands for has published, and so is the index, as far as it goes: a local
//! registry holds a part of a registry by design.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ecosystems::contract::{
    ArchiveFormat, ArchivePart, Binding, NamedPlace, OpenContext, Session, Unit,
};
use crate::model::{Place, Problem, Reason};
use crate::world::{Dir, DirEntry, FileKind};

use super::folders;
use super::index_file::{Form, IndexFile};
use super::litter::Irregular;
use super::named::{self, Named};

/// Kind of the place.
pub(super) const KIND: &str = "local-registry";
/// Deepest folder of an index: `index/<2>/<2>/<name>`.
const DEPTH: usize = 3;

/// Whether a folder is a local registry, from the names in it.
pub(super) fn is_one(names: &[&str]) -> bool {
    names.contains(&"index") && names.iter().any(|name| name.ends_with(".crate"))
}

/// Opens a local registry.
pub(super) fn open(place: &NamedPlace, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
    let mut opening = Opening {
        place,
        root,
        context,
        session: Session::default(),
    };
    opening.archives();
    opening.session
}

struct Opening<'a> {
    place: &'a NamedPlace,
    root: &'a dyn Dir,
    context: &'a OpenContext<'a>,
    session: Session,
}

impl Opening<'_> {
    fn archives(&mut self) {
        let Some(entries) = self.list(self.root, Path::new("")) else {
            return;
        };
        let mut count = 0;
        for entry in &entries {
            let stem = Path::new(&entry.name);
            if stem.extension() == Some(OsStr::new("crate")) {
                count += 1;
                self.archive(entry, stem.file_stem().unwrap_or_default());
            } else if entry.name == "index" {
                self.folder(self.root, entry, Path::new("index"), 0);
            }
        }
        let row = ("cargo-local-registry", String::new(), count);
        self.session.sources.push(row);
    }

    fn archive(&mut self, entry: &DirEntry, stem: &OsStr) {
        let named = folders::split_name(stem);
        let binding = match named {
            None => Binding::Unbound(Reason::Unbound),
            Some((name, version)) => {
                let stands_for = self.place.stands_for.as_deref();
                match named::resolve(name, version, stands_for, self.context) {
                    Named::Crate(artifact) => Binding::Artifact(artifact),
                    // An archive has no git source: what serves it calls it a registry's.
                    Named::Git(_) => Binding::Unbound(Reason::Unbound),
                    Named::Unknown => Binding::Unbound(Reason::UnpinnedRoot),
                }
            }
        };
        let size = self.root.stat_entry(&entry.name).map_or(0, |s| s.size);
        self.session.units.push(Unit {
            binding,
            place: Place::Vendor,
            archive: Some(ArchivePart {
                rel: PathBuf::from(&entry.name),
                format: ArchiveFormat::CrateTarGz,
                size,
                top: Arc::from(stem.to_string_lossy()),
                empty_is_absent: false,
            }),
            tree: None,
            inspector: None,
        });
    }

    /// A folder of the index.
    fn folder(&mut self, above: &dyn Dir, entry: &DirEntry, rel: &Path, depth: usize) {
        if entry.kind != FileKind::Dir {
            let irregular = Irregular {
                rel: rel.to_owned(),
                kind: "listing",
                place: Place::Vendor,
            };
            self.session.units.push(Unit {
                binding: Binding::Nothing,
                place: Place::Vendor,
                archive: None,
                tree: None,
                inspector: Some(Box::new(irregular)),
            });
            return;
        }
        let dir = match above.open_dir(&entry.name) {
            Ok(dir) => dir,
            Err(error) => return self.unreadable(rel, &error.source.to_string()),
        };
        let Some(entries) = self.list(&*dir, rel) else {
            return;
        };
        for entry in &entries {
            let hidden = entry.name.as_encoded_bytes().first() == Some(&b'.');
            let below = rel.join(&entry.name);
            match entry.kind {
                _ if hidden => {}
                FileKind::File if depth > 0 => self.index_file(&*dir, entry, below),
                FileKind::Dir if depth < DEPTH => self.folder(&*dir, entry, &below, depth + 1),
                FileKind::Link | FileKind::Other => self.folder(&*dir, entry, &below, depth),
                FileKind::File | FileKind::Dir => {}
            }
        }
    }

    fn index_file(&mut self, dir: &dyn Dir, entry: &DirEntry, rel: PathBuf) {
        let Some(name) = entry.name.to_str() else {
            return;
        };
        let stands_for = self.place.stands_for.as_deref();
        let registry = named::listing_registry(name, stands_for, self.context);
        let unit = IndexFile::unit(registry, name, rel, (dir, entry), Form::Plain);
        self.session.units.push(unit);
    }

    fn list(&mut self, dir: &dyn Dir, rel: &Path) -> Option<Vec<DirEntry>> {
        match dir.list() {
            Ok(entries) => Some(entries),
            Err(error) => {
                self.unreadable(rel, &error.source.to_string());
                None
            }
        }
    }

    fn unreadable(&mut self, rel: &Path, why: &str) {
        let problem = Problem::skipped("", format!("cannot be listed: {why}; make it readable"));
        let path = self.root.path().join(rel);
        self.session.problems.push(problem.at(&path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::contract::{KnownRegistry, Wanted};
    use crate::model::Fingerprint;
    use crate::world::fake::Disk;

    #[test]
    fn archives_and_index_files_are_bound_to_the_registry_they_stand_for() {
        let mut disk = Disk::of(0, 0);
        disk.file("/l/beta-1.0.0.crate", "x")
            .file("/l/odd.crate", "x")
            .file("/l/notes.txt", "x")
            .file("/l/index/be/ta/beta", "{}\n")
            .file("/l/index/config.json", "{}")
            .link("/l/index/ga", "/tmp");
        let known = [KnownRegistry {
            fingerprint: Fingerprint([1; 32]),
            addresses: vec![Arc::from("https://registry.example/index/")],
            trusted: true,
        }];
        let locked = Wanted::default();
        let context = OpenContext {
            registries: &known,
            wanted: None,
            locked: &locked,
            places: &[],
            full: false,
        };
        let place = NamedPlace {
            kind: KIND,
            path: "/l".into(),
            named_by: "project".into(),
            stands_for: Some(Arc::from("sparse+https://registry.example/index/")),
        };
        let session = open(&place, &*disk.dir("/l"), &context);
        let bound: Vec<&str> = session
            .units
            .iter()
            .map(|unit| match &unit.binding {
                Binding::Artifact(artifact) => &*artifact.file,
                Binding::Package(coordinate) => &coordinate.name,
                Binding::Unbound(reason) => reason.as_str(),
                Binding::Nothing => "nothing",
            })
            .collect();
        assert_eq!(
            bound,
            ["beta-1.0.0.crate", "beta", "nothing", "unbound"],
            "{:?}",
            session.problems
        );
        let stranger = NamedPlace {
            stands_for: None,
            ..place
        };
        let session = open(&stranger, &*disk.dir("/l"), &context);
        assert!(matches!(
            session.units[0].binding,
            Binding::Unbound(Reason::UnpinnedRoot)
        ));
    }

    #[test]
    fn recognised_by_what_lies_in_it() {
        assert!(is_one(&["a-1.0.0.crate", "index"]));
        assert!(!is_one(&["index", "src"]));
        assert!(!is_one(&["a-1.0.0.crate"]));
    }
}
