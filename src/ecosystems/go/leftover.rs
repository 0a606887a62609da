//! Things in a cache that stand for no module: listed as one subject each, with their reason.

use std::path::PathBuf;

use crate::ecosystems::contract::{InspectContext, Inspection, Inspector};
use crate::model::{Outcome, Reason};

/// A thing that is not looked into.
pub(super) struct Leftover {
    pub(super) rel: PathBuf,
    pub(super) kind: &'static str,
    pub(super) reason: Reason,
}

impl Inspector for Leftover {
    fn inspect(&self, _: &InspectContext<'_>) -> Vec<Inspection> {
        vec![Inspection::new(
            self.kind,
            self.rel.clone(),
            Outcome::Unverifiable(self.reason),
        )]
    }
}
