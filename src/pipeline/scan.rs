//! One audit from targets to report: the stages in their order, with the values that they hand on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use globset::GlobSet;

use crate::ecosystems::contract::Ecosystem;
use crate::model::policy::Policy;
use crate::model::report::{Component, FeedFacts, Report, RunFacts};
use crate::model::{Coordinate, EcosystemId, Notice, Origin, Problem};
use crate::trust::claims::ClaimStore;
use crate::trust::ledger::Ledger;
use crate::trust::root::TrustSet;
use crate::world::{Clock, Env, Fetch, Progress, ReadFs};

use super::advise::poisoned::Poisoned;
use super::ailing::{self, Aftermath};
use super::decide::{self, Case, Decision};
use super::discover::{self, NotThere, Targets};
use super::feeds;
use super::flow::{AdvisoryMatch, Inventory};
use super::imports;
use super::inventory::{self, Reading};
use super::knowledge::Declared;
use super::licences;
use super::purls;
use super::registries::Registries;
use super::remedies;
use super::standings::Standings;
use super::tool_parts;
use super::usage::{self, Scopes};
use super::verify::{FetchArchives, SageParts, Verify};

/// Bytes of archives that may be held in memory at once.
const IN_FLIGHT: u64 = 96 << 20;

/// What is to be audited, how, and with which ports.
pub struct Job<'a> {
    /// Projects.
    pub paths: Vec<PathBuf>,
    /// Lockfiles.
    pub lockfiles: Vec<PathBuf>,
    /// Whether every cache of the user is audited.
    pub caches: bool,
    /// Further caches: name and folder.
    pub named_caches: Vec<(String, PathBuf)>,
    /// Names of ecosystems; empty for all.
    pub ecosystems: Vec<String>,
    /// What is left out.
    pub exclude: GlobSet,
    /// Our own configuration and state, as far as they are used.
    pub own: Vec<(&'static str, PathBuf)>,
    /// Whether no packet may leave.
    pub offline: bool,
    /// Whether our own state is left alone.
    pub isolated: bool,
    /// Whether the ledger is ignored and everything looked at.
    pub full: bool,
    /// When archives are fetched.
    pub fetch_archives: FetchArchives,
    /// Most bytes of archives to fetch.
    pub max_fetch: u64,
    /// Threads; `None` for all cores.
    pub jobs: Option<usize>,
    /// The policy.
    pub policy: Policy,
    /// Whether absolute paths are left out of reports.
    pub portable: bool,
    /// What packages are used for, by a file that the user named.
    pub uses: Option<usage::Named>,
    /// Whether the licences of components are wanted.
    pub licences: bool,
    /// What weakens the verdict.
    pub weakened: Vec<String>,
    /// Targets as the user gave them.
    pub targets: Vec<String>,
    /// What is to be typed behind `untaint heal` for the same audit.
    pub call: String,
    /// Pins and mirrors.
    pub trust: TrustSet,
    /// What was learned before.
    pub store: &'a ClaimStore,
    /// What was hashed before.
    pub ledger: Option<&'a Ledger>,
    /// The file system.
    pub fs: &'a dyn ReadFs,
    /// The network.
    pub fetch: &'a dyn Fetch,
    /// The environment.
    pub env: &'a dyn Env,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// What a person sees meanwhile.
    pub progress: &'a dyn Progress,
    /// Advisory data: loaded for the ecosystems that were met.
    pub advise: &'a dyn Advise,
    /// Notices and problems from before the run.
    pub notices: Vec<Notice>,
    /// Problems from before the run.
    pub problems: Vec<Problem>,
}

/// Where advisory data comes from.
pub trait Advise {
    /// Loads the feeds of these ecosystems and asks them about everything in the inventory.
    fn advise(
        &self,
        ecosystems: &[&'static dyn Ecosystem],
        inventory: &Inventory,
        is_public: &dyn Fn(&Coordinate) -> bool,
    ) -> Advice;
}

/// What the advisory data says.
#[derive(Default)]
pub struct Advice {
    /// Advisories that cover something.
    pub matches: Vec<AdvisoryMatch>,
    /// Feeds in use.
    pub feeds: Vec<FeedFacts>,
    /// Ecosystems without a feed.
    pub uncovered: Vec<String>,
    /// Package versions that an advisory names, affected or not.
    pub named: Vec<Arc<Coordinate>>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Findings about the feeds themselves.
    pub findings: Vec<crate::model::Finding>,
    /// Coverage facts.
    pub notices: Vec<Notice>,
}

/// Audits.
///
/// # Errors
/// [`NotThere`] when something that the user named is missing.
pub fn run(job: Job<'_>) -> Result<Report, NotThere> {
    stages(job, false).map(|(report, _, _)| report)
}

/// Audits, and hands on what healing needs: what is not well, and how packages stand with their registries.
///
/// # Errors
/// [`NotThere`] when something that the user named is missing.
pub fn audit(job: Job<'_>) -> Result<(Report, Aftermath, Standings), NotThere> {
    stages(job, true)
}

fn stages(job: Job<'_>, heal: bool) -> Result<(Report, Aftermath, Standings), NotThere> {
    let started = job.clock.now();
    let ecosystems = chosen(&job.ecosystems);
    let registries = Registries::new(job.trust);
    for ecosystem in &ecosystems {
        for (address, origin) in ecosystem.shipped_registries() {
            registries.meet(ecosystem.facts().id, address, origin);
        }
        registries.meet_pinned(ecosystem.facts().id);
        let settings = ecosystem.tool_settings(job.env, job.fs);
        registries.meet_settings(ecosystem.facts().id, &settings);
    }
    let excluded = !job.exclude.is_empty();
    let targets = Targets {
        paths: job.paths,
        lockfiles: job.lockfiles,
        caches: job.caches,
        named_caches: job.named_caches,
        ecosystems: ecosystems.clone(),
        only: (!job.ecosystems.is_empty()).then(|| job.ecosystems.clone()),
        exclude: job.exclude,
        own: job.own,
        env: job.env,
        fs: job.fs,
    };
    job.progress.stage("discover", 0);
    let found = discover::run(&targets, &registries)?;
    let unsupported = found.unsupported.clone();
    let only_caches = targets.paths.is_empty() && targets.lockfiles.is_empty();
    let reading = Reading {
        narrow: !targets.caches && !only_caches,
        full: job.full,
        bytes: job.policy.integrity,
    };
    let mut inventory = inventory::run(found, &registries, &reading, &ecosystems, job.env, job.fs);
    tool_parts::settle(&mut inventory, &ecosystems, job.env, job.fs);
    let standings = registries.standings(&ecosystems, job.policy.require);
    // A private package is no public one of the same name, wherever its lockfile says that it comes from.
    let is_public = |coordinate: &Coordinate| {
        public(&ecosystems, &registries, coordinate) && !standings.is_private(coordinate)
    };
    let mut advice = if job.policy.advisories && !inventory_is_empty(&inventory) {
        job.progress.stage("advisories", 0);
        job.advise
            .advise(&met(&ecosystems, &inventory), &inventory, &is_public)
    } else {
        Advice::default()
    };
    imports::explain(&mut advice.matches, &inventory);
    let declared = Declared::of(&inventory);
    let named: std::collections::BTreeSet<&Coordinate> =
        advice.named.iter().map(|c| &**c).collect();
    let named_by_advisory = |coordinate: &Coordinate| named.contains(coordinate);
    let remembered = |coordinate: &Coordinate, row: &str| {
        (!job.isolated)
            .then(|| job.store.first_seen(&memory_key(coordinate, row)))?
            .map(|seen| seen.digest)
    };
    let logs = registries.logs();
    let parts = SageParts {
        declared: &declared,
        remembered: &remembered,
        named_by_advisory: &named_by_advisory,
    };
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let verify = Verify {
        store: job.store,
        ledger: job.ledger,
        fetch: job.fetch,
        fs: job.fs,
        env: job.env,
        progress: job.progress,
        standings: &standings,
        logs: &logs,
        offline: job.offline,
        now: started,
        jobs: job.jobs.unwrap_or(cores * 2).clamp(1, 64),
        full: job.full,
        fetch_archives: job.fetch_archives,
        max_fetch: job.max_fetch,
        in_flight: IN_FLIGHT,
        integrity: job.policy.integrity,
    };
    let (checked, known) = verify.run(&inventory, &parts);
    let sage = parts.sage(&standings, &known, started);
    let mut notices = job.notices;
    notices.extend(inventory.notices.iter().cloned());
    notices.extend(known.notices.iter().cloned());
    notices.extend(advice.notices);
    let mut problems = job.problems;
    problems.extend(inventory.problems.iter().cloned());
    problems.extend(checked.problems.iter().cloned());
    problems.extend(known.problems.iter().cloned());
    problems.extend(advice.problems);
    let mut findings = inventory.findings.clone();
    findings.extend(checked.findings.iter().cloned());
    findings.extend(advice.findings);
    findings.extend(known.findings.iter().cloned());
    findings.extend(feeds::indicators(
        &Poisoned::embedded(),
        &inventory,
        &checked.checks,
    ));
    let mut feeds = advice.feeds;
    feeds.sort_by(|a, b| a.name.cmp(&b.name));
    let scopes = match job.uses.as_ref().map(|named| Scopes::of(named, &inventory)) {
        Some(Ok(scopes)) => scopes,
        Some(Err(problem)) => {
            problems.push(problem);
            Scopes::default()
        }
        None => Scopes::default(),
    };
    let mut decision = decide::decide(Case {
        inventory: &inventory,
        checks: &checked.checks,
        sage: &sage,
        recent: &checked.recent,
        matches: &advice.matches,
        feeds: &feeds,
        uncovered: &advice.uncovered,
        policy: &job.policy,
        problems,
        notices,
        findings,
        unsupported: &unsupported,
        excluded,
        cut_short: checked.cut_short,
        portable: job.portable,
        now: started,
    });
    if !job.isolated {
        remember(job.store, &decision, &sage, &checked.recent);
    }
    purls::fill(
        &mut decision.findings,
        &ecosystems,
        &inventory,
        &checked.checks,
        &is_public,
    );
    let (checks, rows) = (&checked.checks, &decision.rows);
    let collect = |findings: &[_]| ailing::collect(&inventory, checks, rows, findings, &sage);
    remedies::fill(&mut decision.findings, &collect, &job.call);
    let aftermath = if heal {
        collect(&decision.findings)
    } else {
        Aftermath::default()
    };
    let mut components = inventory::components(&inventory, &is_public);
    verified_digests(&mut components, &decision);
    scopes.fill(&mut components);
    scopes.explain(&mut decision.findings);
    if job.licences {
        licences::fill(&mut components, &inventory, job.store);
    }
    let network = job.fetch.facts();
    let mut roots: Vec<_> = inventory.roots.iter().map(|r| r.info.clone()).collect();
    roots.sort();
    let ids: Vec<EcosystemId> = met(&ecosystems, &inventory)
        .iter()
        .map(|e| e.facts().id)
        .collect();
    let report = Report {
        run: RunFacts {
            id: run_id(started, job.clock.elapsed_ms()),
            started,
            duration_ms: job.clock.elapsed_ms(),
            offline: job.offline,
            isolated: job.isolated,
            targets: job.targets,
            roots,
            weakened: job.weakened,
            proxy: network.proxy,
            ca_bundle: network.ca_bundle,
            requests: network.requests,
            bytes_hashed: checked.bytes_hashed,
            from_ledger: checked.from_ledger,
            feeds,
            portable: job.portable,
        },
        verdict: decision.verdict,
        findings_total: decision.findings.len() as u64,
        findings: decision.findings,
        notices: decision.notices,
        problems: decision.problems,
        coverage: decision.coverage,
        sources: inventory.sources.clone(),
        trust: registries.facts(&ids),
        checks: decision.rows,
        components,
    };
    Ok((report, aftermath, standings))
}

/// The ecosystems that the user chose; all by default.
pub fn chosen(names: &[String]) -> Vec<&'static dyn Ecosystem> {
    crate::ecosystems::all()
        .iter()
        .copied()
        .filter(|e| names.is_empty() || names.iter().any(|n| n == e.facts().id.as_str()))
        .collect()
}

fn inventory_is_empty(inventory: &Inventory) -> bool {
    inventory.locks.is_empty() && inventory.units.is_empty()
}

/// The ecosystems of which anything was met.
fn met(
    ecosystems: &[&'static dyn Ecosystem],
    inventory: &Inventory,
) -> Vec<&'static dyn Ecosystem> {
    ecosystems
        .iter()
        .copied()
        .filter(|e| {
            let id = e.facts().id;
            inventory.locks.iter().any(|l| l.ecosystem.facts().id == id)
                || inventory.units.iter().any(|u| u.ecosystem.facts().id == id)
        })
        .collect()
}

/// Whether a package comes from the default public registry of its ecosystem.
fn public(
    ecosystems: &[&'static dyn Ecosystem],
    registries: &Registries,
    coordinate: &Coordinate,
) -> bool {
    let Origin::Registry(registry) = &coordinate.origin else {
        return false;
    };
    if registries.is_recognised(coordinate.ecosystem, &registry.fingerprint) {
        return true;
    }
    ecosystems
        .iter()
        .filter(|e| e.facts().id == coordinate.ecosystem)
        .flat_map(|e| e.shipped_registries())
        .filter_map(|(address, origin)| registries.meet(coordinate.ecosystem, address, origin))
        .any(|shipped| shipped.fingerprint == registry.fingerprint)
}

/// Under this key the first sight of an artifact is kept.
fn memory_key(coordinate: &Coordinate, row: &str) -> String {
    let source = match &coordinate.origin {
        Origin::Registry(registry) => registry.fingerprint.to_string(),
        Origin::Git { url, .. } => url.to_string(),
        Origin::Path | Origin::Unknown => String::new(),
    };
    format!(
        "{}:{source}:{}@{row}",
        coordinate.ecosystem, coordinate.name
    )
}

/// Remembers what was seen of artifacts that nobody outside vouches for.
fn remember(
    store: &ClaimStore,
    decision: &Decision,
    sage: &super::knowledge::Sage<'_>,
    recent: &super::flow::Recent,
) {
    for check in &decision.memorable {
        let knowledge = sage.knowledge(&check.coordinate, &check.file, recent);
        if knowledge.claims.iter().any(|c| c.effective().is_trusted()) {
            continue;
        }
        let row = super::knowledge::row_of(&check.coordinate, &check.file);
        let key = memory_key(&check.coordinate, &row);
        if store.first_seen(&key).is_none() {
            store.put_first_seen(&key, &check.digest);
        }
    }
}

/// Gives components the digests of bytes that were observed and verified.
fn verified_digests(components: &mut [Component], decision: &Decision) {
    let mut verified: BTreeMap<(EcosystemId, &str, &str), Vec<&crate::model::report::CheckRow>> =
        BTreeMap::new();
    for row in decision.rows.iter().filter(|r| r.kind == "archive") {
        if let (crate::model::Outcome::Verified(_), Some(name), Some(version)) =
            (row.outcome, &row.package, &row.version)
        {
            verified
                .entry((row.ecosystem, name, version))
                .or_default()
                .push(row);
        }
    }
    for component in components {
        let coordinate = &component.coordinate;
        let key = (
            coordinate.ecosystem,
            &*coordinate.name,
            &*coordinate.version,
        );
        for row in verified.get(&key).into_iter().flatten() {
            if let Some(digest) = row.observed
                && !component.verified.contains(&digest)
            {
                component.verified.push(digest);
            }
            if let crate::model::Outcome::Verified(level) = row.outcome {
                component.assurance = component.assurance.max(Some(level));
            }
            component.archive_size = component.archive_size.or(row.size);
        }
    }
}

/// A ULID: 48 bits of time in milliseconds, 80 bits that differ between runs.
pub fn run_id(seconds: i64, elapsed_ms: u64) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let millis = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000) + elapsed_ms % 1000;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&millis.to_le_bytes());
    hasher.update(&elapsed_ms.to_le_bytes());
    hasher.update(&std::process::id().to_le_bytes());
    let marker = 0u8;
    hasher.update(&(std::ptr::from_ref(&marker).addr() as u64).to_le_bytes());
    let random = hasher.finalize();
    let mut bits = u128::from(millis & 0xffff_ffff_ffff) << 80;
    for (at, byte) in random.as_bytes().iter().take(10).enumerate() {
        bits |= u128::from(*byte) << (8 * at);
    }
    (0..26u32)
        .rev()
        .map(|at| {
            let index = usize::try_from((bits >> (5 * at)) & 31).unwrap_or(0);
            char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_is_a_ulid() {
        let id = run_id(1_790_000_000, 12);
        assert_eq!(id.len(), 26);
        assert!(id.starts_with("01"));
    }
}
