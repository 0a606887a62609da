//! Cached listings whose rows cargo reads and a stricter or a laxer reader would not: each is compared, or said to be open.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use serde_json::{Value, json};

use crate::support::{Source, World, sha256, write_file};
use crate::tamper::home_template;
use crate::tamper_rewrites::rewrite_listing;

/// Takes the NUL behind the last row away.
fn drop_last_nul(world: &World, name: &str) {
    let path = world.index_entry(name);
    let mut bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.pop(), Some(0));
    write_file(&path, bytes);
}

#[test]
fn a_last_row_without_its_nul_is_read_by_cargo_and_compared() {
    let world = home_template().twin();
    drop_last_nul(&world, "beta");
    world.untaint().run().is_clean();

    rewrite_listing(&world, "beta", |rows| {
        rows.last_mut().unwrap().1["cksum"] = json!("ab".repeat(32));
    });
    drop_last_nul(&world, "beta");
    world
        .untaint()
        .run()
        .finds(&["metadata-poisoned"], "another checksum");
    // Cargo holds the lockfile against that very row.
    let output = world.try_cargo(&["metadata", "--offline", "--locked", "--format-version=1"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{told}");
    assert!(told.contains("beta"), "{told}");
}

#[test]
fn a_listing_that_was_broken_off_is_no_alarm_and_not_verified() {
    let world = home_template().twin();
    let before = world.untaint().run().count("verified");
    let path = world.index_entry("beta");
    let bytes = fs::read(&path).unwrap();
    write_file(&path, &bytes[..bytes.len() - 30]);
    let scan = world.untaint().run();
    scan.is_no_alarm();
    assert_eq!(scan.count("verified"), before - 1, "{}", scan.story());
}

#[test]
fn rows_that_cargo_takes_otherwise_than_the_registrys_are_found() {
    let upper = |row: &mut Value| {
        let sum = row["cksum"].as_str().unwrap().to_uppercase();
        row["cksum"] = json!(sum);
    };
    type Lie<'a> = (&'a str, &'a dyn Fn(&mut Value));
    let lies: [Lie<'_>; 8] = [
        ("upper-case checksum", &upper),
        ("time of another type", &|row| row["pubtime"] = json!(5)),
        ("schema that hides the version", &|row| row["v"] = json!(99)),
        ("schema of another type", &|row| row["v"] = json!("1")),
        ("features of another type", &|row| {
            row["features"] = json!(null);
        }),
        ("yanked of another type", &|row| row["yanked"] = json!(0)),
        ("no dependencies at all", &|row| {
            row.as_object_mut().unwrap().remove("deps");
        }),
        ("nothing", &|row| *row = json!({})),
    ];
    for (what, lie) in lies {
        let world = home_template().twin();
        rewrite_listing(&world, "beta", |rows| lie(&mut rows[0].1));
        let scan = world.untaint().run();
        assert_eq!(scan.exit, 1, "{what}\n{}", scan.story());
        scan.finds(&["metadata-poisoned"], "beta");
    }
}

#[test]
fn a_hidden_version_is_hidden_from_cargo_too() {
    let world = home_template().twin();
    rewrite_listing(&world, "beta", |rows| rows[0].1["v"] = json!(99));
    let lock = world.lockfile();
    let kept = fs::read(&lock).unwrap();
    fs::remove_file(&lock).unwrap();
    let output = world.try_cargo(&["generate-lockfile", "--offline"]);
    assert!(!output.status.success(), "cargo does not see it any more");
    write_file(&lock, kept);
    world
        .untaint()
        .run()
        .finds(&["metadata-poisoned"], "schema");
}

#[test]
fn a_version_that_only_the_listing_calls_new_is_open() {
    let world = home_template().twin();
    world.untaint().run().is_clean();
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    rewrite_listing(&world, "beta", |rows| {
        let mut row = rows[0].1.clone();
        row["vers"] = json!("1.9.9");
        row["pubtime"] = json!(now);
        row["cksum"] = json!(sha256(b"evil"));
        rows.push(("1.9.9".to_owned(), row));
    });
    for arguments in [&[][..], &["--offline"]] {
        let scan = world.untaint().args(arguments).run();
        scan.exits(3).is_no_alarm();
        assert!(
            scan.unverifiable("no-record") > 0,
            "{arguments:?}\n{}",
            scan.story()
        );
    }
}

#[test]
fn a_file_of_a_million_rows_is_not_read_for_long() {
    let world = home_template().twin();
    let path = world.index_entry("beta");
    let bytes = fs::read(&path).unwrap();
    let end = 6 + bytes[5..].iter().position(|byte| *byte == 0).unwrap();
    let head = &bytes[..end];
    write_file(&path, [head, &vec![0; 16 << 20]].concat());
    let scan = world.untaint().run();
    scan.is_no_alarm();
    assert!(scan.names("/beta"), "{}", scan.story());
    write_file(&path, [head, &b"1.0.0\0{}\0".repeat(200_000)].concat());
    let scan = world.untaint().run();
    scan.exits(3);
    assert_eq!(scan.unverifiable("limit"), 1, "{}", scan.story());
}

#[test]
fn folders_of_a_cargo_home_that_are_links_are_called_links() {
    for name in [
        "registry",
        "registry/cache",
        "registry/src",
        "registry/index",
        "git",
        "git/db",
        "git/checkouts",
    ] {
        let world = home_template().twin();
        let folder = world.cargo_home().join(name);
        let elsewhere = world.root().join("elsewhere");
        fs::rename(&folder, &elsewhere).unwrap();
        symlink(&elsewhere, &folder).unwrap();
        let scan = world.untaint().run();
        // 1 where the link itself is a finding.
        assert!(matches!(scan.exit, 1 | 3), "{name}\n{}", scan.story());
        let told = scan.problems().iter().any(|problem| {
            problem["path"].as_str() == folder.to_str()
                && problem["message"].as_str().unwrap().contains("is a link")
        });
        assert!(told, "{name}\n{}", scan.story());
    }
}

#[test]
fn a_listing_changed_after_a_good_run_is_found_whatever_its_size_and_time_say() {
    let world = home_template().twin();
    for _ in 0..2 {
        world.untaint().an_hour_later().run().is_clean();
    }
    let path = world.index_entry("beta");
    let before = fs::metadata(&path).unwrap();
    let archive = sha256(&fs::read(world.archive("beta", "1.0.0")).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes
        .windows(archive.len())
        .position(|window| window == archive.as_bytes())
        .unwrap();
    bytes[at..at + archive.len()].copy_from_slice("ab".repeat(32).as_bytes());
    fs::write(&path, bytes).unwrap();
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(
        (before.len(), before.ino(), before.modified().unwrap()),
        (after.len(), after.ino(), after.modified().unwrap()),
    );
    for arguments in [&[][..], &["--offline"]] {
        world
            .untaint()
            .an_hour_later()
            .args(arguments)
            .run()
            .finds(&["metadata-poisoned"], "another checksum");
    }
}

#[test]
fn a_listing_that_fitted_is_held_against_what_the_registry_says_now() {
    let world = World::clean(Source::Alternate);
    world.untaint().an_hour_later().run().is_clean();
    world.registry.change_row("beta", "1.0.0", |row| {
        row["deps"] = json!([{"name": "gamma", "req": "*", "features": [], "optional": false,
            "default_features": true, "target": null, "kind": "normal"}]);
    });
    // The registry is asked again a day later, and the file is the same as before.
    let day = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 90_000).unwrap();
    let day = day.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let scan = world.untaint().args(&["--now", &day]).run();
    scan.finds(&["metadata-poisoned"], "beta");
}
