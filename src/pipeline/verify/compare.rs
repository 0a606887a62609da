//! Holds a tree against an archive, or against the archive's proven manifest, byte for byte.

use std::collections::BTreeSet;
use std::io::Read as _;

use sha2::{Digest as _, Sha256};

use crate::ecosystems::contract::{
    Absent, Difference, Extra, ExtraContext, Placement, Projection, Unjudged,
};
use crate::model::text::percent;
use crate::model::{Digest, Entry, EntryKind, Manifest, ManifestEntry, NEVER_BUILT, Sums};
use crate::world::progress::Silent;
use crate::world::{Dir, FileKind, PathError, Progress, ReadFile, Stat};

use super::absences::Whole;
use super::listing::{Opener, TreeListing};
use super::unpack::Visitor;

/// How many differences are named.
const NAMED: usize = 20;
/// Largest file that a projection is shown whole.
const SHOWN: u64 = 4 << 20;

/// What a comparison found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) entries: BTreeSet<Entry>,
    pub(super) total: u64,
    pub(super) worst: Option<EntryKind>,
    pub(super) forged_sidecar: Option<String>,
    pub(super) litter: Vec<String>,
    pub(super) listed: Vec<(String, &'static str)>,
    /// A file changed while it was read.
    pub(super) unstable: bool,
    /// A file could not be read.
    pub(super) unreadable: Option<String>,
    /// Why not all that was compared could be judged.
    pub(super) unjudged: Option<Unjudged>,
    /// Bytes read.
    pub(super) bytes: u64,
}

impl Found {
    pub(super) fn differ(&mut self, path: &[u8], kind: EntryKind) {
        self.total += 1;
        self.worst = Some(self.worst.map_or(kind, |worst| worst.min(kind)));
        if self.entries.len() < NAMED {
            let (path, path_escaped) = percent(path);
            self.entries.insert(Entry {
                path,
                path_escaped,
                kind,
            });
        }
    }

    fn failed(&mut self, error: &PathError) {
        if self.unreadable.is_none() {
            self.unreadable = Some(error.to_string());
        }
    }

    pub(super) fn list(&mut self, path: &[u8], why: &'static str) {
        if self.listed.len() < NAMED {
            self.listed.push((percent(path).0, why));
        }
    }
}

/// The file that is being compared.
struct Current {
    path: Vec<u8>,
    state: State,
}

enum State {
    /// Nothing to compare with, or already judged.
    Passed,
    /// Compared part by part.
    Reading {
        file: Box<dyn ReadFile>,
        listed: Stat,
    },
    /// Kept, because the projection may forgive a difference.
    Kept { archive: Vec<u8> },
}

/// Compares while an archive is read.
pub(super) struct Compare<'a> {
    dir: &'a dyn Dir,
    listing: &'a TreeListing,
    projection: &'static dyn Projection,
    /// Folders whose own files were copied.
    copied: &'a [Box<[u8]>],
    opener: Opener<'a>,
    /// Which of the listing's files the archive has.
    seen: Vec<bool>,
    /// Which of them have the archive's bytes.
    equal: Vec<bool>,
    progress: &'a dyn Progress,
    current: Option<Current>,
    buffer: &'a mut Vec<u8>,
    /// What is judged once the whole tree was seen.
    absent: Vec<Absent>,
    litter: Vec<Vec<u8>>,
    found: Found,
}

impl<'a> Compare<'a> {
    pub(super) fn new(
        dir: &'a dyn Dir,
        listing: &'a TreeListing,
        projection: &'static dyn Projection,
        buffer: &'a mut Vec<u8>,
    ) -> Self {
        Self {
            dir,
            listing,
            projection,
            copied: &[],
            opener: Opener::new(dir),
            seen: vec![false; listing.files.len()],
            equal: vec![false; listing.files.len()],
            progress: &Silent,
            current: None,
            buffer,
            absent: Vec::new(),
            litter: Vec::new(),
            found: Found::default(),
        }
    }

    /// Names the folders whose own files the tool copied.
    pub(super) fn of_copies(mut self, copied: &'a [Box<[u8]>]) -> Self {
        self.copied = copied;
        self
    }

    /// Names who knows whether the run was asked to end.
    pub(super) fn until(mut self, progress: &'a dyn Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Judges what the tree has beyond the archive, and gives the result.
    pub(super) fn finish(mut self, archive: &Digest) -> Found {
        let listing = self.listing;
        for (at, file) in listing.files.iter().enumerate() {
            if !self.seen.get(at).copied().unwrap_or_default() {
                self.extra(&file.path, file.stat.kind, &file.stat, archive);
            }
        }
        let whole = Whole {
            dir: self.dir,
            listing,
            projection: self.projection,
            copied: self.copied,
            equal: &self.equal,
            progress: self.progress,
        };
        whole.judge(&self.absent, self.litter, &mut self.found);
        self.found
    }

    /// Compares a whole tree with a manifest instead of an archive.
    pub(super) fn with_manifest(mut self, manifest: &Manifest) -> Found {
        for entry in &manifest.entries {
            if let Some((file, listed)) = self.counterpart(&entry.path, entry.size, entry.mode) {
                self.hashed(entry, manifest.sums, file, &listed);
            }
        }
        self.finish(&manifest.archive)
    }

    /// Finds and opens the file that an archive entry should appear as. Judges everything but its bytes.
    fn counterpart(
        &mut self,
        path: &[u8],
        size: u64,
        mode: u32,
    ) -> Option<(Box<dyn ReadFile>, Stat)> {
        let optional = match self.projection.placement(path) {
            Placement::Skipped => return None,
            Placement::Exact => false,
            Placement::Optional => true,
        };
        let Some((at, stat)) = self.listing.find(path) else {
            if optional {
                if self.projection.weighs_absence(path, self.copied) {
                    let never_built = mode & NEVER_BUILT != 0;
                    let path = path.into();
                    self.absent.push(Absent { path, never_built });
                }
                return None;
            }
            match self.projection.missing(path) {
                Difference::Finding => self.found.differ(path, EntryKind::Missing),
                Difference::Listed(why) => self.found.list(path, why),
            }
            return None;
        };
        // An archive may list a name twice: the tree has the later one, and the archive is ambiguous anyway.
        if let Some(seen) = self.seen.get_mut(at) {
            *seen = true;
        }
        if stat.kind != FileKind::File || stat.mode & 0o6000 != 0 {
            self.found.differ(path, EntryKind::Irregular);
            return None;
        }
        if (mode & 0o100 == 0) && stat.mode & 0o111 != 0 && !self.projection.ignores_modes() {
            self.found.differ(path, EntryKind::Irregular);
            return None;
        }
        if stat.size != size && !self.projection.forgives() {
            self.found.differ(path, EntryKind::Modified);
            return None;
        }
        let opened = self
            .opener
            .folder(path)
            .and_then(|(dir, name)| dir.open_listed(name, &stat));
        match opened {
            Ok(file) => Some((file, stat)),
            Err(error) => {
                self.found.failed(&error);
                None
            }
        }
    }

    fn hashed(
        &mut self,
        entry: &ManifestEntry,
        sums: Sums,
        mut file: Box<dyn ReadFile>,
        listed: &Stat,
    ) {
        let (path, expected) = (&*entry.path, &entry.sum);
        let mut hasher = Hasher::of(sums);
        self.buffer.resize(256 << 10, 0);
        let mut left = listed.size;
        // That the file did not grow meanwhile is said by its size afterwards.
        while left > 0 {
            match file.read(self.buffer) {
                Ok(0) => break,
                Ok(n) => {
                    self.found.bytes += n as u64;
                    left = left.saturating_sub(n as u64);
                    hasher.update(self.buffer.get(..n).unwrap_or_default());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    self.found.failed(&PathError {
                        path: self.dir.path().to_owned(),
                        source,
                    });
                    return;
                }
            }
        }
        self.settle(&*file, listed);
        if hasher.sum() == *expected {
            self.is_equal(path);
            return;
        }
        if self.projection.forgives()
            && let Some(tree) = self.content(path)
            && let Some(why) = self
                .projection
                .differing_from_hash(path, &tree, &|bytes| sums.digest(bytes) == *expected)
        {
            self.found.list(path, why);
        } else {
            self.found.differ(path, EntryKind::Modified);
        }
    }

    fn is_equal(&mut self, path: &[u8]) {
        let at = self.listing.find(path).map(|(at, _)| at);
        if let Some(equal) = at.and_then(|at| self.equal.get_mut(at)) {
            *equal = true;
        }
    }

    /// Sees whether a file is still what was listed.
    fn settle(&mut self, file: &dyn ReadFile, listed: &Stat) {
        match file.stat() {
            Ok(now) if now == *listed => {}
            Ok(now) => {
                // Reading may touch nothing but the access time; a link count may change beside us.
                let links_only = Stat {
                    links: listed.links,
                    ctime: listed.ctime,
                    ..now
                } == *listed
                    && now.links != listed.links;
                self.found.unstable |= !links_only;
            }
            Err(error) => self.found.failed(&error),
        }
    }

    fn extra(&mut self, path: &[u8], kind: FileKind, stat: &Stat, archive: &Digest) {
        let content = (kind == FileKind::File && stat.size <= SHOWN)
            .then(|| self.content(path))
            .flatten();
        let dir = self.dir;
        let file_sha256 = |name: &[u8]| sha256_of(dir, name);
        let excused: BTreeSet<String> = self
            .found
            .listed
            .iter()
            .map(|(path, _)| path.clone())
            .collect();
        let excused = |name: &[u8]| excused.contains(&percent(name).0);
        let context = ExtraContext {
            archive,
            file_sha256: &file_sha256,
            excused: &excused,
        };
        match self
            .projection
            .extra(path, kind, content.as_deref(), &context)
        {
            Extra::Generated if kind == FileKind::File => {}
            Extra::Litter if kind == FileKind::File => self.litter.push(path.to_vec()),
            Extra::Forged(says) => self.found.forged_sidecar = Some(says),
            _ if kind == FileKind::File => self.found.differ(path, EntryKind::Extra),
            _ => self.found.differ(path, EntryKind::Irregular),
        }
    }

    fn content(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        let (dir, name) = match self.opener.folder(path) {
            Ok(found) => found,
            Err(error) => {
                self.found.failed(&error);
                return None;
            }
        };
        match dir.read(name, SHOWN) {
            Ok((bytes, _)) => Some(bytes),
            Err(error) => {
                self.found.failed(&error);
                None
            }
        }
    }
}

/// Digests a file as a manifest has it.
enum Hasher {
    Blake3(Box<blake3::Hasher>),
    Sha256(Sha256),
}

impl Hasher {
    fn of(sums: Sums) -> Self {
        match sums {
            Sums::Blake3 => Self::Blake3(Box::default()),
            Sums::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn sum(self) -> [u8; 32] {
        match self {
            Self::Blake3(hasher) => *hasher.finalize().as_bytes(),
            Self::Sha256(hasher) => hasher.finalize().into(),
        }
    }
}

fn sha256_of(dir: &dyn Dir, path: &[u8]) -> Option<[u8; 32]> {
    let mut opener = Opener::new(dir);
    let (folder, name) = opener.folder(path).ok()?;
    let mut file = folder.open_file(name).ok()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(hasher.finalize().into()),
            n => hasher.update(buffer.get(..n)?),
        }
    }
}

impl Visitor for Compare<'_> {
    fn begin(&mut self, path: &[u8], size: u64, mode: u32) {
        let keep = self.projection.forgives() && size <= SHOWN;
        let state = match self.counterpart(path, size, mode) {
            None => State::Passed,
            Some(_) if keep => State::Kept {
                archive: Vec::new(),
            },
            Some((file, listed)) => State::Reading { file, listed },
        };
        self.current = Some(Current {
            path: path.to_vec(),
            state,
        });
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let Some(current) = &mut self.current else {
            return;
        };
        match &mut current.state {
            State::Passed => {}
            State::Kept { archive } => archive.extend_from_slice(bytes),
            State::Reading { file, .. } => {
                if self.buffer.len() < bytes.len().min(256 << 10) {
                    self.buffer.resize(bytes.len().min(256 << 10), 0);
                }
                for part in bytes.chunks(self.buffer.len().max(1)) {
                    let room = self.buffer.get_mut(..part.len()).unwrap_or_default();
                    match file.read_exact(room) {
                        Ok(()) if room == part => self.found.bytes += part.len() as u64,
                        Ok(()) => {
                            self.found.differ(&current.path, EntryKind::Modified);
                            current.state = State::Passed;
                            return;
                        }
                        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                            // The listed size was that of the archive, unless differences may be forgiven.
                            self.found.unstable |= !self.projection.forgives();
                            self.found.differ(&current.path, EntryKind::Modified);
                            current.state = State::Passed;
                            return;
                        }
                        Err(source) => {
                            self.found.failed(&PathError {
                                path: self.dir.path().to_owned(),
                                source,
                            });
                            current.state = State::Passed;
                            return;
                        }
                    }
                }
            }
        }
    }

    fn never_built(&mut self) {
        let current = self.current.as_ref();
        let last = self.absent.last_mut();
        if let Some(last) = last.filter(|last| current.is_some_and(|c| *c.path == *last.path)) {
            last.never_built = true;
        }
    }

    fn end(&mut self, _sha256: Option<&[u8; 32]>) {
        let Some(current) = self.current.take() else {
            return;
        };
        match current.state {
            State::Passed => {}
            State::Reading { mut file, listed } => {
                // Where sizes had to be equal, a file that has grown meanwhile has another size by now.
                let mut one = [0];
                if self.projection.forgives() && file.read(&mut one).is_ok_and(|n| n > 0) {
                    self.found.differ(&current.path, EntryKind::Modified);
                } else {
                    self.is_equal(&current.path);
                }
                self.settle(&*file, &listed);
            }
            State::Kept { archive } => {
                let Some(tree) = self.content(&current.path) else {
                    return;
                };
                self.found.bytes += tree.len() as u64;
                if tree == archive {
                    self.is_equal(&current.path);
                    return;
                }
                match self.projection.differing(&current.path, &archive, &tree) {
                    Difference::Finding => self.found.differ(&current.path, EntryKind::Modified),
                    Difference::Listed(why) => self.found.list(&current.path, why),
                }
            }
        }
    }
}
