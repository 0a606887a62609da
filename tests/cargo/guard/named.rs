//! Projects, settings and packages that the command's own words name.

use std::fs;

use super::{ends, guard, report, shell, template};
use crate::support::{World, write_file};

/// A world with a second project, which is clean and uses nothing.
fn world() -> World {
    let world = template().twin();
    let other = world.root().join("other");
    write_file(
        &other.join("Cargo.toml"),
        "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    write_file(&other.join("src/main.rs"), "fn main() {}\n");
    write_file(
        &other.join("Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"other\"\nversion = \"0.1.0\"\n",
    );
    world
}

fn taint(world: &World) {
    let tree = world.tree("beta", "1.0.0");
    fs::write(tree.join("src/lib.rs"), "compile_error!(\"EVIL\");\n").unwrap();
}

#[test]
fn the_project_that_the_command_names_is_audited_as_well() {
    let world = world();
    let manifest = world.project().join("Cargo.toml");
    let build = |more: &[&str]| {
        let command = [
            "cargo",
            "build",
            "--offline",
            "--locked",
            "--manifest-path",
            manifest.to_str().unwrap(),
        ];
        guard(&world, more, &command).without_project(&world)
    };
    let done = ends(build(&["other"]), 0);
    let (root, project) = (world.root().display(), world.project());
    let said = format!("clean: other, {}, {root}: ", project.display());
    assert!(done.stderr.contains(&said), "{}", done.stderr);
    // The folder that it is started in counts as well: cargo reads its settings there.
    let done = ends(build(&[]), 0);
    let said = format!(
        "clean: {}, {}: ",
        world.root().display(),
        world.project().display()
    );
    assert!(done.stderr.contains(&said), "{}", done.stderr);
    taint(&world);
    for more in [&["other"][..], &[]] {
        let done = ends(build(more), 121);
        assert!(done.stderr.contains("not started"), "{}", done.stderr);
        assert!(report(&world).1.iter().any(|code| code == "tree-modified"));
    }
    ends(build(&["--heal"]), 0);
}

#[test]
fn settings_on_the_command_line_are_refused_and_said() {
    let world = world();
    for words in [
        &["cargo", "build", "--config", "build.rustc-wrapper='/any'"][..],
        &["cargo", "--config=paths=['/any']", "build"],
        &["go", "build", "-overlay", "x.json", "."],
        &["go", "run", "example.org/x@latest"],
        &["cargo", "install", "any"],
        &["cargo", "install", "--path", "."],
        &["cargo", "+/any/toolchain", "build"],
        &["go", "run", "--", "example.org/x@latest"],
    ] {
        let done = ends(guard(&world, &[], words), 122);
        assert!(done.stderr.contains("error: `"), "{}", done.stderr);
    }
    let script = "cargo build --offline --config \"term.color='never'\"";
    ends(shell(&world, &[], script), 0);
}

#[test]
fn settings_of_the_folder_that_it_is_started_in_count_beside_the_project_that_it_names() {
    let world = world();
    let manifest = world.project().join("Cargo.toml");
    write_file(
        &world.root().join("rust-toolchain.toml"),
        "[toolchain]\npath = \"/any/where\"\n",
    );
    let command = [
        "cargo",
        "build",
        "--manifest-path",
        manifest.to_str().unwrap(),
    ];
    ends(guard(&world, &[], &command).without_project(&world), 121);
    assert_eq!(report(&world).1, ["code-in-settings"]);
}

#[test]
fn a_toolchain_that_the_project_brings_along_is_not_started() {
    let world = world();
    write_file(
        &world.project().join("rust-toolchain.toml"),
        "[toolchain]\npath = \"/any/where\"\n",
    );
    ends(guard(&world, &[], &["cargo", "build", "--offline"]), 121);
    assert_eq!(report(&world).1, ["code-in-settings"]);
    write_file(
        &world.project().join("rust-toolchain.toml"),
        "[toolchain]\nprofile = \"minimal\"\n",
    );
    ends(guard(&world, &[], &["true"]), 0);
}

#[test]
fn programs_that_settings_of_the_user_insert_are_said_however_quiet() {
    let world = world();
    write_file(
        &world.cargo_home().join("config.toml"),
        "[build]\nrustc-wrapper = \"/any/wrapper\"\n",
    );
    let done = ends(guard(&world, &["-q"], &["true"]), 0);
    let said = "warning: config.toml: `build.rustc-wrapper` makes cargo run `/any/wrapper`\n";
    assert!(done.stderr.contains(said), "{}", done.stderr);
}
