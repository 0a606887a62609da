//! Files that choose the toolchain.

use super::*;

fn codes(world: &World) -> Vec<(Code, Severity)> {
    let report = world.examine();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let findings = report.findings.iter();
    findings.map(|f| (f.code, f.severity)).collect()
}

fn with(path: &str, text: &str) -> World {
    let mut world = World::new();
    world.disk.file(path, text);
    world
}

#[test]
fn a_toolchain_by_path_runs_what_lies_there() {
    let path = "[toolchain]\npath = \"/any\"\n";
    let high = [(Code::CodeInSettings, Severity::High)];
    for (file, text) in [
        ("/h/p/rust-toolchain.toml", path),
        ("/h/p/rust-toolchain", path),
        ("/h/p/rust-toolchain", "/any/dir\n"),
        ("/h/p/rust-toolchain.toml", "[toolchain]\nchannel = './x'\n"),
    ] {
        assert_eq!(codes(&with(file, text)), high, "{file}: {text}");
    }
    // Above the project it is whoever's the folder is.
    let medium = [(Code::CodeInSettings, Severity::Medium)];
    assert_eq!(codes(&with("/h/rust-toolchain.toml", path)), medium);
    let report = with("/h/p/rust-toolchain.toml", path).examine();
    let location = report.findings[0].location.clone().unwrap();
    assert_eq!(location.line, Some(2));
    assert_eq!(report.read, ["rust-toolchain.toml"]);
    let world = World::variable("RUSTUP_TOOLCHAIN", "/any/dir");
    assert_eq!(codes(&world), medium);
}

#[test]
fn a_toolchain_by_name_is_a_choice_of_what_is_installed() {
    for (file, text) in [
        (
            "/h/p/rust-toolchain.toml",
            "[toolchain]\nchannel = \"1.90\"\n",
        ),
        ("/h/p/rust-toolchain", "nightly-2026-01-01\n"),
        ("/h/p/rust-toolchain", "\n  stable  \n\n"),
        ("/h/p/rust-toolchain.toml", ""),
    ] {
        assert_eq!(codes(&with(file, text)), [], "{file}: {text}");
    }
    assert_eq!(codes(&World::variable("RUSTUP_TOOLCHAIN", "stable")), []);
}

#[test]
fn the_nearest_file_counts_and_the_older_name_wins() {
    let mut world = with("/h/rust-toolchain", "/any\n");
    world.disk.file(
        "/h/p/rust-toolchain.toml",
        "[toolchain]\nchannel='stable'\n",
    );
    assert_eq!(codes(&world), []);
    world.disk.file("/h/p/rust-toolchain", "/any\n");
    assert_eq!(codes(&world), [(Code::CodeInSettings, Severity::High)]);
}

#[test]
fn a_broken_file_is_a_problem_that_names_it() {
    let report = with("/h/p/rust-toolchain.toml", "[toolchain\n").examine();
    assert!(report.problems[0].path.contains("/h/p/rust-toolchain.toml"));
    assert!(report.findings.is_empty());
}
