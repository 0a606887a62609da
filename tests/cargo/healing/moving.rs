//! Between an interrupted heal and what comes after it the world moves on; runs of `heal --isolated`, which keep everything
//! beside the cache, are reported, finished, listed and put back like all others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use super::sealing::{closed, interrupt, journal, lines, own_key};
use super::world::{archives, command, differences, flip, heal, healed, image, template};
use crate::support::{Scan, World, write_file};

fn vault(world: &World) -> PathBuf {
    world.state().join("state")
}

fn beside(world: &World) -> PathBuf {
    world.home().join(".untaint-quarantine")
}

fn isolated(world: &World) -> Scan {
    let more = ["--yes", "--isolated", "--derived", "note"];
    let done = heal(world, &more).run_raw();
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
    done
}

fn reported(world: &World) -> bool {
    let scan = world.untaint().run();
    let mut told = scan.problems().iter();
    told.any(|p| p["message"].as_str().unwrap().contains("interrupted"))
}

fn states(world: &World, more: &[&str]) -> Vec<String> {
    let call = [&["quarantine", "list", "--json"], more].concat();
    let list = command(world, &call).run_raw();
    let entries = list.report["entries"].as_array().unwrap();
    let state = |entry: &Value| entry["state"].as_str().unwrap().to_owned();
    entries.iter().map(state).collect()
}

#[test]
fn an_isolated_run_is_listed_exported_and_put_back_by_the_line_that_it_printed() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let before = image(&world.cargo_home(), true);
    let done = command(&world, &["heal"])
        .arg(world.project())
        .args(&[
            "--yes",
            "--isolated",
            "--derived",
            "note",
            "--no-advisories",
            "--trust",
        ])
        .arg(world.trust_file())
        .run_raw();
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
    assert!(!vault(&world).join("quarantine").exists());
    assert_eq!(states(&world, &[]), ["kept"]);
    let (run, _) = closed(&beside(&world));
    let out = world.root().join("out.tar.gz");
    let export = command(
        &world,
        &["quarantine", "export", &format!("q-{run}-1"), "-o"],
    )
    .arg(&out)
    .run_raw();
    assert_eq!(export.exit, 0, "{}", export.story());
    let line = done
        .stdout
        .lines()
        .find(|l| l.starts_with("to put everything back: "))
        .unwrap();
    let words: Vec<&str> = line
        .rsplit(": untaint ")
        .next()
        .unwrap()
        .split(' ')
        .collect();
    let back = command(&world, &words).run_raw();
    assert_eq!(back.exit, 0, "{line}\n{}", back.story());
    let same = differences(&before, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");
    assert_eq!(states(&world, &[]), ["restored"]);
}

#[test]
fn an_isolated_run_that_was_interrupted_is_reported_and_finished_by_the_next_heal() {
    for again in [
        &["--yes"][..],
        &["--yes", "--isolated", "--derived", "note"],
    ] {
        for behind in [1, 2] {
            let world = template().twin();
            let good = archives(&world);
            flip(&world, "beta", "1.0.0");
            isolated(&world);
            let (_, open) = interrupt(&beside(&world), behind);
            assert!(reported(&world));
            let done = heal(&world, again).run_raw();
            assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
            assert_eq!(
                done.report["recovered"].as_array().unwrap().len(),
                1,
                "{}",
                done.stdout
            );
            assert!(!open.exists());
            assert_eq!(archives(&world), good);
            assert!(!reported(&world));
        }
    }
}

#[test]
fn an_isolated_run_of_a_cache_in_an_unusual_place_is_found_where_it_is_named() {
    let world = template().twin();
    let cache = world.root().join("ci/cache");
    fs::create_dir_all(cache.parent().unwrap()).unwrap();
    let archive = world.archive("beta", "1.0.0");
    let path = cache.join(archive.strip_prefix(world.cargo_home()).unwrap());
    fs::rename(world.cargo_home(), &cache).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes.push(b'x');
    fs::write(&path, bytes).unwrap();
    let before = image(&cache, true);
    let named = format!("cargo={}", cache.display());
    let done = command(&world, &["heal", "--cache", &named])
        .args(&[
            "--yes",
            "--isolated",
            "--evict",
            "--derived",
            "note",
            "--no-advisories",
            "--trust",
        ])
        .arg(world.trust_file())
        .run_raw();
    let line = done
        .stdout
        .lines()
        .find(|l| l.starts_with("to put everything back: "));
    let line = line.unwrap_or_else(|| panic!("{}\n{}", done.story(), done.stdout));
    assert!(line.contains("--root"), "{line}");
    assert_eq!(states(&world, &[]), [""; 0]);
    assert_eq!(
        states(&world, &["--root", cache.to_str().unwrap()]),
        ["kept"]
    );
    let words: Vec<&str> = line
        .rsplit(": untaint ")
        .next()
        .unwrap()
        .split(' ')
        .collect();
    let back = command(&world, &words).run_raw();
    assert_eq!(back.exit, 0, "{line}\n{}", back.story());
    let same = differences(&before, &image(&cache, true));
    assert!(same.is_empty(), "{same:#?}");
}

#[test]
fn a_forged_journal_beside_the_cache_is_not_carried_out_and_stops_no_healing() {
    let world = template().twin();
    let good = archives(&world);
    flip(&world, "beta", "1.0.0");
    isolated(&world);
    let (run, open) = interrupt(&beside(&world), 2);
    let said = lines(&fs::read_to_string(&open).unwrap());
    fs::write(&open, journal(&[9; 32], &run, &said)).unwrap();
    flip(&world, "gamma", "0.3.1");
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 3, "{}", done.story());
    assert!(
        done.stderr.contains("not sealed by this user"),
        "{}",
        done.stderr
    );
    assert_eq!(archives(&world), good, "the rest is healed");
    assert!(open.exists() && reported(&world));
    let given = command(&world, &["heal", "--abandon", &run]).run_raw();
    assert_eq!(given.exit, 0, "{}", given.story());
    assert!(!reported(&world));
    healed(&world, 0);
}

#[test]
fn a_folder_beside_the_cache_that_is_a_link_or_open_to_others_is_none_of_ours() {
    for is_link in [true, false] {
        let world = template().twin();
        flip(&world, "beta", "1.0.0");
        isolated(&world);
        interrupt(&beside(&world), 2);
        if is_link {
            let elsewhere = world.root().join("elsewhere");
            fs::rename(beside(&world), &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, beside(&world)).unwrap();
        } else {
            fs::set_permissions(beside(&world), fs::Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(states(&world, &[]), [""; 0]);
        let before = image(&world.cargo_home(), true);
        let done = healed(&world, 0);
        assert_eq!(done.report["recovered"].as_array().unwrap().len(), 0);
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{same:#?}");
    }
}

/// Gives every device in a journal another number, as a machine does that started anew.
fn renumber(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field.as_u64()) {
                    ("dev" | "store_dev", Some(number)) => *field = (number + 7).into(),
                    _ => renumber(field),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(renumber),
        _ => {}
    }
}

#[test]
fn other_numbers_of_devices_brick_neither_recovery_nor_restore() {
    for is_pending in [false, true] {
        let world = template().twin();
        flip(&world, "beta", "1.0.0");
        write_file(&world.tree("beta", "1.0.0").join("src/evil.rs"), "evil");
        let before = image(&world.cargo_home(), true);
        healed(&world, 0);
        let (run, file) = if is_pending {
            interrupt(&vault(&world), 2)
        } else {
            closed(&vault(&world))
        };
        let mut said = lines(&fs::read_to_string(&file).unwrap());
        said.iter_mut().for_each(renumber);
        fs::write(&file, journal(&own_key(&world), &run, &said)).unwrap();
        if is_pending {
            healed(&world, 0);
        }
        let back = command(&world, &["restore", &run, "--yes"]).run_raw();
        assert_eq!(back.exit, 0, "{}\n{}", back.story(), back.stdout);
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{same:#?}");
    }
}

#[test]
fn a_cache_that_was_swapped_for_another_one_is_left_alone() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    healed(&world, 0);
    let (run, _) = interrupt(&vault(&world), 2);
    let (home, away) = (world.cargo_home(), world.root().join("away"));
    fs::rename(&home, &away).unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(&away)
        .arg(&home)
        .status();
    assert!(copied.unwrap().success());
    let before = image(&home, true);
    let done = healed(&world, 0);
    assert!(done.stdout.contains("another folder"), "{}", done.stdout);
    let refused = command(&world, &["restore", &run, "--yes", "--force"]).run_raw();
    assert_eq!(refused.exit, 1, "{}", refused.stdout);
    assert!(
        refused.stdout.contains("another folder"),
        "{}",
        refused.stdout
    );
    let same = differences(&before, &image(&home, true));
    assert!(same.is_empty(), "{same:#?}");
    assert_eq!(states(&world, &[]), ["given up"]);
}

#[test]
fn what_cargo_fetched_after_a_kill_stays_and_the_run_is_closed() {
    let world = template().twin();
    let good = archives(&world);
    flip(&world, "beta", "1.0.0");
    healed(&world, 0);
    let (run, open) = interrupt(&vault(&world), 2);
    // It was stopped between its moves and its puts, and cargo wrote another archive there, as good or not.
    let begun = lines(&fs::read_to_string(&open).unwrap());
    let staged = begun[1]["begin"]["puts"][0]["staged"]
        .as_str()
        .unwrap()
        .to_owned();
    let place = world.archive("beta", "1.0.0");
    let kept = vault(&world).join("quarantine").join(&run);
    fs::rename(&place, kept.join(&staged)).unwrap();
    fs::write(&place, "newer").unwrap();
    let done = heal(&world, &["--yes"]).run_raw();
    // The run ends, and what stands there is judged by the scan.
    assert_eq!(done.exit, 0, "{}", done.story());
    assert!(!open.exists() && !kept.join(&staged).exists());
    assert_eq!(archives(&world), good);
    assert_eq!(states(&world, &[]), ["kept", "kept"]);
}

#[test]
fn a_cache_without_a_folder_of_archives_is_healed_and_put_back() {
    let world = template().twin();
    write_file(&world.tree("beta", "1.0.0").join("src/evil.rs"), "evil");
    fs::remove_dir_all(world.cargo_home().join("registry/cache")).unwrap();
    let before = image(&world.cargo_home().join("registry/src"), true);
    healed(&world, 0);
    let back = command(&world, &["restore", "last", "--yes"]).run_raw();
    assert_eq!(back.exit, 0, "{}\n{}", back.story(), back.stdout);
    let same = differences(
        &before,
        &image(&world.cargo_home().join("registry/src"), true),
    );
    assert!(same.is_empty(), "{same:#?}");
    assert!(!world.cargo_home().join("registry/cache").exists());
    let again = command(&world, &["restore", "last", "--yes"]).run_raw();
    assert!(
        again.exit == 2 && again.stderr.contains("is back already"),
        "{}",
        again.story()
    );
}

#[test]
fn cargo_clean_after_a_heal_costs_only_what_was_built() {
    let world = template().twin();
    write_file(
        &world.tree("beta", "1.0.0").join("src/lib.rs"),
        "pub fn name() -> &'static str { \"EVIL\" }\n",
    );
    assert!(world.build_and_run().contains("EVIL"));
    let beta = |world: &World| {
        let mut all = image(&world.cargo_home().join("registry/src"), true);
        all.retain(|path, _| path.to_string_lossy().contains("beta-1.0.0"));
        all
    };
    let before = beta(&world);
    healed(&world, 0);
    fs::remove_dir_all(world.project().join("target")).unwrap();
    let back = command(&world, &["restore", "last", "--yes"]).run_raw();
    assert_eq!(back.exit, 0, "{}\n{}", back.story(), back.stdout);
    assert!(
        back.stdout.contains("stays in the quarantine"),
        "{}",
        back.stdout
    );
    let same = differences(&before, &beta(&world));
    assert!(!before.is_empty() && same.is_empty(), "{same:#?}");
}
