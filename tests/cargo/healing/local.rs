//! A local registry in the project: it belongs to the user, and is repaired from the registry that it stands for when told to.

use std::fs;

use super::world::{differences, heal, image, restored};
use crate::support::{Source, World, copy_tree, sha256, write_file};

/// `project/local` holds the archives and stands in for the registry.
fn world() -> World {
    let world = World::clean(Source::Alternate);
    let local = world.project().join("local");
    for (path, bytes) in world.registry.answers() {
        if let Some(rest) = path.strip_prefix("index/") {
            write_file(&local.join("index").join(rest), bytes);
        }
    }
    copy_tree(&world.registry_folder("cache"), &local);
    fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
    write_file(
        &world.project().join(".cargo/config.toml"),
        format!(
            "[source.published]\nregistry = \"sparse+{}\"\nreplace-with = \"local\"\n\n[source.local]\nlocal-registry = \"local\"\n",
            world.registry.index_url()
        ),
    );
    world
}

#[test]
fn a_local_registry_is_repaired_when_told_to_and_put_back_exactly() {
    let world = world();
    let local = world.project().join("local");
    let archive = local.join("beta-1.0.0.crate");
    let good = sha256(&fs::read(&archive).unwrap());
    let mut bytes = fs::read(&archive).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let before = image(&local, true);

    let left = heal(&world, &["--yes"]).run_raw();
    assert_eq!(left.exit, 1, "{}", left.story());
    assert!(left.report["steps"].as_array().unwrap().is_empty());
    let remedy = left.report["by_hand"][0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("--project"), "{remedy}");
    let same = differences(&before, &image(&local, true));
    assert!(same.is_empty(), "{same:#?}");

    let done = heal(&world, &["--yes", "--project"]).run_raw();
    assert_eq!(done.exit, 0, "{}\n{}", done.story(), done.stdout);
    assert_eq!(done.report["steps"][0]["ended"], "healed");
    assert_eq!(sha256(&fs::read(&archive).unwrap()), good);
    let found = std::process::Command::new("find")
        .arg(world.project())
        .args(["-name", ".untaint-quarantine"])
        .output()
        .unwrap();
    assert!(
        found.stdout.is_empty(),
        "nothing of ours is left in a project"
    );

    restored(&world);
    let same = differences(&before, &image(&local, true));
    assert!(same.is_empty(), "{same:#?}");
    let again = heal(&world, &["--yes", "--project"]).run_raw();
    assert_eq!(again.exit, 0, "{}", again.story());
    assert!(world.build_and_run().contains("alpha-beta"));
    world.untaint().run().is_clean();
}
