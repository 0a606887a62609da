//! Reads a `.crate` (gzip and tar): every member once, for the visitor, and once more only where members want one place.

use std::io::{BufRead, Read as _};

use crate::formats::ambiguity::{Ambiguity, Weighed as _, Weight};
use crate::formats::gzip::{GzipError, GzipFacts, GzipStream, inflate_small};
use crate::formats::limits::Limits;
use crate::formats::names::Clash;
use crate::formats::tar::{TarAmbiguity, TarFacts, TarKind, TarReader};
use crate::model::text::percent;

use super::collisions::Collisions;
use super::unpack::{SHOWN, Scratch, Unpacked, Visitor};

/// Reads it. `whole` is how many inflated bytes may be held at once.
///
/// # Errors
/// A line that says what is wrong with the archive.
pub(super) fn read(
    bytes: &[u8],
    top: &str,
    whole: usize,
    scratch: &mut Scratch,
    visitor: &mut dyn Visitor,
) -> Result<Unpacked, String> {
    let limits = Limits::CARGO_CRATE;
    match inflate_small(&mut scratch.inflater, bytes, whole, &mut scratch.inflated) {
        Ok(facts) => {
            let tar = scratch.inflated.as_slice();
            let (mut unpacked, found, _) = members(tar, limits, top, visitor)?;
            unpacked.judge(&found, || collisions(tar, limits))?;
            Ok(with_gzip(unpacked, facts))
        }
        Err(GzipError::TooLarge { .. }) => {
            let cap = limits.inflated_cap(bytes.len() as u64);
            let source = GzipStream::new(bytes, cap);
            let (mut unpacked, found, mut source) = members(source, limits, top, visitor)?;
            let mut rest = Vec::new();
            // Everything behind the tar was read by the tar reader; this settles the facts of the last member.
            source
                .by_ref()
                .take(1)
                .read_to_end(&mut rest)
                .map_err(|e| e.to_string())?;
            let facts = *source.facts();
            unpacked.judge(&found, || collisions(GzipStream::new(bytes, cap), limits))?;
            Ok(with_gzip(unpacked, facts))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn with_gzip(mut unpacked: Unpacked, facts: GzipFacts) -> Unpacked {
    if facts.members > 1 {
        unpacked.ambiguities.push(format!(
            "{} gzip members: some readers stop after the first",
            facts.members
        ));
    }
    if facts.trailing_garbage {
        unpacked
            .ambiguities
            .push("data behind the last gzip member".into());
    }
    unpacked
}

fn members<R: BufRead>(
    source: R,
    limits: Limits,
    top: &str,
    visitor: &mut dyn Visitor,
) -> Result<(Unpacked, TarFacts, R), String> {
    let mut reader = TarReader::new(source, limits, Some(top.as_bytes()));
    let mut irregular = false;
    while let Some(mut member) = reader.next_member().map_err(|e| error_text(&e))? {
        let entry = member.entry();
        match entry.kind {
            TarKind::File => {}
            TarKind::Folder => continue,
            _ => {
                irregular = true;
                continue;
            }
        }
        let Some(path) = below(&entry.path, top.as_bytes()) else {
            continue;
        };
        visitor.begin(path, entry.size, entry.mode);
        loop {
            let part = member.fill_buf().map_err(|e| e.to_string())?;
            let length = part.len();
            if length == 0 {
                break;
            }
            visitor.bytes(part);
            member.consume(length);
        }
        visitor.end(None);
    }
    let (facts, source) = reader.finish().map_err(|e| error_text(&e))?;
    let unpacked = Unpacked {
        content: facts.content,
        irregular,
        ..Unpacked::default()
    };
    Ok((unpacked, facts, source))
}

/// Reads a tar archive once more, for its members that want one place.
fn collisions(source: impl BufRead, limits: Limits) -> Result<Collisions, String> {
    let mut reader = TarReader::new(source, limits, None);
    let mut all = Collisions::default();
    while let Some(mut member) = reader.next_member().map_err(|e| error_text(&e))? {
        let entry = member.entry();
        let name = entry.path.clone();
        match entry.kind {
            TarKind::File => {
                let mut hasher = blake3::Hasher::new();
                std::io::copy(&mut member, &mut hasher).map_err(|e| e.to_string())?;
                all.file(&name, *hasher.finalize().as_bytes());
            }
            TarKind::Folder => all.folder(&name),
            // That such a member is there at all counts.
            _ => {}
        }
    }
    Ok(all)
}

impl Unpacked {
    /// Takes what a tar reader found. `again` is asked only if members want one place.
    fn judge(
        &mut self,
        facts: &TarFacts,
        again: impl FnOnce() -> Result<Collisions, String>,
    ) -> Result<(), String> {
        let is_clash = |kind: &TarAmbiguity| {
            matches!(kind, TarAmbiguity::Clash(Clash::Folded | Clash::Duplicate))
        };
        let splitting = facts.ambiguities.kept().iter();
        let (clashes, others): (Vec<_>, Vec<_>) = splitting
            .filter(|a| a.kind.weight() == Weight::Splits)
            .partition(|a| is_clash(&a.kind));
        let line = |entry: &[u8], kind: &TarAmbiguity| format!("{}: {kind:?}", percent(entry).0);
        let lines = |some: Vec<&Ambiguity<TarAmbiguity>>| -> Vec<String> {
            let some = some.into_iter().take(SHOWN);
            some.map(|a| line(&a.entry, &a.kind)).collect()
        };
        let all_kept = (clashes.len() + others.len()) as u64 == facts.ambiguities.splitting();
        if clashes.is_empty() {
            self.ambiguities = lines(others);
        } else if !all_kept {
            // What else is in a flood of them is not known.
            self.ambiguities = lines(others.into_iter().chain(clashes).collect());
        } else {
            self.ambiguities = lines(others);
            let all = again()?;
            let deciding = all.deciding();
            let clash = TarAmbiguity::Clash(Clash::Folded);
            let room = SHOWN.saturating_sub(self.ambiguities.len());
            let deciding = deciding.iter().take(room).map(|name| line(name, &clash));
            self.ambiguities.extend(deciding);
            self.excused = lines(clashes);
        }
        Ok(())
    }
}

/// The part of a member's name below the top folder.
fn below<'a>(path: &'a [u8], top: &[u8]) -> Option<&'a [u8]> {
    path.strip_prefix(top)?
        .strip_prefix(b"/")
        .filter(|rest| !rest.is_empty())
}

fn error_text(error: &crate::formats::tar::TarError) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
#[path = "crate_tar_tests.rs"]
mod tests;
