//! Attacks by somebody who knows the formats: everything that the cache says about itself agrees.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::support::{
    Crate, Source, World, copy_tree, gunzip, gzip, gzip_level, sha256, standard_crates, write_file,
};
use crate::tamper::{home_template, vendor_template};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

fn evil_beta(world: &World) -> Vec<u8> {
    Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()))
}

/// Rewrites the cached rows of a crate, keeping header and frame as cargo writes them (version 3).
pub(crate) fn rewrite_listing(
    world: &World,
    name: &str,
    change: impl Fn(&mut Vec<(String, Value)>),
) {
    let path = world.index_entry(name);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes[0], 3, "the index cache format of cargo 1.95");
    let mut fields = bytes[5..].split(|byte| *byte == 0);
    let head = fields.next().unwrap();
    let fields: Vec<&[u8]> = fields.filter(|field| !field.is_empty()).collect();
    let mut rows: Vec<(String, Value)> = fields
        .chunks(2)
        .map(|pair| {
            let version = String::from_utf8(pair[0].to_vec()).unwrap();
            (version, serde_json::from_slice(pair[1]).unwrap())
        })
        .collect();
    change(&mut rows);
    let mut written = [&bytes[..5], head, &[0]].concat();
    for (version, row) in rows {
        written.extend_from_slice(version.as_bytes());
        written.push(0);
        written.extend_from_slice(row.to_string().as_bytes());
        written.push(0);
    }
    write_file(&path, written);
}

/// Archive, tree, cached listing and lockfile all tell of the same evil twin.
pub(crate) fn rewrite_everything(world: &World) {
    let evil = evil_beta(world);
    let (old, new) = (
        sha256(&fs::read(world.archive("beta", "1.0.0")).unwrap()),
        sha256(&evil),
    );
    write_file(&world.archive("beta", "1.0.0"), &evil);
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    rewrite_listing(world, "beta", |rows| rows[0].1["cksum"] = json!(new));
    let lock = fs::read_to_string(world.lockfile()).unwrap();
    assert!(lock.contains(&old));
    write_file(&world.lockfile(), lock.replace(&old, &new));
}

#[test]
fn a_cache_that_agrees_with_itself_and_with_the_lockfile_is_found() {
    let world = home_template().twin();
    rewrite_everything(&world);
    assert!(
        world
            .cargo(&["tree", "--locked", "--offline"])
            .contains("beta")
    );
    // The project of the template prints nothing, so the proof is cargo unpacking the evil tree.
    let unpacked = fs::read_to_string(world.tree("beta", "1.0.0").join("src/lib.rs")).unwrap();
    assert_eq!(unpacked, EVIL, "cargo accepts the whole of it");
    let scan = world.untaint().run();
    scan.finds(&["archive-tampered"], "beta-1.0.0.crate");
    scan.finds(&["lockfile-hash-mismatch"], "Cargo.lock");
    scan.finds(&["metadata-poisoned"], "beta");
}

#[test]
fn the_same_offline_from_what_was_learnt_before() {
    let world = home_template().twin();
    world.untaint().run().is_clean();
    rewrite_everything(&world);
    let scan = world.untaint().arg("--offline").run();
    scan.finds(&["archive-tampered"], "beta-1.0.0.crate");
    scan.finds(&["lockfile-hash-mismatch"], "Cargo.lock");
}

#[test]
fn offline_without_memory_nothing_is_called_verified() {
    let world = home_template().twin();
    let scan = world.untaint().arg("--offline").run();
    scan.exits(3);
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
    assert!(scan.unverifiable("offline") > 0, "{}", scan.story());
}

#[test]
fn a_same_size_edit_with_its_time_restored_is_found_after_a_clean_scan() {
    let world = home_template().twin();
    world.untaint().run().is_clean();
    let file = world.tree("beta", "1.0.0").join("src/lib.rs");
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    write_file(&file, text.replace("beta", "BETA"));
    fs::File::options()
        .append(true)
        .open(&file)
        .unwrap()
        .set_modified(time)
        .unwrap();
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/lib.rs");
}

#[test]
fn a_ledger_that_remembers_old_files_is_not_fooled_by_a_restored_time() {
    let world = home_template().twin();
    // Older than the two seconds below which nothing is remembered.
    std::thread::sleep(std::time::Duration::from_millis(2_300));
    world.untaint().run().is_clean();
    world.untaint().run().is_clean();
    let archive = world.archive("beta", "1.0.0");
    let time = fs::metadata(&archive).unwrap().modified().unwrap();
    let mut bytes = fs::read(&archive).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    fs::write(&archive, bytes).unwrap();
    fs::File::options()
        .append(true)
        .open(&archive)
        .unwrap()
        .set_modified(time)
        .unwrap();
    world
        .untaint()
        .run()
        .finds(&["archive-tampered"], "beta-1.0.0.crate");
}

#[test]
fn the_same_content_in_another_compression_is_another_archive() {
    let world = home_template().twin();
    let path = world.archive("beta", "1.0.0");
    let genuine = fs::read(&path).unwrap();
    let plain = gunzip(&genuine);
    for bytes in [
        gzip_level("beta-1.0.0.crate", &plain, 1),
        [gzip("a", &plain[..1024]), gzip("b", &plain[1024..])].concat(),
        [genuine.as_slice(), b"trailing bytes"].concat(),
        [genuine.as_slice(), &[0; 512]].concat(),
    ] {
        write_file(&path, bytes);
        world.untaint().run().finds(
            &["archive-tampered", "archive-ambiguous"],
            "beta-1.0.0.crate",
        );
    }
}

#[test]
fn genuine_bytes_under_another_name_are_found() {
    let world = home_template().twin();
    fs::copy(
        world.archive("gamma", "0.3.1"),
        world.archive("beta", "1.0.0"),
    )
    .unwrap();
    world
        .untaint()
        .run()
        .finds(&["entry-misbound", "archive-tampered"], "beta-1.0.0.crate");
    let world = home_template().twin();
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    copy_tree(&world.tree("gamma", "0.3.1"), &world.tree("beta", "1.0.0"));
    let codes = [
        "entry-misbound",
        "tree-modified",
        "tree-extra-file",
        "tree-missing-file",
    ];
    world.untaint().run().finds(&codes, "beta-1.0.0");
}

#[test]
fn an_older_genuine_release_under_a_newer_name_is_found() {
    let world = World::new(Source::Alternate);
    for release in standard_crates() {
        world.publish(&release);
    }
    let old = world.publish(&Crate::lib("beta", "0.9.0", "pub fn hole() {}\n"));
    world.manifest(&[("alpha", "1")], "fn main() {}\n");
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    write_file(&world.archive("beta", "1.0.0"), old);
    world
        .untaint()
        .run()
        .finds(&["entry-misbound", "archive-tampered"], "beta-1.0.0.crate");
}

#[test]
fn entries_that_were_never_published_are_found_in_the_whole_cache() {
    let world = home_template().twin();
    fs::copy(
        world.archive("gamma", "0.3.1"),
        world.archive("gamma", "9.9.9"),
    )
    .unwrap();
    let scan = world
        .untaint()
        .without_project(&world)
        .arg("--caches")
        .run();
    scan.finds(&["never-published", "entry-misbound"], "gamma-9.9.9");

    let world = home_template().twin();
    write_file(&world.tree("evil", "1.0.0").join("src/lib.rs"), EVIL);
    write_file(&world.tree("evil", "1.0.0").join(".cargo-ok"), "{\"v\":1}");
    let scan = world
        .untaint()
        .without_project(&world)
        .arg("--caches")
        .run();
    scan.finds(&["never-published"], "evil-1.0.0");
}

#[test]
fn a_copy_that_differs_in_case_is_never_verified() {
    let world = home_template().twin();
    fs::copy(
        world.archive("beta", "1.0.0"),
        world.archive("Beta", "1.0.0"),
    )
    .unwrap();
    let scan = world
        .untaint()
        .without_project(&world)
        .arg("--caches")
        .run();
    assert!(matches!(scan.exit, 1 | 3), "{}", scan.story());
    assert!(
        scan.report.to_string().contains("Beta-1.0.0"),
        "{}",
        scan.story()
    );
}

#[test]
fn the_whole_clean_cache_is_clean() {
    let world = home_template().twin();
    let scan = world
        .untaint()
        .without_project(&world)
        .arg("--caches")
        .run();
    scan.is_clean();
    assert_eq!(
        scan.count("verified"),
        10,
        "archives, trees, listings, index settings\n{}",
        scan.story()
    );
    let scan = world
        .untaint()
        .without_project(&world)
        .arg("--cache")
        .arg(format!("cargo={}", world.cargo_home().display()))
        .run();
    scan.is_clean();
}

#[test]
fn cached_listings_that_lie_are_found() {
    type Lie = fn(&mut Vec<(String, Value)>);
    let lies: [(&str, Lie); 5] = [
        ("checksum", |rows| {
            rows[0].1["cksum"] = json!("ab".repeat(32));
        }),
        ("dependency added", |rows| {
            let extra = json!({"name": "evil", "req": "*", "features": [], "optional": false,
                "default_features": true, "target": null, "kind": "normal"});
            rows[0].1["deps"].as_array_mut().unwrap().push(extra);
        }),
        ("dependency taken away", |rows| {
            rows[0].1["deps"] = json!([]);
        }),
        ("dependency from elsewhere", |rows| {
            rows[0].1["deps"][0]["registry"] = json!("https://evil.registry.example/index/");
        }),
        ("version invented", |rows| {
            let mut row = rows[0].1.clone();
            row["vers"] = json!("1.9.9");
            rows.push(("1.9.9".to_owned(), row));
        }),
    ];
    for (what, lie) in lies {
        let world = home_template().twin();
        rewrite_listing(&world, "alpha", lie);
        let scan = world.untaint().run();
        assert_eq!(scan.exit, 1, "{what}\n{}", scan.story());
        scan.finds(&["metadata-poisoned", "never-published"], "alpha");
    }
}

#[test]
fn cached_listings_that_are_only_old_are_no_finding() {
    type Age = fn(&mut Vec<(String, Value)>);
    let ages: [(&str, Age); 3] = [
        ("nothing changed", |_| {}),
        ("yanked since", |rows| rows[0].1["yanked"] = json!(true)),
        ("no publication time", |rows| {
            rows[0].1.as_object_mut().unwrap().remove("pubtime");
        }),
    ];
    for (what, age) in ages {
        let world = home_template().twin();
        rewrite_listing(&world, "beta", age);
        let scan = world.untaint().run();
        assert_eq!(scan.exit, 0, "{what}\n{}", scan.story());
    }
}

#[test]
fn lockfile_hashes_that_lie_are_found_and_missing_ones_told() {
    let world = home_template().twin();
    let lock = fs::read_to_string(world.lockfile()).unwrap();
    let good = sha256(&fs::read(world.archive("beta", "1.0.0")).unwrap());
    write_file(&world.lockfile(), lock.replace(&good, &"cd".repeat(32)));
    let scan = world.untaint().run();
    scan.finds(&["lockfile-hash-mismatch"], "beta");
    let line = lock.lines().position(|line| line.contains(&good)).unwrap() + 1;
    let located = scan
        .findings()
        .iter()
        .any(|finding| finding["location"]["line"] == line);
    assert!(located, "the line is {line}\n{}", scan.story());

    write_file(
        &world.lockfile(),
        lock.replace(&format!("checksum = \"{good}\"\n"), ""),
    );
    let scan = world.untaint().run();
    assert!(
        scan.codes().contains(&"lockfile-hash-missing"),
        "{}",
        scan.story()
    );
    assert_ne!(
        scan.exit,
        1,
        "medium is below the threshold\n{}",
        scan.story()
    );
}

#[test]
fn vendored_files_changed_together_with_their_record_are_found() {
    let world = vendor_template().twin();
    let folder = world.project().join("vendor/beta");
    let file = folder.join("src/lib.rs");
    let good = sha256(&fs::read(&file).unwrap());
    write_file(&file, EVIL);
    let record = folder.join(".cargo-checksum.json");
    let text = fs::read_to_string(&record).unwrap();
    write_file(&record, text.replace(&good, &sha256(EVIL.as_bytes())));
    world.cargo(&["check", "--offline", "--locked", "--quiet"]);
    fs::remove_dir_all(world.project().join("target")).unwrap();
    world
        .untaint()
        .run()
        .finds(&["tree-modified"], "src/lib.rs");
}

#[test]
fn vendored_files_that_no_record_lists_are_found() {
    let world = vendor_template().twin();
    write_file(
        &world.project().join("vendor/beta/build.rs"),
        "fn main() {}\n",
    );
    world.cargo(&["check", "--offline", "--locked", "--quiet"]);
    fs::remove_dir_all(world.project().join("target")).unwrap();
    world
        .untaint()
        .run()
        .finds(&["tree-extra-file"], "build.rs");
}

#[test]
fn a_vendor_record_that_lies_about_the_archive_is_found() {
    let world = vendor_template().twin();
    let record = world.project().join("vendor/beta/.cargo-checksum.json");
    let mut value: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    value["package"] = json!("ef".repeat(32));
    write_file(&record, value.to_string());
    world
        .untaint()
        .run()
        .finds(&["sidecar-forged", "entry-misbound"], "beta");
}

#[test]
fn files_added_to_a_tree_are_found_wherever_they_lie() {
    for path in [
        "build.rs",
        "src/bin/evil.rs",
        "src/evil.rs",
        ".hidden/evil",
        "Cargo.toml.bak",
    ] {
        let world = home_template().twin();
        write_file(&world.tree("beta", "1.0.0").join(path), "fn main() {}\n");
        world.untaint().run().finds(&["tree-extra-file"], path);
    }
}

#[test]
fn a_folder_replaced_by_a_link_is_found() {
    let world = home_template().twin();
    let tree = world.tree("beta", "1.0.0");
    let elsewhere = world.root().join("elsewhere");
    copy_tree(&tree, &elsewhere);
    fs::remove_dir_all(&tree).unwrap();
    symlink(&elsewhere, &tree).unwrap();
    let scan = world.untaint().run();
    scan.finds(&["link-escape", "tree-irregular-file"], "beta-1.0.0");

    let world = home_template().twin();
    let inner = world.tree("beta", "1.0.0").join("src");
    copy_tree(&inner, &world.root().join("elsewhere"));
    fs::remove_dir_all(&inner).unwrap();
    symlink(world.root().join("elsewhere"), &inner).unwrap();
    let scan = world.untaint().run();
    scan.finds(
        &["link-escape", "tree-irregular-file", "tree-missing-file"],
        "src",
    );
}
