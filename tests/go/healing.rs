//! Healing: what the real `go` would have run is gone, what it runs offline afterwards is what was published.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::log::NAME;
use crate::world::{EVIL, World, modules};

/// `untaint <arguments>`: exit code and output.
pub(crate) fn untaint(world: &World, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_untaint"))
        .args(arguments)
        .current_dir(world.at("project"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("UNTAINT_HOME", world.at("state"))
        .envs(world.environment())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

pub(crate) fn heal(world: &World, more: &[&str]) -> (i32, Value, String) {
    let trust = world.at("trust.toml").display().to_string();
    let mut arguments = vec![
        "heal",
        "--json",
        "--no-advisories",
        "--ecosystem",
        "go",
        "--trust",
        &trust,
    ];
    arguments.extend(more);
    let (code, text) = untaint(world, &arguments);
    let json = text
        .lines()
        .next()
        .and_then(|line| serde_json::from_str(line).ok());
    let json = json.unwrap_or(Value::Null);
    crate::report::keeps_its_schema(&json);
    (code, json, text)
}

/// Kind, mode, time and bytes of everything in the module cache but locks and log data.
pub(crate) fn picture(world: &World) -> BTreeMap<PathBuf, String> {
    use std::os::unix::fs::MetadataExt;
    fn note(path: &Path, all: &mut BTreeMap<PathBuf, String>) {
        let meta = fs::symlink_metadata(path).unwrap();
        if path.extension().is_some_and(|e| e == "lock") {
            return;
        }
        let mut text = format!("{:o} {}.{}", meta.mode(), meta.mtime(), meta.mtime_nsec());
        if meta.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                note(&entry.unwrap().path(), all);
            }
        } else {
            text += &format!(" {:?}", fs::read(path).unwrap());
        }
        all.insert(path.to_owned(), text);
    }
    let mut all = BTreeMap::new();
    note(&world.at("home/go/pkg/mod"), &mut all);
    all
}

type Deed = fn(&World);

const TAINTS: &[(&str, Deed)] = &[
    ("an edited tree", |w| w.write(&w.tree("greet.go"), EVIL)),
    ("an added file", |w| {
        w.write(
            &w.tree("evil.go"),
            "package greet\n\nfunc init() { println(\"EVIL\") }\n",
        );
    }),
    ("a replaced zip without its tree", |w| {
        w.write(
            &w.download("zip"),
            modules()[0].clone().file("greet.go", EVIL).zip(),
        );
        fs::remove_dir_all(w.at(&w.tree(""))).unwrap();
    }),
    ("zip and tree", |w| {
        w.write(
            &w.download("zip"),
            modules()[0].clone().file("greet.go", EVIL).zip(),
        );
        w.write(&w.tree("greet.go"), EVIL);
    }),
    ("a false record of the hash", |w| {
        let text = fs::read_to_string(w.at(&w.download("ziphash"))).unwrap();
        // Valid in its form, and false.
        let false_one = format!("h1:AAAA{}", text.get(7..).unwrap());
        w.write(&w.download("ziphash"), false_one);
    }),
    ("an edited go.mod file", |w| {
        w.write(
            &w.download("mod"),
            "module registry.example/Greet\n\ngo 1.22\n",
        );
    }),
];

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_go_would_run_heals_to_what_was_published() {
    let mut healed = 0;
    for (what, deed) in TAINTS {
        let world = World::built();
        world.scan(&[]).is_clean();
        deed(&world);
        world.forget_builds();
        if *what == "an added file" {
            assert!(
                world.runs().contains("EVIL"),
                "{what}: go runs it, and indexes it"
            );
        }
        let before = picture(&world);
        let (code, plan, text) = heal(&world, &[]);
        assert_eq!(code, 1, "{what}: {text}");
        assert_eq!(plan["dry_run"], true, "{what}: {text}");
        assert_eq!(picture(&world), before, "{what}: a dry run changes nothing");
        let (code, done, text) = heal(&world, &["--yes"]);
        assert_eq!(code, 0, "{what}: {text}");
        let steps = done["steps"].as_array().unwrap();
        assert!(
            steps.iter().all(|s| s["ended"] == "healed"),
            "{what}: {text}"
        );

        let (code, text) = untaint(&world, &["restore", "last", "--yes"]);
        assert_eq!(code, 0, "{what}: {text}");
        let after = picture(&world);
        let changed: Vec<_> = before
            .iter()
            .filter(|(path, was)| after.get(*path) != Some(was))
            .map(|(path, _)| path)
            .collect();
        assert!(
            changed.is_empty() && after.len() == before.len(),
            "{what}: {changed:?}"
        );

        let (code, _, text) = heal(&world, &["--yes"]);
        assert_eq!(code, 0, "{what}: {text}");
        world.scan(&[]).is_clean();
        assert!(world.runs().contains("hi words 1"), "{what}");
        assert!(
            world
                .go(&["mod", "verify"])
                .contains("all modules verified"),
            "{what}"
        );
        world.scan(&[]).is_clean();
        healed += 1;
    }
    assert_eq!(healed, TAINTS.len());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_tree_that_may_not_be_written_is_healed_and_restored() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::built();
    world.write(&world.tree("greet.go"), EVIL);
    let tree = world.at(&world.tree(""));
    fs::set_permissions(&tree, fs::Permissions::from_mode(0o555)).unwrap();
    let before = picture(&world);
    let (code, _, text) = heal(&world, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    assert!(!tree.exists(), "{text}");
    let (code, text) = untaint(&world, &["restore", "last", "--yes"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(picture(&world), before);
    fs::set_permissions(&tree, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_forged_log_record_is_taken_away() {
    let world = World::built();
    let path = world.log_file("lookup/registry.example/!greet@v1.0.0");
    let text = fs::read_to_string(world.at(&path)).unwrap();
    let (before, after) = text.split_once("h1:").unwrap();
    let forged = format!("{before}h1:AAAA{}", after.get(4..).unwrap());
    world.write(&path, forged);
    let (code, done, text) = heal(&world, &["--yes"]);
    assert_eq!(code, 0, "{NAME}: {text}");
    assert!(!world.at(&path).exists(), "{done}");
    assert!(world.runs().contains("hi words 1"));
}

/// Files of the build cache that hold these bytes.
fn cached(world: &World, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for folder in fs::read_dir(world.at("home/build")).unwrap() {
        let folder = folder.unwrap().path();
        for file in fs::read_dir(&folder).into_iter().flatten() {
            let content = fs::read(file.unwrap().path()).unwrap_or_default();
            if content.windows(bytes.len()).any(|window| window == bytes) {
                found.push(content);
            }
        }
    }
    found
}

/// Go keys what it compiles by the content that it compiled: what was built from a tainted tree stays in its cache and is
/// never linked once the tree is good. Only its index of a module's folder is keyed by the folder's name, and goes.
#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_go_built_from_a_tainted_tree_is_not_used_for_the_good_one() {
    let mut shown = 0;
    for (what, deed) in TAINTS.iter().take(2) {
        let world = World::built();
        world.scan(&[]).is_clean();
        deed(&world);
        world.forget_builds();
        let program = world.at("project/program");
        let name = program.to_str().unwrap().to_owned();
        let builds = || {
            let _ = fs::remove_file(&program);
            let built = world.try_go(&["build", "-o", &name, "."], &[("GOPROXY", "off")]);
            assert!(built.status.success(), "{what}: {built:?}");
            let said = Command::new(&program).output().unwrap();
            String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned()
        };
        assert!(world.runs().contains("EVIL"), "{what}");
        assert!(builds().contains("EVIL"), "{what}");
        let objects = cached(&world, b"EVIL").len();
        assert!(objects > 0, "{what}");
        let (code, done, text) = heal(&world, &["--yes"]);
        assert_eq!(code, 0, "{what}: {text}");
        assert_eq!(done["left"], serde_json::json!([]), "{what}: {text}");
        let indexes = cached(&world, b"go index v");
        let index = |bytes: &Vec<u8>| {
            bytes.starts_with(b"go index v") && bytes.windows(7).any(|window| window == b"evil.go")
        };
        let actions = done["steps"][0]["moves"].as_array().unwrap();
        let gone = actions.iter().filter(|m| m["role"] == "derived").count();
        assert!(gone > 0, "{what}: {text}");
        println!(
            "{what}: {objects} objects of the taint in the build cache, {gone} index entries taken away, {} outputs of such",
            indexes.iter().filter(|bytes| index(bytes)).count()
        );
        for _ in 0..2 {
            let said = world.runs();
            assert!(
                said.contains("hi words 1") && !said.contains("EVIL"),
                "{what}: {said}"
            );
            let said = builds();
            assert!(
                said.contains("hi words 1") && !said.contains("EVIL"),
                "{what}: {said}"
            );
        }
        shown += 1;
    }
    assert_eq!(shown, 2);
}

/// A hole in a file takes no room: it goes to the quarantine as it is, and nobody reads it for hours.
#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_zip_that_pretends_to_be_huge_is_healed_and_restored() {
    const HUGE: u64 = 1 << 41;
    let world = World::built();
    let path = world.at(&world.download("zip"));
    let good = fs::read(&path).unwrap();
    let zip = fs::OpenOptions::new().write(true).open(&path).unwrap();
    zip.set_len(HUGE).unwrap();
    let (code, _, text) = heal(&world, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(fs::read(&path).unwrap(), good);
    assert!(world.runs().contains("hi words 1"));
    let (code, text) = untaint(&world, &["restore", "last", "--yes", "--force"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(fs::metadata(&path).unwrap().len(), HUGE);
}
