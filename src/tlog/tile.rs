//! Hash tiles of height 8: where a hash lies, how its tile is called, and how it is taken out.
//!
//! Tile level L holds the hashes of node level 8·L, 256 to a full tile, 32 bytes each. The right edge of a tree has
//! partial tiles. Paths, as the `go` command (1.13 to 1.27) stores and asks for them:
//!
//! ```text
//! tile/8/<L>/<N>           a full tile; N in groups of three digits, all but the last with an `x`: x001/x234/067
//! tile/8/<L>/<N>.p/<W>     a partial tile of W hashes, 1 to 255
//! ```
//!
//! Nothing here authenticates anything: see `authenticate`.

use super::tree::{Hash, MAX_TREE_SIZE, Node, canonical_decimal, node_hash};

/// Levels of nodes that one tile spans.
pub const HEIGHT: u8 = 8;
/// Hashes in a full tile.
pub const FULL: u16 = 1 << HEIGHT;
/// Bytes of one hash.
const HASH_BYTES: usize = 32;
/// The highest tile level that a 63-bit tree can have.
const MAX_LEVEL: u8 = 7;

/// The name of a tile: level, index and number of hashes. Orders by level, then index, then width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// A tile of this level and index with `width` hashes, or `None` when no tree could have it.
    pub fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        if level > MAX_LEVEL || width == 0 || width > FULL {
            return None;
        }
        let end = index
            .checked_mul(u64::from(FULL))?
            .checked_add(u64::from(width))?;
        let records = end.checked_mul(1u64.checked_shl(u32::from(level * HEIGHT))?)?;
        (records <= MAX_TREE_SIZE).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// The tile at this level and index as it stands in a tree of `size` records, or `None` when that tree has none.
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(u32::from(level) * u32::from(HEIGHT))?;
        let first = index.checked_mul(u64::from(FULL))?;
        let left = hashes.checked_sub(first)?;
        Self::new(
            level,
            index,
            u16::try_from(left).map_or(FULL, |left| left.min(FULL)),
        )
    }

    /// The tile of a tree of `size` records that holds this node (or what it is folded from).
    pub fn holding(node: Node, size: u64) -> Option<Self> {
        let (_, end) = node.range()?;
        if end > size {
            return None;
        }
        let place = Place::of(node)?;
        Self::in_tree(place.level, place.index, size)
    }

    /// The partial tiles at the right edge of a tree: together their hashes fold to its root.
    pub fn edge(size: u64) -> Vec<Self> {
        (0..=MAX_LEVEL)
            .filter_map(|level| {
                let hashes = size.checked_shr(u32::from(level) * u32::from(HEIGHT))?;
                let tile = Self::in_tree(level, hashes >> HEIGHT, size)?;
                (!tile.is_full()).then_some(tile)
            })
            .collect()
    }

    /// The tile of the same tree whose entry `position` is the hash of this one; only full tiles have a parent.
    pub fn parent(self, size: u64) -> Option<(Self, usize)> {
        if !self.is_full() {
            return None;
        }
        let parent = Self::in_tree(self.level + 1, self.index >> HEIGHT, size)?;
        let position = usize::try_from(self.index & u64::from(FULL - 1)).ok()?;
        (position < usize::from(parent.width)).then_some((parent, position))
    }

    /// Tile level: its hashes are those of nodes 8 times as high.
    pub const fn level(self) -> u8 {
        self.level
    }

    /// Position among the tiles of its level.
    pub const fn index(self) -> u64 {
        self.index
    }

    /// Number of hashes.
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether it has all 256 hashes.
    pub const fn is_full(self) -> bool {
        self.width == FULL
    }

    /// The same tile once it is full.
    #[must_use]
    pub const fn full(self) -> Self {
        Self {
            width: FULL,
            ..self
        }
    }

    /// The nodes whose hashes are its entries, left to right.
    pub fn entries(self) -> impl Iterator<Item = Node> {
        let first = self.index << HEIGHT;
        let level = self.level * HEIGHT;
        (0..u64::from(self.width)).map(move |n| Node {
            level,
            index: first + n,
        })
    }

    /// The path under the log's address or cache folder, with `/` and without a leading one.
    pub fn path(self) -> String {
        let mut groups = vec![format!("{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        let part = if self.is_full() {
            String::new()
        } else {
            format!(".p/{}", self.width)
        };
        format!("tile/{HEIGHT}/{}/{}{part}", self.level, groups.join("/"))
    }

    /// Reads a path in its one spelling; `None` for any other, for other heights, and for the log's `data` tiles.
    pub fn parse_path(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/8/")?;
        let (level, rest) = rest.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, u16::try_from(canonical_decimal(width)?).ok()?),
            None => (rest, FULL),
        };
        let mut index = 0u64;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Self::new(u8::try_from(canonical_decimal(level)?).ok()?, index, width)?;
        // Writing it again settles leading zero groups, misplaced `x` and a full tile called partial.
        (tile.path() == path).then_some(tile)
    }

    /// Takes the hashes of this tile out of `bytes`, which may be those of a wider one of the same place.
    pub fn hashes(self, bytes: &[u8]) -> Option<Vec<Hash>> {
        let (chunks, rest) = bytes.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() || chunks.len() > usize::from(FULL) {
            return None;
        }
        let chunks = chunks.get(..usize::from(self.width))?;
        Some(chunks.iter().map(|chunk| Hash::new(*chunk)).collect())
    }
}

/// Where a node's hash lies: its tile's level and index, and the run of entries that folds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Tile level.
    pub level: u8,
    /// Tile index.
    pub index: u64,
    /// First entry.
    pub first: usize,
    /// Number of entries, a power of two.
    pub count: usize,
}

impl Place {
    /// The place of a node, or `None` when it leaves 64 bits.
    pub fn of(node: Node) -> Option<Self> {
        node.range()?;
        let (level, up) = (node.level / HEIGHT, node.level % HEIGHT);
        let start = node.index.checked_mul(1u64 << up)?;
        Some(Self {
            level,
            index: start >> HEIGHT,
            first: usize::try_from(start & u64::from(FULL - 1)).ok()?,
            count: 1usize << up,
        })
    }

    /// The node's hash, folded from the entries of its tile. Where many are wanted of one tile, see [`Folded`].
    pub fn hash_in(self, entries: &[Hash]) -> Option<Hash> {
        fold_complete(entries.get(self.first..self.first.checked_add(self.count)?)?)
    }
}

/// Folds a power of two of sibling hashes into the one above them.
pub fn fold_complete(entries: &[Hash]) -> Option<Hash> {
    if !entries.len().is_power_of_two() {
        return None;
    }
    let mut row = entries.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
    }
    row.first().copied()
}

/// The entries of a tile with every hash that siblings among them fold to, each worked out once.
#[derive(Clone, Debug)]
pub struct Folded {
    width: usize,
    /// The entries, then row by row what pairs of the row before fold to; a last hash without a sibling stays behind.
    rows: Vec<Hash>,
}

impl Folded {
    /// Folds the entries of a tile.
    pub fn of(entries: Vec<Hash>) -> Self {
        let width = entries.len();
        let mut rows = entries;
        rows.reserve_exact(width);
        let (mut start, mut length) = (0, width);
        while length > 1 {
            for pair in 0..length / 2 {
                let at = start + 2 * pair;
                if let (Some(left), Some(right)) = (rows.get(at), rows.get(at + 1)) {
                    let above = node_hash(left, right);
                    rows.push(above);
                }
            }
            start += length;
            length /= 2;
        }
        Self { width, rows }
    }

    /// The entries.
    pub fn entries(&self) -> &[Hash] {
        self.rows.get(..self.width).unwrap_or_default()
    }

    /// What all entries fold to, if their number is a power of two.
    pub fn root(&self) -> Option<Hash> {
        let complete = self.width.is_power_of_two();
        self.rows.last().filter(|_| complete).copied()
    }

    /// The hash of a node whose place is in this tile.
    pub fn hash(&self, place: Place) -> Option<Hash> {
        if !place.count.is_power_of_two() || !place.first.is_multiple_of(place.count) {
            return None;
        }
        let up = place.count.trailing_zeros();
        let (mut start, mut length) = (0, self.width);
        for _ in 0..up {
            start += length;
            length /= 2;
        }
        let position = place.first >> up;
        (position < length).then(|| self.rows.get(start + position).copied())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::tree::leaf_hash;

    #[test]
    fn paths_use_groups_of_three_digits() {
        for (level, index, width, path) in [
            (0, 0, 256, "tile/8/0/000"),
            (1, 67, 5, "tile/8/1/067.p/5"),
            (0, 1000, 256, "tile/8/0/x001/000"),
            (2, 1_234_067, 255, "tile/8/2/x001/x234/067.p/255"),
        ] {
            let tile = Tile::new(level, index, width).unwrap();
            assert_eq!(tile.path(), path);
            assert_eq!(Tile::parse_path(path), Some(tile));
        }
    }

    #[test]
    fn paths_have_one_spelling() {
        for bad in [
            "tile/8/0/0",
            "tile/8/0/x000/067",
            "tile/8/0/x001/x067",
            "tile/8/0/001/067",
            "tile/8/0/067.p/0",
            "tile/8/0/067.p/05",
            "tile/8/0/067.p/256",
            "tile/8/0/067.p/",
            "tile/8/00/067",
            "tile/8/8/067",
            "tile/8/data/067",
            "tile/9/0/067",
            "tile/8/0/067/",
            "/tile/8/0/067",
            "tile/8/0/+67",
            "tile/8/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_edge_covers_what_full_tiles_do_not() {
        assert_eq!(Tile::edge(0), []);
        assert_eq!(Tile::edge(256), [Tile::new(1, 0, 1).unwrap()]);
        assert_eq!(
            Tile::edge(1000),
            [Tile::new(0, 3, 232).unwrap(), Tile::new(1, 0, 3).unwrap()]
        );
        assert_eq!(
            Tile::edge(65536 + 3),
            [Tile::new(0, 256, 3).unwrap(), Tile::new(2, 0, 1).unwrap()]
        );
    }

    #[test]
    fn every_full_tile_has_a_parent_up_to_the_edge() {
        for size in [
            1u64, 255, 256, 257, 1000, 65_535, 65_536, 65_792, 70_000, 16_777_216, 71_848_828,
        ] {
            let edge = Tile::edge(size);
            for leaf in [0, size / 3, size / 2, size - 1] {
                let mut tile = Tile::holding(
                    Node {
                        level: 0,
                        index: leaf,
                    },
                    size,
                )
                .unwrap();
                while let Some((parent, _)) = tile.parent(size) {
                    assert_eq!(parent.level(), tile.level() + 1);
                    tile = parent;
                }
                assert!(edge.contains(&tile), "{size} {leaf} {tile:?}");
            }
        }
    }

    #[test]
    fn a_tile_is_the_prefix_of_a_wider_one() {
        let hashes: Vec<Hash> = (0..7u8).map(|n| leaf_hash(&[n])).collect();
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        assert_eq!(
            Tile::new(0, 0, 5).unwrap().hashes(&bytes).unwrap(),
            hashes[..5]
        );
        assert_eq!(Tile::new(0, 0, 8).unwrap().hashes(&bytes), None);
        assert_eq!(
            Tile::new(0, 0, 5)
                .unwrap()
                .hashes(&bytes[..bytes.len() - 1]),
            None
        );
    }

    #[test]
    fn hashes_between_tile_levels_are_folded() {
        let hashes: Vec<Hash> = (0..8u8).map(|n| leaf_hash(&[n])).collect();
        let place = Place::of(Node { level: 2, index: 1 }).unwrap();
        assert_eq!((place.first, place.count), (4, 4));
        let left = node_hash(&hashes[4], &hashes[5]);
        let right = node_hash(&hashes[6], &hashes[7]);
        let whole = Folded::of(hashes.clone());
        assert_eq!(whole.hash(place), Some(node_hash(&left, &right)));
        assert_eq!(whole.entries(), hashes);
        assert_eq!(Folded::of(hashes[..7].to_vec()).hash(place), None);
    }

    /// Folds without remembering anything.
    fn plainly(entries: &[Hash]) -> Hash {
        match entries {
            [one] => *one,
            _ => {
                let (left, right) = entries.split_at(entries.len() / 2);
                node_hash(&plainly(left), &plainly(right))
            }
        }
    }

    #[test]
    fn every_run_of_every_width_is_folded_from_exactly_its_entries() {
        let hashes: Vec<Hash> = (0..=255u8).map(|n| leaf_hash(&[n])).collect();
        for width in [1, 2, 3, 7, 64, 100, 255, 256] {
            let tile = Folded::of(hashes[..width].to_vec());
            let root = width.is_power_of_two().then(|| plainly(&hashes[..width]));
            assert_eq!(tile.root(), root, "{width}");
            for level in 0..8 {
                for index in 0..(256 >> level) {
                    let place = Place::of(Node { level, index }).unwrap();
                    let run = hashes[..width].get(place.first..place.first + place.count);
                    assert_eq!(
                        tile.hash(place),
                        run.map(plainly),
                        "{width} {level} {index}"
                    );
                }
            }
        }
        assert_eq!(Folded::of(Vec::new()).root(), None);
    }
}
