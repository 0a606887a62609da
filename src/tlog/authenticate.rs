//! Tiles checked against a signed head: every tile, each time, before anything is read from it.
//!
//! The partial tiles at the right edge of a tree fold, all entries of all of them, to its root; a full tile folds to
//! one entry of its parent. So a tile is either at the edge, and the root settles it, or has a parent, and is checked
//! after it. No tile is skipped because it served another purpose before: the bypass GO-2026-6179 lived from counting
//! subtree hashes (several may lie in one tile) where tiles had to be counted. Here nothing is counted.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Error, Forgery};
use super::proof::Stored;
use super::tile::{Folded, Place, Tile};
use super::tree::{Hash, Node, TreeHead, fold, subtrees};

/// Where unchecked tiles come from.
pub trait Unchecked {
    /// The entries of this tile as they were offered, or why there are none.
    ///
    /// # Errors
    /// `Error::Unverifiable` when it is not to be had, `Error::Malformed` when it is not of a tile's length.
    fn entries(&self, tile: Tile) -> Result<Vec<Hash>, Error>;
}

/// A tree whose head was signed, and those of its tiles that were authenticated under it.
#[derive(Clone, Debug)]
pub struct VerifiedTree {
    head: TreeHead,
    tiles: BTreeMap<(u8, u64), (Tile, Folded)>,
    edge: bool,
}

/// What stood in the way, by tile.
pub type Troubles = BTreeMap<Tile, Error>;

impl VerifiedTree {
    /// Starts with a signed head and no tile. Who calls this vouches for the signature.
    pub(super) const fn new(head: TreeHead) -> Self {
        Self {
            head,
            tiles: BTreeMap::new(),
            edge: head.size == 0,
        }
    }

    /// The head.
    pub const fn head(&self) -> &TreeHead {
        &self.head
    }

    /// Whether the right edge is authenticated: without it nothing is.
    pub const fn has_edge(&self) -> bool {
        self.edge
    }

    /// The tiles that must be at hand to know the hashes of `nodes`: theirs, all above them, and the edge.
    /// Tiles that are authenticated already are left out; nodes that the tree does not have are ignored.
    pub fn plan(&self, nodes: impl IntoIterator<Item = Node>) -> BTreeSet<Tile> {
        let mut plan = BTreeSet::new();
        if !self.edge {
            plan.extend(Tile::edge(self.head.size));
        }
        for node in nodes {
            let mut next = Tile::holding(node, self.head.size);
            while let Some(tile) = next {
                if self.tiles.contains_key(&key(tile)) || !plan.insert(tile) {
                    break;
                }
                next = tile.parent(self.head.size).map(|(parent, _)| parent);
            }
        }
        plan
    }

    /// Authenticates the tiles of a plan, from the top down, and keeps those that hold.
    pub fn authenticate(&mut self, plan: &BTreeSet<Tile>, source: &dyn Unchecked) -> Troubles {
        let mut troubles = Troubles::new();
        if !self.edge {
            self.authenticate_edge(source, &mut troubles);
        }
        // Tiles order by level, so the reverse visits every parent before its children.
        for &tile in plan.iter().rev() {
            if self.tiles.contains_key(&key(tile)) || troubles.contains_key(&tile) {
                continue;
            }
            let Some((parent, position)) = tile.parent(self.head.size) else {
                continue;
            };
            let Some((_, above)) = self.tiles.get(&key(parent)) else {
                continue;
            };
            let Some(&expected) = above.entries().get(position) else {
                continue;
            };
            match source.entries(tile) {
                Err(error) => {
                    troubles.insert(tile, error);
                }
                Ok(entries) => {
                    let folded = Folded::of(entries);
                    let found = folded.root();
                    if found == Some(expected) {
                        self.tiles.insert(key(tile), (tile, folded));
                        continue;
                    }
                    let forgery = Forgery::Tile {
                        tile,
                        bytes: bytes(folded.entries()),
                        expected,
                        found: found.unwrap_or_else(|| fold(folded.entries())),
                        head: self.head,
                    };
                    troubles.insert(tile, Error::forged(forgery));
                }
            }
        }
        troubles
    }

    /// Authenticates the right edge as a whole against the signed root.
    fn authenticate_edge(&mut self, source: &dyn Unchecked, troubles: &mut Troubles) {
        let mut edge = BTreeMap::new();
        for tile in Tile::edge(self.head.size) {
            match source.entries(tile) {
                Ok(entries) => {
                    edge.insert(key(tile), (tile, Folded::of(entries)));
                }
                Err(error) => {
                    troubles.insert(tile, error);
                }
            }
        }
        if !troubles.is_empty() {
            return;
        }
        let hashes: Option<Vec<Hash>> = subtrees(0, self.head.size)
            .into_iter()
            .map(|node| look_up(&edge, node))
            .collect();
        let found = fold(&hashes.unwrap_or_default());
        if found == self.head.root {
            self.tiles.extend(edge);
            self.edge = true;
            return;
        }
        let tiles: Vec<(Tile, Vec<u8>)> = edge
            .values()
            .map(|(tile, folded)| (*tile, bytes(folded.entries())))
            .collect();
        let error = Error::forged(Forgery::Edge {
            tiles,
            found,
            head: self.head,
        });
        troubles.extend(edge.values().map(|(tile, _)| (*tile, error.clone())));
    }

    /// The authenticated entries of this tile, if it is one of them.
    pub fn entries(&self, tile: Tile) -> Option<&[Hash]> {
        let (_, folded) = self.tiles.get(&key(tile))?;
        folded.entries().get(..usize::from(tile.width()))
    }

    /// Every authenticated tile with its bytes, as they may be kept.
    pub fn tiles(&self) -> impl Iterator<Item = (Tile, Vec<u8>)> {
        self.tiles
            .values()
            .map(|(tile, folded)| (*tile, bytes(folded.entries())))
    }
}

impl Stored for VerifiedTree {
    fn hash(&self, node: Node) -> Option<Hash> {
        let (_, end) = node.range()?;
        if end > self.head.size {
            return None;
        }
        look_up(&self.tiles, node)
    }
}

/// What tells tiles of one tree apart.
const fn key(tile: Tile) -> (u8, u64) {
    (tile.level(), tile.index())
}

/// Takes a node's hash out of a set of tiles.
fn look_up(tiles: &BTreeMap<(u8, u64), (Tile, Folded)>, node: Node) -> Option<Hash> {
    let place = Place::of(node)?;
    let (_, folded) = tiles.get(&(place.level, place.index))?;
    folded.hash(place)
}

/// Entries as the bytes of a tile.
pub fn bytes(entries: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len().saturating_mul(32));
    for hash in entries {
        bytes.extend_from_slice(hash.as_bytes());
    }
    bytes
}

#[cfg(test)]
#[path = "authenticate_tests.rs"]
mod tests;
