//! Black-box tests of healing: the real program repairs real cargo homes from a registry on the loopback interface.

mod bad_registry;
mod built;
mod checked;
mod choices;
mod crowd;
mod disks;
mod doubt;
mod ends;
mod evidence;
mod forged;
mod git;
mod keeping;
mod kept;
mod kill;
mod local;
mod log;
mod moving;
mod project;
mod reached;
mod sealed;
mod sealing;
mod slice;
mod taints;
mod torn;
pub(crate) mod world;
