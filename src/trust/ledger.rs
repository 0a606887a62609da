//! The ledger: which bytes a file had when it was hashed, by the file's identity. It only saves hashing again.
//!
//! Identity is file-system id, inode, size, modification and change time, taken before and after hashing on the same
//! handle by the caller. A tree's identity is a digest that the caller makes over all its entries (and over how it was
//! judged). Rows expire after 30 days; none is kept for a file younger than 2 s, whose next change might not show in its
//! times. Not used under `--isolated`, `--full` and in `heal`.
//!
//! One sorted file, replaced by rename: header (`untaint ledger`, line end, version, 16 bytes), number of rows (u64), rows
//! of 72 bytes, first 16 bytes of BLAKE3 over all of that. Row: key (first 32 bytes of BLAKE3 over identity), SHA-256,
//! time of hashing (i64, seconds). Numbers are little-endian. A file that does not fit is dropped and made anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Digest, Problem, Scheme};
use crate::world::{PathError, StateDir};

/// Name of the file in our state folder.
const FILE: &str = "ledger";
/// Name of the writer's lock.
const LOCK: &str = "ledger.lock";
const HEADER: &[u8; 16] = b"untaint ledger\n\x01";
const ROW: usize = 72;
/// Rows that are kept; the oldest beyond are dropped.
const MOST: usize = 1_000_000;
/// Header, number of rows, checksum.
const AROUND: usize = 16 + 8 + 16;
/// Seconds for which a row counts.
const EXPIRES: i64 = 30 * 24 * 60 * 60;
/// Nanoseconds that a file must be old for its times to tell the next change.
const SETTLED: i128 = 2_000_000_000;
/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

/// What tells a file's content apart without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileIdentity {
    /// File-system id.
    pub dev: u64,
    /// Inode.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since 1970.
    pub mtime: i128,
    /// Change time in nanoseconds since 1970.
    pub ctime: i128,
}

impl FileIdentity {
    fn key(&self) -> Key {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"file\0");
        for number in [self.dev, self.inode, self.size] {
            hasher.update(&number.to_le_bytes());
        }
        for time in [self.mtime, self.ctime] {
            hasher.update(&time.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

type Key = [u8; 32];

/// A row: what was hashed, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    digest: [u8; 32],
    at: i64,
}

/// What this run learned. It stays here after it was written: the file is not read anew.
#[derive(Default)]
struct New {
    rows: BTreeMap<Key, Row>,
    unwritten: bool,
}

/// The ledger. Putting is thread-safe; what was put is seen at once.
pub struct Ledger {
    /// The file's rows, sorted by key.
    bytes: Vec<u8>,
    new: Mutex<New>,
    now: i64,
}

impl Ledger {
    /// Opens the ledger in our state folder. `now` is in seconds since 1970. Never fails: what cannot be used is a problem
    /// without effect on the verdict, and costs hashing again.
    pub fn open(state: &dyn StateDir, now: i64) -> (Self, Option<Problem>) {
        let (bytes, problem) = match rows(state) {
            Ok(rows) => (rows, None),
            Err(why) => (
                Vec::new(),
                Some(problem(state, &format!("not used: {why}"))),
            ),
        };
        let ledger = Self {
            bytes,
            new: Mutex::default(),
            now,
        };
        (ledger, problem)
    }

    /// The SHA-256 that a file with this identity had.
    pub fn file(&self, identity: &FileIdentity) -> Option<Digest> {
        self.get(&identity.key())
    }

    /// Keeps the SHA-256 of a file, unless it is too young at `now` (seconds since 1970).
    pub fn put_file(&self, identity: &FileIdentity, digest: &Digest, now: i64) {
        let youngest = identity.mtime.max(identity.ctime);
        if is_settled(youngest, now) {
            self.put(identity.key(), digest, now);
        }
    }

    /// The archive that a tree with this identity equalled, by its SHA-256.
    pub fn tree(&self, identity: &[u8; 32]) -> Option<Digest> {
        self.get(&tree_key(identity))
    }

    /// Keeps that a tree equalled an archive, unless its youngest entry (seconds since 1970) is too young at `now`.
    pub fn put_tree(&self, identity: &[u8; 32], archive: &Digest, youngest: i64, now: i64) {
        if is_settled(i128::from(youngest) * SECOND + (SECOND - 1), now) {
            self.put(tree_key(identity), archive, now);
        }
    }

    /// Number of rows in the file that still count.
    pub fn len(&self) -> usize {
        read_rows(&self.bytes)
            .filter(|(_, row)| is_alive(row, self.now))
            .count()
    }

    /// Whether the file has no row that still counts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether what this key stands for was proven.
    pub fn proof(&self, key: &[u8; 32]) -> bool {
        self.get(&proof_key(key)).is_some()
    }

    /// Keeps that something was proven of a file whose latest time (seconds since 1970) is `youngest`, unless that is too
    /// young at `now`.
    pub fn put_proof(&self, key: &[u8; 32], youngest: i64, now: i64) {
        if is_settled(i128::from(youngest) * SECOND + (SECOND - 1), now) {
            self.put(proof_key(key), &Digest::sha256(*key), now);
        }
    }

    /// Writes what was learned, and drops what has expired. Does nothing when nothing was learned.
    ///
    /// # Errors
    /// A problem without effect on the verdict: what could not be remembered, and why.
    pub fn flush(&self, state: &dyn StateDir) -> Result<(), Problem> {
        let mut new = self.waiting();
        if !new.unwritten {
            return Ok(());
        }
        let failed = |why: String| {
            let what = format!("what this run hashed is not remembered: {why}");
            problem(state, &what)
        };
        let io = |e: PathError| failed(e.source.to_string());
        let Some(_lock) = state.lock(LOCK).map_err(io)? else {
            return Err(failed("another untaint is writing; run again".to_owned()));
        };
        // Another process may have written meanwhile; what is broken is replaced.
        let present = rows(state).unwrap_or_default();
        let mut all: BTreeMap<Key, Row> = read_rows(&present).collect();
        all.extend(new.rows.iter().map(|(key, row)| (*key, *row)));
        all.retain(|_, row| is_alive(row, self.now));
        state.replace(FILE, &file(&newest(all))).map_err(io)?;
        new.unwritten = false;
        Ok(())
    }

    fn waiting(&self) -> MutexGuard<'_, New> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, key: Key, digest: &Digest, at: i64) {
        if digest.scheme() == Scheme::Sha256
            && let Ok(digest) = digest.bytes().try_into()
        {
            let mut new = self.waiting();
            new.rows.insert(key, Row { digest, at });
            new.unwritten = true;
        }
    }

    fn get(&self, key: &Key) -> Option<Digest> {
        let found = self.waiting().rows.get(key).copied();
        found
            .or_else(|| find(&self.bytes, key))
            .filter(|row| is_alive(row, self.now))
            .map(|row| Digest::sha256(row.digest))
    }
}

fn tree_key(identity: &[u8; 32]) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"tree\0");
    hasher.update(identity);
    *hasher.finalize().as_bytes()
}

fn proof_key(key: &[u8; 32]) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"proof\0");
    hasher.update(key);
    *hasher.finalize().as_bytes()
}

/// Whether the youngest time (nanoseconds since 1970) lies far enough before `now`. A time in the future does not.
fn is_settled(youngest: i128, now: i64) -> bool {
    i128::from(now) * SECOND - youngest >= SETTLED
}

/// Whether a row still counts: not older than 30 days, and not from the future.
fn is_alive(row: &Row, now: i64) -> bool {
    now.checked_sub(row.at)
        .is_some_and(|age| (0..EXPIRES).contains(&age))
}

/// The bytes of the file's rows, after everything around them was held against them; none when there is no file.
fn rows(state: &dyn StateDir) -> Result<Vec<u8>, String> {
    let most = (MOST * ROW + AROUND) as u64;
    let Some(mut bytes) = state.read(FILE, most).map_err(|e| e.source.to_string())? else {
        return Ok(Vec::new());
    };
    let damaged = || "damaged; it is made anew".to_owned();
    let (said, sum) = bytes.split_last_chunk::<16>().ok_or_else(damaged)?;
    let (header, rest) = said.split_first_chunk::<16>().ok_or_else(damaged)?;
    let (count, rows) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
    let whole = header == HEADER
        && checksum(said) == *sum
        && rows.len() % ROW == 0
        && (rows.len() / ROW) as u64 == u64::from_le_bytes(*count)
        && is_sorted(rows);
    if !whole {
        return Err(damaged());
    }
    let length = rows.len();
    bytes.drain(..24);
    bytes.truncate(length);
    Ok(bytes)
}

/// Whether keys rise strictly; a search would miss rows otherwise.
fn is_sorted(rows: &[u8]) -> bool {
    let keys = || rows.chunks_exact(ROW).map(|row| row.get(..32));
    keys().zip(keys().skip(1)).all(|(a, b)| a < b)
}

/// A row from its bytes.
fn row(bytes: &[u8]) -> Option<(Key, Row)> {
    let (key, rest) = bytes.split_first_chunk::<32>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let at = i64::from_le_bytes(rest.try_into().ok()?);
    Some((
        *key,
        Row {
            digest: *digest,
            at,
        },
    ))
}

fn read_rows(rows: &[u8]) -> impl Iterator<Item = (Key, Row)> {
    rows.chunks_exact(ROW).filter_map(row)
}

/// Searches sorted rows.
fn find(rows: &[u8], key: &Key) -> Option<Row> {
    let (mut from, mut to) = (0, rows.len() / ROW);
    while from < to {
        let middle = from + (to - from) / 2;
        let (found, row) = rows.get(middle * ROW..(middle + 1) * ROW).and_then(row)?;
        match found.cmp(key) {
            std::cmp::Ordering::Equal => return Some(row),
            std::cmp::Ordering::Less => from = middle + 1,
            std::cmp::Ordering::Greater => to = middle,
        }
    }
    None
}

/// The newest rows, as many as are kept.
fn newest(all: BTreeMap<Key, Row>) -> BTreeMap<Key, Row> {
    let Some(beyond) = all.len().checked_sub(MOST).filter(|n| *n > 0) else {
        return all;
    };
    let mut ages: Vec<(i64, Key)> = all.iter().map(|(key, row)| (row.at, *key)).collect();
    ages.sort_unstable();
    let mut kept = all;
    for (_, key) in ages.iter().take(beyond) {
        kept.remove(key);
    }
    kept
}

/// A whole file.
fn file(rows: &BTreeMap<Key, Row>) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * ROW + AROUND);
    out.extend_from_slice(HEADER);
    out.extend_from_slice(&(rows.len() as u64).to_le_bytes());
    for (key, row) in rows {
        out.extend_from_slice(key);
        out.extend_from_slice(&row.digest);
        out.extend_from_slice(&row.at.to_le_bytes());
    }
    let sum = checksum(&out);
    out.extend_from_slice(&sum);
    out
}

/// First 16 bytes of BLAKE3.
fn checksum(bytes: &[u8]) -> [u8; 16] {
    let mut sum = [0; 16];
    for (to, from) in sum.iter_mut().zip(blake3::hash(bytes).as_bytes()) {
        *to = *from;
    }
    sum
}

/// A problem of our own state: no effect on the verdict.
fn problem(state: &dyn StateDir, why: &str) -> Problem {
    let path = state.path().join(FILE).display().to_string();
    Problem::as_the_tool(path, format!("the ledger of hashed files: {why}"))
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
