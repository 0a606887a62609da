//! Reads small files that stand beside archives: a module's `go.mod`, and the cache's own record of a hash.
//!
//! They are read whole each time; nothing is remembered of them.

use crate::ecosystems::contract::{ArchiveFormat, ArchivePart};
use crate::formats::h1;
use crate::model::{Digest, Reason, Scheme};
use crate::world::{Dir, FileKind, PathError};

use super::observe::ArchiveSeen;
use super::opening::parent;

/// Largest `go.mod` file (golang.org/x/mod, `zip.MaxGoMod`).
const LARGEST: u64 = 16 << 20;
/// Length of a recorded hash: `h1:` and 44 digits.
const RECORD: usize = 47;

/// Reads one.
pub(super) fn read(root: &dyn Dir, part: &ArchivePart) -> ArchiveSeen {
    let mut seen = ArchiveSeen::default();
    match bytes(root, part, &mut seen) {
        Ok(Some(bytes)) => {
            seen.hashed = bytes.len() as u64;
            judge(part, &bytes, &mut seen);
        }
        Ok(None) => {}
        Err(error) if error.is_not_found() => seen.absent = true,
        Err(error) => {
            seen.gap = Some(Reason::Unreadable);
            seen.problem = Some(error.source.to_string());
        }
    }
    seen
}

fn bytes(
    root: &dyn Dir,
    part: &ArchivePart,
    seen: &mut ArchiveSeen,
) -> Result<Option<Vec<u8>>, PathError> {
    let (dir, name) = parent(root, &part.rel)?;
    let dir: &dyn Dir = dir.as_deref().unwrap_or(root);
    let listed = dir.stat_entry(name)?;
    seen.size = listed.size;
    if listed.kind != FileKind::File {
        seen.irregular = Some(listed.kind);
        seen.gap = Some(Reason::Unreadable);
        return Ok(None);
    }
    dir.read(name, LARGEST).map(|(bytes, _)| Some(bytes))
}

fn judge(part: &ArchivePart, bytes: &[u8], seen: &mut ArchiveSeen) {
    if part.format == ArchiveFormat::GoMod {
        seen.recipe = Some(h1::of_go_mod(bytes));
        return;
    }
    // What Go does not take for a record is one that was not written to its end: it hashes the zip anew.
    let text = str::from_utf8(bytes).ok().filter(|t| t.len() == RECORD);
    let recorded = text
        .and_then(|t| t.parse::<Digest>().ok())
        .filter(|d| d.scheme() == Scheme::H1);
    match recorded {
        Some(digest) => seen.recipe = Some(digest),
        None if bytes.len() == RECORD && !bytes.contains(&0) => {
            // Go compares its text with go.sum and refuses to build.
            seen.gap = Some(Reason::Unreadable);
            seen.problem = Some("holds no hash; remove it, and Go will hash the zip anew".into());
        }
        None => {
            seen.absent = true;
            seen.torn = true;
            seen.problem = Some("was not written to its end; Go hashes the zip anew".into());
        }
    }
}
