//! What came of a batch: heads compared, records settled, evidence narrowed. Asks for nothing more.

use std::collections::BTreeMap;

use super::super::authenticate::bytes;
use super::super::client::{ClaimReport, HeadReport, Report};
use super::super::error::{Error, Forgery, Reason};
use super::super::fork::{ForkEvidence, Relation};
use super::super::record::{Proven, Wanted};
use super::super::tree::TreeHead;
use super::{Batch, Item, Stage};

impl Batch {
    /// How a head relates to the newest, as far as the tiles at hand tell.
    fn relation(&self, head: &TreeHead) -> Relation {
        let newest = self.newest();
        let tree = newest.and_then(|newest| self.trees.get(&newest));
        let signed = newest.and_then(|newest| self.heads.get(&newest));
        match (self.heads.get(head), signed, tree) {
            (Some(older), Some(newer), Some(tree)) => ForkEvidence::compare(older, newer, tree),
            _ => Relation::NotChecked,
        }
    }

    /// Puts the results together.
    pub(super) fn report(&mut self) -> Report {
        let relations: BTreeMap<TreeHead, Relation> = self
            .heads
            .keys()
            .map(|head| (*head, self.relation(head)))
            .collect();
        for relation in relations.values() {
            if let Relation::Forked(evidence) = relation {
                self.accuse(&Error::Forked(evidence.clone()));
            }
        }
        let ours = self
            .ours
            .as_ref()
            .and_then(|ours| relations.get(ours.head()))
            .cloned();
        let newest = self
            .newest()
            .and_then(|head| self.heads.get(&head))
            .cloned();
        let forked = relations
            .values()
            .any(|relation| matches!(relation, Relation::Forked(_)));
        let follows = ours
            .as_ref()
            .is_none_or(|ours| *ours == Relation::Consistent);
        let report = |head: &TreeHead| {
            let relation = relations.get(head)?.clone();
            Some(HeadReport {
                head: self.heads.get(head)?.clone(),
                relation,
            })
        };
        let heads: Vec<HeadReport> = relations
            .keys()
            .filter(|head| newest.as_ref().is_none_or(|newest| newest.head() != *head))
            .filter(|head| !self.required.contains(head))
            .filter_map(report)
            .collect();
        let no_head = Error::Unverifiable(Reason::NoHead);
        let claimed = self
            .claimed
            .iter()
            .map(|(label, head)| {
                let status = match head {
                    Ok(head) => report(head).ok_or_else(|| no_head.clone()),
                    Err(error) => Err(error.clone()),
                };
                ClaimReport {
                    label: label.clone(),
                    status,
                }
            })
            .collect();
        let records = self.records(ours.as_ref(), &relations);
        let mut tiles = BTreeMap::new();
        for tree in self.trees.values() {
            tiles.extend(tree.tiles());
        }
        Report {
            records,
            keep: newest.clone().filter(|_| follows && !forked),
            newest,
            ours,
            heads,
            claimed,
            latest: self.latest.clone(),
            evidence: self.narrowed(),
            tiles,
        }
    }

    /// The outcome of every record. A fork of our own head condemns all, that of another the answers that came with it.
    fn records(
        &mut self,
        ours: Option<&Relation>,
        relations: &BTreeMap<TreeHead, Relation>,
    ) -> Vec<(Wanted, Result<Proven, Error>)> {
        let forked = |relation: Option<&Relation>| match relation {
            Some(Relation::Forked(evidence)) => Some(Error::Forked(evidence.clone())),
            _ => None,
        };
        let finish = |item: Item| {
            let own = item.head.as_ref().and_then(|head| relations.get(head));
            let result = match (forked(ours).or_else(|| forked(own)), item.stage) {
                (Some(fork), _) => Err(fork),
                (None, Stage::Done(result)) => *result,
                (None, Stage::Ask | Stage::Read(_)) => {
                    Err(item.trouble.unwrap_or(Error::Unverifiable(Reason::NoHead)))
                }
            };
            (item.wanted, result)
        };
        std::mem::take(&mut self.items)
            .into_iter()
            .map(finish)
            .collect()
    }

    /// The evidence, with edge tiles that a second answer showed to be genuine taken off the list of suspects.
    fn narrowed(&mut self) -> Vec<Error> {
        let mut evidence = std::mem::take(&mut self.evidence);
        for error in &mut evidence {
            let Error::Forged(forgery) = error else {
                continue;
            };
            let Forgery::Edge { tiles, head, .. } = forgery.as_mut() else {
                continue;
            };
            let Some(tree) = self.trees.get(head) else {
                continue;
            };
            tiles.retain(|(tile, offered)| {
                tree.entries(*tile)
                    .is_none_or(|entries| bytes(entries) != *offered)
            });
        }
        evidence
    }
}
