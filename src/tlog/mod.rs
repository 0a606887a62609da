//! Transparency-log mathematics and a log client, our own: notes, tree heads, tiles, proofs, records.
//!
//! Bytes and values in, values out. The only way out is the small port in `client`, and the state machine in `batch`
//! does not even use that: it says what it needs and is given answers, so that the pipeline owns batching, limits,
//! retries and caches. Order, as everywhere: read, parse, merge the tree heads, authenticate, and only then use or keep.
//!
//! | file | one idea |
//! |---|---|
//! | `note` | signed notes, verifier keys, signed tree heads |
//! | `tree` | hashes, tree heads as text, subtrees |
//! | `tile` | tile names and what is in them |
//! | `authenticate` | tiles checked against a signed head, every one of them |
//! | `proof` | RFC 6962 proofs, made and verified |
//! | `record` | look-up answers and what may be taken from them |
//! | `fork` | evidence that a log signed two histories |
//! | `batch` | many records proven under one head, without I/O |
//! | `loose` | tiles that lie in a cache, held against every head at hand |
//! | `shelf` | tiles as they were offered |
//! | `client` | requests, answers, the port, the report |
//! | `known_key` | the public log's raw key |
//!
//! No name and no address of a log stands in these files.

pub mod authenticate;
pub mod batch;
pub mod client;
pub mod error;
pub mod fork;
pub mod known_key;
pub mod loose;
pub mod note;
pub mod proof;
pub mod record;
mod shelf;
#[cfg(test)]
pub(crate) mod testlog;
pub mod tile;
pub mod tree;

pub use batch::Batch;
pub use client::{Answer, Got, Options, Port, Report, Request, Resource, Step, drive};
pub use error::{Error, Forgery, NoteForgery, Reason, RecordForgery};
pub use fork::{ForkEvidence, Relation};
pub use note::{Note, SignedHead, VerifierKey};
pub use record::{Lookup, Proven, Wanted};
pub use tile::Tile;
pub use tree::{Hash, Node, TreeHead};
