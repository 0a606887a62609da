//! The command table (CONTRACT section 1) as typed values. Reading it has no side effects: no file, no variable.
//!
//! What is not built is not here, so that it is a usage error (exit 2) and never a stub.

mod guard;
mod heal;
mod impact;
mod manage;
mod scan;
mod schedule;
mod values;

use clap::{Parser, Subcommand};

pub use guard::GuardArgs;
pub use heal::{HealArgs, LogArgs, QuarantineArgs, QuarantineCommand, RestoreArgs};
pub use impact::ImpactArgs;
pub use manage::{
    AcceptArgs, ClaimsArgs, ClaimsCommand, CompletionsArgs, ExplainArgs, FeedsArgs, FeedsCommand,
    ImportFeed, PinArgs, SchemaArgs, SnapshotArgs, StatusArgs, TrustArgs, TrustCommand, WaiveArgs,
};
pub use scan::{CacheArg, Common, Fetching, OutputArg, Reports, SbomArgs, ScanArgs, Shared, When};
pub(super) use scan::{parse_format, reasons, selectors};
pub use schedule::{Keeper, Night, NightArgs, PlanArgs, ScheduleArgs, ScheduleCommand};
pub use values::{Bytes, NamedFile, Seconds, parse_bytes, parse_seconds};

/// Proves that cached dependencies are the ones that were published.
#[derive(Debug, Parser)]
#[command(
    name = "untaint",
    version,
    about,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 clean, 1 findings, 2 could not run, 3 incomplete, 4 advisory data missing or old, 5 nothing to audit."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Audit projects and package caches against what was published
    Scan(Box<ScanArgs>),
    /// Make good again what a scan found tainted; shows the plan unless --yes is given
    Heal(Box<HealArgs>),
    /// Run a command only if what it would build from is clean, and look again afterwards
    Guard(Box<GuardArgs>),
    /// Put back what a heal moved, byte for byte
    Restore(RestoreArgs),
    /// Look into what heals have moved away
    Quarantine(QuarantineArgs),
    /// Show where on this machine something is, and what was built from it
    Impact(ImpactArgs),
    /// Show what heal and restore have done
    Log(LogArgs),
    /// Write a bill of materials of what was observed and verified
    Sbom(Box<SbomArgs>),
    /// Fetch, import and show advisory feeds
    Feeds(FeedsArgs),
    /// Propose, pin and show trust roots
    Trust(TrustArgs),
    /// Carry what is known about published packages to another machine
    Claims(ClaimsArgs),
    /// Answer for an unverifiable artifact, by its digest, until a day
    Accept(AcceptArgs),
    /// Answer for a finding until a day
    Waive(WaiveArgs),
    /// Show what untaint remembers and when it last ran
    Status(StatusArgs),
    /// Audit this user's caches every night
    Schedule(Box<ScheduleArgs>),
    /// Explain a finding code, a reason or an advisory
    Explain(ExplainArgs),
    /// Print the JSON Schema of a format
    Schema(SchemaArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

#[cfg(test)]
mod tests;
