//! Has what was published proven by transparency logs: kept proofs and cached log data first, then the network.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ecosystems;
use crate::ecosystems::contract::{Question, Reply};
use crate::ecosystems::proof::{KeptProofs, ProofContext, Proved};
use crate::model::{EcosystemId, Fingerprint, Place, Reason, RootId};
use crate::pipeline::flow::{Check, Checked, Inventory, Known, OpenRoot, Seen, Subject};
use crate::trust::claims::ClaimStore;
use crate::world::{Dir, Request, Response};

use super::consult::{Ask, Desk, reason_of};

impl KeptProofs for ClaimStore {
    fn blob(&self, name: &str) -> Option<Vec<u8>> {
        Self::blob(self, name)
    }

    fn put_blob(&self, name: &str, bytes: &[u8]) {
        Self::put_blob(self, name, bytes);
    }

    fn log_head(&self, log: &str) -> Option<Vec<u8>> {
        Self::log_head(self, log)
    }

    fn put_log_head(&self, log: &str, note: &[u8]) {
        Self::put_log_head(self, log, note);
    }
}

impl Desk<'_> {
    /// Learns what logs can prove.
    pub(super) fn prove(&self, asks: Vec<Ask>, known: &mut Known) {
        let mut by_log: BTreeMap<(EcosystemId, Fingerprint), Vec<Ask>> = BTreeMap::new();
        for ask in asks {
            let key = (ask.ecosystem.facts().id, ask.registry);
            by_log.entry(key).or_default().push(ask);
        }
        // The log data of caches is judged also where nothing rests on it.
        for key in self.logs.keys() {
            if self.inventory.read_caches.contains(&key.0) {
                by_log.entry(*key).or_default();
            }
        }
        for (key, asks) in by_log {
            let proved = self.prove_by(key, &asks);
            known.findings.extend(proved.findings);
            known.problems.extend(proved.problems);
            known.notices.extend(proved.notices);
            let files = proved.files.into_iter().map(|file| (key.0, file));
            known.log_files.extend(files);
            let mut replies = proved.replies.into_iter();
            for ask in asks {
                let reply = replies.next().unwrap_or_else(|| {
                    Reply::Gap(Reason::Unreachable, "its log was not asked".into())
                });
                let learned = self.learn(&ask, reply);
                known.packages.insert((ask.registry, ask.name), learned);
            }
        }
    }

    fn prove_by(&self, key: (EcosystemId, Fingerprint), asks: &[Ask]) -> Proved {
        let authority = ecosystems::of(key.0).and_then(|e| e.proving_authority());
        let (Some(log), Some(authority)) = (self.logs.get(&key), authority) else {
            return Proved::default();
        };
        let caches: Vec<(RootId, &dyn Dir)> = self
            .inventory
            .cache_roots
            .iter()
            .filter(|(_, ecosystem)| ecosystem.facts().id == key.0)
            .filter_map(|(at, _)| self.inventory.roots.get(*at))
            .map(|root| (root.info.id.clone(), root.dir()))
            .collect();
        let questions: Vec<Question> = asks
            .iter()
            .map(|ask| Question {
                name: Arc::clone(&ask.name),
                known: None,
                versions: ask.versions.iter().cloned().collect(),
                fresh: false,
            })
            .collect();
        let context = ProofContext {
            log,
            kept: self.store,
            caches: &caches,
            offline: self.offline || log.silent.is_some(),
            now: self.now,
        };
        authority.prove(&questions, &context, &mut |requests| self.send(requests))
    }

    fn send(&self, requests: Vec<Request>) -> Vec<Result<Response, Reason>> {
        let mut answers: Vec<Result<Response, Reason>> =
            requests.iter().map(|_| Err(Reason::Unreachable)).collect();
        if self.offline || self.progress.cancelled() {
            return answers;
        }
        self.fetch.batch(requests, &mut |position, response| {
            self.progress.advance(1);
            if let Some(slot) = answers.get_mut(position) {
                *slot = response.map_err(|e| reason_of(&e));
            }
        });
        answers
    }
}

/// One subject for each file of log data that was used or found false.
pub(super) fn log_files(known: &Known, inventory: &Inventory, checked: &mut Checked) {
    for (ecosystem, file) in &known.log_files {
        let at = |root: &OpenRoot| root.info.id == file.root;
        let Some(root) = inventory.roots.iter().position(at) else {
            continue;
        };
        checked.checks.push(Check {
            subject: Subject {
                ecosystem: *ecosystem,
                kind: file.kind,
                coordinate: None,
                artifact: None,
                place: Place::Cache,
                root,
                rel: std::path::PathBuf::from(&file.rel),
                size: None,
                line: None,
            },
            seen: Seen::Inspected {
                outcome: file.outcome,
                observed: None,
                entries: Vec::new(),
                findings: file.findings.clone(),
                note: file.note.clone(),
            },
        });
    }
}
