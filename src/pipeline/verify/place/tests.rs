//! Who owns a place, who can write to it, and where its links lead.

use super::*;
use crate::ecosystems::contract::{
    Binding, Difference, Extra, ExtraContext, Placement, Projection, TreePart, Unit,
};
use crate::model::{Code, Outcome, Reason, RootId, RootInfo, RootOrigin};
use crate::pipeline::flow::{PlacedUnit, Seen, Subject};
use crate::world::ReadFs as _;
use crate::world::fake::{Disk, Given};

struct Exact;

impl Projection for Exact {
    fn id(&self) -> &'static str {
        "exact"
    }
    fn placement(&self, _: &[u8]) -> Placement {
        Placement::Exact
    }
    fn extra(&self, _: &[u8], _: FileKind, _: Option<&[u8]>, _: &ExtraContext<'_>) -> Extra {
        Extra::Forbidden
    }
    fn differing(&self, _: &[u8], _: &[u8], _: &[u8]) -> Difference {
        Difference::Finding
    }
}

/// A user's cache in `/h/.cargo` with one tree, one listing and one checkout.
fn disk() -> Disk {
    let mut disk = Disk::of(1000, 1000);
    disk.file("/h/.cargo/registry/src/r/a-1.0.0/src/lib.rs", "x")
        .file("/h/.cargo/registry/index/r/.cache/a", "x")
        .file("/h/.cargo/git/checkouts/d/abc/lib.rs", "x")
        .file("/h/.cargo/.package-cache", "")
        .file("/h/.cargo/config.toml", "x");
    disk
}

fn user() -> Given {
    Given {
        uid: 1000,
        gids: vec![1000],
        ..Given::default()
    }
}

fn findings(disk: &Disk, env: &Given) -> Vec<Finding> {
    let opened = disk.open_root(Path::new("/h/.cargo")).unwrap();
    let root = OpenRoot {
        info: RootInfo {
            id: RootId::new("cargo-home"),
            path: "/h/.cargo".into(),
            origin: RootOrigin::Default,
        },
        path: "/h/.cargo".into(),
        opened,
        is_project: false,
    };
    let watch = Watch::new(env);
    let rel = PathBuf::from("registry/src/r/a-1.0.0");
    if let Ok(dir) = root.dir().descend(&rel.iter().collect::<Vec<_>>()) {
        let listing = super::super::listing::list(&*dir, &[], Some(&watch)).unwrap();
        watch.take(root.dir().path(), &rel, listing.suspects.clone());
        // A second look at the same tree replaces the first.
        watch.take(root.dir().path(), &rel, listing.suspects);
    } else {
        let stat = disk
            .dir("/h/.cargo/registry/src/r")
            .stat_entry(OsStr::new("a-1.0.0"));
        watch.file(root.dir().path(), &rel, &stat.unwrap());
    }
    let ecosystem = crate::ecosystems::all()[0];
    let inventory = Inventory {
        roots: vec![root],
        units: vec![PlacedUnit {
            ecosystem,
            root: 0,
            unit: Unit {
                binding: Binding::Nothing,
                place: Place::Cache,
                archive: None,
                tree: Some(TreePart {
                    rel,
                    projection: &Exact,
                    without: Vec::new(),
                    copied: Vec::new(),
                }),
                inspector: None,
            },
        }],
        ..Inventory::default()
    };
    let check = |kind, rel: &str| Check {
        subject: Subject {
            ecosystem: ecosystem.facts().id,
            kind,
            coordinate: None,
            artifact: None,
            place: Place::Cache,
            root: 0,
            rel: rel.into(),
            size: None,
            line: None,
        },
        seen: Seen::Inspected {
            outcome: Outcome::Unverifiable(Reason::Git),
            observed: None,
            entries: Vec::new(),
            findings: Vec::new(),
            note: None,
        },
    };
    let checks = [
        check("listing", "registry/index/r/.cache/a"),
        check("checkout", "git/checkouts/d/abc"),
    ];
    watch.finish(&inventory, &checks)
}

/// Codes, each with the paths that it names.
fn told(disk: &Disk, env: &Given) -> Vec<(Code, Vec<String>)> {
    findings(disk, env)
        .into_iter()
        .map(|f| {
            assert_eq!(f.entries_total, f.entries.len() as u64);
            (f.code, f.entries.into_iter().map(|e| e.path).collect())
        })
        .collect()
}

fn writable(path: &str) -> Vec<(Code, Vec<String>)> {
    vec![(Code::CacheWritableByOthers, vec![path.to_owned()])]
}

#[test]
fn a_cache_of_ones_own_is_quiet() {
    assert_eq!(told(&disk(), &user()), []);
}

#[test]
fn whatever_others_can_write_is_named() {
    for path in [
        "registry/src/r/a-1.0.0/src/lib.rs",
        "registry/src/r/a-1.0.0/src",
        "registry/src/r/a-1.0.0",
        "registry/src/r",
        "registry",
        "registry/index/r/.cache/a",
        "registry/index/r/.cache",
        "git/checkouts/d/abc/lib.rs",
        "git/checkouts/d",
        "config.toml",
    ] {
        let mut disk = disk();
        disk.mode(&format!("/h/.cargo/{path}"), 0o777);
        assert_eq!(told(&disk, &user()), writable(path), "{path}");
    }
    let mut disk = disk();
    disk.mode("/h/.cargo", 0o757);
    assert_eq!(told(&disk, &user()), writable("."));
}

#[test]
fn folders_above_the_cache_count_without_the_sticky_bit() {
    let mut disk = disk();
    disk.mode("/", 0o1777);
    assert_eq!(told(&disk, &user()), []);
    disk.mode("/h", 0o777);
    assert_eq!(told(&disk, &user()), writable(".."));
    disk.mode("/h", 0o755).mode("/", 0o777);
    assert_eq!(told(&disk, &user()), writable("../.."));
}

#[test]
fn a_group_counts_only_with_other_members() {
    let mut disk = disk();
    disk.mode("/h/.cargo/registry/src/r/a-1.0.0/src/lib.rs", 0o664);
    assert_eq!(told(&disk, &user()), []);
    let shared = Given {
        shared_groups: vec![1000],
        ..user()
    };
    let path = "registry/src/r/a-1.0.0/src/lib.rs";
    assert_eq!(told(&disk, &shared), writable(path));
}

#[test]
fn empty_lock_files_may_be_written_by_all() {
    let mut disk = disk();
    disk.mode("/h/.cargo/.package-cache", 0o666);
    assert_eq!(told(&disk, &user()), []);
    disk.file("/h/.cargo/.package-cache", "x");
    disk.mode("/h/.cargo/.package-cache", 0o666);
    assert_eq!(told(&disk, &user()), writable(".package-cache"));
}

#[test]
fn owners_are_we_and_root() {
    let path = "/h/.cargo/registry/src/r/a-1.0.0/src/lib.rs";
    let mut disk = disk();
    disk.own(path, 0, 0);
    assert_eq!(told(&disk, &user()), []);
    disk.own(path, 1001, 1001);
    let all = findings(&disk, &user());
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].code, Code::ForeignOwner);
    assert!(all[0].message.contains("1001"));
    // Root looks into the cache of one user: that user is at home there, another is not.
    let root = Given::default();
    let all = findings(&disk, &root);
    assert_eq!(all.len(), 1);
    assert!(all[0].message.contains("1001") && !all[0].message.contains("1000"));
}

#[test]
fn links_that_lead_out_are_named() {
    let at = "/h/.cargo/registry/src/r/a-1.0.0";
    for (target, out) in [
        ("/tmp/x", true),
        ("../../../../../../x", true),
        ("lib.rs", false),
        ("../../a-1.0.0/src/lib.rs", false),
        ("/h/.cargo/registry", false),
        ("/h/.cargo2", true),
    ] {
        let mut disk = disk();
        disk.link(&format!("{at}/src/link"), target);
        let expected = if out {
            vec![(
                Code::LinkEscape,
                vec!["registry/src/r/a-1.0.0/src/link".to_owned()],
            )]
        } else {
            vec![]
        };
        assert_eq!(told(&disk, &user()), expected, "{target}");
    }
    let mut disk = Disk::of(1000, 1000);
    disk.link(at, "/tmp/tree");
    assert_eq!(
        told(&disk, &user()),
        [(Code::LinkEscape, vec!["registry/src/r/a-1.0.0".to_owned()])]
    );
}

#[test]
fn many_paths_make_one_finding_with_the_first_of_them() {
    let mut disk = disk();
    for at in 0..50 {
        let path = format!("/h/.cargo/registry/src/r/a-1.0.0/f{at}");
        disk.file(&path, "x").mode(&path, 0o666);
    }
    let all = findings(&disk, &user());
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].entries.len(), all[0].entries_total), (20, 50));
    assert_eq!(
        all[0].ecosystem,
        Some(crate::ecosystems::all()[0].facts().id)
    );
}
