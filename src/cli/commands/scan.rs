//! `untaint scan` and `untaint sbom`: settings and ports become a job, the job's report becomes bytes and an exit code.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use sha2::Digest as _;

use crate::cli::args::{Fetching, SbomArgs, ScanArgs, When};
use crate::cli::exit::Exit;
use crate::cli::settings::Settings;
use crate::cli::{Ports, fail, open, print};
use crate::ecosystems;
use crate::model::text;
use crate::model::{Digest, Notice, Problem};
use crate::pipeline::feeds;
use crate::pipeline::report::{self, Format, Options};
use crate::pipeline::scan::{self, Job};
use crate::pipeline::usage::Named;
use crate::pipeline::verify::FetchArchives;
use crate::trust::claims::ClaimStore;
use crate::trust::ledger::Ledger;
use crate::trust::runs::{self, RunRecord};
use crate::world::real::World;
use crate::world::{Clock as _, Progress as _, ReadFs as _, StateDir};

use super::advise::FeedAdvice;

/// Largest output of `cargo metadata` that is read, in bytes.
const LARGEST_METADATA: u64 = 256 << 20;

/// `untaint scan`.
pub(in crate::cli) fn scan(args: &ScanArgs, ports: &Ports<'_>) -> Exit {
    match Settings::for_scan(args, ports.env, ports.fs) {
        Ok(settings) => run(settings, ports),
        Err(error) => fail(ports, &error),
    }
}

/// `untaint sbom`.
pub(in crate::cli) fn sbom(args: SbomArgs, ports: &Ports<'_>) -> Exit {
    match Settings::load(&args.shared, ports.env, ports.fs) {
        Ok(mut settings) => {
            settings.format = Format::CycloneDx;
            settings.to_file = args.output;
            run(settings, ports)
        }
        Err(error) => fail(ports, &error),
    }
}

fn run(mut settings: Settings, ports: &Ports<'_>) -> Exit {
    let world = open(&settings.base, ports.sinks);
    let now = world.clock.now();
    let exclude = match globs(&settings.exclude) {
        Ok(set) => set,
        Err(why) => return fail(ports, &why),
    };
    if let Some(dir) = &settings.feeds
        && !feeds::named_is_folder(&world.fs, dir)
    {
        let why = format!("--feeds {}: no folder is there", dir.display());
        return fail(ports, &why);
    }
    let uses = match uses(&settings, &world) {
        Ok(uses) => uses,
        Err(why) => return fail(ports, &why),
    };
    let (notices, problems) = tighten(&mut settings, &world);
    let state = world.state.as_ref().map(|state| state as &dyn StateDir);
    let (mut store, mut store_problems) = ClaimStore::open(state, now);
    store_problems.extend(problems);
    for claims in &settings.claims {
        let digest = claims
            .vouched
            .then(|| Digest::sha256(sha2::Sha256::digest(&claims.bytes).into()));
        if let Err(error) = store.add_file(claims.bytes.clone(), digest.as_ref()) {
            return fail(ports, &format!("{}: {error}", claims.path.display()));
        }
    }
    let ledger = state.map(|state| Ledger::open(state, now));
    let (ledger, ledger_problem) =
        ledger.map_or((None, None), |(ledger, problem)| (Some(ledger), problem));
    store_problems.extend(ledger_problem);
    let advise = FeedAdvice {
        settings: &settings,
        world: &world,
        now,
    };
    let format = settings.format;
    let exit_zero = settings.exit_zero;
    let report = scan::run(Job {
        paths: settings.targets.clone(),
        lockfiles: settings.lockfiles.clone(),
        caches: settings.caches,
        named_caches: settings
            .named_caches
            .iter()
            .map(|c| (c.name.clone(), c.path.clone()))
            .collect(),
        ecosystems: settings.ecosystems.clone(),
        exclude,
        own: own(&settings),
        offline: settings.base.offline,
        isolated: settings.base.isolated,
        full: settings.full,
        fetch_archives: match settings.fetch_archives {
            Fetching::Never => FetchArchives::Never,
            Fetching::Missing => FetchArchives::Missing,
            Fetching::Always => FetchArchives::Always,
        },
        max_fetch: settings.max_fetch,
        jobs: settings.base.jobs.map(usize::from),
        policy: settings.policy.clone(),
        portable: settings.portable,
        uses,
        licences: settings.format == Format::CycloneDx
            || settings
                .outputs
                .iter()
                .any(|o| o.format == Format::CycloneDx),
        weakened: settings.weakened.clone(),
        targets: targets(&settings),
        trust: settings.base.trust.clone(),
        store: &store,
        ledger: ledger.as_ref(),
        fs: &world.fs,
        fetch: &*world.fetch,
        env: &world.env,
        clock: &world.clock,
        progress: &world.progress,
        advise: &advise,
        notices,
        problems: store_problems,
    });
    world.progress.finish();
    let report = match report {
        Ok(report) => report,
        Err(error) => return fail(ports, &error),
    };
    remember(state, &store, ledger.as_ref(), ports);
    // A run that was cut short, or that looked at no bytes, is none that anybody should go by.
    if let Some(state) = state
        && !world.progress.cancelled()
        && settings.policy.integrity
        && let Err(problem) = runs::add(state, &record(&settings, &report))
    {
        say_unkept(&problem, ports);
    }
    let exit = Exit::of(report.verdict.result, exit_zero);
    write(&settings, &report, format, exit, ports)
}

/// The file of `--cargo-metadata`, as its ecosystem reads it.
fn uses(settings: &Settings, world: &World) -> Result<Option<Named>, String> {
    let Some(path) = &settings.cargo_metadata else {
        return Ok(None);
    };
    let shown = path.display().to_string();
    let bytes = world
        .fs
        .read_named(path, LARGEST_METADATA)
        .map_err(|e| format!("--cargo-metadata {e}"))?;
    let read = ecosystems::all()
        .iter()
        .find_map(|ecosystem| Some((*ecosystem, ecosystem.uses(&bytes)?)));
    match read {
        Some((ecosystem, Ok(uses))) => Ok(Some(Named {
            path: shown,
            ecosystem,
            uses,
        })),
        Some((_, Err(why))) => Err(format!("--cargo-metadata {shown}: {why}")),
        None => Err(format!("--cargo-metadata {shown}: nothing reads it")),
    }
}

/// What this run learned is kept; that it cannot be kept is said and changes nothing.
fn remember(
    state: Option<&dyn StateDir>,
    store: &ClaimStore,
    ledger: Option<&Ledger>,
    ports: &Ports<'_>,
) {
    let Some(state) = state else { return };
    if let Err(problem) = store.flush(state) {
        return say_unkept(&problem, ports);
    }
    if let Some(Err(problem)) = ledger.map(|ledger| ledger.flush(state)) {
        say_unkept(&problem, ports);
    }
}

fn say_unkept(problem: &Problem, ports: &Ports<'_>) {
    let line = format!(
        "note: nothing could be remembered for the next run: {}: {}\n",
        text::printable(&problem.path),
        text::printable(&problem.message)
    );
    ports.sinks.stderr(line.as_bytes());
}

/// What `untaint status` shows of this run.
fn record(settings: &Settings, report: &crate::model::report::Report) -> RunRecord {
    let all = report.coverage.total();
    RunRecord {
        at: report.run.started,
        projects: !settings.targets.is_empty() || !settings.lockfiles.is_empty(),
        caches: settings.caches || !settings.named_caches.is_empty(),
        result: report.verdict.result.as_str().to_owned(),
        subjects: all.subjects(),
        verified: all.verified,
        tainted: all.tainted.saturating_add(all.conflict),
        unverifiable: all.unverifiable.values().sum(),
        findings: report.findings_total,
    }
}

/// `untaint.toml` at a scanned root counts as far as it makes the policy stricter.
fn tighten(settings: &mut Settings, world: &World) -> (Vec<Notice>, Vec<Problem>) {
    let (mut notices, mut problems) = (Vec::new(), Vec::new());
    for target in settings.targets.clone() {
        let Ok(root) = world.fs.open_root(&target) else {
            continue;
        };
        let applied = settings.apply_root(&*root.dir, &target.to_string_lossy());
        notices.extend(applied.notice);
        problems.extend(applied.problem);
    }
    (notices, problems)
}

/// Our own folders, as far as this run reads them.
fn own(settings: &Settings) -> Vec<(&'static str, PathBuf)> {
    let homes = &settings.base.homes;
    let config = homes.config.clone().map(|path| ("configuration", path));
    let state = homes.state.clone().map(|path| ("state", path));
    config.into_iter().chain(state).collect()
}

fn globs(patterns: &[String]) -> Result<GlobSet, String> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = Glob::new(pattern)
            .map_err(|e| format!("--exclude '{}': {}", text::printable(pattern), e.kind()))?;
        builder.add(glob);
    }
    builder.build().map_err(|e| format!("--exclude: {e}"))
}

fn targets(settings: &Settings) -> Vec<String> {
    let shown = |path: &Path| text::percent(path.as_os_str().as_bytes()).0;
    let mut all: Vec<String> = settings.targets.iter().map(|p| shown(p)).collect();
    all.extend(settings.lockfiles.iter().map(|p| shown(p)));
    if settings.caches {
        all.push("--caches".into());
    }
    all.extend(
        settings
            .named_caches
            .iter()
            .map(|c| format!("{}={}", c.name, shown(&c.path))),
    );
    all
}

/// Writes the report to standard output and to the files that were asked for.
fn write(
    settings: &Settings,
    report: &crate::model::report::Report,
    format: Format,
    exit: Exit,
    ports: &Ports<'_>,
) -> Exit {
    let color = match settings.base.color {
        When::Always => true,
        When::Never => false,
        When::Auto => ports.sinks.stdout_is_terminal(),
    };
    let options = Options {
        detail: settings.base.detail,
        color,
        width: settings.base.width.unwrap_or(100).clamp(60, 200),
    };
    for output in &settings.outputs {
        let bytes = report::render(
            report,
            output.format,
            &Options {
                color: false,
                ..options
            },
        );
        if let Err(error) = ports.sinks.file(&output.path, &bytes) {
            return fail(ports, &format!("the report could not be written: {error}"));
        }
    }
    if let Some(path) = &settings.to_file {
        return match ports
            .sinks
            .file(path, &report::render(report, format, &options))
        {
            Ok(()) => exit,
            Err(error) => fail(
                ports,
                &format!("the bill of materials could not be written: {error}"),
            ),
        };
    }
    match print(ports, &report::render(report, format, &options)) {
        Exit::Clean => exit,
        failed => failed,
    }
}
