//! How a heal ends: it never says that all is clean beside something that a scan would not let pass, and it names all of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::world::{command, differences, flip, heal, healed, image, restored, template};
use crate::support::{Scan, World, write_file};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";
const GOOD: &str = "alpha-beta gamma";

/// The page of `untaint heal --yes`, and how it ended.
fn page(world: &World, more: &[&str]) -> (i32, String) {
    let call = command(world, &["heal"])
        .arg(world.project())
        .args(&["--yes", "--no-advisories", "--trust"])
        .arg(world.trust_file())
        .args(more);
    let done = call.run_raw();
    (done.exit, done.stdout)
}

/// A link stands for this folder of the cargo home, and leads to the folder itself somewhere else.
fn led_away(world: &World, below: &str) -> PathBuf {
    let folder = world.cargo_home().join(below);
    let away = world.root().join("away");
    fs::rename(&folder, &away).unwrap();
    symlink(&away, &folder).unwrap();
    folder
}

fn by_hand<'a>(done: &'a Scan, code: &str) -> Vec<&'a serde_json::Value> {
    let all = done.report["by_hand"].as_array().unwrap();
    all.iter().filter(|f| f["code"] == code).collect()
}

#[test]
fn a_link_above_unpacked_crates_is_taken_away_with_what_was_built_behind_it() {
    for below in ["registry/src", "registry/src/<index>"] {
        let world = template().twin();
        let index = world.registry_folder("src");
        let below = below.replace("<index>", &index.file_name().unwrap().to_string_lossy());
        let folder = led_away(&world, &below);
        write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL);
        let said = world.build_and_run();
        assert!(said.contains("EVIL"), "{below}: {said}");
        assert_eq!(world.untaint().run_raw().exit, 1, "{below}");
        let before = image(&world.cargo_home(), true);
        let plan = heal(&world, &[]).run_raw();
        assert_eq!(plan.exit, 1, "{}", plan.story());
        let done = healed(&world, 0);
        assert_eq!(done.report["verdict"]["result"], "clean", "{}", done.stdout);
        assert!(fs::symlink_metadata(&folder).is_err(), "{below} stays");
        let said = world.build_and_run();
        assert!(said.contains(GOOD), "{below}: {said}");
        world.untaint().run().is_clean();
        fs::remove_dir_all(world.cargo_home().join("registry/src")).unwrap();
        if below != "registry/src" {
            fs::create_dir(world.cargo_home().join("registry/src")).unwrap();
        }
        restored(&world);
        // The folder above was made anew by this test, where there is one.
        let mut same = differences(&before, &image(&world.cargo_home(), true));
        same.retain(|line| !line.starts_with("registry/src: ") && !line.starts_with("registry: "));
        assert!(same.is_empty(), "{below}: {same:#?}");
    }
}

#[test]
fn a_link_above_archives_is_left_to_the_user_and_ends_one() {
    for below in ["registry/cache", "registry/index"] {
        let world = template().twin();
        let folder = led_away(&world, below);
        let before = image(&world.cargo_home(), true);
        let done = healed(&world, 1);
        let links = by_hand(&done, "link-escape");
        let path = Path::new(links[0]["path"].as_str().unwrap());
        assert_eq!(path, folder, "{}", done.stdout);
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{below}: {same:#?}");
        let (exit, text) = page(&world, &[]);
        assert_eq!(exit, 1, "{text}");
        assert!(text.contains("left to you: link-escape"), "{text}");
        assert!(!text.contains("clean"), "{text}");
    }
}

#[test]
fn what_others_can_write_is_left_to_the_user_with_the_command_that_mends_it() {
    let world = template().twin();
    let path = world.archive("beta", "1.0.0");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let done = healed(&world, 1);
    let open = by_hand(&done, "cache-writable-by-others");
    let remedy = open[0]["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("chmod "), "{remedy}");
    let (exit, text) = page(&world, &["-q"]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("now: findings (1 place finding)"), "{text}");
    let mended = Command::new("sh").args(["-c", remedy]).status().unwrap();
    assert!(mended.success());
    let done = healed(&world, 0);
    assert_eq!(done.report["verdict"]["result"], "clean");
}

#[test]
fn beside_what_it_cannot_heal_it_never_says_clean() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    // Every lockfile finding and every integrity finding is gone afterwards; what the settings say is not heal's.
    let settings = world.project().join(".cargo/config.toml");
    let text = fs::read_to_string(&settings).unwrap_or_default();
    write_file(
        &settings,
        format!("{text}\n[build]\nrustc-wrapper = \"/nowhere/wrapper\"\n"),
    );
    let scan = world.untaint().run_raw();
    assert!(
        scan.codes().contains(&"code-in-settings"),
        "{}",
        scan.stdout
    );
    let (exit, text) = page(&world, &[]);
    assert_eq!(exit, 0, "{text}");
    assert!(
        text.contains("after it: nothing is left for heal; a scan still reports 1 source finding"),
        "{text}"
    );
    assert!(!text.contains("clean"), "{text}");
    let done = healed(&world, 0);
    assert_eq!(done.report["verdict"]["result"], "done");
    assert_eq!(done.report["verdict"]["beside"][0], "1 source finding");
    assert_eq!(world.untaint().run_raw().exit, 1);
}

#[test]
fn an_end_that_is_incomplete_names_every_place_and_what_to_do() {
    let world = template().twin();
    let folder = world.registry_folder("cache");
    let odd = folder.join("nobody.crate");
    fs::copy(world.archive("beta", "1.0.0"), &odd).unwrap();
    let done = healed_everywhere(&world);
    assert_eq!(done.exit, 3, "{}\n{}", done.story(), done.stdout);
    let open = done.report["unverified"].as_array().unwrap();
    let named = open.iter().find(|o| o["path"] == odd.to_str().unwrap());
    let named = named.unwrap_or_else(|| panic!("{}", done.stdout));
    assert_eq!(named["reason"], "unbound");
    assert!(named["do"].as_str().unwrap().contains("remove it"));
    let (exit, text) = page(&world, &["--caches"]);
    assert_eq!(exit, 3, "{text}");
    let line = format!("unbound: {}", odd.display());
    assert!(text.contains(&line), "{text}");
    assert!(text.contains("could not be verified (unbound)"), "{text}");
}

fn healed_everywhere(world: &World) -> Scan {
    heal(world, &["--yes", "--caches"]).run_raw()
}
