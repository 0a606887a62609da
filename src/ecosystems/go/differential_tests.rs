//! Our readers against golang.org/x/mod (commit fe2ec04f7c3c, June 2026) on recorded, randomly made input.
//!
//! The file holds a selection of 240,000 cases of which none differed: one JSON array per line, the kind first, then
//! the input, then what Go made of it. What is looked up from a main module's go.mod is compared value by value.

use serde_json::Value;

use super::gomod::{Kind, Replacement, parse};
use super::{escape, match_patterns, version};
use crate::model::version_order::VersionOrder as _;

const VECTORS: &str = include_str!("../../../fixtures/go/x-mod-vectors.jsonl");

/// The cases of one kind.
fn cases(kind: &str) -> Vec<Vec<Value>> {
    let rows = VECTORS
        .lines()
        .map(|line| serde_json::from_str::<Vec<Value>>(line).unwrap());
    let cases: Vec<Vec<Value>> = rows.filter(|row| row[0] == kind).collect();
    assert!(cases.len() >= 200, "{kind}: {} cases are left", cases.len());
    cases
}

fn text(row: &[Value], at: usize) -> &str {
    row[at].as_str().unwrap()
}

fn yes(row: &[Value], at: usize) -> bool {
    row[at].as_bool().unwrap()
}

#[test]
fn globs_match_as_in_go() {
    for row in cases("glob") {
        let matched = match_patterns::matches_prefix(text(&row, 1), text(&row, 2));
        assert_eq!(matched, yes(&row, 3), "{row:?}");
    }
}

#[test]
fn versions_are_read_and_ordered_as_in_go() {
    for row in cases("ver") {
        let (a, b) = (text(&row, 1), text(&row, 2));
        assert_eq!(version::is_valid(a), yes(&row, 3), "{row:?}");
        assert_eq!(version::is_valid(b), yes(&row, 4), "{row:?}");
        if yes(&row, 3) && yes(&row, 4) {
            let order = version::Order.compare(a, b).map(|order| order as i64);
            assert_eq!(order, row[5].as_i64(), "{row:?}");
        }
        if let Some(parts) = version::Parts::of(a) {
            assert_eq!(parts.pseudo().is_some(), yes(&row, 6), "{row:?}");
        }
    }
}

#[test]
fn names_are_escaped_as_in_go() {
    for row in cases("esc") {
        let name = text(&row, 1);
        let expected = |at| yes(&row, at + 1).then(|| text(&row, at).to_owned());
        assert_eq!(escape::escape_path(name).ok(), expected(2), "{row:?}");
        assert_eq!(escape::escape_version(name).ok(), expected(4), "{row:?}");
        assert_eq!(escape::unescape_path(name).ok(), expected(6), "{row:?}");
        assert_eq!(escape::unescape_version(name).ok(), expected(8), "{row:?}");
        assert_eq!(escape::is_import_path(name), yes(&row, 10), "{row:?}");
    }
}

#[test]
fn go_mod_files_say_what_they_say_to_go() {
    for row in cases("mod") {
        let file = parse(text(&row, 1).as_bytes(), Kind::Mod);
        assert_eq!(
            file.problems.is_empty(),
            yes(&row, 2),
            "{row:?}: {:?}",
            file.problems
        );
        if !yes(&row, 2) {
            continue;
        }
        let mut said = Vec::new();
        said.extend(file.module.iter().map(|at| format!("module {}", at.value)));
        said.extend(file.go.iter().map(|at| format!("go {}", at.value)));
        said.extend(
            file.toolchain
                .iter()
                .map(|at| format!("toolchain {}", at.value)),
        );
        said.extend(file.require.iter().map(|at| {
            let module = &at.value.module;
            format!(
                "{} require {} {} {}",
                at.line, module.path, module.version, at.value.indirect
            )
        }));
        said.extend(file.replace.iter().map(|at| {
            let (path, version) = match &at.value.with {
                Replacement::Module(module) => (&module.path, module.version.as_str()),
                Replacement::Folder(folder) => (folder, ""),
            };
            let old = at.value.version.as_deref().unwrap_or_default();
            format!(
                "{} replace {} {old} {path} {version}",
                at.line, at.value.path
            )
        }));
        said.extend(
            file.exclude
                .iter()
                .map(|at| format!("{} exclude {} {}", at.line, at.value.path, at.value.version)),
        );
        said.extend(file.retract.iter().map(|at| {
            let retract = &at.value;
            format!(
                "{} retract {} {} {:?}",
                at.line, retract.low, retract.high, retract.rationale
            )
        }));
        said.extend(
            file.tool
                .iter()
                .map(|at| format!("{} tool {}", at.line, at.value)),
        );
        said.extend(
            file.ignore
                .iter()
                .map(|at| format!("{} ignore {}", at.line, at.value)),
        );
        said.extend(
            file.godebug
                .iter()
                .map(|at| format!("{} godebug {} {}", at.line, at.value.0, at.value.1)),
        );
        assert_eq!(said.join("\n"), text(&row, 3), "{row:?}");
    }
}
