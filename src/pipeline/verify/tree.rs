//! Observes a tree: lists it, asks the ledger, has it compared, once more if it changed meanwhile.

use crate::ecosystems::contract::{TreePart, Unjudged};
use crate::model::{Digest, Reason};
use crate::world::{Dir, FileKind};

use super::compare::Found;
use super::listing::{self, ListError, TreeListing};
use super::observe::Bench;
use super::opening::{open_tree, parent};

/// What a tree is.
#[derive(Debug, Default)]
pub(super) struct TreeSeen {
    /// The archive that it was held against.
    pub(super) basis: Option<Digest>,
    pub(super) gap: Option<Reason>,
    pub(super) found: Found,
    pub(super) absent: bool,
    pub(super) problem: Option<String>,
    pub(super) from_ledger: bool,
    /// Its root is no folder.
    pub(super) irregular: Option<FileKind>,
}

/// Of what use it is that a tree equalled an archive before.
#[derive(Clone, Copy)]
pub(super) enum Memory<'a> {
    /// None: the archive itself is still to be looked into.
    Ignored,
    /// Only if it was this archive.
    Of(&'a Digest),
    /// Whichever it was.
    OfAny,
}

impl Memory<'_> {
    fn answers(self, basis: &Digest) -> bool {
        match self {
            Self::Ignored => false,
            Self::Of(wanted) => wanted == basis,
            Self::OfAny => true,
        }
    }
}

impl Bench<'_> {
    /// Lists a tree, asks the ledger, compares; once more if it changed meanwhile.
    pub(super) fn settled(
        &self,
        root: &dyn Dir,
        tree: &TreePart,
        memory: Memory<'_>,
        mut compare: impl FnMut(&dyn Dir, &TreeListing) -> Result<(Digest, Found), Reason>,
    ) -> TreeSeen {
        let mut seen = TreeSeen::default();
        for _ in 0..2 {
            seen = TreeSeen::default();
            match self.try_tree(root, tree, memory, &mut compare, &mut seen) {
                Ok(()) => {}
                Err(ListError::Path(error)) if error.is_not_found() => seen.absent = true,
                Err(ListError::Path(error)) => {
                    seen.gap = Some(Reason::Unreadable);
                    seen.problem = Some(error.to_string());
                }
                Err(ListError::Limit) => {
                    seen.gap = Some(Reason::Limit);
                    seen.problem = Some("deeper or larger than any package".into());
                }
            }
            if !seen.found.unstable {
                break;
            }
            seen.gap = Some(Reason::ChangedWhileRead);
            seen.basis = None;
        }
        let unjudged = seen.found.unjudged.take();
        let unreadable = seen.found.unreadable.take().map(Unjudged::unreadable);
        if let Some(Unjudged { reason, why }) = unreadable.or(unjudged) {
            seen.problem = Some(why);
            if seen.found.total == 0 {
                seen.gap = Some(reason);
                seen.basis = None;
            }
        }
        seen
    }

    fn try_tree(
        &self,
        root: &dyn Dir,
        tree: &TreePart,
        memory: Memory<'_>,
        compare: &mut impl FnMut(&dyn Dir, &TreeListing) -> Result<(Digest, Found), Reason>,
        seen: &mut TreeSeen,
    ) -> Result<(), ListError> {
        if let Ok((folder, name)) = parent(root, &tree.rel) {
            let stat = folder.as_deref().unwrap_or(root).stat_entry(name)?;
            if stat.kind != FileKind::Dir {
                if let Some(watch) = self.watch {
                    watch.file(root.path(), &tree.rel, &stat);
                }
                seen.irregular = Some(stat.kind);
                return Ok(());
            }
        }
        let opened = open_tree(root, &tree.rel)?;
        let dir: &dyn Dir = opened.as_deref().unwrap_or(root);
        let mut listing = listing::list(dir, &tree.without, self.watch)?;
        if let Some(watch) = self.watch {
            let suspects = std::mem::take(&mut listing.suspects);
            watch.take(root.path(), &tree.rel, suspects);
        }
        let key = tree_key(&listing, tree);
        let known = self.ledger.and_then(|l| l.tree(&key));
        if let Some(basis) = known.filter(|basis| memory.answers(basis)) {
            seen.basis = Some(basis);
            seen.from_ledger = true;
            return Ok(());
        }
        match compare(dir, &listing) {
            Ok((basis, found)) => {
                let clean = found.total == 0
                    && found.litter.is_empty()
                    && found.listed.is_empty()
                    && found.forged_sidecar.is_none()
                    && found.unreadable.is_none()
                    && found.unjudged.is_none()
                    && !found.unstable;
                if clean && let Some(ledger) = self.ledger {
                    ledger.put_tree(&key, &basis, listing.youngest, self.now);
                }
                seen.basis = Some(basis);
                seen.found = found;
            }
            Err(reason) => seen.gap = Some(reason),
        }
        Ok(())
    }
}

/// What the ledger keys a tree by: its identities, and how it was judged.
fn tree_key(listing: &TreeListing, tree: &TreePart) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(tree.projection.id().as_bytes());
    hasher.update(&[0]);
    hasher.update(&listing.identity);
    for folder in &tree.copied {
        hasher.update(&(folder.len() as u64).to_le_bytes());
        hasher.update(folder);
    }
    *hasher.finalize().as_bytes()
}
