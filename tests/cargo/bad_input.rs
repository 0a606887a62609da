//! Broken and hostile input: each gets a line that names the file, nothing is waited for, and a taint
//! planted elsewhere is still found.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Scan, World, copy_tree, write_file};
use crate::tamper::{fifo, home_template};

/// A world with one taint that every scan must find whatever else it meets.
pub(crate) fn planted() -> World {
    let world = home_template().twin();
    let file = world.tree("beta", "1.0.0").join("src/notes.rs");
    write_file(&file, "// planted\n");
    world
}

pub(crate) fn still_found(scan: &Scan, what: &str) {
    let found = scan.findings().iter().any(|finding| {
        finding["code"] == "tree-modified" && finding.to_string().contains("src/notes.rs")
    });
    assert!(
        found && scan.exit == 1,
        "{what}: the planted taint is lost\n{}",
        scan.story()
    );
}

fn no_control_characters(text: &str, what: &str) {
    let bad = |c: char| c.is_control() && c != '\n';
    assert!(
        !text.contains(bad),
        "{what}: raw control characters in the output: {text:?}"
    );
}

/// Puts a nested project with this lockfile beside the good one and scans both.
fn beside(lockfile: &[u8], what: &str) -> (World, Scan) {
    let world = planted();
    let folder = world.project().join("broken");
    write_file(
        &folder.join("Cargo.toml"),
        "[package]\nname = \"broken\"\nversion = \"0.1.0\"\n",
    );
    write_file(&folder.join("Cargo.lock"), lockfile);
    let scan = world.untaint().within(Duration::from_secs(20)).run();
    still_found(&scan, what);
    (world, scan)
}

fn good_lockfile() -> String {
    fs::read_to_string(home_template().lockfile()).unwrap()
}

fn problem_names(scan: &Scan, part: &str, what: &str) {
    let named = scan
        .problems()
        .iter()
        .any(|problem| problem["path"].to_string().contains(part));
    assert!(named, "{what}: no problem names {part}\n{}", scan.story());
}

#[test]
fn lockfiles_that_cannot_be_read() {
    let good = good_lockfile();
    let entry = "[[package]]\nname = \"x\"\nversion = \"1.0.0\"\n";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("not TOML", b"}{ this is no lockfile".to_vec()),
        (
            "not UTF-8",
            b"version = 4\n[[package]]\nname = \"\xff\xfe\"\nversion = \"1.0.0\"\n".to_vec(),
        ),
        ("NULs", vec![0; 4096]),
        (
            "cut in a string",
            good.as_bytes()[..good.len() - 30].to_vec(),
        ),
        (
            "version 5",
            good.replace("version = 4", "version = 5").into_bytes(),
        ),
        ("version of a string", b"version = \"4\"\n".to_vec()),
        (
            "version beyond all integers",
            b"version = 99999999999999999999\n".to_vec(),
        ),
        (
            "packages that are no table",
            b"version = 4\npackage = 7\n".to_vec(),
        ),
        (
            "deep arrays",
            format!("version = 4\na = {}", "[".repeat(200_000)).into_bytes(),
        ),
        (
            "deep closed arrays",
            format!(
                "version = 4\na = {}{}",
                "[".repeat(50_000),
                "]".repeat(50_000)
            )
            .into_bytes(),
        ),
        (
            "deep tables",
            format!("version = 4\n{}", deep_tables(20_000)).into_bytes(),
        ),
        (
            "deep keys",
            format!("version = 4\n{} = 1\n", vec!["a"; 100_000].join(".")).into_bytes(),
        ),
        (
            "a name with a slash",
            format!("version = 4\n{}", entry.replace('x', "../../x")).into_bytes(),
        ),
        (
            "a name that moves the cursor",
            format!("version = 4\n{}", entry.replace('x', "\\u001b[2Jx\\nclean")).into_bytes(),
        ),
        (
            "a checksum of wide characters",
            checksum_entry(&format!("a{}é", "0".repeat(61))).into_bytes(),
        ),
        (
            "a checksum with a sign",
            checksum_entry(&format!("+f{}", "0".repeat(62))).into_bytes(),
        ),
        ("a short checksum", checksum_entry("abcd").into_bytes()),
        (
            "a version that is none",
            b"version = 4\n[[package]]\nname = \"x\"\nversion = \"one\"\nsource = \
              \"registry+https://registry.example/index\"\n"
                .to_vec(),
        ),
    ];
    for (what, bytes) in cases {
        let (_, scan) = beside(&bytes, what);
        problem_names(&scan, "broken/Cargo.lock", what);
        no_control_characters(&scan.stderr, what);
        no_control_characters(&scan.stdout, what);
    }
}

fn deep_tables(depth: usize) -> String {
    format!("[{}]\nx = 1\n", vec!["a"; depth].join("."))
}

fn checksum_entry(checksum: &str) -> String {
    format!(
        "version = 4\n\n[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \
         \"registry+https://registry.example/index\"\nchecksum = \"{checksum}\"\n"
    )
}

#[test]
fn lockfiles_that_are_odd_but_readable() {
    let good = good_lockfile();
    for (what, bytes) in [
        ("CRLF", good.replace('\n', "\r\n").into_bytes()),
        (
            "a byte-order mark",
            [b"\xef\xbb\xbf".as_slice(), good.as_bytes()].concat(),
        ),
        ("no newline at the end", good.trim_end().as_bytes().to_vec()),
    ] {
        let (_, scan) = beside(&bytes, what);
        // Read like the good one beside it, or named as a problem: but never passed over in silence.
        let named = scan
            .problems()
            .iter()
            .any(|p| p.to_string().contains("broken/Cargo.lock"));
        let read = scan.count("verified") >= 14;
        assert!(named || read, "{what}\n{}", scan.story());
    }
    let (_, scan) = beside(b"", "empty");
    assert_eq!(scan.exit, 1, "{}", scan.story());
}

#[test]
fn lockfiles_beyond_all_measure() {
    let world = planted();
    let folder = world.project().join("broken");
    write_file(
        &folder.join("Cargo.toml"),
        "[package]\nname = \"broken\"\nversion = \"0.1.0\"\n",
    );
    // Three gigabytes of nothing: a sparse file, so that only a reader without a limit suffers. The
    // watch over the folder would suffer too, so this world is not watched below `broken`.
    fs::File::create(folder.join("Cargo.lock"))
        .unwrap()
        .set_len(3 << 30)
        .unwrap();
    let scan = world.untaint().watch_only(&world.cargo_home()).run();
    still_found(&scan, "three gigabytes");
    problem_names(&scan, "broken/Cargo.lock", "three gigabytes");
    assert!(scan.took < Duration::from_secs(10), "{}", scan.story());

    let mut many = b"version = 4\n".to_vec();
    for number in 0..60_000 {
        write!(
            many,
            "\n[[package]]\nname = \"local-{number}\"\nversion = \"1.0.0\"\n"
        )
        .unwrap();
    }
    let (_, scan) = beside(&many, "sixty thousand packages");
    assert!(scan.took < Duration::from_secs(15), "{}", scan.story());
}

type Obstacle = (&'static str, fn(&Path));

/// What stands where a file should be.
fn obstacles() -> Vec<Obstacle> {
    let mut all: Vec<Obstacle> = vec![
        ("a pipe", fifo),
        ("a socket", |path| drop(UnixListener::bind(path).unwrap())),
        ("a folder", |path| fs::create_dir(path).unwrap()),
        ("a dangling link", |path| {
            symlink("/nonexistent/file", path).unwrap();
        }),
        ("a link to itself", |path| symlink(path, path).unwrap()),
        ("a link to an endless file", |path| {
            symlink("/dev/zero", path).unwrap();
        }),
        ("a link to a terminal", |path| {
            symlink("/dev/tty", path).unwrap();
        }),
    ];
    if fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
    {
        all.push(("a device", |path| {
            let made = std::process::Command::new("mknod")
                .arg(path)
                .args(["c", "1", "5"])
                .status();
            assert!(made.unwrap().success());
        }));
    }
    all
}

#[test]
fn things_that_are_no_files_where_a_lockfile_should_be() {
    for (what, make) in obstacles() {
        // A socket's path must be short, so it is made beside the project and moved in.
        let world = planted();
        let folder = world.project().join("broken");
        write_file(
            &folder.join("Cargo.toml"),
            "[package]\nname = \"broken\"\nversion = \"0.1.0\"\n",
        );
        make(&folder.join("Cargo.lock"));
        let scan = world.untaint().within(Duration::from_secs(20)).run();
        still_found(&scan, what);
        assert!(
            scan.report.to_string().contains("broken/Cargo.lock"),
            "{what} is not named\n{}",
            scan.story()
        );
    }
}

#[test]
fn things_that_are_no_files_in_a_cache() {
    type Place = (&'static str, fn(&World) -> PathBuf, bool);
    let places: [Place; 6] = [
        ("archive", |world| world.archive("gamma", "0.3.1"), true),
        (
            "file of a tree",
            |world| world.tree("gamma", "0.3.1").join("build.rs"),
            true,
        ),
        (
            "marker",
            |world| world.tree("gamma", "0.3.1").join(".cargo-ok"),
            false,
        ),
        ("listing", |world| world.index_entry("gamma"), false),
        (
            "stray archive",
            |world| world.archive("stray", "1.0.0"),
            false,
        ),
        (
            "settings",
            |world| world.cargo_home().join("config.toml"),
            false,
        ),
    ];
    for (place, at, must_name) in places {
        for (what, make) in obstacles() {
            let world = planted();
            let path = at(&world);
            let _ = fs::remove_file(&path);
            make(&path);
            let scan = world
                .untaint()
                .within(Duration::from_secs(20))
                .arg("--caches")
                .run();
            still_found(&scan, &format!("{what} as {place}"));
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(
                !must_name || scan.names(name),
                "{what} as {place} is not named\n{}",
                scan.story()
            );
        }
    }
}

#[test]
fn loops_and_depths_of_folders() {
    let world = planted();
    symlink(world.project(), world.project().join("myself")).unwrap();
    symlink("..", world.tree("gamma", "0.3.1").join("up")).unwrap();
    let mut deep = world.project().join("deep");
    for _ in 0..200 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    let scan = world.untaint().within(Duration::from_secs(20)).run();
    still_found(&scan, "loops");
    assert!(
        scan.names("gamma-0.3.1"),
        "a link in a tree\n{}",
        scan.story()
    );
}

#[test]
fn names_that_attack_the_reader() {
    let world = planted();
    let odd: Vec<std::ffi::OsString> = [
        b"evil\n0 findings: clean\n".to_vec(),
        b"evil\x1b[2J\x1b[31m".to_vec(),
        b"evil\xff\xfe".to_vec(),
        "evil\u{202e}txt.exe\u{200b}".as_bytes().to_vec(),
        b"evil\r::set-output name=x::y".to_vec(),
        vec![b'n'; 200],
    ]
    .into_iter()
    .map(std::ffi::OsString::from_vec)
    .collect();
    for name in &odd {
        write_file(&world.tree("gamma", "0.3.1").join(name), "planted");
        let mut archive = name.clone();
        archive.push("-1.0.0.crate");
        write_file(&world.registry_folder("cache").join(archive), "planted");
        let project = world.project().join(name);
        write_file(
            &project.join("Cargo.toml"),
            "[package]\nname = \"n\"\nversion = \"0.1.0\"\n",
        );
        write_file(&project.join("Cargo.lock"), "version = 4\nbroken");
    }
    let scan = world.untaint().arg("--caches").run();
    still_found(&scan, "odd names");
    no_control_characters(&scan.stdout, "json");
    no_control_characters(&scan.stderr, "messages");
    let extra = scan
        .findings()
        .iter()
        .any(|finding| finding["code"] == "tree-extra-file");
    assert!(extra, "{}", scan.story());
    assert!(
        scan.report.to_string().contains("path_escaped"),
        "{}",
        scan.story()
    );

    let table = world.untaint().without("--json").arg("--caches").run_raw();
    assert_eq!(table.exit, 1, "{}", table.story());
    for text in [&table.stdout, &table.stderr] {
        no_control_characters(text, "table");
        assert!(
            !text.contains('\u{202e}'),
            "a mark that turns text around: {text:?}"
        );
        assert!(
            !text
                .lines()
                .any(|line| line.starts_with("0 findings: clean") || line.starts_with("::")),
            "a line begins with scanned text: {text}"
        );
    }
}

#[test]
fn a_whole_scan_of_a_tree_with_many_broken_projects_names_each() {
    let world = planted();
    for number in 0..25 {
        let folder = world.project().join(format!("broken-{number}"));
        copy_tree(&world.project().join("src"), &folder.join("src"));
        write_file(
            &folder.join("Cargo.toml"),
            "[package]\nname = \"b\"\nversion = \"0.1.0\"\n",
        );
        write_file(
            &folder.join("Cargo.lock"),
            format!("version = 4\nbroken {number}\n"),
        );
    }
    let scan = world.untaint().run();
    still_found(&scan, "many");
    for number in 0..25 {
        problem_names(&scan, &format!("broken-{number}/Cargo.lock"), "many");
    }
}

#[test]
fn what_is_named_on_the_command_line_and_is_not_there_is_an_error() {
    let world = planted();
    let calls: [&[&str]; 5] = [
        &["scan", "/nonexistent/project", "--json"],
        &["scan", "--cache", "cargo=/nonexistent/home", "--json"],
        &["scan", "--trust", "/nonexistent/trust.toml", "--json"],
        &["scan", "--no-such-option"],
        &["no-such-command"],
    ];
    for call in calls {
        let scan = crate::support::Untaint::bare(&world).args(call).run_raw();
        assert_eq!(scan.exit, 2, "{call:?}\n{}", scan.story());
        assert!(!scan.stderr.is_empty(), "{call:?} says nothing");
    }
    let bad_trust = world.root().join("bad-trust.toml");
    write_file(
        &bad_trust,
        "[[root]]\necosystem = \"cargo\"\nrole = \"index\"\ncolour = \"red\"\n",
    );
    let scan = crate::support::Untaint::bare(&world)
        .arg("scan")
        .arg(world.project())
        .args(&["--json", "--trust"])
        .arg(&bad_trust)
        .run_raw();
    assert_eq!(
        scan.exit,
        2,
        "an unknown key in a trust file\n{}",
        scan.story()
    );
    assert!(scan.stderr.contains("bad-trust.toml"), "{}", scan.story());
}
