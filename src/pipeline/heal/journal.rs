//! The journal: one sealed line per step, on disk before the step is done.
//!
//! A line is its seal ([`super::seal`]: over the run, the seal of the line before it and its own JSON), a space, the JSON. A
//! last line that was torn by a power cut is dropped; any other line that does not fit means that somebody else wrote or
//! changed the file, and then nothing at all is done by it. What it says can still be told ([`tell`]).

use std::io::Write as _;
use std::path::Path;

use super::record::{Entry, Folder, Line, VERSION};
use super::seal::Seal;
use super::vault::journal_name;
use crate::world::write_fs::{NewFile, Root};
use crate::world::{PathError, WriteFs};

/// Largest journal that is read, in bytes.
const LARGEST: u64 = 1 << 30;
/// Letters of a seal.
const SEALED: usize = 64;

/// Why a journal cannot be gone by.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] PathError),
    /// Somebody changed it.
    #[error(
        "{name}: line {line} was changed by hand: nothing is done by it; look at what lies in the quarantine, then move it away"
    )]
    Changed {
        /// The file.
        name: String,
        /// Which line.
        line: usize,
    },
    /// This user on this machine did not write it.
    #[error(
        "{name}: it is not sealed by this user on this machine{why}: nothing is done by it; `untaint quarantine export` writes out what lies there, `untaint heal --abandon` closes it"
    )]
    Unsealed {
        /// The file.
        name: String,
        /// Why it cannot be told, or nothing.
        why: &'static str,
    },
    /// Its end is missing.
    #[error(
        "{name}: its end was cut off: nothing is done by it; `untaint quarantine export` writes out what lies there"
    )]
    Cut {
        /// The file.
        name: String,
    },
    /// A newer version wrote it.
    #[error("{name}: written by a newer untaint: finish it with that one")]
    Newer {
        /// The file.
        name: String,
    },
    /// It names what it must not.
    #[error("{name}: {why}: nothing is done by it")]
    Refused {
        /// The file.
        name: String,
        /// Why.
        why: String,
    },
}

/// What a journal says.
#[derive(Debug, Default)]
pub struct Story {
    /// The run's id.
    pub id: String,
    /// When it began, seconds since 1970.
    pub at: i64,
    /// Folders that it changes.
    pub folders: Vec<Folder>,
    /// Its transactions, each with where it stands.
    pub entries: Vec<(Entry, Standing)>,
    /// Seal of the last line.
    pub chain: String,
    /// Bytes of whole lines.
    pub whole: u64,
    /// Whether every line is sealed by this user: only then may anything be done by it.
    pub sealed: bool,
    /// Whether its last line says that it ends there.
    pub ended: bool,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Begun: to be finished or taken back.
    Begun,
    /// Done.
    Done,
    /// Taken back.
    Undone,
    /// Being put back: to be finished.
    Restoring,
    /// Put back.
    Restored,
    /// Given up where it stood: what was moved is in the quarantine, the rest in its place.
    Abandoned,
}

impl Story {
    /// Whether something was begun that has no end.
    pub fn is_pending(&self) -> bool {
        self.entries
            .iter()
            .any(|(_, s)| matches!(s, Standing::Begun | Standing::Restoring))
    }
}

/// Writes a journal.
pub struct Journal {
    file: Box<dyn NewFile>,
    path: std::path::PathBuf,
    seal: Seal,
    run: String,
    chain: String,
    /// A line could not be written: no other may follow.
    broken: bool,
}

impl Journal {
    /// Begins one.
    ///
    /// # Errors
    /// When it cannot be made and put on disk.
    pub fn begin(
        fs: &dyn WriteFs,
        base: Root,
        seal: &Seal,
        id: &str,
        at: i64,
        folders: &[Folder],
    ) -> Result<Self, PathError> {
        let name = journal_name(id);
        let place = base.at(Path::new(&name));
        let mut journal = Self {
            file: fs.create(place, 0o600)?,
            path: fs.shown(place),
            seal: seal.clone(),
            run: id.to_owned(),
            chain: seal.start(id),
            broken: false,
        };
        journal.line(&Line::Run {
            version: VERSION,
            id: id.to_owned(),
            at,
            folders: folders.to_vec(),
        })?;
        fs.sync(base.at(Path::new("")))?;
        Ok(journal)
    }

    /// Goes on with one that was read.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn resume(
        fs: &dyn WriteFs,
        base: Root,
        seal: &Seal,
        story: &Story,
    ) -> Result<Self, PathError> {
        let name = journal_name(&story.id);
        let place = base.at(Path::new(&name));
        let size = fs.stat(place)?.size;
        let mut journal = Self {
            file: fs.append(place)?,
            path: fs.shown(place),
            seal: seal.clone(),
            run: story.id.clone(),
            chain: story.chain.clone(),
            broken: false,
        };
        // What is gone by must be on disk: the process that wrote it may have ended before it was.
        journal.write(b"")?;
        fs.sync(base.at(Path::new("")))?;
        if size > story.whole {
            // What a power cut tore off is closed, so that the next line stands alone.
            journal.write(b"\n")?;
        }
        Ok(journal)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PathError> {
        self.file
            .write_all(bytes)
            .and_then(|()| self.file.sync())
            .map_err(|source| PathError {
                path: self.path.clone(),
                source,
            })
    }

    /// Writes a line and puts it on disk.
    ///
    /// # Errors
    /// When that fails; then nothing that the line announces may be done.
    pub fn line(&mut self, line: &Line) -> Result<(), PathError> {
        let json = serde_json::to_string(line).map_err(|e| PathError {
            path: self.path.clone(),
            source: std::io::Error::other(e),
        })?;
        if self.broken {
            return Err(PathError {
                path: self.path.clone(),
                source: std::io::Error::other("an earlier line of it could not be written"),
            });
        }
        let next = self.seal.next(&self.run, &self.chain, &json);
        let written = self.write(format!("{next} {json}\n").as_bytes());
        // Whether the line is on disk is not known then: another behind it would not fit.
        self.broken = written.is_err();
        self.chain = next;
        written
    }
}

/// Reads a journal.
///
/// # Errors
/// [`JournalError`] when it cannot be gone by. A journal without a first line is `None`: nothing was begun by it.
pub fn read(
    fs: &dyn WriteFs,
    base: Root,
    name: &Path,
    seal: Option<&Seal>,
) -> Result<Option<Story>, JournalError> {
    let shown = fs.shown(base.at(name)).display().to_string();
    parse(&bytes(fs, base, name)?, &shown, seal)
}

/// Reads what a journal says, whoever wrote it: to be shown, never to be carried out.
///
/// # Errors
/// When it cannot be read, or names what it must not.
pub fn tell(fs: &dyn WriteFs, base: Root, name: &Path) -> Result<Option<Story>, JournalError> {
    let shown = fs.shown(base.at(name)).display().to_string();
    let bytes = bytes(fs, base, name)?;
    let mut story = Story::default();
    let said = bytes.split(|b| *b == b'\n').filter_map(said);
    for (number, line) in said.enumerate() {
        follow(&mut story, line, number, &shown)?;
    }
    Ok((!story.id.is_empty()).then_some(story))
}

fn bytes(fs: &dyn WriteFs, base: Root, name: &Path) -> Result<Vec<u8>, PathError> {
    let at = base.at(name);
    let (mut file, mut bytes) = (fs.read(at)?, Vec::new());
    std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, LARGEST), &mut bytes).map_err(
        |source| PathError {
            path: fs.shown(at),
            source,
        },
    )?;
    Ok(bytes)
}

/// Reads the bytes of a journal.
///
/// # Errors
/// [`JournalError`] when it cannot be gone by.
pub fn parse(bytes: &[u8], name: &str, seal: Option<&Seal>) -> Result<Option<Story>, JournalError> {
    let mut story = Story {
        sealed: true,
        ..Story::default()
    };
    let unsealed = |why| JournalError::Unsealed {
        name: name.to_owned(),
        why,
    };
    for (number, raw) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let text = raw.strip_suffix(b"\n").unwrap_or(raw);
        let known = |seal: &Seal| line(text, seal, &story);
        let parsed = seal.and_then(known).filter(|_| text.len() < raw.len());
        let Some((chain, line)) = parsed else {
            // A power cut leaves half a line, which says nothing. A whole one that does not fit is another's, was changed,
            // or stands behind one that was.
            if text.len() < raw.len() && said(text).is_some() {
                return Err(match (seal, number) {
                    (None, _) => unsealed(", which has no key (see XDG_DATA_HOME)"),
                    (Some(_), 0) => unsealed(""),
                    (Some(_), _) => JournalError::Changed {
                        name: name.to_owned(),
                        line: number + 1,
                    },
                });
            }
            continue;
        };
        story.chain = chain;
        story.whole += raw.len() as u64;
        follow(&mut story, line, number, name)?;
    }
    Ok((!story.id.is_empty()).then_some(story))
}

/// A line with its seal, if it fits: the first one carries the id that its chain begins with.
fn line(text: &[u8], seal: &Seal, story: &Story) -> Option<(String, Line)> {
    let line = said(text)?;
    let json = std::str::from_utf8(text.get(SEALED + 1..)?).ok()?;
    let next = match &line {
        Line::Run { id, .. } if story.id.is_empty() => seal.next(id, &seal.start(id), json),
        _ => seal.next(&story.id, &story.chain, json),
    };
    let fits = blake3::hash(next.as_bytes()) == blake3::hash(text.get(..SEALED)?);
    fits.then_some((next, line))
}

/// What a line says, whatever its seal.
fn said(text: &[u8]) -> Option<Line> {
    let json = text.get(SEALED + 1..)?;
    (text.get(SEALED) == Some(&b' ')).then_some(())?;
    serde_json::from_slice(json).ok()
}

fn follow(story: &mut Story, line: Line, number: usize, name: &str) -> Result<(), JournalError> {
    let refused = |why: &str| JournalError::Refused {
        name: name.to_owned(),
        why: why.to_owned(),
    };
    let ends = line == Line::End;
    let mut stand = |number: u32, to: Standing| {
        let found = story.entries.iter_mut().find(|(e, _)| e.number == number);
        match found {
            Some((_, standing)) => {
                *standing = to;
                Ok(())
            }
            None => Err(refused("it ends what it never began")),
        }
    };
    match line {
        Line::Run {
            version,
            id,
            at,
            folders,
        } => {
            if version > VERSION {
                return Err(JournalError::Newer {
                    name: name.to_owned(),
                });
            }
            if version < VERSION {
                return Err(refused("an earlier untaint wrote it"));
            }
            let plain = id.bytes().all(|b| b.is_ascii_alphanumeric());
            if number != 0 || !plain || id.is_empty() || id.len() > 40 {
                return Err(refused("it does not begin as a journal does"));
            }
            (story.id, story.at, story.folders) = (id, at, folders);
        }
        Line::Begin(entry) => {
            entry
                .check(story.folders.len())
                .map_err(|why| refused(&why))?;
            story.entries.push((*entry, Standing::Begun));
        }
        Line::Done(number) => stand(number, Standing::Done)?,
        Line::Undone(number) => stand(number, Standing::Undone)?,
        Line::Restore(entry) => {
            entry
                .check(story.folders.len())
                .map_err(|why| refused(&why))?;
            let number = entry.number;
            let known = story.entries.iter_mut().find(|(e, _)| e.number == number);
            let Some(known) = known else {
                return Err(refused("it puts back what it never took"));
            };
            *known = (*entry, Standing::Restoring);
        }
        Line::Restored(number) => stand(number, Standing::Restored)?,
        Line::Abandoned(number) => stand(number, Standing::Abandoned)?,
        Line::End => {}
    }
    story.ended = ends;
    Ok(())
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
