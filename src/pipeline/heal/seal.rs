//! The seal of journals: a keyed sum that only this user on this machine can make.
//!
//! A journal says what is moved where, so one that somebody else wrote must never be carried out. Journals lie in the state
//! folder, or beside a cache; both can come out of a restored or copied folder. The key therefore lies elsewhere:
//! `$XDG_DATA_HOME/untaint/heal.key` (`~/.local/share/untaint/heal.key`), 32 random bytes, mode 0600 in a folder of mode
//! 0700, made once and never shown. The rules:
//!
//! - Every line is sealed with keyed BLAKE3 over what it is for, the run's id, the seal of the line before and its own text.
//!   The first line holds the folders of the run. So no line can be changed, left out, moved, or taken from another run; a
//!   closed journal ends with a line that says so, and one that was cut short is refused.
//! - A journal that does not fit is not carried out by anyone: `heal` and `restore` name it and end, `prune` leaves it.
//!   `quarantine list` shows what it says as unsealed, `quarantine export` writes out what it kept, `heal --abandon` closes it.
//! - Without a key nothing new is begun: what could not be taken back later is not done. A key is not made where it would
//!   lie in the state folder, and one that others could read or have written is refused.
//!
//! Whoever can read the key, can forge: code that runs as this user does not need to.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::model::digest::hex;
use crate::world::{FileKind, PathError, WriteFs};

use super::relocate;
use super::vault::own_folder;

/// Name of the key in its folder.
const NAME: &str = "heal.key";
/// Bytes of a key.
const LENGTH: usize = 32;
/// What a sealed line is for; the version is that of the sealing.
const PURPOSE: &str = "untaint journal, sealed 1";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The system refused.
    #[error(
        "the key that seals what heal writes down cannot be kept: {0}: set XDG_DATA_HOME to a folder of yours that can be written and stays"
    )]
    Io(#[from] PathError),
    /// It is none of ours, or not ours alone.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The file or its folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: &'static str,
    },
}

/// Seals lines, and knows its own.
#[derive(Clone)]
pub struct Seal {
    key: [u8; LENGTH],
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// One with this key.
    pub const fn of(key: [u8; LENGTH]) -> Self {
        Self { key }
    }

    /// What a journal of this run begins with.
    pub(super) fn start(&self, run: &str) -> String {
        self.next(run, "", "")
    }

    /// The seal of a line behind the one with this seal, lower-case hex.
    pub(super) fn next(&self, run: &str, before: &str, line: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in [PURPOSE, run, before, line] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hex(hasher.finalize().as_bytes())
    }

    /// Reads the key; `None` where none was ever made.
    ///
    /// # Errors
    /// When something is there that is no key of this user alone.
    pub fn read(fs: &dyn WriteFs, folder: &Path, uid: u32) -> Result<Option<Self>, SealError> {
        let unfit = |why| SealError::Unfit {
            path: folder.join(NAME),
            why,
        };
        match fs.open(folder) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let Some(root) = own_folder(fs, folder, uid, false)? else {
            return Err(SealError::Unfit {
                path: folder.to_owned(),
                why: "a link, or not this user's alone: make it a folder of mode 0700 of this user",
            });
        };
        let at = root.at(Path::new(NAME));
        let stat = match fs.stat(at) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        if stat.kind != FileKind::File
            || stat.uid != uid
            || stat.mode & 0o077 != 0
            || stat.links > 1
        {
            return Err(unfit(
                "others could have read or written it: remove it; journals that are sealed with it are then closed with `untaint heal --abandon`",
            ));
        }
        let mut bytes = Vec::new();
        fs.read(at)?
            .take(LENGTH as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| PathError {
                path: folder.join(NAME),
                source,
            })?;
        match <[u8; LENGTH]>::try_from(&*bytes) {
            Ok(key) if key != [0; LENGTH] => Ok(Some(Self { key })),
            _ => Err(unfit("it is no key: remove it, the next heal makes one")),
        }
    }

    /// Reads the key, or makes one of these random bytes and puts it on disk. Two that make one at once end with the same.
    ///
    /// # Errors
    /// When it can be neither read nor kept.
    pub fn make(
        fs: &dyn WriteFs,
        folder: &Path,
        uid: u32,
        own: &str,
        random: impl FnOnce() -> io::Result<[u8; LENGTH]>,
    ) -> Result<Self, SealError> {
        if let Some(seal) = Self::read(fs, folder, uid)? {
            return Ok(seal);
        }
        let failed = |source| PathError {
            path: folder.join(NAME),
            source,
        };
        let key = random().map_err(failed)?;
        let root = fs.make(folder)?;
        // Whole under its name or not there: written beside, then renamed over nothing.
        let (part, place) = (format!("heal.key.{own}"), Path::new(NAME));
        relocate::discard(fs, root, Path::new(&part))?;
        let mut file = fs.create(root.at(Path::new(&part)), 0o600)?;
        let written = file.write_all(&key).and_then(|()| file.sync());
        drop(file);
        let kept = written
            .map_err(failed)
            .and_then(|()| fs.rename(root.at(Path::new(&part)), root.at(place)))
            .and_then(|()| fs.sync(root.at(Path::new(""))));
        if let Err(error) = kept {
            let _ = relocate::discard(fs, root, Path::new(&part));
            // Another one was faster: its key it is.
            if error.source.kind() != io::ErrorKind::AlreadyExists {
                return Err(error.into());
            }
        }
        Self::read(fs, folder, uid)?.ok_or(SealError::Unfit {
            path: folder.join(NAME),
            why: "it was made and is gone again",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake_disk::FakeDisk;

    const UID: u32 = 1000;

    fn folder() -> &'static Path {
        Path::new("/k/untaint")
    }

    fn made(disk: &FakeDisk, byte: u8) -> Result<Seal, SealError> {
        Seal::make(disk, folder(), UID, "01A", || Ok([byte; LENGTH]))
    }

    #[test]
    fn a_key_is_made_once_for_this_user_alone() {
        let disk = FakeDisk::new();
        assert!(Seal::read(&disk, folder(), UID).unwrap().is_none());
        let first = made(&disk, 7).unwrap();
        let second = made(&disk, 8).unwrap();
        assert_eq!(first.key, second.key);
        assert_eq!(disk.bytes("/k/untaint/heal.key").unwrap(), [7; LENGTH]);
        let image = disk.image("/k");
        let modes: Vec<bool> = ["/k/untaint", "/k/untaint/heal.key"]
            .iter()
            .map(|path| {
                let text = &image[Path::new(path)];
                text.contains("mode 700") || text.contains("mode 600")
            })
            .collect();
        assert_eq!(modes, [true, true], "{image:?}");
        assert_eq!(image.len(), 3, "nothing else is left: {image:?}");
        assert_eq!(format!("{first:?}"), "Seal");
    }

    #[test]
    fn what_is_no_key_of_ours_is_refused_and_left() {
        for (bytes, mode) in [
            (&[7u8; 32][..], 0o644),
            (&[7; 31][..], 0o600),
            (&[7; 33][..], 0o600),
            (&[0; 32][..], 0o600),
            (b"", 0o600),
        ] {
            let disk = FakeDisk::new();
            disk.dir("/k/untaint");
            disk.mode("/k/untaint", 0o700);
            disk.file("/k/untaint/heal.key", bytes, mode);
            assert!(matches!(made(&disk, 9), Err(SealError::Unfit { .. })));
            assert_eq!(disk.bytes("/k/untaint/heal.key").unwrap(), bytes);
        }
        let open = FakeDisk::new();
        open.dir("/k/untaint");
        assert!(matches!(made(&open, 9), Err(SealError::Unfit { .. })));
        let led = FakeDisk::new();
        led.dir("/evil");
        led.mode("/evil", 0o700);
        led.file("/evil/heal.key", &[7; 32], 0o600);
        led.dir("/k");
        led.link("/k/untaint", "/evil");
        assert!(made(&led, 9).is_err());
    }

    #[test]
    fn a_key_that_cannot_be_kept_says_what_to_do_and_leaves_nothing_half() {
        for step in 0.. {
            let disk = FakeDisk::new();
            disk.fail_at(step, io::ErrorKind::StorageFull);
            let made = made(&disk, 7);
            if disk.steps() <= step {
                assert!(step > 3);
                break;
            }
            if let Err(error) = made {
                assert!(error.to_string().contains("XDG_DATA_HOME"), "{error}");
            }
            let read = Seal::read(&disk, folder(), UID).unwrap();
            assert!(read.is_none_or(|seal| seal.key == [7; LENGTH]), "{step}");
        }
    }

    #[test]
    fn seals_differ_by_key_run_place_and_text() {
        let seal = Seal::of([7; LENGTH]);
        let all = [
            seal.next("01A", "x", "y"),
            Seal::of([8; LENGTH]).next("01A", "x", "y"),
            seal.next("01B", "x", "y"),
            seal.next("01A", "z", "y"),
            seal.next("01A", "x", "z"),
            seal.next("01A", "xy", ""),
            seal.start("01A"),
        ];
        let different: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
