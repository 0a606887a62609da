//! `untaint guard`: an audit, the user's command on what was audited, and a second look at what changed meanwhile.
//!
//! The command runs only on a clean verdict. Standard input, output and error are its own; what guard has to say goes to
//! standard error. What was judged is remembered with its identity while it is judged, so that a file which was changed and
//! put back is found out.

use std::time::Duration;

use crate::cli::args::{GuardArgs, HealArgs, Shared};
use crate::cli::exit::{Exit, NO_COMMAND, NO_PROGRAM};
use crate::cli::settings::Settings;
use crate::cli::{Ports, open};
use crate::model::policy::Derived;
use crate::model::report::{Report, VerdictResult};
use crate::pipeline::decide;
use crate::pipeline::recheck;
use crate::pipeline::scan::{self, Job};
use crate::pipeline::witness::Witness;
use crate::world::ReadFs;
use crate::world::process::{Launch, NotStarted, Processes, Scratch};
use crate::world::real::World;

use super::guard_command;
use super::guard_ground::Ground;
use super::guard_words::{self, Aside};
use super::heal;
use super::prepared::Prepared;
use super::scan::{record_run, to_files};

/// Runs the command, if it may.
pub(in crate::cli) fn run(args: &GuardArgs, ports: &Ports<'_>) -> Exit {
    match guard(args, ports) {
        Ok(exit) => exit,
        Err(why) => {
            let exit = Exit::Refused(Exit::CouldNotRun.code());
            guard_words::refused(ports, &why, &args.command, exit);
            exit
        }
    }
}

fn guard(args: &GuardArgs, ports: &Ports<'_>) -> Result<Exit, String> {
    let mut settings = Settings::with_reports(&args.shared, &args.reports, ports.env, ports.fs)
        .map_err(|e| e.to_string())?;
    guard_command::heed(args, &mut settings, ports.env, ports.fs)?;
    if args.heal {
        repair(args, &settings, ports)?;
    }
    if args.fresh_derived.is_some() && !settings.decided.contains_key("derived") {
        // What was built before is not given to the command.
        settings.policy.derived = Derived::Note;
    }
    let world = open(&settings.base, ports.sinks);
    let processes = world.processes();
    if args.sandbox {
        processes.can_cage()?;
    }
    let mut prepared = Prepared::new(settings, &world)?;
    prepared.report_pending();
    let witness = Witness::new(&world.fs, recheck::is_lockfile);
    let before = audit(&prepared, &world, &witness)?;
    to_files(&prepared.settings, &before, ports)?;
    let exit = Exit::of(before.verdict.result, false);
    if exit != Exit::Clean {
        record_run(&prepared, &before, &world, ports);
        guard_words::not_clean(&prepared.settings, &before, args, exit, ports);
        return Ok(Exit::Refused(exit.code()));
    }
    let ground = Ground::of(&prepared.settings, &before, &world);
    let wait = args
        .lock_wait
        .map_or(heal::PATIENCE, |seconds| Duration::from_secs(seconds.0));
    let locks = ground.share_locks(&processes, wait, &|text| guard_words::note(ports, text))?;
    let stage = Stage::set(args, &ground, &before, &world, &processes)?;
    guard_words::starting(&prepared.settings, &before, &args.command, ports);
    let ended = processes.run(&stage.launch);
    let after = recheck(&prepared, &before, &witness, &world);
    drop(locks);
    let after = match after {
        Ok(after) => after,
        // What was audited cannot even be found any more.
        Err(why) => {
            world.progress.finish();
            guard_words::refused(ports, &why, &args.command, Exit::Refused(0));
            stage.clear(ports);
            return Ok(Exit::Refused(0));
        }
    };
    world.progress.finish();
    let last = after.as_ref().map_or(&before, |after| &after.report);
    record_run(&prepared, last, &world, ports);
    let own = match &ended {
        Ok(ended) => Exit::Command(ended.shell_code()),
        Err(NotStarted::Missing) => NO_COMMAND,
        Err(NotStarted::Refused(_)) => NO_PROGRAM,
        Err(NotStarted::Cage(why)) => return Err(why.clone()),
    };
    guard_words::ended(&prepared.settings, &ended, args, ports);
    stage.clear(ports);
    let Some(after) = after else {
        return Ok(own);
    };
    if !after.is_well {
        guard_words::changed(&prepared.settings, &after.report, &args.command, own, ports);
    }
    let written = to_files(&prepared.settings, &after.report, ports);
    match (after.is_well, written) {
        (true, written) => written.map(|()| own),
        (false, Ok(())) => Ok(Exit::Refused(0)),
        (false, Err(why)) => {
            guard_words::refused(ports, &why, &args.command, Exit::Refused(0));
            Ok(Exit::Refused(0))
        }
    }
}

fn audit(prepared: &Prepared<'_>, world: &World, fs: &dyn ReadFs) -> Result<Report, String> {
    let advice = prepared.advice();
    let job = Job {
        fs,
        ..prepared.job(&advice, prepared.ledger.as_ref())
    };
    let report = scan::run(job).map_err(|e| e.to_string());
    world.progress.finish();
    report
}

/// What was found after the command.
struct After {
    report: Report,
    /// Whether what the command used stayed as it was judged, and what is new was verified.
    is_well: bool,
}

/// Looks at everything again that the audit looked at, and judges what changed. `None`: nothing did.
fn recheck(
    prepared: &Prepared<'_>,
    before: &Report,
    witness: &Witness<'_>,
    world: &World,
) -> Result<Option<After>, String> {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let differences = witness.differences(&recheck::unjudged(before), cores);
    let changes = recheck::weigh(&differences, before);
    if !changes.look_again && !changes.is_suspect() {
        return Ok(None);
    }
    let mut report = audit(prepared, world, &world.fs)?;
    let findings = changes.findings(before, &report, &prepared.settings.policy);
    let is_well = findings.is_empty() && report.verdict.result == VerdictResult::Clean;
    decide::amend(&mut report, findings, &prepared.settings.policy);
    Ok(Some(After { report, is_well }))
}

/// The command with all that it is given.
struct Stage {
    launch: Launch,
    /// A folder that goes afterwards.
    scratch: Option<Box<dyn Scratch>>,
}

impl Stage {
    fn set(
        args: &GuardArgs,
        ground: &Ground,
        before: &Report,
        world: &World,
        processes: &dyn Processes,
    ) -> Result<Self, String> {
        let (program, rest) = args.command.split_first().ok_or("no command is given")?;
        let mut env = ground.exports(world);
        let needs_scratch = args.sandbox || args.fresh_derived == Some(None);
        let scratch = needs_scratch
            .then(|| processes.scratch())
            .transpose()
            .map_err(|e| format!("no temporary folder could be made: {e}"))?;
        let fresh =
            match (&args.fresh_derived, &scratch) {
                (Some(Some(kept)), _) => Some(processes.fresh(kept).map_err(|e| {
                    format!("--fresh-derived={e}: name a folder that is new or empty")
                })?),
                (Some(None), Some(scratch)) => Some(scratch.path().to_owned()),
                _ => None,
            };
        if let Some(folder) = &fresh {
            env.extend(ground.fresh(folder));
        }
        let cage = match &scratch {
            Some(scratch) if args.sandbox => {
                env.push(("TMPDIR".into(), Some(scratch.path().into())));
                Some(ground.cage(before, scratch.path(), fresh.as_deref(), world)?)
            }
            _ => None,
        };
        let launch = Launch {
            program: program.clone(),
            args: rest.to_vec(),
            env,
            cage,
        };
        Ok(Self { launch, scratch })
    }

    fn clear(self, ports: &Ports<'_>) {
        if let Some(scratch) = self.scratch {
            let path = scratch.path().to_owned();
            if let Err(error) = scratch.remove() {
                guard_words::note(ports, &format!("{} stays: {error}", path.display()));
            }
        }
    }
}

/// Heals first, and says on standard error what was done.
fn repair(args: &GuardArgs, settings: &Settings, ports: &Ports<'_>) -> Result<(), String> {
    let aside = Aside(ports.sinks);
    let ports = Ports {
        env: ports.env,
        fs: ports.fs,
        sinks: &aside,
    };
    let orders = HealArgs {
        abandon: None,
        shared: Shared {
            paths: settings.targets.clone(),
            ..args.shared.clone()
        },
        yes: true,
        evict: false,
        project: false,
        only: Vec::new(),
        purge_unverified: false,
        keep_if_unfetchable: false,
        target_dir: Vec::new(),
        lock_wait: args.lock_wait,
        json: false,
    };
    match heal::run(&orders, &ports) {
        Exit::CouldNotRun => Err("what is tainted could not be repaired".to_owned()),
        // What it left is judged by the audit that follows.
        _ => Ok(()),
    }
}
