//! `go.work`, and what the lockfiles of a tree say together (cmd/go 1.26, `modload/init.go`, `modfetch/fetch.go`).
//!
//! ```text
//! go.work         use ./a, use ./b: folders with a go.mod each, built as one; replace lines stronger than theirs
//! go.work.sum     hashes beside those of the go.sum files of all its modules
//! ```
//! A module that a `go.mod` file requires must have a line in one of the go.sum files that count there, or Go refuses to build
//! from it (`-mod=readonly`); nothing holds then what somebody fetches. A `go.mod` file from before 1.17 names only part of
//! what is built: the highest version of what else go.sum has a zip's hash of counts as built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::ecosystems::contract::{
    FirstParty, LockError, LockView, LockedSource, LockfileFormat, ParseLimits, ParsedLock,
    Together,
};
use crate::formats::semver_order::GoOrder;
use crate::model::version_order::VersionOrder as _;
use crate::model::{Code, Finding, Location, Place};

use super::gomod::{self, Kind, Replacement};
use super::locks::{line, parts, problems, published, tool, zip_file};

/// `go.work`.
pub(super) struct GoWorkFile;

impl LockfileFormat for GoWorkFile {
    fn matches(&self, file_name: &str) -> bool {
        file_name == "go.work"
    }

    fn manifest(&self) -> Option<&'static str> {
        Some("go.work")
    }

    fn first_party(&self, manifest: &[u8]) -> FirstParty {
        let file = gomod::parse(manifest, Kind::Work);
        let stand_ins = file.replace.iter().filter_map(|r| match &r.value.with {
            Replacement::Folder(folder) => Some((r.value.path.clone(), folder.clone())),
            Replacement::Module(_) => None,
        });
        let used = file.use_folders.iter().map(|at| at.value.clone());
        let mut paths: Vec<String> = used.chain(stand_ins.map(|(_, folder)| folder)).collect();
        paths.sort();
        paths.dedup();
        // Which module a replaced path stands for is told where a go.mod file requires it.
        FirstParty {
            name: None,
            paths,
            stand_ins: Vec::new(),
        }
    }

    fn kind(&self) -> &'static str {
        "go-work"
    }

    fn parse(&self, bytes: &[u8], limits: &ParseLimits) -> Result<ParsedLock, LockError> {
        let file = gomod::parse(bytes, Kind::Work);
        let mut parsed = ParsedLock {
            format: "go-work".to_owned(),
            problems: problems(&file.problems, file.more_problems),
            ..ParsedLock::default()
        };
        for replace in &file.replace {
            let Replacement::Module(module) = &replace.value.with else {
                continue;
            };
            if parsed.packages.len() >= limits.packages {
                let message = format!("more than {} modules are not read", limits.packages);
                parsed.problems.push((Some(line(replace.line)), message));
                break;
            }
            parsed.packages.push(published(module, line(replace.line)));
        }
        parsed.extra.tool = tool(&file);
        parsed.extra.parts = parts(&file, "go.work");
        parsed.extra.folders = file.use_folders.into_iter().map(|at| at.value).collect();
        parsed.extra.replaced = file
            .replace
            .into_iter()
            .map(|at| (at.value.path, at.value.version))
            .collect();
        Ok(parsed)
    }
}

/// Root and folder of a lockfile.
type Spot = (usize, PathBuf);

/// What the lockfiles say together.
pub(super) fn together(locks: &[LockView<'_>]) -> Together {
    let mut together = Together::default();
    let spot = |lock: &LockView<'_>| -> Spot {
        let folder = Path::new(lock.rel).parent().unwrap_or(Path::new(""));
        (lock.root, folder.to_owned())
    };
    let mut sums: BTreeMap<Spot, Vec<usize>> = BTreeMap::new();
    let mut names: BTreeMap<Spot, &str> = BTreeMap::new();
    for (at, lock) in locks.iter().enumerate() {
        match lock.kind {
            "go-sum" => sums.entry(spot(lock)).or_default().push(at),
            "go-mod" => {
                let own = lock.packages.first();
                let own = own.filter(|p| p.source == LockedSource::Path && p.version.is_empty());
                names.extend(own.map(|own| (spot(lock), &*own.name)));
            }
            _ => {}
        }
    }
    let spaces: Vec<(&LockView<'_>, BTreeSet<Spot>)> = locks
        .iter()
        .filter(|lock| lock.kind == "go-work")
        .map(|lock| {
            let (root, folder) = spot(lock);
            let mut members: BTreeSet<Spot> = lock
                .extra
                .folders
                .iter()
                .filter_map(|used| Some((root, below(&folder, used)?)))
                .collect();
            members.insert((root, folder));
            (lock, members)
        })
        .collect();
    for (at, lock) in locks.iter().enumerate() {
        if lock.kind != "go-mod" {
            continue;
        }
        let here = spot(lock);
        // What stands in for a module without a go.sum of its own is built with that of whoever put it there.
        if !sums.contains_key(&here) && stands_in(&here, locks) {
            continue;
        }
        let space = spaces.iter().find(|(_, members)| members.contains(&here));
        let alone = BTreeSet::from([here.clone()]);
        let counting = space.map_or(&alone, |(_, members)| members);
        let held: Vec<usize> = counting
            .iter()
            .filter_map(|spot| sums.get(spot))
            .flatten()
            .copied()
            .collect();
        let own: BTreeSet<&str> = counting
            .iter()
            .filter_map(|spot| names.get(spot).copied())
            .collect();
        let replaced = space.map_or(&[][..], |(work, _)| &work.extra.replaced);
        uncovered(at, locks, &held, &own, replaced, &mut together);
        if lock.extra.partial
            && let Some(sums) = sums.get(&here)
        {
            complete(lock, locks, sums, &mut together);
        }
    }
    for (at, lock) in locks.iter().enumerate() {
        if lock.kind == "go-work" {
            let (root, folder) = spot(lock);
            let held = sums.get(&(root, folder)).cloned().unwrap_or_default();
            let all: Vec<usize> = spaces
                .iter()
                .filter(|(work, _)| std::ptr::eq(*work, lock))
                .flat_map(|(_, members)| members)
                .filter_map(|spot| sums.get(spot))
                .flatten()
                .copied()
                .chain(held)
                .collect();
            uncovered(at, locks, &all, &BTreeSet::new(), &[], &mut together);
        }
    }
    together
}

/// Whether another `go.mod` puts a folder in place of a module.
fn stands_in(here: &Spot, locks: &[LockView<'_>]) -> bool {
    locks
        .iter()
        .filter(|lock| lock.kind == "go-mod")
        .any(|lock| {
            let folder = Path::new(lock.rel).parent().unwrap_or(Path::new(""));
            let mut named = lock.extra.folders.iter();
            lock.root == here.0 && named.any(|named| below(folder, named).as_ref() == Some(&here.1))
        })
}

/// Modules that a file requires and no counting go.sum has a line of.
fn uncovered(
    at: usize,
    locks: &[LockView<'_>],
    sums: &[usize],
    own: &BTreeSet<&str>,
    replaced: &[(String, Option<String>)],
    together: &mut Together,
) {
    let Some(lock) = locks.get(at) else { return };
    let before = together.findings.len();
    let mut lines: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut zips = lines.clone();
    for package in sums
        .iter()
        .filter_map(|at| locks.get(*at))
        .flat_map(|sum| &sum.packages)
    {
        let key = (&*package.name, &*package.version);
        lines.insert(key);
        if *package.file == zip_file(&package.version) {
            zips.insert(key);
        }
    }
    for (position, package) in lock.packages.iter().enumerate() {
        // Of what is required for its version alone, the line of its go.mod file is enough.
        let held = if lock.extra.taken.contains(&position) {
            &zips
        } else {
            &lines
        };
        let key = (&*package.name, &*package.version);
        let elsewhere = replaced.iter().any(|(path, version)| {
            **path == *package.name && version.as_deref().is_none_or(|v| *v == *package.version)
        });
        if package.source != LockedSource::Default
            || own.contains(&*package.name)
            || elsewhere
            || held.contains(&key)
        {
            continue;
        }
        let what = if sums.is_empty() {
            "there is no go.sum"
        } else if lines.contains(&key) {
            "go.sum has a line of its go.mod file alone"
        } else {
            "no go.sum has a line of it"
        };
        let message = format!(
            "{}@{} is required, and {what}: Go refuses to build with it, or takes what it is given",
            package.name, package.version
        );
        let mut finding = Finding::new(Code::LockfileHashMissing, Place::Lockfile, message);
        finding.package = Some(std::sync::Arc::clone(&package.name));
        finding.version = Some(std::sync::Arc::clone(&package.version));
        finding.location = Some(Location {
            file: String::new(),
            line: Some(package.line),
        });
        finding.remedy = Some("go mod tidy".to_owned());
        together.findings.push((at, finding));
    }
    let open = together.findings.len().saturating_sub(before);
    if open > 0 {
        let what = format!(
            "requires what no go.sum has the hashes of ({open} in all): what a build takes for it is not settled; go mod tidy"
        );
        together.gaps.push((at, what));
    }
}

/// Marks what is built beside what an old go.mod file names.
fn complete(lock: &LockView<'_>, locks: &[LockView<'_>], sums: &[usize], together: &mut Together) {
    let named: BTreeSet<&str> = lock.packages.iter().map(|p| &*p.name).collect();
    let mut highest: BTreeMap<&str, (&str, usize, usize)> = BTreeMap::new();
    for at in sums {
        let Some(sum) = locks.get(*at) else { continue };
        for (position, package) in sum.packages.iter().enumerate() {
            if named.contains(&*package.name) || *package.file != zip_file(&package.version) {
                continue;
            }
            let here = (&*package.version, *at, position);
            let entry = highest.entry(&package.name).or_insert(here);
            if GoOrder.compare(here.0, entry.0) == Some(std::cmp::Ordering::Greater) {
                *entry = here;
            }
        }
    }
    together.built.extend(
        highest
            .into_values()
            .map(|(_, at, position)| (at, position)),
    );
}

/// A folder named from another one; `None` if it lies outside the root.
fn below(folder: &Path, named: &str) -> Option<PathBuf> {
    let mut out = folder.to_owned();
    for part in Path::new(named).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                out.pop().then_some(())?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::locks::{GoModFile, GoSumFile};
    use super::*;

    const H: &str = "h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=";

    /// What the files of a tree say: packages without a line, and packages that count as built besides.
    fn said(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let formats: [&dyn LockfileFormat; 3] = [&GoSumFile, &GoModFile, &GoWorkFile];
        let parsed: Vec<(&str, &str, ParsedLock)> = files
            .iter()
            .map(|(rel, text)| {
                let name = rel.rsplit('/').next().unwrap();
                let format = formats.iter().find(|f| f.matches(name)).unwrap();
                let text = text.replace("HASH", H);
                let parsed = format.parse(text.as_bytes(), &ParseLimits::default());
                (*rel, format.kind(), parsed.unwrap())
            })
            .collect();
        let views: Vec<LockView<'_>> = parsed
            .iter()
            .map(|(rel, kind, parsed)| LockView {
                root: 0,
                root_path: Path::new("/p"),
                rel,
                kind,
                packages: parsed.packages.iter().collect(),
                extra: &parsed.extra,
            })
            .collect();
        let together = together(&views);
        let missing = together.findings.iter().map(|(at, finding)| {
            format!(
                "{}:{} {}",
                files[*at].0,
                finding.location.as_ref().unwrap().line.unwrap(),
                finding.package.as_ref().unwrap()
            )
        });
        let built = together.built.iter().map(|(lock, at)| {
            let package = views[*lock].packages[*at];
            format!("{} {}", package.name, package.version)
        });
        (missing.collect(), built.collect())
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn a_required_module_without_a_line_is_said() {
        let gomod = "module a.example/m\ngo 1.24\nrequire b.example/b v1.0.0 // indirect\nrequire c.example/c v1.0.0\n";
        let both = "b.example/b v1.0.0/go.mod HASH\nc.example/c v1.0.0 HASH\n";
        assert_eq!(said(&[("go.mod", gomod), ("go.sum", both)]).0, NONE);
        let one = "b.example/b v1.0.0 HASH\nc.example/c v1.1.0 HASH\n";
        assert_eq!(
            said(&[("go.mod", gomod), ("go.sum", one)]).0,
            ["go.mod:4 c.example/c"]
        );
        assert_eq!(said(&[("go.mod", gomod)]).0.len(), 2);
        // What the module imports itself is built, which the line of a go.mod file does not hold.
        let direct = gomod.replace(" // indirect", "");
        assert_eq!(
            said(&[("go.mod", &direct), ("go.sum", both)]).0,
            ["go.mod:3 b.example/b"]
        );
        // The go.sum of another folder does not count.
        assert_eq!(said(&[("x/go.mod", gomod), ("go.sum", both)]).0.len(), 2);
        let replaced = format!("{gomod}replace c.example/c => ./c\n");
        assert_eq!(said(&[("go.mod", &replaced), ("go.sum", one)]).0, NONE);
        let fork = format!("{gomod}replace c.example/c => d.example/d v1.0.0\n");
        assert_eq!(
            said(&[("go.mod", &fork), ("go.sum", one)]).0,
            ["go.mod:4 d.example/d"]
        );
    }

    #[test]
    fn a_workspace_counts_the_lines_of_all_its_modules() {
        let work = "go 1.24\nuse (\n\t./a\n\t./b\n)\n";
        let a =
            "module a.example/a\ngo 1.24\nrequire a.example/b v0.0.0\nrequire x.example/x v1.0.0\n";
        let b = "module a.example/b\ngo 1.24\nrequire y.example/y v1.0.0\n";
        let y = "y.example/y v1.0.0 HASH\n";
        let x = "x.example/x v1.0.0 HASH\n";
        let files = [
            ("go.work", work),
            ("a/go.mod", a),
            ("b/go.mod", b),
            ("go.work.sum", x),
            ("a/go.sum", y),
        ];
        assert_eq!(said(&files).0, NONE);
        assert_eq!(
            said(&files[..4]).0,
            ["b/go.mod:3 y.example/y"],
            "without a's go.sum"
        );
        assert_eq!(said(&files[1..]).0.len(), 3, "without go.work");
        let other = format!("{work}replace x.example/x => z.example/z v1.0.0\n");
        let mut replaced = files;
        replaced[0].1 = &other;
        replaced[3].1 = y;
        assert_eq!(said(&replaced).0, ["go.work:6 z.example/z"]);
    }

    #[test]
    fn an_old_go_mod_file_is_completed_from_go_sum() {
        let sum = "b.example/b v1.0.0 HASH\nc.example/c v1.0.0 HASH\nc.example/c v1.2.0 HASH\n\
                   c.example/c v1.10.0 HASH\nc.example/c v1.11.0/go.mod HASH\nd.example/d v1.0.0/go.mod HASH\n";
        for (go, built) in [
            ("go 1.16\n", vec!["c.example/c v1.10.0"]),
            ("", vec!["c.example/c v1.10.0"]),
            ("go 1.17\n", vec![]),
            ("go 1.26.1\n", vec![]),
        ] {
            let gomod = format!("module a.example/m\n{go}require b.example/b v1.0.0\n");
            assert_eq!(
                said(&[("go.mod", &gomod), ("go.sum", sum)]).1,
                built,
                "{go}"
            );
        }
    }

    #[test]
    fn what_stands_in_for_a_module_is_built_with_the_hashes_of_whoever_put_it_there() {
        let main =
            "module a.example/m\ngo 1.24\nrequire b.example/b v1.0.0\nreplace b.example/b => ./b\n";
        let stand_in = "module b.example/b\ngo 1.24\nrequire c.example/c v1.0.0\n";
        let files = [("go.mod", main), ("b/go.mod", stand_in)];
        assert_eq!(said(&files).0, NONE);
        assert_eq!(said(&files[1..]).0, ["b/go.mod:3 c.example/c"]);
        let own = [files[0], files[1], ("b/go.sum", "")];
        assert_eq!(said(&own).0, ["b/go.mod:3 c.example/c"]);
    }

    #[test]
    fn folders_outside_the_root_are_no_members() {
        assert_eq!(below(Path::new("a"), "../b"), Some("b".into()));
        assert_eq!(below(Path::new(""), "."), Some("".into()));
        assert_eq!(below(Path::new("a"), "../../b"), None);
        assert_eq!(below(Path::new("a"), "/b"), None);
    }
}
