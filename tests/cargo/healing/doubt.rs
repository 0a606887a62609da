//! What cannot be known of what was built: fingerprints that lie, programs that were installed, build scripts that ran. And
//! that a dry run says what other projects lose.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::world::{command, heal, template};
use crate::support::{Untaint, World, copy_tree, write_file};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";
const GOOD: &str = "alpha-beta gamma";

/// A twin of the clean world in which `beta` says EVIL, built by cargo.
fn built() -> World {
    let world = template().twin();
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL);
    assert!(world.build_and_run().contains("EVIL"));
    world
}

fn says(program: &Path) -> String {
    let output = Command::new(program).env_clear().output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Empties what fingerprints of this package say that it was built with; cargo does not care.
fn forget(world: &World, package: &str) -> usize {
    let mut emptied = 0;
    let folder = world.project().join("target/debug/.fingerprint");
    for unit in fs::read_dir(folder).unwrap() {
        let unit = unit.unwrap().path();
        let name = unit.file_name().unwrap().to_str().unwrap().to_owned();
        if name.rsplit_once('-').unwrap().0 != package {
            continue;
        }
        for file in fs::read_dir(unit).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
                json["deps"] = json!([]);
                fs::write(&path, json.to_string()).unwrap();
                emptied += 1;
            }
        }
    }
    emptied
}

#[test]
fn a_fingerprint_that_forgot_its_dependencies_hides_no_program() {
    for packages in [&["app"][..], &["alpha"], &["app", "alpha"]] {
        let world = built();
        for package in packages {
            assert_eq!(forget(&world, package), 1, "{package}");
        }
        assert!(
            world.build_and_run().contains("EVIL"),
            "cargo calls it fresh"
        );
        let program = world.project().join("target/debug/app");
        let done = heal(&world, &["--yes"]).run_raw();
        assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
        assert!(!program.exists(), "{packages:?}: {}", says(&program));
        assert!(world.build_and_run().contains(GOOD), "{packages:?}");
    }
}

#[test]
fn what_was_built_before_stays() {
    let world = template().twin();
    // gamma alone, long before beta.
    world.cargo(&["build", "--quiet", "--locked", "--offline", "-p", "gamma"]);
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL);
    assert!(world.build_and_run().contains("EVIL"));
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    let built = world.cargo(&["build", "--locked", "--offline", "-v"]);
    assert!(built.contains("Fresh gamma"), "{built}");
    for crate_ in ["beta", "alpha", "app"] {
        assert!(built.contains(&format!("Compiling {crate_}")), "{built}");
    }
}

#[test]
fn that_its_build_script_ran_is_said_and_ends_well() {
    let world = template().twin();
    let script = world.tree("gamma", "0.3.1").join("build.rs");
    write_file(
        &script,
        "fn main() { println!(\"cargo:rustc-env=GAMMA=EVIL\"); }\n",
    );
    assert!(world.build_and_run().contains("EVIL"));
    for call in [heal(&world, &[]), heal(&world, &["--yes"])] {
        let done = call.run_raw();
        let notes = done.report["notes"].to_string();
        assert!(
            notes.contains("its build script ran here"),
            "{}",
            done.stdout
        );
        assert!(notes.contains("target/debug/build/gamma-"), "{notes}");
        if done.report["dry_run"] == json!(false) {
            assert_eq!(done.exit, 0, "{}", done.story());
        }
    }
    assert!(world.build_and_run().contains(GOOD));
    let clean = heal(&world, &["--yes"]).run_raw();
    assert_eq!(clean.report["notes"], json!([]), "{}", clean.stdout);
}

#[test]
fn an_installed_program_is_told_with_the_command_that_makes_it_anew() {
    let world = built();
    let project = world.project();
    let place = project.to_str().unwrap();
    world.cargo(&[
        "install",
        "--quiet",
        "--offline",
        "--locked",
        "--path",
        place,
    ]);
    let program = world.cargo_home().join("bin/app");
    assert!(says(&program).contains("EVIL"));
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 3, "{}\n{}", done.story(), done.stdout);
    let left = done.report["left"].as_array().unwrap();
    assert_eq!(left.len(), 1, "{}", done.stdout);
    assert_eq!(left[0]["path"], json!(program));
    assert_eq!(left[0]["tainted"], json!(false));
    let why = left[0]["why"].as_str().unwrap();
    let line = why.split_once("hold what is tainted: ").unwrap().1;
    assert_eq!(line, format!("cargo install --force --path {place}"));
    let words: Vec<&str> = line.split(' ').skip(1).collect();
    world.cargo(&words);
    assert!(says(&program).contains("alpha-beta"), "{}", says(&program));
    let clean = heal(&world, &["--yes"]).run_raw();
    assert_eq!(clean.exit, 0, "{}", clean.story());
}

#[test]
fn an_installed_program_that_does_not_name_it_is_nobodys_business() {
    let world = template().twin();
    let project = world.project();
    world.cargo(&[
        "install",
        "--quiet",
        "--offline",
        "--locked",
        "--path",
        project.to_str().unwrap(),
    ]);
    fs::write(
        world.lockfile(),
        fs::read_to_string(world.lockfile()).unwrap(),
    )
    .unwrap();
    // Of another project.
    let other = world.root().join("other");
    write_file(
        &other.join("Cargo.toml"),
        "[package]\nname = \"lone\"\nversion = \"0.1.0\"\n",
    );
    write_file(&other.join("src/main.rs"), "fn main() {}\n");
    world.cargo(&["uninstall", "--quiet", "app"]);
    world.cargo(&[
        "install",
        "--quiet",
        "--offline",
        "--path",
        other.to_str().unwrap(),
    ]);
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL);
    let done = heal(&world, &["--yes"]).run_raw();
    let told = format!("{}{}", done.report["left"], done.report["notes"]);
    // Cargo wrote a lockfile for it, or not: either way nothing is claimed of it that is not so.
    assert!(!told.contains("it may hold what is tainted"), "{told}");
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
}

/// The page for people.
fn page(world: &World, more: &[&str]) -> Untaint {
    command(world, &["heal"])
        .arg(world.project())
        .args(&["--no-advisories", "--trust"])
        .arg(world.trust_file())
        .args(more)
}

#[test]
fn a_dry_run_says_what_other_projects_lose() {
    let world = built();
    let other = world.root().join("other");
    copy_tree(&world.project(), &other);
    fs::remove_dir_all(other.join("target")).unwrap();
    let mut build = world.cargo_command(&["build", "--quiet", "--locked", "--offline"]);
    assert!(build.current_dir(&other).status().unwrap().success());
    let seen = command(&world, &["scan"])
        .arg(&other)
        .args(&["--no-advisories", "--trust"])
        .arg(world.trust_file())
        .run_raw();
    assert_eq!(seen.exit, 1, "{}", seen.story());
    let short = page(&world, &[]).run_raw();
    assert_eq!(short.exit, 1, "{}", short.story());
    let line = |folder: PathBuf| {
        let start = format!("{}: ", folder.display());
        let mut lines = short.stdout.lines();
        let found = lines.find(|l| l.contains("derived") && l.contains(&start));
        found
            .unwrap_or_else(|| panic!("{}", short.stdout))
            .to_owned()
    };
    let (own, theirs) = (
        line(world.project().join("target")),
        line(other.join("target")),
    );
    for told in [&own, &theirs] {
        assert!(told.contains(" parts, with debug/app"), "{told}");
    }
    assert!(!own.contains("not named"), "{own}");
    assert!(theirs.contains("not named by this call"), "{theirs}");
    assert!(!short.stdout.contains(".fingerprint"), "{}", short.stdout);
    let long = page(&world, &["-v"]).run_raw();
    for part in [
        "target/debug/.fingerprint/beta-",
        "target/debug/deps/libbeta-",
    ] {
        let whole = format!("{}/{part}", other.display());
        assert!(long.stdout.contains(&whole), "{}", long.stdout);
    }
}
