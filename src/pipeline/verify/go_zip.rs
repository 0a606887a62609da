//! Reads a module zip: every member once, for the visitor and for the `h1`.
//!
//! The `h1` is over the whole names of all members, folders included (golang.org/x/mod 0.40, `dirhash.HashZip`). Unpacking
//! writes regular files without regard to modes, so no member is executable.

use sha2::{Digest as _, Sha256};

use crate::formats::ambiguity::{Weighed as _, Weight};
use crate::formats::go_source::{self, HEADER};
use crate::formats::h1;
use crate::formats::limits::Limits;
use crate::formats::zip::{EntryReader, ReadAt, ZipArchive, ZipError, ZipKind};
use crate::model::text::percent;

use super::opened::Failure;
use super::unpack::{SHOWN, Unpacked, Visitor};

/// Reads it. `top` is the folder of every member, without a final slash.
///
/// # Errors
/// [`Failure`] that says what is wrong with the archive.
pub(super) fn read(
    source: impl ReadAt,
    top: &str,
    reader: &mut EntryReader,
    visitor: &mut dyn Visitor,
) -> Result<Unpacked, Failure> {
    let prefix = format!("{top}/");
    let limits = Limits::GO_MODULE;
    let archive =
        ZipArchive::open(source, limits, Some(prefix.as_bytes())).map_err(|e| failure("", &e))?;
    if archive.facts().content > limits.max_inflated {
        let why = format!("holds more than {} bytes", limits.max_inflated);
        return Err(Failure::Broken(why));
    }
    let mut sums: Vec<(&str, [u8; 32])> = Vec::with_capacity(archive.entries().len());
    let mut irregular = false;
    let mut beginning = Vec::new();
    for entry in archive.entries() {
        let name = str::from_utf8(&entry.name)
            .map_err(|_| format!("the name `{}` is not UTF-8", percent(&entry.name).0))?;
        let below = name.strip_prefix(&prefix).filter(|rest| !rest.is_empty());
        let visited = below.filter(|_| entry.kind == ZipKind::File);
        irregular |= visited.is_none() && entry.kind != ZipKind::Folder;
        if let Some(path) = visited {
            visitor.begin(path.as_bytes(), entry.size, 0);
        }
        let mut hasher = Sha256::new();
        let is_source = visited.is_some() && name.ends_with(".go");
        beginning.clear();
        reader
            .read(&archive, entry, &mut |part| {
                hasher.update(part);
                if visited.is_some() {
                    visitor.bytes(part);
                }
                if is_source {
                    let room = HEADER.saturating_sub(beginning.len()).min(part.len());
                    beginning.extend_from_slice(part.get(..room).unwrap_or_default());
                }
            })
            .map_err(|e| failure(&format!("`{}`: ", percent(&entry.name).0), &e))?;
        if is_source && go_source::is_never_built(&beginning) {
            visitor.never_built();
        }
        let sum = hasher.finalize().into();
        if visited.is_some() {
            visitor.end(Some(&sum));
        }
        sums.push((name, sum));
    }
    let recipe = h1::of_files(sums).map_err(|e| e.to_string())?;
    let ambiguities = archive
        .facts()
        .ambiguities
        .kept()
        .iter()
        .filter(|a| a.kind.weight() == Weight::Splits)
        .take(SHOWN)
        .map(|a| format!("{}: {:?}", percent(&a.entry).0, a.kind))
        .collect();
    Ok(Unpacked {
        content: archive.facts().content,
        ambiguities,
        // The go command takes no zip in which names collide.
        excused: Vec::new(),
        irregular,
        recipe: Some(recipe),
    })
}

/// What an error of the reader says of the archive.
fn failure(what: &str, error: &ZipError) -> Failure {
    match error {
        ZipError::Source(why) => Failure::Unreadable(format!("{what}{why}")),
        other => Failure::Broken(format!("{what}{other}")),
    }
}
