//! One component of the bill of materials.

use std::collections::BTreeMap;

use serde::Serialize;

use super::licence::{self, Licence};
use crate::model::report::{CheckRow, Component, Scope};
use crate::model::{Assurance, Digest, EcosystemId, Outcome, Place, Reason, Scheme};

/// The format's longest version text.
const LONGEST_VERSION: usize = 1_024;

#[derive(Serialize)]
pub(super) struct JsonComponent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    name_in_document: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Licence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Property {
    name: String,
    value: String,
}

/// What became of everything that is checked of a package version, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worst {
    Verified,
    Unverifiable(Reason),
    Conflict,
    Tainted,
}

pub(super) type Outcomes<'a> = BTreeMap<(EcosystemId, &'a str, &'a str), Worst>;

/// The worst outcome of every package version's bytes. What a lockfile or a listing says is not its bytes.
pub(super) fn outcomes(checks: &[CheckRow]) -> Outcomes<'_> {
    let mut all = Outcomes::new();
    let bytes = checks
        .iter()
        .filter(|row| matches!(row.place, Place::Cache | Place::Vendor | Place::Installed))
        .filter(|row| row.kind != "listing");
    for row in bytes {
        let (Some(package), Some(version)) = (&row.package, &row.version) else {
            continue;
        };
        let outcome = match row.outcome {
            Outcome::Verified(_) => Worst::Verified,
            Outcome::Unverifiable(reason) => Worst::Unverifiable(reason),
            Outcome::Conflict => Worst::Conflict,
            Outcome::Tainted => Worst::Tainted,
        };
        let worst = all
            .entry((row.ecosystem, &**package, &**version))
            .or_insert(outcome);
        *worst = outcome.max(*worst);
    }
    all
}

impl<'a> JsonComponent<'a> {
    /// A package that the document lists.
    pub(super) fn new(component: &'a Component, name: &'a str, outcomes: &Outcomes<'_>) -> Self {
        Self {
            kind: if component.is_root {
                "application"
            } else {
                "library"
            },
            scope: component.scope.filter(|_| !component.is_root).map(scope),
            hashes: hashes(component),
            properties: properties(component, outcomes),
            ..Self::bare(component, name)
        }
    }

    /// The project that the document is about.
    pub(super) fn main(component: &'a Component, name: &'a str) -> Self {
        Self {
            kind: "application",
            properties: vec![property("untaint:outcome", "first-party")],
            ..Self::bare(component, name)
        }
    }

    /// Several projects, or caches without a project.
    pub(super) fn inventory(name: &'a str) -> Self {
        Self {
            kind: "application",
            name_in_document: name,
            name: "scanned projects and caches",
            version: None,
            scope: None,
            hashes: Vec::new(),
            licenses: Vec::new(),
            purl: None,
            properties: Vec::new(),
        }
    }

    /// Its name within the document.
    pub(super) fn key(&self) -> &str {
        self.name_in_document
    }

    fn bare(component: &'a Component, name: &'a str) -> Self {
        let at = &component.coordinate;
        Self {
            name_in_document: name,
            name: &at.name,
            version: Some(&*at.version).filter(|v| v.chars().count() <= LONGEST_VERSION),
            licenses: component
                .licence
                .as_deref()
                .and_then(licence::of)
                .into_iter()
                .collect(),
            purl: component.purl.as_deref(),
            ..Self::inventory(name)
        }
    }
}

/// What runs only while building or testing is not part of what runs afterwards.
const fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Required => "required",
        Scope::Build | Scope::Dev => "excluded",
        Scope::Unused => "optional",
    }
}

const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Required => "required",
        Scope::Build => "build",
        Scope::Dev => "dev",
        Scope::Unused => "unused",
    }
}

/// Hashes of the archive's bytes; recipes and weak schemes have no place here.
fn hashes(component: &Component) -> Vec<Hash> {
    let mut all: Vec<Hash> = component.verified.iter().filter_map(hash).collect();
    all.sort();
    all.dedup();
    all
}

fn hash(digest: &Digest) -> Option<Hash> {
    let alg = match digest.scheme() {
        Scheme::Sha256 => "SHA-256",
        Scheme::Sha384 => "SHA-384",
        Scheme::Sha512 => "SHA-512",
        Scheme::Sha1 | Scheme::Md5 | Scheme::H1 | Scheme::GitSha1 | Scheme::GitSha256 => {
            return None;
        }
    };
    Some(Hash {
        alg,
        content: digest.hex(),
    })
}

fn properties(component: &Component, outcomes: &Outcomes<'_>) -> Vec<Property> {
    let at = &component.coordinate;
    let mut all = Vec::new();
    let worst = outcomes
        .get(&(at.ecosystem, &*at.name, &*at.version))
        .copied();
    let outcome = match worst {
        _ if component.first_party => "first-party",
        Some(Worst::Tainted) => "tainted",
        Some(Worst::Conflict) => "conflict",
        Some(Worst::Unverifiable(reason)) => {
            all.push(property("untaint:reason", reason.as_str()));
            "unverifiable"
        }
        Some(Worst::Verified) => "verified",
        None if component.verified.is_empty() => "absent",
        None => "verified",
    };
    all.push(property("untaint:outcome", outcome));
    if let Some(assurance) = component.assurance.map(Assurance::as_str) {
        all.push(property("untaint:assurance", assurance));
    }
    if let Some(scope) = component.scope {
        all.push(property("untaint:scope", scope_name(scope)));
    }
    for digest in &component.declared {
        all.push(text("untaint:declared", digest));
    }
    for digest in component.verified.iter().filter(|d| hash(d).is_none()) {
        all.push(text("untaint:verified", digest));
    }
    if let Some(archive) = &component.archive {
        all.push(property("bsi:component:filename", archive));
        all.push(property("bsi:component:archive", "archive"));
        all.push(property("bsi:component:structured", "structured"));
        all.push(property("bsi:component:executable", "non-executable"));
    }
    if let Some(size) = component.archive_size {
        all.push(property("untaint:archive:size", &size.to_string()));
    }
    all.sort();
    all.dedup();
    all
}

/// A digest as a property: the scheme belongs to the name, as it does for hashes.
fn text(prefix: &str, digest: &Digest) -> Property {
    let (scheme, value) = digest.to_string().split_once(':').map_or_else(
        || (String::new(), String::new()),
        |(scheme, value)| (scheme.to_owned(), value.to_owned()),
    );
    property(&format!("{prefix}:{scheme}"), &value)
}

fn property(name: &str, value: &str) -> Property {
    Property {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}
