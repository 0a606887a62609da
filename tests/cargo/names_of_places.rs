//! Places of a cargo home and of a project that were passed over because of what they are called: a checkout below a folder
//! that cargo names otherwise than one would guess, a database without a checkout, a vendored folder of an odd name, one
//! name in two registries, an index file that was cut.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::support::{Crate, Registry, Source, World, git_repository, write_file};
use crate::tamper::{home_template, vendor_template};
use crate::tamper_rewrites::rewrite_listing;

/// The one folder in a folder.
fn only(folder: PathBuf) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(found.len(), 1, "{}: {found:?}", folder.display());
    found.remove(0)
}

/// A project with one git dependency, whose address is written as given; fetched by cargo.
fn of_git(written: impl Fn(&str) -> String) -> World {
    let world = World::new(Source::Alternate);
    let upstream = world.root().join("dep");
    git_repository(
        &upstream,
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"dep\"\nversion = \"0.5.0\"\n",
            ),
            ("src/lib.rs", "pub fn f() -> &'static str { \"good\" }\n"),
        ],
    );
    let address = written(&format!("file://{}", upstream.display()));
    write_file(
        &world.project().join("Cargo.toml"),
        format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\ndep = {{ git = \"{address}\" }}\n"
        ),
    );
    write_file(
        &world.project().join("src/main.rs"),
        "fn main() { println!(\"{}\", dep::f()); }\n",
    );
    world.cargo(&["fetch"]);
    world
}

#[test]
fn a_checkout_is_judged_whatever_cargo_calls_its_folder() {
    let world = of_git(|address| format!("{address}//"));
    world.untaint().run().exits(0);
    let folder = only(world.cargo_home().join("git/checkouts"));
    assert!(
        !folder
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("dep-"),
        "cargo calls it by another name than the last part of its address: {folder:?}"
    );
    let source = only(folder).join("src/lib.rs");
    write_file(&source, "pub fn f() -> &'static str { \"EVIL\" }\n");
    assert!(world.build_and_run().contains("EVIL"));
    fs::remove_dir_all(world.project().join("target")).unwrap();
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/lib.rs");
}

#[test]
fn a_lock_line_that_spells_the_address_otherwise_hides_no_checkout() {
    let world = of_git(str::to_owned);
    let lock = fs::read_to_string(world.lockfile()).unwrap();
    write_file(&world.lockfile(), lock.replace("/dep#", "/dep/.#"));
    let source = only(only(world.cargo_home().join("git/checkouts"))).join("src/lib.rs");
    write_file(&source, "pub fn f() -> &'static str { \"EVIL\" }\n");
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/lib.rs");
}

#[test]
fn hooks_of_a_database_without_a_checkout_are_found() {
    let world = of_git(str::to_owned);
    fs::remove_dir_all(world.cargo_home().join("git/checkouts")).unwrap();
    let scan = world.untaint().run();
    scan.exits(0);
    assert_eq!((scan.count("subjects"), scan.count("absent")), (0, 1));
    let hook = only(world.cargo_home().join("git/db")).join("hooks/reference-transaction");
    write_file(&hook, "#!/bin/sh\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    world
        .untaint()
        .run()
        .finds(&["code-in-settings"], "reference-transaction");
}

#[test]
fn a_vendored_folder_whose_name_is_no_text_is_not_hidden() {
    let world = vendor_template().twin();
    world.untaint().run().is_clean();
    let vendor = world.project().join("vendor");
    fs::rename(
        vendor.join("beta"),
        vendor.join(OsStr::from_bytes(b".\xff")),
    )
    .unwrap();
    world.untaint().run().is_clean();
    // Cargo loads it: without it there would be no `beta`.
    world.cargo(&["tree", "--offline", "--locked"]);
    let source = vendor.join(OsStr::from_bytes(b".\xff")).join("src/lib.rs");
    write_file(&source, "pub fn name() -> &'static str { \"EVIL\" }\n");
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/lib.rs");
}

#[test]
fn one_name_in_two_registries_is_judged_as_what_each_folder_stands_for() {
    // Both publish `twin` 1.0.0, each its own.
    let world = World::new(Source::Alternate);
    let second = Arc::new(Registry::start());
    let twin = |text: &str| Crate::lib("twin", "1.0.0", text);
    world
        .registry
        .publish(&twin("pub fn name() -> &'static str { \"first\" }\n"));
    second.publish(&twin("pub fn name() -> &'static str { \"second\" }\n"));
    world.settings(&format!(
        "[registries.second]\nindex = \"sparse+{}\"\n",
        second.index_url()
    ));
    let trust = fs::read_to_string(world.trust_file()).unwrap();
    write_file(
        &world.trust_file(),
        format!(
            "{trust}[[root]]\necosystem = \"cargo\"\nrole = \"index\"\nurl = \"{}\"\n",
            second.index_url()
        ),
    );
    let manifest = |deps: &str| {
        format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n{deps}"
        )
    };
    let one = "one = { package = \"twin\", version = \"1\", registry = \"loop\" }\n";
    let two = "two = { package = \"twin\", version = \"1\", registry = \"second\" }\n";
    let main = world.project().join("src/main.rs");
    write_file(
        &main,
        "fn main() { println!(\"{} {}\", one::name(), two::name()); }\n",
    );
    let toml = world.project().join("Cargo.toml");
    // Each registry is vendored into a folder of its own.
    for (deps, folder) in [(one, "vendor-one"), (two, "vendor-two")] {
        write_file(&toml, manifest(deps));
        world.cargo(&["vendor", "--quiet", folder]);
        fs::remove_file(world.lockfile()).unwrap();
    }
    write_file(&toml, manifest(&format!("{one}{two}")));
    world.cargo(&["generate-lockfile"]);
    let mut settings = String::new();
    for (name, index, folder) in [
        ("loop", world.registry.index_url(), "vendor-one"),
        ("second", second.index_url(), "vendor-two"),
    ] {
        settings.push_str(&format!(
            "[source.{name}]\nregistry = \"sparse+{index}\"\nreplace-with = \"{folder}\"\n\n[source.{folder}]\ndirectory = \"{folder}\"\n\n"
        ));
    }
    write_file(&world.project().join(".cargo/config.toml"), settings);
    fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
    assert!(world.build_and_run().contains("first second"));
    fs::remove_dir_all(world.project().join("target")).unwrap();
    world.untaint().run().is_clean();
    // Each in the place of the other is the wrong one.
    let vendor = |n: &str| world.project().join(format!("vendor-{n}/twin"));
    let aside = world.project().join("aside");
    fs::rename(vendor("one"), &aside).unwrap();
    fs::rename(vendor("two"), vendor("one")).unwrap();
    fs::rename(&aside, vendor("two")).unwrap();
    let scan = world.untaint().run();
    scan.finds(&["tree-modified", "sidecar-forged"], "vendor-one");
    scan.finds(&["tree-modified", "sidecar-forged"], "vendor-two");
}

#[test]
fn a_copy_of_the_present_listing_that_lacks_rows_is_poisoned() {
    let world = World::clean(Source::Alternate);
    for (version, at) in [
        ("1.0.1", "2024-02-02T03:04:05Z"),
        ("1.0.2", "2024-03-02T03:04:05Z"),
    ] {
        let release = Crate::lib("beta", version, "pub fn name() {}\n").published(at);
        world.publish(&release);
    }
    // A copy of an older answer is old, and no finding.
    world.untaint().run().is_clean();
    world.cargo(&["update", "--quiet", "beta"]);
    world.cargo(&["fetch", "--quiet", "--locked"]);
    world.untaint().run().is_clean();
    rewrite_listing(&world, "beta", |rows| rows.truncate(1));
    world
        .untaint()
        .run()
        .finds(&["metadata-poisoned"], "left out");
}

/// A mirror may take an older version up after a newer one: a copy from between is old, and lacks nothing.
#[test]
fn a_version_that_a_mirror_took_up_late_is_not_missed_and_a_removed_row_is() {
    let world = World::clean(Source::Alternate);
    let publish = |version: &str, at: &str| {
        let release = Crate::lib("beta", version, "pub fn name() {}\n").published(at);
        world.publish(&release);
    };
    publish("1.0.1", "2024-02-02T03:04:05Z");
    publish("1.0.3", "2024-04-02T03:04:05Z");
    world.cargo(&["update", "--quiet", "beta"]);
    world.cargo(&["fetch", "--quiet", "--locked"]);
    publish("1.0.2", "2024-03-02T03:04:05Z");
    for arguments in [&[][..], &["--isolated"], &["--full"]] {
        world.untaint().args(arguments).run().is_clean();
    }
    rewrite_listing(&world, "beta", |rows| drop(rows.remove(1)));
    world
        .untaint()
        .run()
        .finds(&["metadata-poisoned"], "1.0.1 is left out");
}

#[test]
fn findings_about_published_packages_carry_their_package_url() {
    let world = home_template().twin();
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), "EVIL\n");
    let scan = world.untaint().run();
    scan.finds(&["tree-modified"], "beta");
    let told = scan.findings().iter().filter(|f| f["package"] == "beta");
    for finding in told {
        let purl = finding["purl"].as_str().unwrap_or_default();
        assert!(
            purl.starts_with("pkg:cargo/beta@1.0.0?repository_url="),
            "{}",
            scan.story()
        );
    }
}
