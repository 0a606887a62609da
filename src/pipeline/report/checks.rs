//! `-o checks=`: one NDJSON row per subject. Fleets collect these, so names are stable and nothing in a row means
//! something on one machine only: no absolute path, no time, no run. Rows are sorted by their values in key order.

use serde::Serialize;

use super::writer;
use crate::model::Outcome;
use crate::model::report::{CheckRow, Report};

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Row<'a> {
    ecosystem: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<&'a str>,
    place: &'static str,
    root: &'a str,
    rel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_escaped: Option<bool>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assurance: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Expected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Expected {
    by: &'static str,
    digest: String,
}

/// All rows, one line each; nothing at all if there was no subject.
pub(super) fn render(report: &Report) -> Vec<u8> {
    // Rows are turned into text one by one: a cache has hundreds of thousands of them.
    let mut order: Vec<&CheckRow> = report.checks.iter().collect();
    order.sort_by(|a, b| {
        let by_name = name(a).cmp(&name(b));
        by_name.then_with(|| Row::new(a).cmp(&Row::new(b)))
    });
    order
        .into_iter()
        .flat_map(|row| writer::line(&Row::new(row)))
        .collect()
}

type Name<'a> = (
    &'static str,
    &'static str,
    [Option<&'a str>; 3],
    &'static str,
    &'a str,
    &'a str,
);

/// The values that name a subject, in key order.
fn name(row: &CheckRow) -> Name<'_> {
    (
        row.ecosystem.as_str(),
        row.kind,
        [
            row.package.as_deref(),
            row.version.as_deref(),
            row.artifact.as_deref(),
        ],
        row.place.as_str(),
        row.root.as_str(),
        &row.rel,
    )
}

impl<'a> Row<'a> {
    fn new(row: &'a CheckRow) -> Self {
        let (outcome, reason, assurance) = match row.outcome {
            Outcome::Verified(assurance) => ("verified", None, Some(assurance.as_str())),
            Outcome::Tainted => ("tainted", None, None),
            Outcome::Conflict => ("conflict", None, None),
            Outcome::Unverifiable(reason) => ("unverifiable", Some(reason.as_str()), None),
        };
        Self {
            ecosystem: row.ecosystem.as_str(),
            kind: row.kind,
            package: row.package.as_deref(),
            version: row.version.as_deref(),
            artifact: row.artifact.as_deref(),
            place: row.place.as_str(),
            root: row.root.as_str(),
            rel: &row.rel,
            path_escaped: row.path_escaped.then_some(true),
            outcome,
            reason,
            assurance,
            observed: row.observed.map(|d| d.to_string()),
            expected: row.expected.map(|(by, digest)| Expected {
                by: by.as_str(),
                digest: digest.to_string(),
            }),
            size: row.size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use serde_json::Value;

    #[test]
    fn one_row_per_subject_and_no_row_names_this_machine() {
        let report = sample::rich();
        let text = String::from_utf8(render(&report)).unwrap();
        let rows: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows.len(), report.checks.len());
        assert!(!text.contains("/home/"), "{text}");
        let outcomes: Vec<_> = rows
            .iter()
            .map(|r| r["outcome"].as_str().unwrap())
            .collect();
        for outcome in ["verified", "tainted", "conflict", "unverifiable"] {
            assert!(outcomes.contains(&outcome), "{outcome}");
        }
        for row in &rows {
            assert_eq!(row["outcome"] == "unverifiable", row["reason"].is_string());
            assert_eq!(row["outcome"] == "verified", row["assurance"].is_string());
        }
    }

    #[test]
    fn the_order_of_rows_does_not_depend_on_the_order_of_work() {
        let mut report = sample::rich();
        let before = render(&report);
        report.checks.reverse();
        assert_eq!(render(&report), before);
    }

    #[test]
    fn nothing_checked_is_nothing_written() {
        let mut report = sample::rich();
        report.checks.clear();
        assert!(render(&report).is_empty());
    }
}
