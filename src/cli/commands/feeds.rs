//! `untaint feeds update|status|import`: the advisory data that scans ask; `feeds snapshot`: what is built into the program.
//!
//! Ends with 0 if all is well; `update`: 1 if a feed was refused, 3 if one could not be renewed; `status`: 4 if one is missing or too old;
//! `import`: 1 if the file was refused; 2 if the command could not run or nothing could be kept.

use std::fmt::Write as _;
use std::path::Path;

use super::advise::pinned;
use crate::cli::args::{Common, FeedsArgs, FeedsCommand, ImportFeed, SnapshotArgs};
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::ecosystems;
use crate::model::day::Day;
use crate::model::policy::Policy;
use crate::model::text::printable;
use crate::pipeline::advise::archive;
use crate::pipeline::advise::snapshot;
use crate::pipeline::feeds::{self, FeedsContext, Shelf};
use crate::world::real::World;
use crate::world::{Clock as _, Progress as _, ReadFs as _, StateDir};

/// Text to print, and how the command ends if it can be printed.
type Done = Result<(String, Exit), String>;

/// Keeps the feeds.
pub(in crate::cli) fn run(args: &FeedsArgs, ports: &Ports<'_>) -> Exit {
    let done = match &args.command {
        FeedsCommand::Update(common) => update(common, ports),
        FeedsCommand::Status(common) => status(common, ports),
        FeedsCommand::Import(args) => import(args, ports),
        FeedsCommand::Snapshot(args) => snapshot(args, ports),
    };
    match done {
        Ok((text, exit)) => match print(ports, text.as_bytes()) {
            Exit::Clean => exit,
            failed => failed,
        },
        Err(why) => fail(ports, &why),
    }
}

fn machine(common: &Common, ports: &Ports<'_>) -> Result<(Base, World), String> {
    let base = Base::load(common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = open(&base, ports.sinks);
    Ok((base, world))
}

fn state<'a>(base: &Base, world: &'a World) -> Result<&'a dyn StateDir, String> {
    match &world.state {
        Some(state) => Ok(state),
        None if base.isolated => Err("with --isolated no feed is kept".to_owned()),
        None => Err("no state folder to keep feeds in: set UNTAINT_HOME to a folder".to_owned()),
    }
}

pub(super) fn load(base: &Base, world: &World, ask: bool) -> Shelf {
    let policies = [&base.named_policy, &base.user_policy];
    let max_age = policies
        .into_iter()
        .flatten()
        .find_map(|policy| policy.max_feed_age);
    let shelf = feeds::load(
        ecosystems::all(),
        &FeedsContext {
            state: world.state.as_ref().map(|state| state as &dyn StateDir),
            named_dir: None,
            fs: &world.fs,
            fetch: &*world.fetch,
            offline: !ask,
            always: ask,
            now: world.clock.now(),
            max_age: max_age.unwrap_or(Policy::DEFAULT_MAX_FEED_AGE),
            pinned: &|id| pinned(base, id),
            cancelled: &|| world.progress.cancelled(),
        },
    );
    world.progress.finish();
    shelf
}

fn update(common: &Common, ports: &Ports<'_>) -> Done {
    let (base, world) = machine(common, ports)?;
    if base.offline {
        return Err("with --offline nothing can be fetched: use `untaint feeds import`".to_owned());
    }
    state(&base, &world)?;
    let shelf = load(&base, &world, true);
    let text = show(&shelf);
    let all = shelf.uncovered.is_empty()
        && shelf
            .facts
            .iter()
            .all(|feed| shelf.renewed.contains(&feed.name));
    let exit = if !shelf.findings.is_empty() {
        Exit::Findings
    } else if !shelf.unkept.is_empty() {
        Exit::CouldNotRun
    } else if all {
        Exit::Clean
    } else {
        Exit::Incomplete
    };
    tell(&shelf, ports);
    Ok((text, exit))
}

fn status(common: &Common, ports: &Ports<'_>) -> Done {
    let (base, world) = machine(common, ports)?;
    let shelf = load(&base, &world, false);
    let stale = !shelf.uncovered.is_empty() || shelf.facts.iter().any(|feed| feed.too_old);
    let broken = shelf
        .problems
        .iter()
        .any(|problem| problem.effect != crate::model::Effect::AsTheTool);
    let exit = if broken {
        Exit::Incomplete
    } else if stale {
        Exit::Stale
    } else {
        Exit::Clean
    };
    tell(&shelf, ports);
    Ok((show(&shelf), exit))
}

/// One line per feed, then one per ecosystem without any.
pub(super) fn show(shelf: &Shelf) -> String {
    let mut text = String::new();
    for feed in &shelf.facts {
        let _ = writeln!(
            text,
            "{:<10} {:<6} {} advisories of {}, {}{}",
            feed.name,
            feed.ecosystem.map_or("", |id| id.as_str()),
            feed.records,
            Day::of(feed.updated),
            feed.origin,
            if feed.too_old { ", too old" } else { "" }
        );
    }
    for name in &shelf.uncovered {
        let _ = writeln!(text, "{:<10} {name:<6} no advisory data", "-");
    }
    text
}

/// What went wrong goes to standard error.
fn tell(shelf: &Shelf, ports: &Ports<'_>) {
    let findings = shelf
        .findings
        .iter()
        .map(|f| ("refused", f.message.clone()));
    let notices = shelf.notices.iter().map(|n| ("note", n.message.clone()));
    let problems = shelf
        .problems
        .iter()
        .map(|p| ("problem", format!("{}: {}", p.path, p.message)));
    for (kind, message) in findings.chain(problems).chain(notices) {
        let line = format!("{kind}: {}\n", printable(&message));
        ports.sinks.stderr(line.as_bytes());
    }
}

fn import(args: &ImportFeed, ports: &Ports<'_>) -> Done {
    let (base, world) = machine(&args.common, ports)?;
    let state = state(&base, &world)?;
    let bytes = read(&world, &args.file)?;
    let now = world.clock.now();
    let shown = args.file.to_string_lossy();
    match feeds::import(state, &bytes, &args.sha256, args.as_of, now) {
        Ok(taken) => {
            let meta = taken.meta;
            let mut text = format!("taken: {}, {} advisories", meta.name, meta.records);
            if let Some(date) = meta.confirmed.or(meta.updated) {
                let _ = write!(text, " of {}", Day::of(date));
            }
            text.push('\n');
            if taken.unreadable > 0 {
                let _ = writeln!(
                    text,
                    "{} could not be read and were left out",
                    taken.unreadable
                );
            }
            Ok((text, Exit::Clean))
        }
        Err(error) => {
            let why = format!("{shown}: {error}");
            if error.is_refusal() {
                let line = format!("{}\n", printable(&why));
                ports.sinks.stderr(line.as_bytes());
                return Ok((String::new(), Exit::Findings));
            }
            Err(why)
        }
    }
}

fn read(world: &World, file: &Path) -> Result<Vec<u8>, String> {
    world
        .fs
        .read_named(file, archive::LIMITS.max_compressed)
        .map_err(|error| error.to_string())
}

fn snapshot(args: &SnapshotArgs, ports: &Ports<'_>) -> Done {
    let mut text = String::new();
    for source in snapshot::sources().map_err(|e| e.to_string())? {
        let file = args.from.join(&source.file);
        let bytes = ports
            .fs
            .read_named(&file, archive::LIMITS.max_compressed)
            .map_err(|error| error.to_string())?;
        let index = snapshot::build(&source, &bytes).map_err(|error| error.to_string())?;
        let to = args.output.join(format!("{}.idx", source.feed));
        ports.sinks.file(&to, &index).map_err(|e| e.to_string())?;
        let _ = writeln!(
            text,
            "{}: {} bytes",
            printable(&to.to_string_lossy()),
            index.len()
        );
    }
    Ok((text, Exit::Clean))
}
