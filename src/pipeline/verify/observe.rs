//! Observes one unit: what its archive hashes to, what it holds, and how its tree differs from it.
//!
//! What is observed depends on the bytes alone. Whether the digest is the published one is judged later, so observing runs
//! beside the look-ups.

use sha2::{Digest as _, Sha256};

use crate::ecosystems::contract::{ArchiveFormat, ArchivePart, TreePart};
use crate::model::{Digest, Manifest, Reason};
use crate::trust::claims::ClaimStore;
use crate::trust::ledger::{FileIdentity, Ledger};
use crate::world::{Dir, FileKind, PathError, Progress, Stat};

use super::both::Both;
use super::by_recipe;
use super::compare::{Compare, Found};
use super::listing::TreeListing;
use super::manifest::Builder;
use super::opened::{Failure, Opened, Source};
use super::opening::parent;
use super::place::Watch;
use super::plain;
use super::pool::{Budget, Grant};
use super::tree::{Memory, TreeSeen};
use super::unpack::{self, Scratch, Unpacked};

/// Largest archive that is looked into; a larger one is hashed, and its tree cannot be judged.
const LARGEST: u64 = 512 << 20;

/// Largest archive that is read to its end: what a hole in a file pretends to hold would take hours.
const LONGEST: u64 = 4 << 30;

/// Bytes that are read and hashed at once: they stay in the processor's cache meanwhile.
const CHUNK: usize = 128 << 10;

/// Larger archives are left in their files where they can be, and their members sought there.
const SOUGHT: u64 = 4 << 20;

/// Room for what is remembered of the members of an archive that is left in its file.
const MEMBERS: usize = 48 << 20;

/// An archive's bytes are in the packed buffer, or in its file.
struct Held<'a> {
    length: usize,
    file: Option<Opened>,
    _grant: Grant<'a>,
}

/// What observing may use.
pub(super) struct Bench<'a> {
    pub(super) store: &'a ClaimStore,
    pub(super) ledger: Option<&'a Ledger>,
    pub(super) budget: &'a Budget,
    /// Who notes what others could change; nobody in a second pass.
    pub(super) watch: Option<&'a Watch<'a>>,
    pub(super) now: i64,
    pub(super) progress: &'a dyn Progress,
}

/// What an archive file is.
#[derive(Debug, Default)]
pub(super) struct ArchiveSeen {
    pub(super) digest: Option<Digest>,
    /// Its digest by a recipe over the content, where the format has one.
    pub(super) recipe: Option<Digest>,
    /// Its tool treats it as not written yet.
    pub(super) torn: bool,
    pub(super) size: u64,
    pub(super) gap: Option<Reason>,
    pub(super) absent: bool,
    pub(super) irregular: Option<FileKind>,
    pub(super) ambiguities: Vec<String>,
    /// Such that are nothing where the digest is trusted.
    pub(super) excused: Vec<String>,
    /// It is longer than its tool takes.
    pub(super) oversize: Option<String>,
    /// What is wrong with its inside.
    pub(super) broken: Option<String>,
    pub(super) problem: Option<String>,
    pub(super) from_ledger: bool,
    pub(super) hashed: u64,
}

impl Bench<'_> {
    /// Observes the archive of a unit and, held against it, its tree.
    pub(super) fn unit(
        &self,
        root: &dyn Dir,
        archive: Option<&ArchivePart>,
        tree: Option<&TreePart>,
        scratch: &mut Scratch,
    ) -> (Option<ArchiveSeen>, Option<TreeSeen>) {
        let Some(part) = archive else {
            return (None, tree.map(|tree| self.tree_alone(root, tree)));
        };
        if part.format.is_plain() {
            let seen = plain::read(root, part, self.ledger, self.now);
            return (Some(seen), tree.map(|tree| self.tree_alone(root, tree)));
        }
        let (mut seen, tree) = self.packed(root, part, tree, scratch);
        if let (Some(digest), None) = (seen.digest, seen.recipe) {
            seen.recipe = self.recipe(part, &digest);
        }
        (Some(seen), tree)
    }

    /// The recipe digest of an archive that was looked into before.
    fn recipe(&self, part: &ArchivePart, digest: &Digest) -> Option<Digest> {
        (part.format == ArchiveFormat::GoZip)
            .then(|| self.store.manifest_h1(digest))
            .flatten()
    }

    fn packed(
        &self,
        root: &dyn Dir,
        part: &ArchivePart,
        tree: Option<&TreePart>,
        scratch: &mut Scratch,
    ) -> (ArchiveSeen, Option<TreeSeen>) {
        let mut seen = ArchiveSeen::default();
        let mut packed = std::mem::take(&mut scratch.packed);
        let read = self.read_archive(root, part, &mut seen, &mut packed);
        let held = read.as_ref().and_then(|held| match &held.file {
            Some(file) => Some(Source::File(file)),
            None => packed.get(..held.length).map(Source::Bytes),
        });
        let tree_seen = match (held.zip(seen.digest), tree) {
            (None, None) => None,
            (None, Some(tree)) => Some(match seen.digest {
                Some(digest) => self.tree_known(root, tree, &digest, scratch),
                None => self.tree_alone(root, tree),
            }),
            (Some((source, digest)), Some(tree)) => {
                Some(self.tree_of(root, tree, part, source, digest, &mut seen, scratch))
            }
            (Some((source, digest)), None) => {
                self.look(part, source, digest, &mut seen, scratch);
                None
            }
        };
        scratch.packed = packed;
        scratch.trim();
        (seen, tree_seen)
    }

    /// Reads and hashes an archive. Says that its bytes lie in `packed` if something else is to be done with them.
    fn read_archive(
        &self,
        root: &dyn Dir,
        part: &ArchivePart,
        seen: &mut ArchiveSeen,
        packed: &mut Vec<u8>,
    ) -> Option<Held<'_>> {
        for attempt in 0..2 {
            match self.read_archive_once(root, part, seen, packed) {
                Ok(Some(held)) => return held,
                Ok(None) if attempt == 0 => {}
                Ok(None) => {
                    seen.digest = None;
                    seen.gap = Some(Reason::ChangedWhileRead);
                }
                Err(error) if error.is_not_found() => seen.absent = true,
                Err(error) => {
                    seen.gap = Some(Reason::Unreadable);
                    seen.problem = Some(error.source.to_string());
                }
            }
        }
        None
    }

    /// `Ok(None)`: it changed while it was read.
    fn read_archive_once(
        &self,
        root: &dyn Dir,
        part: &ArchivePart,
        seen: &mut ArchiveSeen,
        packed: &mut Vec<u8>,
    ) -> Result<Option<Option<Held<'_>>>, PathError> {
        let (dir, name) = parent(root, &part.rel)?;
        let dir: &dyn Dir = dir.as_deref().unwrap_or(root);
        let listed = dir.stat_entry(name)?;
        if let Some(watch) = self.watch {
            watch.file(root.path(), &part.rel, &listed);
        }
        if listed.kind != FileKind::File {
            seen.irregular = Some(listed.kind);
            seen.gap = Some(Reason::Unreadable);
            return Ok(Some(None));
        }
        seen.size = listed.size;
        if listed.size == 0 && part.empty_is_absent {
            seen.absent = true;
            return Ok(Some(None));
        }
        if let Some(longest) = part.format.longest().filter(|most| listed.size > *most) {
            seen.oversize = Some(format!(
                "is {} bytes long, and its tool takes at most {longest}",
                listed.size
            ));
            seen.gap = Some(Reason::Limit);
            return Ok(Some(None));
        }
        if listed.size > LONGEST {
            seen.problem = Some(format!(
                "is {} bytes long, more than untaint reads: if it is not meant to be, remove it",
                listed.size
            ));
            seen.gap = Some(Reason::Limit);
            return Ok(Some(None));
        }
        if let Some(digest) = self.ledger.and_then(|l| l.file(&identity(&listed))) {
            seen.digest = Some(digest);
            seen.from_ledger = true;
            let known = self.store.has_manifest(&digest);
            if known {
                return Ok(Some(None));
            }
            seen.from_ledger = false;
        }
        let mut file = dir.open_file(name)?;
        let before = file.stat()?;
        let sought = unpack::is_sought(part.format) && (SOUGHT..=LARGEST).contains(&before.size);
        let keep = before.size <= LARGEST && !sought;
        let length = if keep {
            usize::try_from(before.size).unwrap_or(CHUNK)
        } else {
            CHUNK
        };
        let grant = self.room(if sought { MEMBERS } else { length });
        if packed.capacity() < length {
            *packed = vec![0; length];
        } else if packed.len() < length {
            packed.resize(length, 0);
        }
        let mut hasher = Sha256::new();
        let mut total = 0u64;
        // That the file did not grow meanwhile is said by its size afterwards.
        while total < before.size {
            use std::io::Read as _;
            if self.progress.cancelled() {
                seen.gap = Some(Reason::Limit);
                seen.problem = Some("was not read to its end: the run was asked to end".into());
                return Ok(Some(None));
            }
            let from = if keep {
                usize::try_from(total).unwrap_or(length)
            } else {
                0
            };
            let room = packed.get_mut(from..(from + CHUNK).min(length));
            let room = room.unwrap_or_default();
            let n = match file.read(room) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(PathError {
                        path: dir.path().join(name),
                        source,
                    });
                }
            };
            hasher.update(room.get(..n).unwrap_or_default());
            total += n as u64;
        }
        seen.hashed += total;
        if file.stat()? != before || total != before.size {
            return Ok(None);
        }
        let digest = Digest::sha256(hasher.finalize().into());
        seen.digest = Some(digest);
        if let Some(ledger) = self.ledger {
            ledger.put_file(&identity(&before), &digest, self.now);
        }
        if !keep && !sought {
            seen.problem = Some("larger than untaint looks into".into());
        }
        Ok(Some((keep || sought).then(|| Held {
            length,
            file: sought.then(|| Opened::new(file, before)),
            _grant: grant,
        })))
    }

    /// Looks inside an archive that has no tree, unless that was done before.
    fn look(
        &self,
        part: &ArchivePart,
        source: Source<'_>,
        digest: Digest,
        seen: &mut ArchiveSeen,
        scratch: &mut Scratch,
    ) {
        if self.store.has_manifest(&digest) {
            return;
        }
        let mut builder = Builder::of(part.format);
        let (_room, whole) = self.whole(part, source);
        match unpack::unpack(part.format, source, &part.top, whole, scratch, &mut builder) {
            Ok(unpacked) => self.keep(builder, digest, unpacked, seen),
            Err(failure) => {
                failed(failure, seen);
            }
        }
    }

    /// Waits for room for an archive and the buffers that go with it; to be asked for once per unit.
    fn room(&self, packed: usize) -> Grant<'_> {
        self.budget
            .take((packed as u64).saturating_add(unpack::SMALL as u64))
    }

    /// How many inflated bytes of an archive may be held at once, and the room for it.
    fn whole(&self, part: &ArchivePart, source: Source<'_>) -> (Option<Grant<'_>>, usize) {
        let claimed = unpack::claimed(part.format, source);
        if claimed <= unpack::SMALL {
            return (None, unpack::SMALL);
        }
        match self.budget.try_take(claimed as u64) {
            Some(grant) => (Some(grant), claimed),
            None => (None, unpack::SMALL),
        }
    }

    fn keep(&self, builder: Builder, digest: Digest, unpacked: Unpacked, seen: &mut ArchiveSeen) {
        let mut manifest = builder.finish(digest, unpacked.content, unpacked.irregular);
        manifest.h1 = unpacked.recipe;
        seen.recipe = unpacked.recipe;
        if unpacked.ambiguities.is_empty() && unpacked.excused.is_empty() {
            self.store.put_manifest(&manifest);
            if let Some(recipe) = &unpacked.recipe {
                by_recipe::put(self.store, recipe, &digest);
            }
        }
        seen.ambiguities = unpacked.ambiguities;
        seen.excused = unpacked.excused;
    }

    /// Holds a tree against the archive whose bytes are at hand.
    #[expect(clippy::too_many_arguments, reason = "one call, in one place")]
    fn tree_of(
        &self,
        root: &dyn Dir,
        tree: &TreePart,
        part: &ArchivePart,
        source: Source<'_>,
        digest: Digest,
        seen: &mut ArchiveSeen,
        scratch: &mut Scratch,
    ) -> TreeSeen {
        if self.store.has_manifest(&digest) {
            return self.tree_known(root, tree, &digest, scratch);
        }
        let mut recipe = None;
        // What the tree equalled before says nothing of the archive, which was never found to be plain.
        let mut tree_seen = self.settled(root, tree, Memory::Ignored, |dir, listing| {
            let (_room, whole) = self.whole(part, source);
            let mut builder = Builder::of(part.format);
            let mut buffer = std::mem::take(&mut scratch.file);
            let mut compare = Compare::new(dir, listing, tree.projection, &mut buffer)
                .of_copies(&tree.copied)
                .until(self.progress);
            let unpacked = {
                let mut both = Both(&mut builder, &mut compare);
                unpack::unpack(part.format, source, &part.top, whole, scratch, &mut both)
            };
            let found = unpacked.map(|unpacked| {
                recipe = unpacked.recipe;
                self.keep(builder, digest, unpacked, seen);
                compare.finish(&digest)
            });
            scratch.file = buffer;
            match found {
                Ok(found) => Ok((digest, found)),
                Err(failure) => Err(failed(failure, seen)),
            }
        });
        tree_seen.basis = tree_seen.basis.map(|basis| recipe.unwrap_or(basis));
        tree_seen
    }

    /// Holds a tree against the archive in `bytes`, which was fetched for that.
    pub(super) fn tree_of_fetched(
        &self,
        root: &dyn Dir,
        tree: &TreePart,
        part: &ArchivePart,
        bytes: &[u8],
        digest: Digest,
        scratch: &mut Scratch,
    ) -> TreeSeen {
        let mut seen = ArchiveSeen::default();
        // The bytes are there already; what inflating holds is counted.
        let _room = self.room(0);
        let source = Source::Bytes(bytes);
        let tree = self.tree_of(root, tree, part, source, digest, &mut seen, scratch);
        scratch.trim();
        tree
    }

    /// Holds a tree against the proven manifest of an archive; a gap if there is none.
    pub(super) fn tree_known(
        &self,
        root: &dyn Dir,
        tree: &TreePart,
        digest: &Digest,
        scratch: &mut Scratch,
    ) -> TreeSeen {
        let Some(archive) = by_recipe::archive(self.store, digest) else {
            return self.tree_alone(root, tree);
        };
        let mut seen = self.settled(root, tree, Memory::Of(&archive), |dir, listing| {
            // Read out only where the tree is to be compared.
            let manifest = self.store.manifest(&archive);
            let manifest = manifest.ok_or(Reason::ArchiveNotHeld)?;
            Ok((
                archive,
                self.with_manifest(dir, listing, tree, &manifest, scratch),
            ))
        });
        // A tree equals an archive by its recipe, where there is one: the packing is of no account.
        let recipe = self.store.manifest_h1(&archive);
        seen.basis = seen.basis.map(|basis| recipe.unwrap_or(basis));
        seen
    }

    fn with_manifest(
        &self,
        dir: &dyn Dir,
        listing: &TreeListing,
        tree: &TreePart,
        manifest: &Manifest,
        scratch: &mut Scratch,
    ) -> Found {
        Compare::new(dir, listing, tree.projection, &mut scratch.file)
            .of_copies(&tree.copied)
            .until(self.progress)
            .with_manifest(manifest)
    }

    /// A tree that there is nothing to hold against.
    fn tree_alone(&self, root: &dyn Dir, tree: &TreePart) -> TreeSeen {
        self.settled(root, tree, Memory::OfAny, |_, _| {
            Err(Reason::ArchiveNotHeld)
        })
    }
}

/// Takes down why an archive could not be looked into; gives what that means for its tree.
fn failed(failure: Failure, seen: &mut ArchiveSeen) -> Reason {
    match failure {
        Failure::Broken(why) => {
            seen.broken = Some(why);
            Reason::ArchiveNotHeld
        }
        Failure::Unreadable(why) => {
            seen.digest = None;
            seen.problem = Some(why);
            seen.gap = Some(Reason::Unreadable);
            Reason::ArchiveNotHeld
        }
        Failure::Changed => {
            seen.digest = None;
            seen.gap = Some(Reason::ChangedWhileRead);
            Reason::ChangedWhileRead
        }
    }
}

/// What the ledger keys a file by.
pub(super) fn identity(stat: &Stat) -> FileIdentity {
    FileIdentity {
        dev: stat.dev,
        inode: stat.inode,
        size: stat.size,
        mtime: stat.mtime,
        ctime: stat.ctime,
    }
}
