//! Where nobody from outside can be asked: weaker words never make a thing verified, but what
//! contradicts them is a taint all the same.

use std::fs;

use crate::support::{Crate, Source, World, git, git_repository, standard_crates, write_file};
use crate::tamper::{home_template, vendor_template};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

fn replaced() -> World {
    let world = home_template().twin();
    let evil = Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()));
    write_file(&world.archive("beta", "1.0.0"), evil);
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    world
}

#[test]
fn an_archive_that_contradicts_the_lockfile_is_tainted_even_offline() {
    let scan = replaced().untaint().arg("--offline").run();
    scan.finds(&["archive-tampered"], "beta-1.0.0.crate");
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
}

#[test]
fn an_archive_that_contradicts_the_lockfile_is_tainted_even_of_an_unpinned_registry() {
    let world = replaced();
    write_file(&world.trust_file(), "");
    let scan = world.untaint().run();
    scan.finds(&["archive-tampered"], "beta-1.0.0.crate");
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
}

#[test]
fn a_tree_that_contradicts_its_archive_is_tainted_even_offline() {
    let world = home_template().twin();
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), EVIL);
    let scan = world.untaint().arg("--offline").run();
    scan.finds(&["tree-modified"], "src/lib.rs");
}

#[test]
fn declared_is_enough_only_when_the_user_says_so() {
    let world = home_template().twin();
    let scan = world
        .untaint()
        .args(&["--offline", "--require", "declared"])
        .run();
    // Archives and trees agree with the lockfile; the cached listings have nobody to speak for them.
    assert!(scan.count("verified") >= 6, "{}", scan.story());
    assert!(matches!(scan.exit, 0 | 3), "{}", scan.story());
    assert!(
        scan.report["run"]["weakened"]
            .to_string()
            .contains("require"),
        "{}",
        scan.story()
    );
}

#[test]
fn authenticated_is_more_than_any_crates_index_can_say() {
    let world = home_template().twin();
    let scan = world.untaint().args(&["--require", "authenticated"]).run();
    scan.exits(3);
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
}

#[test]
fn a_vendor_folder_offline_is_incomplete_not_clean() {
    let scan = vendor_template().twin().untaint().arg("--offline").run();
    scan.exits(3);
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
}

/// A registry in the old form: a git repository of rows.
fn git_registry() -> World {
    let world = World::new(Source::Alternate);
    let index = world.root().join("index-repository");
    let address = "https://git.registry.example/index.git";
    let download = format!("{}/dl", world.registry.origin());
    let mut files = vec![(
        "config.json".to_owned(),
        format!("{{\"dl\":\"{download}\",\"api\":\"\"}}"),
    )];
    for release in standard_crates() {
        world.registry.publish_default(&release);
    }
    for (path, bytes) in world.registry.answers() {
        if let Some(rest) = path.strip_prefix("index/") {
            files.push((rest.to_owned(), String::from_utf8(bytes).unwrap()));
        }
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    git_repository(&index, &files);
    git(&index, &["branch", "--move", "--force", "master"]);
    world.git_address(address, &index);
    write_file(
        &world.cargo_home().join("config.toml"),
        format!("[registries.loop]\nindex = \"{address}\"\n"),
    );
    write_file(
        &world.trust_file(),
        format!("[[root]]\necosystem = \"cargo\"\nrole = \"index\"\nurl = \"{address}\"\n"),
    );
    world.manifest(&[("beta", "1"), ("gamma", "0.3")], "fn main() {}\n");
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    world
}

#[test]
fn a_registry_in_git_form_is_never_clean_by_its_own_word() {
    let world = git_registry();
    assert!(
        world.index_entry("beta").exists(),
        "cargo keeps rows beside the repository"
    );
    let scan = world.untaint().arg("--offline").run();
    scan.exits(3).is_no_alarm();
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
    assert_eq!(
        scan.unverifiable("unsupported"),
        1,
        "the repository that its packages are looked up in is told in a scan of the project\n{}",
        scan.story()
    );
    let evil = Crate::lib("beta", "1.0.0", EVIL).archive(None);
    write_file(&world.archive("beta", "1.0.0"), evil);
    let scan = world.untaint().arg("--offline").run();
    scan.finds(&["archive-tampered"], "beta-1.0.0.crate");
}
