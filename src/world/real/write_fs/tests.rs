//! The port on the real disk: nothing is replaced, nothing is reached through a link, not even one that is swapped in.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::*;

fn rel(path: &str) -> &Path {
    Path::new(path)
}

#[test]
fn files_are_made_anew_and_never_written_into() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SystemWriteFs::default();
    let root = disk.open(dir.path()).unwrap();
    let mut file = disk.create(root.at(rel("a")), 0o644).unwrap();
    file.write_all(b"one").unwrap();
    file.sync().unwrap();
    let again = disk.create(root.at(rel("a")), 0o644).err().unwrap();
    assert_eq!(again.source.kind(), ErrorKind::AlreadyExists);
    drop(disk.create(root.at(rel("b")), 0o644).unwrap());
    let taken = disk
        .rename(root.at(rel("a")), root.at(rel("b")))
        .err()
        .unwrap();
    assert_eq!(taken.source.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"one");
    disk.rename(root.at(rel("a")), root.at(rel("c"))).unwrap();
    assert!(disk.stat(root.at(rel("a"))).unwrap_err().is_not_found());
    disk.sync(root.at(rel(""))).unwrap();
}

#[test]
fn attributes_are_set_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SystemWriteFs::default();
    let root = disk.open(dir.path()).unwrap();
    drop(disk.create(root.at(rel("a")), 0o644).unwrap());
    let mtime = -1_500_000_000i128;
    let attributes = Attributes {
        mode: Some(0o4711),
        mtime: Some(mtime),
    };
    disk.set(root.at(rel("a")), attributes).unwrap();
    let stat = disk.stat(root.at(rel("a"))).unwrap();
    assert_eq!((stat.mode, stat.mtime), (0o4711, mtime));
    let name = OsStr::new("user.untaint");
    if disk.set_xattr(root.at(rel("a")), name, b"x").is_ok() {
        let all = disk.xattrs(root.at(rel("a"))).unwrap();
        assert!(all.contains(&(name.to_owned(), b"x".to_vec())));
    }
    symlink("/nowhere", dir.path().join("link")).unwrap();
    disk.set(
        root.at(rel("link")),
        Attributes {
            mode: None,
            mtime: Some(7_000_000_000),
        },
    )
    .unwrap();
    assert_eq!(
        disk.stat(root.at(rel("link"))).unwrap().mtime,
        7_000_000_000
    );
    assert!(disk.free(root).unwrap() > 0);
}

#[test]
fn nothing_is_reached_through_a_link_or_by_walking_up() {
    let dir = tempfile::tempdir().unwrap();
    let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
    fs::create_dir_all(&inside).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("f"), b"safe").unwrap();
    symlink(&outside, inside.join("link")).unwrap();
    symlink(outside.join("f"), inside.join("file")).unwrap();
    let disk = SystemWriteFs::default();
    let root = disk.open(&inside).unwrap();
    for path in ["link/f", "../out/f", "link/../../out/f"] {
        let at = root.at(rel(path));
        assert!(disk.stat(at).is_err(), "{path}");
        assert!(disk.read(at).is_err(), "{path}");
        assert!(disk.remove(at).is_err(), "{path}");
        assert!(disk.rename(at, root.at(rel("g"))).is_err(), "{path}");
        assert!(disk.create(at, 0o644).is_err(), "{path}");
        assert!(disk.append(at).is_err(), "{path}");
        assert!(disk.lock(at, Duration::ZERO).is_err(), "{path}");
    }
    assert!(disk.read(root.at(rel("file"))).is_err());
    assert!(disk.append(root.at(rel("file"))).is_err());
    let mode = Attributes {
        mode: Some(0o777),
        mtime: None,
    };
    assert!(disk.set(root.at(rel("file")), mode).is_err());
    assert_eq!(fs::read(outside.join("f")).unwrap(), b"safe");
    assert_ne!(
        fs::metadata(outside.join("f"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o777
    );
}

#[test]
fn a_link_that_is_swapped_in_leads_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
    for folder in [&inside, &outside] {
        fs::create_dir_all(folder.join("d")).unwrap();
    }
    fs::create_dir(inside.join("store")).unwrap();
    fs::write(outside.join("d/f"), b"safe").unwrap();
    let (stop, swaps) = (AtomicBool::new(false), AtomicU32::new(0));
    let moved = std::thread::scope(|scope| {
        scope.spawn(|| {
            let (real, aside) = (inside.join("d"), inside.join("aside"));
            while !stop.load(Ordering::Relaxed) {
                let _ = fs::rename(&real, &aside);
                let _ = symlink(outside.join("d"), &real);
                let _ = fs::remove_file(&real);
                let _ = fs::rename(&aside, &real);
                swaps.fetch_add(1, Ordering::Relaxed);
                // Now and then the folder stands long enough for the other side.
                std::thread::sleep(Duration::from_micros(20));
            }
        });
        let disk = SystemWriteFs::default();
        let root = disk.open(&inside).unwrap();
        let (from, to) = (rel("d/f"), rel("store/f"));
        let (mut moved, mut rounds) = (0, 0);
        while (moved < 200 || swaps.load(Ordering::Relaxed) < 500) && rounds < 2_000_000 {
            rounds += 1;
            if let Ok(mut file) = disk.create(root.at(from), 0o600) {
                let _ = file.write_all(b"ours");
            }
            if disk.rename(root.at(from), root.at(to)).is_ok() {
                assert_eq!(fs::read(inside.join("store/f")).unwrap(), b"ours");
                disk.remove(root.at(to)).unwrap();
                moved += 1;
            }
            let _ = disk.remove(root.at(from));
        }
        stop.store(true, Ordering::Relaxed);
        moved
    });
    let swaps = swaps.load(Ordering::Relaxed);
    assert!(moved >= 200 && swaps >= 500, "{moved} moves, {swaps} swaps");
    assert_eq!(fs::read(outside.join("d/f")).unwrap(), b"safe");
    assert_eq!(fs::read_dir(outside.join("d")).unwrap().count(), 1);
}

#[test]
fn a_lock_is_waited_for_and_its_holder_named() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SystemWriteFs::default();
    let root = disk.open(dir.path()).unwrap();
    let at = root.at(rel("lock"));
    let Lock::Held(held) = disk.lock(at, Duration::ZERO).unwrap() else {
        panic!("free");
    };
    let started = Instant::now();
    let Lock::Busy(who) = disk.lock(at, Duration::from_millis(120)).unwrap() else {
        panic!("held");
    };
    assert!(started.elapsed() >= Duration::from_millis(120));
    assert!(who.unwrap().contains(&std::process::id().to_string()));
    drop(held);
    assert!(matches!(
        disk.lock(at, Duration::ZERO).unwrap(),
        Lock::Held(_)
    ));
}
