//! Records of OSV exports: one JSON object per advisory (OSV schema 1.0 to 1.7; seen from RustSec, the Go vulnerability database, PyPA, the
//! GitHub advisory database and OpenSSF's malicious packages).
//!
//! Unknown keys are ignored, missing and `null` ones are empty. What decides whether a version is affected is read strictly: an event of an
//! unknown kind, or a range of an unknown type, makes the record unreadable, because leaving it out could turn affected into unaffected.
//! Ranges of type GIT name commits, not versions, and are left out. Prose is not kept.

use super::{
    ranges::{AffectedRange, Event},
    reading::{FeedEntry, Reading, day_of, seconds_of},
    record::{AdvisoryRecord, Import, Kind},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap};

/// Bounds on one record. Real ones stay far below: the largest seen is under 1 MB with 3,000 versions.
#[derive(Debug, Clone, Copy)]
pub struct OsvLimits {
    /// Bytes of one record.
    pub bytes: usize,
    /// Packages, ranges, events, versions, symbols and aliases of one record together.
    pub items: usize,
}

impl Default for OsvLimits {
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            items: 200_000,
        }
    }
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OsvError {
    /// Longer than the limit.
    #[error("the record is longer than {0} bytes")]
    TooLong(usize),
    /// More parts than the limit.
    #[error("the record has more than {0} parts")]
    TooMany(usize),
    /// Not JSON, or not in the schema.
    #[error("not an OSV record: {0}")]
    Malformed(String),
    /// A range type that we do not know.
    #[error("unknown range type `{0}`")]
    RangeType(String),
    /// An event without a known kind.
    #[error("an event of no known kind")]
    Event,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    published: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    modified: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    withdrawn: Option<Cow<'a, str>>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    severity: Option<Vec<RawSeverity>>,
    #[serde(borrow, default)]
    affected: Option<Vec<RawAffected<'a>>>,
    #[serde(borrow, default)]
    database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawSeverity {
    #[serde(default)]
    score: Option<String>,
}

#[derive(Deserialize)]
struct RawAffected<'a> {
    #[serde(borrow, default)]
    package: Option<RawPackage<'a>>,
    #[serde(borrow, default)]
    ranges: Option<Vec<RawRange<'a>>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    severity: Option<Vec<RawSeverity>>,
    #[serde(borrow, default)]
    database_specific: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ecosystem_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawPackage<'a> {
    #[serde(borrow)]
    ecosystem: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RawRange<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    events: Option<Vec<BTreeMap<String, String>>>,
    #[serde(borrow, default)]
    database_specific: Option<&'a RawValue>,
}

/// The parts of the free-form objects that we know. Each may be missing or of another shape; then it is not there.
#[derive(Deserialize, Default)]
struct Specific {
    #[serde(default)]
    severity: Loose<String>,
    #[serde(default)]
    informational: Loose<String>,
    #[serde(default)]
    categories: Loose<Vec<String>>,
    #[serde(default)]
    imports: Loose<Vec<RawImport>>,
    #[serde(default)]
    last_known_affected_version_range: Loose<String>,
}

#[derive(Deserialize)]
struct RawImport {
    path: String,
    #[serde(default)]
    symbols: Option<Vec<String>>,
}

/// A value of the expected shape, or nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Loose<T> {
    Known(T),
    Other(serde::de::IgnoredAny),
}

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self::Other(serde::de::IgnoredAny)
    }
}

impl<T> Loose<T> {
    fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Other(_) => None,
        }
    }
}

fn specific(raw: Option<&RawValue>) -> Specific {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

/// Counts what a record holds against the limit.
struct Budget {
    left: usize,
    limit: usize,
}

impl Budget {
    fn spend(&mut self, items: usize) -> Result<(), OsvError> {
        self.left = self
            .left
            .checked_sub(items)
            .ok_or(OsvError::TooMany(self.limit))?;
        Ok(())
    }
}

/// Reads one record; gives one value per package of `ecosystem` that it names (an OSV ecosystem name; a suffix after `:` in the record does
/// not count), and when it was last modified, in seconds since 1970.
///
/// # Errors
///
/// The record is beyond the limits, no OSV record, or speaks of versions in a way that we do not know.
pub fn read_record(
    bytes: &[u8],
    ecosystem: &str,
    limits: OsvLimits,
) -> Result<(Vec<AdvisoryRecord>, Option<i64>), OsvError> {
    if bytes.len() > limits.bytes {
        return Err(OsvError::TooLong(limits.bytes));
    }
    let raw: Raw<'_> =
        serde_json::from_slice(bytes).map_err(|error| OsvError::Malformed(error.to_string()))?;
    if raw.id.is_empty() || raw.id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(OsvError::Malformed(
            "its id is empty or has spaces".to_owned(),
        ));
    }
    let mut budget = Budget {
        left: limits.items,
        limit: limits.items,
    };
    let seconds = |text: &Option<Cow<'_, str>>| text.as_deref().and_then(seconds_of);
    let (published, modified) = (seconds(&raw.published), seconds(&raw.modified));
    let withdrawn = match raw.withdrawn.as_deref() {
        None => None,
        Some(text) => Some(
            seconds_of(text)
                .ok_or_else(|| OsvError::Malformed("`withdrawn` is no RFC 3339 time".to_owned()))?,
        ),
    };
    let mut aliases = raw.aliases.unwrap_or_default();
    budget.spend(aliases.len())?;
    aliases.sort();
    aliases.dedup();
    aliases.retain(|alias| *alias != raw.id);
    let overall = specific(raw.database_specific);
    let common = AdvisoryRecord {
        kind: if is_malicious(&raw.id) || aliases.iter().any(|alias| is_malicious(alias)) {
            Kind::Malicious
        } else {
            Kind::Vulnerable
        },
        vectors: vectors(raw.severity),
        label: overall.severity.known(),
        published: published.and_then(day_of),
        modified: modified.and_then(day_of),
        // A withdrawal is in force whatever its date.
        withdrawn: withdrawn.map(|at| day_of(at).unwrap_or(0)),
        link: Some(link(&raw.id)),
        id: raw.id.into_owned(),
        aliases,
        ..AdvisoryRecord::default()
    };
    let mut records = Vec::new();
    for affected in raw.affected.unwrap_or_default() {
        budget.spend(1)?;
        if let Some(record) = affected_record(&common, affected, ecosystem, &mut budget)? {
            records.push(record);
        }
    }
    // Only `modified` tells how new a feed is: where it is a placeholder, publication dates say nothing about the export.
    Ok((records, modified))
}

fn affected_record(
    common: &AdvisoryRecord,
    affected: RawAffected<'_>,
    ecosystem: &str,
    budget: &mut Budget,
) -> Result<Option<AdvisoryRecord>, OsvError> {
    let Some(package) = affected.package else {
        return Ok(None);
    };
    let base = package
        .ecosystem
        .split_once(':')
        .map_or(&*package.ecosystem, |(base, _)| base);
    if base != ecosystem {
        return Ok(None);
    }
    let database = specific(affected.database_specific);
    let of_ecosystem = specific(affected.ecosystem_specific);
    let mut record = common.clone();
    record.package = package.name.into_owned();
    let last_known = database.last_known_affected_version_range.known();
    for range in affected.ranges.unwrap_or_default() {
        if let Some(range) = read_range(range, last_known.as_deref(), budget)? {
            record.ranges.push(range);
        }
    }
    record.versions = affected.versions.unwrap_or_default();
    budget.spend(record.versions.len())?;
    let own_vectors = vectors(affected.severity);
    if !own_vectors.is_empty() {
        record.vectors = own_vectors;
    }
    if let Some(label) = of_ecosystem.severity.known().or(database.severity.known()) {
        record.label = Some(label);
    }
    if record.kind == Kind::Vulnerable {
        let categories = database.categories.known().unwrap_or_default();
        if categories.iter().any(|category| category == "malicious") {
            record.kind = Kind::Malicious;
        } else if let Some(text) = database.informational.known() {
            record.kind = Kind::from_informational(&text);
        }
    }
    for import in of_ecosystem.imports.known().unwrap_or_default() {
        let mut symbols = import.symbols.unwrap_or_default();
        budget.spend(1 + symbols.len())?;
        symbols.sort();
        symbols.dedup();
        record.imports.push(Import {
            path: import.path,
            symbols,
        });
    }
    record.imports.sort();
    record.imports.dedup();
    Ok(Some(record))
}

/// A range of versions; `None` for one of commits.
fn read_range(
    range: RawRange<'_>,
    last_known: Option<&str>,
    budget: &mut Budget,
) -> Result<Option<AffectedRange>, OsvError> {
    match &*range.kind {
        "SEMVER" | "ECOSYSTEM" => {}
        "GIT" => return Ok(None),
        other => return Err(OsvError::RangeType(other.chars().take(40).collect())),
    }
    let mut events = Vec::new();
    for raw in range.events.unwrap_or_default() {
        budget.spend(1)?;
        let known = raw.len();
        let of = |kind: &str| raw.get(kind).cloned();
        let before = events.len();
        // One object may hold a beginning and an end: the beginning first.
        events.extend(of("introduced").map(Event::Introduced));
        events.extend(of("fixed").map(Event::Fixed));
        events.extend(of("last_affected").map(Event::LastAffected));
        events.extend(of("limit").map(Event::Limit));
        if known == 0 || events.len() - before != known {
            return Err(OsvError::Event);
        }
    }
    // The GitHub database's own form keeps the end of an open range here, as `<= 1.2.3` or `< 1.2.3`.
    if events
        .iter()
        .all(|event| matches!(event, Event::Introduced(_)))
    {
        let own = specific(range.database_specific)
            .last_known_affected_version_range
            .known();
        if let Some(text) = own.as_deref().or(last_known) {
            if let Some(version) = text.strip_prefix("<=") {
                events.push(Event::LastAffected(version.trim().to_owned()));
            } else if let Some(version) = text.strip_prefix('<') {
                events.push(Event::Fixed(version.trim().to_owned()));
            }
        }
    }
    Ok(Some(AffectedRange { events }))
}

fn vectors(severities: Option<Vec<RawSeverity>>) -> Vec<String> {
    severities
        .unwrap_or_default()
        .into_iter()
        .filter_map(|severity| severity.score)
        .collect()
}

/// Whether an id is one of OpenSSF's malicious-packages collection.
pub(super) fn is_malicious(id: &str) -> bool {
    id.starts_with("MAL-")
}

/// The page of an advisory, by the issuer of its id.
pub(super) fn link(id: &str) -> String {
    if id.starts_with("RUSTSEC-") {
        format!("https://rustsec.org/advisories/{id}.html")
    } else {
        format!("https://osv.dev/vulnerability/{id}")
    }
}

/// Reads an export: every entry that ends in `.json` holds one record. `ecosystem` is the OSV name.
pub fn read_feed(
    entries: impl Iterator<Item = FeedEntry>,
    ecosystem: &str,
    limits: OsvLimits,
) -> Reading {
    let mut reading = Reading::default();
    for entry in entries {
        if !entry.name.ends_with(".json") {
            continue;
        }
        reading.total += 1;
        match read_record(&entry.bytes, ecosystem, limits) {
            Ok((records, newest)) => {
                reading.saw(newest);
                reading.records.extend(records);
            }
            Err(error) => reading.refuse(&entry.name, error.to_string()),
        }
    }
    reading
}

#[cfg(test)]
#[path = "osv_tests.rs"]
mod tests;
