//! The evidence of one incident: what was expected by whom, what was observed, who could write there, what it reached.
//!
//! A folder of plain files, written before anything is moved:
//! ```text
//! incident.json   findings, parts with their attributes, who names it, what was derived, who could write there
//! changes.diff    what differs from the good copy: unified diffs of texts, summaries of anything else
//! proofs.claims   what known roots and logs said of it, with log proofs; `--claims` and `untaint claims import` read it
//! SHA256SUMS      SHA-256 of the others
//! ```
//! Nothing of a tool's settings is taken into it, and what looks like a credential is hidden.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::grounds::Grounds;
use super::look::{self, Seen};
use super::plan::Step;
use super::record::{Entry, Folder, Move, Name, Role};
use super::vault::Vault;
use super::{Supply, changes, redact};
use crate::model::digest::hex;
use crate::model::text::{percent, percent_all, printable};
use crate::world::{FileKind, PathError};

/// What was changed.
pub const CHANGES: &str = "changes.diff";
/// SHA-256 of the other files.
const MANIFEST: &str = "SHA256SUMS";
/// What proves what was expected.
pub const PROOFS: &str = "proofs.claims";

/// Everything that is known of an incident.
pub(super) struct Incident<'a> {
    pub(super) step: &'a Step,
    pub(super) entry: &'a Entry,
    pub(super) folders: &'a [Folder],
    pub(super) seen: &'a [Seen],
    pub(super) supply: &'a dyn Supply,
    pub(super) why_not: Option<&'a str>,
    /// What proves what was expected, as `untaint claims export` writes it; empty if nothing does.
    pub(super) proofs: &'a [u8],
    pub(super) now: i64,
    pub(super) run: &'a str,
}

/// The id of a transaction and its evidence: `q-<run>-<number>`.
pub fn id(run: &str, number: u32) -> String {
    format!("q-{run}-{number}")
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
    let mut files = vec![
        ("incident.json", redact::text(&text).into_bytes()),
        (
            CHANGES,
            redact::text(&changes::of(grounds, incident)).into_bytes(),
        ),
    ];
    if !incident.proofs.is_empty() {
        files.push((PROOFS, incident.proofs.to_vec()));
    }
    let mut manifest = String::new();
    for (name, bytes) in &files {
        let _ = writeln!(manifest, "{}  {name}", hex(&Sha256::digest(bytes)));
        one(vault, &place.join(name), bytes)?;
    }
    one(vault, &place.join(MANIFEST), manifest.as_bytes())?;
    fs.sync(vault.base.at(&place))
}

/// Which files of it do not have the SHA-256 any more that its manifest says.
pub(super) fn changed(vault: &Vault<'_>, folder: &Path) -> Vec<String> {
    let at = folder.join(MANIFEST);
    let mut text = String::new();
    let Ok(file) = vault.fs.read(vault.base.at(&at)) else {
        return Vec::new();
    };
    if file.take(1 << 16).read_to_string(&mut text).is_err() {
        return vec![format!("{MANIFEST} of the evidence cannot be read")];
    }
    let differs = |line: &str| {
        let (sum, name) = line.split_once("  ")?;
        let known = ["incident.json", CHANGES, PROOFS].contains(&name);
        let path = folder.join(name);
        let found = look::sha256(vault.fs, vault.base.at(&path));
        (!known || found.ok().as_deref() != Some(sum)).then(|| {
            format!(
                "{} of the evidence is not what was written down",
                printable(name)
            )
        })
    };
    text.lines().filter_map(differs).collect()
}

fn one(vault: &Vault<'_>, path: &Path, bytes: &[u8]) -> Result<(), PathError> {
    let at = vault.base.at(path);
    let mut file = vault.fs.create(at, 0o600)?;
    file.write_all(bytes)
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
    let derived: Vec<PathBuf> = incident
        .entry
        .moves
        .iter()
        .filter(|mv| mv.role == Role::Derived)
        .map(|mv| path(incident, mv))
        .collect();
    let derived = percent_all(derived.iter().map(|path| path.as_os_str().as_bytes()));
    let (derived, derived_escaped) = derived;
    let puts: Vec<Value> = incident
        .entry
        .puts
        .iter()
        .map(|p| {
            marked(
                json!({"path": p.rel.text, "sha256": p.sha256}),
                p.rel.escaped,
            )
        })
        .collect();
    let package = incident.step.good.as_ref();
    let mut told = json!({
        "schema": "untaint.incident/1",
        "id": id(incident.run, incident.entry.number),
        "run": incident.run,
        "number": incident.entry.number,
        "at": incident.now,
        "ecosystem": incident.entry.ecosystem,
        "package": incident.entry.package,
        "published": package.map(|(artifact, digest)| json!({"artifact": &*artifact.file, "digest": digest.to_string()})),
        "findings": findings,
        "named_by": incident.step.named_by,
        "parts": parts,
        "derived": derived,
        "replacement": puts,
        "no_replacement": incident.why_not,
    });
    if let (true, Some(told)) = (derived_escaped, told.as_object_mut()) {
        told.insert("derived_escaped".to_owned(), true.into());
    }
    told
}

/// Says of an object that its path is percent-escaped, if it is.
fn marked(mut value: Value, escaped: bool) -> Value {
    if let (true, Some(object)) = (escaped, value.as_object_mut()) {
        object.insert("path_escaped".to_owned(), true.into());
    }
    value
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
        .map(|(name, value)| json!({"name": percent(name.as_bytes()).0, "value": hex(value)}))
        .collect();
    let name = Name::of(&path(incident, mv));
    let told = json!({
        "path": name.text,
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
    });
    marked(told, name.escaped)
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
