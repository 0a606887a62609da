//! Commands from arguments to exit codes, with streams that remember.

use std::io;
use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::world::PathError;
use crate::world::real::{ProcessEnv, SystemFs};

#[derive(Default)]
struct Streams {
    out: Mutex<Vec<u8>>,
    err: Mutex<Vec<u8>>,
    broken: bool,
}

impl Sinks for Streams {
    fn stdout(&self, bytes: &[u8]) -> io::Result<()> {
        if self.broken {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.out.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }
    fn stderr(&self, bytes: &[u8]) {
        self.err.lock().unwrap().extend_from_slice(bytes);
    }
    fn file(&self, _: &Path, _: &[u8]) -> Result<(), PathError> {
        Ok(())
    }
    fn stdout_is_terminal(&self) -> bool {
        false
    }
    fn stderr_is_terminal(&self) -> bool {
        false
    }
}

/// The environment of this process, with a home of its own.
struct Home(ProcessEnv, std::path::PathBuf);

impl Env for Home {
    fn var(&self, name: &str) -> Option<OsString> {
        (name == "UNTAINT_HOME").then(|| self.1.clone().into())
    }
    fn vars(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }
    fn current_dir(&self) -> Option<std::path::PathBuf> {
        self.0.current_dir()
    }
    fn home(&self) -> Option<std::path::PathBuf> {
        None
    }
    fn program(&self) -> Option<std::path::PathBuf> {
        None
    }
    fn uid(&self) -> u32 {
        self.0.uid()
    }
    fn gids(&self) -> Vec<u32> {
        self.0.gids()
    }
    fn group_has_others(&self, gid: u32) -> bool {
        self.0.group_has_others(gid)
    }
}

fn call(home: &Path, streams: &Streams, arguments: &[&str]) -> (u8, String, String) {
    let env = Home(ProcessEnv::new(), home.join("home"));
    let ports = Ports {
        env: &env,
        fs: &SystemFs,
        sinks: streams,
    };
    let all = std::iter::once("untaint").chain(arguments.iter().copied());
    let exit = run(all.map(OsString::from).collect(), &ports);
    let take = |stream: &Mutex<Vec<u8>>| {
        String::from_utf8(std::mem::take(&mut *stream.lock().unwrap())).unwrap()
    };
    (exit.code(), take(&streams.out), take(&streams.err))
}

#[test]
fn help_goes_out_and_usage_errors_go_to_the_side() {
    let home = tempfile::tempdir().unwrap();
    let streams = Streams::default();
    let (code, out, err) = call(home.path(), &streams, &["scan", "--help"]);
    assert!(code == 0 && out.contains("--caches") && err.is_empty());
    assert!(!out.contains("--now"));
    let (code, out, err) = call(home.path(), &streams, &["guard"]);
    assert!(code == 122 && out.is_empty() && err.contains("CMD"));
    let (code, out, _) = call(home.path(), &streams, &[]);
    assert!(code == 2 && out.is_empty());
}

#[test]
fn what_cannot_be_written_failed() {
    let home = tempfile::tempdir().unwrap();
    let streams = Streams {
        broken: true,
        ..Streams::default()
    };
    let (code, _, err) = call(home.path(), &streams, &["--version"]);
    assert!(code == 2 && err.contains("standard output"), "{err}");
}

#[test]
fn completions_pages_and_schemas() {
    let home = tempfile::tempdir().unwrap();
    let streams = Streams::default();
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = call(home.path(), &streams, &["completions", shell]);
        assert!(code == 0 && out.contains("fail-on"), "{shell}");
    }
    let (code, out, _) = call(home.path(), &streams, &["man"]);
    assert!(code == 0 && out.contains(".TH") && out.contains("fail\\-on"));
    let (code, out, _) = call(home.path(), &streams, &["schema", "report"]);
    assert!(code == 0 && out.starts_with('{'));
    let (code, _, err) = call(home.path(), &streams, &["schema", "no\u{1b}such"]);
    assert!(code == 2 && err.contains("untaint.report/1") && !err.contains('\u{1b}'));
}

#[test]
fn waivers_and_accepts_are_written_once_and_read_back() {
    let home = tempfile::tempdir().unwrap();
    let streams = Streams::default();
    let waive = [
        "waive",
        "RUSTSEC-1",
        "--reason",
        "not \"reachable\"",
        "--until",
        "2099-01-31",
        "--owner",
        "me",
    ];
    let digest = format!("sha256:{}", "ab".repeat(32));
    let accept = [
        "accept",
        "pypi:a@1:a.whl",
        &digest,
        "--reason",
        "built here",
        "--until",
        "2099-01-31",
    ];
    for arguments in [&waive[..], &accept[..]] {
        let (code, out, err) = call(home.path(), &streams, arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        let (_, again, _) = call(home.path(), &streams, arguments);
        assert!(again.starts_with("already"), "{again}");
    }
    let text = SystemFs
        .read_named(&home.path().join("home/config.toml"), 10_000)
        .unwrap();
    let file = config::PolicyFile::parse(&text, "config.toml").unwrap();
    assert_eq!((file.waivers.len(), file.accepts.len()), (1, 1));
    assert_eq!(file.waivers[0].reason, "not \"reachable\"");
    let late = ["waive", "X", "--reason", "x", "--until", "1999-01-31"];
    let (code, _, err) = call(home.path(), &streams, &late);
    assert!(code == 2 && err.contains("over already"), "{err}");
    let isolated = [
        "waive",
        "X",
        "--reason",
        "x",
        "--until",
        "2099-01-31",
        "--isolated",
    ];
    assert_eq!(call(home.path(), &streams, &isolated).0, 2);
}

#[test]
fn roots_are_pinned_once_and_shown() {
    let home = tempfile::tempdir().unwrap();
    let streams = Streams::default();
    let pin = [
        "trust",
        "pin",
        "cargo",
        "index",
        "https://registry.example/index/",
    ];
    let (code, out, err) = call(home.path(), &streams, &pin);
    assert!(code == 0 && out.starts_with("pinned: "), "{out}{err}");
    let (_, out, _) = call(home.path(), &streams, &pin);
    assert!(out.starts_with("pinned already"), "{out}");
    let (code, out, _) = call(home.path(), &streams, &["trust", "show"]);
    assert!(
        code == 0 && out.contains("https://registry.example/index/"),
        "{out}"
    );
    assert!(out.contains("recognised"));
    let print = ["trust", "fingerprint", "https://Registry.example:443/index"];
    let (code, row, _) = call(home.path(), &streams, &print);
    let (fingerprint, address) = row.trim_end().split_once("  ").unwrap();
    assert_eq!((code, address), (0, "https://registry.example/index/"));
    assert!(out.contains(fingerprint), "as `trust show` has it: {out}");
    let bad = ["trust", "fingerprint", "nonsense"];
    assert_eq!(call(home.path(), &streams, &bad).0, 2);
    let bad = ["trust", "pin", "cargo", "index", "http://registry.example/"];
    assert_eq!(call(home.path(), &streams, &bad).0, 2);
}

#[test]
fn codes_reasons_and_advisories_are_explained() {
    let home = tempfile::tempdir().unwrap();
    let streams = Streams::default();
    for (what, part) in [
        ("archive-tampered", "integrity"),
        ("no-record", "What to do"),
        ("RUSTSEC-2021-0086", "package"),
    ] {
        let (code, out, err) = call(home.path(), &streams, &["explain", what]);
        assert!(code == 0 && out.contains(part), "{what}: {out}{err}");
    }
    let (code, out, err) = call(home.path(), &streams, &["explain", "no-such-thing"]);
    assert!(code == 2 && out.is_empty() && err.contains("no-such-thing"));
}

#[test]
fn claims_travel() {
    let home = tempfile::tempdir().unwrap();
    let streams = Streams::default();
    let (code, out, err) = call(home.path(), &streams, &["claims", "export"]);
    assert!(code == 0 && !err.is_empty(), "{err}");
    assert!(!out.is_empty());
    let file = home.path().join("claims");
    crate::world::real::SystemSinks
        .file(&file, out.as_bytes())
        .unwrap();
    let name = file.to_str().unwrap();
    let (code, out, err) = call(home.path(), &streams, &["claims", "import", name]);
    assert!(code == 0 && out.contains("declared only"), "{out}{err}");
    let wrong = format!("{name}@sha256:{}", "00".repeat(32));
    assert_eq!(
        call(home.path(), &streams, &["claims", "import", &wrong]).0,
        2
    );
    let isolated = ["claims", "export", "--isolated"];
    assert_eq!(call(home.path(), &streams, &isolated).0, 2);
}

#[test]
fn discovering_pins_nothing() {
    let home = tempfile::tempdir().unwrap();
    let streams = Streams::default();
    let (code, out, err) = call(home.path(), &streams, &["trust", "discover"]);
    assert!(code == 0 && !out.is_empty(), "{err}");
    assert!(SystemFs.stat_named(&home.path().join("home")).is_err());
}
