//! What a step finds under its locks: what is moved, as it is now, and what is put in its place.
//!
//! Everything that was planned is looked at once more here: the plan is what a scan saw before anything was locked.

use std::path::Path;

use super::Run;
use crate::model::{Digest, Finding};
use crate::pipeline::heal::look;
use crate::pipeline::heal::plan::{Copy, Planned, Step};
use crate::pipeline::heal::record::{Mark, Move, Name, Put, Role, Was};
use crate::pipeline::heal::remade::Remade;
use crate::pipeline::heal::supplied::{self, Goods, Stage};
use crate::world::FileKind;
use crate::world::write_fs::Root;

/// What a step does, as found under its locks.
pub(super) struct Found {
    pub(super) moves: Vec<Move>,
    pub(super) seen: Vec<look::Seen>,
    pub(super) puts: Vec<Put>,
}

impl Run<'_> {
    /// Files that say to the tool that something is not whole; those that are there already are not ours.
    pub(super) fn marks(&self, step: &Step) -> Result<Vec<Mark>, String> {
        let fs = self.vault.fs;
        let mut marks = Vec::new();
        for (root, rel) in &step.marks {
            let Some((folder, opened)) = self.opened(*root) else {
                continue;
            };
            let above = rel.parent().unwrap_or(Path::new(""));
            let above = match fs.stat(opened.at(above)) {
                Ok(above) => above,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error.to_string()),
            };
            if fs.stat(opened.at(rel)).is_err() {
                marks.push(Mark {
                    folder,
                    rel: Name::of(rel),
                    above: Was::of(&above),
                });
            }
        }
        Ok(marks)
    }

    /// A root's position among the folders of the record, and its handle.
    fn opened(&self, root: usize) -> Option<(usize, Root)> {
        let folder = self.at.get(&root).copied()?;
        let (opened, _) = self.grounds.roots.get(folder).copied()?;
        Some((folder, opened))
    }

    /// What lies there now. What is gone, or good by now, is not moved, and nothing is put in its place.
    pub(super) fn look(&self, number: u32, step: &Step, goods: &Goods) -> Result<Found, String> {
        let stage = Stage {
            fs: self.vault.fs,
            grounds: &self.grounds,
            at: &self.at,
        };
        let mut found = Found {
            moves: Vec::new(),
            seen: Vec::new(),
            puts: Vec::new(),
        };
        let mut planned = step.moves.clone();
        if !step.copies.is_empty() {
            let copied = |p: &Planned| {
                let within = |c: &Copy| c.root == p.root && p.rel.starts_with(&c.tree.rel);
                step.copies.iter().any(within)
            };
            if goods.why_not.is_none() {
                // What the scan named of a copy is a part of what differs at most.
                planned.retain(|p| p.role == Role::Derived || !copied(p));
                let mended = supplied::mend(&stage, number, step, goods)?;
                planned.extend(mended.moves);
                found.puts = mended.puts;
            } else if step.findings.iter().any(is_cut) {
                planned.retain(|p| p.role == Role::Derived || !copied(p));
                planned.extend(step.copies.iter().map(|copy| Planned {
                    root: copy.root,
                    rel: copy.tree.rel.clone(),
                    role: Role::Tainted,
                    good: None,
                }));
            }
        }
        for (at, planned) in planned.iter().enumerate() {
            let looked = self.one(number, at, planned, goods);
            match looked {
                Ok(Some((mv, seen))) => {
                    found.moves.push(mv);
                    found.seen.push(seen);
                }
                Ok(None) => {}
                Err(why) => {
                    self.unstage(&found.puts);
                    return Err(why);
                }
            }
        }
        for put in &goods.puts {
            let Some((root, _)) = self.grounds.roots.get(put.folder).copied() else {
                continue;
            };
            let moved = found
                .moves
                .iter()
                .any(|m| m.folder == put.folder && m.rel == put.rel);
            let rel = put.rel.path();
            let free = match self.vault.fs.stat(root.at(&rel)) {
                Ok(_) => false,
                Err(error) if error.is_not_found() => true,
                // Found out before anything is moved: nothing is put behind a link.
                Err(error) if error.is_unreachable() => {
                    self.unstage(&found.puts);
                    return Err(format!(
                        "{}: a link, or what is no folder, stands above it: nothing is put there; take that away, its tool makes the folder",
                        error.path.display()
                    ));
                }
                Err(error) => {
                    self.unstage(&found.puts);
                    return Err(error.to_string());
                }
            };
            if moved || free {
                found.puts.push(supplied::settled(&stage, put, moved));
            }
        }
        self.foretell(step, &planned, &mut found);
        Ok(found)
    }

    fn one(
        &self,
        number: u32,
        at: usize,
        planned: &Planned,
        goods: &Goods,
    ) -> Result<Option<(Move, look::Seen)>, String> {
        let fs = self.vault.fs;
        let rel = &planned.rel;
        let Some((folder, opened)) = self.opened(planned.root) else {
            return Ok(None);
        };
        let seen = match look::at(fs, opened, rel) {
            Ok(seen) => seen,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let regular = seen.stat.kind == FileKind::File;
        if regular && is_good(folder, planned, &seen, goods) {
            return Ok(None);
        }
        let above = rel.parent().unwrap_or(Path::new(""));
        let above = fs.stat(opened.at(above)).map_err(|e| e.to_string())?;
        let digest = seen.digest.as_deref().unwrap_or("unread");
        let short: String = digest.chars().take(16).collect();
        let (armed, odd) = (seen.armed.iter(), seen.odd.iter());
        let mv = Move {
            folder,
            rel: Name::of(rel),
            item: format!("i{number}-{at}-{short}"),
            role: planned.role,
            was: Was::of(&seen.stat),
            above: Was::of(&above),
            digest: seen.digest.clone(),
            bytes: Some(seen.bytes),
            armed: armed.map(|(path, mode)| (Name::of(path), *mode)).collect(),
            odd: odd
                .map(|(path, stat)| (Name::of(path), Was::of(stat)))
                .collect(),
            remade: None,
        };
        Ok(Some((mv, seen)))
    }

    /// Tells each place in a cache what its tool makes there by itself.
    fn foretell(&self, step: &Step, planned: &[Planned], found: &mut Found) {
        for (mv, seen) in found.moves.iter_mut().zip(&found.seen) {
            let is_it =
                |p: &&Planned| self.at.get(&p.root) == Some(&mv.folder) && p.rel == mv.rel.path();
            let Some(planned) = planned.iter().find(is_it) else {
                continue;
            };
            let ground = self.orders.grounds.get(planned.root);
            let cache = ground.is_some_and(|ground| !ground.project && !ground.build);
            let Some(roots) = self.grounds.roots.get(mv.folder).filter(|_| cache) else {
                continue;
            };
            if mv.role != Role::Tainted {
                continue;
            }
            let tree = || Remade {
                fs: self.vault.fs,
                roots: *roots,
                tree: &planned.rel,
                step,
                puts: &found.puts,
            };
            mv.remade = match (seen.stat.kind, &planned.good) {
                (FileKind::File, good) => good.as_ref().map(Digest::hex),
                _ => tree().digest(),
            };
        }
    }
}

/// Whether a file is by now what it must be: by its own hash, or by what was fetched for its place. A recipe (a module zip's
/// h1) is not asked: bytes that two readers take for different things can have it too.
fn is_good(folder: usize, planned: &Planned, seen: &look::Seen, goods: &Goods) -> bool {
    let (Some(good), Some(digest)) = (&planned.good, &seen.digest) else {
        return false;
    };
    let here = |put: &&Put| put.folder == folder && put.rel.path() == planned.rel;
    good.hex() == *digest || goods.puts.iter().filter(here).any(|p| p.sha256 == *digest)
}

/// Whether more differs than a finding names.
fn is_cut(finding: &Finding) -> bool {
    usize::try_from(finding.entries_total).is_ok_and(|total| total > finding.entries.len())
}
