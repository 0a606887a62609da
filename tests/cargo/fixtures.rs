//! The recorded fixtures: made by real cargo, packed, and made again here to see that they are true.
//!
//! Every case is a function that prepares a world whose registry is called `http://127.0.0.1:9` (cargo
//! reaches it through the loopback server as a proxy), so that folder names and lockfiles are the same
//! on every machine. `UNTAINT_MAKE_FIXTURES=1 cargo test --test cargo fixtures::` writes the files
//! anew; without it the test makes them in memory and compares. A fixture made by another cargo is
//! compared in its names only: formats may move between releases, and the recorded one is the fact.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{
    Crate, Source, World, copy_tree, git_repository, pack, standard_crates, unpack, write_file,
};

/// What the recorded registry is called in lockfiles and settings.
pub(crate) const ORIGIN: &str = "http://127.0.0.1:9";

struct Case {
    name: &'static str,
    what: &'static str,
    make: fn(&World),
    /// Contents that differ from run to run (times, inode numbers): compared by name only.
    volatile: &'static [&'static str],
    expect: fn() -> Value,
}

fn clean_expectation(verified: u64) -> Value {
    json!({"exit": 0, "codes": [], "verified": verified, "unverifiable": {}})
}

/// The number of subjects of the standard three crates (archive, tree, cached listing, locked hash) and
/// the index's cached settings.
const STANDARD: u64 = 13;

const CASES: &[Case] = &[
    Case {
        name: "clean",
        what: "three crates of an alternate registry, fetched and unpacked",
        make: |world| standard(world, ""),
        volatile: &[],
        expect: || clean_expectation(STANDARD),
    },
    Case {
        name: "lock-v1",
        what: "a lockfile of version 1, as written for rust-version 1.31",
        make: |world| standard(world, "rust-version = \"1.31\"\n"),
        volatile: &[],
        expect: || clean_expectation(STANDARD),
    },
    Case {
        name: "lock-v2",
        what: "a lockfile of version 2, as written for rust-version 1.45",
        make: |world| standard(world, "rust-version = \"1.45\"\n"),
        volatile: &[],
        expect: || clean_expectation(STANDARD),
    },
    Case {
        name: "lock-v3",
        what: "a lockfile of version 3, as written for rust-version 1.60",
        make: |world| standard(world, "rust-version = \"1.60\"\n"),
        volatile: &[],
        expect: || clean_expectation(STANDARD),
    },
    Case {
        name: "lock-v5",
        what: "the clean case with its lockfile's version changed to 5 by hand: a problem, no guess",
        make: |world| {
            standard(world, "");
            let text = fs::read_to_string(world.lockfile()).unwrap();
            assert!(text.contains("version = 4\n"));
            write_file(
                &world.lockfile(),
                text.replacen("version = 4\n", "version = 5\n", 1),
            );
        },
        volatile: &[],
        expect: || json!({"exit": 3, "codes": [], "problem": "Cargo.lock"}),
    },
    Case {
        name: "vendored",
        what: "the clean case after cargo vendor, cargo home emptied",
        make: |world| {
            standard(world, "");
            vendor(world);
            fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
        },
        volatile: &[],
        expect: || clean_expectation(6),
    },
    Case {
        name: "workspace",
        what: "two members that share a lockfile, and a nested project with its own",
        make: workspace,
        volatile: &[],
        expect: || clean_expectation(STANDARD + 2),
    },
    Case {
        name: "git",
        what: "the clean case and one git dependency, fetched with the git program",
        make: git_case,
        volatile: &["/.git/", "cargo/git/db/"],
        expect: || json!({"exit": 0, "codes": [], "verified": STANDARD, "unverifiable": {"git": 1}}),
    },
    Case {
        name: "local-registry",
        what: "a local-registry folder inside the project replaces the registry",
        make: local_registry,
        volatile: &[],
        expect: || json!({"exit": 0, "codes": [], "least_verified": 6, "unverifiable": {}}),
    },
    Case {
        name: "poisoned-archive",
        what: "the clean case with one archive replaced before cargo unpacked it",
        make: |world| {
            standard(world, "");
            let evil = Crate::lib(
                "beta",
                "1.0.0",
                "pub fn name() -> &'static str { \"EVIL\" }\n",
            )
            .archive(Some(&world.registry.index_url()));
            write_file(&world.archive("beta", "1.0.0"), evil);
            fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
            world.cargo(&["fetch", "--locked", "--offline"]);
            assert!(world.tree("beta", "1.0.0").join(".cargo-ok").exists());
        },
        volatile: &[],
        expect: || json!({"exit": 1, "code": "archive-tampered", "names": "beta-1.0.0.crate"}),
    },
    Case {
        name: "poisoned-tree",
        what: "the clean case with one unpacked source file edited and one added",
        make: |world| {
            standard(world, "");
            let tree = world.tree("beta", "1.0.0");
            write_file(
                &tree.join("src/lib.rs"),
                "pub fn name() -> &'static str { \"EVIL\" }\n",
            );
            write_file(&tree.join("build.rs"), "fn main() {}\n");
        },
        volatile: &[],
        expect: || json!({"exit": 1, "code": "tree-modified", "names": "src/lib.rs"}),
    },
];

fn standard(world: &World, package_keys: &str) {
    for release in standard_crates() {
        world.publish(&release);
    }
    let deps = world.dependency("alpha", "1") + &world.dependency("gamma", "0.3");
    project(&world.project(), "app", package_keys, &deps);
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
}

fn project(folder: &Path, name: &str, package_keys: &str, deps: &str) {
    write_file(
        &folder.join("Cargo.toml"),
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2018\"\n{package_keys}\n\
             [dependencies]\n{deps}"
        ),
    );
    write_file(&folder.join("src/main.rs"), "fn main() {}\n");
}

/// Vendors and writes the settings that cargo asks for.
pub(crate) fn vendor(world: &World) {
    let printed = world.cargo(&["vendor", "--locked", "--offline"]);
    let from = printed.find("[source").unwrap();
    let end = "directory = \"vendor\"\n";
    let to = printed.find(end).unwrap() + end.len();
    write_file(
        &world.project().join(".cargo/config.toml"),
        &printed[from..to],
    );
}

fn workspace(world: &World) {
    for release in standard_crates() {
        world.publish(&release);
    }
    let root = world.project();
    write_file(
        &root.join("Cargo.toml"),
        "[workspace]\nresolver = \"2\"\nmembers = [\"one\", \"two\"]\nexclude = [\"nested\"]\n",
    );
    project(
        &root.join("one"),
        "one",
        "",
        &world.dependency("alpha", "1"),
    );
    let two = world.dependency("gamma", "0.3") + "one = { path = \"../one\" }\n";
    project(&root.join("two"), "two", "", &two);
    write_file(&root.join("one/src/lib.rs"), "");
    let nested = world.dependency("alpha", "1");
    project(&root.join("nested"), "nested", "", &nested);
    let inner = ["--manifest-path", "nested/Cargo.toml"];
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    world.cargo(&[&["generate-lockfile"], inner.as_slice()].concat());
    world.cargo(&[&["fetch", "--locked"], inner.as_slice()].concat());
}

fn git_case(world: &World) {
    let upstream = world.root().join("upstream");
    git_repository(
        &upstream,
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"delta\"\nversion = \"0.5.0\"\nedition = \"2021\"\n",
            ),
            ("src/lib.rs", "pub const NAME: &str = \"delta\";\n"),
        ],
    );
    for release in standard_crates() {
        world.publish(&release);
    }
    let deps = world.dependency("alpha", "1")
        + &world.dependency("gamma", "0.3")
        + &format!("delta = {{ git = \"{GIT_ADDRESS}\" }}\n");
    project(&world.project(), "app", "", &deps);
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
}

/// What the git dependency is called; git is told where it really lies.
const GIT_ADDRESS: &str = "https://git.registry.example/test/delta.git";

fn local_registry(world: &World) {
    standard(world, "");
    let local = world.project().join("local");
    for (path, bytes) in world.registry.answers() {
        if let Some(rest) = path.strip_prefix("index/") {
            write_file(&local.join("index").join(rest), bytes);
        }
    }
    copy_tree(&world.registry_folder("cache"), &local);
    fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
    write_file(
        &world.project().join(".cargo/config.toml"),
        format!(
            "[source.published]\nregistry = \"sparse+{}\"\nreplace-with = \
             \"local\"\n\n[source.local]\nlocal-registry = \"local\"\n",
            world.registry.index_url()
        ),
    );
    world.cargo(&["fetch", "--locked", "--offline"]);
    // Its folder names depend on where the project lies, so what cargo unpacked is not recorded.
    fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
}

/// Prepares a case and packs it: `cargo/`, `project/` and the registry's answers.
fn make(case: &Case) -> Vec<u8> {
    let world = World::recorded(ORIGIN);
    world.git_address(GIT_ADDRESS, &world.root().join("upstream"));
    (case.make)(&world);
    let folder = tempfile::tempdir().unwrap();
    copy_tree(&world.project(), &folder.path().join("project"));
    copy_tree(&world.cargo_home(), &folder.path().join("cargo"));
    for (path, bytes) in world.registry.answers() {
        write_file(&folder.path().join("registry").join(path), bytes);
    }
    // Locks of a finished run and the database of last uses say nothing that a scan reads.
    let unsaid = [".global-cache", ".package-cache", ".package-cache-mutate"];
    pack(folder.path(), &|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| unsaid.contains(&name))
    })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cargo")
}

fn tool_version() -> String {
    let world = World::new(Source::Alternate);
    world.cargo(&["--version"]).trim().to_owned()
}

fn description(case: &Case, tool: &str) -> String {
    let value = json!({
        "case": case.name,
        "what": case.what,
        "made_by": tool,
        "maker": "UNTAINT_MAKE_FIXTURES=1 cargo test --test cargo fixtures::",
        "registry": format!("{ORIGIN}/index/"),
        "expect": (case.expect)(),
    });
    format!("{value:#}\n")
}

#[test]
fn the_recorded_fixtures_are_what_cargo_makes() {
    let tool = tool_version();
    let write = std::env::var_os("UNTAINT_MAKE_FIXTURES").is_some();
    for case in CASES {
        let made = make(case);
        let (tar, json) = (
            folder().join(format!("{}.tar", case.name)),
            folder().join(format!("{}.json", case.name)),
        );
        if write {
            write_file(&tar, &made);
            write_file(&json, description(case, &tool));
            continue;
        }
        let recorded: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
        assert_eq!(
            recorded["expect"],
            (case.expect)(),
            "{}: make it anew",
            case.name
        );
        let same_tool = recorded["made_by"] == tool.as_str();
        compare(case, &fs::read(&tar).unwrap(), &made, same_tool);
    }
}

#[test]
fn every_fixture_has_a_maker() {
    let known: Vec<String> = CASES
        .iter()
        .map(|case| format!("{}.tar", case.name))
        .collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let tar = name.replace(".json", ".tar");
        assert!(
            known.contains(&tar),
            "{name} is in fixtures/cargo, but nothing makes it"
        );
    }
}

fn compare(case: &Case, recorded: &[u8], made: &[u8], contents: bool) {
    let (recorded, made) = (listing(recorded), listing(made));
    let volatile = |path: &str| case.volatile.iter().any(|part| path.contains(part));
    let names = |all: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        all.keys().filter(|path| !volatile(path)).cloned().collect()
    };
    assert_eq!(names(&recorded), names(&made), "{}: other files", case.name);
    for (path, bytes) in recorded
        .iter()
        .filter(|(path, _)| contents && !volatile(path))
    {
        assert_eq!(
            String::from_utf8_lossy(bytes),
            String::from_utf8_lossy(&made[path]),
            "{}: {path}",
            case.name
        );
    }
}

/// Every regular file of a packed tree.
fn listing(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    unpack(tar, folder.path());
    let mut files = BTreeMap::new();
    gather(folder.path(), folder.path(), &mut files);
    files
}

/// Every regular file below `folder` by its path below `root`.
pub(crate) fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            gather(root, &path, files);
        } else if meta.is_file() {
            let below = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.insert(below, fs::read(&path).unwrap());
        }
    }
}
