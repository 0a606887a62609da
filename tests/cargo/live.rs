//! The tests that leave the machine, and only when asked: `UNTAINT_LIVE=1`.
//!
//! They fetch from the default registry with real cargo and audit against the live index. Without the
//! variable they check that the default run is the one that stays at home.

use std::fs;

use crate::support::{Source, Untaint, World, write_file};
use crate::taints::{Victim, run};

/// A world on the default registry itself, or nothing when the network was not asked for.
fn online() -> Option<World> {
    let world = World::new(Source::Mirror);
    if std::env::var_os("UNTAINT_LIVE").is_none() {
        let settings = fs::read_to_string(world.cargo_home().join("config.toml")).unwrap();
        assert!(
            settings.contains("127.0.0.1"),
            "the default run stays on the loopback interface"
        );
        return None;
    }
    fs::remove_file(world.cargo_home().join("config.toml")).unwrap();
    if let Some(bundle) = bundle() {
        world.cargo_variable("CARGO_HTTP_CAINFO", &bundle);
    }
    Some(world)
}

/// The certificates of a network that has its own.
fn bundle() -> Option<String> {
    std::env::var("SSL_CERT_FILE").ok()
}

fn scan(world: &World) -> Untaint {
    let call = Untaint::bare(world)
        .arg("scan")
        .arg(world.project())
        .args(&["--json", "--no-advisories"]);
    match bundle() {
        Some(bundle) => call.args(&["--ca-bundle", &bundle]),
        None => call,
    }
}

#[test]
fn a_real_project_is_verified_against_the_live_index_when_asked() {
    let Some(world) = online() else { return };
    world.manifest(
        &[("itoa", "1"), ("ryu", "1"), ("fnv", "1")],
        "fn main() {}\n",
    );
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    let clean = scan(&world).run();
    clean.is_clean();
    assert_eq!(clean.count("verified"), 13, "{}", clean.story());
    let lib = world.tree("fnv", &version(&world, "fnv")).join("lib.rs");
    write_file(&lib, "pub fn evil() {}\n");
    scan(&world).run().finds(&["tree-modified"], "lib.rs");
}

#[test]
fn a_real_project_of_some_hundred_crates_and_every_taint_of_the_list_when_asked() {
    let Some(world) = online() else { return };
    let wanted = [
        ("axum", "0.8"),
        ("wasmtime", "30"),
        ("tonic", "0.12"),
        ("image", "0.25"),
        ("reqwest", "0.12"),
        ("tracing-subscriber", "0.3"),
        ("ratatui", "0.29"),
        ("tera", "1"),
        ("actix-web", "4"),
    ];
    world.manifest(&wanted, "fn main() {}\n");
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    let locked = fs::read_to_string(world.lockfile())
        .unwrap()
        .matches("[[package]]")
        .count();
    assert!(locked >= 400, "only {locked} packages");
    let call = || scan(&world).within(std::time::Duration::from_secs(300));
    let clean = call().run();
    clean.is_clean();
    assert_eq!(
        clean.count("subjects"),
        clean.count("verified"),
        "{}",
        clean.story()
    );
    println!(
        "{locked} packages, {} subjects in {:?}",
        clean.count("subjects"),
        clean.took
    );
    call().arg("--offline").run().is_clean();
    let (itoa, fnv) = (version(&world, "itoa"), version(&world, "fnv"));
    let victim = Victim {
        world: &world,
        name: "itoa",
        version: &itoa,
        source: "src/lib.rs",
        other: ("fnv", &fnv),
    };
    run(&victim, &call);
    run(&victim, &|| call().arg("--offline"));
}

/// The locked version of a crate.
fn version(world: &World, name: &str) -> String {
    let text = fs::read_to_string(world.lockfile()).unwrap();
    let at = text
        .find(&format!("name = \"{name}\"\nversion = \""))
        .unwrap();
    text[at..].split('"').nth(3).unwrap().to_owned()
}
