//! `go.sum`, `go.work.sum` and `go.mod` as lockfiles.
//!
//! A `go.sum` declares hashes: of zips and, apart, of `go.mod` files; it is a superset of what is built, so nothing in it is a
//! component. A `go.mod` declares what is built: with its replacements, and as complete as `go mod tidy` (1.17 and later)
//! leaves it. It has no hashes. A module that is replaced by a folder is the user's own. The standard library and the
//! toolchain are told by its `go` and `toolchain` lines, and by what is installed (see `toolchain`).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ecosystems::contract::{
    FirstParty, LockError, LockedDigest, LockedPackage, LockedSource, LockfileFormat, ParseLimits,
    ParsedLock, ToolPart,
};
use crate::formats::semver_order::GoOrder;
use crate::model::Line;
use crate::model::version_order::VersionOrder as _;

use super::gomod::{self, GoMod, Kind, Module, Replacement};
use super::gosum::{self, LineProblem, Part, Recorded};
use super::toolchain::{Here, Said};

/// `go.sum` and `go.work.sum`.
pub(super) struct GoSumFile;

/// `go.mod`.
pub(super) struct GoModFile;

/// File name of a module's zip, as the cache has it.
pub(super) fn zip_file(version: &str) -> String {
    format!("{version}.zip")
}

/// File name of a module's `go.mod`, as the cache has it.
pub(super) fn mod_file(version: &str) -> String {
    format!("{version}.mod")
}

pub(super) fn line(number: usize) -> Line {
    Line::try_from(number).unwrap_or(Line::MAX)
}

pub(super) fn problems(of: &[LineProblem], more: usize) -> Vec<(Option<Line>, String)> {
    let mut problems: Vec<(Option<Line>, String)> = of
        .iter()
        .map(|p| (Some(line(p.line)), p.message.clone()))
        .collect();
    if more > 0 {
        problems.push((None, format!("{more} more lines could not be read")));
    }
    problems
}

impl LockfileFormat for GoSumFile {
    fn matches(&self, file_name: &str) -> bool {
        matches!(file_name, "go.sum" | "go.work.sum")
    }

    fn kind(&self) -> &'static str {
        "go-sum"
    }

    fn parse(&self, bytes: &[u8], limits: &ParseLimits) -> Result<ParsedLock, LockError> {
        let sum = gosum::parse(bytes);
        let mut parsed = ParsedLock {
            format: "go-sum".to_owned(),
            problems: problems(&sum.problems, sum.more_problems),
            ..ParsedLock::default()
        };
        let mut places: BTreeMap<(String, String, Part), usize> = BTreeMap::new();
        for entry in sum.lines {
            let Recorded::H1(digest) = entry.hash else {
                // Hashes of other kinds are for other versions of Go; each module has an `h1` besides.
                continue;
            };
            let digest = LockedDigest {
                digest,
                line: line(entry.number),
            };
            let key = (entry.module, entry.version, entry.part);
            if let Some(package) = places.get(&key).and_then(|at| parsed.packages.get_mut(*at)) {
                package.digests.push(digest);
                continue;
            }
            if parsed.packages.len() >= limits.packages {
                let message = format!("more than {} modules are not read", limits.packages);
                parsed.problems.push((Some(digest.line), message));
                break;
            }
            let (module, version, part) = &key;
            parsed.packages.push(LockedPackage {
                name: Arc::from(module.as_str()),
                version: Arc::from(version.as_str()),
                source: LockedSource::Default,
                file: Arc::from(match part {
                    Part::Zip => zip_file(version),
                    Part::GoMod => mod_file(version),
                }),
                line: digest.line,
                digests: vec![digest],
                depends_on: Vec::new(),
                built: false,
            });
            places.insert(key, parsed.packages.len() - 1);
        }
        Ok(parsed)
    }
}

impl LockfileFormat for GoModFile {
    fn matches(&self, file_name: &str) -> bool {
        file_name == "go.mod"
    }

    fn manifest(&self) -> Option<&'static str> {
        Some("go.mod")
    }

    fn first_party(&self, manifest: &[u8]) -> FirstParty {
        let file = gomod::parse(manifest, Kind::Mod);
        // Of a folder Go asks no more than that it has a go.mod file: any module path in it will do.
        let stand_ins = file.replace.iter().filter_map(|r| match &r.value.with {
            Replacement::Folder(folder) => Some((r.value.path.clone(), folder.clone())),
            Replacement::Module(_) => None,
        });
        let mut stand_ins: Vec<(String, String)> = stand_ins.collect();
        stand_ins.sort();
        stand_ins.dedup();
        let mut paths: Vec<String> = stand_ins.iter().map(|(_, path)| path.clone()).collect();
        paths.sort();
        paths.dedup();
        FirstParty {
            name: file.module.map(|own| own.value),
            paths,
            stand_ins,
        }
    }

    fn kind(&self) -> &'static str {
        "go-mod"
    }

    fn parse(&self, bytes: &[u8], limits: &ParseLimits) -> Result<ParsedLock, LockError> {
        let file = gomod::parse(bytes, Kind::Mod);
        let mut parsed = ParsedLock {
            format: "go-mod".to_owned(),
            problems: problems(&file.problems, file.more_problems),
            ..ParsedLock::default()
        };
        if let Some(own) = &file.module {
            parsed.packages.push(folder(&own.value, "", line(own.line)));
        }
        let own = parsed.packages.len();
        for required in &file.require {
            if parsed.packages.len() >= limits.packages {
                let message = format!("more than {} modules are not read", limits.packages);
                parsed.problems.push((Some(line(required.line)), message));
                break;
            }
            let module = &required.value.module;
            let package = match replacement(&file, module) {
                Some(Replacement::Folder(_)) => {
                    folder(&module.path, &module.version, line(required.line))
                }
                Some(Replacement::Module(other)) => published(other, line(required.line)),
                None => published(module, line(required.line)),
            };
            if !required.value.indirect {
                parsed.extra.taken.push(parsed.packages.len());
            }
            parsed.packages.push(package);
        }
        let all = u32::try_from(parsed.packages.len()).unwrap_or(u32::MAX);
        if let Some(first) = parsed.packages.first_mut().filter(|_| own == 1) {
            first.depends_on = (1..all).collect();
        }
        parsed.extra.folders = file
            .replace
            .iter()
            .filter_map(|r| match &r.value.with {
                Replacement::Folder(folder) => Some(folder.clone()),
                Replacement::Module(_) => None,
            })
            .collect();
        parsed.extra.tool = tool(&file);
        parsed.extra.parts = parts(&file, "go.mod");
        // Before 1.17 a go.mod file names only what the module itself imports.
        let pruned = file.go.as_ref().is_some_and(|go| {
            let stands = GoOrder.compare(&semantic(&go.value), "1.17.0");
            stands.is_some_and(|stands| stands != Ordering::Less)
        });
        parsed.extra.partial = !pruned && !file.require.is_empty();
        Ok(parsed)
    }
}

/// What a file asks of Go itself.
pub(super) fn tool(file: &GoMod) -> Vec<(Arc<str>, Arc<str>, Line)> {
    let said = [("go", &file.go), ("toolchain", &file.toolchain)];
    said.into_iter()
        .filter_map(|(word, at)| Some((word, at.as_ref()?)))
        .map(|(word, at)| (Arc::from(word), Arc::from(at.value.as_str()), line(at.line)))
        .collect()
}

/// The standard library and the toolchain, as advisories call them, where nothing is known of the machine.
pub(super) fn parts(file: &GoMod, name: &str) -> Vec<ToolPart> {
    let of =
        |at: &Option<gomod::At<String>>| at.as_ref().map(|at| (at.value.clone(), line(at.line)));
    let said = Said {
        go: of(&file.go),
        toolchain: of(&file.toolchain),
    };
    Here::nowhere().parts(&said, name)
}

/// A version of Go as the vulnerability database orders it: `1.21` is `1.21.0`, `1.21rc2` is `1.21.0-rc.2`, and what follows a
/// dash is a builder's own.
pub(super) fn semantic(version: &str) -> String {
    let version = version.split(['-', ' ', '\t']).next().unwrap_or_default();
    let early = ["rc", "beta", "alpha"].iter().find_map(|word| {
        let (before, number) = version.split_once(word)?;
        Some((before, format!("-{word}.{number}")))
    });
    let (numbers, early) = early.unwrap_or((version, String::new()));
    let whole = match numbers.matches('.').count() {
        0 => format!("{numbers}.0.0"),
        1 => format!("{numbers}.0"),
        _ => numbers.to_owned(),
    };
    whole + &early
}

/// What takes the place of a module: a replacement of its version counts before one of all versions.
fn replacement<'a>(file: &'a GoMod, module: &Module) -> Option<&'a Replacement> {
    let of = |version: Option<&str>| {
        file.replace
            .iter()
            .map(|r| &r.value)
            .find(|r| r.path == module.path && r.version.as_deref() == version)
            .map(|r| &r.with)
    };
    of(Some(&module.version)).or_else(|| of(None))
}

pub(super) fn published(module: &Module, line: Line) -> LockedPackage {
    LockedPackage {
        name: Arc::from(module.path.as_str()),
        version: Arc::from(module.version.as_str()),
        source: LockedSource::Default,
        file: Arc::from(zip_file(&module.version)),
        digests: Vec::new(),
        line,
        depends_on: Vec::new(),
        built: true,
    }
}

pub(super) fn folder(path: &str, version: &str, line: Line) -> LockedPackage {
    LockedPackage {
        name: Arc::from(path),
        version: Arc::from(version),
        source: LockedSource::Path,
        file: Arc::from(""),
        digests: Vec::new(),
        line,
        depends_on: Vec::new(),
        built: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZIP: &str = "h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=";
    const MOD: &str = "h1:DuHFTR/T1U+R+7hIifGaU/MKbuUR3XKsRWVFj+5Y9KA=";

    #[test]
    fn both_artifacts_of_a_version_are_apart_and_contradictions_are_kept() {
        let text = format!(
            "example.com/A v1.0.0 {ZIP}\nexample.com/A v1.0.0/go.mod {MOD}\nexample.com/A v1.0.0 {MOD}\n\
             example.com/A v1.0.0 h2:later\nbroken\n"
        );
        let parsed = GoSumFile
            .parse(text.as_bytes(), &ParseLimits::default())
            .unwrap();
        let seen: Vec<_> = parsed
            .packages
            .iter()
            .map(|p| (&*p.file, p.digests.len(), p.built))
            .collect();
        assert_eq!(seen, [("v1.0.0.zip", 2, false), ("v1.0.0.mod", 1, false)]);
        assert_eq!(parsed.packages[0].digests[1].line, 3);
        assert_eq!(parsed.problems.len(), 1);
    }

    #[test]
    fn replacements_are_what_is_built() {
        let text = "module example.com/main\ngo 1.24\nrequire (\n\texample.com/a v1.0.0\n\texample.com/b v1.0.0\n\
                    \texample.com/c v1.0.0\n)\nreplace example.com/a => ./a\n\
                    replace example.com/b v1.0.0 => example.com/fork v2.0.0\n";
        let parsed = GoModFile
            .parse(text.as_bytes(), &ParseLimits::default())
            .unwrap();
        let seen: Vec<_> = parsed
            .packages
            .iter()
            .map(|p| (&*p.name, &*p.version, p.source == LockedSource::Path))
            .collect();
        assert_eq!(
            seen,
            [
                ("example.com/main", "", true),
                ("example.com/a", "v1.0.0", true),
                ("example.com/fork", "v2.0.0", false),
                ("example.com/c", "v1.0.0", false),
            ]
        );
        assert_eq!(parsed.packages[0].depends_on, [1, 2, 3]);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    }

    #[test]
    fn the_standard_library_is_the_newest_that_is_named() {
        for (text, version, at) in [
            ("go 1.21\n", "1.21.0", 1),
            ("go 1.26.3\n", "1.26.3", 1),
            ("go 1.27rc2\n", "1.27.0-rc.2", 1),
            ("go 1.21\ntoolchain go1.26.8\n", "1.26.8", 2),
            ("go 1.27.1\ntoolchain go1.26.8\n", "1.27.1", 1),
            ("go 1.21\ntoolchain go1.26.8-mine.1\n", "1.26.8", 2),
            ("go 1.21.4\ntoolchain default\n", "1.21.4", 1),
        ] {
            let parsed = GoModFile
                .parse(text.as_bytes(), &ParseLimits::default())
                .unwrap();
            let seen: Vec<_> = parsed
                .extra
                .parts
                .iter()
                .map(|part| (&*part.name, &*part.version, part.line))
                .collect();
            assert_eq!(
                seen,
                [("stdlib", version, at), ("toolchain", version, at)],
                "{text}"
            );
        }
        let none = GoModFile.parse(b"module a.example/b\n", &ParseLimits::default());
        assert!(none.unwrap().extra.parts.is_empty());
    }
}
