//! Our own state folder, unusable, spoiled or poisoned: it costs memory of earlier runs, and never
//! changes a verdict for the better.

use std::fs;
use std::path::PathBuf;

use crate::bad_input::{planted, still_found};
use crate::support::{Source, World, write_file};
use crate::tamper::home_template;

#[test]
fn a_state_folder_that_cannot_be_used() {
    let file = |world: &World| {
        write_file(&world.root().join("file"), "in the way");
        world.root().join("file")
    };
    let below_file = |world: &World| {
        write_file(&world.root().join("file"), "in the way");
        world.root().join("file/state")
    };
    let nowhere = |_: &World| PathBuf::from("/proc/self/untaint");
    let full = |_: &World| PathBuf::from("/dev/full");
    let places: [&dyn Fn(&World) -> PathBuf; 4] = [&file, &below_file, &nowhere, &full];
    for place in places {
        let world = planted();
        let state = place(&world);
        let scan = world.untaint().env("UNTAINT_HOME", &state).run();
        still_found(&scan, &state.display().to_string());
        let world = home_template().twin();
        let state = place(&world);
        let scan = world.untaint().env("UNTAINT_HOME", &state).run();
        assert_eq!(scan.count("tainted"), 0, "{}", scan.story());
        assert!(
            matches!(scan.exit, 0 | 3),
            "{}: {}",
            state.display(),
            scan.story()
        );
        let said = scan.report.to_string() + &scan.stderr;
        assert!(
            said.contains(state.to_str().unwrap()),
            "not said\n{}",
            scan.story()
        );
    }
}

#[test]
fn a_state_folder_full_of_rubbish_changes_no_verdict() {
    let world = home_template().twin();
    world.untaint().run().is_clean();
    let mut spoiled = 0;
    let mut all = std::collections::BTreeMap::new();
    crate::fixtures::gather(&world.state(), &world.state(), &mut all);
    for (path, bytes) in &all {
        let rubbish: Vec<u8> = bytes
            .iter()
            .map(|byte| byte.wrapping_mul(31) ^ 0x5a)
            .collect();
        write_file(&world.state().join(path), rubbish);
        spoiled += 1;
    }
    assert!(spoiled > 0, "a first run remembers something");
    let scan = world.untaint().run();
    assert_eq!(scan.count("tainted"), 0, "{}", scan.story());
    assert!(matches!(scan.exit, 0 | 3), "{}", scan.story());
    let file = world.tree("beta", "1.0.0").join("src/notes.rs");
    write_file(&file, "// planted\n");
    for (path, bytes) in &all {
        write_file(&world.state().join(path), &bytes[..bytes.len() / 2]);
    }
    still_found(&world.untaint().run(), "a state cut in half");
}

#[test]
fn a_poisoned_state_does_not_reach_an_isolated_scan() {
    // A registry of its own, since it is going to lie.
    let world = World::clean(Source::Alternate);
    write_file(
        &world.tree("beta", "1.0.0").join("src/notes.rs"),
        "// planted\n",
    );
    // The state learns lies from a registry that lies, then the registry is honest again.
    let evil = "ab".repeat(32);
    let good = crate::support::sha256(&fs::read(world.archive("gamma", "0.3.1")).unwrap());
    world.registry.change_row("gamma", "0.3.1", |row| {
        row["cksum"] = serde_json::json!(evil);
    });
    let liar = world.untaint().run();
    liar.exits(1);
    world.registry.change_row("gamma", "0.3.1", |row| {
        row["cksum"] = serde_json::json!(good);
    });
    let isolated = world.untaint().arg("--isolated").run();
    still_found(&isolated, "isolated");
    let fresh = world.twin();
    fs::remove_dir_all(fresh.state()).unwrap();
    let without = fresh.untaint().arg("--isolated").run();
    assert_eq!(
        isolated.codes(),
        without.codes(),
        "{}\n{}",
        isolated.story(),
        without.story()
    );
    assert_eq!(
        isolated.count("verified"),
        without.count("verified"),
        "{}",
        isolated.story()
    );
    // Not isolated, the remembered word of a trusted root may stand against the lockfile and the bytes:
    // a finding in any case, never a verification.
    let both = world.untaint().run();
    assert_eq!(both.exit, 1, "{}", both.story());
    assert!(both.names("gamma"), "{}", both.story());
}
