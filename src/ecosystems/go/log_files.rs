//! What is said of each file of log data in a cache: a signed head commits to it, or something in it is false.
//!
//! A record that the cached tiles cannot prove is held against what was proven of the same version by other means. Files
//! that nobody asked about and that no head at hand commits to are not used for anything, and nothing is said of them.

use std::collections::BTreeMap;

use crate::ecosystems::proof::LogFile;
use crate::model::{Assurance, Outcome as Fate, RootId};

use crate::tlog::{Error, Forgery, Lookup, RecordForgery, Resource, Wanted};

use super::log::Outcome;
use super::log_audit::{Accused, Genuine, rel_of};
use super::log_place::LogFolder;

const PROVEN: Fate = Fate::Verified(Assurance::Authenticated);

/// One row for each file that was used or found false, sorted.
pub(super) fn judge(
    folders: &[LogFolder<'_>],
    results: &BTreeMap<Wanted, Outcome>,
    genuine: &Genuine,
    accused: &mut Accused,
) -> Vec<LogFile> {
    let mut fates: BTreeMap<(RootId, String), Fate> = BTreeMap::new();
    for folder in folders {
        for (wanted, outcome) in results {
            let Some(rel) = rel_of(folder, wanted) else {
                continue;
            };
            let key = (folder.root.clone(), rel);
            if genuine.contains(&key) {
                fates.insert(key, PROVEN);
            } else if let Some((_, bytes)) = folder.offer(&Resource::Lookup(wanted.clone()))
                && let Some(error) = compare(&bytes, wanted, outcome)
            {
                match error {
                    Ok(()) => {
                        fates.insert(key, PROVEN);
                    }
                    Err(error) => accused.add(&error, std::slice::from_ref(folder)),
                }
            }
        }
    }
    for key in genuine.iter().filter(|(_, rel)| rel.contains("/tile/")) {
        fates.insert(key.clone(), PROVEN);
    }
    for key in accused.files() {
        fates.insert(key, Fate::Tainted);
    }
    let mut files = Vec::new();
    for ((root, rel), outcome) in fates {
        files.push(LogFile {
            kind: if rel.contains("/tile/") {
                "log-tile"
            } else {
                "log-record"
            },
            findings: accused.take(&root, &rel),
            root,
            rel,
            outcome,
        });
    }
    files
}

/// Holds a cached record against what was proven of the version; `None` if that says nothing.
fn compare(bytes: &[u8], wanted: &Wanted, outcome: &Outcome) -> Option<Result<(), Error>> {
    let Outcome::Proven { record, .. } = outcome else {
        return None;
    };
    match Lookup::parse(bytes, wanted) {
        Ok(lookup) if (lookup.id(), lookup.leaf()) == *record => Some(Ok(())),
        Ok(_) => Some(Err(Error::forged(Forgery::Record {
            module: wanted.module.clone(),
            version: wanted.version.clone(),
            why: RecordForgery::NotInTree,
            answer: bytes.to_vec(),
        }))),
        Err(error @ Error::Forged(_)) => Some(Err(error)),
        Err(_) => None,
    }
}
