//! Feeds as a whole scan sees them: what is found, how old is too old, and what is never passed over.

use serde_json::Value;

use super::command::Home;
use super::data::{NEWER, many, osv, put, record, zip};
use super::server::{Answer, Server};

/// A project with one locked package of the default registry, whose address is data of the index library.
fn project(home: &Home, name: &str) {
    let source = tame_index::CRATES_IO_INDEX;
    let lock = format!(
        "version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"registry+{source}\"\nchecksum = \"{}\"\n",
        "ab".repeat(32)
    );
    put(&home.path().join("project/Cargo.lock"), lock);
}

fn scan(home: &Home, more: &[&str], now: &str) -> (i32, Value) {
    let mut arguments = vec!["scan", "project", "--json", "--no-integrity"];
    arguments.extend(more);
    let (exit, out, err) = home.run_at(&arguments, now);
    let report = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{exit} {out} {err}"));
    (exit, report)
}

fn advisories(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .filter_map(|finding| finding["advisory"]["id"].as_str())
        .collect()
}

fn reasons(report: &Value) -> String {
    report["verdict"]["reasons"].to_string()
}

#[test]
fn an_old_snapshot_alone_is_never_a_silent_pass() {
    let home = Home::new("http://127.0.0.1:1/x");
    project(&home, "harmless");
    let (_, young) = scan(&home, &["--offline"], "2026-08-22T00:00:00Z");
    assert_eq!(young["run"]["feeds"][0]["origin"], "embedded");
    assert_eq!(young["run"]["feeds"][0]["too_old"], false);
    assert!(!reasons(&young).contains("older"), "{young}");
    let (exit, old) = scan(&home, &["--offline"], "2031-01-01T00:00:00Z");
    assert_eq!(exit, 4, "{old}");
    assert_eq!(old["run"]["feeds"][0]["too_old"], true);
    assert!(reasons(&old).contains("advisory data missing or older than allowed"));
    assert!(old["notices"].to_string().contains("feed-too-old"));
}

#[test]
fn a_folder_of_fresh_feeds_is_enough_and_a_broken_record_is_told() {
    let home = Home::new("http://127.0.0.1:1/x");
    project(&home, "victim");
    let file = home.path().join("feeds").join(osv("cargo")).join("all.zip");
    let mut members = vec![record("cargo", "A-1", "victim", "2.0.0", NEWER)];
    put(&file, zip(&members));
    let (exit, report) = scan(
        &home,
        &["--offline", "--feeds", "feeds"],
        "2026-09-10T00:00:00Z",
    );
    assert_eq!(advisories(&report), ["A-1"]);
    assert_eq!(exit, 1);
    assert_eq!(report["findings"][0]["location"]["line"], 3);
    assert_eq!(report["run"]["feeds"][0]["origin"], "named");
    assert!(!reasons(&report).contains("older"), "{report}");
    assert!(report["problems"].as_array().is_none_or(Vec::is_empty));

    members.push(("A-2.json".to_owned(), "?".to_owned()));
    put(&file, zip(&members));
    let (exit, report) = scan(
        &home,
        &["--offline", "--feeds", "feeds"],
        "2026-09-10T00:00:00Z",
    );
    assert_eq!((exit, advisories(&report)), (1, vec!["A-1"]));
    assert!(
        report["problems"].to_string().contains("A-2.json"),
        "{report}"
    );

    let missing = home.run(&["scan", "project", "--offline", "--feeds", "nowhere"]);
    assert_eq!(missing.0, 2);
    assert!(missing.2.contains("nowhere"), "{}", missing.2);
}

#[test]
fn a_scan_renews_what_is_old_and_says_what_it_refuses() {
    let server = Server::new(Answer::Feed(
        "\"e\"",
        zip(&many("cargo", 1300, "victim", NEWER)),
    ));
    let home = Home::new(&server.url);
    put(&home.path().join("project/Cargo.lock"), "version = 4\n");
    let (_, report) = scan(&home, &[], "2026-09-10T00:00:00Z");
    assert_eq!(report["run"]["feeds"][0]["origin"], "fetched", "{report}");
    assert_eq!(report["run"]["feeds"][0]["updated"], "2026-09-10T00:00:00Z");
    server.now_answers(Answer::Feed("\"f\"", zip(&many("cargo", 9, "x", NEWER))));
    let (_, report) = scan(&home, &[], "2026-09-12T00:00:00Z");
    assert!(
        report["findings"].to_string().contains("feed-rolled-back"),
        "{report}"
    );
    assert_eq!(report["run"]["feeds"][0]["records"], 1300);

    // Isolated, nothing of ours counts: neither the pin nor what is kept.
    let (_, report) = scan(&home, &["--isolated", "--offline"], "2026-09-12T00:00:00Z");
    assert_eq!(report["run"]["feeds"][0]["origin"], "embedded");
    assert_eq!(server.asked().len(), 2);
}
