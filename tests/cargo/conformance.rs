//! Every recorded fixture against what it is expected to give, whatever made it.
//!
//! The registry's recorded answers are served on the loopback interface and given to untaint as a
//! mirror of the recorded, pinned root: the lockfiles and folder names stay as cargo made them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::fixtures::gather;
use crate::support::{Scan, World, sha256, unpack, write_file};

/// Unpacks a fixture into a world of its own and scans it with these further arguments.
pub(crate) fn scan_fixture(tar: &Path, registry: &str, arguments: &[&str]) -> Scan {
    let world = World::recorded(registry.strip_suffix("/index/").unwrap());
    let folder = tempfile::tempdir().unwrap();
    unpack(&fs::read(tar).unwrap(), folder.path());
    fs::remove_dir_all(world.project()).unwrap();
    fs::remove_dir_all(world.cargo_home()).unwrap();
    fs::rename(folder.path().join("project"), world.project()).unwrap();
    fs::rename(folder.path().join("cargo"), world.cargo_home()).unwrap();
    let mut answers = BTreeMap::new();
    gather(
        &folder.path().join("registry"),
        &folder.path().join("registry"),
        &mut answers,
    );
    world.registry.replay(&answers);
    // Where the cache holds the index's settings, the mirror repeats them; where it holds none, downloads
    // come from the mirror itself.
    if !world.cargo_home().join("registry/index").exists() {
        world.registry.call_it(&world.registry.socket_origin());
    }
    write_file(
        &world.trust_file(),
        format!(
            "[[root]]\necosystem = \"cargo\"\nrole = \"index\"\nurl = \"{registry}\"\n\n[[mirror]]\nof = \
             \"sha256:{}\"\nurl = \"{}/index/\"\n",
            sha256(registry.as_bytes()),
            world.registry.socket_origin()
        ),
    );
    world.untaint().args(arguments).run()
}

#[test]
fn every_fixture_gives_what_it_is_expected_to_give() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cargo");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.retain(|path| path.extension().is_some_and(|end| end == "json"));
    names.sort();
    assert!(names.len() >= 10, "the fixtures are there: {names:?}");
    for path in names {
        let recorded: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let registry = recorded["registry"].as_str().unwrap();
        let scan = scan_fixture(&path.with_extension("tar"), registry, &[]);
        hold(&scan, &recorded["expect"], &path.display().to_string());
    }
}

fn hold(scan: &Scan, expect: &Value, name: &str) {
    let story = || format!("{name}\n{}", scan.story());
    for (key, value) in expect.as_object().unwrap() {
        match key.as_str() {
            "exit" => assert_eq!(Some(i64::from(scan.exit)), value.as_i64(), "{}", story()),
            "codes" => assert_eq!(scan.codes(), texts(value), "{}", story()),
            "verified" => assert_eq!(Some(scan.count("verified")), value.as_u64(), "{}", story()),
            "least_verified" => {
                assert!(
                    Some(scan.count("verified")) >= value.as_u64(),
                    "{}",
                    story()
                );
            }
            "unverifiable" => {
                let found = &scan.report["coverage"]["unverifiable"];
                let none = found.is_null() && value.as_object().is_some_and(|o| o.is_empty());
                assert!(none || found == value, "{}", story());
            }
            "code" => assert!(
                scan.codes().contains(&value.as_str().unwrap()),
                "{}",
                story()
            ),
            "names" => assert!(scan.names(value.as_str().unwrap()), "{}", story()),
            "problem" => {
                let part = value.as_str().unwrap();
                let named = scan.problems().iter().any(|p| p.to_string().contains(part));
                assert!(named, "{}", story());
            }
            other => panic!("{name} expects `{other}`, which no test knows"),
        }
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}
