//! What is put in place of what goes: fetched without a lock in hand, several at once, verified, and laid ready on the
//! file system that it belongs to.
//!
//! What nobody could give is told in words; nothing that does not fit its digest is ever laid ready.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use sha2::{Digest as _, Sha256};

use super::Lack;
use super::grounds::Grounds;
use super::look;
use super::mend;
use super::plan::{Copy, Plan, Planned, Step, Wanted};
use super::record::{Above, Name, Put, Role, Was};
use super::transaction::Orders;
use crate::model::digest::hex;
use crate::world::{FileKind, PathError, WriteFs};

/// Replacements that are fetched at once.
const AT_ONCE: usize = 4;

/// What there is for one step.
#[derive(Default)]
pub(super) struct Goods {
    /// Laid ready, where they go.
    pub(super) puts: Vec<Put>,
    /// Archives of its copies, by position.
    pub(super) archives: BTreeMap<usize, Vec<u8>>,
    /// What could not be had, and why.
    pub(super) why_not: Option<Lack>,
    /// Why the step cannot be done.
    pub(super) failed: Option<String>,
}

/// Where things are laid ready.
pub(super) struct Stage<'a> {
    pub(super) fs: &'a dyn WriteFs,
    pub(super) grounds: &'a Grounds<'a>,
    /// Position of a root among the folders of the record.
    pub(super) at: &'a BTreeMap<usize, usize>,
}

/// Where things come from.
pub(super) struct Source<'a> {
    pub(super) fs: &'a dyn WriteFs,
    pub(super) orders: &'a Orders<'a>,
}

/// One thing that a step waits for.
pub(super) struct Need<'a> {
    /// The step, by its number.
    pub(super) number: u32,
    /// Position among what the step needs.
    at: usize,
    step: &'a Step,
    what: What<'a>,
}

enum What<'a> {
    Wanted(&'a Wanted),
    /// With its position among the copies.
    Copy(usize, &'a Copy),
}

/// Everything that all steps need, in their order.
pub(super) fn needs(plan: &Plan, evict: bool) -> Vec<Need<'_>> {
    let mut needs = Vec::new();
    for (number, step) in (1u32..).zip(&plan.steps).filter(|_| !evict) {
        let wanted = step.wanted.iter().map(What::Wanted);
        let copies = step.copies.iter().enumerate();
        let all = wanted.chain(copies.map(|(at, copy)| What::Copy(at, copy)));
        needs.extend(all.enumerate().map(|(at, what)| Need {
            number,
            at,
            step,
            what,
        }));
    }
    needs
}

impl Goods {
    /// Takes what came, or why nothing did.
    pub(super) fn take(
        &mut self,
        stage: &Stage<'_>,
        need: &Need<'_>,
        bytes: Result<Vec<u8>, Lack>,
    ) {
        match (&need.what, bytes) {
            // The worst is what is told.
            (_, Err(lack)) => match &self.why_not {
                Some(known) if known.other_bytes => {}
                _ => self.why_not = Some(lack),
            },
            (What::Copy(at, _), Ok(bytes)) => {
                self.archives.insert(*at, bytes);
            }
            (What::Wanted(wanted), Ok(bytes)) => {
                let (root, rel) = wanted.place();
                let Some(folder) = stage.at.get(&root).copied() else {
                    return;
                };
                let name = format!("n{}-{}", need.number, need.at);
                match stage.lay(folder, &name, rel, &bytes, false) {
                    Ok(put) => self.puts.push(put),
                    Err(error) => {
                        let why = format!("the replacement cannot be written: {error}");
                        self.failed = Some(why);
                    }
                }
                self.puts.sort_by(|a, b| a.staged.cmp(&b.staged));
            }
        }
    }
}

impl Source<'_> {
    /// Fetches everything, several at once; each answer comes with the position of its need. Ends when the run should.
    pub(super) fn fetch<'s>(
        &'s self,
        scope: &'s thread::Scope<'s, '_>,
        needs: &'s [Need<'s>],
    ) -> Receiver<(usize, Result<Vec<u8>, Lack>)> {
        let (found, arriving) = mpsc::channel();
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..AT_ONCE.min(needs.len()) {
            let (found, next) = (found.clone(), Arc::clone(&next));
            scope.spawn(move || {
                while !(self.orders.cancelled)() {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(need) = needs.get(at) else { return };
                    if found.send((at, self.get(need))).is_err() {
                        return;
                    }
                }
            });
        }
        arriving
    }

    fn get(&self, need: &Need<'_>) -> Result<Vec<u8>, Lack> {
        let supply = self.orders.supply;
        let healer = need.step.healer();
        let (artifact, digest, held) = match need.what {
            What::Wanted(Wanted::Known { bytes, .. }) => return Ok(bytes.clone()),
            What::Wanted(Wanted::Listing { coordinate, .. }) => return supply.listing(coordinate),
            What::Wanted(Wanted::Archive {
                artifact, digest, ..
            }) => (artifact, digest, None),
            What::Copy(_, copy) => (&copy.artifact, &copy.digest, Some(&copy.held)),
        };
        for (root, rel) in held.into_iter().flatten() {
            if let Some(bytes) = self.held(*root, rel)
                && healer.fits(artifact, &bytes, digest)
            {
                return Ok(bytes);
            }
        }
        let bytes = supply.archive(artifact, digest)?;
        // Whoever fetched it has compared it; this is the place where it counts.
        if healer.fits(artifact, &bytes, digest) {
            Ok(bytes)
        } else {
            Err(Lack {
                why: "what was fetched is not what was published".to_owned(),
                other_bytes: true,
            })
        }
    }

    /// The bytes of an archive in a cache.
    fn held(&self, root: usize, rel: &Path) -> Option<Vec<u8>> {
        let ground = self.orders.grounds.get(root)?;
        let opened = self.fs.open(&ground.path).ok()?;
        let mut bytes = Vec::new();
        let file = self.fs.read(opened.at(rel)).ok()?;
        file.take(look::LARGEST).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// What is done with the copies of a step.
pub(super) struct Mending {
    pub(super) moves: Vec<Planned>,
    pub(super) puts: Vec<Put>,
}

/// Compares copies with their archives, and lays ready what they lack.
///
/// # Errors
/// Why it cannot be done; then nothing is laid ready.
pub(super) fn mend(
    stage: &Stage<'_>,
    number: u32,
    step: &Step,
    goods: &Goods,
) -> Result<Mending, String> {
    let mut mending = Mending {
        moves: Vec::new(),
        puts: Vec::new(),
    };
    for (at, copy) in step.copies.iter().enumerate() {
        let Some(archive) = goods.archives.get(&at) else {
            continue;
        };
        let Some(folder) = stage.at.get(&copy.root).copied() else {
            continue;
        };
        let Some((root, _)) = stage.grounds.roots.get(folder).copied() else {
            continue;
        };
        let mended = mend::mend(stage.fs, root, copy, step.healer(), archive)
            .inspect_err(|_| stage.clear(&mending.puts))?;
        for rel in &mended.moves {
            mending.moves.push(Planned {
                root: copy.root,
                rel: rel.clone(),
                role: Role::Tainted,
                good: None,
            });
        }
        for (part, good) in mended.puts.iter().enumerate() {
            let name = format!("n{number}-{at}-{part}");
            match stage.lay(folder, &name, &good.rel, &good.bytes, good.executable) {
                Ok(put) => {
                    let moved = mended.moves.contains(&good.rel);
                    mending.puts.push(settled(stage, &put, moved));
                }
                Err(error) => {
                    stage.clear(&mending.puts);
                    return Err(format!("a file of the copy cannot be written: {error}"));
                }
            }
        }
    }
    Ok(mending)
}

/// What was laid ready, with what has to be made around its place. `moved`: something is moved away from that place.
pub(super) fn settled(stage: &Stage<'_>, put: &Put, moved: bool) -> Put {
    let mut put = put.clone();
    let Some((root, _)) = stage.grounds.roots.get(put.folder).copied() else {
        return put;
    };
    let place = put.rel.path();
    let mut made: Vec<PathBuf> = Vec::new();
    for above in place.ancestors().skip(1) {
        match stage.fs.stat(root.at(above)) {
            Ok(found) if found.kind == FileKind::Dir => {
                put.above = (!moved).then(|| Above {
                    rel: Name::of(above),
                    was: Was::of(&found),
                });
                break;
            }
            // What is no folder is moved away before.
            _ => made.push(above.to_owned()),
        }
    }
    put.made = made.iter().rev().map(|path| Name::of(path)).collect();
    put
}

impl Stage<'_> {
    fn lay(
        &self,
        folder: usize,
        name: &str,
        rel: &Path,
        bytes: &[u8],
        executable: bool,
    ) -> Result<Put, PathError> {
        let Some((_, store)) = self.grounds.roots.get(folder).copied() else {
            return Err(PathError {
                path: rel.to_owned(),
                source: std::io::ErrorKind::InvalidInput.into(),
            });
        };
        let at = store.at(Path::new(name));
        let mode = if executable { 0o777 } else { 0o666 };
        let mut file = self.fs.create(at, mode)?;
        let written = file.write_all(bytes).and_then(|()| file.sync());
        if let Err(source) = written {
            drop(file);
            let _ = self.fs.remove(at);
            return Err(PathError {
                path: self.fs.shown(at),
                source,
            });
        }
        self.fs.sync(store.at(Path::new("")))?;
        Ok(Put {
            folder,
            rel: Name::of(rel),
            staged: name.to_owned(),
            sha256: hex(&Sha256::digest(bytes)),
            made: Vec::new(),
            above: None,
        })
    }

    fn clear(&self, puts: &[Put]) {
        for put in puts {
            if let Some((_, store)) = self.grounds.roots.get(put.folder) {
                let _ = self.fs.remove(store.at(Path::new(&put.staged)));
            }
        }
    }
}
