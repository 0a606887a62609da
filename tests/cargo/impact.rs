//! `untaint impact`: where something is, what was built from it, and what "nowhere" is worth.

use serde_json::Value;

use crate::healing::world::{command, flip, heal, template};
use crate::support::{Scan, World};

/// Asks; the answer fits the schema that the program prints.
fn impact(world: &World, what: &str) -> Scan {
    let answer = command(world, &["impact", what, "--offline", "--json"]).run_raw();
    if answer.exit != 2 {
        let schema = command(world, &["schema", "impact"]).run_raw().stdout;
        let mut compiler = boon::Compiler::new();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        compiler.add_resource("urn:test", schema).unwrap();
        let mut schemas = boon::Schemas::new();
        let index = compiler.compile("urn:test", &mut schemas).unwrap();
        let fits = schemas.validate(&answer.report, index);
        assert!(fits.is_ok(), "{}", answer.stdout);
    }
    answer
}

fn places(scan: &Scan) -> Vec<(String, String)> {
    let rows = scan.report["places"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            (text("kind"), text("path"))
        })
        .collect()
}

#[test]
fn a_package_is_found_in_locks_caches_build_folders_and_the_quarantine() {
    let world = template().twin();
    let before = impact(&world, "pkg:cargo/beta@1.0.0");
    assert_eq!(
        before.exit,
        3,
        "nothing is recorded yet: {}",
        before.story()
    );
    world.build_and_run();
    world.untaint().run().is_clean();
    let there = impact(&world, "pkg:cargo/beta@1.0.0");
    assert_eq!(there.exit, 1, "{}", there.story());
    assert_eq!(there.report["schema"], "untaint.impact/1");
    let found = places(&there);
    let archive = world.archive("beta", "1.0.0").display().to_string();
    let tree = world.tree("beta", "1.0.0").display().to_string();
    assert!(
        found.contains(&("archive".into(), archive.clone())),
        "{found:?}"
    );
    assert!(found.contains(&("tree".into(), tree)), "{found:?}");
    assert!(
        found
            .iter()
            .any(|(kind, path)| kind == "lockfile-hash" && path.ends_with("Cargo.lock")),
        "{found:?}"
    );
    let built = there.report["built"].as_array().unwrap();
    assert!(
        built.iter().any(|b| b["parts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| { p.as_str().unwrap().contains("beta") })),
        "{}",
        there.stdout
    );
    let page = command(&world, &["impact", "pkg:cargo/beta", "--offline"]).run_raw();
    assert!(page.stdout.contains("built from it: "), "{}", page.stdout);
    let nowhere = impact(&world, "pkg:cargo/beta@9.9.9");
    assert_eq!(nowhere.exit, 0, "{}", nowhere.story());

    flip(&world, "beta", "1.0.0");
    let scan = world.untaint().run();
    let id = scan.findings()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(heal(&world, &["--yes"]).run_raw().exit, 0);
    let after = impact(&world, &id);
    assert_eq!(after.exit, 1, "{}", after.story());
    let kept = after.report["quarantine"].as_array().unwrap();
    assert_eq!(kept.len(), 1, "{}", after.stdout);
    assert_eq!(kept[0]["package"], "beta");
    assert!(
        places(&after)
            .iter()
            .any(|(kind, _)| kind == "lockfile-hash"),
        "{}",
        after.stdout
    );
    let places = after.report["places"].as_array().unwrap();
    assert!(
        places.iter().all(|p| p["outcome"] == "verified"),
        "{}",
        after.stdout
    );
    assert!(
        kept[0]["was"]
            .as_array()
            .unwrap()
            .contains(&Value::from(archive))
    );
    // By the bytes that were there.
    let digest = scan.findings()[0]["observed"].as_str().unwrap().to_owned();
    let bytes = impact(&world, &digest);
    assert_eq!(
        bytes.report["quarantine"].as_array().unwrap().len(),
        1,
        "{}",
        bytes.stdout
    );
    // The page for people.
    let page = command(&world, &["impact", "pkg:cargo/beta", "--offline"]).run_raw();
    for word in [
        "beta 1.0.0 (cargo)",
        "archive",
        "unpacked",
        "locked by",
        "quarantined",
    ] {
        assert!(page.stdout.contains(word), "{word}: {}", page.stdout);
    }
}

#[test]
fn an_advisory_of_today_finds_what_was_seen_yesterday() {
    let world = template().twin();
    world.untaint().run().is_clean();
    let unknown = impact(&world, "RUSTSEC-2999-0001");
    assert_eq!(unknown.exit, 2, "{}", unknown.story());
    // A real advisory of the embedded snapshot, about nothing that is here.
    let known = impact(&world, "RUSTSEC-2021-0003");
    assert_eq!(known.exit, 0, "{}", known.story());
}

#[test]
fn nowhere_is_not_said_by_scans_that_could_not_have_seen_it() {
    let world = template().twin();
    world
        .untaint()
        .args(&["--ecosystem", "go", "--allow-empty"])
        .run_raw();
    let narrow = impact(&world, "pkg:cargo/beta@1.0.0");
    assert_eq!(narrow.exit, 3, "{}", narrow.story());
    assert!(
        narrow.report["blind"]
            .as_str()
            .unwrap()
            .contains("--ecosystem"),
        "{}",
        narrow.stdout
    );
    world.untaint().run().is_clean();
    assert_eq!(impact(&world, "pkg:cargo/zeta").exit, 0);
    let other = impact(&world, "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_eq!(other.exit, 3, "{}", other.story());
}

#[test]
fn who_wants_no_record_has_none() {
    let world = template().twin();
    let config = world.state().join("config.toml");
    crate::support::write_file(&config, "sightings = false\n");
    world.untaint().run().is_clean();
    let none = impact(&world, "pkg:cargo/beta");
    assert_eq!(none.exit, 3, "{}", none.story());
    assert!(none.stderr.is_empty(), "{}", none.stderr);
    let bad = impact(&world, "beta");
    assert_eq!(bad.exit, 2, "{}", bad.story());
}
