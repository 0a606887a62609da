//! What nobody proves, and the proxy says: which versions there are, when and from which commit each was made, what its authors
//! took back (`retract` and `// Deprecated:` in the newest version's `go.mod`), and what is no longer served.
//!
//! It is weaker than anything the log has, and judges no bytes: it can raise findings about `.info` and `list` files, and call a
//! version retracted, a module deprecated, a version withdrawn. It is asked about versions alone that the log knows, so no
//! name leaves that was not public. What it said is kept for a day. Offline, the newest `go.mod` of a cache says what was
//! taken back. A `list` is made anew by Go from the `.mod` files beside it, so versions that it lacks are nothing; one that
//! neither lies beside it nor is known anywhere was put there by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ecosystems::contract::Question;
use crate::ecosystems::proof::{LogFile, ProofContext, Send};
use crate::model::text::printable;
use crate::model::version_order::VersionOrder as _;
use crate::model::{Code, Finding, Outcome as Fate, Place, Reason, Severity};
use crate::tlog::Wanted;
use crate::world::{Request, Response};

use super::GO;
use super::beside::Facts;
use super::escape::{escape_path, escape_version, unescape_version};
use super::gomod::{self, GoMod};
use super::log::Outcome;
use super::version::{Order, Parts};

/// Largest answer and file.
const LARGEST: u64 = 4 << 20;
/// How long what it said counts, in seconds.
const DAY: i64 = 24 * 60 * 60;
/// Most characters of an author's words.
const WORDS: usize = 300;

/// What came of it.
#[derive(Default)]
pub(super) struct ProxySaid {
    /// Versions that their authors took back.
    pub(super) retracted: BTreeSet<Wanted>,
    /// Versions that the log has and the proxy no longer serves.
    pub(super) withdrawn: BTreeSet<Wanted>,
    /// Files of caches that contradict it.
    pub(super) files: Vec<LogFile>,
    /// What its authors say of a module.
    pub(super) findings: Vec<Finding>,
}

/// What the proxy said of one module.
#[derive(Default, Serialize, Deserialize)]
struct Module {
    at: i64,
    listed: Vec<String>,
    /// The newest version's `go.mod`.
    newest: Option<String>,
    /// By version; nothing where it is not served.
    infos: BTreeMap<String, Option<Facts>>,
}

/// Asks, and judges what caches say.
pub(super) fn ask(
    context: &ProofContext<'_>,
    questions: &[Question],
    results: &BTreeMap<Wanted, Outcome>,
    send: &mut Send<'_>,
) -> ProxySaid {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for question in questions {
        for row in question.versions.iter().filter(|r| !r.ends_with("/go.mod")) {
            let wanted = Wanted {
                module: question.name.to_string(),
                version: row.to_string(),
            };
            if matches!(results.get(&wanted), Some(Outcome::Proven { .. })) {
                versions.entry(&question.name).or_default().insert(row);
            }
        }
    }
    let mut said = ProxySaid::default();
    let base = context.log.proxy.as_deref().filter(|_| !context.offline);
    let modules = base.map_or_else(BTreeMap::new, |base| {
        let mut asking = Asking {
            context,
            base: base.trim_end_matches('/'),
            send,
        };
        asking.modules(&versions)
    });
    for (name, versions) in &versions {
        let module = modules.get(name);
        let manifest = match module {
            Some(module) => module.newest.clone(),
            None => newest_cached(context, name),
        };
        if let Some(manifest) = manifest {
            said.authors(
                name,
                versions,
                &gomod::parse(manifest.as_bytes(), gomod::Kind::Mod),
            );
        }
        if let Some(module) = module {
            said.caches(context, name, module);
        }
    }
    said
}

impl ProxySaid {
    /// What its authors say of a module and of its versions.
    fn authors(&mut self, name: &str, versions: &BTreeSet<&str>, manifest: &GoMod) {
        for version in versions {
            let within = |low: &str, high: &str| {
                let from = Order.compare(low, version).is_some_and(|o| o.is_le());
                from && Order.compare(version, high).is_some_and(|o| o.is_le())
            };
            let mut retracted = manifest.retract.iter().map(|at| &at.value);
            if retracted.any(|r| within(&r.low, &r.high)) {
                self.retracted.insert(Wanted {
                    module: (*name).to_owned(),
                    version: (*version).to_owned(),
                });
            }
        }
        let (Some(words), Some(version)) = (&manifest.deprecated, versions.last()) else {
            return;
        };
        let words: String = words.chars().take(WORDS).collect();
        let message = format!(
            "its authors call the module deprecated: {}",
            printable(&words)
        );
        let mut finding = Finding::new(Code::Unmaintained, Place::Cache, message);
        finding.ecosystem = Some(GO);
        finding.package = Some(Arc::from(name));
        finding.version = Some(Arc::from(*version));
        self.findings.push(finding);
    }

    /// Holds the files of caches against what the proxy said of a module.
    fn caches(&mut self, context: &ProofContext<'_>, name: &str, module: &Module) {
        for (version, facts) in &module.infos {
            let Some(facts) = facts else {
                self.withdrawn.insert(Wanted {
                    module: name.to_owned(),
                    version: version.clone(),
                });
                continue;
            };
            let Some(file) = file_of(name, version, "info") else {
                continue;
            };
            for (root, dir) in context.caches {
                let held = read(*dir, &file).and_then(|bytes| Facts::of_file(&bytes, version));
                let Some((what, here, there)) = held.and_then(|held| held.differs(facts)) else {
                    continue;
                };
                let rel = format!("cache/download/{file}");
                let message = format!(
                    "`{rel}` says {what} `{}`, the proxy says `{}`; no proof of the log stands behind either",
                    printable(&here),
                    printable(&there)
                );
                self.poisoned(root.clone(), rel, name, Some(version), message);
            }
        }
        for (root, dir) in context.caches {
            let unknown = unknown(*dir, name, module);
            let Some(first) = unknown.first() else {
                continue;
            };
            let rel = format!("cache/download/{}/@v/list", escaped(name));
            let message = format!(
                "`{rel}` names {} version{} that neither lie{} beside it nor are known to the proxy, the first is `{}`; no proof of the log stands behind either",
                unknown.len(),
                if unknown.len() == 1 { "" } else { "s" },
                if unknown.len() == 1 { "s" } else { "" },
                printable(first)
            );
            self.poisoned(root.clone(), rel, name, None, message);
        }
    }

    fn poisoned(
        &mut self,
        root: crate::model::RootId,
        rel: String,
        name: &str,
        version: Option<&str>,
        message: String,
    ) {
        let mut finding = Finding::new(Code::MetadataPoisoned, Place::Cache, message);
        finding.severity = Severity::High;
        finding.package = Some(Arc::from(name));
        finding.version = version.map(Arc::from);
        self.files.push(LogFile {
            root,
            rel,
            kind: "listing",
            outcome: Fate::Tainted,
            findings: vec![finding],
            note: None,
        });
    }
}

/// A proxy that is asked.
struct Asking<'a, 'b, 'c> {
    context: &'a ProofContext<'b>,
    base: &'a str,
    send: &'a mut Send<'c>,
}

impl Asking<'_, '_, '_> {
    /// What it says of each module; nothing of those that it does not answer for.
    fn modules<'n>(
        &mut self,
        versions: &BTreeMap<&'n str, BTreeSet<&'n str>>,
    ) -> BTreeMap<&'n str, Module> {
        let mut modules: BTreeMap<&str, Module> = BTreeMap::new();
        let mut unlisted = Vec::new();
        for name in versions.keys() {
            match self.kept(name) {
                Some(module) => {
                    modules.insert(name, module);
                }
                None => unlisted.push(*name),
            }
        }
        let lists = unlisted
            .iter()
            .map(|name| format!("{}/@v/list", escaped(name)));
        let lists = self.get(lists.collect(), false);
        for (name, answer) in unlisted.into_iter().zip(lists) {
            let Some(Some(body)) = answer else { continue };
            let text = String::from_utf8_lossy(&body);
            let listed = text.lines().filter_map(|l| l.split_whitespace().next());
            let module = Module {
                at: self.context.now,
                listed: listed.map(ToOwned::to_owned).collect(),
                ..Module::default()
            };
            modules.insert(name, module);
        }
        self.manifests(&mut modules);
        self.infos(versions, &mut modules);
        for (name, module) in &modules {
            if let Ok(bytes) = serde_json::to_vec(module) {
                self.context.kept.put_blob(&self.memory_name(name), &bytes);
            }
        }
        modules
    }

    /// Asks for the newest `go.mod` of each module.
    fn manifests(&mut self, modules: &mut BTreeMap<&str, Module>) {
        let wanted: Vec<(&str, String)> = modules
            .iter()
            .filter(|(_, module)| module.newest.is_none())
            .filter_map(|(name, module)| {
                let newest = newest(module.listed.iter().map(String::as_str))?;
                Some((*name, file_of(name, newest, "mod")?))
            })
            .collect();
        let answers = self.get(wanted.iter().map(|(_, file)| file.clone()).collect(), false);
        for ((name, _), answer) in wanted.into_iter().zip(answers) {
            if let (Some(module), Some(Some(body))) = (modules.get_mut(name), answer) {
                module.newest = String::from_utf8(body).ok();
            }
        }
    }

    /// Asks what each version is; what is not served is asked for once more, past caches on the way.
    fn infos(
        &mut self,
        versions: &BTreeMap<&str, BTreeSet<&str>>,
        modules: &mut BTreeMap<&str, Module>,
    ) {
        let mut open: Vec<(&str, &str)> = Vec::new();
        for (name, module) in modules.iter() {
            let of = versions.get(name).into_iter().flatten();
            let new = of.filter(|v| !module.infos.contains_key(**v));
            open.extend(new.map(|version| (*name, *version)));
        }
        for fresh in [false, true] {
            let files = |kind: &str| -> Vec<String> {
                let names = open
                    .iter()
                    .map(|(n, v)| file_of(n, v, kind).unwrap_or_default());
                names.collect()
            };
            let infos = self.get(files("info"), fresh);
            // Gone is what neither its description nor its manifest is served of.
            let others = if fresh {
                self.get(files("mod"), true)
            } else {
                Vec::new()
            };
            let mut missing = Vec::new();
            for (at, ((name, version), answer)) in open.iter().zip(infos).enumerate() {
                let Some(module) = modules.get_mut(name) else {
                    continue;
                };
                match answer {
                    Some(Some(body)) => {
                        if let Some(facts) = Facts::of_file(&body, version) {
                            module.infos.insert((*version).to_owned(), Some(facts));
                        }
                    }
                    Some(None) if !fresh => missing.push((*name, *version)),
                    Some(None) if matches!(others.get(at), Some(Some(None))) => {
                        module.infos.insert((*version).to_owned(), None);
                    }
                    _ => {}
                }
            }
            open = missing;
        }
    }

    /// Bodies by file: nothing without an answer, an empty answer where there is no such file.
    fn get(&mut self, files: Vec<String>, fresh: bool) -> Vec<Option<Option<Vec<u8>>>> {
        if files.is_empty() {
            return Vec::new();
        }
        let request = |file: String| {
            let mut get = Request::get(format!("{}/{file}", self.base), LARGEST);
            get.fresh = fresh;
            get
        };
        let requests = files.into_iter().map(request).collect();
        let body = |answer: Result<Response, Reason>| match answer {
            Ok(response) if response.status == 200 => Some(Some(response.body)),
            Ok(response) if matches!(response.status, 404 | 410) => Some(None),
            _ => None,
        };
        (self.send)(requests).into_iter().map(body).collect()
    }

    /// What it said within the last day.
    fn kept(&self, name: &str) -> Option<Module> {
        let bytes = self.context.kept.blob(&self.memory_name(name))?;
        let module: Module = serde_json::from_slice(&bytes).ok()?;
        let age = self.context.now - module.at;
        // What was gone may have come back.
        let whole = module.infos.values().all(Option::is_some);
        (whole && (0..DAY).contains(&age)).then_some(module)
    }

    fn memory_name(&self, name: &str) -> String {
        format!("proxy-said/{}/{name}", self.base)
    }
}

/// The newest of these versions, as Go chooses it to read what was taken back: releases first.
fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let rank = |version: &str| {
        Parts::of(version).map(|parts| (parts.build.is_empty(), parts.prerelease.is_empty()))
    };
    versions
        .filter(|version| rank(version).is_some())
        .max_by(|a, b| {
            let order = Order.compare(a, b).unwrap_or(std::cmp::Ordering::Equal);
            rank(a).cmp(&rank(b)).then(order)
        })
}

/// The newest `go.mod` that a cache holds of a module.
fn newest_cached(context: &ProofContext<'_>, name: &str) -> Option<String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for (_, dir) in context.caches {
        let folder = format!("cache/download/{}/@v", escaped(name));
        let parts: Vec<&OsStr> = folder.split('/').map(OsStr::new).collect();
        let Ok(folder) = dir.descend(&parts) else {
            continue;
        };
        for entry in folder.list().unwrap_or_default() {
            let version = entry
                .name
                .to_str()
                .and_then(|name| name.strip_suffix(".mod"));
            let version = version.and_then(|version| unescape_version(version).ok());
            let text = version.and_then(|version| {
                let (bytes, _) = folder.read(&entry.name, LARGEST).ok()?;
                Some((version, String::from_utf8(bytes).ok()?))
            });
            found.extend(text);
        }
    }
    let newest = newest(found.keys().map(String::as_str))?.to_owned();
    found.remove(&newest)
}

/// Versions of a cached `list` that are neither listed by the proxy nor have a `.mod` file beside the list.
fn unknown(dir: &dyn crate::world::Dir, name: &str, module: &Module) -> Vec<String> {
    let Some(bytes) = read(dir, &format!("{}/@v/list", escaped(name))) else {
        return Vec::new();
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Vec::new();
    };
    if text.contains('\0') {
        return Vec::new();
    }
    let listed: BTreeSet<&str> = module.listed.iter().map(String::as_str).collect();
    let beside = |version: &str| {
        file_of(name, version, "mod").is_some_and(|file| read(dir, &file).is_some())
    };
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|version| !listed.contains(version) && !beside(version))
        .map(ToOwned::to_owned)
        .collect()
}

fn escaped(name: &str) -> String {
    escape_path(name).unwrap_or_default()
}

/// Path of a version's file below a proxy's address and below `cache/download`.
fn file_of(name: &str, version: &str, kind: &str) -> Option<String> {
    let (path, version) = (escape_path(name).ok()?, escape_version(version).ok()?);
    Some(format!("{path}/@v/{version}.{kind}"))
}

fn read(dir: &dyn crate::world::Dir, file: &str) -> Option<Vec<u8>> {
    let mut parts = vec![OsStr::new("cache"), OsStr::new("download")];
    parts.extend(file.split('/').map(OsStr::new));
    let name = parts.pop()?;
    Some(dir.descend(&parts).ok()?.read(name, LARGEST).ok()?.0)
}
