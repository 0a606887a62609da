//! Findings: judged facts with a stable code, and the evidence for them.

use std::sync::Arc;

use super::advisory::AdvisoryFact;
use super::claim::{Assurance, Claimant};
use super::code::{Class, Code, Severity};
use super::digest::Digest;
use super::ecosystem::EcosystemId;
use super::location::{Location, RootId};

/// The kind of place a finding lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A lockfile.
    Lockfile,
    /// A package cache.
    Cache,
    /// A committed vendor folder.
    Vendor,
    /// An installed tree.
    Installed,
    /// Settings of a tool, or of the environment.
    Settings,
    /// A build folder or build cache.
    Build,
}

impl Place {
    /// Spelling in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lockfile => "lockfile",
            Self::Cache => "cache",
            Self::Vendor => "vendor",
            Self::Installed => "installed",
            Self::Settings => "settings",
            Self::Build => "build",
        }
    }
}

/// What is wrong with one entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// Its bytes differ.
    Modified,
    /// It is not there.
    Missing,
    /// It should not be there.
    Extra,
    /// It is a link, a device, a folder, or has a mode that it must not have.
    Irregular,
}

impl EntryKind {
    /// Spelling in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Modified => "modified",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Irregular => "irregular",
        }
    }

    /// The finding code for a tree whose worst entry is of this kind.
    pub const fn code(self) -> Code {
        match self {
            Self::Modified => Code::TreeModified,
            Self::Missing => Code::TreeMissingFile,
            Self::Extra => Code::TreeExtraFile,
            Self::Irregular => Code::TreeIrregularFile,
        }
    }
}

/// One entry of a tree that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// Path relative to the tree, with `/`; escaped where it is not UTF-8.
    pub path: String,
    /// Whether [`Entry::path`] was escaped.
    pub path_escaped: bool,
    /// What is wrong.
    pub kind: EntryKind,
}

/// What somebody expects the bytes to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    /// Who.
    pub by: Claimant,
    /// How much that is worth.
    pub assurance: Assurance,
    /// What.
    pub digest: Digest,
}

/// A waiver that covers a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// Why.
    pub reason: String,
    /// Who.
    pub owner: Option<String>,
    /// Last day, `YYYY-MM-DD`.
    pub expires: String,
}

/// A judged fact. Its id is computed by `decide` from what it says, so that it is the same on every machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// `f-` and 16 hex digits; empty until `decide` has set it.
    pub id: String,
    /// Stable code; gives the class.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// Which ecosystem, if one.
    pub ecosystem: Option<EcosystemId>,
    /// Package name, verbatim.
    pub package: Option<Arc<str>>,
    /// Package version, verbatim.
    pub version: Option<Arc<str>>,
    /// File name of the artifact.
    pub artifact: Option<Arc<str>>,
    /// Package URL.
    pub purl: Option<String>,
    /// Kind of place.
    pub place: Place,
    /// The root that [`Finding::rel`] is relative to.
    pub root: Option<RootId>,
    /// Path relative to the root, with `/`; escaped where it is not UTF-8.
    pub rel: Option<String>,
    /// Absolute path, unless the report is portable.
    pub path: Option<String>,
    /// Whether the paths were escaped.
    pub path_escaped: bool,
    /// File and line that say it.
    pub location: Option<Location>,
    /// The line at [`Finding::location`], raw, for the picture in the table; no machine format carries it.
    pub excerpt: Option<String>,
    /// Entries of a tree: the first 20.
    pub entries: Vec<Entry>,
    /// How many entries there are in all.
    pub entries_total: u64,
    /// Who expects what.
    pub expected: Vec<Expected>,
    /// What the bytes hash to.
    pub observed: Option<Digest>,
    /// What is so, as a lower-case fragment.
    pub message: String,
    /// One command or step.
    pub remedy: Option<String>,
    /// The finding this follows from.
    pub caused_by: Option<String>,
    /// Id of the evidence of an earlier heal of the same thing.
    pub evidence: Option<String>,
    /// Advisory facts.
    pub advisory: Option<AdvisoryFact>,
    /// Shortest chains from a root of the graph, at most 3.
    pub why: Vec<Vec<String>>,
    /// The waiver that covers it.
    pub waived: Option<Waived>,
    /// `new` or `unchanged`, only with a baseline.
    pub state: Option<&'static str>,
}

impl Finding {
    /// A finding with its code's severity and nothing else said yet.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            code,
            severity: code.severity(),
            ecosystem: None,
            package: None,
            version: None,
            artifact: None,
            purl: None,
            place,
            root: None,
            rel: None,
            path: None,
            path_escaped: false,
            location: None,
            excerpt: None,
            entries: Vec::new(),
            entries_total: 0,
            expected: Vec::new(),
            observed: None,
            message: message.into(),
            remedy: None,
            caused_by: None,
            evidence: None,
            advisory: None,
            why: Vec::new(),
            waived: None,
            state: None,
        }
    }

    /// Its class.
    pub fn class(&self) -> Class {
        self.code.class()
    }
}
