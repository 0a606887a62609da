//! Every taint of the list: healed to what a fresh fetch gives, built offline by cargo, restored to the exact taint.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::world::{differences, heal, image, restored, template};
use crate::support::{World, sha256};
use crate::taints::{TAINTS, Victim};

/// What heal leaves to the user: lockfiles, settings, credentials, modes of files that are good otherwise.
const LEFT: &[&str] = &[
    "a source file writable by all",
    "another checksum in the lockfile",
    "the registry replaced by the project's settings",
    "a compiler wrapper in the project's settings",
    "a token that all can read",
];
/// What is healed in the cache and still stays wrong in the lockfile.
const HALF: &str = "archive, tree, listing and lockfile rewritten together";

fn victim(world: &World) -> Victim<'_> {
    Victim {
        world,
        name: "beta",
        version: "1.0.0",
        source: "src/lib.rs",
        other: ("gamma", "0.3.1"),
    }
}

/// Digests of every file of a registry's folders, links and modes told too; no times.
fn contents(root: &Path) -> BTreeMap<PathBuf, String> {
    fn note(root: &Path, path: &Path, all: &mut BTreeMap<PathBuf, String>) {
        let meta = fs::symlink_metadata(path).unwrap();
        if meta.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                note(root, &entry.unwrap().path(), all);
            }
        } else {
            use std::os::unix::fs::PermissionsExt;
            let what = if meta.is_file() {
                sha256(&fs::read(path).unwrap())
            } else {
                "no file".to_owned()
            };
            let mode = meta.permissions().mode();
            let rel = path.strip_prefix(root).unwrap().to_owned();
            all.insert(rel, format!("{what} {mode:o}"));
        }
    }
    let mut all = BTreeMap::new();
    note(root, root, &mut all);
    all.retain(|path, _| !path.ends_with("CACHEDIR.TAG"));
    all
}

#[test]
fn every_taint_heals_to_a_fresh_fetch_and_restores_exactly() {
    let fresh = contents(&template().cargo_home().join("registry"));
    let (mut healed, mut left) = (0, 0);
    for (what, deed, _) in TAINTS {
        let world = template().twin();
        let victim = victim(&world);
        deed(&victim);
        let home = world.cargo_home();
        let (tainted, project) = (image(&home, true), image(&world.project(), true));

        let plan = heal(&world, &[]).run_raw();
        let untouched = differences(&tainted, &image(&home, true));
        assert!(
            untouched.is_empty(),
            "{what}: a dry run changed {untouched:#?}"
        );
        if LEFT.contains(what) {
            let done = heal(&world, &["--yes"]).run_raw();
            assert_eq!(
                done.report["steps"].as_array().unwrap().len(),
                0,
                "{what}: {}",
                done.stdout
            );
            let untouched = differences(&tainted, &image(&home, true));
            assert!(untouched.is_empty(), "{what}: {untouched:#?}");
            let lock = what.contains("lockfile");
            // What a scan does not let pass stays the user's: so does who may write there.
            let open = lock || what.contains("writable");
            assert_eq!(done.exit, i32::from(open), "{what}: {}", done.story());
            if lock {
                assert_eq!(
                    done.report["by_hand"][0]["code"], "lockfile-hash-mismatch",
                    "{what}"
                );
            }
            left += 1;
            continue;
        }
        assert_eq!(plan.exit, 1, "{what}: {}", plan.story());

        let exit = i32::from(*what == HALF);
        let done = heal(&world, &["--yes"]).run_raw();
        assert_eq!(done.exit, exit, "{what}: {}\n{}", done.story(), done.stdout);
        let ended: Vec<_> = done.report["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| &s["ended"])
            .collect();
        assert!(
            !ended.is_empty() && ended.iter().all(|e| *e == "healed"),
            "{what}: {}",
            done.stdout
        );
        let same = differences(&project, &image(&world.project(), true));
        assert!(
            same.is_empty(),
            "{what}: the project was changed: {same:#?}"
        );

        restored(&world);
        let back = differences(&tainted, &image(&home, true));
        assert!(back.is_empty(), "{what}: not restored exactly: {back:#?}");

        let again = heal(&world, &["--yes"]).run_raw();
        assert_eq!(again.exit, exit, "{what}: {}", again.story());
        if *what == HALF {
            fs::copy(template().lockfile(), world.lockfile()).unwrap();
        }
        world.untaint().run().is_clean();
        assert!(world.build_and_run().contains("alpha-beta gamma"), "{what}");
        let now = contents(&home.join("registry"));
        assert_eq!(
            now.get(Path::new("CACHEDIR.TAG")),
            fresh.get(Path::new("CACHEDIR.TAG"))
        );
        let other: Vec<String> = differences(&fresh, &now);
        assert!(
            other.is_empty(),
            "{what}: not what a fresh fetch gives: {other:#?}"
        );
        world.untaint().run().is_clean();
        healed += 1;
    }
    println!("taints healed, built offline, restored exactly: {healed}; left to the user: {left}");
    assert_eq!(healed + left, TAINTS.len());
    assert!(healed >= 22, "{healed}");
}

#[test]
fn healing_a_clean_cache_changes_nothing() {
    let world = template().twin();
    let before = image(&world.home(), true);
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    assert_eq!(done.report["steps"].as_array().unwrap().len(), 0);
    let changed = differences(&before, &image(&world.home(), true));
    assert!(changed.is_empty(), "{changed:#?}");
}
