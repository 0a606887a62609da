//! Findings of class place about one root.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::model::text::percent;
use crate::model::{Code, EcosystemId, Entry, EntryKind, Finding, Place, shell};
use crate::pipeline::flow::OpenRoot;

use super::escapes;
use super::suspects::{Suspects, Tally};

/// The findings about a root: at most one per code.
pub(super) fn findings(
    root: &OpenRoot,
    place: Place,
    ecosystem: Option<EcosystemId>,
    seen: &Suspects,
    known_owner: impl Fn(u32) -> bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |code, tally: &Tally, message: String, remedy: &str| {
        let mut finding = Finding::new(code, place, message);
        finding.ecosystem = ecosystem;
        finding.root = Some(root.info.id.clone());
        finding.entries = tally.first.iter().map(|path| entry(path)).collect();
        finding.entries_total = tally.total;
        if let Some(first) = tally.first.first() {
            let path = root.path.join(Path::new(OsStr::from_bytes(first)));
            let (path, escaped) = percent(path.as_os_str().as_bytes());
            finding.rel = Some(percent(first).0);
            finding.path = Some(path);
            finding.path_escaped = escaped;
        }
        finding.remedy = Some(remedy.to_owned());
        findings.push(finding);
    };
    let whole = shell::quote(root.path.as_os_str().as_bytes());
    if seen.writable.total > 0 {
        let what = counted(seen.writable.total, "path", "paths");
        tell(
            Code::CacheWritableByOthers,
            &seen.writable,
            format!("other users of this machine can write {what}"),
            &format!("chmod -R go-w {whole}"),
        );
    }
    let strangers = seen.owners.iter().filter(|(uid, _)| !known_owner(**uid));
    let mut foreign = Tally::default();
    let mut uids = Vec::new();
    for (uid, tally) in strangers {
        uids.push(uid.to_string());
        foreign.total += tally.total;
        for path in &tally.first {
            if foreign.first.len() < 20 {
                foreign.first.insert(path.clone());
            }
        }
    }
    if foreign.total > 0 {
        let what = counted(foreign.total, "path belongs", "paths belong");
        let user = if uids.len() == 1 { "user" } else { "users" };
        let uids = uids.into_iter().take(5).collect::<Vec<_>>().join(", ");
        tell(
            Code::ForeignOwner,
            &foreign,
            format!("{what} to {user} {uids}, who can change them at any time"),
            "remove them, or take them over once they are verified",
        );
    }
    let mut links = Tally::default();
    for link in &seen.links {
        if escapes(root, Path::new(OsStr::from_bytes(link))) {
            links.add(link);
        }
    }
    if links.total > 0 {
        let what = counted(links.total, "link leads", "links lead");
        tell(
            Code::LinkEscape,
            &links,
            format!("{what} out of what is audited"),
            "look where they lead, remove them, and let the tool fetch again",
        );
    }
    findings
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn entry(path: &[u8]) -> Entry {
    let (path, path_escaped) = percent(path);
    Entry {
        path,
        path_escaped,
        kind: EntryKind::Irregular,
    }
}
