//! `--feeds DIR`.

use std::path::Path;

use super::data::{DAY, Machine, NEWER, NOW, knows, osv, put, record, sha256, zip};
use super::server::{Answer, Server};

fn manifest(confirmed: &str, file: &[u8]) -> String {
    format!(
        r#"{{"schema":"untaint.feed/1","confirmed":"{confirmed}","sha256":"{}"}}"#,
        sha256(file)
    )
}

fn two() -> Vec<(String, String)> {
    vec![
        record("cargo", "A-1", "one", "1.0.0", NEWER),
        record("cargo", "A-2", "two", "1.0.0", NEWER),
    ]
}

#[test]
fn a_folder_stands_in_for_servers_and_for_what_is_built_in() {
    let server = Server::new(Answer::Status("500 Oops"));
    let mut machine = Machine::asking(&server.url);
    let dir = machine.folder.path().join("feeds");
    let file = zip(&two());
    put(&dir.join(osv("cargo")).join("all.zip"), &file);
    put(
        &dir.join(osv("cargo")).join("manifest.json"),
        manifest("2026-09-10T00:00:00Z", &file),
    );
    let shelf = machine.load_with(&["cargo", "npm"], Some(&dir));
    assert!(server.asked().is_empty());
    assert!(knows(&shelf, "cargo", "one") && !knows(&shelf, "cargo", "time"));
    let facts = &shelf.facts[0];
    assert_eq!(
        (facts.origin, facts.records, facts.too_old),
        ("named", 2, false)
    );
    assert_eq!(facts.updated, NOW - DAY / 2);
    assert_eq!(shelf.uncovered, ["npm"]);
    assert!(shelf.problems.is_empty() && shelf.findings.is_empty());
    assert!(machine.kept().is_empty());

    // The folder is younger than nothing: its age is judged all the same.
    machine.now = NOW + 20 * DAY;
    assert!(machine.load_with(&["cargo"], Some(&dir)).facts[0].too_old);
}

#[test]
fn one_broken_record_keeps_the_rest_and_is_told() {
    let machine = Machine::new();
    let dir = machine.folder.path().join("feeds");
    let mut members = two();
    members.push(("A-3.json".to_owned(), "{\"id\": 3".to_owned()));
    put(&dir.join(osv("cargo")).join("all.zip"), zip(&members));
    let shelf = machine.load_with(&["cargo"], Some(&dir));
    assert!(knows(&shelf, "cargo", "one") && knows(&shelf, "cargo", "two"));
    assert_eq!(shelf.problems.len(), 1);
    let problem = &shelf.problems[0];
    assert!(problem.message.contains("1 of 3") && problem.message.contains("A-3.json"));
    assert_eq!(problem.effect.as_str(), "partial");
    // Without a manifest it is as old as its newest record.
    assert_eq!(shelf.facts[0].updated, NOW - DAY - DAY / 2);
}

#[test]
fn what_cannot_be_used_is_told_and_other_data_is_asked() {
    let machine = Machine::new();
    let whole = zip(&two());
    let cases: [(&str, Vec<u8>); 4] = [
        ("cut", whole[..whole.len() - 30].to_vec()),
        ("garbage", b"garbage".to_vec()),
        ("empty", Vec::new()),
        ("foreign", zip(&[])),
    ];
    for (name, bytes) in cases {
        let dir = machine.folder.path().join(name);
        put(&dir.join(osv("cargo")).join("all.zip"), bytes);
        let shelf = machine.load_with(&["cargo"], Some(&dir));
        assert_eq!(shelf.problems.len(), 1, "{name}");
        assert_eq!(shelf.problems[0].effect.as_str(), "skipped", "{name}");
        assert_eq!(shelf.facts[0].origin, "embedded", "{name}");
        assert!(shelf.facts[0].too_old, "{name}");
    }
    let nowhere = machine.load_with(&["cargo"], Some(Path::new("/nowhere/at/all")));
    assert_eq!(nowhere.problems.len(), 1);
}

#[test]
fn a_manifest_of_another_file_is_refused() {
    let machine = Machine::new();
    let dir = machine.folder.path().join("feeds");
    let old = zip(&[record(
        "cargo",
        "A-1",
        "one",
        "1.0.0",
        "2026-01-01T00:00:00Z",
    )]);
    put(&dir.join(osv("cargo")).join("all.zip"), &old);
    put(
        &dir.join(osv("cargo")).join("manifest.json"),
        manifest("2026-09-10T00:00:00Z", b"another file"),
    );
    let shelf = machine.load_with(&["cargo"], Some(&dir));
    assert!(shelf.facts[0].too_old);
    assert_eq!(shelf.problems.len(), 1);
    // With the right manifest the same file is current.
    put(
        &dir.join(osv("cargo")).join("manifest.json"),
        manifest("2026-09-10T00:00:00Z", &old),
    );
    let shelf = machine.load_with(&["cargo"], Some(&dir));
    assert!(!shelf.facts[0].too_old && shelf.problems.is_empty());
    // A date in the future is no date.
    put(
        &dir.join(osv("cargo")).join("manifest.json"),
        manifest("2027-09-10T00:00:00Z", &old),
    );
    assert!(machine.load_with(&["cargo"], Some(&dir)).facts[0].too_old);
}
