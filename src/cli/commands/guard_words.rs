//! What guard has to say: briefly, and on standard error alone, since standard output is the command's.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::Ports;
use crate::cli::args::GuardArgs;
use crate::cli::exit::Exit;
use crate::cli::settings::Settings;
use crate::model::report::Report;
use crate::model::text::printable;
use crate::model::{Class, Code, Finding, Severity, shell};
use crate::pipeline::report::{self, Detail, Format};
use crate::world::process::{Ended, NotStarted};
use crate::world::{PathError, Sinks};

use super::scan::options;

/// Words of a command that are repeated.
const REPEATED: usize = 6;

/// Audited things that are named.
const NAMED: usize = 3;

/// Sends to standard error what others mean for standard output.
pub(super) struct Aside<'a>(pub(super) &'a dyn Sinks);

impl Sinks for Aside<'_> {
    fn stdout(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.stderr(bytes);
        Ok(())
    }

    fn stderr(&self, bytes: &[u8]) {
        self.0.stderr(bytes);
    }

    fn file(&self, path: &Path, bytes: &[u8]) -> Result<(), PathError> {
        self.0.file(path, bytes)
    }

    fn stdout_is_terminal(&self) -> bool {
        self.0.stderr_is_terminal()
    }

    fn stderr_is_terminal(&self) -> bool {
        self.0.stderr_is_terminal()
    }
}

/// The command as a person would type it.
fn shown(command: &[OsString]) -> String {
    let words = command.iter().take(REPEATED);
    let mut words: Vec<String> = words.map(|word| shell::quote(word.as_bytes())).collect();
    if command.len() > REPEATED {
        words.push("…".to_owned());
    }
    words.join(" ")
}

fn line(ports: &Ports<'_>, text: &str) {
    ports
        .sinks
        .stderr(format!("untaint guard: {text}\n").as_bytes());
}

/// One more fact.
pub(super) fn note(ports: &Ports<'_>, text: &str) {
    line(ports, &printable(text));
}

/// Why guard could not do its work.
pub(super) fn refused(ports: &Ports<'_>, why: &str, command: &[OsString], exit: Exit) {
    let text = format!("error: {}\n", printable(why));
    ports.sinks.stderr(text.as_bytes());
    line(
        ports,
        &format!("{}: exit code {}", shown(command), exit.code()),
    );
}

fn written(settings: &Settings, report: &Report, ports: &Ports<'_>) {
    let options = options(settings, ports.sinks.stderr_is_terminal());
    ports
        .sinks
        .stderr(&report::render(report, settings.format, &options));
}

/// The verdict forbids it.
pub(super) fn not_clean(
    settings: &Settings,
    report: &Report,
    args: &GuardArgs,
    exit: Exit,
    ports: &Ports<'_>,
) {
    written(settings, report, ports);
    let code = Exit::Refused(exit.code()).code();
    let can_be_healed = report.findings.iter().any(|finding| {
        finding.waived.is_none() && matches!(finding.class(), Class::Integrity | Class::Malicious)
    });
    let hint = match (can_be_healed, args.heal) {
        (true, false) => {
            "; `untaint heal` shows what can be made good, `untaint guard --heal` does it first"
        }
        _ => "",
    };
    line(
        ports,
        &format!(
            "not started: {} (exit code {code}){hint}",
            shown(&args.command)
        ),
    );
}

/// What was audited: a command may build something else.
fn audited(settings: &Settings, ports: &Ports<'_>) -> String {
    let here = ports.env.current_dir().unwrap_or_default();
    let shown = |path: &PathBuf| match path.as_os_str().as_bytes() {
        b"." => shell::quote(here.as_os_str().as_bytes()),
        given => shell::quote(given),
    };
    let mut names: Vec<String> = settings.targets.iter().map(shown).collect();
    if settings.caches {
        names.push("all caches".to_owned());
    }
    let caches = settings.named_caches.iter();
    names.extend(caches.map(|cache| shell::quote(cache.path.as_os_str().as_bytes())));
    if names.len() > NAMED {
        let more = names.len() - NAMED;
        names.truncate(NAMED);
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// The verdict allows it.
pub(super) fn starting(
    settings: &Settings,
    report: &Report,
    command: &[OsString],
    ports: &Ports<'_>,
) {
    // Below the threshold, and the command will run it all the same: whoever starts it is to know, however quiet.
    let inserted: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|f| f.code == Code::CodeInSettings && f.waived.is_none())
        .filter(|f| f.severity >= Severity::Medium)
        .collect();
    for finding in inserted.iter().take(NAMED) {
        let at = finding.location.as_ref().map_or("", |at| &at.file);
        line(
            ports,
            &printable(&format!("warning: {at}: {}", finding.message)),
        );
    }
    if let Some(more @ 1..) = inserted.len().checked_sub(NAMED) {
        line(ports, &format!("warning: and {more} more such settings"));
    }
    if settings.base.detail == Detail::Quiet {
        return;
    }
    if settings.base.detail == Detail::Verbose && settings.format == Format::Table {
        written(settings, report, ports);
    }
    let all = report.coverage.total();
    line(
        ports,
        &format!(
            "clean: {}: {} of {} subjects verified; running {}",
            audited(settings, ports),
            all.verified,
            all.subjects(),
            shown(command)
        ),
    );
}

/// What is to be said of how it ended, beside its code.
pub(super) fn ended(
    settings: &Settings,
    ended: &Result<Ended, NotStarted>,
    args: &GuardArgs,
    ports: &Ports<'_>,
) {
    match ended {
        Err(why) => line(
            ports,
            &format!("{}: {}", shown(&args.command), printable(&why.to_string())),
        ),
        Ok(Ended::Code(0)) => {}
        // The kernel tells root alone what it denied.
        Ok(_) if args.sandbox && settings.base.detail != Detail::Quiet => line(
            ports,
            "the command failed; it could write only into the projects, their build folders and temporary files (which \
             of its writes were denied, the kernel does not tell). What it has to download, download before",
        ),
        Ok(_) => {}
    }
}

/// What it used changed meanwhile.
pub(super) fn changed(
    settings: &Settings,
    report: &Report,
    command: &[OsString],
    own: Exit,
    ports: &Ports<'_>,
) {
    written(settings, report, ports);
    line(
        ports,
        &format!(
            "{} ended with {}, but what it used is not what was audited: do not use what it built (exit code {})",
            shown(command),
            own.code(),
            Exit::Refused(0).code()
        ),
    );
}
