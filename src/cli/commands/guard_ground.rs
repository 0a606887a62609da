//! What a guarded command stands on: the caches that were audited, the variables that lead to them, locks, and a cage.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::settings::Settings;
use crate::ecosystems::contract::{Ecosystem, Export, GuardContext, Guarded};
use crate::model::Place;
use crate::model::report::Report;
use crate::model::text::printable;
use crate::pipeline::scan;
use crate::trust::TrustSet;
use crate::trust::root::Role;
use crate::world::process::{Cage, Processes, Shared};
use crate::world::real::World;
use crate::world::{Env as _, ReadFs as _};

/// Where temporary files go unless the environment says otherwise.
const TEMPORARY: &str = "/tmp";

/// One ecosystem of which something was judged.
struct Met {
    ecosystem: &'static dyn Ecosystem,
    guarded: &'static dyn Guarded,
    /// Name, place, and whether it is there.
    caches: Vec<(&'static str, PathBuf, bool)>,
    proxies: Vec<String>,
    logs: Vec<(String, String, Option<String>)>,
}

/// What the command stands on.
pub(super) struct Ground {
    met: Vec<Met>,
    /// Projects that were audited.
    projects: Vec<PathBuf>,
}

impl Ground {
    /// From what was audited.
    pub(super) fn of(settings: &Settings, report: &Report, world: &World) -> Self {
        let met = scan::chosen(&settings.ecosystems)
            .into_iter()
            .filter(|e| {
                let id = e.facts().id;
                report.coverage.by_ecosystem.contains_key(&id)
            })
            .filter_map(|ecosystem| {
                let id = ecosystem.facts().id.as_str();
                Some(Met {
                    ecosystem,
                    guarded: ecosystem.guarded()?,
                    caches: caches(ecosystem, world),
                    proxies: addresses(&settings.base.trust, id),
                    logs: logs(&settings.base.trust, id),
                })
            })
            .collect();
        let targets = settings.targets.iter();
        let projects = targets
            .filter_map(|path| world.fs.open_root(path).ok())
            .map(|root| root.resolved)
            .collect();
        Self { met, projects }
    }

    /// Variables that lead to what was audited.
    pub(super) fn exports(&self, world: &World) -> Vec<(OsString, Option<OsString>)> {
        let of = |met: &Met| {
            let caches: Vec<(&'static str, PathBuf)> = met
                .caches
                .iter()
                .map(|(name, path, _)| (*name, path.clone()))
                .collect();
            met.guarded.exports(&GuardContext {
                env: &world.env,
                fs: &world.fs,
                caches: &caches,
                proxies: &met.proxies,
                logs: &met.logs,
            })
        };
        self.met.iter().flat_map(of).map(owned).collect()
    }

    /// Variables for empty build caches, of every ecosystem: a command may use one of which nothing was judged.
    pub(super) fn fresh(&self, folder: &Path) -> Vec<(OsString, Option<OsString>)> {
        crate::ecosystems::all()
            .iter()
            .filter_map(|e| e.guarded())
            .flat_map(|guarded| guarded.fresh(folder))
            .map(owned)
            .collect()
    }

    /// Shares the locks that keep others from removing what was judged. `say` hears what is waited for.
    ///
    /// # Errors
    /// A line that says who holds one alone.
    pub(super) fn share_locks(
        &self,
        processes: &dyn Processes,
        wait: Duration,
        say: &dyn Fn(&str),
    ) -> Result<Vec<Box<dyn Send>>, String> {
        let mut held = Vec::new();
        for met in &self.met {
            for (name, path, _) in met.caches.iter().filter(|(.., there)| *there) {
                for file in met.guarded.shared_locks(name) {
                    let share = |wait| {
                        processes
                            .share(path, &file, wait)
                            .map_err(|e| e.to_string())
                    };
                    let mut shared = share(Duration::ZERO)?;
                    if let (Shared::Busy(_), false) = (&shared, wait.is_zero()) {
                        say(&format!("waiting for {}", path.join(&file).display()));
                        shared = share(wait)?;
                    }
                    match shared {
                        Shared::Held(lock) => held.push(lock),
                        Shared::Without => {}
                        Shared::Busy(who) => {
                            let who = who.unwrap_or_else(|| "another process".to_owned());
                            let tool = met.ecosystem.facts().name;
                            return Err(format!(
                                "{}: locked by {who}, which changes the cache of {tool}: run again when it has ended",
                                path.join(&file).display()
                            ));
                        }
                    }
                }
            }
        }
        Ok(held)
    }

    /// Where the command may write in a sandbox.
    ///
    /// # Errors
    /// A line for the person, where what it must write holds what it must not.
    pub(super) fn cage(
        &self,
        report: &Report,
        scratch: &Path,
        fresh: Option<&Path>,
        world: &World,
    ) -> Result<Cage, String> {
        let (mut writable, mut sealed) = (self.projects.clone(), Vec::new());
        writable.push(scratch.to_owned());
        writable.extend(fresh.map(Path::to_owned));
        // Build folders that lie elsewhere.
        let builds = report.checks.iter().filter(|row| row.place == Place::Build);
        for row in builds.filter(|row| row.rel.is_empty()) {
            let root = report.run.roots.iter().find(|root| root.id == row.root);
            writable.extend(root.map(|root| PathBuf::from(&root.path)));
        }
        for met in &self.met {
            for (name, path, there) in &met.caches {
                if met.guarded.is_written_by_builds(name) {
                    writable.push(path.clone());
                } else if *there {
                    sealed.push(path.clone());
                }
            }
        }
        for open in &writable {
            if let Some(shut) = sealed.iter().find(|shut| shut.starts_with(open)) {
                return Err(format!(
                    "--sandbox cannot shut {}: it lies in {}, which the command may write; move the cache, or run \
                     the command elsewhere",
                    printable(&shut.to_string_lossy()),
                    printable(&open.to_string_lossy())
                ));
            }
        }
        // These stay shut where they hold a cache: the command has a project and temporary files of its own all the same.
        let temporary = world.env.var("TMPDIR").filter(|path| !path.is_empty());
        let temporary = temporary.map_or_else(|| PathBuf::from(TEMPORARY), PathBuf::from);
        for path in world.env.current_dir().into_iter().chain([temporary]) {
            if let Ok(root) = world.fs.open_root(&path)
                && !sealed.iter().any(|shut| shut.starts_with(&root.resolved))
            {
                writable.push(root.resolved);
            }
        }
        Ok(Cage { writable, sealed })
    }
}

fn owned((name, value): Export) -> (OsString, Option<OsString>) {
    (name.into(), value)
}

/// Where the caches of an ecosystem lie.
fn caches(ecosystem: &dyn Ecosystem, world: &World) -> Vec<(&'static str, PathBuf, bool)> {
    ecosystem
        .caches()
        .iter()
        .filter_map(|kind| {
            let candidate = kind.locate(&world.env, &world.fs).into_iter().next()?;
            Some(match world.fs.open_root(&candidate.path) {
                Ok(root) => (candidate.name, root.resolved, true),
                Err(_) => (candidate.name, candidate.path, false),
            })
        })
        .collect()
}

fn addresses(trust: &TrustSet, ecosystem: &str) -> Vec<String> {
    trust
        .believed(ecosystem, Role::Proxy)
        .filter_map(|root| Some(root.address.as_ref()?.text().to_string()))
        .collect()
}

fn logs(trust: &TrustSet, ecosystem: &str) -> Vec<(String, String, Option<String>)> {
    trust
        .believed(ecosystem, Role::Log)
        .filter_map(|root| {
            let address = root.address.as_ref().map(|a| a.text().to_string());
            Some((
                root.name.as_deref()?.to_owned(),
                root.key.as_deref()?.to_owned(),
                address,
            ))
        })
        .collect()
}
