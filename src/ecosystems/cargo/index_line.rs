//! One line of a registry index: what is published under one version (cargo 1.95, `registry/index` JSON schema 1 and 2).
//!
//! The line's facts are folded into one digest over a canonical form: dependencies, features and links. Formatting, order,
//! `features` against `features2`, defaults that are left out, and what may change later (`yanked`, times, the minimum Rust
//! version) do not count.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::model::{Digest, Scheme, VersionFacts};

/// A parsed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexLine {
    /// Name as the registry spells it.
    pub(super) name: String,
    /// What is said of the version.
    pub(super) facts: VersionFacts,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(borrow, default)]
    deps: Vec<RawDep<'a>>,
    #[serde(borrow)]
    cksum: Cow<'a, str>,
    #[serde(borrow, default)]
    features: Option<BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>>,
    #[serde(borrow, default)]
    features2: Option<BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(borrow, default)]
    links: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pubtime: Option<Cow<'a, str>>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct RawDep<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    req: Cow<'a, str>,
    #[serde(borrow, default)]
    features: Option<Vec<Cow<'a, str>>>,
    #[serde(default)]
    optional: Option<bool>,
    #[serde(default)]
    default_features: Option<bool>,
    #[serde(borrow, default)]
    target: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    registry: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    package: Option<Cow<'a, str>>,
}

/// Reads one line. `None` if cargo could not use it either.
pub(super) fn parse(line: &[u8]) -> Option<IndexLine> {
    let raw: Raw<'_> = serde_json::from_slice(line).ok()?;
    let digest = Digest::from_hex(Scheme::Sha256, &raw.cksum).ok()?;
    semver::Version::parse(&raw.vers).ok()?;
    Some(IndexLine {
        name: raw.name.to_string(),
        facts: VersionFacts {
            version: Arc::from(&*raw.vers),
            digests: vec![digest],
            yanked: raw.yanked.unwrap_or(false),
            withdrawn: false,
            published_at: raw.pubtime.as_deref().and_then(seconds),
            facts: facts(&raw),
        },
    })
}

fn seconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_second)
}

/// First 16 bytes of BLAKE3 over the canonical form: every field prefixed by its length.
fn facts(raw: &Raw<'_>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(raw.name.as_bytes());
    field(raw.links.as_deref().unwrap_or_default().as_bytes());
    let mut deps: Vec<RawDep<'_>> = raw.deps.iter().map(RawDep::canonical).collect();
    deps.sort();
    field(&(deps.len() as u64).to_le_bytes());
    for dep in &deps {
        field(dep.name.as_bytes());
        field(dep.req.as_bytes());
        let features = dep.features.as_deref().unwrap_or_default();
        field(&(features.len() as u64).to_le_bytes());
        for feature in features {
            field(feature.as_bytes());
        }
        field(&[
            u8::from(dep.optional == Some(true)),
            u8::from(dep.default_features != Some(false)),
        ]);
        for text in [&dep.target, &dep.kind, &dep.registry, &dep.package] {
            field(text.as_deref().unwrap_or_default().as_bytes());
        }
    }
    let mut features: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, needs) in raw.features.iter().chain(&raw.features2).flatten() {
        features
            .entry(name)
            .or_default()
            .extend(needs.iter().map(|n| &**n));
    }
    field(&(features.len() as u64).to_le_bytes());
    for (name, needs) in &mut features {
        needs.sort_unstable();
        needs.dedup();
        field(name.as_bytes());
        field(&(needs.len() as u64).to_le_bytes());
        for need in needs {
            field(need.as_bytes());
        }
    }
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to = *from;
    }
    out
}

impl<'a> RawDep<'a> {
    fn canonical(&self) -> Self {
        let mut features: Vec<Cow<'a, str>> = self.features.clone().unwrap_or_default();
        features.retain(|f| !f.is_empty());
        features.sort();
        features.dedup();
        let kind = self.kind.clone().filter(|kind| kind != "normal");
        Self {
            name: self.name.clone(),
            req: self.req.clone(),
            features: Some(features),
            optional: Some(self.optional.unwrap_or(false)),
            default_features: Some(self.default_features.unwrap_or(true)),
            target: self.target.clone().filter(|t| !t.is_empty()),
            kind,
            registry: self.registry.clone().filter(|r| !r.is_empty()),
            package: self.package.clone().filter(|p| !p.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"name":"a","vers":"1.0.0","deps":[{"name":"b","req":"^1","features":["y","x"],"optional":false,"default_features":true,"target":null,"kind":"normal"}],"cksum":"49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b","features":{"f":["b"]},"yanked":false}"#;

    fn digest(line: &str) -> [u8; 16] {
        parse(line.as_bytes()).unwrap().facts.facts
    }

    #[test]
    fn formatting_defaults_and_staleness_do_not_count() {
        let other = LINE
            .replace(':', ": ")
            .replace(r#""yanked": false"#, r#""yanked": true, "rust_version": "1.60", "pubtime": "2026-01-01T00:00:00Z", "v": 2"#)
            .replace(r#""kind": "normal""#, r#""kind": null"#)
            .replace(r#"["y","x"]"#, r#"["x","y"]"#)
            .replace(r#""features": {"f": ["b"]}"#, r#""features": {}, "features2": {"f": ["b"]}"#);
        assert_eq!(digest(LINE), digest(&other));
    }

    #[test]
    fn what_a_build_depends_on_counts() {
        for (from, to) in [
            ("\"^1\"", "\"^2\""),
            ("\"name\":\"b\"", "\"name\":\"c\""),
            ("\"optional\":false", "\"optional\":true"),
            ("{\"f\":[\"b\"]}", "{\"f\":[\"b\"],\"default\":[\"f\"]}"),
            ("\"kind\":\"normal\"", "\"kind\":\"build\""),
            ("\"target\":null", "\"target\":\"cfg(unix)\""),
            (
                "\"target\":null",
                "\"registry\":\"sparse+https://registry.example/\"",
            ),
            ("\"yanked\":false", "\"links\":\"z\""),
        ] {
            assert_ne!(
                digest(LINE),
                digest(&LINE.replace(from, to)),
                "{from} -> {to}"
            );
        }
    }

    #[test]
    fn broken_lines_are_none() {
        assert!(parse(b"").is_none());
        assert!(parse(LINE.replace("49f1", "49F1").as_bytes()).is_none());
        assert!(parse(LINE.replace("1.0.0", "one").as_bytes()).is_none());
    }
}
