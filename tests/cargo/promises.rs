//! Promises of the command line that hold for every ecosystem: determinism, what scanned files cannot
//! loosen, what every loosening leaves in the report, and the other formats.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Fault, Scan, Source, Untaint, World, write_file};
use crate::tamper::home_template;

fn tainted() -> World {
    let world = home_template().twin();
    write_file(
        &world.tree("beta", "1.0.0").join("src/notes.rs"),
        "// planted\n",
    );
    world
}

/// The report without what may vary between two runs.
fn steady(scan: &Scan) -> String {
    let mut report = scan.report.clone();
    report.as_object_mut().unwrap().remove("run");
    report.to_string()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let world = tainted();
    let first = world.untaint().run();
    for _ in 0..3 {
        assert_eq!(steady(&world.untaint().run()), steady(&first));
    }
    let one = world.untaint().args(&["--jobs", "1"]).run();
    assert_eq!(steady(&one), steady(&first), "the number of threads shows");
}

#[test]
fn a_finding_keeps_its_id_on_another_machine() {
    let ids = |scan: &Scan| -> Vec<String> {
        scan.findings()
            .iter()
            .map(|finding| finding["id"].to_string())
            .collect()
    };
    let (one, two) = (tainted(), tainted());
    let (one, two) = (one.untaint().run(), two.untaint().run());
    assert!(!ids(&one).is_empty());
    assert_eq!(ids(&one), ids(&two));
}

#[test]
fn a_portable_report_names_no_place_of_this_machine() {
    let world = tainted();
    let scan = world.untaint().arg("--portable").run();
    let root = world.root().to_str().unwrap();
    assert_eq!(scan.exit, 1);
    assert!(!scan.stdout.contains(root), "{}", scan.story());
}

#[test]
fn a_policy_inside_the_scanned_tree_cannot_loosen() {
    let world = tainted();
    write_file(
        &world.project().join("untaint.toml"),
        "fail-on = []\nallow = [\"offline\", \"archive-not-held\", \"unreachable\"]\nderived = \
         \"ignore\"\nrequire = \"remembered\"\nexclude = [\"**\"]\n",
    );
    let scan = world.untaint().run();
    scan.finds(&["tree-modified"], "src/notes.rs");
    let told = scan
        .notices()
        .iter()
        .any(|notice| notice["code"] == "inert-policy");
    assert!(told, "{}", scan.story());
    // What it may do: tighten.
    let clean = home_template().twin();
    write_file(&clean.project().join("untaint.toml"), "allow = []\n");
    clean.untaint().run().exits(3);
}

#[test]
fn an_environment_cannot_loosen() {
    let world = tainted();
    let mut call = world.untaint();
    for name in [
        "EXIT_ZERO",
        "FAIL_ON",
        "ALLOW",
        "REQUIRE",
        "OFFLINE",
        "EXCLUDE",
        "NO_INTEGRITY",
        "TRUST",
    ] {
        call = call.env(&format!("UNTAINT_{name}"), "1");
    }
    call.run().finds(&["tree-modified"], "src/notes.rs");
}

#[test]
fn every_loosening_stands_in_the_report() {
    let world = tainted();
    let loosened = [
        (["--exit-zero"].as_slice(), "exit-zero"),
        (&["--fail-on", "malicious"], "fail-on"),
        (&["--no-integrity"], "no-integrity"),
        (&["--require", "declared"], "require"),
        (&["--exclude", "nothing/**"], "exclude"),
        (&["--derived", "ignore"], "derived"),
    ];
    for (arguments, name) in loosened {
        let call = world.untaint().args(arguments);
        let scan = if name == "no-integrity" {
            call.without("--no-advisories").arg("--offline").run_raw()
        } else {
            call.run_raw()
        };
        let weakened = scan.report["run"]["weakened"].to_string();
        assert!(
            weakened.contains(name),
            "{arguments:?}: {weakened}\n{}",
            scan.story()
        );
    }
    let plain = world.untaint().run();
    let weakened = plain.report["run"]["weakened"].to_string();
    for name in ["trust", "no-advisories"] {
        assert!(weakened.contains(name), "{weakened}");
    }
}

#[test]
fn exit_zero_hides_the_code_but_not_the_findings() {
    let world = tainted();
    let scan = world.untaint().arg("--exit-zero").run_raw();
    assert_eq!(scan.exit, 0, "{}", scan.story());
    assert!(scan.codes().contains(&"tree-modified"), "{}", scan.story());
}

#[test]
fn thresholds_are_where_the_user_puts_them() {
    let world = tainted();
    let scan = world.untaint().args(&["--fail-on", "malicious"]).run_raw();
    assert!(scan.codes().contains(&"tree-modified"), "{}", scan.story());
    let clean = home_template().twin();
    let call = || clean.untaint().env("RUSTC_WRAPPER", "sccache");
    call().run().exits(0);
    call()
        .args(&["--fail-on", "code-in-settings"])
        .run()
        .exits(1);
    call().args(&["--fail-on", "source:medium"]).run().exits(1);
}

#[test]
fn an_unknown_key_or_value_is_an_error_with_a_suggestion() {
    let world = tainted();
    let config = world.root().join("policy.toml");
    for (text, hint) in [
        ("fail-onn = []\n", "fail-on"),
        ("derived = \"dny\"\n", "deny"),
    ] {
        write_file(&config, text);
        let scan = world.untaint().arg("--config").arg(&config).run_raw();
        assert_eq!(scan.exit, 2, "{text}\n{}", scan.story());
        assert!(scan.stderr.contains("policy.toml"), "{}", scan.story());
        assert!(scan.stderr.contains(hint), "{}", scan.story());
    }
}

#[test]
fn rows_of_checks_are_the_subjects() {
    let world = tainted();
    let file = world.root().join("checks.ndjson");
    let scan = world
        .untaint()
        .arg("-o")
        .arg(format!("checks={}", file.display()))
        .run();
    let text = fs::read_to_string(&file).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len() as u64, scan.count("subjects"), "{text}");
    let tainted = rows
        .iter()
        .filter(|row| row["outcome"] == "tainted")
        .count();
    assert_eq!(tainted as u64, scan.count("tainted"), "{text}");
}

#[test]
fn an_output_follows_no_link_and_lands_in_no_cache() {
    let world = tainted();
    let victim = world.root().join("victim");
    write_file(&victim, "precious");
    let link = world.root().join("out.json");
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    let scan = world
        .untaint()
        .arg("-o")
        .arg(format!("json={}", link.display()))
        .run_raw();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(matches!(scan.exit, 1 | 2), "{}", scan.story());
    let scan = world
        .untaint()
        .args(&["-o", "json=/nonexistent/folder/out.json"])
        .run_raw();
    assert!(matches!(scan.exit, 1 | 2), "{}", scan.story());
}

#[test]
fn the_bill_of_materials_carries_verified_hashes_only() {
    let world = tainted();
    let scan = Untaint::bare(&world)
        .args(&["sbom", "-f", "cyclonedx", "--no-advisories", "--trust"])
        .arg(world.trust_file())
        .arg(world.project())
        .run_raw();
    let bill: Value = serde_json::from_str(&scan.stdout)
        .unwrap_or_else(|error| panic!("no JSON: {error}\n{}", scan.story()));
    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["specVersion"], "1.6");
    let components = bill["components"].as_array().unwrap();
    let named = |name: &str| {
        components
            .iter()
            .find(|component| component["name"] == name)
            .unwrap_or_else(|| {
                panic!("{name} is missing in {bill:#}");
            })
    };
    for name in ["alpha", "beta", "gamma", "delta"] {
        named(name);
    }
    let sum = crate::support::sha256(&fs::read(world.archive("alpha", "1.2.3")).unwrap());
    assert!(
        named("alpha")["hashes"].to_string().contains(&sum),
        "{bill:#}"
    );
}

#[test]
fn the_table_answers_the_three_questions() {
    let world = tainted();
    let table = world.untaint().without("--json").run_raw();
    assert_eq!(table.exit, 1, "{}", table.story());
    for word in ["beta", "1.0.0", "src/notes.rs", "safe to build: no"] {
        assert!(
            table.stdout.contains(word),
            "no `{word}` in\n{}",
            table.stdout
        );
    }
    assert!(!table.stdout.contains('\u{1b}'), "no colours into a pipe");
    let clean = home_template().twin();
    let table = clean.untaint().without("--json").run_raw();
    assert_eq!(table.exit, 0, "{}", table.story());
}

#[test]
fn an_interrupted_scan_reports_what_it_has_and_is_incomplete() {
    let world = World::clean(Source::Alternate);
    world
        .registry
        .misbehave("/index/", Fault::Stall(Duration::from_secs(60)));
    let scan = world
        .untaint()
        .interrupt_after(Duration::from_millis(700))
        .run();
    scan.exits(3);
    assert!(scan.took < Duration::from_secs(10), "{}", scan.story());
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
}

#[test]
fn scans_at_the_same_time_share_one_state() {
    let world = home_template().twin();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                world.untaint().run().is_clean();
            });
        }
    });
    world.untaint().arg("--offline").run().is_clean();
}

#[test]
fn a_terminal_s_size_and_colour_change_no_verdict() {
    let world = tainted();
    let scan = world
        .untaint()
        .without("--json")
        .args(&["--color", "always"])
        .run_raw();
    assert_eq!(scan.exit, 1, "{}", scan.story());
    let quiet = world.untaint().without("--json").arg("-q").run_raw();
    assert_eq!(quiet.exit, 1, "{}", quiet.story());
}

#[test]
fn claims_exported_here_are_believed_there_only_by_name_and_digest() {
    let world = home_template().twin();
    world.untaint().run().is_clean();
    let file = world.root().join("claims.out");
    let export = Untaint::bare(&world)
        .args(&["claims", "export"])
        .arg(&file)
        .run_raw();
    assert_eq!(export.exit, 0, "{}", export.story());
    let sum = crate::support::sha256(&fs::read(&file).unwrap());
    let other = home_template().twin();
    let named = format!("{}@sha256:{sum}", file.display());
    let scan = other
        .untaint()
        .args(&["--isolated", "--offline", "--claims", &named])
        .run();
    scan.is_clean();
    let bare = file.display().to_string();
    let scan = other
        .untaint()
        .args(&["--isolated", "--offline", "--claims", &bare])
        .run();
    scan.exits(3);
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
    let wrong = format!("{}@sha256:{}", file.display(), "00".repeat(32));
    let scan = other
        .untaint()
        .args(&["--isolated", "--offline", "--claims", &wrong])
        .run_raw();
    assert_eq!(scan.exit, 2, "{}", scan.story());
}
