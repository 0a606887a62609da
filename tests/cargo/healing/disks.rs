//! A cache whose registry lies on another file system than the quarantine: what is taken and put back is copied. And a disk
//! that is full.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::world::{command, differences, flip, heal, image, template};
use crate::support::{Scan, World, write_file};

/// A file system in memory, for as long as this lives.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// Over a folder, with what lay in it.
    pub(crate) fn over(path: &Path, size: &str) -> Self {
        let aside = path.with_extension("aside");
        fs::rename(path, &aside).unwrap();
        fs::create_dir(path).unwrap();
        run("mount", &["-t", "tmpfs", "-o", size, "tmpfs"], &[path]);
        let mounted = Self(path.to_owned());
        run("cp", &["-a"], &[&aside.join("."), path]);
        fs::remove_dir_all(&aside).unwrap();
        mounted
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn run(program: &str, words: &[&str], paths: &[&Path]) {
    let mut command = Command::new(program);
    let done = command.args(words).args(paths).output().unwrap();
    assert!(done.status.success(), "{program}: {done:?}");
}

fn restore(world: &World) -> Scan {
    command(world, &["restore", "last", "--yes", "--json"]).run_raw()
}

/// Modes of all files in the quarantine.
fn kept_modes(world: &World) -> Vec<(PathBuf, u32)> {
    let mut open = vec![world.state().join("state/quarantine")];
    let mut all = Vec::new();
    while let Some(path) = open.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else {
            all.push((path, meta.mode() & 0o7777));
        }
    }
    all
}

#[test]
#[cfg_attr(not(can_mount), ignore = "only root with the right to mount can")]
fn owners_and_rights_come_back_over_two_file_systems_and_names_that_cannot_are_said() {
    for linked in [false, true] {
        let world = template().twin();
        let registry = world.cargo_home().join("registry");
        let _mounted = Mounted::over(&registry, "size=64m");
        flip(&world, "beta", "1.0.0");
        let archive = world.archive("beta", "1.0.0");
        let tree = world.tree("gamma", "0.3.1");
        let script = tree.join("evil.sh");
        write_file(&script, "#!/bin/sh\n");
        for path in [&archive, &script] {
            chown(path, Some(1000), Some(1000)).unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o4755)).unwrap();
        }
        chown(&tree, Some(1001), Some(1001)).unwrap();
        fs::set_permissions(tree.join("src"), Permissions::from_mode(0o2755)).unwrap();
        if linked {
            fs::hard_link(&archive, registry.join("second")).unwrap();
            fs::hard_link(&script, registry.join("third")).unwrap();
        }
        let before = image(&registry, false);
        let done = heal(&world, &["--yes"]).run_raw();
        let steps = done.report["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 2, "{}", done.story());
        assert!(
            steps.iter().all(|step| step["ended"] == "healed"),
            "{}",
            done.story()
        );
        for (path, mode) in kept_modes(&world) {
            assert_eq!(mode & 0o7111, 0, "{}: {mode:o}", path.display());
        }
        let back = restore(&world);
        let told = back.report["entries"].to_string();
        let mut changed = differences(&before, &image(&registry, false));
        if linked {
            assert_eq!(back.exit, 1, "{}", back.story());
            assert!(told.contains("it had 2 names"), "{told}");
            assert_eq!(told.matches("it had 2 names").count(), 2, "{told}");
            changed.retain(|line| !line.contains("links 2"));
        } else {
            assert_eq!(back.exit, 0, "{}", back.story());
        }
        assert!(changed.is_empty(), "{changed:#?}");
        for path in [&archive, &script] {
            let meta = fs::metadata(path).unwrap();
            assert_eq!((meta.mode() & 0o7777, meta.uid()), (0o4755, 1000));
        }
        assert_eq!(
            fs::metadata(tree.join("src")).unwrap().mode() & 0o7777,
            0o2755
        );
    }
}

#[test]
#[cfg_attr(not(can_mount), ignore = "only root with the right to mount can")]
fn an_owner_who_cannot_be_given_again_is_said_and_gives_nobody_rights() {
    let world = template().twin();
    let registry = world.cargo_home().join("registry");
    let _mounted = Mounted::over(&registry, "size=64m");
    flip(&world, "beta", "1.0.0");
    let archive = world.archive("beta", "1.0.0");
    run("chown", &["-R", "1000:1000"], &[world.root()]);
    run("chmod", &["755"], &[world.root()]);
    chown(&archive, Some(0), Some(0)).unwrap();
    fs::set_permissions(&archive, Permissions::from_mode(0o4755)).unwrap();
    let done = heal(&world, &["--yes"]).user(1000).run_raw();
    assert_eq!(
        done.report["steps"][0]["ended"],
        "healed",
        "{}",
        done.story()
    );
    let back = command(&world, &["restore", "last", "--yes", "--json"])
        .user(1000)
        .run_raw();
    assert_eq!(back.exit, 1, "{}", back.story());
    let told = back.report["entries"][0]["unlike"].to_string();
    assert!(told.contains("belonged to user 0"), "{told}");
    assert!(told.contains("mode was 4755"), "{told}");
    let meta = fs::metadata(&archive).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid()), (0o755, 1000));
}

#[test]
#[cfg_attr(not(can_mount), ignore = "only root with the right to mount can")]
fn a_full_disk_is_told_before_anything_is_done_and_with_room_all_is_well() {
    for left in [0, 600 << 10] {
        let world = template().twin();
        let home = world.home();
        let _small = Mounted::over(&home, "size=6m");
        let _registry = Mounted::over(&world.cargo_home().join("registry"), "size=64m");
        flip(&world, "beta", "1.0.0");
        // All of it, or all but less than is asked for.
        let filler = home.join("filler");
        let mut file = fs::File::create(&filler).unwrap();
        while file.write_all(&[7u8; 4096]).is_ok() {}
        let size = file.metadata().unwrap().len();
        file.set_len(size.saturating_sub(left)).unwrap();
        drop(file);
        let before = image(&world.cargo_home(), true);
        let done = heal(&world, &["--yes"]).run_raw();
        assert_ne!(done.exit, 0, "{}", done.story());
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{same:#?}");
        if left > 0 {
            assert_eq!(
                done.report["steps"][0]["ended"],
                "failed",
                "{}",
                done.story()
            );
            let why = done.report["steps"][0]["why"].as_str().unwrap();
            assert!(why.contains("bytes are free there"), "{why}");
        }
        fs::remove_file(&filler).unwrap();
        let done = heal(&world, &["--yes"]).run_raw();
        assert_eq!(done.exit, 0, "{}", done.story());
        let back = restore(&world);
        assert_eq!(back.exit, 0, "{}", back.story());
    }
}
