//! The world moves on: between a stop and the recovery, or while a heal is at work, tools fetch newer things, folders go,
//! links appear, the machine gives its devices other numbers. Nothing is lost by it, and no run is stuck.

use std::path::{Path, PathBuf};

use super::allowed::Allowed;
use super::fault_tests::{difference, evil, images, is_after, is_before, kept};
use super::journal::Standing;
use super::receipt::Ended;
use super::scenes::{ALL, Scene, Taint, allowed, vault};
use crate::world::fake_disk::End;

/// Files of the scene that its tools would fetch anew where they are missing.
fn missing(scene: &Scene, before: &super::fault_tests::Picture) -> Vec<String> {
    let files = before.iter().filter(|(_, text)| text.starts_with("file"));
    let paths = files.map(|(path, _)| path.to_string_lossy().into_owned());
    let own = |path: &String| path.starts_with("/h/") && !path.contains("/.untaint");
    paths
        .filter(own)
        .filter(|path| !scene.disk.is_there(path))
        .collect()
}

/// Stops a heal before every step, lets the world go on, and looks what the next process makes of it.
fn after_every_stop(
    taint: Taint,
    end: End,
    go_on: &dyn Fn(&Scene),
    look: &dyn Fn(&Scene, &str),
) -> usize {
    for step in 0.. {
        let scene = Scene::new(taint);
        scene.disk.stop_before(step);
        let _ = scene.heal("01A");
        if !scene.disk.is_dead() {
            return step;
        }
        let story = format!(
            "{taint:?}, stopped before step {step}, {end:?}: {:#?}",
            scene.disk.log()
        );
        scene.restart(end);
        go_on(&scene);
        let recovered = scene.recover().unwrap_or_else(|e| panic!("{story}: {e}"));
        assert!(
            recovered.iter().all(|r| r.stuck.is_empty()),
            "{story}: {recovered:?}"
        );
        assert!(
            vault(&scene.disk).unwrap().pending().unwrap().is_empty(),
            "{story}"
        );
        look(&scene, &story);
    }
    0
}

#[test]
fn what_tools_fetched_after_a_stop_stays_and_the_taint_is_kept() {
    let mut stops = 0;
    for taint in ALL {
        let images = images(taint);
        let end = if stops % 2 == 0 {
            End::Killed
        } else {
            End::PowerTorn
        };
        {
            stops += after_every_stop(
                taint,
                end,
                &|scene| {
                    for path in missing(scene, &images.before) {
                        scene.disk.file(&path, b"newer by its tool", 0o644);
                    }
                },
                &|scene, story| {
                    for bytes in evil(taint) {
                        assert!(kept(scene, bytes), "{story}: {bytes} is lost");
                    }
                    // What is good is put, what is newer stays, and nothing waits in the quarantine for its place.
                    let waiting = scene.disk.image("/s/quarantine").into_keys();
                    let staged = |path: &PathBuf| path.to_string_lossy().contains("/n1-");
                    assert_eq!(waiting.filter(staged).count(), 0, "{story}");
                },
            );
        }
    }
    println!("stops after which tools fetched newer things: {stops}");
    assert!(stops > 500, "{stops}");
}

#[test]
fn a_cache_that_is_gone_or_made_anew_after_a_stop_sticks_nothing() {
    let mut stops = 0;
    let touched = [
        Taint::ArchiveAndTree,
        Taint::Listing,
        Taint::Derived,
        Taint::OtherDiskTree,
        Taint::Several,
        Taint::GoZipAndTree,
    ];
    for taint in touched {
        for is_new in [false, true] {
            stops += after_every_stop(
                taint,
                End::Killed,
                &|scene| {
                    scene.disk.delete("/h");
                    if is_new {
                        scene.disk.file("/h/registry/other", b"a new cache", 0o644);
                    }
                },
                &|scene, story| {
                    let now = scene.disk.image("/h");
                    assert_eq!(now.len(), if is_new { 3 } else { 0 }, "{story}: {now:?}");
                    // Listed, and refused entry by entry with a reason.
                    for returned in scene.restore(false).unwrap() {
                        let why = returned.refused.unwrap_or_default();
                        let told = ["gone", "another folder", "not in the quarantine"];
                        assert!(told.iter().any(|word| why.contains(word)), "{story}: {why}");
                    }
                },
            );
        }
    }
    assert!(stops > 200, "{stops}");
}

#[test]
fn devices_with_other_numbers_brick_neither_recovery_nor_restore() {
    let mut stops = 0;
    for taint in ALL.into_iter().filter(|taint| *taint != Taint::Several) {
        let images = images(taint);
        stops += after_every_stop(
            taint,
            End::Killed,
            &|scene| scene.disk.renumber(),
            &|scene, story| {
                assert!(
                    is_before(scene, &images) || is_after(scene, &images),
                    "{story}: {} {}",
                    difference(&scene.picture(), &images.before),
                    difference(&scene.timeless(), &images.after)
                );
                scene.disk.renumber();
                while let Some(returned) = scene.restore(false).unwrap().pop() {
                    assert_eq!(returned.refused, None, "{story}");
                }
                assert!(
                    is_before(scene, &images),
                    "{story}: {}",
                    difference(&scene.picture(), &images.before)
                );
            },
        );
    }
    println!("stops after which devices had other numbers: {stops}");
    assert!(stops > 300, "{stops}");
}

#[test]
fn another_folder_with_the_same_inode_on_another_device_is_none_of_the_record() {
    let scene = Scene::new(Taint::ArchiveAndTree);
    scene.heal("01A").unwrap();
    let vault = vault(&scene.disk).unwrap();
    let mut story = vault.story("01A").unwrap().unwrap();
    let lost = |story: &super::journal::Story| -> Vec<String> {
        let lost = vault.grounds(story, "01A", &allowed()).unwrap().lost;
        lost.into_values().collect()
    };
    assert!(lost(&story).is_empty());
    // The device has another number: so has that of the place which the run made.
    story.folders[0].dev += 5;
    assert!(lost(&story)[0].contains("another folder"));
    story.folders[0].store_dev += 5;
    assert!(lost(&story).is_empty());
    story.folders[0].store_inode += 1;
    assert!(lost(&story)[0].contains("another folder"));
    story.folders[0].dev -= 5;
    story.folders[0].inode += 1;
    assert!(lost(&story)[0].contains("another folder"));
}

#[test]
fn what_its_tool_puts_there_while_a_heal_is_at_work_stays() {
    let (mut steps, mut faster) = (0, 0);
    for (taint, place) in [
        (Taint::Archive, "/h/registry/cache/r-1/beta-1.0.0.crate"),
        (
            Taint::ArchiveAndTree,
            "/h/registry/cache/r-1/beta-1.0.0.crate",
        ),
        (Taint::Listing, "/h/registry/index/r-1/.cache/be/ta/beta"),
        (Taint::Derived, "/h/registry/cache/r-1/beta-1.0.0.crate"),
        (Taint::OtherDisk, "/h/registry/cache/r-1/beta-1.0.0.crate"),
    ] {
        for step in 0.. {
            let scene = Scene::new(taint);
            scene.disk.meanwhile(step, place, b"newer by its tool");
            let receipts = scene.heal("01A").unwrap();
            let log = scene.disk.log();
            if scene.disk.steps() <= step {
                break;
            }
            steps += 1;
            let story = format!("{taint:?}, step {step}: {receipts:?} {log:#?}");
            assert!(receipts.closed, "{story}");
            let ended = &receipts.done[0].ended;
            assert!(!matches!(ended, Ended::Stuck(_)), "{story}");
            if matches!(ended, Ended::Removed(why) if why.contains("newer")) {
                faster += 1;
                assert_eq!(
                    scene.disk.bytes(place).unwrap(),
                    b"newer by its tool",
                    "{story}"
                );
                for bytes in evil(taint) {
                    assert!(kept(&scene, bytes), "{story}: {bytes} is lost");
                }
                let story = vault(&scene.disk).unwrap().story("01A").unwrap().unwrap();
                assert_eq!(story.entries[0].1, Standing::Done);
            }
        }
    }
    println!("steps of heals at which a tool was faster: {faster} of {steps}");
    assert!(faster >= 5, "{faster} of {steps}");
}

#[test]
fn a_link_above_a_place_is_found_before_anything_is_moved_and_sticks_nothing() {
    let link = |scene: &Scene| {
        scene.disk.delete("/h/registry/cache");
        scene.disk.dir("/evil");
        scene.disk.link("/h/registry/cache", "/evil");
    };
    let scene = Scene::new(Taint::ArchiveAndTree);
    link(&scene);
    let before = scene.picture();
    let receipts = scene.heal("01A").unwrap();
    assert!(
        matches!(&receipts.done[0].ended, Ended::Failed(why) if why.contains("/h/registry/cache") || why.contains("link")),
        "{receipts:?}"
    );
    assert!(receipts.closed && scene.picture() == before);
    // A link that appears after a stop: what was taken stays in the quarantine, and the run is closed.
    let stops = after_every_stop(Taint::ArchiveAndTree, End::Killed, &link, &|scene, _| {
        assert_eq!(
            scene.disk.image("/evil").len(),
            1,
            "nothing behind the link"
        );
    });
    assert!(stops > 10, "{stops}");
}

#[test]
fn a_heal_that_makes_folders_is_finished_and_restored_where_caches_alone_are_allowed() {
    let cargo = crate::ecosystems::all()
        .iter()
        .flat_map(|e| e.caches())
        .copied()
        .find(|kind| kind.name() == "cargo")
        .unwrap();
    let caches = Allowed::of([PathBuf::from("/p")]).and_caches([(PathBuf::from("/h"), cargo)]);
    for taint in [
        Taint::Archive,
        Taint::ArchiveAndTree,
        Taint::Tree,
        Taint::Listing,
        Taint::Derived,
    ] {
        let scene = Scene::new(taint);
        if taint == Taint::Tree {
            // A slimmed cache: sources without archives.
            scene.disk.delete("/h/registry/cache");
        }
        scene.heal("01A").unwrap();
        let vault = vault(&scene.disk).unwrap();
        let story = vault.story("01A").unwrap().unwrap();
        assert!(
            vault
                .grounds(&story, "01A", &caches)
                .unwrap()
                .lost
                .is_empty()
        );
        for (entry, _) in &story.entries {
            caches.permits(&story.folders, entry).unwrap();
            let mut astray = entry.clone();
            for put in &mut astray.puts {
                put.made.push(super::record::Name::of(Path::new("bin")));
            }
            let refused = caches.permits(&story.folders, &astray);
            assert_eq!(refused.is_err(), !entry.puts.is_empty(), "{taint:?}");
        }
    }
}
