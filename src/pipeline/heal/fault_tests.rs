//! The process ends before every single change of every heal, by a kill or a power cut; what follows must be whole.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::receipt::Ended;
use super::scenes::{ALL, GOOD, Scene, Shop, Taint};
use crate::world::fake_disk::End;

pub(super) const ENDS: [End; 3] = [End::Killed, End::PowerLost, End::PowerTorn];

pub(super) type Picture = BTreeMap<PathBuf, String>;

pub(super) struct Images {
    pub(super) before: Picture,
    pub(super) after: Picture,
}

pub(super) fn images(taint: Taint) -> Images {
    let scene = Scene::new(taint);
    let (before, unhealed) = (scene.picture(), scene.timeless());
    let receipts = scene.heal("01A").unwrap();
    assert!(receipts.closed, "{taint:?}: {receipts:?}");
    let after = scene.timeless();
    if taint != Taint::KeptIfUnfetchable {
        assert_ne!(unhealed, after, "{taint:?}");
    }
    Images { before, after }
}

/// Every file of the cache is one of those that were there before, or will be there after: never half of one.
pub(super) fn whole(scene: &Scene, images: &Images, story: &dyn Fn() -> String) {
    let contents =
        |picture: &Picture| -> Vec<String> { picture.values().map(|text| content(text)).collect() };
    let known: Vec<String> = [contents(&images.before), contents(&images.after)].concat();
    for (path, text) in scene.picture() {
        let passing = path.to_string_lossy().contains("/.untaint-")
            || path.extension().is_some_and(|end| end == "partial");
        assert!(
            passing || known.contains(&content(&text)),
            "{}: {} is {text}",
            story(),
            path.display()
        );
    }
}

/// Kind and bytes, without attributes.
fn content(text: &str) -> String {
    text.split(" mode ").next().unwrap().to_owned()
}

/// Whether the evil bytes are still somewhere whole.
pub(super) fn kept(scene: &Scene, content: &str) -> bool {
    scene
        .disk
        .image("/")
        .values()
        .any(|text| text.contains(content))
}

pub(super) fn is_before(scene: &Scene, images: &Images) -> bool {
    scene.picture() == images.before
}

pub(super) fn is_after(scene: &Scene, images: &Images) -> bool {
    scene.timeless() == images.after
}

pub(super) fn difference(is: &Picture, wanted: &Picture) -> String {
    let mut out = String::new();
    for path in is.keys().chain(wanted.keys()) {
        if is.get(path) != wanted.get(path) {
            out += &format!(
                "\n{}: {:?}, wanted {:?}",
                path.display(),
                is.get(path),
                wanted.get(path)
            );
        }
    }
    out
}

pub(super) fn evil(taint: Taint) -> &'static [&'static str] {
    match taint {
        Taint::Tree | Taint::TreeWithPipe | Taint::OtherDiskTree | Taint::ReadOnlyTree => {
            &["evil code"]
        }
        Taint::GitCheckout => &["evil code", "evil object"],
        Taint::GitDatabase => &["an evil object", "evil code", "evil object"],
        Taint::Listing => &["an evil listing"],
        Taint::LinkedArchive => &["/elsewhere/evil.crate"],
        Taint::GoTree | Taint::GoTreeZipGone | Taint::VendoredStray => &["evil code"],
        Taint::GoZipAndTree => &["the evil archive", "the evil record", "evil code"],
        Taint::GoLookup => &["an evil listing"],
        Taint::Vendored => &["evil code", "evil plugin", "/elsewhere/evil.rs"],
        Taint::Derived | Taint::Several => &["the evil archive", "evil code", "evil object"],
        _ => &["the evil archive"],
    }
}

/// Stops a heal at one place; what the next process finds and makes of it.
fn stopped(taint: Taint, images: &Images, step: usize, end: End) -> bool {
    let scene = Scene::new(taint);
    scene.disk.stop_before(step);
    let _ = scene.heal("01A");
    if !scene.disk.is_dead() {
        return false;
    }
    let log = scene.disk.log();
    let story = || format!("{taint:?}, stopped before step {step}, {end:?}: {log:#?}");
    scene.restart(end);
    whole(&scene, images, &story);
    for bytes in evil(taint) {
        assert!(kept(&scene, bytes), "{}: {bytes} is lost", story());
    }
    let recovered = scene
        .recover()
        .unwrap_or_else(|e| panic!("{}: {e}", story()));
    assert!(
        recovered.iter().all(|r| r.stuck.is_empty()),
        "{}: {recovered:?}",
        story()
    );
    let several = taint == Taint::Several;
    assert!(
        several || is_before(&scene, images) || is_after(&scene, images),
        "{}: neither before {} nor after {}",
        story(),
        difference(&scene.picture(), &images.before),
        difference(&scene.timeless(), &images.after)
    );
    for bytes in evil(taint) {
        assert!(kept(&scene, bytes), "{}: {bytes} is lost", story());
    }
    // The next heal ends as the first one would have.
    let receipts = scene
        .heal("01B")
        .unwrap_or_else(|e| panic!("{}: {e}", story()));
    assert!(receipts.closed, "{}: {receipts:?}", story());
    assert!(
        is_after(&scene, images),
        "{}: healed again {}",
        story(),
        difference(&scene.timeless(), &images.after)
    );
    // And everything goes back, run by run.
    while !scene.restore(false).unwrap().is_empty() {}
    assert!(
        is_before(&scene, images),
        "{}: restored {}",
        story(),
        difference(&scene.picture(), &images.before)
    );
    true
}

#[test]
fn a_heal_that_is_stopped_anywhere_is_finished_or_taken_back() {
    let mut stops = 0;
    for taint in ALL {
        let images = images(taint);
        for end in ENDS {
            let mut step = 0;
            while stopped(taint, &images, step, end) {
                step += 1;
            }
            assert!(step > 3, "{taint:?}: {step} steps");
            stops += step;
        }
    }
    println!("stops of a heal, each recovered and compared: {stops}");
    assert!(stops >= 2000, "{stops} stops");
}

#[test]
fn a_restore_that_is_stopped_anywhere_is_finished() {
    let mut stops = 0;
    for taint in ALL.into_iter().filter(|t| *t != Taint::KeptIfUnfetchable) {
        let images = images(taint);
        for end in ENDS {
            for step in 0.. {
                let scene = Scene::new(taint);
                scene.heal("01A").unwrap();
                scene.disk.stop_before(step);
                let _ = scene.restore(false);
                if !scene.disk.is_dead() {
                    break;
                }
                let log = scene.disk.log();
                let story = || format!("{taint:?}, step {step}, {end:?}: {log:#?}");
                scene.restart(end);
                whole(&scene, &images, &story);
                let recovered = scene
                    .recover()
                    .unwrap_or_else(|e| panic!("{}: {e}", story()));
                assert!(
                    recovered.iter().all(|r| r.stuck.is_empty()),
                    "{}: {recovered:?}",
                    story()
                );
                while !scene.restore(false).unwrap().is_empty() {}
                assert!(
                    is_before(&scene, &images),
                    "{}: {}",
                    story(),
                    difference(&scene.picture(), &images.before)
                );
                stops += 1;
            }
        }
    }
    println!("stops of a restore, each recovered and compared: {stops}");
    assert!(stops >= 1000, "{stops} stops");
}

#[test]
fn a_recovery_that_is_stopped_too_is_finished_by_the_next() {
    let mut stops = 0;
    for taint in [
        Taint::ArchiveAndTree,
        Taint::Derived,
        Taint::OtherDisk,
        Taint::OtherDiskTree,
    ] {
        let images = images(taint);
        let mut first = 0;
        loop {
            let mut ended = false;
            for second in (0..).step_by(2) {
                let scene = Scene::new(taint);
                scene.disk.stop_before(first);
                let _ = scene.heal("01A");
                if !scene.disk.is_dead() {
                    ended = true;
                    break;
                }
                scene.restart(End::Killed);
                scene.disk.stop_before(second);
                let _ = scene.recover();
                if !scene.disk.is_dead() {
                    break;
                }
                let log = scene.disk.log();
                let story = || format!("{taint:?}, {first} and {second}: {log:#?}");
                scene.restart(End::PowerTorn);
                let recovered = scene
                    .recover()
                    .unwrap_or_else(|e| panic!("{}: {e}", story()));
                assert!(
                    recovered.iter().all(|r| r.stuck.is_empty()),
                    "{}: {recovered:?}",
                    story()
                );
                assert!(
                    is_before(&scene, &images) || is_after(&scene, &images),
                    "{}: {} {}",
                    story(),
                    difference(&scene.picture(), &images.before),
                    difference(&scene.timeless(), &images.after)
                );
                stops += 1;
            }
            if ended {
                break;
            }
            first += 3;
        }
    }
    println!("stops of a recovery: {stops}");
    assert!(stops >= 100, "{stops} stops");
}

#[test]
fn any_change_that_fails_leaves_everything_as_it_was_or_healed() {
    let mut failures = 0;
    for taint in ALL {
        let images = images(taint);
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::PermissionDenied] {
            for step in 0.. {
                let scene = Scene::new(taint);
                scene.disk.fail_at(step, kind);
                let receipts = scene.heal("01A");
                let log = scene.disk.log();
                let story = || format!("{taint:?}, step {step} fails with {kind:?}: {log:#?}");
                if scene.disk.steps() <= step {
                    break;
                }
                failures += 1;
                if taint != Taint::Several {
                    assert!(
                        is_before(&scene, &images)
                            || is_after(&scene, &images)
                            || receipts.is_err()
                            || receipts.as_ref().is_ok_and(|r| !r.closed),
                        "{}: {receipts:?} {} {}",
                        story(),
                        difference(&scene.picture(), &images.before),
                        difference(&scene.timeless(), &images.after)
                    );
                }
                for bytes in evil(taint) {
                    assert!(kept(&scene, bytes), "{}: {bytes} is lost", story());
                }
                // Once the disk is well again, so is the cache.
                scene.restart(End::Killed);
                scene
                    .heal("01B")
                    .unwrap_or_else(|e| panic!("{}: {e}", story()));
                assert!(
                    is_after(&scene, &images),
                    "{}: {receipts:?} {}",
                    story(),
                    difference(&scene.timeless(), &images.after)
                );
            }
        }
    }
    println!("failed changes: {failures}");
    assert!(failures >= 1000, "{failures}");
}

#[test]
fn what_the_registry_serves_is_put_in_place_only_if_it_is_good() {
    struct Evil;
    impl super::Supply for Evil {
        fn archive(
            &self,
            _: &crate::model::ArtifactId,
            _: &crate::model::Digest,
        ) -> Result<Vec<u8>, super::Lack> {
            Ok(b"the evil archive".to_vec())
        }
        fn listing(&self, _: &crate::model::Coordinate) -> Result<Vec<u8>, super::Lack> {
            Err("none".into())
        }
    }
    let scene = Scene::new(Taint::Archive);
    let receipts = scene.heal_from("01A", &Evil).unwrap();
    assert!(
        matches!(&receipts.done[0].ended, Ended::Removed(why) if why.contains("not what was published")),
        "{receipts:?}"
    );
    let place = "/h/registry/cache/r-1/beta-1.0.0.crate";
    assert!(scene.disk.bytes(place).is_none());
    while !scene.restore(false).unwrap().is_empty() {}
    assert_eq!(scene.disk.bytes(place).unwrap(), b"the evil archive");
}

#[test]
fn a_restore_refuses_where_something_newer_stands_unless_forced() {
    let scene = Scene::new(Taint::ArchiveAndTree);
    let before = scene.picture();
    scene.heal("01A").unwrap();
    scene
        .disk
        .file("/h/registry/src/r-1/beta-1.0.0/new.rs", b"newer", 0o644);
    let refused = scene.restore(false).unwrap();
    assert!(
        refused[0]
            .refused
            .as_ref()
            .unwrap()
            .contains("something newer"),
        "{refused:?}"
    );
    assert_eq!(
        scene
            .disk
            .bytes("/h/registry/cache/r-1/beta-1.0.0.crate")
            .unwrap(),
        GOOD
    );
    let forced = scene.restore(true).unwrap();
    assert_eq!(forced[0].refused, None);
    let mut after = scene.picture();
    let mut before = before;
    // Its time changed when the newer tree was made beside it.
    for picture in [&mut before, &mut after] {
        picture.remove(std::path::Path::new("/h/registry/src/r-1"));
    }
    assert_eq!(after, before, "{}", difference(&after, &before));
    assert!(kept(&scene, "newer"), "what stood in the way is kept");
}

#[test]
fn a_vanished_entry_and_one_that_is_good_by_now_are_left_alone() {
    let scene = Scene::new(Taint::Archive);
    scene.disk.delete("/h/registry/cache/r-1/beta-1.0.0.crate");
    let receipts = scene.heal("01A").unwrap();
    assert_eq!(receipts.done[0].ended, Ended::Nothing);
    let scene = Scene::new(Taint::Archive);
    scene.disk.delete("/h/registry/cache/r-1/beta-1.0.0.crate");
    scene
        .disk
        .file("/h/registry/cache/r-1/beta-1.0.0.crate", GOOD, 0o644);
    let before = scene.picture();
    let receipts = scene.heal("01A").unwrap();
    assert_eq!(receipts.done[0].ended, Ended::Nothing);
    assert_eq!(scene.picture(), before);
}

#[test]
fn a_held_lock_and_a_foreign_root_end_before_anything_is_done() {
    use crate::world::WriteFs as _;
    let scene = Scene::new(Taint::Archive);
    let before = scene.picture();
    let home = scene.disk.open(std::path::Path::new("/h")).unwrap();
    let held = scene.disk.lock(
        home.at(std::path::Path::new(".package-cache-mutate")),
        std::time::Duration::ZERO,
    );
    let receipts = scene.heal("01A").unwrap();
    assert!(
        matches!(&receipts.done[0].ended, Ended::Failed(why) if why.contains("locked by process 7 (cargo)")),
        "{receipts:?}"
    );
    drop(held);
    assert_eq!(scene.picture(), before);
    assert!(matches!(
        scene.heal("01B").unwrap().done[0].ended,
        Ended::Healed
    ));
    let _ = Shop { open: true };
}
