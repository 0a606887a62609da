//! What is run, what is not, and with which code it ends.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{ends, guard, report, shell, template};
use crate::support::write_file;

const TAINT: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

#[test]
fn the_commands_own_code_and_output_come_through() {
    let world = template().twin();
    let done = ends(shell(&world, &[], "echo out; echo err >&2; exit 7"), 7);
    assert_eq!(done.stdout, "out\n");
    assert!(done.stderr.contains("err\n") && done.stderr.contains("clean: "));
    assert_eq!(report(&world).0["verdict"]["result"], "clean");
    let quiet = ends(shell(&world, &["-q"], "exit 0"), 0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    ends(shell(&world, &["-q"], "kill -9 $$"), 137);
    ends(shell(&world, &["-q"], "kill -15 $$"), 143);
    ends(guard(&world, &[], &["no-such-command-anywhere"]), 127);
    let plain = world.root().join("plain");
    write_file(&plain, "no program");
    ends(guard(&world, &[], &[plain.to_str().unwrap()]), 126);
    // Whatever the words are, they are the command's.
    let words = ends(
        guard(&world, &[], &["printf", "%s|", "--json", "-q", "--", "a b"]),
        0,
    );
    assert_eq!(words.stdout, "--json|-q|--|a b|");
}

#[test]
fn hostile_names_of_commands_are_names_and_nothing_else() {
    let world = template().twin();
    for name in ["", "-x", "--help", "\x1b[31m", "$(touch evil)", "a;b"] {
        let done = ends(guard(&world, &[], &[name]), 127);
        assert!(!done.stderr.contains('\x1b'), "{name:?}: {:?}", done.stderr);
    }
    let odd = guard(&world, &["--"], &[]).arg(OsStr::from_bytes(b"\xff\xfe"));
    ends(odd, 127);
    assert!(!world.project().join("evil").exists());
}

#[test]
fn mistakes_of_whoever_typed_end_with_122() {
    let world = template().twin();
    for more in [
        &[][..],
        &["--"],
        &["true"],
        &["--bogus", "--", "true"],
        &["--exit-zero", "--", "true"],
    ] {
        let done = ends(guard(&world, more, &[]), 122);
        assert!(!done.stderr.is_empty());
    }
    ends(guard(&world, &["--help"], &[]), 0);
    ends(
        guard(&world, &["-o", "json=/no/such/folder/x"], &["true"]),
        122,
    );
    ends(guard(&world, &["/no/such/project"], &["true"]), 122);
}

#[test]
fn nothing_runs_on_a_tainted_cache() {
    let world = template().twin();
    fs::write(world.tree("beta", "1.0.0").join("src/lib.rs"), TAINT).unwrap();
    let done = ends(shell(&world, &[], "touch ran"), 121);
    assert!(!world.project().join("ran").exists(), "it was started");
    assert_eq!(done.stdout, "");
    for words in ["tree-modified", "not started", "untaint heal"] {
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
    assert!(report(&world).1.contains(&"tree-modified".to_owned()));
    let json = ends(shell(&world, &["--json"], "touch ran"), 121);
    assert!(
        json.stderr.contains("\"untaint.report/1\""),
        "{}",
        json.stderr
    );
}

#[test]
fn nothing_runs_where_nothing_can_be_said() {
    let world = template().twin();
    let nobody = world.root().join("nobody.toml");
    write_file(&nobody, "");
    let trust = world.trust_file();
    write_file(&trust, "");
    ends(shell(&world, &[], "touch ran"), 123);
    fs::remove_file(world.lockfile()).unwrap();
    fs::remove_file(world.project().join("Cargo.toml")).unwrap();
    ends(shell(&world, &[], "touch ran"), 125);
    assert!(!world.project().join("ran").exists(), "it was started");
    ends(shell(&world, &["--allow-empty"], "touch ran"), 0);
    assert!(world.project().join("ran").exists());
}

#[test]
fn the_audited_home_is_the_one_that_is_used() {
    let world = template().twin();
    let link = world.root().join("link");
    symlink(world.cargo_home(), &link).unwrap();
    let call = shell(&world, &["-q"], "printf %s \"$CARGO_HOME\"").env("CARGO_HOME", &link);
    let real = world.cargo_home().canonicalize().unwrap();
    assert_eq!(ends(call, 0).stdout, real.to_str().unwrap());
    let unset = shell(&world, &["-q"], "printf %s \"$CARGO_HOME\"").unset("CARGO_HOME");
    assert_eq!(ends(unset, 0).stdout, real.to_str().unwrap());
}

#[test]
fn signals_reach_the_command() {
    let world = template().twin();
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let ready = world.root().join(format!("ready-{signal}"));
        let script = format!("touch '{}'; exec sleep 60", ready.display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_untaint"))
            .args(["guard", "-q", "--no-advisories", "--trust"])
            .arg(world.trust_file())
            .arg(world.project())
            .args(["--", "sh", "-c", &script])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", world.home())
            .env("CARGO_HOME", world.cargo_home())
            .env("UNTAINT_HOME", world.state())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while !ready.exists() {
            assert!(started.elapsed() < Duration::from_secs(30), "it never ran");
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &id])
            .status();
        assert!(sent.unwrap().success());
        let ended = child.wait().unwrap();
        assert_eq!(ended.code(), Some(code), "{signal}");
        assert!(started.elapsed() < Duration::from_secs(30), "{signal}");
    }
}
