//! How much an archive may cost before its reading is given up.
//!
//! Every reader of this folder takes a [`Limits`]. Numbers that an archive states about itself are never
//! used to allocate; they are compared with these. Sources of the presets: cargo 1.95
//! (`sources/registry/mod.rs`, unpacking limit) and Go's x/mod 0.30 (`zip/zip.go`, `Max…` constants).

use thiserror::Error;

const MIB: u64 = 1 << 20;

/// Bounds for one archive. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest archive file.
    pub max_compressed: u64,
    /// Largest sum of inflated bytes, whatever the ratio.
    pub max_inflated: u64,
    /// Inflated bytes per compressed byte, applied only above `ratio_floor`.
    pub max_ratio: u64,
    /// Inflated bytes that are always granted, however small the archive is.
    pub ratio_floor: u64,
    /// Largest number of members.
    pub max_entries: u64,
    /// Longest member name, in bytes.
    pub max_name: usize,
    /// Most components in a member name.
    pub max_depth: usize,
    /// Largest extension record (one PAX header of a tar archive), in bytes.
    pub max_record: usize,
}

impl Limits {
    /// For archives without a rule of their own: 2 GiB compressed, 16 GiB inflated, 512 MiB always granted
    /// and 100:1 above that, a million members, names of 4096 bytes and 128 components.
    ///
    /// 128 components and 4096 bytes are what Linux lets a path have in practice; a million members is seven
    /// times the largest module zip that was measured (135,561).
    pub const DEFAULT: Self = Self {
        max_compressed: 2048 * MIB,
        max_inflated: 16_384 * MIB,
        max_ratio: 100,
        ratio_floor: 512 * MIB,
        max_entries: 1_000_000,
        max_name: 4096,
        max_depth: 128,
        max_record: 1 << 20,
    };

    /// For `.crate` files: cargo inflates up to the larger of 512 MiB and twenty times the archive.
    pub const CARGO_CRATE: Self = Self {
        max_inflated: u64::MAX,
        max_ratio: 20,
        ratio_floor: 512 * MIB,
        ..Self::DEFAULT
    };

    /// For Go module zips: 500 MiB for the archive and 500 MiB for all members together, no ratio.
    pub const GO_MODULE: Self = Self {
        max_compressed: 500 * MIB,
        max_inflated: 500 * MIB,
        ratio_floor: 500 * MIB,
        ..Self::DEFAULT
    };

    /// How many inflated bytes an archive of `compressed` bytes may yield.
    #[must_use]
    pub fn inflated_cap(&self, compressed: u64) -> u64 {
        compressed
            .saturating_mul(self.max_ratio)
            .max(self.ratio_floor)
            .min(self.max_inflated)
    }

    /// Checks a member name against the length and depth bounds.
    ///
    /// # Errors
    /// [`LimitError`] when the name is longer or deeper than allowed.
    pub fn check_name(&self, name: &[u8]) -> Result<(), LimitError> {
        if name.len() > self.max_name {
            return Err(LimitError::new(Limit::Name, self.max_name as u64));
        }
        // A name of n bytes has at most n + 1 components: most names need no counting.
        if name.len() >= self.max_depth
            && name.iter().filter(|b| **b == b'/').count() >= self.max_depth
        {
            return Err(LimitError::new(Limit::Depth, self.max_depth as u64));
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which bound was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The archive file itself.
    Compressed,
    /// The sum of inflated bytes.
    Inflated,
    /// The number of members.
    Entries,
    /// The length of a name.
    Name,
    /// The number of components of a name.
    Depth,
    /// The length of an extension record.
    Record,
}

impl Limit {
    const fn noun(self) -> &'static str {
        match self {
            Self::Compressed => "archive bytes",
            Self::Inflated => "inflated bytes",
            Self::Entries => "members",
            Self::Name => "bytes in a member name",
            Self::Depth => "components in a member name",
            Self::Record => "bytes in an extension record",
        }
    }
}

/// An archive asks for more than its limits grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("more than {granted} {}; not read further", .limit.noun())]
pub struct LimitError {
    /// The bound that was crossed.
    pub limit: Limit,
    /// What it grants.
    pub granted: u64,
}

impl LimitError {
    /// Says that `limit` was crossed, which grants `granted`.
    #[must_use]
    pub const fn new(limit: Limit, granted: u64) -> Self {
        Self { limit, granted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_follow_the_rule_of_cargo() {
        let limits = Limits::CARGO_CRATE;
        assert_eq!(limits.inflated_cap(1), 512 * MIB);
        assert_eq!(limits.inflated_cap(100 * MIB), 2000 * MIB);
        assert_eq!(limits.inflated_cap(u64::MAX), u64::MAX);
    }

    #[test]
    fn modules_have_no_ratio() {
        assert_eq!(Limits::GO_MODULE.inflated_cap(1), 500 * MIB);
        assert_eq!(Limits::GO_MODULE.inflated_cap(500 * MIB), 500 * MIB);
    }

    #[test]
    fn names_are_bounded_in_length_and_depth() {
        let limits = Limits {
            max_name: 10,
            max_depth: 3,
            ..Limits::DEFAULT
        };
        assert_eq!(limits.check_name(b"a/b/c"), Ok(()));
        assert_eq!(
            limits.check_name(b"a/b/c/d").map_err(|e| e.limit),
            Err(Limit::Depth)
        );
        assert_eq!(
            limits.check_name(b"01234567890").map_err(|e| e.limit),
            Err(Limit::Name)
        );
        let text = LimitError::new(Limit::Entries, 5).to_string();
        assert_eq!(text, "more than 5 members; not read further");
    }
}
