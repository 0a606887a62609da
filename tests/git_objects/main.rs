//! The readers of git's formats against repositories made by the real git, and a checkout made by the real cargo: equal when
//! genuine, and never called so with one byte flipped anywhere. Needs `git` and the running cargo, no network.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests prepare repositories with the real programs, and fail by panicking"
)]

mod disk;
mod real;

use std::collections::BTreeMap;
use std::fs;

use disk::{Checkouts, Disk};
use real::{Sandbox, every_file};
use untaint::formats::git::compare::DifferenceKind;
use untaint::formats::git::conversion::Conversion;
use untaint::formats::git::full::check_all;
use untaint::formats::git::{GitVerdict, HashKind, Limits, Oid, Outcome, Store, verify};

fn judge(disk: &Disk, locked: Oid) -> GitVerdict {
    verify(
        locked,
        disk,
        &Checkouts {
            disk,
            others: BTreeMap::new(),
        },
        &Limits::default(),
    )
}

#[test]
fn what_git_writes_is_equal_and_whole() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let locked = sandbox.project(format);
        for repack in real::REPACKS {
            sandbox.git("project", repack);
            let disk = Disk::new(&sandbox.path("project"));
            let verdict = judge(&disk, locked);
            assert_eq!(
                verdict.outcome(),
                Outcome::Equal,
                "{format} {repack:?}: {:?} {:?}",
                verdict.differences,
                verdict.faults
            );
            let checked = &verdict.repositories[0];
            assert_eq!(checked.observed_tree, checked.expected_tree);
            assert!(
                checked.head_agrees
                    && checked.posture.settings.is_empty()
                    && checked.posture.hooks.is_empty()
            );
            let tree = sandbox.git("project", &["rev-parse", "HEAD^{tree}"]);
            assert_eq!(checked.observed_tree.unwrap().to_string(), tree.trim());
            let check = check_all(&disk.repository(".git"), locked.kind(), &Limits::default());
            assert!(check.is_whole(), "{format} {repack:?}: {:?}", check.faults);
            assert_eq!(check.unread, Vec::<String>::new());
            let (loose, packed) = sandbox.counts("project");
            assert_eq!(
                (check.loose, check.packed),
                (loose, packed),
                "{format} {repack:?}"
            );
            assert!(packed > 60 || repack[0] == "count-objects");
        }
    }
}

#[test]
fn every_object_reads_as_git_reads_it() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let locked = sandbox.project(format);
        sandbox.git("project", &["gc", "-q"]);
        let disk = Disk::new(&sandbox.path("project")).repository(".git");
        let store = Store::open(&disk, locked.kind(), Limits::default());
        let list = sandbox.git(
            "project",
            &["cat-file", "--batch-all-objects", "--batch-check"],
        );
        let mut deltas = 0;
        for line in list.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let object = store
                .get(&Oid::from_hex(words[0].as_bytes()).unwrap())
                .object
                .unwrap();
            assert_eq!(
                (object.kind.name(), object.data.len().to_string().as_str()),
                (words[1], words[2])
            );
            deltas += 1;
            if deltas % 7 == 0 {
                assert_eq!(
                    object.data,
                    sandbox.git_bytes("project", &["cat-file", words[1], words[0]])
                );
            }
        }
        assert!(deltas > 60);
    }
}

#[test]
fn one_flipped_byte_of_the_worktree_is_always_named() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let locked = sandbox.project(format);
        sandbox.git("project", &["gc", "-q"]);
        let mut disk = Disk::new(&sandbox.path("project"));
        let mut files = 0;
        for (rel, bytes) in every_file(&sandbox.path("project")) {
            if rel.starts_with(".git/") {
                continue;
            }
            files += 1;
            for at in [0, bytes.len() / 2, bytes.len() - 1] {
                let mut bad = bytes.clone();
                bad[at] ^= 1;
                disk.overlay = Some((rel.clone(), bad));
                let verdict = judge(&disk, locked);
                assert_eq!(verdict.outcome(), Outcome::Different, "{rel} byte {at}");
                assert_eq!(verdict.differences.len(), 1);
                assert_eq!(verdict.differences[0].path, rel.as_bytes());
                assert_eq!(verdict.differences[0].kind, DifferenceKind::Modified);
            }
        }
        assert!(files > 5);
    }
}

#[test]
fn one_flipped_byte_of_the_objects_is_never_whole() {
    for (format, repack) in [
        ("sha1", &["gc", "-q"][..]),
        ("sha256", &["gc", "-q"]),
        ("sha1", &["count-objects"]),
    ] {
        let sandbox = Sandbox::new();
        let locked = sandbox.small(format);
        sandbox.git("project", repack);
        let mut disk = Disk::new(&sandbox.path("project")).repository(".git");
        let hash = locked.kind();
        assert!(check_all(&disk, hash, &Limits::default()).is_whole());
        let mut files = 0;
        for (rel, bytes) in every_file(&sandbox.path("project/.git/objects")) {
            // The one file there without a meaning for readers: a list of packs for simple web servers.
            if rel == "info/packs" {
                continue;
            }
            files += 1;
            let step = (bytes.len() / 150).max(1);
            for at in (0..bytes.len()).step_by(step) {
                let mut bad = bytes.clone();
                bad[at] ^= 0x10;
                disk.overlay = Some((format!("objects/{rel}"), bad));
                let whole = check_all(&disk, hash, &Limits::default()).is_whole();
                // A deflate stream ends within a byte, whose remaining bits mean nothing; a loose object is sealed by
                // its name alone. Packs and indexes seal those bits too.
                let padding = !rel.contains("pack/") && at + 5 == bytes.len();
                assert!(!whole || padding, "{format} {rel} byte {at}");
            }
        }
        assert!(files >= 2);
    }
}

#[test]
fn a_flipped_byte_of_the_objects_never_makes_a_changed_worktree_equal() {
    let sandbox = Sandbox::new();
    let locked = sandbox.small("sha1");
    sandbox.git("project", &["gc", "-q"]);
    fs::write(sandbox.path("project/a.txt"), "evil\n").unwrap();
    let mut disk = Disk::new(&sandbox.path("project"));
    for (rel, bytes) in every_file(&sandbox.path("project/.git/objects")) {
        let step = (bytes.len() / 60).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut bad = bytes.clone();
            bad[at] ^= 4;
            disk.overlay = Some((format!(".git/objects/{rel}"), bad));
            let verdict = judge(&disk, locked);
            assert!(!verdict.tree_equals);
            assert_ne!(verdict.outcome(), Outcome::Equal, "{rel} byte {at}");
        }
    }
}

#[test]
fn other_changes_are_named_by_kind() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let sandbox = Sandbox::new();
    let locked = sandbox.project("sha1");
    let at = |rel: &str| sandbox.path(&format!("project/{rel}"));
    fs::remove_file(at("link")).unwrap();
    symlink("elsewhere", at("link")).unwrap();
    fs::set_permissions(at("run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(at("src/deep/er/x")).unwrap();
    fs::create_dir(at("nothing")).unwrap();
    fs::write(at("build.rs"), "fn main() {}").unwrap();
    let verdict = judge(&Disk::new(&sandbox.path("project")), locked);
    let found: Vec<_> = verdict
        .differences
        .iter()
        .map(|found| (std::str::from_utf8(&found.path).unwrap(), found.kind))
        .collect();
    assert_eq!(
        found,
        [
            ("build.rs", DifferenceKind::Extra),
            ("link", DifferenceKind::Modified),
            ("run.sh", DifferenceKind::Irregular),
            ("src/deep/er/x", DifferenceKind::Missing),
        ]
    );
}

#[test]
fn borrowed_objects_outside_are_reported_and_not_followed() {
    let sandbox = Sandbox::new();
    let locked = sandbox.small("sha1");
    sandbox.git("", &["clone", "-q", "--shared", "project", "borrower"]);
    let disk = Disk::new(&sandbox.path("borrower"));
    let verdict = judge(&disk, locked);
    assert_eq!(verdict.outcome(), Outcome::Unheld);
    assert_eq!(verdict.missing_objects, [locked]);
    assert_eq!(verdict.repositories[0].alternates.len(), 1);
    assert_eq!(verdict.repositories[0].alternates[0].inside, None);
}

#[test]
fn a_checkout_by_cargo_is_equal_quiet_and_then_not() {
    let sandbox = Sandbox::new();
    let (locked, checkout, database) = sandbox.cargo_checkout();
    assert_eq!(locked.kind(), HashKind::Sha1);
    let judge = |disk: &Disk| {
        let others = [(Vec::new(), vec![Disk::new(&database)])].into();
        verify(
            locked,
            disk,
            &Checkouts { disk, others },
            &Limits::default(),
        )
    };
    let mut disk = Disk::new(&checkout);
    let verdict = judge(&disk);
    assert_eq!(
        verdict.outcome(),
        Outcome::Equal,
        "{:?} {:?} {:?}",
        verdict.differences,
        verdict.faults,
        verdict.missing_objects
    );
    assert!(verdict.faults.is_empty(), "{:?}", verdict.faults);
    let converted: Vec<_> = verdict
        .converted
        .iter()
        .map(|(path, how)| (path.as_slice(), *how))
        .collect();
    assert_eq!(
        converted,
        [
            (&b"mixed.bat"[..], Conversion::LineEndings),
            (b"x.bat", Conversion::LineEndings),
            (b"x.id", Conversion::Ident)
        ]
    );
    let paths: Vec<_> = verdict
        .repositories
        .iter()
        .map(|checked| checked.path.as_slice())
        .collect();
    assert_eq!(paths, [&b""[..], b"vendor/sub"]);
    assert_eq!(verdict.left_out, [b"vendor/unused".to_vec()]);
    for checked in &verdict.repositories {
        assert!(checked.head_agrees, "{:?}", checked.head);
        assert_eq!(
            checked.posture,
            untaint::formats::git::posture::Posture::default()
        );
    }
    let check = check_all(&Disk::new(&database), locked.kind(), &Limits::default());
    assert!(check.is_whole() && check.packed > 3, "{:?}", check.faults);
    for (rel, bytes) in every_file(&checkout) {
        if rel.contains(".git/") || rel.ends_with(".cargo-ok") {
            continue;
        }
        let mut bad = bytes.clone();
        bad[0] ^= 1;
        disk.overlay = Some((rel.clone(), bad));
        let verdict = judge(&disk);
        assert_eq!(verdict.outcome(), Outcome::Different, "{rel}");
        assert_eq!(verdict.differences[0].path, rel.as_bytes());
    }
}

#[test]
fn opened_folders_serve_the_readers() {
    use std::os::unix::fs::symlink;
    use untaint::ecosystems::git_folders::{Checkout, Folder};
    use untaint::world::ReadFs as _;
    use untaint::world::real::SystemFs;
    let open = |path: &std::path::Path| SystemFs.open_root(path).unwrap().dir;
    let sandbox = Sandbox::new();
    let (locked, checkout, database) = sandbox.cargo_checkout();
    let judge = || {
        let root = open(&checkout);
        let databases = [Folder::new(open(&database))];
        let repositories = Checkout {
            root: root.as_ref(),
            databases: &databases,
        };
        let verdict = verify(
            locked,
            &Folder::new(open(&checkout)),
            &repositories,
            &Limits::default(),
        );
        (
            verdict,
            check_all(&databases[0], locked.kind(), &Limits::default()).is_whole(),
        )
    };
    let (verdict, whole) = judge();
    assert_eq!(
        verdict.outcome(),
        Outcome::Equal,
        "{:?} {:?}",
        verdict.differences,
        verdict.faults
    );
    assert!(
        whole
            && verdict.faults.is_empty()
            && verdict
                .repositories
                .iter()
                .all(|checked| checked.head_agrees)
    );
    // A link in place of the hooks is something that could not be read, not an absence of hooks.
    fs::remove_dir_all(checkout.join(".git/hooks")).unwrap();
    symlink("/usr/bin", checkout.join(".git/hooks")).unwrap();
    let (verdict, _) = judge();
    assert_eq!(verdict.repositories[0].posture.faults.len(), 1);
    // The checkout's own repository swapped for a link: not entered; the database still proves the files.
    fs::remove_dir_all(checkout.join(".git")).unwrap();
    symlink(&database, checkout.join(".git")).unwrap();
    let (verdict, _) = judge();
    assert!(!verdict.repositories[0].head_agrees);
    assert_eq!(verdict.outcome(), Outcome::Equal, "{:?}", verdict.faults);
    assert_eq!(verdict.faults.len(), 1, "{:?}", verdict.faults);
    fs::write(checkout.join("src/lib.rs"), "pub fn g() {}\n").unwrap();
    let (verdict, _) = judge();
    assert_eq!(verdict.differences[0].path, b"src/lib.rs");
    fs::remove_file(checkout.join("src/lib.rs")).unwrap();
    symlink("/dev/zero", checkout.join("src/lib.rs")).unwrap();
    let (verdict, _) = judge();
    assert_eq!(verdict.differences[0].kind, DifferenceKind::Irregular);
}
