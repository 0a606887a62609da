//! Calls of the commands that change things, and pictures of a cache before and after.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::support::{Scan, Source, Untaint, World, sha256};

/// A clean fetched world, made once; tests work on twins of it.
pub(crate) fn template() -> &'static World {
    static TEMPLATE: OnceLock<World> = OnceLock::new();
    TEMPLATE.get_or_init(|| World::clean(Source::Alternate))
}

/// A command that may change home and project.
pub(crate) fn command(world: &World, arguments: &[&str]) -> Untaint {
    let nowhere = world.root().join("nowhere");
    Untaint::bare(world).args(arguments).watch_only(&nowhere)
}

/// `untaint heal PROJECT --json` with more arguments.
pub(crate) fn heal(world: &World, more: &[&str]) -> Untaint {
    command(world, &["heal"])
        .arg(world.project())
        .args(&["--json", "--no-advisories", "--trust"])
        .arg(world.trust_file())
        .args(more)
}

/// Turns one bit of a cached archive.
pub(crate) fn flip(world: &World, name: &str, version: &str) {
    let path = world.archive(name, version);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
}

/// Heals and expects this end.
#[track_caller]
pub(crate) fn healed(world: &World, exit: i32) -> Scan {
    let done = heal(world, &["--yes"]).run_raw();
    assert_eq!(done.exit, exit, "{}", done.story());
    assert_eq!(done.report["schema"], "untaint.heal/1");
    done
}

/// Puts the last heal back.
#[track_caller]
pub(crate) fn restored(world: &World) -> Scan {
    let done = command(world, &["restore", "last", "--yes", "--json", "--root"])
        .arg(world.project())
        .run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    done
}

/// Everything below a folder but lock files and cargo's own memory: kind, mode, size, time, links, content. Inodes too, if
/// they are to be the same.
pub(crate) fn image(root: &Path, inodes: bool) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    note(root, root, inodes, &mut all);
    all
}

fn note(root: &Path, path: &Path, inodes: bool, all: &mut BTreeMap<PathBuf, String>) {
    let meta = fs::symlink_metadata(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if [
        ".package-cache",
        ".package-cache-mutate",
        ".global-cache",
        ".cargo-lock",
    ]
    .contains(&&*name)
    {
        return;
    }
    let kind = meta.file_type();
    let mut text = format!(
        "mode {:o} owner {} links {}",
        meta.mode(),
        meta.uid(),
        meta.nlink()
    );
    let times = format!(" mtime {}.{}", meta.mtime(), meta.mtime_nsec());
    if inodes {
        text += &format!(" inode {}", meta.ino());
    }
    if kind.is_symlink() {
        text += &format!("{times} -> {:?}", fs::read_link(path).unwrap());
    } else if kind.is_file() {
        text += &format!("{times} {}", sha256(&fs::read(path).unwrap()));
    } else if kind.is_fifo() {
        text += " pipe";
    } else {
        // The root itself holds lock files of tools: its time says nothing.
        if path != root {
            text += &times;
        }
        for entry in fs::read_dir(path).unwrap() {
            note(root, &entry.unwrap().path(), inodes, all);
        }
    }
    all.insert(path.strip_prefix(root).unwrap().to_owned(), text);
}

/// Relative paths and digests of all archives below a cargo home.
pub(crate) fn archives(world: &World) -> BTreeMap<PathBuf, String> {
    let folder = world.registry_folder("cache");
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "crate") {
            let digest = sha256(&fs::read(&path).unwrap());
            all.insert(PathBuf::from(path.file_name().unwrap()), digest);
        }
    }
    all
}

/// What two pictures disagree on.
pub(crate) fn differences(
    before: &BTreeMap<PathBuf, String>,
    after: &BTreeMap<PathBuf, String>,
) -> Vec<String> {
    let mut all = Vec::new();
    for path in before.keys().chain(after.keys()) {
        let (was, is) = (before.get(path), after.get(path));
        if was != is {
            all.push(format!("{}: {was:?} became {is:?}", path.display()));
        }
    }
    all.sort();
    all.dedup();
    all
}
