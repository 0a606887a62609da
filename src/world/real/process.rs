//! Programs by the operating system.
//!
//! Ctrl-C reaches a program in the foreground of a terminal by itself; every other signal that ends programs reaches this
//! process alone, and is passed on as it came.
#![expect(
    clippy::disallowed_types,
    reason = "the one place that starts what the user typed"
)]

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};

use super::cage::Walls;
use super::{Cancel, lock_holder};
use crate::world::process::{Ended, Launch, NotStarted, Processes, Scratch, Shared};
use crate::world::read_fs::PathError;

/// How often a lock is tried.
const PATIENCE: Duration = Duration::from_millis(25);

/// Starts programs as children of this process.
#[derive(Clone)]
pub struct SystemProcesses {
    cancel: Cancel,
}

/// What is waited for.
enum Event {
    Signal(i32),
    Ended(io::Result<ExitStatus>),
}

impl SystemProcesses {
    /// Passes on what this process is sent meanwhile.
    pub fn new(cancel: Cancel) -> Self {
        Self { cancel }
    }
}

impl Processes for SystemProcesses {
    fn run(&self, launch: &Launch) -> Result<Ended, NotStarted> {
        let (tell, events) = mpsc::channel();
        let signals = tell.clone();
        let _hold = self.cancel.hold(move |signal| {
            // Nobody listens any more when the program has just ended: then there is nobody to tell.
            let _ = signals.send(Event::Signal(signal));
        });
        let mut child = start(launch)?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let waiter = std::thread::spawn(move || tell.send(Event::Ended(child.wait())));
        let status = loop {
            match events.recv() {
                Ok(Event::Ended(status)) => break status.map_err(NotStarted::Refused)?,
                Ok(Event::Signal(signal)) => {
                    if let (Some(pid), Some(signal)) = (pid, Signal::from_named_raw(signal))
                        && !(signal == Signal::INT && is_in_foreground())
                    {
                        // It may have ended just now.
                        let _ = kill_process(pid, signal);
                    }
                }
                Err(mpsc::RecvError) => {
                    let why = io::Error::other("the program was lost sight of");
                    return Err(NotStarted::Refused(why));
                }
            }
        };
        let _ = waiter.join();
        Ok(ended_by(status))
    }

    fn can_cage(&self) -> Result<(), String> {
        Walls::stand()
    }

    fn share(&self, folder: &Path, file: &Path, wait: Duration) -> Result<Shared, PathError> {
        let path = folder.join(file);
        let failed = |source: rustix::io::Errno| PathError {
            path: path.clone(),
            source: source.into(),
        };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let handle = match rustix::fs::openat(CWD, &path, flags, mode) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM | rustix::io::Errno::ROFS) => {
                return Ok(Shared::Without);
            }
            Err(error) => return Err(failed(error)),
        };
        let started = Instant::now();
        loop {
            match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockShared) {
                Ok(()) => return Ok(Shared::Held(Box::new(File::from(handle)))),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {
                    if started.elapsed() >= wait {
                        return Ok(Shared::Busy(lock_holder::of(&handle)));
                    }
                    std::thread::sleep(PATIENCE);
                }
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                    return Ok(Shared::Without);
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    fn scratch(&self) -> io::Result<Box<dyn Scratch>> {
        let made = tempfile::Builder::new()
            .prefix("untaint-guard-")
            .tempdir()?;
        // Links above it would name it twice.
        let path = std::fs::canonicalize(made.path())?;
        Ok(Box::new(Temporary { made, path }))
    }

    fn fresh(&self, path: &Path) -> Result<PathBuf, PathError> {
        let failed = |source: io::Error| PathError {
            path: path.to_owned(),
            source,
        };
        match std::fs::create_dir(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if std::fs::read_dir(path).map_err(failed)?.next().is_some() {
                    return Err(failed(io::ErrorKind::DirectoryNotEmpty.into()));
                }
            }
            Err(error) => return Err(failed(error)),
        }
        std::fs::canonicalize(path).map_err(failed)
    }
}

struct Temporary {
    made: tempfile::TempDir,
    path: PathBuf,
}

impl Scratch for Temporary {
    fn path(&self) -> &Path {
        &self.path
    }

    fn remove(self: Box<Self>) -> io::Result<()> {
        self.made.close()
    }
}

/// Starts the program; caged, from a thread whose walls it inherits.
fn start(launch: &Launch) -> Result<Child, NotStarted> {
    let Some(cage) = &launch.cage else {
        return spawn(launch);
    };
    let walls = Walls::plan(cage).map_err(NotStarted::Cage)?;
    std::thread::scope(|scope| {
        let caged = scope.spawn(|| {
            walls.close_in(cage).map_err(NotStarted::Cage)?;
            spawn(launch)
        });
        caged
            .join()
            .unwrap_or_else(|_| Err(NotStarted::Cage("the sandbox failed".to_owned())))
    })
}

fn spawn(launch: &Launch) -> Result<Child, NotStarted> {
    let mut command = Command::new(&launch.program);
    command.args(&launch.args);
    for (name, value) in &launch.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.spawn().map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            NotStarted::Missing
        } else {
            NotStarted::Refused(error)
        }
    })
}

/// Whether a terminal tells the program of Ctrl-C by itself.
fn is_in_foreground() -> bool {
    let own = rustix::process::getpgrp();
    let is_ours = |group: rustix::io::Result<Pid>| group.is_ok_and(|group| group == own);
    is_ours(rustix::termios::tcgetpgrp(io::stdin().as_fd()))
        || is_ours(rustix::termios::tcgetpgrp(io::stdout().as_fd()))
        || is_ours(rustix::termios::tcgetpgrp(io::stderr().as_fd()))
}

fn ended_by(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
        (None, Some(signal)) => Ended::Signal(u8::try_from(signal).unwrap_or(u8::MAX)),
        (None, None) => Ended::Code(u8::MAX),
    }
}

#[cfg(test)]
mod tests;
