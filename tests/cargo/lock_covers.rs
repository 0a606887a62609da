//! A lockfile says nothing of what is built unless it covers the manifests that it is for: cargo resolves the rest anew, from
//! whatever lies in its cache. Here real cargo makes each project, says whether it would keep the lockfile, and untaint must
//! agree: 3 where cargo would write another one, clean where it would not.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{Scan, Source, World, copy_tree, git_repository, write_file};
use crate::tamper::{home_template, vendor_template};

/// Whether cargo would build from the lockfile as it is.
fn cargo_keeps_it(world: &World) -> bool {
    let output = world.try_cargo(&["metadata", "--offline", "--locked", "--format-version=1"]);
    output.status.success()
}

fn edit(path: &Path, change: impl Fn(&str) -> String) {
    let text = fs::read_to_string(path).unwrap();
    let changed = change(&text);
    assert_ne!(text, changed, "nothing was changed in {}", path.display());
    write_file(path, changed);
}

#[track_caller]
fn covered(world: &World) -> Scan {
    assert!(cargo_keeps_it(world), "cargo would write another lockfile");
    let scan = world.untaint().run();
    scan.is_clean();
    scan
}

#[track_caller]
fn uncovered(world: &World, what: &str) {
    assert!(!cargo_keeps_it(world), "cargo keeps the lockfile: {what}");
    let scan = world.untaint().run();
    scan.exits(3).is_no_alarm();
    let told = scan.problems().iter().any(|problem| {
        let message = problem["message"].as_str().unwrap();
        problem["effect"] == "partial"
            && problem["path"].as_str().unwrap().ends_with("Cargo.lock")
            && message.contains("does not cover")
            && message.contains(what)
    });
    assert!(told, "{what}\n{}", scan.story());
}

fn first_party_package(folder: &Path, name: &str, more: &str) {
    write_file(
        &folder.join("Cargo.toml"),
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{more}"),
    );
    write_file(&folder.join("src/lib.rs"), "");
}

/// Takes a package out of the lockfile, also where others depend on it.
fn forget(world: &World, name: &str) {
    edit(&world.lockfile(), |text| {
        let blocks = text
            .split("\n\n")
            .filter(|block| !block.contains(&format!("name = \"{name}\"\n")));
        let kept: Vec<&str> = blocks.collect();
        kept.join("\n\n").replace(&format!(" \"{name}\",\n"), "")
    });
}

#[test]
fn an_empty_lockfile_is_out_of_date() {
    for text in ["", "version = 4\n"] {
        let world = home_template().twin();
        write_file(&world.lockfile(), text);
        uncovered(&world, "alpha");
    }
}

#[test]
fn a_package_that_was_taken_out_is_missed() {
    let world = home_template().twin();
    forget(&world, "gamma");
    uncovered(&world, "gamma");
    // The same of a lockfile that is named itself, and whatever else is left out.
    let scan = world
        .untaint()
        .without_project(&world)
        .arg("-L")
        .arg(world.lockfile())
        .run();
    scan.exits(3);
    world
        .untaint()
        .args(&["--exclude", "docs/**"])
        .run()
        .exits(3);
    // Without a manifest beside it, nothing can be said, and that is said.
    fs::remove_file(world.project().join("Cargo.toml")).unwrap();
    let scan = world
        .untaint()
        .without_project(&world)
        .arg("-L")
        .arg(world.lockfile())
        .run();
    scan.exits(0);
    assert!(
        scan.report["notices"]
            .to_string()
            .contains("no manifest lies beside"),
        "{}",
        scan.story()
    );
}

#[test]
fn a_package_that_the_lockfile_makes_first_party_is_so_only_where_a_path_leads() {
    let world = home_template().twin();
    edit(&world.lockfile(), |text| {
        let blocks = text.split("\n\n").map(|block| {
            if block.contains("name = \"gamma\"") {
                "[[package]]\nname = \"gamma\"\nversion = \"0.3.1\"".to_owned()
            } else {
                block.to_owned()
            }
        });
        blocks.collect::<Vec<_>>().join("\n\n")
    });
    uncovered(&world, "gamma");
    first_party_package(&world.project().join("examples/gamma"), "gamma", "");
    uncovered(&world, "gamma");
    let scan = world.untaint().args(&["--exclude", "docs/**"]).run();
    scan.exits(3);
    assert_eq!(scan.unverifiable("unbound"), 1, "{}", scan.story());
}

#[test]
fn another_requirement_source_or_reference_is_missed() {
    let manifest = |change: &dyn Fn(&str) -> String| {
        let world = home_template().twin();
        edit(&world.project().join("Cargo.toml"), change);
        world
    };
    uncovered(
        &manifest(&|text| text.replace("\"0.3\"", "\"0.4\"")),
        "gamma",
    );
    let renamed =
        |text: &str| text.replace("gamma = { version", "other = { package = \"beta\", version");
    uncovered(&manifest(&renamed), "beta = \"0.3\"");
    let branch = |text: &str| text.replace("/upstream\"", "/upstream\", branch = \"other\"");
    uncovered(&manifest(&branch), "delta");
    let moved = |text: &str| text.replace("/upstream\"", "/upstream2\"");
    uncovered(&manifest(&moved), "delta");
    let target = |text: &str| {
        format!(
            "{text}\n[target.'cfg(windows)'.build-dependencies]\nzeta = {{ version = \"1\", registry = \"loop\", optional = true }}\n"
        )
    };
    uncovered(&manifest(&target), "zeta");
    let dev = |text: &str| {
        format!("{text}\n[dev-dependencies]\nzeta = {{ version = \"1\", registry = \"loop\" }}\n")
    };
    uncovered(&manifest(&dev), "zeta");
    let patch = |text: &str| {
        format!("{text}\n[patch.loop]\nbeta = {{ git = \"file:///nowhere/at/all\" }}\n")
    };
    uncovered(&manifest(&patch), "beta");
}

#[test]
fn a_workspace_of_every_kind_of_dependency_is_covered() {
    let world = World::clean(Source::Alternate);
    let project = world.project();
    let upstream = world.root().join("upstream");
    git_repository(
        &upstream,
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"delta\"\nversion = \"0.5.0\"\n",
            ),
            ("src/lib.rs", ""),
        ],
    );
    let git = format!("file://{}", upstream.display());
    fs::remove_dir_all(project.join("src")).unwrap();
    fs::remove_file(world.lockfile()).unwrap();
    write_file(
        &project.join("Cargo.toml"),
        format!(
            "[workspace]\nresolver = \"2\"\nmembers = [\"crates/*\", \"tools/one\"]\nexclude = [\"crates/apart\", \"fuzz\"]\ndefault-members = [\"crates/first\"]\n\n[workspace.package]\nversion = \"3.1.0\"\n\n[workspace.dependencies]\nalpha = {{ version = \"1\", registry = \"loop\" }}\nsecond = {{ path = \"crates/second\", version = \"3\" }}\n\n[patch.loop]\nbeta = {{ path = \"patched/beta\" }}\nunused = {{ path = \"patched/unused\" }}\n\n[patch.\"https://elsewhere.registry.example/delta\"]\ndelta = {{ git = \"{git}\" }}\n"
        ),
    );
    first_party_package(
        &project.join("crates/first"),
        "first",
        "[dependencies]\nalpha.workspace = true\nsecond = { workspace = true, optional = true }\n",
    );
    write_file(
        &project.join("crates/second/Cargo.toml"),
        format!(
            "[package]\nname = \"second\"\nversion.workspace = true\nedition = \"2021\"\n[target.'cfg(windows)'.dependencies]\nrenamed = {{ package = \"gamma\", version = \"0.3\", registry = \"loop\", optional = true }}\n[build-dependencies]\ndelta = {{ git = \"{git}\" }}\n[dev-dependencies]\nfirst = {{ path = \"../first\" }}\nhidden = {{ path = \"../../deep/hidden\" }}\n"
        ),
    );
    write_file(&project.join("crates/second/src/lib.rs"), "");
    // No member by name, but below the root: cargo makes it one, and so its tests count.
    first_party_package(
        &project.join("deep/hidden"),
        "hidden",
        "[dev-dependencies]\nbeta = { version = \"1\", registry = \"loop\" }\n",
    );
    first_party_package(&project.join("tools/one"), "one", "");
    first_party_package(&project.join("crates/apart"), "apart", "");
    for (name, version) in [("beta", "1.0.5"), ("unused", "9.0.0")] {
        write_file(
            &project.join(format!("patched/{name}/Cargo.toml")),
            format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n"),
        );
        write_file(
            &project.join(format!("patched/{name}/src/lib.rs")),
            "pub fn name() -> &'static str { \"patched\" }\n",
        );
    }
    first_party_package(&project.join("fuzz"), "app-fuzz", "[workspace]\n");
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    assert!(cargo_keeps_it(&world));
    let scan = world.untaint().run();
    scan.exits(0).is_no_alarm();
    assert_eq!(scan.problems().len(), 0, "{}", scan.story());
    assert_eq!(scan.count("first_party"), 5, "{}", scan.story());
    let told: Vec<&str> = scan
        .notices()
        .iter()
        .filter(|notice| notice["code"] == "no-lockfile")
        .map(|notice| notice["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        ["crates/apart/Cargo.toml", "fuzz/Cargo.toml"],
        "those that no lockfile pins\n{}",
        scan.story()
    );
    // A dependency of the hidden member is missed like any other.
    edit(&project.join("deep/hidden/Cargo.toml"), |text| {
        text.replace("version = \"1\"", "version = \"2\"")
    });
    uncovered(&world, "deep/hidden/Cargo.toml");
}

#[test]
fn a_member_uses_the_lockfile_of_its_workspace_whatever_lies_beside_it() {
    let world = home_template().twin();
    let root = world.root().join("whole");
    fs::create_dir(&root).unwrap();
    let lock = fs::read(world.lockfile()).unwrap();
    fs::rename(world.project(), root.join("member")).unwrap();
    fs::create_dir(world.project()).unwrap();
    write_file(
        &root.join("Cargo.toml"),
        "[workspace]\nmembers = [\"member\"]\nresolver = \"2\"\n",
    );
    fs::rename(root.join("member/Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let scan = |folder: &Path| {
        let call = world.untaint().without_project(&world);
        call.arg(folder).watch(&root).run()
    };
    let member = root.join("member");
    let alone = scan(&member);
    alone.is_clean();
    assert_eq!(alone.count("verified"), scan(&root).count("verified"));
    // A decoy beside the member, and evil in what the workspace's lockfile names.
    write_file(
        &member.join("Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n",
    );
    let decoy = scan(&member);
    decoy.exits(0);
    assert!(
        decoy.report["notices"]
            .to_string()
            .contains("is not what a build beside it uses"),
        "{}",
        decoy.story()
    );
    write_file(&world.tree("beta", "1.0.0").join("src/lib.rs"), "EVIL\n");
    scan(&member).finds(&["tree-modified"], "beta");
    // The same where the member points at a root that is no folder above it.
    fs::remove_file(member.join("Cargo.lock")).unwrap();
    let other = world.root().join("other");
    fs::create_dir(&other).unwrap();
    fs::rename(root.join("Cargo.toml"), other.join("Cargo.toml")).unwrap();
    edit(&other.join("Cargo.toml"), |text| {
        text.replace("\"member\"", "\"../whole/member\"")
    });
    edit(&member.join("Cargo.toml"), |text| {
        text.replace(
            "edition = \"2021\"",
            "edition = \"2021\"\nworkspace = \"../../other\"",
        )
    });
    write_file(&other.join("Cargo.lock"), lock);
    fs::remove_file(root.join("Cargo.lock")).unwrap();
    scan(&member).finds(&["tree-modified"], "beta");
}

#[test]
fn a_crate_of_its_own_below_a_lockfile_is_told() {
    let world = home_template().twin();
    first_party_package(&world.project().join("sub"), "sub", "");
    let scan = covered(&world);
    let told = scan
        .notices()
        .iter()
        .any(|notice| notice["code"] == "no-lockfile" && notice["path"] == "sub/Cargo.toml");
    assert!(told, "{}", scan.story());
}

#[test]
fn what_cargo_follows_is_first_party_and_what_leads_out_is_told() {
    let world = home_template().twin();
    let project = world.project();
    first_party_package(&project.join("kept/real"), "linked", "");
    first_party_package(&project.join("node_modules/inner"), "inner", "");
    first_party_package(&project.join("third"), "third", "");
    fs::create_dir(project.join("crates")).unwrap();
    symlink("../kept/real", project.join("crates/linked")).unwrap();
    fs::rename(
        project.join("third/Cargo.toml"),
        project.join("kept/third.toml"),
    )
    .unwrap();
    symlink("../kept/third.toml", project.join("third/Cargo.toml")).unwrap();
    edit(&project.join("Cargo.toml"), |text| {
        format!(
            "{text}linked = {{ path = \"crates/linked\" }}\ninner = {{ path = \"node_modules/inner\" }}\nthird = {{ path = \"third\" }}\n"
        )
    });
    world.cargo(&["update", "--workspace", "--offline"]);
    let scan = covered(&world);
    assert_eq!(scan.count("first_party"), 4, "{}", scan.story());
    // A link that leads out of what is scanned is followed as cargo follows it, and told.
    first_party_package(&world.root().join("outside"), "linked", "");
    fs::remove_file(project.join("crates/linked")).unwrap();
    symlink(world.root().join("outside"), project.join("crates/linked")).unwrap();
    let scan = covered(&world);
    let outside = |notice: &&serde_json::Value| notice["code"] == "first-party-outside";
    assert!(
        scan.notices().iter().any(|n| outside(&n)),
        "{}",
        scan.story()
    );
}

#[test]
fn a_manifest_that_is_a_link_is_read() {
    let world = home_template().twin();
    let manifest = world.project().join("Cargo.toml");
    fs::create_dir(world.project().join("kept")).unwrap();
    fs::rename(&manifest, world.project().join("kept/real.toml")).unwrap();
    symlink("kept/real.toml", &manifest).unwrap();
    covered(&world);
    forget(&world, "gamma");
    uncovered(&world, "gamma");
}

#[test]
fn a_patched_copy_of_a_vendored_package_is_the_users_own() {
    for at in ["vendor/beta", "patches/beta"] {
        let world = vendor_template().twin();
        let project = world.project();
        if at != "vendor/beta" {
            copy_tree(&project.join("vendor/beta"), &project.join(at));
        }
        edit(&project.join("Cargo.toml"), |text| {
            format!("{text}\n[patch.loop]\nbeta = {{ path = \"{at}\" }}\n")
        });
        world.cargo(&["update", "--workspace", "--offline"]);
        covered(&world);
        write_file(
            &project.join(at).join("src/lib.rs"),
            "pub fn name() -> &'static str { \"mended\" }\n",
        );
        assert!(world.build_and_run().contains("alpha-mended"));
        fs::remove_dir_all(project.join("target")).unwrap();
        covered(&world);
    }
    // While a lockfile names the vendored one, it is held against the registry, whatever a manifest somewhere says.
    let world = vendor_template().twin();
    let project = world.project();
    write_file(&project.join("vendor/beta/src/lib.rs"), "EVIL\n");
    first_party_package(
        &project.join("decoy"),
        "decoy",
        "[workspace]\n[dependencies]\nbeta = { path = \"../vendor/beta\" }\n",
    );
    write_file(
        &project.join("decoy/Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"beta\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"decoy\"\nversion = \"0.1.0\"\ndependencies = [\n \"beta\",\n]\n",
    );
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/lib.rs");
}

#[test]
fn a_path_into_a_cache_is_judged_as_what_the_cache_serves() {
    let world = home_template().twin();
    let tree = world.tree("gamma", "0.3.1");
    edit(&world.project().join("Cargo.toml"), |text| {
        let lines = text.lines().map(|line| {
            if line.starts_with("gamma") {
                format!("gamma = {{ path = \"{}\" }}\n", tree.display())
            } else {
                format!("{line}\n")
            }
        });
        lines.collect()
    });
    world.cargo(&["update", "--workspace", "--offline"]);
    covered(&world);
    write_file(&tree.join("src/lib.rs"), "EVIL\n");
    world.untaint().run().finds(&["tree-modified"], "gamma");
    // What lies deeper in a cache, or anywhere in it that no tree of a package is, cannot be judged.
    let odd = world.cargo_home().join("registry/odd");
    first_party_package(&odd, "gamma", "");
    edit(&world.project().join("Cargo.toml"), |text| {
        text.replace(tree.to_str().unwrap(), odd.to_str().unwrap())
    });
    let scan = world.untaint().run();
    assert_eq!(scan.unverifiable("unbound"), 1, "{}", scan.story());
}
