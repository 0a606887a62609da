//! What lies in the quarantine: listing, showing, carrying out in one file, removing for good.
//!
//! A transaction is named `q-<run>-<number>`, as its evidence is. An export is the same bytes for the same quarantine: names sorted, no times, no
//! owners, nobody's home folder in a header.

use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use super::evidence;
use super::index;
use super::journal::{Standing, Story};
use super::look;
use super::record::{Entry, Move, Role};
use super::relocate;
use super::restore::altered;
use super::vault::{self, BESIDE, Vault, VaultError};
use crate::model::{Class, Code};
use crate::world::write_fs::Root;
use crate::world::{FileKind, PathError, WriteFs};

/// Largest export in bytes, before it is packed.
const LARGEST: u64 = 4 << 30;

/// One transaction in the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name: `q-<run>-<number>`.
    pub id: String,
    /// Its run.
    pub run: String,
    /// When the run began, seconds since 1970.
    pub at: i64,
    /// What was written down of it.
    pub entry: Entry,
    /// Where it stands.
    pub standing: Standing,
    /// Whether this user sealed what was written down; else nothing is done by it.
    pub sealed: bool,
    /// Bytes that are still kept.
    pub bytes: u64,
    /// Where each of its things was, and where it lies now.
    pub things: Vec<(PathBuf, PathBuf)>,
}

/// Everything in the quarantine, oldest run first; also what could not be read.
///
/// # Errors
/// When the vault cannot be listed.
pub fn list(vault: &Vault<'_>) -> Result<(Vec<Kept>, Vec<String>), VaultError> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    let (closed, open) = (vault.runs()?, vault.pending()?);
    for run in closed
        .iter()
        .chain(open.iter().filter(|run| !closed.contains(run)))
    {
        match vault.story(run) {
            Ok(Some(story)) => all.extend(kept(vault, run, &story)),
            // Nothing was begun by it yet.
            Ok(None) if open.contains(run) => {}
            Ok(None) => problems.push(format!("{run}: its journal says nothing")),
            Err(error) => {
                problems.push(error.to_string());
                // What it says is shown all the same.
                if let Ok(Some(story)) = vault.told(run) {
                    all.extend(kept(vault, run, &story));
                }
            }
        }
    }
    for run in open.iter().filter(|run| vault.is_twice(run)) {
        problems.push(format!("{run}: it has both an open and a closed journal"));
    }
    all.sort_by(|a, b| (a.at, &a.run, a.entry.number).cmp(&(b.at, &b.run, b.entry.number)));
    Ok((all, problems))
}

fn kept(vault: &Vault<'_>, run: &str, story: &Story) -> Vec<Kept> {
    let stores = stores(vault, story, run);
    let mut all = Vec::new();
    for (entry, standing) in &story.entries {
        let (mut bytes, mut things) = (0u64, Vec::new());
        for mv in &entry.moves {
            let Some(folder) = story.folders.get(mv.folder) else {
                continue;
            };
            let store = stores.get(mv.folder).copied().flatten();
            let item = Path::new(&mv.item);
            if let Some(store) = store
                && let Ok(seen) = vault.fs.stat(store.at(item))
            {
                let counted = || match seen.kind {
                    FileKind::Dir => look::bytes(vault.fs, store, item),
                    _ => seen.size,
                };
                bytes = bytes.saturating_add(mv.bytes.unwrap_or_else(counted));
                things.push((
                    folder.path.path().join(mv.rel.path()),
                    vault.fs.shown(store.at(item)),
                ));
            }
        }
        all.push(Kept {
            id: evidence::id(run, entry.number),
            run: run.to_owned(),
            at: story.at,
            entry: entry.clone(),
            standing: *standing,
            sealed: story.sealed,
            bytes,
            things,
        });
    }
    all
}

/// The places where a run keeps what it took, as far as they are ours by their names.
fn stores(vault: &Vault<'_>, story: &Story, run: &str) -> Vec<Option<Root>> {
    story
        .folders
        .iter()
        .map(|folder| {
            let path = folder.store.path();
            let known = vault.is_store(&path, &folder.path.path(), run);
            let open = |path: &Path| vault::own_folder(vault.fs, path, vault.uid(), false).ok();
            open(path.parent().filter(|_| known)?)??;
            open(&path)?
        })
        .collect()
}

/// Runs that were, or would be, removed with the bytes that they held, and what could not be.
pub type Pruned = (Vec<(String, u64)>, Vec<String>);

/// Which runs are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Every one that is old enough.
    All,
    /// Those without a confirmed taint: of the rest the evidence is kept until somebody removes it by hand.
    Unconfirmed,
}

/// Whether a run holds evidence of what was proven wrong.
fn is_confirmed(story: &Story) -> bool {
    let codes = story.entries.iter().flat_map(|(entry, _)| &entry.codes);
    codes.filter_map(|code| Code::parse(code)).any(|code| {
        matches!(
            code.class(),
            Class::Integrity | Class::Malicious | Class::Indicator | Class::Revoked
        )
    })
}

/// Bytes that lie in the quarantine.
///
/// # Errors
/// When the vault cannot be listed.
pub fn bytes(vault: &Vault<'_>) -> Result<u64, VaultError> {
    let (all, _) = list(vault)?;
    Ok(all.iter().map(|kept| kept.bytes).sum())
}

/// Removes runs for good that are older than this (seconds since 1970); their names and how many bytes they held.
///
/// # Errors
/// When the vault cannot be listed. What cannot be removed stays and is named.
pub fn prune(
    vault: &Vault<'_>,
    before: i64,
    which: Which,
    yes: bool,
) -> Result<Pruned, VaultError> {
    let (mut gone, mut problems) = (Vec::new(), Vec::new());
    for run in vault.runs()? {
        let story = match vault.story(&run) {
            Ok(Some(story)) => story,
            Ok(None) => continue,
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        if story.at >= before || (which == Which::Unconfirmed && is_confirmed(&story)) {
            continue;
        }
        let bytes = kept(vault, &run, &story).iter().map(|k| k.bytes).sum();
        if yes && let Err(error) = remove(vault, &story, &run) {
            problems.push(error.to_string());
            continue;
        }
        gone.push((run, bytes));
    }
    if yes && !gone.is_empty() {
        index::refresh(vault);
    }
    Ok((gone, problems))
}

fn remove(vault: &Vault<'_>, story: &Story, run: &str) -> Result<(), PathError> {
    for folder in &story.folders {
        let path = folder.store.path();
        let beside = vault.is_store(&path, &folder.path.path(), run)
            && path.parent().and_then(Path::file_name) == Some(OsStr::new(BESIDE));
        let (true, Some(parent)) = (beside, path.parent()) else {
            continue;
        };
        // A folder that is a link, or another user's, is none that we made.
        let ours = vault::own_folder(vault.fs, parent, vault.uid(), false)?;
        if ours.is_some() && vault::own_folder(vault.fs, &path, vault.uid(), false)?.is_some() {
            sweep_out(vault, &path)?;
        }
    }
    relocate::discard(vault.fs, vault.base, &vault.kept(run))
}

/// Removes what a run kept beside a cache: things under names of our making alone, and the folder once it is empty.
fn sweep_out(vault: &Vault<'_>, path: &Path) -> Result<(), PathError> {
    let (fs, root) = (vault.fs, vault.fs.open(path)?);
    for entry in fs.list(root.at(Path::new("")))? {
        if entry.name.to_str().is_none_or(|name| !is_ours(name)) {
            return Err(PathError {
                path: path.join(&entry.name),
                source: io::Error::other("nothing of ours: it was left, and so was its folder"),
            });
        }
    }
    for entry in fs.list(root.at(Path::new("")))? {
        relocate::discard(fs, root, Path::new(&entry.name))?;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => fs.remove_dir(fs.open(parent)?.at(Path::new(name))),
        _ => Ok(()),
    }
}

/// Whether a name is one that a run gives to what it keeps: `i<n>-<n>…`, `n<n>-<n>`, `f<n>-<n>…`, or a passing one.
fn is_ours(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = name.splitn(3, '-');
    let numbered = parts
        .next()
        .and_then(|first| first.strip_prefix(['i', 'n', 'f']))
        .is_some_and(digits)
        && parts.next().is_some_and(digits);
    numbered || name.starts_with(".untaint-")
}

/// What of a transaction, or of its evidence, is not what was put there any more, in words.
pub fn changed(vault: &Vault<'_>, kept: &Kept) -> Vec<String> {
    // Else nobody vouches for what it should be.
    let Ok(Some(story)) = vault.story(&kept.run) else {
        return Vec::new();
    };
    let stores = stores(vault, &story, &kept.run);
    let moves = kept.entry.moves.iter();
    let things = moves.filter_map(|mv| {
        let store = stores.get(mv.folder).copied().flatten()?;
        altered(vault.fs, store, mv)
    });
    let mut told: Vec<String> = things.collect();
    let folder = vault
        .kept(&kept.run)
        .join(evidence::folder(kept.entry.number));
    told.extend(evidence::changed(vault, &folder));
    told
}

/// One transaction with its evidence as a `.tar.gz`. What was built from it, the user's own programs too, is packed only if
/// `derived`; the evidence names it.
///
/// # Errors
/// When something of it cannot be read, or it is too large.
pub fn export(
    vault: &Vault<'_>,
    kept: &Kept,
    story: &Story,
    derived: bool,
) -> Result<Vec<u8>, PathError> {
    let packed = GzBuilder::new().write(Vec::new(), Compression::default());
    let mut pack = Pack {
        fs: vault.fs,
        out: packed,
        left: LARGEST,
    };
    let top = PathBuf::from(format!("untaint-{}", kept.id));
    pack.folder(&top)?;
    let told = vault
        .kept(&kept.run)
        .join(evidence::folder(kept.entry.number));
    if relocate::stat(vault.fs, vault.base, &told)?.is_some() {
        pack.tree(vault.base, &told, &top.join("evidence"), 0)?;
    }
    pack.folder(&top.join("things"))?;
    let stores = stores(vault, story, &kept.run);
    // Of what nobody vouches for there is nothing to compare with.
    if let Some(why) = evidence::changed(vault, &told)
        .pop()
        .filter(|_| story.sealed)
    {
        return Err(PathError {
            path: PathBuf::from(&kept.id),
            source: io::Error::other(why),
        });
    }
    let packed = |mv: &&Move| derived || mv.role != Role::Derived;
    for mv in kept.entry.moves.iter().filter(packed) {
        if let Some(store) = stores.get(mv.folder).copied().flatten() {
            let item = Path::new(&mv.item);
            // Of what nobody vouches for there is nothing to compare with.
            if let Some(why) = altered(vault.fs, store, mv).filter(|_| story.sealed) {
                return Err(PathError {
                    path: PathBuf::from(&kept.id),
                    source: io::Error::other(why),
                });
            }
            if relocate::stat(vault.fs, store, item)?.is_some() {
                pack.tree(store, item, &top.join("things").join(item), 0)?;
            }
        }
    }
    let done = pack
        .out
        .write_all(&[0u8; 1024])
        .and_then(|()| pack.out.finish());
    done.map_err(|source| PathError { path: top, source })
}

struct Pack<'a> {
    fs: &'a dyn WriteFs,
    out: flate2::write::GzEncoder<Vec<u8>>,
    left: u64,
}

impl Pack<'_> {
    fn tree(&mut self, root: Root, rel: &Path, name: &Path, depth: usize) -> Result<(), PathError> {
        let stat = self.fs.stat(root.at(rel))?;
        match stat.kind {
            FileKind::Dir if depth > look::DEPTH => Err(PathError {
                path: rel.to_owned(),
                source: io::Error::other("folders lie too deep in one another"),
            }),
            FileKind::Dir => {
                self.folder(name)?;
                for entry in self.fs.list(root.at(rel))? {
                    let below = rel.join(&entry.name);
                    self.tree(root, &below, &name.join(&entry.name), depth + 1)?;
                }
                Ok(())
            }
            FileKind::Link => {
                let target = self.fs.read_link(root.at(rel))?;
                self.header(name, b'2', 0, target.as_bytes())
            }
            FileKind::File => {
                let Some(left) = self.left.checked_sub(stat.size) else {
                    return Err(PathError {
                        path: rel.to_owned(),
                        source: io::ErrorKind::FileTooLarge.into(),
                    });
                };
                self.left = left;
                self.header(name, b'0', stat.size, b"")?;
                let file = self.fs.read(root.at(rel))?;
                let copied = io::copy(&mut file.take(stat.size), &mut self.out);
                let copied = copied.and_then(|count| {
                    if count < stat.size {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.fill(count)
                });
                copied.map_err(|source| PathError {
                    path: rel.to_owned(),
                    source,
                })
            }
            // A pipe has no content.
            FileKind::Other => Ok(()),
        }
    }

    fn folder(&mut self, name: &Path) -> Result<(), PathError> {
        let mut bytes = name.as_os_str().as_bytes().to_vec();
        bytes.push(b'/');
        self.header(Path::new(OsStr::from_bytes(&bytes)), b'5', 0, b"")
    }

    /// A ustar header; long names and targets by a pax header before it (POSIX.1-2001).
    fn header(&mut self, name: &Path, kind: u8, size: u64, target: &[u8]) -> Result<(), PathError> {
        let bytes = name.as_os_str().as_bytes();
        let mut more = Vec::new();
        for (key, value) in [("path", bytes), ("linkpath", target)] {
            if value.len() > 100 {
                more.extend(pax(key, value));
            }
        }
        let written = if more.is_empty() {
            Ok(())
        } else {
            self.out
                .write_all(&ustar(b"pax", b'x', more.len() as u64, b""))
                .and_then(|()| self.out.write_all(&more))
                .and_then(|()| self.fill(more.len() as u64))
        };
        written
            .and_then(|()| self.out.write_all(&ustar(bytes, kind, size, target)))
            .map_err(|source| PathError {
                path: name.to_owned(),
                source,
            })
    }

    /// Zeros up to the next block.
    fn fill(&mut self, size: u64) -> io::Result<()> {
        let over = usize::try_from(size % 512).unwrap_or(0);
        if over > 0 {
            self.out.write_all(&vec![0u8; 512 - over])?;
        }
        Ok(())
    }
}

/// `<length> <key>=<value>\n`, the length counting itself.
fn pax(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

fn ustar(name: &[u8], kind: u8, size: u64, target: &[u8]) -> [u8; 512] {
    let mut block = [0u8; 512];
    let mode: &[u8] = if kind == b'5' {
        b"0000700\0"
    } else {
        b"0000600\0"
    };
    let size = format!("{size:011o}\0");
    let fields: [(usize, usize, &[u8]); 10] = [
        (0, 100, name),
        (100, 8, mode),
        (108, 8, b"0000000\0"),
        (116, 8, b"0000000\0"),
        (124, 12, size.as_bytes()),
        (136, 12, b"00000000000\0"),
        (148, 8, b"        "),
        (156, 1, &[kind]),
        (157, 100, target),
        (257, 8, b"ustar\x0000"),
    ];
    for (at, most, value) in fields {
        let room = block.iter_mut().skip(at).take(most);
        for (to, from) in room.zip(value) {
            *to = *from;
        }
    }
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    let sum = format!("{sum:06o}\0 ");
    for (to, from) in block.iter_mut().skip(148).zip(sum.as_bytes()) {
        *to = *from;
    }
    block
}
