//! Advisories on Go modules, the standard library and the toolchain, held against a small implementation of the OSV schema's own
//! rules that shares nothing with the program: other reading, other order, other matching.
//!
//! `go-selection.jsonl` is a selection of the Go vulnerability database reduced to facts (see fixtures/README.md).
//!
//! Differences from scanners that take the `go` line of a `go.mod` file for the version of the standard library: the program asks
//! about the toolchain too, and about the version that `go` would choose: the newest of the `go` line, the `toolchain` line and
//! the Go that is installed, as far as GOTOOLCHAIN lets it choose, with the lines of `go.work` in place of those of its modules.
//! It says which it was. `a_newer_go_than_the_line_says_is_judged` holds that difference; where the Go that is installed is older
//! than every line the findings are the same, which the comparison makes use of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::Digest as _;
use untaint::formats::semver_order::GoOrder;
use untaint::pipeline::advise::{
    catalogue,
    index::{AdvisoryDb, FeedOrigin},
    matching::{Subject, matches},
    osv,
    reading::FeedEntry,
};

use crate::module::packed;
use crate::report::Scan;
use crate::world::answer;

const SELECTION: &str = include_str!("../../fixtures/advisories/go-selection.jsonl");

/// A finding: package, version, advisory.
type Found = (String, String, String);

fn records() -> Vec<Value> {
    let records: Vec<Value> = SELECTION
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(records.len() > 250);
    records
}

/// A version as numbers and the parts of its pre-release; what follows `+` does not count.
type Key = (Vec<u64>, bool, Vec<(bool, u128, String)>);

fn key(version: &str) -> Key {
    let version = version.trim_start_matches('v');
    let version = version.split('+').next().unwrap();
    let (numbers, early) = match version.split_once('-') {
        Some((numbers, early)) => (numbers, Some(early)),
        None => (version, None),
    };
    let mut numbers: Vec<u64> = numbers.split('.').map(|n| n.parse().unwrap()).collect();
    numbers.resize(3, 0);
    let parts = early.unwrap_or_default().split('.').map(|part| {
        let number = part.parse::<u128>();
        let is_text = number.is_err();
        (
            is_text,
            number.unwrap_or(0),
            if is_text {
                part.to_owned()
            } else {
                String::new()
            },
        )
    });
    // Without a pre-release a version comes after all that have one.
    (numbers, early.is_none(), parts.collect())
}

/// The schema's evaluation: events in order, each at or before the version turning the answer.
fn is_affected(version: &str, affected: &Value) -> bool {
    affected["ranges"].as_array().unwrap().iter().any(|range| {
        let mut events: Vec<(Option<Key>, u8)> = Vec::new();
        for event in range["events"].as_array().unwrap() {
            for (kind, at) in event.as_object().unwrap() {
                let at = at.as_str().unwrap();
                let key = (at != "0").then(|| key(at));
                events.push((key, u8::from(kind == "introduced")));
                assert!(["introduced", "fixed"].contains(&kind.as_str()), "{kind}");
            }
        }
        events.sort();
        let own = key(version);
        let mut affected = false;
        for (at, introduced) in events {
            if at.is_none_or(|at| at <= own) {
                affected = introduced == 1;
            }
        }
        affected
    })
}

/// What the rules say of a package version.
fn expected(records: &[Value], package: &str, version: &str) -> BTreeSet<Found> {
    records
        .iter()
        .filter(|record| record["withdrawn"].is_null())
        .filter(|record| {
            record["affected"]
                .as_array()
                .unwrap()
                .iter()
                .any(|a| a["package"]["name"] == package && is_affected(version, a))
        })
        .map(|record| {
            let id = record["id"].as_str().unwrap();
            (package.to_owned(), version.to_owned(), id.to_owned())
        })
        .collect()
}

/// Versions at and around every event of every package, as `go.mod` files spell them.
fn probes(records: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut probes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for affected in records
        .iter()
        .flat_map(|r| r["affected"].as_array().unwrap())
    {
        let package = affected["package"]["name"].as_str().unwrap();
        let v = if ["stdlib", "toolchain"].contains(&package) {
            ""
        } else {
            "v"
        };
        let versions = probes.entry(package.to_owned()).or_default();
        versions.insert(format!("{v}0.0.1"));
        for event in affected["ranges"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|r| r["events"].as_array().unwrap())
        {
            for at in event.as_object().unwrap().values() {
                let at = at.as_str().unwrap();
                if at == "0" {
                    continue;
                }
                let (numbers, ..) = key(at);
                let [a, b, c] = numbers[..] else { panic!() };
                versions.insert(format!("{v}{at}"));
                versions.insert(format!("{v}{a}.{b}.{}", c + 1));
                versions.insert(format!("{v}{a}.{b}.{}", c.saturating_sub(1)));
                versions.insert(format!("{v}{a}.{b}.{c}-0"));
                versions.insert(format!("{v}{a}.{b}.{c}-rc.1"));
                versions.insert(format!(
                    "{v}{a}.{b}.{}-0.20210101000000-0123456789ab",
                    c + 1
                ));
                versions.insert(format!("{v}0.0.0-20210101000000-0123456789ab"));
                versions.insert(format!("{v}{a}.{b}.{c}+incompatible"));
            }
        }
    }
    probes
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn every_version_around_every_event_is_judged_as_the_schema_says() {
    let records = records();
    let feed = catalogue::feed_of("go").unwrap();
    let entries = SELECTION.lines().enumerate().map(|(at, line)| FeedEntry {
        name: format!("{at}.json"),
        bytes: line.as_bytes().to_vec(),
        mtime: None,
    });
    let reading = osv::read_feed(entries, "Go", osv::OsvLimits::default());
    assert_eq!(
        (reading.total, reading.unreadable),
        (records.len() as u64, 0)
    );
    let db = AdvisoryDb::open(feed.compile(reading, None, FeedOrigin::Named).unwrap()).unwrap();
    let probes = probes(&records);
    let all: Vec<(&str, &str)> = probes
        .iter()
        .flat_map(|(package, versions)| versions.iter().map(|v| (package.as_str(), v.as_str())))
        .collect();
    let subjects: Vec<Subject<'_>> = all
        .iter()
        .map(|(package, version)| Subject {
            package,
            version,
            public: true,
        })
        .collect();
    let out = matches(&[&db], &GoOrder, &subjects);
    assert_eq!((out.undecided, out.damaged), (Vec::new(), Vec::new()));
    let ours: BTreeSet<Found> = out
        .found
        .iter()
        .map(|found| {
            let (package, version) = all[found.subject];
            (package.to_owned(), version.to_owned(), found.id.clone())
        })
        .collect();
    let theirs: BTreeSet<Found> = all
        .iter()
        .flat_map(|(package, version)| expected(&records, package, version))
        .collect();
    let differing: Vec<_> = ours.symmetric_difference(&theirs).take(10).collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert!(all.len() > 2000, "{}", all.len());
    assert!(theirs.len() > 1000, "{}", theirs.len());
    println!(
        "{} versions, {} findings, {} records",
        all.len(),
        theirs.len(),
        records.len()
    );
    // What narrows an advisory is kept.
    let narrowed = out
        .found
        .iter()
        .filter(|f| f.imports.iter().any(|i| !i.symbols.is_empty()));
    assert!(narrowed.count() > 500);
}

/// Scans a folder with the selection as its only feed, without the network and without looking at caches. The settings are those
/// that the installed Go ships, so that its modules are public ones.
/// The settings that the real installation brings along.
fn shipped() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/local/go/bin".into());
    let mut go = Command::new("go");
    go.args(["env", "GOROOT"])
        .env("PATH", std::env::join_paths(folders).unwrap());
    let root = String::from_utf8(go.output().unwrap().stdout).unwrap();
    let text = fs::read_to_string(Path::new(root.trim()).join("go.env")).unwrap();
    text + "\n"
}

fn scan(folder: &Path) -> Scan {
    scan_with(folder, &[])
}

fn scan_with(folder: &Path, environment: &[(&str, &str)]) -> Scan {
    let feeds = folder.join("feeds/Go");
    fs::create_dir_all(&feeds).unwrap();
    let entries: Vec<(String, &[u8])> = SELECTION
        .lines()
        .enumerate()
        .map(|(at, line)| (format!("{at}.json"), line.as_bytes()))
        .collect();
    let archive = packed(entries.into_iter());
    let sha256 = crate::log::hex(&sha2::Sha256::digest(&archive));
    fs::write(feeds.join("all.zip"), archive).unwrap();
    let manifest = serde_json::json!({
        "schema": "untaint.feed/1", "confirmed": "2026-08-21T00:00:00Z", "sha256": sha256
    });
    fs::write(feeds.join("manifest.json"), manifest.to_string()).unwrap();
    // An installation that is older than what any file asks for.
    let goroot = folder.join("goroot");
    fs::create_dir_all(&goroot).unwrap();
    fs::write(goroot.join("go.env"), shipped() + "GOTOOLCHAIN=auto\n").unwrap();
    if !goroot.join("VERSION").exists() {
        fs::write(goroot.join("VERSION"), "go0.0.1\n").unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_untaint"));
    command
        .args([
            "scan",
            "--json",
            "--ecosystem",
            "go",
            "--offline",
            "--no-integrity",
        ])
        .args([
            "--max-feed-age",
            "10000d",
            "--now",
            "2026-11-22T00:00:00Z",
            "--feeds",
        ])
        .arg(folder.join("feeds"))
        .arg(folder.join("project"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("GOROOT", &goroot)
        .envs(environment.iter().copied())
        .env("HOME", folder.join("home"))
        .env("GOENV", "off")
        .env("UNTAINT_HOME", folder.join("state"));
    answer(&mut command)
}

fn found(scan: &Scan) -> BTreeSet<Found> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    scan.findings()
        .iter()
        .filter(|finding| finding["advisory"].is_object())
        .map(|f| {
            (
                text(&f["package"]),
                text(&f["version"]),
                text(&f["advisory"]["id"]),
            )
        })
        .collect()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new()
        .prefix("untaint-go-")
        .tempdir()
        .unwrap();
    fs::create_dir_all(folder.path().join("project")).unwrap();
    folder
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_findings_on_go_mod_files_are_those_of_the_rules() {
    let records = records();
    let folder = folder();
    let project = folder.path().join("project");
    let probes = probes(&records);
    let mut theirs = BTreeSet::new();
    let standard: Vec<&String> = probes["stdlib"]
        .iter()
        .filter(|v| key(v).1 && !v.contains('+'))
        .collect();
    // Few enough that no finding is left out of the report.
    let every = standard.len() / 10;
    for (at, go) in standard.iter().step_by(every).enumerate() {
        let mut text = format!("module registry.example/p{at}\n\ngo {go}\n\nrequire (\n");
        let mut sum = String::new();
        for part in ["stdlib", "toolchain"] {
            theirs.extend(expected(&records, part, go));
        }
        for (package, versions) in &probes {
            let version = versions.iter().nth(at * 3 % versions.len()).unwrap();
            // A path says which major versions it may have.
            let major = key(version).0[0];
            let last = package.rsplit('/').next().unwrap();
            let fits = if let Some(own) = last.strip_prefix('v').and_then(|n| n.parse::<u64>().ok())
            {
                major == own && !version.contains('+')
            } else {
                !last.contains(".v") && (major < 2) != version.contains('+')
            };
            if !fits || !package.contains('.') {
                continue;
            }
            text += &format!("\t{package} {version}\n");
            sum +=
                &format!("{package} {version} h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=\n");
            // What go.sum has only the go.mod file's hash of is not built.
            sum += &format!(
                "{package} v0.0.1/go.mod h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=\n"
            );
            theirs.extend(expected(&records, package, version));
        }
        fs::create_dir_all(project.join(at.to_string())).unwrap();
        fs::write(project.join(format!("{at}/go.mod")), text + ")\n").unwrap();
        fs::write(project.join(format!("{at}/go.sum")), sum).unwrap();
    }
    let scan = scan(folder.path());
    let ours = found(&scan);
    let differing: Vec<_> = ours.symmetric_difference(&theirs).take(10).collect();
    assert!(differing.is_empty(), "{differing:?}\n{:?}", scan.problems());
    assert!(theirs.len() > 500, "{}", theirs.len());
    println!(
        "{} go.mod files, {} findings",
        standard.len().div_ceil(every),
        theirs.len()
    );
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_standard_library_is_judged_by_the_toolchain_line_with_a_hint_of_what_is_imported() {
    let folder = folder();
    let project = folder.path().join("project");
    let write = |path: &str, text: &str| {
        fs::create_dir_all(project.join(path).parent().unwrap()).unwrap();
        fs::write(project.join(path), text).unwrap();
    };
    write("go.mod", "module registry.example/app\n\ngo 1.17.1\n");
    write(
        "main.go",
        "package main\n\nimport \"net/http\"\n\nfunc main() { http.Serve(nil, nil) }\n",
    );
    let first = scan(folder.path());
    first.exits(1);
    let of = |scan: &Scan, part: &str, hint: &str| {
        let told = |f: &&Value| {
            let message = f["message"].as_str().unwrap();
            f["package"] == part && f["code"] == "vulnerable" && message.contains(hint)
        };
        scan.findings().iter().filter(told).count()
    };
    assert!(
        of(
            &first,
            "stdlib",
            "`net/http` is imported by this project's main.go"
        ) > 0,
        "{}",
        first.story()
    );
    assert!(
        of(&first, "stdlib", "own packages import none of it") > 0,
        "{}",
        first.story()
    );
    assert!(of(&first, "toolchain", "cmd/go") > 0, "{}", first.story());
    assert_eq!(of(&first, "toolchain", "import"), 0, "{}", first.story());
    let high = |f: &Value| f["severity"] == "high" && f["location"]["line"] == 3;
    assert!(
        first.findings().iter().all(high),
        "a hint lowers nothing: {}",
        first.story()
    );
    // The toolchain that the project names is the one that counts.
    write(
        "go.mod",
        "module registry.example/app\n\ngo 1.17.1\n\ntoolchain go1.99.0\n",
    );
    scan(folder.path()).exits(0);
    write(
        "go.mod",
        "module registry.example/app\n\ngo 1.99\n\ntoolchain go1.17.1\n",
    );
    scan(folder.path()).exits(0);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_newer_go_than_the_line_says_is_judged() {
    let folder = folder();
    let project = folder.path().join("project");
    let manifest = |text: &str| {
        let text = format!("module registry.example/app\n\n{text}");
        fs::write(project.join("go.mod"), text).unwrap();
    };
    manifest("go 1.17.1\n");
    let line = scan(folder.path());
    line.exits(1);
    let says = |scan: &Scan, what: &str| {
        let of_go = |f: &&Value| f["package"] == "stdlib";
        let told = |f: &Value| f["message"].as_str().unwrap().contains(what);
        let mut findings = scan.findings().iter().filter(of_go).peekable();
        assert!(
            findings.peek().is_some() && findings.all(told),
            "{what}: {}",
            scan.story()
        );
    };
    says(&line, "judged for go1.17.1, from the go line of go.mod");
    // A scanner that takes the go line alone would report all of these here too.
    fs::write(folder.path().join("goroot/VERSION"), "go1.99.2\n").unwrap();
    let newer = scan(folder.path());
    newer.exits(0);
    assert!(found(&newer).is_empty());
    fs::write(
        folder.path().join("goroot/VERSION"),
        "go1.17.1\ntime 2021\n",
    )
    .unwrap();
    manifest("go 1.13\n");
    let installed = scan(folder.path());
    assert_eq!(found(&installed), found(&line));
    says(
        &installed,
        "judged for go1.17.1, from the Go that is installed",
    );
    // A toolchain of the module cache is what builds where a project selects it.
    manifest("go 1.13\n\ntoolchain go1.99.2\n");
    scan(folder.path()).exits(0);
    let held = scan_with(folder.path(), &[("GOTOOLCHAIN", "local")]);
    assert_eq!(found(&held), found(&line));
    says(&held, "it does not switch to another");
    let named = scan_with(folder.path(), &[("GOTOOLCHAIN", "go1.17.1")]);
    assert_eq!(found(&named), found(&line));
    says(&named, "judged for go1.17.1, from GOTOOLCHAIN");
    scan_with(folder.path(), &[("GOTOOLCHAIN", "go1.99.2+auto")]).exits(0);
    // What a workspace says counts in place of what its modules say.
    fs::create_dir_all(project.join("m")).unwrap();
    fs::rename(project.join("go.mod"), project.join("m/go.mod")).unwrap();
    fs::write(project.join("go.work"), "go 1.99.2\n\nuse ./m\n").unwrap();
    scan(folder.path()).exits(0);
    fs::write(project.join("go.work"), "go 1.17.1\n\nuse ./m\n").unwrap();
    let work = scan(folder.path());
    assert_eq!(found(&work), found(&line));
    says(&work, "the Go that is installed");
    let alone = scan_with(folder.path(), &[("GOWORK", "off")]);
    alone.exits(1);
    assert!(
        alone
            .findings()
            .iter()
            .any(|f| f["location"]["file"] == "go.work"),
        "{}",
        alone.story()
    );
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_an_old_go_mod_file_leaves_out_is_asked_about_too() {
    let records = records();
    let (package, version) = probes(&records)
        .into_iter()
        .filter(|(package, _)| package.contains('.') && !package.contains("/v"))
        .flat_map(|(package, versions)| versions.into_iter().map(move |v| (package.clone(), v)))
        .find(|(package, version)| {
            key(version).0[0] < 2
                && !version.contains('+')
                && !expected(&records, package, version).is_empty()
        })
        .unwrap();
    let folder = folder();
    let project = folder.path().join("project");
    let hash = "h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=";
    let own = format!("registry.example/other v1.0.0 {hash}\n");
    for (go, lines, is_found) in [
        ("1.16", format!("{package} {version} {hash}\n"), true),
        (
            "1.16",
            format!("{package} {version}/go.mod {hash}\n"),
            false,
        ),
        ("1.99", format!("{package} {version} {hash}\n"), false),
    ] {
        let text = format!(
            "module registry.example/app\n\ngo {go}\n\nrequire registry.example/other v1.0.0\n"
        );
        fs::write(project.join("go.mod"), text).unwrap();
        fs::write(project.join("go.sum"), format!("{own}{lines}")).unwrap();
        let scan = scan(folder.path());
        let of_package: BTreeSet<Found> = found(&scan)
            .into_iter()
            .filter(|f| f.0 == package)
            .collect();
        let expected = if is_found {
            expected(&records, &package, &version)
        } else {
            BTreeSet::new()
        };
        assert_eq!(of_package, expected, "{go}: {}", scan.story());
    }
}
