//! Making the schedule, taking it away, and looking whether it is in place.
//!
//! What was installed is kept in our state, so that it can be said whether somebody changed it and whether its roots are
//! still there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cli::args::{Common, Keeper, PlanArgs};
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::schedule::{Job, cron, launchd, systemd};
use crate::cli::settings::Base;
use crate::cli::{Ports, print as show};
use crate::ecosystems;
use crate::model::text::printable;
use crate::model::when::rfc3339;
use crate::trust::runs;
use crate::world::real::World;
use crate::world::services::{Errand, Services};
use crate::world::{Clock as _, Env, ReadFs as _, StateDir};

/// Name of the record in our state.
const FILE: &str = "schedule";
const LARGEST: u64 = 1 << 20;
/// How long a program of the system may take.
const WITHIN: Duration = Duration::from_secs(30);
/// A night and a bit: older than this, a run was missed.
const MISSED: i64 = 26 * 3600;

type Done = Result<Exit, String>;

/// What was installed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// `systemd` or `cron`.
    keeper: String,
    /// Time of day.
    at: String,
    /// When it was installed, seconds since 1970.
    since: i64,
    /// Names and paths of the roots.
    roots: Vec<(String, PathBuf)>,
    /// Files that were written, each with what it must hold.
    files: Vec<(PathBuf, String)>,
    /// Our part of the crontab.
    block: Option<String>,
}

fn job(args: &PlanArgs, base: &Base, world: &World) -> Result<Job, String> {
    let program = world
        .env
        .program()
        .ok_or("the place of untaint itself cannot be told")?;
    let mut roots: Vec<(String, PathBuf)> = Vec::new();
    for ecosystem in ecosystems::all() {
        for kind in ecosystem.caches() {
            for candidate in kind.locate(&world.env, &world.fs) {
                if let Ok(root) = world.fs.open_root(&candidate.path) {
                    roots.push((kind.name().to_owned(), root.resolved));
                }
            }
        }
    }
    for cache in &args.night.caches {
        let root = world
            .fs
            .open_root(&cache.path)
            .map_err(|e| format!("--cache {}: {}", cache.path.display(), e.source))?;
        roots.push((cache.name.clone(), root.resolved));
    }
    roots.sort();
    roots.dedup();
    if roots.is_empty() {
        return Err(
            "no cache of this user is there yet: name one with --cache NAME=DIR".to_owned(),
        );
    }
    let current = world.env.current_dir();
    let metrics = args.night.metrics.as_ref().map(|path| {
        let above = current.clone().unwrap_or_default();
        above.join(path)
    });
    let ours = ["UNTAINT_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"];
    let variables = ours
        .into_iter()
        .filter_map(|name| Some((name, world.env.var(name).filter(|v| !v.is_empty())?)))
        .collect();
    super::tell::check(&args.night)?;
    if base.isolated {
        return Err("--isolated keeps nothing, and a schedule lives on what is kept".to_owned());
    }
    Ok(Job {
        program,
        roots,
        at: args.at,
        heal: args.night.heal,
        metrics,
        webhook: args.night.webhook.clone(),
        notify: args.night.notify.clone(),
        cool_down: args.night.cool_down.map(|s| s.0),
        variables,
    })
}

/// Shows what would be installed.
pub(super) fn print(args: &PlanArgs, ports: &Ports<'_>) -> Done {
    let base = Base::load(&args.common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    let job = job(args, &base, &world)?;
    let text = match args.with {
        Keeper::Systemd => {
            let (service, timer) = systemd::units(&job)?;
            let folder = folder(&world.env)?;
            let shown = |name: &str| folder.join(name).display().to_string();
            let mut out = format!("# {}\n", shown(&unit("service"))).into_bytes();
            out.extend(service);
            out.extend(format!("\n# {}\n", shown(&unit("timer"))).into_bytes());
            out.extend(timer);
            out
        }
        Keeper::Cron => cron::block(&job)?,
        Keeper::Launchd => launchd::agent(&job)?.into_bytes(),
    };
    Ok(show(ports, &text))
}

fn unit(kind: &str) -> String {
    format!("{}.{kind}", systemd::UNIT)
}

/// Where the user's units are (systemd.unit(5)).
fn folder(env: &dyn Env) -> Result<PathBuf, String> {
    let base = env
        .var("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env.home().map(|home| home.join(".config")))
        .ok_or("no home folder: set HOME")?;
    Ok(base.join("systemd/user"))
}

fn state<'a>(base: &Base, world: &'a World) -> Result<&'a dyn StateDir, String> {
    super::super::heal::home(base.homes.state.as_ref(), base.isolated)?;
    let state = world.state.as_ref().map(|state| state as &dyn StateDir);
    state.ok_or_else(|| "no state folder: set UNTAINT_HOME to a folder".to_owned())
}

/// Installs it, in place of an earlier one.
pub(super) fn install(args: &PlanArgs, ports: &Ports<'_>, services: &dyn Services) -> Done {
    let base = Base::load(&args.common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    let state = state(&base, &world)?;
    let job = job(args, &base, &world)?;
    let old = record(state)?;
    let mut new = Record {
        keeper: String::new(),
        at: job.at.to_string(),
        since: world.clock.now(),
        roots: job.roots.clone(),
        files: Vec::new(),
        block: None,
    };
    // All texts are made before anything is changed, and an earlier schedule goes only when the new one stands.
    match args.with {
        Keeper::Systemd => {
            "systemd".clone_into(&mut new.keeper);
            let (service, timer) = systemd::units(&job)?;
            let folder = folder(&world.env)?;
            for (name, bytes) in [(unit("service"), service), (unit("timer"), timer)] {
                let text = String::from_utf8(bytes).map_err(|e| e.to_string())?;
                new.files.push((folder.join(name), text));
            }
            if let Err(why) = enable(&new, services) {
                if old.as_ref().is_none_or(|old| old.keeper != new.keeper) {
                    // What stops it must not leave half of it behind.
                    let _ = take_away(&new, services);
                }
                return Err(why);
            }
        }
        Keeper::Cron => {
            "cron".clone_into(&mut new.keeper);
            let block = cron::block(&job)?;
            let table = cron::edit(&crontab(services)?, Some(&block))?;
            new.block = Some(String::from_utf8(block).map_err(|e| e.to_string())?);
            set_crontab(services, table)?;
        }
        Keeper::Launchd => {
            return Err("launchd: `untaint schedule print --with launchd > ~/Library/LaunchAgents/untaint.schedule.plist`, then `launchctl load` that file".to_owned());
        }
    }
    keep(state, &new)?;
    if let Some(old) = old.filter(|old| old.keeper != new.keeper) {
        take_away(&old, services)?;
    }
    let mut out = format!("every night at {}, by {}:\n", job.at, new.keeper);
    for (name, path) in &job.roots {
        let _ = writeln!(out, "  {name}={}", printable(&path.to_string_lossy()));
    }
    out.push_str("`untaint schedule status` shows whether it runs, `untaint schedule remove` takes it away\n");
    Ok(show(ports, out.as_bytes()))
}

/// Writes the units and starts the timer.
fn enable(new: &Record, services: &dyn Services) -> Result<(), String> {
    for (path, text) in &new.files {
        services
            .write(path, text.as_bytes())
            .map_err(|e| e.to_string())?;
    }
    systemctl(services, &["daemon-reload"])?;
    systemctl(services, &["enable", "--now", &unit("timer")]).map(|_| ())
}

fn record(state: &dyn StateDir) -> Result<Option<Record>, String> {
    let bytes = state.read(FILE, LARGEST).map_err(|e| e.to_string())?;
    let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|_| {
        let path = state.path().join(FILE);
        format!(
            "{}: damaged; move it away, then install anew",
            path.display()
        )
    })
}

fn keep(state: &dyn StateDir, record: &Record) -> Result<(), String> {
    let bytes = serde_json::to_vec(record).map_err(|e| e.to_string())?;
    state.replace(FILE, &bytes).map_err(|e| e.to_string())
}

/// Takes the schedule away; the record and the logs of its nights stay until the next one.
pub(super) fn remove(common: &Common, ports: &Ports<'_>, services: &dyn Services) -> Done {
    let base = Base::load(common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    let state = state(&base, &world)?;
    let Some(old) = record(state)? else {
        return Ok(show(ports, b"no schedule is installed\n"));
    };
    take_away(&old, services)?;
    state.remove(FILE).map_err(|e| e.to_string())?;
    Ok(show(ports, b"the schedule is gone\n"))
}

fn take_away(old: &Record, services: &dyn Services) -> Result<(), String> {
    if old.keeper == "cron" {
        let table = crontab(services)?;
        let without = cron::edit(&table, None)?;
        if without != table {
            set_crontab(services, without)?;
        }
        return Ok(());
    }
    // A manager that does not answer has no timer running; the files must go all the same.
    let stopped = systemctl(services, &["disable", "--now", &unit("timer")]);
    for (path, _) in &old.files {
        let ours = path
            .file_name()
            .is_some_and(|name| name == &*unit("timer") || name == &*unit("service"));
        if ours {
            services.remove(path).map_err(|e| e.to_string())?;
        }
    }
    stopped.and_then(|_| systemctl(services, &["daemon-reload"]))?;
    Ok(())
}

/// Whether it is in place, whether its roots are there, and when it last ran.
pub(super) fn status(common: &Common, ports: &Ports<'_>, services: &dyn Services) -> Done {
    let base = Base::load(common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    let state = state(&base, &world)?;
    let Some(record) = record(state)? else {
        let shown = show(
            ports,
            b"no schedule is installed: `untaint schedule install`\n",
        );
        return Ok(and(shown, Exit::Incomplete));
    };
    let mut well = true;
    let mut out = format!("every night at {}, by {}\n", record.at, record.keeper);
    let mut row = |what: String, state: &str, good: bool| {
        well &= good;
        let _ = writeln!(out, "  {state:<8} {}", printable(&what));
    };
    for (path, text) in &record.files {
        let (word, good) = match world.fs.read_named(path, LARGEST) {
            Ok(bytes) if String::from_utf8_lossy(&bytes) == *text => ("there", true),
            Ok(_) => ("changed", false),
            Err(_) => ("gone", false),
        };
        row(path.display().to_string(), word, good);
    }
    if record.keeper == "systemd" {
        match running(&record, services) {
            Ok(()) => row("systemd has the timer".to_owned(), "runs", true),
            Err(why) => row(why, "differs", false),
        }
    }
    if let Some(block) = &record.block {
        let (word, good) = match crontab(services).map(|table| cron::installed(&table)) {
            Ok(Some(found)) if found == block.as_bytes() => ("there", true),
            Ok(Some(_)) => ("changed", false),
            Ok(None) => ("gone", false),
            Err(_) => ("unknown", false),
        };
        row("the line in the crontab".to_owned(), word, good);
    }
    for (name, path) in &record.roots {
        let there = world.fs.open_root(path).is_ok();
        let word = if there { "there" } else { "gone" };
        row(format!("{name}={}", path.display()), word, there);
    }
    let now = world.clock.now();
    let (records, problems) = runs::read(state, now);
    for problem in &problems {
        super::super::heal::say(ports, &problem.message);
    }
    let last = records.iter().rev().find(|r| r.caches && r.is_complete());
    let since = last.map_or(record.since, |last| last.at.max(record.since));
    let missed = now.saturating_sub(since) > MISSED;
    match last {
        Some(last) => {
            let _ = writeln!(
                out,
                "last complete run over caches: {}, {}",
                rfc3339(last.at),
                last.result
            );
        }
        None => out.push_str("no complete run over caches yet\n"),
    }
    if missed {
        out.push_str("a night was missed\n");
    }
    let exit = if well && !missed {
        Exit::Clean
    } else {
        Exit::Incomplete
    };
    Ok(and(show(ports, out.as_bytes()), exit))
}

/// The second, unless the first failed.
fn and(shown: Exit, exit: Exit) -> Exit {
    match shown {
        Exit::Clean => exit,
        failed => failed,
    }
}

/// Whether the manager itself runs these files and no others; the first thing that is not so.
fn running(record: &Record, services: &dyn Services) -> Result<(), String> {
    for (path, _) in &record.files {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let wanted = [
            ("FragmentPath", path.to_string_lossy().into_owned()),
            ("DropInPaths", String::new()),
            ("NeedDaemonReload", "no".to_owned()),
        ];
        let timer = [
            ("UnitFileState", "enabled".to_owned()),
            ("ActiveState", "active".to_owned()),
        ];
        let timer = timer.into_iter().filter(|_| name == unit("timer"));
        let wanted: Vec<(&str, String)> = wanted.into_iter().chain(timer).collect();
        let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
        let asked = systemctl(services, &["show", "-p", &names.join(","), name])?;
        let text = String::from_utf8_lossy(&asked).into_owned();
        for (property, value) in wanted {
            let is = text
                .lines()
                .find_map(|line| line.strip_prefix(property)?.strip_prefix('='));
            if is != Some(&value) {
                return Err(format!(
                    "systemd says {property}={} of {name}, not {value}",
                    is.unwrap_or("nothing")
                ));
            }
        }
    }
    Ok(())
}

fn systemctl(services: &dyn Services, words: &[&str]) -> Result<Vec<u8>, String> {
    let line = format!("systemctl --user {}", words.join(" "));
    let mut args = vec!["--user".into()];
    args.extend(words.iter().map(Into::into));
    tell(services, "systemctl", args, Vec::new(), &line)
}

/// The user's crontab; one that is not there is empty.
fn crontab(services: &dyn Services) -> Result<Vec<u8>, String> {
    let told = services.run(&Errand {
        program: "crontab".into(),
        args: vec!["-l".into()],
        input: Vec::new(),
        within: WITHIN,
    });
    match told {
        Ok(told) if told.cut => {
            Err("crontab -l: it is larger than a mebibyte: edit it with `crontab -e`".to_owned())
        }
        Ok(told) if told.well => Ok(told.output),
        // Every cron says so with 1 and a line of its own.
        Ok(told) if told.output.is_empty() && told.words.starts_with(b"no crontab") => {
            Ok(Vec::new())
        }
        Ok(told) => Err(format!(
            "crontab -l: {}",
            printable(String::from_utf8_lossy(&told.words).trim())
        )),
        Err(error) => Err(format!("crontab -l: {error}")),
    }
}

fn set_crontab(services: &dyn Services, table: Vec<u8>) -> Result<(), String> {
    tell(
        services,
        "crontab",
        vec!["-".into()],
        table.clone(),
        "crontab -",
    )?;
    if crontab(services)? == table {
        return Ok(());
    }
    Err(
        "crontab -: what stands there now is not what was written: look with `crontab -l`"
            .to_owned(),
    )
}

fn tell(
    services: &dyn Services,
    program: &str,
    args: Vec<std::ffi::OsString>,
    input: Vec<u8>,
    line: &str,
) -> Result<Vec<u8>, String> {
    let told = services
        .run(&Errand {
            program: program.into(),
            args,
            input,
            within: WITHIN,
        })
        .map_err(|error| {
            format!("{line}: {error}; `untaint schedule print` shows what to install by hand")
        })?;
    if told.well {
        return Ok(told.output);
    }
    let words = String::from_utf8_lossy(&told.words);
    Err(format!(
        "{line}: {}; nothing of it is in force; `untaint schedule status` says what is there",
        printable(words.trim())
    ))
}

/// Whether a root of the night is there.
pub(super) fn is_there(world: &World, path: &Path) -> bool {
    world.fs.open_root(path).is_ok()
}
