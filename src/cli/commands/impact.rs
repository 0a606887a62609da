//! `untaint impact`: where on this machine something is, by what earlier scans saw.
//!
//! Ends with 1 when it is somewhere, with 0 when no scan saw it, with 3 when no scan is recorded or a record cannot be read:
//! "nowhere" is said only of what was looked at.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use serde::Serialize;

use super::quarantine::listed;
use super::{feeds, heal};
use crate::cli::args::ImpactArgs;
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::model::text::{self, printable};
use crate::model::when::rfc3339;
use crate::pipeline::feeds::Shelf;
use crate::pipeline::heal::quarantine;
use crate::pipeline::impact::{self, Answer, Asked, Kept, Place, Query, Wanted};
use crate::pipeline::report;
use crate::world::StateDir;
use crate::world::real::World;

/// Built parts of a folder that the page names.
const PARTS: usize = 5;

/// Answers.
pub(in crate::cli) fn run(args: &ImpactArgs, ports: &Ports<'_>) -> Exit {
    match tell(args, ports) {
        Ok(exit) => exit,
        Err(why) => fail(ports, &why),
    }
}

fn tell(args: &ImpactArgs, ports: &Ports<'_>) -> Result<Exit, String> {
    let query = Query::parse(&args.what)?;
    let base = Base::load(&args.common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    heal::home(base.homes.state.as_ref(), base.isolated)?;
    let state = world.state.as_ref().map(|state| state as &dyn StateDir);
    let state = state.ok_or("no state folder: set UNTAINT_HOME to a folder")?;
    let shelf = match query {
        Query::Advisory(_) => feeds::load(&base, &world, false),
        _ => Shelf::default(),
    };
    let wanted = Wanted::of(&query, &shelf)?;
    let (kept, problems) = kept(&base, &world);
    let asked = Asked {
        state,
        fs: &world.fs,
        kept,
    };
    let answer = impact::answer(wanted, asked);
    let bytes = if args.json {
        page_json(&args.what, &answer)
    } else {
        page(&answer).into_bytes()
    };
    let problems: Vec<String> = problems
        .into_iter()
        .chain(
            answer
                .problems
                .iter()
                .map(|p| format!("{}: {}", p.path, p.message)),
        )
        .collect();
    for problem in &problems {
        heal::say(ports, problem);
    }
    let exit = if !answer.is_empty() {
        Exit::Findings
    } else if answer.scans == 0 || answer.blind.is_some() || !problems.is_empty() {
        Exit::Incomplete
    } else {
        Exit::Clean
    };
    Ok(match print(ports, &bytes) {
        Exit::Clean => exit,
        failed => failed,
    })
}

/// Everything in the quarantine, and what of it could not be read.
fn kept(base: &Base, world: &World) -> (Vec<Kept>, Vec<String>) {
    match listed(base, world) {
        Ok((all, problems)) => (all.into_iter().map(one).collect(), problems),
        Err(error) => (Vec::new(), vec![format!("the quarantine: {error}")]),
    }
}

fn one(kept: quarantine::Kept) -> Kept {
    let entry = kept.entry;
    let (package, version) = entry
        .package
        .rsplit_once('@')
        .unwrap_or((&entry.package, ""));
    Kept {
        at: kept.at,
        id: kept.id,
        ecosystem: entry.ecosystem.clone(),
        package: package.to_owned(),
        version: version.to_owned(),
        digests: entry
            .moves
            .iter()
            .filter_map(|mv| Some(format!("sha256:{}", mv.digest.as_deref()?)))
            .collect(),
        codes: entry.codes,
        findings: entry.findings,
        was: kept.things.into_iter().map(|(was, _)| was).collect(),
    }
}

/// The word for a place.
fn word(place: &Place) -> &'static str {
    match (&*place.place, &*place.kind) {
        (_, "component") => "locked in",
        ("lockfile", _) => "locked by",
        ("vendor", _) => "vendored",
        ("installed", _) => "installed",
        ("cache", "tree") => "unpacked",
        ("cache", "archive") => "archive",
        ("build", _) => "build",
        _ => "cached",
    }
}

fn page(answer: &Answer) -> String {
    let mut out = String::new();
    let mut packages: BTreeMap<(&str, &str, &str), Vec<&Place>> = BTreeMap::new();
    for place in &answer.places {
        let name = place.package.as_deref().unwrap_or("(no package)");
        let version = place.version.as_deref().unwrap_or_default();
        let key = (&*place.ecosystem, name, version);
        packages.entry(key).or_default().push(place);
    }
    for ((ecosystem, name, version), places) in packages {
        let _ = writeln!(
            out,
            "{} {} ({ecosystem})",
            printable(name),
            printable(version)
        );
        for place in places {
            let _ = write!(
                out,
                "  {:<10} {}  {}, seen {}",
                word(place),
                printable(&place.path),
                printable(&place.outcome),
                rfc3339(place.seen)
            );
            if place.now.present == Some(false) {
                out.push_str(", gone since");
            }
            if place.now.links > 1 {
                let _ = write!(out, ", {} hard links", place.now.links);
            }
            out.push('\n');
            for other in &place.now.same_file {
                let _ = writeln!(out, "  {:<10} {}  the same file", "", printable(other));
            }
        }
    }
    if answer.more > 0 {
        let _ = writeln!(out, "and {} more places: --json names 10000", answer.more);
    }
    for built in &answer.built {
        let _ = writeln!(
            out,
            "built from it: {} parts in {}",
            built.parts.len(),
            printable(&built.folder)
        );
        for part in built.parts.iter().take(PARTS) {
            let _ = writeln!(out, "  {}", printable(&part.to_string_lossy()));
        }
    }
    for kept in &answer.kept {
        let _ = writeln!(
            out,
            "quarantined  {}  {}  {}@{}  {}",
            kept.id,
            rfc3339(kept.at),
            printable(&kept.package),
            printable(&kept.version),
            kept.codes.join(",")
        );
    }
    match answer.span {
        Some((oldest, newest)) => {
            let nowhere = match (answer.is_empty(), &answer.blind) {
                (true, None) => "nowhere: ".to_owned(),
                (true, Some(why)) => format!("not seen, which says little: {}; ", printable(why)),
                (false, _) => String::new(),
            };
            let _ = writeln!(
                out,
                "{nowhere}recorded scans: {}, the oldest of {}, the newest of {}",
                answer.scans,
                rfc3339(oldest),
                rfc3339(newest)
            );
        }
        None => out.push_str("no scan is recorded: `untaint scan --caches`, and `untaint scan` in each project, record what they see\n"),
    }
    out
}

/// The answer for programs (`untaint.impact/1`); keys in this order, empty values left out.
#[derive(Serialize)]
struct Page<'a> {
    schema: &'static str,
    asked: &'a str,
    scans: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    places: Vec<PlaceRow<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    more: usize,
    built: Vec<BuiltRow<'a>>,
    quarantine: Vec<KeptRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blind: Option<&'a str>,
}

#[derive(Serialize)]
struct PlaceRow<'a> {
    ecosystem: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    place: &'a str,
    kind: &'a str,
    path: &'a str,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<&'a str>,
    seen: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    targets: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    present: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    same_file: &'a [String],
}

#[derive(Serialize)]
struct BuiltRow<'a> {
    ecosystem: &'a str,
    folder: &'a str,
    from: &'a [String],
    parts: Vec<String>,
}

#[derive(Serialize)]
struct KeptRow<'a> {
    id: &'a str,
    at: String,
    ecosystem: &'a str,
    package: &'a str,
    version: &'a str,
    codes: &'a [String],
    findings: &'a [String],
    was: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the serializer hands over a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn page_json(what: &str, answer: &Answer) -> Vec<u8> {
    let shown = |paths: &[PathBuf]| -> Vec<String> {
        let one = |path: &PathBuf| text::percent(path.as_os_str().as_bytes()).0;
        paths.iter().map(one).collect()
    };
    report::pretty(&Page {
        schema: "untaint.impact/1",
        asked: what,
        scans: answer.scans,
        oldest: answer.span.map(|(oldest, _)| rfc3339(oldest)),
        newest: answer.span.map(|(_, newest)| rfc3339(newest)),
        places: answer.places.iter().map(PlaceRow::of).collect(),
        more: answer.more,
        built: answer
            .built
            .iter()
            .map(|built| BuiltRow {
                ecosystem: &built.ecosystem,
                folder: &built.folder,
                from: &built.from,
                parts: shown(&built.parts),
            })
            .collect(),
        quarantine: answer
            .kept
            .iter()
            .map(|kept| KeptRow {
                id: &kept.id,
                at: rfc3339(kept.at),
                ecosystem: &kept.ecosystem,
                package: &kept.package,
                version: &kept.version,
                codes: &kept.codes,
                findings: &kept.findings,
                was: shown(&kept.was),
            })
            .collect(),
        blind: answer.blind.as_deref(),
    })
}

impl<'a> PlaceRow<'a> {
    fn of(place: &'a Place) -> Self {
        Self {
            ecosystem: &place.ecosystem,
            package: place.package.as_deref(),
            version: place.version.as_deref(),
            place: &place.place,
            kind: &place.kind,
            path: &place.path,
            outcome: &place.outcome,
            observed: place.observed.as_deref(),
            seen: rfc3339(place.seen),
            targets: &place.targets,
            present: place.now.present,
            links: (place.now.links > 1).then_some(place.now.links),
            same_file: &place.now.same_file,
        }
    }
}
