//! What a heal has done, step by step, for people and programs.

use std::path::PathBuf;

use super::audit::heads::Head;
use super::plan::Step;
use super::record::Role;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// What could be fetched is in place, the rest is in the quarantine.
    Healed,
    /// It is in the quarantine; nothing good could be had, and why.
    Removed(String),
    /// It was left where it is, and why.
    Kept(String),
    /// Nothing of it was there any more, or it is good by now.
    Nothing,
    /// It could not be done; everything is as it was.
    Failed(String),
    /// It could not be done nor taken back: the journal stays.
    Stuck(String),
}

/// What was done in one step.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Number in the run, from 1.
    pub number: u32,
    /// Ecosystem.
    pub ecosystem: String,
    /// Package and version.
    pub package: String,
    /// Ids of the findings that it answers.
    pub findings: Vec<String>,
    /// How it ended.
    pub ended: Ended,
    /// What was moved away: absolute path, name of the role.
    pub moved: Vec<(PathBuf, Role)>,
    /// What was put in place.
    pub put: Vec<PathBuf>,
    /// Id of its evidence, if any was written down.
    pub evidence: Option<String>,
    /// Whether other bytes were sent for it than those that were published.
    pub other_bytes: bool,
}

impl Receipt {
    /// Of a step that has not ended.
    pub(super) fn of(number: u32, step: &Step) -> Self {
        Self {
            number,
            ecosystem: step.ecosystem.clone(),
            package: step.package.clone(),
            findings: step.findings.iter().map(|f| f.id.clone()).collect(),
            ended: Ended::Nothing,
            moved: Vec::new(),
            put: Vec::new(),
            evidence: None,
            other_bytes: false,
        }
    }
}

/// Everything that was done.
#[derive(Debug, Default)]
pub struct Receipts {
    /// One per step.
    pub done: Vec<Receipt>,
    /// Bytes that lie in the quarantine now, those of other runs included.
    pub bytes: u64,
    /// Old runs without a confirmed taint that were removed for good, with how many bytes they held.
    pub pruned: Vec<(String, u64)>,
    /// Whether the journal could be closed.
    pub closed: bool,
    /// Why the run ended early.
    pub early: Option<String>,
    /// Why the audit log does not have all of it, or is not whole.
    pub unlogged: Vec<String>,
    /// How far the audit log goes now, where one is kept.
    pub log: Option<Head>,
}
