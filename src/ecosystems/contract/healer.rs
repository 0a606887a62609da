//! How an ecosystem's places are repaired: which locks its tool takes, what is made anew, what was built from a part.
//!
//! Answers only; nothing in here writes. What is moved, fetched and verified, and in which order, is the pipeline's part.

use std::path::{Path, PathBuf};

use super::RelPath;
use crate::model::Coordinate;
use crate::world::{Dir, Request, Response};

/// How an ecosystem's places are repaired.
pub trait Healer: Send + Sync {
    /// Files below a cache root that its tool locks before it changes what lies at `rel`, in the order in which it does.
    fn locks(&self, rel: &Path) -> Vec<RelPath>;

    /// Where the tree of an archive below the same root lies, or would lie once its tool unpacks it.
    fn tree_of(&self, archive: &Path) -> Option<RelPath>;

    /// What is asked to make a cached listing anew; `None` where its tool makes it.
    fn listing_request(&self, address: &str, coordinate: &Coordinate) -> Option<Request>;

    /// The bytes that its tool would keep of this answer; `None` if that cannot be told.
    fn listing_bytes(&self, coordinate: &Coordinate, answer: &Response) -> Option<Vec<u8>>;

    /// Parts of a build folder that were made from any of these unpacked trees (absolute paths).
    fn derived(&self, build: &dyn Dir, trees: &[PathBuf]) -> Vec<DerivedPart>;
}

/// A part of a build folder that was made from something else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DerivedPart {
    /// Path below the build folder.
    pub rel: RelPath,
    /// Which of the trees it was made from, by position.
    pub from: usize,
    /// File below the build folder that its tool locks while it changes the part.
    pub lock: RelPath,
}
