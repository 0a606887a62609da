//! What settings make Go run: helpers for credentials, version control, toolchains, a program that stands in for the build
//! cache (cmd/go 1.26, `internal/auth`, `internal/vcs`, `internal/toolchain`).

use std::path::Path;

use crate::ecosystems::contract::PostureContext;
use crate::model::{Code, Finding, Severity};

use super::super::settings::{Setting, Settings, Source, on_path};
use super::flags::{self, Effect};
use super::told::{finding, graded, is_audited, short};

/// Programs of settings.
pub(super) fn judge(settings: &Settings, context: &PostureContext<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let code = |name: &str, setting: &Setting, what: String| {
        graded(Code::CodeInSettings, name, setting, context, what)
    };
    if let Some(setting) = settings.get("GOFLAGS") {
        for (flag, effect) in flags::judge(&setting.value) {
            findings.push(flagged(&flag, effect, setting, context));
        }
    }
    if let Some(setting) = settings.get("GOAUTH") {
        for method in setting.value.split(';').map(str::trim) {
            let word = method.split_whitespace().next().unwrap_or_default();
            if !matches!(word, "" | "off" | "netrc" | "git") {
                let what = format!("GOAUTH runs `{}`", short(method));
                findings.push(code("GOAUTH", setting, what));
            }
        }
    }
    if let Some(setting) = settings.get("GOCACHEPROG") {
        let what = format!(
            "GOCACHEPROG has `{}` answer for the build cache",
            short(&setting.value)
        );
        findings.push(code("GOCACHEPROG", setting, what));
    }
    if let Some(setting) = settings.get("GOVCS") {
        for rule in setting.value.split(',') {
            let (pattern, tools) = rule.trim().split_once(':').unwrap_or((rule, ""));
            let wide: Vec<&str> = tools
                .split('|')
                .map(str::trim)
                .filter(|tool| !matches!(*tool, "" | "git" | "hg" | "off"))
                .collect();
            if pattern.trim() != "private" && !wide.is_empty() {
                let what = format!(
                    "GOVCS lets modules of `{}` have {} run, of which not all were made for servers that nobody knows",
                    short(pattern.trim()),
                    short(&wide.join(", "))
                );
                findings.push(code("GOVCS", setting, what));
            }
        }
    }
    if let Some(setting) = settings.get("GOTOOLCHAIN") {
        let (least, mode) = setting
            .value
            .split_once('+')
            .unwrap_or(("", &setting.value));
        if mode == "path" {
            let what = "GOTOOLCHAIN lets a project choose among programs of PATH by their names";
            findings.push(code("GOTOOLCHAIN", setting, what.to_owned()));
        }
        let least = if least.is_empty() { mode } else { least };
        if !matches!(least, "auto" | "path" | "local") && !is_release(least) {
            let what = format!(
                "GOTOOLCHAIN runs `{}`, which is no release of Go",
                short(least)
            );
            findings.push(code("GOTOOLCHAIN", setting, what));
        }
    }
    if let Some(setting) = settings.get("GOROOT") {
        let named = Path::new(&setting.value);
        let from = short(&setting.value);
        if is_audited(named, context) {
            let what = format!(
                "GOROOT takes compiler and standard library from `{from}`, which others fill"
            );
            findings.push(finding_high("GOROOT", setting, what));
        } else if is_another(named, setting, context) {
            let what = format!(
                "GOROOT takes compiler and standard library from `{from}`, where the `go` of PATH does not lie"
            );
            findings.push(code("GOROOT", setting, what));
        }
    }
    findings
}

/// Whether GOROOT leads to another installation than that of the program that is started. Where that cannot be found, the
/// environment is believed and a file is not.
fn is_another(named: &Path, setting: &Setting, context: &PostureContext<'_>) -> bool {
    let real = |path: &Path| context.fs.open_root(path).ok().map(|root| root.resolved);
    match on_path(context.env, context.fs) {
        Some(root) => real(named).is_none_or(|named| real(&root) != Some(named)),
        None => setting.source != Source::Environment,
    }
}

fn finding_high(name: &str, setting: &Setting, what: String) -> Finding {
    let mut found = finding(Code::CodeInSettings, name, setting, what);
    found.severity = Severity::High;
    found
}

fn flagged(flag: &str, effect: Effect, setting: &Setting, context: &PostureContext<'_>) -> Finding {
    let told = |what: &str| format!("GOFLAGS has `{}`: it {what}", short(flag));
    match effect {
        Effect::Code(what) => graded(
            Code::CodeInSettings,
            "GOFLAGS",
            setting,
            context,
            told(what),
        ),
        Effect::Elsewhere(what) => finding(Code::SourceRedirected, "GOFLAGS", setting, told(what)),
        Effect::Looser(what) => graded(
            Code::SourceRedirected,
            "GOFLAGS",
            setting,
            context,
            told(what),
        ),
        Effect::Insecure(what) => finding(Code::InsecureTransport, "GOFLAGS", setting, told(what)),
    }
}

/// Whether a toolchain's name is that of a release of Go: `go1.26`, `go1.26.3`, `go1.27rc1`, `go1.27beta2`.
pub(super) fn is_release(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("go1") else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    rest.is_empty()
        || rest.strip_prefix('.').is_some_and(|rest| {
            let (minor, patch) = rest.split_once('.').unwrap_or((rest, "0"));
            let (minor, early) = ["rc", "beta"]
                .iter()
                .find_map(|word| minor.split_once(word))
                .unwrap_or((minor, "1"));
            number(minor) && number(early) && number(patch)
        })
}
