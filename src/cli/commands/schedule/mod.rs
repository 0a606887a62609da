//! `untaint schedule`: an audit every night, by systemd's or cron's clock.
//!
//! `plan` makes and takes away what the keeper of the time needs, `night` is what the timer starts, `tell` says what is
//! new. The places are resolved when the schedule is made: a timer has no environment to find them by.

mod night;
mod plan;
mod tell;

use crate::cli::args::{ScheduleArgs, ScheduleCommand};
use crate::cli::exit::Exit;
use crate::cli::{Ports, fail};
use crate::world::real::SystemServices;

/// Prints, installs, removes, shows, or runs.
pub(in crate::cli) fn run(args: ScheduleArgs, ports: &Ports<'_>) -> Exit {
    let services = SystemServices;
    let done = match args.command {
        ScheduleCommand::Print(args) => plan::print(&args, ports),
        ScheduleCommand::Install(args) => plan::install(&args, ports, &services),
        ScheduleCommand::Remove(common) => plan::remove(&common, ports, &services),
        ScheduleCommand::Status(common) => plan::status(&common, ports, &services),
        ScheduleCommand::Run(args) => night::run(args, ports, &services),
    };
    done.unwrap_or_else(|why| fail(ports, &why))
}
