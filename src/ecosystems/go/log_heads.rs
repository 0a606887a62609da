//! The newest head of a log that Go itself keeps: `<GOPATH>/pkg/sumdb/<log>/latest` (cmd/go 1.26, `modfetch/sumdb.go`). It lies
//! outside of GOMODCACHE and outlives `go clean -modcache`; whoever can write it can make Go blind for a roll-back.
//!
//! Such a head must be signed by the log, and it is compared with others; it never becomes ours unproven.

use std::ffi::OsStr;

use crate::ecosystems::contract::{CacheKind, OpenContext, RootCandidate, Session};
use crate::ecosystems::proof::{LogFile, LogRoot, ProofContext};
use crate::model::text::printable;
use crate::model::{Code, Outcome, Problem, Reason, RootOrigin};
use crate::tlog::record::MAX_ANSWER;
use crate::tlog::{Error, SignedHead};
use crate::world::{Dir, Env, FileKind, ReadFs};

use super::cache::origin;
use super::log_audit::Accused;
use super::log_files::PROVEN;
use super::settings::Settings;

/// Name of the root.
const ROOT: &str = "go-sumdb";
/// File of the head.
const FILE: &str = "latest";

/// The folder of heads.
pub(super) struct SumHeads;

impl CacheKind for SumHeads {
    fn name(&self) -> &'static str {
        "go-sumdb"
    }

    fn locate(&self, env: &dyn Env, fs: &dyn ReadFs) -> Vec<RootCandidate> {
        let settings = Settings::load(env, fs);
        let origin = settings
            .get("GOPATH")
            .map_or(RootOrigin::Default, |s| origin("GOPATH", s));
        settings
            .gopath(env)
            .map(|path| RootCandidate {
                name: ROOT,
                path: path.join("pkg/sumdb"),
                origin,
            })
            .into_iter()
            .collect()
    }

    /// What is in it proves itself, where its log is known.
    fn open(&self, _: &dyn Dir, _: &OpenContext<'_>) -> Session {
        Session {
            sources: vec![("go-log-heads", String::new(), 1)],
            ..Session::default()
        }
    }
}

/// The heads that are claimed, without those that the log's key did not sign: they are accused where they lie.
pub(super) fn of_this_key(log: &LogRoot) -> Vec<(String, Vec<u8>)> {
    let keys = std::slice::from_ref(&log.key);
    let signed = |(_, note): &&(String, Vec<u8>)| SignedHead::open(note, keys).is_ok();
    log.claimed.iter().filter(signed).cloned().collect()
}

/// One row for each head of this log that Go keeps.
pub(super) fn judge(
    context: &ProofContext<'_>,
    accused: &mut Accused,
    problems: &mut Vec<Problem>,
) -> Vec<LogFile> {
    let mut rows = Vec::new();
    let roots = context
        .caches
        .iter()
        .filter(|(root, _)| root.as_str().starts_with(ROOT));
    for (root, dir) in roots {
        let parts: Vec<&OsStr> = context.log.name.split('/').map(OsStr::new).collect();
        let rel = format!("{}/{FILE}", context.log.name);
        let shown = printable(&dir.path().join(&rel).display().to_string());
        let folder = match dir.descend(&parts) {
            Ok(folder) => folder,
            Err(error) if error.is_not_found() => continue,
            Err(error) => {
                let why = format!("cannot be read: {}; make it readable", error.source);
                problems.push(Problem::skipped(shown, why));
                continue;
            }
        };
        let kind = folder.stat_entry(OsStr::new(FILE)).map(|stat| stat.kind);
        let outcome = match kind {
            Err(error) if error.is_not_found() => continue,
            Ok(FileKind::Link) => {
                let message = "it is a link, and Go would follow it";
                accused.say_of_head(Code::LinkEscape, root.clone(), rel.clone(), message);
                Outcome::Tainted
            }
            _ => match folder.read(OsStr::new(FILE), MAX_ANSWER as u64) {
                Err(error) => {
                    let why = format!("cannot be read: {}; make it readable", error.source);
                    problems.push(Problem::skipped(shown, why));
                    Outcome::Unverifiable(Reason::Unreadable)
                }
                // Go starts with an empty file.
                Ok((bytes, _)) if bytes.is_empty() => continue,
                Ok((bytes, _)) => {
                    match SignedHead::open(&bytes, std::slice::from_ref(&context.log.key)) {
                        Ok(_) => PROVEN,
                        Err(error @ Error::Forged(_)) => {
                            let message = error.to_string();
                            let code = Code::LogRecordForged;
                            accused.say_of_head(code, root.clone(), rel.clone(), &message);
                            Outcome::Tainted
                        }
                        Err(_) => {
                            let why =
                                "is no signed head of the log; remove it, and Go will ask again";
                            problems.push(Problem::partial(shown, why));
                            Outcome::Unverifiable(Reason::Unreadable)
                        }
                    }
                }
            },
        };
        let findings = accused.take(root, &rel);
        rows.push(LogFile {
            kind: "log-head",
            root: root.clone(),
            rel,
            outcome,
            findings,
            note: None,
        });
    }
    rows
}
