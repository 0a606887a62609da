//! A remedy is prose, or one complete line for a shell: every one that any test meets is held to that.
//!
//! What stands in back quotes in prose, and a line that begins with a program, is parsed by a shell; what is a call of
//! untaint is parsed by untaint's own argument parser.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use clap::Parser as _;
use untaint::cli::args::Cli;

/// Programs with which the line of a remedy begins.
const PROGRAMS: [&str; 7] = ["untaint", "rm", "chmod", "chown", "cargo", "go", "git"];

/// Commands of untaint that remedies speak of.
const COMMANDS: [&str; 8] = [
    "scan", "heal", "trust", "accept", "waive", "feeds", "restore", "explain",
];

/// Fails if a remedy is neither.
pub(crate) fn is_sound(remedy: &str) {
    static SEEN: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);
    // The same line about another finding or another folder says nothing new.
    let plain: String = remedy.chars().filter(|c| !c.is_ascii_digit()).collect();
    if !SEEN.lock().unwrap().insert(plain) {
        return;
    }
    if begins_with_a_program(remedy) {
        return line(remedy, remedy);
    }
    for (at, quoted) in remedy.split('`').enumerate() {
        if at % 2 == 1 && begins_with_a_program(quoted) {
            line(quoted, remedy);
        }
        let mut calls = quoted.split("untaint ").skip(1);
        let bare = calls.any(|rest| COMMANDS.iter().any(|command| rest.starts_with(command)));
        assert!(
            at % 2 == 1 || !bare,
            "a call in prose stands in back quotes: {remedy}"
        );
    }
}

fn begins_with_a_program(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    PROGRAMS.contains(&word)
}

fn line(line: &str, remedy: &str) {
    let parsed = Command::new("sh")
        .args(["-n", "-c", line])
        .output()
        .unwrap();
    assert!(parsed.status.success(), "no line for a shell: {remedy}");
    for part in line.split("&&") {
        let words = words(part, remedy);
        let prose = words.iter().any(|word| word.ends_with(','));
        assert!(!prose, "prose in a line for a shell: {remedy}");
        if words.first().is_some_and(|word| word == "untaint")
            && let Err(error) = Cli::try_parse_from(&words)
            && error.kind() != clap::error::ErrorKind::DisplayHelp
        {
            panic!("untaint does not take this: {remedy}\n{error}");
        }
    }
}

/// The words of a line as a shell makes them.
fn words(part: &str, remedy: &str) -> Vec<String> {
    let script = format!("printf '%s\\0' {}", part.trim());
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{remedy}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn every_reason_has_a_sound_remedy() {
    for reason in untaint::model::Reason::ALL {
        is_sound(reason.advice());
    }
}

#[test]
#[should_panic(expected = "untaint does not take this")]
fn a_call_that_lacks_its_arguments_is_found_out() {
    is_sound("pin it: `untaint trust pin`");
}

#[test]
#[should_panic(expected = "prose in a line")]
fn prose_behind_a_program_is_found_out() {
    is_sound("go mod vendor, in a workspace go work vendor");
}
