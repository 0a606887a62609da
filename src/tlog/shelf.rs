//! Tiles as they were offered, none of them believed, and what to ask for next to have one.
//!
//! A partial tile that is no longer served is replaced by the full tile of the same place, whose beginning it is. A
//! tile that was found false or torn is asked for once more, past every cache; after that the shelf gives up on it.

use std::collections::{BTreeMap, BTreeSet};

use super::authenticate::Unchecked;
use super::client::{Got, Request, Resource};
use super::error::{Error, Reason};
use super::tile::Tile;
use super::tree::Hash;

/// What is known of one tile name.
#[derive(Clone, Debug)]
struct Offer {
    got: Got,
    fresh: bool,
}

/// All tiles offered so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    offers: BTreeMap<Tile, Offer>,
    again: BTreeSet<Tile>,
}

impl Shelf {
    /// Takes an answer in. A second answer to the same request is ignored.
    pub(super) fn put(&mut self, tile: Tile, got: Got, fresh: bool) {
        if fresh {
            if self.again.remove(&tile) {
                self.offers.insert(tile, Offer { got, fresh });
            }
        } else {
            self.offers.entry(tile).or_insert(Offer { got, fresh });
        }
    }

    /// What to ask for, so that this tile is at hand; `None` when it is, or never will be.
    pub(super) fn request(&self, tile: Tile) -> Option<Request> {
        let source = self.source(tile);
        if self.again.contains(&source) {
            return Some(Request {
                resource: Resource::Tile(source),
                fresh: true,
            });
        }
        match self.offers.get(&source) {
            None => Some(Request {
                resource: Resource::Tile(source),
                fresh: false,
            }),
            Some(_) => None,
        }
    }

    /// Has this tile asked for past every cache, unless that was done. Tells whether it will be.
    pub(super) fn ask_again(&mut self, tile: Tile) -> bool {
        let source = self.source(tile);
        let stale = self.offers.get(&source).is_some_and(|offer| !offer.fresh);
        if stale {
            self.again.insert(source);
        }
        stale
    }

    /// The name under which this tile is, or should be, offered: its own, or the full one's when its own is absent.
    fn source(&self, tile: Tile) -> Tile {
        let gone = matches!(
            self.offers.get(&tile),
            Some(Offer {
                got: Got::Absent,
                ..
            })
        );
        let full = matches!(
            self.offers.get(&tile.full()),
            Some(Offer {
                got: Got::Bytes(_),
                ..
            })
        );
        let held = self.offers.contains_key(&tile);
        if gone || (full && !held) {
            tile.full()
        } else {
            tile
        }
    }
}

impl Unchecked for Shelf {
    fn entries(&self, tile: Tile) -> Result<Vec<Hash>, Error> {
        let source = self.source(tile);
        match self.offers.get(&source).map(|offer| &offer.got) {
            Some(Got::Bytes(bytes)) => {
                // A source must have its own length before a narrower tile is taken from it.
                let whole = source
                    .hashes(bytes)
                    .filter(|all| all.len() * 32 == bytes.len());
                whole.and_then(|_| tile.hashes(bytes)).ok_or_else(|| {
                    Error::malformed(
                        "log tile",
                        format!("`{}` has {} bytes", source.path(), bytes.len()),
                    )
                })
            }
            Some(Got::Unavailable(why)) => {
                Err(Error::Unverifiable(Reason::Unavailable(why.clone())))
            }
            Some(Got::Absent) | None => Err(Error::Unverifiable(Reason::TileMissing(tile))),
        }
    }
}
