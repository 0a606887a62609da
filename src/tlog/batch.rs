//! Many records proven under one signed head, as a state machine without I/O.
//!
//! First all look-ups and the newest head are asked for; every head met is opened and merged (the largest is the one to
//! prove under, every other one must be its beginning). Then the tiles for all records, and for the consistency of our
//! stored head, are planned together, each asked for once, and authenticated. Only then is anything read from a record.
//!
//! What is found false or torn is kept as evidence and asked for once more, past every cache. A batch holds its tiles in
//! memory (about 8 KiB for each record), so ask for at most about a thousand records at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::authenticate::{Troubles, VerifiedTree};
use super::client::{Answer, Got, Options, Request, Resource, Step};
use super::error::{Error, Reason};
use super::note::{SignedHead, VerifierKey};
use super::proof::{Stored as _, inclusion};
use super::record::{Lookup, Proven, Wanted};
use super::shelf::Shelf;
use super::tile::Tile;
use super::tree::{Node, TreeHead, subtrees};

/// How far a record has come.
#[derive(Debug)]
enum Stage {
    /// To be asked for.
    Ask,
    /// Read, its note opened, waiting for its proof.
    Read(Box<Lookup>),
    /// Settled.
    Done(Box<Result<Proven, Error>>),
}

/// One record of the batch.
#[derive(Debug)]
struct Item {
    wanted: Wanted,
    fresh: bool,
    stage: Stage,
    /// The head that came with the answer.
    head: Option<TreeHead>,
    /// The first thing that stood in the way: the answer, if nothing better comes.
    trouble: Option<Error>,
}

impl Item {
    /// Settles this record as failed: with what stood in the way first, else with `error`.
    fn fail(&mut self, error: Error) {
        let error = self.trouble.take().unwrap_or(error);
        self.stage = Stage::Done(Box::new(Err(error)));
    }

    /// Refuses an answer: asks once more past the caches, or gives up.
    fn refuse(&mut self, error: Error) {
        if self.fresh {
            self.fail(error);
        } else {
            self.fresh = true;
            self.trouble.get_or_insert(error);
            self.stage = Stage::Ask;
        }
    }
}

/// Records to prove, and all that is known so far. See the module's words.
#[derive(Debug)]
pub struct Batch {
    keys: Vec<VerifierKey>,
    options: Options,
    ours: Option<SignedHead>,
    items: Vec<Item>,
    places: BTreeMap<Wanted, usize>,
    heads: BTreeMap<TreeHead, SignedHead>,
    required: BTreeSet<TreeHead>,
    claimed: Vec<(String, Result<TreeHead, Error>)>,
    latest: Option<Result<TreeHead, Error>>,
    shelf: Shelf,
    accused: BTreeMap<Tile, Error>,
    trees: BTreeMap<TreeHead, VerifiedTree>,
    settled: BTreeSet<TreeHead>,
    asked: BTreeSet<Request>,
    evidence: Vec<Error>,
}

impl Batch {
    /// Starts a batch.
    ///
    /// `keys` are those of one log. `ours` is our newest stored head of that log, opened with the same keys. `claimed`
    /// are notes that others keep (with a label for the report). A record wanted twice is proven once and reported once.
    pub fn new(
        keys: Vec<VerifierKey>,
        ours: Option<SignedHead>,
        claimed: Vec<(String, Vec<u8>)>,
        wanted: Vec<Wanted>,
        options: Options,
    ) -> Self {
        let mut batch = Self {
            keys,
            options,
            ours,
            items: Vec::new(),
            places: BTreeMap::new(),
            heads: BTreeMap::new(),
            required: BTreeSet::new(),
            claimed: Vec::new(),
            latest: None,
            shelf: Shelf::default(),
            accused: BTreeMap::new(),
            trees: BTreeMap::new(),
            settled: BTreeSet::new(),
            asked: BTreeSet::new(),
            evidence: Vec::new(),
        };
        for wanted in wanted {
            if batch.places.contains_key(&wanted) {
                continue;
            }
            batch.places.insert(wanted.clone(), batch.items.len());
            batch.items.push(Item {
                wanted,
                fresh: false,
                stage: Stage::Ask,
                head: None,
                trouble: None,
            });
        }
        if let Some(ours) = batch.ours.clone() {
            batch.required.insert(*ours.head());
            batch.heads.insert(*ours.head(), ours);
        }
        for (label, note) in claimed {
            let head = batch.open_head(&note);
            batch.required.extend(head.iter());
            batch.claimed.push((label, head));
        }
        batch
    }

    /// Takes the answers to the last requests, and says what is needed next.
    ///
    /// Answers that were not asked for are ignored; a request left unanswered counts as unavailable.
    pub fn next(&mut self, answers: Vec<Answer>) -> Step {
        for Answer { request, got } in answers {
            if self.asked.remove(&request) {
                self.take(request, got);
            }
        }
        for request in std::mem::take(&mut self.asked) {
            self.take(request, Got::Unavailable("it was not answered".to_owned()));
        }
        loop {
            let mut need = self.first_needs();
            if need.is_empty() {
                let Some(head) = self.candidate() else {
                    return Step::Done(Box::new(self.report()));
                };
                need = self.prove_under(head);
            }
            if !need.is_empty() {
                self.asked.clone_from(&need);
                return Step::Need(need.into_iter().collect());
            }
        }
    }

    /// Opens a note and merges the head in it with those known.
    fn open_head(&mut self, note: &[u8]) -> Result<TreeHead, Error> {
        match SignedHead::open(note, &self.keys) {
            Ok(signed) => {
                let head = *signed.head();
                self.heads.entry(head).or_insert(signed);
                Ok(head)
            }
            Err(error) => {
                self.accuse(&error);
                Err(error)
            }
        }
    }

    /// Keeps what is evidence, once.
    fn accuse(&mut self, error: &Error) {
        if error.is_evidence() && !self.evidence.contains(error) {
            self.evidence.push(error.clone());
        }
    }

    /// Takes one answer in.
    fn take(&mut self, request: Request, got: Got) {
        match request.resource {
            Resource::Tile(tile) => self.shelf.put(tile, got, request.fresh),
            Resource::Latest => {
                let head = match got {
                    Got::Bytes(note) => self.open_head(&note),
                    Got::Absent => Err(Error::Unverifiable(Reason::NoHead)),
                    Got::Unavailable(why) => Err(Error::Unverifiable(Reason::Unavailable(why))),
                };
                self.required.extend(head.iter());
                self.latest = Some(head);
            }
            Resource::Lookup(wanted) => {
                let Some(&place) = self.places.get(&wanted) else {
                    return;
                };
                let read = match got {
                    Got::Absent => Err(Error::Unverifiable(Reason::NoRecord)),
                    Got::Unavailable(why) => Err(Error::Unverifiable(Reason::Unavailable(why))),
                    Got::Bytes(answer) => Lookup::parse(&answer, &wanted)
                        .and_then(|lookup| Ok((self.open_head(lookup.note())?, lookup))),
                };
                if let Err(error) = &read {
                    self.accuse(error);
                }
                let Some(item) = self.items.get_mut(place) else {
                    return;
                };
                match read {
                    Ok((head, lookup)) => {
                        item.head = Some(head);
                        item.stage = Stage::Read(Box::new(lookup));
                    }
                    Err(error @ Error::Unverifiable(_)) => item.fail(error),
                    Err(error) => item.refuse(error),
                }
            }
        }
    }

    /// What is needed before any tile: the newest head, and the look-ups.
    fn first_needs(&self) -> BTreeSet<Request> {
        let asking = self
            .items
            .iter()
            .filter(|item| matches!(item.stage, Stage::Ask));
        let mut need: BTreeSet<Request> = asking
            .map(|item| Request {
                resource: Resource::Lookup(item.wanted.clone()),
                fresh: item.fresh,
            })
            .collect();
        if self.options.ask_latest && self.latest.is_none() {
            need.insert(Request {
                resource: Resource::Latest,
                fresh: true,
            });
        }
        need
    }

    /// The newest head known.
    fn newest(&self) -> Option<TreeHead> {
        self.heads.last_key_value().map(|(head, _)| *head)
    }

    /// The head to prove under next: the newest first, then, if wished, older ones while records are open.
    fn candidate(&self) -> Option<TreeHead> {
        let newest = self.newest()?;
        if !self.settled.contains(&newest) {
            return Some(newest);
        }
        if !self.options.older_heads {
            return None;
        }
        let lowest = self.open().map(|(_, id)| id).min()?;
        self.heads
            .keys()
            .rev()
            .find(|head| head.size > lowest && !self.settled.contains(head))
            .copied()
    }

    /// The records that wait for their proof, by place, with their numbers.
    fn open(&self) -> impl Iterator<Item = (usize, u64)> {
        self.items
            .iter()
            .enumerate()
            .filter_map(|(place, item)| match &item.stage {
                Stage::Read(lookup) => Some((place, lookup.id())),
                Stage::Ask | Stage::Done(_) => None,
            })
    }

    /// Works on one head until it needs something or is settled.
    fn prove_under(&mut self, head: TreeHead) -> BTreeSet<Request> {
        let mut nodes: Vec<Node> = self
            .open()
            .filter(|(_, id)| *id < head.size)
            .map(|(_, index)| Node { level: 0, index })
            .collect();
        if self.newest() == Some(head) {
            let older = self.heads.keys().filter(|older| {
                **older != head && (self.options.check_heads || self.required.contains(older))
            });
            nodes.extend(older.flat_map(|older| subtrees(0, older.size)));
        }
        let tree = self
            .trees
            .entry(head)
            .or_insert_with(|| VerifiedTree::new(head));
        let plan = if nodes.is_empty() {
            BTreeSet::new()
        } else {
            tree.plan(nodes)
        };
        let need: BTreeSet<Request> = plan
            .iter()
            .filter_map(|tile| self.shelf.request(*tile))
            .collect();
        if !need.is_empty() {
            return need;
        }
        let troubles = if plan.is_empty() {
            Troubles::new()
        } else {
            tree.authenticate(&plan, &self.shelf)
        };
        let again = self.consider(&troubles);
        if again.is_empty() {
            self.settled.insert(head);
            self.settle_records(head, &troubles);
        }
        again
    }

    /// Notes what is wrong with tiles, and has the false and torn ones asked for again.
    fn consider(&mut self, troubles: &Troubles) -> BTreeSet<Request> {
        let mut again = BTreeSet::new();
        for (tile, error) in troubles {
            if matches!(error, Error::Unverifiable(_)) {
                continue;
            }
            self.accuse(error);
            self.accused.entry(*tile).or_insert_with(|| error.clone());
            if self.shelf.ask_again(*tile) {
                again.extend(self.shelf.request(*tile));
            }
        }
        again
    }

    /// Reads the records whose leaf is now authenticated; notes for the others what stands in the way.
    fn settle_records(&mut self, head: TreeHead, troubles: &Troubles) {
        let newest = self.newest();
        let (Some(tree), Some(signed)) = (self.trees.get(&head), self.heads.get(&head)) else {
            return;
        };
        let mut accusations = Vec::new();
        for item in &mut self.items {
            let Stage::Read(lookup) = &item.stage else {
                continue;
            };
            let id = lookup.id();
            if id >= head.size {
                if newest == Some(head) {
                    item.fail(Error::Unverifiable(Reason::BeyondTree {
                        id,
                        size: head.size,
                    }));
                }
                continue;
            }
            let leaf = Node {
                level: 0,
                index: id,
            };
            match (tree.hash(leaf), inclusion(tree, id, head.size)) {
                (Some(leaf), Some(proof)) => {
                    match Proven::new(&item.wanted, lookup, &leaf, signed.clone(), proof) {
                        Ok(proven) => item.stage = Stage::Done(Box::new(Ok(proven))),
                        Err(error) => {
                            accusations.push(error.clone());
                            item.refuse(error);
                        }
                    }
                }
                _ => {
                    let error = cause(leaf, head, troubles, &self.accused);
                    item.trouble.get_or_insert(error);
                }
            }
        }
        for error in &accusations {
            self.accuse(error);
            // A fresh answer may come with any record number: every head has to be worked on again.
            self.settled.clear();
        }
    }
}

/// What stands in the way of a leaf: the trouble with the highest of the tiles above it, else with the edge.
fn cause(
    leaf: Node,
    head: TreeHead,
    troubles: &Troubles,
    accused: &BTreeMap<Tile, Error>,
) -> Error {
    let mut chain = Tile::edge(head.size);
    let mut next = Tile::holding(leaf, head.size);
    while let Some(tile) = next {
        chain.push(tile);
        next = tile.parent(head.size).map(|(parent, _)| parent);
    }
    chain.sort_unstable();
    let trouble = chain.iter().rev().find(|tile| troubles.contains_key(tile));
    let error = trouble.and_then(|tile| accused.get(tile).or_else(|| troubles.get(tile)));
    error
        .cloned()
        .unwrap_or(Error::Unverifiable(Reason::NoHead))
}

#[cfg(test)]
#[path = "batch_forgery_tests.rs"]
mod forgery_tests;
#[path = "batch_report.rs"]
mod report;
#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
