//! What the checksum database's log has, proven: a hash of a zip and one of a `go.mod` file for each version of a module.
//!
//! Order: proofs kept from earlier runs, verified anew; then one batch for the rest, which takes look-ups and tiles from the
//! caches' own log data first and from the network where that lacks something or is false. Offline, what the caches hold is
//! proven under the heads that came with it. Only names that were asked about leave this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ecosystems::contract::{Question, Reply};
use crate::ecosystems::proof::{LogRoot, ProofContext, Proved, ProvingAuthority, Send};
use crate::model::listing::{Listing, VersionFacts};
use crate::model::{Digest, Reason, Scheme};
use crate::tlog::{
    self, Answer, Batch, Error, Got, Hash, Lookup, Options, Proven, SignedHead, Step, Tile, Wanted,
};

use super::denied;
use super::log_audit::{self, Accused, Genuine};
use super::log_files;
use super::log_head;
use super::log_heads;
use super::log_place::{self, LogFolder, Remote};
use super::log_said::{self, Said, Way};
use super::log_tiles::Known;
use super::proxy_said::{self, ProxySaid};

/// Records of one batch (its tiles are held in memory, several times while it is worked on).
const BATCH: usize = 500;

/// The log.
pub(super) struct ChecksumLog;

impl ProvingAuthority for ChecksumLog {
    fn prove(
        &self,
        questions: &[Question],
        context: &ProofContext<'_>,
        send: &mut Send<'_>,
    ) -> Proved {
        let mut proving = Proving {
            context,
            folders: LogFolder::all(context),
            results: BTreeMap::new(),
            upper: BTreeMap::new(),
            genuine: Genuine::new(),
            heads: Vec::new(),
            said: Said::default(),
            accused: Accused::default(),
            proved: Proved::default(),
        };
        proving.audit();
        let wanted: BTreeSet<Wanted> = questions.iter().flat_map(wanted).collect();
        let open = proving.take_kept(wanted);
        for part in open.chunks(BATCH) {
            proving.batch(part.to_vec(), send);
        }
        proving.ask_again(send);
        let said = proxy_said::ask(context, questions, &proving.results, send);
        proving.finish(questions, said)
    }
}

/// The records that a question is about: a version and its `go.mod` are one.
fn wanted(question: &Question) -> impl Iterator<Item = Wanted> {
    question.versions.iter().map(|row| Wanted {
        module: question.name.to_string(),
        version: row.strip_suffix("/go.mod").unwrap_or(row).to_owned(),
    })
}

/// What became of a record.
pub(super) enum Outcome {
    Proven {
        zip: Digest,
        go_mod: Digest,
        /// The record's number and its hash as a leaf of the log's tree.
        record: (u64, Hash),
    },
    NoRecord,
    /// Neither the log nor the proxy has it.
    Denied,
    Gap(Reason),
}

struct Proving<'a> {
    context: &'a ProofContext<'a>,
    folders: Vec<LogFolder<'a>>,
    results: BTreeMap<Wanted, Outcome>,
    /// Tiles above the lowest level that were authenticated: they serve many records.
    upper: BTreeMap<Tile, Vec<u8>>,
    /// Files of the caches that a signed head commits to.
    genuine: Genuine,
    /// Every signed head that was met.
    heads: Vec<SignedHead>,
    /// What was proven without asking the log.
    said: Said,
    accused: Accused,
    proved: Proved,
}

impl Proving<'_> {
    /// Judges the log data of the caches by itself.
    fn audit(&mut self) {
        for folder in &self.folders {
            let audited = log_audit::audit(
                folder,
                self.context.log,
                &mut self.accused,
                &mut self.proved.problems,
            );
            self.genuine.extend(audited.genuine);
            self.heads.extend(audited.heads);
        }
    }

    /// Takes what kept proofs still prove; gives the rest.
    fn take_kept(&mut self, wanted: BTreeSet<Wanted>) -> Vec<Wanted> {
        let mut open = Vec::new();
        // Most proofs were made under few heads: each signature is verified once.
        let mut heads = BTreeMap::new();
        for wanted in wanted {
            if log_place::name(&tlog::Resource::Lookup(wanted.clone())).is_none() {
                // No module has this name: the log cannot be asked.
                self.results.insert(wanted, Outcome::NoRecord);
                continue;
            }
            let kept = self
                .context
                .kept
                .blob(&blob_name(self.context.log, &wanted));
            let proven = kept.and_then(|kept| unpack(&kept, &wanted, self.context.log, &mut heads));
            match proven {
                Some(proven) => {
                    if self.context.offline {
                        self.said.proven(Way::Kept, proven.tree(), &wanted);
                    }
                    self.results.insert(wanted, outcome(&proven));
                }
                None => open.push(wanted),
            }
        }
        open
    }

    fn batch(&mut self, wanted: Vec<Wanted>, send: &mut Send<'_>) {
        let log = self.context.log;
        let keys = vec![log.key.clone()];
        let ours = log_head::newest(self.kept_head(), &log.key);
        let online = !self.context.offline;
        let options = Options {
            ask_latest: online,
            check_heads: false,
            older_heads: !online,
        };
        let remote = Remote::of(log).filter(|_| online);
        let claimed = log_heads::of_this_key(log);
        let mut batch = Batch::new(keys, ours.clone(), claimed, wanted, options);
        let mut answers = Vec::new();
        let report = loop {
            match batch.next(std::mem::take(&mut answers)) {
                Step::Done(report) => break report,
                Step::Need(requests) => answers = self.answer(requests, remote.as_ref(), send),
            }
        };
        // A first head of ours is one that the log itself gave; later ones continue it by proof, wherever they come from.
        let given = report.latest.as_ref().and_then(|l| l.as_ref().ok());
        let keep = report.keep.as_ref();
        if let Some(head) = keep.filter(|head| ours.is_some() || given == Some(head.head())) {
            self.context.kept.put_log_head(&log.name, head.note());
            log_said::remember(self.context, head.head());
        }
        if !online {
            self.said.ours(ours.as_ref(), report.ours.as_ref());
        }
        let heads = report.heads.iter().map(|head| head.head.clone());
        self.heads
            .extend(report.newest.iter().cloned().chain(heads));
        for error in &report.evidence {
            self.accused.add(error, &self.folders);
        }
        let upper = report
            .tiles
            .into_iter()
            .filter(|(tile, _)| tile.level() > 0);
        self.upper.extend(upper);
        for (wanted, result) in report.records {
            let outcome = match result {
                Ok(proven) => {
                    let name = blob_name(log, &wanted);
                    self.context.kept.put_blob(&name, &pack(&proven));
                    if !online {
                        self.said.proven(Way::Cached, proven.tree(), &wanted);
                    }
                    outcome(&proven)
                }
                Err(Error::Unverifiable(tlog::Reason::NoRecord)) => Outcome::NoRecord,
                Err(_) if log.silent.is_some() => Outcome::Gap(Reason::PrivateUnconfirmed),
                Err(_) if !online => Outcome::Gap(Reason::Offline),
                Err(_) => Outcome::Gap(Reason::Unreachable),
            };
            self.results.insert(wanted, outcome);
        }
    }

    /// Our newest head of earlier runs.
    fn kept_head(&self) -> Option<SignedHead> {
        let note = self.context.kept.log_head(&self.context.log.name)?;
        SignedHead::open(&note, std::slice::from_ref(&self.context.log.key)).ok()
    }

    /// What the log did not know is asked for once more before anybody is accused.
    fn ask_again(&mut self, send: &mut Send<'_>) {
        if self.context.offline {
            return;
        }
        let unknown: Vec<Wanted> = self
            .results
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::NoRecord))
            .map(|(wanted, _)| wanted.clone())
            .filter(|wanted| log_place::name(&tlog::Resource::Lookup(wanted.clone())).is_some())
            .collect();
        let mut known = Vec::new();
        for part in unknown.chunks(BATCH) {
            let answers = denied::ask(self.context, part, send);
            for (wanted, answer) in part.iter().zip(answers) {
                match answer {
                    denied::Answer::Known => known.push(wanted.clone()),
                    denied::Answer::NotYet => {}
                    denied::Answer::Denied => {
                        self.results.insert(wanted.clone(), Outcome::Denied);
                    }
                }
            }
        }
        for part in known.chunks(BATCH) {
            self.batch(part.to_vec(), send);
        }
    }

    fn answer(
        &self,
        requests: Vec<tlog::Request>,
        remote: Option<&Remote>,
        send: &mut Send<'_>,
    ) -> Vec<Answer> {
        let mut answers = Vec::new();
        let mut open = Vec::new();
        for request in requests {
            let local = (!request.fresh).then(|| self.at_hand(&request.resource));
            match local.flatten() {
                Some(bytes) => answers.push(Answer {
                    request,
                    got: Got::Bytes(bytes),
                }),
                None => open.push(request),
            }
        }
        let mut sent = Vec::new();
        let mut gets = Vec::new();
        for request in open {
            match remote.and_then(|remote| remote.request(&request)) {
                Some(get) => {
                    gets.push(get);
                    sent.push(request);
                }
                None => answers.push(Answer {
                    request,
                    got: Got::Unavailable("no network is used".to_owned()),
                }),
            }
        }
        if !gets.is_empty() {
            let responses = send(gets);
            for (request, response) in sent.into_iter().zip(responses) {
                answers.push(log_place::answer(request, response));
            }
        }
        answers
    }

    /// What was fetched for an earlier batch, or lies in a cache.
    fn at_hand(&self, resource: &tlog::Resource) -> Option<Vec<u8>> {
        if let tlog::Resource::Tile(tile) = resource
            && let Some(bytes) = self.upper.get(tile)
        {
            return Some(bytes.clone());
        }
        let mut offers = self.folders.iter().map(|f| f.offer(resource));
        offers.find_map(|offer| Some(offer?.1))
    }

    fn finish(mut self, questions: &[Question], said: ProxySaid) -> Proved {
        let now = self.context.now;
        self.proved.replies = questions
            .iter()
            .map(|question| reply(question, &self.results, &said, now))
            .collect();
        let released = log_head::released(&self.context.log.key);
        self.heads
            .extend(self.kept_head().into_iter().chain(released));
        let known = Known {
            heads: &self.heads,
            tiles: &self.upper,
        };
        let problems = &mut self.proved.problems;
        self.proved.files = log_files::judge(
            &self.folders,
            &self.results,
            &self.genuine,
            &known,
            &mut self.accused,
            problems,
        );
        let heads = log_heads::judge(self.context, &mut self.accused, problems);
        self.proved.files.extend(heads);
        let untold = log_said::untold(self.context, &self.results);
        self.proved.notices.extend(untold);
        let notices = self.said.notices(self.context, &self.folders);
        self.proved.notices.extend(notices);
        self.proved.files.extend(said.files);
        self.proved.findings.extend(said.findings);
        self.proved.findings.extend(self.accused.findings());
        self.proved
    }
}

/// A listing of the versions that were asked about, as far as they are proven.
fn reply(
    question: &Question,
    results: &BTreeMap<Wanted, Outcome>,
    said: &ProxySaid,
    now: i64,
) -> Reply {
    let mut listing = Listing {
        complete: false,
        fetched_at: now,
        confirmed_at: now,
        ..Listing::default()
    };
    let mut gap = None;
    let mut denied = BTreeSet::new();
    for (row, wanted) in question.versions.iter().zip(wanted(question)) {
        let is_zip = !row.ends_with("/go.mod");
        let digest = match results.get(&wanted) {
            Some(Outcome::Proven { zip, go_mod, .. }) => {
                if is_zip {
                    *zip
                } else {
                    *go_mod
                }
            }
            Some(Outcome::NoRecord) => continue,
            Some(Outcome::Denied) => {
                denied.insert(Arc::clone(row));
                continue;
            }
            Some(Outcome::Gap(reason)) => {
                gap = Some(*reason);
                continue;
            }
            None => {
                gap = Some(Reason::Unreachable);
                continue;
            }
        };
        listing.versions.push(VersionFacts {
            version: Arc::clone(row),
            digests: vec![digest],
            // Of a zip: the manifest alone of a version that was taken back does no harm.
            yanked: is_zip && said.retracted.contains(&wanted),
            withdrawn: is_zip && said.withdrawn.contains(&wanted),
            published_at: None,
            facts: [0; 16],
        });
    }
    Reply::Proven {
        listing: Arc::new(listing),
        gap,
        denied,
    }
}

fn outcome(proven: &Proven) -> Outcome {
    let lookup = Lookup::parse(&proven.answer, &proven.wanted);
    match (h1(&proven.zip), h1(&proven.go_mod), lookup) {
        (Some(zip), Some(go_mod), Ok(lookup)) => Outcome::Proven {
            zip,
            go_mod,
            record: (lookup.id(), lookup.leaf()),
        },
        _ => Outcome::Gap(Reason::Unreachable),
    }
}

fn h1(hash: &Hash) -> Option<Digest> {
    Digest::new(Scheme::H1, hash.as_bytes()).ok()
}

/// Heads whose signature was verified, by their note.
type Heads = BTreeMap<Vec<u8>, SignedHead>;

/// The name under which a proof is kept.
fn blob_name(log: &LogRoot, wanted: &Wanted) -> String {
    format!(
        "log-proof/{}/{}@{}",
        log.name, wanted.module, wanted.version
    )
}

/// Answer, head and proof, each with its length before it.
fn pack(proven: &Proven) -> Vec<u8> {
    let proof: Vec<u8> = proven
        .proof
        .iter()
        .flat_map(|h| h.as_bytes().to_vec())
        .collect();
    let mut packed = Vec::new();
    for part in [proven.answer.as_slice(), proven.under.note(), &proof] {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(part);
    }
    packed
}

/// Proves again what was kept; `None` if it does not prove it.
fn unpack(kept: &[u8], wanted: &Wanted, log: &LogRoot, heads: &mut Heads) -> Option<Proven> {
    let mut rest = kept;
    let mut part = || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (part, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some(part)
    };
    let (answer, note, proof) = (part()?, part()?, part()?);
    let hashes: Vec<Hash> = proof
        .chunks_exact(32)
        .filter_map(|raw| raw.try_into().ok().map(Hash::new))
        .collect();
    let under = match heads.get(note) {
        Some(under) => under.clone(),
        None => {
            let under = SignedHead::open(note, std::slice::from_ref(&log.key)).ok()?;
            heads.insert(note.to_vec(), under.clone());
            under
        }
    };
    Proven::from_kept(wanted, answer, under, hashes).ok()
}
