//! The JSON report, key by key.

use serde_json::Value;

use super::super::sample;
use super::*;
use crate::model::Severity;
use crate::model::report::RunFacts;
use crate::model::text::printable;

fn text(report: &Report) -> String {
    let options = super::super::Options::default();
    let bytes = super::super::render(report, super::super::Format::Json, &options);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_whole_text_is_as_recorded() {
    let recorded = include_str!("../golden/rich.json.txt");
    assert_eq!(
        text(&sample::rich()),
        recorded.replace("@VERSION@", env!("CARGO_PKG_VERSION"))
    );
}

/// What varies is under `run`; the order in which things were found changes nothing.
#[test]
fn the_same_input_gives_the_same_bytes() {
    let before = sample::rich();
    let mut after = sample::rich();
    after.findings.reverse();
    after.notices.reverse();
    after.problems.reverse();
    after.sources.reverse();
    after.trust.reverse();
    after.verdict.reasons.reverse();
    after.run.feeds.reverse();
    after.run.roots.reverse();
    for finding in &mut after.findings {
        finding.entries.reverse();
        finding.expected.reverse();
        finding.why.reverse();
    }
    assert_eq!(text(&before), text(&after));
    after.run = RunFacts::default();
    let without_run = |report: &Report| {
        let mut value: Value = serde_json::from_slice(&render(report)).unwrap();
        value["run"].take();
        value
    };
    assert_eq!(without_run(&before), without_run(&after));
}

#[test]
fn the_worst_findings_come_first_and_too_many_are_cut_with_a_word() {
    let mut report = sample::rich();
    let value = serde_json::to_value(shape(&report, 3)).unwrap();
    assert_eq!(value["findings"].as_array().unwrap().len(), 3);
    assert_eq!(value["truncated"], true);
    assert_eq!(value["findings_total"], 8);
    assert!(
        value["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["severity"] == "critical")
    );

    let value = serde_json::to_value(shape(&report, 8)).unwrap();
    assert!(value.get("truncated").is_none());
    report.findings_total = 9;
    let value = serde_json::to_value(shape(&report, 8)).unwrap();
    assert_eq!(
        value["truncated"], true,
        "what the pipeline dropped counts too"
    );

    report.findings.retain(|f| f.severity < Severity::Critical);
    let classes: Vec<_> = order::findings(&report.findings)
        .iter()
        .map(|f| (f.severity.as_str(), f.class().as_str()))
        .collect();
    assert_eq!(
        classes,
        [
            ("medium", "source"),
            ("medium", "upstream"),
            ("info", "advisory")
        ]
    );
}

#[test]
fn a_portable_report_names_no_absolute_path() {
    let mut report = sample::rich();
    report.run.portable = true;
    report.run.targets = vec!["/home/u/app".into(), "/opt/other".into()];
    let text = text(&report);
    for path in ["/home", "/srv", "/opt/"] {
        assert!(!text.contains(path), "{path} in {text}");
    }
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["run"]["targets"][0], "{elsewhere}/other");
    assert_eq!(value["run"]["targets"][1], "{project}");
    assert_eq!(
        value["problems"][1]["path"],
        "{cargo-home}/registry/cache/x/e.crate"
    );
}

#[test]
fn hostile_names_are_data_and_nothing_else() {
    let text = text(&sample::rich());
    for line in text.lines() {
        assert_eq!(printable(line), line);
        assert!(!line.contains("##"), "{line}");
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
    let value: Value = serde_json::from_str(&text).unwrap();
    let finding = value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["code"] == "tree-irregular-file")
        .unwrap();
    assert_eq!(finding["package"], sample::HOSTILE);
    assert_eq!(finding["path_escaped"], true);
    assert_eq!(finding["entries"][0]["path_escaped"], true);
}

#[test]
fn counts_of_the_whole_are_the_sum_of_the_parts() {
    let value: Value = serde_json::from_slice(&render(&sample::rich())).unwrap();
    let whole = &value["coverage"];
    assert_eq!(whole["subjects"], 813);
    assert_eq!(whole["verified"], 804);
    assert_eq!(whole["unverifiable"]["unpinned-root"], 5);
    assert_eq!(whole["by_ecosystem"]["cargo"]["subjects"], 813);
    assert_eq!(whole["by_ecosystem"]["cargo"]["claims"]["authenticated"], 0);
    assert!(whole.get("claims").is_none());
}
