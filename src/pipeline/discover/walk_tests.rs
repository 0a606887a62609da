//! The walk: nothing that lies beside a project may hide it, and what belongs to a recognised folder is no project.

use super::*;
use crate::ecosystems;
use crate::model::{RootId, RootInfo};
use crate::pipeline::flow::OpenRoot;
use crate::world::ReadFs as _;
use crate::world::fake::{Disk, Given};

const SUMS: &str = ".cargo-checksum.json";

/// Walks `/p` of this disk.
fn walk(disk: &Disk) -> Discovered {
    let env = Given::default();
    let targets = Targets {
        paths: vec!["/p".into()],
        lockfiles: Vec::new(),
        caches: false,
        named_caches: Vec::new(),
        ecosystems: ecosystems::all().to_vec(),
        only: None,
        exclude: globset::GlobSet::empty(),
        own: Vec::new(),
        env: &env,
        fs: disk,
    };
    let mut found = Discovered::default();
    found.roots.push(OpenRoot {
        info: RootInfo {
            id: RootId::new("project"),
            path: "/p".into(),
            origin: RootOrigin::CommandLine,
        },
        path: "/p".into(),
        opened: disk.open_root(Path::new("/p")).unwrap(),
        is_project: true,
    });
    project(&targets, 0, &mut found);
    found
}

/// A disk with these empty files below `/p`.
fn disk(files: &[&str]) -> Disk {
    let mut disk = Disk::of(1000, 1000);
    disk.file("/p/Cargo.toml", "").file("/p/Cargo.lock", "");
    for file in files {
        disk.file(&format!("/p/{file}"), "");
    }
    disk
}

/// Lockfiles and kinds of recognised folders.
fn found(files: &[&str]) -> (Vec<String>, Vec<&'static str>) {
    let found = walk(&disk(files));
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let locks = found.locks.iter().map(|lock| lock.rel.clone());
    let mut locks: Vec<String> = locks.filter(|rel| rel != "Cargo.lock").collect();
    locks.sort();
    (locks, found.places.iter().map(|place| place.kind).collect())
}

#[test]
fn decoys_hide_no_project() {
    let in_project = [
        vec!["b/Cargo.lock", "b/a/.cargo-checksum.json"],
        vec![
            "b/Cargo.lock",
            ".cargo-checksum.json",
            "a/.cargo-checksum.json",
        ],
        vec!["b/Cargo.lock", "b/index/x", "b/x.crate"],
        vec!["b/Cargo.lock", "b/.cargo-checksum.json"],
    ];
    for files in in_project {
        assert_eq!(
            found(&files),
            (vec!["b/Cargo.lock".into()], vec![]),
            "{files:?}"
        );
    }
    // A folder that holds settings or a manifest is a project as well.
    for own in ["b/Cargo.toml", "b/.cargo/config.toml"] {
        let files = [own, "b/c/Cargo.lock", "b/a/.cargo-checksum.json"];
        assert_eq!(
            found(&files),
            (vec!["b/c/Cargo.lock".into()], vec![]),
            "{own}"
        );
    }
    let target = ["target/CACHEDIR.TAG", "target/Cargo.lock"];
    assert_eq!(found(&target), (vec!["target/Cargo.lock".into()], vec![]));
}

#[test]
fn what_does_not_belong_to_a_recognised_folder_is_walked() {
    let vendor = [
        "v/a/.cargo-checksum.json",
        "v/b/.cargo-checksum.json",
        "v/c/Cargo.lock",
    ];
    assert_eq!(
        found(&vendor),
        (vec!["v/c/Cargo.lock".into()], vec!["vendor"])
    );
    let local = ["l/index/x", "l/x.crate", "l/c/d/Cargo.lock"];
    assert_eq!(
        found(&local),
        (vec!["l/c/d/Cargo.lock".into()], vec!["local-registry"])
    );
    let target = [
        "target/CACHEDIR.TAG",
        "target/app/Cargo.lock",
        "target/app/x.crate",
        "target/app/index/x",
    ];
    let (locks, kinds) = found(&target);
    assert_eq!(
        (locks, kinds.len()),
        (vec!["target/app/Cargo.lock".to_owned()], 1)
    );
    // One folder of many with a checksum file makes no vendored packages of the others.
    let few = ["v/a/.cargo-checksum.json", "v/b/Cargo.lock", "v/c/x"];
    assert_eq!(found(&few), (vec!["v/b/Cargo.lock".into()], vec![]));
}

#[test]
fn lockfiles_of_packages_are_no_projects() {
    let a = format!("vendor/a/{SUMS}");
    let b = format!("vendor/b/{SUMS}");
    let files = [
        &*a,
        "vendor/a/Cargo.lock",
        &b,
        "vendor/b/Cargo.toml",
        "vendor/b/sub/Cargo.lock",
    ];
    assert_eq!(found(&files), (vec![], vec!["vendor"]));
    let target = [
        "target/.rustc_info.json",
        "target/package/a-1.0.0/Cargo.lock",
        "target/debug/x",
    ];
    assert_eq!(found(&target).0, Vec::<String>::new());
}

#[test]
fn linked_folders_that_lead_out_are_said() {
    let mut disk = disk(&["a/x"]);
    disk.folder("/srv/other")
        .link("/p/out", "/srv/other")
        .link("/p/in", "/p/a")
        .link("/p/.cargo", "/srv/other")
        .link("/p/gone", "/srv/gone")
        .link("/p/file", "/p/a/x");
    let found = walk(&disk);
    let told: Vec<_> = found
        .notices
        .iter()
        .map(|n| n.path.as_deref().unwrap())
        .collect();
    assert_eq!(told, ["out"]);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

/// Paths of the lockfiles below `node_modules` in a project with these files.
fn installed(manifests: &[(&str, &str)]) -> Vec<String> {
    let mut disk = disk(&[
        "node_modules/a/go.mod",
        "node_modules/a/Cargo.lock",
        "node_modules/a/deep/go.mod",
        "node_modules/b/go.mod",
        ".git/c/go.mod",
    ]);
    for (path, text) in manifests {
        disk.file(&format!("/p/{path}"), *text);
    }
    let found = walk(&disk);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let locks = found.locks.iter().map(|lock| lock.rel.clone());
    let mut locks: Vec<String> = locks.filter(|rel| rel.contains('/')).collect();
    locks.sort();
    locks
}

#[test]
fn what_others_install_is_walked_only_where_something_names_it() {
    assert_eq!(installed(&[]), [""; 0]);
    assert_eq!(installed(&[("go.mod", "module p\n")]), [""; 0]);
    let a = ["node_modules/a/deep/go.mod", "node_modules/a/go.mod"];
    let work = [("go.work", "go 1.24\nuse ./node_modules/a\n")];
    assert_eq!(installed(&work), a);
    let replaced = [(
        "go.mod",
        "module p\nreplace x.example/a => ./node_modules/a\n",
    )];
    assert_eq!(installed(&replaced), a);
    // Each once, also where several name it, or something below it.
    let both = [
        (
            "go.work",
            "go 1.24\nuse ./node_modules/a/deep\nuse ./node_modules/a\nuse ./.git/c\n",
        ),
        (
            "go.mod",
            "module p\nreplace x.example/a => ./node_modules/a\n",
        ),
    ];
    assert_eq!(installed(&both), [&[".git/c/go.mod"][..], &a].concat());
    // What is named there names more.
    let chain = [
        ("go.work", "go 1.24\nuse ./node_modules/b\n"),
        (
            "node_modules/b/go.mod",
            "module b\nreplace x.example/a => ../a\n",
        ),
    ];
    assert_eq!(
        installed(&chain),
        [&a[..], &["node_modules/b/go.mod"]].concat()
    );
}
