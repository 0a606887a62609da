//! Vendor folders and other directory sources (cargo 1.95, `sources/directory.rs`, `ops/vendor.rs`).
//!
//! ```text
//! <folder>/<anything>/Cargo.toml              name and version that the folder is served as
//! <folder>/<anything>/.cargo-checksum.json    sums of the files it lists, digest of the archive or null
//! ```
//! Cargo serves a folder by the name and version of its manifest, whatever the folder is called, and notices no file that the
//! sums do not list. So each folder is held against the published archive of that name and version, and its sums are only the
//! suspect's word. Hidden folders and folders without a manifest are passed over by cargo.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::ecosystems::contract::{Binding, NamedPlace, OpenContext, Session, TreePart, Unit};
use crate::model::{Coordinate, Place, Problem, Reason};
use crate::world::{Dir, DirEntry, FileKind};

use super::litter::{Irregular, Litter};
use super::named::{self, Named};
use super::projection::{SUMS, Vendored};

/// Kind of the place.
pub(super) const KIND: &str = "vendor";
/// Largest manifest that is read.
const MANIFEST: u64 = 4 << 20;
/// Folders that are looked into before a parent is taken for no vendor folder.
const TRIED: usize = 8;
/// Folders that are looked into before a parent is taken for one.
const COUNTED: usize = 256;

/// Opens a directory source.
pub(super) fn open(place: &NamedPlace, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
    let mut session = Session::default();
    let entries = match root.list() {
        Ok(entries) => entries,
        Err(error) => {
            let why = format!("cannot be listed: {}; make it readable", error.source);
            let problem = Problem::skipped("", why).at(root.path());
            session.problems.push(problem);
            return session;
        }
    };
    let mut count = 0;
    for entry in &entries {
        // Cargo passes over folders whose name it can read and that begins with a dot: no other is hidden to it. Files
        // beside the folders mean nothing to it.
        let hidden = entry
            .name
            .to_str()
            .is_some_and(|name| name.starts_with('.'));
        if hidden || entry.kind == FileKind::File {
            continue;
        }
        let Some(unit) = child(place, root, entry, context) else {
            continue;
        };
        count += u64::from(unit.tree.is_some());
        session.units.push(unit);
    }
    session.sources.push(("cargo-vendor", String::new(), count));
    session
}

/// What a folder is; `None` for one that a manifest's path makes the user's own, unless a lockfile names that version of a
/// registry or a repository, since cargo would then serve the folder as that too.
fn child(
    place: &NamedPlace,
    root: &dyn Dir,
    entry: &DirEntry,
    context: &OpenContext<'_>,
) -> Option<Unit> {
    let rel = PathBuf::from(&entry.name);
    if entry.kind != FileKind::Dir {
        return Some(inspected(
            Binding::Nothing,
            Irregular {
                rel,
                kind: "tree",
                place: Place::Vendor,
            },
        ));
    }
    let manifest = root
        .open_dir(&entry.name)
        .and_then(|dir| dir.read(OsStr::new("Cargo.toml"), MANIFEST));
    let named = match manifest {
        Ok((bytes, _)) => own_name(&bytes),
        Err(error) if error.is_not_found() => {
            return Some(inspected(
                Binding::Nothing,
                Litter {
                    rel,
                    kind: "litter",
                    reason: Reason::Orphan,
                },
            ));
        }
        Err(_) => None,
    };
    // A manifest that cannot be understood says nothing; the folder's name then tells what it was meant to be.
    let named = named.or_else(|| by_folder(&entry.name, context));
    let Some((name, version)) = named else {
        return Some(tree(Binding::Unbound(Reason::Unbound), rel));
    };
    let folder = place.path.join(&entry.name);
    if context.locked.first_party.contains(&folder) && !is_locked(&name, &version, context) {
        return None;
    }
    Some(
        match named::resolve(&name, &version, place.stands_for.as_deref(), context) {
            Named::Crate(artifact) => tree(Binding::Artifact(artifact), rel),
            Named::Git(coordinate) => git(coordinate, rel),
            Named::Unknown => tree(Binding::Unbound(Reason::UnpinnedRoot), rel),
        },
    )
}

/// Whether a lockfile takes this version from a registry or a repository.
fn is_locked(name: &str, version: &str, context: &OpenContext<'_>) -> bool {
    let key = (Arc::from(name), Arc::from(version));
    let mut git = context.locked.git_packages.iter();
    context.locked.packages.contains(&key)
        || git.any(|(_, _, of, at)| **of == *name && **at == *version)
}

/// A vendored git package: its objects are not here.
fn git(coordinate: Arc<Coordinate>, rel: PathBuf) -> Unit {
    inspected(
        Binding::Package(coordinate),
        Litter {
            rel,
            kind: "tree",
            reason: Reason::GitUnheld,
        },
    )
}

fn tree(binding: Binding, rel: PathBuf) -> Unit {
    Unit {
        binding,
        place: Place::Vendor,
        archive: None,
        tree: Some(TreePart {
            without: Vec::new(),
            copied: Vec::new(),
            rel,
            projection: &Vendored,
        }),
        inspector: None,
    }
}

fn inspected(
    binding: Binding,
    inspector: impl crate::ecosystems::contract::Inspector + 'static,
) -> Unit {
    Unit {
        binding,
        place: Place::Vendor,
        archive: None,
        tree: None,
        inspector: Some(Box::new(inspector)),
    }
}

/// Name and version of a manifest.
fn own_name(bytes: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let table = DeTable::parse(text).ok()?;
    let package = ["package", "project"].iter().find_map(|key| {
        match table.get_ref().get(*key)?.get_ref() {
            DeValue::Table(package) => Some(package),
            _ => None,
        }
    })?;
    let name = package.get("name")?.get_ref().as_str()?;
    let version = match package.get("version") {
        None => "0.0.0",
        Some(version) => version.get_ref().as_str()?,
    };
    let plausible = !name.is_empty()
        && name.len() <= 255
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    // Build metadata and spaces around a version do not count for cargo.
    let version = semver::Version::parse(version.trim()).ok()?;
    plausible.then(|| (name.to_owned(), version.to_string()))
}

/// The locked package that a folder is called after: `<name>-<version>`, or `<name>` if one version is locked.
fn by_folder(folder: &OsStr, context: &OpenContext<'_>) -> Option<(String, String)> {
    let folder = folder.to_str()?;
    let packages = &context.locked.packages;
    let exact = packages
        .iter()
        .find(|(name, version)| format!("{name}-{version}") == folder);
    let mut alone = packages.iter().filter(|(name, _)| **name == *folder);
    let one = match (alone.next(), alone.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    };
    let (name, version) = exact.or(one)?;
    Some((name.to_string(), version.to_string()))
}

/// Whether a folder is a directory source: most of its folders hold a checksum file. One alone may be a decoy.
pub(super) fn is_one(dir: &dyn Dir, names: &[&str]) -> bool {
    let sums = OsStr::from_bytes(SUMS);
    let (mut with, mut without) = (0, 0);
    let visible = names.iter().filter(|name| !name.starts_with('.'));
    for below in visible
        .take(COUNTED)
        .filter_map(|name| dir.open_dir(OsStr::new(name)).ok())
    {
        let stat = below.stat_entry(sums);
        if stat.is_ok_and(|stat| stat.kind == FileKind::File) {
            with += 1;
        } else {
            without += 1;
        }
        if with == 0 && without >= TRIED {
            return false;
        }
    }
    with > without
}

/// Whether a folder in a directory source is a vendored package, from the names in it.
pub(super) fn is_crate(names: &[&str]) -> bool {
    names.iter().any(|name| name.as_bytes() == SUMS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ecosystems::contract::{KnownRegistry, Wanted};
    use crate::model::Fingerprint;
    use crate::world::fake::Disk;

    fn session(disk: &Disk, locked: &Wanted) -> Session {
        let known = [KnownRegistry {
            fingerprint: Fingerprint([1; 32]),
            addresses: vec![Arc::from(tame_index::CRATES_IO_HTTP_INDEX)],
            trusted: true,
        }];
        let context = OpenContext {
            registries: &known,
            wanted: Some(locked),
            locked,
            places: &[],
            full: false,
        };
        let place = NamedPlace {
            kind: KIND,
            path: "/v".into(),
            named_by: "project".into(),
            stands_for: None,
        };
        open(&place, &*disk.dir("/v"), &context)
    }

    fn manifest(name: &str, version: &str) -> String {
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n")
    }

    #[test]
    fn folders_are_served_by_their_manifest() {
        let mut disk = Disk::of(0, 0);
        disk.file("/v/anything/Cargo.toml", manifest("beta", "1.0.0"))
            .file("/v/.hidden/Cargo.toml", manifest("gone", "1.0.0"))
            .file("/v/README", "x")
            .folder("/v/empty")
            .link("/v/linked", "/tmp");
        let session = session(&disk, &Wanted::default());
        assert_eq!(session.units.len(), 3);
        let Binding::Artifact(artifact) = &session.units[0].binding else {
            panic!("bound");
        };
        assert_eq!(&*artifact.file, "beta-1.0.0.crate");
        assert!(session.units[0].tree.is_some() && session.units[1].tree.is_none());
        assert_eq!(session.sources, [("cargo-vendor", String::new(), 1)]);
    }

    #[test]
    fn a_broken_manifest_is_judged_as_what_its_folder_was_meant_to_be() {
        let mut disk = Disk::of(0, 0);
        disk.file("/v/beta/Cargo.toml", "[package")
            .file("/v/other/Cargo.toml", "\u{0}");
        let mut locked = Wanted::default();
        locked.packages.insert(("beta".into(), "1.0.0".into()));
        let session = session(&disk, &locked);
        assert!(matches!(session.units[0].binding, Binding::Artifact(_)));
        assert_eq!(session.units[1].binding, Binding::Unbound(Reason::Unbound));
    }

    #[test]
    fn git_packages_are_not_held_against_a_registry() {
        let mut disk = Disk::of(0, 0);
        disk.file("/v/delta/Cargo.toml", manifest("delta", "0.5.0"));
        let mut locked = Wanted::default();
        let text = |t: &str| Arc::<str>::from(t);
        let git = (
            text("https://h.example/delta"),
            text("c0"),
            text("delta"),
            text("0.5.0"),
        );
        locked.git_packages.insert(git);
        let session = session(&disk, &locked);
        assert!(matches!(session.units[0].binding, Binding::Package(_)));
        assert!(session.units[0].tree.is_none());
    }

    #[test]
    fn recognised_by_the_checksum_files() {
        let mut disk = Disk::of(0, 0);
        disk.file("/v/a/x", "")
            .file("/v/b/.cargo-checksum.json", "{}");
        disk.file("/w/a/x", "").link("/w/b", "/v");
        assert!(is_one(&*disk.dir("/v"), &["b"]));
        assert!(
            !is_one(&*disk.dir("/v"), &["a", "b"]),
            "one of two may be a decoy"
        );
        assert!(!is_one(&*disk.dir("/v"), &["a"]));
        assert!(!is_one(&*disk.dir("/w"), &["a", "b"]));
    }

    proptest! {
        #[test]
        fn no_manifest_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "(\\[package\\]|name|version| = |\"|\\{|\\}|[a-z]|\n){0,60}") {
            let _ = own_name(&bytes);
            let _ = own_name(text.as_bytes());
        }
    }
}
