//! Source replacement (`[source]`, `[registries]`): where the packages of a registry really come from.
//!
//! Cargo merges these tables over all settings files, the nearer file winning key by key, and follows `replace-with` from
//! name to name; a variable that gives the address of a registry is stronger than every file. A registry at the end must be
//! known, pinned, or a pinned mirror; a folder must lie in a scanned project, where what is in it is verified like a cache.
//! What untaint cannot follow to its end is told as something that it did not judge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use crate::ecosystems::cargo::lockfile::without_credentials;
use crate::ecosystems::cargo::{local_registry, vendor};
use crate::ecosystems::contract::{NamedPlace, PostureContext, PostureReport, Spelled};
use crate::model::{Code, Line, Problem};

use super::environment::registry_variable;
use super::file::{Entry, File};
use super::search::real;
use super::told::{Source, short};

/// Longest chain of replacements that is followed; a longer one is told as such.
const CHAIN: usize = 256;
/// Name of the default registry in settings.
const DEFAULT: &str = "crates-io";

/// A key of a source, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Said {
    value: String,
    source: Rc<Source>,
    line: Option<Line>,
}

/// A source's table, merged.
#[derive(Debug, Clone, Default)]
struct Table {
    keys: BTreeMap<String, Said>,
}

/// Addresses of registries that variables give, by the variable's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(BTreeMap<String, Said>);

impl Variables {
    /// Takes a variable, if it gives the address of a registry.
    pub(super) fn take(&mut self, variable: &str, entry: &Entry, source: &Rc<Source>) {
        if let (["registries", _, "index"], Some(text)) =
            (entry.parts().as_slice(), entry.value.text())
        {
            let said = Said {
                value: text.to_owned(),
                source: Rc::clone(source),
                line: None,
            };
            self.0.insert(variable.to_owned(), said);
        }
    }

    /// The registries by the names that the variables suggest.
    pub(super) fn registries(&self, report: &mut PostureReport) {
        for (variable, said) in &self.0 {
            let name = variable
                .trim_start_matches("CARGO_REGISTRIES_")
                .trim_end_matches("_INDEX");
            let name = name.to_lowercase().replace('_', "-");
            registry(&name, said, report);
        }
    }
}

/// A registry that settings define.
fn registry(name: &str, said: &Said, report: &mut PostureReport) {
    let address = Arc::from(without_credentials(&said.value));
    report.registries.push((name.to_owned(), address));
    report.spelled.push(Spelled::new(&said.value));
}

/// The sources of one search path.
#[derive(Debug, Default)]
pub(super) struct Sources {
    sources: BTreeMap<String, Table>,
    registries: BTreeMap<String, Said>,
}

/// Why a chain of replacements has no end.
enum Lost {
    Circle,
    Nowhere(String),
    Long,
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

    /// Follows every replacement, as cargo does with the variables of this run, and as it would without any.
    pub(super) fn resolve(
        &self,
        variables: &Variables,
        context: &PostureContext<'_>,
        report: &mut PostureReport,
    ) {
        for (name, said) in &self.registries {
            registry(name, said, report);
        }
        self.follow(variables, context, report);
        let overruled = |name| variables.0.contains_key(&registry_variable(name));
        if self.registries.keys().any(|name| overruled(name)) {
            let known = report.problems.len();
            self.follow(&Variables::default(), context, report);
            report.problems.truncate(known);
        }
    }

    fn follow(
        &self,
        variables: &Variables,
        context: &PostureContext<'_>,
        report: &mut PostureReport,
    ) {
        for (name, table) in &self.sources {
            let redefined = name == DEFAULT && table.keys.contains_key("registry");
            let Some(first) = table
                .keys
                .get("replace-with")
                .or_else(|| table.keys.get("registry").filter(|_| redefined))
            else {
                continue;
            };
            let original = self.original(name, variables);
            // A step of somebody else's chain is judged with that.
            let step = original.is_none() && !table.keys.contains_key("git");
            match self.end(name, variables) {
                Ok(_) if step => {}
                Ok(end) => judge(name, first, original, &end, context, report),
                Err(lost) => {
                    let why = match lost {
                        Lost::Circle => "leads round in a circle: end it".to_owned(),
                        Lost::Nowhere(last) => format!(
                            "leads to `{}`, which no settings define: define it, or remove the replacement",
                            short(&last)
                        ),
                        Lost::Long => {
                            "has more steps than untaint follows: name its end directly".to_owned()
                        }
                    };
                    let why = format!("the replacement of source `{}` {why}", short(name));
                    let at = first.source.at(first.line);
                    report.problems.push(Problem::partial(at, why));
                }
            }
        }
    }

    /// Where the chain from a name ends.
    fn end(&self, name: &str, variables: &Variables) -> Result<End, Lost> {
        let mut name = name;
        let mut seen = BTreeSet::new();
        for _ in 0..CHAIN {
            if !seen.insert(name) {
                return Err(Lost::Circle);
            }
            let table = self.sources.get(name);
            let key = |key: &str| table.and_then(|table| table.keys.get(key)).cloned();
            if let Some(next) = table.and_then(|table| table.keys.get("replace-with")) {
                name = &next.value;
                continue;
            }
            return if let Some(said) = key("directory") {
                Ok(End::Folder(vendor::KIND, said))
            } else if let Some(said) = key("local-registry") {
                Ok(End::Folder(local_registry::KIND, said))
            } else if let Some(said) = key("registry") {
                Ok(End::Registry(said.value))
            } else if let Some(said) = key("git") {
                Ok(End::Git(said.value))
            } else if name == DEFAULT {
                Ok(End::Registry(tame_index::CRATES_IO_HTTP_INDEX.to_owned()))
            } else if let Some(said) = self.registry(name, variables) {
                Ok(End::Registry(said.value.clone()))
            } else {
                Err(Lost::Nowhere(name.to_owned()))
            };
        }
        Err(Lost::Long)
    }

    /// What defines a registry: a variable before any file.
    fn registry<'a>(&'a self, name: &str, variables: &'a Variables) -> Option<&'a Said> {
        let variable = variables.0.get(&registry_variable(name));
        variable.or_else(|| self.registries.get(name))
    }

    /// The address that a source's name stands for in lockfiles, as written, if it is a registry.
    fn original(&self, name: &str, variables: &Variables) -> Option<Spelled> {
        if name == DEFAULT {
            return Some(Spelled::new(tame_index::CRATES_IO_HTTP_INDEX));
        }
        let keys = &self.sources.get(name)?.keys;
        let own = keys.get("registry");
        let own = own.filter(|_| keys.contains_key("replace-with"));
        let said = own.or_else(|| self.registry(name, variables))?;
        Some(Spelled::new(&said.value))
    }
}

/// An address without user and password.
fn shown(address: &Spelled) -> Arc<str> {
    Arc::from(without_credentials(address.reveal()))
}

fn judge(
    name: &str,
    first: &Said,
    original: Option<Spelled>,
    end: &End,
    context: &PostureContext<'_>,
    report: &mut PostureReport,
) {
    report.spelled.extend(original.clone());
    let original = original.as_ref().map(shown);
    match end {
        End::Registry(address) => {
            let spelled = Spelled::new(address);
            let target = shown(&spelled);
            if (context.standing)(address) != Some(true) {
                let what = format!(
                    "the registry {}, which is neither known nor a pinned mirror",
                    short(&target)
                );
                let mut finding = redirected(name, first, &what);
                finding.remedy = Some(
                    "pin it as a mirror if it is yours (`untaint trust discover` prints the command), else remove the setting"
                        .into(),
                );
                report.findings.push(finding);
            }
            if let Some(original) = original.filter(|original| *original != target) {
                report.replacements.push((original, target));
            }
            report.spelled.push(spelled);
        }
        End::Git(address) => {
            let shown = without_credentials(address);
            let what = format!("the git repository {}", short(&shown));
            report.findings.push(redirected(name, first, &what));
        }
        End::Folder(kind, said) => {
            // The system resolves it, as it does for cargo: `..` behind a link is not what it looks like.
            let path = said.source.base.join(&said.value);
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

/// Whether a folder really lies in a scanned project.
pub(super) fn inside(path: &Path, context: &PostureContext<'_>) -> bool {
    let path = real(context.fs, path);
    let mut roots = context.projects.iter();
    roots.any(|(root, _)| path.starts_with(root))
}
