//! Settings of cargo, and the places that they or a project name: vendored folders, local registries, build folders.
//!
//! ```text
//! <folder and every one above>/.cargo/config[.toml]   search
//! CARGO_HOME/config[.toml], included files            search, file
//! rust-toolchain[.toml] upward                        toolchain: rustup's word on which cargo runs
//! CARGO_HOME/credentials[.toml]                       credentials: who can read it, which registries have a token
//! CARGO_…, RUSTC_…, RUSTFLAGS, GIT_…, SSL_…           environment, transport
//! ```
//! Format source: cargo 1.95 (`util/context`, `sources/config.rs`, its reference). Nothing that settings name is ever run.

mod alias;
mod credentials;
mod environment;
mod file;
mod flags;
mod folders;
mod given;
mod linker;
mod patches;
mod programs;
mod search;
mod sources;
mod told;
mod toolchain;
mod tools;
mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use crate::ecosystems::contract::{
    CacheKind as _, NamedPlace, OpenContext, Posture, PostureContext, PostureReport, Session,
};
use crate::world::Dir;

use super::{cache, derived, local_registry, vendor};
use file::File;
use search::Search;
use sources::{Sources, Variables};
use told::Source;
use tools::Tools;

/// Cargo's settings and places.
pub(super) struct CargoPosture;

impl Posture for CargoPosture {
    fn examine(&self, context: &PostureContext<'_>) -> PostureReport {
        let mut report = PostureReport::default();
        let located = home(context);
        let own = located.own.as_deref();
        let mut search = Search::new(context.fs);
        let mut told: BTreeMap<PathBuf, Rc<Source>> = BTreeMap::new();
        let mut source = |file: &File| {
            let known = told.entry(file.path.clone());
            let new = || Rc::new(Source::file(&file.path, &file.base, own, context));
            Rc::clone(known.or_insert_with(new))
        };
        let variables = variables(context, &mut report);
        // A cache that was named may be the home of whoever builds here.
        let homes = homes(&located, context);
        let folders = folders_of(context);
        for folder in &folders {
            for home in &homes {
                let mut sources = Sources::default();
                for file in search.path(folder.as_deref(), home.as_deref()) {
                    sources.take(&file, &source(&file));
                }
                sources.resolve(&variables, context, &mut report);
            }
        }
        let home = located.path.as_deref();
        let files = search.files();
        let tools = Tools::of(context, own, &files, &mut source);
        for file in files {
            let source = source(&file);
            report.read.push(source.file.clone());
            for entry in &file.entries {
                report
                    .findings
                    .extend(programs::judge(entry, &source, &tools));
                report
                    .findings
                    .extend(transport::judge(entry, &source, context));
                report
                    .findings
                    .extend(alias::judge(entry, &source, context));
                folders::judge(entry, &source, home, context, &mut report);
            }
            report.findings.extend(given::judge(&file, &source, &tools));
            report.findings.extend(patches::judge(&file, &source));
            credentials::of_settings(&file, &source, home, context, &mut report);
        }
        toolchain::judge(&folders, own, context, &mut report);
        for root in with_tokens(&located, context) {
            credentials::of_home(&root, context, &mut report);
        }
        report.problems.append(&mut search.problems);
        tidy(&mut report);
        report
    }

    fn has_settings(&self, names: &[&str]) -> bool {
        names.contains(&".cargo") || toolchain::NAMES.iter().any(|name| names.contains(name))
    }

    fn open_place(&self, place: &NamedPlace, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
        match place.kind {
            vendor::KIND => vendor::open(place, root, context),
            local_registry::KIND => local_registry::open(place, root, context),
            derived::KIND => derived::open(),
            _ => Session::default(),
        }
    }

    fn recognises(&self, dir: &dyn Dir, names: &[&str]) -> Option<&'static str> {
        if derived::is_one(dir, names) {
            Some(derived::KIND)
        } else if local_registry::is_one(names) {
            Some(local_registry::KIND)
        } else if vendor::is_one(dir, names) {
            Some(vendor::KIND)
        } else {
            None
        }
    }

    fn belongs(&self, kind: &str, name: &str, below: &[&str], locked: bool) -> bool {
        match kind {
            vendor::KIND => vendor::is_crate(below),
            local_registry::KIND => name == "index",
            // Cargo unpacks what it packages below this one, lockfiles and all.
            derived::KIND => name == "package" || !locked,
            _ => true,
        }
    }
}

/// Folders that cargo may be started in; without a project, only the cargo home counts.
fn folders_of(context: &PostureContext<'_>) -> Vec<Option<PathBuf>> {
    let mut folders: Vec<Option<PathBuf>> = context
        .projects
        .iter()
        .map(|(folder, _)| folder)
        .chain(context.folders)
        .map(|folder| Some(folder.clone()))
        .collect();
    if folders.is_empty() {
        folders.push(None);
    }
    folders.sort();
    folders.dedup();
    folders
}

/// The user's cargo home.
struct Located {
    /// As it is spelled: paths in its settings are relative to the folder above it by that spelling.
    path: Option<PathBuf>,
    /// With links resolved, if it is there.
    real: Option<PathBuf>,
    /// The same, if it is the usual one of the user.
    own: Option<PathBuf>,
}

fn home(context: &PostureContext<'_>) -> Located {
    let located = cache::CargoHome.locate(context.env, context.fs);
    let path = located.into_iter().map(|candidate| candidate.path).next();
    let usual = context.env.home().map(|home| home.join(".cargo"));
    let opened = path.as_deref().map(|path| context.fs.open_root(path));
    let real = opened.and_then(Result::ok).map(|opened| opened.resolved);
    let own = real.clone().filter(|_| path == usual);
    Located { path, real, own }
}

/// The user's cargo home, or none at all, and every other cargo cache of the run.
fn homes(located: &Located, context: &PostureContext<'_>) -> Vec<Option<PathBuf>> {
    let others = context.caches.iter().map(|(root, _)| root);
    let others = others.filter(|root| located.real.as_ref() != Some(*root));
    let mut homes: Vec<Option<PathBuf>> = others.map(|root| Some(root.clone())).collect();
    homes.sort();
    homes.dedup();
    homes.insert(0, located.path.clone());
    homes
}

/// Every cargo cache of the run, else the user's cargo home.
fn with_tokens(located: &Located, context: &PostureContext<'_>) -> BTreeSet<PathBuf> {
    if context.caches.is_empty() {
        return located.real.iter().cloned().collect();
    }
    context
        .caches
        .iter()
        .map(|(root, _)| root.clone())
        .collect()
}

/// Environment variables: judged as the settings that they stand for. Those that say where registries lie are given back:
/// they are stronger than files.
fn variables(context: &PostureContext<'_>, report: &mut PostureReport) -> Variables {
    let base = context.env.current_dir().unwrap_or_default();
    let mut variables = Variables::default();
    let tools = Tools::default();
    for (name, entry) in environment::settings(context.env) {
        let source = Rc::new(Source::variable(&name, &base));
        report
            .findings
            .extend(programs::judge(&entry, &source, &tools));
        report
            .findings
            .extend(transport::judge(&entry, &source, context));
        variables.take(&name, &entry, &source);
    }
    variables.registries(report);
    report.findings.extend(transport::environment(context));
    for (name, path) in environment::build_folders(context.env) {
        let source = Source::variable(name, &base);
        folders::place(&path, &source, None, context, report);
    }
    variables
}

/// The same setting is met once for every project that it counts in.
fn tidy(report: &mut PostureReport) {
    let mut seen = BTreeSet::new();
    report.findings.retain(|finding| {
        seen.insert((
            finding.code,
            finding.location.clone(),
            finding.message.clone(),
        ))
    });
    report.spelled.sort();
    report.spelled.dedup();
    report.places.sort();
    report.places.dedup();
    report.registries.sort();
    report.registries.dedup();
    report.replacements.sort();
    report.replacements.dedup();
    report.notices.sort();
    report.notices.dedup();
    report.problems.sort();
    report.problems.dedup();
    report.read.sort();
    report.read.dedup();
}

#[cfg(test)]
mod tests;
