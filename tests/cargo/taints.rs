//! Taints made by hand, one after the other, on a copy of a cache: each is found, each is undone.
//!
//! The same list runs over the small recorded world in every test run and, when asked, over the cache
//! of a real project of some hundred crates (`live`). Set `UNTAINT_PRINT_TAINTS=1` to see what the
//! program said of each.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use crate::support::{
    Scan, Untaint, World, copy_tree, gunzip, gzip, gzip_level, sha256, write_file,
};
use crate::tamper::{fifo, home_template};
use crate::tamper_rewrites::rewrite_listing;

/// One crate in one world, as the victim.
pub(crate) struct Victim<'a> {
    pub(crate) world: &'a World,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// A file of its tree with Rust code in it.
    pub(crate) source: &'a str,
    /// Another crate of the cache and its version.
    pub(crate) other: (&'a str, &'a str),
}

impl Victim<'_> {
    fn archive(&self) -> PathBuf {
        self.world.archive(self.name, self.version)
    }

    fn tree(&self) -> PathBuf {
        self.world.tree(self.name, self.version)
    }

    fn file(&self) -> PathBuf {
        self.tree().join(self.source)
    }

    fn settings(&self) -> PathBuf {
        self.world.project().join(".cargo/config.toml")
    }

    fn outside(&self) -> PathBuf {
        self.world.root().join("outside")
    }

    /// The genuine archive with one letter of its code changed, packed like the genuine one.
    fn evil(&self) -> Vec<u8> {
        let mut plain = gunzip(&fs::read(self.archive()).unwrap());
        let at = plain
            .windows(7)
            .rposition(|text| text == b"pub fn ")
            .expect("code");
        plain[at + 4] = b'F';
        gzip(&format!("{}-{}.crate", self.name, self.version), &plain)
    }

    fn edit(&self, path: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{} holds `{from}`", path.display());
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    fn replace_archive_and_tree(&self) -> (String, String) {
        let evil = self.evil();
        let old = sha256(&fs::read(self.archive()).unwrap());
        fs::write(self.archive(), &evil).unwrap();
        let text = fs::read_to_string(self.file()).unwrap();
        fs::write(self.file(), text.replacen("pub fn ", "pub Fn ", 1)).unwrap();
        (old, sha256(&evil))
    }

    /// Everything that the list below may touch, to be put back.
    pub(crate) fn touched(&self) -> [PathBuf; 6] {
        [
            self.archive(),
            self.tree(),
            self.world.index_entry(self.name),
            self.world.lockfile(),
            self.settings(),
            self.world.cargo_home().join("credentials.toml"),
        ]
    }
}

pub(crate) type Deed = fn(&Victim<'_>);

/// What is done, how, and which codes may answer it.
pub(crate) const TAINTS: &[(&str, Deed, &[&str])] = &[
    (
        "a source file edited",
        |v| v.edit(&v.file(), "pub fn ", "pub fn  "),
        &["tree-modified"],
    ),
    (
        "edited at the same size, time restored",
        same_size_edit,
        &["tree-modified"],
    ),
    (
        "a source file cut in half",
        |v| halve(&v.file()),
        &["tree-modified"],
    ),
    (
        "a source file emptied",
        |v| fs::write(v.file(), "").unwrap(),
        &["tree-modified"],
    ),
    (
        "a source file removed",
        |v| fs::remove_file(v.file()).unwrap(),
        &["tree-missing-file"],
    ),
    (
        "a build script added",
        |v| write_file(&v.tree().join("planted/build.rs"), "fn main() {}\n"),
        &["tree-extra-file"],
    ),
    (
        "a hidden file added",
        |v| write_file(&v.tree().join(".planted"), "fn main() {}\n"),
        &["tree-extra-file"],
    ),
    (
        "a pipe in place of a file",
        |v| with_file(v, fifo),
        &["tree-irregular-file"],
    ),
    (
        "a folder in place of a file",
        |v| with_file(v, |path| fs::create_dir(path).unwrap()),
        &["tree-irregular-file", "tree-missing-file"],
    ),
    (
        "a link to a copy outside",
        link_outside,
        &["link-escape", "tree-irregular-file"],
    ),
    (
        "the tree linked from outside",
        link_tree,
        &["link-escape", "tree-irregular-file"],
    ),
    (
        "a source file executable",
        |v| mode(&v.file(), 0o755),
        &["tree-irregular-file"],
    ),
    (
        "a source file set-user-id",
        |v| mode(&v.file(), 0o4644),
        &["tree-irregular-file"],
    ),
    (
        "a source file writable by all",
        |v| mode(&v.file(), 0o666),
        &["cache-writable-by-others"],
    ),
    (
        "one bit of the archive",
        flip_archive,
        &["archive-tampered", "archive-ambiguous"],
    ),
    (
        "a byte after the archive",
        |v| append(&v.archive(), b"x"),
        &["archive-tampered", "archive-ambiguous"],
    ),
    (
        "the archive compressed anew",
        recompress,
        &["archive-tampered"],
    ),
    (
        "another crate's archive in its place",
        |v| {
            let other = v.world.archive(v.other.0, v.other.1);
            fs::write(v.archive(), fs::read(other).unwrap()).unwrap();
        },
        &["archive-tampered", "entry-misbound"],
    ),
    (
        "an evil archive",
        |v| fs::write(v.archive(), v.evil()).unwrap(),
        &["archive-tampered"],
    ),
    (
        "archive and tree rewritten together",
        |v| drop(v.replace_archive_and_tree()),
        &["archive-tampered"],
    ),
    (
        "archive, tree, listing and lockfile rewritten together",
        rewrite_all,
        &["archive-tampered"],
    ),
    (
        "the archive linked from outside",
        link_archive,
        &["link-escape"],
    ),
    (
        "another checksum in the cached listing",
        |v| listing(v, |row| row["cksum"] = json!("ab".repeat(32))),
        &["metadata-poisoned"],
    ),
    (
        "a dependency added in the cached listing",
        |v| {
            listing(v, |row| {
                let evil = json!({"name": "planted", "req": "*", "features": [], "optional": false,
                    "default_features": true, "target": null, "kind": "normal"});
                row["deps"].as_array_mut().unwrap().push(evil);
            });
        },
        &["metadata-poisoned"],
    ),
    (
        "a version invented in the cached listing",
        invent,
        &["metadata-poisoned", "never-published"],
    ),
    (
        "another checksum in the lockfile",
        |v| {
            let sum = sha256(&fs::read(v.archive()).unwrap());
            v.edit(&v.world.lockfile(), &sum, &"cd".repeat(32));
        },
        &["lockfile-hash-mismatch"],
    ),
    (
        "the registry replaced by the project's settings",
        |v| {
            write_file(
                &v.settings(),
                "[source.crates-io]\nreplace-with = \"m\"\n[source.m]\nregistry = \
                 \"sparse+https://m.registry.example/\"\n",
            );
        },
        &["source-redirected"],
    ),
    (
        "a compiler wrapper in the project's settings",
        |v| write_file(&v.settings(), "[build]\nrustc-wrapper = \"./planted.sh\"\n"),
        &["code-in-settings"],
    ),
    (
        "a token that all can read",
        |v| {
            let path = v.world.cargo_home().join("credentials.toml");
            write_file(&path, "[registries.loop]\ntoken = \"very-secret-token\"\n");
            mode(&path, 0o644);
        },
        &["credentials-exposed"],
    ),
];

fn same_size_edit(victim: &Victim<'_>) {
    let path = victim.file();
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    victim.edit(&path, "pub fn ", "pub Fn ");
    set_time(&path, time);
}

fn set_time(path: &Path, time: SystemTime) {
    fs::File::options()
        .append(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

fn halve(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

fn append(path: &Path, more: &[u8]) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, [bytes.as_slice(), more].concat()).unwrap();
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn with_file(victim: &Victim<'_>, make: fn(&Path)) {
    fs::remove_file(victim.file()).unwrap();
    make(&victim.file());
}

fn link_outside(victim: &Victim<'_>) {
    let copy = victim.outside().join("copy.rs");
    write_file(&copy, fs::read(victim.file()).unwrap());
    fs::remove_file(victim.file()).unwrap();
    symlink(copy, victim.file()).unwrap();
}

fn link_archive(victim: &Victim<'_>) {
    let copy = victim.outside().join("copy.crate");
    write_file(&copy, fs::read(victim.archive()).unwrap());
    fs::remove_file(victim.archive()).unwrap();
    symlink(copy, victim.archive()).unwrap();
}

fn link_tree(victim: &Victim<'_>) {
    let copy = victim.outside().join("tree");
    copy_tree(&victim.tree(), &copy);
    fs::remove_dir_all(victim.tree()).unwrap();
    symlink(copy, victim.tree()).unwrap();
}

fn flip_archive(victim: &Victim<'_>) {
    let mut bytes = fs::read(victim.archive()).unwrap();
    let at = bytes.len() * 2 / 3;
    bytes[at] ^= 0x10;
    fs::write(victim.archive(), bytes).unwrap();
}

fn recompress(victim: &Victim<'_>) {
    let plain = gunzip(&fs::read(victim.archive()).unwrap());
    fs::write(victim.archive(), gzip_level("", &plain, 3)).unwrap();
}

fn listing(victim: &Victim<'_>, change: fn(&mut serde_json::Value)) {
    rewrite_listing(victim.world, victim.name, |rows| {
        let row = rows
            .iter_mut()
            .find(|(version, _)| version == victim.version)
            .unwrap();
        change(&mut row.1);
    });
}

fn invent(victim: &Victim<'_>) {
    rewrite_listing(victim.world, victim.name, |rows| {
        let mut row = rows.last().unwrap().1.clone();
        row["vers"] = json!("777.0.0");
        rows.push(("777.0.0".to_owned(), row));
    });
}

fn rewrite_all(victim: &Victim<'_>) {
    let (old, new) = victim.replace_archive_and_tree();
    rewrite_listing(victim.world, victim.name, |rows| {
        for (_, row) in rows
            .iter_mut()
            .filter(|(version, _)| version == victim.version)
        {
            row["cksum"] = json!(new);
        }
    });
    victim.edit(&victim.world.lockfile(), &old, &new);
}

/// Makes every taint, has it found, takes it back; at the end the cache is clean again.
pub(crate) fn run(victim: &Victim<'_>, call: &dyn Fn() -> Untaint) {
    let kept = tempfile::tempdir().unwrap();
    for (number, path) in victim.touched().iter().enumerate() {
        keep(path, &kept.path().join(number.to_string()));
    }
    let mut failures = Vec::new();
    for (what, deed, codes) in TAINTS {
        let _ = fs::remove_dir_all(victim.outside());
        deed(victim);
        let scan = call().run();
        let hit = scan.findings().iter().find(|finding| {
            finding["code"]
                .as_str()
                .is_some_and(|code| codes.contains(&code))
        });
        say(what, hit, &scan);
        if hit.is_none() || scan.exit != 1 {
            failures.push(format!("{what}: expected {codes:?}\n{}", scan.story()));
        }
        let secret = scan.stdout.contains("very-secret-token");
        assert!(!secret, "a token stands in the report");
        for (number, path) in victim.touched().iter().enumerate() {
            put_back(&kept.path().join(number.to_string()), path);
        }
    }
    assert!(TAINTS.len() >= 25, "twenty-five at least");
    assert!(
        failures.is_empty(),
        "{} not found:\n{}",
        failures.len(),
        failures.join("\n")
    );
    call().run().is_clean();
}

fn say(what: &str, hit: Option<&serde_json::Value>, scan: &Scan) {
    if std::env::var_os("UNTAINT_PRINT_TAINTS").is_some() {
        let (code, message) = hit.map_or(("NOT FOUND", ""), |finding| {
            let text = |key: &str| finding[key].as_str().unwrap_or_default();
            (text("code"), text("message"))
        });
        println!(
            "{what}: exit {} in {:?}: {code}: {message}",
            scan.exit, scan.took
        );
    }
}

fn keep(path: &Path, at: &Path) {
    if path.is_dir() {
        copy_tree(path, at);
    } else if path.is_file() {
        fs::copy(path, at).unwrap();
    }
}

fn put_back(at: &Path, path: &Path) {
    let linked = fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_dir());
    if linked {
        fs::remove_file(path).unwrap();
    } else if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    }
    keep(at, path);
}

#[test]
fn every_taint_of_the_list_is_found_cold() {
    let world = home_template().twin();
    let victim = Victim {
        world: &world,
        name: "beta",
        version: "1.0.0",
        source: "src/lib.rs",
        other: ("gamma", "0.3.1"),
    };
    run(&victim, &|| {
        world.untaint().env("UNTAINT_HOME", fresh(&world))
    });
}

#[test]
fn every_taint_of_the_list_is_found_warm_and_isolated() {
    let world = home_template().twin();
    world.untaint().run().is_clean();
    let victim = Victim {
        world: &world,
        name: "beta",
        version: "1.0.0",
        source: "src/lib.rs",
        other: ("alpha", "1.2.3"),
    };
    run(&victim, &|| world.untaint());
    run(&victim, &|| world.untaint().arg("--offline"));
    run(&victim, &|| world.untaint().arg("--isolated"));
}

/// A state folder that no run has seen.
fn fresh(world: &World) -> PathBuf {
    let folder = world.root().join("fresh-state");
    let _ = fs::remove_dir_all(&folder);
    folder
}
