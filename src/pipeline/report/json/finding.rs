//! One finding in the JSON report.

use serde::Serialize;

use super::sorted;
use crate::model::Finding;
use crate::model::advisory::AdvisoryFact;
use crate::model::finding::Waived;

/// Entries of a tree that are written out; `entries_total` tells how many there are.
const MOST_ENTRIES: usize = 20;
/// Chains that are written out.
const MOST_CHAINS: usize = 3;

#[derive(Serialize)]
pub(super) struct JsonFinding<'a> {
    id: &'a str,
    code: &'static str,
    class: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ecosystem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    place: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_escaped: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<JsonLocation<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entries: Vec<JsonEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries_total: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expected: Vec<JsonExpected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<String>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caused_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advisory: Option<JsonAdvisory<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<JsonWaived<'a>>,
}

#[derive(Serialize)]
struct JsonLocation<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct JsonEntry<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_escaped: Option<bool>,
    kind: &'static str,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct JsonExpected {
    by: &'static str,
    assurance: &'static str,
    digest: String,
}

#[derive(Serialize)]
struct JsonAdvisory<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixed: Vec<&'a str>,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonWaived<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    expires: &'a str,
}

impl<'a> JsonFinding<'a> {
    pub(super) fn new(finding: &'a Finding) -> Self {
        Self {
            id: &finding.id,
            code: finding.code.as_str(),
            class: finding.class().as_str(),
            severity: finding.severity.as_str(),
            ecosystem: finding.ecosystem.map(|e| e.as_str()),
            package: finding.package.as_deref(),
            version: finding.version.as_deref(),
            artifact: finding.artifact.as_deref(),
            purl: finding.purl.as_deref(),
            place: finding.place.as_str(),
            root: finding.root.as_ref().map(|r| r.as_str()),
            rel: finding.rel.as_deref(),
            path: finding.path.as_deref(),
            path_escaped: finding.path_escaped.then_some(true),
            location: finding.location.as_ref().map(|at| JsonLocation {
                file: &at.file,
                line: at.line,
            }),
            entries: entries(finding),
            entries_total: entries_total(finding),
            expected: sorted(finding.expected.iter().map(|e| JsonExpected {
                by: e.by.as_str(),
                assurance: e.assurance.as_str(),
                digest: e.digest.to_string(),
            })),
            observed: finding.observed.map(|d| d.to_string()),
            message: &finding.message,
            remedy: finding.remedy.as_deref(),
            caused_by: finding.caused_by.as_deref(),
            evidence: finding.evidence.as_deref(),
            state: finding.state,
            advisory: finding.advisory.as_ref().map(JsonAdvisory::new),
            why: chains(finding),
            waived: finding.waived.as_ref().map(JsonWaived::new),
        }
    }
}

impl<'a> JsonAdvisory<'a> {
    fn new(advisory: &'a AdvisoryFact) -> Self {
        Self {
            id: &advisory.id,
            aliases: sorted(advisory.aliases.iter().map(String::as_str)),
            // JSON has no other numbers than finite ones.
            score: advisory.score.filter(|s| s.is_finite()),
            vector: advisory.vector.as_deref(),
            fixed: sorted(advisory.fixed.iter().map(String::as_str)),
            source: &advisory.source,
            link: advisory.link.as_deref(),
        }
    }
}

impl<'a> JsonWaived<'a> {
    fn new(waived: &'a Waived) -> Self {
        Self {
            reason: &waived.reason,
            owner: waived.owner.as_deref(),
            expires: &waived.expires,
        }
    }
}

fn entries(finding: &Finding) -> Vec<JsonEntry<'_>> {
    let mut all = sorted(finding.entries.iter().map(|e| JsonEntry {
        path: &e.path,
        path_escaped: e.path_escaped.then_some(true),
        kind: e.kind.as_str(),
    }));
    all.truncate(MOST_ENTRIES);
    all
}

/// Present exactly where there are entries, and never less than their number.
fn entries_total(finding: &Finding) -> Option<u64> {
    let listed = u64::try_from(finding.entries.len()).unwrap_or(u64::MAX);
    (listed > 0).then_some(finding.entries_total.max(listed))
}

/// The shortest chains; a chain itself keeps its order, since it is a way from a root.
fn chains(finding: &Finding) -> Vec<&[String]> {
    let mut all: Vec<&[String]> = finding.why.iter().map(Vec::as_slice).collect();
    all.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    all.truncate(MOST_CHAINS);
    all.sort();
    all
}
