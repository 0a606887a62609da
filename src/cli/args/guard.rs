//! `guard`: a command that runs only on a clean verdict.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::scan::{Reports, Shared};
use super::values::{Seconds, parse_seconds};

/// `untaint guard`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: that of CMD (128 and the signal's number, 127 not found, 126 no program); 120 if what it used changed while it ran; \
                  121 to 125 if it was not started: 120 and what a scan would end with. Standard output is CMD's alone: what guard has to say, \
                  also with --format, goes to standard error."
)]
pub struct GuardArgs {
    /// What is shared with `scan`.
    #[command(flatten)]
    pub shared: Shared,
    /// How the report is written.
    #[command(flatten)]
    pub reports: Reports,
    /// First repair what is tainted, as heal --yes does
    #[arg(long, help_heading = "Guarding")]
    pub heal: bool,
    /// Give CMD empty build caches; they are removed afterwards, unless DIR is named to keep what was built
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        value_hint = ValueHint::DirPath,
        help_heading = "Guarding"
    )]
    pub fresh_derived: Option<Option<PathBuf>>,
    /// Let CMD write only into the projects, their build folders and temporary files (Linux)
    #[arg(long, help_heading = "Guarding")]
    pub sandbox: bool,
    /// How long a tool's lock is waited for [default: 30s]
    #[arg(long, value_name = "DURATION", hide = true, value_parser = parse_seconds)]
    pub lock_wait: Option<Seconds>,
    /// The command to run, and its arguments
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}
