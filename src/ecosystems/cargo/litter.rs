//! Things in a cache that stand for no package: listed as one subject each, with their reason; and links or devices where
//! a tool would follow them.

use std::path::PathBuf;

use crate::ecosystems::contract::{InspectContext, Inspection, Inspector};
use crate::model::{Code, Entry, EntryKind, Finding, Outcome, Place, Reason};

/// A thing that is not looked into.
pub(super) struct Litter {
    pub(super) rel: PathBuf,
    pub(super) kind: &'static str,
    pub(super) reason: Reason,
}

impl Inspector for Litter {
    fn inspect(&self, _: &InspectContext<'_>) -> Vec<Inspection> {
        let outcome = Outcome::Unverifiable(self.reason);
        vec![blank(self.kind, self.rel.clone(), outcome)]
    }
}

/// A link or a device where cargo keeps a folder: it would follow it, untaint does not.
pub(super) struct Irregular {
    pub(super) rel: PathBuf,
    pub(super) kind: &'static str,
    pub(super) place: Place,
}

impl Inspector for Irregular {
    fn inspect(&self, _: &InspectContext<'_>) -> Vec<Inspection> {
        let mut inspection = blank(self.kind, self.rel.clone(), Outcome::Tainted);
        irregular(&mut inspection, self.place);
        vec![inspection]
    }
}

/// An inspection that says nothing yet.
pub(super) fn blank(kind: &'static str, rel: PathBuf, outcome: Outcome) -> Inspection {
    Inspection {
        kind,
        rel,
        outcome,
        observed: None,
        entries: Vec::new(),
        findings: Vec::new(),
        problems: Vec::new(),
        size: None,
        note: None,
        recent: Vec::new(),
    }
}

/// Says that a link or a device stands where a folder should be.
pub(super) fn irregular(inspection: &mut Inspection, place: Place) {
    inspection.outcome = Outcome::Tainted;
    let mut finding = Finding::new(
        Code::TreeIrregularFile,
        place,
        "a link or a device stands where cargo keeps a folder; it was not followed",
    );
    finding.entries = vec![Entry {
        path: ".".into(),
        path_escaped: false,
        kind: EntryKind::Irregular,
    }];
    finding.entries_total = 1;
    inspection.findings.push(finding);
}
