//! How GOMODCACHE is repaired (cmd/go 1.26): the lock of a version, its files at the proxy, module indexes in GOCACHE.
//!
//! Go unpacks a module anew from its zip, whose hash it takes from `ziphash` unread; so both are put back. What it keeps in
//! its build cache of a module's folder (an index, `modindex`) is keyed by the folder alone and would outlive the folder.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::ecosystems::contract::{DerivedPart, Healer, RelPath, SourceTree, Unpacking};
use crate::formats::limits::Limits;
use crate::formats::zip::{EntryReader, ZipArchive};
use crate::formats::{go_source, h1};
use crate::model::{ArtifactId, Coordinate, Digest, NEVER_BUILT};
use crate::world::{Dir, FileKind, Request, Response};

use super::escape::{escape_path, escape_version};

/// What the file of a module index begins with.
const INDEX: &[u8] = b"go index v";
/// What go says in the folder that holds its build cache.
const README: &[u8] = b"This directory holds cached build artifacts from the Go build system.";
/// Largest action entry that is read.
const ACTION: u64 = 4096;
/// Most outputs of a build cache that are looked at.
const MOST: usize = 2_000_000;

/// The healer.
pub(super) struct GoHealer;

impl Healer for GoHealer {
    fn locks(&self, rel: &Path) -> Vec<RelPath> {
        let text = rel.to_string_lossy();
        if text.starts_with("cache/download/sumdb/") || rel.to_str().is_none() {
            return Vec::new();
        }
        if text.starts_with("cache/download/") {
            return vec![rel.with_extension("lock")]
                .into_iter()
                .filter(|_| rel.extension().is_some())
                .collect();
        }
        text.rsplit_once('@')
            .map(|(path, version)| {
                PathBuf::from(format!("cache/download/{path}/@v/{version}.lock"))
            })
            .into_iter()
            .collect()
    }

    fn tree_of(&self, archive: &Path) -> Option<RelPath> {
        let below = archive.to_str()?.strip_prefix("cache/download/")?;
        let (path, file) = below.split_once("/@v/")?;
        let version = file.strip_suffix(".zip")?;
        Some(PathBuf::from(format!("{path}@{version}")))
    }

    fn archive_of(&self, tree: &Path) -> Option<RelPath> {
        let (path, version) = tree.to_str()?.rsplit_once('@')?;
        Some(PathBuf::from(format!(
            "cache/download/{path}/@v/{version}.zip"
        )))
    }

    fn is_above_trees(&self, folder: &Path) -> bool {
        !folder.starts_with("cache") && !folder.to_string_lossy().contains('@')
    }

    /// While `<version>.partial` is there, Go takes the tree for half unpacked and waits for the lock (`modfetch/cache.go`).
    fn marks(&self, rel: &Path) -> Vec<RelPath> {
        let partial = |lock: RelPath| lock.with_extension("partial");
        let tree = !rel.starts_with("cache");
        self.locks(rel)
            .into_iter()
            .filter(|_| tree)
            .map(partial)
            .collect()
    }

    fn unpack(
        &self,
        artifact: &ArtifactId,
        archive: &[u8],
        visit: &mut Unpacking<'_>,
    ) -> Result<(), String> {
        let coordinate = &artifact.coordinate;
        let prefix = format!("{}@{}/", coordinate.name, coordinate.version);
        let opened = ZipArchive::open(archive, Limits::GO_MODULE, Some(prefix.as_bytes()))
            .map_err(|e| e.to_string())?;
        let mut reader = EntryReader::new();
        for entry in opened.entries() {
            let Some(below) = entry.name.strip_prefix(prefix.as_bytes()) else {
                continue;
            };
            let mut bytes = Vec::new();
            reader
                .read(&opened, entry, &mut |part| bytes.extend_from_slice(part))
                .map_err(|e| e.to_string())?;
            let never = below.ends_with(b".go") && go_source::is_never_built(&bytes);
            visit(below, if never { NEVER_BUILT } else { 0 }, &bytes);
        }
        Ok(())
    }

    fn artifact_request(&self, address: &str, artifact: &ArtifactId) -> Option<Request> {
        let coordinate = &artifact.coordinate;
        let kind = artifact.file.rsplit_once('.').map(|(_, kind)| kind)?;
        let path = escape_path(&coordinate.name).ok()?;
        let version = escape_version(&coordinate.version).ok()?;
        let base = address.trim_end_matches('/');
        let most = Limits::GO_MODULE.max_compressed;
        matches!(kind, "zip" | "mod")
            .then(|| Request::get(format!("{base}/{path}/@v/{version}.{kind}"), most))
    }

    fn fits(&self, artifact: &ArtifactId, bytes: &[u8], digest: &Digest) -> bool {
        let found = if artifact.file.ends_with(".mod") {
            Some(h1::of_go_mod(bytes))
        } else {
            of_zip(bytes, artifact)
        };
        found == Some(*digest)
    }

    fn known_bytes(&self, kind: &str, digest: &Digest) -> Option<Vec<u8>> {
        (kind == "sidecar").then(|| digest.to_string().into_bytes())
    }

    fn listing_request(&self, _: &str, _: &Coordinate) -> Option<Request> {
        None
    }

    fn listing_bytes(&self, _: &Coordinate, _: &Response) -> Option<Vec<u8>> {
        None
    }

    /// Indexes do not say which module they are of in a way that every version of Go shares, and Go makes them anew in no
    /// time: all of them go.
    fn derived(&self, build: &dyn Dir, trees: &[SourceTree]) -> Vec<DerivedPart> {
        let mut found = Vec::new();
        // Of vendored copies Go keeps no index.
        let vendored = |tree: &SourceTree| tree.path.iter().any(|part| part == "vendor");
        if trees.iter().all(vendored) {
            return found;
        }
        for folder in build.list().unwrap_or_default() {
            if folder.kind != FileKind::Dir || folder.name.len() != 2 {
                continue;
            }
            let Ok(dir) = build.open_dir(&folder.name) else {
                continue;
            };
            for entry in dir.list().unwrap_or_default().iter().take(MOST) {
                let action = entry.kind == FileKind::File
                    && entry.name.to_str().is_some_and(|name| name.ends_with("-a"));
                if action && is_index(build, &*dir, &entry.name) {
                    found.push(DerivedPart {
                        rel: Path::new(&folder.name).join(&entry.name),
                        from: 0,
                        lock: PathBuf::new(),
                        product: false,
                    });
                }
            }
        }
        found
    }

    fn is_build(&self, dir: &dyn Dir) -> bool {
        let told = dir.read(OsStr::new("README"), ACTION);
        let told = told.is_ok_and(|(text, _)| text.starts_with(README));
        told && dir.open_dir(OsStr::new("00")).is_ok()
    }
}

/// Whether an action's output is a module index: `v1 <action> <output> <size> <time>`.
fn is_index(build: &dyn Dir, dir: &dyn Dir, name: &OsStr) -> bool {
    let Ok((bytes, _)) = (*dir).read(name, ACTION) else {
        return false;
    };
    let text = String::from_utf8_lossy(&bytes);
    let Some(output) = text.split_whitespace().nth(2) else {
        return false;
    };
    let (Some(folder), true) = (
        output.get(..2),
        output.bytes().all(|b| b.is_ascii_hexdigit()),
    ) else {
        return false;
    };
    let opened = build
        .open_dir(OsStr::new(folder))
        .and_then(|dir| dir.open_file(OsStr::new(&format!("{output}-d"))));
    let mut start = [0u8; INDEX.len()];
    opened.is_ok_and(|mut file| file.read_exact(&mut start).is_ok() && start == INDEX)
}

/// The `h1` of a zip whose every member lies below `<path>@<version>/`.
fn of_zip(bytes: &[u8], artifact: &ArtifactId) -> Option<Digest> {
    let coordinate = &artifact.coordinate;
    let prefix = format!("{}@{}/", coordinate.name, coordinate.version);
    let limits = Limits::GO_MODULE;
    let archive = ZipArchive::open(bytes, limits, Some(prefix.as_bytes())).ok()?;
    if archive.facts().content > limits.max_inflated {
        return None;
    }
    let mut reader = EntryReader::new();
    let mut sums = Vec::new();
    for entry in archive.entries() {
        let name = std::str::from_utf8(&entry.name).ok()?;
        name.starts_with(&prefix).then_some(())?;
        let mut hasher = Sha256::new();
        reader
            .read(&archive, entry, &mut |part| hasher.update(part))
            .ok()?;
        sums.push((name, hasher.finalize().into()));
    }
    h1::of_files(sums).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_lock_and_one_tree() {
        let lock = |rel: &str| GoHealer.locks(Path::new(rel));
        let wanted = [PathBuf::from("cache/download/a.example/!b/@v/v1.2.0.lock")];
        assert_eq!(lock("cache/download/a.example/!b/@v/v1.2.0.zip"), wanted);
        assert_eq!(
            lock("cache/download/a.example/!b/@v/v1.2.0.ziphash"),
            wanted
        );
        assert_eq!(lock("a.example/!b@v1.2.0"), wanted);
        assert!(lock("cache/download/sumdb/log/tile/8/0/000").is_empty());
        let tree = GoHealer.tree_of(Path::new("cache/download/a.example/!b/@v/v1.2.0.zip"));
        assert_eq!(tree, Some(PathBuf::from("a.example/!b@v1.2.0")));
        assert_eq!(GoHealer.tree_of(Path::new("a.example/!b@v1.2.0")), None);
        let above = |rel: &str| GoHealer.is_above_trees(Path::new(rel));
        assert!(above("a.example") && above("a.example/!b"));
        assert!(!above("cache/download/a.example") && !above("a.example/!b@v1.2.0"));
    }
}
