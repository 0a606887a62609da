//! Black-box tests of the guard: the real program runs commands, real cargo among them, on real cargo homes.

mod changes;
mod fresh;
mod lawful;
mod locks;
mod named;
mod runs;
mod sandbox;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Scan, Source, Untaint, World, cargo_program};

/// A clean fetched world, made once; tests work on twins of it.
fn template() -> &'static World {
    static TEMPLATE: OnceLock<World> = OnceLock::new();
    TEMPLATE.get_or_init(|| World::clean(Source::Alternate))
}

fn report_of(world: &World) -> PathBuf {
    world.root().join("report.json")
}

/// `untaint guard PROJECT -o json=… -- COMMAND`, in the project; cargo is on the PATH.
fn guard(world: &World, more: &[&str], command: &[&str]) -> Untaint {
    let cargo = cargo_program();
    let mut path = std::ffi::OsString::new();
    if let Some(folder) = cargo.parent().filter(|folder| folder.is_absolute()) {
        path.push(folder);
        path.push(":");
    }
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let rustup = std::env::var_os("RUSTUP_HOME").map_or_else(
        || Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".rustup"),
        PathBuf::from,
    );
    let mut output = std::ffi::OsString::from("json=");
    output.push(report_of(world));
    let call = Untaint::bare(world)
        .watch_only(&world.root().join("nowhere"))
        .within(std::time::Duration::from_secs(120))
        .env("PATH", path)
        .env("RUSTUP_HOME", rustup)
        .env("CARGO_NET_RETRY", "0")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TERM_COLOR", "never")
        .arg("guard")
        .arg(world.project())
        .args(&["--no-advisories", "--trust"])
        .arg(world.trust_file())
        .arg("-o")
        .arg(output)
        .args(more);
    if command.is_empty() {
        call
    } else {
        call.arg("--").args(command)
    }
}

/// A command of the shell, started in the project.
fn shell(world: &World, more: &[&str], script: &str) -> Untaint {
    let script = format!("cd '{}' && {script}", world.project().display());
    guard(world, more, &["sh", "-c", &script])
}

/// The report that guard wrote, and the codes of its findings.
fn report(world: &World) -> (Value, Vec<String>) {
    let bytes = fs::read(report_of(world)).unwrap();
    let report: Value = serde_json::from_slice(&bytes).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let codes = findings
        .iter()
        .map(|f| f["code"].as_str().unwrap().to_owned())
        .collect();
    (report, codes)
}

/// It ends with this code.
#[track_caller]
fn ends(call: Untaint, code: i32) -> Scan {
    let done = call.run_raw();
    assert_eq!(done.exit, code, "{}", done.story());
    done
}
