//! Git dependencies: a tainted checkout goes with everything that was built from it, and cargo makes it again from its
//! database, offline; a database whose objects, hooks or settings are not cargo's goes with all its checkouts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::world::{command, differences, heal, image};
use crate::support::{Source, Untaint, World, git_repository, write_file};

const GOOD: &str = "good inner";

/// A project with one git repository of two packages, built by cargo.
fn world() -> World {
    let world = World::new(Source::Alternate);
    // Not called as any of its packages.
    let upstream = world.root().join("upstream");
    git_repository(
        &upstream,
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"dep\"\nversion = \"0.5.0\"\nedition = \"2021\"\n\n[dependencies]\nwithin = { path = \"within\" }\n",
            ),
            (
                "src/lib.rs",
                "pub fn f() -> String { format!(\"good {}\", within::g()) }\n",
            ),
            (
                "within/Cargo.toml",
                "[package]\nname = \"within\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
            ),
            (
                "within/src/lib.rs",
                "pub fn g() -> &'static str { \"inner\" }\n",
            ),
            ("build.sh", "#!/bin/sh\n"),
        ],
    );
    let address = format!("file://{}", upstream.display());
    write_file(
        &world.project().join("Cargo.toml"),
        format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\ndep = {{ git = \"{address}\" }}\n"
        ),
    );
    write_file(
        &world.project().join("src/main.rs"),
        "fn main() { println!(\"{}\", dep::f()); }\n",
    );
    world.cargo(&["fetch"]);
    world
}

/// The one folder in a folder.
fn only(folder: PathBuf) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(found.len(), 1, "{}: {found:?}", folder.display());
    found.remove(0)
}

fn database(world: &World) -> PathBuf {
    only(world.cargo_home().join("git/db"))
}

fn checkout(world: &World) -> PathBuf {
    only(only(world.cargo_home().join("git/checkouts")))
}

/// Edits the checkout's inner package, and builds.
fn poison(world: &World) {
    poison_at(world, &checkout(world));
}

fn poison_at(world: &World, checkout: &Path) {
    let source = checkout.join("within/src/lib.rs");
    write_file(&source, "pub fn g() -> &'static str { \"EVIL\" }\n");
    assert!(world.build_and_run().contains("EVIL"));
}

fn evil_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else if fs::read(&path).unwrap().windows(4).any(|w| w == b"EVIL") {
            found.push(path);
        }
    }
    found
}

/// Heals: nothing evil stays in caches and build folder, and the next scan is clean.
#[track_caller]
fn heals(world: &World, call: Untaint) -> String {
    let done = call.run_raw();
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
    assert_eq!(
        done.report["left"],
        serde_json::json!([]),
        "{}",
        done.stdout
    );
    for folder in [world.cargo_home(), world.project().join("target")] {
        let left = evil_files(&folder);
        assert!(left.is_empty(), "{left:?}");
    }
    world.untaint().run().exits(0);
    done.stdout
}

/// Kinds and bytes of a worktree's files, without git's own.
fn files(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() && !path.ends_with(".git") {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else if meta.is_file() {
            let rel = path.strip_prefix(folder).unwrap().to_owned();
            found.push((rel, meta.permissions().mode(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// The evidence of what was changed, without its first two lines.
fn changes(world: &World) -> String {
    let run = only(world.state().join("state/quarantine"));
    let text = fs::read_to_string(run.join("evidence-1/changes.diff")).unwrap();
    assert!(text.starts_with("--- found/git/checkouts/"), "{text}");
    text.split_inclusive('\n').skip(2).collect()
}

#[test]
fn a_tainted_checkout_goes_with_what_was_built_and_cargo_makes_it_anew_offline() {
    let world = world();
    let fresh = files(&checkout(&world));
    poison(&world);
    let place = checkout(&world);
    let (home, project) = (
        image(&world.cargo_home(), true),
        image(&world.project(), true),
    );

    let plan = heal(&world, &[]).run_raw();
    assert_eq!(plan.exit, 1, "{}", plan.story());
    assert_eq!(
        plan.report["by_hand"],
        serde_json::json!([]),
        "{}",
        plan.stdout
    );
    let same = differences(&home, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");

    heals(&world, heal(&world, &["--yes"]));
    assert!(!place.exists() && !world.project().join("target/debug/app").exists());
    assert_eq!(
        changes(&world),
        "@@ -1,1 +1,1 @@\n-pub fn g() -> &'static str { \"EVIL\" }\n+pub fn g() -> &'static str { \"inner\" }\n"
    );

    let back = command(&world, &["restore", "last", "--yes", "--root"])
        .arg(world.project())
        .run_raw();
    assert_eq!(back.exit, 0, "{}", back.stdout);
    for (before, now) in [
        (&home, image(&world.cargo_home(), true)),
        (&project, image(&world.project(), true)),
    ] {
        let other = differences(before, &now);
        assert!(other.is_empty(), "not restored exactly: {other:#?}");
    }

    heals(&world, heal(&world, &["--yes"]));
    assert!(
        world.build_and_run().contains(GOOD),
        "offline, from the database"
    );
    assert_eq!(files(&checkout(&world)), fresh);
    world.untaint().run().exits(0);
    let clean = heal(&world, &["--yes"]).run_raw();
    assert_eq!(
        clean.report["steps"],
        serde_json::json!([]),
        "{}",
        clean.stdout
    );
}

/// Removes all `.d` files; cargo does not care.
fn forget(world: &World) -> usize {
    let mut gone = 0;
    for entry in fs::read_dir(world.project().join("target/debug/deps")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "d") {
            fs::remove_file(path).unwrap();
            gone += 1;
        }
    }
    gone
}

#[test]
fn units_of_every_package_of_the_repository_are_found_without_their_d_files() {
    let world = world();
    poison(&world);
    assert_eq!(forget(&world), 3);
    heals(&world, heal(&world, &["--yes"]));
    assert!(world.build_and_run().contains(GOOD));
}

#[test]
fn without_a_lockfile_of_this_call_the_checkout_is_healed_by_its_own_commit() {
    let world = world();
    poison(&world);
    // An earlier scan knows where its build folder is.
    world.untaint().run().exits(1);
    assert_eq!(forget(&world), 3);
    let call = command(
        &world,
        &[
            "heal",
            "--caches",
            "--json",
            "--no-advisories",
            "--yes",
            "--trust",
        ],
    )
    .arg(world.trust_file());
    heals(&world, call);
    assert!(world.build_and_run().contains(GOOD));
}

#[test]
fn one_finding_is_chosen_and_a_scan_names_the_call() {
    let world = world();
    poison(&world);
    let scan = world.untaint().run();
    let finding = &scan.report["findings"][0];
    let (id, remedy) = (
        finding["id"].as_str().unwrap(),
        finding["remedy"].as_str().unwrap(),
    );
    assert!(
        remedy.starts_with("untaint heal") && remedy.contains(id),
        "{remedy}"
    );
    let none = heal(&world, &["--yes", "--only", "f-0000000000000000"]).run_raw();
    assert_eq!(none.exit, 2, "{}", none.story());
    heals(&world, heal(&world, &["--yes", "--only", id]));
    assert!(world.build_and_run().contains(GOOD));
}

#[test]
fn evicting_a_checkout_ends_well() {
    let world = world();
    poison(&world);
    let done = heals(&world, heal(&world, &["--yes", "--evict"]));
    assert!(done.contains("nothing was to be fetched"), "{done}");
    assert!(world.build_and_run().contains(GOOD));
}

/// Replaces one object of the database by other bytes under its name.
fn forge(world: &World) {
    let database = database(world);
    let mut open = vec![database.join("objects")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 0x55;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn a_database_goes_with_its_checkouts_and_what_was_built_and_is_fetched_anew() {
    for armed in [false, true] {
        let world = world();
        assert!(world.build_and_run().contains(GOOD));
        let full: &[&str] = if armed {
            let hook = database(&world).join("hooks/reference-transaction");
            write_file(&hook, "#!/bin/sh\ntouch /tmp/never\n");
            fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
            &[]
        } else {
            forge(&world);
            &["--full"]
        };
        let (db, place) = (database(&world), checkout(&world));
        let (home, project) = (
            image(&world.cargo_home(), true),
            image(&world.project(), true),
        );
        let kept = heal(&world, &["--yes", "--keep-if-unfetchable"])
            .args(full)
            .run_raw();
        assert_eq!(kept.report["steps"][0]["ended"], "kept", "{}", kept.stdout);
        assert!(differences(&home, &image(&world.cargo_home(), true)).is_empty());

        let done = heals(&world, heal(&world, &["--yes"]).args(full));
        assert!(done.contains("fetches no git repository"), "{done}");
        assert!(!db.exists() && !place.exists());
        assert!(!world.project().join("target/debug/app").exists());

        let back = command(&world, &["restore", "last", "--yes", "--root"])
            .arg(world.project())
            .run_raw();
        assert_eq!(back.exit, 0, "{}", back.stdout);
        let mut other = differences(&home, &image(&world.cargo_home(), true));
        other.extend(differences(&project, &image(&world.project(), true)));
        assert!(other.is_empty(), "{other:#?}");

        heals(&world, heal(&world, &["--yes"]).args(full));
        assert!(!world.try_cargo(&["build", "--offline"]).status.success());
        assert!(world.cargo(&["run", "--quiet", "--locked"]).contains(GOOD));
        world.untaint().run().exits(0);
    }
}

#[test]
fn a_database_that_cannot_make_the_checkout_anew_is_found_beside_it() {
    let world = world();
    poison(&world);
    forge(&world);
    let (db, place) = (database(&world), checkout(&world));
    heals(&world, heal(&world, &["--yes"]));
    assert!(!db.exists() && !place.exists());
    assert!(world.cargo(&["run", "--quiet", "--locked"]).contains(GOOD));
}

#[test]
fn what_nothing_proves_goes_when_told_to() {
    let world = world();
    assert!(world.build_and_run().contains(GOOD));
    let objects = checkout(&world).join(".git/objects");
    fs::remove_dir_all(database(&world)).unwrap();
    fs::remove_dir_all(&objects).unwrap();
    fs::create_dir(&objects).unwrap();
    let place = checkout(&world);
    let left = heal(&world, &["--yes"]).run_raw();
    assert_eq!(left.exit, 3, "{}", left.story());
    assert!(place.exists());
    heals(&world, heal(&world, &["--yes", "--purge-unverified"]));
    assert!(!place.exists() && !world.project().join("target/debug/app").exists());
    assert!(world.cargo(&["run", "--quiet", "--locked"]).contains(GOOD));
}

#[test]
fn a_link_in_place_of_checkouts_goes_with_what_was_built_through_it() {
    for deep in [false, true] {
        let world = world();
        let place = match deep {
            true => checkout(&world),
            false => checkout(&world).parent().unwrap().to_owned(),
        };
        let elsewhere = world.root().join("elsewhere");
        fs::rename(&place, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
        poison_at(
            &world,
            &if deep {
                place.clone()
            } else {
                only(place.clone())
            },
        );
        heals(&world, heal(&world, &["--yes"]));
        assert!(fs::symlink_metadata(&place).is_err());
        assert!(
            !evil_files(&elsewhere).is_empty(),
            "what the link led to is nobody's"
        );
        assert!(world.build_and_run().contains(GOOD));
    }
}

#[test]
fn healing_a_clean_repository_changes_nothing() {
    let world = world();
    assert!(world.build_and_run().contains(GOOD));
    let before = image(&world.home(), true);
    let project = image(&world.project(), true);
    for more in [&["--yes"][..], &["--yes", "--full"], &["--yes", "--evict"]] {
        let done = heal(&world, more).run_raw();
        assert_eq!(done.exit, 0, "{}", done.story());
        assert_eq!(
            done.report["steps"],
            serde_json::json!([]),
            "{}",
            done.stdout
        );
    }
    let mut changed = differences(&before, &image(&world.home(), true));
    changed.extend(differences(&project, &image(&world.project(), true)));
    assert!(changed.is_empty(), "{changed:#?}");
}
