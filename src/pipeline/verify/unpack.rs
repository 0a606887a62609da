//! Reads an archive in memory, member by member, and hands its regular files to a visitor. Nothing is ever extracted.
//!
//! Archives are inflated whole with the fastest engine where there is room; others are streamed, so that memory stays bounded.

use crate::ecosystems::contract::ArchiveFormat;
use crate::formats::inflate::Inflater;
use crate::formats::zip::EntryReader;
use crate::model::Digest;

use super::opened::{Failure, Source};
use super::{crate_tar, go_zip};

/// Most ambiguities of an archive that are told.
pub(super) const SHOWN: usize = 20;
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
    /// No build can take it in, as its format's own reader sees; said between its last bytes and its end.
    fn never_built(&mut self) {}
    /// It is complete; with its SHA-256 where the reader takes one anyway.
    fn end(&mut self, sha256: Option<&[u8; 32]>);
}

/// Buffers that one thread uses again and again.
pub(super) struct Scratch {
    /// Inflates whole archives.
    pub(super) inflater: Inflater,
    /// What an archive inflates to.
    pub(super) inflated: Vec<u8>,
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
    /// Members that want one place without deciding about a build: of a trusted archive, they are nothing. As
    /// `ambiguities`.
    pub(super) excused: Vec<String>,
    /// It holds something that an unpacked tree cannot mirror (links, devices).
    pub(super) irregular: bool,
    /// Digest by a recipe over the content (`h1`), where the format has one.
    pub(super) recipe: Option<Digest>,
}

/// How many bytes an archive says that it inflates to: its own word, good for choosing a way to read it and no more.
pub(super) fn claimed(format: ArchiveFormat, source: Source<'_>) -> usize {
    let Source::Bytes(bytes) = source else {
        return 0;
    };
    match format {
        ArchiveFormat::CrateTarGz => bytes
            .last_chunk::<4>()
            .and_then(|last| usize::try_from(u32::from_le_bytes(*last)).ok())
            .unwrap_or(0),
        // Its members are streamed.
        ArchiveFormat::GoZip | ArchiveFormat::GoMod | ArchiveFormat::H1Sidecar => 0,
    }
}

/// Reads an archive; `whole` is how many inflated bytes may be held at once.
///
/// # Errors
/// [`Failure`], also where an open file changed while it was read.
pub(super) fn unpack(
    format: ArchiveFormat,
    source: Source<'_>,
    top: &str,
    whole: usize,
    scratch: &mut Scratch,
    visitor: &mut dyn Visitor,
) -> Result<Unpacked, Failure> {
    let unpacked = match (format, source) {
        (ArchiveFormat::CrateTarGz, Source::Bytes(bytes)) => {
            crate_tar::read(bytes, top, whole, scratch, visitor).map_err(Failure::Broken)
        }
        (ArchiveFormat::GoZip, Source::Bytes(bytes)) => {
            go_zip::read(bytes, top, &mut scratch.members, visitor)
        }
        (ArchiveFormat::GoZip, Source::File(file)) => {
            go_zip::read(file, top, &mut scratch.members, visitor)
        }
        (ArchiveFormat::CrateTarGz, Source::File(_))
        | (ArchiveFormat::GoMod | ArchiveFormat::H1Sidecar, _) => {
            Err(Failure::Broken("is no archive".into()))
        }
    };
    match source {
        Source::File(file) if file.changed() => Err(Failure::Changed),
        Source::File(_) | Source::Bytes(_) => unpacked,
    }
}

/// Whether archives of a format can be read member by member from an open file, without all of their bytes in memory.
pub(super) const fn is_sought(format: ArchiveFormat) -> bool {
    matches!(format, ArchiveFormat::GoZip)
}
