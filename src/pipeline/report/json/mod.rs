//! The JSON report, `untaint.report/1`: the face that other programs rely on.
//!
//! Shapes stand in their own files; a struct's fields stand in the order of the contract's keys, which is also the
//! order that arrays are sorted by. What varies between runs on the same input is written under `run` alone.

mod coverage;
mod finding;
mod lists;
mod run;

use std::collections::BTreeMap;

use serde::Serialize;

use self::coverage::WholeCoverage;
use self::finding::JsonFinding;
use self::lists::{JsonNotice, JsonProblem, JsonSource, JsonTrust};
use self::run::JsonRun;
use super::{order, writer};
use crate::model::report::Report;

/// Machine formats carry at most so many findings, worst first.
const MOST_FINDINGS: usize = 10_000;

#[derive(Serialize)]
struct JsonReport<'a> {
    schema: &'static str,
    tool: Tool,
    run: JsonRun<'a>,
    verdict: JsonVerdict<'a>,
    findings: Vec<JsonFinding<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_total: Option<u64>,
    notices: Vec<JsonNotice<'a>>,
    problems: Vec<JsonProblem<'a>>,
    coverage: WholeCoverage,
    sources: Vec<JsonSource<'a>>,
    trust: Vec<JsonTrust<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct JsonVerdict<'a> {
    exit_code: u8,
    result: &'static str,
    assurance: &'static str,
    counts: BTreeMap<&'static str, u64>,
    reasons: Vec<&'a str>,
}

/// The report as one JSON object with a final line end.
pub(super) fn render(report: &Report) -> Vec<u8> {
    writer::pretty(&shape(report, MOST_FINDINGS))
}

fn shape(report: &Report, most: usize) -> JsonReport<'_> {
    let findings: Vec<_> = order::findings(&report.findings)
        .into_iter()
        .take(most)
        .map(JsonFinding::new)
        .collect();
    let total = report
        .findings_total
        .max(u64::try_from(report.findings.len()).unwrap_or(u64::MAX));
    let cut = total > u64::try_from(findings.len()).unwrap_or(u64::MAX);
    JsonReport {
        schema: "untaint.report/1",
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        run: JsonRun::new(&report.run),
        verdict: JsonVerdict {
            exit_code: report.verdict.result.exit_code(),
            result: report.verdict.result.as_str(),
            assurance: report.verdict.assurance.as_str(),
            counts: report
                .verdict
                .counts
                .iter()
                .map(|(class, n)| (class.as_str(), *n))
                .collect(),
            reasons: sorted(report.verdict.reasons.iter().map(String::as_str)),
        },
        findings,
        truncated: cut.then_some(true),
        findings_total: cut.then_some(total),
        notices: sorted(report.notices.iter().map(JsonNotice::new)),
        problems: sorted(report.problems.iter().map(JsonProblem::new)),
        coverage: WholeCoverage::new(&report.coverage),
        sources: sorted(report.sources.iter().map(JsonSource::new)),
        trust: sorted(report.trust.iter().map(JsonTrust::new)),
    }
}

/// Every array but the findings is sorted by its values in key order.
fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = values.collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests;
