//! `untaint heal`: a scan, a plan, and with `--yes` its execution and a second scan that decides the verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use crate::cli::args::HealArgs;
use crate::cli::exit::Exit;
use crate::cli::settings::Settings;
use crate::cli::{Ports, fail, open, print};
use crate::model::policy::Policy;
use crate::model::report::Report;
use crate::model::{Finding, Problem, Reason, text};
use crate::pipeline::ailing::{Aftermath, Ground};
use crate::pipeline::built::Reach;
use crate::pipeline::heal::abandon;
use crate::pipeline::heal::allowed::Allowed;
use crate::pipeline::heal::audit::{Audit, Deed};
use crate::pipeline::heal::places;
use crate::pipeline::heal::plan::{Choice, Plan, is_healings, plan};
use crate::pipeline::heal::receipt::{Ended, Receipt, Receipts};
use crate::pipeline::heal::recover::{self, Recovered};
use crate::pipeline::heal::transaction::{self, Orders};
use crate::pipeline::heal::vault::{Vault, VaultError};
use crate::pipeline::heal_verdict::{self, HealVerdict};
use crate::pipeline::healing::Fetched;
use crate::pipeline::scan;
use crate::world::real::{SystemWriteFs, World, random};
use crate::world::{Env as _, Progress as _, ReadFs as _};

use super::heal_output::{self, Told};
use super::prepared::Prepared;
use super::quarantine::places as all_places;
use super::scan::{recall, remember};

/// How long a tool's lock is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long another heal is waited for.
const OTHERS: Duration = Duration::from_secs(5);

/// Shows the plan; with `--yes` carries it out.
pub(in crate::cli) fn run(args: &HealArgs, ports: &Ports<'_>) -> Exit {
    let settings = match Settings::load(&args.shared, ports.env, ports.fs) {
        Ok(settings) => settings,
        Err(error) => return fail(ports, &error),
    };
    if let Some(run) = &args.abandon {
        return abandon(run, args, &settings, ports).unwrap_or_else(|why| fail(ports, &why));
    }
    let world = open(&settings.base, ports.sinks);
    let attempt = match attempt(args, settings, &world, ports) {
        Ok(attempt) => attempt,
        Err(why) => return fail(ports, &why),
    };
    match print(ports, &attempt.page) {
        Exit::Clean => attempt.exit,
        failed => failed,
    }
}

/// Closes an interrupted run as it is.
fn abandon(
    run: &str,
    args: &HealArgs,
    settings: &Settings,
    ports: &Ports<'_>,
) -> Result<Exit, String> {
    let world = open(&settings.base, ports.sinks);
    let (fs, uid) = (SystemWriteFs::default(), world.env.uid());
    let told = |e: VaultError| e.to_string();
    let places = all_places(&settings.base, &world, &fs, &named(args, settings));
    let mut vaults = Vec::from_iter(places.open_home(&fs, OTHERS).map_err(told)?);
    vaults.extend(places.open_beside(&fs, OTHERS).map_err(told)?);
    for vault in &vaults {
        if !vault.pending().map_err(told)?.iter().any(|p| p == run) {
            continue;
        }
        let sealed = abandon::run(vault, run).map_err(told)?;
        let added = Audit::of(vault, true).add(&Deed {
            at: crate::world::Clock::now(&world.clock),
            uid,
            run,
            action: "abandon",
            what: "an interrupted run",
            result: "given up; its record and what it took are kept",
        });
        let back = if sealed {
            format!("; what it had moved: `untaint restore {run}`")
        } else {
            "; it was not sealed by this user: nothing is ever done by it".to_owned()
        };
        let page = format!("run {run} is given up; its record and what it took are kept{back}\n");
        if let Err(error) = &added {
            say(ports, &error.to_string());
        }
        return Ok(match print(ports, page.as_bytes()) {
            Exit::Clean if added.is_err() => Exit::Incomplete,
            other => other,
        });
    }
    Err(format!(
        "--abandon {}: no interrupted run of that name; `untaint quarantine list` has them",
        text::printable(run)
    ))
}

/// What came of a heal.
pub(super) struct Attempt {
    pub(super) exit: Exit,
    /// What is printed.
    page: Vec<u8>,
    /// Entries that are good again, or gone with what was built from them.
    pub(super) healed: u64,
    /// Findings that these answered.
    pub(super) answered: Vec<Finding>,
}

impl Attempt {
    /// One that ended before there was anything to print.
    const fn early(exit: Exit) -> Self {
        Self {
            exit,
            page: Vec::new(),
            healed: 0,
            answered: Vec::new(),
        }
    }
}

/// Which reasons may stay, by the policy in force.
fn tolerated(policy: &Policy) -> BTreeSet<Reason> {
    Reason::ALL
        .iter()
        .copied()
        .filter(|reason| policy.allows(*reason))
        .collect()
}

/// A scan, a plan, and with `--yes` its execution; prints nothing but what went wrong.
///
/// # Errors
/// A line for the person: exit 2.
pub(super) fn attempt(
    args: &HealArgs,
    settings: Settings,
    world: &World,
    ports: &Ports<'_>,
) -> Result<Attempt, String> {
    let fs = SystemWriteFs::default();
    let audited = settings.base.homes.state.is_some();
    let uid = world.env.uid();
    let mut prepared = Prepared::new(settings, world)?;
    let now = prepared.now;
    let (mut vault, mut recovered) = (None, Vec::new());
    let wait = args
        .lock_wait
        .map_or(PATIENCE, |s| Duration::from_secs(s.0));
    let mut folders = named(args, &prepared.settings);
    folders.extend(
        Reach {
            fs: &world.fs,
            state: prepared.state(),
            uid,
            named: &[],
        }
        .known(),
    );
    let places = all_places(&prepared.settings.base, world, &fs, &folders);
    if args.yes {
        let others = OTHERS.min(wait);
        let told = |e: VaultError| e.to_string();
        vault = places.open_home(&fs, others).map_err(told)?;
        let allowed = allowed(world, &folders);
        let beside = places.open_beside(&fs, others).map_err(told)?;
        for vault in vault.iter().chain(&beside) {
            let all = recover::all(vault, uid, now, wait, &allowed).map_err(told)?;
            for refused in all.iter().filter(|r| r.refused.is_some()) {
                say(ports, &unfinished(refused, places.unfit()));
            }
            // Nothing new is begun beside what is half done.
            if let Some((run, why)) = all.iter().find_map(|r| Some((&r.run, r.stuck.first()?))) {
                let place = vault.fs.shown(vault.base.at(Path::new("")));
                return Ok(Attempt::early(stuck(run, why, &place, ports)));
            }
            recovered.extend(all);
        }
    } else {
        prepared.report_pending();
    }
    let (report, mut aftermath, standings) =
        scan::audit(prepared.job(&prepared.advice(), None)).map_err(|e| e.to_string())?;
    let choice = Choice {
        only: args.only.iter().map(|id| id.trim().to_owned()).collect(),
        purge_unverified: args.purge_unverified,
        allowed: tolerated(&prepared.settings.policy),
        evict: args.evict,
        project: args.project,
    };
    let mut plan = plan(&aftermath, &choice);
    let reach = Reach {
        fs: &world.fs,
        state: prepared.state(),
        uid,
        named: &args.target_dir,
    };
    let unopened = |path: PathBuf| {
        let shown = text::printable(&path.to_string_lossy());
        format!("--target-dir {shown}: no folder that can be read is there")
    };
    let mut left = reach.extend(&mut plan, &mut aftermath).map_err(unopened)?;
    unknown(&choice, &plan, &report)?;
    let mut run = scan::run_id(now, crate::world::Clock::elapsed_ms(&world.clock));
    let supply = Fetched {
        fs: &world.fs,
        fetch: &*world.fetch,
        env: &world.env,
        standings: &standings,
        offline: prepared.settings.base.offline,
        store: &prepared.store,
        configs: Mutex::new(BTreeMap::new()),
    };
    let (mut receipts, mut after) = (None, None);
    if args.yes && !plan.steps.is_empty() {
        // Without a key nothing is begun that could not be finished or put back later.
        let key = places.key(&fs, &run, random)?;
        let vault = match vault {
            Some(vault) => vault,
            None => beside(&fs, &plan, &aftermath, uid, wait)?,
        };
        let vault = vault.sealed(Some(key));
        run = vault.fresh(&run).map_err(|e| e.to_string())?;
        let orders = Orders {
            supply: &supply,
            grounds: &aftermath.grounds,
            run: &run,
            now,
            uid,
            wait,
            keep_if_unfetchable: args.keep_if_unfetchable,
            evict: args.evict,
            retention: prepared.settings.base.keeping().retention,
            audited,
            cancelled: &|| world.progress.cancelled(),
        };
        let done = transaction::carry_out(&vault, &plan, &orders).map_err(|e| e.to_string())?;
        left = reach.remains(&plan, &aftermath, &done);
        receipts = Some(done);
        after = Some(rescan(&prepared)?);
    }
    world.progress.finish();
    if let (Some(state), Some(after)) = (prepared.state(), &after)
        && let Err(problem) = recall(state, &prepared.settings, after)
    {
        say(ports, &problem.message);
    }
    remember(prepared.state(), &prepared.store, None, ports);
    let last = after.as_ref().unwrap_or(&report);
    let verdict = HealVerdict::of(&heal_verdict::Facts {
        policy: &prepared.settings.policy,
        report: last,
        planned: if args.yes { 0 } else { plan.steps.len() },
        receipts: receipts.as_ref(),
        recovered: &recovered,
        left: &left,
    });
    let exit = Exit::of(verdict.result.verdict(), false);
    for why in unlogged(&recovered, receipts.as_ref()) {
        say(ports, why);
    }
    if let Some(words) = receipts
        .as_ref()
        .and_then(|r| heal_output::too_much(r.bytes, prepared.settings.base.keeping().limit))
    {
        ports.sinks.stderr(format!("{words}\n").as_bytes());
    }
    let told = Told {
        plan: &plan,
        aftermath: &aftermath,
        receipts: receipts.as_ref(),
        recovered: &recovered,
        caches: &allowed(world, &[]),
        left: &left,
        by_hand: by_hand(&plan, after.as_ref()),
        verdict: &verdict,
        run: &run,
        evict: args.evict,
        keeping: prepared.settings.base.keeping(),
    };
    let page = if args.json {
        heal_output::json(&told)
    } else {
        heal_output::table(&told, prepared.settings.base.detail)
    };
    let ends = |ended: &Ended| matches!(ended, Ended::Healed | Ended::Removed(_));
    let done: Vec<&Receipt> = receipts
        .iter()
        .flat_map(|r| &r.done)
        .filter(|done| ends(&done.ended))
        .collect();
    let healed = done.len() as u64;
    let ids: BTreeSet<&String> = done.iter().flat_map(|done| &done.findings).collect();
    let answered = report
        .findings
        .iter()
        .filter(|finding| ids.contains(&finding.id))
        .cloned()
        .collect();
    Ok(Attempt {
        exit,
        page,
        healed,
        answered,
    })
}

/// What is left to the user: of a plan what no step answers, after it what is still there.
fn by_hand(plan: &Plan, after: Option<&Report>) -> Vec<Finding> {
    let Some(after) = after else {
        return plan.by_hand.clone();
    };
    let stays = |f: &&Finding| f.waived.is_none() && is_healings(f);
    after.findings.iter().filter(stays).cloned().collect()
}

/// Folders that this call names.
fn named(args: &HealArgs, settings: &Settings) -> Vec<PathBuf> {
    let lockfiles = settings.lockfiles.iter().filter_map(|file| file.parent());
    let mut named = settings.targets.clone();
    named.extend(settings.named_caches.iter().map(|cache| cache.path.clone()));
    named.extend(lockfiles.map(Path::to_owned));
    named.extend(args.target_dir.iter().cloned());
    named
}

/// Where what a record says may be done: caches of this user by the tools' own rules, and what the user names now.
pub(super) fn allowed(world: &World, named: &[PathBuf]) -> Allowed {
    let caches = crate::ecosystems::all()
        .iter()
        .flat_map(|ecosystem| ecosystem.caches())
        .flat_map(|kind| {
            let found = kind.locate(&world.env, &world.fs);
            found.into_iter().map(|found| (found.path, *kind))
        });
    let resolved = |path: &PathBuf| Some(world.fs.open_root(path).ok()?.resolved);
    Allowed::of(named.iter().filter_map(resolved))
        .and_caches(caches.filter_map(|(path, kind)| Some((resolved(&path)?, kind))))
}

/// The second look: nothing remembered of files counts.
fn rescan(prepared: &Prepared<'_>) -> Result<Report, String> {
    scan::run(prepared.job(&prepared.advice(), None)).map_err(|e| e.to_string())
}

/// Says what stands in the way, and how to give the interrupted run up.
fn stuck(run: &str, why: &str, home: &Path, ports: &Ports<'_>) -> Exit {
    let home = text::printable(&home.to_string_lossy());
    let line = format!(
        "error: an interrupted heal cannot be finished: {}\nnote: its journal is {home}/heal-{run}.journal, what it took lies in {home}/quarantine; \
         to give it up: `untaint heal --abandon {run}`, which keeps both\n",
        text::printable(why),
    );
    ports.sinks.stderr(line.as_bytes());
    Exit::Incomplete
}

/// Says of an interrupted run that nothing was done by its journal, and what can be done.
fn unfinished(recovered: &Recovered, unfit: Option<&str>) -> String {
    let why = recovered.refused.as_deref().unwrap_or_default();
    let unfit = unfit.map_or_else(String::new, |why| format!(" ({why})"));
    let finish = recovered.unnamed.as_ref().map_or_else(String::new, |path| {
        format!(
            "to finish it: `untaint heal --yes {}`; ",
            heal_output::quoted(path)
        )
    });
    let run = &recovered.run;
    format!(
        "an interrupted heal was not finished: {why}{unfit}; {finish}to give it up: `untaint heal --abandon {run}`"
    )
}

/// With `--isolated` our own state is left alone: what is taken is kept beside the cache.
fn beside<'a>(
    fs: &'a SystemWriteFs,
    plan: &Plan,
    aftermath: &Aftermath,
    uid: u32,
    wait: Duration,
) -> Result<Vault<'a>, String> {
    let mut grounds: Vec<&Ground> = plan
        .steps
        .iter()
        .flat_map(|s| &s.moves)
        .filter_map(|m| aftermath.grounds.get(m.root))
        .collect();
    // Beside a cache the next heal looks for it, of whatever project.
    grounds.sort_by_key(|ground| (ground.build, ground.project));
    let ground = grounds.first().ok_or("nothing is to be moved")?;
    let mut why = String::new();
    for path in places::around(&ground.path) {
        match Vault::open_beside(fs, &path, uid, OTHERS.min(wait), true) {
            Ok(Some(vault)) => return Ok(vault),
            // A folder that somebody else made, or can write to, is none to keep evidence in.
            Ok(None) => why = format!("{}: a link, or not this user's alone", path.display()),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// A finding that was named and is not there is a mistake of whoever named it.
fn unknown(choice: &Choice, plan: &Plan, report: &Report) -> Result<(), String> {
    let known = |id: &str| {
        report.findings.iter().any(|f| f.id == id)
            || plan
                .steps
                .iter()
                .flat_map(|s| &s.findings)
                .any(|f| f.id == id)
    };
    match choice.only.iter().find(|id| !known(id)) {
        Some(id) => Err(format!(
            "--only {}: no such finding now",
            text::printable(id)
        )),
        None => Ok(()),
    }
}

/// Why the audit log does not have all that was done, or is not whole.
pub(super) fn unlogged<'a>(
    recovered: &'a [Recovered],
    receipts: Option<&'a Receipts>,
) -> impl Iterator<Item = &'a str> {
    let recovered = recovered.iter().filter_map(|r| r.unlogged.as_deref());
    let done = receipts.into_iter().flat_map(|r| &r.unlogged);
    recovered.chain(done.map(String::as_str))
}

/// Where the vault is, for the commands that look into it.
///
/// # Errors
/// A line for the person when there is none.
pub(super) fn home(state: Option<&PathBuf>, isolated: bool) -> Result<&PathBuf, String> {
    state.ok_or_else(|| {
        if isolated {
            "with --isolated nothing is kept in untaint's own state".to_owned()
        } else {
            "no state folder: set UNTAINT_HOME to a folder".to_owned()
        }
    })
}

/// A problem for people.
pub(super) fn say(ports: &Ports<'_>, problem: &str) {
    let problem = Problem::skipped("", text::printable(problem));
    ports
        .sinks
        .stderr(format!("problem: {}\n", problem.message).as_bytes());
}
