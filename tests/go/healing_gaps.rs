//! Healing where something is missing or leads away: folders that are links, a module of which only the tree is there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::healing::{heal, picture, untaint};
use crate::module::Module;
use crate::world::{EVIL, World};

/// A link stands for this folder of the module cache, and leads to the folder itself somewhere else.
fn led_away(world: &World, below: &str) -> PathBuf {
    let folder = world.at(&world.cached(below));
    let away = world.at("away");
    fs::rename(&folder, &away).unwrap();
    symlink(&away, &folder).unwrap();
    folder
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_link_above_unpacked_modules_is_taken_away() {
    let world = World::built();
    world.scan(&[]).is_clean();
    let folder = led_away(&world, "registry.example");
    fs::write(world.at("away/!greet@v1.0.0/greet.go"), EVIL).unwrap();
    world.forget_builds();
    assert!(world.runs().contains("EVIL"));
    let scan = world.scan(&[]);
    scan.finds(&["link-escape"], "registry.example");
    assert_eq!(scan.unverifiable("unbound"), 1, "{}", scan.stdout);
    let (code, _, text) = heal(&world, &[]);
    assert_eq!(code, 1, "{text}");
    let (code, done, text) = heal(&world, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(done["verdict"]["result"], "clean", "{text}");
    assert!(fs::symlink_metadata(&folder).is_err(), "{text}");
    let said = world.runs();
    assert!(said.contains("hi words 1"), "{said}");
    world.scan(&[]).is_clean();
    fs::remove_dir_all(&folder).unwrap();
    let (code, text) = untaint(&world, &["restore", "last", "--yes"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(fs::read_link(&folder).unwrap(), world.at("away"));
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_link_above_downloads_is_left_to_the_user_and_ends_one() {
    for below in [
        "cache/download/registry.example",
        "cache/download/registry.example/!greet/@v",
    ] {
        let world = World::built();
        let folder = led_away(&world, below);
        let (code, done, text) = heal(&world, &["--yes"]);
        assert_eq!(code, 1, "{below}: {text}");
        let by_hand = done["by_hand"].as_array().unwrap();
        let link = by_hand.iter().find(|f| f["code"] == "link-escape");
        let path = link.unwrap_or_else(|| panic!("{below}: {text}"))["path"].clone();
        assert!(path.as_str().unwrap().ends_with(below), "{path}");
        let open = done["unverified"].as_array().unwrap();
        assert!(
            open.iter().any(|o| o["reason"] == "unbound"),
            "{below}: {text}"
        );
        let target = fs::read_link(&folder).unwrap();
        assert_eq!(target, world.at("away"), "{below}");
    }
}

/// Images and caches of a CI service are often stripped of what was downloaded.
#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_tree_of_which_nothing_else_is_there_heals() {
    for evict in [false, true] {
        let world = World::built();
        world.scan(&[]).is_clean();
        let downloads = world.at(&world.cached("cache/download/registry.example/!greet"));
        fs::remove_dir_all(&downloads).unwrap();
        world.write(&world.tree("greet.go"), EVIL);
        world.forget_builds();
        let before = picture(&world);
        let more: &[&str] = if evict {
            &["--yes", "--evict"]
        } else {
            &["--yes"]
        };
        let (code, done, text) = heal(&world, more);
        assert_eq!(code, 0, "{text}");
        assert_eq!(done["verdict"]["result"], "clean", "{text}");
        assert!(!world.at(&world.tree("")).exists(), "{text}");
        assert_eq!(world.at(&world.download("zip")).exists(), !evict, "{text}");
        let (code, text) = untaint(&world, &["restore", "last", "--yes"]);
        assert_eq!(code, 0, "{text}");
        let after = picture(&world);
        let differ: Vec<_> = before
            .iter()
            .filter(|(path, was)| after.get(*path) != Some(was))
            .collect();
        assert!(differ.is_empty(), "{differ:?}");
        assert!(after.keys().eq(before.keys()), "{:?}", after.keys());
        let (code, _, text) = heal(&world, more);
        assert_eq!(code, 0, "{text}");
        let said = world.go(&["run", "."]);
        assert!(said.contains("hi words 1"), "{said}");
        world.scan(&[]).is_clean();
    }
}

/// A pull request writes another version into the vendor folder's own list.
#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_list_in_a_vendor_folder_chooses_no_version() {
    let world = World::built();
    world.proxy.publish(
        Module::new("registry.example/Greet", "v0.9.0")
            .file(
                "greet.go",
                "package greet\n\nfunc Hi() string { return \"old\" }\n",
            )
            .file("LICENSE", "free\n"),
    );
    world.go(&["mod", "vendor"]);
    world.scan(&[]).is_clean();
    let list = world.at("project/vendor/modules.txt");
    let text = fs::read_to_string(&list).unwrap();
    let other = text.replace(
        "registry.example/Greet v1.0.0",
        "registry.example/Greet v0.9.0",
    );
    assert_ne!(text, other);
    fs::write(&list, other).unwrap();
    let before = project(&world);
    let (code, done, text) = heal(&world, &["--yes", "--project"]);
    assert_eq!(code, 1, "{text}");
    assert_eq!(done["verdict"]["result"], "findings", "{text}");
    assert!(!done["by_hand"].as_array().unwrap().is_empty(), "{text}");
    assert_eq!(done["steps"], serde_json::json!([]), "{text}");
    assert_eq!(project(&world), before);
    // Consistent in itself: it is what was published, and yet not what the project requires.
    let old = "package greet\n\nfunc Hi() string { return \"old\" }\n";
    fs::write(
        world.at("project/vendor/registry.example/Greet/greet.go"),
        old,
    )
    .unwrap();
    let (code, done, text) = heal(&world, &["--yes", "--project"]);
    assert_eq!(code, 1, "{text}");
    assert_eq!(done["steps"], serde_json::json!([]), "{text}");
    // The version that the project requires is repaired as before.
    world.go(&["mod", "vendor"]);
    fs::write(
        world.at("project/vendor/registry.example/Greet/greet.go"),
        EVIL,
    )
    .unwrap();
    let (code, _, text) = heal(&world, &["--yes", "--project"]);
    assert_eq!(code, 0, "{text}");
    world.scan(&[]).is_clean();
}

/// Every file of the project.
fn project(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![world.at("project")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}
