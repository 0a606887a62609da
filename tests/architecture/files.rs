//! What every file of the house must have, and must not be called.

use crate::source::{below, read, root, sources};

/// Longest file, tests included.
const LINES: usize = 500;

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "helpers", "helper", "common", "misc", "imp", "manager",
];

#[test]
fn every_file_begins_with_what_it_is() {
    let mut files: Vec<String> = below("src");
    files.extend(below("tests"));
    files.extend(below("benches"));
    let bare: Vec<String> = files
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .filter(|path| !read(path).starts_with("//!"))
        .collect();
    assert!(bare.is_empty(), "no module documentation: {bare:#?}");
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (source.text.lines().count(), &source.path))
        .filter(|(lines, _)| *lines > LINES)
        .map(|(lines, path)| format!("{path}: {lines}"))
        .collect();
    assert!(
        long.is_empty(),
        "longer than {LINES} lines, so more than one idea: {long:#?}"
    );
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let wrong: Vec<String> = below("src")
        .into_iter()
        .chain(below("tests"))
        .filter(|path| {
            path.split(['/', '.'])
                .any(|part| EMPTY_NAMES.contains(&part))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_left_to_do_and_nothing_is_silenced() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            let marks = [
                "TODO",
                "FIXME",
                "XXX:",
                "#[allow(",
                "#![allow(",
                "unimplemented!",
                "todo!",
            ];
            if marks.iter().any(|mark| line.contains(mark)) {
                wrong.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_lockfile_stays_small() {
    let packages = read("Cargo.lock").matches("[[package]]").count();
    assert!(
        packages <= 300,
        "{packages} locked packages, 300 are the ceiling"
    );
}

#[test]
fn both_licences_lie_here() {
    assert!(read("Cargo.toml").contains("license = \"MIT OR Apache-2.0\""));
    assert!(read("LICENSE-MIT").contains("Permission is hereby granted, free of charge"));
    assert!(read("LICENSE-APACHE").contains("Version 2.0, January 2004"));
    assert!(root().join("CHANGELOG.md").is_file());
}
