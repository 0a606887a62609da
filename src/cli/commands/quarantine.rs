//! `untaint quarantine list|show|export|prune`, and `untaint log`: what was taken, and what was done.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::heal::{home, say};
use super::heal_output::quoted;
use crate::cli::args::{Common, LogArgs, QuarantineArgs, QuarantineCommand};
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::model::text::printable;
use crate::model::when::rfc3339;
use crate::pipeline::heal::audit;
use crate::pipeline::heal::evidence;
use crate::pipeline::heal::journal::Standing;
use crate::pipeline::heal::quarantine::{self, Kept, Which};
use crate::pipeline::heal::vault::{Vault, VaultError};
use crate::world::real::{SystemWriteFs, World};
use crate::world::{Clock as _, Env as _, WriteFs};

/// Largest text of evidence that is shown.
const LARGEST: u64 = 16 << 20;

/// Looks into the quarantine.
pub(in crate::cli) fn run(args: &QuarantineArgs, ports: &Ports<'_>) -> Exit {
    let done = match &args.command {
        QuarantineCommand::List { json, common } => list(common, *json, ports),
        QuarantineCommand::Show { id, common } => show(common, id, ports),
        QuarantineCommand::Export { id, output, common } => export(common, id, output, ports),
        QuarantineCommand::Prune {
            older_than,
            yes,
            common,
        } => prune(common, older_than.0, *yes, ports),
    };
    done.unwrap_or_else(|why| fail(ports, &why))
}

/// Shows the audit log; with `--verify` ends with 1 if a line was changed or taken out, its end and all of it included.
pub(in crate::cli) fn log(args: &LogArgs, ports: &Ports<'_>) -> Exit {
    let shown = with(&args.common, ports, |vault, _| {
        let Some(vault) = vault else {
            return Ok((audit::parse(&[]), Vec::new()));
        };
        let read = audit::read(&vault).map_err(|e| e.to_string())?;
        let lost = audit::lost(&vault, &read).map_err(|e| e.to_string())?;
        Ok((read, lost))
    });
    let (read, mut lost) = match shown {
        Ok(shown) => shown,
        Err(why) => return fail(ports, &why),
    };
    if let Some(head) = args.head.as_ref().filter(|head| !read.reached(head)) {
        lost.push(format!(
            "it does not hold the line that --head names, the {}th: lines were changed or taken out",
            head.lines
        ));
    }
    let mut out = String::new();
    for row in &read.rows {
        let _ = writeln!(
            out,
            "{}  user {}  {}  {}  {}  {}",
            rfc3339(row.at),
            row.uid,
            printable(&row.run),
            printable(&row.action),
            printable(&row.what),
            printable(&row.result)
        );
    }
    if args.verify {
        for line in &read.broken {
            let _ = writeln!(
                out,
                "line {line}: changed, or a line before it was taken out"
            );
        }
        for why in &lost {
            let _ = writeln!(out, "{why}");
        }
        let _ = writeln!(
            out,
            "{} lines, {} that do not fit",
            read.rows.len(),
            read.broken.len()
        );
        if let Some(head) = read.head() {
            let _ = writeln!(out, "head {head}");
        }
    }
    match print(ports, out.as_bytes()) {
        Exit::Clean if args.verify && !(read.broken.is_empty() && lost.is_empty()) => {
            Exit::Findings
        }
        other => other,
    }
}

fn text(error: VaultError) -> String {
    error.to_string()
}

/// Opens the vault to look; `None` where nothing was ever kept.
fn with<T>(
    common: &Common,
    ports: &Ports<'_>,
    look: impl FnOnce(Option<Vault<'_>>, i64) -> Result<T, String>,
) -> Result<T, String> {
    let base = Base::load(common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let path = home(base.homes.state.as_ref(), base.isolated)?.clone();
    let world = open(&base, ports.sinks);
    let fs = SystemWriteFs::default();
    let vault = Vault::look(&fs, &path, world.env.uid()).map_err(text)?;
    look(vault, world.clock.now())
}

/// Everything in the quarantine, and what of it could not be read.
pub(super) fn listed(
    state: Option<&PathBuf>,
    isolated: bool,
    world: &World,
) -> Result<(Vec<Kept>, Vec<String>), String> {
    let fs = SystemWriteFs::default();
    match Vault::look(&fs, home(state, isolated)?, world.env.uid()).map_err(text)? {
        Some(vault) => quarantine::list(&vault).map_err(text),
        None => Ok((Vec::new(), Vec::new())),
    }
}

fn standing(kept: &Kept) -> &'static str {
    match kept.standing {
        Standing::Begun | Standing::Restoring => "interrupted",
        Standing::Done => "kept",
        Standing::Undone => "taken back",
        Standing::Restored => "restored",
    }
}

fn list(common: &Common, as_json: bool, ports: &Ports<'_>) -> Result<Exit, String> {
    let (all, problems) = with(common, ports, |vault, _| match vault {
        Some(vault) => quarantine::list(&vault).map_err(text),
        None => Ok((Vec::new(), Vec::new())),
    })?;
    for problem in &problems {
        say(ports, problem);
    }
    let mut out = String::new();
    if as_json {
        let rows: Vec<_> = all
            .iter()
            .map(|k| {
                json!({"id": k.id, "run": k.run, "at": rfc3339(k.at), "state": standing(k), "ecosystem": k.entry.ecosystem,
                       "package": k.entry.package, "codes": k.entry.codes, "findings": k.entry.findings, "bytes": k.bytes})
            })
            .collect();
        let bytes: u64 = all.iter().map(|k| k.bytes).sum();
        out =
            json!({"schema": "untaint.quarantine/1", "bytes": bytes, "entries": rows}).to_string();
        out.push('\n');
    } else {
        for kept in &all {
            let _ = writeln!(
                out,
                "{}  {}  {}  {} {}  {}  {} bytes",
                kept.id,
                rfc3339(kept.at),
                standing(kept),
                printable(&kept.entry.ecosystem),
                printable(&kept.entry.package),
                kept.entry.codes.join(","),
                kept.bytes
            );
        }
        let bytes: u64 = all.iter().map(|k| k.bytes).sum();
        let _ = writeln!(out, "{} entries, {bytes} bytes", all.len());
    }
    Ok(match print(ports, out.as_bytes()) {
        Exit::Clean if !problems.is_empty() => Exit::Incomplete,
        other => other,
    })
}

fn find(vault: Option<&Vault<'_>>, id: &str) -> Result<Kept, String> {
    let unknown = || {
        format!(
            "{}: nothing of that name; `untaint quarantine list` has them",
            printable(id)
        )
    };
    let (all, _) = quarantine::list(vault.ok_or_else(unknown)?).map_err(text)?;
    let same = |k: &Kept| k.id == id || k.id.strip_prefix("q-") == Some(id);
    all.into_iter().find(same).ok_or_else(unknown)
}

fn show(common: &Common, id: &str, ports: &Ports<'_>) -> Result<Exit, String> {
    let out = with(common, ports, |vault, _| {
        let kept = find(vault.as_ref(), id)?;
        let mut out = format!(
            "{}  {}  {}  {} {}\n",
            kept.id,
            rfc3339(kept.at),
            standing(&kept),
            printable(&kept.entry.ecosystem),
            printable(&kept.entry.package)
        );
        for (was, is) in &kept.things {
            let _ = writeln!(out, "  was  {}", printable(&was.to_string_lossy()));
            let _ = writeln!(out, "  is   {}", quoted(is));
        }
        if let Some(vault) = &vault {
            let folder = vault
                .kept(&kept.run)
                .join(evidence::folder(kept.entry.number));
            for name in [evidence::CHANGES, "incident.json"] {
                let at = folder.join(name);
                if let Some(text) = read(vault.fs, vault.base.at(&at)) {
                    let _ = writeln!(out, "{name}:");
                    for line in text.lines() {
                        let tabs: Vec<String> = line.split('\t').map(printable).collect();
                        let _ = writeln!(out, "  {}", tabs.join("\t"));
                    }
                }
            }
        }
        Ok(out)
    })?;
    Ok(print(ports, out.as_bytes()))
}

fn read(fs: &dyn WriteFs, at: crate::world::write_fs::At<'_>) -> Option<String> {
    let mut bytes = Vec::new();
    let file = fs.read(at).ok()?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LARGEST), &mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn export(
    common: &Common,
    id: &str,
    output: &std::path::Path,
    ports: &Ports<'_>,
) -> Result<Exit, String> {
    let bytes = with(common, ports, |vault, _| {
        let kept = find(vault.as_ref(), id)?;
        let vault = vault.ok_or("nothing was ever kept")?;
        let story = vault
            .story(&kept.run)
            .map_err(|e| e.to_string())?
            .ok_or("its journal says nothing")?;
        quarantine::export(&vault, &kept, &story).map_err(|e| e.to_string())
    })?;
    ports
        .sinks
        .file(output, &bytes)
        .map_err(|e| format!("the export could not be written: {e}"))?;
    Ok(Exit::Clean)
}

fn prune(common: &Common, older: u64, yes: bool, ports: &Ports<'_>) -> Result<Exit, String> {
    let base = Base::load(common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let path = home(base.homes.state.as_ref(), base.isolated)?.clone();
    let world = open(&base, ports.sinks);
    let fs = SystemWriteFs::default();
    let (uid, now) = (world.env.uid(), world.clock.now());
    let before = now.saturating_sub(i64::try_from(older).unwrap_or(i64::MAX));
    let vault = if yes {
        Some(Vault::open(&fs, &path, uid, Duration::from_secs(5)).map_err(text)?)
    } else {
        Vault::look(&fs, &path, uid).map_err(text)?
    };
    let Some(vault) = vault else {
        return Ok(print(ports, b"nothing was ever kept\n"));
    };
    let (gone, mut problems) = quarantine::prune(&vault, before, Which::All, yes).map_err(text)?;
    let mut out = String::new();
    let word = if yes { "removed" } else { "would be removed" };
    for (run, bytes) in &gone {
        let _ = writeln!(out, "{run}: {word}, {bytes} bytes");
        if yes {
            let added = audit::Audit::of(&vault, true).add(&audit::Deed {
                at: now,
                uid,
                run,
                action: "prune",
                what: "the quarantine of a run",
                result: "removed",
            });
            problems.extend(added.err().map(|error| error.to_string()));
        }
    }
    for problem in &problems {
        say(ports, problem);
    }
    if gone.is_empty() {
        out.push_str("nothing is that old\n");
    } else if !yes {
        out.push_str("nothing was changed: add --yes to do it\n");
    }
    Ok(match print(ports, out.as_bytes()) {
        Exit::Clean if !problems.is_empty() => Exit::Incomplete,
        other => other,
    })
}
