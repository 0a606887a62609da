//! `untaint completions SHELL`.

use clap::CommandFactory as _;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::exit::Exit;
use crate::cli::{Ports, print};

/// Prints the completions of a shell.
pub(in crate::cli) fn run(args: &CompletionsArgs, ports: &Ports<'_>) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "untaint", &mut script);
    print(ports, &script)
}
