//! `git/db` and `git/checkouts`: worktrees held against the objects of the commit that a lockfile names.

use crate::ecosystems::contract::{OpenContext, Session};
use crate::world::Dir;

/// Finds the checkouts of a CARGO_HOME.
pub(super) fn open(_root: &dyn Dir, _context: &OpenContext<'_>, _session: &mut Session) {}
