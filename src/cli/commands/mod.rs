//! One file per command: what it reads, what it prints, how it ends.

pub(super) mod accept;
mod advise;
pub(super) mod claims;
pub(super) mod completions;
pub(super) mod explain;
pub(super) mod feeds;
pub(super) mod guard;
mod guard_command;
mod guard_ground;
mod guard_words;
pub(super) mod heal;
mod heal_derived;
mod heal_output;
pub(super) mod impact;
pub(super) mod man;
pub(super) mod own_file;
mod prepared;
pub(super) mod quarantine;
pub(super) mod restore;
pub(super) mod scan;
pub(super) mod schedule;
pub(super) mod schema;
pub(super) mod status;
pub(super) mod trust;
pub(super) mod waive;
