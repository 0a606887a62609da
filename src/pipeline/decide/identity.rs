//! Names findings so that the same cause has the same id on every machine, links causes, adds chains, sorts.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::model::digest::hex;
use crate::model::shell;
use crate::model::{Class, Code, Finding, Place, RootId};
use crate::pipeline::flow::Inventory;
use crate::pipeline::graph::Graph;

use super::Case;

/// Gives every finding without one its id and its absolute path.
pub(super) fn name(findings: &mut [Finding], inventory: &Inventory) {
    let paths: BTreeMap<&RootId, &str> = inventory
        .roots
        .iter()
        .map(|r| (&r.info.id, r.info.path.as_str()))
        .collect();
    for finding in findings.iter_mut().filter(|f| f.id.is_empty()) {
        place(finding, |root| paths.get(root).copied());
    }
}

/// Gives a finding its id and its absolute path.
pub(super) fn place<'p>(finding: &mut Finding, path_of: impl Fn(&RootId) -> Option<&'p str>) {
    finding.id = id(finding);
    if finding.path.is_none()
        && let (Some(root), Some(rel)) = (&finding.root, &finding.rel)
        && let Some(base) = path_of(root)
    {
        finding.path = Some(if rel.is_empty() {
            base.to_owned()
        } else {
            format!("{base}/{rel}")
        });
    }
}

/// The plainest way back to good bytes: what lies in a cache may always go, its tool fetches it anew.
pub(super) fn remedies(findings: &mut [Finding], inventory: &Inventory) {
    for finding in findings.iter_mut().filter(|f| f.remedy.is_none()) {
        let in_cache = finding.place == Place::Cache && finding.class() == Class::Integrity;
        let (Some(path), true) = (&finding.path, in_cache) else {
            continue;
        };
        let bytes = if finding.path_escaped {
            shell::unescape(path)
        } else {
            path.as_bytes().to_vec()
        };
        let refetch = inventory
            .units
            .iter()
            .find(|u| Some(u.ecosystem.facts().id) == finding.ecosystem)
            .and_then(|u| u.ecosystem.refetch_command());
        let then = refetch.map_or_else(String::new, |command| format!(" && {command}"));
        finding.remedy = Some(format!("rm -r -- {}{then}", shell::quote(&bytes)));
    }
}

/// `f-` and 16 hex of SHA-256 over code, ecosystem, normalised name, version, artifact, place, entry or advisory, observed.
fn id(finding: &Finding) -> String {
    let mut hasher = Sha256::new();
    let mut field = |text: &str| {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    field(finding.code.as_str());
    field(finding.ecosystem.map_or("", |e| e.as_str()));
    let name = finding
        .package
        .as_deref()
        .unwrap_or_default()
        .to_lowercase()
        .replace('_', "-");
    field(&name);
    field(finding.version.as_deref().unwrap_or_default());
    field(finding.artifact.as_deref().unwrap_or_default());
    field(finding.place.as_str());
    match (&finding.advisory, finding.entries.first()) {
        (Some(advisory), _) => field(&advisory.id),
        (None, Some(entry)) => field(&entry.path),
        (None, None) => {
            field(finding.location.as_ref().map_or("", |l| l.file.as_str()));
            // Settings and places have no package: what is said of them is the cause.
            if finding.package.is_none() {
                field(&finding.message);
            }
        }
    }
    field(&finding.observed.map(|d| d.to_string()).unwrap_or_default());
    let digest: [u8; 32] = hasher.finalize().into();
    format!("f-{}", hex(digest.get(..8).unwrap_or_default()))
}

/// An archive in one root: package, version, root.
type Held = (Option<Arc<str>>, Option<Arc<str>>, Option<RootId>);

/// What follows from a tampered archive names that archive's finding.
pub(super) fn causes(findings: &mut [Finding]) {
    let archives: BTreeMap<Held, String> = findings
        .iter()
        .filter(|f| {
            matches!(
                f.code,
                Code::ArchiveTampered | Code::EntryMisbound | Code::NeverPublished
            )
        })
        .filter(|f| {
            f.rel
                .as_deref()
                .is_some_and(|rel| rel.ends_with(".crate") || rel.ends_with(".zip"))
        })
        .map(|f| {
            (
                (f.package.clone(), f.version.clone(), f.root.clone()),
                f.id.clone(),
            )
        })
        .collect();
    for finding in findings.iter_mut() {
        let key = (
            finding.package.clone(),
            finding.version.clone(),
            finding.root.clone(),
        );
        let follows = matches!(
            finding.code,
            Code::TreeModified
                | Code::TreeMissingFile
                | Code::TreeExtraFile
                | Code::TreeIrregularFile
                | Code::SidecarForged
                | Code::NeverPublished
                | Code::FirstSeenChanged
        );
        if follows
            && let Some(cause) = archives.get(&key)
            && *cause != finding.id
        {
            finding.caused_by = Some(cause.clone());
        }
    }
}

/// Adds the shortest chains from the roots of the lockfiles.
pub(super) fn chains(case: &Case<'_>, findings: &mut [Finding]) {
    let graphs: Vec<Graph> = case.inventory.locks.iter().map(Graph::of).collect();
    for finding in findings.iter_mut() {
        let (Some(name), Some(version)) = (finding.package.clone(), finding.version.clone()) else {
            continue;
        };
        if finding.class() == Class::Place || !finding.why.is_empty() {
            continue;
        }
        finding.why = graphs
            .iter()
            .flat_map(|g| g.chains(&name, &version))
            .take(3)
            .collect();
    }
}

/// Sorts as the contract says, worst first.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| {
            (
                std::cmp::Reverse(f.severity),
                f.class().as_str(),
                f.code.as_str(),
                f.ecosystem,
                f.package.clone(),
                f.version.clone(),
                f.artifact.clone(),
                f.place.as_str(),
                f.root.clone(),
                f.rel.clone(),
                f.id.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Place;

    fn finding(code: Code, version: &str, rel: &str) -> Finding {
        let mut finding = Finding::new(code, Place::Cache, String::new());
        finding.package = Some(Arc::from("p"));
        finding.version = Some(Arc::from(version));
        finding.rel = Some(rel.to_owned());
        finding.root = Some(RootId::new("cache"));
        finding.id = format!("f-{code:?}-{version}");
        finding
    }

    #[test]
    fn what_follows_from_a_tampered_archive_names_it() {
        let mut findings = vec![
            finding(Code::ArchiveTampered, "1", "p/1.zip"),
            finding(Code::FirstSeenChanged, "1", "p/1.zip"),
            finding(Code::TreeModified, "1", "p@1"),
            // Of another version, it stands alone; and alone it is no consequence.
            finding(Code::FirstSeenChanged, "2", "p/2.zip"),
            finding(Code::Vulnerable, "1", "p/1.zip"),
        ];
        causes(&mut findings);
        let caused: Vec<Option<&str>> = findings.iter().map(|f| f.caused_by.as_deref()).collect();
        let cause = Some("f-ArchiveTampered-1");
        assert_eq!(caused, [None, cause, cause, None, None]);
    }
}
