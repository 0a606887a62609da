//! Asks the feeds' servers for what is newer, and decides whether it may take the place of what is in use.
//!
//! One conditional request per feed that is older than a day. A server that does not answer, or answers with something that is no feed, leaves
//! the old feed in use and a notice; a feed that goes back, shrinks or breaks is refused with a finding. Only what was taken is kept in our
//! state, and a state that cannot be written costs nothing but the next download.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Finding, Notice, NoticeCode, Place};
use crate::pipeline::advise::archive::{self, ArchiveError};
use crate::pipeline::advise::freshness::{self, Refusal};
use crate::pipeline::advise::index::{AdvisoryDb, FeedOrigin};
use crate::pipeline::advise::reading::Reading;
use crate::world::{FetchError, Request, Response};

use super::kept::{self, Sidecar};
use super::shelf::{Candidate, FeedsContext, Shelf};

/// How long a scan waits for one feed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Renews every feed that wants it.
pub(super) fn run(candidates: &mut [Candidate], cx: &FeedsContext<'_>, shelf: &mut Shelf) {
    let wanted: Vec<usize> = candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| {
            cx.always
                || candidate
                    .chosen(cx.now)
                    .is_none_or(|db| freshness::wants_refresh(db.meta(), cx.now))
        })
        .map(|(position, _)| position)
        .collect();
    if wanted.is_empty() || (cx.cancelled)() {
        return;
    }
    let addresses: Vec<String> = wanted
        .iter()
        .filter_map(|position| candidates.get(*position))
        .map(|candidate| address(candidate, cx))
        .collect();
    let requests = wanted
        .iter()
        .zip(&addresses)
        .filter_map(|(position, address)| Some(request(candidates.get(*position)?, address, cx)))
        .collect();
    cx.fetch.batch(requests, &mut |position, answer| {
        let Some(candidate) = wanted
            .get(position)
            .and_then(|position| candidates.get_mut(*position))
        else {
            return;
        };
        let address = addresses.get(position).cloned().unwrap_or_default();
        take(candidate, answer, address, cx, shelf);
    });
}

fn address(candidate: &Candidate, cx: &FeedsContext<'_>) -> String {
    (cx.pinned)(candidate.id).unwrap_or_else(|| candidate.feed.url.clone())
}

fn request(candidate: &Candidate, address: &str, cx: &FeedsContext<'_>) -> Request {
    let kept = candidate
        .kept
        .as_ref()
        .filter(|kept| kept.address == address);
    Request {
        etag: kept.and_then(|kept| kept.etag.as_deref()).map(Arc::from),
        last_modified: kept
            .and_then(|kept| kept.last_modified.as_deref())
            .map(Arc::from),
        // A scan goes on with what it has; whoever asked for an update waits for it.
        within: (!cx.always).then_some(PATIENCE),
        ..Request::get(address, archive::LIMITS.max_compressed)
    }
}

fn take(
    candidate: &mut Candidate,
    answer: Result<Response, FetchError>,
    address: String,
    cx: &FeedsContext<'_>,
    shelf: &mut Shelf,
) {
    if (cx.cancelled)() {
        return;
    }
    match answer {
        Err(FetchError::Cancelled) => {}
        Err(error) => shelf.notices.push(degraded(candidate, &error.to_string())),
        Ok(response) if response.status == 304 => confirmed(candidate, cx, shelf),
        Ok(response) if response.status == 200 => {
            let sidecar = Sidecar {
                etag: response.etag.as_deref().map(str::to_owned),
                last_modified: response.last_modified.as_deref().map(str::to_owned),
                unreadable: 0,
                address,
            };
            replaced(candidate, &response.body, sidecar, cx, shelf);
        }
        Ok(response) => {
            let why = format!("answered with status {}", response.status);
            shelf.notices.push(degraded(candidate, &why));
        }
    }
}

/// The server says that what we keep is what it has.
fn confirmed(candidate: &mut Candidate, cx: &FeedsContext<'_>, shelf: &mut Shelf) {
    let asked = candidate
        .kept
        .as_ref()
        .is_some_and(|kept| kept.etag.is_some() || kept.last_modified.is_some());
    let position = candidate
        .dbs
        .iter()
        .position(|db| matches!(db.meta().origin, FeedOrigin::Fetched | FeedOrigin::Imported));
    let (true, Some(position), Some(sidecar)) = (asked, position, candidate.kept.clone()) else {
        let why = "says that nothing changed, but was not asked that";
        shelf.notices.push(degraded(candidate, why));
        return;
    };
    let Some(kept) = candidate.dbs.get(position).cloned() else {
        return;
    };
    // A server that has less than the program itself was given has gone back.
    let as_read = Reading {
        total: kept.meta().records,
        newest: kept.meta().updated,
        ..Reading::default()
    };
    let in_use = candidate.chosen(cx.now);
    if let Err(refusal) = freshness::admit(in_use.as_ref().map(AdvisoryDb::meta), &as_read) {
        shelf
            .findings
            .push(refused(candidate, &refusal.to_string()));
        return;
    }
    let db = kept.confirmed_at(Some(cx.now));
    keep(candidate, None, &db, &sidecar, cx, shelf);
    candidate.renewed = true;
    if let Some(slot) = candidate.dbs.get_mut(position) {
        *slot = db;
    }
    candidate.kept = Some(sidecar);
}

/// The server gives something else than what we keep.
fn replaced(
    candidate: &mut Candidate,
    body: &[u8],
    mut sidecar: Sidecar,
    cx: &FeedsContext<'_>,
    shelf: &mut Shelf,
) {
    let reading = match archive::read(&candidate.feed, body) {
        Ok(reading) => reading,
        // A login page, an error page: nothing that claims to be the feed.
        Err(error @ ArchiveError::Unknown) => {
            let why = format!("gave something else: {error}");
            shelf.notices.push(degraded(candidate, &why));
            return;
        }
        Err(error @ ArchiveError::Damaged(_)) => {
            let why = format!("{error}; the old one is kept");
            shelf.findings.push(refused(candidate, &why));
            return;
        }
    };
    let in_use = candidate.chosen(cx.now);
    if let Err(refusal) = freshness::admit(in_use.as_ref().map(AdvisoryDb::meta), &reading) {
        shelf
            .findings
            .push(refused(candidate, &refusal.to_string()));
        return;
    }
    sidecar.unreadable = reading.unreadable;
    let compiled = candidate
        .feed
        .compile(reading, Some(cx.now), FeedOrigin::Fetched)
        .and_then(|bytes| Ok((AdvisoryDb::open(bytes.clone())?, bytes)));
    match compiled {
        Err(error) => shelf.notices.push(degraded(candidate, &error.to_string())),
        Ok((db, bytes)) => {
            keep(candidate, Some(&bytes), &db, &sidecar, cx, shelf);
            candidate.dbs.push(db);
            candidate.kept = Some(sidecar);
            candidate.renewed = true;
        }
    }
}

fn keep(
    candidate: &Candidate,
    index: Option<&[u8]>,
    db: &AdvisoryDb,
    sidecar: &Sidecar,
    cx: &FeedsContext<'_>,
    shelf: &mut Shelf,
) {
    let Some(state) = cx.state else { return };
    let why = match kept::write(state, &candidate.feed, index, db, sidecar) {
        Ok(true) => return,
        Ok(false) => "another untaint is writing feeds".to_owned(),
        Err(error) => error.to_string(),
    };
    let name = &candidate.feed.name;
    shelf.unkept.insert(name.clone());
    shelf.notices.push(notice(
        candidate,
        format!("advisory feed `{name}` could not be kept for the next run: {why}"),
    ));
}

fn degraded(candidate: &Candidate, why: &str) -> Notice {
    let name = &candidate.feed.name;
    let message =
        format!("the server of advisory feed `{name}` {why}; what was there before is used");
    notice(candidate, message)
}

fn notice(candidate: &Candidate, message: String) -> Notice {
    Notice {
        code: NoticeCode::Degraded,
        reason: None,
        ecosystem: Some(candidate.id),
        package: None,
        version: None,
        path: None,
        message,
        remedy: Some("untaint feeds update".to_owned()),
    }
}

fn refused(candidate: &Candidate, why: &str) -> Finding {
    let mut finding = Finding::new(
        Refusal::CODE,
        Place::Settings,
        format!("advisory feed `{}`: {why}", candidate.feed.name),
    );
    finding.ecosystem = Some(candidate.id);
    finding.remedy = Some("untaint feeds status".to_owned());
    finding
}
