//! A cached index file: `registry/index/<registry>/.cache/<prefix>/<name>` (cargo 1.95, cache version 3).
//!
//! ```text
//! 03            cache version
//! 02 00 00 00   highest index schema, little endian
//! <text> 00     index version: `etag: …`, `last-modified: …`, `Unknown`, or a commit
//! <semver> 00 <JSON line> 00   repeated
//! ```
//!
//! Another version is ignored by cargo, and so by us. Everything in the file is the suspect's
//! word: it is compared with what the registry says, and never believed.

use std::path::PathBuf;

use crate::ecosystems::contract::{InspectContext, Inspection, Inspector};
use crate::model::{
    Assurance, Code, Finding, Listing, Outcome, Place, Problem, Reason, VersionFacts,
};

use super::{authority, index_line};

/// Largest cached index file.
const LARGEST: u64 = 64 << 20;
/// A version younger than this may be missing on either side, in seconds.
const SETTLING: i64 = 60 * 60;

/// A cached index file of one crate, or the cached `config.json`.
pub(super) struct IndexFile {
    pub(super) rel: PathBuf,
    /// Lower-case name from the path; [`authority::CONFIG`] for the configuration.
    pub(super) name: String,
    pub(super) size: u64,
    /// Whether it is a plain index file, one JSON line per version, as a local registry holds: a part of the registry's.
    pub(super) plain: bool,
}

/// What reading a cached file gave.
pub(super) enum Cached {
    /// The versions in it.
    Versions(Vec<(String, Option<index_line::IndexLine>)>),
    /// Cargo ignores it.
    Ignored,
    /// It ends in the middle.
    Torn,
}

/// Reads the bytes of a cached index file.
pub(super) fn read(bytes: &[u8]) -> Cached {
    let Some((version, rest)) = bytes.split_first() else {
        return Cached::Torn;
    };
    let rest = match (version, rest.split_first_chunk::<4>()) {
        (3, Some(([1 | 2, 0, 0, 0], rest))) => rest,
        (3, None) => return Cached::Torn,
        _ => return Cached::Ignored,
    };
    let mut parts = rest.split(|b| *b == 0);
    if parts.next().is_none() || !bytes.ends_with(&[0]) {
        return Cached::Torn;
    }
    let mut versions = Vec::new();
    while let Some(key) = parts.next() {
        if key.is_empty() && parts.clone().next().is_none() {
            break;
        }
        let Some(line) = parts.next() else {
            return Cached::Torn;
        };
        let key = String::from_utf8_lossy(key).into_owned();
        versions.push((key, index_line::parse(line)));
    }
    Cached::Versions(versions)
}

/// Reads the lines of a plain index file.
fn read_plain(bytes: &[u8]) -> Cached {
    let versions = bytes
        .split(|b| *b == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| {
            let line = index_line::parse(line);
            let key = line.as_ref().map(|line| line.facts.version.to_string());
            (key.unwrap_or_default(), line)
        })
        .collect();
    Cached::Versions(versions)
}

impl Inspector for IndexFile {
    fn wants_listing(&self) -> bool {
        true
    }

    fn weight(&self) -> u64 {
        self.size
    }

    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let path = || context.root.path().join(&self.rel).display().to_string();
        let mut inspection = Inspection {
            kind: "listing",
            rel: self.rel.clone(),
            outcome: Outcome::Unverifiable(context.gap.unwrap_or(Reason::NoRecord)),
            observed: None,
            entries: Vec::new(),
            findings: Vec::new(),
            problems: Vec::new(),
            size: Some(self.size),
            note: None,
            recent: Vec::new(),
        };
        let parts: Vec<_> = self.rel.iter().collect();
        let Some((name, folders)) = parts.split_last() else {
            return Vec::new();
        };
        let read_bytes = context
            .root
            .descend(folders)
            .and_then(|dir| dir.read(name, LARGEST));
        let bytes = match read_bytes {
            Ok((bytes, _)) => bytes,
            Err(error) => {
                inspection.outcome = Outcome::Unverifiable(Reason::Unreadable);
                inspection.problems.push(Problem::skipped(
                    path(),
                    format!("cannot be read: {}", error.source),
                ));
                return vec![inspection];
            }
        };
        if self.name == authority::CONFIG {
            self.config(&bytes, context, &mut inspection);
            return vec![inspection];
        }
        let cached = if self.plain {
            read_plain(&bytes)
        } else {
            read(&bytes)
        };
        match cached {
            Cached::Versions(versions) => {
                let readable = versions.iter().filter(|(_, line)| line.is_some()).count();
                if readable < versions.len() || readable == 0 {
                    inspection.problems.push(Problem::as_the_tool(
                        path(),
                        format!(
                            "{} of its {} rows can be read; cargo passes over the others",
                            readable,
                            versions.len()
                        ),
                    ));
                }
                if readable == 0 {
                    inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
                } else {
                    self.versions(&versions, context, &mut inspection);
                }
            }
            Cached::Ignored => {
                inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
                inspection.problems.push(Problem::as_the_tool(
                    path(),
                    "is no index file of a format that cargo reads; cargo fetches it anew",
                ));
            }
            Cached::Torn => {
                inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
                inspection.problems.push(Problem::as_the_tool(
                    path(),
                    "is a torn index file; cargo fetches it anew",
                ));
            }
        }
        vec![inspection]
    }
}

impl IndexFile {
    fn config(&self, bytes: &[u8], context: &InspectContext<'_>, inspection: &mut Inspection) {
        let Some(cached) = authority::config_facts(bytes) else {
            inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
            return;
        };
        let Some(published) = context.listing.and_then(|l| l.version(authority::CONFIG)) else {
            return;
        };
        if published.facts == cached.facts {
            inspection.outcome = Outcome::Verified(Assurance::Published);
        } else {
            self.poisoned(
                inspection,
                vec!["it names another download address than the registry does".into()],
            );
        }
    }

    fn versions(
        &self,
        versions: &[(String, Option<index_line::IndexLine>)],
        context: &InspectContext<'_>,
        inspection: &mut Inspection,
    ) {
        let mut wrong: Vec<String> = Vec::new();
        for (key, line) in versions {
            let Some(line) = line else { continue };
            let shown = crate::model::text::printable(key);
            if !line.name.eq_ignore_ascii_case(&self.name) {
                wrong.push(format!("{shown} belongs to another crate"));
            } else if *key != *line.facts.version {
                wrong.push(format!("{shown} is filed under another version"));
            } else if let Some(listing) = context.listing {
                if listing.version(&line.facts.version).is_none()
                    && let Some(at) = line.facts.published_at
                    && (0..SETTLING).contains(&(context.now - at))
                {
                    inspection
                        .recent
                        .push((std::sync::Arc::clone(&line.facts.version), at));
                }
                wrong.extend(
                    self.compare(&line.facts, listing, context)
                        .map(|why| format!("{shown} {why}")),
                );
            }
        }
        if let Some(listing) = context.listing
            && context.gap.is_none()
            && !self.plain
        {
            wrong.extend(left_out(versions, listing));
        }
        if !wrong.is_empty() {
            self.poisoned(inspection, wrong);
        } else if versions.iter().all(|(_, line)| line.is_none()) {
            // Nothing that cargo could use was compared with anything.
            inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
        } else if context.listing.is_some() && context.gap.is_none() {
            inspection.outcome = Outcome::Verified(Assurance::Published);
        } else if let Some(listing) = context.listing {
            // Not current: what it says of every version that both know still counts.
            let known = |key: &str| listing.version(key).is_some();
            if versions
                .iter()
                .all(|(key, line)| line.is_none() || known(key))
            {
                inspection.outcome = Outcome::Verified(Assurance::Published);
            }
        }
    }

    /// What differs between a cached version and the published one.
    fn compare(
        &self,
        cached: &VersionFacts,
        listing: &Listing,
        context: &InspectContext<'_>,
    ) -> Option<&'static str> {
        match listing.version(&cached.version) {
            Some(published) if published.digests != cached.digests => Some("has another checksum"),
            Some(published) if published.facts != cached.facts && published.facts != [0; 16] => {
                Some("has other dependencies or features")
            }
            Some(_) => None,
            None if !listing.complete || context.gap.is_some() => None,
            None => {
                let age = cached.published_at.map(|at| context.now - at);
                let recent = age.is_some_and(|age| (0..SETTLING).contains(&age));
                (!recent).then_some("was never published")
            }
        }
    }

    fn poisoned(&self, inspection: &mut Inspection, wrong: Vec<String>) {
        let total = wrong.len();
        let mut first: Vec<String> = wrong.into_iter().take(3).collect();
        if total > first.len() {
            first.push(format!("and {} more", total - first.len()));
        }
        let mut finding = Finding::new(
            Code::MetadataPoisoned,
            if self.plain {
                Place::Vendor
            } else {
                Place::Cache
            },
            format!(
                "the cached index file of `{}` is not the registry's: {}",
                self.name,
                first.join("; ")
            ),
        );
        finding.package = Some(std::sync::Arc::from(self.name.as_str()));
        inspection.findings.push(finding);
        inspection.outcome = Outcome::Tainted;
    }
}

/// Versions that by the registry's own times were there when the file was written, and are not in it.
fn left_out(
    versions: &[(String, Option<index_line::IndexLine>)],
    listing: &Listing,
) -> Option<String> {
    let have = |version: &str| versions.iter().any(|(key, _)| key == version);
    let newest = versions
        .iter()
        .filter_map(|(key, _)| listing.version(key)?.published_at)
        .max()?;
    let missing = listing.versions.iter().find(|v| {
        !v.withdrawn
            && !have(&v.version)
            && v.published_at
                .is_some_and(|at| at < newest.saturating_sub(SETTLING))
    })?;
    Some(format!(
        "{} is left out",
        crate::model::text::printable(&missing.version)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(versions: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = vec![3, 2, 0, 0, 0];
        bytes.extend_from_slice(b"etag: \"x\"\0");
        for (key, line) in versions {
            bytes.extend_from_slice(key.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    #[test]
    fn versions_are_read() {
        let Cached::Versions(versions) = read(&file(&[("1.0.0", "{}"), ("2.0.0", "{}")])) else {
            panic!("versions")
        };
        assert_eq!(versions.len(), 2);
        assert!(versions[0].1.is_none());
    }

    #[test]
    fn torn_and_foreign_files_are_told_apart() {
        let whole = file(&[("1.0.0", "{}")]);
        assert!(matches!(read(&whole[..whole.len() - 1]), Cached::Torn));
        assert!(matches!(read(&[9, 1, 2]), Cached::Ignored));
        assert!(matches!(read(&[]), Cached::Torn));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }
    }
}
