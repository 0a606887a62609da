//! Databases and checkouts as cargo makes them, and what becomes of each when something in it is touched.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::*;
use crate::ecosystems::contract::{InspectContext, Inspection};
use crate::formats::git::{HashKind, Kind, hash_object};
use crate::model::{Code, Outcome, RootId};
use crate::world::fake::Disk;

const FOLDER: &str = "dep-0123456789abcdef";
const URL: &str = "https://git.registry.example/Test/Dep.git";

/// A CARGO_HOME with one checkout of one commit with one file.
struct Home {
    disk: Disk,
    commit: String,
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn store(disk: &mut Disk, repository: &str, kind: Kind, name: &str, data: &[u8]) -> Oid {
    let oid = hash_object(HashKind::Sha1, kind, data).oid;
    let hex = oid.to_string();
    let whole = [format!("{name} {}\0", data.len()).as_bytes(), data].concat();
    let (fan, rest) = hex.split_at(2);
    disk.file(
        &format!("{repository}/objects/{fan}/{rest}"),
        deflate(&whole),
    );
    oid
}

impl Home {
    fn new() -> Self {
        let mut disk = Disk::of(1000, 1000);
        let database = format!("/c/git/db/{FOLDER}");
        let blob = store(&mut disk, &database, Kind::Blob, "blob", b"fn x() {}\n");
        let tree = [b"100644 lib.rs\0".as_slice(), blob.as_bytes()].concat();
        let tree = store(&mut disk, &database, Kind::Tree, "tree", &tree);
        let text = format!("tree {tree}\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nx\n");
        let commit = store(
            &mut disk,
            &database,
            Kind::Commit,
            "commit",
            text.as_bytes(),
        );
        let home = Self {
            commit: commit.to_string(),
            disk,
        };
        let checkout = home.checkout();
        let mut disk = home.disk;
        disk.file(&format!("{checkout}/lib.rs"), "fn x() {}\n");
        disk.file(&format!("{checkout}/.cargo-ok"), "");
        disk.file(&format!("{checkout}/.git/HEAD"), format!("{commit}\n"));
        disk.folder(&format!("{checkout}/.git/objects"));
        disk.file(
            &format!("{checkout}/.git/config"),
            "[core]\n\tbare = false\n",
        );
        Self {
            disk,
            commit: commit.to_string(),
        }
    }

    /// The start of the commit that cargo calls a checkout by.
    fn short(&self) -> &str {
        self.commit.get(..7).unwrap()
    }

    fn checkout(&self) -> String {
        format!("/c/git/checkouts/{FOLDER}/{}", self.short())
    }

    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        let (url, commit): (Arc<str>, Arc<str>) = (URL.into(), self.commit.as_str().into());
        wanted.git.insert((url.clone(), commit.clone()));
        wanted
            .git_packages
            .insert((url, commit, "delta".into(), "0.5.0".into()));
        wanted
    }

    fn session(&self, wanted: Option<&Wanted>) -> Session {
        let mut session = Session::default();
        let nothing = Wanted::default();
        let context = OpenContext {
            registries: &[],
            wanted,
            locked: wanted.unwrap_or(&nothing),
            places: &[],
            full: false,
        };
        open(&*self.disk.dir("/c"), &context, &mut session);
        session
    }

    fn inspect(&self, wanted: Option<&Wanted>, full: bool) -> Vec<Inspection> {
        let root = self.disk.dir("/c");
        let context = InspectContext {
            root: &*root,
            fs: &self.disk,
            root_id: &RootId::new("cargo-home"),
            listing: None,
            gap: None,
            now: 0,
            full,
            proofs: None,
            cancelled: &|| false,
        };
        self.session(wanted)
            .units
            .iter()
            .flat_map(|unit| unit.inspector.as_ref().unwrap().inspect(&context))
            .collect()
    }

    /// The one subject of the checkout, judged against the locked commit.
    fn locked(&self) -> Inspection {
        let mut all = self.inspect(Some(&self.wanted()), false);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }
}

fn codes(inspection: &Inspection) -> Vec<Code> {
    inspection.findings.iter().map(|f| f.code).collect()
}

#[test]
fn an_equal_checkout_is_declared_and_carries_its_package() {
    let home = Home::new();
    let seen = home.locked();
    assert_eq!(seen.outcome, Outcome::Unverifiable(Reason::Git));
    assert_eq!(seen.findings, []);
    assert!(seen.problems.is_empty(), "{:?}", seen.problems);
    assert_eq!(seen.kind, "checkout");
    assert!(seen.observed.is_some());
    let session = home.session(Some(&home.wanted()));
    let Binding::Package(coordinate) = &session.units[0].binding else {
        panic!("bound");
    };
    assert_eq!(coordinate.to_string(), "delta@0.5.0");
}

#[test]
fn whatever_differs_is_named() {
    let mut home = Home::new();
    let checkout = home.checkout();
    home.disk.file(&format!("{checkout}/lib.rs"), "fn y() {}\n");
    assert_eq!(codes(&home.locked()), [Code::TreeModified]);
    home = Home::new();
    home.disk.file(&format!("{checkout}/build.rs"), "");
    let seen = home.locked();
    assert_eq!(codes(&seen), [Code::TreeExtraFile]);
    assert_eq!(seen.findings[0].entries[0].path, "build.rs");
    assert_eq!(seen.outcome, Outcome::Tainted);
    home = Home::new();
    home.disk.link(&format!("{checkout}/lib.rs"), "/etc/passwd");
    assert_eq!(codes(&home.locked()), [Code::TreeIrregularFile]);
}

#[test]
fn objects_that_are_gone_prove_nothing() {
    let home = Home::new();
    let mut disk = Disk::of(1000, 1000);
    let checkout = home.checkout();
    disk.file(&format!("{checkout}/lib.rs"), "fn x() {}\n");
    disk.file(&format!("{checkout}/.git/HEAD"), &home.commit);
    let home = Home { disk, ..home };
    assert_eq!(
        home.locked().outcome,
        Outcome::Unverifiable(Reason::GitUnheld)
    );
}

#[test]
fn forged_objects_are_found_even_behind_a_good_copy() {
    let mut home = Home::new();
    let (fan, rest) = home.commit.split_at(2);
    let forged = format!("{}/.git/objects/{fan}/{rest}", home.checkout());
    home.disk.file(&forged, deflate(b"commit 3\0abc"));
    let seen = home.locked();
    assert_eq!(codes(&seen), [Code::ArchiveTampered]);
    assert_eq!(seen.outcome, Outcome::Tainted);
    assert_eq!(seen.entries, []);
}

#[test]
fn full_looks_at_objects_that_no_checkout_needs() {
    let mut home = Home::new();
    let extra = format!("/c/git/db/{FOLDER}/objects/ab/{}", "c".repeat(38));
    home.disk.file(&extra, deflate(b"blob 3\0abc"));
    assert_eq!(home.locked().findings, []);
    let seen = home.inspect(Some(&home.wanted()), true);
    assert_eq!(codes(&seen[0]), [Code::ArchiveTampered]);
}

#[test]
fn settings_and_hooks_are_told_with_their_place() {
    let mut home = Home::new();
    let checkout = home.checkout();
    home.disk.file(
        &format!("{checkout}/.git/config"),
        "[core]\n\tfsmonitor = /tmp/evil.sh\n[http]\n\tsslVerify = false\n[url \"x\"]\n\tinsteadOf = y\n",
    );
    let hook = format!("/c/git/db/{FOLDER}/hooks/post-checkout");
    home.disk.file(&hook, "#!/bin/sh\n").mode(&hook, 0o755);
    let seen = home.locked();
    assert_eq!(
        codes(&seen),
        [
            Code::CodeInSettings,
            Code::InsecureTransport,
            Code::SourceRedirected,
            Code::CodeInSettings
        ]
    );
    let at = seen.findings[0].location.clone().unwrap();
    assert!(at.file.ends_with(".git/config") && at.line == Some(2));
    assert_eq!(seen.outcome, Outcome::Unverifiable(Reason::Git));
}

#[test]
fn only_checkouts_of_locked_commits_are_judged_in_a_project() {
    let mut home = Home::new();
    let other = format!("/c/git/checkouts/{FOLDER}/abcdef0/lib.rs");
    home.disk.file(&other, "other");
    home.disk
        .file("/c/git/checkouts/else-0123456789abcdef/abcdef0/x", "other");
    assert_eq!(home.inspect(Some(&home.wanted()), false).len(), 1);
    assert_eq!(home.inspect(Some(&Wanted::default()), false).len(), 0);
    // In a scan of everything all three are subjects; those without HEAD are what no cargo loads.
    let all = home.inspect(None, false);
    let orphans = |i: &&Inspection| i.outcome == Outcome::Unverifiable(Reason::Orphan);
    assert_eq!((all.len(), all.iter().filter(orphans).count()), (3, 2));
}

#[test]
fn without_a_lockfile_the_checkout_is_held_against_its_own_word() {
    let mut home = Home::new();
    let seen = home.inspect(None, false);
    assert_eq!(seen[0].outcome, Outcome::Unverifiable(Reason::Git));
    assert!(seen[0].note.as_ref().unwrap().contains("no lockfile"));
    assert_eq!(home.session(None).units[0].binding, Binding::Nothing);
    let checkout = home.checkout();
    home.disk.file(&format!("{checkout}/lib.rs"), "fn y() {}\n");
    assert_eq!(codes(&home.inspect(None, false)[0]), [Code::TreeModified]);
}

#[test]
fn links_in_place_of_repositories_are_not_followed() {
    let mut home = Home::new();
    let short = home.short().to_owned();
    let mut disk = Disk::of(1000, 1000);
    disk.link(&format!("/c/git/checkouts/{FOLDER}/{short}"), "/tmp");
    disk.link("/c/git/checkouts/dep-aaaaaaaaaaaaaaaa", "/tmp");
    disk.link("/c/git/db/dep-aaaaaaaaaaaaaaaa", "/tmp");
    home.disk = disk;
    let seen = home.inspect(Some(&home.wanted()), false);
    let all: Vec<_> = seen.iter().flat_map(codes).collect();
    assert_eq!(all, [Code::TreeIrregularFile; 3]);
    assert_eq!(home.inspect(None, false).len(), 3);
}

#[test]
fn a_checkout_is_judged_whatever_the_folder_above_it_is_called() {
    for called in ["_empty-0123456789abcdef", "other-name", ".#"] {
        let mut home = Home::new();
        let moved = format!("/c/git/checkouts/{called}/{}", home.short());
        home.disk.file(&format!("{moved}/lib.rs"), "fn evil() {}\n");
        home.disk
            .file(&format!("{moved}/.git/HEAD"), format!("{}\n", home.commit));
        for wanted in [Some(home.wanted()), None] {
            let seen = home.inspect(wanted.as_ref(), false);
            let at = seen
                .iter()
                .find(|i| i.rel.to_string_lossy().contains(called))
                .unwrap_or_else(|| panic!("{called} is a subject"));
            assert_ne!(at.outcome, Outcome::Unverifiable(Reason::Git), "{called}");
        }
        let of_lock = home.inspect(Some(&home.wanted()), false);
        assert_eq!(of_lock.len(), 2, "{called}");
    }
}

#[test]
fn databases_without_a_checkout_are_judged_by_what_git_would_run() {
    let mut home = Home::new();
    let hook = "/c/git/db/else-0123456789abcdef/hooks/reference-transaction";
    home.disk.folder("/c/git/db/quiet-0123456789abcdef");
    home.disk.file(hook, "#!/bin/sh\n").mode(hook, 0o755);
    let seen = home.inspect(Some(&home.wanted()), false);
    let all: Vec<_> = seen.iter().flat_map(codes).collect();
    assert_eq!((seen.len(), all), (2, vec![Code::CodeInSettings]));
    // Where no lockfile names a git package, git is not started.
    assert_eq!(home.inspect(Some(&Wanted::default()), false).len(), 0);
}

#[test]
fn folders_of_cargo_are_told_by_their_form() {
    assert_eq!(folder_name("a-b-0123456789abcdef"), Some("a-b"));
    assert_eq!(folder_name("a-0123456789abcdef-shallow"), Some("a"));
    assert_eq!(folder_name("-0123456789abcdef"), None);
    assert_eq!(folder_name("a-0123456789abcde"), None);
}

#[test]
fn names_of_no_text_are_no_checkouts() {
    use std::os::unix::ffi::OsStrExt as _;
    assert!(!is_short(OsStr::from_bytes(b"\xff\xff\xff\xff")));
    assert!(!is_short(OsStr::new("ABCDEF0")));
    assert!(is_short(OsStr::new("abcdef0")));
}

#[test]
fn what_a_checkout_must_hold_is_told_by_its_database() {
    let mut home = Home::new();
    home.disk
        .file(&format!("{}/lib.rs", home.checkout()), "fn evil() {}\n");
    let about = |commit: &str| {
        let git = Origin::Git {
            url: URL.into(),
            commit: commit.into(),
        };
        vec![Arc::new(Coordinate {
            ecosystem: CARGO,
            name: "delta".into(),
            version: "0.5.0".into(),
            origin: git,
        })]
    };
    let rel = PathBuf::from(home.checkout().strip_prefix("/c/").unwrap());
    let told = |home: &Home, commit: &str| copied(&*home.disk.dir("/c"), &rel, &about(commit));
    let found = told(&home, &home.commit).unwrap();
    let good = BTreeMap::from([(b"lib.rs".to_vec(), Some(b"fn x() {}\n".to_vec()))]);
    assert_eq!(found.files, good);
    for (path, made) in [
        (".cargo-ok", true),
        (".git/HEAD", true),
        ("sub/.git/x", true),
        ("lib.rs", false),
    ] {
        assert_eq!((found.made)(path.as_bytes()), made, "{path}");
    }
    assert!(told(&home, &"0".repeat(40)).is_none());
    // An object that is not what its name says proves nothing.
    let blob = hash_object(HashKind::Sha1, Kind::Blob, b"fn x() {}\n")
        .oid
        .to_string();
    let (fan, rest) = blob.split_at(2);
    home.disk.file(
        &format!("/c/git/db/{FOLDER}/objects/{fan}/{rest}"),
        deflate(b"blob 3\0abc"),
    );
    assert!(told(&home, &home.commit).is_none());
}

#[test]
fn packages_of_a_checkout_are_told_by_the_manifests_of_its_commit() {
    let mut home = Home::new();
    let database = format!("/c/git/db/{FOLDER}");
    let text = b"[package]\nname = \"inner-one\"\n";
    let blob = store(&mut home.disk, &database, Kind::Blob, "blob", text);
    let tree = [b"100644 Cargo.toml\0".as_slice(), blob.as_bytes()].concat();
    let tree = store(&mut home.disk, &database, Kind::Tree, "tree", &tree);
    let top = [b"40000 inner\0".as_slice(), tree.as_bytes()].concat();
    let top = store(&mut home.disk, &database, Kind::Tree, "tree", &top);
    let text = format!("tree {top}\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nx\n");
    let at = store(
        &mut home.disk,
        &database,
        Kind::Commit,
        "commit",
        text.as_bytes(),
    );
    let at = at.to_string();
    let all = format!("git/checkouts/{FOLDER}");
    let one = format!("{all}/{}", at.get(..7).unwrap());
    // What lies in the checkout itself says nothing.
    home.disk
        .file(&format!("/c/{one}/.git/HEAD"), format!("{at}\n"))
        .file(
            &format!("/c/{one}/Cargo.toml"),
            "[package]\nname = \"evil\"\n",
        );
    let cache = home.disk.dir("/c");
    let named = |rel: &str| packages(&*cache, std::path::Path::new(rel));
    assert_eq!(named(&one), [Arc::from("inner-one")]);
    assert_eq!(named(&all), [Arc::from("inner-one")]);
    assert!(named("git/checkouts/else-0123456789abcdef").is_empty());
    assert!(named("registry/src").is_empty());
}
