//! Loose tiles (files of a cache that nobody asked for) held against everything that signed heads commit to.
//!
//! A tile is reached from a head's right edge, from its parent, or through a wider tile of the same place. What is reached
//! is genuine or forged; at an edge that does not fold to its root the culprit may stay open between several tiles; the
//! rest is not reached, and is never called good. Heads whose tree begins otherwise than another's are evidence of a fork.
//!
//! Hashes of the lowest level are read when they are needed and not held: a cache has thousands of such tiles.

use std::collections::{BTreeMap, BTreeSet};

use super::fork::{ForkEvidence, Relation};
use super::note::SignedHead;
use super::proof::root;
use super::tile::{Place, Tile, fold_complete};
use super::tree::{Hash, Node, fold, subtrees};

/// Most ways in which the tiles of one edge are put together.
const MOST_WAYS: usize = 64;

/// What is known of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// A signed head commits to every byte of it.
    Genuine,
    /// It contradicts a signed head.
    Forged,
    /// It or another tile of the same edge contradicts a signed head.
    Suspect,
    /// No signed head at hand leads to it.
    Unreached,
}

/// What became of loose tiles.
#[derive(Debug, Default)]
pub struct Judged {
    /// Every tile.
    pub fates: BTreeMap<Tile, Fate>,
    /// Heads that do not fit.
    pub forks: Vec<ForkEvidence>,
}

/// Gives the hashes of a tile exactly as its own file has them; `None` if that cannot be read.
pub type Reader<'a> = dyn Fn(Tile) -> Option<Vec<Hash>> + 'a;

/// Judges `held` with the signed heads at hand and with tiles that were authenticated elsewhere.
pub fn judge(
    held: &BTreeSet<Tile>,
    heads: Vec<SignedHead>,
    given: BTreeMap<Tile, Vec<Hash>>,
    read: &Reader<'_>,
) -> Judged {
    let mut places: BTreeMap<(u8, u64), BTreeSet<Tile>> = BTreeMap::new();
    for tile in held {
        places.entry(key(*tile)).or_default().insert(*tile);
    }
    let mut loose = Loose {
        pending: held.iter().filter(|t| t.is_full()).rev().copied().collect(),
        places,
        read,
        known: BTreeMap::new(),
        fitting: Vec::new(),
        suspects: Vec::new(),
        judged: Judged::default(),
    };
    for (tile, hashes) in given {
        loose.learn(tile, hashes);
    }
    loose.descend();
    let mut heads: BTreeMap<_, SignedHead> = heads.into_iter().map(|h| (*h.head(), h)).collect();
    while let Some((_, head)) = heads.pop_last() {
        if loose.take_head(head) {
            loose.descend();
        }
    }
    loose.settle();
    loose.judged
}

struct Loose<'a> {
    places: BTreeMap<(u8, u64), BTreeSet<Tile>>,
    read: &'a Reader<'a>,
    /// Authenticated hashes by place, the widest run from its first; of the lowest level only where no full tile has them.
    known: BTreeMap<(u8, u64), Vec<Hash>>,
    /// Full tiles without a fate, higher ones first.
    pending: Vec<Tile>,
    /// Heads whose edge was authenticated.
    fitting: Vec<SignedHead>,
    /// Files of edges that do not fold to their roots.
    suspects: Vec<BTreeSet<Tile>>,
    judged: Judged,
}

impl Loose<'_> {
    fn learn(&mut self, tile: Tile, hashes: Vec<Hash>) {
        let known = self.known.entry(key(tile)).or_default();
        if known.len() < hashes.len() {
            *known = hashes;
        }
    }

    /// The first authenticated hashes of a place, as many as there are.
    fn authentic(&self, at: (u8, u64)) -> Option<Vec<Hash>> {
        let held = self.places.get(&at).and_then(|tiles| tiles.last());
        let full = held.filter(|t| self.judged.fates.get(t) == Some(&Fate::Genuine));
        let known = self.known.get(&at);
        match full {
            Some(full) if known.is_none_or(|k| k.len() < usize::from(full.width())) => {
                (self.read)(*full)
            }
            _ => known.cloned(),
        }
    }

    fn hash(&self, node: Node) -> Option<Hash> {
        let place = Place::of(node)?;
        let at = (place.level, place.index);
        match self.known.get(&at).and_then(|known| place.hash_in(known)) {
            Some(hash) => Some(hash),
            None => place.hash_in(&self.authentic(at)?),
        }
    }

    /// Judges the full tiles whose parents are authenticated.
    fn descend(&mut self) {
        for tile in std::mem::take(&mut self.pending) {
            let parent = (tile.level() + 1, tile.index() >> 8);
            let position = usize::try_from(tile.index() & 255).unwrap_or(usize::MAX);
            let above = self.known.get(&parent);
            let Some(expected) = above.and_then(|above| above.get(position)).copied() else {
                self.pending.push(tile);
                continue;
            };
            let Some(hashes) = (self.read)(tile) else {
                continue;
            };
            let fits = fold_complete(&hashes) == Some(expected);
            let fate = if fits { Fate::Genuine } else { Fate::Forged };
            self.judged.fates.insert(tile, fate);
            if fits && tile.level() > 0 {
                self.learn(tile, hashes);
            }
        }
    }

    /// Takes a signed head in; tells whether its edge taught something.
    fn take_head(&mut self, head: SignedHead) -> bool {
        if let Some(found) = root(&|node: Node| self.hash(node), head.head().size) {
            if found == head.head().root {
                self.fitting.push(head);
            } else {
                self.forked(&head);
            }
            return false;
        }
        let edge = Tile::edge(head.head().size);
        let offers: Vec<Vec<(Tile, Vec<Hash>)>> = edge.iter().map(|t| self.offers(*t)).collect();
        if offers.iter().any(Vec::is_empty) {
            return false;
        }
        let ways: usize = offers.iter().map(Vec::len).product();
        for way in 0..ways.min(MOST_WAYS) {
            let mut rest = way;
            let mut chosen: BTreeMap<(u8, u64), (Tile, &Vec<Hash>)> = BTreeMap::new();
            for (tile, offers) in edge.iter().zip(&offers) {
                if let Some((_, hashes)) = offers.get(rest % offers.len().max(1)) {
                    chosen.insert(key(*tile), (*tile, hashes));
                }
                rest /= offers.len().max(1);
            }
            let hash = |node: Node| {
                let place = Place::of(node)?;
                place.hash_in(chosen.get(&(place.level, place.index))?.1)
            };
            let hashes: Option<Vec<Hash>> = subtrees(0, head.head().size)
                .into_iter()
                .map(hash)
                .collect();
            if hashes.map(|hashes| fold(&hashes)) == Some(head.head().root) {
                let good: Vec<(Tile, Vec<Hash>)> =
                    chosen.into_values().map(|(t, h)| (t, h.clone())).collect();
                for (tile, hashes) in good {
                    self.learn(tile, hashes);
                }
                self.fitting.push(head);
                return true;
            }
        }
        let files = offers.into_iter().flatten().map(|(file, _)| file);
        self.suspects.push(files.collect());
        false
    }

    /// The contents that the files of a place offer for one of its tiles; one alone, where it is authenticated.
    fn offers(&self, tile: Tile) -> Vec<(Tile, Vec<Hash>)> {
        let width = usize::from(tile.width());
        let cut = |hashes: Vec<Hash>| hashes.get(..width).map(<[Hash]>::to_vec);
        if let Some(hashes) = self.authentic(key(tile)).and_then(cut) {
            return vec![(tile, hashes)];
        }
        let mut offers: Vec<(Tile, Vec<Hash>)> = Vec::new();
        let held = self.places.get(&key(tile)).into_iter().flatten();
        for file in held.filter(|file| file.width() >= tile.width()) {
            if let Some(hashes) = (self.read)(*file).and_then(cut)
                && offers.iter().all(|(_, other)| *other != hashes)
            {
                offers.push((*file, hashes));
            }
        }
        offers
    }

    /// A head whose tree does not begin as authenticated tiles have it: evidence, if a larger head commits to those.
    fn forked(&mut self, head: &SignedHead) {
        let hash = |node: Node| self.hash(node);
        let forks = self
            .fitting
            .iter()
            .filter(|n| n.head().size >= head.head().size);
        let evidence = forks.filter_map(|newer| match ForkEvidence::compare(head, newer, &hash) {
            Relation::Forked(evidence) => Some(*evidence),
            Relation::Consistent | Relation::NotChecked => None,
        });
        let first = evidence.take(1).collect::<Vec<_>>();
        self.judged.forks.extend(first);
    }

    /// Judges the tiles without a fate by wider ones of the same place.
    fn settle(&mut self) {
        for (at, tiles) in std::mem::take(&mut self.places) {
            self.places.insert(at, tiles.clone());
            let open: Vec<Tile> = tiles
                .into_iter()
                .filter(|tile| !self.judged.fates.contains_key(tile))
                .collect();
            if open.is_empty() {
                continue;
            }
            let authentic = self.authentic(at).unwrap_or_default();
            for tile in open {
                let Some(hashes) = (self.read)(tile) else {
                    continue;
                };
                let common = hashes.len().min(authentic.len());
                let fate = if hashes.get(..common) != authentic.get(..common) {
                    Fate::Forged
                } else if common == hashes.len() {
                    Fate::Genuine
                } else {
                    Fate::Unreached
                };
                self.judged.fates.insert(tile, fate);
            }
        }
        // Where one tile of an edge is known to be false, the edge says nothing of the others.
        let fates = &mut self.judged.fates;
        for edge in &self.suspects {
            if edge
                .iter()
                .any(|tile| fates.get(tile) == Some(&Fate::Forged))
            {
                continue;
            }
            for tile in edge {
                if let Some(fate @ Fate::Unreached) = fates.get_mut(tile) {
                    *fate = Fate::Suspect;
                }
            }
        }
    }
}

/// What tells places apart.
const fn key(tile: Tile) -> (u8, u64) {
    (tile.level(), tile.index())
}

#[cfg(test)]
#[path = "loose_tests.rs"]
mod tests;
