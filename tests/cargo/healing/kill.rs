//! The real program is killed at random moments of a heal; the next one always ends well, and nothing is ever half there.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::world::{archives, command, heal, template};
use crate::support::{World, sha256};

const ROUNDS: u64 = 200;

fn spawn(world: &World) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_untaint"))
        .env_clear()
        .env("HOME", world.home())
        .env("CARGO_HOME", world.cargo_home())
        .env("UNTAINT_HOME", world.state())
        .env("PATH", "/usr/bin:/bin")
        .args(["heal", "--yes", "--no-advisories"])
        .arg(world.project())
        .arg("--trust")
        .arg(world.trust_file())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_any_moment_the_next_heal_ends_well() {
    let world = template().twin();
    let good = archives(&world);
    let path = world.archive("beta", "1.0.0");
    let mut evil = fs::read(&path).unwrap();
    evil.push(b'x');
    let known = [
        sha256(&evil),
        good[std::path::Path::new("beta-1.0.0.crate")].clone(),
    ];
    // How long a whole heal takes here, so that the moments are spread over it.
    fs::write(&path, &evil).unwrap();
    let started = Instant::now();
    assert!(spawn(&world).wait().unwrap().success());
    let whole = started.elapsed();
    let (mut open, mut early, mut late) = (0, 0, 0);
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..ROUNDS {
        fs::write(&path, &evil).unwrap();
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let permille = u32::try_from(dice % 1100).unwrap();
        let mut child = spawn(&world);
        std::thread::sleep(whole * permille / 1000);
        let ended = child.try_wait().unwrap().is_some();
        let _ = child.kill();
        let _ = child.wait();
        if ended {
            late += 1;
        }
        if path.exists() {
            let is = sha256(&fs::read(&path).unwrap());
            assert!(known.contains(&is), "round {round}: half an archive");
        }
        let journal = fs::read_dir(world.state().join("state")).unwrap().any(|e| {
            e.unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with("heal-0")
        });
        if journal {
            open += 1;
            let scan = world.untaint().run();
            assert!(
                scan.problems()
                    .iter()
                    .any(|p| p["message"].as_str().unwrap().contains("interrupted")),
                "round {round}: {}",
                scan.story()
            );
        } else if !ended {
            early += 1;
        }
        let done = heal(&world, &["--yes"])
            .within(Duration::from_secs(60))
            .run_raw();
        assert_eq!(
            done.exit,
            0,
            "round {round}: {}\n{}",
            done.story(),
            done.stdout
        );
        assert_eq!(archives(&world), good, "round {round}");
    }
    println!(
        "kills: {ROUNDS} rounds, {open} left an open journal, {early} came before one or after it, {late} too late; a heal takes {whole:?}"
    );
    assert!(open > 0, "no kill hit a heal at work");
    world.untaint().run().is_clean();
    let log = command(&world, &["log", "--verify"]).run_raw();
    assert_eq!(log.exit, 0, "{}", log.stdout);
}
