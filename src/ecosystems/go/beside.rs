//! Files beside downloaded modules that carry no hash anybody publishes: `.info` and `list` (cmd/go 1.26, `modfetch/cache.go`).
//!
//! ```text
//! <version>.info   {"Version":"v1.2.3","Time":"…","Origin":{…}}
//! list             one version on each line
//! ```
//! What a `.info` file calls its own version decides which module Go goes on to use, so it must be the one it is named after.
//! Files that were not written to their end are told, and judged as Go does: it asks for them anew. Times and origins are held
//! against the proxy's, where that is asked (`proxy_said`).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ecosystems::contract::{InspectContext, Inspection, Inspector};
use crate::model::text::printable;
use crate::model::{Code, Finding, Outcome, Place, Problem, Reason};
use crate::world::{Dir, PathError};

/// Largest file that is read.
const LARGEST: u64 = 4 << 20;

/// What stands beside modules.
pub(super) enum Beside {
    /// What is said of one version: its file, and the version that it is named after.
    Info(PathBuf, String),
    /// Which versions there are.
    List(PathBuf),
}

/// What is wrong with one.
enum Fault {
    /// It was not written to its end.
    Torn,
    /// It speaks of another version.
    Other(String),
}

impl Beside {
    fn rel(&self) -> &PathBuf {
        match self {
            Self::Info(rel, _) | Self::List(rel) => rel,
        }
    }

    fn fault(&self, bytes: &[u8]) -> Option<Fault> {
        match self {
            Self::Info(_, version) => info(bytes, version),
            Self::List(_) => {
                (bytes.contains(&0) || str::from_utf8(bytes).is_err()).then_some(Fault::Torn)
            }
        }
    }
}

/// What is wrong with a `.info` file.
fn info(bytes: &[u8], version: &str) -> Option<Fault> {
    let Ok(said) = serde_json::from_slice::<serde_json::Map<_, _>>(bytes) else {
        return Some(Fault::Torn);
    };
    // Go takes any spelling of a key that differs by case alone, the last one first.
    let mut versions = said.iter().filter(|(key, _)| folded(key) == "version");
    let first = versions.next().map(|(_, value)| value);
    let other = first
        .into_iter()
        .chain(versions.map(|(_, value)| value))
        .find(|value| value.as_str() != Some(version));
    match (first, other) {
        (Some(_), None) => None,
        (None, _) => Some(Fault::Other("none".to_owned())),
        (_, Some(value)) => Some(Fault::Other(printable(&value.to_string()))),
    }
}

/// What is said of a version beside its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    time: Option<String>,
    vcs: Option<String>,
    url: Option<String>,
    hash: Option<String>,
}

impl Facts {
    /// Of a `.info` file that speaks of this version; of others nothing.
    pub(super) fn of_file(bytes: &[u8], version: &str) -> Option<Self> {
        if info(bytes, version).is_some() {
            return None;
        }
        let said: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        let text = |of: Option<&serde_json::Value>, name: &str| {
            let mut fields = of?.as_object()?.iter();
            let (_, value) = fields.find(|(key, _)| folded(key) == name)?;
            value.as_str().map(ToOwned::to_owned)
        };
        let mut fields = said.as_object()?.iter();
        let origin = fields
            .find(|(key, _)| folded(key) == "origin")
            .map(|(_, value)| value);
        Some(Self {
            time: text(Some(&said), "time"),
            vcs: text(origin, "vcs"),
            url: text(origin, "url"),
            hash: text(origin, "hash"),
        })
    }

    /// The first fact that both sides know and that differs: what it is, what is said here, and there. Of one commit it does
    /// not matter from where it was fetched.
    pub(super) fn differs(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
        let pair = |a: &Option<String>, b: &Option<String>| Some((a.clone()?, b.clone()?));
        let differs = |what, pair: Option<(String, String)>, same: &dyn Fn(&str, &str) -> bool| {
            pair.filter(|(a, b)| !same(a, b)).map(|(a, b)| (what, a, b))
        };
        let exact = |a: &str, b: &str| a == b;
        let instant = |a: &str, b: &str| a == b || (time(a).is_some() && time(a) == time(b));
        let one_commit = self.hash.is_some() && self.hash == other.hash;
        let plain = |url: &str| {
            let url = url.trim_end_matches('/').trim_end_matches(".git");
            let (_, rest) = url.split_once("://").unwrap_or(("", url));
            rest.to_lowercase()
        };
        let near = |a: &str, b: &str| one_commit || plain(a) == plain(b);
        differs("the commit", pair(&self.hash, &other.hash), &exact)
            .or_else(|| differs("the time", pair(&self.time, &other.time), &instant))
            .or_else(|| {
                differs(
                    "the kind of repository",
                    pair(&self.vcs, &other.vcs),
                    &exact,
                )
            })
            .or_else(|| differs("the repository", pair(&self.url, &other.url), &near))
    }
}

/// A key as Go compares it: by simple case folding, under which the long s is an s.
fn folded(key: &str) -> String {
    let fold = |c| if c == '\u{17f}' { 's' } else { c };
    key.chars().map(fold).collect::<String>().to_lowercase()
}

fn read(root: &dyn Dir, rel: &std::path::Path) -> Result<Vec<u8>, PathError> {
    let mut parts: Vec<&std::ffi::OsStr> = rel.iter().collect();
    let name = parts.pop().unwrap_or_default();
    Ok(root.descend(&parts)?.read(name, LARGEST)?.0)
}

impl Inspector for Beside {
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let rel = self.rel();
        let shown = printable(&context.root.path().join(rel).display().to_string());
        let mut inspection = Inspection::new("listing", rel.clone(), Outcome::Tainted);
        let bytes = match read(context.root, rel) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Vec::new(),
            Err(error) => {
                inspection.outcome = Outcome::Unverifiable(Reason::Unreadable);
                let why = format!("cannot be read: {}; make it readable", error.source);
                inspection.problems.push(Problem::skipped(shown, why));
                return vec![inspection];
            }
        };
        match self.fault(&bytes) {
            None => return Vec::new(),
            Some(Fault::Torn) => {
                // Go does not use it.
                inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
                let why = "was not written to its end; Go asks for it anew";
                inspection.problems.push(Problem::as_the_tool(shown, why));
            }
            Some(Fault::Other(version)) => {
                let message = format!(
                    "`{}` leads to another version than the one it is named after: {version}",
                    printable(&rel.to_string_lossy())
                );
                let finding = Finding::new(Code::MetadataPoisoned, Place::Cache, message);
                inspection.findings.push(finding);
            }
        }
        vec![inspection]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(text: &str) -> Option<String> {
        match info(text.as_bytes(), "v1.0.0") {
            None => None,
            Some(Fault::Torn) => Some("torn".to_owned()),
            Some(Fault::Other(version)) => Some(version),
        }
    }

    #[test]
    fn a_version_speaks_of_itself_whatever_the_spelling_of_the_key() {
        let good = r#"{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z","Origin":{"VCS":"git"}}"#;
        assert_eq!(other(good), None);
        for (text, said) in [
            (r#"{"Version":"v6.6.6"}"#, "\"v6.6.6\""),
            (r#"{"Version":"v1.0.0","version":"v6.6.6"}"#, "\"v6.6.6\""),
            (
                "{\"Version\":\"v1.0.0\",\"VER\u{17f}ION\":\"v6.6.6\"}",
                "\"v6.6.6\"",
            ),
            (r#"{"Version":"v6.6.6","Version":"v1.0.0","Time":""}"#, ""),
            (r#"{"Version":7}"#, "7"),
            (r#"{"Time":"2026-01-01T00:00:00Z"}"#, "none"),
            ("", "torn"),
            ("{\"Version\":\"v1.0", "torn"),
            ("\0\0\0\0", "torn"),
        ] {
            let expected = (!said.is_empty()).then(|| said.to_owned());
            assert_eq!(other(text), expected, "{text}");
        }
    }

    #[test]
    fn facts_that_both_sides_know_must_agree() {
        let facts = |text: &str| Facts::of_file(text.as_bytes(), "v1.0.0").unwrap();
        let there = facts(
            r#"{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z","Origin":{"VCS":"git","URL":"https://code.example/x","Hash":"aa"}}"#,
        );
        for (text, what) in [
            (r#"{"Version":"v1.0.0"}"#, None),
            (
                r#"{"Version":"v1.0.0","Time":"2026-01-01T01:00:00+01:00"}"#,
                None,
            ),
            (
                r#"{"Version":"v1.0.0","Time":"2026-01-01T00:00:01Z"}"#,
                Some("the time"),
            ),
            (r#"{"Version":"v1.0.0","Time":"soon"}"#, Some("the time")),
            (
                r#"{"Version":"v1.0.0","origin":{"hash":"bb"}}"#,
                Some("the commit"),
            ),
            (
                r#"{"Version":"v1.0.0","Origin":{"VCS":"hg"}}"#,
                Some("the kind of repository"),
            ),
            (
                r#"{"Version":"v1.0.0","Origin":{"URL":"http://Code.example/x.git/"}}"#,
                None,
            ),
            (
                r#"{"Version":"v1.0.0","Origin":{"URL":"https://evil.example/x"}}"#,
                Some("the repository"),
            ),
            (
                r#"{"Version":"v1.0.0","Origin":{"URL":"https://moved.example/x","Hash":"aa"}}"#,
                None,
            ),
        ] {
            assert_eq!(facts(text).differs(&there).map(|d| d.0), what, "{text}");
        }
        assert_eq!(Facts::of_file(b"{\"Version\":\"v2.0.0\"}", "v1.0.0"), None);
    }

    #[test]
    fn a_list_that_is_filled_with_nuls_is_torn() {
        let list = Beside::List(PathBuf::new());
        assert!(list.fault(b"v1.0.0\nv1.1.0\n").is_none());
        assert!(list.fault(b"").is_none());
        assert!(list.fault(b"v1.0.0\n\0\0\0\0").is_some());
    }
}
