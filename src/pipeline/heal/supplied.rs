//! What is put in place of what goes: fetched before any lock is taken, several at once, verified, and laid ready on the
//! file system that it belongs to.
//!
//! What nobody could give is told in words; nothing that does not fit its digest is ever laid ready.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;

use sha2::{Digest as _, Sha256};

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
    pub(super) archives: Vec<Vec<u8>>,
    /// What could not be had, and why.
    pub(super) why_not: Option<String>,
    /// Why the step cannot be done.
    pub(super) failed: Option<String>,
}

/// Where things are laid ready.
pub(super) struct Stage<'a> {
    pub(super) fs: &'a dyn WriteFs,
    pub(super) orders: &'a Orders<'a>,
    pub(super) grounds: &'a Grounds<'a>,
    /// Position of a root among the folders of the record.
    pub(super) at: &'a BTreeMap<usize, usize>,
}

/// One thing to be had.
enum Need<'a> {
    Wanted(&'a Wanted),
    Copy(&'a Copy),
}

/// Fetches everything for all steps, by their numbers.
pub(super) fn fetch(stage: &Stage<'_>, plan: &Plan) -> BTreeMap<u32, Goods> {
    let mut all = BTreeMap::new();
    let mut needs: Vec<(u32, usize, &Step, Need<'_>)> = Vec::new();
    for (number, step) in (1u32..).zip(&plan.steps) {
        let mut goods = Goods::default();
        if stage.orders.evict {
            goods.why_not = Some("nothing was to be fetched".to_owned());
        } else {
            goods.why_not = step.unfetched.map(str::to_owned);
            let wanted = step.wanted.iter().map(Need::Wanted);
            let copies = step.copies.iter().map(Need::Copy);
            let numbered = wanted.chain(copies).enumerate();
            needs.extend(numbered.map(|(at, need)| (number, at, step, need)));
        }
        all.insert(number, goods);
    }
    for some in needs.chunks(AT_ONCE) {
        if (stage.orders.cancelled)() {
            break;
        }
        let fetched: Vec<Result<Vec<u8>, String>> = thread::scope(|scope| {
            let running: Vec<_> = some
                .iter()
                .map(|(_, _, step, need)| scope.spawn(move || stage.get(step, need)))
                .collect();
            let gone = || Err("it could not be fetched".to_owned());
            running
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|_| gone()))
                .collect()
        });
        for ((number, at, _, need), bytes) in some.iter().zip(fetched) {
            let goods = all.entry(*number).or_default();
            match (need, bytes) {
                (_, Err(why)) => goods.why_not = Some(why),
                (Need::Copy(_), Ok(bytes)) => goods.archives.push(bytes),
                (Need::Wanted(wanted), Ok(bytes)) => {
                    let (root, rel) = wanted.place();
                    let Some(folder) = stage.at.get(&root).copied() else {
                        continue;
                    };
                    match stage.lay(folder, &format!("n{number}-{at}"), rel, &bytes, false) {
                        Ok(put) => goods.puts.push(put),
                        Err(error) => {
                            let why = format!("the replacement cannot be written: {error}");
                            goods.failed = Some(why);
                        }
                    }
                }
            }
        }
    }
    all
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
    for (at, (copy, archive)) in step.copies.iter().zip(&goods.archives).enumerate() {
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
    fn get(&self, step: &Step, need: &Need<'_>) -> Result<Vec<u8>, String> {
        let supply = self.orders.supply;
        let (artifact, digest, held) = match need {
            Need::Wanted(Wanted::Known { bytes, .. }) => return Ok(bytes.clone()),
            Need::Wanted(Wanted::Listing { coordinate, .. }) => return supply.listing(coordinate),
            Need::Wanted(Wanted::Archive {
                artifact, digest, ..
            }) => (artifact, digest, None),
            Need::Copy(copy) => (&copy.artifact, &copy.digest, Some(&copy.held)),
        };
        for (root, rel) in held.into_iter().flatten() {
            if let Some(bytes) = self.held(*root, rel)
                && step.healer().fits(artifact, &bytes, digest)
            {
                return Ok(bytes);
            }
        }
        let bytes = supply.archive(artifact, digest)?;
        // Whoever fetched it has compared it; this is the place where it counts.
        if step.healer().fits(artifact, &bytes, digest) {
            Ok(bytes)
        } else {
            Err("what was fetched is not what was published".to_owned())
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
