//! `golang.org/fips140` in GOMODCACHE (cmd/go 1.26, `fips140/fips140.go`): frozen cryptographic code that GOFIPS140 puts in
//! place of that of the standard library.
//!
//! Go unpacks it from a zip of its installation, so that neither the log nor a proxy knows it, and neither zip nor `ziphash`
//! lies in the cache. The zips are part of a certification and never change (`lib/fips140/fips140.sum`): what they hash to is
//! known here. A snapshot that is not known here is not judged. The installation itself is believed, as the compiler in it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::ecosystems::contract::{InspectContext, Inspection, Inspector};
use crate::formats::h1;
use crate::model::text::printable;
use crate::model::{Assurance, Code, Digest, Finding, Outcome, Place, Problem, Reason};
use crate::world::{Dir, FileKind};

/// Its module path.
pub(super) const MODULE: &str = "golang.org/fips140";

/// Versions and the `h1` of their zips.
const KNOWN: [(&str, &str); 2] = [
    (
        "v1.0.0-c2097c7c",
        "h1:YapsF69QWGwygaBqdI0rp7IfE5a6tAwepNAHONVcWqQ=",
    ),
    ("v1.26.0", "h1:dtoPX1ALGGp4rMLzyh6oqIkYRXnXxRkpPWu56l5DFpM="),
];
/// Most files.
const FILES: usize = 10_000;
/// Largest file in bytes.
const LARGEST: u64 = 16 << 20;
/// Deepest folder.
const DEPTH: usize = 32;

/// The unpacked tree of one version.
pub(super) struct Snapshot {
    pub(super) rel: PathBuf,
    pub(super) version: String,
}

/// What a tree cannot be hashed for.
enum Unhashed {
    /// Something in it is no plain file: its path.
    Irregular(String),
    Unreadable(String),
    Limit,
}

impl Inspector for Snapshot {
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let mut inspection = Inspection::new("tree", self.rel.clone(), Outcome::Tainted);
        let shown = printable(&context.root.path().join(&self.rel).display().to_string());
        let expected = KNOWN.iter().find(|(version, _)| *version == self.version);
        match (self.hash(context.root), expected) {
            (Ok(hash), Some((_, expected))) if hash.to_string() == **expected => {
                inspection.outcome = Outcome::Verified(Assurance::Published);
                inspection.observed = Some(hash);
            }
            (Ok(hash), Some((_, expected))) => {
                let what = format!(
                    "`{MODULE}@{}` hashes to {hash}, and the snapshot that Go ships with to {expected}",
                    printable(&self.version)
                );
                inspection.findings.push(found(Code::TreeModified, what));
                inspection.observed = Some(hash);
            }
            (Ok(hash), None) => {
                inspection.outcome = Outcome::Unverifiable(Reason::ArchiveNotHeld);
                inspection.observed = Some(hash);
                inspection.problems.push(Problem::partial(
                    shown,
                    "is a snapshot that this version of untaint does not know; remove it, and Go unpacks it anew"
                        .to_owned(),
                ));
            }
            (Err(Unhashed::Irregular(path)), _) => {
                let what = format!("`{path}` is no plain file");
                inspection
                    .findings
                    .push(found(Code::TreeIrregularFile, what));
            }
            (Err(Unhashed::Unreadable(why)), _) => {
                inspection.outcome = Outcome::Unverifiable(Reason::Unreadable);
                inspection.problems.push(Problem::partial(shown, why));
            }
            (Err(Unhashed::Limit), _) => {
                inspection.outcome = Outcome::Unverifiable(Reason::Limit);
                inspection.problems.push(Problem::partial(
                    shown,
                    "is deeper or larger than any snapshot".to_owned(),
                ));
            }
        }
        vec![inspection]
    }

    fn weight(&self) -> u64 {
        2 << 20
    }
}

fn found(code: Code, what: String) -> Finding {
    let mut finding = Finding::new(code, Place::Cache, what);
    finding.remedy = Some("remove it; Go unpacks it anew".to_owned());
    finding
}

impl Snapshot {
    fn hash(&self, root: &dyn Dir) -> Result<Digest, Unhashed> {
        let parts: Vec<_> = self.rel.iter().collect();
        let unreadable = |why: String| Unhashed::Unreadable(why);
        if let Some((name, above)) = parts.split_last() {
            let opened = (!above.is_empty()).then(|| root.descend(above)).transpose();
            let opened = opened.map_err(|e| unreadable(e.to_string()))?;
            let stat = opened.as_deref().unwrap_or(root).stat_entry(name);
            if stat.map_err(|e| unreadable(e.to_string()))?.kind != FileKind::Dir {
                return Err(Unhashed::Irregular(printable(
                    &self.rel.display().to_string(),
                )));
            }
        }
        let dir = root
            .descend(&parts)
            .map_err(|e| unreadable(e.to_string()))?;
        let mut files = BTreeMap::new();
        let top = PathBuf::from(format!("{MODULE}@{}", self.version));
        gather(&*dir, &top, 0, &mut files)?;
        let files = files.iter().map(|(name, sum)| (name.as_str(), *sum));
        h1::of_files(files).map_err(|why| unreadable(why.to_string()))
    }
}

/// SHA-256 of each file in a folder, by its name in the zip.
fn gather(
    dir: &dyn Dir,
    at: &Path,
    depth: usize,
    files: &mut BTreeMap<String, [u8; 32]>,
) -> Result<(), Unhashed> {
    let entries = dir.list();
    for entry in entries.map_err(|e| Unhashed::Unreadable(e.to_string()))? {
        if depth > DEPTH || files.len() >= FILES {
            return Err(Unhashed::Limit);
        }
        let path = at.join(&entry.name);
        let Some(name) = path.to_str() else {
            return Err(Unhashed::Irregular(printable(&path.display().to_string())));
        };
        match entry.kind {
            FileKind::Dir => {
                let below = dir.open_dir(&entry.name);
                let below = below.map_err(|e| Unhashed::Unreadable(e.to_string()))?;
                gather(&*below, &path, depth + 1, files)?;
            }
            FileKind::File => {
                let read = dir.read(&entry.name, LARGEST);
                let (bytes, _) = read.map_err(|e| Unhashed::Unreadable(e.to_string()))?;
                files.insert(name.to_owned(), Sha256::digest(&bytes).into());
            }
            _ => return Err(Unhashed::Irregular(printable(name))),
        }
    }
    Ok(())
}
