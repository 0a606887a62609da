//! What the quarantine hands out is what was put there; names that are not UTF-8; where nothing is ever kept.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::world::{command, flip, heal, healed, template};
use crate::support::{World, write_file};
use crate::tamper::vendor_template;

/// The folder of the only run.
fn run(world: &World) -> PathBuf {
    let mut runs = fs::read_dir(world.state().join("state/quarantine")).unwrap();
    runs.next().unwrap().unwrap().path()
}

fn item(world: &World) -> PathBuf {
    let mut items = fs::read_dir(run(world)).unwrap().map(|e| e.unwrap());
    let is = |name: &OsStr| name.as_bytes().starts_with(b"i1-0-");
    items.find(|e| is(&e.file_name())).unwrap().path()
}

fn id(world: &World) -> String {
    format!("q-{}-1", run(world).file_name().unwrap().to_str().unwrap())
}

#[test]
fn what_somebody_changed_in_the_quarantine_is_told_and_not_handed_out() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    healed(&world, 0);
    let id = id(&world);
    let out = world.root().join("out.tar.gz");
    let show = || command(&world, &["quarantine", "show", &id]).run_raw();
    let export = || {
        command(&world, &["quarantine", "export", &id, "-o"])
            .arg(&out)
            .run_raw()
    };
    assert_eq!((show().exit, export().exit), (0, 0));
    for path in [item(&world), run(&world).join("evidence-1/incident.json")] {
        let good = fs::read(&path).unwrap();
        write_file(&path, [&good[..], b" "].concat());
        let shown = show();
        assert_eq!(shown.exit, 1, "{}", shown.story());
        assert!(shown.stdout.contains("changed  "), "{}", shown.stdout);
        fs::remove_file(&out).unwrap();
        let exported = export();
        assert_eq!(exported.exit, 2, "{}", exported.story());
        assert!(!out.exists());
        if path.ends_with("incident.json") {
            fs::write(&path, good).unwrap();
            assert_eq!((show().exit, export().exit), (0, 0));
        } else {
            let before = fs::read(world.archive("beta", "1.0.0")).unwrap();
            let back = command(&world, &["restore", "last", "--yes"]).run_raw();
            assert_eq!(back.exit, 1, "{}", back.story());
            assert_eq!(fs::read(world.archive("beta", "1.0.0")).unwrap(), before);
            fs::write(&path, good).unwrap();
            assert_eq!((show().exit, export().exit), (0, 0));
        }
    }
}

#[test]
fn paths_that_are_no_utf8_are_escaped_so_that_they_can_be_read_back() {
    let world = vendor_template().twin();
    let name = OsStr::from_bytes(b"ev\xffil%.rs");
    let evil = world.project().join("vendor/beta").join(name);
    write_file(&evil, "// evil\n");
    let done = heal(&world, &["--yes", "--project"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    assert!(!evil.exists());
    let text = fs::read(run(&world).join("evidence-1/incident.json")).unwrap();
    let incident: Value = serde_json::from_slice(&text).unwrap();
    let parts = incident["parts"].as_array().unwrap();
    let part = parts.iter().find(|p| p["path_escaped"] == true).unwrap();
    let told = part["path"].as_str().unwrap();
    assert!(told.ends_with("vendor/beta/ev%FFil%25.rs"), "{told}");
    let back = command(&world, &["restore", "last", "--yes", "--json", "--root"])
        .arg(world.project())
        .run_raw();
    assert_eq!(back.exit, 0, "{}", back.story());
    assert!(evil.exists());
    let entry = &back.report["entries"][0];
    assert_eq!(entry["path_escaped"], true, "{entry}");
    let paths = entry["paths"].to_string();
    assert!(paths.contains("vendor/beta/ev%FFil%25.rs"), "{paths}");
    assert!(!back.stdout.contains('\u{fffd}'), "{}", back.stdout);
}

/// Whether a quarantine lies anywhere below.
fn holds_one(path: &Path) -> bool {
    let found = Command::new("find")
        .arg(path)
        .args(["-name", ".untaint-quarantine"])
        .output()
        .unwrap();
    !found.stdout.is_empty()
}

#[test]
#[cfg_attr(not(can_mount), ignore = "only root with the right to mount can")]
fn nothing_is_kept_in_a_build_folder_on_another_file_system() {
    let world = template().twin();
    world.build_and_run();
    let target = world.project().join("target");
    let mounted = super::disks::Mounted::over(&target, "size=256m");
    let tree = world.tree("beta", "1.0.0").join("src/lib.rs");
    write_file(&tree, "pub fn name() -> &'static str { \"EVIL\" }\n");
    let done = heal(&world, &["--yes"]).run_raw();
    let moves = done.report["steps"][0]["moves"].to_string();
    assert!(moves.contains("project/target"), "{}", done.story());
    assert!(!holds_one(&world.project()) && !holds_one(&world.cargo_home()));
    // What cargo empties holds nothing of ours: the taint can be put back all the same.
    drop(mounted);
    let _ = fs::remove_dir_all(&target);
    let back = command(&world, &["restore", "last", "--yes"]).run_raw();
    assert_eq!(back.exit, 0, "{}", back.story());
    assert!(fs::read_to_string(&tree).unwrap().contains("EVIL"));
}

#[test]
fn what_was_built_is_named_and_not_packed_unless_asked_for() {
    let world = template().twin();
    world.build_and_run();
    let tree = world.tree("beta", "1.0.0").join("src/lib.rs");
    write_file(&tree, "pub fn name() -> &'static str { \"EVIL\" }\n");
    let done = heal(&world, &["--yes"]).run_raw();
    assert!(
        done.report["steps"][0]["moves"]
            .to_string()
            .contains("derived")
    );
    let id = id(&world);
    let files = |more: &[&str]| {
        let out = world.root().join(format!("out{}.tar.gz", more.len()));
        let mut call = command(&world, &["quarantine", "export", &id, "-o"]).arg(&out);
        call = call.args(more);
        assert_eq!(call.run_raw().exit, 0);
        let listed = Command::new("tar").arg("-tzf").arg(&out).output().unwrap();
        String::from_utf8(listed.stdout).unwrap().lines().count()
    };
    assert!(files(&[]) < files(&["--derived"]));
    let text = fs::read_to_string(run(&world).join("evidence-1/incident.json")).unwrap();
    assert!(text.contains("project/target/debug"), "{text}");
}
