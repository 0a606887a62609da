//! Reads an archive in memory, member by member, and hands its regular files to a visitor. Nothing is ever extracted.
//!
//! Archives are inflated whole with the fastest engine where there is room; others are streamed, so that memory stays bounded.

use std::io::{BufRead, Read as _};

use crate::ecosystems::contract::ArchiveFormat;
use crate::formats::ambiguity::{Weighed as _, Weight};
use crate::formats::gzip::{GzipError, GzipFacts, GzipStream, inflate_small};
use crate::formats::inflate::Inflater;
use crate::formats::limits::Limits;
use crate::formats::tar::{TarFacts, TarKind, TarReader};
use crate::formats::zip::EntryReader;
use crate::model::Digest;
use crate::model::text::percent;

use super::go_zip;

/// Up to this many inflated bytes an archive is inflated whole without asking for room.
pub(super) const SMALL: usize = 8 << 20;
/// Buffers larger than this are given back after use.
const KEPT: usize = 8 << 20;

/// Receives the regular files of an archive in the archive's order.
pub(super) trait Visitor {
    /// A file begins; `path` is relative to the archive's top folder.
    fn begin(&mut self, path: &[u8], size: u64, mode: u32);
    /// The next bytes of it.
    fn bytes(&mut self, bytes: &[u8]);
    /// It is complete.
    fn end(&mut self);
}

/// Buffers that one thread uses again and again.
pub(super) struct Scratch {
    inflater: Inflater,
    inflated: Vec<u8>,
    /// The bytes of an archive.
    pub(super) packed: Vec<u8>,
    members: EntryReader,
    /// Room for file content.
    pub(super) file: Vec<u8>,
}

impl Scratch {
    /// Empty buffers.
    pub(super) fn new() -> Self {
        Self {
            inflater: Inflater::default(),
            inflated: Vec::new(),
            packed: Vec::new(),
            members: EntryReader::new(),
            file: Vec::new(),
        }
    }

    /// Gives large buffers back.
    pub(super) fn trim(&mut self) {
        for buffer in [&mut self.inflated, &mut self.packed, &mut self.file] {
            if buffer.capacity() > KEPT {
                *buffer = Vec::new();
            }
        }
    }
}

/// What an archive is like, beside its files.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// Sum of the members' content.
    pub(super) content: u64,
    /// Ways in which two readers would extract different content, at most 20, escaped.
    pub(super) ambiguities: Vec<String>,
    /// It holds something that an unpacked tree cannot mirror (links, devices).
    pub(super) irregular: bool,
    /// Digest by a recipe over the content (`h1`), where the format has one.
    pub(super) recipe: Option<Digest>,
}

/// How many bytes an archive says that it inflates to: its own word, good for choosing a way to read it and no more.
pub(super) fn claimed(format: ArchiveFormat, bytes: &[u8]) -> usize {
    match format {
        ArchiveFormat::CrateTarGz => bytes
            .last_chunk::<4>()
            .and_then(|last| usize::try_from(u32::from_le_bytes(*last)).ok())
            .unwrap_or(0),
        // Its members are streamed.
        ArchiveFormat::GoZip | ArchiveFormat::GoMod | ArchiveFormat::H1Sidecar => 0,
    }
}

/// Reads an archive that lies in memory; `whole` is how many inflated bytes may be held at once.
///
/// # Errors
/// A line that says what is wrong with the archive.
pub(super) fn unpack(
    format: ArchiveFormat,
    bytes: &[u8],
    top: &str,
    whole: usize,
    scratch: &mut Scratch,
    visitor: &mut dyn Visitor,
) -> Result<Unpacked, String> {
    match format {
        ArchiveFormat::CrateTarGz => crate_tar_gz(bytes, top, whole, scratch, visitor),
        ArchiveFormat::GoZip => go_zip::read(bytes, top, &mut scratch.members, visitor),
        ArchiveFormat::GoMod | ArchiveFormat::H1Sidecar => Err("is no archive".into()),
    }
}

fn crate_tar_gz(
    bytes: &[u8],
    top: &str,
    whole: usize,
    scratch: &mut Scratch,
    visitor: &mut dyn Visitor,
) -> Result<Unpacked, String> {
    let limits = Limits::CARGO_CRATE;
    match inflate_small(&mut scratch.inflater, bytes, whole, &mut scratch.inflated) {
        Ok(facts) => {
            let (unpacked, _) = members(scratch.inflated.as_slice(), limits, top, visitor)?;
            Ok(with_gzip(unpacked, facts))
        }
        Err(GzipError::TooLarge { .. }) => {
            let cap = limits.inflated_cap(bytes.len() as u64);
            let source = GzipStream::new(bytes, cap);
            let (unpacked, mut source) = members(source, limits, top, visitor)?;
            let mut rest = Vec::new();
            // Everything behind the tar was read by the tar reader; this settles the facts of the last member.
            source
                .by_ref()
                .take(1)
                .read_to_end(&mut rest)
                .map_err(|e| e.to_string())?;
            let facts = *source.facts();
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
) -> Result<(Unpacked, R), String> {
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
        visitor.end();
    }
    let (facts, source) = reader.finish().map_err(|e| error_text(&e))?;
    Ok((facts_of(&facts, irregular), source))
}

fn facts_of(facts: &TarFacts, irregular: bool) -> Unpacked {
    let ambiguities = facts
        .ambiguities
        .kept()
        .iter()
        .filter(|a| a.kind.weight() == Weight::Splits)
        .take(20)
        .map(|a| format!("{}: {:?}", percent(&a.entry).0, a.kind))
        .collect();
    Unpacked {
        content: facts.content,
        ambiguities,
        irregular,
        recipe: None,
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
