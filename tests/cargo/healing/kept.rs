//! The quarantine as people use it: listed, shown, exported, pruned; and a journal that somebody edited.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::world::{command, differences, healed, image, restored, template};
use crate::support::{World, write_file};

fn tainted() -> World {
    let world = template().twin();
    write_file(
        &world.tree("beta", "1.0.0").join("src/lib.rs"),
        "pub fn name() -> &'static str { \"EVIL\" }\n",
    );
    let script = world.tree("beta", "1.0.0").join("evil.sh");
    write_file(&script, "#!/bin/sh\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let path = world.archive("gamma", "0.3.1");
    let mut bytes = fs::read(&path).unwrap();
    bytes.push(b'x');
    fs::write(&path, bytes).unwrap();
    world
}

#[test]
fn what_was_taken_is_listed_shown_and_exported() {
    let world = tainted();
    healed(&world, 0);
    let list = command(&world, &["quarantine", "list", "--json"]).run_raw();
    let entries = list.report["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{}", list.stdout);
    for entry in entries {
        let id = entry["id"].as_str().unwrap();
        let show = command(&world, &["quarantine", "show", id]).run_raw();
        assert_eq!(show.exit, 0, "{}", show.story());
        assert!(show.stdout.contains("registry-index"), "{}", show.stdout);
        let (one, two) = (
            world.root().join("one.tar.gz"),
            world.root().join("two.tar.gz"),
        );
        for file in [&one, &two] {
            let export = command(&world, &["quarantine", "export", id, "-o"])
                .arg(file)
                .run_raw();
            assert_eq!(export.exit, 0, "{}", export.story());
        }
        assert_eq!(
            fs::read(&one).unwrap(),
            fs::read(&two).unwrap(),
            "not reproducible"
        );
        let listed = Command::new("tar").arg("-tzf").arg(&one).output().unwrap();
        let names = String::from_utf8(listed.stdout).unwrap();
        assert!(listed.status.success(), "{names}");
        for part in ["evidence/incident.json", "evidence/SHA256SUMS", "things/"] {
            assert!(names.contains(part), "{part} is missing: {names}");
        }
    }
    assert_eq!(
        command(&world, &["quarantine", "show", "nothing-1"])
            .run_raw()
            .exit,
        2
    );
}

#[test]
fn nothing_in_the_quarantine_can_be_executed_or_read_by_others() {
    let world = tainted();
    healed(&world, 0);
    let mut open = vec![world.state().join("state/quarantine")];
    let mut files = 0;
    while let Some(path) = open.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            let ours = path.ends_with("quarantine");
            assert!(
                !ours || meta.permissions().mode() & 0o077 == 0,
                "{}",
                path.display()
            );
        } else if meta.is_file() {
            let mode = meta.permissions().mode();
            assert_eq!(mode & 0o111, 0, "{} {mode:o}", path.display());
            files += 1;
        }
    }
    assert!(files > 5, "{files}");
}

#[test]
fn pruning_removes_for_good_and_a_restore_then_has_nothing() {
    let world = tainted();
    healed(&world, 0);
    let shown = command(
        &world,
        &[
            "quarantine",
            "prune",
            "--older-than",
            "0s",
            "--now",
            "2100-01-01T00:00:00Z",
        ],
    )
    .run_raw();
    assert!(
        shown.stdout.contains("would be removed"),
        "{}",
        shown.stdout
    );
    let young = command(
        &world,
        &["quarantine", "prune", "--older-than", "1d", "--yes"],
    )
    .run_raw();
    assert!(
        young.stdout.contains("nothing is that old"),
        "{}",
        young.stdout
    );
    let gone = command(
        &world,
        &[
            "quarantine",
            "prune",
            "--older-than",
            "30d",
            "--yes",
            "--now",
            "2100-01-01T00:00:00Z",
        ],
    )
    .run_raw();
    assert_eq!(gone.exit, 0, "{}", gone.story());
    let left = fs::read_dir(world.state().join("state/quarantine"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
    assert_eq!(
        command(&world, &["restore", "last", "--yes"])
            .run_raw()
            .exit,
        2
    );
    let log = command(&world, &["log", "--verify"]).run_raw();
    assert!(
        log.exit == 0 && log.stdout.contains("prune"),
        "{}",
        log.stdout
    );
}

#[test]
fn what_cargo_made_anew_is_not_newer_and_what_somebody_changed_is() {
    for edited in [false, true] {
        let world = tainted();
        let before = image(&world.cargo_home().join("registry/src"), true);
        healed(&world, 0);
        assert!(world.build_and_run().contains("alpha-beta"));
        let mut exact = 0;
        if edited {
            // Not what cargo unpacks.
            let file = world.tree("beta", "1.0.0").join("src/lib.rs");
            let text = fs::read_to_string(&file).unwrap();
            write_file(&file, format!("{text}// mine\n"));
            let refused = command(&world, &["restore", "last", "--yes"]).run_raw();
            assert_eq!(refused.exit, 1, "{}", refused.stdout);
            assert!(
                refused.stdout.contains("something newer"),
                "{}",
                refused.stdout
            );
            assert!(fs::read_to_string(&file).unwrap().ends_with("// mine\n"));
            let forced = command(&world, &["restore", "last", "--yes", "--force"]).run_raw();
            assert_eq!(forced.exit, 0, "{}", forced.stdout);
        } else {
            let done = command(&world, &["restore", "last", "--yes"]).run_raw();
            assert_eq!(done.exit, 0, "{}", done.stdout);
        }
        let mut after = image(&world.cargo_home().join("registry/src"), true);
        let mut before = before;
        for image in [&mut before, &mut after] {
            // Cargo made trees in these folders meanwhile.
            image.retain(|path, _| path.to_string_lossy().contains("beta-1.0.0"));
            exact += image.len();
        }
        let changed = differences(&before, &after);
        assert!(exact > 0 && changed.is_empty(), "{changed:#?}");
    }
}

#[test]
fn an_edited_journal_is_not_carried_out_and_a_scan_says_so() {
    let world = tainted();
    healed(&world, 0);
    restored(&world);
    let run = fs::read_dir(world.state().join("state/quarantine"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    let text = fs::read_to_string(run.join("journal")).unwrap();
    let pending = world.state().join(format!("state/heal-{name}.journal"));
    // Its end is cut off, so that it would be finished, and a path is changed.
    let begun: Vec<&str> = text.lines().take(2).collect();
    let edited = begun.join("\n").replace("beta-1.0.0", "gamma-0.3.1") + "\n";
    assert_ne!(edited, begun.join("\n") + "\n");
    fs::write(&pending, edited).unwrap();
    // What it names now is moved by nobody; what is tainted is healed all the same.
    let before = image(&world.tree("gamma", "0.3.1"), true);
    let stopped = super::world::heal(&world, &["--yes"]).run_raw();
    assert_eq!(stopped.exit, 3, "{}", stopped.story());
    assert!(
        stopped.stderr.contains("changed by hand"),
        "{}",
        stopped.stderr
    );
    let same = differences(&before, &image(&world.tree("gamma", "0.3.1"), true));
    assert!(same.is_empty(), "{same:#?}");
    let scan = world.untaint().run();
    assert!(
        scan.problems()
            .iter()
            .any(|p| p["message"].as_str().unwrap().contains("interrupted")),
        "{}",
        scan.story()
    );
    fs::remove_file(&pending).unwrap();
    healed(&world, 0);
    let clean = world.untaint().run();
    clean.is_clean();
}

#[test]
fn a_scan_of_a_clean_cache_with_an_open_journal_is_incomplete() {
    let world = template().twin();
    world.untaint().run().is_clean();
    let pending = world.state().join("state/heal-01ABC.journal");
    write_file(&pending, "");
    let scan = world.untaint().run();
    scan.exits(3);
    // Nothing was begun by an empty one: the next heal takes it away.
    healed(&world, 0);
    assert!(!pending.exists());
    world.untaint().run().is_clean();
}
