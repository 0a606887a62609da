//! Whoever can write our state cannot make `restore`, or the end of an interrupted heal, change anything outside the
//! folders that are this user's caches or that the user named, nor follow a link.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use super::sealing;
use super::world::{command, differences, flip, heal, healed, image, template};
use crate::support::{World, sha256, write_file};

const RUN: &str = "01FORGED";

/// A journal that even has this user's seal: what it may do is bounded all the same.
fn journal(world: &World, lines: &[Value]) -> String {
    sealing::journal(&sealing::own_key(world), RUN, lines)
}

fn was(path: &Path) -> Value {
    let meta = fs::symlink_metadata(path).unwrap();
    json!({"dev": meta.dev(), "inode": meta.ino(), "mode": meta.mode() & 0o7777, "uid": meta.uid(), "gid": meta.gid(),
           "links": meta.nlink(), "size": meta.size(), "seconds": meta.mtime(), "nanoseconds": meta.mtime_nsec()})
}

fn name(path: &Path) -> Value {
    json!({"text": path.to_str().unwrap()})
}

/// A record that moves `victim` out of `folder` and puts an evil file there.
fn forged(folder: &Path, store: &Path, victim: &str) -> (Value, Value) {
    // As a heal makes them: what others can reach is refused before anything is looked at.
    for ours in [store.parent().unwrap(), store] {
        fs::set_permissions(ours, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let (meta, kept) = (fs::metadata(folder).unwrap(), fs::metadata(store).unwrap());
    let folders = json!([{"path": name(folder), "dev": meta.dev(), "inode": meta.ino(), "store": name(store),
                          "store_dev": kept.dev(), "store_inode": kept.ino()}]);
    let begun = json!({"run": {"version": 2, "id": RUN, "at": 7, "folders": folders}});
    let entry = json!({
        "number": 1, "ecosystem": "cargo", "package": "a@1", "findings": [], "codes": [], "locks": [],
        "moves": [{"folder": 0, "rel": {"text": victim}, "item": "i1-0-x", "role": "tainted",
                   "was": was(&folder.join(victim)), "above": was(folder), "digest": null}],
        "puts": [{"folder": 0, "rel": {"text": victim}, "staged": "n1-0", "sha256": sha256(b"evil")}],
    });
    (begun, entry)
}

fn store(world: &World) -> std::path::PathBuf {
    world.state().join("state/quarantine").join(RUN)
}

fn target(world: &World) -> std::path::PathBuf {
    let folder = world.home().join(".ssh");
    write_file(&folder.join("authorized_keys"), "mine\n");
    folder
}

#[test]
fn a_forged_record_of_another_folder_is_refused() {
    for pending in [true, false] {
        let world = template().twin();
        let ssh = target(&world);
        let store = store(&world);
        write_file(&store.join("n1-0"), "evil");
        let (begun, entry) = forged(&ssh, &store, "authorized_keys");
        let file = if pending {
            world.state().join(format!("state/heal-{RUN}.journal"))
        } else {
            // One that ended: what it took is to be put back.
            write_file(&store.join("i1-0-x"), "evil");
            store.join("journal")
        };
        let mut lines = vec![begun, json!({"begin": entry})];
        if !pending {
            lines.extend([json!({"done": 1}), json!("end")]);
        }
        write_file(&file, journal(&world, &lines));
        let before = image(&ssh, true);
        let calls = [
            heal(&world, &["--yes"]),
            command(&world, &["restore", RUN, "--yes", "--force"]),
            command(&world, &["restore", "last", "--yes", "--force"]),
        ];
        for call in calls {
            let done = call.run_raw();
            let same = differences(&before, &image(&ssh, true));
            assert!(same.is_empty(), "{same:#?}\n{}", done.story());
            let said = format!("{}{}", done.stdout, done.stderr);
            if pending {
                assert!(said.contains("no cache of yours"), "{said}");
            }
        }
    }
}

#[test]
fn a_forged_place_to_take_from_is_refused() {
    let world = template().twin();
    let elsewhere = world.root().join("elsewhere/quarantine").join(RUN);
    write_file(&elsewhere.join("n1-0"), "evil");
    let (begun, entry) = forged(&world.cargo_home(), &elsewhere, "registry");
    let file = world.state().join(format!("state/heal-{RUN}.journal"));
    write_file(&file, journal(&world, &[begun, json!({"begin": entry})]));
    let before = image(&world.cargo_home(), true);
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 3, "{}", done.story());
    assert!(done.stderr.contains("none of ours"), "{}", done.stderr);
    let same = differences(&before, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");
}

#[test]
fn a_record_that_leads_through_a_link_changes_nothing_behind_it() {
    let world = template().twin();
    let ssh = target(&world);
    symlink(&ssh, world.cargo_home().join("registry/lead")).unwrap();
    let store = store(&world);
    write_file(&store.join("n1-0"), "evil");
    let (begun, mut entry) = forged(&ssh, &store, "authorized_keys");
    let home = fs::metadata(world.cargo_home()).unwrap();
    let mut begun = begun;
    begun["run"]["folders"][0]["path"] = name(&world.cargo_home());
    begun["run"]["folders"][0]["dev"] = home.dev().into();
    begun["run"]["folders"][0]["inode"] = home.ino().into();
    for (list, at) in [("moves", 0), ("puts", 0)] {
        entry[list][at]["rel"]["text"] = "registry/lead/authorized_keys".into();
    }
    let file = world.state().join(format!("state/heal-{RUN}.journal"));
    write_file(&file, journal(&world, &[begun, json!({"begin": entry})]));
    let before = image(&ssh, true);
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 3, "{}", done.story());
    assert!(done.stderr.contains("no heal changes"), "{}", done.stderr);
    let same = differences(&before, &image(&ssh, true));
    assert!(same.is_empty(), "{same:#?}");
}

#[test]
fn no_byte_of_a_journal_can_be_changed_by_hand() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    healed(&world, 0);
    let kept = world.state().join("state/quarantine");
    let run = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    let text = fs::read(run.join("journal")).unwrap();
    let before = image(&world.cargo_home(), true);
    let mut refused = 0;
    // Every byte of the form is changed in the journal's own tests; here some of each kind, with the real program.
    for at in (0..text.len() - 1).step_by(text.len() / 24) {
        let mut edited = text.clone();
        edited[at] ^= 1;
        fs::write(run.join("journal"), &edited).unwrap();
        let done = command(&world, &["restore", "last", "--yes"]).run_raw();
        assert_eq!(done.exit, 2, "byte {at}: {}", done.story());
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "byte {at}: {same:#?}");
        refused += 1;
    }
    println!("journals edited by hand and refused by the program: {refused}");
    assert!(refused >= 24, "{refused}");
}

#[test]
fn a_forged_record_changes_nothing_in_a_cache_but_places_of_packages() {
    for (victim, pending) in [
        ("config.toml", true),
        ("config.toml", false),
        ("bin/cargo-x", true),
        ("bin/cargo-x", false),
    ] {
        let world = template().twin();
        let home = world.cargo_home();
        write_file(&home.join(victim), "mine\n");
        let store = store(&world);
        write_file(&store.join("n1-0"), "evil");
        let (begun, mut entry) = forged(&home, &store, victim);
        let file = if pending {
            world.state().join(format!("state/heal-{RUN}.journal"))
        } else {
            write_file(&store.join("i1-0-x"), "evil");
            entry["puts"] = json!([]);
            store.join("journal")
        };
        let mut lines = vec![begun, json!({"begin": entry})];
        if !pending {
            lines.extend([json!({"done": 1}), json!("end")]);
        }
        write_file(&file, journal(&world, &lines));
        let before = image(&home, true);
        for call in [
            heal(&world, &["--yes"]),
            command(&world, &["restore", "last", "--yes", "--force"]),
        ] {
            let done = call.run_raw();
            let same = differences(&before, &image(&home, true));
            assert!(same.is_empty(), "{victim}: {same:#?}\n{}", done.story());
        }
    }
}

#[test]
fn a_restore_gives_no_file_the_rights_of_its_owner() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    healed(&world, 0);
    let kept = world.state().join("state/quarantine");
    let run = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    let text = fs::read_to_string(run.join("journal")).unwrap();
    let mut edited = sealing::lines(&text);
    for value in &mut edited {
        let begun = value
            .get_mut("begin")
            .and_then(|begun| begun.get_mut("moves"));
        if let Some(moves) = begun.and_then(Value::as_array_mut) {
            for mv in moves {
                mv["was"]["mode"] = json!(0o4755);
            }
        }
    }
    let edited = sealing::journal(&sealing::own_key(&world), &name, &edited);
    fs::write(run.join("journal"), edited).unwrap();
    command(&world, &["restore", "last", "--yes", "--force"]).run_raw();
    let mode = fs::metadata(world.archive("beta", "1.0.0")).unwrap().mode();
    assert_eq!(mode & 0o7000, 0, "{mode:o}");
}
