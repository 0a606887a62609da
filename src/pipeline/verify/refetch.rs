//! The second pass: trees that were not held against the archive that they must equal.
//!
//! That archive's manifest may be known by now (another copy in the cache, an earlier run); else the archive is fetched,
//! checked against the trusted digest, and looked into in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::ecosystems;
use crate::ecosystems::contract::{ArchivePart, Binding};
use crate::model::{ArtifactId, Digest, Origin, Reason, Scheme};
use crate::pipeline::flow::{Inventory, PlacedUnit, Recent};
use crate::pipeline::knowledge::Sage;
use crate::world::{Request, Response};

use super::by_recipe;
use super::manifest::Builder;
use super::opened::Source;
use super::pool::{self, Budget};
use super::tree::TreeSeen;
use super::unpack::{self, Scratch};
use super::{FetchArchives, UnitSeen, Verify, must_be};

/// Largest archive that is fetched.
const LARGEST: u64 = 128 << 20;

/// A tree, and the digest of the archive that it must equal.
struct Open {
    at: usize,
    digest: Digest,
    artifact: Arc<ArtifactId>,
}

/// Holds the trees against what they must equal, as far as that can be had.
pub(super) fn second_pass(
    verify: &Verify<'_>,
    inventory: &Inventory,
    sage: &Sage<'_>,
    seen: &mut [UnitSeen],
) {
    let open = open_trees(verify, inventory, sage, seen);
    if open.is_empty() {
        return;
    }
    let missing: Vec<&Open> = open
        .iter()
        .filter(|o| !by_recipe::has_manifest(verify.store, &o.digest))
        .collect();
    let fetched = fetch(verify, inventory, &missing);
    let budget = Budget::new(verify.in_flight);
    let bench = verify.bench(&budget, None);
    let order: Vec<usize> = (0..open.len()).collect();
    let results: Vec<Mutex<Option<TreeSeen>>> = open.iter().map(|_| Mutex::new(None)).collect();
    pool::for_each(verify.jobs, &order, Scratch::new, |scratch, position| {
        let Some(task) = open.get(position) else {
            return;
        };
        let Some(placed) = inventory.units.get(task.at) else {
            return;
        };
        let Some(root) = inventory.roots.get(placed.root) else {
            return;
        };
        let Some(tree) = &placed.unit.tree else {
            return;
        };
        let result = if by_recipe::has_manifest(verify.store, &task.digest) {
            bench.tree_known(root.dir(), tree, &task.digest, scratch)
        } else {
            match fetched.get(&task.digest) {
                Some(Ok(bytes)) => {
                    // Not plain, so it has no manifest.
                    let hashed = Digest::sha256(Sha256::digest(bytes).into());
                    match archive_like(placed, &task.artifact) {
                        Some(part) => {
                            bench.tree_of_fetched(root.dir(), tree, &part, bytes, hashed, scratch)
                        }
                        None => TreeSeen {
                            gap: Some(Reason::ArchiveNotHeld),
                            ..TreeSeen::default()
                        },
                    }
                }
                Some(Err(reason)) => TreeSeen {
                    gap: Some(*reason),
                    ..TreeSeen::default()
                },
                None => TreeSeen {
                    gap: Some(why_not(verify)),
                    ..TreeSeen::default()
                },
            }
        };
        if let Some(slot) = results.get(position) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
    });
    for (task, result) in open.iter().zip(results) {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let (Some(slot), Some(result)) = (seen.get_mut(task.at), result) {
            // What the tree looks like beside an archive that is not the published one says nothing.
            slot.tree = Some(result);
        }
    }
}

fn open_trees(
    verify: &Verify<'_>,
    inventory: &Inventory,
    sage: &Sage<'_>,
    seen: &[UnitSeen],
) -> Vec<Open> {
    let mut open = Vec::new();
    for (at, (placed, seen)) in inventory.units.iter().zip(seen).enumerate() {
        let (Some(tree), Binding::Artifact(artifact)) = (&seen.tree, &placed.unit.binding) else {
            continue;
        };
        if tree.absent || tree.irregular.is_some() || tree.gap == Some(Reason::ChangedWhileRead) {
            continue;
        }
        let none = Recent::new();
        let knowledge = sage.knowledge(&artifact.coordinate, &artifact.file, &none);
        let must = must_be(&knowledge.claims).or_else(|| {
            // Without a trusted claim, a tree without archive is held against what lockfiles declare.
            let declared = knowledge
                .claims
                .iter()
                .map(|c| c.digest)
                .collect::<Vec<_>>();
            declared
                .into_iter()
                .find(|d| tree.basis.is_none() && by_recipe::has_manifest(verify.store, d))
        });
        let Some(digest) = must else { continue };
        if tree.basis != Some(digest) {
            open.push(Open {
                at,
                digest,
                artifact: Arc::clone(artifact),
            });
        }
    }
    open
}

fn why_not(verify: &Verify<'_>) -> Reason {
    if verify.offline {
        Reason::Offline
    } else {
        Reason::ArchiveNotHeld
    }
}

/// An archive part for an artifact that the unit itself does not hold.
fn archive_like(placed: &PlacedUnit, artifact: &ArtifactId) -> Option<ArchivePart> {
    let own = placed.unit.archive.clone();
    own.or_else(|| Some(placed.ecosystem.authority()?.archive_part(artifact)))
}

/// Looks into fetched bytes, once. `None`: they are not the archive that was wanted. `Some(false)`: they are, but readers
/// could disagree on what it holds, so that no manifest can be kept.
fn look(verify: &Verify<'_>, placed: &PlacedUnit, task: &Open, bytes: &[u8]) -> Option<bool> {
    let hashed = Digest::sha256(Sha256::digest(bytes).into());
    let by_recipe = task.digest.scheme() == Scheme::H1;
    if !by_recipe && hashed != task.digest {
        return None;
    }
    let part = archive_like(placed, &task.artifact)?;
    let mut builder = Builder::of(part.format);
    let (mut scratch, source) = (Scratch::new(), Source::Bytes(bytes));
    let looked = unpack::unpack(
        part.format,
        source,
        &part.top,
        unpack::SMALL,
        &mut scratch,
        &mut builder,
    );
    let Ok(unpacked) = looked else {
        return (!by_recipe).then_some(false);
    };
    if by_recipe && unpacked.recipe != Some(task.digest) {
        return None;
    }
    let plain = unpacked.ambiguities.is_empty();
    if plain {
        let mut manifest = builder.finish(hashed, unpacked.content, unpacked.irregular);
        manifest.h1 = unpacked.recipe;
        verify.store.put_manifest(&manifest);
        if let Some(recipe) = &unpacked.recipe {
            by_recipe::put(verify.store, recipe, &hashed);
        }
    }
    Some(plain)
}

type Fetched = BTreeMap<Digest, Result<Vec<u8>, Reason>>;

/// Fetches archives and keeps the manifests of those whose bytes hash to the trusted digest. Bytes are given only of those
/// that can have none, so that memory does not grow with what is fetched.
fn fetch(verify: &Verify<'_>, inventory: &Inventory, missing: &[&Open]) -> Fetched {
    let mut fetched = Fetched::new();
    if verify.offline || verify.fetch_archives == FetchArchives::Never {
        return fetched;
    }
    let mut configs: BTreeMap<Arc<str>, Option<Vec<u8>>> = BTreeMap::new();
    let mut wanted: Vec<(&Open, Request)> = Vec::new();
    for task in missing {
        if wanted.iter().any(|(other, _)| other.digest == task.digest) {
            continue;
        }
        let Some(request) = request(verify, task, &mut configs) else {
            continue;
        };
        wanted.push((*task, request));
    }
    let mut total = 0u64;
    let (tasks, requests): (Vec<&Open>, Vec<Request>) = wanted.into_iter().unzip();
    verify.fetch.batch(requests, &mut |position, response| {
        let Some(task) = tasks.get(position) else {
            return;
        };
        let Some(placed) = inventory.units.get(task.at) else {
            return;
        };
        let result = match response {
            Ok(Response {
                status: 200, body, ..
            }) => {
                total = total.saturating_add(body.len() as u64);
                if total > verify.max_fetch {
                    Err(Reason::Limit)
                } else {
                    match look(verify, placed, task, &body) {
                        // Its manifest speaks for it.
                        Some(true) => return,
                        Some(false) => Ok(body),
                        None => Err(Reason::ArchiveNotHeld),
                    }
                }
            }
            Ok(_) => Err(Reason::ArchiveNotHeld),
            Err(crate::world::FetchError::TooLarge(_)) => Err(Reason::Limit),
            Err(_) => Err(Reason::Unreachable),
        };
        fetched.insert(task.digest, result);
    });
    fetched
}

fn request(
    verify: &Verify<'_>,
    task: &Open,
    configs: &mut BTreeMap<Arc<str>, Option<Vec<u8>>>,
) -> Option<Request> {
    let coordinate = &task.artifact.coordinate;
    let Origin::Registry(registry) = &coordinate.origin else {
        return None;
    };
    let (address, _) = &verify.standings.asked_at(coordinate)?;
    let authorised = |mut request: Request| {
        request.authorization = verify.standings.credential(
            coordinate.ecosystem,
            &registry.fingerprint,
            &request.url,
            verify.env,
        );
        request
    };
    let authority = ecosystems::of(coordinate.ecosystem)?.authority()?;
    if !configs.contains_key(address) {
        let mut answer = None;
        if let Some(request) = authority.config_request(address) {
            verify
                .fetch
                .batch(vec![authorised(request)], &mut |_, response| {
                    answer = response.ok().filter(|r| r.status == 200).map(|r| r.body);
                });
        }
        configs.insert(Arc::clone(address), answer);
    }
    let config = configs.get(address).and_then(|c| c.as_deref());
    authority
        .archive_request(
            config,
            address,
            &task.artifact,
            &task.digest,
            LARGEST.min(verify.max_fetch),
        )
        .map(authorised)
}
