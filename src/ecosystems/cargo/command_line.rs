//! What a command line of cargo (1.95) says of the project that it builds and of where packages come from.
//!
//! Read as cargo reads it, up to `--`; what stands behind that is for the program that cargo runs. Nothing is run.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::ecosystems::contract::CommandLine;

/// First parts of settings that decide neither what is built nor what runs.
const HARMLESS: &[&str] = &[
    "build.incremental",
    "build.jobs",
    "build.target-dir",
    "future-incompat-report.",
    "http.multiplexing",
    "http.timeout",
    "net.offline",
    "net.retry",
    "term.",
];

/// Reads the words behind `cargo`.
pub(super) fn read(words: &[OsString]) -> CommandLine {
    let mut line = CommandLine::default();
    let words: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .take_while(|word| word != "--")
        .collect();
    let mut has_path = false;
    // What rustup runs in place of cargo.
    let first = words
        .first()
        .filter(|word| word.starts_with('+') && word.contains('/'));
    line.unseen.extend(first.cloned());
    for (at, word) in words.iter().enumerate() {
        let next = || words.get(at + 1).cloned();
        let value = |option: &str| match word.strip_prefix(option) {
            Some("") => next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        if let Some(path) = value("--manifest-path").or_else(|| value("--path")) {
            has_path = true;
            line.projects.push(PathBuf::from(path));
        } else if let Some(folder) = value("--target-dir") {
            line.build_folders.push(format!("--target-dir {folder}"));
        } else if let Some(setting) = value("--config") {
            if setting.trim_start().starts_with("build.target-dir") {
                line.build_folders.push(format!("--config {setting}"));
            }
            if !is_harmless(&setting) {
                line.unseen.push(format!("--config {setting}"));
            }
        } else if let Some(file) = value("--lockfile-path") {
            line.unseen.push(format!("--lockfile-path {file}"));
        } else if let Some(rest) = word.strip_prefix("-C") {
            let folder = if rest.is_empty() {
                next()
            } else {
                Some(rest.to_owned())
            };
            line.projects.extend(folder.map(PathBuf::from));
        }
    }
    // Without `--locked` the lockfile of what is installed does not count.
    let locked = words
        .iter()
        .any(|word| word == "--locked" || word == "--frozen");
    let subcommand = subcommand(&words);
    // A script of one file brings its manifest along, and no lockfile.
    if let Some(script) = subcommand.filter(|word| word.ends_with(".rs") || word.contains('/')) {
        line.unlocked.push(script.to_owned());
    }
    if subcommand == Some("install") && !(has_path && locked) {
        line.unlocked.push("install".to_owned());
    }
    line
}

/// The first word that is no option, nor the value of one that stands before it.
fn subcommand(words: &[String]) -> Option<&str> {
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-C" | "-Z" | "--config" | "--color" => drop(words.next()),
            _ if word.starts_with(['-', '+']) => {}
            _ => return Some(word),
        }
    }
    None
}

/// Whether a `--config` word is a setting of which nothing depends but how the build is shown and spread.
fn is_harmless(setting: &str) -> bool {
    let Some((key, _)) = setting.split_once('=') else {
        // A file.
        return false;
    };
    // More lines would be more settings.
    let key = key.trim();
    !setting.contains('\n')
        && (HARMLESS
            .iter()
            .any(|known| key == *known || (known.ends_with('.') && key.starts_with(known)))
            || (key.starts_with("profile.")
                && !key.contains("rustflags")
                && !setting.contains('{')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CommandLine {
        let words: Vec<OsString> = text.split(' ').map(OsString::from).collect();
        read(&words)
    }

    #[test]
    fn projects_are_those_that_the_words_name() {
        for (text, project) in [
            (
                "run --offline --manifest-path ../app/Cargo.toml",
                "../app/Cargo.toml",
            ),
            (
                "build --manifest-path=../app/Cargo.toml",
                "../app/Cargo.toml",
            ),
            ("-C ../app build", "../app"),
            ("+nightly -C../app -Zunstable-options build", "../app"),
            ("install --locked --path tool", "tool"),
        ] {
            assert_eq!(line(text).projects, [PathBuf::from(project)], "{text}");
            assert_eq!(line(text).unlocked, [""; 0], "{text}");
        }
        for text in [
            "build",
            "rustc -- -C opt-level=3",
            "run -- --manifest-path x --config y",
        ] {
            assert_eq!(line(text), CommandLine::default(), "{text}");
        }
    }

    #[test]
    fn settings_on_the_line_are_unseen_unless_they_are_harmless() {
        for text in [
            "--config paths=['/x'] build",
            "build --config /x/config.toml",
            "build --config=build.rustc-wrapper='/x'",
            "build --config profile.dev.rustflags=['-Clinker=x']",
            "build --config term.color='never'\nbuild.rustc='x'",
            "build --lockfile-path /x/Cargo.lock",
            "+/any/toolchain build",
        ] {
            assert_eq!(line(text).unseen.len(), 1, "{text}");
        }
        for text in [
            "build --config net.offline=true --config=term.color='never'",
            "build --config profile.dev.opt-level=2",
        ] {
            assert_eq!(line(text), CommandLine::default(), "{text}");
        }
    }

    #[test]
    fn build_folders_of_its_own_are_heard_of() {
        for text in [
            "build --target-dir x",
            "build --target-dir=x",
            "run --config build.target-dir='x'",
        ] {
            assert_eq!(line(text).build_folders.len(), 1, "{text}");
            assert!(line(text).unseen.is_empty(), "{text}");
        }
    }

    #[test]
    fn programs_that_are_installed_have_no_lockfile_here() {
        for text in [
            "install ripgrep",
            "+stable install --locked x",
            "-Z a install x",
        ] {
            assert_eq!(line(text).unlocked, ["install"], "{text}");
        }
        assert!(line("run install").unlocked.is_empty());
    }
}
