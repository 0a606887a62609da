//! `untaint schedule`: what is installed for which keeper of the time, what a night does, and who hears of it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use crate::healing::world::{command, flip, image, template};
use crate::support::{Scan, Untaint, World, write_file};

/// A folder with programs of the system that only write down what they are told.
fn programs(world: &World) -> PathBuf {
    let folder = world.root().join("programs");
    let table = world.root().join("crontab");
    let told = world.root().join("told");
    let script = |name: &str, text: String| {
        let path = folder.join(name);
        write_file(&path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    script(
        "systemctl",
        format!(
            "#!/bin/sh\nif [ \"$2\" = show ]; then\n  echo \"FragmentPath=$HOME/.config/systemd/user/$5\"\n  echo DropInPaths=$(cat {0} 2>/dev/null)\n  printf 'NeedDaemonReload=no\\nUnitFileState=enabled\\nActiveState=active\\n'\nelse\n  echo \"$@\" >> {1}\nfi\n",
            world.root().join("dropins").display(),
            told.display()
        ),
    );
    script(
        "crontab",
        format!(
            "#!/bin/sh\nif [ \"$1\" = -l ]; then\n  [ -e {0} ] || {{ echo 'no crontab for me' >&2; exit 1; }}\n  cat {0}\nelse\n  cat > {0}\nfi\n",
            table.display()
        ),
    );
    folder
}

fn schedule(world: &World, arguments: &[&str]) -> Untaint {
    let programs = programs(world);
    command(world, &["schedule"])
        .args(arguments)
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .args(&["--offline"])
}

fn night(world: &World, more: &[&str]) -> Scan {
    command(world, &["schedule", "run", "--trust"])
        .arg(world.trust_file())
        .arg("--cache")
        .arg(format!("cargo={}", world.cargo_home().display()))
        .args(more)
        .run_raw()
}

fn unit(world: &World, kind: &str) -> PathBuf {
    let name = format!(".config/systemd/user/untaint-schedule.{kind}");
    world.home().join(name)
}

#[test]
fn units_name_the_resolved_roots_and_are_taken_away_whole() {
    let world = template().twin();
    let before = image(&world.home(), false);
    let home = fs::canonicalize(world.cargo_home()).unwrap();
    let print = schedule(&world, &["print", "--heal"]).run_raw();
    assert_eq!(print.exit, 0, "{}", print.story());
    let root = format!("\"cargo={}\"", home.display());
    assert!(print.stdout.contains(&root), "{}", print.stdout);
    assert!(print.stdout.contains("\"--heal\""), "{}", print.stdout);
    assert!(!unit(&world, "timer").exists(), "printing writes nothing");

    let none = schedule(&world, &["status"]).run_raw();
    assert_eq!(none.exit, 3, "{}", none.story());
    let done = schedule(&world, &["install", "--at", "04:05"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    let service = fs::read_to_string(unit(&world, "service")).unwrap();
    assert!(service.contains(&root), "{service}");
    assert!(service.contains("UNTAINT_HOME="), "{service}");
    let timer = fs::read_to_string(unit(&world, "timer")).unwrap();
    assert!(timer.contains("04:05:00"), "{timer}");
    let told = fs::read_to_string(world.root().join("told")).unwrap();
    assert_eq!(
        told,
        "--user daemon-reload\n--user enable --now untaint-schedule.timer\n"
    );
    let status = schedule(&world, &["status"]).run_raw();
    assert_eq!(status.exit, 0, "{}{}", status.story(), status.stdout);
    // Installing again replaces.
    assert_eq!(schedule(&world, &["install"]).run_raw().exit, 0);

    let removed = schedule(&world, &["remove"]).run_raw();
    assert_eq!(removed.exit, 0, "{}", removed.story());
    for kind in ["service", "timer"] {
        assert!(!unit(&world, kind).exists());
    }
    fs::remove_dir_all(world.home().join(".config")).unwrap();
    let changed: Vec<_> = image(&world.home(), false)
        .into_iter()
        .filter(|(path, text)| path.components().count() > 1 && before.get(path) != Some(text))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[test]
fn a_changed_unit_a_vanished_root_and_a_missed_night_are_said() {
    let world = template().twin();
    assert_eq!(schedule(&world, &["install"]).run_raw().exit, 0);
    let status = || schedule(&world, &["status"]).run_raw();
    assert_eq!(status().exit, 0);
    let timer = unit(&world, "timer");
    let text = fs::read_to_string(&timer).unwrap();
    fs::write(&timer, text.replace("03:17", "23:59")).unwrap();
    let changed = status();
    assert_eq!(changed.exit, 3, "{}", changed.story());
    assert!(changed.stdout.contains("changed"), "{}", changed.stdout);
    fs::write(&timer, text).unwrap();
    // What systemd itself says counts, not the files alone.
    let dropins = world.root().join("dropins");
    fs::write(
        &dropins,
        "/etc/systemd/user/untaint-schedule.service.d/o.conf",
    )
    .unwrap();
    let overridden = status();
    assert_eq!(overridden.exit, 3, "{}", overridden.story());
    assert!(
        overridden.stdout.contains("DropInPaths"),
        "{}",
        overridden.stdout
    );
    fs::remove_file(&dropins).unwrap();
    let aside = world.root().join("aside");
    fs::rename(world.cargo_home(), &aside).unwrap();
    let gone = status();
    assert_eq!(gone.exit, 3, "{}", gone.story());
    assert!(gone.stdout.contains("gone     cargo="), "{}", gone.stdout);
    fs::rename(&aside, world.cargo_home()).unwrap();
    assert_eq!(status().exit, 0);
    let later = schedule(&world, &["status", "--now", "2099-01-01T00:00:00Z"]).run_raw();
    assert_eq!(later.exit, 3, "{}", later.story());
    assert!(later.stdout.contains("missed"), "{}", later.stdout);
}

#[test]
fn a_crontab_keeps_what_is_the_users() {
    let world = template().twin();
    let table = world.root().join("crontab");
    let done = schedule(&world, &["install", "--with", "cron"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    schedule(&world, &["remove"]).run_raw();
    assert_eq!(fs::read_to_string(&table).unwrap(), "");
    let own = "MAILTO=me\n1 2 * * * backup --all\n";
    fs::write(&table, own).unwrap();
    let done = schedule(
        &world,
        &["install", "--with", "cron", "--notify", "date +%s"],
    )
    .run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    let text = fs::read_to_string(&table).unwrap();
    assert!(
        text.starts_with(own) && text.contains("date +\\%s"),
        "{text}"
    );
    assert_eq!(schedule(&world, &["status"]).run_raw().exit, 0);
    // The line does what it says, in the `sh` that cron would use.
    let line = text.lines().find(|l| l.starts_with("17 3")).unwrap();
    let line = line.splitn(6, ' ').nth(5).unwrap().replace("\\%", "%");
    let ran = std::process::Command::new("sh")
        .args(["-c", &format!("{line} --offline")])
        .env_clear()
        .env("HOME", world.home())
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert_eq!(
        ran.status.code(),
        Some(3),
        "offline, nothing known: {ran:?}"
    );
    assert_eq!(schedule(&world, &["remove"]).run_raw().exit, 0);
    assert_eq!(fs::read_to_string(&table).unwrap(), own);
}

#[test]
fn what_cannot_be_installed_is_said_with_what_to_do() {
    let world = template().twin();
    assert_eq!(
        schedule(&world, &["install", "--with", "cron"])
            .run_raw()
            .exit,
        0
    );
    let launchd = schedule(&world, &["install", "--with", "launchd"]).run_raw();
    assert_eq!(launchd.exit, 2, "{}", launchd.story());
    assert!(
        launchd.stderr.contains("print --with launchd"),
        "{}",
        launchd.stderr
    );
    let print = schedule(&world, &["print", "--with", "launchd"]).run_raw();
    assert_eq!(print.exit, 0, "{}", print.story());
    for bad in [
        &["install", "--webhook", "http://hooks.example/x"][..],
        &["install", "--at", "25:00"],
        &["install", "--cache", "cargo=/nowhere/at/all"],
        &["install", "--isolated"],
    ] {
        let refused = schedule(&world, bad).run_raw();
        assert_eq!(refused.exit, 2, "{bad:?}: {}", refused.story());
    }
    assert!(!unit(&world, "service").exists());
    // What stood before stands still.
    let status = schedule(&world, &["status"]).run_raw();
    assert_eq!(status.exit, 0, "{}", status.stdout);
    // And goes when another keeper has taken over.
    assert_eq!(schedule(&world, &["install"]).run_raw().exit, 0);
    let table = fs::read_to_string(world.root().join("crontab")).unwrap();
    assert_eq!(table, "");
    // A crontab that is too large to be read whole is left alone.
    let large = "# line\n".repeat(200_000);
    fs::write(world.root().join("crontab"), &large).unwrap();
    let refused = schedule(&world, &["install", "--with", "cron"]).run_raw();
    assert_eq!(refused.exit, 2, "{}", refused.story());
    assert_eq!(
        fs::read_to_string(world.root().join("crontab")).unwrap(),
        large
    );
}

#[test]
fn a_finding_is_told_once_until_it_changes() {
    let world = template().twin();
    let heard = world.root().join("heard");
    let notify = format!("cat >> {}", heard.display());
    let metrics = world.root().join("m.prom");
    let options = ["--notify", &*notify, "--metrics", metrics.to_str().unwrap()];
    let clean = night(&world, &options);
    assert!([0, 4].contains(&clean.exit), "{}", clean.story());
    let quiet = !heard.exists() || !fs::read_to_string(&heard).unwrap().contains("\"f-");
    assert!(quiet, "nothing was found");
    let _ = fs::remove_file(&heard);
    flip(&world, "beta", "1.0.0");
    let first = night(&world, &options);
    assert_eq!(first.exit, 1, "{}", first.story());
    let said: Value = serde_json::from_slice(&fs::read(&heard).unwrap()).unwrap();
    assert_eq!(said["schema"], "untaint.alert/1");
    assert_eq!(said["findings"][0]["code"], "archive-tampered");
    assert!(said["text"].as_str().unwrap().contains("new"), "{said}");
    fs::remove_file(&heard).unwrap();
    assert_eq!(night(&world, &options).exit, 1);
    assert!(!heard.exists(), "the same finding is not told again");
    flip(&world, "gamma", "0.3.1");
    assert_eq!(night(&world, &options).exit, 1);
    let said = fs::read_to_string(&heard).unwrap();
    assert!(
        said.contains("gamma") && !said.contains("beta-1.0.0.crate"),
        "{said}"
    );

    let text = fs::read_to_string(&metrics).unwrap();
    for line in [
        "untaint_exit_code 1",
        "untaint_result{result=\"findings\"} 1",
        "untaint_tainted{ecosystem=\"cargo\"} 2",
        "untaint_match_ratio{ecosystem=\"cargo\"} 0.",
        "untaint_healed 0",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let log = fs::read_to_string(world.state().join("state/schedule.log")).unwrap();
    assert_eq!(
        log.lines().filter(|l| l.contains(" exit=")).count(),
        4,
        "{log}"
    );
    assert_eq!(
        log.lines().filter(|l| l.contains(" new f-")).count(),
        2,
        "{log}"
    );
}

#[test]
fn a_night_heals_and_counts_it() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let metrics = world.root().join("m.prom");
    let heard = world.root().join("heard");
    let notify = format!("cat >> {}", heard.display());
    let options = [
        "--heal",
        "--notify",
        &*notify,
        "--metrics",
        metrics.to_str().unwrap(),
    ];
    let healed = night(&world, &options);
    assert!([0, 4].contains(&healed.exit), "{}", healed.story());
    // Somebody must hear that the cache was tainted, although it no longer is.
    let said: Value = serde_json::from_slice(&fs::read(&heard).unwrap()).unwrap();
    assert_eq!(said["healed"][0]["code"], "archive-tampered", "{said}");
    assert_eq!(said["findings"], serde_json::json!([]));
    let text = fs::read_to_string(&metrics).unwrap();
    assert!(text.contains("untaint_healed 1\n"), "{text}");
    assert!(
        text.contains("untaint_tainted{ecosystem=\"cargo\"} 0\n"),
        "{text}"
    );
    world.untaint().run().is_clean();
}

#[test]
fn a_root_that_vanished_is_a_problem_and_hides_nothing_else() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let heard = world.root().join("heard");
    let notify = format!("cat >> {}", heard.display());
    let gone = night(
        &world,
        &["--cache", "cargo=/nowhere/at/all", "--notify", &notify],
    );
    assert_eq!(gone.exit, 1, "the rest is audited: {}", gone.story());
    fs::remove_file(&heard).unwrap();
    // Another one that vanished is news, beside a finding that is none.
    let more = [
        "--cache",
        "cargo=/nowhere/at/all",
        "--cache",
        "cargo=/nor/there",
    ];
    assert_eq!(
        night(&world, &[&more[..], &["--notify", &*notify]].concat()).exit,
        1
    );
    let said: Value = serde_json::from_slice(&fs::read(&heard).unwrap()).unwrap();
    assert_eq!(said["hindrances"].as_array().unwrap().len(), 1, "{said}");
    assert!(
        said["hindrances"][0]
            .as_str()
            .unwrap()
            .contains("/nor/there"),
        "{said}"
    );
    assert_eq!(said["findings"], serde_json::json!([]), "{said}");
    assert!(gone.stdout.contains("/nowhere/at/all"), "{}", gone.stdout);
    let world = template().twin();
    let gone = night(&world, &["--cache", "cargo=/nowhere/at/all"]);
    assert_eq!(gone.exit, 3, "{}", gone.story());
    let all = command(
        &world,
        &[
            "schedule",
            "run",
            "--offline",
            "--cache",
            "cargo=/nowhere/at/all",
        ],
    );
    assert_eq!(all.run_raw().exit, 3);
}

/// Answers every request with a status, and hands on what was posted.
fn hook(status: &'static str) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let (posted, heard) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0u8; 4096];
            loop {
                let count = stream.read(&mut buffer).unwrap_or(0);
                bytes.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&bytes);
                let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                    let length = head.lines().find_map(|l| {
                        l.to_ascii_lowercase()
                            .strip_prefix("content-length: ")
                            .map(str::to_owned)
                    });
                    length.is_none_or(|l| body.len() >= l.parse().unwrap())
                });
                if count == 0 || whole {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
            if posted.send(text).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

#[test]
fn a_webhook_hears_of_it_and_one_that_refuses_hears_again() {
    let world = template().twin();
    flip(&world, "beta", "1.0.0");
    let (broken, _kept) = hook("404 Not Found");
    let refused = night(&world, &["--webhook", &broken]);
    assert_eq!(refused.exit, 1, "{}", refused.story());
    assert!(refused.stderr.contains("--webhook"), "{}", refused.stderr);
    let (address, heard) = hook("204 No Content");
    let secret = world.root().join("address");
    write_file(&secret, format!("{address}\n"));
    let option = format!("file:{}", secret.display());
    assert_eq!(night(&world, &["--webhook", &option]).exit, 1);
    let text = heard.recv().unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook HTTP/1.1"), "{head}");
    assert!(
        head.to_ascii_lowercase()
            .contains("content-type: application/json"),
        "{head}"
    );
    let said: Value = serde_json::from_str(body).unwrap();
    assert_eq!(said["findings"][0]["package"], "beta");
    assert_eq!(night(&world, &["--webhook", &option]).exit, 1);
    assert!(heard.try_recv().is_err(), "told once");
}
