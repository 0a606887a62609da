//! Things in a cache that stand for no package: listed as one subject each, with their reason; and links or devices where
//! a tool would follow them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::ecosystems::contract::{Binding, InspectContext, Inspection, Inspector, Session, Unit};
use crate::model::text::percent;
use crate::model::{Code, Entry, EntryKind, Finding, Outcome, Place, Problem, Reason};
use crate::world::{Dir, FileKind, PathError};

/// A thing that is not looked into.
pub(super) struct Litter {
    pub(super) rel: PathBuf,
    pub(super) kind: &'static str,
    pub(super) reason: Reason,
}

impl Inspector for Litter {
    fn inspect(&self, _: &InspectContext<'_>) -> Vec<Inspection> {
        let outcome = Outcome::Unverifiable(self.reason);
        vec![Inspection::new(self.kind, self.rel.clone(), outcome)]
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
        let mut inspection = Inspection::new(self.kind, self.rel.clone(), Outcome::Tainted);
        irregular(&mut inspection, self.place);
        vec![inspection]
    }
}

/// Why a folder of a cargo home could not be listed. If the folder or one above it is a link, that is said: an open that
/// follows none reports it as no folder, which helps nobody.
pub(super) fn unlisted(root: &dyn Dir, parts: &[&OsStr], error: &PathError) -> Problem {
    if let Some(path) = link_among(root, parts) {
        let why = "is a link, and untaint follows none below a cache: bind-mount the real folder here, or \
            point CARGO_HOME (`--cache cargo=DIR`) at a cargo home that holds it";
        return Problem::skipped("", why).at(&root.path().join(path));
    }
    let path: PathBuf = parts.iter().collect();
    let why = format!("cannot be listed: {}", error.source);
    Problem::skipped("", why).at(&root.path().join(path))
}

/// The first of these folders, each in the one before, that is a link.
pub(super) fn link_among(root: &dyn Dir, parts: &[&OsStr]) -> Option<PathBuf> {
    for end in 1..=parts.len() {
        let (name, above) = parts.get(..end).and_then(<[_]>::split_last)?;
        let stat = if above.is_empty() {
            root.stat_entry(name)
        } else {
            root.descend(above).and_then(|dir| dir.stat_entry(name))
        };
        if stat.ok()?.kind == FileKind::Link {
            return Some(parts.iter().take(end).collect());
        }
    }
    None
}

/// Cargo follows a link in the place of its own folder: what lies behind it would be loaded, and is judged by nobody.
pub(super) fn led_away(session: &mut Session, rel: PathBuf, problem: Problem) {
    let mut finding = Finding::new(Code::LinkEscape, Place::Cache, problem.message.clone());
    session.problems.push(problem);
    let (text, escaped) = percent(rel.as_os_str().as_bytes());
    // Several folders may lie behind one link.
    let mut known = session.findings.iter();
    if known.any(|f| f.code == Code::LinkEscape && f.rel.as_ref() == Some(&text)) {
        return;
    }
    finding.rel = Some(text);
    finding.path_escaped = escaped;
    session.findings.push(finding);
    session.units.push(Unit {
        binding: Binding::Nothing,
        place: Place::Cache,
        archive: None,
        tree: None,
        inspector: Some(Box::new(Litter {
            rel,
            kind: "link",
            reason: Reason::Unbound,
        })),
    });
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
