//! Records of finished runs, for `untaint status`: when, over what, and with which verdict.
//!
//! One line of JSON per run in our state, the newest last, at most `KEPT` of them; replaced whole under a lock. Records
//! say when somebody last looked; nothing is ever verified by them. A line that cannot be read is a problem and is left
//! out, never an end.

use serde::{Deserialize, Serialize};

use crate::model::Problem;
use crate::model::report::VerdictResult;
use crate::world::{PathError, StateDir};

/// Name of the file in our state folder.
const FILE: &str = "runs";
/// Name of the writer's lock.
const LOCK: &str = "runs.lock";
/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// How many records are kept.
const KEPT: usize = 100;

/// One finished run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// When it began, seconds since 1970.
    pub at: i64,
    /// Whether projects or lockfiles were audited.
    pub projects: bool,
    /// Whether caches were audited.
    pub caches: bool,
    /// The verdict in one word, as in reports.
    pub result: String,
    /// Subjects.
    pub subjects: u64,
    /// Of these, verified.
    pub verified: u64,
    /// Of these, tainted or in conflict.
    pub tainted: u64,
    /// Of these, unverifiable.
    pub unverifiable: u64,
    /// Findings of every class and severity.
    pub findings: u64,
}

impl RunRecord {
    /// Whether everything could be looked at: only such a run satisfies `status --max-age`.
    pub fn is_complete(&self) -> bool {
        [
            VerdictResult::Clean,
            VerdictResult::Findings,
            VerdictResult::Stale,
            VerdictResult::Empty,
        ]
        .iter()
        .any(|result| result.as_str() == self.result)
    }

    fn is_sound(&self, now: i64) -> bool {
        let known = self.is_complete()
            || [VerdictResult::Incomplete, VerdictResult::Failed]
                .iter()
                .any(|result| result.as_str() == self.result);
        known && (0..=now).contains(&self.at)
    }
}

/// Every record that can be read, oldest first, and what could not. A record from the future counts as unreadable.
/// `now` is in seconds since 1970.
pub fn read(state: &dyn StateDir, now: i64) -> (Vec<RunRecord>, Vec<Problem>) {
    let path = state.path().join(FILE).display().to_string();
    let bytes = match state.read(FILE, LARGEST) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(error) => {
            let why = format!(
                "the records of earlier runs cannot be read: {}",
                error.source
            );
            return (Vec::new(), vec![Problem::as_the_tool(path, why)]);
        }
    };
    let mut records = Vec::new();
    let mut bad = 0_u64;
    for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        match serde_json::from_slice::<RunRecord>(line) {
            Ok(record) if record.is_sound(now) => records.push(record),
            _ => bad += 1,
        }
    }
    records.sort_by_key(|record| record.at);
    let problems = (bad > 0).then(|| {
        let why = format!("{bad} records of earlier runs are damaged and left out");
        Problem::as_the_tool(path, why)
    });
    (records, problems.into_iter().collect())
}

/// Adds a record; the oldest make room.
///
/// # Errors
/// A problem without effect on the verdict: why it could not be kept.
pub fn add(state: &dyn StateDir, record: &RunRecord) -> Result<(), Problem> {
    let failed = |why: String| {
        let path = state.path().join(FILE).display().to_string();
        Problem::as_the_tool(path, format!("this run is not recorded: {why}"))
    };
    let io = |error: PathError| failed(error.source.to_string());
    let Some(_lock) = state.lock(LOCK).map_err(io)? else {
        return Err(failed("another untaint is writing; run again".to_owned()));
    };
    let (mut records, _) = read(state, record.at);
    records.push(record.clone());
    let from = records.len().saturating_sub(KEPT);
    let mut bytes = Vec::new();
    for record in records.iter().skip(from) {
        serde_json::to_writer(&mut bytes, record).map_err(|e| failed(e.to_string()))?;
        bytes.push(b'\n');
    }
    state.replace(FILE, &bytes).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::fake_state::FakeState;

    fn record(at: i64, result: &str) -> RunRecord {
        RunRecord {
            at,
            projects: true,
            caches: false,
            result: result.to_owned(),
            subjects: 3,
            verified: 3,
            tainted: 0,
            unverifiable: 0,
            findings: 0,
        }
    }

    #[test]
    fn records_come_back_oldest_first_and_are_bounded() {
        let state = FakeState::default();
        for at in 1..=130 {
            add(&state, &record(at, "clean")).unwrap();
        }
        let (records, problems) = read(&state, 200);
        assert!(problems.is_empty());
        assert_eq!(records.len(), KEPT);
        assert_eq!(records.first().unwrap().at, 31);
        assert_eq!(records.last().unwrap(), &record(130, "clean"));
    }

    #[test]
    fn damaged_lines_cost_themselves_only() {
        let state = FakeState::default();
        add(&state, &record(5, "incomplete")).unwrap();
        let mut bytes = state.get(FILE).unwrap();
        bytes.extend_from_slice(b"\xff\xfe rubbish\n{\"at\":1}\n[[[[\n");
        let mut future = serde_json::to_vec(&record(9_000, "clean")).unwrap();
        bytes.append(&mut future);
        bytes.extend_from_slice(b"\n");
        let word = serde_json::to_string(&record(6, "splendid")).unwrap();
        bytes.extend_from_slice(word.as_bytes());
        state.set(FILE, &bytes);
        let (records, problems) = read(&state, 100);
        assert_eq!(records, [record(5, "incomplete")]);
        assert!(problems[0].message.starts_with("5 records"), "{problems:?}");
        assert!(!records[0].is_complete());
        assert!(record(1, "findings").is_complete());
        // The next run writes a whole file again.
        add(&state, &record(7, "clean")).unwrap();
        assert!(read(&state, 100).1.is_empty());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let mut state = FakeState::with("other", b"");
        state.read_only = true;
        assert!(add(&state, &record(1, "clean")).is_err());
    }
}
