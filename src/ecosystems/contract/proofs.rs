//! What inspectors may remember from run to run: that a file fitted what it was held against. A memory of ours, never a claim.

/// Remembers that a file of one identity was held against something and fitted.
///
/// A key is a digest over the file's identity and over everything that it was held against; it must be one that only the
/// same comparison can have.
pub trait Proofs: Sync {
    /// Whether an earlier run proved it.
    fn proven(&self, key: &[u8; 32]) -> bool;
    /// Remembers it, unless the file is too young: `youngest` is its latest time in seconds since 1970.
    fn prove(&self, key: &[u8; 32], youngest: i64);
}
