//! `untaint accept ARTIFACT DIGEST --reason TEXT --until DATE`: adds to the user's own `config.toml`.

use super::own_file::{appended, change, machine, quoted};
use super::waive::not_over;
use crate::cli::args::AcceptArgs;
use crate::cli::config::PolicyFile;
use crate::cli::exit::Exit;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::world::Clock as _;

/// Accepts an artifact by its digest.
pub(in crate::cli) fn run(args: &AcceptArgs, ports: &Ports<'_>) -> Exit {
    match accept(args, ports) {
        Ok(line) => print(ports, line.as_bytes()),
        Err(why) => fail(ports, &why),
    }
}

fn accept(args: &AcceptArgs, ports: &Ports<'_>) -> Result<String, String> {
    let base = Base::load(&args.common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = machine(&base, ports.sinks)?;
    not_over(args.until, world.clock.now())?;
    let table = format!(
        "[[accept]]\nartifact = {}\ndigest = {}\nreason = {}\nuntil = {}\n",
        quoted(&args.artifact.to_string()),
        quoted(&args.digest.to_string()),
        quoted(&args.reason),
        args.until
    );
    let written = change(&world, "config.toml", |old| {
        let before =
            PolicyFile::parse(old.unwrap_or_default(), "config.toml").map_err(|e| e.to_string())?;
        let same = |a: &crate::model::policy::Accept| {
            a.artifact == args.artifact
                && a.digest == args.digest
                && a.until == args.until
                && a.reason == args.reason
        };
        if before.accepts.iter().any(same) {
            return Ok(None);
        }
        let new = appended(old, &table);
        PolicyFile::parse(&new, "config.toml").map_err(|e| e.to_string())?;
        Ok(Some(new))
    })?;
    let what = crate::model::text::printable(&args.artifact.to_string());
    Ok(if written {
        format!("accepted until {}: {what}\n", args.until)
    } else {
        format!("already accepted until {}: {what}\n", args.until)
    })
}
