//! GOCACHE: what Go built (cmd/go 1.26, `internal/cache`).
//!
//! ```text
//! <xx>/<action id>-a      one line: v1 <action id> <output id> <size> <time>
//! <xx>/<output id>-d      the output, named by its SHA-256; a folder with one file for a program
//! ```
//! An output that Go would load (an action names it, and its size is right) and that does not hash to its name was tampered
//! with. A planted pair that agrees with itself cannot be told from a good one: all of it is `derived`. An output of another
//! size is what an interrupted run leaves; Go builds it anew.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::ecosystems::contract::{
    Binding, CacheKind, InspectContext, Inspection, Inspector, OpenContext, RootCandidate, Session,
    Unit,
};
use crate::model::digest::hex;
use crate::model::{Code, Entry, EntryKind, Finding, Outcome, Place, Reason, RootOrigin};
use crate::world::{Dir, Env, FileKind, PathError, ReadFs};

use super::cache::origin;
use super::settings::Settings;

/// Largest action entry that is read.
const ACTION: u64 = 4096;
/// How the index of a module begins (`modindex`); its action is named after Go's version and the module's folder, not after
/// what lies in it.
const INDEX: &[u8] = b"go index v";
/// Most differences that are named.
const NAMED: usize = 20;

/// The build cache.
pub(super) struct BuildCache;

impl CacheKind for BuildCache {
    fn name(&self) -> &'static str {
        "go-build"
    }

    fn locate(&self, env: &dyn Env, fs: &dyn ReadFs) -> Vec<RootCandidate> {
        let settings = Settings::load(env, fs);
        let named = settings
            .get("GOCACHE")
            .map(|s| (PathBuf::from(&s.value), origin("GOCACHE", s)));
        let default = || {
            let caches = env
                .var("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
                .or_else(|| env.home().map(|home| home.join(".cache")));
            caches.map(|path| (path.join("go-build"), RootOrigin::Default))
        };
        named
            .or_else(default)
            .filter(|(path, _)| path.is_absolute())
            .map(|(path, origin)| RootCandidate {
                name: "go-build-cache",
                path,
                origin,
            })
            .into_iter()
            .collect()
    }

    fn open(&self, _: &dyn Dir, context: &OpenContext<'_>) -> Session {
        let mut session = Session::default();
        // A project without modules of others builds nothing that this would be about.
        if context
            .wanted
            .is_some_and(|wanted| wanted.packages.is_empty() && !wanted.any)
        {
            return session;
        }
        session.units.push(Unit {
            binding: Binding::Nothing,
            place: Place::Build,
            archive: None,
            tree: None,
            inspector: Some(Box::new(Outputs {
                hashed: context.wanted.is_none() || context.full,
            })),
        });
        session.sources.push(("go-build-cache", String::new(), 1));
        session
    }
}

/// Looks at the outputs.
struct Outputs {
    /// Whether they are read, and not only listed.
    hashed: bool,
}

#[derive(Default)]
struct Found {
    entries: Vec<Entry>,
    total: u64,
    bytes: u64,
    files: u64,
    /// Outputs that list the packages of a module.
    indexes: u64,
}

impl Inspector for Outputs {
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let mut inspection = Inspection::new(
            "derived",
            PathBuf::new(),
            Outcome::Unverifiable(Reason::Derived),
        );
        inspection.note = Some("the build cache was not looked into; --caches does".to_owned());
        if !self.hashed {
            return vec![inspection];
        }
        let mut found = Found::default();
        for folder in context.root.list().unwrap_or_default() {
            if folder.kind == FileKind::Dir
                && folder.name.len() == 2
                && !(context.cancelled)()
                && let Ok(dir) = context.root.open_dir(&folder.name)
            {
                actions_of(context, &*dir, &mut found);
            }
        }
        inspection.size = Some(found.bytes);
        inspection.note = Some(format!(
            "{} outputs with {} bytes, {} of them indexes of modules, which Go does not hold against the modules; \
             go clean -cache makes all of it anew",
            found.files, found.bytes, found.indexes
        ));
        if found.total > 0 {
            let first = found.entries.first().map_or("", |e| e.path.as_str());
            let mut finding = Finding::new(
                Code::BuildCacheTampered,
                Place::Build,
                format!("`{first}` does not hash to its name, and Go would load it"),
            );
            finding.remedy = Some("go clean -cache".to_owned());
            finding.entries.clone_from(&found.entries);
            finding.entries_total = found.total;
            inspection.entries = found.entries;
            inspection.findings.push(finding);
            inspection.outcome = Outcome::Tainted;
        }
        vec![inspection]
    }

    fn weight(&self) -> u64 {
        if self.hashed { 1 << 30 } else { 4096 }
    }
}

/// Follows the actions of one folder to their outputs, which may lie in another.
fn actions_of(context: &InspectContext<'_>, dir: &dyn Dir, found: &mut Found) {
    let mut outputs: BTreeMap<String, u64> = BTreeMap::new();
    for entry in dir.list().unwrap_or_default() {
        let name = entry.name.to_string_lossy();
        if entry.kind != FileKind::File || !name.ends_with("-a") {
            continue;
        }
        let Ok((bytes, _)) = dir.read(&entry.name, ACTION) else {
            continue;
        };
        if let Some((output, size)) = action(&bytes) {
            outputs.insert(output, size);
        }
    }
    for (output, size) in outputs {
        if (context.cancelled)() {
            return;
        }
        let Some(folder) = output.get(..2) else {
            continue;
        };
        let rel = format!("{folder}/{output}-d");
        let Ok(Some((seen, is_index))) = hash(context.root, folder, &format!("{output}-d"), size)
        else {
            continue;
        };
        found.indexes += u64::from(is_index);
        found.files += 1;
        found.bytes = found.bytes.saturating_add(size);
        if seen != output && !found.entries.iter().any(|e| e.path == rel) {
            found.total += 1;
            if found.entries.len() < NAMED {
                found.entries.push(Entry {
                    path: rel,
                    path_escaped: false,
                    kind: EntryKind::Modified,
                });
            }
        }
    }
}

/// Output and size that an action entry names.
fn action(bytes: &[u8]) -> Option<(String, u64)> {
    let text = str::from_utf8(bytes).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let (version, _, output, size) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let is_id = output.len() == 64 && output.bytes().all(|b| b.is_ascii_hexdigit());
    (version == "v1" && is_id).then_some(())?;
    Some((output.to_owned(), size.parse().ok()?))
}

/// What an output hashes to, and whether it is a module's index; `None` if Go would not load it.
fn hash(
    root: &dyn Dir,
    folder: &str,
    name: &str,
    size: u64,
) -> Result<Option<(String, bool)>, PathError> {
    let dir = root.open_dir(&OsString::from(folder))?;
    let entry = OsString::from(name);
    let stat = dir.stat_entry(&entry)?;
    let (dir, entry) = if stat.kind == FileKind::Dir {
        let below = dir.open_dir(&entry)?;
        let Some(only) = below.list()?.into_iter().next() else {
            return Ok(None);
        };
        (below, only.name)
    } else {
        (dir, entry)
    };
    let mut file = dir.open_file(&entry)?;
    if file.stat()?.size != size {
        return Ok(None);
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    let mut first = None;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some((hex(&hasher.finalize()), first == Some(true)))),
            Ok(n) => {
                let read = buffer.get(..n).unwrap_or_default();
                first.get_or_insert(read.starts_with(INDEX));
                hasher.update(read);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(PathError {
                    path: dir.path().join(&entry),
                    source,
                });
            }
        }
    }
}
