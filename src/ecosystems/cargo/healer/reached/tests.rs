//! Which parts of made-up build folders are reached; real cargo is asked in `tests/cargo/healing/reached.rs`.

use std::path::PathBuf;

use super::*;
use crate::ecosystems::contract::SourceTree;
use crate::world::fake::Disk;

const TREE: &str = "/h/registry/src/r-1/beta-1.0.0";

/// A unit: package, hash (one hex digit), kind of its target, what its `.d` names, the units that it was built with.
struct Made<'a>(
    &'a str,
    char,
    &'a str,
    Option<&'a str>,
    &'a [(&'a str, char)],
);

fn print(hash: char) -> u64 {
    u64::from(u32::from(hash))
}

fn make(disk: &mut Disk, profile: &str, made: &Made<'_>) {
    let Made(package, digit, kind, source, deps) = made;
    let hash: String = std::iter::repeat_n(*digit, 16).collect();
    let spelled = package.replace('-', "_");
    let edges: Vec<_> = deps
        .iter()
        .map(|(name, hash)| serde_json::json!([1, name, false, print(*hash)]))
        .collect();
    let folder = format!("{profile}/.fingerprint/{package}-{hash}/{kind}-{package}");
    let own: String = print(*digit)
        .to_le_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let rlib = format!("{profile}/deps/lib{spelled}-{hash}.rlib");
    disk.file(&folder, own)
        .file(
            &format!("{folder}.json"),
            serde_json::json!({"deps": edges}).to_string(),
        )
        .file(&rlib, "object");
    // Made one after the other, in the order of their digits.
    disk.time(&folder, i128::from(print(*digit)))
        .time(&rlib, i128::from(print(*digit)));
    if let Some(source) = source {
        disk.file(
            &format!("{profile}/deps/{spelled}-{hash}.d"),
            format!("x: {source}/src/lib.rs\n"),
        );
    }
}

fn disk() -> Disk {
    let mut disk = Disk::of(0, 0);
    disk.file("/t/CACHEDIR.TAG", "Signature")
        .folder("/t/debug/deps");
    disk
}

fn derived(disk: &Disk, folders: &[&str]) -> Derived {
    let sources = Sources::of(&[SourceTree {
        path: TREE.into(),
        packages: Vec::new(),
    }]);
    let dirs: Vec<_> = folders.iter().map(|path| disk.dir(path)).collect();
    let dirs: Vec<_> = dirs.iter().map(|dir| &**dir).collect();
    reached(Map::of(&dirs, &sources), &sources)
}

/// Digits of the units of which something is taken.
fn taken(derived: &Derived) -> String {
    let rels = derived
        .parts
        .iter()
        .map(|(_, part)| part.rel.display().to_string());
    let mut digits: Vec<char> = rels
        .filter_map(|rel| {
            let stem = rel.rsplit('/').next().unwrap().split('.').next().unwrap();
            let (_, hash) = stem.rsplit_once('-')?;
            hash.chars().next().filter(|_| hash.len() == 16)
        })
        .collect();
    digits.sort_unstable();
    digits.dedup();
    digits.into_iter().collect()
}

#[test]
fn what_was_built_with_a_unit_follows_it() {
    let mut disk = disk();
    for made in [
        Made("beta", 'a', "lib", Some(TREE), &[]),
        Made("alpha", 'b', "lib", Some("/h/x"), &[("renamed", 'a')]),
        Made("app", 'c', "bin", Some("src"), &[("alpha", 'b')]),
        Made(
            "gamma",
            '1',
            "lib",
            Some("/h/registry/src/r-1/gamma-1.0.0"),
            &[],
        ),
    ] {
        make(&mut disk, "/t/debug", &made);
    }
    disk.file("/t/debug/app", "program")
        .file("/t/debug/app.d", "app: src/main.rs")
        .file("/t/debug/libgamma.rlib", "clean")
        .file("/t/debug/unknown.so", "of nobody")
        .file("/t/debug/notes.txt", "the user's")
        .file("/t/debug/incremental/app-0xyz/s", "x")
        .file("/t/debug/incremental/gamma-0xyz/s", "x");
    let found = derived(&disk, &["/t"]);
    assert_eq!(taken(&found), "abc");
    let tops: Vec<String> = found
        .parts
        .iter()
        .map(|(_, part)| part.rel.display().to_string())
        .filter(|rel| rel.matches('/').count() == 1 || rel.contains("incremental"))
        .collect();
    assert_eq!(
        tops,
        [
            "debug/app",
            "debug/app.d",
            "debug/incremental/app-0xyz",
            "debug/unknown.so"
        ]
    );
    let lock = PathBuf::from("debug/.cargo-lock");
    assert!(found.parts.iter().all(|(_, part)| part.lock == lock));
    assert!(found.unclear.is_empty(), "{:?}", found.unclear);
}

#[test]
fn a_missing_d_file_counts_as_reached_and_another_version_does_not() {
    let mut disk = disk();
    let other = "/h/registry/src/r-1/beta-2.0.0";
    for made in [
        Made("beta", 'a', "lib", None, &[]),
        Made("beta", '1', "lib", Some(other), &[]),
        Made(
            "beta-ng",
            '2',
            "lib",
            Some("/h/registry/src/r-1/beta-ng-1.0.0"),
            &[],
        ),
        Made("app", 'd', "bin", Some("src"), &[("beta", 'a')]),
        Made("tool", '3', "bin", Some(other), &[("beta", '1')]),
    ] {
        make(&mut disk, "/t/debug", &made);
    }
    assert_eq!(taken(&derived(&disk, &["/t"])), "ad");
}

#[test]
fn what_cannot_be_shown_to_be_clean_is_taken_beside_a_reached_unit_alone() {
    let mut disk = disk();
    make(
        &mut disk,
        "/t/debug",
        &Made("beta", 'a', "lib", Some(TREE), &[]),
    );
    for profile in ["/t/debug", "/p/release"] {
        // Built with something that is gone; without a whole fingerprint; with nothing but an object.
        make(
            &mut disk,
            profile,
            &Made("x", 'b', "lib", Some("/x"), &[("y", '0')]),
        );
        make(&mut disk, profile, &Made("z", 'c', "lib", Some("/z"), &[]));
        let torn = "c".repeat(16);
        disk.file(&format!("{profile}/.fingerprint/z-{torn}/lib-z"), "");
        let bare = "d".repeat(16);
        disk.file(&format!("{profile}/deps/libw-{bare}.rlib"), "w");
    }
    disk.file("/p/CACHEDIR.TAG", "Signature");
    assert_eq!(taken(&derived(&disk, &["/t"])), "abcd");
    assert_eq!(taken(&derived(&disk, &["/p"])), "");
    let both = derived(&disk, &["/t", "/p"]);
    assert!(both.parts.iter().all(|(build, _)| *build == 0));
}

#[test]
fn a_unit_whose_crate_is_gone_is_known_by_its_name() {
    let mut disk = disk();
    let made = Made("app", 'a', "bin", Some("src"), &[("beta", '0')]);
    make(&mut disk, "/t/debug", &made);
    assert_eq!(taken(&derived(&disk, &["/t"])), "a");
}

#[test]
fn final_artifacts_are_found_in_another_folder() {
    let mut disk = disk();
    for made in [
        Made("beta", 'a', "lib", Some(TREE), &[]),
        Made("my-app", 'b', "bin", Some("src"), &[("beta", 'a')]),
    ] {
        make(&mut disk, "/t/debug", &made);
    }
    for name in [
        "CACHEDIR.TAG",
        "debug/.cargo-lock",
        "debug/my-app",
        "debug/other",
    ] {
        disk.file(&format!("/out/{name}"), "x");
    }
    let found = derived(&disk, &["/t", "/out"]);
    let out: Vec<_> = found
        .parts
        .iter()
        .filter(|(build, _)| *build == 1)
        .collect();
    assert_eq!(out.len(), 1, "{out:?}");
    assert_eq!(out[0].1.rel, PathBuf::from("debug/my-app"));
    // What nobody knows the making of is told.
    disk.mode("/out/debug/other", 0o755)
        .mode("/out/debug/my-app", 0o755);
    let told = |folders: &[&str]| -> Vec<PathBuf> {
        let unclear = derived(&disk, folders).unclear;
        assert!(unclear.iter().all(|u| !u.tainted));
        unclear.into_iter().map(|u| u.rel).collect()
    };
    assert_eq!(told(&["/t", "/out"]), [PathBuf::from("debug/other")]);
    assert_eq!(told(&["/out"]).len(), 2);
}

#[test]
fn nothing_is_taken_out_of_a_folder_without_marks_and_no_link_is_followed() {
    let mut disk = Disk::of(0, 0);
    make(
        &mut disk,
        "/t/debug",
        &Made("beta", 'a', "lib", Some(TREE), &[]),
    );
    let found = derived(&disk, &["/t"]);
    assert!(found.parts.is_empty());
    assert!(!found.unclear.is_empty() && found.unclear.iter().all(|u| u.tainted));
    disk.file("/l/CACHEDIR.TAG", "x")
        .link("/l/debug", "/t/debug");
    let found = derived(&disk, &["/l"]);
    assert!(found.parts.is_empty());
    assert_eq!(found.unclear.len(), 1);
}

#[test]
fn own_code_and_what_is_newer_is_reached_whatever_a_fingerprint_says() {
    let mut disk = disk();
    let of = |name: &str| format!("/h/registry/src/r-1/{name}-1.0.0");
    for made in [
        Made("old", '1', "lib", Some(&of("old")), &[]),
        Made("early", '2', "bin", Some("src"), &[]),
        Made("beta", 'a', "lib", Some(TREE), &[]),
        Made("alpha", 'b', "lib", Some(&of("alpha")), &[]),
        Made("app", 'c', "bin", Some("src"), &[]),
    ] {
        make(&mut disk, "/t/debug", &made);
    }
    // A build script of the user's own code that ran has no `.d` file.
    let ran = "3".repeat(16);
    disk.file(
        &format!("/t/debug/.fingerprint/early-{ran}/run-build-script"),
        "0300000000000000",
    )
    .file(
        &format!("/t/debug/.fingerprint/early-{ran}/run-build-script.json"),
        r#"{"deps":[]}"#,
    )
    .file(&format!("/t/debug/build/early-{ran}/output"), "");
    // Another workspace knows nothing of it.
    disk.file("/o/CACHEDIR.TAG", "Signature");
    make(
        &mut disk,
        "/o/debug",
        &Made("far", 'f', "bin", Some("src"), &[]),
    );
    let found = derived(&disk, &["/t", "/o"]);
    assert_eq!(taken(&found), "23abc");
    assert!(found.parts.iter().all(|(build, _)| *build == 0));
    assert!(found.ran.is_empty(), "{:?}", found.ran);
    // Of the same time: nobody can tell.
    disk.time(
        &format!("/t/debug/deps/libold-{}.rlib", "1".repeat(16)),
        i128::from(print('a')),
    );
    assert_eq!(taken(&derived(&disk, &["/t"])), "123abc");
}

#[test]
fn that_a_build_script_of_the_crate_ran_is_told_and_products_are_marked() {
    let mut disk = disk();
    make(
        &mut disk,
        "/t/debug",
        &Made("beta", 'a', "build-script-build-script", None, &[]),
    );
    let ran = format!("debug/build/beta-{}", "a".repeat(16));
    disk.file(&format!("/t/{ran}/output"), "cargo:rustc-cfg=x");
    make(
        &mut disk,
        "/t/debug",
        &Made("app", 'c', "bin", Some("src"), &[]),
    );
    disk.file("/t/debug/app", "program")
        .mode("/t/debug/app", 0o755);
    disk.file("/t/debug/app.d", "x");
    let found = derived(&disk, &["/t"]);
    assert_eq!(found.ran, [(0, PathBuf::from(ran))]);
    let products: Vec<_> = found.parts.iter().filter(|(_, p)| p.product).collect();
    assert_eq!(products.len(), 1, "{products:?}");
    assert_eq!(products[0].1.rel, PathBuf::from("debug/app"));
}
