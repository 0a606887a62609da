//! What `go.mod` and `go.work` of scanned projects make Go run, and where GOWORK leads.
//!
//! ```text
//! toolchain go1.26.3           a release: a module like others, judged by the log
//! toolchain go1.26.3-custom    a toolchain of somebody's own
//! ```
//! Where GOTOOLCHAIN allows it (`auto`, as shipped, or `path`), Go runs the toolchain that a project names.

use std::path::{Path, PathBuf};

use crate::ecosystems::contract::PostureContext;
use crate::model::{Code, Finding, Line, Severity};

use super::super::gomod::{self, Kind};
use super::super::settings::{Setting, Settings};
use super::programs::is_release;
use super::told::{finding, in_file, is_audited, short};

/// Projects' own words.
pub(super) fn judge(settings: &Settings, context: &PostureContext<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let named = settings.get("GOWORK").filter(|s| s.value != "off");
    if let Some(setting) = named
        && !is_audited(Path::new(&setting.value), context)
    {
        let what = format!(
            "GOWORK makes Go build with the workspace of `{}`, which is not scanned",
            short(&setting.value)
        );
        // It may put a folder in the place of any module, and of that no log knows.
        let mut found = finding(Code::SourceRedirected, "GOWORK", setting, what);
        found.severity = Severity::High;
        found.remedy = Some("scan its folder too, or unset GOWORK".to_owned());
        findings.push(found);
    }
    let mode = settings.get("GOTOOLCHAIN").map_or("auto", mode);
    let mut folders: Vec<&PathBuf> = context.projects.iter().map(|(path, _)| path).collect();
    folders.extend(context.folders);
    folders.sort();
    folders.dedup();
    for folder in folders {
        for (name, kind) in [("go.mod", Kind::Mod), ("go.work", Kind::Work)] {
            let path = folder.join(name);
            let Ok(bytes) = context.fs.read_named(&path, gomod::MAX_BYTES as u64) else {
                // What cannot be read is said where lockfiles are read.
                continue;
            };
            let Some(toolchain) = gomod::parse(&bytes, kind).toolchain else {
                continue;
            };
            let strange = toolchain.value != "default" && !is_release(&toolchain.value);
            if strange && mode != "local" {
                let what = format!(
                    "`toolchain {}` makes Go run a toolchain that is no release of Go",
                    short(&toolchain.value)
                );
                let line = Line::try_from(toolchain.line).unwrap_or(Line::MAX);
                let mut found = in_file(Code::CodeInSettings, &path, Some(line), what);
                found.severity = Severity::High;
                found.remedy = Some("name a release, or set GOTOOLCHAIN=local".to_owned());
                findings.push(found);
            }
        }
    }
    findings
}

/// What GOTOOLCHAIN allows: `auto`, `path`, or `local` where nothing is switched.
fn mode(setting: &Setting) -> &'static str {
    match setting.value.rsplit('+').next() {
        Some("auto") => "auto",
        Some("path") => "path",
        _ => "local",
    }
}
