//! How CARGO_HOME is repaired (cargo 1.95): its locks, its cached index files, what `target/` holds of a crate.
//!
//! `.package-cache-mutate` before `.package-cache`, both exclusive (`util/cache_lock.rs`). An unpacked tree is made anew
//! from its archive by cargo; a cached index file is what the sparse index answered, in cargo's own wrapping (version 3,
//! `sources/registry/index/cache.rs`). Units of a build folder are found through their `.d` files, which name sources.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use crate::ecosystems::contract::{DerivedPart, Healer, RelPath, Unpacking};
use crate::formats::gzip::GzipStream;
use crate::formats::limits::Limits;
use crate::formats::tar::{TarKind, TarReader};
use crate::model::digest::hex;
use crate::model::{ArtifactId, Coordinate, Digest};
use crate::world::{Dir, FileKind, Request, Response};

use super::{authority, index_line, projection};

/// Largest `.d` file that is read.
const LARGEST: u64 = 16 << 20;
/// Largest answer of an index.
const LARGEST_ANSWER: u64 = 64 << 20;
/// Most units of a build folder that are looked at.
const MOST: usize = 500_000;
/// First byte and schema of a cached index file.
const WRAPPING: &[u8] = &[3, 2, 0, 0, 0];

/// The healer.
pub(super) struct CargoHealer;

impl Healer for CargoHealer {
    fn locks(&self, _: &Path) -> Vec<RelPath> {
        [".package-cache-mutate", ".package-cache"]
            .map(PathBuf::from)
            .to_vec()
    }

    fn tree_of(&self, archive: &Path) -> Option<RelPath> {
        let stem = archive.file_name()?.as_bytes().strip_suffix(b".crate")?;
        let parts: Vec<&OsStr> = archive.iter().collect();
        match parts.as_slice() {
            [registry, cache, folder, _] if *registry == "registry" && *cache == "cache" => Some(
                Path::new("registry")
                    .join("src")
                    .join(folder)
                    .join(OsStr::from_bytes(stem)),
            ),
            _ => None,
        }
    }

    fn archive_of(&self, tree: &Path) -> Option<RelPath> {
        let parts: Vec<&OsStr> = tree.iter().collect();
        match parts.as_slice() {
            [registry, src, folder, stem] if *registry == "registry" && *src == "src" => {
                let mut file = (*stem).to_owned();
                file.push(".crate");
                Some(Path::new("registry").join("cache").join(folder).join(file))
            }
            _ => None,
        }
    }

    fn unpack(
        &self,
        artifact: &ArtifactId,
        archive: &[u8],
        visit: &mut Unpacking<'_>,
    ) -> Result<(), String> {
        let stem = artifact.file.strip_suffix(".crate").unwrap_or_default();
        let limits = Limits::CARGO_CRATE;
        let source = GzipStream::new(archive, limits.inflated_cap(archive.len() as u64));
        let mut reader = TarReader::new(source, limits, Some(stem.as_bytes()));
        while let Some(mut member) = reader.next_member().map_err(|e| e.to_string())? {
            let entry = member.entry();
            if entry.kind != TarKind::File {
                continue;
            }
            let (path, mode) = (entry.path.clone(), entry.mode);
            let below = path.strip_prefix(stem.as_bytes());
            let Some(below) = below.and_then(|rest| rest.strip_prefix(b"/")) else {
                continue;
            };
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
            visit(below, mode, &bytes);
        }
        Ok(())
    }

    fn vendor_record(
        &self,
        archive: &Digest,
        files: &BTreeMap<Vec<u8>, [u8; 32]>,
        present: &dyn Fn(&Path) -> Option<Vec<u8>>,
    ) -> Option<(RelPath, Vec<u8>)> {
        let package = archive.hex();
        let sums: BTreeMap<String, String> = files
            .iter()
            .filter_map(|(path, sum)| Some((String::from_utf8(path.clone()).ok()?, hex(sum))))
            .collect();
        let name = Path::new(OsStr::from_bytes(projection::SUMS));
        let says = present(name).and_then(|text| projection::sums(&text));
        if says.is_some_and(|says| says == (sums.clone(), Some(package.clone()))) {
            return None;
        }
        let json = serde_json::json!({"files": sums, "package": package});
        Some((name.to_owned(), json.to_string().into_bytes()))
    }

    fn listing_request(&self, address: &str, coordinate: &Coordinate) -> Option<Request> {
        let name = coordinate.name.to_lowercase();
        let path = if name == authority::CONFIG {
            name
        } else {
            format!("{}/{name}", authority::prefix(&name))
        };
        let mut request = Request::get(format!("{address}{path}"), LARGEST_ANSWER);
        request.fresh = true;
        Some(request)
    }

    fn listing_bytes(&self, coordinate: &Coordinate, answer: &Response) -> Option<Vec<u8>> {
        if &*coordinate.name == authority::CONFIG {
            return authority::config_facts(&answer.body).map(|_| answer.body.clone());
        }
        let mut bytes = WRAPPING.to_vec();
        let version = match (&answer.etag, &answer.last_modified) {
            (Some(tag), _) => format!("etag: {tag}"),
            (None, Some(date)) => format!("last-modified: {date}"),
            (None, None) => "Unknown".to_owned(),
        };
        if version.contains('\0') {
            return None;
        }
        bytes.extend_from_slice(version.as_bytes());
        bytes.push(0);
        for line in answer
            .body
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
        {
            // What is no row of this crate is no answer to go by.
            let row = index_line::parse(line)?;
            if !row.name.eq_ignore_ascii_case(&coordinate.name) || line.contains(&0) {
                return None;
            }
            bytes.extend_from_slice(row.facts.version.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(line);
            bytes.push(0);
        }
        Some(bytes)
    }

    fn derived(&self, build: &dyn Dir, trees: &[PathBuf]) -> Vec<DerivedPart> {
        let mut found = Vec::new();
        let Ok(entries) = build.list() else {
            return found;
        };
        for entry in entries.iter().filter(|e| e.kind == FileKind::Dir) {
            let Ok(below) = build.open_dir(&entry.name) else {
                continue;
            };
            let top = PathBuf::from(&entry.name);
            profile(&*below, &top, trees, &mut found);
            // `target/<triple>/<profile>`.
            for inner in below.list().unwrap_or_default() {
                let looks = inner.kind == FileKind::Dir
                    && !["deps", ".fingerprint", "build", "incremental", "examples"]
                        .iter()
                        .any(|known| inner.name == *known);
                if let (true, Ok(dir)) = (looks, below.open_dir(&inner.name)) {
                    profile(&*dir, &top.join(&inner.name), trees, &mut found);
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

/// Looks through one `<profile>` folder: which units name one of the trees, and what else carries their hash.
fn profile(dir: &dyn Dir, rel: &Path, trees: &[PathBuf], found: &mut Vec<DerivedPart>) {
    let Ok(deps) = dir.open_dir(OsStr::new("deps")) else {
        return;
    };
    let listed = deps.list().unwrap_or_default();
    let mut units: Vec<(String, usize)> = Vec::new();
    for entry in listed.iter().take(MOST) {
        let Some(stem) = entry.name.to_str().and_then(|n| n.strip_suffix(".d")) else {
            continue;
        };
        if entry.kind != FileKind::File {
            continue;
        }
        let Ok((bytes, _)) = (*deps).read(&entry.name, LARGEST) else {
            continue;
        };
        if let Some(from) = trees.iter().position(|tree| names(&bytes, tree))
            && let Some(hash) = hash_of(stem)
        {
            units.push((hash.to_owned(), from));
        }
    }
    if let Ok(build) = dir.open_dir(OsStr::new("build")) {
        scripts(&*build, trees, &mut units);
    }
    units.sort();
    units.dedup();
    let lock = rel.join(".cargo-lock");
    let mut push = |part: PathBuf, from: usize| {
        found.push(DerivedPart {
            rel: part,
            from,
            lock: lock.clone(),
        });
    };
    for folder in ["deps", ".fingerprint", "build"] {
        let entries = dir
            .open_dir(OsStr::new(folder))
            .and_then(|dir| dir.list())
            .unwrap_or_default();
        for entry in entries {
            let name = entry.name.to_string_lossy();
            let stem = name.split('.').next().unwrap_or_default();
            let unit = hash_of(stem).and_then(|hash| {
                let at = units.binary_search_by(|(known, _)| known.as_str().cmp(hash));
                at.ok().and_then(|at| units.get(at))
            });
            if let Some((_, from)) = unit {
                push(rel.join(folder).join(&entry.name), *from);
            }
        }
    }
}

/// Build scripts: `build/<name>-<hash>/build_script_build-<hash>.d` names their sources; what they wrote lies in a folder
/// of another hash, whose fingerprint and `output` belong to the same package.
fn scripts(build: &dyn Dir, trees: &[PathBuf], units: &mut Vec<(String, usize)>) {
    let entries = build.list().unwrap_or_default();
    let mut packages: Vec<(String, usize)> = Vec::new();
    for entry in entries
        .iter()
        .filter(|e| e.kind == FileKind::Dir)
        .take(MOST)
    {
        let Ok(dir) = build.open_dir(&entry.name) else {
            continue;
        };
        for file in dir.list().unwrap_or_default() {
            let source = file.kind == FileKind::File && file.name.as_bytes().ends_with(b".d");
            if !source {
                continue;
            }
            let Ok((bytes, _)) = (*dir).read(&file.name, LARGEST) else {
                continue;
            };
            let from = trees.iter().position(|tree| names(&bytes, tree));
            if let (Some(from), Some(name)) = (from, entry.name.to_str()) {
                units.extend(hash_of(name).map(|hash| (hash.to_owned(), from)));
                packages.extend(
                    name.rsplit_once('-')
                        .map(|(name, _)| (name.to_owned(), from)),
                );
            }
        }
    }
    for entry in entries {
        let Some((name, hash)) = entry.name.to_str().and_then(|n| n.rsplit_once('-')) else {
            continue;
        };
        if let Some((_, from)) = packages.iter().find(|(known, _)| known == name) {
            units.push((hash.to_owned(), *from));
        }
    }
}

/// Whether a dep-info file names something in a tree; spaces in it are escaped with a backslash.
fn names(bytes: &[u8], tree: &Path) -> bool {
    let mut needle = Vec::new();
    for byte in tree.as_os_str().as_bytes() {
        if *byte == b' ' {
            needle.push(b'\\');
        }
        needle.push(*byte);
    }
    let last = tree.components().next_back();
    if needle.len() < 4 || !matches!(last, Some(Component::Normal(_))) {
        return false;
    }
    needle.push(b'/');
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// The 16 hex digits at the end of a unit's name.
fn hash_of(stem: &str) -> Option<&str> {
    let (_, hash) = stem.rsplit_once('-')?;
    (hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hash)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Origin;
    use crate::world::fake::Disk;

    fn package(name: &str) -> Coordinate {
        Coordinate {
            ecosystem: super::super::CARGO,
            name: Arc::from(name),
            version: Arc::from(""),
            origin: Origin::Unknown,
        }
    }

    fn answer(body: &str, etag: Option<&str>) -> Response {
        Response {
            status: 200,
            body: body.as_bytes().to_vec(),
            etag: etag.map(Arc::from),
            last_modified: None,
        }
    }

    #[test]
    fn a_tree_lies_beside_its_archive() {
        let tree = CargoHealer.tree_of(Path::new("registry/cache/r-1/a-1.0.0.crate"));
        assert_eq!(tree, Some(PathBuf::from("registry/src/r-1/a-1.0.0")));
        assert_eq!(CargoHealer.tree_of(Path::new("registry/index/r-1/a")), None);
        assert_eq!(CargoHealer.tree_of(Path::new("a-1.0.0.crate")), None);
    }

    #[test]
    fn an_answer_is_wrapped_as_cargo_does() {
        let row = format!(
            r#"{{"name":"alpha","vers":"1.2.3","deps":[],"cksum":"{}","features":{{}},"yanked":false}}"#,
            "ab".repeat(32)
        );
        let bytes = CargoHealer
            .listing_bytes(
                &package("alpha"),
                &answer(&format!("{row}\n"), Some("\"x\"")),
            )
            .unwrap();
        let wanted = [
            b"\x03\x02\0\0\0etag: \"x\"\0".as_slice(),
            b"1.2.3\0",
            row.as_bytes(),
            b"\0",
        ]
        .concat();
        assert_eq!(bytes, wanted);
        for bad in [row.replace("alpha", "beta"), "no json".to_owned()] {
            assert!(
                CargoHealer
                    .listing_bytes(&package("alpha"), &answer(&bad, None))
                    .is_none()
            );
        }
    }

    #[test]
    fn units_are_found_through_what_they_name() {
        let mut disk = Disk::of(0, 0);
        let tree = "/h/registry/src/r-1/beta-1.0.0";
        let hash = "0123456789abcdef";
        let other = "fedcba9876543210";
        disk.file(
            &format!("/t/debug/deps/beta-{hash}.d"),
            format!("/t/debug/deps/libbeta-{hash}.rlib: {tree}/src/lib.rs\n").into_bytes(),
        )
        .file(
            &format!("/t/debug/deps/beta_2-{other}.d"),
            format!("x: {tree}0/src/lib.rs\n").into_bytes(),
        )
        .file(&format!("/t/debug/deps/libbeta-{hash}.rlib"), vec![0])
        .file(&format!("/t/debug/deps/libbeta_2-{other}.rlib"), vec![0])
        .file(
            &format!("/t/debug/.fingerprint/beta-{hash}/lib-beta"),
            vec![0],
        );
        let root = disk.dir("/t");
        let parts = CargoHealer.derived(&*root, &[PathBuf::from(tree)]);
        let rels: Vec<String> = parts.iter().map(|p| p.rel.display().to_string()).collect();
        assert_eq!(
            rels,
            [
                format!("debug/.fingerprint/beta-{hash}"),
                format!("debug/deps/beta-{hash}.d"),
                format!("debug/deps/libbeta-{hash}.rlib"),
            ]
        );
        assert!(
            parts
                .iter()
                .all(|p| p.lock == Path::new("debug/.cargo-lock"))
        );
    }
}
