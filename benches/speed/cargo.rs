//! What an audit of a CARGO_HOME costs.

use std::io::Result;
use std::path::{Path, PathBuf};

use crate::child::{self, Child, Cost};
use crate::place::Place;
use crate::rounds::{pairs, spread};
use crate::{answer, bare, folder, rounds, say};

/// A question: its name, and what answers it.
type Question = (&'static str, fn(&Bench) -> Result<String>);

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

/// Answers the chosen questions about a CARGO_HOME.
pub(crate) fn run(home: &Path, chosen: &[String]) -> Result<()> {
    let place = Place::prepare(home)?;
    say(&place.describe()?);
    let bench = Bench {
        place,
        lockfile: folder("UNTAINT_BENCH_LOCKFILE"),
        rounds: rounds(5),
    };
    answer(&bench, &QUESTIONS, chosen)
}

/// Archives against known claims, beside reading and hashing them on all cores.
fn archives(bench: &Bench) -> Result<String> {
    let place = &bench.place;
    let state = place.learned("archives-state", &place.archives)?;
    let bare = || bare::hash_archives(&place.archives);
    let audit = || place.audit(&place.archives, &state).arg("--full").cost();
    let pair = pairs(bench.rounds, bare, audit)?;
    Ok(format!("{} reading and hashing the archives", pair.said()))
}

/// Archives and trees for the first time, beside inflating and hashing the archives on all cores.
fn trees(bench: &Bench) -> Result<String> {
    let place = &bench.place;
    let bare = || bare::inflate_archives(&place.sources);
    let audit = || {
        let state = place.copy_of_claims("first-state")?;
        place.audit(&place.sources, &state).cost()
    };
    let pair = pairs(bench.rounds, bare, audit)?;
    Ok(format!(
        "{} inflating and hashing the archives",
        pair.said()
    ))
}

/// Everything once more from proven manifests, beside the same.
fn repeat(bench: &Bench) -> Result<String> {
    let place = &bench.place;
    let state = place.learned("repeat-state", &place.sources)?;
    let bare = || bare::inflate_archives(&place.sources);
    let audit = || place.audit(&place.sources, &state).arg("--full").cost();
    let pair = pairs(bench.rounds, bare, audit)?;
    Ok(format!(
        "{} inflating and hashing the archives",
        pair.said()
    ))
}

/// A second run with nothing changed, beside a bare parallel walk with one look at every entry.
fn unchanged(bench: &Bench) -> Result<String> {
    let place = &bench.place;
    let state = place.learned("full-state", &place.home)?;
    let bare = || bare::walk(&place.home.join("registry"));
    let audit = || place.audit(&place.home, &state).cost();
    let pair = pairs(bench.rounds, bare, audit)?;
    Ok(format!("{} a bare parallel walk", pair.said()))
}

/// A restored cache of archives and index, judged without any state but a claims file that is named with its digest.
fn isolated(bench: &Bench) -> Result<String> {
    let place = &bench.place;
    let state = place.learned("archives-state", &place.archives)?;
    let claims = place.export(&state)?;
    let audit = || {
        Child::audit(&place.program, "cargo", &place.restored)
            .arg("--offline")
            .arg("--isolated")
            .arg("--no-advisories")
            .arg("--claims")
            .arg(&claims)
            .cost()
    };
    let costs: Result<Vec<Cost>> = (0..bench.rounds).map(|_| audit()).collect();
    let wall: Vec<f64> = costs?.iter().map(|c| c.wall).collect();
    Ok(format!(
        "{} s for {} MB of archives and index with --isolated --claims FILE@sha256",
        spread(&wall),
        place.size(&place.restored)? / 1_000_000
    ))
}

/// Advisories for a lockfile, the whole process, offline.
fn advisories(bench: &Bench) -> Result<String> {
    let Some(lockfile) = &bench.lockfile else {
        return Ok("set UNTAINT_BENCH_LOCKFILE to a lockfile of about 1,000 packages".into());
    };
    let packages = std::fs::read_to_string(lockfile)?
        .lines()
        .filter(|l| *l == "[[package]]")
        .count();
    let state = bench.place.empty("advisory-state")?;
    let runs = 40;
    let cpu: Result<Vec<f64>> = (0..bench.rounds)
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
fn memory(bench: &Bench) -> Result<String> {
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
