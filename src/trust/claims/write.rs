//! Opening and writing the claims file in our state folder.
//!
//! Readers take no lock: a file is only appended to or replaced by rename, so what they read is a whole file or one with a
//! torn tail. Writers hold the lock from reading the present file to writing it.

use std::collections::BTreeMap;

use crate::model::Problem;
use crate::world::{PathError, StateDir};

use super::layer::Layer;
use super::record::{self, End, kind};
use super::{FILE, LARGEST_FILE, LOCK, Pending};

/// Bytes that are appended at a time.
const PIECE: usize = 4 << 20;

/// Why a store cannot be used as it is.
enum Wrong {
    /// It is of no use to anybody: it can be set aside.
    Broken(String),
    /// It may be whole for somebody else, or later: it stays.
    Unusable(String),
}

/// Values by kind and key, sorted as a compacted file has them.
type News<'a> = BTreeMap<(u8, &'a [u8]), &'a [u8]>;

/// Reads the store. A torn tail is dropped; an unreadable store is set aside, and what of it could be read goes on.
pub(super) fn open(state: &dyn StateDir, problems: &mut Vec<Problem>) -> Layer {
    match read(state) {
        (layer, None) => layer,
        (_, Some(Wrong::Broken(_))) => set_aside(state, problems),
        (layer, Some(Wrong::Unusable(why))) => {
            problems.push(unusable(state, &why));
            layer
        }
    }
}

/// The file as far as it can be read, and what is wrong with it beyond a torn tail.
fn read(state: &dyn StateDir) -> (Layer, Option<Wrong>) {
    let bytes = match state.read(FILE, LARGEST_FILE) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(error) if error.source.kind() == std::io::ErrorKind::FileTooLarge => {
            let wrong = format!("larger than {LARGEST_FILE} bytes");
            return (Layer::default(), Some(Wrong::Broken(wrong)));
        }
        Err(error) => {
            let why = Wrong::Unusable(error.source.to_string());
            return (Layer::default(), Some(why));
        }
    };
    let (layer, end) = Layer::read(bytes);
    let wrong = match end {
        End::Whole | End::Torn(_) => None,
        End::Corrupt(at) => Some(Wrong::Broken(format!("damaged from byte {at} on"))),
        End::Foreign => Some(Wrong::Broken("not a claims file".to_owned())),
        End::Newer(version) => Some(Wrong::Unusable(format!(
            "a newer untaint wrote it, in format {version}: update this one"
        ))),
    };
    (layer, wrong)
}

/// The problem of a store that stays where it is and is not used.
fn unusable(state: &dyn StateDir, why: &str) -> Problem {
    problem(
        state,
        format!("the store of known claims is not used: {why}"),
    )
}

/// Moves an unreadable store away and writes anew what could be read of it. Looks once more under the lock: another
/// process may have done so meanwhile.
fn set_aside(state: &dyn StateDir, problems: &mut Vec<Problem>) -> Layer {
    let lock = state.lock(LOCK).ok().flatten();
    let (layer, wrong) = match read(state) {
        (layer, None) => return layer,
        (layer, Some(Wrong::Broken(wrong))) => (layer, wrong),
        (layer, Some(Wrong::Unusable(why))) => {
            problems.push(unusable(state, &why));
            return layer;
        }
    };
    let kept = match layer.len() {
        0 => String::new(),
        some => format!("; {some} records before that are used"),
    };
    let moved = match lock {
        Some(_) => state.set_aside(FILE).map_err(|e| e.source.to_string()),
        None => Err("it cannot be locked for writing".to_owned()),
    };
    let done = match moved {
        Ok(name) => {
            let repaired = layer.len() == 0 || state.replace(FILE, &compact(&layer, None)).is_ok();
            let lost = if repaired {
                ""
            } else {
                ", but nothing could be written in its place"
            };
            format!("set aside as {name}{lost}")
        }
        Err(why) => format!("it stays where it is ({why}); remove it"),
    };
    problems.push(problem(
        state,
        format!("the store of known claims is unreadable ({wrong}): {done}{kept}"),
    ));
    layer
}

/// Writes what was learned: appended, or compacted when the file's tail is torn or more than half of it is garbage.
pub(super) fn write(state: &dyn StateDir, pending: &Pending) -> Result<(), Problem> {
    let failed = |why: String| {
        problem(
            state,
            format!("what this run learned from registries is not remembered: {why}"),
        )
    };
    let io = |e: PathError| failed(e.source.to_string());
    let Some(_lock) = state.lock(LOCK).map_err(io)? else {
        return Err(failed("another untaint is writing; run again".to_owned()));
    };
    let bytes = state.read(FILE, LARGEST_FILE).map_err(io)?;
    let fresh = bytes.as_ref().is_none_or(Vec::is_empty);
    let (layer, end) = Layer::read(bytes.unwrap_or_default());
    match end {
        End::Foreign | End::Newer(_) | End::Corrupt(_) => {
            return Err(failed(
                "the store is unreadable or of a newer untaint".to_owned(),
            ));
        }
        End::Whole | End::Torn(_) => {}
    }
    // The first sight counts, also when another process had it while this one ran.
    let counts = |k: u8, key: &[u8]| k != kind::FIRST_SEEN || layer.get(k, key).is_none();
    let news: News<'_> = pending
        .iter()
        .filter(|(_, learned)| !learned.written)
        .map(|((k, key), learned)| ((*k, &**key), &*learned.value))
        .filter(|((k, key), _)| counts(*k, key))
        .collect();
    let replaced = news.keys().map(|(k, key)| layer.weight(*k, key)).sum();
    if fresh {
        state.replace(FILE, &record::header()).map_err(io)?;
    } else if end != End::Whole || layer.is_mostly_garbage(replaced) {
        return state
            .replace(FILE, &compact(&layer, Some(&news)))
            .map_err(io);
    }
    let mut out = Vec::new();
    for ((kind, key), value) in news {
        record::put(&mut out, kind, key, value);
        // What is learned waits in memory anyway: not all of it twice.
        if out.len() >= PIECE {
            state.append(FILE, &out).map_err(io)?;
            out.clear();
        }
    }
    if out.is_empty() {
        return Ok(());
    }
    state.append(FILE, &out).map_err(io)
}

/// The newest record of every key, sorted, with news in front of them.
pub(super) fn compact(layer: &Layer, news: Option<&News<'_>>) -> Vec<u8> {
    let mut all: News<'_> = layer
        .records()
        .into_iter()
        .map(|r| ((r.kind, r.key), r.value))
        .collect();
    if let Some(news) = news {
        all.extend(news.iter().map(|(key, value)| (*key, *value)));
    }
    // A confirmation of a listing that is there no more says nothing.
    let stale: Vec<(u8, &[u8])> = all
        .iter()
        .filter(|((k, key), value)| {
            *k == kind::CONFIRMED
                && all.get(&(kind::LISTING, *key)).is_none_or(|listing| {
                    super::values::confirmed(value, record::checksum(listing)).is_none()
                })
        })
        .map(|(key, _)| *key)
        .collect();
    for key in stale {
        all.remove(&key);
    }
    let mut out = record::header();
    for ((kind, key), value) in all {
        record::put(&mut out, kind, key, value);
    }
    out
}

/// A problem of our own state: no effect on the verdict.
fn problem(state: &dyn StateDir, message: String) -> Problem {
    Problem::as_the_tool(state.path().join(FILE).display().to_string(), message)
}
