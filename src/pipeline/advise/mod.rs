//! Is what was published known to be bad? Feeds, their compiled index, and matching.
//!
//! [`catalogue`] lists the feeds, [`snapshot`] is what comes with the program. Feeds ([`osv`] exports, the [`rustsec_db`] archive) are opened by
//! [`archive`] and read record by record into [`record`] values, as are our own [`poisoned`] releases; one bad record is counted and named, and
//! never stops the rest. [`index`] stores records compactly and opens in a moment; [`matching`] asks it about packages, with [`ranges`] on the
//! ecosystem's line of versions and [`cvss`] for the score. [`freshness`] says which index is asked, whether it may be believed to be current,
//! and whether a new feed may replace the old; [`manifest`] holds the dates for it.
//!
//! Everything here is pure: bytes and values in, values out. Who reads files, asks servers and keeps state is elsewhere.

pub mod archive;
pub mod catalogue;
pub mod cvss;
pub mod freshness;
pub mod index;
pub mod manifest;
pub mod matching;
pub mod osv;
pub mod poisoned;
pub mod ranges;
pub mod reading;
pub mod record;
pub mod rustsec_db;
pub mod snapshot;

mod decode;
mod encode;
