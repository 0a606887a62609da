//! What an audit costs beside what the machine itself costs, on a real CARGO_HOME: prints one line per question, with the
//! ratio first. Nothing here is a test; no number fails anything.
//!
//! ```text
//! UNTAINT_BENCH_CARGO_HOME=DIR cargo bench --bench speed [-- NAME...]
//! ```
//! `DIR` is a CARGO_HOME with `registry/{cache,src,index}` of a default registry (1,500 crates and more say something);
//! it is only read. Without it the program says so and ends well. `UNTAINT_BENCH_LOCKFILE=FILE` names a lockfile for the
//! advisory line, `UNTAINT_BENCH_ROUNDS=N` the number of rounds (5). The first run asks the registry index once for
//! every crate (cached answers are kept below the build folder for the day); every measured run is offline.
//!
//! Bare work and the audit take turns (A B A B …) in one process tree on the same warm files; medians are printed.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark reads folders, starts the program under test and looks at the clock"
)]

#[path = "speed/bare.rs"]
mod bare;
#[path = "speed/child.rs"]
mod child;
#[path = "speed/place.rs"]
mod place;
#[path = "speed/rounds.rs"]
mod rounds;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use child::{Child, Cost};
use place::Place;
use rounds::{Pair, pairs, spread};

/// A question: its name, and what answers it.
type Question = (&'static str, fn(&Bench) -> std::io::Result<String>);

const QUESTIONS: [Question; 7] = [
    ("archives", archives),
    ("trees", trees),
    ("repeat", repeat),
    ("unchanged", unchanged),
    ("isolated", isolated),
    ("advisories", advisories),
    ("memory", memory),
];

/// What all questions share.
struct Bench {
    place: Place,
    lockfile: Option<PathBuf>,
    rounds: usize,
}

fn main() -> ExitCode {
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let Some(home) = std::env::var_os("UNTAINT_BENCH_CARGO_HOME").map(PathBuf::from) else {
        say("set UNTAINT_BENCH_CARGO_HOME to a CARGO_HOME with many crates; nothing was measured");
        return ExitCode::SUCCESS;
    };
    match run(&home, &chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("the benchmark cannot go on: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(home: &Path, chosen: &[String]) -> std::io::Result<()> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<usize>().ok();
    let place = Place::prepare(home)?;
    say(&place.describe()?);
    let bench = Bench {
        place,
        lockfile: std::env::var_os("UNTAINT_BENCH_LOCKFILE").map(PathBuf::from),
        rounds: number("UNTAINT_BENCH_ROUNDS").unwrap_or(5).max(1),
    };
    for (name, ask) in QUESTIONS {
        if chosen.is_empty() || chosen.iter().any(|c| c == name) {
            say(&format!("{name:<11} {}", ask(&bench)?));
        }
    }
    Ok(())
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe wants no more lines.
    let _ = writeln!(out, "{line}");
}

/// Archives against known claims, beside reading and hashing them on all cores.
fn archives(bench: &Bench) -> std::io::Result<String> {
    let place = &bench.place;
    let state = place.learned("archives-state", &place.archives)?;
    let bare = || bare::hash_archives(&place.archives);
    let audit = || place.audit(&place.archives, &state).arg("--full").cost();
    let pair = pairs(bench.rounds, bare, audit)?;
    Ok(format!("{} reading and hashing the archives", said(&pair)))
}

/// Archives and trees for the first time, beside inflating and hashing the archives on all cores.
fn trees(bench: &Bench) -> std::io::Result<String> {
    let place = &bench.place;
    let bare = || bare::inflate_archives(&place.sources);
    let audit = || {
        let state = place.copy_of_claims("first-state")?;
        place.audit(&place.sources, &state).cost()
    };
    let pair = pairs(bench.rounds, bare, audit)?;
    Ok(format!(
        "{} inflating and hashing the archives",
        said(&pair)
    ))
}

/// Everything once more from proven manifests, beside the same.
fn repeat(bench: &Bench) -> std::io::Result<String> {
    let place = &bench.place;
    let state = place.learned("repeat-state", &place.sources)?;
    let bare = || bare::inflate_archives(&place.sources);
    let audit = || place.audit(&place.sources, &state).arg("--full").cost();
    let pair = pairs(bench.rounds, bare, audit)?;
    Ok(format!(
        "{} inflating and hashing the archives",
        said(&pair)
    ))
}

/// A second run with nothing changed, beside a bare parallel walk with one look at every entry.
fn unchanged(bench: &Bench) -> std::io::Result<String> {
    let place = &bench.place;
    let state = place.learned("full-state", &place.home)?;
    let bare = || bare::walk(&place.home.join("registry"));
    let audit = || place.audit(&place.home, &state).cost();
    let pair = pairs(bench.rounds, bare, audit)?;
    Ok(format!("{} a bare parallel walk", said(&pair)))
}

/// A restored cache of archives and index, judged without any state but a claims file that is named with its digest.
fn isolated(bench: &Bench) -> std::io::Result<String> {
    let place = &bench.place;
    let state = place.learned("archives-state", &place.archives)?;
    let claims = place.export(&state)?;
    let audit = || {
        Child::audit(&place.program, &place.restored)
            .arg("--offline")
            .arg("--isolated")
            .arg("--no-advisories")
            .arg("--claims")
            .arg(&claims)
            .cost()
    };
    let costs: std::io::Result<Vec<Cost>> = (0..bench.rounds).map(|_| audit()).collect();
    let wall: Vec<f64> = costs?.iter().map(|c| c.wall).collect();
    Ok(format!(
        "{} s for {} MB of archives and index with --isolated --claims FILE@sha256",
        spread(&wall),
        place.size(&place.restored)? / 1_000_000
    ))
}

/// Advisories for a lockfile, the whole process, offline.
fn advisories(bench: &Bench) -> std::io::Result<String> {
    let Some(lockfile) = &bench.lockfile else {
        return Ok("set UNTAINT_BENCH_LOCKFILE to a lockfile of about 1,000 packages".into());
    };
    let packages = std::fs::read_to_string(lockfile)?
        .lines()
        .filter(|l| *l == "[[package]]")
        .count();
    let state = bench.place.empty("advisory-state")?;
    let runs = 40;
    let cpu: std::io::Result<Vec<f64>> = (0..bench.rounds)
        .map(|_| {
            let before = child::children_cpu()?;
            for _ in 0..runs {
                Child::new(&bench.place.program)
                    .state(&state)
                    .arg("scan")
                    .arg("--offline")
                    .arg("--no-integrity")
                    .arg("-L")
                    .arg(lockfile)
                    .run()?;
            }
            Ok((child::children_cpu()? - before) * 1000.0 / f64::from(runs))
        })
        .collect();
    Ok(format!(
        "{} ms of CPU, the whole process, for {packages} packages",
        spread(&cpu?)
    ))
}

/// The most memory that each kind of run held.
fn memory(bench: &Bench) -> std::io::Result<String> {
    let place = &bench.place;
    let full = place.learned("full-state", &place.home)?;
    let first = place.copy_of_claims("first-state")?;
    let mib = |bytes: u64| bytes >> 20;
    let first = place.audit(&place.home, &first).peak()?;
    let repeated = place.audit(&place.home, &full).arg("--full").peak()?;
    let second = place.audit(&place.home, &full).peak()?;
    Ok(format!(
        "peak MiB: first pass {}, from manifests {}, nothing changed {}",
        mib(first),
        mib(repeated),
        mib(second)
    ))
}

fn said(pair: &Pair) -> String {
    format!(
        "{} times (bare {} s, audit {} s; CPU {:.2} s)",
        spread(&pair.ratios),
        spread(&pair.bare),
        spread(&pair.audit),
        pair.cpu
    )
}
