//! Runs the real program as a user would, in a clean environment, and watches what it leaves behind.
//!
//! Every run is bounded in time, and every run is held to the promise that a scan writes nothing into
//! a project or a cache: what lies there is compared before and after.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::cargo_home::World;
use super::report::Scan;
use super::snapshot::Snapshot;

/// One call of untaint that is being put together.
pub(crate) struct Untaint {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: PathBuf,
    watched: Vec<PathBuf>,
    limit: Duration,
    user: Option<u32>,
    interrupt: Option<Duration>,
}

impl Untaint {
    /// `untaint scan PROJECT --json --no-advisories --trust FILE` in the world's environment.
    pub(crate) fn new(world: &World) -> Self {
        let call = Self::bare(world);
        call.arg("scan")
            .arg(world.project())
            .args(&["--json", "--no-advisories", "--trust"])
            .arg(world.trust_file())
    }

    /// No argument yet; the environment and the watch over project and home are set.
    pub(crate) fn bare(world: &World) -> Self {
        let call = Self {
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: world.root().to_path_buf(),
            watched: vec![world.project(), world.home()],
            limit: Duration::from_secs(30),
            user: None,
            interrupt: None,
        };
        call.env("HOME", world.home())
            .env("CARGO_HOME", world.cargo_home())
            .env("UNTAINT_HOME", world.state())
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    /// Takes an argument away again.
    pub(crate) fn without(mut self, argument: &str) -> Self {
        self.arguments.retain(|known| known != argument);
        self
    }

    /// Takes the path of the project away: `--caches` and `--cache` stand alone.
    pub(crate) fn without_project(mut self, world: &World) -> Self {
        let project = world.project();
        self.arguments.retain(|known| Path::new(known) != project);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs as if it were an hour later: what the test has just made is then old enough to be remembered.
    pub(crate) fn an_hour_later(self) -> Self {
        let later = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 3600);
        let text = later.unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.args(&["--now", &text])
    }

    /// Presses Ctrl-C after this time.
    pub(crate) fn interrupt_after(mut self, time: Duration) -> Self {
        self.interrupt = Some(time);
        self
    }

    /// Runs as another user (the caller is root) with the same group number.
    pub(crate) fn user(mut self, id: u32) -> Self {
        self.user = Some(id);
        self
    }

    /// Watches this folder and no other.
    pub(crate) fn watch_only(mut self, path: &Path) -> Self {
        self.watched = vec![path.to_path_buf()];
        self
    }

    pub(crate) fn watch(mut self, path: &Path) -> Self {
        self.watched.push(path.to_path_buf());
        self
    }

    /// Runs and gives back a report that keeps the contract's own sums.
    pub(crate) fn run(self) -> Scan {
        let scan = self.run_raw();
        scan.check();
        scan
    }

    /// Runs and gives back whatever came, report or not.
    pub(crate) fn run_raw(mut self) -> Scan {
        let watched: Vec<&Path> = self.watched.iter().map(PathBuf::as_path).collect();
        let before = Snapshot::take(&watched);
        let mut command = Command::new(env!("CARGO_BIN_EXE_untaint"));
        command
            .env_clear()
            .envs(self.environment)
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut peak = 0;
        let out = drain(child.stdout.take().unwrap());
        let err = drain(child.stderr.take().unwrap());
        let status = loop {
            peak = high_water(child.id()).unwrap_or(peak);
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if self.interrupt.is_some_and(|time| started.elapsed() > time) {
                self.interrupt = None;
                let id = child.id().to_string();
                let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
                assert!(sent.success());
            }
            if started.elapsed() > self.limit {
                let _ = child.kill();
                let _ = child.wait();
                let printed = String::from_utf8_lossy(&err.join().unwrap()).into_owned();
                panic!(
                    "untaint {:?} did not end in {:?}: {printed}",
                    self.arguments, self.limit
                );
            }
            thread::sleep(Duration::from_millis(2));
        };
        let took = started.elapsed();
        let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
        let after = Snapshot::take(&watched);
        let changed = before.differences(&after);
        assert!(
            changed.is_empty(),
            "a scan wrote where it must not: {changed:#?}"
        );
        let mut scan = Scan::new(self.arguments, status, stdout, stderr, took);
        scan.peak = peak;
        scan
    }
}

/// The most memory that a running process has held so far, in bytes: the system's own high-water mark.
fn high_water(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
