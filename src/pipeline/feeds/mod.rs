//! Brings advisory data to a run: which feed is asked, from where, how old it is, and which packages it speaks of.
//!
//! The rules stand in [`super::advise`] and are pure; here they meet the ports. [`load`] takes a [`Shelf`] from what comes with the program,
//! what is `kept` in our state, what the user `named`, and, unless the run is offline, what the feed's server says now (`refresh`);
//! [`matches()`] asks the shelf about an inventory. Nothing here ever takes a feed that is older, smaller or more broken than the one in use, and
//! nothing that could not be read is passed over in silence.

mod asked;
mod import;
mod kept;
mod named;
mod refresh;
mod shelf;

pub use asked::{indicators, matches};
pub use import::{ImportError, Imported, import};
pub use named::is_folder as named_is_folder;
pub use shelf::{FeedsContext, Shelf, load};
