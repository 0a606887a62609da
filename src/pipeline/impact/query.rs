//! What is asked for, as a person types it, and the test that it becomes.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use packageurl::PackageUrl;

use crate::ecosystems::contract::Ecosystem;
use crate::model::Digest;
use crate::model::text::printable;
use crate::pipeline::advise::catalogue::{self, Feed};
use crate::pipeline::advise::index::IndexError;
use crate::pipeline::advise::ranges::{self, Standing};
use crate::pipeline::advise::record::AdvisoryRecord;
use crate::pipeline::feeds::Shelf;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A package, or one version of it.
    Package {
        /// Names of the ecosystems that the type of the package URL stands for.
        ecosystems: Vec<&'static str>,
        /// The name, and its other spellings.
        names: Vec<String>,
        /// The version; every one if there is none.
        version: Option<String>,
    },
    /// Bytes, by what they hash to.
    Digest(String),
    /// A finding, by its id.
    Finding(String),
    /// An advisory, by its id or an alias.
    Advisory(String),
}

impl Query {
    /// Reads a package URL, a digest, a finding's id or an advisory's id.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("pkg:") {
            return package(text);
        }
        if let Ok(digest) = text.parse::<Digest>() {
            return Ok(Self::Digest(digest.to_string()));
        }
        let hex = |rest: &str| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_hexdigit());
        if text.strip_prefix("f-").is_some_and(hex) {
            return Ok(Self::Finding(text.to_owned()));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        if text.len() > 3 && text.contains('-') && text.bytes().all(plain) && !text.contains(':') {
            return Ok(Self::Advisory(text.to_owned()));
        }
        Err(format!(
            "'{}': write a package URL (pkg:cargo/itoa@1.0.11), sha256:HEX, an advisory's id or a finding's id (f-…)",
            printable(text)
        ))
    }
}

fn package(text: &str) -> Result<Query, String> {
    let purl = PackageUrl::from_str(text)
        .map_err(|error| format!("'{}' is no package URL: {error}", printable(text)))?;
    let known: Vec<&'static dyn Ecosystem> = crate::ecosystems::all()
        .iter()
        .copied()
        .filter(|e| e.facts().purl_type == purl.ty())
        .collect();
    if known.is_empty() {
        let types = crate::ecosystems::all().iter().map(|e| e.facts().purl_type);
        return Err(format!(
            "'{}': no ecosystem of untaint has this type; known are {}",
            printable(text),
            types.collect::<Vec<_>>().join(", ")
        ));
    }
    let name = match purl.namespace() {
        Some(namespace) => format!("{namespace}/{}", purl.name()),
        None => purl.name().to_owned(),
    };
    let mut names: Vec<String> = known.iter().flat_map(|e| e.spellings(&name)).collect();
    names.push(name);
    names.sort();
    names.dedup();
    Ok(Query::Package {
        ecosystems: known.iter().map(|e| e.facts().id.as_str()).collect(),
        names,
        version: purl.version().map(str::to_owned),
    })
}

/// A query as a test.
#[derive(Default)]
pub struct Wanted {
    /// Whole packages or single versions: ecosystem and name, then the versions; none for all.
    packages: BTreeMap<(String, String), Option<Vec<String>>>,
    /// Advisories: ecosystem and name as its feed looks it up.
    advisories: BTreeMap<(String, String), Vec<AdvisoryRecord>>,
    rules: BTreeMap<String, Feed>,
    /// Digests.
    pub(super) digests: Vec<String>,
    /// Ids of findings.
    pub(super) findings: Vec<String>,
}

impl Wanted {
    /// The test for a query; advisories are taken from the feeds in use.
    ///
    /// # Errors
    /// When no feed knows the advisory, or a feed is damaged.
    pub fn of(query: &Query, shelf: &Shelf) -> Result<Self, String> {
        let mut wanted = Self::default();
        match query {
            Query::Package {
                ecosystems,
                names,
                version,
            } => {
                for ecosystem in ecosystems {
                    for name in names {
                        wanted.add(ecosystem, name, version.as_deref());
                    }
                }
            }
            Query::Digest(digest) => wanted.digests.push(digest.clone()),
            Query::Finding(id) => wanted.findings.push(id.clone()),
            Query::Advisory(id) => wanted.advisory(id, shelf)?,
        }
        Ok(wanted)
    }

    /// Adds a package, or one version of it.
    pub(super) fn add(&mut self, ecosystem: &str, name: &str, version: Option<&str>) {
        let versions = self
            .packages
            .entry((ecosystem.to_owned(), name.to_owned()))
            .or_insert_with(|| Some(Vec::new()));
        match (version, versions) {
            (Some(version), Some(versions)) => versions.push(version.to_owned()),
            (None, versions) => *versions = None,
            (Some(_), None) => {}
        }
    }

    fn advisory(&mut self, id: &str, shelf: &Shelf) -> Result<(), String> {
        let broken = |error: IndexError| format!("advisory data: {error}");
        let feeds = catalogue::feeds();
        for (ecosystem, dbs) in &shelf.dbs {
            let Some(feed) = feeds.iter().find(|f| f.ecosystem == ecosystem.as_str()) else {
                continue;
            };
            for db in dbs {
                for record in db.find(id).map_err(broken)? {
                    let key = (ecosystem.as_str().to_owned(), record.package.clone());
                    self.advisories.entry(key).or_default().push(record);
                    self.rules
                        .entry(ecosystem.as_str().to_owned())
                        .or_insert_with(|| feed.clone());
                }
            }
        }
        if self.advisories.is_empty() {
            return Err(format!(
                "'{}': no advisory of this id is in the feeds in use; `untaint feeds update` fetches newer ones",
                printable(id)
            ));
        }
        Ok(())
    }

    /// Texts of which a recorded line must hold one, as JSON writes them.
    pub(super) fn needles(&self) -> Vec<String> {
        let names = self
            .packages
            .keys()
            .chain(self.advisories.keys())
            .map(|(_, name)| name);
        names
            .chain(&self.digests)
            .chain(&self.findings)
            .filter_map(|text| {
                let json = serde_json::to_string(text).ok()?;
                Some(json.trim_matches('"').to_owned())
            })
            .collect()
    }

    /// Whether a package version is meant.
    pub(super) fn package(&self, ecosystem: &str, name: &str, version: &str) -> bool {
        let key = (ecosystem.to_owned(), name.to_owned());
        let named = self.packages.get(&key).is_some_and(|versions| {
            versions
                .as_ref()
                .is_none_or(|versions| versions.iter().any(|v| v == version))
        });
        named || self.affected(ecosystem, name, version)
    }

    fn affected(&self, ecosystem: &str, name: &str, version: &str) -> bool {
        let Some(feed) = self.rules.get(ecosystem) else {
            return false;
        };
        let key = (ecosystem.to_owned(), feed.normalise(name));
        let records = self.advisories.get(&key).map(Vec::as_slice);
        records.unwrap_or_default().iter().any(|record| {
            let order = feed.version_order();
            // What the order does not know may be affected: it is shown.
            record.withdrawn.is_none()
                && ranges::standing(&record.ranges, &record.versions, version, order)
                    != Standing::Unaffected
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_kinds_of_words() {
        assert_eq!(
            Query::parse("pkg:cargo/itoa@1.0.11").unwrap(),
            Query::Package {
                ecosystems: vec!["cargo"],
                names: vec!["itoa".into()],
                version: Some("1.0.11".into()),
            }
        );
        let Query::Package { names, version, .. } =
            Query::parse("pkg:golang/example.com/a/b").unwrap()
        else {
            panic!("no package");
        };
        assert!(names.contains(&"example.com/a/b".to_owned()), "{names:?}");
        assert_eq!(version, None);
        let digest = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(Query::parse(&digest).unwrap(), Query::Digest(digest));
        assert_eq!(
            Query::parse("f-0123456789abcdef").unwrap(),
            Query::Finding("f-0123456789abcdef".into())
        );
        assert_eq!(
            Query::parse("RUSTSEC-2024-0001").unwrap(),
            Query::Advisory("RUSTSEC-2024-0001".into())
        );
    }

    #[test]
    fn what_is_none_of_them_is_refused_with_a_word() {
        for bad in [
            "",
            "itoa",
            "pkg:",
            "pkg:nuget/x@1",
            "sha256:xyz",
            "f-12\u{1b}",
            "a b-c",
            "../../etc/x-y",
        ] {
            let error = Query::parse(bad).unwrap_err();
            assert!(!error.contains('\u{1b}') && error.len() > 20, "{error}");
        }
    }

    #[test]
    fn a_version_is_meant_alone_unless_the_whole_package_is() {
        let mut wanted = Wanted::default();
        wanted.add("cargo", "a", Some("1.0.0"));
        assert!(wanted.package("cargo", "a", "1.0.0"));
        assert!(!wanted.package("cargo", "a", "1.0.1"));
        assert!(!wanted.package("go", "a", "1.0.0"));
        wanted.add("cargo", "a", None);
        assert!(wanted.package("cargo", "a", "1.0.1"));
        wanted.add("cargo", "a", Some("1.0.0"));
        assert!(wanted.package("cargo", "a", "1.0.1"), "it stays the whole");
    }

    #[test]
    fn needles_are_as_json_has_them() {
        let mut wanted = Wanted::default();
        wanted.add("cargo", "a\"\n", None);
        assert_eq!(wanted.needles(), [r#"a\"\n"#]);
    }
}
