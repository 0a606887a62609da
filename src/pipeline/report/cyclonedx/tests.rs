//! Bills of materials: what stands in them, and that it is valid whatever the report.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{arbitrary, sample};
use super::*;
use crate::model::report::Component;

fn value(report: &Report) -> Value {
    serde_json::from_slice(&render(report)).unwrap()
}

#[test]
fn the_whole_text_is_as_recorded() {
    let text = String::from_utf8(render(&sample::rich())).unwrap();
    let recorded = include_str!("../golden/rich.cyclonedx.json.txt");
    // The serial number comes from the content, the version of the tool included.
    let without_serial = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.contains("serialNumber"))
            .map(str::to_owned)
            .collect()
    };
    let recorded = recorded.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    assert_eq!(without_serial(&text), without_serial(&recorded));
}

/// Rules of the specification that a reader would stumble over.
#[track_caller]
fn is_well_formed(bom: &Value) {
    assert_eq!(bom["bomFormat"], "CycloneDX");
    assert_eq!(bom["specVersion"], "1.6");
    let serial = bom["serialNumber"].as_str().unwrap();
    let groups: Vec<usize> = serial
        .strip_prefix("urn:uuid:")
        .unwrap()
        .split('-')
        .map(str::len)
        .collect();
    assert_eq!(groups, [8, 4, 4, 4, 12]);

    let mut refs = BTreeSet::new();
    let components = bom["components"].as_array().unwrap();
    for component in components.iter().chain([&bom["metadata"]["component"]]) {
        let name = component["bom-ref"].as_str().unwrap();
        assert!(refs.insert(name), "{name} stands twice");
        assert!(component["type"].is_string() && component["name"].is_string());
        for hash in component["hashes"].as_array().into_iter().flatten() {
            assert!(hash["alg"].as_str().unwrap().starts_with("SHA-"));
        }
        let licences = component["licenses"].as_array().map_or(0, Vec::len);
        assert!(licences <= 1, "an expression stands alone");
    }
    let dependencies = bom["dependencies"].as_array().unwrap();
    let named: BTreeSet<&str> = dependencies
        .iter()
        .map(|d| d["ref"].as_str().unwrap())
        .collect();
    assert_eq!(
        named, refs,
        "every component says what it needs, leaves too"
    );
    for dependency in dependencies {
        for target in dependency["dependsOn"].as_array().unwrap() {
            assert!(refs.contains(target.as_str().unwrap()), "{target}");
        }
    }
    for list in ["assemblies", "dependencies"] {
        for name in bom["compositions"][0][list].as_array().unwrap() {
            assert!(refs.contains(name.as_str().unwrap()));
        }
    }
}

#[test]
fn the_samples_are_well_formed() {
    for report in [sample::rich(), sample::clean()] {
        is_well_formed(&value(&report));
    }
}

#[test]
fn only_verified_bytes_have_hashes() {
    let bom = value(&sample::rich());
    let components = bom["components"].as_array().unwrap();
    let itoa = components.iter().find(|c| c["name"] == "itoa").unwrap();
    assert!(
        itoa.get("hashes").is_none(),
        "declared is not verified: {itoa}"
    );
    let declared = json!({"name": "untaint:declared:sha256", "value": "49".repeat(32)});
    assert!(itoa["properties"].as_array().unwrap().contains(&declared));
    let b = components.iter().find(|c| c["name"] == "b").unwrap();
    assert_eq!(
        b["hashes"],
        json!([{"alg": "SHA-256", "content": "22".repeat(32)}])
    );
}

#[test]
fn a_tainted_copy_shows() {
    let mut report = sample::rich();
    for component in &mut report.components {
        component.coordinate.version = "1.0.0".into();
    }
    let bom = value(&report);
    let components = bom["components"].as_array().unwrap();
    let outcome = |name: &str| {
        let component = components.iter().find(|c| c["name"] == name).unwrap();
        let all = component["properties"].as_array().unwrap();
        all.iter().find(|p| p["name"] == "untaint:outcome").unwrap()["value"].clone()
    };
    assert_eq!(outcome("itoa"), "tainted");
    assert_eq!(outcome("b"), "verified");
    assert_eq!(outcome(sample::HOSTILE), "absent");
}

#[test]
fn the_serial_number_names_the_content_and_not_the_run() {
    let one = value(&sample::rich());
    let mut later = sample::rich();
    later.run.started += 1;
    later.run.id = "another".into();
    let two = value(&later);
    assert_eq!(one["serialNumber"], two["serialNumber"]);
    assert_ne!(one["metadata"]["timestamp"], two["metadata"]["timestamp"]);
    later.components.pop();
    assert_ne!(value(&later)["serialNumber"], one["serialNumber"]);
    assert_eq!(
        serial(b""),
        "urn:uuid:e3b0c442-98fc-8c14-9afb-f4c8996fb924",
        "version 8, variant of RFC 9562"
    );
}

#[test]
fn what_was_not_read_makes_it_incomplete() {
    let aggregate = |report: &Report| value(report)["compositions"][0]["aggregate"].clone();
    assert_eq!(aggregate(&sample::clean()), "complete");
    assert_eq!(
        aggregate(&sample::rich()),
        "incomplete",
        "a lockfile was broken"
    );
    let mut report = sample::clean();
    report.components[0].depends_on.push(99);
    assert_eq!(
        aggregate(&report),
        "incomplete",
        "it needs what is not there"
    );
    let mut report = sample::clean();
    report.components.clear();
    assert_eq!(
        aggregate(&report),
        "unknown",
        "nothing to be complete about"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_inventory_is_well_formed(
        report in arbitrary::report(),
        shape in prop::collection::vec((any::<u8>(), any::<bool>(), prop::collection::vec(0..9usize, 0..4)), 0..7),
    ) {
        let mut report = report;
        let known: Vec<Component> = sample::rich().components;
        report.components = shape
            .into_iter()
            .map(|(at, is_root, depends_on)| Component {
                is_root,
                depends_on,
                ..known[usize::from(at) % known.len()].clone()
            })
            .collect();
        is_well_formed(&value(&report));
    }
}
