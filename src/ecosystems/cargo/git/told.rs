//! What a repository's own settings, hooks and objects give cause to say, as findings and notes.

use crate::formats::git::GitError;
use crate::formats::git::alternates::Alternate;
use crate::formats::git::hooks::Hook;
use crate::formats::git::posture::Posture;
use crate::formats::git::settings::{Effect, Setting};
use crate::model::text::{percent, printable};
use crate::model::{Code, Finding, Location, Place, Severity};

/// What helps. Never that it be removed: what was built from it would stay, and cargo would link it again.
pub(super) const HEAL: &str = "untaint heal --yes, with the arguments of this scan: it takes away what was built from it, too";

/// Most lines of one kind in a message.
const NAMED: usize = 3;

/// Findings about the settings and hooks of the repository at `rel` (below the cache root).
pub(super) fn posture(rel: &str, posture: &Posture) -> Vec<Finding> {
    let mut findings = Vec::new();
    for placed in &posture.settings {
        let file = format!("{rel}/{}", placed.file);
        findings.push(setting(&file, &placed.setting));
    }
    for hook in &posture.hooks {
        findings.push(hook_finding(rel, hook));
    }
    findings
}

fn setting(file: &str, setting: &Setting) -> Finding {
    let name = printable(&setting.name);
    let (code, does) = match setting.effect {
        Effect::RunsCode => (Code::CodeInSettings, "makes git run a program"),
        Effect::Redirects if goes_elsewhere(&setting.name) => {
            (Code::SourceRedirected, "sends git elsewhere")
        }
        Effect::Redirects => (
            Code::CodeInSettings,
            "takes files or settings from elsewhere",
        ),
        Effect::Loosens if setting.name.ends_with("sslverify") => {
            (Code::InsecureTransport, "turns a certificate check off")
        }
        Effect::Loosens => (Code::CodeInSettings, "turns a check of git's off"),
    };
    let mut finding = Finding::new(
        code,
        Place::Cache,
        format!(
            "`{name}` in the settings of a cached repository {does}; cargo writes no such setting"
        ),
    );
    // What lies in a cache is audited: nothing that cargo itself made says this.
    finding.severity = Severity::High;
    finding.rel = Some(file.to_owned());
    finding.location = Some(Location {
        file: file.to_owned(),
        line: Some(setting.line),
    });
    finding.remedy = Some(HEAL.into());
    finding
}

fn goes_elsewhere(name: &str) -> bool {
    ["url.", "remote.", "http.", "https."]
        .iter()
        .any(|start| name.starts_with(start))
}

fn hook_finding(rel: &str, hook: &Hook) -> Finding {
    let (name, escaped) = percent(&hook.name);
    let armed = if hook.armed {
        "could run"
    } else {
        "is not executable yet"
    };
    let mut finding = Finding::new(
        Code::CodeInSettings,
        Place::Cache,
        format!(
            "the hook `{}` of a cached repository {armed}; cargo installs none",
            printable(&name)
        ),
    );
    finding.severity = if hook.armed {
        Severity::High
    } else {
        Severity::Medium
    };
    let file = format!("{rel}/hooks/{name}");
    finding.rel = Some(file.clone());
    finding.path_escaped = escaped;
    finding.location = Some(Location { file, line: None });
    finding.remedy = Some(HEAL.into());
    finding
}

/// A finding that objects are not what their names say; `None` if there are none.
pub(super) fn bad_objects<'e>(
    rel: &str,
    bad: impl Iterator<Item = &'e GitError>,
    total: u64,
) -> Option<Finding> {
    let first: Vec<String> = bad.take(NAMED).map(|e| printable(&e.to_string())).collect();
    if first.is_empty() {
        return None;
    }
    let more = total.saturating_sub(first.len() as u64);
    let mut message = format!(
        "git objects are not what their names say: {}",
        first.join("; ")
    );
    if more > 0 {
        message.push_str(&format!("; and {more} more"));
    }
    let mut finding = Finding::new(Code::ArchiveTampered, Place::Cache, message);
    finding.rel = Some(rel.to_owned());
    finding.remedy = Some(HEAL.into());
    Some(finding)
}

/// Findings about object folders that lie elsewhere.
pub(super) fn alternates(rel: &str, alternates: &[Alternate]) -> Vec<Finding> {
    alternates
        .iter()
        .filter(|alternate| alternate.inside.is_none())
        .take(NAMED)
        .map(|alternate| {
            let mut finding = Finding::new(
                Code::LinkEscape,
                Place::Cache,
                format!(
                    "the repository borrows objects from `{}`, outside of it; they were not read",
                    printable(&String::from_utf8_lossy(&alternate.written))
                ),
            );
            finding.rel = Some(format!("{rel}/objects/info/alternates"));
            finding.remedy = Some(HEAL.into());
            finding
        })
        .collect()
}
