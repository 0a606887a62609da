//! Folders that the measured runs need: parts of the CARGO_HOME as copies, states that have learned this and that.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::child::Child;

/// Where everything is.
pub(crate) struct Place {
    /// The program under test.
    pub(crate) program: PathBuf,
    /// The CARGO_HOME that was named.
    pub(crate) home: PathBuf,
    /// A copy of its archives alone.
    pub(crate) archives: PathBuf,
    /// A copy of its archives and unpacked sources, without the index.
    pub(crate) sources: PathBuf,
    /// A copy of its archives and index, without unpacked sources: what a CI cache restores.
    pub(crate) restored: PathBuf,
    /// State that knows what the registry says, and no archive.
    claims: PathBuf,
    work: PathBuf,
}

impl Place {
    /// Copies what is needed and asks the registry once a day.
    pub(crate) fn prepare(home: &Path) -> Result<Self> {
        let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed");
        let place = Self {
            program: PathBuf::from(env!("CARGO_BIN_EXE_untaint")),
            home: home.canonicalize()?,
            archives: work.join("archives"),
            sources: work.join("sources"),
            restored: work.join("restored"),
            claims: work.join("claims-state"),
            work,
        };
        let registry = place.home.join("registry");
        if !registry.join("cache").is_dir() {
            let why = format!("{} holds no registry/cache", place.home.display());
            return Err(Error::other(why));
        }
        let index = place.work.join("index");
        let copies: [(&Path, &[&str]); 4] = [
            (&place.archives, &["cache"]),
            (&place.sources, &["cache", "src"]),
            (&place.restored, &["cache", "index"]),
            (&index, &["index"]),
        ];
        for (to, parts) in copies {
            let to = to.join("registry");
            for part in parts.iter().filter(|part| !to.join(part).is_dir()) {
                copy(&registry.join(part), &to.join(part))?;
            }
        }
        // Online, beside nothing but index files: what the registry says of every crate, and no manifest.
        Child::audit(&place.program, "cargo", &index)
            .state(&place.claims)
            .arg("--no-advisories")
            .run()?;
        Ok(place)
    }

    /// An offline scan that knows what is in `state`.
    pub(crate) fn audit(&self, home: &Path, state: &Path) -> Child {
        Child::audit(&self.program, "cargo", home)
            .state(state)
            .arg("--offline")
            .arg("--no-advisories")
    }

    /// An empty state.
    pub(crate) fn empty(&self, name: &str) -> Result<PathBuf> {
        let state = self.work.join(name);
        if state.is_dir() {
            std::fs::remove_dir_all(&state)?;
        }
        std::fs::create_dir_all(&state)?;
        Ok(state)
    }

    /// A state that knows the registry's answers and no archive.
    pub(crate) fn copy_of_claims(&self, name: &str) -> Result<PathBuf> {
        let state = self.empty(name)?;
        copy(&self.claims, &state)?;
        Ok(state)
    }

    /// A state that has seen `home` twice: nothing is new to it.
    pub(crate) fn learned(&self, name: &str, home: &Path) -> Result<PathBuf> {
        let state = self.copy_of_claims(name)?;
        for _ in 0..2 {
            self.audit(home, &state).run()?;
        }
        Ok(state)
    }

    /// The claims of a state as a file, named with its digest.
    pub(crate) fn export(&self, state: &Path) -> Result<String> {
        let bytes = Child::new(&self.program)
            .state(state)
            .arg("claims")
            .arg("export")
            .output()?;
        let path = self.work.join("claims.export");
        std::fs::write(&path, &bytes)?;
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Ok(format!("{}@sha256:{digest}", path.display()))
    }

    /// One line about what is measured.
    pub(crate) fn describe(&self) -> Result<String> {
        let registry = self.home.join("registry");
        let (mut crates, mut packed) = (0u64, 0u64);
        each(&registry.join("cache"), &mut |_, size| {
            crates += 1;
            packed += size;
        })?;
        let (mut files, mut unpacked) = (0u64, 0u64);
        each(&registry.join("src"), &mut |_, size| {
            files += 1;
            unpacked += size;
        })?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(format!(
            "{cores} cores; {crates} archives of {} MB; {files} unpacked files of {} MB",
            packed / 1_000_000,
            unpacked / 1_000_000
        ))
    }

    /// Bytes of all files below a folder.
    pub(crate) fn size(&self, dir: &Path) -> Result<u64> {
        let mut total = 0;
        each(dir, &mut |_, size| total += size)?;
        Ok(total)
    }
}

/// Calls `take` with every regular file below a folder, and its size.
pub(crate) fn each(dir: &Path, take: &mut impl FnMut(&Path, u64)) -> Result<()> {
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            let stat = entry.metadata()?;
            if stat.is_dir() {
                open.push(entry.path());
            } else if stat.is_file() {
                take(&entry.path(), stat.len());
            }
        }
    }
    Ok(())
}

pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
