//! How CARGO_HOME is repaired (cargo 1.95): its locks, its cached index files, what `target/` holds of a crate.
//!
//! `.package-cache-mutate` before `.package-cache`, both exclusive (`util/cache_lock.rs`). An unpacked tree is made anew
//! from its archive by cargo; a cached index file is what the sparse index answered, in cargo's own wrapping (version 3,
//! `sources/registry/index/cache.rs`). Units of a build folder are found through `.d` files and fingerprints.

mod installed;
mod made;
mod reached;
mod sources;
mod units;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ecosystems::contract::{
    Copied, Derived, DerivedPart, Healer, Installed, RelPath, Remade, SourceTree, Unpacking,
};
use crate::formats::gzip::GzipStream;
use crate::formats::limits::Limits;
use crate::formats::tar::{TarKind, TarReader};
use crate::model::digest::hex;
use crate::model::{ArtifactId, Coordinate, Digest};
use crate::world::{Dir, ReadFs, Request, Response};

use super::{authority, git, index_line, projection};
use reached::reached;
use sources::Sources;
use units::Map;

/// Largest answer of an index.
const LARGEST_ANSWER: u64 = 64 << 20;
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

    fn stamp(&self) -> Option<(RelPath, &'static [u8])> {
        Some((RelPath::from(".cargo-ok"), b"{\"v\":1}"))
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

    /// A checkout is made from its database, offline too; the database is fetched anew (`sources/git/source.rs`).
    fn remade(&self, kind: &str, rel: &Path) -> Option<Remade> {
        let mut parts = rel.iter();
        let (git, which, folder) = (parts.next()?, parts.next()?, parts.next()?);
        let kinds = [("checkout", "checkouts"), ("git-db", "db")];
        let is_one = git == "git" && kinds.iter().any(|(k, w)| *k == kind && which == *w);
        is_one.then(|| Remade {
            source: Path::new("git/db").join(folder),
            copies: Path::new("git/checkouts").join(folder),
            unfetched: "heal fetches no git repository: cargo does, the next time that it is online",
        })
    }

    fn copied(&self, cache: &dyn Dir, copy: &Path, about: &[Arc<Coordinate>]) -> Option<Copied> {
        git::copied(cache, copy, about)
    }

    fn is_above_trees(&self, folder: &Path) -> bool {
        let parts: Vec<&OsStr> = folder.iter().collect();
        matches!(parts.as_slice(), [registry, src] | [registry, src, _] if *registry == "registry" && *src == "src")
    }

    fn packages(&self, cache: &dyn Dir, copies: &Path) -> Vec<Arc<str>> {
        git::packages(cache, copies)
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

    fn derived(&self, build: &dyn Dir, trees: &[SourceTree]) -> Vec<DerivedPart> {
        let derived = self.derived_among(&[build], trees);
        derived.parts.into_iter().map(|(_, part)| part).collect()
    }

    fn derived_among(&self, builds: &[&dyn Dir], trees: &[SourceTree]) -> Derived {
        let sources = Sources::of(trees);
        reached(Map::of(builds, &sources), &sources)
    }

    fn installed(
        &self,
        cache: &dyn Dir,
        fs: &dyn ReadFs,
        packages: &[Arc<Coordinate>],
    ) -> Vec<Installed> {
        installed::installed(cache, fs, packages)
    }

    fn is_build(&self, dir: &dyn Dir) -> bool {
        units::is_build(dir)
    }

    fn builds_of(&self, project: &Path) -> Vec<PathBuf> {
        vec![project.join("target")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;

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
    fn a_checkout_belongs_to_its_database() {
        let whole = CargoHealer.remade("checkout", Path::new("git/checkouts/a-1/abc1234"));
        let whole = whole.unwrap();
        assert_eq!(whole.source, PathBuf::from("git/db/a-1"));
        assert_eq!(whole.copies, PathBuf::from("git/checkouts/a-1"));
        assert_eq!(
            CargoHealer.remade("git-db", Path::new("git/db/a-1")),
            Some(whole)
        );
        for (kind, other) in [
            ("tree", "git/checkouts/a-1/abc1234"),
            ("checkout", "git/checkouts"),
            ("git-db", "git/checkouts/a-1"),
            ("checkout", "registry/src/r-1/a-1.0.0"),
        ] {
            assert_eq!(CargoHealer.remade(kind, Path::new(other)), None, "{other}");
        }
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
}
