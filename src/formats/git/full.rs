//! Every object of a repository (`--full`): loose ones and every entry of every pack are hashed and compared with their ids; packs,
//! indexes and the other files that end in their own hash are hashed whole; the entries of a pack must follow each other
//! without a gap. Memory is bounded by the largest object and a small cache of bases, never by the pack.

use super::index::exact;
use super::object::{check, hash_object, read_loose};
use super::oid::Hasher;
use super::pack::{Budget, Cache, Pack, Stored};
use super::store::Store;
use super::{Files, GitError, HashKind, ItemKind, Limits, Oid};

/// What a full check has covered.
#[derive(Debug, Default)]
pub struct FullCheck {
    /// Loose objects that are what their names say.
    pub loose: u64,
    /// Packed objects that are what the index says.
    pub packed: u64,
    /// Packs seen.
    pub packs: u64,
    /// What is wrong or was not read, by file.
    pub faults: Vec<GitError>,
    /// How many such faults there are in all.
    pub faults_total: u64,
    /// Files among the objects that are not read; their names, in order.
    pub unread: Vec<String>,
}

impl FullCheck {
    /// Whether every object was read and is what it should be.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.faults_total == 0
    }
}

/// Checks every object of the repository `files`.
#[must_use]
pub fn check_all(files: &dyn Files, hash: HashKind, limits: &Limits) -> FullCheck {
    let store = Store::open(files, hash, *limits);
    let mut run = Run {
        files,
        hash,
        limits,
        budget: Budget(limits.total_work),
        check: FullCheck::default(),
    };
    for fault in store.faults() {
        run.fault(fault.clone());
    }
    for folder in &store.folders {
        run.folder(folder);
    }
    for pack in &store.packs {
        run.pack(pack);
    }
    run.check.faults.sort();
    run.check.unread.sort();
    run.check
}

struct Run<'a> {
    files: &'a dyn Files,
    hash: HashKind,
    limits: &'a Limits,
    budget: Budget,
    check: FullCheck,
}

impl Run<'_> {
    fn fault(&mut self, error: GitError) {
        self.check.faults_total = self.check.faults_total.saturating_add(1);
        if self.check.faults.len() < self.limits.differences {
            self.check.faults.push(error);
        }
    }

    fn list(&mut self, rel: &str) -> Vec<(String, ItemKind)> {
        match self.files.list(rel) {
            Ok(items) => {
                let mut named: Vec<(String, ItemKind)> = items
                    .into_iter()
                    .map(|item| (String::from_utf8_lossy(&item.name).into_owned(), item.kind))
                    .collect();
                named.sort_by(|a, b| a.0.cmp(&b.0));
                named
            }
            Err(fault) => {
                self.fault(GitError::fault(rel, fault));
                Vec::new()
            }
        }
    }

    fn unread(&mut self, rel: String) {
        if self.check.unread.len() < self.limits.differences {
            self.check.unread.push(rel);
        }
    }

    /// An `objects` folder: fan-out folders with loose objects, `pack`, `info`.
    fn folder(&mut self, folder: &str) {
        for (name, kind) in self.list(folder) {
            let rel = format!("{folder}/{name}");
            match (kind, name.as_str()) {
                (ItemKind::Directory, "pack") => self.pack_folder(&rel),
                (ItemKind::Directory, "info") => self.info_folder(&rel),
                (ItemKind::Directory, fan) if fan.len() == 2 => self.fan(&rel, fan),
                _ => self.unread(rel),
            }
        }
    }

    fn fan(&mut self, rel: &str, fan: &str) {
        for (name, kind) in self.list(rel) {
            let file = format!("{rel}/{name}");
            let oid = Oid::from_hex(format!("{fan}{name}").as_bytes())
                .ok()
                .filter(|oid| oid.kind() == self.hash);
            match (kind, oid) {
                (ItemKind::File { .. }, Some(oid)) => {
                    match read_loose(self.files, &file, &oid, self.limits, false) {
                        Ok(Some((_, work))) => {
                            self.check.loose += 1;
                            self.spend(&file, work);
                        }
                        Ok(None) => {
                            self.fault(GitError::corrupt(file, "it vanished while it was read"));
                        }
                        Err(error) => self.fault(error),
                    }
                }
                _ => self.unread(file),
            }
        }
    }

    fn spend(&mut self, file: &str, work: u64) {
        match self.budget.0.checked_sub(work.saturating_add(64)) {
            Some(left) => self.budget.0 = left,
            None => self.fault(GitError::limit(
                file,
                "checking every object would cost too much work",
            )),
        }
    }

    fn pack_folder(&mut self, rel: &str) {
        for (name, kind) in self.list(rel) {
            let file = format!("{rel}/{name}");
            let known = [".pack", ".idx", ".rev", ".bitmap", ".mtimes"]
                .iter()
                .any(|end| name.ends_with(end));
            match kind {
                ItemKind::File { .. } if known || name == "multi-pack-index" => self.sealed(&file),
                ItemKind::File { size: 0, .. } if name.ends_with(".keep") => {}
                _ => self.unread(file),
            }
        }
    }

    fn info_folder(&mut self, rel: &str) {
        for (name, kind) in self.list(rel) {
            let file = format!("{rel}/{name}");
            match (kind, name.as_str()) {
                (ItemKind::File { .. }, "commit-graph") => self.sealed(&file),
                // Read when the store was opened.
                (ItemKind::File { .. }, "alternates") => {}
                // A list for simple web servers.
                (ItemKind::File { .. }, "packs") => {}
                _ => self.unread(file),
            }
        }
    }

    /// A file that ends in the hash of everything before it.
    fn sealed(&mut self, rel: &str) {
        if let Err(error) = self.seal(rel) {
            self.fault(error);
        }
    }

    fn seal(&self, rel: &str) -> Result<Oid, GitError> {
        const STEP: u64 = 1 << 20;
        let size = self
            .files
            .size(rel)
            .map_err(|fault| GitError::fault(rel, fault))?
            .unwrap_or_default();
        let width = self.hash.width();
        let body = size
            .checked_sub(width as u64)
            .ok_or_else(|| GitError::corrupt(rel, "it is cut short"))?;
        let mut hasher = Hasher::new(self.hash);
        let mut at = 0;
        while at < body {
            let step = (body - at).min(STEP);
            let bytes = exact(
                self.files,
                rel,
                at,
                usize::try_from(step).unwrap_or(usize::MAX),
            )?;
            hasher.update(&bytes);
            at += step;
        }
        let seal = exact(self.files, rel, body, width)?;
        let hashed = hasher.finish();
        if hashed.collision || hashed.oid.as_bytes() != seal {
            return Err(GitError::corrupt(
                rel,
                "it does not end in the hash of its bytes",
            ));
        }
        Ok(hashed.oid)
    }

    fn pack(&mut self, pack: &Pack) {
        self.check.packs += 1;
        if let Err(error) = self.entries(pack) {
            self.fault(error);
        }
    }

    fn entries(&mut self, pack: &Pack) -> Result<(), GitError> {
        let (claimed, _) = pack.index.trailer(self.files)?;
        let width = self.hash.width();
        let end = pack.size.saturating_sub(width as u64);
        if exact(self.files, &pack.rel, end, width)? != claimed.as_bytes() {
            return Err(GitError::corrupt(
                &pack.index.rel,
                "it was made for another pack",
            ));
        }
        let count = pack.index.count();
        if usize::try_from(count).unwrap_or(usize::MAX) > self.limits.entries {
            return Err(GitError::limit(
                &pack.rel,
                "it holds too many objects to check them all",
            ));
        }
        self.order(pack, count)?;
        let mut rows: Vec<(u64, u32)> = pack
            .index
            .offsets(self.files, 0, count)?
            .into_iter()
            .zip(0..)
            .collect();
        rows.sort_unstable();
        let mut cache = Cache::new(self.limits.cache);
        // Where a bad entry ends is unknown, and so is whether the next one follows it.
        let mut next = Some(12);
        for (at, row) in rows {
            if next.is_some_and(|next| next != at) {
                self.fault(GitError::corrupt(
                    &pack.rel,
                    "its objects leave gaps or overlap",
                ));
            }
            match self.entry(pack, at, row, &mut cache) {
                Ok(stop) => {
                    self.check.packed += 1;
                    next = Some(stop);
                }
                // The work is spent: every further entry would only say so again.
                Err(error) if self.budget.0 < 1 << 10 => return Err(error),
                Err(error) => {
                    self.fault(error);
                    next = None;
                }
            }
        }
        if next.is_some_and(|next| next != end) {
            return Err(GitError::corrupt(
                &pack.rel,
                "bytes lie behind its last object",
            ));
        }
        Ok(())
    }

    /// Look-ups rely on the order of an index's names.
    fn order(&mut self, pack: &Pack, count: u32) -> Result<(), GitError> {
        let mut last = None;
        let mut from = 0;
        while from < count {
            let step = (count - from).min(4096);
            for name in pack.index.names(self.files, from, step)? {
                if last.is_some_and(|last| last >= name) {
                    return Err(GitError::corrupt(
                        &pack.index.rel,
                        "its names are not in order",
                    ));
                }
                last = Some(name);
            }
            from += step;
        }
        Ok(())
    }

    /// Checks one entry and returns where it ends.
    fn entry(
        &mut self,
        pack: &Pack,
        at: u64,
        row: u32,
        cache: &mut Cache,
    ) -> Result<u64, GitError> {
        let names = pack.index.names(self.files, row, 1)?;
        let oid = names
            .first()
            .ok_or_else(|| GitError::corrupt(&pack.index.rel, "it is cut short"))?;
        let head = pack.head(self.files, at)?;
        if let Stored::Whole(kind) = head.stored
            && head.length > self.limits.object
        {
            let (hashed, stop) = pack.hash_whole(self.files, &head, kind, &mut self.budget)?;
            check(&pack.rel, oid, hashed)?;
            return Ok(stop);
        }
        let before = self.budget.0;
        let mut own = Budget(before.min(self.limits.work));
        let allowed = own.0;
        let rebuilt = pack.rebuild(self.files, at, self.limits, cache, &mut own);
        self.budget.0 = before.saturating_sub(allowed - own.0);
        let ((kind, data), stop) = rebuilt?;
        check(&pack.rel, oid, hash_object(self.hash, kind, &data))?;
        Ok(stop)
    }
}

#[cfg(test)]
#[path = "full_tests.rs"]
mod tests;
