//! Settings of cargo, and the places that they or a project name: vendored folders, local registries, build folders.

use crate::ecosystems::contract::{
    NamedPlace, OpenContext, Posture, PostureContext, PostureReport, Session,
};
use crate::world::Dir;

use super::{derived, local_registry, vendor};

/// Cargo's settings and places.
pub(super) struct CargoPosture;

impl Posture for CargoPosture {
    fn examine(&self, _context: &PostureContext<'_>) -> PostureReport {
        PostureReport::default()
    }

    fn open_place(&self, place: &NamedPlace, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
        match place.kind {
            vendor::KIND => vendor::open(place, root, context),
            local_registry::KIND => local_registry::open(place, root, context),
            derived::KIND => derived::open(),
            _ => Session::default(),
        }
    }

    fn recognises(&self, dir: &dyn Dir, names: &[&str]) -> Option<&'static str> {
        if derived::is_one(dir, names) {
            Some(derived::KIND)
        } else if local_registry::is_one(names) {
            Some(local_registry::KIND)
        } else if vendor::is_one(dir, names) {
            Some(vendor::KIND)
        } else {
            None
        }
    }
}
