//! Pure readers of git's on-disk formats, and the judgement of a checkout against one locked commit.
//!
//! ```text
//! <repository>/            a worktree's `.git`, or a bare database
//!   HEAD, refs/, packed-refs          who claims to be checked out       refs
//!   config, config.worktree, hooks/   what could run code                config, settings, hooks
//!   objects/xx/<hex>                  one zlib stream per object         object
//!   objects/pack/pack-*.{idx,pack}    many objects, some as deltas       index, pack, delta
//!   objects/info/alternates           further object folders             alternates
//! <worktree>/                         hashed bottom-up into a tree id    snapshot, compare
//! ```
//!
//! Everything is reached through the small traits of [`source`]; nothing here opens a file, follows a link or starts git.
//! Every object that is used is hashed anew and compared with the id it was asked for. Format source: git 2.39 to 2.51
//! (`gitformat-pack`, `gitformat-index`, `git-config`), and checkouts made by cargo 1.89 to 1.95 (libgit2).

pub mod alternates;
pub mod commit;
pub mod compare;
pub mod config;
pub mod conversion;
pub mod delta;
mod error;
pub mod full;
pub mod hooks;
mod index;
mod inflate;
mod limits;
mod object;
mod oid;
mod pack;
pub mod posture;
pub mod refs;
pub mod settings;
mod snapshot;
pub mod source;
mod store;
#[cfg(test)]
mod testing;
pub mod tree;
pub mod verify;

pub use error::GitError;
pub use limits::Limits;
pub use object::{Kind, Object, hash_object};
pub use oid::{HashKind, Hashed, Oid, OidError};
pub use source::{Fault, FaultKind, Files, Item, ItemKind, Repositories, Sources, Worktree};
pub use store::{Lookup, Store};
pub use verify::{GitVerdict, Outcome, verify};
