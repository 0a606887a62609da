//! What tools do in the ordinary course is nothing to complain of.

use std::fs;

use super::{ends, report, shell, template};
use crate::support::{Crate, Source, World, standard_crates};

fn world() -> World {
    let world = World::new(Source::Alternate);
    for release in standard_crates() {
        world.publish(&release);
    }
    world.manifest(
        &[("alpha", "1"), ("gamma", "0.3")],
        "fn main() { println!(\"{} {}\", alpha::name(), gamma::name()); }\n",
    );
    world.cargo(&["generate-lockfile"]);
    world
}

#[test]
fn a_build_is_built_and_built_again() {
    let world = template().twin();
    for _ in 0..2 {
        let done = ends(
            shell(&world, &[], "cargo run --quiet --locked --offline"),
            0,
        );
        assert_eq!(done.stdout, "alpha-beta gamma\n");
        assert!(report(&world).1.is_empty(), "{:?}", report(&world).1);
    }
}

#[test]
fn a_build_that_has_to_download_everything_ends_well() {
    let world = world();
    let _ = fs::remove_dir_all(world.cargo_home().join("registry"));
    let done = ends(shell(&world, &[], "cargo run --quiet --locked"), 0);
    assert_eq!(done.stdout, "alpha-beta gamma\n");
    let (report, codes) = report(&world);
    assert!(codes.is_empty(), "{codes:?}");
    let verified = report["coverage"]["verified"].as_u64().unwrap();
    assert!(
        verified >= 6,
        "what was downloaded was verified: {verified}"
    );
}

#[test]
fn a_first_use_of_a_home_that_is_not_there_yet_ends_well() {
    let world = world();
    fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
    let call = shell(&world, &[], "cargo fetch --quiet --locked");
    ends(call, 0);
    assert!(world.archive("alpha", "1.2.3").is_file());
}

#[test]
fn some_of_it_is_there_and_the_rest_comes() {
    let world = template().twin();
    for (name, version) in [("beta", "1.0.0"), ("gamma", "0.3.1")] {
        fs::remove_file(world.archive(name, version)).unwrap();
        fs::remove_dir_all(world.tree(name, version)).unwrap();
    }
    let done = ends(shell(&world, &[], "cargo run --quiet --locked"), 0);
    assert_eq!(done.stdout, "alpha-beta gamma\n");
    assert!(report(&world).1.is_empty(), "{:?}", report(&world).1);
}

#[test]
fn a_lockfile_that_is_brought_up_to_date_is_judged() {
    let world = world();
    world.cargo(&["fetch", "--locked"]);
    let newer = Crate::lib(
        "beta",
        "1.1.0",
        "pub fn name() -> &'static str { \"newer\" }\n",
    );
    world.publish(&newer);
    let done = ends(
        shell(&world, &[], "cargo update --quiet && cargo run --quiet"),
        0,
    );
    assert_eq!(done.stdout, "alpha-newer gamma\n");
    let (report, codes) = report(&world);
    assert!(codes.is_empty(), "{codes:?}");
    assert!(report["coverage"]["verified"].as_u64().unwrap() > 0);
}

#[test]
fn checkouts_of_git_repositories_are_used_and_fetched() {
    let (world, _) = crate::real_cargo::git_world();
    let allowed = ["--allow", "default,git"];
    let done = ends(
        shell(&world, &allowed, "cargo run --quiet --locked --offline"),
        0,
    );
    assert_eq!(done.stdout, "alpha-beta delta\n");
    fs::remove_dir_all(world.cargo_home().join("git")).unwrap();
    let done = ends(shell(&world, &allowed, "cargo run --quiet --locked"), 0);
    assert_eq!(done.stdout, "alpha-beta delta\n");
    let edit = "for f in \"$CARGO_HOME\"/git/checkouts/*/*/src/lib.rs; do cp -p \"$f\" good; echo >> \"$f\"; \
                cat good > \"$f\"; touch -r good \"$f\"; done";
    let done = ends(shell(&world, &allowed, edit), 120);
    assert!(
        done.stderr.contains("changed-during-run"),
        "{}",
        done.stderr
    );
}

#[test]
fn tests_documentation_and_vendoring_are_ordinary_too() {
    let world = template().twin();
    for script in [
        "cargo test --quiet --locked --offline >/dev/null",
        "cargo metadata --locked --offline --format-version 1 >/dev/null",
        "cargo vendor --quiet --locked --offline ../vendored >/dev/null",
        "touch src/main.rs && cargo build --quiet --locked --offline",
        "cargo clean --quiet",
    ] {
        let done = ends(shell(&world, &[], script), 0);
        assert!(report(&world).1.is_empty(), "{script}: {}", done.stderr);
    }
}
