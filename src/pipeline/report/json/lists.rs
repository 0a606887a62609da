//! Notices, problems, sources and trust in the JSON report. The order of fields is the order they are sorted by.

use serde::Serialize;

use crate::model::report::{SourceFacts, TrustFacts};
use crate::model::{Notice, Problem};

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JsonNotice<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ecosystem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

impl<'a> JsonNotice<'a> {
    pub(super) fn new(notice: &'a Notice) -> Self {
        Self {
            code: notice.code.as_str(),
            reason: notice.reason.map(|r| r.as_str()),
            ecosystem: notice.ecosystem.map(|e| e.as_str()),
            package: notice.package.as_deref(),
            version: notice.version.as_deref(),
            path: notice.path.as_deref(),
            message: &notice.message,
            remedy: notice.remedy.as_deref(),
        }
    }
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JsonProblem<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_escaped: Option<bool>,
    message: &'a str,
    effect: &'static str,
}

impl<'a> JsonProblem<'a> {
    pub(super) fn new(problem: &'a Problem) -> Self {
        Self {
            path: &problem.path,
            path_escaped: problem.path_escaped.then_some(true),
            message: &problem.message,
            effect: problem.effect.as_str(),
        }
    }
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JsonSource<'a> {
    kind: &'a str,
    root: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rel: Option<&'a str>,
    entries: u64,
}

impl<'a> JsonSource<'a> {
    pub(super) fn new(source: &'a SourceFacts) -> Self {
        Self {
            kind: &source.kind,
            root: source.root.as_str(),
            rel: (!source.rel.is_empty()).then_some(source.rel.as_str()),
            entries: source.entries,
        }
    }
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JsonTrust<'a> {
    ecosystem: &'static str,
    root: &'a str,
    how: &'static str,
    fingerprint: String,
    origin: &'a str,
}

impl<'a> JsonTrust<'a> {
    pub(super) fn new(trust: &'a TrustFacts) -> Self {
        Self {
            ecosystem: trust.ecosystem.as_str(),
            root: &trust.root,
            how: trust.how,
            fingerprint: trust.fingerprint.to_string(),
            origin: &trust.origin,
        }
    }
}
