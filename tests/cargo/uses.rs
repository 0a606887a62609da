//! `--cargo-metadata`, and what bills of materials say of use and licence.

use std::fs;

use serde_json::Value;

use crate::support::{Crate, Scan, Source, Untaint, World, write_file};

/// `app` needs `alpha`, builds with `cc`, tests with `tester`, and locks `winner` for another system only.
fn world() -> World {
    let world = World::new(Source::Alternate);
    for name in ["alpha", "cc", "tester", "winner"] {
        world.publish(&Crate::lib(name, "1.0.0", "pub fn name() {}\n"));
    }
    let dep = |name: &str| world.dependency(name, "1");
    write_file(
        &world.project().join("Cargo.toml"),
        format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n{}\
             [build-dependencies]\n{}[dev-dependencies]\n{}\
             [target.'cfg(target_os = \"nowhere\")'.dependencies]\n{}",
            dep("alpha"),
            dep("cc"),
            dep("tester"),
            dep("winner")
        ),
    );
    write_file(&world.project().join("src/main.rs"), "fn main() {}\n");
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    world
}

fn metadata(world: &World) -> std::path::PathBuf {
    let host = "x86_64-unknown-linux-gnu";
    let output = world.try_cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--offline",
        "--filter-platform",
        host,
    ]);
    assert!(output.status.success());
    let file = world.root().join("metadata.json");
    write_file(&file, output.stdout);
    file
}

fn sbom(world: &World, arguments: &[&str]) -> (Scan, Value) {
    let scan = Untaint::bare(world)
        .args(&["sbom", "-f", "cyclonedx", "--no-advisories", "--trust"])
        .arg(world.trust_file())
        .args(arguments)
        .arg(world.project())
        .run_raw();
    let bill = serde_json::from_str(&scan.stdout).unwrap_or(Value::Null);
    (scan, bill)
}

fn component<'a>(bill: &'a Value, name: &str) -> &'a Value {
    bill["components"]
        .as_array()
        .and_then(|all| all.iter().find(|c| c["name"] == name))
        .unwrap_or_else(|| panic!("{name} is missing in {bill:#}"))
}

#[test]
fn packages_are_told_apart_by_what_they_are_for() {
    let world = world();
    let file = metadata(&world);
    let (scan, bill) = sbom(&world, &["--cargo-metadata", file.to_str().unwrap()]);
    assert_eq!(scan.exit, 0, "{}", scan.story());
    let of = |name: &str| component(&bill, name)["properties"].to_string();
    for (name, scope) in [
        ("alpha", "required"),
        ("cc", "build"),
        ("tester", "dev"),
        ("winner", "unused"),
    ] {
        let said = of(name);
        let row = format!("\"untaint:scope\",\"value\":\"{scope}\"");
        let other = format!("\"value\":\"{scope}\"");
        assert!(
            said.contains(&row) || said.contains(&other),
            "{name}: {said}"
        );
    }
    let (_, bill) = sbom(&world, &[]);
    assert!(!bill.to_string().contains("untaint:scope"), "{bill:#}");
}

#[test]
fn a_finding_on_an_unused_package_says_so_and_stays() {
    let world = world();
    let file = metadata(&world);
    write_file(
        &world.tree("winner", "1.0.0").join("build.rs"),
        "fn main() {}\n",
    );
    let scan = world.untaint().arg("--cargo-metadata").arg(&file).run();
    scan.finds(
        &["tree-extra-file", "tree-modified"],
        "no part of the build",
    );
    let weakened = scan.report["run"]["weakened"].to_string();
    assert!(weakened.contains("cargo-metadata"), "{weakened}");
}

#[test]
fn a_file_that_says_nothing_ends_the_run_or_leaves_it_incomplete() {
    let world = world();
    let file = world.root().join("other.json");
    let run = || world.untaint().arg("--cargo-metadata").arg(&file).run_raw();
    let scan = run();
    assert_eq!(scan.exit, 2, "{}", scan.story());
    assert!(scan.stderr.contains("other.json"), "{}", scan.story());
    for text in ["", "{", "[]", "{\"packages\":[]}", "\u{1b}[31m"] {
        write_file(&file, text);
        let scan = run();
        assert_eq!(scan.exit, 2, "{text}: {}", scan.story());
        assert!(scan.stderr.contains("cargo metadata"), "{}", scan.story());
    }
    // Of another project: it fits no lockfile here.
    let foreign = World::clean(Source::Alternate);
    fs::copy(metadata(&foreign), &file).unwrap();
    let scan = run();
    assert_eq!(scan.exit, 3, "{}", scan.story());
    assert!(scan.names("fits no lockfile"), "{}", scan.story());
}

#[test]
fn licences_come_from_verified_bytes_only() {
    let world = world();
    let (_, bill) = sbom(&world, &[]);
    let licences = component(&bill, "alpha")["licenses"].to_string();
    assert!(licences.contains("MIT"), "{bill:#}");
    let manifest = world.tree("alpha", "1.0.0").join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("\"MIT\""), "{text}");
    write_file(&manifest, text.replace("\"MIT\"", "\"BSL\""));
    let (scan, bill) = sbom(&world, &[]);
    assert_eq!(scan.exit, 1, "{}", scan.story());
    assert!(component(&bill, "alpha")["licenses"].is_null(), "{bill:#}");
}
