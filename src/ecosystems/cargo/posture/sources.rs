//! Source replacement (`[source]`, `[registries]`): where the packages of a registry really come from.
//!
//! Cargo merges these tables over all settings files, the nearer file winning key by key, and follows `replace-with` from
//! name to name. A registry at the end must be known, pinned, or a pinned mirror; a folder must lie in a scanned project,
//! where what is in it is verified like a cache.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::ecosystems::cargo::lockfile::without_credentials;
use crate::ecosystems::cargo::{local_registry, vendor};
use crate::ecosystems::contract::{NamedPlace, PostureContext, PostureReport};
use crate::model::{Code, Line};

use super::file::{Entry, File};
use super::search::normal;
use super::told::{Source, short};

/// Longest chain of replacements.
const CHAIN: usize = 32;
/// Name of the default registry in settings.
const DEFAULT: &str = "crates-io";

/// A key of a source, and where it stands.
#[derive(Debug, Clone)]
struct Said {
    value: String,
    source: Rc<Source>,
    line: Option<Line>,
}

/// A source's table, merged.
#[derive(Debug, Clone, Default)]
struct Table {
    keys: BTreeMap<String, Said>,
}

/// The sources of one search path.
#[derive(Debug, Default)]
pub(super) struct Sources {
    sources: BTreeMap<String, Table>,
    registries: BTreeMap<String, Said>,
}

impl Sources {
    /// Takes a file; the strongest must come first.
    pub(super) fn take(&mut self, file: &File, source: &Rc<Source>) {
        for entry in &file.entries {
            self.entry(entry, source);
        }
    }

    /// Takes one setting unless a stronger one is there.
    pub(super) fn entry(&mut self, entry: &Entry, source: &Rc<Source>) {
        let Some(text) = entry.value.text() else {
            return;
        };
        let said = || Said {
            value: text.to_owned(),
            source: Rc::clone(source),
            line: entry.line,
        };
        match entry.parts().as_slice() {
            [
                "source",
                name,
                key @ ("registry" | "local-registry" | "directory" | "git" | "replace-with"),
            ] => {
                let table = self.sources.entry((*name).to_owned()).or_default();
                table.keys.entry((*key).to_owned()).or_insert_with(said);
            }
            ["registries", name, "index"] => {
                self.registries
                    .entry((*name).to_owned())
                    .or_insert_with(said);
            }
            // What replaced the default registry before there was source replacement.
            ["registry", "index"] => {
                let table = self.sources.entry(DEFAULT.to_owned()).or_default();
                table.keys.entry("registry".to_owned()).or_insert_with(said);
            }
            _ => {}
        }
    }

    /// Follows every replacement.
    pub(super) fn resolve(&self, context: &PostureContext<'_>, report: &mut PostureReport) {
        for (name, said) in &self.registries {
            let address = Arc::from(without_credentials(&said.value));
            report.registries.push((name.clone(), address));
        }
        for (name, table) in &self.sources {
            let redefined = name == DEFAULT && table.keys.contains_key("registry");
            let Some(first) = table
                .keys
                .get("replace-with")
                .or_else(|| table.keys.get("registry").filter(|_| redefined))
            else {
                continue;
            };
            // A step of somebody else's chain is judged with that.
            let step = self.original(name).is_none() && !table.keys.contains_key("git");
            match self.end(name) {
                Some(_) if step => {}
                Some(end) => self.judge(name, first, &end, context, report),
                None => report.problems.push(crate::model::Problem::as_the_tool(
                    first.source.at(first.line),
                    format!(
                        "the replacement of source `{}` leads nowhere; cargo refuses it too",
                        short(name)
                    ),
                )),
            }
        }
    }

    /// Where the chain from a name ends.
    fn end(&self, name: &str) -> Option<End> {
        let mut name = name;
        let mut seen = BTreeSet::new();
        for _ in 0..CHAIN {
            if !seen.insert(name) {
                return None;
            }
            let table = self.sources.get(name);
            let key = |key: &str| table.and_then(|table| table.keys.get(key)).cloned();
            if let Some(next) = table.and_then(|table| table.keys.get("replace-with")) {
                name = &next.value;
                continue;
            }
            return if let Some(said) = key("directory") {
                Some(End::Folder(vendor::KIND, said))
            } else if let Some(said) = key("local-registry") {
                Some(End::Folder(local_registry::KIND, said))
            } else if let Some(said) = key("registry") {
                Some(End::Registry(said.value))
            } else if let Some(said) = key("git") {
                Some(End::Git(said.value))
            } else if let Some(said) = self.registries.get(name) {
                Some(End::Registry(said.value.clone()))
            } else {
                (name == DEFAULT)
                    .then(|| End::Registry(tame_index::CRATES_IO_HTTP_INDEX.to_owned()))
            };
        }
        None
    }

    /// The address that a source's name stands for in lockfiles, if it is a registry.
    fn original(&self, name: &str) -> Option<Arc<str>> {
        let table = self.sources.get(name)?;
        let own = table.keys.get("registry").map(|said| said.value.as_str());
        let own = own.filter(|_| table.keys.contains_key("replace-with") && name != DEFAULT);
        let registry = self.registries.get(name).map(|said| said.value.as_str());
        let address = match (own.or(registry), name) {
            (Some(address), _) => address,
            (None, DEFAULT) => tame_index::CRATES_IO_HTTP_INDEX,
            (None, _) => return None,
        };
        Some(Arc::from(without_credentials(address)))
    }

    fn judge(
        &self,
        name: &str,
        first: &Said,
        end: &End,
        context: &PostureContext<'_>,
        report: &mut PostureReport,
    ) {
        let original = self.original(name);
        match end {
            End::Registry(address) => {
                let shown = without_credentials(address);
                let target: Arc<str> = Arc::from(shown.as_str());
                if (context.standing)(address) != Some(true) {
                    let what = format!(
                        "the registry {}, which is neither known nor a pinned mirror",
                        short(&shown)
                    );
                    let mut finding = redirected(name, first, &what);
                    finding.remedy = Some("pin it as a mirror if it is yours: untaint trust pin; else remove the setting".into());
                    report.findings.push(finding);
                }
                if let Some(original) = original.filter(|original| *original != target) {
                    report.replacements.push((original, target));
                }
            }
            End::Git(address) => {
                let shown = without_credentials(address);
                let what = format!("the git repository {}", short(&shown));
                report.findings.push(redirected(name, first, &what));
            }
            End::Folder(kind, said) => {
                let path = normal(&said.source.base.join(&said.value));
                if !inside(&path, context) {
                    let what = format!(
                        "the folder {}, outside of every scanned project",
                        short(&path.display().to_string())
                    );
                    report.findings.push(redirected(name, first, &what));
                }
                report.places.push(NamedPlace {
                    kind,
                    path,
                    named_by: said.source.at(said.line),
                    stands_for: original,
                });
            }
        }
    }
}

/// Where a chain ends.
enum End {
    Registry(String),
    Git(String),
    Folder(&'static str, Said),
}

fn redirected(name: &str, first: &Said, what: &str) -> crate::model::Finding {
    let mut finding = first.source.finding(
        Code::SourceRedirected,
        first.line,
        format!(
            "settings take the packages of `{}` from {what}",
            short(name)
        ),
    );
    finding.remedy = Some("remove the setting, or look at what it names".into());
    finding
}

/// Whether a folder lies in a scanned project, links resolved.
pub(super) fn inside(path: &Path, context: &PostureContext<'_>) -> bool {
    let roots: Vec<&PathBuf> = context.projects.iter().map(|(root, _)| root).collect();
    // A link inside the project may lead out of it: the path is judged as it really is, where it is there at all.
    let real = context.fs.open_root(path).map(|opened| opened.resolved);
    roots.iter().any(|root| {
        path.starts_with(root) && real.as_ref().map_or(true, |real| real.starts_with(root))
    })
}
