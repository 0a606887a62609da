//! Judges the log data that a cache holds with nothing but the log's key, and says what is false in it.
//!
//! Every look-up is proven from the cached tiles, under the heads that came with look-ups. What cannot be proven for want of
//! tiles is no finding; what contradicts a signed head is, with the rules that the bypasses of 2026 taught (GO-2026-4984,
//! -6179, -6180; see `tlog`). Empty files were never written; what is not of the form is a problem.

use std::collections::{BTreeMap, BTreeSet};

use crate::ecosystems::proof::LogRoot;
use crate::model::text::printable;
use crate::model::{Code, Finding, Place, Problem, RootId};
use crate::tlog::error::Forgery;
use crate::tlog::{Batch, Error, Got, Options, Port, Request, Resource, Tile, Wanted, drive};

use super::GO;
use super::log_place::{LogFolder, looked_up, name};

/// Records of one batch.
const BATCH: usize = 1000;

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
                    let rel = format!("{}/{file}", folder.rel.display());
                    self.put(code, Some(folder.root.clone()), rel, error, wanted);
                }
                None => self.put(code, None, file, error, wanted),
            }
        }
    }

    fn put(
        &mut self,
        code: Code,
        root: Option<RootId>,
        rel: String,
        error: &Error,
        wanted: Option<Wanted>,
    ) {
        let key = (code, root.clone(), rel.clone());
        self.found.entry(key).or_insert_with(|| {
            let mut finding = Finding::new(code, Place::Cache, printable(&error.to_string()));
            finding.ecosystem = Some(GO);
            if root.is_some() {
                finding.rel = Some(rel);
            } else {
                finding.message = format!("an answer over the network: {}", finding.message);
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

    /// Every file that something was said of.
    pub(super) fn files(&self) -> BTreeSet<(RootId, String)> {
        let keys = self.found.keys();
        keys.filter_map(|(_, root, rel)| Some((root.clone()?, rel.clone())))
            .collect()
    }

    /// The findings, in a fixed order.
    pub(super) fn findings(self) -> impl Iterator<Item = Finding> {
        self.found.into_values()
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

/// Judges the log data of one cache.
pub(super) fn audit(
    folder: &LogFolder<'_>,
    log: &LogRoot,
    accused: &mut Accused,
    problems: &mut Vec<Problem>,
) -> Genuine {
    let mut proven = Genuine::new();
    let options = Options {
        ask_latest: false,
        check_heads: false,
        older_heads: true,
    };
    let lookups: Vec<Wanted> = folder
        .files("lookup")
        .iter()
        .filter_map(|file| looked_up(file))
        .collect();
    let mut authentic: BTreeMap<(u8, u64), (Tile, Vec<u8>)> = BTreeMap::new();
    for part in lookups.chunks(BATCH) {
        let mut batch = Batch::new(
            vec![log.key.clone()],
            None,
            log.claimed.clone(),
            part.to_vec(),
            options,
        );
        let report = drive(&mut batch, &mut Alone(folder));
        for error in &report.evidence {
            accused.add(error, std::slice::from_ref(folder));
        }
        for (wanted, result) in &report.records {
            if let (Ok(_), Some(rel)) = (result, rel_of(folder, wanted)) {
                proven.insert((folder.root.clone(), rel));
            }
            // A note that no key of the log signed says nothing of which record it came with; the record does.
            if let Err(error @ Error::Forged(forgery)) = result
                && matches!(**forgery, Forgery::Note { .. })
            {
                let rel = rel_of(folder, wanted).unwrap_or_default();
                accused.put(
                    Code::LogRecordForged,
                    Some(folder.root.clone()),
                    rel,
                    error,
                    Some(wanted.clone()),
                );
            }
            if let Err(Error::Malformed { .. }) = result {
                let rel = name(&Resource::Lookup(wanted.clone())).unwrap_or_default();
                let at = folder.path.join(&folder.rel).join(rel);
                problems.push(Problem::partial(
                    printable(&at.display().to_string()),
                    "is no answer of the log; remove it, and Go will ask again",
                ));
            }
        }
        for (tile, bytes) in report.tiles {
            let best = authentic
                .entry((tile.level(), tile.index()))
                .or_insert_with(|| (tile, bytes.clone()));
            if best.0.width() < tile.width() {
                *best = (tile, bytes);
            }
        }
    }
    tiles(folder, &authentic, accused, problems, &mut proven);
    proven
}

/// Path of a record's file below its cache.
pub(super) fn rel_of(folder: &LogFolder<'_>, wanted: &Wanted) -> Option<String> {
    let file = name(&Resource::Lookup(wanted.clone()))?;
    Some(format!("{}/{file}", folder.rel.display()))
}

/// Holds every tile file against the tile that a signed head commits to, as far as that is known.
fn tiles(
    folder: &LogFolder<'_>,
    authentic: &BTreeMap<(u8, u64), (Tile, Vec<u8>)>,
    accused: &mut Accused,
    problems: &mut Vec<Problem>,
    proven: &mut Genuine,
) {
    for file in folder.files("tile") {
        let Some(tile) = Tile::parse_path(&file) else {
            continue;
        };
        let Some(bytes) = folder.read(&file) else {
            continue;
        };
        let rel = format!("{}/{file}", folder.rel.display());
        if bytes.len() != usize::from(tile.width()) * 32 {
            let at = folder.path.join(&rel);
            problems.push(Problem::partial(
                printable(&at.display().to_string()),
                "is no whole tile of the log; remove it, and Go will ask again",
            ));
            continue;
        }
        let Some((_, genuine)) = authentic.get(&(tile.level(), tile.index())) else {
            continue;
        };
        let common = genuine.len().min(bytes.len());
        if genuine.get(..common) == bytes.get(..common) {
            // What lies behind the hashes that a head commits to was not compared.
            if common == bytes.len() {
                proven.insert((folder.root.clone(), rel));
            }
        } else {
            let error = Error::malformed("log tile", "it differs from the one that the log signed");
            accused.put(
                Code::LogTileForged,
                Some(folder.root.clone()),
                rel,
                &error,
                None,
            );
        }
    }
}
