//! `untaint waive ID --reason TEXT --until DATE`: adds a waiver to the user's own `config.toml`.

use super::own_file::{appended, change, machine, quoted};
use crate::cli::args::WaiveArgs;
use crate::cli::config::PolicyFile;
use crate::cli::exit::Exit;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::model::day::Day;
use crate::model::policy::Waivable;
use crate::world::Clock as _;

/// Adds a waiver.
pub(in crate::cli) fn run(args: &WaiveArgs, ports: &Ports<'_>) -> Exit {
    match waive(args, ports) {
        Ok(line) => print(ports, line.as_bytes()),
        Err(why) => fail(ports, &why),
    }
}

fn waive(args: &WaiveArgs, ports: &Ports<'_>) -> Result<String, String> {
    let base = Base::load(&args.common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = machine(&base, ports.sinks)?;
    not_over(args.until, world.clock.now())?;
    let mut table = format!(
        "[[waiver]]\nid = {}\nreason = {}\nuntil = {}\n",
        quoted(&args.id),
        quoted(&args.reason),
        args.until
    );
    if let Some(owner) = &args.owner {
        table.push_str(&format!("owner = {}\n", quoted(owner)));
    }
    let id = Waivable::Id(args.id.clone());
    let written = change(&world, "config.toml", |old| {
        let before =
            PolicyFile::parse(old.unwrap_or_default(), "config.toml").map_err(|e| e.to_string())?;
        let same = |w: &crate::model::policy::Waiver| {
            w.what == id
                && w.until == args.until
                && w.reason == args.reason
                && w.owner == args.owner
        };
        if before.waivers.iter().any(same) {
            return Ok(None);
        }
        let new = appended(old, &table);
        PolicyFile::parse(&new, "config.toml").map_err(|e| e.to_string())?;
        Ok(Some(new))
    })?;
    let what = crate::model::text::printable(&args.id);
    Ok(if written {
        format!("waived until {}: {what}\n", args.until)
    } else {
        format!("already waived until {}: {what}\n", args.until)
    })
}

/// A day that is over would waive nothing.
pub(super) fn not_over(day: Day, now: i64) -> Result<(), String> {
    if day.is_over(now) {
        Err(format!("--until {day} is over already"))
    } else {
        Ok(())
    }
}
