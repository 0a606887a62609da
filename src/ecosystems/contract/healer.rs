//! How an ecosystem's places are repaired: which locks its tool takes, what is made anew, what was built from a part.
//!
//! Answers only; nothing in here writes. What is moved, fetched and verified, and in which order, is the pipeline's part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::RelPath;
use crate::model::{ArtifactId, Coordinate, Digest};
use crate::world::{Dir, ReadFs, Request, Response};

/// Takes a file of an archive: its path below the archive's top folder, its mode (0 where it says none,
/// with [`crate::model::NEVER_BUILT`]), its bytes.
pub type Unpacking<'a> = dyn FnMut(&[u8], u32, &[u8]) + 'a;

/// How an ecosystem's places are repaired.
pub trait Healer: Send + Sync {
    /// Files below a cache root that its tool locks before it changes what lies at `rel`, in the order in which it does.
    fn locks(&self, rel: &Path) -> Vec<RelPath>;

    /// Where the tree of an archive below the same root lies, or would lie once its tool unpacks it.
    fn tree_of(&self, archive: &Path) -> Option<RelPath>;

    /// Where the archive of an unpacked tree lies below the same root, or would lie.
    fn archive_of(&self, _tree: &Path) -> Option<RelPath> {
        None
    }

    /// A file that its tool adds to each tree that it unpacks into a cache: path below the tree, content.
    fn stamp(&self) -> Option<(RelPath, &'static [u8])> {
        None
    }

    /// What a subject of this kind at `rel` is a part of, where its tool makes all of that anew by itself: nothing is fetched
    /// for it.
    fn remade(&self, _kind: &str, _rel: &Path) -> Option<Remade> {
        None
    }

    /// What a copy below a cache root must hold, by the proven objects of its source; `about`: packages that it is said to
    /// hold. For evidence alone.
    fn copied(&self, _cache: &dyn Dir, _copy: &Path, _about: &[Arc<Coordinate>]) -> Option<Copied> {
        None
    }

    /// Whether nothing but unpacked trees lies below this folder of a cache root: where a link stands in its place the link
    /// may go, since its tool unpacks the trees anew.
    fn is_above_trees(&self, _folder: &Path) -> bool {
        false
    }

    /// Names of the packages in a copy, or in all copies of a source, by the proven objects of that source: for copies that
    /// no lockfile names.
    fn packages(&self, _cache: &dyn Dir, _copies: &Path) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// Files below a cache root that tell its tool that what lies at `rel` is not whole, while they are there.
    fn marks(&self, _rel: &Path) -> Vec<RelPath> {
        Vec::new()
    }

    /// Reads an archive, and hands on every regular file in it.
    ///
    /// # Errors
    /// A line that says why it cannot be read.
    fn unpack(
        &self,
        artifact: &ArtifactId,
        archive: &[u8],
        visit: &mut Unpacking<'_>,
    ) -> Result<(), String>;

    /// The record of digests that its tool keeps in a vendored copy, as it must be when the copy's files have these
    /// SHA-256; `None` if it keeps none, or if the present one says so already. `present` reads a file of the copy.
    fn vendor_record(
        &self,
        _archive: &Digest,
        _files: &BTreeMap<Vec<u8>, [u8; 32]>,
        _present: &dyn Fn(&Path) -> Option<Vec<u8>>,
    ) -> Option<(RelPath, Vec<u8>)> {
        None
    }

    /// What is asked for an artifact in place of [`super::Authority::archive_request`]; `None` to ask as that says.
    fn artifact_request(&self, _address: &str, _artifact: &ArtifactId) -> Option<Request> {
        None
    }

    /// Whether bytes have the digest that an artifact must have.
    fn fits(&self, _artifact: &ArtifactId, bytes: &[u8], digest: &Digest) -> bool {
        Digest::sha256(Sha256::digest(bytes).into()) == *digest
    }

    /// The bytes of a part that its artifact's digest alone determines (a record of that digest).
    fn known_bytes(&self, _kind: &str, _digest: &Digest) -> Option<Vec<u8>> {
        None
    }

    /// What is asked to make a cached listing anew; `None` where its tool makes it.
    fn listing_request(&self, address: &str, coordinate: &Coordinate) -> Option<Request>;

    /// The bytes that its tool would keep of this answer; `None` if that cannot be told.
    fn listing_bytes(&self, coordinate: &Coordinate, answer: &Response) -> Option<Vec<u8>>;

    /// Parts of a build folder that were made from any of these unpacked trees.
    fn derived(&self, build: &dyn Dir, trees: &[SourceTree]) -> Vec<DerivedPart>;

    /// Parts of these build folders that were made from any of these unpacked trees. They are looked at together, since a
    /// tool may keep what it builds in one of them and the final artifacts in another.
    fn derived_among(&self, builds: &[&dyn Dir], trees: &[SourceTree]) -> Derived {
        let mut all = Derived::default();
        for (at, build) in builds.iter().enumerate() {
            let parts = self.derived(*build, trees);
            all.parts.extend(parts.into_iter().map(|part| (at, part)));
        }
        all
    }

    /// Programs that its tool installed below a cache root, and that may hold any of these packages, or of which nobody
    /// wrote down what they hold.
    fn installed(
        &self,
        _cache: &dyn Dir,
        _fs: &dyn ReadFs,
        _packages: &[Arc<Coordinate>],
    ) -> Vec<Installed> {
        Vec::new()
    }

    /// Whether a folder is one in which its tool keeps what it builds, by what the tool leaves in it.
    fn is_build(&self, dir: &dyn Dir) -> bool;

    /// Where its tool keeps what it builds of a project, unless it is told otherwise.
    fn builds_of(&self, _project: &Path) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// An unpacked tree that something may have been built from.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceTree {
    /// Absolute path; of several trees in one folder, that folder.
    pub path: PathBuf,
    /// Packages that are known to lie in it, where its name does not say which.
    pub packages: Vec<Arc<str>>,
}

/// A source that its tool copies, and makes anew by itself: the copies from the source, the source from where it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remade {
    /// The source (a repository's database), below the root.
    pub source: RelPath,
    /// The folder of all its copies.
    pub copies: RelPath,
    /// Why heal puts nothing in place of the source.
    pub unfetched: &'static str,
}

/// What a copy must hold.
pub struct Copied {
    /// Bytes of its files, by their path below it; `None` of a link.
    pub files: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Whether its tool itself keeps a file of this path in it.
    pub made: fn(&[u8]) -> bool,
}

/// What build folders hold that was made from something else.
#[derive(Debug, Default)]
pub struct Derived {
    /// Parts, each with its build folder by position.
    pub parts: Vec<(usize, DerivedPart)>,
    /// What is left to the user.
    pub unclear: Vec<Unclear>,
    /// Where code of one of the trees was run while it was built: build folder by position, path below it.
    pub ran: Vec<(usize, RelPath)>,
}

/// An installed program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed {
    /// Path below the cache root.
    pub rel: RelPath,
    /// What is known of it, and what to do; in words for a line, without control characters.
    pub why: String,
    /// Whether something says that it may hold one of the packages; otherwise nobody knows.
    pub named: bool,
}

/// Something in a build folder that is left to the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unclear {
    /// Build folder, by position.
    pub build: usize,
    /// Path below it.
    pub rel: RelPath,
    /// Why.
    pub why: &'static str,
    /// Whether it was made from one of the trees; otherwise that cannot be told.
    pub tainted: bool,
}

/// A part of a build folder that was made from something else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DerivedPart {
    /// Path below the build folder.
    pub rel: RelPath,
    /// Which of the trees it was made from, by position.
    pub from: usize,
    /// File below the build folder that its tool locks while it changes the part; empty where it locks none.
    pub lock: RelPath,
    /// Whether it is what a user runs or links: a program, a library.
    pub product: bool,
}
