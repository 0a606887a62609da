//! Under which head a proof stands that was made without asking the log, and of when that head is.
//!
//! A signed head has no date of its own. What can be known is when we stored it as our newest, when this release was made, and
//! what the file says that it came in: the last is the cache's own word, and is called so.

use std::collections::{BTreeMap, BTreeSet};

use crate::ecosystems::proof::ProofContext;
use crate::model::day::Day;
use crate::model::text::printable;
use crate::model::{Notice, NoticeCode, Reason};
use crate::tlog::{Relation, Resource, SignedHead, TreeHead, Wanted};

use super::GO;
use super::log::Outcome;
use super::log_head;
use super::log_place::{LogFolder, name};

/// What makes the settings' silence end.
const ALLOW: &str =
    "change that setting, or pin what may be told the names: `untaint trust pin go proxy URL`";

/// What stays unproven because the settings keep names from everybody.
pub(super) fn untold(
    context: &ProofContext<'_>,
    results: &BTreeMap<Wanted, Outcome>,
) -> Option<Notice> {
    let why = context.log.silent.as_deref()?;
    let untold = |outcome: &&Outcome| matches!(outcome, Outcome::Gap(Reason::PrivateUnconfirmed));
    let open = results.values().filter(untold).count();
    (open > 0).then(|| Notice {
        code: NoticeCode::Degraded,
        reason: None,
        ecosystem: Some(GO),
        package: None,
        version: None,
        path: None,
        message: format!(
            "{}: so nobody was asked, and of {open} version{} nothing is proven",
            printable(why),
            if open == 1 { "" } else { "s" }
        ),
        remedy: Some(ALLOW.to_owned()),
    })
}

/// Where a proof came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// Records and tiles of a cache.
    Cached,
    /// Our own memory.
    Kept,
}

/// What was proven without asking the log.
#[derive(Default)]
pub(super) struct Said {
    by_way: BTreeMap<Way, BTreeMap<TreeHead, BTreeSet<Wanted>>>,
    /// Whether our own newest head could be compared with what the caches hold.
    unlinked: Option<SignedHead>,
}

impl Said {
    pub(super) fn proven(&mut self, way: Way, under: &TreeHead, wanted: &Wanted) {
        let heads = self.by_way.entry(way).or_default();
        heads.entry(*under).or_default().insert(wanted.clone());
    }

    /// How our own newest head stands to the newest one of the caches.
    pub(super) fn ours(&mut self, ours: Option<&SignedHead>, relation: Option<&Relation>) {
        if relation == Some(&Relation::NotChecked) {
            self.unlinked = ours.cloned();
        }
    }

    /// One notice for each way.
    pub(super) fn notices(
        &self,
        context: &ProofContext<'_>,
        folders: &[LogFolder<'_>],
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        for (way, heads) in &self.by_way {
            let records: usize = heads.values().map(BTreeSet::len).sum();
            let mut heads = heads.iter().rev();
            let Some((newest, wanted)) = heads.next() else {
                continue;
            };
            let from = match way {
                Way::Cached => "from cached tiles",
                Way::Kept => "kept from earlier runs",
            };
            let date = dated(newest, wanted, context, folders);
            let mut message = format!(
                "log proof {from}, {date}, of {records} record{}; the log itself was not asked",
                if records == 1 { "" } else { "s" }
            );
            if let Some((oldest, wanted)) = heads.next_back() {
                let date = dated(oldest, wanted, context, folders);
                message.push_str(&format!("; the oldest under the {date}"));
            }
            if let Some(ours) = self.unlinked.as_ref().filter(|_| *way == Way::Cached) {
                message.push_str(&format!(
                    "; the cache has no tiles to compare that with our own head of {} records",
                    ours.head().size
                ));
            }
            notices.push(Notice {
                code: NoticeCode::Degraded,
                reason: None,
                ecosystem: Some(GO),
                package: None,
                version: None,
                path: None,
                message,
                remedy: Some(match context.log.silent {
                    Some(_) => ALLOW.to_owned(),
                    None => "run without --offline to ask the log".to_owned(),
                }),
            });
        }
        notices
    }
}

/// The head with its date, as far as that is known.
fn dated(
    head: &TreeHead,
    wanted: &BTreeSet<Wanted>,
    context: &ProofContext<'_>,
    folders: &[LogFolder<'_>],
) -> String {
    let records = format!("{} records", head.size);
    let memory = context.kept.blob(&memory_name(context));
    if let Some(at) = memory.and_then(|memory| remembered(&memory, head)) {
        return format!("head of {} ({records}; first seen here then)", Day::of(at));
    }
    if let Some(date) = log_head::released_on(head, &context.log.key) {
        return format!("head of {date} ({records}; it came with this release)");
    }
    let text = head.text();
    let files = wanted.iter().flat_map(|wanted| {
        let file = name(&Resource::Lookup(wanted.clone())).unwrap_or_default();
        let read = |folder: &LogFolder<'_>| folder.read_whole(&file);
        folders.iter().filter_map(read).collect::<Vec<_>>()
    });
    let carries = |answer: &[u8]| {
        str::from_utf8(answer).is_ok_and(|answer| answer.contains(&format!("\n\n{text}")))
    };
    let oldest = files
        .filter(|(answer, _)| carries(answer))
        .map(|(_, at)| at)
        .min();
    match oldest {
        Some(at) => format!("head of {} ({records}; its file's own date)", Day::of(at)),
        None => format!("head of unknown date ({records})"),
    }
}

fn memory_name(context: &ProofContext<'_>) -> String {
    format!("log-head-seen/{}", context.log.name)
}

/// Remembers when our newest head was first seen.
pub(super) fn remember(context: &ProofContext<'_>, head: &TreeHead) {
    let name = memory_name(context);
    let known = context.kept.blob(&name);
    if known.is_some_and(|known| remembered(&known, head).is_some()) {
        return;
    }
    let text = format!("{}\n{}", context.now, head.text());
    context.kept.put_blob(&name, text.as_bytes());
}

/// When a head was first seen, by what is remembered of our newest one.
fn remembered(memory: &[u8], head: &TreeHead) -> Option<i64> {
    let (at, text) = str::from_utf8(memory).ok()?.split_once('\n')?;
    (text == head.text()).then_some(())?;
    at.parse().ok()
}
