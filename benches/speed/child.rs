//! Runs the program under test as a whole process and reads what it cost from the system's own accounting.

use std::ffi::{OsStr, OsString};
use std::io::{Error, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a run cost, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

/// A run to be.
pub(crate) struct Child {
    command: Command,
    /// Exit codes of a run that came to its end.
    good: &'static [i32],
}

impl Child {
    /// The program without arguments, with nothing to say on our terminal.
    pub(crate) fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).env_remove("UNTAINT_HOME");
        // The folder that cargo builds in is a place of the user's, wherever these name it or where this process stands.
        for name in [
            "CARGO_BUILD_BUILD_DIR",
            "CARGO_BUILD_TARGET_DIR",
            "CARGO_TARGET_DIR",
        ] {
            command.env_remove(name);
        }
        command.current_dir("/");
        // 2 and none at all mean that nothing was judged.
        let good = &[0, 1, 3, 4];
        Self { command, good }
    }

    /// Another program, which must succeed.
    pub(crate) fn tool(program: &str, dir: &Path) -> Self {
        let mut child = Self::new(Path::new(program));
        child.command.current_dir(dir);
        child.good = &[0];
        child
    }

    /// An environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// A scan of one cache of an ecosystem.
    pub(crate) fn audit(program: &Path, ecosystem: &str, home: &Path) -> Self {
        let mut cache = OsString::from(ecosystem);
        cache.push("=");
        cache.push(home);
        Self::new(program).arg("scan").arg("--cache").arg(cache)
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// The folder of the program's own files.
    pub(crate) fn state(mut self, state: &Path) -> Self {
        self.command
            .env("XDG_STATE_HOME", state)
            .env("XDG_CONFIG_HOME", state);
        self
    }

    /// Runs to the end. A verdict is no failure; that there is none is one.
    pub(crate) fn run(mut self) -> Result<()> {
        let status = self.command.status()?;
        self.ended(status.code())
    }

    /// Runs to the end and says what it cost.
    pub(crate) fn cost(self) -> Result<Cost> {
        let before = children_cpu()?;
        let began = Instant::now();
        self.run()?;
        let wall = began.elapsed().as_secs_f64();
        Ok(Cost {
            wall,
            cpu: children_cpu()? - before,
        })
    }

    /// Runs to the end and gives the most memory it held, in bytes: the high-water mark, looked at every few milliseconds.
    pub(crate) fn peak(mut self) -> Result<u64> {
        let mut child = self.command.spawn()?;
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        loop {
            if let Some(kib) = std::fs::read_to_string(&status)
                .ok()
                .and_then(|text| high_water(&text))
            {
                peak = peak.max(kib * 1024);
            }
            if let Some(status) = child.try_wait()? {
                self.ended(status.code())?;
                return Ok(peak);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it prints.
    pub(crate) fn output(mut self) -> Result<Vec<u8>> {
        let output = self.command.stdout(Stdio::piped()).output()?;
        self.ended(output.status.code())?;
        Ok(output.stdout)
    }

    fn ended(&self, code: Option<i32>) -> Result<()> {
        match code {
            Some(code) if self.good.contains(&code) => Ok(()),
            other => {
                let program = self.command.get_program().display().to_string();
                Err(Error::other(format!("{program} ended with {other:?}")))
            }
        }
    }
}

/// What work in this process cost.
pub(crate) fn cost_of<T>(work: impl FnOnce() -> Result<T>) -> Result<Cost> {
    let before = own_cpu()?;
    let began = Instant::now();
    std::hint::black_box(work()?);
    let wall = began.elapsed().as_secs_f64();
    Ok(Cost {
        wall,
        cpu: own_cpu()? - before,
    })
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// CPU seconds, in user and kernel mode, of all children that have ended.
pub(crate) fn children_cpu() -> Result<f64> {
    cpu(13)
}

/// CPU seconds, in user and kernel mode, of this process.
fn own_cpu() -> Result<f64> {
    cpu(11)
}

fn cpu(from: usize) -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is a name in brackets and may hold spaces; the third follows the last bracket.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = fields
        .split_ascii_whitespace()
        .skip(from)
        .take(2)
        .filter_map(|n| n.parse::<f64>().ok())
        .sum();
    // USER_HZ is 100 wherever Linux runs.
    Ok(ticks / 100.0)
}
