//! `untaint man`: one page in roff with every command and option.

use clap::CommandFactory as _;

use crate::cli::args::Cli;
use crate::cli::exit::Exit;
use crate::cli::{Ports, fail, print};

/// Prints the manual page.
pub(in crate::cli) fn run(ports: &Ports<'_>) -> Exit {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    let written = clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .and_then(|()| pages_below(&command, &mut page));
    match written {
        Ok(()) => print(ports, &page),
        Err(error) => fail(ports, &error),
    }
}

/// The pages of the commands, one after the other.
fn pages_below(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    for below in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        let name = below.get_display_name().unwrap_or(below.get_name());
        let named = below.clone().name(name.to_owned());
        clap_mangen::Man::new(named).render(page)?;
        pages_below(below, page)?;
    }
    Ok(())
}
