//! The journal: one checksummed line per step, on disk before the step is done.
//!
//! A line is the SHA-256 of the line before it and of its own JSON, a space, the JSON. A last line that was torn by a
//! power cut is dropped; any other line that does not fit its checksum means that somebody changed the file, and then
//! nothing at all is done by it.

use std::io::Write as _;
use std::path::Path;

use super::chain::{self, link};
use super::record::{Entry, Folder, Line, VERSION};
use crate::world::write_fs::{NewFile, Root};
use crate::world::{PathError, WriteFs};

/// Largest journal that is read, in bytes.
const LARGEST: u64 = 1 << 30;
/// What a chain of lines begins with.
const SEED: &str = "untaint journal";

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
    /// Checksum of the last line.
    pub chain: String,
    /// Bytes of whole lines.
    pub whole: u64,
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
        name: &str,
        id: &str,
        at: i64,
        folders: &[Folder],
    ) -> Result<Self, PathError> {
        let place = base.at(Path::new(name));
        let mut journal = Self {
            file: fs.create(place, 0o600)?,
            path: fs.shown(place),
            chain: link(SEED, id),
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
        name: &str,
        story: &Story,
    ) -> Result<Self, PathError> {
        let place = base.at(Path::new(name));
        let size = fs.stat(place)?.size;
        let mut journal = Self {
            file: fs.append(place)?,
            path: fs.shown(place),
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
        let next = link(&self.chain, &json);
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
pub fn read(fs: &dyn WriteFs, base: Root, name: &Path) -> Result<Option<Story>, JournalError> {
    let at = base.at(name);
    let shown = fs.shown(at).display().to_string();
    let mut file = fs.read(at)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, LARGEST), &mut bytes).map_err(
        |source| PathError {
            path: fs.shown(at),
            source,
        },
    )?;
    parse(&bytes, &shown)
}

/// Reads the bytes of a journal.
///
/// # Errors
/// [`JournalError`] when it cannot be gone by.
pub fn parse(bytes: &[u8], name: &str) -> Result<Option<Story>, JournalError> {
    let mut story = Story::default();
    for (number, raw) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let text = raw.strip_suffix(b"\n").unwrap_or(raw);
        let parsed = line(text, number == 0, &story.chain).filter(|_| text.len() < raw.len());
        let Some((chain, line)) = parsed else {
            // A power cut leaves half a line, which says nothing. A whole one that does not fit was changed, or stands
            // behind one that was.
            if says_something(text) && text.len() < raw.len() {
                return Err(JournalError::Changed {
                    name: name.to_owned(),
                    line: number + 1,
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

/// A line by its checksum: the first one carries the id that its chain begins with.
fn line(text: &[u8], first: bool, chain: &str) -> Option<(String, Line)> {
    if !first {
        return line_of(text, chain);
    }
    let json = text.get(65..)?;
    let Line::Run { id, .. } = serde_json::from_slice(json).ok()? else {
        return None;
    };
    line_of(text, &link(SEED, &id))
}

/// Whether a line is one by its form, whatever its checksum.
fn says_something(text: &[u8]) -> bool {
    text.get(65..)
        .is_some_and(|json| serde_json::from_slice::<Line>(json).is_ok())
}

fn line_of(text: &[u8], chain: &str) -> Option<(String, Line)> {
    let (next, json) = chain::follow(text, chain)?;
    Some((next, serde_json::from_str(json).ok()?))
}

fn follow(story: &mut Story, line: Line, number: usize, name: &str) -> Result<(), JournalError> {
    let refused = |why: &str| JournalError::Refused {
        name: name.to_owned(),
        why: why.to_owned(),
    };
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
    }
    Ok(())
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
