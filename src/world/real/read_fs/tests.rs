//! What the reading port promises, against a real folder.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::time::Duration;

use rustix::fs::Mode;

use super::*;

fn fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
}

/// Runs something that must not wait, and fails instead of hanging when it does.
fn promptly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    result.recv_timeout(Duration::from_secs(10)).unwrap()
}

#[test]
fn lists_sorted_by_bytes_with_kinds_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("b"), b"x").unwrap();
    std::fs::write(folder.path().join(OsStr::from_bytes(b"\xff")), b"x").unwrap();
    std::fs::create_dir(folder.path().join("Z")).unwrap();
    symlink("nowhere", folder.path().join("a")).unwrap();
    fifo(&folder.path().join("f"));
    let root = SystemFs.open_root(folder.path()).unwrap();
    for _ in 0..2 {
        let listed: Vec<_> = root
            .dir
            .list()
            .unwrap()
            .into_iter()
            .map(|e| (e.name.into_vec(), e.kind))
            .collect();
        assert_eq!(
            listed,
            [
                (b"Z".to_vec(), FileKind::Dir),
                (b"a".to_vec(), FileKind::Link),
                (b"b".to_vec(), FileKind::File),
                (b"f".to_vec(), FileKind::Other),
                (b"\xff".to_vec(), FileKind::File),
            ]
        );
    }
    assert_eq!(root.dir.read_link(OsStr::new("a")).unwrap(), "nowhere");
}

#[test]
fn long_listings_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..3000 {
        std::fs::write(folder.path().join(format!("{i:0>100}")), b"").unwrap();
    }
    let root = SystemFs.open_root(folder.path()).unwrap();
    assert_eq!(root.dir.list().unwrap().len(), 3000);
}

#[test]
fn never_follows_a_link_and_never_walks() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    std::fs::write(folder.path().join("secret"), b"x").unwrap();
    symlink("../secret", folder.path().join("in/link")).unwrap();
    symlink("..", folder.path().join("in/up")).unwrap();
    let root = SystemFs.open_root(&folder.path().join("in")).unwrap();
    assert!(root.dir.open_file(OsStr::new("link")).is_err());
    assert!(root.dir.open_dir(OsStr::new("up")).is_err());
    for name in ["..", ".", "", "../secret", "up/secret", "a\0b"] {
        assert!(root.dir.open_file(OsStr::new(name)).is_err(), "{name:?}");
        assert!(root.dir.open_dir(OsStr::new(name)).is_err(), "{name:?}");
        assert!(root.dir.stat_entry(OsStr::new(name)).is_err(), "{name:?}");
    }
    assert_eq!(
        root.dir.stat_entry(OsStr::new("link")).unwrap().kind,
        FileKind::Link
    );
}

#[test]
fn descending_follows_no_link_at_any_place_and_leaves_no_root() {
    let folder = tempfile::tempdir().unwrap();
    let at = |rel: &str| folder.path().join(rel);
    std::fs::create_dir_all(at("in/a/b/c")).unwrap();
    std::fs::create_dir_all(at("out/b/c")).unwrap();
    std::fs::write(at("in/a/file"), b"x").unwrap();
    symlink(at("out"), at("in/far")).unwrap();
    symlink("a", at("in/near")).unwrap();
    symlink("b", at("in/a/last")).unwrap();
    let root = SystemFs.open_root(&at("in")).unwrap();
    let descend = |rel: &str| {
        let parts: Vec<&OsStr> = rel.split('/').map(OsStr::new).collect();
        root.dir.descend(&parts)
    };
    let found = descend("a/b/c").unwrap();
    assert!(found.path().ends_with("in/a/b/c"), "{:?}", found.path());
    assert_eq!(
        found.stat().unwrap(),
        descend("a/b").unwrap().stat_entry(OsStr::new("c")).unwrap()
    );
    for bad in [
        "far/b", "far/b/c", "near/b", "a/last", "a/last/c", "a/../a", "../out/b", "a/./b", "a//b",
        "a/file", "a/file/b",
    ] {
        let error = descend(bad)
            .err()
            .unwrap_or_else(|| panic!("{bad} was opened"));
        assert!(!error.is_not_found(), "{bad}: {error}");
    }
    assert!(descend("a/none/c").err().unwrap().is_not_found());
}

#[test]
fn nothing_irregular_is_opened_or_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    fifo(&pipe);
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let path = folder.path().to_owned();
    promptly(move || {
        let root = SystemFs.open_root(&path).unwrap();
        for name in ["pipe", "socket"] {
            assert!(root.dir.open_file(OsStr::new(name)).is_err());
            assert!(root.dir.open_dir(OsStr::new(name)).is_err());
            assert!(SystemFs.read_named(&path.join(name), 100).is_err());
        }
        assert!(SystemFs.read_named(Path::new("/dev/zero"), 100).is_err());
        assert!(SystemFs.read_named(&path, 100).is_err());
    });
    // Whoever opens the pipe for writing without waiting learns that nobody reads.
    let nobody = rustix::fs::openat(CWD, &pipe, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty());
    assert_eq!(nobody.unwrap_err(), rustix::io::Errno::NXIO);
}

#[test]
fn a_file_tells_what_it_is_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    std::fs::write(&path, b"hello").unwrap();
    let root = SystemFs.open_root(folder.path()).unwrap();
    let mut file = root.dir.open_file(OsStr::new("f")).unwrap();
    let before = file.stat().unwrap();
    let truth = std::fs::metadata(&path).unwrap();
    assert_eq!(
        (before.size, before.inode, before.dev),
        (5, truth.ino(), truth.dev())
    );
    assert_eq!(
        before.mtime,
        i128::from(truth.mtime()) * 1_000_000_000 + i128::from(truth.mtime_nsec())
    );
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    let mut two = [0; 2];
    assert_eq!(file.read_at(&mut two, 1).unwrap(), 2);
    assert_eq!(&two, b"el");
    std::fs::write(&path, b"hello, world").unwrap();
    assert_eq!(file.stat().unwrap().size, 12);
}

#[test]
fn a_change_after_opening_is_seen_even_when_asked_for_the_first_time_after_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    std::fs::write(&path, b"hello").unwrap();
    let root = SystemFs.open_root(folder.path()).unwrap();
    let mut file = root.dir.open_file(OsStr::new("f")).unwrap();
    std::fs::write(&path, b"hello, world").unwrap();
    let _ = file.read(&mut [0; 1]).unwrap();
    assert_eq!(file.stat().unwrap().size, 12);
}

#[test]
fn a_root_may_be_a_link_and_knows_who_is_above() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().canonicalize().unwrap().join("real");
    std::fs::create_dir(&real).unwrap();
    let link = folder.path().join("link");
    symlink("real", &link).unwrap();
    for path in [link.clone(), PathBuf::from(format!("{}/", link.display()))] {
        let root = SystemFs.open_root(&path).unwrap();
        assert!(root.was_link);
        assert_eq!(root.resolved, real);
        assert_eq!(root.ancestors[0].0, real.parent().unwrap());
        assert_eq!(root.ancestors.last().unwrap().0, Path::new("/"));
    }
    assert!(!SystemFs.open_root(&real).unwrap().was_link);
    let missing = SystemFs
        .open_root(&folder.path().join("none"))
        .err()
        .unwrap();
    assert!(missing.is_not_found());
    symlink("loop", folder.path().join("loop")).unwrap();
    assert!(SystemFs.open_root(&folder.path().join("loop")).is_err());
}

#[test]
fn named_files_are_bounded_and_follow_links() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f"), b"12345").unwrap();
    symlink("f", folder.path().join("l")).unwrap();
    assert_eq!(
        SystemFs.read_named(&folder.path().join("l"), 5).unwrap(),
        b"12345"
    );
    let error = SystemFs
        .read_named(&folder.path().join("f"), 4)
        .unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn whole_reads_are_bounded_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f"), b"12345").unwrap();
    let root = SystemFs.open_root(folder.path()).unwrap();
    let (bytes, stat) = root.dir.read(OsStr::new("f"), 5).unwrap();
    assert_eq!((bytes.as_slice(), stat.size), (&b"12345"[..], 5));
    assert!(root.dir.read(OsStr::new("f"), 4).is_err());
}
