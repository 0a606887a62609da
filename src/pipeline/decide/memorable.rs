//! What is worth remembering of a run: the first sight of what nobody vouches for.

use std::sync::Arc;

use crate::model::{Coordinate, Digest};

/// An artifact that nobody outside vouches for: what it is, and what it hashes to.
#[derive(Debug, Clone)]
pub struct Memorable {
    /// Package version.
    pub coordinate: Arc<Coordinate>,
    /// File name of the artifact.
    pub file: Arc<str>,
    /// What it hashes to.
    pub digest: Digest,
}
