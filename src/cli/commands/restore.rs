//! `untaint restore RUN|last`: puts back what a heal moved, byte for byte.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::heal::{PATIENCE, allowed, say};
use super::heal_output::quoted;
use super::quarantine::places;
use crate::cli::args::RestoreArgs;
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::model::text::{percent_all, printable};
use crate::pipeline::heal::recover;
use crate::pipeline::heal::restore::{self, Restoring, Returned};
use crate::pipeline::heal::vault::{Vault, VaultError};
use crate::world::real::SystemWriteFs;
use crate::world::{Clock as _, Env as _};

/// Puts it back; ends with 1 when something was refused.
pub(in crate::cli) fn run(args: &RestoreArgs, ports: &Ports<'_>) -> Exit {
    match inner(args, ports) {
        Ok(exit) => exit,
        Err(why) => fail(ports, &why),
    }
}

fn inner(args: &RestoreArgs, ports: &Ports<'_>) -> Result<Exit, String> {
    let base = Base::load(&args.common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    let fs = SystemWriteFs::default();
    let uid = world.env.uid();
    let now = world.clock.now();
    let wait = args
        .lock_wait
        .map_or(PATIENCE, |s| Duration::from_secs(s.0));
    let allowed = allowed(&world, &args.root);
    let text = |e: VaultError| e.to_string();
    let mut unlogged = Vec::new();
    let places = places(&base, &world, &fs, &args.root);
    if let Some(why) = places.unfit() {
        return Err(why.to_owned());
    }
    let mut vaults = places.look(&fs).map_err(text)?;
    if vaults.is_empty() {
        return Err("nothing was ever healed here".to_owned());
    }
    if args.yes {
        let wait = wait.min(Duration::from_secs(5));
        vaults = Vec::from_iter(places.open_home(&fs, wait).map_err(text)?);
        vaults.extend(places.open_beside(&fs, wait).map_err(text)?);
    }
    for vault in vaults.iter().filter(|_| args.yes) {
        for recovered in recover::all(vault, uid, now, wait, &allowed).map_err(text)? {
            if let Some(why) = recovered.stuck.first() {
                return Err(format!("an interrupted run cannot be finished: {why}"));
            }
            // Another run can be put back all the same.
            if let Some(why) = &recovered.refused {
                let named = |path: &PathBuf| format!("; add --root {}", quoted(path));
                let named = recovered.unnamed.as_ref().map_or_else(String::new, named);
                say(ports, &format!("{why}{named}"));
            }
            unlogged.extend(recovered.unlogged);
        }
    }
    let (vault, run) = chosen(&vaults, &args.run)?;
    let restoring = Restoring {
        yes: args.yes,
        force: args.force,
        now,
        uid,
        wait,
        allowed,
    };
    let all = restore::run(vault, &run, &restoring).map_err(|error| match &error {
        VaultError::Unnamed(path) => format!("{error}: add --root {} if it is right", quoted(path)),
        _ => error.to_string(),
    })?;
    unlogged.extend(all.iter().filter_map(|r| r.unlogged.clone()));
    unlogged.dedup();
    for why in &unlogged {
        say(ports, why);
    }
    let refused = all
        .iter()
        .any(|r| r.refused.is_some() || !r.unlike.is_empty());
    let bytes = if args.json {
        object(&run, &all, args.yes, &unlogged)
    } else {
        page(&run, &all, args.yes)
    };
    Ok(match print(ports, &bytes) {
        Exit::Clean if refused || !unlogged.is_empty() => Exit::Findings,
        other => other,
    })
}

/// The run that is meant, and the vault that holds it.
fn chosen<'v, 'a>(vaults: &'v [Vault<'a>], run: &str) -> Result<(&'v Vault<'a>, String), String> {
    let text = |e: VaultError| e.to_string();
    let mut newest: Option<((i64, String, bool), &Vault<'a>)> = None;
    // What cannot be gone by in one place says nothing against a run in another.
    let mut unfit = None;
    for vault in vaults {
        if run == "last" {
            let found = restore::last(vault).unwrap_or_else(|error| {
                unfit = Some(text(error));
                None
            });
            let found = found.map(|found| (found, vault));
            newest = newest
                .into_iter()
                .chain(found)
                .max_by(|(one, _), (other, _)| one.cmp(other));
        } else if vault.runs().map_err(text)?.iter().any(|known| known == run) {
            return Ok((vault, run.to_owned()));
        }
    }
    match newest {
        Some(((_, run, true), _)) => Err(format!(
            "the last run, {run}, is back already: name an earlier one; `untaint quarantine list` has them"
        )),
        Some(((_, run, false), vault)) => Ok((vault, run)),
        None if run == "last" => {
            Err(unfit.unwrap_or_else(|| "no heal has anything to put back".to_owned()))
        }
        None => Err(format!(
            "{}: no such run; `untaint quarantine list` has them; if it was one with --isolated of a cache elsewhere, add --root with that cache",
            printable(run)
        )),
    }
}

fn page(run: &str, all: &[Returned], yes: bool) -> Vec<u8> {
    let mut out = String::new();
    for returned in all {
        let word = match (&returned.refused, yes) {
            (Some(_), _) => "refused",
            (None, true) => "put back",
            (None, false) => "would be put back",
        };
        let _ = writeln!(
            out,
            "{} {}: {word}",
            returned.ecosystem,
            printable(&returned.package)
        );
        for path in &returned.paths {
            let _ = writeln!(out, "  {}", printable(&path.to_string_lossy()));
        }
        for why in &returned.left {
            let _ = writeln!(
                out,
                "  what was built in it stays in the quarantine: {}",
                printable(why)
            );
        }
        for why in &returned.unlike {
            let _ = writeln!(out, "  not as it was  {}", printable(why));
        }
        if let Some(why) = &returned.refused {
            let _ = writeln!(out, "  why  {}", printable(why));
        }
    }
    if all.is_empty() {
        let _ = writeln!(out, "run {run} has nothing to put back");
    } else if !yes {
        out.push_str("nothing was changed: add --yes to do it\n");
    }
    out.into_bytes()
}

fn object(run: &str, all: &[Returned], yes: bool, unlogged: &[String]) -> Vec<u8> {
    let rows: Vec<_> = all
        .iter()
        .map(|r| {
            let (paths, escaped) = percent_all(r.paths.iter().map(|p| p.as_os_str().as_bytes()));
            let mut row = json!({"number": r.number, "ecosystem": r.ecosystem, "package": r.package, "paths": paths, "refused": r.refused, "left": r.left, "unlike": r.unlike});
            if let (true, Some(row)) = (escaped, row.as_object_mut()) {
                row.insert("path_escaped".to_owned(), true.into());
            }
            row
        })
        .collect();
    let value = json!({"schema": "untaint.restore/1", "run": run, "dry_run": !yes, "entries": rows, "problems": unlogged});
    let mut bytes = value.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}
