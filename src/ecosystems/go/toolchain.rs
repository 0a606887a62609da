//! Which Go builds a module, by what lies on this machine and what its files say (cmd/go 1.26, `toolchain/select.go`).
//!
//! ```text
//! GOTOOLCHAIN=local            the Go that is started
//! GOTOOLCHAIN=go1.26.3         that one
//! GOTOOLCHAIN=auto, path       the newest of the Go that is started, the `go` line and the `toolchain` line
//! GOTOOLCHAIN=go1.26.3+auto    the same, from that one on
//! ```
//! Lines of `go.work` count in place of those of its modules. What is started is told by the file VERSION of the installation;
//! nothing is run. Where there is no installation the lines alone tell.

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use crate::ecosystems::contract::{LockView, ToolPart};
use crate::formats::semver_order::GoOrder;
use crate::model::Line;
use crate::model::text::printable;
use crate::model::version_order::VersionOrder as _;
use crate::world::{Env, ReadFs};

use super::locks::semantic;
use super::settings::Settings;

/// Largest VERSION file.
const LARGEST: u64 = 64 << 10;

/// What a file says of the Go that builds it: versions without `go`, and lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) go: Option<(String, Line)>,
    /// As it is written, also `default`.
    pub(super) toolchain: Option<(String, Line)>,
}

/// The Go of this machine.
pub(super) struct Here {
    /// The version that GOTOOLCHAIN or the installation names, and which of them.
    least: Option<(String, String)>,
    /// Whether files may ask for a newer one.
    switches: bool,
}

impl Here {
    /// Nothing is known of any machine.
    pub(super) const fn nowhere() -> Self {
        Self {
            least: None,
            switches: true,
        }
    }

    /// Reads it.
    pub(super) fn load(env: &dyn Env, fs: &dyn ReadFs) -> Self {
        let settings = Settings::load(env, fs);
        let root = settings.goroot.as_ref();
        let installed = root.and_then(|root| fs.read_named(&root.join("VERSION"), LARGEST).ok());
        let installed = installed.and_then(|bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let first = text.lines().next()?;
            first
                .split_whitespace()
                .find_map(version)
                .map(str::to_owned)
        });
        let installed = installed.map(|version| (version, "the Go that is installed".to_owned()));
        let Some(setting) = settings.get("GOTOOLCHAIN") else {
            // As Go does without a `go.env` file: it does not switch.
            return Self {
                switches: installed.is_none(),
                least: installed,
            };
        };
        let (least, suffix) = match setting.value.split_once('+') {
            Some((least, suffix)) => (least, suffix),
            None if matches!(&*setting.value, "auto" | "path") => ("local", &*setting.value),
            None => (&*setting.value, ""),
        };
        let named = version(least).map(|v| (v.to_owned(), "GOTOOLCHAIN".to_owned()));
        Self {
            // Without an installation nobody but the lines can tell.
            switches: matches!(suffix, "auto" | "path") || (named.is_none() && installed.is_none()),
            least: named.or(installed),
        }
    }

    /// The version that builds what a file says this of, its line and a sentence about it.
    pub(super) fn builds(&self, said: &Said, file: &str) -> Option<(String, Line, String)> {
        let mut best = self.least.clone().map(|(version, by)| (version, None, by));
        let mut offer = |version: &str, line: Line, by: String| {
            let newer = best
                .as_ref()
                .is_none_or(|(held, ..)| is_newer(version, held));
            if newer {
                best = Some((version.to_owned(), Some(line), by));
            }
        };
        let stays = said
            .toolchain
            .as_ref()
            .is_some_and(|(name, _)| name == "default");
        if self.switches
            && let Some((name, line)) = &said.toolchain
            && let Some(version) = version(name)
        {
            offer(version, *line, format!("the toolchain line of {file}"));
        }
        if let Some((version, line)) = &said.go {
            // Where Go may not switch it refuses what asks for a newer one.
            let by = format!("the go line of {file}");
            offer(version, *line, by);
        }
        let (version, line, by) = best?;
        let line = line.or(said.go.as_ref().map(|(_, line)| *line));
        let why = match (&self.least, self.switches && !stays) {
            (None, _) => "; no installation of Go was found here",
            (Some(_), true) => "",
            (Some(_), false) => "; it does not switch to another",
        };
        let shown = printable(&version);
        let why = format!("judged for go{shown}, from {by}{why}");
        Some((semantic(&version), line.unwrap_or(1), why))
    }

    /// The parts of Go that build what a file says this of.
    pub(super) fn parts(&self, said: &Said, file: &str) -> Vec<ToolPart> {
        let Some((version, line, why)) = self.builds(said, file) else {
            return Vec::new();
        };
        let (version, why): (Arc<str>, Arc<str>) = (Arc::from(version), Arc::from(why));
        ["stdlib", "toolchain"]
            .into_iter()
            .map(|name| ToolPart {
                name: Arc::from(name),
                version: Arc::clone(&version),
                line,
                why: Arc::clone(&why),
            })
            .collect()
    }
}

/// The parts of Go that build what each lockfile stands for, by position.
pub(super) fn parts(
    locks: &[LockView<'_>],
    env: &dyn Env,
    fs: &dyn ReadFs,
) -> Vec<(usize, Vec<ToolPart>)> {
    let here = Here::load(env, fs);
    let settings = Settings::load(env, fs);
    let alone = settings.get("GOWORK").is_some_and(|s| s.value == "off");
    let folder = |lock: &LockView<'_>| Path::new(lock.rel).parent().map(Path::to_owned);
    let works = || locks.iter().filter(|lock| lock.kind == "go-work");
    let judged = (0..).zip(locks).filter_map(|(at, lock)| {
        if !matches!(lock.kind, "go-mod" | "go-work") {
            return None;
        }
        let own = folder(lock)?;
        // Go takes the nearest, whether or not it uses this module.
        let mut above = own.ancestors().filter(|_| !alone && lock.kind == "go-mod");
        let work = above.find_map(|above| {
            works().find(|work| work.root == lock.root && folder(work).as_deref() == Some(above))
        });
        let by = work.unwrap_or(lock);
        let mut said = said(by);
        if work.is_some() {
            // The finding stands where the module says what it needs.
            let line = own_line(lock);
            for (_, at) in said.go.iter_mut().chain(&mut said.toolchain) {
                *at = line;
            }
        }
        Some((at, here.parts(&said, by.rel)))
    });
    judged.collect()
}

fn said(lock: &LockView<'_>) -> Said {
    let of = |word: &str| {
        let mut words = lock.extra.tool.iter().filter(|(name, ..)| &**name == word);
        words
            .next()
            .map(|(_, value, line)| (value.to_string(), *line))
    };
    Said {
        go: of("go"),
        toolchain: of("toolchain"),
    }
}

fn own_line(lock: &LockView<'_>) -> Line {
    lock.extra.tool.first().map_or(1, |(_, _, line)| *line)
}

/// The version of a toolchain by its name: `go1.26.3`, `go1.26.3-mine`, `mine-go1.26.3`.
fn version(name: &str) -> Option<&str> {
    let rest = name
        .strip_prefix("go")
        .or_else(|| name.split_once("-go").map(|(_, rest)| rest))?;
    let is_one = rest.starts_with(|c: char| c.is_ascii_digit());
    is_one.then(|| rest.split(['-', ' ', '\t']).next().unwrap_or(rest))
}

fn is_newer(a: &str, b: &str) -> bool {
    GoOrder.compare(&semantic(a), &semantic(b)) == Some(Ordering::Greater)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake::{Disk, Given};

    /// What builds a module that says this, with the Go that these name.
    fn built(installed: Option<&str>, setting: &str, go: &str, toolchain: &str) -> String {
        let mut disk = Disk::of(1000, 1000);
        let mut env = Given::default();
        if let Some(version) = installed {
            disk.file("/usr/local/go/go.env", format!("GOTOOLCHAIN={setting}\n"))
                .file("/usr/local/go/VERSION", format!("{version}\ntime 2026\n"));
        } else if !setting.is_empty() {
            env.vars.insert("GOTOOLCHAIN".into(), setting.into());
        }
        let text = |text: &str| (!text.is_empty()).then(|| (text.to_owned(), 3));
        let said = Said {
            go: text(go),
            toolchain: text(toolchain),
        };
        let here = Here::load(&env, &disk);
        here.builds(&said, "go.mod")
            .map_or_else(String::new, |(version, _, why)| {
                let by = why.split(", from ").nth(1).unwrap();
                format!("{version} {by}")
            })
    }

    #[test]
    fn the_go_that_builds_is_the_one_that_go_would_choose() {
        let here = "the Go that is installed";
        for (setting, go, toolchain, expected) in [
            ("auto", "1.21", "", format!("1.26.8 {here}")),
            ("auto", "1.21", "go1.25.5", format!("1.26.8 {here}")),
            (
                "auto",
                "1.21",
                "go1.27.1",
                "1.27.1 the toolchain line of go.mod".to_owned(),
            ),
            (
                "path",
                "1.21",
                "go1.27.1-mine",
                "1.27.1 the toolchain line of go.mod".to_owned(),
            ),
            (
                "auto",
                "1.28",
                "go1.27.1",
                "1.28.0 the go line of go.mod".to_owned(),
            ),
            (
                "auto",
                "1.27rc2",
                "",
                "1.27.0-rc.2 the go line of go.mod".to_owned(),
            ),
            (
                "auto",
                "1.21",
                "default",
                format!("1.26.8 {here}; it does not switch to another"),
            ),
            (
                "local",
                "1.21",
                "go1.27.1",
                format!("1.26.8 {here}; it does not switch to another"),
            ),
            (
                "",
                "1.21",
                "go1.27.1",
                format!("1.26.8 {here}; it does not switch to another"),
            ),
            (
                "go1.22.3",
                "1.21",
                "go1.27.1",
                "1.22.3 GOTOOLCHAIN; it does not switch to another".to_owned(),
            ),
            (
                "go1.22.3+auto",
                "1.21",
                "go1.27.1",
                "1.27.1 the toolchain line of go.mod".to_owned(),
            ),
            (
                "go1.22.3+path",
                "1.21",
                "go1.22.1",
                "1.22.3 GOTOOLCHAIN".to_owned(),
            ),
            (
                "local+auto",
                "1.21",
                "go1.27.1",
                "1.27.1 the toolchain line of go.mod".to_owned(),
            ),
            ("auto", "", "", format!("1.26.8 {here}")),
        ] {
            let version = built(Some("go1.26.8"), setting, go, toolchain);
            assert_eq!(version, expected, "{setting} {go} {toolchain}");
        }
        assert_eq!(
            built(Some("go1.26.8 X:nosimd"), "auto", "1.21", ""),
            format!("1.26.8 {here}")
        );
        assert_eq!(
            built(Some("devel go1.27-0123abc"), "auto", "1.21", ""),
            format!("1.27.0 {here}")
        );
    }

    #[test]
    fn without_an_installation_the_lines_tell() {
        let none = "; no installation of Go was found here";
        for (setting, go, toolchain, expected) in [
            (
                "",
                "1.21",
                "",
                format!("1.21.0 the go line of go.mod{none}"),
            ),
            (
                "",
                "1.21",
                "go1.25.5",
                format!("1.25.5 the toolchain line of go.mod{none}"),
            ),
            (
                "",
                "1.26",
                "go1.25.5",
                format!("1.26.0 the go line of go.mod{none}"),
            ),
            (
                "local",
                "1.21",
                "go1.25.5",
                format!("1.25.5 the toolchain line of go.mod{none}"),
            ),
            (
                "go1.22.3",
                "1.21",
                "go1.25.5",
                "1.22.3 GOTOOLCHAIN; it does not switch to another".to_owned(),
            ),
            ("", "", "", String::new()),
        ] {
            assert_eq!(
                built(None, setting, go, toolchain),
                expected,
                "{setting} {go} {toolchain}"
            );
        }
    }
}
