//! What an audit costs beside what the machine itself and the package managers' own checks cost, on real caches: prints a
//! line per question, with the ratio first. Nothing here is a test; no number fails anything.
//!
//! ```text
//! UNTAINT_BENCH_CARGO_HOME=DIR cargo bench --bench speed [-- NAME...]
//! UNTAINT_BENCH_GOMODCACHE=DIR UNTAINT_BENCH_GO_PROJECT=DIR cargo bench --bench speed [-- NAME...]
//! ```
//! Of Cargo: a CARGO_HOME with `registry/{cache,src,index}` of a default registry (1,500 crates and more say something);
//! `UNTAINT_BENCH_LOCKFILE=FILE` names a lockfile for the advisory line. The first run asks the registry index once for
//! every crate (cached answers are kept below the build folder for the day); every measured run is offline.
//!
//! Of Go: a GOMODCACHE with the log data that came with it, and a project whose `go.mod` needs all of its modules, for
//! `go mod verify`. `UNTAINT_BENCH_LOG=ADDRESS` is where a proxy hands out the data of the log that the go
//! command uses; only the line about look-ups asks it, with `curl`.
//!
//! What is named is only read. Without any the program says so and ends well. `UNTAINT_BENCH_ROUNDS=N` is the number of
//! rounds (5; 3 where `go mod verify` takes part).
//!
//! Bare work and the audit take turns (A B A B …) in one process tree on the same warm files; medians are printed, with
//! the least and the most, once by the clock and once by CPU time.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark reads folders, starts the program under test and looks at the clock"
)]

#[path = "speed/bare.rs"]
mod bare;
#[path = "speed/bare_zip.rs"]
mod bare_zip;
#[path = "speed/cargo.rs"]
mod cargo;
#[path = "speed/child.rs"]
mod child;
#[path = "speed/go.rs"]
mod go;
#[path = "speed/go_log.rs"]
mod go_log;
#[path = "speed/place.rs"]
mod place;
#[path = "speed/rounds.rs"]
mod rounds;

use std::io::{Result, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let cargo = folder("UNTAINT_BENCH_CARGO_HOME");
    let go = folder("UNTAINT_BENCH_GOMODCACHE").zip(folder("UNTAINT_BENCH_GO_PROJECT"));
    if cargo.is_none() && go.is_none() {
        say(
            "set UNTAINT_BENCH_CARGO_HOME, or UNTAINT_BENCH_GOMODCACHE and UNTAINT_BENCH_GO_PROJECT; nothing was measured",
        );
        return ExitCode::SUCCESS;
    }
    let ran = cargo
        .map_or(Ok(()), |home| cargo::run(&home, &chosen))
        .and_then(|()| {
            go.map_or(Ok(()), |(cache, project)| {
                go::run(&cache, &project, &chosen)
            })
        });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("the benchmark cannot go on: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A folder that a variable names.
fn folder(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os(name)?;
    // Runs stand in another folder than this process.
    std::path::absolute(named).ok()
}

/// How many rounds to take.
fn rounds(usual: usize) -> usize {
    let named = std::env::var("UNTAINT_BENCH_ROUNDS").ok();
    named.and_then(|n| n.parse().ok()).unwrap_or(usual).max(1)
}

/// A question by its name, and who answers it.
type Question<B> = (&'static str, fn(&B) -> Result<String>);

/// Answers the chosen questions, or all.
fn answer<B>(bench: &B, questions: &[Question<B>], chosen: &[String]) -> Result<()> {
    for (name, ask) in questions {
        if chosen.is_empty() || chosen.iter().any(|c| c == name) {
            say(&format!("{name:<12} {}", ask(bench)?));
        }
    }
    Ok(())
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe wants no more lines.
    let _ = writeln!(out, "{line}");
}
