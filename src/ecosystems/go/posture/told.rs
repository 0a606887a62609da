//! Findings about settings: where a setting stands, whose it is, and how grave that makes it.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::ecosystems::contract::PostureContext;
use crate::model::text::{percent, printable};
use crate::model::{Code, Finding, Line, Location, Place, Severity};

use super::super::GO;
use super::super::settings::{Setting, Source};

/// Longest piece of a setting in a message, in characters.
const SHOWN: usize = 120;

/// A finding about the value of a variable, as grave as its code says.
pub(super) fn finding(code: Code, name: &str, setting: &Setting, message: String) -> Finding {
    let (file, line) = match &setting.source {
        Source::Environment => (None, None),
        Source::User(file, line) | Source::Shipped(file, line) => (Some(&**file), Some(*line)),
    };
    let mut finding = match file {
        Some(file) => in_file(code, file, line, message),
        None => {
            let mut finding = Finding::new(code, Place::Settings, message);
            finding.ecosystem = Some(GO);
            finding.location = Some(Location {
                file: format!("env:{name}"),
                line: None,
            });
            finding
        }
    };
    finding.remedy = Some(match &setting.source {
        Source::Environment => format!("unset {name}, or set it to what you mean"),
        Source::User(..) => format!("go env -u {name}"),
        Source::Shipped(..) => "install Go anew".to_owned(),
    });
    finding
}

/// A finding about a file.
pub(super) fn in_file(code: Code, file: &Path, line: Option<Line>, message: String) -> Finding {
    let mut finding = Finding::new(code, Place::Settings, message);
    finding.ecosystem = Some(GO);
    finding.location = Some(Location {
        file: printable(&file.display().to_string()),
        line,
    });
    let (path, escaped) = percent(file.as_os_str().as_bytes());
    finding.path = Some(path);
    finding.path_escaped = escaped;
    finding
}

/// The same, medium where the user says it and names nothing that others bring along.
pub(super) fn graded(
    code: Code,
    name: &str,
    setting: &Setting,
    context: &PostureContext<'_>,
    message: String,
) -> Finding {
    let mut finding = finding(code, name, setting, message);
    let of_others = match &setting.source {
        Source::User(file, _) | Source::Shipped(file, _) => is_audited(file, context),
        Source::Environment => false,
    };
    finding.severity = if of_others || names_audited(&setting.value, context) {
        Severity::High
    } else {
        Severity::Medium
    };
    finding
}

/// Whether a path lies in a scanned project or an audited cache.
pub(super) fn is_audited(path: &Path, context: &PostureContext<'_>) -> bool {
    let mut roots = context.projects.iter().chain(context.caches);
    roots.any(|(root, _)| path.starts_with(root))
}

/// Whether a value names a file that whoever fills a project or a cache could have put there: also a relative one, which is
/// looked for where Go is started.
fn names_audited(value: &str, context: &PostureContext<'_>) -> bool {
    value
        .split(|c: char| c.is_whitespace() || matches!(c, '=' | ',' | '"' | '\'' | ';'))
        .map(|word| {
            let start = word.find(['/', '.']).unwrap_or(word.len());
            word.get(start..).unwrap_or_default()
        })
        .filter(|path| path.contains('/'))
        .any(|path| {
            let relative = path.starts_with("./") || path.starts_with("../");
            relative || is_audited(&normal(Path::new(path)), context)
        })
}

/// A path without `.` and `..`, by its text alone.
pub(in super::super) fn normal(path: &Path) -> std::path::PathBuf {
    let mut out = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// A piece of a setting for a message.
pub(super) fn short(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= SHOWN {
        return text;
    }
    let mut cut: String = text.chars().take(SHOWN).collect();
    cut.push('…');
    cut
}

/// An address for a message: without what may be a password.
pub(super) fn bare(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return short(address);
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    short(&format!("{scheme}://{host}{path}"))
}
