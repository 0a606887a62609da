//! Where vaults lie: in our own state, and beside or in a cache, where `heal --isolated` keeps what it takes.
//!
//! A folder beside a cache counts only if it is this user's alone and no link, and if runs lie in it. Whatever it holds is
//! carried out only with the seal of this user, as everywhere.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::allowed::Allowed;
use super::seal::{Seal, SealError};
use super::vault::{BESIDE, Vault, VaultError, run_of};
use crate::world::{FileKind, ReadFs, WriteFs};

/// Vaults of this user, with the key that seals what they hold.
pub struct Places {
    /// In our state, if that is used.
    home: Option<PathBuf>,
    /// Where others may lie.
    beside: Vec<PathBuf>,
    /// Where the key is.
    keys: Option<PathBuf>,
    uid: u32,
    seal: Option<Seal>,
    /// Why there is none, if something is wrong with it.
    unfit: Option<String>,
}

/// Where vaults may lie beside or in these folders.
pub fn beside<'p>(folders: impl Iterator<Item = &'p Path>) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = folders.flat_map(around).collect();
    all.sort();
    all.dedup();
    all
}

/// Where one may lie for this folder: beside it, or in it where that cannot be.
pub fn around(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let places = [folder.parent(), Some(folder)];
    places.into_iter().flatten().map(|place| place.join(BESIDE))
}

/// Journals of runs that are open in such places, by reading alone.
pub fn open_journals(fs: &dyn ReadFs, places: &[PathBuf], uid: u32) -> Vec<PathBuf> {
    let mut open = Vec::new();
    for place in places {
        let Some(above) = place.parent() else {
            continue;
        };
        let Ok(above) = fs.open_root(above) else {
            continue;
        };
        let Ok(dir) = above.dir.open_dir(BESIDE.as_ref()) else {
            continue;
        };
        let ours = dir.stat().is_ok_and(|stat| {
            stat.kind == FileKind::Dir && stat.uid == uid && stat.mode & 0o077 == 0
        });
        for entry in dir.list().unwrap_or_default() {
            if ours
                && entry
                    .name
                    .to_str()
                    .is_some_and(|name| run_of(name).is_some())
            {
                open.push(place.join(entry.name));
            }
        }
    }
    open
}

impl Places {
    /// The vault in our state, if that is used, and those beside or in the folders that are allowed.
    pub fn new(
        fs: &dyn WriteFs,
        home: Option<&Path>,
        keys: Option<&Path>,
        allowed: &Allowed,
        uid: u32,
    ) -> Self {
        let mut places = Self {
            home: home.map(Path::to_owned),
            beside: beside(allowed.folders()),
            keys: keys.map(Path::to_owned),
            uid,
            seal: None,
            unfit: None,
        };
        match places.fit_keys().map(|folder| Seal::read(fs, folder, uid)) {
            Ok(Ok(seal)) => places.seal = seal,
            Ok(Err(error)) => places.unfit = Some(error.to_string()),
            Err(why) => places.unfit = Some(why),
        }
        places
    }

    fn fit_keys(&self) -> Result<&Path, String> {
        let Some(keys) = &self.keys else {
            return Err("there is no place for the key that seals what heal writes down: set XDG_DATA_HOME to a folder of yours that stays".to_owned());
        };
        if self
            .home
            .as_ref()
            .is_some_and(|home| keys.starts_with(home))
        {
            return Err(format!(
                "{}: the key that seals what heal writes down would lie in untaint's own state: set XDG_DATA_HOME to another folder",
                keys.display()
            ));
        }
        Ok(keys)
    }

    /// Why there is no key, where something is wrong with it.
    pub fn unfit(&self) -> Option<&str> {
        self.unfit.as_deref()
    }

    /// The key, made if there is none.
    ///
    /// # Errors
    /// Why there can be none, and what to do.
    pub fn key(
        &self,
        fs: &dyn WriteFs,
        own: &str,
        random: impl FnOnce() -> io::Result<[u8; 32]>,
    ) -> Result<Seal, String> {
        if let Some(seal) = &self.seal {
            return Ok(seal.clone());
        }
        let told = |error: SealError| error.to_string();
        Seal::make(fs, self.fit_keys()?, self.uid, own, random).map_err(told)
    }

    /// Every vault that is there, to look: that of our state first.
    ///
    /// # Errors
    /// When one is there and cannot be opened.
    pub fn look<'a>(&self, fs: &'a dyn WriteFs) -> Result<Vec<Vault<'a>>, VaultError> {
        let mut all = Vec::new();
        if let Some(home) = &self.home {
            all.extend(Vault::look(fs, home, self.uid)?);
        }
        for place in &self.beside {
            // What cannot be opened holds nothing of ours.
            let found = Vault::look_beside(fs, place, self.uid).ok().flatten();
            all.extend(found.filter(holds_runs));
        }
        let sealed = all.into_iter().map(|vault| vault.sealed(self.seal.clone()));
        Ok(sealed.collect())
    }

    /// The vault in our state, for changes; made if need be. `None` where our state is not used.
    ///
    /// # Errors
    /// When it cannot be made, or another process holds it.
    pub fn open_home<'a>(
        &self,
        fs: &'a dyn WriteFs,
        wait: Duration,
    ) -> Result<Option<Vault<'a>>, VaultError> {
        let Some(home) = &self.home else {
            return Ok(None);
        };
        let vault = Vault::open(fs, home, self.uid, wait)?;
        Ok(Some(vault.sealed(self.seal.clone())))
    }

    /// Vaults beside or in caches that hold runs, for changes.
    ///
    /// # Errors
    /// When another process holds one.
    pub fn open_beside<'a>(
        &self,
        fs: &'a dyn WriteFs,
        wait: Duration,
    ) -> Result<Vec<Vault<'a>>, VaultError> {
        let mut all = Vec::new();
        for place in &self.beside {
            let there = Vault::look_beside(fs, place, self.uid).ok().flatten();
            if there.is_some_and(|vault| holds_runs(&vault)) {
                let vault = Vault::open_beside(fs, place, self.uid, wait, false)?;
                all.extend(vault.map(|vault| vault.sealed(self.seal.clone())));
            }
        }
        Ok(all)
    }
}

fn holds_runs(vault: &Vault<'_>) -> bool {
    let any = |runs: Result<Vec<String>, VaultError>| runs.is_ok_and(|runs| !runs.is_empty());
    any(vault.pending()) || any(vault.runs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake_disk::FakeDisk;

    const UID: u32 = 1000;

    fn places(disk: &FakeDisk, keys: &str) -> Places {
        let allowed = Allowed::of([PathBuf::from("/h/cache")]);
        let (home, keys) = (Some(Path::new("/s")), Some(Path::new(keys)));
        Places::new(disk, home, keys, &allowed, UID)
    }

    #[test]
    fn a_folder_beside_a_cache_counts_only_if_it_is_ours_and_holds_runs() {
        let beside = "/h/.untaint-quarantine";
        for (mode, file, counts) in [
            (0o700, "heal-01A.journal", true),
            (0o700, "quarantine/01A/journal", true),
            (0o700, "heal-evil.journal", false),
            (0o700, "01A/i1-0-x", false),
            (0o755, "heal-01A.journal", false),
        ] {
            let disk = FakeDisk::new();
            disk.dir("/h/cache");
            disk.file(&format!("{beside}/{file}"), b"", 0o600);
            disk.mode(beside, mode);
            let found = places(&disk, "/k").look(&disk).unwrap().len();
            assert_eq!(found, usize::from(counts), "{mode:o} {file}");
            let opened = places(&disk, "/k").open_beside(&disk, Duration::ZERO);
            assert_eq!(opened.unwrap().len(), found, "{mode:o} {file}");
        }
        let led = FakeDisk::new();
        led.dir("/h/cache");
        led.file("/evil/heal-01A.journal", b"", 0o600);
        led.mode("/evil", 0o700);
        led.link(beside, "/evil");
        assert!(places(&led, "/k").look(&led).unwrap().is_empty());
    }

    #[test]
    fn the_key_lies_outside_of_what_it_vouches_for() {
        let disk = FakeDisk::new();
        let inside = places(&disk, "/s/untaint");
        assert!(inside.unfit().is_some_and(|why| why.contains("own state")));
        assert!(inside.key(&disk, "01A", || Ok([7; 32])).is_err());
        assert!(disk.bytes("/s/untaint/heal.key").is_none());
        let outside = places(&disk, "/k/untaint");
        assert!(outside.unfit().is_none());
        outside.key(&disk, "01A", || Ok([7; 32])).unwrap();
        assert!(disk.bytes("/k/untaint/heal.key").is_some());
    }
}
