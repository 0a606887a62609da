//! Trees of a project belong to the user: named with the exact command, repaired file by file only when told to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::world::{differences, heal, image, restored};
use crate::support::{World, sha256, write_file};
use crate::tamper::vendor_template;

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

type Deed = fn(&World, &Path);

/// What is done to the vendored copy of `beta`.
const TAINTS: &[(&str, Deed)] = &[
    ("a source file edited", |_, beta| {
        write_file(&beta.join("src/lib.rs"), EVIL);
    }),
    ("a source file edited, and its sum", |_, beta| {
        write_file(&beta.join("src/lib.rs"), EVIL);
        let sums = beta.join(".cargo-checksum.json");
        let text = fs::read_to_string(&sums).unwrap();
        let at = text.find("src/lib.rs\":\"").unwrap() + "src/lib.rs\":\"".len();
        let evil = sha256(EVIL.as_bytes());
        fs::write(&sums, format!("{}{evil}{}", &text[..at], &text[at + 64..])).unwrap();
    }),
    ("a source file removed", |_, beta| {
        fs::remove_file(beta.join("src/lib.rs")).unwrap();
    }),
    ("its folder of sources removed", |_, beta| {
        fs::remove_dir_all(beta.join("src")).unwrap();
    }),
    ("a build script added", |_, beta| {
        write_file(&beta.join("build.rs"), "fn main() {}\n");
        write_file(&beta.join("evil/more.rs"), "// evil\n");
    }),
    ("a link in place of a file", |world, beta| {
        write_file(&world.root().join("evil.rs"), EVIL);
        fs::remove_file(beta.join("src/lib.rs")).unwrap();
        symlink(world.root().join("evil.rs"), beta.join("src/lib.rs")).unwrap();
    }),
    ("another archive named by its sums", |_, beta| {
        let sums = beta.join(".cargo-checksum.json");
        let text = fs::read_to_string(&sums).unwrap();
        let at = text.find("\"package\":\"").unwrap() + "\"package\":\"".len();
        let forged = format!("{}{}{}", &text[..at], "ab".repeat(32), &text[at + 64..]);
        fs::write(&sums, forged).unwrap();
    }),
];

/// Digests of every file below a folder.
fn contents(root: &Path) -> BTreeMap<PathBuf, String> {
    fn note(root: &Path, path: &Path, all: &mut BTreeMap<PathBuf, String>) {
        let meta = fs::symlink_metadata(path).unwrap();
        if meta.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                note(root, &entry.unwrap().path(), all);
            }
        } else {
            let what = if meta.is_file() {
                sha256(&fs::read(path).unwrap())
            } else {
                "no file".to_owned()
            };
            all.insert(path.strip_prefix(root).unwrap().to_owned(), what);
        }
    }
    let mut all = BTreeMap::new();
    note(root, root, &mut all);
    all
}

#[test]
fn a_vendored_copy_is_repaired_from_its_archive_when_told_to() {
    let mut repaired = 0;
    for (what, deed) in TAINTS {
        let world = vendor_template().twin();
        let vendor = world.project().join("vendor");
        let fresh = contents(&vendor);
        write_file(&vendor.join("notes.txt"), "the user's own\n");
        deed(&world, &vendor.join("beta"));
        let tainted = image(&vendor, true);
        let lock = fs::read(world.lockfile()).unwrap();

        let left = heal(&world, &["--yes"]).run_raw();
        assert_eq!(left.exit, 1, "{what}: {}", left.story());
        let steps = left.report["steps"].as_array().unwrap();
        assert!(steps.is_empty(), "{what}: {}", left.stdout);
        let remedy = left.report["by_hand"][0]["remedy"].as_str().unwrap();
        assert!(remedy.starts_with("untaint heal "), "{what}: {remedy}");
        assert!(remedy.contains(" --project --only f-"), "{what}: {remedy}");
        let same = differences(&tainted, &image(&vendor, true));
        assert!(same.is_empty(), "{what}: {same:#?}");

        let done = heal(&world, &["--yes", "--project"]).run_raw();
        assert_eq!(done.exit, 0, "{what}: {}\n{}", done.story(), done.stdout);
        assert_eq!(done.report["steps"][0]["ended"], "healed", "{what}");
        let mut now = contents(&vendor);
        assert!(now.remove(Path::new("notes.txt")).is_some());
        let other = differences(&fresh, &now);
        assert!(other.is_empty(), "{what}: {other:#?}");
        assert_eq!(fs::read(world.lockfile()).unwrap(), lock, "{what}");
        let stray = fs::read_dir(world.project()).unwrap();
        assert!(
            stray
                .flatten()
                .all(|e| e.file_name() != ".untaint-quarantine"),
            "{what}"
        );

        restored(&world);
        let back = differences(&tainted, &image(&vendor, true));
        assert!(back.is_empty(), "{what}: not restored exactly: {back:#?}");

        // The command that the finding names is enough.
        let by_name = std::process::Command::new("sh")
            .arg("-c")
            .arg(remedy.replacen("untaint", env!("CARGO_BIN_EXE_untaint"), 1))
            .env_clear()
            .env("HOME", world.home())
            .env("CARGO_HOME", world.cargo_home())
            .env("UNTAINT_HOME", world.state())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(world.root())
            .output()
            .unwrap();
        assert!(by_name.status.success(), "{what}: {by_name:?}");
        fs::remove_file(vendor.join("notes.txt")).unwrap();
        let other = differences(&fresh, &contents(&vendor));
        assert!(other.is_empty(), "{what}: {other:#?}");
        world.untaint().run().is_clean();
        assert!(world.build_and_run().contains("alpha-beta gamma"), "{what}");
        repaired += 1;
    }
    println!("vendored copies repaired, restored exactly, built offline by cargo: {repaired}");
    assert_eq!(repaired, TAINTS.len());
}

#[test]
fn what_was_built_from_a_vendored_copy_goes_with_it() {
    let world = vendor_template().twin();
    let beta = world.project().join("vendor/beta");
    write_file(&beta.join("src/lib.rs"), EVIL);
    let sums = beta.join(".cargo-checksum.json");
    let text = fs::read_to_string(&sums).unwrap();
    let at = text.find("src/lib.rs\":\"").unwrap() + "src/lib.rs\":\"".len();
    let evil = sha256(EVIL.as_bytes());
    fs::write(&sums, format!("{}{evil}{}", &text[..at], &text[at + 64..])).unwrap();
    assert!(world.build_and_run().contains("EVIL"), "cargo builds it");
    let done = heal(&world, &["--yes", "--project"]).run_raw();
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
    assert!(done.stdout.contains("\"derived\""), "{}", done.stdout);
    assert!(world.build_and_run().contains("alpha-beta gamma"));
}

#[test]
fn without_its_archive_a_copy_stays_or_goes_and_cargo_says_so() {
    let world = vendor_template().twin();
    let vendor = world.project().join("vendor");
    write_file(&vendor.join("beta/src/lib.rs"), EVIL);
    world.untaint().run();
    let before = image(&vendor, true);
    let kept = heal(
        &world,
        &["--yes", "--project", "--keep-if-unfetchable", "--offline"],
    );
    let kept = kept.run_raw();
    assert_eq!(kept.report["steps"][0]["ended"], "kept", "{}", kept.stdout);
    let same = differences(&before, &image(&vendor, true));
    assert!(same.is_empty(), "{same:#?}");
    let gone = heal(&world, &["--yes", "--project", "--offline"]).run_raw();
    assert_eq!(
        gone.report["steps"][0]["ended"], "removed",
        "{}",
        gone.stdout
    );
    restored(&world);
    let same = differences(&before, &image(&vendor, true));
    assert!(same.is_empty(), "{same:#?}");
}
