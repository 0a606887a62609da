//! The lines of a file of sightings, and how a report becomes them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::finding::Place;
use crate::model::report::{CheckRow, Component, Report};
use crate::model::{Finding, Outcome, RootOrigin};

/// Version of the lines.
const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    /// The first line: what was scanned.
    Scan(Head),
    /// A subject.
    Seen(Sighting),
    /// A finding.
    Found(Found),
}

/// What was scanned, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Version of the lines.
    version: u32,
    /// When the scan began, seconds since 1970.
    pub at: i64,
    /// Id of the run.
    pub run: String,
    /// Absolute paths of the roots that the user named; empty for the user's own caches.
    pub targets: Vec<String>,
    /// Whether options left something out: such a scan cannot say that something is nowhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub narrow: bool,
    /// Schemes of the digests that archives were seen under (`sha256`, `h1`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub schemes: BTreeSet<String>,
    /// Every root, by position.
    pub roots: Vec<Root>,
}

/// A root of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Its name in reports.
    pub id: String,
    /// Absolute path, escaped where it is not UTF-8.
    pub path: String,
    /// Whether it holds what was built from the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub build: bool,
}

/// A subject, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// Ecosystem.
    #[serde(rename = "e")]
    pub ecosystem: String,
    /// Kind of the subject; `component` for a package of a lockfile of which no byte was seen.
    #[serde(rename = "k")]
    pub kind: String,
    /// Package name.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Package version.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Kind of place.
    #[serde(rename = "p")]
    pub place: String,
    /// Root, by position in [`Head::roots`].
    #[serde(rename = "r")]
    pub root: usize,
    /// Path below the root, escaped where it is not UTF-8.
    #[serde(rename = "at")]
    pub rel: String,
    /// Whether the path is escaped.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub escaped: bool,
    /// What became of it, as in reports.
    #[serde(rename = "o")]
    pub outcome: String,
    /// What its bytes hash to.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// What the strongest claim says that they should.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// A finding, as far as it helps to find its place again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// Ecosystem.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub ecosystem: Option<String>,
    /// Package name.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Package version.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Root, by position in [`Head::roots`].
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub root: Option<usize>,
    /// Path below the root.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    pub rel: Option<String>,
    /// What the bytes hash to.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
}

/// Names the set of roots that a report is about: 16 hex digits.
pub(super) fn key(report: &Report, narrowed: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    let targets = targets(report);
    add(if caches(report) { "caches" } else { "" });
    for target in &targets {
        add(target);
    }
    add("");
    for option in narrowed {
        add(option);
    }
    let hex = hasher.finalize().to_hex();
    hex.as_str().chars().take(16).collect()
}

fn caches(report: &Report) -> bool {
    report.run.targets.iter().any(|target| target == "--caches")
}

/// Roots that the user named.
fn targets(report: &Report) -> BTreeSet<String> {
    report
        .run
        .roots
        .iter()
        .filter(|root| root.origin == RootOrigin::CommandLine)
        .map(|root| root.path.clone())
        .collect()
}

/// The file for a report.
pub(super) fn write(report: &Report, narrow: bool) -> Result<Vec<u8>, serde_json::Error> {
    let roots = &report.run.roots;
    let position = |id: &str| roots.iter().position(|root| root.id.as_str() == id);
    let built: BTreeSet<&str> = report
        .checks
        .iter()
        .filter(|row| row.place == Place::Build)
        .map(|row| row.root.as_str())
        .collect();
    let mut out = Vec::with_capacity(report.checks.len().saturating_mul(220));
    let mut add = |line: &Line| -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut out, line)?;
        out.push(b'\n');
        Ok(())
    };
    add(&Line::Scan(Head {
        version: VERSION,
        at: report.run.started,
        run: report.run.id.clone(),
        targets: targets(report).into_iter().collect(),
        narrow,
        schemes: report
            .checks
            .iter()
            .filter(|row| row.kind == "archive")
            .filter_map(|row| Some(scheme(&row.observed?.to_string()).to_owned()))
            .collect(),
        roots: roots
            .iter()
            .map(|root| Root {
                id: root.id.as_str().to_owned(),
                path: root.path.clone(),
                build: built.contains(root.id.as_str()),
            })
            .collect(),
    }))?;
    let mut bound: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for row in &report.checks {
        let Some(root) = position(row.root.as_str()) else {
            continue;
        };
        if let (Some(name), Some(version)) = (&row.package, &row.version) {
            bound.insert((row.ecosystem.as_str(), name, version));
        }
        add(&Line::Seen(sighting(row, root)))?;
    }
    for component in &report.components {
        let at = &component.coordinate;
        if !component.first_party
            && !bound.contains(&(at.ecosystem.as_str(), &*at.name, &*at.version))
        {
            add(&Line::Seen(named(component)))?;
        }
    }
    for finding in &report.findings {
        let root = finding.root.as_ref().and_then(|id| position(id.as_str()));
        add(&Line::Found(found(finding, root)))?;
    }
    Ok(out)
}

/// The scheme of a digest as it is written: `sha256:…` or `h1:…`.
pub fn scheme(digest: &str) -> &str {
    digest.split_once(':').map_or(digest, |(scheme, _)| scheme)
}

fn sighting(row: &CheckRow, root: usize) -> Sighting {
    let outcome = match row.outcome {
        Outcome::Verified(_) => "verified",
        Outcome::Tainted => "tainted",
        Outcome::Conflict => "conflict",
        Outcome::Unverifiable(reason) => reason.as_str(),
    };
    Sighting {
        ecosystem: row.ecosystem.as_str().to_owned(),
        kind: row.kind.to_owned(),
        package: row.package.as_deref().map(str::to_owned),
        version: row.version.as_deref().map(str::to_owned),
        place: row.place.as_str().to_owned(),
        root,
        rel: row.rel.clone(),
        escaped: row.path_escaped,
        outcome: outcome.to_owned(),
        observed: row.observed.map(|digest| digest.to_string()),
        expected: row.expected.map(|(_, digest)| digest.to_string()),
    }
}

/// A package that a lockfile names and of which nothing was held.
fn named(component: &Component) -> Sighting {
    let at = &component.coordinate;
    Sighting {
        ecosystem: at.ecosystem.as_str().to_owned(),
        kind: "component".to_owned(),
        package: Some(at.name.to_string()),
        version: Some(at.version.to_string()),
        place: Place::Lockfile.as_str().to_owned(),
        root: 0,
        rel: String::new(),
        escaped: false,
        outcome: "absent".to_owned(),
        observed: None,
        expected: component.declared.first().map(ToString::to_string),
    }
}

fn found(finding: &Finding, root: Option<usize>) -> Found {
    Found {
        id: finding.id.clone(),
        code: finding.code.as_str().to_owned(),
        ecosystem: finding.ecosystem.map(|id| id.as_str().to_owned()),
        package: finding.package.as_deref().map(str::to_owned),
        version: finding.version.as_deref().map(str::to_owned),
        root,
        rel: finding.rel.clone(),
        observed: finding.observed.map(|digest| digest.to_string()),
    }
}
