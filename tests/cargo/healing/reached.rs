//! What cargo built from a tainted crate: whatever way it was built, after a heal no program of it says EVIL any more, and
//! cargo builds the good one. Every test runs the built program itself, before and after.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::world::{command, heal, template};
use crate::support::{Untaint, World, copy_tree, write_file};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";
const GOOD: &str = "alpha-beta gamma";

/// A twin of the clean world in which the unpacked `beta` says EVIL.
fn poisoned() -> World {
    let world = template().twin();
    poison(&world);
    world
}

fn poison(world: &World) {
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL);
}

/// What a program prints when it is run directly.
fn says(program: &Path) -> String {
    let output = Command::new(program).env_clear().output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn is_evil(program: &Path) {
    let said = says(program);
    assert!(said.contains("EVIL"), "{}: {said}", program.display());
}

/// Every file of a folder that holds the word, by its path.
fn evil_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() && !path.ends_with(".untaint-quarantine") {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else if meta.is_file() && holds(&fs::read(&path).unwrap()) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn holds(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"EVIL")
}

/// Heals with this call; then the program is gone, no object holds the word, and cargo builds the good one.
#[track_caller]
fn heals(world: &World, call: Untaint, build: &[&str], folder: &Path, programs: &[PathBuf]) {
    for program in programs {
        is_evil(program);
    }
    assert!(!evil_files(folder).is_empty());
    let done = call.run_raw();
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
    assert_eq!(
        done.report["left"],
        serde_json::json!([]),
        "{}",
        done.stdout
    );
    for program in programs {
        assert!(!program.exists(), "{} stays", program.display());
    }
    let left = evil_files(folder);
    assert!(left.is_empty(), "{left:#?}");
    world.cargo(build);
    for program in programs {
        let said = says(program);
        assert!(said.contains("beta") && !said.contains("EVIL"), "{said}");
    }
    println!("{:?}: {} programs", build, programs.len());
}

const BUILD: &[&str] = &["build", "--quiet", "--locked", "--offline"];

#[test]
fn the_cargo_home_may_be_reached_through_a_link() {
    let world = poisoned();
    let link = world.root().join("homelink");
    symlink(world.cargo_home(), &link).unwrap();
    world.cargo_variable("CARGO_HOME", link.to_str().unwrap());
    world.cargo(BUILD);
    let target = world.project().join("target");
    let program = target.join("debug/app");
    // Healed through the other spelling, and through this one.
    let call = heal(&world, &["--yes"]);
    heals(&world, call, BUILD, &target, std::slice::from_ref(&program));
    poison(&world);
    fs::remove_dir_all(&target).unwrap();
    world.cargo(BUILD);
    let call = heal(&world, &["--yes"]).env("CARGO_HOME", &link);
    heals(&world, call, BUILD, &target, &[program]);
}

#[test]
fn without_its_d_file_or_its_fingerprint_a_unit_is_found_all_the_same() {
    for (folder, starts) in [("deps", "beta-"), (".fingerprint", "beta-")] {
        let world = poisoned();
        world.cargo(BUILD);
        let target = world.project().join("target");
        let mut gone = 0;
        for entry in fs::read_dir(target.join("debug").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with(starts) && path.is_dir() {
                fs::remove_dir_all(&path).unwrap();
                gone += 1;
            } else if name.starts_with(starts) && name.ends_with(".d") {
                fs::remove_file(&path).unwrap();
                gone += 1;
            }
        }
        assert_eq!(gone, 1, "{folder}");
        let programs = [target.join("debug/app")];
        heals(&world, heal(&world, &["--yes"]), BUILD, &target, &programs);
    }
}

#[test]
fn a_d_file_that_cannot_be_read_or_says_nothing_hides_nothing() {
    let world = poisoned();
    world.cargo(BUILD);
    let target = world.project().join("target");
    for entry in fs::read_dir(target.join("debug/deps")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "d") {
            fs::write(&path, "x: nothing.rs\n").unwrap();
        }
    }
    let programs = [target.join("debug/app")];
    heals(&world, heal(&world, &["--yes"]), BUILD, &target, &programs);
}

#[test]
fn a_target_triple_and_a_profile_of_the_user_are_reached() {
    let host = Command::new("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|l| l.strip_prefix("host: ")).unwrap();
    let world = poisoned();
    let manifest = world.project().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    // The build script, too, is built with it, and what it says is built in.
    let text = text
        + "\n[build-dependencies]\n"
        + &world.dependency("beta", "1")
        + "\n[profile.quick]\ninherits = \"release\"\n";
    write_file(&manifest, text);
    write_file(
        &world.project().join("build.rs"),
        "fn main() { println!(\"cargo:rustc-env=SCRIPT={}\", beta::name()); }\n",
    );
    let main =
        "fn main() { println!(\"{} {} {}\", alpha::name(), gamma::name(), env!(\"SCRIPT\")); }\n";
    write_file(&world.project().join("src/main.rs"), main);
    world.cargo(&["generate-lockfile", "--offline"]);
    let target = world.project().join("target");
    let build = [
        "build",
        "--quiet",
        "--offline",
        "--target",
        host,
        "--profile",
        "quick",
    ];
    world.cargo(&build);
    let programs = [target.join(host).join("quick/app")];
    heals(&world, heal(&world, &["--yes"]), &build, &target, &programs);
    assert_eq!(says(&programs[0]).trim(), format!("{GOOD} beta"));
}

#[test]
fn a_workspace_is_reached_with_libraries_examples_tests_and_all_code_of_its_own() {
    let world = poisoned();
    let project = world.project();
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    write_file(
        &project.join("Cargo.toml"),
        manifest + "\n[workspace]\nmembers = [\"plug-in\", \"aside\"]\n",
    );
    let main = fs::read_to_string(project.join("src/main.rs")).unwrap();
    write_file(&project.join("examples/ex-one.rs"), main);
    write_file(
        &project.join("plug-in/Cargo.toml"),
        format!(
            "[package]\nname = \"plug-in\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n[dependencies]\n{}",
            world.dependency("beta", "1")
        ),
    );
    write_file(
        &project.join("plug-in/src/lib.rs"),
        "#[no_mangle]\npub extern \"C\" fn speak() { println!(\"{}\", beta::name()); }\n",
    );
    write_file(
        &project.join("aside/Cargo.toml"),
        "[package]\nname = \"aside\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    write_file(
        &project.join("aside/src/main.rs"),
        "fn main() { println!(\"aside\"); }\n",
    );
    world.cargo_variable("CARGO_INCREMENTAL", "1");
    world.cargo(&["generate-lockfile", "--offline"]);
    let build = [
        "build",
        "--quiet",
        "--offline",
        "--workspace",
        "--all-targets",
    ];
    world.cargo(&build);
    let target = project.join("target");
    let plug = target.join("debug/libplug_in.so");
    assert!(holds(&fs::read(&plug).unwrap()));
    let aside = target.join("debug/aside");
    let before = fs::metadata(&aside).unwrap().modified().unwrap();
    let programs = [
        target.join("debug/app"),
        target.join("debug/examples/ex-one"),
    ];
    heals(&world, heal(&world, &["--yes"]), &build, &target, &programs);
    assert!(!holds(&fs::read(&plug).unwrap()));
    // A member that does not use it: only its fingerprint says so, which any build script can write.
    assert_ne!(fs::metadata(&aside).unwrap().modified().unwrap(), before);
    assert_eq!(says(&aside), "aside\n");
}

#[test]
fn what_is_built_in_one_folder_and_linked_into_another_is_reached() {
    for setting in [
        "{workspace-root}/out",
        "{workspace-root}/out/{workspace-path-hash}",
    ] {
        let world = poisoned();
        world.settings(&format!("\n[build]\nbuild-dir = \"{setting}\"\n"));
        world.cargo(BUILD);
        let target = world.project().join("target");
        assert!(!target.join("debug/deps").exists());
        let programs = [target.join("debug/app")];
        let call = heal(&world, &["--yes"]);
        heals(&world, call, BUILD, &world.project(), &programs);
    }
}

#[test]
fn programs_of_a_build_folder_that_is_gone_are_named() {
    let world = poisoned();
    let out = world.root().join("out");
    world.cargo_variable("CARGO_BUILD_BUILD_DIR", out.to_str().unwrap());
    world.cargo(BUILD);
    let program = target_of(&world).join("debug/app");
    is_evil(&program);
    // Only cargo was told where it builds.
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 3, "{}", done.stdout);
    let left = done.report["left"].as_array().unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["path"].as_str().unwrap(), program.to_str().unwrap());
    poison_again(&world);
    let call = heal(&world, &["--yes", "--target-dir"]).arg(&out);
    heals(&world, call, BUILD, &out, &[program]);
}

/// Cargo unpacks `beta` anew, and it is poisoned again.
fn poison_again(world: &World) {
    world.cargo(&["fetch", "--locked", "--offline"]);
    poison(world);
}

/// `untaint heal --caches --json`, which names no project.
fn caches(world: &World, more: &[&str]) -> Untaint {
    command(
        world,
        &["heal", "--caches", "--json", "--no-advisories", "--trust"],
    )
    .arg(world.trust_file())
    .args(more)
}

#[test]
fn a_heal_of_the_caches_reaches_what_earlier_scans_met() {
    // Built before the scan in a folder of its own, and after it in the usual one.
    for elsewhere in [true, false] {
        let world = template().twin();
        let mut folder = world.project().join("target");
        if elsewhere {
            folder = world.root().join("built");
            world.settings(&format!("\n[build]\ntarget-dir = {folder:?}\n"));
            world.cargo(BUILD);
        }
        world.untaint().run();
        poison(&world);
        if elsewhere {
            fs::remove_dir_all(&folder).unwrap();
            world.cargo(BUILD);
            world.settings("");
        } else {
            world.cargo(BUILD);
        }
        let build: Vec<&str> = if elsewhere {
            let target = ["--target-dir", folder.to_str().unwrap()];
            BUILD.iter().copied().chain(target).collect()
        } else {
            BUILD.to_vec()
        };
        let programs = [folder.join("debug/app")];
        heals(
            &world,
            caches(&world, &["--yes"]),
            &build,
            &folder,
            &programs,
        );
    }
}

#[test]
fn what_cannot_be_reached_is_named_and_the_end_is_not_good() {
    let world = poisoned();
    world.cargo(BUILD);
    let target = world.project().join("target");
    let outside = world.root().join("outside");
    fs::create_dir(&outside).unwrap();
    // A profile behind a link, and a further name of a program.
    fs::rename(target.join("debug"), outside.join("debug")).unwrap();
    symlink(outside.join("debug"), target.join("debug")).unwrap();
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 3, "{}", done.stdout);
    assert!(done.stdout.contains("target/debug"), "{}", done.stdout);
    assert!(
        done.report["left"][0]["why"]
            .as_str()
            .unwrap()
            .contains("link")
    );

    let world = poisoned();
    world.cargo(BUILD);
    fs::hard_link(
        target_of(&world).join("debug/app"),
        world.root().join("kept"),
    )
    .unwrap();
    let plan = heal(&world, &[]).run_raw();
    assert_eq!(plan.exit, 1);
    assert!(plan.stdout.contains("hard links"), "{}", plan.stdout);
}

fn target_of(world: &World) -> PathBuf {
    world.project().join("target")
}

#[test]
fn what_state_says_opens_no_folder_that_cargo_does_not_recognise() {
    let world = template().twin();
    world.untaint().run();
    poison(&world);
    world.cargo(BUILD);
    // Somebody writes into our state that the user's own folder is a build folder.
    let precious = world.root().join("precious");
    copy_tree(&target_of(&world).join("debug"), &precious.join("debug"));
    fs::remove_dir_all(target_of(&world)).unwrap();
    let state = world.state().join("state");
    let seen = fs::read_dir(&state).unwrap().map(|e| e.unwrap().path());
    let seen: Vec<PathBuf> = seen
        .filter(|p| {
            p.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("seen-")
        })
        .collect();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let text = fs::read_to_string(&seen[0]).unwrap();
    let forged = text.replacen(
        "\"roots\":[",
        &format!("\"roots\":[{{\"id\":\"target\",\"path\":{precious:?},\"build\":true}},{{\"id\":\"x\",\"path\":\"/../etc\",\"build\":true}},"),
        1,
    );
    assert_ne!(text, forged);
    fs::write(&seen[0], forged).unwrap();
    let before = super::world::image(&precious, true);
    let done = caches(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 1, "{}", done.stdout);
    let left = done.report["left"].as_array().unwrap();
    assert!(!left.is_empty() && left.iter().all(|l| l["tainted"] == true));
    assert!(
        left.iter()
            .all(|l| l["path"].as_str().unwrap().contains("precious"))
    );
    let same = super::world::differences(&before, &super::world::image(&precious, true));
    assert!(same.is_empty(), "{same:#?}");
}

#[test]
fn everything_that_was_reached_is_put_back() {
    let world = poisoned();
    world.cargo(BUILD);
    let target = world.project().join("target");
    let before = super::world::image(&target, true);
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.stdout);
    assert!(!target.join("debug/app").exists());
    super::world::restored(&world);
    let mut after = super::world::image(&target, true);
    after.retain(|path, _| !path.starts_with(".untaint-quarantine"));
    let same = super::world::differences(&before, &after);
    assert!(same.is_empty(), "{same:#?}");
    is_evil(&target.join("debug/app"));
}
