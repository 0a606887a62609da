//! The evidence of one incident: what was expected by whom, what was observed, who could write there, what it reached.
//!
//! A folder of plain files with a list of their SHA-256, written before anything is moved. Holds no credential: nothing of
//! a tool's settings is ever taken into it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::apply::Grounds;
use super::look::Seen;
use super::plan::Step;
use super::record::{Entry, Folder, Move, Role};
use super::vault::Vault;
use crate::model::digest::hex;
use crate::world::{FileKind, PathError, ReadFile};

/// Everything that is known of an incident.
pub(super) struct Incident<'a> {
    pub(super) step: &'a Step,
    pub(super) entry: &'a Entry,
    pub(super) folders: &'a [Folder],
    pub(super) seen: &'a [Seen],
    pub(super) why_not: Option<&'a str>,
    pub(super) now: i64,
    pub(super) run: &'a str,
}

/// Name of the folder of a transaction's evidence.
pub fn folder(number: u32) -> String {
    format!("evidence-{number}")
}

/// Writes the evidence into the vault.
///
/// # Errors
/// When it cannot be put on disk.
pub(super) fn write(
    vault: &Vault<'_>,
    grounds: &Grounds<'_>,
    incident: &Incident<'_>,
) -> Result<(), PathError> {
    let place = vault.kept(incident.run).join(folder(incident.entry.number));
    let fs = vault.fs;
    fs.make(&fs.shown(vault.base.at(&place)))?;
    let mut text =
        serde_json::to_string_pretty(&told(grounds, incident)).map_err(|e| PathError {
            path: place.clone(),
            source: io::Error::other(e),
        })?;
    text.push('\n');
    let files = [
        ("incident.json", text),
        ("changes.txt", changes(grounds, incident)),
    ];
    let mut manifest = String::new();
    for (name, text) in &files {
        let _ = writeln!(
            manifest,
            "{}  {name}",
            hex(&Sha256::digest(text.as_bytes()))
        );
        one(vault, &place.join(name), text)?;
    }
    one(vault, &place.join("SHA256SUMS"), &manifest)?;
    fs.sync(vault.base.at(&place))
}

fn one(vault: &Vault<'_>, path: &Path, text: &str) -> Result<(), PathError> {
    let at = vault.base.at(path);
    let mut file = vault.fs.create(at, 0o600)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync())
        .map_err(|source| PathError {
            path: vault.fs.shown(at),
            source,
        })
}

fn told(grounds: &Grounds<'_>, incident: &Incident<'_>) -> Value {
    let findings: Vec<Value> = incident
        .step
        .findings
        .iter()
        .map(|f| {
            let expected: Vec<Value> = f
                .expected
                .iter()
                .map(|e| {
                    json!({"by": e.by.as_str(), "assurance": e.assurance.as_str(), "digest": e.digest.to_string()})
                })
                .collect();
            let entries: Vec<Value> = f
                .entries
                .iter()
                .map(|e| json!({"path": e.path, "kind": e.kind.as_str()}))
                .collect();
            json!({
                "id": f.id, "code": f.code.as_str(), "message": f.message, "path": f.path,
                "expected": expected, "observed": f.observed.map(|d| d.to_string()),
                "entries": entries, "entries_total": f.entries_total,
            })
        })
        .collect();
    let parts: Vec<Value> = incident
        .entry
        .moves
        .iter()
        .zip(incident.seen)
        .map(|(mv, seen)| part(grounds, incident, mv, seen))
        .collect();
    let derived: Vec<String> = incident
        .entry
        .moves
        .iter()
        .filter(|mv| mv.role == Role::Derived)
        .map(|mv| path(incident, mv).display().to_string())
        .collect();
    let puts: Vec<Value> = incident
        .entry
        .puts
        .iter()
        .map(|p| json!({"path": p.rel.text, "sha256": p.sha256}))
        .collect();
    json!({
        "schema": "untaint.incident/1",
        "run": incident.run,
        "number": incident.entry.number,
        "at": incident.now,
        "ecosystem": incident.entry.ecosystem,
        "package": incident.entry.package,
        "findings": findings,
        "named_by": incident.step.named_by,
        "parts": parts,
        "derived": derived,
        "replacement": puts,
        "no_replacement": incident.why_not,
    })
}

fn path(incident: &Incident<'_>, mv: &Move) -> PathBuf {
    incident
        .folders
        .get(mv.folder)
        .map(|f| f.path.path().join(mv.rel.path()))
        .unwrap_or_default()
}

fn part(grounds: &Grounds<'_>, incident: &Incident<'_>, mv: &Move, seen: &Seen) -> Value {
    let was = &mv.was;
    let xattrs: Vec<Value> = grounds
        .roots
        .get(mv.folder)
        .and_then(|(root, _)| grounds.fs.xattrs(root.at(&mv.rel.path())).ok())
        .unwrap_or_default()
        .iter()
        .map(|(name, value)| json!({"name": name.to_string_lossy(), "value": hex(value)}))
        .collect();
    json!({
        "path": path(incident, mv).display().to_string(),
        "kept_as": mv.item,
        "role": mv.role,
        "kind": match seen.stat.kind {
            FileKind::File => "file",
            FileKind::Dir => "folder",
            FileKind::Link => "link",
            FileKind::Other => "other",
        },
        "digest": mv.digest,
        "bytes": seen.bytes, "entries": seen.entries, "hard_linked_files": seen.linked,
        "mode": format!("{:04o}", was.mode), "uid": was.uid, "gid": was.gid, "links": was.links,
        "modified": was.seconds, "changed": i64::try_from(seen.stat.ctime.div_euclid(1_000_000_000)).unwrap_or(0),
        "xattrs": xattrs,
        "writable_by": writers(was.mode, was.uid, was.gid),
        "folder": {"mode": format!("{:04o}", mv.above.mode), "uid": mv.above.uid, "gid": mv.above.gid,
                   "writable_by": writers(mv.above.mode, mv.above.uid, mv.above.gid)},
    })
}

/// Who could write there, by its mode.
fn writers(mode: u32, uid: u32, gid: u32) -> Vec<String> {
    let mut who = Vec::new();
    if mode & 0o200 != 0 {
        who.push(format!("user {uid}"));
    }
    if mode & 0o020 != 0 {
        who.push(format!("group {gid}"));
    }
    if mode & 0o002 != 0 {
        who.push("everybody".to_owned());
    }
    who
}

/// What changed, as far as it can be told from bytes: for a file beside its replacement, where and how much.
fn changes(grounds: &Grounds<'_>, incident: &Incident<'_>) -> String {
    let mut text = String::new();
    for mv in &incident.entry.moves {
        let shown = crate::model::text::printable(&path(incident, mv).to_string_lossy());
        let put = incident
            .entry
            .puts
            .iter()
            .find(|p| p.folder == mv.folder && p.rel == mv.rel);
        let line = match (put, grounds.roots.get(mv.folder)) {
            (Some(put), Some((root, store))) => {
                let old = grounds.fs.read(root.at(&mv.rel.path()));
                let new = grounds.fs.read(store.at(Path::new(&put.staged)));
                match (old, new) {
                    (Ok(old), Ok(new)) => compared(old, new),
                    _ => "could not be read beside its replacement".to_owned(),
                }
            }
            _ => format!("{} bytes, moved as they are", mv.was.size),
        };
        let _ = writeln!(text, "{shown}: {line}");
    }
    for finding in &incident.step.findings {
        for entry in &finding.entries {
            let path = crate::model::text::printable(&entry.path);
            let _ = writeln!(text, "{}: {} {path}", finding.code, entry.kind.as_str());
        }
    }
    text
}

/// Sizes, the first difference, how many bytes differ. Reads both once, in pieces.
fn compared(mut old: Box<dyn ReadFile>, mut new: Box<dyn ReadFile>) -> String {
    let (mut first, mut count, mut at) = (None, 0u64, 0u64);
    let (mut left, mut right) = (0u64, 0u64);
    loop {
        let (a, b) = (piece(&mut *old), piece(&mut *new));
        left += a.len() as u64;
        right += b.len() as u64;
        if a.is_empty() && b.is_empty() {
            break;
        }
        for (offset, (x, y)) in (0u64..).zip(a.iter().zip(&b)) {
            if x != y {
                first.get_or_insert(at + offset);
                count += 1;
            }
        }
        if a.len() != b.len() {
            first.get_or_insert(at + a.len().min(b.len()) as u64);
        }
        at += a.len().max(b.len()) as u64;
    }
    match first {
        None => format!("{left} bytes, the same as the replacement"),
        Some(first) => format!(
            "{left} bytes, the replacement has {right}; the first difference is at byte {first}, {count} bytes differ where both have one"
        ),
    }
}

/// Up to 64 KiB, filled as far as the file goes.
fn piece(file: &mut dyn ReadFile) -> Vec<u8> {
    let mut buffer = Vec::new();
    let taken = io::Read::read_to_end(&mut io::Read::take(file, 64 << 10), &mut buffer);
    taken.map_or_else(|_| Vec::new(), |_| buffer)
}
