//! Who is believed, and what they have said (DESIGN section 2).
//!
//! [`address`] makes the canonical text whose SHA-256 is a fingerprint; [`known`] holds the fingerprints that are publicly
//! known; [`root`] the roots, mirrors and private names in force; [`mod@file`] reads and extends the trust file;
//! [`sightings`] what was seen where; [`discover`] turns what tools' settings name into proposals; [`claims`] keeps what was said, [`ledger`] what was
//! hashed. Pure values: state is reached through a port that is
//! handed in, and nothing here asks a network.

pub mod address;
pub mod claims;
pub mod discover;
#[cfg(test)]
pub(crate) mod fake_state;
pub mod file;
pub mod known;
pub mod ledger;
pub mod private;
pub mod root;
pub mod runs;
pub mod sightings;

pub use address::{Address, AddressError, fingerprint};
pub use claims::{ClaimStore, Earlier, ExportItem, FirstSeen, ImportError, Imported, Said};
pub use discover::Proposal;
pub use file::{PinRequest, Source, TrustFile, TrustFileError, pin};
pub use ledger::{FileIdentity, Ledger};
pub use private::Private;
pub use root::{
    How, Mirror, Requirement, Resolved, Role, Standing, TokenVariable, TrustRoot, TrustSet,
};
