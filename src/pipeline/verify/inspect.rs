//! Lets the ecosystems look at what is neither archive nor tree, with what was learned at hand.

use std::sync::{Mutex, PoisonError};

use crate::ecosystems::contract::{Binding, InspectContext, Inspection, Proofs};
use crate::model::{Coordinate, Origin, Reason};
use crate::pipeline::flow::{Inventory, Known, Standing};
use crate::trust::ledger::Ledger;

use super::{Verify, pool};

impl Verify<'_> {
    /// Lets the ecosystems look at what is neither archive nor tree.
    pub(super) fn inspect(&self, inventory: &Inventory, known: &Known) -> Vec<Vec<Inspection>> {
        let mut order: Vec<usize> = (0..inventory.units.len())
            .filter(|at| {
                inventory
                    .units
                    .get(*at)
                    .is_some_and(|p| p.unit.inspector.is_some())
            })
            .collect();
        order.sort_by_key(|at| {
            let unit = inventory
                .units
                .get(*at)
                .and_then(|p| p.unit.inspector.as_ref());
            std::cmp::Reverse(unit.map_or(0, |i| i.weight()))
        });
        let slots: Vec<Mutex<Vec<Inspection>>> = inventory
            .units
            .iter()
            .map(|_| Mutex::new(Vec::new()))
            .collect();
        let proofs = self
            .ledger
            .filter(|_| !self.full)
            .map(|ledger| Proven(ledger, self.now));
        pool::for_each(
            self.jobs,
            &order,
            || (),
            |(), at| {
                let Some(placed) = inventory.units.get(at) else {
                    return;
                };
                let Some(root) = inventory.roots.get(placed.root) else {
                    return;
                };
                let Some(inspector) = &placed.unit.inspector else {
                    return;
                };
                let learned = match &placed.unit.binding {
                    Binding::Package(coordinate) => match &coordinate.origin {
                        Origin::Registry(registry) => known
                            .packages
                            .get(&(
                                registry.fingerprint,
                                placed.ecosystem.listing_name(&coordinate.name),
                            ))
                            .filter(|_| self.standings.asked_at(coordinate).is_some())
                            .ok_or_else(|| self.why_not_asked(coordinate)),
                        _ => Err(Reason::Unbound),
                    },
                    Binding::Unbound(reason) => Err(*reason),
                    _ => Err(Reason::NoRecord),
                };
                let context = InspectContext {
                    root: root.dir(),
                    fs: self.fs,
                    root_id: &root.info.id,
                    listing: learned.ok().and_then(|l| l.listing.as_deref()),
                    gap: learned.map_or_else(Some, |l| l.gap),
                    now: self.now,
                    full: self.full,
                    proofs: proofs.as_ref().map(|proofs| proofs as &dyn Proofs),
                    cancelled: &|| self.progress.cancelled(),
                };
                let seen = inspector.inspect(&context);
                if let Some(slot) = slots.get(at) {
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = seen;
                }
                self.progress.advance(1);
            },
        );
        slots
            .into_iter()
            .map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }

    fn why_not_asked(&self, coordinate: &Coordinate) -> Reason {
        match self.standings.of(coordinate) {
            Standing::Trusted { .. } => Reason::Unreachable,
            Standing::PrivateUnconfirmed => Reason::PrivateUnconfirmed,
            Standing::Private(_) => Reason::Private,
            Standing::Unpinned => Reason::UnpinnedRoot,
        }
    }
}

/// The ledger as inspectors see it, and the time.
struct Proven<'a>(&'a Ledger, i64);

impl Proofs for Proven<'_> {
    fn proven(&self, key: &[u8; 32]) -> bool {
        self.0.proof(key)
    }

    fn prove(&self, key: &[u8; 32], youngest: i64) {
        self.0.put_proof(key, youngest, self.1);
    }
}
