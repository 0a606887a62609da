//! Files beside downloaded modules that carry no hash anybody publishes: `.info` and `list` (cmd/go 1.26, `modfetch/cache.go`).
//!
//! ```text
//! <version>.info   {"Version":"v1.2.3","Time":"…","Origin":{…}}
//! list             one version on each line
//! ```
//! What a `.info` file calls its own version decides which module Go goes on to use, so it must be the one it is named after.
//! Files that were not written to their end are told, and judged as Go does: it asks for them anew. Times and origins are not
//! judged.

use std::path::PathBuf;

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
    fn a_list_that_is_filled_with_nuls_is_torn() {
        let list = Beside::List(PathBuf::new());
        assert!(list.fault(b"v1.0.0\nv1.1.0\n").is_none());
        assert!(list.fault(b"").is_none());
        assert!(list.fault(b"v1.0.0\n\0\0\0\0").is_some());
    }
}
