//! An in-memory log for tests: any number of records, any key, and every answer that a log gives.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};

use super::client::{Got, Port, Request, Resource};
use super::note::{SignedHead, VerifierKey, key_hash};
use super::proof::{Stored, root};
use super::record::Wanted;
use super::tile::Tile;
use super::tree::{Hash, Node, TreeHead, leaf_hash, node_hash};

/// A log of records, all of whose hashes are at hand.
#[derive(Clone)]
pub(crate) struct TestLog {
    name: String,
    key: SigningKey,
    records: Vec<String>,
    rows: Vec<Vec<Hash>>,
}

impl TestLog {
    /// A log of `count` made-up records; other seeds give other records under the same key.
    pub(crate) fn numbered(name: &str, seed: u8, count: u64) -> Self {
        let mut log = Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(&[7; 32]),
            records: Vec::new(),
            rows: Vec::new(),
        };
        log.grow(seed, count);
        log
    }

    /// Appends `count` made-up records.
    pub(crate) fn grow(&mut self, seed: u8, count: u64) {
        let first = self.records.len() as u64;
        for id in first..first + count {
            self.push(record(seed, id));
        }
    }

    /// Appends one record.
    pub(crate) fn push(&mut self, record: String) {
        let mut hash = leaf_hash(record.as_bytes());
        self.records.push(record);
        for level in 0.. {
            if self.rows.len() == level {
                self.rows.push(Vec::new());
            }
            let row = &mut self.rows[level];
            row.push(hash);
            if row.len() % 2 == 1 {
                break;
            }
            hash = node_hash(&row[row.len() - 2], &row[row.len() - 1]);
        }
    }

    /// The same log with its history rewritten from record `at` on.
    pub(crate) fn forked_at(&self, at: u64, seed: u8) -> Self {
        let mut fork = Self {
            records: Vec::new(),
            rows: Vec::new(),
            ..self.clone()
        };
        for (id, record) in self.records.iter().enumerate() {
            let id = id as u64;
            fork.push(if id < at {
                record.clone()
            } else {
                self::record(seed, id)
            });
        }
        fork
    }

    /// Signs with another key from now on, under the same name.
    pub(crate) fn with_key(mut self, key: u8) -> Self {
        self.key = SigningKey::from_bytes(&[key; 32]);
        self
    }

    pub(crate) fn verifier(&self) -> VerifierKey {
        VerifierKey::new(&self.name, self.key.verifying_key().as_bytes()).unwrap()
    }

    pub(crate) fn size(&self) -> u64 {
        self.records.len() as u64
    }

    pub(crate) fn record(&self, id: u64) -> &str {
        &self.records[usize::try_from(id).unwrap()]
    }

    pub(crate) fn stored(&self) -> impl Stored {
        |node: Node| {
            self.rows
                .get(usize::from(node.level))?
                .get(usize::try_from(node.index).unwrap())
                .copied()
        }
    }

    pub(crate) fn head(&self, size: u64) -> TreeHead {
        TreeHead {
            size,
            root: root(&self.stored(), size).unwrap(),
        }
    }

    /// Signs any text.
    pub(crate) fn sign(&self, text: &str) -> Vec<u8> {
        let hash = key_hash(&self.name, self.key.verifying_key().as_bytes());
        let mut signed = hash.to_be_bytes().to_vec();
        signed.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!(
            "{text}\n\u{2014} {} {}\n",
            self.name,
            STANDARD.encode(signed)
        )
        .into_bytes()
    }

    pub(crate) fn note(&self, size: u64) -> Vec<u8> {
        self.sign(&self.head(size).text())
    }

    pub(crate) fn signed(&self, size: u64) -> SignedHead {
        SignedHead::open(&self.note(size), &[self.verifier()]).unwrap()
    }

    pub(crate) fn answer(&self, id: u64, size: u64) -> Vec<u8> {
        let mut answer = format!("{id}\n{}\n", self.record(id)).into_bytes();
        answer.extend(self.note(size));
        answer
    }

    pub(crate) fn tile(&self, tile: Tile) -> Option<Vec<u8>> {
        let stored = self.stored();
        let hashes: Option<Vec<Hash>> = tile.entries().map(|node| stored.hash(node)).collect();
        Some(super::authenticate::bytes(&hashes?))
    }
}

/// A made-up record.
fn record(seed: u8, id: u64) -> String {
    let Wanted { module, version } = wanted(id);
    let zip = leaf_hash(format!("zip {seed} {id}").as_bytes());
    let go_mod = leaf_hash(format!("mod {seed} {id}").as_bytes());
    format!("{module} {version} h1:{zip}\n{module} {version}/go.mod h1:{go_mod}\n")
}

/// What to ask for, to get the made-up record with this number.
pub(crate) fn wanted(id: u64) -> Wanted {
    Wanted {
        module: format!("example.com/M{id}"),
        version: format!("v1.0.{id}"),
    }
}

/// A world around a log: what it serves now, what lies in the cache, what was asked.
pub(crate) struct World {
    pub(crate) log: TestLog,
    /// The size that the log admits to.
    pub(crate) size: u64,
    /// The size of the head that comes with look-ups, by record; that of now where nothing is said.
    pub(crate) old: BTreeMap<u64, u64>,
    /// What requests that need not be fresh are answered.
    pub(crate) cache: BTreeMap<Resource, Got>,
    /// What fresh requests, and those that the cache does not answer, are answered instead of the truth.
    pub(crate) lies: BTreeMap<Resource, Got>,
    /// Whether anything beyond the cache is to be had.
    pub(crate) online: bool,
    /// Everything asked, in order.
    pub(crate) asked: Vec<Request>,
}

impl World {
    pub(crate) fn new(log: TestLog) -> Self {
        let size = log.size();
        Self {
            log,
            size,
            old: BTreeMap::new(),
            cache: BTreeMap::new(),
            lies: BTreeMap::new(),
            online: true,
            asked: Vec::new(),
        }
    }

    /// The truth of the log, as it stands.
    pub(crate) fn truth(&self, resource: &Resource) -> Got {
        let bytes = match resource {
            Resource::Latest => Some(self.log.note(self.size)),
            Resource::Lookup(asked) => (0..self.size).find(|id| wanted(*id) == *asked).map(|id| {
                let size = self.old.get(&id).copied().unwrap_or(self.size);
                self.log.answer(id, size)
            }),
            Resource::Tile(tile) => {
                let known = Tile::in_tree(tile.level(), tile.index(), self.size);
                known
                    .filter(|known| known.width() >= tile.width())
                    .and_then(|_| self.log.tile(*tile))
            }
        };
        bytes.map_or(Got::Absent, Got::Bytes)
    }

    /// Puts what the log says now into the cache.
    pub(crate) fn keep(&mut self, resource: Resource) {
        let truth = self.truth(&resource);
        self.cache.insert(resource, truth);
    }

    /// How often tiles were asked for.
    pub(crate) fn tiles_asked(&self) -> Vec<Tile> {
        let tile = |request: &Request| match request.resource {
            Resource::Tile(tile) => Some(tile),
            _ => None,
        };
        self.asked.iter().filter_map(tile).collect()
    }
}

impl Port for World {
    fn read(&mut self, request: &Request) -> Got {
        self.asked.push(request.clone());
        if let Some(got) = self.cache.get(&request.resource).filter(|_| !request.fresh) {
            return got.clone();
        }
        if !self.online {
            return Got::Unavailable("offline".to_owned());
        }
        let lie = self.lies.get(&request.resource).cloned();
        lie.unwrap_or_else(|| self.truth(&request.resource))
    }
}
