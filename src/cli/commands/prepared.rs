//! What an audit is made from: settings and ports, put together once, so that it can be run again after a heal.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use sha2::Digest as _;

use super::advise::FeedAdvice;
use super::heal::allowed;
use crate::cli::args::Fetching;
use crate::cli::settings::Settings;
use crate::ecosystems;
use crate::model::report::Report;
use crate::model::text;
use crate::model::{Digest, Notice, Problem};
use crate::pipeline::feeds;
use crate::pipeline::heal::{index, places, vault};
use crate::pipeline::report::Format;
use crate::pipeline::scan::Job;
use crate::pipeline::usage::Named;
use crate::pipeline::verify::FetchArchives;
use crate::trust::claims::ClaimStore;
use crate::trust::ledger::Ledger;
use crate::world::real::World;
use crate::world::{Clock as _, Env as _, ReadFs as _, StateDir};

/// Largest output of `cargo metadata` that is read, in bytes.
const LARGEST_METADATA: u64 = 256 << 20;

/// Largest list of evidence that is read, in bytes.
const LARGEST_INDEX: u64 = 16 << 20;

/// Everything that an audit needs beside the run itself.
pub(super) struct Prepared<'a> {
    pub(super) settings: Settings,
    world: &'a World,
    /// Seconds since 1970.
    pub(super) now: i64,
    exclude: GlobSet,
    uses: Option<Named>,
    notices: Vec<Notice>,
    problems: Vec<Problem>,
    pub(super) store: ClaimStore,
    pub(super) ledger: Option<Ledger>,
}

impl<'a> Prepared<'a> {
    /// Reads what was named, opens what is remembered.
    ///
    /// # Errors
    /// A line for the person: exit 2.
    pub(super) fn new(mut settings: Settings, world: &'a World) -> Result<Self, String> {
        let now = world.clock.now();
        let exclude = globs(&settings.exclude)?;
        if let Some(dir) = &settings.feeds
            && !feeds::named_is_folder(&world.fs, dir)
        {
            return Err(format!("--feeds {}: no folder is there", dir.display()));
        }
        let uses = uses(&settings, world)?;
        let (notices, problems) = tighten(&mut settings, world);
        let state = world.state.as_ref().map(|state| state as &dyn StateDir);
        let (mut store, mut store_problems) = ClaimStore::open(state, now);
        store_problems.extend(problems);
        for claims in &settings.claims {
            let digest = claims
                .vouched
                .then(|| Digest::sha256(sha2::Sha256::digest(&claims.bytes).into()));
            store
                .add_file(claims.bytes.clone(), digest.as_ref())
                .map_err(|error| format!("{}: {error}", claims.path.display()))?;
        }
        let ledger = state.map(|state| Ledger::open(state, now));
        let (ledger, ledger_problem) =
            ledger.map_or((None, None), |(ledger, problem)| (Some(ledger), problem));
        store_problems.extend(ledger_problem);
        Ok(Self {
            settings,
            world,
            now,
            exclude,
            uses,
            notices,
            problems: store_problems,
            store,
            ledger,
        })
    }

    /// Our state folder, as far as this run uses it.
    pub(super) fn state(&self) -> Option<&'a dyn StateDir> {
        self.world
            .state
            .as_ref()
            .map(|state| state as &dyn StateDir)
    }

    /// Advisory data by these settings.
    pub(super) fn advice(&self) -> FeedAdvice<'_> {
        FeedAdvice {
            settings: &self.settings,
            world: self.world,
            now: self.now,
        }
    }

    /// A heal that was interrupted, or is at work now, is a problem: what is scanned may be half done.
    pub(super) fn report_pending(&mut self) {
        let mut open = Vec::new();
        if let Some(state) = self.state() {
            let names = state.list().unwrap_or_default().into_iter();
            let names = names.filter(|name| vault::run_of(name).is_some());
            open.extend(names.map(|name| state.path().join(name)));
        }
        // With --isolated a heal keeps its journal beside the cache.
        let named = self.settings.targets.iter().cloned();
        let caches = self.settings.named_caches.iter();
        let named: Vec<PathBuf> = named.chain(caches.map(|c| c.path.clone())).collect();
        let allowed = allowed(self.world, &named);
        let beside = places::beside(allowed.folders());
        let uid = self.world.env.uid();
        open.extend(places::open_journals(&self.world.fs, &beside, uid));
        for path in open {
            let why = "a heal is at work or was interrupted: `untaint heal --yes` finishes it";
            self.problems.push(Problem::partial("", why).at(&path));
        }
    }

    /// Something that could not be looked at, known before the run.
    pub(super) fn report_problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Names the evidence that is kept of earlier heals of the same things.
    pub(super) fn tell_evidence(&self, report: &mut Report) {
        let Some(state) = self.state().filter(|_| !report.findings.is_empty()) else {
            return;
        };
        let kept = state.read(index::NAME, LARGEST_INDEX);
        let index = kept.ok().flatten().map(|bytes| index::parse(&bytes));
        for finding in &mut report.findings {
            finding.evidence = index.as_ref().and_then(|i| i.get(&finding.id).cloned());
        }
    }

    /// One run.
    pub(super) fn job<'j>(
        &'j self,
        advise: &'j FeedAdvice<'j>,
        ledger: Option<&'j Ledger>,
    ) -> Job<'j> {
        let settings = &self.settings;
        let world = self.world;
        Job {
            paths: settings.targets.clone(),
            lockfiles: settings.lockfiles.clone(),
            caches: settings.caches,
            named_caches: settings
                .named_caches
                .iter()
                .map(|c| (c.name.clone(), c.path.clone()))
                .collect(),
            ecosystems: settings.ecosystems.clone(),
            exclude: self.exclude.clone(),
            own: own(settings),
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
            uses: self.uses.clone(),
            licences: settings.format == Format::CycloneDx
                || settings
                    .outputs
                    .iter()
                    .any(|o| o.format == Format::CycloneDx),
            weakened: settings.weakened.clone(),
            targets: targets(settings),
            call: settings.call.clone(),
            trust: settings.base.trust.clone(),
            store: &self.store,
            ledger,
            fs: &world.fs,
            fetch: &*world.fetch,
            env: &world.env,
            clock: &world.clock,
            progress: &world.progress,
            advise,
            notices: self.notices.clone(),
            problems: self.problems.clone(),
        }
    }
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
