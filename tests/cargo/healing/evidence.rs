//! The evidence of an incident: complete, checked by its own list, the same in every export, and named by later reports.

use std::fs;
use std::io::Read as _;

use super::world::{command, flip, heal, healed, restored, template};
use crate::support::{Crate, World, sha256, write_file};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

/// Files of an exported incident by name.
fn export(world: &World, id: &str) -> Vec<(String, Vec<u8>)> {
    let (one, two) = (
        world.root().join("one.tar.gz"),
        world.root().join("two.tar.gz"),
    );
    for file in [&one, &two] {
        let done = command(world, &["quarantine", "export", id, "-o"])
            .arg(file)
            .run_raw();
        assert_eq!(done.exit, 0, "{}", done.story());
    }
    let bytes = fs::read(&one).unwrap();
    assert_eq!(bytes, fs::read(&two).unwrap(), "not reproducible");
    let folder = world.root().join("exported");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let status = std::process::Command::new("tar")
        .arg("-xzf")
        .arg(&one)
        .arg("-C")
        .arg(&folder)
        .status();
    assert!(status.unwrap().success());
    let top = folder.join(format!("untaint-{id}/evidence"));
    let mut all = Vec::new();
    for entry in fs::read_dir(top).unwrap() {
        let entry = entry.unwrap();
        let mut bytes = Vec::new();
        let mut file = fs::File::open(entry.path()).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        all.push((entry.file_name().into_string().unwrap(), bytes));
    }
    all.sort();
    all
}

fn text(files: &[(String, Vec<u8>)], name: &str) -> String {
    let file = files.iter().find(|(known, _)| known == name);
    let (_, bytes) = file.unwrap_or_else(|| panic!("{name} is missing"));
    String::from_utf8(bytes.clone()).unwrap()
}

#[test]
fn a_bundle_says_everything_and_checks_itself() {
    let world = template().twin();
    let evil = Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()));
    fs::write(world.archive("beta", "1.0.0"), evil).unwrap();
    write_file(
        &world.tree("beta", "1.0.0").join("src/lib.rs"),
        "token = \"s3cret-value\"\n// https://me:s3cret-value@registry.example/x\n",
    );
    let done = healed(&world, 0);
    let id = done.report["steps"][0]["evidence"].as_str().unwrap();
    let files = export(&world, id);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "SHA256SUMS",
            "changes.diff",
            "incident.json",
            "proofs.claims"
        ]
    );
    let sums = text(&files, "SHA256SUMS");
    for (name, bytes) in files.iter().filter(|(name, _)| name != "SHA256SUMS") {
        let line = format!("{}  {name}\n", sha256(bytes));
        assert!(sums.contains(&line), "{sums}");
    }
    let told: serde_json::Value = serde_json::from_str(&text(&files, "incident.json")).unwrap();
    assert_eq!(told["id"], id);
    let expected = &told["findings"][0]["expected"];
    let by: Vec<_> = expected
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["by"])
        .collect();
    assert!(by.contains(&&"registry-index".into()), "{expected}");
    assert!(by.contains(&&"lockfile".into()), "{expected}");
    assert!(told["findings"][0]["observed"].is_string(), "{told:#}");
    let lock = world.lockfile().display().to_string();
    assert!(
        told["named_by"].as_array().unwrap().contains(&lock.into()),
        "{told:#}"
    );
    for key in [
        "mode",
        "uid",
        "gid",
        "links",
        "modified",
        "changed",
        "writable_by",
        "folder",
    ] {
        assert!(!told["parts"][0][key].is_null(), "{key}: {told:#}");
    }
    let changes = text(&files, "changes.diff");
    assert!(changes.contains("--- found/"), "{changes}");
    assert!(
        changes.contains("-pub fn name() -> &'static str { \"EVIL\" }"),
        "{changes}"
    );
    assert!(!changes.contains("s3cret-value"), "{changes}");
    assert!(
        changes.contains("https://[hidden]@registry.example/x"),
        "{changes}"
    );
    assert!(
        !changes.contains(".cargo-ok"),
        "what cargo writes is no change: {changes}"
    );
    // What proves the digest can be read again.
    let claims = world
        .root()
        .join("exported")
        .join(format!("untaint-{id}/evidence/proofs.claims"));
    let import = command(&world, &["claims", "import"])
        .arg(&claims)
        .run_raw();
    assert_eq!(import.exit, 0, "{}", import.story());
}

#[test]
fn later_reports_name_the_evidence_of_the_same_thing() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    assert!(world.untaint().run().findings()[0]["evidence"].is_null());
    let done = healed(&world, 0);
    let id = done.report["steps"][0]["evidence"]
        .as_str()
        .unwrap()
        .to_owned();
    restored(&world);
    let again = world.untaint().run();
    assert_eq!(again.findings()[0]["evidence"], id, "{}", again.story());
    let shown = command(&world, &["quarantine", "show", &id]).run_raw();
    assert!(
        shown.stdout.contains("the first difference is at byte"),
        "{}",
        shown.stdout
    );
    // A list that somebody wrote names nothing else.
    write_file(
        &world.state().join("state/evidence.index"),
        "f-1 ../../x\n\x1b[2J q-1-1\n",
    );
    world.untaint().run();
}

#[test]
fn a_remedy_is_the_call_that_heals() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    write_file(&world.tree("gamma", "0.3.1").join("src/lib.rs"), EVIL);
    let table = command(&world, &["scan", "--no-advisories", "--trust"])
        .arg(world.trust_file())
        .arg(world.project())
        .run_raw();
    let all = format!(
        "untaint heal {} --no-advisories --trust {} --yes",
        world.project().display(),
        world.trust_file().display()
    );
    assert!(table.stdout.contains(&all), "{}\n{all}", table.stdout);
    let scan = world.untaint().run();
    let remedies: Vec<&str> = scan
        .findings()
        .iter()
        .map(|f| f["remedy"].as_str().unwrap())
        .collect();
    assert_eq!(remedies.len(), 2, "{}", scan.story());
    for remedy in remedies {
        assert!(remedy.starts_with("untaint heal "), "{remedy}");
        assert!(
            remedy.contains(" --only f-") && remedy.ends_with(" --yes"),
            "{remedy}"
        );
        let done = std::process::Command::new("sh")
            .arg("-c")
            .arg(remedy.replacen("untaint", env!("CARGO_BIN_EXE_untaint"), 1))
            .env_clear()
            .env("HOME", world.home())
            .env("CARGO_HOME", world.cargo_home())
            .env("UNTAINT_HOME", world.state())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(world.root())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(text.contains("1 healed"), "{remedy}: {text} {done:?}");
    }
    world.untaint().run().is_clean();
}

#[test]
fn what_is_old_goes_by_itself_only_if_it_is_no_evidence() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    healed(&world, 0);
    let purged = command(
        &world,
        &[
            "heal",
            "--json",
            "--no-advisories",
            "--yes",
            "--purge-unverified",
        ],
    )
    .arg(world.project())
    .run_raw();
    assert!(
        !purged.report["steps"].as_array().unwrap().is_empty(),
        "{}",
        purged.stdout
    );
    let kept = || {
        fs::read_dir(world.state().join("state/quarantine"))
            .unwrap()
            .count()
    };
    assert_eq!(kept(), 2);
    world.cargo(&["fetch", "--locked"]);
    flip(&world, "gamma", "0.3.1");
    let later = heal(&world, &["--yes", "--now", "2100-01-01T00:00:00Z"]).run_raw();
    let pruned = later.report["pruned"].as_array().unwrap();
    assert_eq!(pruned.len(), 1, "{}", later.stdout);
    assert_eq!(pruned[0]["run"], purged.report["run"], "{}", later.stdout);
    assert_eq!(kept(), 2, "the evidence of the taint, and this run's");
    let log = command(&world, &["log", "--verify"]).run_raw();
    assert!(
        log.exit == 0 && log.stdout.contains("  prune  "),
        "{}",
        log.stdout
    );
}
