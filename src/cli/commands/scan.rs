//! `untaint scan` and `untaint sbom`: settings and ports become a job, the job's report becomes bytes and an exit code.

use crate::cli::args::{SbomArgs, ScanArgs, When};
use crate::cli::exit::Exit;
use crate::cli::settings::Settings;
use crate::cli::{Ports, fail, open, print};
use crate::model::Problem;
use crate::model::report::Report;
use crate::model::text;
use crate::pipeline::report::{self, Format, Options};
use crate::pipeline::scan;
use crate::trust::claims::ClaimStore;
use crate::trust::ledger::Ledger;
use crate::trust::runs::{self, RunRecord};
use crate::trust::sightings;
use crate::world::real::World;
use crate::world::{Progress as _, StateDir};

use super::prepared::Prepared;

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

fn run(settings: Settings, ports: &Ports<'_>) -> Exit {
    let world = open(&settings.base, ports.sinks);
    let mut prepared = match Prepared::new(settings, &world) {
        Ok(prepared) => prepared,
        Err(why) => return fail(ports, &why),
    };
    prepared.report_pending();
    let report = scan::run(prepared.job(&prepared.advice(), prepared.ledger.as_ref()));
    world.progress.finish();
    let report = match report {
        Ok(mut report) => {
            prepared.tell_evidence(&mut report);
            report
        }
        Err(error) => return fail(ports, &error),
    };
    record_run(&prepared, &report, &world, ports);
    let settings = &prepared.settings;
    let exit = Exit::of(report.verdict.result, settings.exit_zero);
    write(settings, &report, settings.format, exit, ports)
}

/// What this run learned and saw is kept for the next.
pub(super) fn record_run(
    prepared: &Prepared<'_>,
    report: &Report,
    world: &World,
    ports: &Ports<'_>,
) {
    let (state, settings) = (prepared.state(), &prepared.settings);
    remember(state, &prepared.store, prepared.ledger.as_ref(), ports);
    // A run that was cut short, or that looked at no bytes, is none that anybody should go by.
    if let Some(state) = state
        && !world.progress.cancelled()
        && settings.policy.integrity
    {
        let kept = runs::add(state, &record(settings, report));
        let kept = kept.and_then(|()| recall(state, settings, report));
        if let Err(problem) = kept {
            say_unkept(&problem, ports);
        }
    }
}

/// What was seen where is recorded for `untaint impact`, unless the user wants none of it.
pub(super) fn recall(
    state: &dyn StateDir,
    settings: &Settings,
    report: &Report,
) -> Result<(), Problem> {
    if !settings.base.sightings() {
        return Ok(());
    }
    let ecosystems = settings.ecosystems.iter().map(|e| format!("ecosystem={e}"));
    let exclude = settings
        .exclude
        .iter()
        .map(|glob| format!("exclude={glob}"));
    let narrowed: Vec<String> = ecosystems.chain(exclude).collect();
    sightings::keep(state, report, &narrowed)
}

/// What this run learned is kept; that it cannot be kept is said and changes nothing.
pub(super) fn remember(
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
fn record(settings: &Settings, report: &Report) -> RunRecord {
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

/// How a report is shown to a person.
pub(super) fn options(settings: &Settings, terminal: bool) -> Options {
    Options {
        detail: settings.base.detail,
        color: match settings.base.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal,
        },
        width: settings.base.width.unwrap_or(100).clamp(60, 200),
    }
}

/// Writes the report to the files that were asked for.
///
/// # Errors
/// A line for the person.
pub(super) fn to_files(
    settings: &Settings,
    report: &Report,
    ports: &Ports<'_>,
) -> Result<(), String> {
    let options = Options {
        color: false,
        ..options(settings, false)
    };
    for output in &settings.outputs {
        let bytes = report::render(report, output.format, &options);
        if let Err(error) = ports.sinks.file(&output.path, &bytes) {
            return Err(format!("the report could not be written: {error}"));
        }
    }
    Ok(())
}

/// Writes the report to standard output and to the files that were asked for.
pub(super) fn write(
    settings: &Settings,
    report: &Report,
    format: Format,
    exit: Exit,
    ports: &Ports<'_>,
) -> Exit {
    let options = options(settings, ports.sinks.stdout_is_terminal());
    if let Err(why) = to_files(settings, report, ports) {
        return fail(ports, &why);
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
