//! Versions that the log does not know: asked for once more, of the log and of the proxy, past every cache on the way.
//!
//! The log takes in what its proxy can fetch when it is asked. So what the proxy serves while the log denies it is on its way
//! (`no-record`), and what both deny was never published, unless the cached `.info` file says that it is of the last hour:
//! that is the suspect's word, and can only turn "never" into "not known yet".

use std::ffi::OsStr;

use serde::Deserialize;

use crate::ecosystems::proof::{ProofContext, Send};
use crate::model::Reason;
use crate::tlog::{self, Resource, Wanted};
use crate::world::{Request, Response};

use super::escape::{escape_path, escape_version};
use super::log_place::Remote;

/// A version younger than this may be missing from an answer, in seconds.
const SETTLING: i64 = 60 * 60;
/// Largest `.info` file.
const MAX_INFO: u64 = 1 << 20;

/// What became of a version that the log did not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The log knows it now.
    Known,
    /// It may come, or nobody said for certain that it will not.
    NotYet,
    /// Neither the log nor the proxy has it.
    Denied,
}

/// Asks about each version.
pub(super) fn ask(
    context: &ProofContext<'_>,
    wanted: &[Wanted],
    send: &mut Send<'_>,
) -> Vec<Answer> {
    let nothing = || wanted.iter().map(|_| Answer::NotYet).collect();
    let (Some(remote), Some(proxy)) = (Remote::of(context.log), &context.log.proxy) else {
        return nothing();
    };
    let mut requests = Vec::new();
    for wanted in wanted {
        let lookup = remote.request(&tlog::Request {
            resource: Resource::Lookup(wanted.clone()),
            fresh: true,
        });
        let info = info_name(wanted)
            .map(|name| Request::get(format!("{}/{name}", proxy.trim_end_matches('/')), MAX_INFO));
        let (Some(lookup), Some(mut info)) = (lookup, info) else {
            return nothing();
        };
        info.fresh = true;
        requests.push(lookup);
        requests.push(info);
    }
    let responses = send(requests);
    wanted
        .iter()
        .zip(responses.chunks(2))
        .map(|(wanted, pair)| match pair {
            [Ok(lookup), _] if lookup.status == 200 => Answer::Known,
            [lookup, info]
                if is_denial(lookup) && is_denial(info) && !is_recent(context, wanted) =>
            {
                Answer::Denied
            }
            _ => Answer::NotYet,
        })
        .collect()
}

fn is_denial(response: &Result<Response, Reason>) -> bool {
    response
        .as_ref()
        .is_ok_and(|response| matches!(response.status, 404 | 410))
}

/// Path of a version's `.info` below a proxy's address and below `cache/download`.
fn info_name(wanted: &Wanted) -> Option<String> {
    let path = escape_path(&wanted.module).ok()?;
    let version = escape_version(&wanted.version).ok()?;
    Some(format!("{path}/@v/{version}.info"))
}

#[derive(Deserialize)]
struct Info {
    #[serde(rename = "Time")]
    time: Option<String>,
}

/// Whether a cache says that the version was made within the last hour.
fn is_recent(context: &ProofContext<'_>, wanted: &Wanted) -> bool {
    let Some(name) = info_name(wanted) else {
        return false;
    };
    context.caches.iter().any(|(_, dir)| {
        let mut parts = vec![OsStr::new("cache"), OsStr::new("download")];
        parts.extend(name.split('/').map(OsStr::new));
        let Some(file) = parts.pop() else {
            return false;
        };
        let read = dir.descend(&parts).and_then(|dir| dir.read(file, MAX_INFO));
        let info = read
            .ok()
            .and_then(|(bytes, _)| serde_json::from_slice::<Info>(&bytes).ok());
        info.and_then(|info| info.time?.parse::<jiff::Timestamp>().ok())
            .is_some_and(|time| (0..SETTLING).contains(&(context.now - time.as_second())))
    })
}
