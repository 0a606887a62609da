//! The command table: what is taken, what is refused, what help says.

use clap::{CommandFactory as _, Parser as _};

use super::*;
use crate::cli::exit::Exit;

fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
    let arguments = std::iter::once("untaint").chain(arguments.iter().copied());
    Cli::try_parse_from(arguments).map(|cli| cli.command)
}

fn exit(arguments: &[&str]) -> Exit {
    Exit::of_usage(&parse(arguments).unwrap_err())
}

#[test]
fn the_table_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_help() {
    fn walk(command: &clap::Command, path: &[&str]) {
        for below in command.get_subcommands() {
            let mut path = path.to_vec();
            path.push(below.get_name());
            assert!(below.get_about().is_some(), "{path:?}");
            for option in below.get_arguments() {
                let said = option.get_help().is_some() || option.is_hide_set();
                assert!(said, "{path:?} {option}");
            }
            let mut asked = path.clone();
            asked.push("--help");
            assert_eq!(exit(&asked), Exit::Clean, "{asked:?}");
            walk(below, &path);
        }
    }
    walk(&Cli::command(), &[]);
    assert_eq!(exit(&["--help"]), Exit::Clean);
    assert_eq!(exit(&["--version"]), Exit::Clean);
}

#[test]
fn what_is_not_built_or_wrong_is_a_usage_error() {
    for arguments in [
        &[][..],
        &["drill"],
        &["impact"],
        &["schedule"],
        &["schedule", "install", "--at", "3"],
        &["heal", "--projects"],
        &["heal", "--exit-zero"],
        &["heal", "--evict", "--keep-if-unfetchable"],
        &["restore"],
        &["quarantine"],
        &["scan", "--no-such-option"],
        &["scan", "--heal"],
        &["scan", "--json", "-f", "table"],
        &["scan", "-q", "-v"],
        &["scan", "--no-advisories", "--no-integrity"],
        &["scan", "-f", "xml"],
        &["scan", "-o", "json"],
        &["scan", "-o", "json="],
        &["scan", "-o", "xml=x"],
        &["scan", "--cache", "cargo"],
        &["scan", "--cache", "nosuchtool=/x"],
        &["scan", "--ecosystem", "nosuch"],
        &["scan", "--exclude", "["],
        &["scan", "--require", "self"],
        &["scan", "--derived", "maybe"],
        &["scan", "--max-feed-age", "7"],
        &["scan", "--max-fetch", "much"],
        &["scan", "--jobs", "0"],
        &["scan", "--timeout", "-1s"],
        &["scan", "--now", "today"],
        &["scan", "--trust", "x@sha256:00"],
        &["sbom", "--exit-zero"],
        &["sbom", "-f", "spdx"],
        &["feeds"],
        &["feeds", "import", "x"],
        &["feeds", "import", "x", "--sha256", "zz"],
        &["trust", "pin", "cargo"],
        &[
            "trust",
            "pin",
            "cargo",
            "norole",
            "https://registry.example/",
        ],
        &["waive", "RUSTSEC-1"],
        &["waive", "X", "--reason", " ", "--until", "2027-01-31"],
        &["waive", "X", "--reason", "y", "--until", "2027-02-31"],
        &["accept", "x", "y", "--reason", "z", "--until", "2027-01-31"],
        &["completions", "nosuchshell"],
        &["schema"],
    ] {
        assert_eq!(exit(arguments).code(), 2, "{arguments:?}");
    }
}

#[test]
fn scan_takes_what_the_contract_says() {
    let hex = format!("t.toml@sha256:{}", "ab".repeat(32));
    let command = parse(&[
        "scan",
        "a",
        "b",
        "--caches",
        "--exclude",
        "x/**",
        "--exclude",
        "y",
        "-L",
        "Cargo.lock",
        "--offline",
        "--isolated",
        "--trust",
        &hex,
        "--config",
        "c.toml",
        "--claims",
        &hex,
        "--feeds",
        "f",
        "--require",
        "declared",
        "--allow",
        "git,offline",
        "--derived",
        "ignore",
        "--fetch-archives",
        "never",
        "--max-fetch",
        "1MiB",
        "--no-advisories",
        "--cargo-metadata",
        "m.json",
        "--max-feed-age",
        "26h",
        "--fail-on",
        "integrity,yanked",
        "--full",
        "--timeout",
        "90m",
        "--jobs",
        "3",
        "--ca-bundle",
        "ca.pem",
        "--format",
        "checks",
        "-o",
        "json=a=b",
        "-o",
        "table=t",
        "--portable",
        "--allow-empty",
        "-v",
        "--color",
        "never",
        "--progress",
        "always",
        "--now",
        "2026-01-02T03:04:05Z",
        "--exit-zero",
    ]);
    let Command::Scan(scan) = command.unwrap() else {
        panic!("scan");
    };
    let shared = &scan.shared;
    assert_eq!(shared.paths.len(), 2);
    assert_eq!(shared.exclude, ["x/**", "y"]);
    assert_eq!(shared.max_fetch, Some(Bytes(1 << 20)));
    assert_eq!(shared.max_feed_age, Some(Seconds(26 * 3600)));
    assert_eq!(shared.common.timeout, Some(Seconds(5400)));
    assert_eq!(shared.common.now, Some(1_767_323_045));
    assert!(shared.common.trust[0].digest.is_some() && shared.claims[0].digest.is_some());
    assert_eq!(shared.fail_on.as_ref().unwrap().len(), 2);
    assert_eq!(scan.reports.output.len(), 2);
    assert_eq!(scan.reports.output[0].path, std::path::Path::new("a=b"));
    assert!(scan.exit_zero && scan.reports.portable);
}

#[test]
fn a_guarded_command_stands_behind_two_dashes_and_is_taken_as_it_is() {
    let command = parse(&[
        "guard",
        "a",
        "--offline",
        "--heal",
        "--sandbox",
        "--fresh-derived=out",
        "--",
        "-x",
        "--",
        "--json",
    ]);
    let Command::Guard(guard) = command.unwrap() else {
        panic!("guard");
    };
    assert_eq!(guard.command, ["-x", "--", "--json"]);
    assert_eq!(guard.shared.paths, [std::path::PathBuf::from("a")]);
    assert!(guard.heal && guard.sandbox && guard.shared.common.offline);
    assert_eq!(guard.fresh_derived, Some(Some("out".into())));
    for arguments in [
        &["guard"][..],
        &["guard", "--"],
        &["guard", "cargo", "build"],
        &["guard", "--exit-zero", "--", "true"],
        &["guard", "--evict", "--", "true"],
    ] {
        let error = parse(arguments).unwrap_err();
        assert_eq!(Exit::of_usage(&error).code(), 2, "{arguments:?}");
    }
}

#[test]
fn no_message_carries_a_control_character() {
    let error = parse(&["scan", "--max-fetch", "\u{1b}[31m"]).unwrap_err();
    let error = error.render().to_string();
    let other = parse(&["scan", "-o", "a\u{1b}[31m"]).unwrap_err();
    let other = other.render().to_string();
    assert!(!other.contains('\u{1b}'), "{other:?}");
    assert!(error.contains("not a size"), "{error:?}");
}
