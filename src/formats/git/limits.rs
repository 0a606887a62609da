//! The bounds within which a repository is read.

/// Bounds on memory and work. What meets one is reported as not read, never as clean.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest object held in memory, in bytes (larger ones are hashed as a stream where they are stored whole).
    pub object: u64,
    /// Longest chain of deltas.
    pub chain: usize,
    /// Bytes inflated and copied to rebuild one object from its deltas.
    pub work: u64,
    /// Bytes inflated and copied over a whole full check.
    pub total_work: u64,
    /// Bytes of rebuilt bases kept at hand during a full check.
    pub cache: usize,
    /// Packs in one repository.
    pub packs: usize,
    /// Entries in one index, one worktree, one tree.
    pub entries: usize,
    /// Directory levels in a worktree.
    pub depth: usize,
    /// Differences named; the rest is counted.
    pub differences: usize,
    /// Entries visited to name what is missing (a small repository can describe a huge tree).
    pub missing: usize,
    /// Bytes of a configuration, reference or attributes file.
    pub text: usize,
    /// Alternates followed, one after another.
    pub alternates: usize,
    /// Submodules entered.
    pub submodules: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object: 48 << 20,
            chain: 4096,
            work: 2 << 30,
            total_work: 256 << 30,
            cache: 32 << 20,
            packs: 4096,
            entries: 2_000_000,
            depth: 256,
            differences: 1000,
            missing: 100_000,
            text: 1 << 20,
            alternates: 16,
            submodules: 1024,
        }
    }
}
