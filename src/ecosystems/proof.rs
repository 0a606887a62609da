//! Authorities whose answers prove themselves: what was published is read from a transparency log, by inclusion proof.
//!
//! Such an answer needs no trust in who hands it over, only in the log's key. So it may come from anywhere: what was kept
//! on an earlier run, the log data that a cache holds, a proxy, the log itself. Whatever is kept is proven again at each use.

use std::sync::Arc;

use crate::model::{Finding, Notice, Outcome, Problem, Reason, RootId};
use crate::tlog::VerifierKey;
use crate::world::{Dir, Request, Response};

use super::contract::{Question, Reply};

/// A transparency log that trust believes.
#[derive(Debug, Clone)]
pub struct LogRoot {
    /// Its name, as its notes have it.
    pub name: Arc<str>,
    /// Its key.
    pub key: VerifierKey,
    /// Address of a believed proxy that hands out its data and the archives; ends with a slash.
    pub proxy: Option<Arc<str>>,
    /// Its own address; ends with a slash.
    pub address: Option<Arc<str>>,
    /// Why nobody is told a name for its sake, as a fragment, where that is so: then neither proxy nor address is given.
    pub silent: Option<Arc<str>>,
    /// Heads that the tool keeps: where, and the note. None of them is believed.
    pub claimed: Vec<(String, Vec<u8>)>,
}

/// What is kept between runs. None of it is believed.
pub trait KeptProofs: Sync {
    /// Bytes that were kept under a name.
    fn blob(&self, name: &str) -> Option<Vec<u8>>;
    /// Keeps bytes that carry their own proof.
    fn put_blob(&self, name: &str, bytes: &[u8]);
    /// The newest signed head of a log.
    fn log_head(&self, log: &str) -> Option<Vec<u8>>;
    /// Keeps the newest signed head of a log, which was proven to continue the one before.
    fn put_log_head(&self, log: &str, note: &[u8]);
}

/// Sends requests and gives the answers in their order.
pub type Send<'a> = dyn FnMut(Vec<Request>) -> Vec<Result<Response, Reason>> + 'a;

/// What proving may use.
pub struct ProofContext<'a> {
    /// The log.
    pub log: &'a LogRoot,
    /// What was kept.
    pub kept: &'a dyn KeptProofs,
    /// Caches of the ecosystem, which may hold data of the log.
    pub caches: &'a [(RootId, &'a dyn Dir)],
    /// Whether no packet may leave, or none about this log.
    pub offline: bool,
    /// Seconds since 1970.
    pub now: i64,
}

/// A file of log data that a cache holds, judged.
#[derive(Debug, Clone)]
pub struct LogFile {
    /// The cache.
    pub root: RootId,
    /// Path below it.
    pub rel: String,
    /// Kind of the subject (`log-record`, `log-tile`, `log-head`, `listing`).
    pub kind: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// What is false in it.
    pub findings: Vec<Finding>,
    /// What a person should know of it (why nothing leads to it).
    pub note: Option<String>,
}

/// What became of the questions.
#[derive(Debug, Default)]
pub struct Proved {
    /// Replies, by position of the question.
    pub replies: Vec<Reply>,
    /// Forged and forked log data that was met, and that no file below holds.
    pub findings: Vec<Finding>,
    /// Files of log data, and what else a cache says that was held against answers.
    pub files: Vec<LogFile>,
    /// Log data that could not be read.
    pub problems: Vec<Problem>,
    /// What a person should know (under which head it was proven).
    pub notices: Vec<Notice>,
}

/// Who proves what was published.
pub trait ProvingAuthority: std::marker::Send + Sync {
    /// Proves what can be proven. Names of rows in replies are those of [`super::contract::Ecosystem::listing_row`].
    fn prove(
        &self,
        questions: &[Question],
        context: &ProofContext<'_>,
        send: &mut Send<'_>,
    ) -> Proved;
}
