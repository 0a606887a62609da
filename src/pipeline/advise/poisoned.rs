//! Our own records of poisoned releases (`advisories/poisoned.toml`): found without any feed, also offline, and whatever the age of the data.
//!
//! By name and version they are advisories of kind malicious; by the SHA-256 of an artifact they are found under any name.

use super::{
    index::{self, AdvisoryDb, FeedMeta, FeedOrigin, IndexError},
    ranges::AffectedRange,
    reading::day_of,
    record::{AdvisoryRecord, Kind},
};
use serde::Deserialize;
use std::collections::BTreeMap;

const TEXT: &str = include_str!("../../../advisories/poisoned.toml");

/// Name of these records in reports.
pub const NAME: &str = "untaint";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    ecosystem: String,
    package: String,
    versions: Vec<String>,
    #[serde(default)]
    sha256: Vec<String>,
    date: toml::value::Datetime,
    #[serde(default)]
    aliases: Vec<String>,
    incident: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    release: Vec<Raw>,
}

/// A poisoned artifact that is known by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// Id of our record.
    pub id: String,
    /// What happened, in a few words.
    pub incident: String,
}

/// Our records.
#[derive(Debug, Default)]
pub struct Poisoned {
    releases: BTreeMap<String, Vec<AdvisoryRecord>>,
    incidents: BTreeMap<String, String>,
    artifacts: BTreeMap<String, Indicator>,
}

impl Poisoned {
    /// The records that come with the program. They are part of it and tested, so that they are never empty.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(TEXT).unwrap_or_default()
    }

    /// Reads records.
    ///
    /// # Errors
    ///
    /// A lower-case fragment: not TOML, an unknown key, an id twice, a release without versions, a SHA-256 that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let mut all = Self::default();
        for raw in file.release {
            if all
                .incidents
                .insert(raw.id.clone(), raw.incident.clone())
                .is_some()
            {
                return Err(format!("the id {} stands twice", raw.id));
            }
            if raw.versions.is_empty() {
                return Err(format!("{} names no version", raw.id));
            }
            for digest in &raw.sha256 {
                if digest.len() != 64
                    || !digest
                        .bytes()
                        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
                {
                    return Err(format!("{} has a sha256 that is none", raw.id));
                }
                let indicator = Indicator {
                    id: raw.id.clone(),
                    incident: raw.incident.clone(),
                };
                all.artifacts.insert(digest.clone(), indicator);
            }
            let day = day_of_date(&raw.date).ok_or_else(|| format!("{} has no date", raw.id))?;
            let everything = raw.versions.iter().any(|version| version == "*");
            let mut aliases = raw.aliases;
            aliases.sort();
            all.releases
                .entry(raw.ecosystem)
                .or_default()
                .push(AdvisoryRecord {
                    id: raw.id,
                    aliases,
                    package: raw.package,
                    kind: Kind::Malicious,
                    ranges: if everything {
                        vec![AffectedRange::everything()]
                    } else {
                        Vec::new()
                    },
                    versions: if everything { Vec::new() } else { raw.versions },
                    published: Some(day),
                    modified: Some(day),
                    ..AdvisoryRecord::default()
                });
        }
        Ok(all)
    }

    /// The records on one ecosystem as an index, to be asked beside the feed's.
    ///
    /// # Errors
    ///
    /// Too many records for an index.
    pub fn db(&self, ecosystem: &str) -> Result<AdvisoryDb, IndexError> {
        let records = self
            .releases
            .get(ecosystem)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let meta = FeedMeta {
            name: NAME.to_owned(),
            ecosystem: ecosystem.to_owned(),
            records: u64::try_from(records.len()).unwrap_or_default(),
            updated: None,
            confirmed: None,
            origin: FeedOrigin::Own,
        };
        AdvisoryDb::open(index::compile(&meta, records)?)
    }

    /// What happened, by the id of a record.
    #[must_use]
    pub fn incident(&self, id: &str) -> Option<&str> {
        self.incidents.get(id).map(String::as_str)
    }

    /// The record of an artifact with this SHA-256 (lower-case hex), if it is a known poisoned one.
    #[must_use]
    pub fn artifact(&self, sha256: &str) -> Option<&Indicator> {
        self.artifacts.get(sha256)
    }
}

fn day_of_date(date: &toml::value::Datetime) -> Option<u32> {
    let date = date.date?;
    let year = i16::try_from(date.year).ok()?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    let days = jiff::civil::Date::new(year, month, day)
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp()
        .as_second();
    day_of(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::advise::catalogue;

    #[test]
    fn our_records_are_sound_and_normalised() {
        let own = Poisoned::parse(TEXT).unwrap();
        assert!(own.incidents.len() >= 16);
        for (ecosystem, records) in &own.releases {
            let feed = catalogue::feed_of(ecosystem).unwrap();
            for record in records {
                assert!(record.id.starts_with("UNTAINT-"), "{}", record.id);
                assert_eq!(feed.normalise(&record.package), record.package);
                for version in &record.versions {
                    assert!(
                        feed.version_order().compare(version, version).is_some(),
                        "{} {version}",
                        record.id
                    );
                }
            }
            assert_eq!(
                own.db(ecosystem).unwrap().records().unwrap().len(),
                records.len()
            );
        }
        assert_eq!(own.db("cobol").unwrap().records().unwrap(), Vec::new());
    }

    #[test]
    fn an_artifact_is_known_by_its_bytes() {
        let digest = "0123456789abcdef".repeat(4);
        let text = |digest: &str| {
            format!(
                "[[release]]\nid = \"T-1\"\necosystem = \"cargo\"\npackage = \"x\"\nversions = [\"1.0.0\"]\nsha256 = [\"{digest}\"]\ndate = 2024-01-01\nincident = \"it\"\n"
            )
        };
        let own = Poisoned::parse(&text(&digest)).unwrap();
        assert_eq!(own.artifact(&digest).map(|i| i.id.as_str()), Some("T-1"));
        assert_eq!(own.artifact(&"0".repeat(64)), None);
        assert_eq!(own.incident("T-1"), Some("it"));
        assert!(Poisoned::parse(&text("ABC")).is_err());
        assert!(Poisoned::parse(&(text(&digest) + &text(&digest))).is_err());
        assert!(Poisoned::parse("[[release]]\nid = \"T-1\"").is_err());
    }
}
