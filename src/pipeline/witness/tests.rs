//! What a witness has seen, and what it says of it afterwards.
#![expect(
    clippy::disallowed_methods,
    reason = "tests change the files that are watched"
)]

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::symlink;

use super::*;
use crate::world::real::SystemFs;

/// A folder with a tree in it, of which everything was looked at.
struct Scene {
    folder: tempfile::TempDir,
    memory: Arc<Mutex<Memory>>,
}

fn is_lock(path: &Path) -> bool {
    path.ends_with("lock")
}

fn all(dir: &dyn Dir) {
    for entry in dir.list().unwrap() {
        let stat = dir.stat_entry(&entry.name).unwrap();
        match stat.kind {
            crate::world::FileKind::Dir => all(&*dir.open_dir(&entry.name).unwrap()),
            crate::world::FileKind::File => drop(dir.open_listed(&entry.name, &stat).unwrap()),
            _ => {}
        }
    }
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/tree/src")).unwrap();
        fs::write(folder.path().join("a/tree/src/lib.rs"), b"good").unwrap();
        fs::write(folder.path().join("a/other"), b"other").unwrap();
        fs::write(folder.path().join("settings"), b"x").unwrap();
        let witness = Witness::new(&SystemFs, is_lock);
        all(&*witness.open_root(folder.path()).unwrap().dir);
        assert!(witness.open_root(&folder.path().join("none")).is_err());
        witness
            .read_named(&folder.path().join("settings"), 9)
            .unwrap();
        assert!(witness.stat_named(&folder.path().join("absent")).is_err());
        let memory = Arc::clone(&witness.memory);
        Self { folder, memory }
    }

    fn at(&self, rel: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(rel)
    }

    /// Paths below the folder that differ, and how.
    fn differences(&self) -> Vec<(String, Change)> {
        let witness = Witness {
            fs: &SystemFs,
            memory: Arc::clone(&self.memory),
            by_bytes: is_lock,
        };
        let base = self.at("");
        let shown = |d: &Difference| {
            let rel = d.path.strip_prefix(&base).unwrap_or(&d.path);
            (rel.display().to_string(), d.change)
        };
        witness.differences(&[], 2).iter().map(shown).collect()
    }
}

fn one(path: &str, change: Change) -> (String, Change) {
    (path.to_owned(), change)
}

#[test]
fn what_stays_as_it_was_is_not_told() {
    let scene = Scene::new();
    fs::read(scene.at("a/tree/src/lib.rs")).unwrap();
    assert_eq!(scene.differences(), []);
}

#[test]
fn a_file_that_was_edited_and_put_back_with_its_old_time_is_told() {
    let scene = Scene::new();
    let path = scene.at("a/tree/src/lib.rs");
    let old = fs::metadata(&path).unwrap().modified().unwrap();
    for content in [b"evil", b"good"] {
        fs::write(&path, content).unwrap();
    }
    let file = File::options().write(true).open(&path).unwrap();
    file.set_times(FileTimes::new().set_modified(old)).unwrap();
    assert_eq!(
        scene.differences(),
        [one("a/tree/src/lib.rs", Change::Content)]
    );
}

#[test]
fn a_folder_that_was_swapped_and_put_back_is_told() {
    let scene = Scene::new();
    fs::rename(scene.at("a/tree"), scene.at("a/aside")).unwrap();
    symlink("/tmp", scene.at("a/tree")).unwrap();
    fs::remove_file(scene.at("a/tree")).unwrap();
    fs::rename(scene.at("a/aside"), scene.at("a/tree")).unwrap();
    let all = scene.differences();
    assert!(all.contains(&one("a", Change::Touched)), "{all:?}");
    assert!(all.contains(&one("a/tree", Change::Touched)), "{all:?}");
}

#[test]
fn what_comes_and_goes_is_told() {
    let scene = Scene::new();
    fs::write(scene.at("a/tree/src/more.rs"), b"more").unwrap();
    fs::create_dir(scene.at("none")).unwrap();
    fs::write(scene.at("absent"), b"").unwrap();
    fs::remove_file(scene.at("a/other")).unwrap();
    let all = scene.differences();
    for wanted in [
        one("a/tree/src", Change::Names),
        one("absent", Change::Place),
        one("none", Change::Place),
        one("a/other", Change::Place),
        one("a", Change::Names),
    ] {
        assert!(all.contains(&wanted), "{wanted:?} in {all:?}");
    }
}

#[test]
fn a_folder_that_became_a_link_is_told_and_not_followed() {
    let scene = Scene::new();
    fs::rename(scene.at("a/tree"), scene.at("aside")).unwrap();
    symlink(scene.at("aside"), scene.at("a/tree")).unwrap();
    let all = scene.differences();
    assert!(all.contains(&one("a/tree", Change::Place)), "{all:?}");
    assert!(all.contains(&one("a/tree/src", Change::Place)), "{all:?}");
}

#[test]
fn what_changed_between_two_looks_is_never_steady_again() {
    let scene = Scene::new();
    fs::write(scene.at("settings"), b"evil").unwrap();
    let again = Witness {
        fs: &SystemFs,
        memory: Arc::clone(&scene.memory),
        by_bytes: is_lock,
    };
    again
        .read_named(&scene.folder.path().join("settings"), 9)
        .unwrap();
    let all = scene.differences();
    let told = |(path, change): &(String, Change)| {
        path.ends_with("settings") && *change == Change::Content
    };
    assert!(all.iter().any(told), "{all:?}");
}

#[test]
fn younger_files_that_nobody_looked_at_explain_a_folders_times() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("list"), b"1").unwrap();
    let witness = Witness::new(&SystemFs, is_lock);
    let root = witness.open_root(folder.path()).unwrap();
    root.dir.list().unwrap();
    drop(root);
    fs::write(folder.path().join("new"), b"2").unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("list")).unwrap();
    let found = witness.differences(&[], 1);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].change, Change::Names);
    assert!(
        witness
            .differences(&[folder.path().canonicalize().unwrap()], 1)
            .is_empty()
    );
}

/// Whether a file is told as put back, after a change.
fn back(rel: &str, read: impl FnOnce(&Witness<'_>, &Path), contents: &[&str]) -> (bool, bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join(rel);
    fs::write(&path, "good").unwrap();
    let witness = Witness::new(&SystemFs, is_lock);
    read(&witness, &path);
    std::thread::sleep(std::time::Duration::from_millis(12));
    for content in contents {
        fs::write(&path, content).unwrap();
    }
    let found = witness.differences(&[], 1);
    let found = found.iter().find(|d| d.path == path).unwrap();
    assert_eq!(found.change, Change::Content);
    (found.named, found.put_back)
}

#[test]
fn what_holds_the_same_again_is_told_from_what_was_changed() {
    let named = |witness: &Witness<'_>, path: &Path| drop(witness.read_named(path, 9).unwrap());
    assert_eq!(back("settings", named, &["evil", "good"]), (true, true));
    assert_eq!(back("settings", named, &["evil"]), (true, false));
    let opened = |witness: &Witness<'_>, path: &Path| {
        let root = witness.open_root(path.parent().unwrap()).unwrap();
        root.dir.read(path.file_name().unwrap(), 9).unwrap();
    };
    assert_eq!(back("lock", opened, &["evil", "good"]), (false, true));
    assert_eq!(back("lock", opened, &["evil"]), (false, false));
    // Of all others only the identity is remembered.
    assert_eq!(back("other", opened, &["evil", "good"]), (false, false));
}

#[test]
fn what_came_and_went_in_a_folder_of_settings_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    for name in [".cargo", ".config/go", "deep/plain"] {
        fs::create_dir_all(base.join(name)).unwrap();
    }
    let witness = Witness::new(&SystemFs, is_lock);
    for name in [
        ".cargo/config.toml",
        ".config/go/env",
        "deep/plain/go.work",
        ".none/x",
    ] {
        assert!(witness.stat_named(&base.join(name)).is_err());
    }
    assert!(witness.differences(&[], 1).is_empty());
    std::thread::sleep(std::time::Duration::from_millis(12));
    for name in [".cargo/config.toml", ".config/go/env", "deep/plain/go.work"] {
        fs::write(base.join(name), "").unwrap();
        fs::remove_file(base.join(name)).unwrap();
    }
    let found = witness.differences(&[], 1);
    let told: Vec<_> = found.iter().map(|d| (d.path.clone(), d.change)).collect();
    assert_eq!(
        told,
        [
            (base.join(".cargo"), Change::Around),
            (base.join(".config/go"), Change::Around)
        ]
    );
    // Something new explains the times, and is looked at by whoever lists the folder.
    fs::write(base.join(".config/go/telemetry"), "").unwrap();
    assert_eq!(witness.differences(&[], 1).len(), 1);
}
