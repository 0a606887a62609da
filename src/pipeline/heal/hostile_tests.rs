//! Places that somebody prepared, and things that somebody changed, between a heal and what comes after it.

use super::quarantine::{self, Which};
use super::scenes::{Scene, Taint};
use super::vault::{Vault, VaultError};
use crate::world::fake_disk::End;

fn vault(scene: &Scene) -> Result<Vault<'_>, VaultError> {
    super::scenes::vault(&scene.disk)
}

/// Where the thing of a run lies whose name begins so.
fn item(scene: &Scene, start: &str) -> String {
    let all = scene.disk.image("/s/quarantine");
    let mut found = all.keys().map(|path| path.to_string_lossy().into_owned());
    let is = |path: &String| path.rsplit('/').next().unwrap().starts_with(start);
    found.find(is).unwrap()
}

#[test]
fn a_planted_link_beside_a_cache_is_neither_followed_nor_changed() {
    let scene = Scene::new(Taint::Archive);
    scene.disk.device("/h", 3);
    scene.disk.dir("/www");
    scene.disk.device("/www", 3);
    scene.disk.link("/h/.untaint-quarantine", "/www");
    let before = scene.disk.image("/www");
    let receipts = scene.heal("01A").unwrap();
    assert!(receipts.closed, "{receipts:?}");
    assert_eq!(scene.disk.image("/www"), before);
    assert_eq!(item(&scene, "i1-0-").rsplit('/').nth(1), Some("01A"));
}

#[test]
fn a_folder_beside_a_cache_that_is_open_to_others_is_left_as_it_is() {
    let scene = Scene::new(Taint::Archive);
    scene.disk.device("/h", 3);
    scene
        .disk
        .file("/h/.untaint-quarantine/theirs", b"x", 0o644);
    scene.disk.mode("/h/.untaint-quarantine", 0o777);
    let before = scene.disk.image("/h/.untaint-quarantine");
    scene.heal("01A").unwrap();
    assert_eq!(scene.disk.image("/h/.untaint-quarantine"), before);
    item(&scene, "i1-0-");
}

#[test]
fn nothing_is_kept_in_a_folder_of_what_was_built() {
    let scene = Scene::new(Taint::Derived);
    for path in ["/p/target", "/p/target/debug"] {
        scene.disk.device(path, 3);
    }
    let receipts = scene.heal("01A").unwrap();
    assert!(receipts.closed, "{receipts:?}");
    let left = scene.disk.image("/p");
    let ours = |path: &&std::path::PathBuf| path.to_string_lossy().contains(".untaint-quarantine");
    assert_eq!(left.keys().find(ours), None);
    assert!(
        scene
            .disk
            .bytes("/p/target/debug/deps/libbeta-0123456789abcdef.rlib")
            .is_none()
    );
}

#[test]
fn what_was_changed_in_the_quarantine_is_not_put_back_nor_exported() {
    let scene = Scene::new(Taint::Archive);
    scene.heal("01A").unwrap();
    let kept = item(&scene, "i1-0-");
    scene.disk.file(&kept, b"garbage", 0o600);
    let before = scene.picture();
    for force in [false, true] {
        let all = scene.restore(force).unwrap();
        let why = all[0].refused.clone().unwrap();
        assert!(why.contains("not what was taken"), "{why}");
        assert_eq!(scene.picture(), before);
    }
    let vault = vault(&scene).unwrap();
    let (all, _) = quarantine::list(&vault).unwrap();
    let story = vault.story("01A").unwrap().unwrap();
    let refused = quarantine::export(&vault, &all[0], &story, true).unwrap_err();
    assert!(refused.to_string().contains("not what was taken"));
}

#[test]
fn prune_removes_no_folder_that_is_not_of_a_run() {
    let scene = Scene::new(Taint::Archive);
    scene.heal("01A").unwrap();
    let journal = scene.disk.bytes("/s/quarantine/01A/journal").unwrap();
    // The folder of another name, and one whose journal tells of another run.
    for name in ["Documents", "01B"] {
        let path = format!("/s/quarantine/{name}/journal");
        scene.disk.file(&path, &journal, 0o600);
        scene
            .disk
            .file(&format!("/s/quarantine/{name}/precious"), b"x", 0o600);
    }
    let vault = vault(&scene).unwrap();
    let (gone, problems) = quarantine::prune(&vault, i64::MAX, Which::All, true).unwrap();
    let gone: Vec<&str> = gone.iter().map(|(run, _)| &**run).collect();
    assert_eq!(gone, ["01A"]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    for name in ["Documents", "01B"] {
        let path = format!("/s/quarantine/{name}/precious");
        assert!(scene.disk.bytes(&path).is_some(), "{path}");
    }
}

#[test]
fn prune_follows_no_link_and_removes_nothing_of_others() {
    for linked in [true, false] {
        let scene = Scene::new(Taint::Archive);
        scene.disk.device("/h", 3);
        scene.heal("01A").unwrap();
        let beside = "/h/.untaint-quarantine";
        let precious = if linked {
            scene.disk.delete(&format!("{beside}/01A"));
            scene.disk.delete(beside);
            scene.disk.file("/victim/01A/i1-0-x", b"x", 0o600);
            scene.disk.mode("/victim", 0o700);
            scene.disk.link(beside, "/victim");
            "/victim/01A/i1-0-x".to_owned()
        } else {
            let path = format!("{beside}/01A/precious");
            scene.disk.file(&path, b"x", 0o600);
            path
        };
        let vault = vault(&scene).unwrap();
        let (_, problems) = quarantine::prune(&vault, i64::MAX, Which::All, true).unwrap();
        assert!(
            scene.disk.bytes(&precious).is_some(),
            "{linked} {problems:?}"
        );
        assert_eq!(problems.is_empty(), linked, "{problems:?}");
    }
}

#[test]
fn what_a_journal_counted_is_not_read_again_for_a_list() {
    let scene = Scene::new(Taint::ArchiveAndTree);
    scene.heal("01A").unwrap();
    let vault = vault(&scene).unwrap();
    let (before, _) = quarantine::list(&vault).unwrap();
    assert!(before[0].bytes > 20, "{}", before[0].bytes);
    // Its files may not be read by now; the count stays.
    scene.disk.file(&item(&scene, "i1-0-"), b"", 0o000);
    let (after, _) = quarantine::list(&vault).unwrap();
    assert_eq!(before[0].bytes, after[0].bytes);
    let counted = before[0].entry.moves.iter().map(|mv| mv.bytes);
    assert!(counted.into_iter().all(|bytes| bytes.is_some()));
}

#[test]
fn what_its_tool_made_anew_after_a_kill_stands() {
    const INDEX: &str = "/h/registry/index/r-1/.cache/be/ta/beta";
    let mut newer = 0;
    for step in 0.. {
        let scene = Scene::new(Taint::Listing);
        scene.disk.stop_before(step);
        let _ = scene.heal("01A");
        if !scene.disk.is_dead() {
            break;
        }
        scene.restart(End::Killed);
        let gone = scene.disk.bytes(INDEX).is_none();
        if gone {
            scene.disk.file(INDEX, b"a newer listing", 0o644);
            newer += 1;
        }
        let recovered = scene.recover().unwrap();
        let stuck: Vec<_> = recovered.iter().flat_map(|r| &r.stuck).collect();
        assert!(stuck.is_empty(), "{step}: {stuck:?}");
        if gone {
            assert_eq!(
                scene.disk.bytes(INDEX).unwrap(),
                b"a newer listing",
                "{step}"
            );
            assert!(
                super::fault_tests::kept(&scene, "an evil listing"),
                "{step}"
            );
        }
        assert!(scene.recover().unwrap().is_empty(), "{step}");
    }
    assert!(newer > 0);
}

#[test]
fn a_build_folder_that_is_gone_costs_what_was_built_alone() {
    for anew in [false, true] {
        let scene = Scene::new(Taint::Derived);
        let before = scene.disk.image("/h/registry");
        scene.heal("01A").unwrap();
        scene.disk.delete("/p/target");
        if anew {
            scene.disk.dir("/p/target");
        }
        let all = scene.restore(false).unwrap();
        assert_eq!(all[0].refused, None, "{anew}");
        assert_eq!(all[0].left.len(), 1, "{anew}: {:?}", all[0].left);
        assert_eq!(scene.disk.image("/h/registry"), before, "{anew}");
    }
}

#[test]
fn an_interrupted_run_is_finished_without_a_build_folder_that_is_gone() {
    for step in 0.. {
        let scene = Scene::new(Taint::Derived);
        scene.disk.stop_before(step);
        let _ = scene.heal("01A");
        if !scene.disk.is_dead() {
            assert!(step > 10);
            break;
        }
        scene.restart(End::Killed);
        scene.disk.delete("/p/target");
        let recovered = scene.recover().unwrap();
        let stuck: Vec<_> = recovered.iter().flat_map(|r| &r.stuck).collect();
        assert!(stuck.is_empty(), "{step}: {stuck:?}");
        assert!(scene.recover().unwrap().is_empty(), "{step}");
    }
}

#[test]
fn an_interrupted_run_is_listed_and_can_be_given_up() {
    let stopped = |step: usize| {
        let scene = Scene::new(Taint::Archive);
        scene.disk.stop_before(step);
        let _ = scene.heal("01A");
        assert!(scene.disk.is_dead(), "{step}");
        scene.restart(End::Killed);
        let journal = scene.disk.bytes("/s/heal-01A.journal")?;
        let begun = String::from_utf8_lossy(&journal).contains("begin");
        begun.then_some(scene)
    };
    let scene = (0..).find_map(stopped).unwrap();
    let vault = vault(&scene).unwrap();
    let (all, _) = quarantine::list(&vault).unwrap();
    assert_eq!(all.len(), 1);
    vault.close("01A").unwrap();
    assert!(vault.pending().unwrap().is_empty());
    let (all, _) = quarantine::list(&vault).unwrap();
    assert_eq!(all.len(), 1);
}
