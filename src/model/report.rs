//! Everything that a report says, as values. Every format is made from these, and only from these.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::artifact::Coordinate;
use super::claim::Assurance;
use super::code::Class;
use super::coverage::Coverage;
use super::digest::{Digest, Fingerprint};
use super::ecosystem::EcosystemId;
use super::finding::{Finding, Place};
use super::location::{RootId, RootInfo};
use super::notice::Notice;
use super::outcome::Outcome;
use super::problem::Problem;

/// What differs between runs on the same input: stands only under `run`.
#[derive(Debug, Clone, Default)]
pub struct RunFacts {
    /// ULID.
    pub id: String,
    /// When it began, seconds since 1970.
    pub started: i64,
    /// How long it took.
    pub duration_ms: u64,
    /// Whether no packet was to leave.
    pub offline: bool,
    /// Whether our own state and configuration were left alone.
    pub isolated: bool,
    /// Targets as the user gave them.
    pub targets: Vec<String>,
    /// Roots by name.
    pub roots: Vec<RootInfo>,
    /// Everything in force that weakens a verdict, as `--option=value` or `config:key`.
    pub weakened: Vec<String>,
    /// Whether a proxy was used.
    pub proxy: bool,
    /// Whether a certificate bundle was given.
    pub ca_bundle: bool,
    /// Requests sent.
    pub requests: u64,
    /// Bytes read and hashed.
    pub bytes_hashed: u64,
    /// Subjects whose digest came from the ledger.
    pub from_ledger: u64,
    /// Advisory feeds in use.
    pub feeds: Vec<FeedFacts>,
    /// Roots whose path is hidden (`--portable`).
    pub portable: bool,
}

/// An advisory feed in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFacts {
    /// Its name (`rustsec`).
    pub name: String,
    /// Ecosystem it is for.
    pub ecosystem: Option<EcosystemId>,
    /// When its server last confirmed the content, seconds since 1970.
    pub updated: i64,
    /// Number of records.
    pub records: u64,
    /// `embedded`, `fetched`, `imported` or `named`.
    pub origin: &'static str,
    /// Whether it is older than allowed.
    pub too_old: bool,
}

/// The verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictResult {
    /// Exit 0.
    Clean,
    /// Exit 1.
    Findings,
    /// Exit 2.
    Failed,
    /// Exit 3.
    Incomplete,
    /// Exit 4.
    Stale,
    /// Exit 5.
    Empty,
}

impl VerdictResult {
    /// Every result, in the order of its exit codes.
    pub const ALL: [Self; 6] = [
        Self::Clean,
        Self::Findings,
        Self::Failed,
        Self::Incomplete,
        Self::Stale,
        Self::Empty,
    ];

    /// Spelling in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Findings => "findings",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::Stale => "stale",
            Self::Empty => "empty",
        }
    }

    /// Its exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Failed => 2,
            Self::Incomplete => 3,
            Self::Stale => 4,
            Self::Empty => 5,
        }
    }
}

/// What the policy makes of the run.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The worst that applies.
    pub result: VerdictResult,
    /// The level that was required.
    pub assurance: Assurance,
    /// Findings at or above the threshold, by class.
    pub counts: BTreeMap<Class, u64>,
    /// Every reason that led to the result, worst first.
    pub reasons: Vec<String>,
    /// Whether the run was ended before its end.
    pub cut_short: bool,
}

/// A source that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFacts {
    /// Its kind (`cargo-registry-cache`, `cargo-lock`).
    pub kind: String,
    /// The root it lies in.
    pub root: RootId,
    /// Path below the root, empty for the root itself.
    pub rel: String,
    /// Number of entries found in it.
    pub entries: u64,
}

/// A trust root in force.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustFacts {
    /// Ecosystem.
    pub ecosystem: EcosystemId,
    /// Its role (`registry-index`, `log`, ...).
    pub root: String,
    /// `recognised`, `pinned` or `unpinned`.
    pub how: &'static str,
    /// Fingerprint of its address or key.
    pub fingerprint: Fingerprint,
    /// Where its address came from.
    pub origin: String,
}

/// One subject and what became of it: a row of `-o checks=`.
#[derive(Debug, Clone)]
pub struct CheckRow {
    /// Ecosystem.
    pub ecosystem: EcosystemId,
    /// Kind of the subject (`archive`, `tree`, `listing`, `lockfile-hash`, `checkout`, `derived`, ...).
    pub kind: &'static str,
    /// Package name, if bound.
    pub package: Option<Arc<str>>,
    /// Package version, if bound.
    pub version: Option<Arc<str>>,
    /// File name of the artifact, if bound.
    pub artifact: Option<Arc<str>>,
    /// Kind of place.
    pub place: Place,
    /// Root it lies in.
    pub root: RootId,
    /// Path below the root; escaped where it is not UTF-8.
    pub rel: String,
    /// Whether [`CheckRow::rel`] was escaped.
    pub path_escaped: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// What its bytes hash to.
    pub observed: Option<Digest>,
    /// The strongest claim's claimant and digest.
    pub expected: Option<(super::claim::Claimant, Digest)>,
    /// Size in bytes, where it is one file.
    pub size: Option<u64>,
}

/// How a component is used, where the graph tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Part of what is built.
    Required,
    /// Build scripts and procedural macros only.
    Build,
    /// Tests and development only.
    Dev,
    /// Locked, but not built with the given features and target.
    Unused,
}

/// A package of the inventory, for the bill of materials.
#[derive(Debug, Clone)]
pub struct Component {
    /// What it is.
    pub coordinate: Coordinate,
    /// First-party: part of a scanned project.
    pub first_party: bool,
    /// Package URL.
    pub purl: Option<String>,
    /// Digests of bytes that were observed and verified.
    pub verified: Vec<Digest>,
    /// Digests that a lockfile declares, not verified.
    pub declared: Vec<Digest>,
    /// Assurance of the verified digests.
    pub assurance: Option<Assurance>,
    /// SPDX licence expression as its manifest states it.
    pub licence: Option<String>,
    /// Size of its archive in bytes, where held.
    pub archive_size: Option<u64>,
    /// File name of its archive.
    pub archive: Option<Arc<str>>,
    /// How it is used.
    pub scope: Option<Scope>,
    /// Positions in [`Report::components`] of what it depends on, sorted.
    pub depends_on: Vec<usize>,
    /// Whether it is a root of the graph (a member of a scanned project).
    pub is_root: bool,
}

/// A whole report.
#[derive(Debug, Clone)]
pub struct Report {
    /// What varies.
    pub run: RunFacts,
    /// The verdict.
    pub verdict: Verdict,
    /// Findings, sorted as the contract says.
    pub findings: Vec<Finding>,
    /// How many findings there are in all, if more than are kept.
    pub findings_total: u64,
    /// Notices, sorted.
    pub notices: Vec<Notice>,
    /// Problems, sorted.
    pub problems: Vec<Problem>,
    /// Counts.
    pub coverage: Coverage,
    /// What was read, sorted.
    pub sources: Vec<SourceFacts>,
    /// Who was believed, sorted.
    pub trust: Vec<TrustFacts>,
    /// One row per subject, sorted.
    pub checks: Vec<CheckRow>,
    /// The inventory, sorted by coordinate.
    pub components: Vec<Component>,
}
