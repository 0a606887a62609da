//! Only what this user sealed on this machine is ever carried out: forged journals, those of another machine, older ones,
//! shortened ones; and what can still be done with them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::sealing::{closed, interrupt, journal, key_file, lines, own_key};
use super::world::{command, differences, flip, heal, healed, image, restored, template};
use crate::support::{Scan, World, sha256, write_file};

const RUN: &str = "01FORGED";

fn vault(world: &World) -> std::path::PathBuf {
    world.state().join("state")
}

#[track_caller]
fn ends(world: &World, arguments: &[&str], exit: i32) -> Scan {
    let done = command(world, arguments).run_raw();
    assert_eq!(done.exit, exit, "{arguments:?}\n{}", done.story());
    done
}

/// The state of the only entry of the quarantine, as it is listed.
fn listed(world: &World) -> String {
    let list = command(world, &["quarantine", "list", "--json"]).run_raw();
    let entries = list.report["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{}", list.stdout);
    entries[0]["state"].as_str().unwrap().to_owned()
}

/// A run that moves the archive of beta away and puts an evil one there.
fn forged(world: &World, is_pending: bool) -> Vec<Value> {
    use std::os::unix::fs::MetadataExt;
    let store = vault(world).join("quarantine").join(RUN);
    write_file(&store.join("n1-0"), "evil");
    fs::set_permissions(store.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o700)).unwrap();
    let (home, path) = (world.cargo_home(), world.archive("beta", "1.0.0"));
    let was = |path: &Path| {
        let meta = fs::metadata(path).unwrap();
        json!({"dev": meta.dev(), "inode": meta.ino(), "mode": meta.mode() & 0o7777, "uid": meta.uid(), "gid": meta.gid(),
               "links": meta.nlink(), "size": meta.size(), "seconds": meta.mtime(), "nanoseconds": meta.mtime_nsec()})
    };
    let (folder, kept) = (was(&home), was(&store));
    let rel = path
        .strip_prefix(&home)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let role = if is_pending { "tainted" } else { "derived" };
    let mut entry = json!({
        "number": 1, "ecosystem": "cargo", "package": "beta@1.0.0", "findings": [], "codes": [], "locks": [],
        "moves": [{"folder": 0, "rel": {"text": &rel}, "item": "i1-0-x", "role": role, "was": was(&path),
                   "above": was(path.parent().unwrap()), "digest": null}],
        "puts": [{"folder": 0, "rel": {"text": &rel}, "staged": "n1-0", "sha256": sha256(b"evil")}],
    });
    if !is_pending {
        write_file(&store.join("i1-0-x"), "evil");
        entry["puts"] = json!([]);
    }
    let mut lines = vec![
        json!({"run": {"version": 2, "id": RUN, "at": 7, "folders": [
            {"path": {"text": home}, "dev": folder["dev"], "inode": folder["inode"],
             "store": {"text": store}, "store_dev": kept["dev"], "store_inode": kept["inode"]}]}}),
        json!({"begin": entry}),
    ];
    if !is_pending {
        lines.extend([json!({"done": 1}), json!("end")]);
    }
    lines
}

fn place(world: &World, is_pending: bool) -> std::path::PathBuf {
    let open = vault(world).join(format!("heal-{RUN}.journal"));
    let closed = vault(world).join("quarantine").join(RUN).join("journal");
    if is_pending { open } else { closed }
}

/// Sums as anybody can make them.
fn plain(lines: &[Value]) -> String {
    let line = |json: &Value| format!("{} {json}\n", sha256(json.to_string().as_bytes()));
    lines.iter().map(line).collect()
}

#[test]
fn a_forged_interrupted_run_is_not_carried_out_and_can_be_listed_exported_and_closed() {
    for other_key in [true, false] {
        let world = template().twin();
        own_key(&world);
        let forged = forged(&world, true);
        let text = if other_key {
            journal(&[9; 32], RUN, &forged)
        } else {
            plain(&forged)
        };
        write_file(&place(&world, true), text);
        let before = image(&world.cargo_home(), true);
        let stopped = heal(&world, &["--yes"]).run_raw();
        assert_eq!(stopped.exit, 3, "{}", stopped.story());
        assert!(
            stopped.stderr.contains("not sealed by this user"),
            "{}",
            stopped.stderr
        );
        assert!(stopped.stderr.contains(RUN), "{}", stopped.stderr);
        let refused = ends(&world, &["restore", RUN, "--yes", "--force"], 2);
        assert!(
            refused.stderr.contains(&format!("heal-{RUN}.journal")),
            "{}",
            refused.stderr
        );
        assert_eq!(listed(&world), "unsealed");
        let out = world.root().join("out.tar.gz");
        ends(
            &world,
            &[
                "quarantine",
                "export",
                &format!("q-{RUN}-1"),
                "-o",
                out.to_str().unwrap(),
            ],
            0,
        );
        assert!(fs::metadata(&out).unwrap().len() > 0);
        ends(&world, &["heal", "--abandon", RUN], 0);
        assert_eq!(listed(&world), "unsealed");
        healed(&world, 0);
        ends(&world, &["restore", RUN, "--yes", "--force"], 2);
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{same:#?}");
    }
}

#[test]
fn a_forged_closed_run_is_not_put_back_and_not_pruned() {
    for other_key in [true, false] {
        let world = template().twin();
        own_key(&world);
        let forged = forged(&world, false);
        let text = if other_key {
            journal(&[9; 32], RUN, &forged)
        } else {
            plain(&forged)
        };
        write_file(&place(&world, false), text);
        let before = image(&world.cargo_home(), true);
        let refused = ends(&world, &["restore", RUN, "--yes", "--force"], 2);
        assert!(
            refused.stderr.contains("not sealed by this user"),
            "{}",
            refused.stderr
        );
        ends(&world, &["restore", "last", "--yes", "--force"], 2);
        assert_eq!(listed(&world), "unsealed");
        let pruned = ends(
            &world,
            &["quarantine", "prune", "--older-than", "0s", "--yes"],
            3,
        );
        assert!(
            pruned.stderr.contains("not sealed by this user"),
            "{}",
            pruned.stderr
        );
        assert!(place(&world, false).exists());
        // It stands in nobody's way.
        flip(&world, "beta", "1.0.0");
        healed(&world, 0);
        restored(&world);
        flip(&world, "beta", "1.0.0");
        let same = differences(
            &timeless(&before),
            &timeless(&image(&world.cargo_home(), false)),
        );
        assert!(same.is_empty(), "{same:#?}");
    }
}

/// Kinds and bytes alone.
fn timeless(
    image: &std::collections::BTreeMap<std::path::PathBuf, String>,
) -> std::collections::BTreeMap<std::path::PathBuf, String> {
    let last = |text: &String| text.rsplit(' ').next().unwrap().to_owned();
    let files = image.iter().filter(|(path, _)| path.extension().is_some());
    files
        .map(|(path, text)| (path.clone(), last(text)))
        .collect()
}

#[test]
fn a_state_folder_that_was_copied_from_another_machine_does_nothing() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    healed(&world, 0);
    // The same paths, another key.
    fs::remove_file(key_file(&world)).unwrap();
    let before = image(&world.cargo_home(), true);
    let refused = ends(&world, &["restore", "last", "--yes", "--force"], 2);
    assert!(
        refused.stderr.contains("not sealed by this user"),
        "{}",
        refused.stderr
    );
    assert_eq!(listed(&world), "unsealed");
    let (run, _) = interrupt(&vault(&world), 2);
    for key in [None, Some([9u8; 32])] {
        if let Some(key) = key {
            write_file(&key_file(&world), key);
            fs::set_permissions(key_file(&world), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let stopped = heal(&world, &["--yes"]).run_raw();
        assert_eq!(stopped.exit, 3, "{}", stopped.story());
        assert!(
            stopped.stderr.contains("not sealed by this user"),
            "{}",
            stopped.stderr
        );
        ends(&world, &["restore", &run, "--yes", "--force"], 2);
        assert_eq!(listed(&world), "unsealed");
    }
    ends(&world, &["heal", "--abandon", &run], 0);
    healed(&world, 0);
    let same = differences(&before, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");
}

#[test]
fn a_closed_journal_that_was_cut_short_or_brought_back_is_refused() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let tainted = image(&world.cargo_home(), true);
    healed(&world, 0);
    let (run, file) = closed(&vault(&world));
    let whole = fs::read_to_string(&file).unwrap();
    let count = whole.lines().count();
    for kept in 1..count {
        let cut: Vec<&str> = whole.lines().take(kept).collect();
        fs::write(&file, cut.join("\n") + "\n").unwrap();
        let refused = ends(&world, &["restore", &run, "--yes", "--force"], 2);
        assert!(
            refused.stderr.contains("cut off"),
            "{kept}: {}",
            refused.stderr
        );
    }
    fs::write(&file, &whole).unwrap();
    // An earlier state of it, as if it had been interrupted.
    let open = vault(&world).join(format!("heal-{run}.journal"));
    let begun: Vec<&str> = whole.lines().take(2).collect();
    fs::write(&open, begun.join("\n") + "\n").unwrap();
    let stopped = heal(&world, &["--yes"]).run_raw();
    assert_eq!(stopped.exit, 3, "{}", stopped.story());
    assert!(
        stopped.stderr.contains("brought here"),
        "{}",
        stopped.stderr
    );
    ends(&world, &["heal", "--abandon", &run], 0);
    healed(&world, 0);
    restored(&world);
    let same = differences(&tainted, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");
}

#[test]
fn the_key_is_this_users_alone_and_never_shown() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let done = healed(&world, 0);
    let file = key_file(&world);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let key: String = own_key(&world).iter().map(|b| format!("{b:02x}")).collect();
    assert!(!done.stdout.contains(&key) && !done.stderr.contains(&key));
    let before = fs::read(&file).unwrap();
    restored(&world);
    healed(&world, 0);
    assert_eq!(fs::read(&file).unwrap(), before);
    // One that others could have read vouches for nothing.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = ends(&world, &["restore", "last", "--yes"], 2);
    assert!(refused.stderr.contains("heal.key"), "{}", refused.stderr);
}

#[test]
fn without_a_place_for_the_key_nothing_is_begun_and_it_is_said_what_to_do() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    write_file(&world.home().join(".local"), "no folder");
    let before = image(&world.cargo_home(), true);
    for more in [&["--yes"][..], &["--yes", "--isolated", "--evict"]] {
        let refused = heal(&world, more).run_raw();
        assert_eq!(refused.exit, 2, "{}", refused.story());
        assert!(
            refused.stderr.contains("XDG_DATA_HOME"),
            "{}",
            refused.stderr
        );
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{same:#?}");
    }
    // In untaint's own state it would vouch for whatever is brought there.
    let inside = heal(&world, &["--yes"])
        .env("XDG_DATA_HOME", vault(&world))
        .run_raw();
    assert_eq!(inside.exit, 2, "{}", inside.story());
    assert!(inside.stderr.contains("own state"), "{}", inside.stderr);
    let data = world.root().join("data");
    let done = heal(&world, &["--yes"])
        .env("XDG_DATA_HOME", &data)
        .run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    let back = command(&world, &["restore", "last", "--yes"])
        .env("XDG_DATA_HOME", &data)
        .run_raw();
    assert_eq!(back.exit, 0, "{}", back.story());
    let same = differences(&before, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");
}

#[test]
fn a_run_that_was_given_up_gives_back_exactly_what_it_had_moved() {
    for moved_back in [false, true] {
        let world = template().twin();
        flip(&world, "beta", "1.0.0");
        write_file(&world.tree("beta", "1.0.0").join("src/evil.rs"), "evil");
        let before = image(&world.cargo_home().join("registry"), true);
        healed(&world, 0);
        let (run, open) = interrupt(&vault(&world), 2);
        if moved_back {
            // It was stopped before its last move.
            let begun = lines(&fs::read_to_string(&open).unwrap());
            let moves = begun[1]["begin"]["moves"].as_array().unwrap();
            let tree = moves
                .iter()
                .find(|m| m["rel"]["text"].as_str().unwrap().contains("/src/"));
            let tree = tree.unwrap();
            let kept = vault(&world).join("quarantine").join(&run);
            let to = world
                .cargo_home()
                .join(tree["rel"]["text"].as_str().unwrap());
            fs::rename(kept.join(tree["item"].as_str().unwrap()), to).unwrap();
        }
        assert_eq!(listed(&world), "interrupted");
        let given = ends(&world, &["heal", "--abandon", &run], 0);
        assert!(
            given.stdout.contains(&format!("untaint restore {run}")),
            "{}",
            given.stdout
        );
        assert_eq!(listed(&world), "given up");
        ends(&world, &["restore", &run, "--yes"], 0);
        assert_eq!(listed(&world), "restored");
        let same = differences(&before, &image(&world.cargo_home().join("registry"), true));
        assert!(same.is_empty(), "{moved_back}: {same:#?}");
    }
}

/// What somebody else's heal left beside the cache is of that run alone.
#[test]
fn a_foreign_run_beside_a_cache_does_not_stand_in_the_way_of_the_last_one() {
    let world = template().twin();
    let file = world.tree("beta", "1.0.0").join("src/lib.rs");
    write_file(&file, "EVIL\n");
    let elsewhere = world.root().join("elsewhere");
    let foreign = heal(&world, &["--yes", "--isolated"])
        .env("XDG_DATA_HOME", &elsewhere)
        .run_raw();
    assert!(!file.exists(), "{}", foreign.story());
    world.cargo(&["fetch", "--quiet", "--locked", "--offline"]);
    write_file(&file, "EVIL again\n");
    let own = heal(&world, &["--yes"]).run_raw();
    assert_eq!(own.exit, 0, "{}", own.story());
    ends(&world, &["restore", "last", "--yes"], 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "EVIL again\n");
}
