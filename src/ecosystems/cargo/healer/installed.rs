//! Programs of `cargo install` (cargo 1.95, `ops/common_for_install_and_uninstall.rs`) that may hold a tainted crate.
//!
//! `.crates2.json` holds `{"installs": {"<name> <version> (<source>)": {"bins": [...], "features": [...], ...}}}`, and
//! `.crates.toml` `[v1]` with `"<name> <version> (<source>)" = ["<bin>", …]`. Neither says what a program was built from:
//! that may be in the lockfile of its package, which cargo heeds with `--locked` alone. So a program whose lockfile names
//! a tainted crate may hold it, one without a lockfile may too, and no more can be said. Both files lie in the cache and
//! are anybody's word: no address out of them stands in a command that is proposed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::ecosystems::cargo::lockfile::CargoLock;
use crate::ecosystems::contract::{
    Installed, LockedSource, LockfileFormat as _, ParseLimits, ParsedLock,
};
use crate::model::{Coordinate, Origin, shell, text};
use crate::world::{Dir, FileKind, ReadFs};

/// Largest record or lockfile that is read, in bytes.
const LARGEST: u64 = 16 << 20;
/// Most programs that are looked at.
const MOST: usize = 10_000;
/// Folders above a package in which its workspace's lockfile is looked for.
const ABOVE: usize = 16;
const LOCK: &str = "Cargo.lock";

/// Whose programs.
struct Package {
    name: String,
    version: String,
    source: String,
    bins: Vec<String>,
    /// Words that choose its features.
    features: String,
}

/// Programs in `bin` that may hold any of these packages, and those of which nobody can tell.
pub(super) fn installed(
    cache: &dyn Dir,
    fs: &dyn ReadFs,
    packages: &[Arc<Coordinate>],
) -> Vec<Installed> {
    let Ok(bin) = cache.descend(&[OsStr::new("bin")]) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for package in records(cache).into_iter().take(MOST) {
        let (named, known) = if packages.iter().any(|p| package.is(p)) {
            (Some("it is that package".to_owned()), true)
        } else {
            match lock(cache, fs, &package) {
                Some(lock) => (names(&lock, packages), true),
                None => (None, false),
            }
        };
        if known && named.is_none() {
            continue;
        }
        let is_named = named.is_some();
        let why = named.unwrap_or_else(|| "nobody wrote down what it was built from".to_owned());
        for name in &package.bins {
            let plain = matches!(
                Path::new(name).components().collect::<Vec<_>>().as_slice(),
                [Component::Normal(_)]
            );
            let stat = bin.stat_entry(OsStr::new(name));
            if plain && stat.is_ok_and(|stat| stat.kind == FileKind::File) {
                all.push(Installed {
                    rel: Path::new("bin").join(name),
                    why: format!(
                        "installed from {} {}; {why}, so it may hold what is tainted: {}",
                        text::printable(&package.name),
                        text::printable(&package.version),
                        package.command()
                    ),
                    named: is_named,
                });
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

impl Package {
    fn of(id: &str, bins: Vec<String>, features: String) -> Option<Self> {
        let (name, rest) = id.split_once(' ')?;
        let (version, source) = rest.split_once(' ')?;
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            source: source.strip_prefix('(')?.strip_suffix(')')?.to_owned(),
            bins,
            features,
        })
    }

    fn commit(&self) -> Option<&str> {
        let git = self.source.strip_prefix("git+")?;
        git.rsplit_once('#').map(|(_, commit)| commit)
    }

    fn folder(&self) -> Option<PathBuf> {
        let path = self.source.strip_prefix("path+file://")?;
        let path = PathBuf::from(std::ffi::OsString::from_vec(shell::unescape(path)));
        path.is_absolute().then_some(path)
    }

    fn is(&self, package: &Coordinate) -> bool {
        match &package.origin {
            Origin::Git { commit, .. } => self.commit() == Some(commit),
            _ => {
                *self.name == *package.name
                    && *self.version == *package.version
                    && self.commit().is_none()
                    && self.folder().is_none()
            }
        }
    }

    /// What makes it anew: one line for a shell.
    fn command(&self) -> String {
        let shipped = [
            tame_index::CRATES_IO_HTTP_INDEX,
            tame_index::CRATES_IO_INDEX,
        ];
        let trimmed = |address: &str| {
            let address = address.strip_prefix("registry+").unwrap_or(address);
            let address = address.strip_prefix("sparse+").unwrap_or(address);
            address.trim_end_matches('/').to_owned()
        };
        let name = shell::quote(self.name.as_bytes());
        if let Some(folder) = self.folder() {
            use std::os::unix::ffi::OsStrExt as _;
            let folder = shell::quote(folder.as_os_str().as_bytes());
            return format!("cargo install --force --path {folder}{}", self.features);
        }
        let given = trimmed(&self.source);
        if shipped.iter().any(|address| trimmed(address) == given) {
            let version = shell::quote(format!("={}", self.version).as_bytes());
            return format!(
                "cargo install --force --version {version}{} -- {name}",
                self.features
            );
        }
        format!("cargo uninstall -- {name}")
    }
}

/// What cargo wrote down of its programs.
fn records(cache: &dyn Dir) -> Vec<Package> {
    let mut all: BTreeMap<String, Package> = BTreeMap::new();
    let read = |name: &str| cache.read(OsStr::new(name), LARGEST).ok();
    let texts = |value: Option<&serde_json::Value>| -> Vec<String> {
        let list = value.and_then(|v| v.as_array()).into_iter().flatten();
        list.filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let json = read(".crates2.json")
        .and_then(|(b, _)| serde_json::from_slice::<serde_json::Value>(&b).ok());
    let installs = json.as_ref().and_then(|j| j.get("installs")?.as_object());
    for (id, install) in installs.into_iter().flatten() {
        let is = |key: &str| install.get(key).and_then(|v| v.as_bool()) == Some(true);
        let mut features = String::new();
        if is("all_features") {
            features.push_str(" --all-features");
        }
        if is("no_default_features") {
            features.push_str(" --no-default-features");
        }
        let named = texts(install.get("features"));
        if !named.is_empty() {
            let words = shell::quote(named.join(",").as_bytes());
            features.push_str(&format!(" --features={words}"));
        }
        let package = Package::of(id, texts(install.get("bins")), features);
        all.extend(package.map(|package| (id.clone(), package)));
    }
    let old = read(".crates.toml").and_then(|(b, _)| String::from_utf8(b).ok());
    let old = old.and_then(|text| text.parse::<toml::Table>().ok());
    let old = old.as_ref().and_then(|table| table.get("v1")?.as_table());
    for (id, bins) in old.into_iter().flatten() {
        let bins = bins.as_array().into_iter().flatten();
        let bins = bins.filter_map(|b| b.as_str().map(str::to_owned)).collect();
        if !all.contains_key(id) {
            let package = Package::of(id, bins, String::new());
            all.extend(package.map(|package| (id.clone(), package)));
        }
    }
    all.into_values().collect()
}

/// The lockfile of a program's package, where it still is.
fn lock(cache: &dyn Dir, fs: &dyn ReadFs, package: &Package) -> Option<ParsedLock> {
    let parsed = |dir: &dyn Dir| {
        let (bytes, _) = dir.read(OsStr::new(LOCK), LARGEST).ok()?;
        CargoLock.parse(&bytes, &ParseLimits::default()).ok()
    };
    if let Some(folder) = package.folder() {
        let mut above = folder.ancestors().take(ABOVE);
        return above.find_map(|path| parsed(&*fs.open_root(path).ok()?.dir));
    }
    let below = |parts: [&str; 2]| {
        let dir = cache.descend(&parts.map(OsStr::new)).ok();
        let listed = dir.and_then(|dir| Some((dir.list().ok()?, dir)));
        listed.map_or_else(Vec::new, |(list, dir)| {
            let folders = list.into_iter().filter(|e| e.kind == FileKind::Dir);
            folders.filter_map(|e| dir.open_dir(&e.name).ok()).collect()
        })
    };
    if let Some(commit) = package.commit() {
        return below(["git", "checkouts"]).iter().find_map(|folder| {
            let all = folder.list().ok()?;
            let mut fitting = all.iter().filter(|e| {
                e.name
                    .to_str()
                    .is_some_and(|short| short.len() >= 4 && commit.starts_with(short))
            });
            fitting.find_map(|e| parsed(&*folder.open_dir(&e.name).ok()?))
        });
    }
    let stem = format!("{}-{}", package.name, package.version);
    below(["registry", "src"])
        .iter()
        .find_map(|folder| parsed(&*folder.open_dir(OsStr::new(&stem)).ok()?))
}

/// Which of the packages a lockfile names, in any version: cargo heeds its versions with `--locked` alone.
fn names(lock: &ParsedLock, packages: &[Arc<Coordinate>]) -> Option<String> {
    let found = packages.iter().find(|package| {
        lock.packages
            .iter()
            .any(|locked| match (&package.origin, &locked.source) {
                (Origin::Git { commit, .. }, LockedSource::Git { commit: at, .. }) => commit == at,
                (Origin::Git { .. }, _) | (_, LockedSource::Git { .. } | LockedSource::Path) => {
                    false
                }
                _ => locked.name == package.name,
            })
    })?;
    Some(format!(
        "its lockfile names {}",
        text::printable(&found.name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake::Disk;

    fn beta() -> Vec<Arc<Coordinate>> {
        vec![Arc::new(Coordinate {
            ecosystem: super::super::super::CARGO,
            name: "beta".into(),
            version: "1.0.0".into(),
            origin: Origin::Unknown,
        })]
    }

    const NAMES: &str = "version = 4\n[[package]]\nname = \"beta\"\nversion = \"1.0.0\"\nsource = \"registry+https://registry.example/i\"\n";

    fn seen(disk: &Disk) -> Vec<(String, bool, String)> {
        let found = installed(&*disk.dir("/h"), disk, &beta());
        let told = found.into_iter();
        told.map(|i| (i.rel.display().to_string(), i.named, i.why))
            .collect()
    }

    fn disk(ids: &[(&str, &str)]) -> Disk {
        let mut disk = Disk::of(0, 0);
        let installs: serde_json::Map<_, _> = ids
            .iter()
            .map(|(id, bin)| {
                (
                    (*id).to_owned(),
                    serde_json::json!({"bins": [bin, "gone", "../up"], "features": ["a b"]}),
                )
            })
            .collect();
        disk.file(
            "/h/.crates2.json",
            serde_json::json!({"installs": installs}).to_string(),
        );
        for (_, bin) in ids {
            disk.file(&format!("/h/bin/{bin}"), "program");
        }
        disk
    }

    #[test]
    fn a_program_whose_lockfile_names_the_crate_is_told() {
        let mut disk = disk(&[
            ("app 0.1.0 (path+file:///p%20q/crates/app)", "app"),
            ("clean 0.1.0 (path+file:///c)", "clean"),
            ("tool 2.0.0 (sparse+https://registry.example/i/)", "tool"),
        ]);
        disk.file("/p q/Cargo.lock", NAMES)
            .folder("/p q/crates/app");
        disk.file("/c/Cargo.lock", NAMES.replace("beta", "gamma"));
        disk.file(
            "/h/registry/src/r-1/tool-2.0.0/Cargo.lock",
            NAMES.replace("1.0.0", "0.9.0"),
        );
        let found = seen(&disk);
        let told: Vec<(&str, bool)> = found
            .iter()
            .map(|(rel, named, _)| (&**rel, *named))
            .collect();
        assert_eq!(told, [("bin/app", true), ("bin/tool", true)]);
        assert!(
            found[0]
                .2
                .ends_with("cargo install --force --path '/p q/crates/app' --features='a b'"),
            "{}",
            found[0].2
        );
        assert!(
            found[1].2.ends_with("cargo uninstall -- tool"),
            "{}",
            found[1].2
        );
    }

    #[test]
    fn the_package_itself_and_what_nobody_knows_are_told() {
        let shipped = tame_index::CRATES_IO_INDEX;
        let disk = disk(&[
            (&format!("beta 1.0.0 (registry+{shipped})"), "beta"),
            (&format!("beta 2.0.0 (registry+{shipped})"), "beta2"),
            (
                "far 1.0.0 (git+https://git.registry.example/far?branch=x#0123456789)",
                "far",
            ),
        ]);
        let found = seen(&disk);
        let told: Vec<(&str, bool)> = found
            .iter()
            .map(|(rel, named, _)| (&**rel, *named))
            .collect();
        assert_eq!(
            told,
            [("bin/beta", true), ("bin/beta2", false), ("bin/far", false)]
        );
        assert!(
            found[0]
                .2
                .ends_with("cargo install --force --version '=1.0.0' --features='a b' -- beta"),
            "{}",
            found[0].2
        );
        assert!(!found[2].2.contains("registry.example"), "{}", found[2].2);
    }

    #[test]
    fn the_older_record_counts_too_and_broken_ones_say_nothing() {
        let mut disk = Disk::of(0, 0);
        disk.file("/h/bin/app", "x")
            .file("/h/.crates2.json", "no json");
        disk.file(
            "/h/.crates.toml",
            "[v1]\n\"app 0.1.0 (path+file:///p)\" = [\"app\"]\n\"odd\" = 1\n",
        );
        disk.file("/p/Cargo.lock", NAMES);
        assert_eq!(seen(&disk).len(), 1);
        disk.file("/h/.crates.toml", "v1 = 3");
        assert!(seen(&disk).is_empty());
    }
}
