//! Which differences are told, which are looked into, and which are nothing.

use super::*;
use crate::model::report::{RunFacts, Verdict, VerdictResult};
use crate::model::{Assurance, Coverage, RootInfo, RootOrigin};
use crate::world::FileKind;

fn row(kind: &'static str, place: Place, root: &str, rel: &str) -> CheckRow {
    CheckRow {
        ecosystem: EcosystemId::new("cargo"),
        kind,
        package: None,
        version: None,
        artifact: None,
        place,
        root: RootId::new(root),
        rel: rel.to_owned(),
        path_escaped: false,
        outcome: if place == Place::Build {
            Outcome::Unverifiable(Reason::Derived)
        } else {
            Outcome::Verified(Assurance::Published)
        },
        observed: None,
        expected: None,
        size: None,
    }
}

fn report() -> Report {
    let roots = [
        ("project", "/p"),
        ("cargo-home", "/h"),
        ("target", "/p/target"),
    ];
    let root = |(id, path): (&str, &str)| RootInfo {
        id: RootId::new(id),
        path: path.to_owned(),
        origin: RootOrigin::Default,
    };
    Report {
        run: RunFacts {
            roots: roots.map(root).to_vec(),
            ..RunFacts::default()
        },
        verdict: Verdict {
            result: VerdictResult::Clean,
            assurance: Assurance::Published,
            counts: BTreeMap::new(),
            cut_short: false,
            reasons: Vec::new(),
        },
        findings: Vec::new(),
        findings_total: 0,
        notices: Vec::new(),
        problems: Vec::new(),
        coverage: Coverage::default(),
        sources: Vec::new(),
        trust: Vec::new(),
        checks: vec![
            row(
                "archive",
                Place::Cache,
                "cargo-home",
                "registry/cache/r/a-1.crate",
            ),
            row("tree", Place::Cache, "cargo-home", "registry/src/r/a-1"),
            row("listing", Place::Cache, "cargo-home", "registry/index/r/a"),
            row("tree", Place::Vendor, "project", "vendor/a"),
            row("derived", Place::Build, "target", ""),
        ],
        components: Vec::new(),
    }
}

fn stat(kind: FileKind, mtime: i128, ctime: i128) -> Option<Stat> {
    Some(Stat {
        kind,
        size: 1,
        mode: 0o644,
        uid: 0,
        gid: 0,
        links: 1,
        dev: 1,
        inode: 1,
        mtime,
        ctime,
    })
}

/// How many things are told after one change, and whether a second audit follows. Times go from (1, 1) to these.
fn after(path: &str, kind: FileKind, change: Change, times: (i128, i128)) -> (usize, bool) {
    let difference = Difference {
        path: PathBuf::from(path),
        was: stat(kind, 1, 1),
        is: stat(kind, times.0, times.1),
        change,
        named: false,
        put_back: false,
    };
    let changes = weigh(&[difference], &report());
    (changes.suspects.len(), changes.look_again)
}

#[test]
fn what_was_judged_in_a_cache_must_stay() {
    let file = FileKind::File;
    for path in [
        "/h/registry/cache/r/a-1.crate",
        "/h/registry/src/r/a-1/src/lib.rs",
    ] {
        for change in [Change::Content, Change::Attributes, Change::Place] {
            assert_eq!(after(path, file, change, (2, 2)), (1, true), "{path}");
        }
    }
    let dir = FileKind::Dir;
    assert_eq!(
        after("/h/registry/src/r/a-1", dir, Change::Names, (2, 2)),
        (1, true)
    );
}

#[test]
fn folders_on_the_way_may_grow_and_not_be_swapped() {
    let dir = FileKind::Dir;
    assert_eq!(
        after("/h/registry/src/r", dir, Change::Names, (2, 2)),
        (0, true)
    );
    assert_eq!(
        after("/h/registry/src/r", dir, Change::Touched, (1, 2)),
        (1, true)
    );
    assert_eq!(after("/h/registry", dir, Change::Place, (1, 1)), (1, true));
    // Of the root itself only that it is the same.
    assert_eq!(after("/h", dir, Change::Touched, (2, 2)), (0, false));
    assert_eq!(after("/h", dir, Change::Place, (1, 1)), (1, true));
    // Nothing that was judged lies below this one.
    assert_eq!(after("/h/bin", dir, Change::Touched, (2, 2)), (0, false));
}

#[test]
fn what_a_tool_renews_is_judged_anew() {
    let file = FileKind::File;
    let index = "/h/registry/index/r/a";
    assert_eq!(after(index, file, Change::Content, (2, 2)), (0, true));
    // Notes of the tool that nobody read, and what nobody judged.
    assert_eq!(
        after("/h/.global-cache", file, Change::Attributes, (2, 2)),
        (0, false)
    );
    assert_eq!(
        after("/h/config.toml", file, Change::Content, (2, 2)),
        (0, true)
    );
}

#[test]
fn what_is_the_users_own_is_told_only_where_it_hides() {
    let file = FileKind::File;
    for path in ["/p/vendor/a/src/lib.rs", "/p/Cargo.lock"] {
        assert_eq!(
            after(path, file, Change::Content, (2, 2)),
            (0, true),
            "{path}"
        );
        assert_eq!(
            after(path, file, Change::Content, (1, 2)),
            (1, true),
            "{path}"
        );
    }
    assert_eq!(
        after("/p/src/main.rs", file, Change::Attributes, (2, 2)),
        (0, false)
    );
    assert_eq!(
        after("/p/target/debug/app", file, Change::Content, (2, 2)),
        (0, false)
    );
}

#[test]
fn what_came_and_is_not_well_is_told_once() {
    let before = report();
    let mut now = report();
    let mut new = row("tree", Place::Cache, "cargo-home", "registry/src/r/b-1");
    new.outcome = Outcome::Tainted;
    now.checks.push(new);
    let mut git = row("checkout", Place::Cache, "cargo-home", "git/checkouts/x/1");
    git.outcome = Outcome::Unverifiable(Reason::Git);
    now.checks.push(git);
    let policy = Policy::default();
    let findings = Changes::default().findings(&before, &now, &policy);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].rel.as_deref(), Some("registry/src/r/b-1"));
    assert!(
        Changes::default()
            .findings(&before, &before, &policy)
            .is_empty()
    );
    now.checks.truncate(5);
    now.verdict.result = VerdictResult::Incomplete;
    now.verdict.reasons.push("1 problem in reading".to_owned());
    let findings = Changes::default().findings(&before, &now, &policy);
    assert!(findings[0].message.contains("1 problem in reading"));
}

/// The same of something that was asked for by its name.
fn named(path: &str, change: Change, put_back: bool) -> usize {
    let kind = if change == Change::Around {
        FileKind::Dir
    } else {
        FileKind::File
    };
    let difference = Difference {
        path: PathBuf::from(path),
        was: stat(kind, 1, 1),
        is: stat(kind, 2, 2),
        change,
        named: true,
        put_back,
    };
    weigh(&[difference], &report()).suspects.len()
}

#[test]
fn settings_that_were_swapped_are_told() {
    for path in [
        "/h/config.toml",
        "/u/.config/go/env",
        "/p/.cargo/config.toml",
        "/p/Cargo.lock",
    ] {
        assert_eq!(named(path, Change::Content, true), 1, "{path}");
    }
    // The user's own are changed by no build; those of a project are judged anew.
    assert_eq!(named("/h/config.toml", Change::Content, false), 1);
    assert_eq!(named("/u/.config/go/env", Change::Content, false), 1);
    assert_eq!(named("/p/.cargo/config.toml", Change::Content, false), 0);
    assert_eq!(named("/p/Cargo.toml", Change::Content, false), 0);
    assert_eq!(named("/p/.cargo", Change::Around, false), 1);
    assert_eq!(named("/h", Change::Around, false), 0, "tools write there");
}
