//! What is of no use to cargo and keeps it from building offline: made anew, or taken away and told as what it is.

use std::fs;
use std::path::PathBuf;

use super::world::{differences, heal, healed, image, restored, template};
use crate::support::World;

/// Makes the crate's cached listing, or the configuration of the index, of no use.
fn tear(world: &World, what: &str) -> PathBuf {
    let listing = world.index_entry("beta");
    let config = world.registry_folder("index").join("config.json");
    let (path, bytes) = match what {
        "a listing that ends early" => {
            let bytes = fs::read(&listing).unwrap();
            (listing, bytes[..40].to_vec())
        }
        "a listing of other bytes" => (listing, b"nothing of the kind\n".to_vec()),
        _ => (config, b"{}\n".to_vec()),
    };
    fs::write(&path, bytes).unwrap();
    path
}

const TORN: [&str; 3] = [
    "a listing that ends early",
    "a listing of other bytes",
    "a configuration that says nothing",
];

#[test]
fn what_cargo_cannot_use_is_made_anew() {
    for what in TORN {
        let other = template().twin();
        tear(&other, what);
        let offline = other.try_cargo(&["build", "--offline", "--locked"]);
        assert!(!offline.status.success(), "{what}: cargo builds with it");
        let world = template().twin();
        let path = tear(&world, what);
        let torn = fs::read(&path).unwrap();
        let scan = world.untaint().run();
        assert!(
            scan.names(&path.display().to_string()),
            "{what}: {}",
            scan.stdout
        );
        let before = image(&world.cargo_home(), true);
        let plan = heal(&world, &[]).run_raw();
        assert_eq!(plan.exit, 1, "{what}: {}", plan.stdout);
        let done = healed(&world, 0);
        assert_eq!(
            done.report["steps"][0]["ended"], "healed",
            "{what}: {}",
            done.stdout
        );
        assert_ne!(fs::read(&path).unwrap(), torn, "{what}");
        restored(&world);
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{what}: {same:#?}");
        healed(&world, 0);
        let offline = world.try_cargo(&["build", "--offline", "--locked"]);
        let said = String::from_utf8_lossy(&offline.stderr);
        assert!(offline.status.success(), "{what}: {said}");
        world.untaint().run().is_clean();
        let again = healed(&world, 0);
        assert_eq!(again.report["steps"].as_array().unwrap().len(), 0, "{what}");
    }
}

#[test]
fn offline_it_is_taken_away_and_told() {
    for what in TORN {
        let world = template().twin();
        world.untaint().run();
        let path = tear(&world, what);
        let done = heal(&world, &["--yes", "--offline"]).run_raw();
        let step = &done.report["steps"][0];
        assert_eq!(step["ended"], "removed", "{what}: {}", done.stdout);
        assert!(!path.exists(), "{what}");
        world.cargo(&["fetch", "--locked"]);
        world.untaint().run().is_clean();
    }
}
