//! Where data of the log lies: below `sumdb/<name>/` in caches and behind a proxy, or behind the log's own address.
//!
//! ```text
//! latest
//! lookup/<escaped path>@<escaped version>
//! tile/8/<level>/<index>[.p/<width>]
//! ```
//! Names as of the checksum database's protocol (golang.org/x/mod 0.40, `sumdb/client.go`). What is read is only offered to
//! the log client, which believes none of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::ecosystems::proof::{LogRoot, ProofContext};
use crate::model::text::{percent, printable};
use crate::model::{Reason, RootId};
use crate::tlog::record::MAX_ANSWER;
use crate::tlog::{Answer, Got, Request, Resource, Tile};
use crate::world::{self, Dir, FileKind};

use super::escape::{escape_path, escape_version, unescape_path, unescape_version};

/// Most files of one folder tree that are read.
const MAX_FILES: usize = 1_000_000;
/// Hashes of a full tile.
const FULL: u16 = 256;

/// The log data of one cache.
pub(super) struct LogFolder<'a> {
    pub(super) root: &'a RootId,
    /// Path of the cache, for messages.
    pub(super) path: &'a Path,
    dir: Box<dyn Dir>,
    /// Path of the folder below the cache.
    pub(super) rel: PathBuf,
}

impl<'a> LogFolder<'a> {
    /// The data of a log in each of the caches that has some.
    pub(super) fn all(context: &ProofContext<'a>) -> Vec<Self> {
        let name = &*context.log.name;
        context
            .caches
            .iter()
            .filter_map(|(root, dir)| {
                let parts = ["cache", "download", "sumdb", name].map(OsStr::new);
                Some(Self {
                    root,
                    path: dir.path(),
                    dir: dir.descend(&parts).ok()?,
                    rel: parts.iter().collect(),
                })
            })
            .collect()
    }

    /// A file of it; empty ones were never written.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let (bytes, _) = self.read_whole(name)?;
        (!bytes.is_empty()).then_some(bytes)
    }

    /// A file of it, and when it was written, in seconds since 1970, as the file itself says.
    pub(super) fn read_whole(&self, name: &str) -> Option<(Vec<u8>, i64)> {
        let mut parts: Vec<&OsStr> = name.split('/').map(OsStr::new).collect();
        let file = parts.pop()?;
        let below = if parts.is_empty() {
            None
        } else {
            Some(self.dir.descend(&parts).ok()?)
        };
        let dir: &dyn Dir = below.as_deref().unwrap_or(&*self.dir);
        let (bytes, stat) = dir.read(file, MAX_ANSWER as u64).ok()?;
        let written = i64::try_from(stat.mtime.div_euclid(1_000_000_000)).unwrap_or_default();
        Some((bytes, written))
    }

    /// What it holds of a resource, and in which file. A tile that is not full may be the beginning of a fuller one.
    pub(super) fn offer(&self, resource: &Resource) -> Option<(String, Vec<u8>)> {
        let own = name(resource)?;
        let Resource::Tile(tile) = resource else {
            return self.read(&own).map(|bytes| (own, bytes));
        };
        // A tile of nothing but NULs was not written to its end.
        let is_written = |bytes: &Vec<u8>| bytes.iter().any(|byte| *byte != 0);
        if let Some(bytes) = self.read(&own).filter(is_written) {
            return Some((own, bytes));
        }
        let length = usize::from(tile.width()) * 32;
        self.wider(*tile).into_iter().find_map(|fuller| {
            let file = fuller.path();
            let bytes = self.read(&file)?.get(..length)?.to_vec();
            Some((file, bytes))
        })
    }

    /// Tiles of the same place with more hashes, the full one first.
    fn wider(&self, tile: Tile) -> Vec<Tile> {
        let at = |width| Tile::new(tile.level(), tile.index(), width);
        let mut wider: Vec<Tile> = at(FULL).into_iter().collect();
        let full = wider.first().map(|t| format!("{}.p", t.path()));
        let parts: Vec<&OsStr> = full
            .iter()
            .flat_map(|p| p.split('/'))
            .map(OsStr::new)
            .collect();
        let listed = self.dir.descend(&parts).and_then(|dir| dir.list());
        let mut widths: Vec<u16> = listed
            .unwrap_or_default()
            .iter()
            .filter_map(|entry| entry.name.to_str()?.parse().ok())
            .filter(|width| *width > tile.width())
            .collect();
        widths.sort_unstable();
        wider.extend(widths.into_iter().filter_map(at));
        wider
    }

    /// Everything below `lookup` or `tile`.
    pub(super) fn listed(&self, kind: &str) -> Listed {
        let mut listed = Listed::default();
        match self.dir.open_dir(OsStr::new(kind)) {
            Ok(dir) => below(&*dir, kind, 0, &mut listed),
            Err(error) if error.is_not_found() => {}
            Err(error) => listed
                .unreadable
                .push((kind.to_owned(), error.source.to_string())),
        }
        listed.files.sort();
        listed
    }

    /// Path of a file below the cache.
    pub(super) fn below_root(&self, file: &str) -> String {
        format!("{}/{file}", self.rel.display())
    }

    /// Path of a file, for messages.
    pub(super) fn shown(&self, file: &str) -> String {
        printable(&self.path.join(&self.rel).join(file).display().to_string())
    }
}

/// What lies in one kind of log data, by path below the log's folder.
#[derive(Default)]
pub(super) struct Listed {
    /// Plain files, sorted.
    pub(super) files: Vec<String>,
    /// What is neither file nor folder.
    pub(super) odd: Vec<(String, FileKind)>,
    /// Folders that could not be read, and why.
    pub(super) unreadable: Vec<(String, String)>,
}

fn below(dir: &dyn Dir, at: &str, depth: usize, listed: &mut Listed) {
    let entries = match dir.list() {
        Ok(entries) => entries,
        Err(error) => {
            let why = error.source.to_string();
            return listed.unreadable.push((at.to_owned(), why));
        }
    };
    for entry in entries {
        let path = format!("{at}/{}", percent(entry.name.as_encoded_bytes()).0);
        match entry.kind {
            FileKind::File if listed.files.len() < MAX_FILES => listed.files.push(path),
            FileKind::Dir if depth < 128 => match dir.open_dir(&entry.name) {
                Ok(next) => below(&*next, &path, depth + 1, listed),
                Err(error) => listed.unreadable.push((path, error.source.to_string())),
            },
            FileKind::File | FileKind::Dir => {
                let why = "more than untaint looks through".to_owned();
                return listed.unreadable.push((at.to_owned(), why));
            }
            kind @ (FileKind::Link | FileKind::Other) => listed.odd.push((path, kind)),
        }
    }
}

/// The name of a resource below a log's folder; `None` for a module that cannot have one.
pub(super) fn name(resource: &Resource) -> Option<String> {
    match resource {
        Resource::Latest => Some("latest".to_owned()),
        Resource::Lookup(wanted) => Some(format!(
            "lookup/{}@{}",
            escape_path(&wanted.module).ok()?,
            escape_version(&wanted.version).ok()?
        )),
        Resource::Tile(tile) => Some(tile.path()),
    }
}

/// The module and version that a look-up file is named after.
pub(super) fn looked_up(file: &str) -> Option<crate::tlog::Wanted> {
    let (path, version) = file.strip_prefix("lookup/")?.rsplit_once('@')?;
    Some(crate::tlog::Wanted {
        module: unescape_path(path).ok()?,
        version: unescape_version(version).ok()?,
    })
}

/// Requests for what no cache offers.
pub(super) struct Remote {
    base: String,
}

impl Remote {
    /// By the proxy, which serves the log below its own address, or at the log itself.
    pub(super) fn of(log: &LogRoot) -> Option<Self> {
        let base = match (&log.proxy, &log.address) {
            (Some(proxy), _) => format!("{}/sumdb/{}/", proxy.trim_end_matches('/'), log.name),
            (None, Some(own)) => format!("{}/", own.trim_end_matches('/')),
            (None, None) => return None,
        };
        Some(Self { base })
    }

    /// The request for a resource.
    pub(super) fn request(&self, request: &Request) -> Option<world::Request> {
        let name = name(&request.resource)?;
        let mut get = world::Request::get(format!("{}{name}", self.base), MAX_ANSWER as u64);
        get.fresh = request.fresh;
        Some(get)
    }
}

/// An answer from the network.
pub(super) fn answer(request: Request, response: Result<world::Response, Reason>) -> Answer {
    let got = match response {
        Ok(response) if response.status == 200 => Got::Bytes(response.body),
        Ok(response) if matches!(response.status, 404 | 410) => Got::Absent,
        Ok(response) => Got::Unavailable(format!("status {}", response.status)),
        Err(reason) => Got::Unavailable(reason.as_str().to_owned()),
    };
    Answer { request, got }
}
