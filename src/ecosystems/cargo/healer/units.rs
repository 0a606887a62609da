//! What a build folder of cargo (1.95) holds, unit by unit: files that carry a unit's hash, its fingerprint, what it was
//! made from.
//!
//! A profile folder holds `.fingerprint/<package>-<hash>/`, `deps/`, `build/`, `examples/`, and at its top the final
//! artifacts, hard links of what carries a hash (`core/compiler/layout.rs`, `fingerprint/mod.rs`). With `build-dir` the
//! final artifacts lie in another folder than the rest. Reads only; follows no link; whatever it cannot read is told.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::Unclear;
use crate::world::{Dir, FileKind};

use super::made::Made;
use super::sources::{Says, Sources};

/// Largest `.d` file or fingerprint that is read.
const LARGEST: u64 = 16 << 20;
/// Most entries of a folder that are looked at.
const MOST: usize = 500_000;
/// Folders down to a profile: a shared build folder, two parts of a workspace's hash, a target triple, the profile.
const DEPTH: usize = 5;
/// What cargo leaves in a build folder of its own.
const MARKS: &[&str] = &["CACHEDIR.TAG", ".rustc_info.json"];

/// A `<profile>` folder.
pub(super) struct Profile {
    /// Build folder, by position.
    pub(super) build: usize,
    /// Path below it.
    pub(super) rel: PathBuf,
    /// The workspace that it belongs to: the nearest folder that carries cargo's marks.
    pub(super) group: usize,
}

/// A file or folder that can be taken away.
pub(super) struct Piece {
    /// Profile, by position.
    pub(super) profile: usize,
    /// Path below the build folder.
    pub(super) rel: PathBuf,
    /// Unit whose hash it carries, by position.
    pub(super) unit: Option<usize>,
    /// Crate or program, as rustc spells it.
    pub(super) name: String,
    /// File-system id and inode, of a file.
    pub(super) id: Option<(u64, u64)>,
    /// Number of hard links.
    pub(super) links: u64,
    /// Whether it can be run or linked.
    pub(super) object: bool,
}

/// Everything that carries one hash in one profile.
#[derive(Default)]
pub(super) struct Unit {
    /// Profile, by position.
    pub(super) profile: usize,
    /// Package, by the names of its folders.
    pub(super) package: Option<String>,
    /// Crates, as rustc spells them.
    pub(super) names: BTreeSet<String>,
    /// Its fingerprints.
    pub(super) prints: BTreeSet<u64>,
    /// Crates that it was built with: name, fingerprint.
    pub(super) edges: Vec<(String, u64)>,
    /// Whether its fingerprint could be read, all of it.
    pub(super) known: bool,
    /// What its `.d` files say.
    pub(super) says: Says,
    /// When it was made.
    pub(super) made: Made,
    /// Where its program was run while something was built, if it is a build script.
    pub(super) ran: Option<PathBuf>,
}

/// Build folders, looked at together.
#[derive(Default)]
pub(super) struct Map {
    pub(super) profiles: Vec<Profile>,
    pub(super) units: Vec<Unit>,
    pub(super) pieces: Vec<Piece>,
    /// Of each workspace, whether it carries cargo's marks.
    pub(super) groups: Vec<bool>,
    /// What could not be looked at.
    pub(super) unclear: Vec<Unclear>,
    by_hash: BTreeMap<(usize, String), usize>,
}

impl Map {
    /// Looks at these folders.
    pub(super) fn of(builds: &[&dyn Dir], sources: &Sources) -> Self {
        let mut map = Self::default();
        for (build, dir) in builds.iter().enumerate() {
            map.groups.push(false);
            let group = map.groups.len() - 1;
            map.folder(*dir, Place::top(build, group), sources);
        }
        map
    }

    fn untold(&mut self, build: usize, rel: PathBuf, why: &'static str) {
        self.unclear.push(Unclear {
            build,
            rel,
            why,
            tainted: false,
        });
    }

    fn folder(&mut self, dir: &dyn Dir, mut at: Place, sources: &Sources) {
        let Ok(entries) = dir.list() else {
            return self.untold(at.build, at.rel, "it cannot be read");
        };
        let has = |name: &str, kind| entries.iter().any(|e| e.name == name && e.kind == kind);
        if MARKS.iter().any(|mark| has(mark, FileKind::File)) {
            self.groups.push(true);
            at.group = self.groups.len() - 1;
        }
        let units = ["deps", ".fingerprint"];
        let inner = units.iter().any(|name| has(name, FileKind::Dir));
        if inner || has(".cargo-lock", FileKind::File) {
            return self.profile(dir, at, sources);
        }
        for entry in &entries {
            let rel = at.rel.join(&entry.name);
            let hidden = entry.name.as_bytes().starts_with(b".");
            match entry.kind {
                FileKind::Dir if !hidden && at.depth < DEPTH => match dir.open_dir(&entry.name) {
                    Ok(below) => self.folder(&*below, at.below(rel), sources),
                    Err(_) => self.untold(at.build, rel, "it cannot be opened"),
                },
                // Cargo would follow it, and nobody who changes things may.
                FileKind::Link if self.marked(at.group) => {
                    self.untold(at.build, rel, "it is a link, which is not followed");
                }
                _ => {}
            }
        }
    }

    /// Whether a workspace carries cargo's marks.
    pub(super) fn marked(&self, group: usize) -> bool {
        self.groups.get(group).copied().unwrap_or(false)
    }

    fn profile(&mut self, dir: &dyn Dir, at: Place, sources: &Sources) {
        let profile = self.profiles.len();
        self.profiles.push(Profile {
            build: at.build,
            rel: at.rel.clone(),
            group: at.group,
        });
        for entry in dir.list().unwrap_or_default().iter().take(MOST) {
            let rel = at.rel.join(&entry.name);
            let known = ["deps", ".fingerprint", "build", "examples", "incremental"];
            let part = known.into_iter().find(|name| entry.name == *name);
            match (entry.kind, part) {
                (FileKind::Dir, Some(part)) => {
                    let listed = dir
                        .open_dir(&entry.name)
                        .and_then(|d| d.list().map(|l| (d, l)));
                    let Ok((below, entries)) = listed else {
                        self.untold(at.build, rel, "it cannot be read");
                        continue;
                    };
                    if entries.len() > MOST {
                        self.untold(at.build, rel.clone(), "it holds too much to be looked at");
                    }
                    for entry in entries.iter().take(MOST) {
                        let rel = rel.join(&entry.name);
                        self.entry(
                            &*below,
                            part,
                            profile,
                            &entry.name,
                            entry.kind,
                            rel,
                            sources,
                        );
                    }
                }
                (FileKind::Link, Some(_)) => {
                    self.untold(at.build, rel, "it is a link, which is not followed");
                }
                (FileKind::File, None) if !entry.name.as_bytes().starts_with(b".") => {
                    self.piece(dir, profile, &entry.name, entry.kind, rel, None);
                }
                _ => {}
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call, one place")]
    fn entry(
        &mut self,
        dir: &dyn Dir,
        part: &str,
        profile: usize,
        name: &OsStr,
        kind: FileKind,
        rel: PathBuf,
        sources: &Sources,
    ) {
        let text = name.to_string_lossy().into_owned();
        let stem = text.split('.').next().unwrap_or_default();
        let split = if part == "incremental" {
            None
        } else {
            hash_of(stem)
        };
        let Some((front, hash)) = split else {
            if part == "incremental" || kind == FileKind::File {
                self.piece(dir, profile, name, kind, rel, None);
            }
            return;
        };
        let unit = self.unit(profile, hash);
        match (part, kind) {
            (".fingerprint" | "build", FileKind::Dir) => {
                let Ok(below) = dir.open_dir(name) else {
                    return;
                };
                if let Some(unit) = self.units.get_mut(unit) {
                    unit.package = Some(front.to_owned());
                    if part == "build" {
                        infos(&*below, &mut unit.says, sources);
                        if let Ok(output) = below.stat_entry(OsStr::new("output")) {
                            unit.made.object(&output);
                            unit.ran = Some(rel.clone());
                        }
                    } else {
                        fingerprint(&*below, unit);
                    }
                }
            }
            ("deps" | "examples", FileKind::File) => {
                if let Some(unit) = self.units.get_mut(unit) {
                    unit.names.insert(crate_name(&text, Some(hash)));
                    if text.ends_with(".d") {
                        info(dir, name, &mut unit.says, sources);
                    }
                }
            }
            _ => {}
        }
        self.piece(dir, profile, name, kind, rel, Some((unit, hash)));
    }

    fn unit(&mut self, profile: usize, hash: &str) -> usize {
        let next = self.units.len();
        let at = *self
            .by_hash
            .entry((profile, hash.to_owned()))
            .or_insert(next);
        if at == next {
            self.units.push(Unit {
                profile,
                ..Unit::default()
            });
        }
        at
    }

    fn piece(
        &mut self,
        dir: &dyn Dir,
        profile: usize,
        name: &OsStr,
        kind: FileKind,
        rel: PathBuf,
        unit: Option<(usize, &str)>,
    ) {
        let stat = (kind == FileKind::File)
            .then(|| dir.stat_entry(name).ok())
            .flatten();
        let text = name.to_string_lossy();
        if let (Some((unit, _)), Some(stat)) = (unit, stat)
            && let Some(unit) = self.units.get_mut(unit)
        {
            if text.ends_with(".d") {
                unit.made.record(&stat);
            } else {
                unit.made.object(&stat);
            }
        }
        let linkable = [
            "rlib", "rmeta", "a", "so", "dylib", "dll", "exe", "wasm", "d",
        ];
        let extension = Path::new(name).extension().and_then(OsStr::to_str);
        self.pieces.push(Piece {
            profile,
            rel,
            unit: unit.map(|(unit, _)| unit),
            name: crate_name(&text, unit.map(|(_, hash)| hash)),
            id: stat.map(|s| (s.dev, s.inode)),
            links: stat.map_or(0, |s| s.links),
            object: extension.is_some_and(|e| linkable.contains(&e))
                || stat.is_some_and(|s| s.mode & 0o111 != 0),
        });
    }
}

struct Place {
    build: usize,
    rel: PathBuf,
    group: usize,
    depth: usize,
}

impl Place {
    fn top(build: usize, group: usize) -> Self {
        Self {
            build,
            rel: PathBuf::new(),
            group,
            depth: 0,
        }
    }

    fn below(&self, rel: PathBuf) -> Self {
        Self {
            build: self.build,
            rel,
            group: self.group,
            depth: self.depth + 1,
        }
    }
}

/// Whether a folder is, or holds, a build folder that carries cargo's marks.
pub(super) fn is_build(dir: &dyn Dir) -> bool {
    let map = Map::of(&[dir], &Sources::of(&[]));
    map.profiles.iter().any(|p| map.marked(p.group))
}

/// What `.d` files in a build script's folder say.
fn infos(dir: &dyn Dir, says: &mut Says, sources: &Sources) {
    for file in dir.list().unwrap_or_default() {
        if file.kind == FileKind::File && file.name.as_bytes().ends_with(b".d") {
            info(dir, &file.name, says, sources);
        }
    }
}

fn info(dir: &dyn Dir, name: &OsStr, says: &mut Says, sources: &Sources) {
    match dir.read(name, LARGEST) {
        Ok((bytes, _)) => sources.read(&bytes, says),
        Err(_) => says.unread = true,
    }
}

/// `<kind>-<crate>` holds a fingerprint in hex, `<kind>-<crate>.json` what it was made of.
fn fingerprint(dir: &dyn Dir, unit: &mut Unit) {
    let Ok(entries) = dir.list() else {
        return;
    };
    let (mut whole, mut broken) = (0, false);
    for entry in entries.iter().take(MOST) {
        let Some(stem) = entry.name.to_str().and_then(|n| n.strip_suffix(".json")) else {
            continue;
        };
        unit.names.insert(target_name(stem));
        if let Ok(stat) = dir.stat_entry(OsStr::new(stem)) {
            unit.made.record(&stat);
        }
        let own = dir.read(OsStr::new(stem), LARGEST).ok();
        let own = own.and_then(|(bytes, _)| little_endian(&bytes));
        let json = dir.read(&entry.name, LARGEST).ok();
        let edges = json.and_then(|(bytes, _)| edges(&bytes));
        match (own, edges) {
            (Some(own), Some(edges)) => {
                whole += 1;
                unit.prints.insert(own);
                unit.edges.extend(edges);
            }
            _ => broken = true,
        }
    }
    unit.known = whole > 0 && !broken;
}

/// `[[package, name, flag, fingerprint], …]` under `deps`.
fn edges(bytes: &[u8]) -> Option<Vec<(String, u64)>> {
    let json: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let edge = |row: &serde_json::Value| {
        let row = row.as_array()?;
        let name = row.iter().find_map(|field| field.as_str())?;
        Some((name.replace('-', "_"), row.last()?.as_u64()?))
    };
    json.get("deps")?.as_array()?.iter().map(edge).collect()
}

/// A fingerprint as cargo writes it: the hex of its bytes, least first.
fn little_endian(hex: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(hex).ok()?;
    if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(text, 16).ok().map(u64::swap_bytes)
}

/// The crate of `test-lib-my-crate`, as rustc spells it.
fn target_name(stem: &str) -> String {
    let mut rest = stem;
    for kind in [
        "run-", "doc-", "test-", "bench-", "lib-", "bin-", "example-",
    ] {
        rest = rest.strip_prefix(kind).unwrap_or(rest);
    }
    rest.replace('-', "_")
}

/// The crate or program of a file's name, as rustc spells it.
fn crate_name(name: &str, hash: Option<&str>) -> String {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let library = ["rlib", "rmeta", "a", "so", "dylib"].contains(&extension);
    let stem = match stem.strip_prefix("lib") {
        Some(rest) if library => rest,
        _ => stem,
    };
    let stem = match (hash, stem.rsplit_once('-')) {
        (Some(hash), Some((front, tail))) if tail == hash => front,
        _ => stem,
    };
    stem.replace('-', "_")
}

/// The crate of a folder below `incremental`.
pub(super) fn incremental_crate(rel: &Path) -> Option<&str> {
    let above = rel.parent()?.file_name()?;
    let name = rel.file_name()?.to_str()?;
    (above == "incremental").then(|| name.rsplit_once('-').map_or(name, |(front, _)| front))
}

/// The name in front of the 16 hex digits at the end of a unit's name, and these.
fn hash_of(stem: &str) -> Option<(&str, &str)> {
    let (front, hash) = stem.rsplit_once('-')?;
    (hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some((front, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_rustc_spells_them() {
        let hash = "0123456789abcdef";
        for (file, hash, name) in [
            ("libmy_crate-0123456789abcdef.rlib", Some(hash), "my_crate"),
            ("my_crate-0123456789abcdef.d", Some(hash), "my_crate"),
            ("my-app", None, "my_app"),
            ("libc.rlib", None, "c"),
            ("lib.rs", None, "lib"),
        ] {
            assert_eq!(crate_name(file, hash), name, "{file}");
        }
        assert_eq!(target_name("test-bin-my-app"), "my_app");
        assert_eq!(target_name("lib-beta"), "beta");
        assert_eq!(
            incremental_crate(Path::new("debug/incremental/app-0abc")),
            Some("app")
        );
    }

    #[test]
    fn fingerprints_are_read_as_cargo_writes_them() {
        assert_eq!(little_endian(b"0100000000000000"), Some(1));
        for bad in [&b""[..], b"01", b"010000000000000g", b"+100000000000000"] {
            assert_eq!(little_endian(bad), None);
        }
        let json = br#"{"deps":[[1,"a-b",false,18446744073709551615]],"x":0}"#;
        assert_eq!(edges(json), Some(vec![("a_b".to_owned(), u64::MAX)]));
        for bad in ["", "{}", r#"{"deps":[[1]]}"#, r#"{"deps":[["a",-1]]}"#] {
            assert_eq!(edges(bad.as_bytes()), None, "{bad}");
        }
    }
}
