//! The shelf: for each ecosystem the one feed that is asked, beside our own records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::ecosystems::contract::Ecosystem;
use crate::model::report::FeedFacts;
use crate::model::{Coordinate, EcosystemId, Finding, Notice, NoticeCode, Origin, Problem};
use crate::pipeline::advise::catalogue::{self, Feed};
use crate::pipeline::advise::index::{AdvisoryDb, FeedMeta, FeedOrigin};
use crate::pipeline::advise::poisoned::Poisoned;
use crate::pipeline::advise::ranges::{self, Standing};
use crate::pipeline::advise::{freshness, snapshot};
use crate::world::{Fetch, ReadFs, StateDir};

use super::{kept, named, refresh};

/// What loading may use.
#[derive(Clone, Copy)]
pub struct FeedsContext<'a> {
    /// Our state; none with `--isolated` or without a home.
    pub state: Option<&'a dyn StateDir>,
    /// `--feeds DIR`.
    pub named_dir: Option<&'a Path>,
    /// Reads files that the user named.
    pub fs: &'a dyn ReadFs,
    /// Asks servers.
    pub fetch: &'a dyn Fetch,
    /// No packet leaves.
    pub offline: bool,
    /// Ask the servers whatever the age of the data (`feeds update`).
    pub always: bool,
    /// Seconds since 1970.
    pub now: i64,
    /// Greatest age of a feed, seconds.
    pub max_age: u64,
    /// Address of a feed that the user pinned in place of the catalogue's, by ecosystem.
    pub pinned: &'a dyn Fn(EcosystemId) -> Option<String>,
    /// Whether the run was asked to end.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// The feeds of a run.
#[derive(Default)]
pub struct Shelf {
    /// Per ecosystem what is asked: the chosen feed if there is one, then our own records.
    pub dbs: BTreeMap<EcosystemId, Vec<AdvisoryDb>>,
    /// The feeds in use, for the report.
    pub facts: Vec<FeedFacts>,
    /// Names of ecosystems that have no feed at all.
    pub uncovered: Vec<String>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Feeds that were refused.
    pub findings: Vec<Finding>,
    /// Servers that did not answer.
    pub notices: Vec<Notice>,
    /// Names of feeds that a server gave or confirmed in this run.
    pub renewed: BTreeSet<String>,
    /// Names of feeds among them that could not be kept for the next run.
    pub unkept: BTreeSet<String>,
    pub(super) rules: BTreeMap<EcosystemId, Feed>,
    pub(super) own: Poisoned,
}

/// One feed while it is being chosen.
pub(super) struct Candidate {
    pub(super) id: EcosystemId,
    pub(super) feed: Feed,
    /// Every index of it that could be opened.
    pub(super) dbs: Vec<AdvisoryDb>,
    /// What is kept in our state, beside the index.
    pub(super) kept: Option<kept::Sidecar>,
    /// The state's copy is broken: why.
    pub(super) broken: Option<Problem>,
    /// Whether a server gave or confirmed the content in this run.
    pub(super) renewed: bool,
}

impl Candidate {
    /// The index that would be asked now.
    pub(super) fn chosen(&self, now: i64) -> Option<AdvisoryDb> {
        freshness::choose(self.dbs.clone(), now).pop()
    }
}

/// Takes the feeds of some ecosystems from wherever they are, and renews what is older than a day.
///
/// Nothing here fails as a whole: what is missing, refused or broken stands on the shelf beside the rest.
pub fn load(ecosystems: &[&'static dyn Ecosystem], cx: &FeedsContext<'_>) -> Shelf {
    let mut shelf = Shelf {
        own: Poisoned::embedded(),
        ..Shelf::default()
    };
    let feeds = catalogue::feeds();
    let mut candidates: Vec<Candidate> = Vec::new();
    for ecosystem in ecosystems {
        let facts = ecosystem.facts();
        let feed = feeds.iter().find(|f| f.ecosystem == facts.id.as_str());
        let Some(feed) = feed else {
            shelf.uncovered.push(facts.id.as_str().to_owned());
            shelf.add_own(facts.id);
            continue;
        };
        candidates.push(gather(facts.id, feed.clone(), cx, &mut shelf));
    }
    if !cx.offline && cx.named_dir.is_none() {
        refresh::run(&mut candidates, cx, &mut shelf);
    }
    for candidate in candidates {
        shelf.take(candidate, cx);
    }
    shelf.facts.sort_by(|a, b| a.name.cmp(&b.name));
    shelf.uncovered.sort();
    shelf.uncovered.dedup();
    shelf
}

fn gather(id: EcosystemId, feed: Feed, cx: &FeedsContext<'_>, shelf: &mut Shelf) -> Candidate {
    let mut candidate = Candidate {
        id,
        feed,
        dbs: Vec::new(),
        kept: None,
        broken: None,
        renewed: false,
    };
    let name = candidate.feed.name.clone();
    match snapshot::open(&name) {
        Some(Ok(db)) => candidate.dbs.push(db),
        Some(Err(error)) => shelf.problems.push(Problem::skipped(
            format!("embedded advisory data `{name}`"),
            error.to_string(),
        )),
        None => {}
    }
    if let Some(state) = cx.state {
        match kept::read(state, &candidate.feed) {
            Ok(None) => {}
            Ok(Some((db, sidecar))) => {
                candidate.dbs.push(db);
                candidate.kept = Some(sidecar);
            }
            Err(problem) => candidate.broken = Some(problem),
        }
    }
    if let Some(dir) = cx.named_dir {
        let taken = named::read(cx.fs, dir, &candidate.feed);
        candidate.dbs.extend(taken.db);
        shelf.problems.extend(taken.problems);
    }
    candidate
}

impl Shelf {
    fn take(&mut self, mut candidate: Candidate, cx: &FeedsContext<'_>) {
        let chosen = candidate.chosen(cx.now);
        if candidate.renewed {
            self.renewed.insert(candidate.feed.name.clone());
        }
        if let Some(mut problem) = candidate.broken.take() {
            if candidate.renewed {
                // What it held is here again, newer than it was.
                problem.effect = crate::model::Effect::AsTheTool;
            }
            self.problems.push(problem);
        }
        match chosen {
            Some(db) => {
                if let Some(notice) = left_out(&candidate, db.meta()) {
                    self.notices.push(notice);
                }
                let allowed = i64::try_from(cx.max_age).unwrap_or(i64::MAX);
                self.facts.push(facts(
                    candidate.id,
                    db.meta(),
                    !freshness::judge(db.meta(), cx.now, allowed).is_current(),
                ));
                self.dbs.entry(candidate.id).or_default().push(db);
            }
            None => self.uncovered.push(candidate.id.as_str().to_owned()),
        }
        self.rules.insert(candidate.id, candidate.feed);
        self.add_own(candidate.id);
    }

    fn add_own(&mut self, id: EcosystemId) {
        match self.own.db(id.as_str()) {
            Ok(db) => self.dbs.entry(id).or_default().push(db),
            Err(error) => self.problems.push(Problem::skipped(
                "embedded records of poisoned releases",
                error.to_string(),
            )),
        }
    }

    /// The indexes to ask about an ecosystem.
    pub fn of(&self, id: EcosystemId) -> &[AdvisoryDb] {
        self.dbs.get(&id).map_or(&[], Vec::as_slice)
    }

    /// A package name as the ecosystem's feed looks it up.
    pub fn normalise(&self, id: EcosystemId, name: &str) -> String {
        self.rules
            .get(&id)
            .map_or_else(|| name.to_owned(), |feed| feed.normalise(name))
    }

    /// Whether any advisory, withdrawn ones included, names this version or has it in a range: then it was published once.
    ///
    /// The caller asks only of packages of the ecosystem's public registry.
    pub fn named_by_advisory(&self, coordinate: &Coordinate) -> bool {
        if !matches!(coordinate.origin, Origin::Registry(_)) {
            return false;
        }
        let Some(feed) = self.rules.get(&coordinate.ecosystem) else {
            return false;
        };
        let order = feed.version_order();
        let name = feed.normalise(&coordinate.name);
        self.of(coordinate.ecosystem).iter().any(|db| {
            db.lookup(&name).unwrap_or_default().iter().any(|record| {
                ranges::standing(&record.ranges, &record.versions, &coordinate.version, order)
                    == Standing::Affected
            })
        })
    }
}

/// A feed that was taken although a few of its records could not be read says so in every run.
fn left_out(candidate: &Candidate, meta: &FeedMeta) -> Option<Notice> {
    let from_state = matches!(meta.origin, FeedOrigin::Fetched | FeedOrigin::Imported);
    let unreadable = candidate.kept.as_ref().map_or(0, |kept| kept.unreadable);
    (from_state && unreadable > 0).then(|| Notice {
        code: NoticeCode::Degraded,
        reason: None,
        ecosystem: Some(candidate.id),
        package: None,
        version: None,
        path: None,
        message: format!(
            "{unreadable} advisories of feed `{}` cannot be read and were left out",
            meta.name
        ),
        remedy: Some("untaint feeds update".to_owned()),
    })
}

fn facts(id: EcosystemId, meta: &FeedMeta, too_old: bool) -> FeedFacts {
    FeedFacts {
        name: meta.name.clone(),
        ecosystem: Some(id),
        updated: meta.confirmed.or(meta.updated).unwrap_or_default(),
        records: meta.records,
        origin: match meta.origin {
            FeedOrigin::Snapshot => "embedded",
            other => other.as_str(),
        },
        too_old,
    }
}
