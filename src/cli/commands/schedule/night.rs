//! What the timer starts: heal if wanted, audit, metrics, news.

use std::path::PathBuf;

use clap::Parser as _;

use super::{plan, tell};
use crate::cli::args::{CacheArg, Cli, Command, HealArgs, NightArgs, ScanArgs};
use crate::cli::commands::prepared::Prepared;
use crate::cli::commands::{heal, scan as scanning};
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::schedule::metrics;
use crate::cli::settings::{Base, Settings};
use crate::cli::{Ports, print};
use crate::model::Problem;
use crate::pipeline::report::{self, Format, Options};
use crate::pipeline::scan;
use crate::world::services::Services;

/// One night; ends as the audit does.
pub(super) fn run(
    args: NightArgs,
    ports: &Ports<'_>,
    services: &dyn Services,
) -> Result<Exit, String> {
    let NightArgs { night, common } = args;
    let base = Base::load(&common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    heal::home(base.homes.state.as_ref(), base.isolated)?;
    let world = open(&base, ports.sinks);
    let (there, gone): (Vec<CacheArg>, Vec<CacheArg>) = night
        .caches
        .iter()
        .cloned()
        .partition(|cache| plan::is_there(&world, &cache.path));
    let (mut healed, mut answered) = (0, Vec::new());
    if night.heal && !there.is_empty() {
        let mut args = healing(&there)?;
        args.shared.common = common.clone();
        let settings = Settings::load(&args.shared, ports.env, ports.fs);
        let settings = settings.map_err(|e| e.to_string())?;
        match heal::attempt(&args, settings, &world, ports) {
            Ok(attempt) => (healed, answered) = (attempt.healed, attempt.answered),
            Err(why) => heal::say(ports, &why),
        }
    }
    let mut args = scanning_all(&there)?;
    args.shared.common = common;
    let settings = Settings::for_scan(&args, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let mut prepared = Prepared::new(settings, &world)?;
    prepared.report_pending();
    for cache in &gone {
        let why = format!(
            "the cache `{}` of the schedule is gone: `untaint schedule install` anew, or put it back",
            cache.name
        );
        prepared.report_problem(Problem::skipped("", why).at(&cache.path));
    }
    let report = scan::run(prepared.job(&prepared.advice(), prepared.ledger.as_ref()));
    world.progress.finish();
    let report = report.map_err(|e| e.to_string())?;
    scanning::record_run(&prepared, &report, &world, ports);
    let state = prepared.state().ok_or("no state folder")?;
    if let Some(path) = &night.metrics {
        let extra = metrics::Night {
            healed,
            vanished: gone.len() as u64,
        };
        let text = metrics::render(&report, extra);
        if let Err(error) = ports.sinks.file(path, text.as_bytes()) {
            heal::say(ports, &format!("the metrics could not be written: {error}"));
        }
    }
    let news = tell::News {
        report: &report,
        policy: &prepared.settings.policy,
        night: &night,
        now: prepared.now,
        healed: &answered,
    };
    for trouble in tell::tell(&news, state, &world, services) {
        heal::say(ports, &trouble);
    }
    let page = report::render(&report, Format::Table, &Options::default());
    let exit = Exit::of(report.verdict.result, false);
    Ok(match print(ports, &page) {
        Exit::Clean => exit,
        failed => failed,
    })
}

fn words(command: &str, caches: &[CacheArg]) -> Vec<std::ffi::OsString> {
    let mut words: Vec<std::ffi::OsString> = vec!["untaint".into(), command.into()];
    for CacheArg { name, path } in caches {
        let mut root = std::ffi::OsString::from(format!("{name}="));
        root.push::<&PathBuf>(path);
        words.extend(["--cache".into(), root]);
    }
    words
}

/// The arguments of `heal --yes` over these caches.
fn healing(caches: &[CacheArg]) -> Result<HealArgs, String> {
    let mut words = words("heal", caches);
    words.push("--yes".into());
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Heal(args)) => Ok(*args),
        Ok(_) => Err("no heal".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The arguments of `scan` over these caches.
fn scanning_all(caches: &[CacheArg]) -> Result<ScanArgs, String> {
    let mut words = words("scan", caches);
    if caches.is_empty() {
        // Nothing is left to look at: the roots that are gone are all there is to say.
        words.push("--caches".into());
    }
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Scan(args)) => Ok(*args),
        Ok(_) => Err("no scan".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
