//! Beside the stages: where on this machine something is, by what earlier scans saw, and what was made from it.
//!
//! A question ([`Query`]) becomes a test of package versions or digests ([`Wanted`]); sightings, the quarantine and the
//! build folders that scans met are held against it. Places are looked at once more only to say whether they are still
//! there. Reads only, asks no network, and verifies nothing: `scan` does.

mod answer;
mod query;

pub use answer::{Answer, Asked, Built, Held, Kept, Place, answer};
pub use query::{Query, Wanted};
