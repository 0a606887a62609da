//! Judges the log data that a cache holds with nothing but the log's key, and says what is false in it.
//!
//! Every look-up is proven from the cached tiles, under the heads that came with look-ups, and those heads are held against one
//! another as far as the tiles reach. What cannot be proven for want of tiles is no finding; what contradicts a signed head is,
//! with the rules that the bypasses of 2026 taught (GO-2026-4984, -6179, -6180; see `tlog`). What is not of the form is a
//! problem. The tiles are judged in `log_tiles`.

use std::collections::{BTreeMap, BTreeSet};

use crate::ecosystems::proof::LogRoot;
use crate::model::text::printable;
use crate::model::{Code, Finding, Place, Problem, RootId};
use crate::tlog::error::Forgery;
use crate::tlog::{Batch, Error, Got, Options, Port, Request, Resource, SignedHead, Wanted, drive};

use super::GO;
use super::log_heads;
use super::log_place::{LogFolder, looked_up, name};

/// Records of one batch: what proves them is held at once, 30 KiB and more for each.
const BATCH: usize = 200;

/// What was found false, by code, root and path.
#[derive(Default)]
pub(super) struct Accused {
    found: BTreeMap<(Code, Option<RootId>, String), Finding>,
}

impl Accused {
    /// Takes evidence. It is laid to the cache that offers what it is about, or to who answered.
    pub(super) fn add(&mut self, error: &Error, folders: &[LogFolder<'_>]) {
        for (code, resource) in subjects(error) {
            let held = resource.as_ref().and_then(|resource| {
                folders
                    .iter()
                    .find_map(|folder| Some((folder, folder.offer(resource)?.0)))
            });
            let file = resource.as_ref().and_then(name).unwrap_or_default();
            let wanted = match resource {
                Some(Resource::Lookup(wanted)) => Some(wanted),
                _ => None,
            };
            match held {
                Some((folder, file)) => {
                    let rel = folder.below_root(&file);
                    let root = Some(folder.root.clone());
                    self.put(code, root, rel, &error.to_string(), wanted);
                }
                None => self.put(code, None, key_of(error, file), &told(error), wanted),
            }
        }
    }

    /// Says something of a file of log data.
    pub(super) fn say(&mut self, code: Code, folder: &LogFolder<'_>, file: &str, message: &str) {
        let rel = folder.below_root(file);
        let text = format!("`{rel}`: {message}");
        self.put(code, Some(folder.root.clone()), rel, &text, None);
    }

    /// Says something of a head that the tool keeps.
    pub(super) fn say_of_head(&mut self, code: Code, root: RootId, rel: String, message: &str) {
        let text = format!("`{rel}`: {message}");
        self.put(code, Some(root), rel, &text, None);
    }

    fn put(
        &mut self,
        code: Code,
        root: Option<RootId>,
        rel: String,
        message: &str,
        wanted: Option<Wanted>,
    ) {
        let key = (code, root.clone(), rel.clone());
        self.found.entry(key).or_insert_with(|| {
            let mut finding = Finding::new(code, Place::Cache, printable(message));
            finding.ecosystem = Some(GO);
            if root.is_some() {
                finding.rel = Some(rel);
            }
            finding.root = root;
            if let Some(wanted) = wanted {
                finding.package = Some(wanted.module.into());
                finding.version = Some(wanted.version.into());
            }
            finding
        });
    }

    /// What was said of a file, which is thereby taken out.
    pub(super) fn take(&mut self, root: &RootId, rel: &str) -> Vec<Finding> {
        let of_file =
            |key: &(Code, Option<RootId>, String)| key.1.as_ref() == Some(root) && key.2 == rel;
        let keys: Vec<_> = self.found.keys().filter(|k| of_file(k)).cloned().collect();
        keys.iter()
            .filter_map(|key| self.found.remove(key))
            .collect()
    }

    /// The findings, in a fixed order.
    pub(super) fn findings(self) -> impl Iterator<Item = Finding> {
        self.found.into_values()
    }
}

/// What is said of something that lies in no cache. Of a fork it is the whole evidence: both notes, and a proof that stands
/// alone.
fn told(error: &Error) -> String {
    match error {
        Error::Forked(evidence) => format!("{error}; evidence:\n{}", evidence.text()),
        _ => format!("an answer over the network: {error}"),
    }
}

/// What tells apart what lies in no cache: each fork is one of its own.
fn key_of(error: &Error, file: String) -> String {
    match error {
        Error::Forked(_) => error.to_string(),
        _ => file,
    }
}

/// Files whose content a signed head commits to, by cache and path below it.
pub(super) type Genuine = BTreeSet<(RootId, String)>;

/// What evidence is about.
fn subjects(error: &Error) -> Vec<(Code, Option<Resource>)> {
    match error {
        Error::Forked(_) => vec![(Code::LogForked, None)],
        Error::Forged(forgery) => match forgery.as_ref() {
            Forgery::Record {
                module, version, ..
            } => {
                let wanted = Wanted {
                    module: module.clone(),
                    version: version.clone(),
                };
                vec![(Code::LogRecordForged, Some(Resource::Lookup(wanted)))]
            }
            Forgery::Tile { tile, .. } => vec![(Code::LogTileForged, Some(Resource::Tile(*tile)))],
            Forgery::Edge { tiles, .. } => tiles
                .iter()
                .map(|(tile, _)| (Code::LogTileForged, Some(Resource::Tile(*tile))))
                .collect(),
            Forgery::Note { .. } => vec![(Code::LogRecordForged, None)],
        },
        Error::Unverifiable(_) | Error::Malformed { .. } => Vec::new(),
    }
}

/// A cache alone.
struct Alone<'a, 'b>(&'a LogFolder<'b>);

impl Port for Alone<'_, '_> {
    fn read(&mut self, request: &Request) -> Got {
        if request.fresh {
            return Got::Unavailable("only the cache is asked".to_owned());
        }
        match self.0.offer(&request.resource) {
            Some((_, bytes)) => Got::Bytes(bytes),
            None => Got::Unavailable("the cache does not hold it".to_owned()),
        }
    }
}

/// What the look-ups of one cache prove by themselves.
#[derive(Default)]
pub(super) struct Audited {
    /// Look-ups that are proven.
    pub(super) genuine: Genuine,
    /// Every signed head that was met.
    pub(super) heads: Vec<SignedHead>,
}

/// Judges the look-ups of one cache.
pub(super) fn audit(
    folder: &LogFolder<'_>,
    log: &LogRoot,
    accused: &mut Accused,
    problems: &mut Vec<Problem>,
) -> Audited {
    let mut audited = Audited::default();
    let options = Options {
        ask_latest: false,
        check_heads: true,
        older_heads: true,
    };
    let lookups: Vec<Wanted> = folder
        .listed("lookup")
        .files
        .iter()
        .filter_map(|file| looked_up(file))
        .collect();
    for part in lookups.chunks(BATCH) {
        let claimed = log_heads::of_this_key(log);
        let keys = vec![log.key.clone()];
        let mut batch = Batch::new(keys, None, claimed, part.to_vec(), options);
        let report = drive(&mut batch, &mut Alone(folder));
        for error in report.evidence.iter().filter(|error| !is_of_tiles(error)) {
            if !is_of_note(error) {
                accused.add(error, std::slice::from_ref(folder));
            }
        }
        let claimed = report.claimed.into_iter().filter_map(|c| c.status.ok());
        let heads = report.heads.into_iter().chain(claimed).map(|h| h.head);
        audited.heads.extend(report.newest.into_iter().chain(heads));
        for (wanted, result) in &report.records {
            let rel = rel_of(folder, wanted);
            match (result, rel) {
                (Ok(_), Some(rel)) => {
                    audited.genuine.insert((folder.root.clone(), rel));
                }
                // A note that no key of the log signed says nothing of which record it came with; the record does.
                (Err(error), Some(rel)) if is_of_note(error) => {
                    let root = Some(folder.root.clone());
                    let code = Code::LogRecordForged;
                    accused.put(code, root, rel, &error.to_string(), Some(wanted.clone()));
                }
                (Err(Error::Malformed { .. }), _) => {
                    let file = name(&Resource::Lookup(wanted.clone())).unwrap_or_default();
                    problems.push(Problem::partial(
                        folder.shown(&file),
                        "is no answer of the log; remove it, and Go will ask again",
                    ));
                }
                _ => {}
            }
        }
    }
    audited
}

/// Whether evidence is about tiles: those of caches are judged one by one.
fn is_of_tiles(error: &Error) -> bool {
    matches!(error, Error::Forged(forgery)
        if matches!(**forgery, Forgery::Tile { .. } | Forgery::Edge { .. }))
}

fn is_of_note(error: &Error) -> bool {
    matches!(error, Error::Forged(forgery) if matches!(**forgery, Forgery::Note { .. }))
}

/// Path of a record's file below its cache.
pub(super) fn rel_of(folder: &LogFolder<'_>, wanted: &Wanted) -> Option<String> {
    Some(folder.below_root(&name(&Resource::Lookup(wanted.clone()))?))
}
