//! The README says what the program says: its table of ecosystems is made from their facts, its two commands are the
//! ones that `.ci/run` calls, and what it names exists.
//!
//! `UNTAINT_WRITE_README=1 cargo test --test architecture readme` writes the table anew.

use std::fmt::Write as _;
use std::fs;

use untaint::ecosystems;

use crate::source::{read, root};

const BEGIN: &str = "<!-- ecosystems: made from the program's own facts -->\n";
const END: &str = "<!-- end of ecosystems -->";

/// The table of what is verified, as the registry of ecosystems states it.
fn table() -> String {
    let mut out = String::from(
        "\n| ecosystem | `--cache` names | what is verified | what is not |\n|---|---|---|---|\n",
    );
    for ecosystem in ecosystems::all() {
        let facts = ecosystem.facts();
        let caches: Vec<String> = facts.cache_names.iter().map(|n| format!("`{n}`")).collect();
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            facts.name,
            caches.join(" "),
            facts.verified,
            facts.not_verified
        )
        .unwrap();
    }
    out.push('\n');
    out
}

#[test]
fn the_table_of_ecosystems_is_the_programs_own() {
    let readme = read("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the first mark");
    let (stands, after) = rest.split_once(END).expect("the second mark");
    let wanted = table();
    if std::env::var_os("UNTAINT_WRITE_README").is_some() {
        fs::write(
            root().join("README.md"),
            format!("{before}{BEGIN}{wanted}{END}{after}"),
        )
        .unwrap();
        return;
    }
    assert_eq!(stands, wanted, "write it anew with UNTAINT_WRITE_README=1");
}

/// The commands of the block that follows a heading.
fn commands(readme: &str, heading: &str) -> Vec<String> {
    let (_, rest) = readme
        .split_once(heading)
        .unwrap_or_else(|| panic!("no {heading}"));
    let (_, rest) = rest.split_once("```sh\n").expect("a block of commands");
    let (block, _) = rest.split_once("```").expect("an end of the block");
    block
        .lines()
        .map(|line| line.split('#').next().unwrap().trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn ci_calls_the_commands_of_the_readme() {
    let commands = commands(&read("README.md"), "## Two commands");
    let [scan, test] = commands.as_slice() else {
        panic!("not two commands: {commands:?}");
    };
    assert_eq!(scan, "cargo run --release --locked -- scan");
    let ci = read(".ci/run");
    for command in [scan, test] {
        assert!(
            ci.contains(command.as_str()),
            ".ci/run does not call `{command}`"
        );
    }
}

#[test]
fn every_file_that_the_readme_links_is_there() {
    let readme = read("README.md");
    let links = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
        assert!(
            root().join(link).exists(),
            "the README links {link}, which is not there"
        );
    }
}
