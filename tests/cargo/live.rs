//! The one test that leaves the machine, and only when asked: `UNTAINT_LIVE=1`.
//!
//! It fetches a few small crates from the default registry with real cargo and audits them against the
//! live index. Without the variable it checks that the default run is the one that stays at home.

use crate::support::{Source, Untaint, World, write_file};

#[test]
fn a_real_project_is_verified_against_the_live_index_when_asked() {
    let world = World::new(Source::Mirror);
    if std::env::var_os("UNTAINT_LIVE").is_none() {
        let settings = std::fs::read_to_string(world.cargo_home().join("config.toml")).unwrap();
        assert!(
            settings.contains("127.0.0.1"),
            "the default run stays on the loopback interface"
        );
        return;
    }
    std::fs::remove_file(world.cargo_home().join("config.toml")).unwrap();
    world.manifest(
        &[("itoa", "1"), ("ryu", "1"), ("fnv", "1")],
        "fn main() {}\n",
    );
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    let scan = |world: &World| {
        Untaint::bare(world)
            .arg("scan")
            .arg(world.project())
            .args(&["--json", "--no-advisories"])
    };
    let clean = scan(&world).run();
    clean.is_clean();
    assert_eq!(clean.count("verified"), 12, "{}", clean.story());
    let lib = world.tree("fnv", &version(&world, "fnv")).join("lib.rs");
    write_file(&lib, "pub fn evil() {}\n");
    scan(&world).run().finds(&["tree-modified"], "lib.rs");
}

/// The locked version of a crate.
fn version(world: &World, name: &str) -> String {
    let text = std::fs::read_to_string(world.lockfile()).unwrap();
    let at = text
        .find(&format!("name = \"{name}\"\nversion = \""))
        .unwrap();
    let rest = &text[at..];
    rest.split('"').nth(3).unwrap().to_owned()
}
