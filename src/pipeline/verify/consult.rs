//! Asks the authorities what was published: the claim store first, then one batch per registry over the network.
//!
//! Only trusted roots are asked. What cannot be learned stays a gap with its reason; it never becomes an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ecosystems::contract::{Authority, Ecosystem, Question, Reply};
use crate::model::{
    Assurance, Claim, Claimant, Fingerprint, Listing, Notice, NoticeCode, Reason, VersionFacts,
};
use crate::pipeline::flow::{Inventory, Known, Learned, Saying};
use crate::pipeline::registries::Logs;
use crate::pipeline::standings::Standings;
use crate::trust::claims::ClaimStore;
use crate::world::{Env, Fetch, FetchError, Progress, Request};

/// What is to be learned of one package at one trusted registry.
pub(super) struct Ask {
    pub(super) ecosystem: &'static dyn Ecosystem,
    pub(super) registry: Fingerprint,
    /// Under which its claims are kept: the registry's own fingerprint, or that of the mirror that is asked.
    pub(super) kept: Fingerprint,
    pub(super) address: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) versions: BTreeSet<Arc<str>>,
}

/// What consulting may use.
pub(super) struct Desk<'a> {
    pub(super) store: &'a ClaimStore,
    pub(super) fetch: &'a dyn Fetch,
    pub(super) env: &'a dyn Env,
    pub(super) standings: &'a Standings,
    pub(super) progress: &'a dyn Progress,
    pub(super) offline: bool,
    pub(super) now: i64,
    pub(super) logs: &'a Logs,
    pub(super) inventory: &'a Inventory,
}

impl Desk<'_> {
    /// Learns what can be learned.
    pub(super) fn consult(&self, asks: Vec<Ask>) -> Known {
        let mut known = Known::default();
        let mut open: BTreeMap<(Fingerprint, Arc<str>), Vec<Ask>> = BTreeMap::new();
        let (proving, asks): (Vec<Ask>, Vec<Ask>) = asks
            .into_iter()
            .partition(|ask| ask.ecosystem.proving_authority().is_some());
        self.prove(proving, &mut known);
        for ask in asks {
            let stored = self.store.listing(&ask.kept, &ask.name).map(Arc::new);
            let suffices = stored
                .as_ref()
                .is_some_and(|listing| self.suffices(listing, &ask));
            if suffices || self.offline {
                let learned = self.of_store(stored, &ask);
                known
                    .packages
                    .insert((ask.registry, Arc::clone(&ask.name)), learned);
            } else {
                open.entry((ask.registry, Arc::clone(&ask.address)))
                    .or_default()
                    .push(ask);
            }
        }
        for ((_, address), asks) in open {
            let Some(authority) = asks.first().and_then(|ask| ask.ecosystem.authority()) else {
                continue;
            };
            self.ask(authority, &address, asks, &mut known);
        }
        known
    }

    /// A remembered listing is enough if it is of today and says something of every version that matters.
    fn suffices(&self, listing: &Listing, ask: &Ask) -> bool {
        listing.is_current(self.now)
            && ask
                .versions
                .iter()
                .all(|v| listing.version(v).is_some_and(|facts| !facts.withdrawn))
    }

    fn of_store(&self, listing: Option<Arc<Listing>>, ask: &Ask) -> Learned {
        let current = listing.as_ref().is_some_and(|l| l.is_current(self.now));
        Learned {
            gap: (!current || listing.is_none()).then_some(if self.offline {
                Reason::Offline
            } else {
                Reason::Unreachable
            }),
            listing,
            no_such_package: false,
            denied: BTreeSet::new(),
            said: self.said(ask),
            assurance: Assurance::Published,
        }
    }

    /// What claims files say of the versions that matter, and what the registry said of them on earlier runs.
    fn said(&self, ask: &Ask) -> Vec<Saying> {
        let mut said = Vec::new();
        let mut say = |facts: &VersionFacts, assurance: Assurance, by: Claimant| {
            for digest in &facts.digests {
                let claim = Claim {
                    assurance,
                    by,
                    digest: *digest,
                    detail: None,
                };
                said.push(Saying {
                    version: Arc::clone(&facts.version),
                    claim,
                });
            }
        };
        let matters = |facts: &&VersionFacts| ask.versions.contains(&facts.version);
        for file in self.store.listings(&ask.kept, &ask.name) {
            if file.by == Claimant::Imported {
                for facts in file.value.versions.iter().filter(matters) {
                    say(facts, file.assurance, file.by);
                }
            }
        }
        for earlier in self.store.earlier(&ask.kept, &ask.name) {
            if ask.versions.contains(&earlier.facts.version) {
                say(
                    &earlier.facts,
                    Assurance::Published,
                    Claimant::RegistryIndex,
                );
            }
        }
        said
    }

    fn ask(&self, authority: &dyn Authority, address: &str, asks: Vec<Ask>, known: &mut Known) {
        let replies = self.inquire(authority, address, &asks, false);
        // Something that is missing is asked for once more, past caches on the way, before anybody is accused.
        let missing: Vec<usize> = asks
            .iter()
            .zip(&replies)
            .enumerate()
            .filter(|(_, (ask, reply))| lacks(reply, ask))
            .map(|(at, _)| at)
            .collect();
        let again: Vec<Ask> = missing
            .iter()
            .filter_map(|at| asks.get(*at))
            .map(copy)
            .collect();
        let mut second: BTreeMap<usize, Reply> = BTreeMap::new();
        if !again.is_empty() {
            let fresh = self.inquire(authority, address, &again, true);
            second.extend(missing.into_iter().zip(fresh));
        }
        let mut gaps: BTreeMap<Reason, (u64, String)> = BTreeMap::new();
        for (at, (ask, first)) in asks.into_iter().zip(replies).enumerate() {
            let reply = second.remove(&at).unwrap_or(first);
            if let Reply::Gap(reason, why) = &reply {
                let gap = gaps.entry(*reason).or_insert((0, why.clone()));
                gap.0 += 1;
            }
            let learned = self.learn(&ask, reply);
            known.packages.insert((ask.registry, ask.name), learned);
        }
        for (_, (count, why)) in gaps {
            known.notices.push(Notice {
                code: NoticeCode::Degraded,
                reason: None,
                ecosystem: None,
                package: None,
                version: None,
                path: None,
                message: format!("the registry index left {count} packages unanswered: {why}"),
                remedy: Some("check the network and run again".into()),
            });
        }
    }

    fn inquire(
        &self,
        authority: &dyn Authority,
        address: &str,
        asks: &[Ask],
        fresh: bool,
    ) -> Vec<Reply> {
        let questions = asks
            .iter()
            .map(|ask| Question {
                name: Arc::clone(&ask.name),
                known: (!fresh)
                    .then(|| self.store.listing(&ask.kept, &ask.name))
                    .flatten()
                    .map(Arc::new),
                versions: ask.versions.iter().cloned().collect(),
                fresh,
            })
            .collect();
        let mut inquiry = authority.begin(address, questions);
        loop {
            let needed = inquiry.need();
            if needed.is_empty() || self.progress.cancelled() {
                break;
            }
            let (keys, mut requests): (Vec<u64>, Vec<_>) = needed.into_iter().unzip();
            for request in &mut requests {
                self.authorise(request, asks);
            }
            self.fetch.batch(requests, &mut |position, response| {
                self.progress.advance(1);
                if let Some(key) = keys.get(position) {
                    inquiry.answer(*key, response.map_err(|e| reason_of(&e)), self.now);
                }
            });
        }
        inquiry.finish()
    }

    /// Every ask of a batch is of one registry, so its root alone decides about the credential.
    fn authorise(&self, request: &mut Request, asks: &[Ask]) {
        if let Some(ask) = asks.first() {
            let ecosystem = ask.ecosystem.facts().id;
            request.authorization =
                self.standings
                    .credential(ecosystem, &ask.registry, &request.url, self.env);
        }
    }

    pub(super) fn learn(&self, ask: &Ask, reply: Reply) -> Learned {
        let earlier = self.store.listing(&ask.kept, &ask.name).map(Arc::new);
        match reply {
            Reply::Listing(listing) => {
                let listing = Arc::new(with_withdrawn(&listing, earlier.as_deref()));
                self.store.put_listing(&ask.kept, &ask.name, &listing);
                Learned {
                    listing: Some(listing),
                    no_such_package: false,
                    denied: BTreeSet::new(),
                    gap: None,
                    said: self.said(ask),
                    assurance: Assurance::Published,
                }
            }
            Reply::NoSuchPackage => {
                // "No such package" says of every version that it is not there.
                let nothing = Listing {
                    complete: true,
                    fetched_at: self.now,
                    confirmed_at: self.now,
                    ..Listing::default()
                };
                let gone = Arc::new(with_withdrawn(&nothing, earlier.as_deref()));
                if earlier.is_some() {
                    self.store.put_listing(&ask.kept, &ask.name, &gone);
                }
                Learned {
                    listing: Some(gone),
                    no_such_package: true,
                    denied: BTreeSet::new(),
                    gap: None,
                    said: self.said(ask),
                    assurance: Assurance::Published,
                }
            }
            Reply::Proven {
                listing,
                gap,
                denied,
            } => Learned {
                listing: Some(listing),
                no_such_package: false,
                denied,
                gap,
                said: self.said(ask),
                assurance: Assurance::Authenticated,
            },
            Reply::Gap(reason, _) => Learned {
                listing: earlier,
                no_such_package: false,
                denied: BTreeSet::new(),
                gap: Some(reason),
                said: self.said(ask),
                assurance: Assurance::Published,
            },
        }
    }
}

/// Whether an answer leaves out something that matters.
fn lacks(reply: &Reply, ask: &Ask) -> bool {
    match reply {
        Reply::Listing(listing) => {
            listing.complete && ask.versions.iter().any(|v| listing.version(v).is_none())
        }
        Reply::NoSuchPackage => true,
        Reply::Proven { .. } | Reply::Gap(..) => false,
    }
}

/// The newest answer, and the versions that earlier answers had and it has not: their digests still count.
fn with_withdrawn(new: &Listing, old: Option<&Listing>) -> Listing {
    let mut listing = new.clone();
    // An answer that could not be read whole says nothing about what it does not show.
    if !listing.complete {
        return listing;
    }
    let have: BTreeSet<Arc<str>> = listing
        .versions
        .iter()
        .map(|v| Arc::clone(&v.version))
        .collect();
    let gone = old
        .into_iter()
        .flat_map(|old| &old.versions)
        .filter(|v| !have.contains(&v.version));
    let gone: Vec<VersionFacts> = gone
        .map(|v| VersionFacts {
            withdrawn: true,
            ..v.clone()
        })
        .collect();
    listing.versions.extend(gone);
    listing
}

fn copy(ask: &Ask) -> Ask {
    Ask {
        ecosystem: ask.ecosystem,
        registry: ask.registry,
        kept: ask.kept,
        address: Arc::clone(&ask.address),
        name: Arc::clone(&ask.name),
        versions: ask.versions.clone(),
    }
}

pub(super) fn reason_of(error: &FetchError) -> Reason {
    match error {
        FetchError::TooLarge(_) => Reason::Limit,
        FetchError::Unreachable(_)
        | FetchError::Refused(_)
        | FetchError::Denied(_)
        | FetchError::Cancelled => Reason::Unreachable,
    }
}
