//! The part of the JSON report that varies between runs on the same input.

use std::collections::BTreeMap;

use serde::Serialize;

use super::sorted;
use crate::model::report::{FeedFacts, RunFacts};
use crate::model::when;

#[derive(Serialize)]
pub(super) struct JsonRun<'a> {
    id: &'a str,
    started: String,
    duration_ms: u64,
    offline: bool,
    isolated: bool,
    targets: Vec<&'a str>,
    roots: BTreeMap<&'a str, JsonRoot<'a>>,
    weakened: Vec<&'a str>,
    network: Network,
    bytes_hashed: u64,
    from_ledger: u64,
    feeds: Vec<JsonFeed<'a>>,
}

#[derive(Serialize)]
struct JsonRoot<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    origin: String,
}

#[derive(Serialize)]
struct Network {
    proxy: bool,
    ca_bundle: bool,
    requests: u64,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct JsonFeed<'a> {
    name: &'a str,
    updated: String,
    records: u64,
    origin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ecosystem: Option<&'static str>,
    too_old: bool,
}

impl<'a> JsonRun<'a> {
    pub(super) fn new(run: &'a RunFacts) -> Self {
        let roots = run.roots.iter().map(|root| {
            let shown = JsonRoot {
                path: (!root.path.is_empty()).then_some(root.path.as_str()),
                origin: root.origin.text(),
            };
            (root.id.as_str(), shown)
        });
        Self {
            id: &run.id,
            started: when::rfc3339(run.started),
            duration_ms: run.duration_ms,
            offline: run.offline,
            isolated: run.isolated,
            targets: sorted(run.targets.iter().map(String::as_str)),
            roots: roots.collect(),
            weakened: sorted(run.weakened.iter().map(String::as_str)),
            network: Network {
                proxy: run.proxy,
                ca_bundle: run.ca_bundle,
                requests: run.requests,
            },
            bytes_hashed: run.bytes_hashed,
            from_ledger: run.from_ledger,
            feeds: sorted(run.feeds.iter().map(JsonFeed::new)),
        }
    }
}

impl<'a> JsonFeed<'a> {
    fn new(feed: &'a FeedFacts) -> Self {
        Self {
            name: &feed.name,
            updated: when::rfc3339(feed.updated),
            records: feed.records,
            origin: feed.origin,
            ecosystem: feed.ecosystem.map(|e| e.as_str()),
            too_old: feed.too_old,
        }
    }
}
