//! What is risky in the settings of the `go` command, and the vendor folders of projects.
//!
//! Judged are the values in force (see `settings`), each with the file and line that sets it. A proxy is only transport: what
//! it hands out is held against the log. Yet it hears which modules are asked for, and in direct mode decides.

use crate::ecosystems::contract::{
    NamedPlace, OpenContext, Posture, PostureContext, PostureReport, Session,
};
use crate::model::text::printable;
use crate::model::{Code, Finding, Location, Place, Problem};
use crate::world::Dir;

use super::settings::{Setting, Settings, Source, proxies};
use super::vendor;

/// Go's settings and places.
pub(super) struct GoPosture;

impl Posture for GoPosture {
    fn examine(&self, context: &PostureContext<'_>) -> PostureReport {
        let mut report = PostureReport::default();
        let a_project = context
            .projects
            .iter()
            .any(|(path, _)| context.fs.stat_named(&path.join("go.mod")).is_ok());
        if context.caches.is_empty() && !a_project {
            return report;
        }
        let settings = Settings::load(context.env, context.fs);
        for (path, why) in &settings.unreadable {
            let at = printable(&path.display().to_string());
            report.problems.push(Problem::skipped(at, why.clone()));
        }
        report.read = settings
            .read
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        checksums(&settings, &mut report);
        transport(&settings, context, &mut report);
        programs(&settings, &mut report);
        report
    }

    fn open_place(&self, place: &NamedPlace, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
        if place.kind == vendor::KIND {
            vendor::open(root, context)
        } else {
            Session::default()
        }
    }

    fn recognises(&self, dir: &dyn Dir, names: &[&str]) -> Option<&'static str> {
        vendor::is_one(dir, names).then_some(vendor::KIND)
    }
}

/// Whether the log is asked at all.
fn checksums(settings: &Settings, report: &mut PostureReport) {
    if let Some(setting) = settings.get("GOSUMDB").filter(|s| s.value.trim() == "off") {
        let what = "GOSUMDB=off: Go believes whatever it is given first".to_owned();
        report
            .findings
            .push(finding(Code::ChecksumDatabaseDisabled, setting, what));
    }
    for name in ["GONOSUMDB", "GOPRIVATE"] {
        let all = |s: &&Setting| s.value.split(',').any(is_everything);
        if let Some(setting) = settings.get(name).filter(all) {
            let what = format!("{name} names every module: Go asks the checksum database for none");
            report
                .findings
                .push(finding(Code::ChecksumDatabaseDisabled, setting, what));
        }
    }
}

/// Whether a glob takes in every module: nothing in its first part but wildcards.
fn is_everything(glob: &str) -> bool {
    let host = glob.trim().split('/').next().unwrap_or_default();
    !host.is_empty() && host.chars().all(|c| matches!(c, '*' | '?' | '.'))
}

/// Where modules come from, and how.
fn transport(settings: &Settings, context: &PostureContext<'_>, report: &mut PostureReport) {
    if let Some(setting) = settings.get("GOPROXY") {
        for proxy in proxies(&setting.value) {
            let shown = printable(&proxy);
            let found = match (context.standing)(&proxy) {
                Some(true) => continue,
                None if proxy.starts_with("http://") => (
                    Code::InsecureTransport,
                    format!("GOPROXY asks `{shown}` without encryption"),
                ),
                _ => (
                    Code::SourceRedirected,
                    format!("GOPROXY asks `{shown}`, which is neither known nor pinned"),
                ),
            };
            report.findings.push(finding(found.0, setting, found.1));
        }
    }
    if let Some(setting) = settings.get("GOINSECURE") {
        let what = format!(
            "GOINSECURE lets anybody on the way change `{}`",
            printable(&setting.value)
        );
        report
            .findings
            .push(finding(Code::InsecureTransport, setting, what));
    }
}

/// What runs on the way.
fn programs(settings: &Settings, report: &mut PostureReport) {
    if let Some(setting) = settings.get("GOFLAGS") {
        for flag in setting.value.split_whitespace() {
            let flag = flag.trim_start_matches('-');
            let name = flag.split('=').next().unwrap_or_default();
            let (code, what) = match name {
                "toolexec" => (Code::CodeInSettings, "runs a program for every tool"),
                "overlay" => (
                    Code::SourceRedirected,
                    "puts other files in place of sources",
                ),
                "modfile" => (Code::SourceRedirected, "reads another go.mod"),
                _ => continue,
            };
            let what = format!("GOFLAGS has -{}: it {what}", printable(flag));
            report.findings.push(finding(code, setting, what));
        }
    }
    if let Some(setting) = settings.get("GOAUTH") {
        for method in setting.value.split(';').map(str::trim) {
            let word = method.split_whitespace().next().unwrap_or_default();
            if !matches!(word, "" | "off" | "netrc" | "git") {
                let what = format!("GOAUTH runs `{}`", printable(method));
                report
                    .findings
                    .push(finding(Code::CodeInSettings, setting, what));
            }
        }
    }
    if let Some(setting) = settings.get("GOCACHEPROG") {
        let what = format!(
            "GOCACHEPROG has `{}` answer for the build cache",
            printable(&setting.value)
        );
        report
            .findings
            .push(finding(Code::CodeInSettings, setting, what));
    }
}

fn finding(code: Code, setting: &Setting, what: String) -> Finding {
    let mut finding = Finding::new(code, Place::Settings, what);
    finding.location = match &setting.source {
        Source::Environment => None,
        Source::User(file, line) | Source::Shipped(file, line) => Some(Location {
            file: printable(&file.display().to_string()),
            line: Some(*line),
        }),
    };
    finding
}
