//! What the user typed, turned into settings, a command and an exit code.
//!
//! One file per command in `commands`; exit codes are made in [`exit`] alone; nothing in here judges what is scanned.

pub mod args;
mod commands;
pub mod config;
pub mod exit;
mod open;
pub mod schedule;
pub mod settings;

use std::ffi::OsString;

use clap::Parser as _;

pub use open::open;

use args::{Cli, Command};
use exit::Exit;

use crate::model::text::printable;
use crate::world::{Env, ReadFs, Sinks};

/// The ports that exist before any setting is known.
pub struct Ports<'a> {
    /// The environment.
    pub env: &'a dyn Env,
    /// Files that the user named, and our own configuration.
    pub fs: &'a dyn ReadFs,
    /// Standard streams and files to write.
    pub sinks: &'a dyn Sinks,
}

/// Runs what the arguments say; the first one is the program's name.
pub fn run(arguments: Vec<OsString>, ports: &Ports<'_>) -> Exit {
    let guards = arguments.get(1).is_some_and(|first| first == "guard");
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let exit = usage(&error, ports);
            // Its command may end with 2 as well: who reads the code must be able to tell.
            return if guards && exit != Exit::Clean {
                Exit::Refused(exit.code())
            } else {
                exit
            };
        }
    };
    match cli.command {
        Command::Completions(args) => commands::completions::run(&args, ports),
        Command::Man => commands::man::run(ports),
        Command::Schema(args) => commands::schema::run(&args, ports),
        Command::Explain(args) => commands::explain::run(&args, ports),
        Command::Claims(args) => commands::claims::run(&args, ports),
        Command::Trust(args) => commands::trust::run(args, ports),
        Command::Accept(args) => commands::accept::run(&args, ports),
        Command::Waive(args) => commands::waive::run(&args, ports),
        Command::Scan(args) => commands::scan::scan(&args, ports),
        Command::Heal(args) => commands::heal::run(&args, ports),
        Command::Guard(args) => commands::guard::run(&args, ports),
        Command::Restore(args) => commands::restore::run(&args, ports),
        Command::Quarantine(args) => commands::quarantine::run(&args, ports),
        Command::Impact(args) => commands::impact::run(&args, ports),
        Command::Log(args) => commands::quarantine::log(&args, ports),
        Command::Sbom(args) => commands::scan::sbom(*args, ports),
        Command::Feeds(args) => commands::feeds::run(&args, ports),
        Command::Schedule(args) => commands::schedule::run(*args, ports),
        Command::Status(args) => commands::status::run(&args, ports),
    }
}

/// Help and version go to standard output, everything else is a usage error.
fn usage(error: &clap::Error, ports: &Ports<'_>) -> Exit {
    let exit = Exit::of_usage(error);
    let text = error.render();
    let to_stderr = exit != Exit::Clean;
    let terminal = if to_stderr {
        ports.sinks.stderr_is_terminal()
    } else {
        ports.sinks.stdout_is_terminal()
    };
    let colored = terminal && ports.env.var("NO_COLOR").is_none_or(|v| v.is_empty());
    let text = if colored {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    if to_stderr {
        ports.sinks.stderr(text.as_bytes());
        exit
    } else {
        print(ports, text.as_bytes())
    }
}

/// Writes what was asked for; that it cannot be written is a failure of the command.
fn print(ports: &Ports<'_>, bytes: &[u8]) -> Exit {
    match ports.sinks.stdout(bytes) {
        Ok(()) => Exit::Clean,
        Err(error) => fail(
            ports,
            &format!("standard output cannot be written: {error}"),
        ),
    }
}

/// Says why a command could not run.
fn fail(ports: &Ports<'_>, why: &dyn std::fmt::Display) -> Exit {
    let line = format!("error: {}\n", printable(&why.to_string()));
    ports.sinks.stderr(line.as_bytes());
    Exit::CouldNotRun
}

#[cfg(test)]
mod tests;
