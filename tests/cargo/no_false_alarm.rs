//! What honest machines look like. An alarm here teaches people to ignore alarms.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::fixtures::gather;
use crate::support::{Crate, Source, World, git_repository, standard_crates, write_file};
use crate::tamper::{home_template, vendor_template};

/// Changes the mode of every file and folder below `folder`.
fn modes(folder: &Path, file: u32, directory: u32) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            modes(&path, file, directory);
            fs::set_permissions(&path, fs::Permissions::from_mode(directory)).unwrap();
        } else if meta.is_file() {
            let executable = meta.mode() & 0o111;
            let mode = file | (executable & (file >> 2));
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

fn every_file(folder: &Path) -> Vec<PathBuf> {
    let mut all = std::collections::BTreeMap::new();
    gather(folder, folder, &mut all);
    all.into_keys().map(|below| folder.join(below)).collect()
}

#[test]
fn a_umask_of_002_with_private_groups() {
    let world = home_template().twin();
    modes(&world.home(), 0o664, 0o775);
    modes(&world.project(), 0o664, 0o775);
    world.untaint().run().is_clean();
}

#[test]
fn a_private_umask_and_a_read_only_cache() {
    let world = home_template().twin();
    modes(&world.home(), 0o600, 0o700);
    world.untaint().run().is_clean();
    let world = home_template().twin();
    modes(&world.home(), 0o444, 0o555);
    world.untaint().run().is_clean();
    modes(&world.home(), 0o644, 0o755);
}

#[test]
fn a_cache_that_belongs_to_root() {
    let world = home_template().twin();
    let owner = fs::metadata(world.cargo_home()).unwrap().uid();
    if owner == 0 {
        // In a container: root filled the cache, somebody else builds.
        fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(world.state(), Some(65_534), Some(65_534)).unwrap();
        world.untaint().user(65_534).run().is_clean();
    } else {
        // Not root: the nearest that can be made is the reverse, a cache of one's own below folders
        // that belong to root.
        assert_eq!(fs::metadata("/").unwrap().uid(), 0);
        world.untaint().run().is_clean();
    }
}

#[test]
fn a_patched_dependency_by_path() {
    let world = World::clean(Source::Alternate);
    write_file(
        &world.project().join("patched/beta/Cargo.toml"),
        "[package]\nname = \"beta\"\nversion = \"1.0.9\"\nedition = \"2021\"\n",
    );
    write_file(
        &world.project().join("patched/beta/src/lib.rs"),
        "pub fn name() -> &'static str { \"patched\" }\n",
    );
    let manifest = world.project().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    write_file(
        &manifest,
        format!("{text}\n[patch.loop]\nbeta = {{ path = \"patched/beta\" }}\n"),
    );
    world.cargo(&["generate-lockfile"]);
    assert!(world.build_and_run().contains("alpha-patched"));
    let scan = world.untaint().run();
    scan.is_clean();
    assert_eq!(scan.count("first_party"), 2, "{}", scan.story());
}

#[test]
fn editable_path_dependencies_inside_and_outside() {
    let world = World::clean(Source::Alternate);
    for place in [world.project().join("inner"), world.root().join("outer")] {
        let name = place.file_name().unwrap().to_str().unwrap();
        write_file(
            &place.join("Cargo.toml"),
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        );
        write_file(&place.join("src/lib.rs"), "// edited every day\n");
    }
    let manifest = world.project().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    write_file(
        &manifest,
        format!("{text}inner = {{ path = \"inner\" }}\nouter = {{ path = \"../outer\" }}\n"),
    );
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["check", "--quiet", "--offline"]);
    let scan = world.untaint().run();
    scan.is_clean();
    assert_eq!(scan.count("first_party"), 3, "{}", scan.story());
    let outside = scan
        .notices()
        .iter()
        .any(|notice| notice["code"] == "first-party-outside");
    assert!(outside, "{}", scan.story());
}

#[test]
fn a_committed_vendor_folder_after_line_ending_conversion() {
    let world = vendor_template().twin();
    for path in every_file(&world.project().join("vendor")) {
        if path.ends_with(".cargo-checksum.json") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        write_file(&path, text.replace('\n', "\r\n"));
    }
    let scan = world.untaint().run();
    scan.is_clean();
    assert!(
        scan.report.to_string().contains("vendor"),
        "it is listed\n{}",
        scan.story()
    );
}

#[test]
fn half_converted_line_endings_are_not_line_ending_conversion() {
    let world = vendor_template().twin();
    let path = world.project().join("vendor/beta/src/notes.rs");
    let text = fs::read_to_string(&path).unwrap();
    write_file(&path, text.replacen('\n', "\r\n", 3));
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/notes.rs");
}

#[test]
fn a_committed_vendor_folder_without_globally_ignored_files() {
    let world = vendor_template().twin();
    write_file(
        &world.home().join(".config/git/ignore"),
        "*.orig\n.DS_Store\n",
    );
    for path in every_file(&world.project().join("vendor")) {
        if path.extension().is_some_and(|end| end == "orig") {
            fs::remove_file(path).unwrap();
        }
    }
    let scan = world.untaint().run();
    scan.exits(0).is_no_alarm();
}

#[test]
fn markers_of_older_cargo() {
    for text in ["ok", "", "{\"v\":1}\n"] {
        let world = home_template().twin();
        for name in ["alpha-1.2.3", "beta-1.0.0"] {
            let (name, version) = name.split_once('-').unwrap();
            write_file(&world.tree(name, version).join(".cargo-ok"), text);
        }
        world.untaint().run().is_clean();
    }
}

#[test]
fn litter_of_editors_and_file_managers() {
    let world = home_template().twin();
    let tree = world.tree("beta", "1.0.0");
    let archives = world.registry_folder("cache");
    for litter in [
        ".DS_Store",
        "src/.DS_Store",
        "src/.lib.rs.swp",
        "src/.lib.rs.swo",
    ] {
        write_file(&tree.join(litter), "litter");
    }
    write_file(&archives.join(".DS_Store"), "litter");
    let scan = world.untaint().run();
    scan.is_no_alarm();
    scan.is_clean();
    let world = vendor_template().twin();
    write_file(&world.project().join("vendor/.DS_Store"), "litter");
    write_file(
        &world.project().join("vendor/beta/src/.lib.rs.swp"),
        "litter",
    );
    world.untaint().run().is_clean();
}

#[test]
fn a_linked_and_a_moved_cargo_home() {
    let world = home_template().twin();
    let (home, moved) = (
        world.cargo_home(),
        world.root().join("elsewhere/cargo cache é"),
    );
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    fs::rename(&home, &moved).unwrap();
    world
        .untaint()
        .env("CARGO_HOME", &moved)
        .watch(&moved)
        .run()
        .is_clean();
    symlink(&moved, &home).unwrap();
    world.untaint().watch(&moved).run().is_clean();
    world
        .untaint()
        .unset("CARGO_HOME")
        .watch(&moved)
        .run()
        .is_clean();
}

#[test]
fn a_compiler_wrapper_of_the_user_is_told_below_the_threshold() {
    let world = home_template().twin();
    let scan = world.untaint().env("RUSTC_WRAPPER", "sccache").run();
    scan.is_clean();
    let told = scan
        .findings()
        .iter()
        .find(|finding| finding["code"] == "code-in-settings");
    let told = told.unwrap_or_else(|| panic!("not told\n{}", scan.story()));
    assert_eq!(told["severity"], "medium", "{}", scan.story());
    assert_eq!(
        told["location"]["file"],
        "env:RUSTC_WRAPPER",
        "{}",
        scan.story()
    );

    world.settings("\n[build]\nrustc-wrapper = \"sccache\"\n");
    let scan = world.untaint().run();
    scan.is_clean();
    assert!(
        scan.codes().contains(&"code-in-settings"),
        "{}",
        scan.story()
    );
}

#[test]
fn a_compiler_wrapper_that_the_scanned_tree_brings_is_a_finding() {
    let world = home_template().twin();
    write_file(
        &world.project().join(".cargo/config.toml"),
        "[build]\nrustc-wrapper = \"./evil.sh\"\n",
    );
    world
        .untaint()
        .run()
        .finds(&["code-in-settings"], ".cargo/config.toml");
}

#[test]
fn a_release_so_new_that_the_index_lags() {
    let world = World::clean(Source::Alternate);
    let now = jiff::Timestamp::now();
    let text = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    world.publish(&Crate::lib("fresh", "1.0.0", "").published(&text));
    world.manifest(
        &[("alpha", "1"), ("gamma", "0.3"), ("fresh", "1")],
        "fn main() {}\n",
    );
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    world.registry.withdraw("fresh", "1.0.0");
    let scan = world.untaint().run();
    scan.exits(3).is_no_alarm();
    assert!(scan.unverifiable("no-record") > 0, "{}", scan.story());
}

#[test]
fn times_that_were_touched() {
    let world = home_template().twin();
    for path in every_file(&world.cargo_home()) {
        let later = SystemTime::now() - Duration::from_secs(77);
        fs::File::options()
            .append(true)
            .open(path)
            .unwrap()
            .set_modified(later)
            .unwrap();
    }
    world.untaint().run().is_clean();
}

#[test]
fn a_built_project_with_all_that_cargo_leaves() {
    let world = World::clean(Source::Alternate);
    world.build_and_run();
    world.cargo(&["doc", "--quiet", "--offline"]);
    let scan = world.untaint().run();
    scan.is_clean();
    assert_eq!(scan.unverifiable("derived"), 1, "{}", scan.story());
}

#[test]
fn crates_that_nobody_locks_any_more_do_not_hurt() {
    let world = World::clean(Source::Alternate);
    world.publish(&Crate::lib(
        "beta",
        "1.1.0",
        "pub fn name() -> &'static str { \"newer\" }\n",
    ));
    world.cargo(&["update"]);
    world.cargo(&["fetch", "--locked"]);
    assert!(world.build_and_run().contains("alpha-newer"));
    world.untaint().run().is_clean();
    world
        .untaint()
        .without_project(&world)
        .arg("--caches")
        .run()
        .is_clean();
}

#[test]
fn nothing_to_audit_is_said_so() {
    let world = World::new(Source::Alternate);
    world.untaint().run().exits(5);
    let scan = world.untaint().arg("--allow-empty").run_raw();
    assert_eq!(scan.exit, 0, "{}", scan.story());
}

#[test]
fn a_manifest_without_a_lockfile_is_a_notice() {
    let world = World::new(Source::Alternate);
    for release in standard_crates() {
        world.publish(&release);
    }
    world.manifest(&[("alpha", "1")], "fn main() {}\n");
    let scan = world.untaint().run();
    let told = scan
        .notices()
        .iter()
        .any(|notice| notice["code"] == "no-lockfile");
    assert!(told, "{}", scan.story());
    scan.is_no_alarm();
}

#[test]
fn a_project_below_a_folder_with_spaces_and_letters_of_all_kinds() {
    let world = home_template().twin();
    let odd = world.project().join("mañana is späť");
    fs::create_dir(&odd).unwrap();
    for name in ["Cargo.toml", "Cargo.lock", "src"] {
        fs::rename(world.project().join(name), odd.join(name)).unwrap();
    }
    world.untaint().run().is_clean();
}

#[test]
fn a_repository_beside_the_project_is_left_alone() {
    let world = home_template().twin();
    git_repository(&world.project(), &[("notes.txt", "kept in git\n")]);
    world.untaint().run().is_clean();
}
