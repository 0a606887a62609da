//! What a scan answered: exit code, report, and the questions that tests ask of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::time::Duration;

use super::remedy;
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// One finished run.
pub(crate) struct Scan {
    arguments: Vec<OsString>,
    pub(crate) exit: i32,
    pub(crate) report: Value,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    /// The most memory it held, in bytes, as last seen a few milliseconds before its end; 0 where nobody can say.
    pub(crate) peak: u64,
}

impl Scan {
    pub(crate) fn new(
        arguments: Vec<OsString>,
        status: ExitStatus,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        took: Duration,
    ) -> Self {
        let stdout = String::from_utf8(stdout).expect("output is UTF-8 whatever was scanned");
        let stderr = String::from_utf8(stderr).expect("messages are UTF-8 whatever was scanned");
        assert!(
            !stderr.contains("panicked at"),
            "untaint {arguments:?} panicked:\n{stderr}\n{stdout}"
        );
        let exit = status.code().unwrap_or_else(|| {
            panic!(
                "untaint {arguments:?} was ended by signal {:?}:\n{stderr}",
                status.signal()
            )
        });
        let report = serde_json::from_str(&stdout).unwrap_or(Value::Null);
        keeps_its_schema(&report);
        Self {
            arguments,
            exit,
            report,
            stdout,
            stderr,
            took,
            peak: 0,
        }
    }

    /// Everything that a failed assertion should show.
    pub(crate) fn story(&self) -> String {
        let mut text = format!(
            "untaint {:?}\nexit {} after {:?}\n",
            self.arguments, self.exit, self.took
        );
        for key in ["verdict", "coverage", "findings", "notices", "problems"] {
            if let Some(value) = self.report.get(key) {
                text += &format!("{key}: {value:#}\n");
            }
        }
        if self.report.is_null() {
            text += &format!("no report, but: {}\n", self.stdout);
        }
        text + &format!("messages: {}", self.stderr)
    }

    /// The sums and promises of the contract that hold for every report.
    pub(crate) fn check(&self) {
        let story = self.story();
        assert_eq!(self.report["schema"], "untaint.report/1", "{story}");
        if let Err(error) = schema_holds(&self.report) {
            panic!("the report breaks its own schema: {error}\n{story}");
        }
        assert_eq!(self.report["verdict"]["exit_code"], self.exit, "{story}");
        let result = match self.exit {
            0 => "clean",
            1 => "findings",
            2 => "failed",
            3 => "incomplete",
            4 => "stale",
            5 => "empty",
            other => panic!("exit code {other} is not in the contract: {story}"),
        };
        assert_eq!(self.report["verdict"]["result"], result, "{story}");
        sums(&self.report["coverage"], &story);
        let mut whole = BTreeMap::new();
        for (_, part) in self.report["coverage"]["by_ecosystem"]
            .as_object()
            .into_iter()
            .flatten()
        {
            sums(part, &story);
            for key in ["subjects", "verified", "tainted", "conflict"] {
                *whole.entry(key).or_insert(0) += count(part, key);
            }
        }
        for (key, sum) in whole {
            assert_eq!(sum, count(&self.report["coverage"], key), "{key}: {story}");
        }
        if self.count("tainted") + self.count("conflict") > 0 {
            assert_eq!(
                self.exit, 1,
                "something is tainted, so the answer is 1: {story}"
            );
            assert!(
                !self.findings().is_empty(),
                "a taint without a finding: {story}"
            );
        }
        if self.exit == 0 {
            assert!(
                self.problems().iter().all(|p| p["effect"] == "as-the-tool"),
                "{story}"
            );
        }
        for finding in self.findings() {
            for key in ["id", "code", "class", "severity", "message"] {
                assert!(finding[key].is_string(), "a finding without {key}: {story}");
            }
        }
        let told = self.findings().iter().chain(self.notices());
        for remedy in told.filter_map(|one| one["remedy"].as_str()) {
            remedy::is_sound(remedy);
        }
    }

    pub(crate) fn findings(&self) -> &[Value] {
        self.report["findings"]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn problems(&self) -> &[Value] {
        self.report["problems"]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn notices(&self) -> &[Value] {
        self.report["notices"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The codes of all findings, in order, each once.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = self
            .findings()
            .iter()
            .filter_map(|f| f["code"].as_str())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    pub(crate) fn count(&self, key: &str) -> u64 {
        count(&self.report["coverage"], key)
    }

    /// How many subjects could not be verified for this reason.
    pub(crate) fn unverifiable(&self, reason: &str) -> u64 {
        self.report["coverage"]["unverifiable"][reason]
            .as_u64()
            .unwrap_or(0)
    }

    /// Is this text part of a finding or a problem (path, entry, package, message)?
    pub(crate) fn names(&self, text: &str) -> bool {
        let has = |value: &Value| value.to_string().contains(text);
        self.findings().iter().any(has) || self.problems().iter().any(has)
    }

    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.exit, code, "expected exit {code}\n{}", self.story());
        self
    }

    /// Exit 1 with one of these codes on a finding that mentions `part`.
    #[track_caller]
    pub(crate) fn finds(&self, codes: &[&str], part: &str) -> &Self {
        let found = self.findings().iter().any(|finding| {
            finding["code"]
                .as_str()
                .is_some_and(|code| codes.contains(&code))
                && finding.to_string().contains(part)
        });
        assert!(
            found,
            "expected one of {codes:?} about `{part}`\n{}",
            self.story()
        );
        assert_eq!(
            self.exit,
            1,
            "a finding of {codes:?} must be answered by 1\n{}",
            self.story()
        );
        self
    }

    /// Verified all over: nothing tainted, nothing unverifiable, nothing at the threshold.
    #[track_caller]
    pub(crate) fn is_clean(&self) -> &Self {
        self.exits(0);
        assert_eq!(
            self.count("tainted") + self.count("conflict"),
            0,
            "{}",
            self.story()
        );
        assert!(
            self.count("verified") > 0,
            "clean because nothing was verified\n{}",
            self.story()
        );
        self
    }

    /// No finding of a class that says somebody did something.
    #[track_caller]
    pub(crate) fn is_no_alarm(&self) -> &Self {
        assert_ne!(self.exit, 1, "a false alarm\n{}", self.story());
        assert!(
            self.findings()
                .iter()
                .all(|f| f["class"] != "integrity" && f["severity"] != "critical"),
            "a false alarm below the threshold\n{}",
            self.story()
        );
        self
    }
}

/// Validates against the schema that the program itself publishes.
fn schema_holds(report: &Value) -> Result<(), String> {
    static SCHEMA: OnceLock<(Schemas, SchemaIndex)> = OnceLock::new();
    let (schemas, index) = SCHEMA.get_or_init(|| compile("report", false));
    schemas
        .validate(report, *index)
        .map_err(|error| format!("{error:#}"))
}

/// What the commands that change things print keeps to its schema, and has no key that the schema does not name.
pub(crate) fn keeps_its_schema(printed: &Value) {
    static SCHEMAS: OnceLock<Vec<(Schemas, SchemaIndex)>> = OnceLock::new();
    const NAMES: [&str; 3] = ["heal", "restore", "quarantine"];
    let schemas = SCHEMAS.get_or_init(|| NAMES.map(|name| compile(name, true)).into());
    for (name, (schemas, index)) in NAMES.iter().zip(schemas) {
        if printed["schema"] == format!("untaint.{name}/1")
            && let Err(error) = schemas.validate(printed, *index)
        {
            panic!("{name} breaks its own schema: {error:#}\n{printed:#}");
        }
    }
    for remedy in printed["by_hand"].as_array().into_iter().flatten() {
        remedy["remedy"]
            .as_str()
            .into_iter()
            .for_each(remedy::is_sound);
    }
}

fn compile(name: &str, closed: bool) -> (Schemas, SchemaIndex) {
    let text = untaint::pipeline::report::schema::named(name).expect("a schema");
    let mut schema = serde_json::from_str(text).unwrap();
    if closed {
        close(&mut schema);
    }
    let mut compiler = Compiler::new();
    compiler.add_resource("urn:test", schema).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:test", &mut schemas).unwrap();
    (schemas, index)
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(close);
            if map.contains_key("type") && map.contains_key("properties") {
                map.insert("additionalProperties".into(), Value::Bool(false));
            }
        }
        Value::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}

fn sums(coverage: &Value, story: &str) {
    let unverifiable: u64 = coverage["unverifiable"].as_object().map_or(0, |reasons| {
        reasons.values().filter_map(Value::as_u64).sum()
    });
    let sum = count(coverage, "verified")
        + count(coverage, "tainted")
        + count(coverage, "conflict")
        + unverifiable;
    assert_eq!(
        count(coverage, "subjects"),
        sum,
        "subjects are not the sum of outcomes: {story}"
    );
}

fn count(coverage: &Value, key: &str) -> u64 {
    coverage[key].as_u64().unwrap_or(0)
}
