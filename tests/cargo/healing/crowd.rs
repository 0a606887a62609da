//! Others at work: two heals at once, a lock that cargo holds, a cache of somebody else, one that cannot be written.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::thread;

use super::world::{archives, differences, flip, heal, image, template};

#[test]
fn two_heals_at_once_end_well() {
    let world = template().twin();
    let good = archives(&world);
    for round in 0..5 {
        flip(&world, "beta", "1.0.0");
        let exits: Vec<i32> = thread::scope(|scope| {
            let both = [0, 1].map(|_| scope.spawn(|| heal(&world, &["--yes"]).run_raw().exit));
            both.map(|one| one.join().unwrap()).to_vec()
        });
        assert_eq!(exits, [0, 0], "round {round}");
        assert_eq!(archives(&world), good, "round {round}");
    }
    world.untaint().run().is_clean();
}

#[test]
fn a_lock_that_cargo_holds_is_waited_for_and_never_broken() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    for name in [".package-cache-mutate", ".package-cache"] {
        let lock = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(world.cargo_home().join(name))
            .unwrap();
        lock.lock().unwrap();
        let before = image(&world.cargo_home(), true);
        let busy = heal(&world, &["--yes", "--lock-wait", "1s"]).run_raw();
        assert_eq!(busy.exit, 1, "{}", busy.story());
        let why = busy.report["steps"][0]["why"].as_str().unwrap();
        assert!(
            why.contains(name) && why.contains("locked by process"),
            "{why}"
        );
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{same:#?}");
        lock.unlock().unwrap();
    }
    assert_eq!(heal(&world, &["--yes"]).run_raw().exit, 0);
}

fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    let meta = fs::symlink_metadata(path).unwrap();
    if meta.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

#[test]
#[cfg_attr(not(as_root), ignore = "only root can make files of two users")]
fn a_cache_of_somebody_else_and_one_that_cannot_be_written_are_left_alone() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let user = 61_234;
    // The user owns everything but the cargo home.
    give(world.root(), user);
    give(&world.cargo_home(), 0);
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let before = image(&world.cargo_home(), true);
    let foreign = heal(&world, &["--yes"]).user(user).run_raw();
    assert_eq!(foreign.exit, 2, "{}", foreign.story());
    assert!(
        foreign.stderr.contains("belongs to another user"),
        "{}",
        foreign.stderr
    );
    let same = differences(&before, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");

    give(&world.cargo_home(), user);
    let folder = world.registry_folder("cache");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let before = image(&world.cargo_home(), true);
    let readonly = heal(&world, &["--yes"]).user(user).run_raw();
    assert_eq!(readonly.exit, 1, "{}", readonly.story());
    assert_eq!(
        readonly.report["steps"][0]["ended"], "failed",
        "{}",
        readonly.stdout
    );
    let same = differences(&before, &image(&world.cargo_home(), true));
    assert!(same.is_empty(), "{same:#?}");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let done = heal(&world, &["--yes"]).user(user).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
}
