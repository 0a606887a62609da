//! RustSec's own archive: `crates/<package>/RUSTSEC-YYYY-NNNN.md`, TOML front matter before prose (advisory-db, format version 3 and 4).
//!
//! Each file is parsed on its own by the `rustsec` crate, behind a guard against its panics: one advisory that it cannot read (a new CVSS
//! version, a new field) is counted and named, the rest stands. `patched` and `unaffected` requirements become events exactly as RustSec's
//! own export does it, pre-releases included, so that a version is affected here if and only if `cargo audit` says so.
//!
//! The collection `rust/` speaks of the standard library and toolchain, which are no packages of a lockfile: passed over, as `cargo audit`
//! does.

use super::{
    osv::link,
    ranges::{AffectedRange, Event},
    reading::{FeedEntry, Reading, day_of},
    record::{AdvisoryRecord, Import, Kind},
};
use std::panic;

/// Longest advisory file. The largest real one is under 20 kB.
const LONGEST: usize = 1 << 20;

/// Reads the archive's files; what is no advisory of `crates/` is passed over. Any folder may stand above `crates/`.
pub fn read_feed(entries: impl Iterator<Item = FeedEntry>) -> Reading {
    let mut reading = Reading::default();
    for entry in entries {
        let Some((package, id)) = coordinates(&entry.name) else {
            continue;
        };
        reading.total += 1;
        reading.saw(entry.mtime);
        match read_record(&entry.bytes) {
            Ok(record) if record.package != package || record.id != id => {
                reading.refuse(
                    &entry.name,
                    "the file's place and its content name different advisories",
                );
            }
            Ok(record) => {
                reading.saw(
                    record
                        .published
                        .map(|day| i64::from(day) * super::reading::DAY),
                );
                reading.records.push(record);
            }
            Err(why) => reading.refuse(&entry.name, why),
        }
    }
    reading
}

/// Package and id by the path; `None` for what is no advisory on a crate. Placeholders (`RUSTSEC-0000-0000`) are drafts.
fn coordinates(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let id = parts.next()?.strip_suffix(".md")?;
    let package = parts.next()?;
    (parts.next()? == "crates" && !id.starts_with('.') && !id.starts_with("RUSTSEC-0000-0000"))
        .then_some((package, id))
}

/// Reads one advisory file.
///
/// # Errors
///
/// A lower-case fragment: why it cannot be read.
pub fn read_record(bytes: &[u8]) -> Result<AdvisoryRecord, String> {
    if bytes.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    panic::catch_unwind(|| -> Result<AdvisoryRecord, String> {
        let advisory: rustsec::Advisory = text
            .parse()
            .map_err(|error: rustsec::Error| one_line(&error.to_string()))?;
        convert(&advisory)
    })
    .map_err(|_| "the parser gave up on it".to_owned())?
}

fn convert(advisory: &rustsec::Advisory) -> Result<AdvisoryRecord, String> {
    let metadata = &advisory.metadata;
    if metadata
        .source
        .as_ref()
        .is_some_and(|source| !source.is_default_registry())
    {
        return Err("it is about a package of another registry".to_owned());
    }
    let malicious = metadata
        .categories
        .iter()
        .any(|category| category.to_string() == "malicious");
    let kind = match &metadata.informational {
        _ if malicious => Kind::Malicious,
        Some(informational) => Kind::from_informational(informational.as_str()),
        None => Kind::Vulnerable,
    };
    let id = metadata.id.as_str().to_owned();
    let mut aliases: Vec<String> = metadata
        .aliases
        .iter()
        .map(|id| id.as_str().to_owned())
        .collect();
    aliases.sort();
    aliases.dedup();
    aliases.retain(|alias| *alias != id);
    let mut imports: Vec<Import> = advisory
        .affected
        .iter()
        .flat_map(|affected| affected.functions.keys())
        .map(|path| Import {
            path: path.to_string(),
            symbols: Vec::new(),
        })
        .collect();
    imports.sort();
    Ok(AdvisoryRecord {
        link: Some(link(&id)),
        id,
        aliases,
        package: metadata.package.as_str().to_owned(),
        kind,
        ranges: vec![range(&advisory.versions)],
        vectors: metadata.cvss.iter().map(ToString::to_string).collect(),
        imports,
        published: day(&metadata.date),
        // A withdrawal is in force whatever its date.
        withdrawn: metadata
            .withdrawn
            .as_ref()
            .map(|date| day(date).unwrap_or(0)),
        ..AdvisoryRecord::default()
    })
}

/// The affected versions as events, in the order of the line.
pub(super) fn range(versions: &rustsec::advisory::Versions) -> AffectedRange {
    let mut events = Vec::new();
    for window in rustsec::osv::ranges_for_advisory(versions) {
        let from = window
            .introduced
            .map_or_else(|| "0".to_owned(), |version| version.to_string());
        events.push(Event::Introduced(from));
        events.extend(
            window
                .fixed
                .map(|version| Event::Fixed(version.to_string())),
        );
    }
    AffectedRange { events }
}

fn day(date: &rustsec::advisory::Date) -> Option<u32> {
    let year = i16::try_from(date.year()).ok()?;
    let (month, day) = (
        i8::try_from(date.month()).ok()?,
        i8::try_from(date.day()).ok()?,
    );
    let midnight = jiff::civil::Date::new(year, month, day)
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?;
    day_of(midnight.timestamp().as_second())
}

/// The crate's message without the source snippet that it appends.
fn one_line(message: &str) -> String {
    message
        .split_whitespace()
        .take(40)
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(300)
        .collect()
}

#[cfg(test)]
#[path = "rustsec_db_tests.rs"]
mod tests;
