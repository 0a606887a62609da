//! How an archive appears where its tool unpacks it: pure rules, one set per kind of place.

use crate::model::{Digest, Reason};
use crate::world::FileKind;

/// How one archive entry appears in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Exactly these bytes under the same path.
    Exact,
    /// The same bytes, if there at all; its absence is nothing.
    Optional,
    /// Must not be there under this path from the archive; whatever lies there is judged as an extra.
    Skipped,
}

/// What a file in a tree is that the archive does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extra {
    /// Made by the tool, with the content it must have.
    Generated,
    /// Content that no tool loads, unless [`Projection::loaded_litter`] says so of it.
    Litter,
    /// Not allowed.
    Forbidden,
    /// Made by the tool, but not what the tool writes: a finding of its own.
    Forged(String),
}

/// How a difference between archive and tree is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// A finding.
    Finding,
    /// Verified, but worth listing (line ends of a committed text file).
    Listed(&'static str),
}

/// How archive entries appear in a place. Pure.
pub trait Projection: Send + Sync {
    /// Stable name with a version; part of ledger keys.
    fn id(&self) -> &'static str;
    /// How an entry of the archive appears; `path` is relative to the archive's top folder.
    fn placement(&self, path: &[u8]) -> Placement;
    /// What a file is that the archive does not have. `content` holds it if it is regular and at most 4 MiB.
    fn extra(
        &self,
        path: &[u8],
        kind: FileKind,
        content: Option<&[u8]>,
        context: &ExtraContext<'_>,
    ) -> Extra;
    /// How differing bytes of a regular file are to be taken.
    fn differing(&self, _path: &[u8], _archive: &[u8], _tree: &[u8]) -> Difference {
        Difference::Finding
    }
    /// As [`Projection::differing`], where only a digest of the archive's bytes is known, so that `is_archives` can tell
    /// whether some bytes are those: why the difference is nothing.
    fn differing_from_hash(
        &self,
        _path: &[u8],
        _tree: &[u8],
        _is_archives: &dyn Fn(&[u8]) -> bool,
    ) -> Option<&'static str> {
        None
    }
    /// Whether executable bits mean nothing here (a folder kept under version control on any file system).
    fn ignores_modes(&self) -> bool {
        false
    }
    /// How a file of the archive that the tree lacks is to be taken; `Listed` gives a finding of class place, info.
    fn missing(&self, _path: &[u8]) -> Difference {
        Difference::Finding
    }
    /// Whether [`Projection::absences`] is asked about an [`Placement::Optional`] file that the tree lacks.
    fn weighs_absence(&self, _path: &[u8], _copied: &[Box<[u8]>]) -> bool {
        false
    }
    /// What of that should be there: positions, and how each is to be taken.
    ///
    /// # Errors
    /// Why the tree cannot be looked at for it.
    fn absences(
        &self,
        _absent: &[Absent],
        _tree: &TreeView<'_>,
    ) -> Result<Vec<(usize, Difference)>, Unjudged> {
        Ok(Vec::new())
    }
    /// Which of the files that were taken for [`Extra::Litter`] a tool may load after all: positions.
    ///
    /// # Errors
    /// Why the tree cannot be looked at for it.
    fn loaded_litter(
        &self,
        _litter: &[Vec<u8>],
        _tree: &TreeView<'_>,
    ) -> Result<Vec<usize>, Unjudged> {
        Ok(Vec::new())
    }
    /// Whether [`Projection::differing`] can excuse anything: then archive bytes are kept until compared.
    fn forgives(&self) -> bool {
        false
    }
}

/// A file of the archive that the tree lacks and that its tool may have left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Path, relative to the archive's top folder.
    pub path: Box<[u8]>,
    /// By its own words no build can take it in (see [`crate::model::NEVER_BUILT`]).
    pub never_built: bool,
}

/// Why a tree could not be judged to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unjudged {
    /// What that makes of it.
    pub reason: Reason,
    /// The same for people: a lower-case fragment.
    pub why: String,
}

impl Unjudged {
    /// It takes more than is spent on any tree.
    pub const fn limit(why: String) -> Self {
        let reason = Reason::Limit;
        Self { reason, why }
    }

    /// A file of it cannot be read.
    pub const fn unreadable(why: String) -> Self {
        let reason = Reason::Unreadable;
        Self { reason, why }
    }
}

/// Reads a file of a tree by its path; else says why it cannot be read.
pub type ReadTree<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, String> + 'a;

/// A tree that was held against its archive: what of it is not genuine was found already.
pub struct TreeView<'a> {
    /// Folders whose own files were copied (see [`super::TreePart::copied`]).
    pub copied: &'a [Box<[u8]>],
    /// Names of the files directly in a folder.
    pub files: &'a dyn Fn(&[u8]) -> Vec<Vec<u8>>,
    /// Content of a file of the tree.
    pub read: &'a ReadTree<'a>,
    /// Whether a file's bytes are those that the archive has under its path.
    pub is_archives: &'a dyn Fn(&[u8]) -> bool,
    /// Whether the run was asked to end.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// What is known when an extra file is judged.
pub struct ExtraContext<'a> {
    /// Digest of the archive that the tree is held against.
    pub archive: &'a Digest,
    /// SHA-256 of a file of the tree by its path.
    pub file_sha256: &'a dyn Fn(&[u8]) -> Option<[u8; 32]>,
    /// Whether a file's difference was listed instead of reported.
    pub excused: &'a dyn Fn(&[u8]) -> bool,
}
