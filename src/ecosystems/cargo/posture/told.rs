//! Where a setting stands, whose it is, and findings about it.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::PostureContext;
use crate::model::text::{percent, printable};
use crate::model::{Code, Finding, Line, Location, Place, RootId, Severity};

use super::super::CARGO;
use super::search::real;

/// Longest piece of a setting in a message, in characters.
const SHOWN: usize = 120;

/// Where settings stand.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Name for messages and locations: a path below a root, an absolute path, or `env:NAME`.
    pub(super) file: String,
    /// Root that the file lies in, if any.
    root: Option<RootId>,
    /// Absolute path of the file, if it is one.
    path: Option<PathBuf>,
    /// What relative paths are relative to.
    pub(super) base: PathBuf,
    /// Whether whoever writes a scanned project can write it.
    pub(super) scanned: bool,
}

impl Source {
    /// A settings file. `own` is the usual cargo home of the user, resolved: also where the whole home folder is scanned,
    /// what it holds is the user's. A file is in a tree that spells its path, and in the one that it really lies in.
    pub(super) fn file(
        path: &Path,
        base: &Path,
        own: Option<&Path>,
        context: &PostureContext<'_>,
    ) -> Self {
        let mut roots: Vec<&(PathBuf, RootId)> =
            context.projects.iter().chain(context.caches).collect();
        let real = real(context.fs, path);
        let below = |root: &Path| path.starts_with(root) || real.starts_with(root);
        // The innermost root names it; folders of settings inside a project belong to the project's root.
        roots.retain(|(root, _)| below(root));
        let is_own = own.is_some() && real.parent() == own;
        let scanned = !is_own && context.projects.iter().any(|(root, _)| below(root));
        let root = if scanned {
            roots
                .iter()
                .min_by_key(|(root, _)| root.components().count())
        } else {
            roots
                .iter()
                .max_by_key(|(root, _)| root.components().count())
        };
        let shown = root.and_then(|(root, _)| {
            let real = real.strip_prefix(root).ok();
            real.or_else(|| path.strip_prefix(root).ok())
        });
        Self {
            file: percent(shown.unwrap_or(path).as_os_str().as_bytes()).0,
            root: root.map(|(_, id)| id.clone()),
            path: Some(path.to_owned()),
            base: base.to_owned(),
            scanned,
        }
    }

    /// An environment variable.
    pub(super) fn variable(name: &str, base: &Path) -> Self {
        Self {
            file: format!("env:{}", printable(name)),
            root: None,
            path: None,
            base: base.to_owned(),
            scanned: false,
        }
    }

    /// A finding about a setting here.
    pub(super) fn finding(&self, code: Code, line: Option<Line>, message: String) -> Finding {
        let mut finding = Finding::new(code, Place::Settings, message);
        finding.ecosystem = Some(CARGO);
        finding.location = Some(Location {
            file: self.file.clone(),
            line,
        });
        if let Some(path) = &self.path {
            let (path, escaped) = percent(path.as_os_str().as_bytes());
            finding.path = Some(path);
            finding.path_escaped = escaped;
        }
        if let Some(root) = &self.root {
            finding.root = Some(root.clone());
            finding.rel = Some(self.file.clone());
        }
        finding
    }

    /// A finding that is worse where a scanned tree says it.
    pub(super) fn graded(&self, code: Code, line: Option<Line>, message: String) -> Finding {
        let mut finding = self.finding(code, line, message);
        finding.severity = if self.scanned {
            Severity::High
        } else {
            Severity::Medium
        };
        finding
    }

    /// `file:line` for origins.
    pub(super) fn at(&self, line: Option<Line>) -> String {
        line.map_or_else(|| self.file.clone(), |line| format!("{}:{line}", self.file))
    }
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
