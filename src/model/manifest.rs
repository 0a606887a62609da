//! A proven manifest: what a verified archive holds, so that an unpacked tree can be judged without the archive.

use sha2::Digest as _;

use super::digest::Digest;

/// Beside the permission bits of a file: by its own words no build can take it in.
pub const NEVER_BUILT: u32 = 1 << 31;

/// One regular file of an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManifestEntry {
    /// Path as the archive has it, `/` between components; bytes, since archives hold any.
    pub path: Box<[u8]>,
    /// Size in bytes.
    pub size: u64,
    /// Permission bits as the archive states them, and [`NEVER_BUILT`].
    pub mode: u32,
    /// Digest of the content, of the manifest's kind.
    pub sum: [u8; 32],
}

/// What the contents of a manifest's files are digested with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sums {
    /// BLAKE3, the fastest.
    #[default]
    Blake3,
    /// SHA-256, where the archive's own recipe (`h1`) takes it of every file anyway.
    Sha256,
}

impl Sums {
    /// The digest of a whole content.
    pub fn digest(self, content: &[u8]) -> [u8; 32] {
        match self {
            Self::Blake3 => *blake3::hash(content).as_bytes(),
            Self::Sha256 => sha2::Sha256::digest(content).into(),
        }
    }
}

/// What an archive holds, taken while its bytes were hashed.
///
/// It says what the archive with this digest contains; whether that archive is the published one is another claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// SHA-256 of the archive.
    pub archive: Digest,
    /// Sum of the inflated bytes.
    pub inflated: u64,
    /// Regular files, sorted by path.
    pub entries: Vec<ManifestEntry>,
    /// What their contents are digested with.
    pub sums: Sums,
    /// The directory hash (`h1`), where the ecosystem has one.
    pub h1: Option<Digest>,
    /// The archive held entries that an unpacked tree cannot mirror exactly (links, folders with content rules,
    /// names that collide): a tree must then be compared with the archive itself.
    pub irregular: bool,
}

impl Manifest {
    /// The entry at a path, if there is one. Needs `entries` to be sorted by path.
    pub fn entry(&self, path: &[u8]) -> Option<&ManifestEntry> {
        self.entries
            .binary_search_by(|e| (*e.path).cmp(path))
            .ok()
            .and_then(|at| self.entries.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_path() {
        let entry = |path: &[u8]| ManifestEntry {
            path: path.into(),
            size: 1,
            mode: 0o644,
            sum: [0; 32],
        };
        let manifest = Manifest {
            archive: Digest::sha256([1; 32]),
            inflated: 2,
            entries: vec![entry(b"a-1/Cargo.toml"), entry(b"a-1/src/lib.rs")],
            sums: Sums::Blake3,
            h1: None,
            irregular: false,
        };
        assert!(manifest.entry(b"a-1/src/lib.rs").is_some());
        assert!(manifest.entry(b"a-1/src").is_none());
    }
}
