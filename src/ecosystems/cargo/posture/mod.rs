//! Settings of cargo, and the places that they or a project name: vendored folders, local registries, build folders.
//!
//! ```text
//! <folder and every one above>/.cargo/config[.toml]   search
//! CARGO_HOME/config[.toml], included files            search, file
//! CARGO_HOME/credentials[.toml]                       credentials: who can read it, which registries have a token
//! CARGO_…, RUSTC_…, RUSTFLAGS, GIT_…, SSL_…           environment, transport
//! ```
//! Format source: cargo 1.95 (`util/context`, `sources/config.rs`, its reference). Nothing that settings name is ever run.

mod credentials;
mod environment;
mod file;
mod flags;
mod folders;
mod programs;
mod search;
mod sources;
mod told;
mod transport;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::ecosystems::contract::{
    CacheKind as _, NamedPlace, OpenContext, Posture, PostureContext, PostureReport, Session,
};
use crate::world::Dir;

use super::{cache, derived, local_registry, vendor};
use search::Search;
use sources::Sources;
use told::Source;

/// Cargo's settings and places.
pub(super) struct CargoPosture;

impl Posture for CargoPosture {
    fn examine(&self, context: &PostureContext<'_>) -> PostureReport {
        let mut report = PostureReport::default();
        let (home, own) = home(context);
        let own = own.as_deref();
        let mut search = Search::new(context.fs);
        let mut paths: Vec<Sources> = Vec::new();
        for folder in folders_of(context) {
            let files = search.path(folder.as_deref(), home.as_deref());
            let mut sources = Sources::default();
            for file in &files {
                let source = Source::file(&file.path, &file.base, own, context);
                sources.take(file, &Rc::new(source));
            }
            paths.push(sources);
        }
        // A cache that was named may bring settings of its own; they are judged, and its tool would use them there.
        for (root, _) in context.caches {
            search.path(None, Some(root));
        }
        for file in search.files() {
            let source = Source::file(&file.path, &file.base, own, context);
            report.read.push(source.file.clone());
            for entry in &file.entries {
                report.findings.extend(programs::judge(entry, &source));
                report
                    .findings
                    .extend(transport::judge(entry, &source, context));
                folders::judge(entry, &source, home.as_deref(), context, &mut report);
            }
            credentials::of_settings(&file, &source, home.as_deref(), context, &mut report);
        }
        variables(context, &mut paths, &mut report);
        for sources in &paths {
            sources.resolve(context, &mut report);
        }
        for root in homes(home.as_deref(), context) {
            credentials::of_home(&root, context, &mut report);
        }
        report.problems.append(&mut search.problems);
        tidy(&mut report);
        report
    }

    fn has_settings(&self, names: &[&str]) -> bool {
        names.contains(&".cargo")
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

/// The cargo home with links resolved, and once more if it is the usual one of the user.
fn home(context: &PostureContext<'_>) -> (Option<PathBuf>, Option<PathBuf>) {
    let located = cache::CargoHome.locate(context.env, context.fs);
    let Some(path) = located.into_iter().map(|candidate| candidate.path).next() else {
        return (None, None);
    };
    let usual = context.env.home().map(|home| home.join(".cargo"));
    let is_usual = usual.as_deref() == Some(&*path);
    let path = context
        .fs
        .open_root(&path)
        .map_or(path, |opened| opened.resolved);
    let own = is_usual.then(|| path.clone());
    (Some(path), own)
}

/// The user's cargo home and every cargo cache of the run.
fn homes(home: Option<&Path>, context: &PostureContext<'_>) -> Vec<PathBuf> {
    let mut homes: Vec<PathBuf> = context
        .caches
        .iter()
        .map(|(root, _)| root.clone())
        .collect();
    if homes.is_empty() {
        homes.extend(home.map(Path::to_owned));
    }
    homes.sort();
    homes.dedup();
    homes
}

/// Environment variables: judged as the settings that they stand for, and stronger than files.
fn variables(context: &PostureContext<'_>, paths: &mut [Sources], report: &mut PostureReport) {
    let base = context.env.current_dir().unwrap_or_default();
    for (name, entry) in environment::settings(context.env) {
        let source = Source::variable(&name, &base);
        report.findings.extend(programs::judge(&entry, &source));
        report
            .findings
            .extend(transport::judge(&entry, &source, context));
        let source = Rc::new(source);
        for sources in paths.iter_mut() {
            sources.entry(&entry, &source);
        }
    }
    report.findings.extend(transport::environment(context));
    for (name, path) in environment::build_folders(context.env) {
        let source = Source::variable(name, &base);
        folders::place(&path, &source, None, context, report);
    }
}

/// The same setting is met once for every project that it counts in.
fn tidy(report: &mut PostureReport) {
    let mut seen: Vec<(crate::model::Code, Option<crate::model::Location>, String)> = Vec::new();
    report.findings.retain(|finding| {
        let key = (
            finding.code,
            finding.location.clone(),
            finding.message.clone(),
        );
        let new = !seen.contains(&key);
        if new {
            seen.push(key);
        }
        new
    });
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
