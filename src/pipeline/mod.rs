//! The stages, in order. Stages do not import each other: their values meet here.

pub mod advise;
pub mod ailing;
pub mod built;
pub mod decide;
pub mod discover;
pub mod feeds;
pub mod flow;
pub mod graph;
pub mod heal;
pub mod healing;
pub mod impact;
mod imports;
pub mod inventory;
pub mod knowledge;
pub mod licences;
pub mod purls;
pub mod recheck;
pub mod registries;
mod remedies;
pub mod report;
pub mod scan;
pub mod standings;
mod tool_parts;
pub mod truth;
pub mod usage;
pub mod verify;
pub mod witness;
