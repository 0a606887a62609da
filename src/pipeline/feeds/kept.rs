//! Feeds in our state: `feed-<name>.idx`, the compiled index, and `feed-<name>.json`, its dates and what its server called it.
//!
//! The second file is a feed manifest (see [`crate::pipeline::advise::manifest`]) with three more keys: `etag` and `last_modified` for the next
//! conditional request, `unreadable` records that were left out. It is written after the index; if it speaks of another index (a crash between
//! the two), the index's own dates count.

use serde::{Deserialize, Serialize};

use crate::model::Problem;
use crate::pipeline::advise::catalogue::Feed;
use crate::pipeline::advise::index::AdvisoryDb;
use crate::pipeline::advise::manifest::Manifest;
use crate::world::{PathError, StateDir};

/// Longest index that is read.
const LONGEST: u64 = 1 << 30;
/// Longest sidecar that is read.
const LONGEST_SIDECAR: u64 = 64 << 10;

/// What is known of a kept feed beside its index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sidecar {
    /// Entity tag of the server's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    /// Its date as the server wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_modified: Option<String>,
    /// Records that could not be read and were left out.
    #[serde(default)]
    pub(super) unreadable: u64,
    /// Where it came from: another address makes the tags meaningless.
    #[serde(default)]
    pub(super) address: String,
}

fn names(feed: &Feed) -> (String, String) {
    (
        format!("feed-{}.idx", feed.name),
        format!("feed-{}.json", feed.name),
    )
}

/// Reads what is kept of a feed; `None` if nothing is. A broken index is moved aside where the folder can be written.
///
/// # Errors
///
/// It is there and cannot be used.
pub(super) fn read(
    state: &dyn StateDir,
    feed: &Feed,
) -> Result<Option<(AdvisoryDb, Sidecar)>, Problem> {
    let (index, beside) = names(feed);
    let shown = state.path().join(&index).display().to_string();
    let bytes = match state.read(&index, LONGEST) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => bytes,
        Err(error) => return Err(Problem::partial(shown, unread(&error))),
    };
    // The sidecar is a convenience: without it the index's own dates count.
    let sidecar = state.read(&beside, LONGEST_SIDECAR).ok().flatten();
    let manifest = sidecar
        .as_deref()
        .and_then(|text| Manifest::read(text, &bytes).ok());
    let db = AdvisoryDb::open(bytes).map_err(|error| error.to_string());
    let db = match db {
        Ok(db) if db.meta().name != feed.name || db.meta().ecosystem != feed.ecosystem => Err(
            format!("it is the index of another feed, `{}`", db.meta().name),
        ),
        other => other,
    };
    let db = match db {
        Ok(db) => db,
        Err(why) => {
            let moved = state
                .set_aside(&index)
                .map_or_else(|_| String::new(), |to| format!(", moved aside to {to}"));
            return Err(Problem::partial(
                shown,
                format!("the kept advisory feed cannot be used{moved}: {why}"),
            ));
        }
    };
    Ok(Some(match manifest {
        None => (db, Sidecar::default()),
        Some(manifest) => {
            let sidecar = sidecar
                .and_then(|text| serde_json::from_slice(&text).ok())
                .unwrap_or_default();
            (db.confirmed_at(Some(manifest.confirmed)), sidecar)
        }
    }))
}

fn unread(error: &PathError) -> String {
    format!("the kept advisory feed cannot be read: {}", error.source)
}

/// Keeps a feed. Without `index` only its dates change. `Ok(false)`: another process is at it.
///
/// # Errors
///
/// The folder cannot be written.
pub(super) fn write(
    state: &dyn StateDir,
    feed: &Feed,
    index: Option<&[u8]>,
    db: &AdvisoryDb,
    sidecar: &Sidecar,
) -> Result<bool, PathError> {
    let (file, beside) = names(feed);
    let Some(_held) = state.lock("feeds.lock")? else {
        return Ok(false);
    };
    let text = match index {
        Some(bytes) => {
            state.replace(&file, bytes)?;
            text(db, bytes, sidecar)
        }
        None => match state.read(&file, LONGEST)? {
            Some(bytes) => text(db, &bytes, sidecar),
            None => return Ok(false),
        },
    };
    if let Some(text) = text {
        state.replace(&beside, text.as_bytes())?;
    }
    Ok(true)
}

/// The manifest with our keys; `None` if the feed states no confirmation.
fn text(db: &AdvisoryDb, bytes: &[u8], sidecar: &Sidecar) -> Option<String> {
    let manifest = Manifest::of(db.meta(), bytes)?.to_json();
    let mut object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&manifest).ok()?;
    if let Ok(serde_json::Value::Object(more)) = serde_json::to_value(sidecar) {
        object.extend(more);
    }
    let mut text = serde_json::to_string(&object).ok()?;
    text.push('\n');
    Some(text)
}
