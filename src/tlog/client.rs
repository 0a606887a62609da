//! What a log client asks for, what it is answered, and what it reports; and the one port to the outside.
//!
//! A request is answered from wherever the asker likes: cache, claim store, network. A request marked `fresh` repeats
//! one whose first answer was found false or torn, so it must be answered by the log itself or not at all.
//! Answers are never believed: `batch` authenticates them before use, and reports what may be kept.

use std::collections::BTreeMap;

use super::batch::Batch;
use super::error::Error;
use super::fork::Relation;
use super::note::SignedHead;
use super::record::{Proven, Wanted};
use super::tile::Tile;
use super::tree::TreeHead;

/// One thing that a log serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Its newest signed head.
    Latest,
    /// The record of one version of one module (path and version unescaped).
    Lookup(Wanted),
    /// One hash tile.
    Tile(Tile),
}

/// Something the client needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// What is asked for.
    pub resource: Resource,
    /// Not from any cache: what was there is false or torn.
    pub fresh: bool,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// The body.
    Bytes(Vec<u8>),
    /// The log (or, offline, the cache) answers that there is no such thing.
    Absent,
    /// No answer was to be had; the text says why, as a fragment.
    Unavailable(String),
}

/// A request with what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request, as it was made.
    pub request: Request,
    /// What came of it.
    pub got: Got,
}

/// What the state machine says next.
#[derive(Debug)]
pub enum Step {
    /// It needs all of these, in any order, at once. Every one must be answered in the next call.
    Need(Vec<Request>),
    /// It is done.
    Done(Box<Report>),
}

/// How to go about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Ask for the log's newest head (not useful offline).
    pub ask_latest: bool,
    /// Fetch the tiles to check the heads that came with look-ups too; otherwise they are checked as far as the tiles
    /// at hand reach and reported as not checked beyond that.
    pub check_heads: bool,
    /// Where the newest head cannot prove a record for want of tiles, try the older heads at hand (useful offline).
    pub older_heads: bool,
}

/// The only way out: reads of what the log serves, from cache or network.
pub trait Port {
    /// Answers one request. `fresh` requests must not be answered from a cache.
    fn read(&mut self, request: &Request) -> Got;
}

/// How a head that was met relates to the newest one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadReport {
    /// The head.
    pub head: SignedHead,
    /// Its relation to the newest head.
    pub relation: Relation,
}

/// A head that somebody claims (the tool's own store, a file in a cache).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimReport {
    /// Who claims it, as given.
    pub label: String,
    /// The head and its relation to the newest one, or what is wrong with the note.
    pub status: Result<HeadReport, Error>,
}

/// What came of a batch.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every record asked for, in the order asked.
    pub records: Vec<(Wanted, Result<Proven, Error>)>,
    /// The newest signed head that was met.
    pub newest: Option<SignedHead>,
    /// How our own stored head relates to the newest one; `None` when there was none. After `NotChecked` what was proven
    /// stands on the log's signature alone, and a report must say so.
    pub ours: Option<Relation>,
    /// The head to store from now on: the newest, if proven to continue ours (or if we had none) and no fork was found.
    pub keep: Option<SignedHead>,
    /// Every other head that came with a look-up, smallest first; `NotChecked` must be said in a report.
    pub heads: Vec<HeadReport>,
    /// The claimed heads, in the order given.
    pub claimed: Vec<ClaimReport>,
    /// What `latest` was answered: its head, or what is wrong with it; `None` when it was not asked.
    pub latest: Option<Result<TreeHead, Error>>,
    /// Every forgery and fork that was met, also where a fresh answer then was good. Ordered as met, without repetition.
    pub evidence: Vec<Error>,
    /// Tiles that were authenticated: these, and no others, may be kept.
    pub tiles: BTreeMap<Tile, Vec<u8>>,
}

impl Report {
    /// How many heads that came with look-ups were not checked against the newest one.
    pub fn heads_not_checked(&self) -> usize {
        self.heads
            .iter()
            .filter(|head| head.relation == Relation::NotChecked)
            .count()
    }
}

/// Runs a batch over a port, one request after the other.
pub fn drive(batch: &mut Batch, port: &mut dyn Port) -> Report {
    let mut answers = Vec::new();
    loop {
        match batch.next(answers) {
            Step::Done(report) => return *report,
            Step::Need(requests) => {
                answers = requests
                    .into_iter()
                    .map(|request| Answer {
                        got: port.read(&request),
                        request,
                    })
                    .collect();
            }
        }
    }
}
