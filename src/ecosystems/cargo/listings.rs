//! Which cached listings matter to a scan of some projects: those of the crates that their lockfiles name.
//!
//! Cargo looks for the listing of a crate in one folder alone, `.cache/<prefix>/<name>` in lower case (cargo 1.95,
//! `sources/registry/index`), so that no other folder needs to be opened.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::authority;

/// Listings by file name, and the folders below `.cache` that cargo looks for them in, all in lower case.
pub(super) struct Listings {
    names: HashSet<String>,
    folders: HashSet<Vec<u8>>,
}

impl Listings {
    /// The listings of the crates of these names.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let names: HashSet<String> = names.map(str::to_ascii_lowercase).collect();
        let mut folders = HashSet::new();
        for name in &names {
            for folder in Path::new(&authority::prefix(name)).ancestors() {
                folders.insert(folder.as_os_str().as_bytes().to_vec());
            }
        }
        Self { names, folders }
    }

    /// Whether a file of this name may be one of them.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(&name.to_ascii_lowercase())
    }

    /// Whether one of them may lie in a folder, by its path below `.cache`.
    pub(super) fn has_folder(&self, below: &Path) -> bool {
        let folded = below.as_os_str().as_bytes().to_ascii_lowercase();
        self.folders.contains(&folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folders_that_cargo_would_look_in_matter() {
        let listings = Listings::of(["Serde", "syn", "a"].into_iter());
        for path in ["se", "se/rd", "SE/rd", "3", "3/s", "1", ""] {
            assert!(listings.has_folder(Path::new(path)), "{path}");
        }
        for path in ["de", "se/se", "rd", "3/a", "2", "serde"] {
            assert!(!listings.has_folder(Path::new(path)), "{path}");
        }
        assert!(listings.has_name("serde") && listings.has_name("SYN"));
        assert!(!listings.has_name("ser"));
    }
}
