//! `untaint status`: when was looked last and with which verdict, how old the advisories are, how large our state is.

use std::fmt::Write as _;

use super::feeds;
use crate::cli::args::StatusArgs;
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::model::Problem;
use crate::model::text::printable;
use crate::model::when::rfc3339;
use crate::trust::claims::ClaimStore;
use crate::trust::ledger::Ledger;
use crate::trust::runs::{self, RunRecord};
use crate::world::{Clock as _, StateDir};

/// How many of the last runs are shown.
const SHOWN: usize = 10;

/// Shows it; ends with 3 when no complete run is newer than `--max-age`.
pub(in crate::cli) fn run(args: &StatusArgs, ports: &Ports<'_>) -> Exit {
    let base = match Base::load(&args.common, ports.env, ports.fs) {
        Ok(base) => base,
        Err(error) => return fail(ports, &error),
    };
    let world = open(&base, ports.sinks);
    let Some(state) = world.state.as_ref().map(|state| state as &dyn StateDir) else {
        let why = if base.isolated {
            "with --isolated nothing is remembered"
        } else {
            "no state folder: set UNTAINT_HOME to a folder"
        };
        return fail(ports, &why);
    };
    let now = world.clock.now();
    let (records, mut problems) = runs::read(state, now);
    let mut text = String::from("last runs:\n");
    if records.is_empty() {
        text.push_str("  none\n");
    }
    for record in records.iter().rev().take(SHOWN) {
        text.push_str(&line(record));
    }
    text.push_str("advisories:\n");
    let shelf = feeds::load(&base, &world, false);
    for row in feeds::show(&shelf).lines() {
        let _ = writeln!(text, "  {row}");
    }
    let (claims, claim_problems) = ClaimStore::open(Some(state), now);
    let (ledger, ledger_problem) = Ledger::open(state, now);
    problems.extend(claim_problems);
    problems.extend(ledger_problem);
    match size(state) {
        Ok(bytes) => {
            let _ = writeln!(
                text,
                "state: {bytes} bytes in {}, {} claims, {} hashed files and trees",
                printable(&state.path().to_string_lossy()),
                claims.len(),
                ledger.len(),
            );
        }
        Err(error) => problems.push(Problem::as_the_tool(
            error.path.display().to_string(),
            error.source.to_string(),
        )),
    }
    for problem in &problems {
        let line = format!("problem: {}: {}\n", problem.path, problem.message);
        ports.sinks.stderr(printable_line(&line).as_bytes());
    }
    match print(ports, text.as_bytes()) {
        Exit::Clean => verdict(args, &records, now, ports),
        failed => failed,
    }
}

fn printable_line(line: &str) -> String {
    let mut shown = printable(line.trim_end_matches('\n'));
    shown.push('\n');
    shown
}

/// Whether a complete run is new enough.
fn verdict(args: &StatusArgs, records: &[RunRecord], now: i64, ports: &Ports<'_>) -> Exit {
    let Some(max_age) = &args.max_age else {
        return Exit::Clean;
    };
    let newest = records.iter().rev().find(|record| record.is_complete());
    let age = newest.map(|record| now.saturating_sub(record.at));
    if age
        .and_then(|age| u64::try_from(age).ok())
        .is_some_and(|age| age <= max_age.0)
    {
        return Exit::Clean;
    }
    let why = match newest {
        Some(record) => format!("the newest complete run is of {}", rfc3339(record.at)),
        None => "no complete run is recorded".to_owned(),
    };
    let line = format!("{why}: run `untaint scan --caches`\n");
    ports.sinks.stderr(line.as_bytes());
    Exit::Incomplete
}

fn line(record: &RunRecord) -> String {
    let what = match (record.projects, record.caches) {
        (true, true) => "projects and caches",
        (false, true) => "caches",
        _ => "projects",
    };
    format!(
        "  {}  {what}: {}, {} subjects ({} verified, {} tainted, {} unverifiable), {} findings\n",
        rfc3339(record.at),
        record.result,
        record.subjects,
        record.verified,
        record.tainted,
        record.unverifiable,
        record.findings,
    )
}

/// Bytes of all files in our state.
fn size(state: &dyn StateDir) -> Result<u64, crate::world::PathError> {
    let mut sum = 0_u64;
    for name in state.list()? {
        sum = sum.saturating_add(state.size(&name)?);
    }
    Ok(sum)
}
