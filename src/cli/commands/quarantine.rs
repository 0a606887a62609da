//! `untaint quarantine list|show|export|prune`, and `untaint log`: what was taken, and what was done.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::heal::{allowed, home, say};
use super::heal_output::{quoted, too_much};
use crate::cli::args::{Common, LogArgs, QuarantineArgs, QuarantineCommand};
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::settings::{Base, Homes};
use crate::cli::{Ports, fail, print};
use crate::model::text::printable;
use crate::model::when::rfc3339;
use crate::pipeline::heal::audit;
use crate::pipeline::heal::evidence;
use crate::pipeline::heal::journal::{JournalError, Standing};
use crate::pipeline::heal::places::Places;
use crate::pipeline::heal::quarantine::{self, Kept, Which};
use crate::pipeline::heal::vault::{Vault, VaultError};
use crate::world::real::{SystemWriteFs, World};
use crate::world::{Clock as _, Env as _, WriteFs};

/// Largest text of evidence that is shown.
const LARGEST: u64 = 16 << 20;

/// Looks into the quarantine.
pub(in crate::cli) fn run(args: &QuarantineArgs, ports: &Ports<'_>) -> Exit {
    let done = match &args.command {
        QuarantineCommand::List { json, common } => list((common, &args.root), *json, ports),
        QuarantineCommand::Show { id, common } => show((common, &args.root), id, ports),
        QuarantineCommand::Export {
            id,
            output,
            derived,
            common,
        } => export((common, &args.root), id, (output, *derived), ports),
        QuarantineCommand::Prune {
            older_than,
            yes,
            common,
        } => prune((common, &args.root), older_than.0, *yes, ports),
    };
    done.unwrap_or_else(|why| fail(ports, &why))
}

/// Shows the audit log; with `--verify` ends with 1 if a line was changed or taken out, its end and all of it included.
pub(in crate::cli) fn log(args: &LogArgs, ports: &Ports<'_>) -> Exit {
    let shown = Base::load(&args.common, ports.env, ports.fs)
        .map_err(|e| e.to_string())
        .and_then(|base| {
            let path = home(base.homes.state.as_ref(), base.isolated)?.clone();
            let world = open(&base, ports.sinks);
            let fs = SystemWriteFs::default();
            let Some(vault) = Vault::look(&fs, &path, world.env.uid()).map_err(text)? else {
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

/// What a command is told: what every one takes, and folders by name.
type Asked<'a> = (&'a Common, &'a [PathBuf]);

/// Vaults of this user: that of the state if it is used, and those beside caches and named folders.
pub(super) fn places(base: &Base, world: &World, fs: &SystemWriteFs, named: &[PathBuf]) -> Places {
    let keys = Homes::keys(&world.env);
    let allowed = allowed(world, named);
    let home = base.homes.state.as_deref();
    Places::new(fs, home, keys.as_deref(), &allowed, world.env.uid())
}

/// Opens all vaults to look.
fn with<T>(
    (common, named): Asked<'_>,
    ports: &Ports<'_>,
    look: impl FnOnce(Vec<Vault<'_>>) -> Result<T, String>,
) -> Result<T, String> {
    let base = Base::load(common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    let fs = SystemWriteFs::default();
    let places = places(&base, &world, &fs, named);
    if let Some(why) = places.unfit() {
        say(ports, why);
    }
    look(places.look(&fs).map_err(text)?)
}

fn all_of(vaults: &[Vault<'_>]) -> Result<(Vec<Kept>, Vec<String>), String> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for vault in vaults {
        let (kept, told) = quarantine::list(vault).map_err(text)?;
        all.extend(kept);
        problems.extend(told);
    }
    all.sort_by(|a, b| (a.at, &a.run, a.entry.number).cmp(&(b.at, &b.run, b.entry.number)));
    Ok((all, problems))
}

/// Everything in the quarantine, and what of it could not be read.
pub(super) fn listed(base: &Base, world: &World) -> Result<(Vec<Kept>, Vec<String>), String> {
    let fs = SystemWriteFs::default();
    let places = places(base, world, &fs, &[]);
    all_of(&places.look(&fs).map_err(text)?)
}

fn standing(kept: &Kept) -> &'static str {
    match kept.standing {
        // Nobody knows whether it is so.
        _ if !kept.sealed => "unsealed",
        Standing::Abandoned => "given up",
        Standing::Begun | Standing::Restoring => "interrupted",
        Standing::Done => "kept",
        Standing::Undone => "taken back",
        Standing::Restored => "restored",
    }
}

fn list(asked: Asked<'_>, as_json: bool, ports: &Ports<'_>) -> Result<Exit, String> {
    let (all, problems) = with(asked, ports, |vaults| all_of(&vaults))?;
    for problem in &problems {
        say(ports, problem);
    }
    let bytes: u64 = all.iter().map(|k| k.bytes).sum();
    let base = Base::load(asked.0, ports.env, ports.fs).map_err(|e| e.to_string())?;
    if let Some(words) = too_much(bytes, base.keeping().limit) {
        ports.sinks.stderr(format!("{words}\n").as_bytes());
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
        let _ = writeln!(out, "{} entries, {bytes} bytes", all.len());
    }
    Ok(match print(ports, out.as_bytes()) {
        Exit::Clean if !problems.is_empty() => Exit::Incomplete,
        other => other,
    })
}

/// One of the quarantine, and the vault that holds it.
fn find<'v, 'a>(vaults: &'v [Vault<'a>], id: &str) -> Result<(&'v Vault<'a>, Kept), String> {
    let same = |k: &Kept| k.id == id || k.id.strip_prefix("q-") == Some(id);
    for vault in vaults {
        let (all, _) = quarantine::list(vault).map_err(text)?;
        if let Some(kept) = all.into_iter().find(same) {
            return Ok((vault, kept));
        }
    }
    Err(format!(
        "{}: nothing of that name; `untaint quarantine list` has them",
        printable(id)
    ))
}

fn show(asked: Asked<'_>, id: &str, ports: &Ports<'_>) -> Result<Exit, String> {
    let (out, changed) = with(asked, ports, |vaults| {
        let (vault, kept) = find(&vaults, id)?;
        let changed = quarantine::changed(vault, &kept);
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
        for why in &changed {
            let _ = writeln!(out, "  changed  {}", printable(why));
        }
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
        Ok((out, changed))
    })?;
    Ok(match print(ports, out.as_bytes()) {
        Exit::Clean if !changed.is_empty() => Exit::Findings,
        other => other,
    })
}

fn read(fs: &dyn WriteFs, at: crate::world::write_fs::At<'_>) -> Option<String> {
    let mut bytes = Vec::new();
    let file = fs.read(at).ok()?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LARGEST), &mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn export(
    asked: Asked<'_>,
    id: &str,
    (output, derived): (&std::path::Path, bool),
    ports: &Ports<'_>,
) -> Result<Exit, String> {
    let bytes = with(asked, ports, |vaults| {
        let (vault, kept) = find(&vaults, id)?;
        let told = |e: JournalError| e.to_string();
        let story = match vault.story(&kept.run) {
            // What nobody vouches for is written out all the same: nothing else is done by it.
            Err(_) => vault.told(&kept.run).map_err(told)?,
            Ok(story) => story,
        };
        let story = story.ok_or("its journal says nothing")?;
        quarantine::export(vault, &kept, &story, derived).map_err(|e| e.to_string())
    })?;
    ports
        .sinks
        .file(output, &bytes)
        .map_err(|e| format!("the export could not be written: {e}"))?;
    Ok(Exit::Clean)
}

fn prune(
    (common, named): Asked<'_>,
    older: u64,
    yes: bool,
    ports: &Ports<'_>,
) -> Result<Exit, String> {
    let base = Base::load(common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    let fs = SystemWriteFs::default();
    let (uid, now) = (world.env.uid(), world.clock.now());
    let before = now.saturating_sub(i64::try_from(older).unwrap_or(i64::MAX));
    let places = places(&base, &world, &fs, named);
    let mut vaults = places.look(&fs).map_err(text)?;
    if vaults.is_empty() {
        return Ok(print(ports, b"nothing was ever kept\n"));
    }
    if yes {
        let wait = Duration::from_secs(5);
        vaults = places.open_beside(&fs, wait).map_err(text)?;
        vaults.extend(places.open_home(&fs, wait).map_err(text)?);
    }
    let (mut gone, mut problems) = (Vec::new(), Vec::new());
    for vault in &vaults {
        let (removed, told) = quarantine::prune(vault, before, Which::All, yes).map_err(text)?;
        for (run, _) in removed.iter().filter(|_| yes) {
            let added = audit::Audit::of(vault, true).add(&audit::Deed {
                at: now,
                uid,
                run,
                action: "prune",
                what: "the quarantine of a run",
                result: "removed",
            });
            problems.extend(added.err().map(|error| error.to_string()));
        }
        gone.extend(removed);
        problems.extend(told);
    }
    let mut out = String::new();
    let word = if yes { "removed" } else { "would be removed" };
    for (run, bytes) in &gone {
        let _ = writeln!(out, "{run}: {word}, {bytes} bytes");
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
