//! Timers by the operating system: its programs, and files in the user's own folders.

use std::fs::DirBuilder;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::sink;
use crate::world::PathError;
use crate::world::services::{Errand, Services, Told};

/// How often it is asked whether a program has ended.
const LOOK: Duration = Duration::from_millis(10);
/// Most that is kept of what a program says.
const MOST: u64 = 1 << 20;

/// The machine's programs, and this user's files.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemServices;

impl Services for SystemServices {
    #[expect(
        clippy::disallowed_types,
        reason = "the programs that keep the user's timers, and the one that the user named for alerts"
    )]
    fn run(&self, errand: &Errand) -> io::Result<Told> {
        let mut child = std::process::Command::new(&errand.program)
            .args(&errand.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = listen(child.stdout.take());
        let words = listen(child.stderr.take());
        let speaker = child.stdin.take().map(|mut stdin| {
            let input = errand.input.clone();
            // A program that does not want to hear it closes its ear: that is its affair.
            std::thread::spawn(move || stdin.write_all(&input).ok())
        });
        let well = end(&mut child, errand.within)?;
        if let Some(speaker) = speaker {
            let _ = speaker.join();
        }
        let hear = |listener: Option<JoinHandle<Heard>>| {
            listener.map_or_else(Heard::default, |l| l.join().unwrap_or_default())
        };
        let (output, words) = (hear(output), hear(words));
        Ok(Told {
            well,
            output: output.bytes,
            cut: output.cut,
            words: words.bytes,
        })
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PathError> {
        let named = |source: io::Error| PathError {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(folder)
                .map_err(named)?;
        }
        sink::replace(path, bytes, 0o600).map_err(named)
    }

    fn remove(&self, path: &Path) -> Result<(), PathError> {
        let named = |source: io::Error| PathError {
            path: path.to_owned(),
            source,
        };
        sink::refuse_irregular(path).map_err(named)?;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(error)),
            _ => Ok(()),
        }
    }
}

/// What a program said.
#[derive(Default)]
struct Heard {
    bytes: Vec<u8>,
    cut: bool,
}

fn listen(stream: Option<impl Read + Send + 'static>) -> Option<JoinHandle<Heard>> {
    stream.map(|mut stream| {
        std::thread::spawn(move || {
            let mut heard = Heard::default();
            let read = stream.by_ref().take(MOST).read_to_end(&mut heard.bytes);
            // The rest is drained, so that the program does not wait for a reader.
            let rest = io::copy(&mut stream, &mut io::sink());
            heard.cut = read.is_err() || rest.map_or(true, |more| more > 0);
            heard
        })
    })
}

/// Waits for the end; whether it was a good one.
fn end(child: &mut Child, within: Duration) -> io::Result<bool> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if begun.elapsed() >= within {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn run(script: &str, input: &[u8], within: Duration) -> io::Result<Told> {
        SystemServices.run(&Errand {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            input: input.to_vec(),
            within,
        })
    }

    #[test]
    fn a_program_hears_its_text_and_is_heard() {
        let told = run(
            "cat; echo word >&2; exit 3",
            b"hello",
            Duration::from_secs(20),
        );
        let told = told.unwrap();
        assert_eq!((told.well, &*told.output), (false, &b"hello"[..]));
        assert_eq!(told.words, b"word\n");
        let much = run("yes | head -c 1048577", b"", Duration::from_secs(20)).unwrap();
        assert!(much.cut && much.output.len() == 1 << 20 && !told.cut);
        let deaf = run("exit 0", &vec![b'x'; 1 << 20], Duration::from_secs(20)).unwrap();
        assert!(deaf.well);
    }

    #[test]
    fn one_that_does_not_end_is_ended_and_one_that_is_not_there_is_said() {
        let error = run("sleep 60", b"", Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let missing = SystemServices.run(&Errand {
            program: "no-such-program-anywhere".into(),
            args: Vec::new(),
            input: Vec::new(),
            within: Duration::from_secs(1),
        });
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn files_are_whole_private_and_no_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/unit");
        SystemServices.write(&path, b"one").unwrap();
        SystemServices.write(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let target = folder.path().join("target");
        std::fs::write(&target, b"precious").unwrap();
        let link = folder.path().join("link");
        symlink(&target, &link).unwrap();
        assert!(SystemServices.write(&link, b"x").is_err());
        assert!(SystemServices.remove(&link).is_err());
        assert_eq!(std::fs::read(&target).unwrap(), b"precious");
        SystemServices.remove(&path).unwrap();
        SystemServices.remove(&path).unwrap();
        assert!(!path.exists());
    }
}
