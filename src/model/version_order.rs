//! How one ecosystem orders its versions.
//!
//! Advisories speak of affected versions by *events* on a line of versions. Only the ecosystem knows that line; everybody else is handed this
//! trait. It orders versions and nothing more: requirement languages (`^1.2`, `~=1.0`) leave out pre-releases and must never decide whether
//! a version is affected.

use std::cmp::Ordering;

/// A total order on the versions that an ecosystem understands.
pub trait VersionOrder: Sync {
    /// How `a` stands to `b` on the ecosystem's line of versions. Build metadata that the ecosystem ignores is ignored here as well.
    /// `None` if one of them is no version of this ecosystem: the caller must not read that as "not affected".
    fn compare(&self, a: &str, b: &str) -> Option<Ordering>;
}
