//! Machine formats against the published schemas, for whatever report.

use boon::{Compiler, SchemaIndex, Schemas};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Detail, Format, Options, arbitrary, render, sample};
use super::*;
use crate::model::report::Report;
use crate::model::text::printable;

/// A schema, as printed or with every key that it does not name forbidden.
fn compile(name: &str, closed: bool) -> (Schemas, SchemaIndex) {
    let mut schema: Value = serde_json::from_str(named(name).unwrap()).unwrap();
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
            for (key, value) in map.iter_mut() {
                // Parts of a condition name only the keys that they are about.
                if key != "oneOf" && key != "allOf" {
                    close(value);
                }
            }
            if map.contains_key("type") && map.contains_key("properties") {
                map.insert("additionalProperties".into(), json!(false));
            }
        }
        Value::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}

fn rows(report: &Report) -> Vec<Value> {
    let text = String::from_utf8(render(report, Format::Checks, &Options::default())).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn json(report: &Report) -> Value {
    serde_json::from_slice(&render(report, Format::Json, &Options::default())).unwrap()
}

#[track_caller]
fn holds(schema: &(Schemas, SchemaIndex), value: &Value) {
    if let Err(error) = schema.0.validate(value, schema.1) {
        panic!("{error:#}\n{value:#}");
    }
}

#[test]
fn every_schema_has_its_name() {
    for name in NAMES {
        let schema: Value = serde_json::from_str(named(name).unwrap()).unwrap();
        assert_eq!(schema["title"], name);
    }
    assert_eq!(named("sarif"), None);
}

#[test]
fn what_we_write_is_what_we_promise() {
    let whole = [compile("report", false), compile("report", true)];
    let row = [compile("check", false), compile("check", true)];
    for report in [sample::rich(), sample::clean()] {
        whole
            .iter()
            .for_each(|schema| holds(schema, &json(&report)));
        for value in rows(&report) {
            row.iter().for_each(|schema| holds(schema, &value));
        }
    }
}

/// A schema that accepts everything would prove nothing.
#[test]
fn what_we_do_not_promise_is_refused() {
    let (schemas, index) = compile("report", false);
    let good = json(&sample::rich());
    for (pointer, bad) in [
        ("/schema", json!("untaint.report/2")),
        ("/verdict/result", json!("fine")),
        ("/verdict/exit_code", json!(0)),
        ("/findings/0/severity", json!("dreadful")),
        ("/findings/0/class", json!("new")),
        ("/findings/0/id", json!("f-1")),
        ("/findings/1/observed", json!("sha256:EE")),
        ("/findings/1/expected/0/assurance", json!("believed")),
        ("/problems/0/effect", json!("none")),
        ("/coverage/verified", json!(-1)),
        ("/run/started", json!("yesterday")),
        ("/run/feeds/0/updated", json!(1)),
    ] {
        let mut value = good.clone();
        *value.pointer_mut(pointer).expect(pointer) = bad;
        assert!(schemas.validate(&value, index).is_err(), "{pointer}");
    }
    let (schemas, index) = compile("check", false);
    let mut row = rows(&sample::rich()).remove(0);
    row["outcome"] = json!("verified");
    row["assurance"] = Value::Null;
    assert!(schemas.validate(&row, index).is_err());
}

/// Open lists stay open: a reader with this schema accepts a newer untaint's words and keys.
#[test]
fn newer_words_and_keys_are_accepted() {
    let schema = compile("report", false);
    let mut value = json(&sample::rich());
    value["findings"][0]["code"] = json!("something-new");
    value["findings"][0]["new_key"] = json!(1);
    value["coverage"]["unverifiable"]["new-reason"] = json!(1);
    holds(&schema, &value);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_report_keeps_every_promise(report in arbitrary::report()) {
        let whole = compile("report", true);
        holds(&whole, &json(&report));
        let row = compile("check", true);
        let rows = rows(&report);
        prop_assert_eq!(rows.len(), report.checks.len());
        rows.iter().for_each(|value| holds(&row, value));

        let mut reversed = report.clone();
        reversed.findings.reverse();
        reversed.checks.reverse();
        reversed.notices.reverse();
        for format in Format::ALL {
            for detail in [Detail::Quiet, Detail::Normal, Detail::Verbose] {
                let options = Options { detail, ..Options::default() };
                let bytes = render(&report, format, &options);
                let text = String::from_utf8(bytes).unwrap();
                for line in text.lines() {
                    prop_assert_eq!(&printable(line), line);
                    prop_assert!(!line.contains("##"));
                    prop_assert!(!line.trim_start().starts_with("::"));
                }
                if format != Format::Table {
                    prop_assert_eq!(text.into_bytes(), render(&reversed, format, &options));
                }
            }
        }
    }
}
