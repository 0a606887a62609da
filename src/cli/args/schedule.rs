//! `schedule`: a nightly audit.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::scan::{CacheArg, CacheParser, Common};
use super::values::{Seconds, parse_seconds};
use crate::cli::schedule::Clock;

/// `untaint schedule`.
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    /// What to do with the schedule.
    #[command(subcommand)]
    pub command: ScheduleCommand,
}

/// What to do with the schedule.
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Print what `install` would install
    Print(PlanArgs),
    /// Audit this user's caches every night
    Install(PlanArgs),
    /// Take the schedule away
    Remove(Common),
    /// Show whether it is in place, its roots, and when it last ran
    Status(Common),
    /// One night's work; this is what the timer starts
    #[command(hide = true)]
    Run(NightArgs),
}

/// Who keeps the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Keeper {
    /// A systemd user timer.
    Systemd,
    /// The user's crontab.
    Cron,
    /// A launchd agent (print only).
    Launchd,
}

/// What is to be done, and when.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Who keeps the time
    #[arg(
        long,
        value_name = "KEEPER",
        value_enum,
        default_value = "systemd",
        help_heading = "Schedule"
    )]
    pub with: Keeper,
    /// Time of day
    #[arg(long, value_name = "HH:MM", default_value = "03:17", value_parser = parse_clock, help_heading = "Schedule")]
    pub at: Clock,
    /// What a night does, and whom it tells.
    #[command(flatten)]
    pub night: Night,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// `untaint schedule run`.
#[derive(Debug, Args)]
pub struct NightArgs {
    /// What a night does, and whom it tells.
    #[command(flatten)]
    pub night: Night,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// What a night does, and whom it tells.
#[derive(Debug, Args)]
pub struct Night {
    /// A cache; for print and install one more beside those of this user; repeatable
    #[arg(long = "cache", value_name = "NAME=DIR", value_parser = CacheParser, help_heading = "Schedule")]
    pub caches: Vec<CacheArg>,
    /// Heal what is tainted, as `untaint heal --yes` does
    #[arg(long, help_heading = "Schedule")]
    pub heal: bool,
    /// Write metrics for Prometheus to a text file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Schedule")]
    pub metrics: Option<PathBuf>,
    /// Post new findings as JSON to this address, or to the one in a variable or a file
    #[arg(long, value_name = "URL|env:NAME|file:PATH", help_heading = "Schedule")]
    pub webhook: Option<String>,
    /// Tell this shell command of new findings, as JSON on its standard input
    #[arg(long, value_name = "COMMAND", help_heading = "Schedule")]
    pub notify: Option<String>,
    /// A finding that was gone for this long is told again [default: 7d]
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds, help_heading = "Schedule")]
    pub cool_down: Option<Seconds>,
}

fn parse_clock(text: &str) -> Result<Clock, String> {
    Clock::parse(text).ok_or_else(|| "not a time of day: write for example 03:17".to_owned())
}
