//! The manifest of dates that may stand beside a feed: `--feeds DIR/<OSV ecosystem>/manifest.json`, and beside feeds in our state.
//!
//! ```json
//! {"schema": "untaint.feed/1", "confirmed": "2026-08-21T06:28:40Z", "updated": "2026-08-21T06:28:40Z", "records": 1206, "sha256": "<hex>"}
//! ```
//!
//! `confirmed`: when the feed's server last said that this is its content. `updated`: the newest date in the content. `records`: advisories in
//! it. `sha256`: of the file beside it; if it differs, the manifest speaks of another file and is refused. All but `schema`, `confirmed` and
//! `sha256` may be missing. Without a manifest a feed is as old as the newest date in its records.

use super::{index::FeedMeta, reading::seconds_of};
use crate::model::when::rfc3339;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Name of the file.
pub const FILE: &str = "manifest.json";

/// The only schema that we know.
pub const SCHEMA: &str = "untaint.feed/1";

/// Longest manifest.
const LONGEST: usize = 64 << 10;

/// Why a manifest is refused. The feed's age is then that of its records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Too long, not JSON, another schema, no date.
    #[error("not a feed manifest: {0}")]
    Malformed(String),
    /// It speaks of other bytes.
    #[error(
        "the feed manifest is of another file: its sha256 differs from that of the feed beside it"
    )]
    OtherFile,
}

/// The dates of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// When the feed's server last confirmed the content, seconds since 1970.
    pub confirmed: i64,
    /// Newest date in the content, seconds since 1970.
    pub updated: Option<i64>,
    /// Advisories in it.
    pub records: Option<u64>,
    /// SHA-256 of the feed's file.
    pub sha256: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct Raw {
    schema: String,
    confirmed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    sha256: String,
}

impl Manifest {
    /// Reads a manifest and checks that it speaks of `feed`.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is of another file.
    pub fn read(bytes: &[u8], feed: &[u8]) -> Result<Self, ManifestError> {
        let malformed = |why: &str| ManifestError::Malformed(why.to_owned());
        if bytes.len() > LONGEST {
            return Err(malformed("too long"));
        }
        let raw: Raw = serde_json::from_slice(bytes).map_err(|e| malformed(&e.to_string()))?;
        if raw.schema != SCHEMA {
            return Err(malformed("its schema is not `untaint.feed/1`"));
        }
        let time = |text: &str| seconds_of(text).ok_or_else(|| malformed("a date is not RFC 3339"));
        let hash: [u8; 32] = Sha256::digest(feed).into();
        if raw.sha256 != hex(&hash) {
            return Err(ManifestError::OtherFile);
        }
        Ok(Self {
            confirmed: time(&raw.confirmed)?,
            updated: raw.updated.as_deref().map(time).transpose()?,
            records: raw.records,
            sha256: hash,
        })
    }

    /// The manifest of a feed whose meta states a confirmation; `None` if it does not.
    #[must_use]
    pub fn of(meta: &FeedMeta, feed: &[u8]) -> Option<Self> {
        Some(Self {
            confirmed: meta.confirmed?,
            updated: meta.updated,
            records: Some(meta.records),
            sha256: Sha256::digest(feed).into(),
        })
    }

    /// The manifest as text, one line, with a final line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let raw = Raw {
            schema: SCHEMA.to_owned(),
            confirmed: rfc3339(self.confirmed),
            updated: self.updated.map(rfc3339),
            records: self.records,
            sha256: hex(&self.sha256),
        };
        let mut text = serde_json::to_string(&raw).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let manifest = Manifest {
            confirmed: 1_787_293_720,
            updated: None,
            records: Some(3),
            sha256: Sha256::digest(b"feed").into(),
        };
        let text = manifest.to_json();
        assert!(text.starts_with("{\"schema\":\"untaint.feed/1\",\"confirmed\":\"2026-08-21T"));
        assert_eq!(Manifest::read(text.as_bytes(), b"feed"), Ok(manifest));
        assert_eq!(
            Manifest::read(text.as_bytes(), b"fe ed"),
            Err(ManifestError::OtherFile)
        );
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let hash = hex(&Sha256::digest(b"").into());
        for bad in [
            String::new(),
            "[]".to_owned(),
            format!(
                r#"{{"schema":"untaint.feed/2","confirmed":"2026-01-01T00:00:00Z","sha256":"{hash}"}}"#
            ),
            format!(r#"{{"schema":"untaint.feed/1","confirmed":"yesterday","sha256":"{hash}"}}"#),
            format!(r#"{{"schema":"untaint.feed/1","sha256":"{hash}"}}"#),
            " ".repeat(LONGEST + 1),
        ] {
            assert!(
                matches!(
                    Manifest::read(bad.as_bytes(), b""),
                    Err(ManifestError::Malformed(_))
                ),
                "{bad}"
            );
        }
    }
}
