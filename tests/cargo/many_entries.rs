//! Caches beyond what anybody has: how much memory their entries and checks take, and where untaint says that it is enough.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Crate, Scan, Source, Tar, World, gzip_level, sha256};

/// Memory for 200,000 entries and their checks.
const ROOM: u64 = 128 << 20;
/// How long a debug build may take; no measure of anything.
const LONG: Duration = Duration::from_secs(120);

/// A cache root with this many crates of so many files each, all of them published and unpacked as cargo does it. What
/// the crates have in common are hard links to the files of the first.
fn large(crates: usize, files: usize) -> World {
    let world = World::clean(Source::Alternate);
    let index = world.registry.index_url();
    let (cache, src) = (world.registry_folder("cache"), world.registry_folder("src"));
    let common: Vec<String> = (0..files - 6)
        .map(|at| format!("src/folder{}/part{at}.rs", at % 7))
        .collect();
    let tree = |name: &str| src.join(format!("{name}-1.0.0"));
    for number in 0..crates {
        let mut release = Crate::lib(&format!("many-{number}"), "1.0.0", "");
        for path in &common {
            release = release.file(path, format!("// {path}\n"));
        }
        let packed = release.packed_files(Some(&index));
        assert_eq!(packed.len(), files);
        let mut tar = Tar::new();
        for (path, bytes) in &packed {
            tar.file(&format!("{}-1.0.0/{path}", release.name), bytes);
        }
        let archive = gzip_level("", &tar.finish(), 1);
        fs::write(cache.join(release.file_name()), &archive).unwrap();
        for folder in 0..7 {
            let folder = tree(&release.name).join(format!("src/folder{folder}"));
            fs::create_dir_all(folder).unwrap();
        }
        for (path, bytes) in &packed {
            let path = Path::new(path);
            let target = tree(&release.name).join(path);
            if number > 0 && path.starts_with("src") && path != Path::new("src/lib.rs") {
                fs::hard_link(tree("many-0").join(path), target).unwrap();
            } else {
                fs::write(target, bytes).unwrap();
            }
        }
        fs::write(tree(&release.name).join(".cargo-ok"), "{\"v\":1}").unwrap();
        let row = release.index_row(&sha256(&archive));
        world.registry.publish_row(&release.name, row, Vec::new());
    }
    world
}

fn audit(world: &World, arguments: &[&str]) -> Scan {
    world
        .untaint()
        .without_project(world)
        .watch_only(&world.project())
        .within(LONG)
        .args(&[
            "--cache",
            &format!("cargo={}", world.cargo_home().display()),
        ])
        .args(arguments)
        .run()
}

#[test]
fn two_hundred_thousand_entries_and_their_checks_fit_into_128_mib() {
    let world = large(2000, 100);
    for arguments in [&["--isolated"][..], &[], &[]] {
        let scan = audit(&world, arguments);
        println!(
            "200,000 files in 2,000 crates {arguments:?}: {} MiB, {} subjects, {:?}",
            scan.peak >> 20,
            scan.count("subjects"),
            scan.took
        );
        scan.is_clean();
        assert!(scan.count("verified") >= 4000, "{}", scan.story());
        assert!(scan.peak > 0, "nobody measured");
        assert!(scan.peak < ROOM, "{} bytes", scan.peak);
    }
}

/// Fills a folder: links to a few empty files, since a file can have some tens of thousands of names.
fn crowd(folder: &Path, files: usize) {
    let mut file = PathBuf::new();
    for number in 0..files {
        let below = folder.join(format!("{}", number / 1000));
        let path = below.join(format!("{number}"));
        if number % 1000 == 0 {
            fs::create_dir_all(below).unwrap();
        }
        if number % 50_000 == 0 {
            fs::write(&path, b"").unwrap();
            file = path;
        } else {
            fs::hard_link(&file, path).unwrap();
        }
    }
}

#[test]
fn a_tree_with_more_entries_than_any_package_is_said_and_not_verified() {
    let world = World::clean(Source::Alternate);
    let before = audit(&world, &[]);
    before.is_clean();
    // The folders count as well.
    crowd(&world.tree("beta", "1.0.0").join("src"), 250_000);
    for arguments in [&[][..], &["--isolated"]] {
        let scan = audit(&world, arguments);
        println!(
            "250,000 entries in one tree: {} MiB, {:?}",
            scan.peak >> 20,
            scan.took
        );
        scan.exits(3);
        assert_eq!(scan.unverifiable("limit"), 1, "{}", scan.story());
        assert_eq!(
            scan.count("verified"),
            before.count("verified") - 1,
            "{}",
            scan.story()
        );
        let tree = world.tree("beta", "1.0.0");
        let told = scan.problems().iter().any(|problem| {
            problem["path"].as_str() == tree.to_str() && problem["effect"] != "as-the-tool"
        });
        assert!(told, "{}", scan.story());
        assert!(scan.peak < ROOM, "{} bytes", scan.peak);
    }
}
