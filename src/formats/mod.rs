//! Byte-level readers that several ecosystems share. They take bytes and limits and return a value or a problem.
//!
//! Nothing here opens a file, follows a name or trusts a number that an archive states about itself. Readers of
//! archives go on where real tools go on, and record as an [`ambiguity`] what another tool might read otherwise.

pub mod ambiguity;
pub mod casefold;
pub mod git;
pub mod go_source;
pub mod gzip;
pub mod h1;
pub mod hex;
pub mod inflate;
pub mod limits;
pub mod names;
pub mod pep440_order;
pub mod purl;
pub mod semver_order;
pub mod sri;
pub mod tar;
pub mod zip;
