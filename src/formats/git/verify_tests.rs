//! Worktrees held against commits: equal, changed, missing, added, of another kind.

use super::super::testing::{Known, Memory, Plain, Thing, deflate, tight};
use super::super::tree::Mode;
use super::super::{Kind, hash_object};
use super::*;

const FILE: Mode = Mode::File { executable: false };
const PROGRAM: Mode = Mode::File { executable: true };

struct Case {
    locked: Oid,
    worktree: Plain,
    known: Known,
}

impl Case {
    fn judge(&self) -> GitVerdict {
        verify(self.locked, &self.worktree, &self.known, &tight())
    }

    fn own(&mut self) -> &mut Memory {
        &mut self.known.by_path.get_mut("").unwrap()[0]
    }

    fn differences(&self) -> Vec<(String, DifferenceKind)> {
        let verdict = self.judge();
        assert_eq!(verdict.outcome(), Outcome::Different);
        assert!(!verdict.tree_equals);
        named(&verdict)
    }
}

fn named(verdict: &GitVerdict) -> Vec<(String, DifferenceKind)> {
    verdict
        .differences
        .iter()
        .map(|found| (String::from_utf8(found.path.clone()).unwrap(), found.kind))
        .collect()
}

/// `a.txt`, `link`, `run.sh`, `src/lib.rs`, `src/deep/x` and a submodule `sub` with `s.txt`, as cargo checks them out.
fn case(hash: HashKind) -> Case {
    let blob = |text: &str| hash_object(hash, Kind::Blob, text.as_bytes()).oid;
    let mut sub = Memory::default();
    let tree = sub.tree(hash, &[(FILE, "s.txt", blob("s\n"))]);
    let sub_commit = sub.commit(hash, tree);
    sub.put("HEAD", format!("{sub_commit}\n"));
    let mut own = Memory::default();
    let deep = own.tree(hash, &[(FILE, "x", blob("x\n"))]);
    let src = own.tree(
        hash,
        &[
            (Mode::Directory, "deep", deep),
            (FILE, "lib.rs", blob("lib\n")),
        ],
    );
    let root = own.tree(
        hash,
        &[
            (FILE, "a.txt", blob("a\nb\n")),
            (Mode::Link, "link", blob("src/lib.rs")),
            (PROGRAM, "run.sh", blob("run\n")),
            (Mode::Directory, "src", src),
            (Mode::Submodule, "sub", sub_commit),
        ],
    );
    let locked = own.commit(hash, root);
    own.put("HEAD", "ref: refs/heads/master\n");
    own.put("refs/heads/master", format!("{locked}\n"));
    own.put("config", "[core]\n\tbare = false\n");
    own.put("hooks/README.sample", "x");
    let mut worktree = Plain::default();
    worktree.file("a.txt", "a\nb\n");
    worktree
        .things
        .insert("link".into(), Thing::Link(b"src/lib.rs".to_vec()));
    worktree
        .things
        .insert("run.sh".into(), Thing::Program(b"run\n".to_vec()));
    worktree.file("src/lib.rs", "lib\n");
    worktree.file("src/deep/x", "x\n");
    worktree.file("sub/s.txt", "s\n");
    for path in [".cargo-ok", ".git/HEAD", "sub/.cargo-ok", "sub/.git/HEAD"] {
        worktree.file(path, "");
    }
    worktree.things.insert("empty/".into(), Thing::Empty);
    let by_path = [("".into(), vec![own]), ("sub".into(), vec![sub])].into();
    Case {
        locked,
        worktree,
        known: Known { by_path },
    }
}

#[test]
fn a_genuine_checkout_is_equal_under_both_hashes() {
    for hash in [HashKind::Sha1, HashKind::Sha256] {
        let verdict = case(hash).judge();
        assert_eq!(
            (verdict.outcome(), named(&verdict)),
            (Outcome::Equal, vec![])
        );
        assert!(
            verdict.tree_equals && verdict.faults.is_empty() && verdict.missing_objects.is_empty()
        );
        assert_eq!(verdict.repositories.len(), 2);
        for checked in &verdict.repositories {
            assert!(
                checked.head_agrees
                    && checked.object == CommitObject::Held
                    && checked.posture == Posture::default()
            );
        }
    }
}

#[test]
fn without_submodules_no_tree_is_read() {
    let mut case = case(HashKind::Sha1);
    let sub = case.known.by_path.remove("sub").unwrap().remove(0);
    case.worktree = Plain::default();
    case.worktree.file("s.txt", "s\n");
    case.locked = Oid::from_hex(sub.files["HEAD"].trim_ascii_end()).unwrap();
    let mut own = Memory::default();
    let name = super::super::object::loose_path("objects", &case.locked);
    own.put(&name, sub.files[&name].clone());
    case.known.by_path.insert(String::new(), vec![own]);
    let verdict = case.judge();
    assert_eq!(verdict.outcome(), Outcome::Equal);
    assert_eq!(
        verdict.repositories[0].observed_tree,
        verdict.repositories[0].expected_tree
    );
    assert!(!verdict.repositories[0].head_agrees);
}

#[test]
fn every_difference_is_named_by_kind() {
    use DifferenceKind::{Extra, Irregular, Missing, Modified};
    let row = |path: &str, kind| (path.to_owned(), kind);
    let mut case = case(HashKind::Sha1);
    case.worktree.file("src/lib.rs", "evil\n");
    case.worktree.file("src/new/y", "y");
    case.worktree.file("src/.git/config", "y");
    case.worktree.file("src/.cargo-ok", "y");
    case.worktree.file("run.sh", "run\n");
    case.worktree.file("link", "src/lib.rs");
    case.worktree.things.remove("src/deep/x");
    case.worktree.things.insert("pipe".into(), Thing::Fifo);
    case.worktree.file("sub/s.txt", "t\n");
    let expected = [
        row("link", Irregular),
        row("pipe", Extra),
        row("run.sh", Irregular),
        row("src/.cargo-ok", Extra),
        row("src/.git", Extra),
        row("src/deep/x", Missing),
        row("src/lib.rs", Modified),
        row("src/new/y", Extra),
        row("sub/s.txt", Modified),
    ];
    assert_eq!(case.differences(), expected);
    case = self::case(HashKind::Sha256);
    case.worktree
        .things
        .insert("link".into(), Thing::Link(b"/etc/passwd".to_vec()));
    case.worktree.things.insert("a.txt".into(), Thing::Fifo);
    case.worktree.things.remove("src/lib.rs");
    case.worktree.file("src/lib.rs/z", "z");
    case.worktree
        .things
        .insert(".cargo-ok".into(), Thing::Link(b"x".to_vec()));
    let expected = [
        row(".cargo-ok", Extra),
        row("a.txt", Irregular),
        row("link", Modified),
        row("src/lib.rs", Irregular),
        row("src/lib.rs/z", Extra),
    ];
    assert_eq!(case.differences(), expected);
}

#[test]
fn what_git_converts_is_listed_and_no_difference() {
    let mut case = case(HashKind::Sha1);
    case.worktree.file("a.txt", "a\r\nb\r\n");
    let verdict = case.judge();
    assert_eq!(verdict.outcome(), Outcome::Equal);
    assert_eq!(
        verdict.converted,
        [(b"a.txt".to_vec(), Conversion::LineEndings)]
    );
    case.worktree.file("a.txt", "a\r\nb\n");
    assert_eq!(
        case.differences(),
        [("a.txt".into(), DifferenceKind::Modified)]
    );
}

#[test]
fn a_moved_head_and_forged_objects_convince_nobody() {
    // The attacker's own commit, genuine in itself, checked out and pointed to by HEAD.
    let mut case = case(HashKind::Sha1);
    let evil = hash_object(HashKind::Sha1, Kind::Blob, b"evil\n").oid;
    let own = case.own();
    let tree = own.tree(HashKind::Sha1, &[(FILE, "a.txt", evil)]);
    let other = own.commit(HashKind::Sha1, tree);
    own.put("refs/heads/master", format!("{other}\n"));
    case.worktree = Plain::default();
    case.worktree.file("a.txt", "evil\n");
    let verdict = case.judge();
    assert_eq!(verdict.outcome(), Outcome::Different);
    assert_eq!(verdict.repositories[0].head, Head::At(other));
    assert!(!verdict.repositories[0].head_agrees);
    // And the bytes of that commit put under the locked id.
    let text = format!("tree {tree}\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nnote\n");
    let name = super::super::object::loose_path("objects", &case.locked);
    let genuine = case.own().files[&name].clone();
    case.own().put(
        &name,
        deflate(format!("commit {}\0{text}", text.len()).as_bytes()),
    );
    let verdict = case.judge();
    assert_eq!(
        (verdict.outcome(), verdict.tree_equals),
        (Outcome::Unheld, false)
    );
    assert_eq!(verdict.repositories[0].object, CommitObject::Bad);
    assert!(matches!(
        verdict.bad_objects().next(),
        Some(GitError::Forged { .. })
    ));
    // A second source with the genuine commit is believed, and the forgery still told.
    let mut database = Memory::default();
    database.put(&name, genuine);
    case.known.by_path.get_mut("").unwrap().push(database);
    let verdict = case.judge();
    assert_eq!(
        (verdict.outcome(), verdict.repositories[0].object),
        (Outcome::Different, CommitObject::Held)
    );
    assert_eq!(verdict.bad_objects().count(), 1);
}

#[test]
fn objects_that_are_gone_leave_it_open() {
    let mut case = case(HashKind::Sha1);
    case.own()
        .files
        .retain(|name, _| !name.starts_with("objects"));
    let verdict = case.judge();
    assert_eq!(
        (verdict.outcome(), verdict.missing_objects),
        (Outcome::Unheld, vec![case.locked])
    );
    let mut case = self::case(HashKind::Sha1);
    case.known.by_path.remove("sub");
    let verdict = case.judge();
    assert_eq!(
        (
            verdict.outcome(),
            verdict.missing_objects.len(),
            verdict.tree_equals
        ),
        (Outcome::Unheld, 1, false)
    );
}

#[test]
fn what_cannot_be_read_leaves_it_open_too() {
    let mut case = case(HashKind::Sha1);
    case.worktree
        .things
        .insert("src/lib.rs".into(), Thing::Locked);
    let verdict = case.judge();
    assert_eq!(
        (
            verdict.outcome(),
            verdict.differences_total,
            verdict.unreadable.len()
        ),
        (Outcome::Unreadable, 0, 1)
    );
}

#[test]
fn a_submodule_may_be_left_out_only_by_the_tree() {
    let mut case = case(HashKind::Sha1);
    case.worktree
        .things
        .retain(|path, _| !path.starts_with("sub"));
    assert_eq!(
        case.differences(),
        [("sub".into(), DifferenceKind::Missing)]
    );
    let text = "[submodule \"s\"]\n\tpath = sub\n\tupdate = none\n";
    case.worktree.file(".gitmodules", text);
    // Not in the tree: the file itself is the difference.
    assert_eq!(
        case.differences(),
        [(".gitmodules".into(), DifferenceKind::Extra)]
    );
}

#[test]
fn settings_and_hooks_are_seen() {
    let mut case = case(HashKind::Sha1);
    case.own().put("config", "[core]\n\tfsmonitor = x\n");
    case.own().put("hooks/post-checkout", "x");
    let verdict = case.judge();
    assert_eq!(verdict.outcome(), Outcome::Equal);
    let posture = &verdict.repositories[0].posture;
    assert_eq!(
        (posture.settings[0].setting.line, posture.hooks.len()),
        (2, 1)
    );
}

#[test]
fn many_differences_are_counted_and_the_first_kept() {
    let mut case = case(HashKind::Sha1);
    (0..50)
        .rev()
        .for_each(|n| case.worktree.file(&format!("n{n:02}"), "n"));
    let limits = Limits {
        differences: 3,
        ..tight()
    };
    let verdict = verify(case.locked, &case.worktree, &case.known, &limits);
    assert_eq!(verdict.differences_total, 50);
    let paths: Vec<_> = named(&verdict).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["n00", "n01", "n02"]);
}

#[test]
fn depth_and_number_of_entries_are_bounded() {
    let mut case = case(HashKind::Sha1);
    case.worktree.file(&format!("{}x", "d/".repeat(500)), "x");
    assert_ne!(case.judge().outcome(), Outcome::Equal);
    let case = self::case(HashKind::Sha1);
    let limits = Limits {
        entries: 4,
        ..tight()
    };
    let verdict = verify(case.locked, &case.worktree, &case.known, &limits);
    assert_eq!(verdict.outcome(), Outcome::Unreadable);
}
