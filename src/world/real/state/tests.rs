//! The state folder against links, odd names, odd files and folders that cannot be made.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn folder() -> (tempfile::TempDir, StateFolder) {
    let temp = tempfile::tempdir().unwrap();
    let state = StateFolder::new(temp.path().join("a/state"));
    (temp, state)
}

#[test]
fn made_lazily_and_for_us_alone() {
    let (temp, state) = folder();
    assert_eq!(state.read("claims", 10).unwrap(), None);
    assert_eq!(state.list().unwrap(), Vec::<String>::new());
    assert!(!temp.path().join("a").exists());
    state.replace("claims", b"one").unwrap();
    state.replace("claims", b"two").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&state.path()), 0o700);
    assert_eq!(mode(&state.path().join("claims")), 0o600);
    assert_eq!(state.read("claims", 3).unwrap().unwrap(), b"two");
    state.append("claims", b"!").unwrap();
    assert_eq!(state.read("claims", 10).unwrap().unwrap(), b"two!");
    assert_eq!(state.list().unwrap(), ["claims"]);
}

#[test]
fn removing_takes_files_and_nothing_else() {
    let (temp, state) = folder();
    state.remove("claims").unwrap();
    assert!(!temp.path().join("a").exists());
    state.replace("claims", b"one").unwrap();
    let target = temp.path().join("target");
    std::fs::write(&target, b"precious").unwrap();
    symlink(&target, state.path().join("link")).unwrap();
    std::fs::create_dir(state.path().join("folder")).unwrap();
    assert!(state.remove("link").is_err() && state.remove("folder").is_err());
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    state.remove("claims").unwrap();
    state.remove("claims").unwrap();
    assert_eq!(state.list().unwrap(), ["folder", "link"]);
}

#[test]
fn larger_than_asked_is_an_error() {
    let (_temp, state) = folder();
    state.replace("claims", b"12345").unwrap();
    let error = state.read("claims", 4).unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn no_name_leaves_the_folder() {
    let (_temp, state) = folder();
    for name in [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        ".hidden",
        "a\0",
        "é",
        &"x".repeat(200),
    ] {
        assert!(state.read(name, 10).is_err(), "{name:?}");
        assert!(state.replace(name, b"").is_err(), "{name:?}");
        assert!(state.append(name, b"").is_err(), "{name:?}");
        assert!(state.lock(name).is_err(), "{name:?}");
        assert!(state.set_aside(name).is_err(), "{name:?}");
        assert!(state.remove(name).is_err(), "{name:?}");
    }
}

#[test]
fn links_and_irregular_files_are_refused() {
    let (temp, state) = folder();
    state.replace("other", b"").unwrap();
    let outside = temp.path().join("outside");
    std::fs::write(&outside, b"precious").unwrap();
    symlink(&outside, state.path().join("claims")).unwrap();
    assert!(state.read("claims", 100).is_err());
    assert!(state.append("claims", b"x").is_err());
    assert!(state.replace("claims", b"x").is_err());
    assert!(state.lock("claims").is_err());
    assert_eq!(std::fs::read(&outside).unwrap(), b"precious");
    let pipe = state.path().join("pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, PRIVATE, 0).unwrap();
    assert!(state.read("pipe", 100).is_err());
    assert!(state.append("pipe", b"x").is_err());
    assert_eq!(state.set_aside("claims").unwrap(), "claims.unreadable-1");
    state.replace("claims", b"new").unwrap();
    assert_eq!(std::fs::read(&outside).unwrap(), b"precious");
}

#[test]
fn set_aside_never_overwrites() {
    let (_temp, state) = folder();
    for n in 1..=3 {
        state.replace("claims", format!("{n}").as_bytes()).unwrap();
        assert_eq!(
            state.set_aside("claims").unwrap(),
            format!("claims.unreadable-{n}")
        );
    }
    assert_eq!(state.read("claims", 10).unwrap(), None);
    assert_eq!(
        state.read("claims.unreadable-1", 10).unwrap().unwrap(),
        b"1"
    );
    assert!(state.set_aside("claims").is_err());
}

#[test]
fn one_writer_at_a_time() {
    let (_temp, state) = folder();
    let held = state.lock("writer").unwrap().unwrap();
    let other = StateFolder::new(state.path());
    assert!(other.lock("writer").unwrap().is_none());
    drop(held);
    assert!(other.lock("writer").unwrap().is_some());
}

#[test]
fn a_folder_that_cannot_be_made_gives_errors_that_name_it() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let state = StateFolder::new(file.join("state"));
    assert!(state.read("claims", 10).is_err());
    assert!(state.list().is_err());
    let error = state.replace("claims", b"x").unwrap_err();
    assert_eq!(error.path, file.join("state"));
    assert!(state.append("claims", b"x").is_err());
    assert!(state.lock("claims").is_err());
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_takes_nothing_gives_errors() {
    // Not even root can make files here.
    let state = StateFolder::new(PathBuf::from("/proc/self"));
    assert!(state.read("comm", 100).unwrap().is_some());
    assert!(state.replace("claims", b"y").is_err());
    assert!(state.append("claims", b"y").is_err());
    assert!(state.lock("claims").is_err());
}

#[test]
fn a_read_only_folder_is_read() {
    let (_temp, state) = folder();
    state.replace("claims", b"x").unwrap();
    std::fs::set_permissions(state.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let again = StateFolder::new(state.path());
    assert_eq!(again.read("claims", 10).unwrap().unwrap(), b"x");
    std::fs::set_permissions(state.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
}
