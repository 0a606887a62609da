//! What earlier scans saw where, for `untaint impact`: one file of our state per scanned set of roots.
//!
//! A file is lines of JSON: first what was scanned and when, then one line per subject and per finding. A newer scan of
//! the same roots replaces it. Sightings answer "where is it?"; nothing is ever verified by them, so a forged or damaged
//! line can hide or invent a place in an answer and cannot change a verdict. Damaged lines are counted and left out.

mod line;

use crate::model::Problem;
use crate::model::report::Report;
use crate::world::{PathError, StateDir};

pub use line::{Found, Head, Root, Sighting, scheme};

use line::Line;

/// Beginning of the names of these files in our state folder.
const PREFIX: &str = "seen-";
/// Name of the writer's lock.
const LOCK: &str = "seen.lock";
/// Largest file that is written or read, in bytes.
const LARGEST: u64 = 64 << 20;
/// Most files that are kept; the oldest make room.
const FILES: usize = 400;
/// Most bytes that are kept in all.
const BYTES: u64 = 256 << 20;

/// What is wanted of the sightings.
pub struct Search<'a> {
    /// Texts of which a line must hold one to be read at all, as JSON writes them; empty to read every line.
    pub needles: &'a [String],
    /// Whether a sighting is wanted.
    pub sighting: &'a dyn Fn(&Sighting) -> bool,
    /// Whether a finding is wanted.
    pub finding: &'a dyn Fn(&Found) -> bool,
}

/// What one scan saw of what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// What was scanned, and when.
    pub head: Head,
    /// Subjects, in the order of the report.
    pub sightings: Vec<Sighting>,
    /// Findings.
    pub findings: Vec<Found>,
}

/// What all scans saw of what is wanted, newest scan first; also of scans that saw nothing of it.
///
/// Never fails: what cannot be read is a problem without effect on any verdict.
pub fn search(state: &dyn StateDir, wanted: &Search<'_>) -> (Vec<Scan>, Vec<Problem>) {
    let (mut scans, mut problems) = (Vec::new(), Vec::new());
    let names = match names(state) {
        Ok(names) => names,
        Err(error) => {
            let path = error.path.display().to_string();
            return (
                scans,
                vec![Problem::as_the_tool(path, error.source.to_string())],
            );
        }
    };
    for name in names {
        let path = || state.path().join(&name).display().to_string();
        match state.read(&name, LARGEST) {
            Ok(Some(bytes)) => {
                let (scan, bad) = read(&bytes, wanted);
                if bad > 0 || scan.is_none() {
                    let why = format!("{bad} lines of what an earlier scan saw are damaged");
                    problems.push(Problem::as_the_tool(path(), why));
                }
                scans.extend(scan);
            }
            Ok(None) => {}
            Err(error) => problems.push(Problem::as_the_tool(path(), error.source.to_string())),
        }
    }
    scans.sort_by(|a, b| (b.head.at, &b.head.targets).cmp(&(a.head.at, &a.head.targets)));
    (scans, problems)
}

fn read(bytes: &[u8], wanted: &Search<'_>) -> (Option<Scan>, u64) {
    let mut lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    let head = lines.next().map(serde_json::from_slice::<Line>);
    let Some(Ok(Line::Scan(head))) = head else {
        return (None, 1);
    };
    let mut scan = Scan {
        head,
        sightings: Vec::new(),
        findings: Vec::new(),
    };
    let finders: Vec<_> = wanted
        .needles
        .iter()
        .map(|needle| memchr::memmem::Finder::new(needle.as_bytes()))
        .collect();
    let mut bad = 0u64;
    for line in lines {
        if !finders.is_empty() && finders.iter().all(|f| f.find(line).is_none()) {
            continue;
        }
        match serde_json::from_slice::<Line>(line) {
            Ok(Line::Seen(sighting)) if (wanted.sighting)(&sighting) => {
                scan.sightings.push(sighting);
            }
            Ok(Line::Found(found)) if (wanted.finding)(&found) => scan.findings.push(found),
            Ok(Line::Seen(_) | Line::Found(_)) => {}
            Ok(Line::Scan(_)) | Err(_) => bad += 1,
        }
    }
    (Some(scan), bad)
}

fn names(state: &dyn StateDir) -> Result<Vec<String>, PathError> {
    let mut names = state.list()?;
    names.retain(|name| {
        name.strip_prefix(PREFIX)
            .is_some_and(|key| key.len() == 16 && key.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    Ok(names)
}

/// Keeps what a scan saw. `narrowed` are the options that left something out, so that a narrow scan does not replace a
/// whole one.
///
/// # Errors
/// A problem without effect on the verdict: why it could not be kept.
pub fn keep(state: &dyn StateDir, report: &Report, narrowed: &[String]) -> Result<(), Problem> {
    let failed = |why: String| {
        let path = state.path().display().to_string();
        Problem::as_the_tool(path, format!("what was seen where is not recorded: {why}"))
    };
    let io = |error: PathError| failed(error.source.to_string());
    let name = format!("{PREFIX}{}", line::key(report, narrowed));
    let bytes =
        line::write(report, !narrowed.is_empty()).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(failed("it is too much for one file".to_owned()));
    }
    let Some(_lock) = state.lock(LOCK).map_err(io)? else {
        return Err(failed("another untaint is writing; run again".to_owned()));
    };
    make_room(state, &name, bytes.len() as u64).map_err(io)?;
    state.replace(&name, &bytes).map_err(io)
}

/// Takes away the oldest files until another one fits.
fn make_room(state: &dyn StateDir, coming: &str, bytes: u64) -> Result<(), PathError> {
    let mut kept = Vec::new();
    let mut total = bytes;
    for name in names(state)?.into_iter().filter(|name| name != coming) {
        let size = state.size(&name)?;
        total = total.saturating_add(size);
        kept.push((name, size));
    }
    if kept.len() < FILES && total <= BYTES {
        return Ok(());
    }
    let nothing = Search {
        needles: &["\u{0}".to_owned()],
        sighting: &|_| false,
        finding: &|_| false,
    };
    let mut by_age: Vec<(i64, String, u64)> = Vec::new();
    for (name, size) in kept {
        let bytes = state.read(&name, LARGEST).ok().flatten();
        let scan = bytes.and_then(|bytes| read(&bytes, &nothing).0);
        by_age.push((scan.map_or(i64::MIN, |scan| scan.head.at), name, size));
    }
    by_age.sort();
    let mut left = by_age.len();
    for (_, name, size) in by_age {
        if left < FILES && total <= BYTES {
            break;
        }
        state.remove(&name)?;
        left -= 1;
        total = total.saturating_sub(size);
    }
    Ok(())
}

/// Forgets everything that was seen, and says how many scans that were.
///
/// # Errors
/// When a file cannot be taken away.
pub fn forget(state: &dyn StateDir) -> Result<usize, PathError> {
    let names = names(state)?;
    for name in &names {
        state.remove(name)?;
    }
    Ok(names.len())
}

#[cfg(test)]
mod tests;
