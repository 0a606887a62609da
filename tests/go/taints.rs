//! What the real `go` does not notice, reproduced and then found.
//!
//! Each test first proves that this machine's `go` runs the taint, and only then that untaint names it: with what it learned
//! before, from nothing, and offline from nothing.

use std::fs;
use std::os::unix::fs::symlink;

use crate::log::NAME;
use crate::world::{EVIL, World, copy_file, modules};

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn an_edited_tree_is_compiled_by_go_and_found() {
    let world = World::built();
    world.scan(&[]).is_clean();
    world.write(&world.tree("greet.go"), EVIL);
    world.forget_builds();
    assert!(world.runs().contains("EVIL"));
    for scan in world.scans() {
        scan.finds(&["tree-modified"], "greet.go");
        assert_eq!(scan.count("tainted"), 1, "{}", scan.story());
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_replaced_zip_is_unpacked_by_go_and_found() {
    let world = World::built();
    world.scan(&[]).is_clean();
    let evil = modules()[0].clone().file("greet.go", EVIL);
    world.write(&world.download("zip"), evil.zip());
    fs::remove_dir_all(world.at(&world.tree(""))).unwrap();
    world.forget_builds();
    assert!(
        world.runs().contains("EVIL"),
        "the record of the hash is believed"
    );
    for scan in world.scans() {
        scan.finds(&["archive-tampered"], "v1.0.0.zip");
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn an_added_file_is_compiled_by_go_and_found() {
    let world = World::built();
    world.scan(&[]).is_clean();
    world.write(
        &world.tree("evil.go"),
        "package greet\n\nfunc init() { println(\"EVIL\") }\n",
    );
    world.forget_builds();
    assert!(world.runs().contains("EVIL"));
    for scan in world.scans() {
        scan.finds(&["tree-extra-file"], "evil.go");
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn an_edited_vendor_folder_is_compiled_by_go_and_found() {
    let world = World::built();
    world.go(&["mod", "vendor"]);
    world.scan(&[]).is_clean();
    world.write("project/vendor/registry.example/Greet/greet.go", EVIL);
    assert!(world.runs().contains("EVIL"));
    assert!(
        world
            .go(&["mod", "verify"])
            .contains("all modules verified")
    );
    for scan in world.scans() {
        scan.finds(&["tree-modified"], "greet.go");
    }
    // Also where no cache holds the zip: it is fetched, and held against the log.
    fs::remove_dir_all(world.at("home/go")).unwrap();
    world.forget_state();
    world.scan(&[]).finds(&["tree-modified"], "greet.go");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn files_that_no_module_has_are_found_in_a_vendor_folder() {
    let world = World::built();
    world.go(&["mod", "vendor"]);
    world.write(
        "project/vendor/registry.example/Greet/more.go",
        "package greet\n",
    );
    world.scan(&[]).finds(&["tree-extra-file"], "more.go");
    fs::remove_file(world.at("project/vendor/registry.example/Greet/more.go")).unwrap();
    world.scan(&[]).is_clean();
    world.write(
        "project/vendor/registry.example/other/other.go",
        "package other\n",
    );
    world.scan(&[]).finds(&["tree-extra-file"], "other.go");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_consistent_rewrite_of_everything_passes_go_and_is_found() {
    let world = World::built();
    world.scan(&[]).is_clean();
    let good = modules()[0].clone();
    let evil = good.clone().file("greet.go", EVIL);
    world.write(&world.download("zip"), evil.zip());
    world.write(&world.download("ziphash"), evil.h1());
    world.write(&world.tree("greet.go"), EVIL);
    let sum = fs::read_to_string(world.at("project/go.sum")).unwrap();
    world.write("project/go.sum", sum.replace(&good.h1(), &evil.h1()));
    let lookup = world.log_file("lookup/registry.example/!greet@v1.0.0");
    let record = fs::read_to_string(world.at(&lookup)).unwrap();
    world.write(&lookup, record.replace(&good.h1(), &evil.h1()));
    world.forget_builds();
    assert!(world.runs().contains("EVIL"));
    assert!(
        world
            .go(&["mod", "verify"])
            .contains("all modules verified")
    );
    let learned = world.scan(&[]);
    learned.finds(&["archive-tampered"], "v1.0.0.zip");
    learned.finds(&["sidecar-forged"], "ziphash");
    learned.finds(&["lockfile-hash-mismatch"], "go.sum");
    learned.finds(&["log-record-forged"], "!greet@v1.0.0");
    world.forget_state();
    let online = world.scan(&[]);
    online.finds(&["archive-tampered"], "v1.0.0.zip");
    online.finds(&["lockfile-hash-mismatch"], "go.sum");
    world.forget_state();
    let offline = world.scan(&["--offline"]);
    offline.finds(&["log-record-forged"], "!greet@v1.0.0");
    // In a scan of everything the tree is judged too: the good zip is fetched for it.
    world.forget_state();
    world
        .call(&["--caches"], &[])
        .finds(&["tree-modified"], "greet.go");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn lines_of_go_sum_are_held_against_the_log() {
    let world = World::built();
    let good = modules()[0].clone();
    let evil = good
        .clone()
        .file("go.mod", "module registry.example/Greet\n\ngo 1.1\n");
    let sum = fs::read_to_string(world.at("project/go.sum")).unwrap();
    for (was, is) in [(good.h1(), evil.h1()), (good.go_mod_h1(), evil.go_mod_h1())] {
        world.write("project/go.sum", sum.replace(&was, &is));
        for scan in world.scans() {
            scan.finds(&["lockfile-hash-mismatch"], "go.sum");
            assert_eq!(scan.codes(), ["lockfile-hash-mismatch"], "{}", scan.story());
        }
    }
    // One of two lines suffices for Go; untaint wants both to be true.
    let line = sum.lines().find(|l| l.contains("Greet v1.0.0 ")).unwrap();
    let both = format!("{}{}\n", sum, line.replace(&good.h1(), &evil.h1()));
    world.write("project/go.sum", both);
    world.scan(&[]).finds(&["lockfile-hash-mismatch"], "go.sum");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn an_edited_go_mod_file_is_found() {
    let world = World::built();
    world.write(
        &world.download("mod"),
        "module registry.example/Greet\n\ngo 1.99\n",
    );
    for scan in world.scans() {
        scan.finds(&["archive-tampered"], "v1.0.0.mod");
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_forged_record_of_the_hash_is_found() {
    let world = World::built();
    let evil = modules()[0].clone().file("greet.go", EVIL);
    world.write(&world.download("ziphash"), evil.h1());
    for scan in world.scans() {
        scan.finds(&["sidecar-forged"], "v1.0.0.ziphash");
        assert_eq!(scan.codes(), ["sidecar-forged"], "{}", scan.story());
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn missing_files_links_and_modes_are_found() {
    let world = World::built();
    fs::remove_file(world.at(&world.tree("LICENSE"))).unwrap();
    world.scan(&[]).finds(&["tree-missing-file"], "LICENSE");
    copy_file(&world.at("project/main.go"), &world.at("elsewhere/license"));
    symlink(
        world.at("elsewhere/license"),
        world.at(&world.tree("LICENSE")),
    )
    .unwrap();
    world.scan(&[]).finds(&["tree-irregular-file"], "LICENSE");
    let tree = world.at(&world.tree(""));
    fs::rename(&tree, world.at("elsewhere/tree")).unwrap();
    symlink(
        world.at("elsewhere/tree"),
        tree.to_str().unwrap().trim_end_matches('/'),
    )
    .unwrap();
    world.scan(&[]).finds(&["tree-irregular-file"], "greet");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_zip_that_is_none_is_found() {
    let world = World::built();
    for zip in [&b""[..], b"PK\x05\x06 not a zip"] {
        world.write(&world.download("zip"), zip);
        world.scan(&[]).finds(&["archive-tampered"], "v1.0.0.zip");
    }
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn genuine_bytes_of_another_module_are_found() {
    let world = World::built();
    let other = "cache/download/registry.example/words/v2/@v/v2.1.0.zip";
    let bytes = fs::read(world.at(&world.cached(other))).unwrap();
    world.write(&world.download("zip"), bytes);
    world
        .scan(&[])
        .finds(&["archive-tampered", "entry-misbound"], "v1.0.0.zip");
    assert!(
        world
            .at(&world.log_file("latest"))
            .parent()
            .unwrap()
            .ends_with(NAME)
    );
}

/// The outputs in the build cache, the indexes of modules apart.
fn outputs(world: &World) -> (Vec<std::path::PathBuf>, Vec<std::path::PathBuf>) {
    let folders = fs::read_dir(world.at("home/build")).unwrap().flatten();
    let files = folders.filter_map(|folder| fs::read_dir(folder.path()).ok());
    let mut outputs: Vec<_> = files
        .flat_map(|files| files.flatten().map(|file| file.path()))
        .filter(|path| path.is_file() && path.to_str().is_some_and(|p| p.ends_with("-d")))
        .filter(|path| fs::metadata(path).unwrap().len() > 0)
        .collect();
    outputs.sort();
    outputs
        .into_iter()
        .partition(|path| fs::read(path).unwrap().starts_with(b"go index v2\n"))
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_build_output_that_is_not_its_name_is_found() {
    let world = World::built();
    let (indexes, others) = outputs(&world);
    for path in [indexes.last(), others.last()] {
        let path = path.expect("go made both");
        let good = fs::read(path).unwrap();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        fs::write(path, bad).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        world
            .call(&["--caches"], &[])
            .finds(&["build-cache-tampered"], name);
        fs::write(path, good).unwrap();
    }
    // An index that agrees with itself cannot be told from a good one: it is listed, and the answer named.
    let index = indexes.last().unwrap();
    let mut evil = fs::read(index).unwrap();
    *evil.last_mut().unwrap() ^= 1;
    let (old, new) = (hash_of(&fs::read(index).unwrap()), hash_of(&evil));
    let planted = world.at(&format!("home/build/{}/{new}-d", &new[..2]));
    fs::write(planted, &evil).unwrap();
    let mut renamed = 0;
    for folder in fs::read_dir(world.at("home/build")).unwrap().flatten() {
        let Ok(files) = fs::read_dir(folder.path()) else {
            continue;
        };
        for action in files.flatten().map(|file| file.path()) {
            if !action.to_str().unwrap().ends_with("-a") {
                continue;
            }
            let text = fs::read_to_string(&action).unwrap();
            if text.contains(&old) {
                fs::write(&action, text.replace(&old, &new)).unwrap();
                renamed += 1;
            }
        }
    }
    assert_eq!(renamed, 1);
    let scan = world.call(&["--caches", "-o", "checks=checks.ndjson"], &[]);
    scan.is_clean();
    assert_eq!(scan.unverifiable("derived"), 1, "{}", scan.story());
    let notices = scan.report["notices"].to_string();
    assert!(notices.contains("go clean -cache"), "{notices}");
    world
        .call(&["--caches", "--derived", "deny"], &[])
        .is_no_alarm()
        .exits(3);
}

fn hash_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    crate::log::hex(&sha2::Sha256::digest(bytes))
}

/// A hole in a file takes no room, and hours to read.
#[test]
fn a_zip_that_pretends_to_be_huge_is_no_module_and_is_not_read() {
    let world = World::built();
    let zip = fs::OpenOptions::new()
        .write(true)
        .open(world.at(&world.download("zip")))
        .unwrap();
    zip.set_len(1 << 41).unwrap();
    drop(zip);
    for scan in world.scans() {
        scan.finds(&["archive-tampered"], "takes at most");
    }
}
