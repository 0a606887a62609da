//! Which registry a cache folder belongs to is computed from its name: by the rules of new and old
//! cargo, for the sparse and the git form of the default index, and for nobody else.

use std::fs;

use serde_json::json;
use tame_index::index::{git::CRATES_IO_INDEX, sparse::CRATES_IO_HTTP_INDEX};
use tame_index::utils::url_to_local_dir;

use crate::support::{Source, World, copy_tree, git, standard_crates, write_file};
use crate::tamper::home_template;

/// The standard world as if its crates had come from the default registry itself: the folders carry
/// the default index's name, and no setting speaks of a replacement.
fn default_registry(index: &str, stable: bool) -> World {
    let world = World::clean(Source::Mirror);
    let name = url_to_local_dir(index, stable).unwrap().dir_name;
    for kind in ["cache", "src", "index"] {
        let old = world.registry_folder(kind);
        fs::rename(&old, old.with_file_name(&name)).unwrap();
    }
    write_file(&world.cargo_home().join("config.toml"), "");
    world
}

#[test]
fn new_and_old_names_of_the_default_registry_are_known() {
    for index in [CRATES_IO_HTTP_INDEX, CRATES_IO_INDEX] {
        for stable in [true, false] {
            let world = default_registry(index, stable);
            let scan = world.untaint().run();
            scan.is_clean();
            assert_eq!(
                scan.count("verified"),
                13,
                "{index} {stable}\n{}",
                scan.story()
            );
            let file = world.tree("beta", "1.0.0").join("src/lib.rs");
            write_file(&file, "pub fn name() -> &'static str { \"EVIL\" }\n");
            world
                .untaint()
                .run()
                .finds(&["tree-modified"], "src/lib.rs");
        }
    }
}

#[test]
fn a_folder_of_no_known_registry_is_unpinned() {
    let world = home_template().twin();
    for kind in ["cache", "src", "index"] {
        let folder = world.registry_folder(kind);
        copy_tree(
            &folder,
            &folder.with_file_name("registry.example-0123456789abcdef"),
        );
    }
    // No project could load from it: what is locked is verified …
    world.untaint().run().is_clean();
    // … but the whole cache is not.
    let scan = world
        .untaint()
        .without_project(&world)
        .arg("--caches")
        .run();
    scan.exits(3);
    assert!(scan.unverifiable("unpinned-root") >= 6, "{}", scan.story());
}

#[test]
fn a_registry_that_shares_the_host_is_not_the_pinned_one() {
    // Same server, another path: another registry, with another folder name.
    let world = home_template().twin();
    let trust = fs::read_to_string(world.trust_file()).unwrap();
    write_file(&world.trust_file(), trust.replace("/index/", "/other/"));
    let scan = world.untaint().run();
    scan.exits(3);
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
}

#[test]
fn listings_of_other_formats_are_said_not_guessed() {
    let world = home_template().twin();
    let path = world.index_entry("beta");
    let bytes = fs::read(&path).unwrap();
    for first in [1_u8, 2, 4, 255] {
        let mut changed = bytes.clone();
        changed[0] = first;
        write_file(&path, &changed);
        let scan = world.untaint().run();
        // Cargo ignores a cache file of another version, and so it cannot mislead it.
        assert!(matches!(scan.exit, 0 | 3), "{first}\n{}", scan.story());
        assert_eq!(scan.count("tainted"), 0, "{first}\n{}", scan.story());
        assert!(
            scan.report.to_string().contains("/beta"),
            "{first} is said\n{}",
            scan.story()
        );
    }
}

#[test]
fn a_listing_with_another_entity_tag_is_only_another_copy() {
    let world = home_template().twin();
    let path = world.index_entry("beta");
    let bytes = fs::read(&path).unwrap();
    let end = 5 + bytes[5..].iter().position(|byte| *byte == 0).unwrap();
    let other = [
        &bytes[..5],
        b"last-modified: Mon, 06 May 2024 07:08:09 GMT",
        &bytes[end..],
    ];
    write_file(&path, other.concat());
    world.untaint().run().is_clean();
}

#[test]
fn index_settings_that_lead_downloads_elsewhere_are_never_clean() {
    let world = home_template().twin();
    let path = world.registry_folder("index").join("config.json");
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    value["dl"] = json!("https://evil.registry.example/dl");
    write_file(&path, value.to_string());
    let scan = world.untaint().run();
    assert!(matches!(scan.exit, 1 | 3), "{}", scan.story());
    assert!(scan.names("config.json"), "{}", scan.story());
}

#[test]
fn a_mirror_may_serve_archives_from_an_address_of_its_own() {
    let world = World::new(Source::Mirror);
    let template = format!(
        "{}/dl/{{crate}}/{{version}}/download",
        world.registry.origin()
    );
    world.registry.download_from(&template);
    for release in standard_crates() {
        world.publish(&release);
    }
    world.manifest(&[("alpha", "1"), ("gamma", "0.3")], "fn main() {}\n");
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    let path = world.registry_folder("index").join("config.json");
    let good = fs::read_to_string(&path).unwrap();
    assert!(good.contains("{crate}"), "{good}");
    world.untaint().run().is_clean();
    // In the mirror's own folder nothing but the mirror's answer is right.
    let evil = good.replace("/dl/", "/evil/");
    write_file(&path, &evil);
    world
        .untaint()
        .run()
        .finds(&["metadata-poisoned"], "config.json");
    write_file(&path, &good);
    world.untaint().run().is_clean();
}

#[test]
fn where_a_mirror_is_asked_the_registry_s_own_settings_are_no_alarm_and_not_verified() {
    let world = default_registry(CRATES_IO_HTTP_INDEX, true);
    let before = world.untaint().run();
    before.is_clean();
    // What cargo kept when it last asked the registry itself.
    let path = world.registry_folder("index").join("config.json");
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    value["dl"] = json!("https://static.registry.example/crates");
    write_file(&path, value.to_string());
    let scan = world.untaint().run();
    scan.exits(3).is_no_alarm();
    assert_eq!(scan.unverifiable("no-record"), 1, "{}", scan.story());
    assert_eq!(
        scan.count("verified"),
        before.count("verified") - 1,
        "{}",
        scan.story()
    );
    let told = scan
        .notices()
        .iter()
        .any(|notice| notice["message"].to_string().contains("mirror"));
    assert!(told, "{}", scan.story());
}

#[test]
fn packed_git_objects_are_read_like_loose_ones() {
    let world = home_template().twin();
    let only = |folder: std::path::PathBuf| {
        let mut found: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        found.retain(|path| path.is_dir());
        found.remove(0)
    };
    let database = only(world.cargo_home().join("git/db"));
    let checkout = only(only(world.cargo_home().join("git/checkouts")));
    for repository in [&database, &checkout] {
        git(repository, &["repack", "-a", "-d", "--quiet"]);
        git(repository, &["prune-packed", "--quiet"]);
    }
    let scan = world.untaint().run();
    scan.exits(0);
    assert_eq!(scan.unverifiable("git"), 1, "{}", scan.story());
    write_file(
        &checkout.join("src/inner.rs"),
        "pub const NAME: &str = \"EVIL!\";\n",
    );
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/inner.rs");
}

#[test]
fn a_checkout_whose_objects_are_gone_is_not_called_declared() {
    let world = home_template().twin();
    let git = world.cargo_home().join("git");
    fs::remove_dir_all(git.join("db")).unwrap();
    let mut checkout = git.join("checkouts");
    for _ in 0..2 {
        checkout = fs::read_dir(&checkout)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
    }
    fs::remove_dir_all(checkout.join(".git/objects")).unwrap();
    fs::create_dir(checkout.join(".git/objects")).unwrap();
    let scan = world.untaint().run();
    assert!(matches!(scan.exit, 1 | 3), "{}", scan.story());
    assert_eq!(scan.unverifiable("git"), 0, "{}", scan.story());
}
