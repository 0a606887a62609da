//! Where something is: a named root and a path below it, or a file and a line.

use std::sync::Arc;

/// Number of a line, counted from 1.
pub type Line = u32;

/// Stable name of a root in reports (`cargo-home`, `project`, `project-2`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootId(pub Arc<str>);

impl RootId {
    /// Wraps a stable name.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a root was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootOrigin {
    /// The tool's default place.
    Default,
    /// An environment variable.
    Env(Arc<str>),
    /// A settings file of the user.
    Settings(Arc<str>),
    /// The command line.
    CommandLine,
    /// Named by a scanned file: audited besides, never instead.
    Scanned(Arc<str>),
}

impl RootOrigin {
    /// Spelling in reports.
    pub fn text(&self) -> String {
        match self {
            Self::Default => "default".into(),
            Self::Env(name) => format!("env:{name}"),
            Self::Settings(file) => format!("settings:{file}"),
            Self::CommandLine => "command-line".into(),
            Self::Scanned(file) => format!("scanned:{file}"),
        }
    }
}

/// A root with its absolute path, as reports list it under `run.roots`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RootInfo {
    /// Stable name.
    pub id: RootId,
    /// Absolute path, escaped where it is not UTF-8.
    pub path: String,
    /// How it was found.
    pub origin: RootOrigin,
}

/// A file and a line in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// Path relative to its root, or `env:NAME`.
    pub file: String,
    /// Line, counted from 1.
    pub line: Option<Line>,
}
