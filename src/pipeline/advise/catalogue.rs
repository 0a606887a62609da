//! The catalogue of feeds (`advisories/catalogue.toml`), and how a feed that was read becomes a compiled index.
//!
//! What differs between ecosystems (names, order of versions) is data of the catalogue; no code asks which ecosystem it is.

use super::{
    index::{self, FeedMeta, FeedOrigin, IndexError},
    ranges::{self, Standing},
    reading::Reading,
};
use crate::{
    formats::{
        pep440_order::Pep440Order,
        semver_order::{GoOrder, SemverOrder},
    },
    model::VersionOrder,
};
use serde::Deserialize;

const TEXT: &str = include_str!("../../../advisories/catalogue.toml");

/// What a feed's address gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedFormat {
    /// A `.tar.gz` of RustSec's advisory-db: [`super::rustsec_db`].
    RustsecArchive,
    /// An `all.zip` of OSV records: [`super::osv`].
    OsvExport,
}

/// How names are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameForm {
    /// As they are.
    Verbatim,
    /// Lower case, runs of `-`, `_` and `.` as one `-` (PEP 503).
    Pep503,
}

/// Which order of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderName {
    /// Semantic Versioning.
    Semver,
    /// Semantic Versioning with Go's `v`.
    Go,
    /// PEP 440.
    Pep440,
}

/// One feed of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Name in reports.
    pub name: String,
    /// Our id of the ecosystem.
    pub ecosystem: String,
    /// OSV's name of the ecosystem.
    pub osv: String,
    /// What the address gives.
    pub format: FeedFormat,
    /// Address of the feed.
    pub url: String,
    /// Order of versions.
    pub order: OrderName,
    /// How names are looked up.
    pub names: NameForm,
    /// Whether a snapshot of it is embedded.
    pub embedded: bool,
    /// Licence of the records.
    pub licence: String,
    /// How we know that the content is the feed's.
    pub authenticated: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    feed: Vec<Feed>,
}

/// Every feed of the catalogue, in its order. It is part of the program and tested, so that it is never empty.
#[must_use]
pub fn feeds() -> Vec<Feed> {
    toml::from_str::<Catalogue>(TEXT)
        .map(|catalogue| catalogue.feed)
        .unwrap_or_default()
}

/// The feed of an ecosystem.
#[must_use]
pub fn feed_of(ecosystem: &str) -> Option<Feed> {
    feeds().into_iter().find(|feed| feed.ecosystem == ecosystem)
}

/// The feed of a name.
#[must_use]
pub fn feed_named(name: &str) -> Option<Feed> {
    feeds().into_iter().find(|feed| feed.name == name)
}

impl Feed {
    /// Its order of versions.
    #[must_use]
    pub fn version_order(&self) -> &'static dyn VersionOrder {
        match self.order {
            OrderName::Semver => &SemverOrder,
            OrderName::Go => &GoOrder,
            OrderName::Pep440 => &Pep440Order,
        }
    }

    /// A name as it is looked up.
    #[must_use]
    pub fn normalise(&self, name: &str) -> String {
        match self.names {
            NameForm::Verbatim => name.to_owned(),
            NameForm::Pep503 => pep503(name),
        }
    }

    /// Compiles what was read. The caller asks [`super::freshness::admit`] first.
    ///
    /// Named versions that a range of the same record covers anyway are left out: some feeds list every affected release beside the ranges.
    /// `confirmed` is when the feed's server last confirmed the content, in seconds since 1970; dates after it are not believed.
    ///
    /// # Errors
    ///
    /// The feed is too large for an index.
    pub fn compile(
        &self,
        reading: Reading,
        confirmed: Option<i64>,
        origin: FeedOrigin,
    ) -> Result<Vec<u8>, IndexError> {
        let order = self.version_order();
        let Reading {
            mut records,
            total,
            unreadable,
            newest,
            ..
        } = reading;
        for record in &mut records {
            record.package = self.normalise(&record.package);
            let ranges = &record.ranges;
            record.versions.retain(|version| {
                ranges::standing(ranges, &[], version, order) != Standing::Affected
            });
        }
        let updated = match (newest, confirmed) {
            (Some(newest), Some(confirmed)) => Some(newest.min(confirmed)),
            (newest, _) => newest,
        };
        let meta = FeedMeta {
            name: self.name.clone(),
            ecosystem: self.ecosystem.clone(),
            records: total - unreadable.min(total),
            updated,
            confirmed,
            origin,
        };
        index::compile(&meta, &records)
    }
}

fn pep503(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut separated = false;
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            separated = true;
            continue;
        }
        if std::mem::take(&mut separated) {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    if separated {
        out.push('-');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_is_sound() {
        let parsed: Catalogue = toml::from_str(TEXT).unwrap();
        assert_eq!(parsed.feed.len(), feeds().len());
        let distinct = |field: fn(&Feed) -> &str| {
            parsed.feed.iter().map(field).collect::<BTreeSet<_>>().len() == parsed.feed.len()
        };
        assert!(
            distinct(|f| &f.name)
                && distinct(|f| &f.ecosystem)
                && distinct(|f| &f.osv)
                && distinct(|f| &f.url)
        );
        for feed in &parsed.feed {
            assert!(feed.url.starts_with("https://"), "{}", feed.name);
            assert!(!feed.licence.is_empty() && !feed.authenticated.is_empty());
        }
        assert_eq!(
            feed_of("cargo").map(|feed| feed.name),
            Some("rustsec".to_owned())
        );
        assert_eq!(feed_of("cobol"), None);
    }

    #[test]
    fn python_names_are_normalised() {
        for (name, normal) in [
            ("Foo.__-Bar", "foo-bar"),
            ("a", "a"),
            ("A_", "a-"),
            ("_a", "-a"),
            ("Zope.Interface", "zope-interface"),
        ] {
            assert_eq!(pep503(name), normal);
        }
    }
}
