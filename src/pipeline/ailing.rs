//! What a scan hands to healing: the subjects that are not well, with what is known of them.
//!
//! Made from checks, rows and findings of one run; holds no judgement of its own.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::ecosystems::contract::{Ecosystem, Healer};
use crate::model::report::CheckRow;
use crate::model::{
    ArtifactId, Code, Coordinate, Digest, EcosystemId, Finding, Outcome, Place, RootId, text,
};
use crate::pipeline::flow::{Check, Inventory, Recent};
use crate::pipeline::knowledge::Sage;
use crate::pipeline::truth;

/// A subject that is not well.
#[derive(Clone)]
pub struct Ailing {
    /// Whose.
    pub ecosystem: EcosystemId,
    /// How its places are repaired; `None` if nobody can yet.
    pub healer: Option<&'static dyn Healer>,
    /// Root it lies in, by position.
    pub root: usize,
    /// Kind of the subject (`archive`, `tree`, `listing`).
    pub kind: &'static str,
    /// Path below the root.
    pub rel: PathBuf,
    /// Kind of place.
    pub place: Place,
    /// Package version, if bound.
    pub coordinate: Option<Arc<Coordinate>>,
    /// Its artifact, if bound.
    pub artifact: Option<Arc<ArtifactId>>,
    /// What became of it.
    pub outcome: Outcome,
    /// What its bytes hash to.
    pub observed: Option<Digest>,
    /// What a trusted claim says that its artifact must hash to.
    pub must: Option<Digest>,
    /// Whether somebody outside the cache, worth *published* or more, says that it is wrong.
    pub trusted: bool,
    /// Whether what was published under this name is itself the harm: nothing good can be fetched.
    pub unwanted: bool,
    /// What was found at it; empty if all of it is waived.
    pub findings: Vec<Finding>,
    /// Lockfiles that name it, as shown.
    pub named_by: Vec<String>,
}

/// A root, as healing needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Its name in reports.
    pub id: RootId,
    /// Its path, links resolved.
    pub path: PathBuf,
    /// Whether it holds what was built from the rest.
    pub build: bool,
}

/// Everything that healing is handed by a scan.
#[derive(Default, Clone)]
pub struct Aftermath {
    /// Roots, by position.
    pub grounds: Vec<Ground>,
    /// What is not well, in the order of the checks.
    pub ailing: Vec<Ailing>,
    /// Everything that was found and is not waived.
    pub findings: Vec<Finding>,
}

/// Collects what is not well.
pub fn collect(
    inventory: &Inventory,
    checks: &[Check],
    rows: &[CheckRow],
    findings: &[Finding],
    sage: &Sage<'_>,
) -> Aftermath {
    let mut by_row: BTreeMap<(&RootId, &str, &str), &CheckRow> = BTreeMap::new();
    for row in rows {
        by_row.insert((&row.root, &row.rel, row.kind), row);
    }
    let mut by_place: BTreeMap<(&RootId, &str), Vec<&Finding>> = BTreeMap::new();
    let mut by_package: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        if let (Some(root), Some(rel)) = (&finding.root, &finding.rel) {
            by_place.entry((root, rel)).or_default().push(finding);
        }
        if finding.code == Code::Malicious
            && let (Some(name), Some(version)) = (&finding.package, &finding.version)
        {
            by_package.entry((name, version)).or_default().push(finding);
        }
    }
    let mut aftermath = Aftermath {
        grounds: grounds(inventory),
        findings: findings
            .iter()
            .filter(|f| f.waived.is_none())
            .cloned()
            .collect(),
        ..Aftermath::default()
    };
    for check in checks {
        let subject = &check.subject;
        let Some(root) = inventory.roots.get(subject.root) else {
            continue;
        };
        let (rel, _) = text::percent(subject.rel.as_os_str().as_bytes());
        let Some(row) = by_row.get(&(&root.info.id, &*rel, subject.kind)) else {
            continue;
        };
        let own = by_place.get(&(&root.info.id, &*rel)).cloned();
        let mut own: Vec<Finding> = own.unwrap_or_default().into_iter().cloned().collect();
        let malicious = subject.coordinate.as_ref().and_then(|c| {
            by_package
                .get(&(&*c.name, &*c.version))
                .filter(|_| subject.place == Place::Cache)
        });
        own.extend(malicious.into_iter().flatten().map(|f| (*f).clone()));
        let well = matches!(row.outcome, Outcome::Verified(_)) && malicious.is_none();
        // Of a lockfile nothing is moved: what is found in it is among the findings.
        if well || subject.place == Place::Lockfile {
            continue;
        }
        own.retain(|f| f.waived.is_none());
        let ecosystem = ecosystem(inventory, subject.ecosystem);
        let knowledge = subject.coordinate.as_ref().map(|c| {
            sage.knowledge(
                c,
                subject.artifact.as_deref().unwrap_or_default(),
                &Recent::new(),
            )
        });
        let claims = knowledge.map(|k| k.claims).unwrap_or_default();
        let trusted = truth::trusted_digests(&claims);
        let gone = own.iter().any(|f| f.code == Code::NeverPublished);
        let artifact = subject
            .coordinate
            .as_ref()
            .zip(subject.artifact.as_ref())
            .map(|(coordinate, file)| {
                Arc::new(ArtifactId {
                    coordinate: (**coordinate).clone(),
                    file: Arc::clone(file),
                })
            });
        let one = (trusted.len() == 1)
            .then(|| trusted.first().copied())
            .flatten();
        aftermath.ailing.push(Ailing {
            ecosystem: subject.ecosystem,
            healer: ecosystem.and_then(|e| e.healer()),
            root: subject.root,
            kind: subject.kind,
            rel: subject.rel.clone(),
            place: subject.place,
            named_by: named_by(inventory, subject.coordinate.as_deref()),
            coordinate: subject.coordinate.clone(),
            artifact,
            outcome: row.outcome,
            observed: row.observed,
            must: one.filter(|_| !gone && malicious.is_none()),
            // A listing is held against nothing but the registry's own answer.
            trusted: !trusted.is_empty()
                || subject.kind == "listing"
                || gone
                || own.iter().any(|f| by_log(f.code)),
            unwanted: gone || malicious.is_some(),
            findings: own,
        });
    }
    aftermath
}

/// What the log itself denies.
const fn by_log(code: Code) -> bool {
    matches!(code, Code::LogRecordForged | Code::LogTileForged)
}

fn grounds(inventory: &Inventory) -> Vec<Ground> {
    let built = |at: usize| {
        inventory
            .units
            .iter()
            .any(|u| u.root == at && u.unit.place == Place::Build)
    };
    inventory
        .roots
        .iter()
        .enumerate()
        .map(|(at, root)| Ground {
            id: root.info.id.clone(),
            path: root.path.clone(),
            build: built(at),
        })
        .collect()
}

fn ecosystem(inventory: &Inventory, id: EcosystemId) -> Option<&'static dyn Ecosystem> {
    inventory
        .units
        .iter()
        .map(|u| u.ecosystem)
        .find(|e| e.facts().id == id)
}

fn named_by(inventory: &Inventory, coordinate: Option<&Coordinate>) -> Vec<String> {
    let Some(coordinate) = coordinate else {
        return Vec::new();
    };
    let mut found: Vec<String> = inventory
        .locks
        .iter()
        .filter(|lock| lock.packages.iter().any(|p| *p.coordinate == *coordinate))
        .filter_map(|lock| {
            let root = inventory.roots.get(lock.root)?;
            Some(root.path.join(&lock.rel).display().to_string())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}
