//! One line of a registry index: what is published under one version (cargo 1.95, `registry/index` JSON schema 1 and 2).
//!
//! The line's facts are folded into one digest over a canonical form: dependencies, features and links. Formatting, order,
//! `features` against `features2`, defaults that are left out, and what may change later (`yanked`, times, the minimum Rust
//! version) do not count.
//!
//! Types are taken as strictly as cargo takes them (`cargo-util-schemas`, `index.rs`): a row that it cannot use is none here
//! either, so that a row with a wrong type cannot pass for one that was compared.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::model::{Digest, Scheme, VersionFacts};

/// Longest line in bytes; the longest public one has some hundred thousand.
const LONGEST: usize = 2 << 20;
/// Highest schema that a stable cargo uses; a version with a higher one does not exist for it.
const SCHEMA: u32 = 2;

/// A parsed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexLine {
    /// Name as the registry spells it.
    pub(super) name: String,
    /// What is said of the version.
    pub(super) facts: VersionFacts,
    /// Whether cargo can use its times and Rust version, which the digest does not cover; it drops a line otherwise.
    pub(super) sound: bool,
}

/// A text that is borrowed where it has no escapes, also inside of lists and maps.
#[derive(Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(borrow)]
    deps: Vec<RawDep<'a>>,
    #[serde(borrow)]
    cksum: Cow<'a, str>,
    #[serde(borrow, default)]
    features: BTreeMap<Text<'a>, Vec<Text<'a>>>,
    #[serde(borrow, default)]
    features2: Option<BTreeMap<Text<'a>, Vec<Text<'a>>>>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(borrow, default)]
    links: Option<Cow<'a, str>>,
    #[serde(default)]
    rust_version: Option<serde_json::Value>,
    #[serde(default)]
    pubtime: Option<serde_json::Value>,
    #[serde(default)]
    v: Option<u32>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct RawDep<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    req: Cow<'a, str>,
    #[serde(borrow, default)]
    features: Vec<Text<'a>>,
    #[serde(default)]
    optional: bool,
    #[serde(default = "yes")]
    default_features: bool,
    #[serde(borrow, default)]
    target: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    registry: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    package: Option<Cow<'a, str>>,
    #[serde(default)]
    public: Option<bool>,
    #[serde(borrow, default)]
    artifact: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    bindep_target: Option<Cow<'a, str>>,
    #[serde(default)]
    lib: bool,
}

const fn yes() -> bool {
    true
}

/// The version that a line speaks of, if no more than that can be read.
pub(super) fn version(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Least<'a> {
        #[serde(borrow)]
        vers: Cow<'a, str>,
    }
    let least: Least<'_> = serde_json::from_slice(line).ok()?;
    Some(least.vers.into_owned())
}

/// Whether a line ends in the middle of its JSON.
pub(super) fn is_cut(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

/// Reads one line. `None` if cargo could not use it, or would refuse the archive it speaks of (a checksum that is no
/// lower-case hex).
pub(super) fn parse(line: &[u8]) -> Option<IndexLine> {
    if line.len() > LONGEST {
        return None;
    }
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
            published_at: raw
                .pubtime
                .as_ref()
                .and_then(serde_json::Value::as_str)
                .and_then(seconds),
            facts: facts(&raw),
        },
        sound: raw.pubtime.as_ref().is_none_or(is_time)
            && raw.rust_version.as_ref().is_none_or(is_rust_version),
    })
}

fn seconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_second)
}

/// A time in the one form that cargo reads: `2026-01-02T03:04:05Z`.
fn is_time(value: &serde_json::Value) -> bool {
    let shape = |text: &str| {
        text.bytes()
            .map(|b| if b.is_ascii_digit() { b'0' } else { b })
            .eq(*b"0000-00-00T00:00:00Z")
    };
    value
        .as_str()
        .is_some_and(|text| shape(text) && seconds(text).is_some())
}

/// One to three numbers.
fn is_rust_version(value: &serde_json::Value) -> bool {
    value.as_str().is_some_and(|text| {
        let number = |part: &str| {
            part.bytes().all(|b| b.is_ascii_digit())
                && part.parse::<u64>().is_ok()
                && (part == "0" || !part.starts_with('0'))
        };
        text.split('.').count() <= 3 && text.split('.').all(number)
    })
}

/// First 16 bytes of BLAKE3 over the canonical form: every field prefixed by its length.
fn facts(raw: &Raw<'_>) -> [u8; 16] {
    // Many short fields: gathered first, hashed at once.
    let mut all = Vec::with_capacity(4096);
    let mut field = |bytes: &[u8]| {
        all.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        all.extend_from_slice(bytes);
    };
    field(raw.name.as_bytes());
    field(raw.links.as_deref().unwrap_or_default().as_bytes());
    let mut deps: Vec<RawDep<'_>> = raw.deps.iter().map(RawDep::canonical).collect();
    deps.sort();
    field(&(deps.len() as u64).to_le_bytes());
    for dep in &deps {
        field(dep.name.as_bytes());
        field(dep.req.as_bytes());
        field(&(dep.features.len() as u64).to_le_bytes());
        for feature in &dep.features {
            field(feature.as_bytes());
        }
        field(&[u8::from(dep.optional), u8::from(dep.default_features)]);
        for text in [&dep.target, &dep.kind, &dep.registry, &dep.package] {
            field(text.as_deref().unwrap_or_default().as_bytes());
        }
    }
    let mut features: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, needs) in raw.features.iter().chain(raw.features2.iter().flatten()) {
        features
            .entry(name)
            .or_default()
            .extend(needs.iter().map(|need| &**need));
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
    // What hardly any line has is counted only where it is, behind all else.
    if let Some(v) = raw.v.filter(|v| *v > SCHEMA) {
        field(b"schema");
        field(&v.to_le_bytes());
    }
    for (at, dep) in (0u64..).zip(&deps) {
        if dep.artifact.is_some() || dep.bindep_target.is_some() || dep.lib {
            let artifacts = dep.artifact.as_deref().unwrap_or_default();
            field(b"artifact");
            field(&at.to_le_bytes());
            field(&(artifacts.len() as u64).to_le_bytes());
            for artifact in artifacts {
                field(artifact.as_bytes());
            }
            field(dep.bindep_target.as_deref().unwrap_or_default().as_bytes());
            field(&[u8::from(dep.lib)]);
        }
    }
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(blake3::hash(&all).as_bytes()) {
        *to = *from;
    }
    out
}

impl<'a> RawDep<'a> {
    fn canonical(&self) -> Self {
        let mut features = self.features.clone();
        features.retain(|f| !f.is_empty());
        features.sort();
        features.dedup();
        let kind = self.kind.clone().filter(|kind| kind != "normal");
        Self {
            name: self.name.clone(),
            req: self.req.clone(),
            features,
            optional: self.optional,
            default_features: self.default_features,
            target: self.target.clone().filter(|t| !t.is_empty()),
            kind,
            registry: self.registry.clone().filter(|r| !r.is_empty()),
            package: self.package.clone().filter(|p| !p.is_empty()),
            public: None,
            artifact: self.artifact.clone(),
            bindep_target: self.bindep_target.clone(),
            lib: self.lib,
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
            ("\"yanked\":false", "\"v\":99"),
            ("\"target\":null", "\"artifact\":[\"bin\"]"),
            ("\"target\":null", "\"lib\":true"),
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
        for wrong in [
            "\"v\":\"1\"",
            "\"v\":-1",
            "\"yanked\":0",
            "\"links\":[]",
            "\"name\":\"a\"",
            "\"features2\":[]",
        ] {
            let line = LINE.replace("\"yanked\":false", wrong);
            assert!(parse(line.as_bytes()).is_none(), "{wrong}");
            assert_eq!(version(line.as_bytes()).as_deref(), Some("1.0.0"));
        }
        assert!(is_cut(&LINE.as_bytes()[..40]));
        assert!(!is_cut(LINE.as_bytes()) && !is_cut(b"}"));
    }

    #[test]
    fn what_the_digest_does_not_cover_is_held_against_its_form() {
        let sound = |field: &str| {
            let line = LINE.replace("\"yanked\":false", field);
            parse(line.as_bytes()).unwrap().sound
        };
        assert!(sound("\"pubtime\":null,\"rust_version\":null"));
        assert!(sound("\"pubtime\":\"2026-01-02T03:04:05Z\""));
        assert!(sound("\"rust_version\":\"1.60\""));
        for wrong in [
            "\"pubtime\":5",
            "\"pubtime\":\"2026-01-02 03:04:05Z\"",
            "\"pubtime\":\"2026-13-02T03:04:05Z\"",
            "\"rust_version\":5",
            "\"rust_version\":\"^1.60\"",
            "\"rust_version\":\"1.60.0.0\"",
        ] {
            assert!(!sound(wrong), "{wrong}");
        }
    }
}
