//! The commands that change things and put them back: `heal`, `restore`, `quarantine`, `log`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::scan::{Common, Shared};
use super::values::{Seconds, parse_seconds};
use crate::pipeline::heal::audit::heads::Head;

/// `untaint heal`.
#[derive(Debug, Args)]
pub struct HealArgs {
    /// What is shared with `scan`.
    #[command(flatten)]
    pub shared: Shared,
    /// Do it; without this it is only shown
    #[arg(long, help_heading = "Healing")]
    pub yes: bool,
    /// Move away without fetching anything anew
    #[arg(long, help_heading = "Healing")]
    pub evict: bool,
    /// Only these findings
    #[arg(
        long,
        value_name = "FINDING,…",
        value_delimiter = ',',
        help_heading = "Healing"
    )]
    pub only: Vec<String>,
    /// Also what belongs to a project: vendored copies, local registries
    #[arg(long, help_heading = "Healing")]
    pub project: bool,
    /// Also what nobody can vouch for, and what is in conflict
    #[arg(long, help_heading = "Healing")]
    pub purge_unverified: bool,
    /// Leave in place what has no good replacement
    #[arg(long, conflicts_with = "evict", help_heading = "Healing")]
    pub keep_if_unfetchable: bool,
    /// One more build folder in which units built from what is moved are found; repeatable
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Healing")]
    pub target_dir: Vec<PathBuf>,
    /// Give up an interrupted run that cannot be finished; its record and what it took are kept
    #[arg(long, value_name = "RUN-ID", help_heading = "Healing")]
    pub abandon: Option<String>,
    /// How long a tool's lock is waited for [default: 30s]
    #[arg(long, value_name = "DURATION", hide = true, value_parser = parse_seconds)]
    pub lock_wait: Option<Seconds>,
    /// Print JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `untaint restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The run of a heal, or `last`
    #[arg(value_name = "RUN-ID|last")]
    pub run: String,
    /// Do it; without this it is only shown
    #[arg(long)]
    pub yes: bool,
    /// Move what stands in the way into the quarantine
    #[arg(long)]
    pub force: bool,
    /// A folder in which something may be put back, besides this user's caches; repeatable
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: Vec<PathBuf>,
    /// How long a tool's lock is waited for [default: 30s]
    #[arg(long, value_name = "DURATION", hide = true, value_parser = parse_seconds)]
    pub lock_wait: Option<Seconds>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// `untaint quarantine`.
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// What to do with the quarantine.
    #[command(subcommand)]
    pub command: QuarantineCommand,
    /// A cache beside which `heal --isolated` kept something, besides this user's caches; repeatable
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: Vec<PathBuf>,
}

/// What to do with the quarantine.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// List what lies in it
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// What every command takes.
        #[command(flatten)]
        common: Common,
    },
    /// Show one incident and its evidence
    Show {
        /// RUN-NUMBER, as the list has it
        id: String,
        /// What every command takes.
        #[command(flatten)]
        common: Common,
    },
    /// Write one incident with its evidence to a .tar.gz
    Export {
        /// RUN-NUMBER, as the list has it
        id: String,
        /// The file to write
        #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: PathBuf,
        /// With what was built from it: your own programs too. Else that is only named in the evidence
        #[arg(long)]
        derived: bool,
        /// What every command takes.
        #[command(flatten)]
        common: Common,
    },
    /// Remove old runs for good
    Prune {
        /// Runs that are older than this
        #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
        older_than: Seconds,
        /// Do it; without this it is only shown
        #[arg(long)]
        yes: bool,
        /// What every command takes.
        #[command(flatten)]
        common: Common,
    },
}

/// `untaint log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// End with 1 if a line was changed or taken out, at its end too
    #[arg(long)]
    pub verify: bool,
    /// With --verify: the log must still hold what it held when a heal printed this
    #[arg(long, value_name = "LINES:SHA256", requires = "verify")]
    pub head: Option<Head>,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}
