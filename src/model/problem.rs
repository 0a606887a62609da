//! Something could not be read or checked. The run goes on; coverage says so.

/// What a problem does to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing of it was looked at: exit 3.
    Skipped,
    /// Some of it was looked at: exit 3.
    Partial,
    /// Its own tool ignores it too: no effect.
    AsTheTool,
}

impl Effect {
    /// Spelling in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Partial => "partial",
            Self::AsTheTool => "as-the-tool",
        }
    }
}

/// One thing that could not be read or checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file or place, already escaped where it was not UTF-8.
    pub path: String,
    /// Whether [`Problem::path`] was escaped.
    pub path_escaped: bool,
    /// Lower-case fragment: what, and what to do.
    pub message: String,
    /// What it does to the verdict.
    pub effect: Effect,
}

impl Problem {
    /// A problem after which nothing of the place was looked at.
    pub fn skipped(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            path_escaped: false,
            message: message.into(),
            effect: Effect::Skipped,
        }
    }

    /// A problem after which the rest of the place was looked at.
    pub fn partial(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            path_escaped: false,
            message: message.into(),
            effect: Effect::Partial,
        }
    }

    /// A problem that its own tool ignores too.
    pub fn as_the_tool(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            path_escaped: false,
            message: message.into(),
            effect: Effect::AsTheTool,
        }
    }

    /// The same problem at a path, whose bytes are escaped where they are no UTF-8.
    #[must_use]
    pub fn at(self, path: &std::path::Path) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        let (path, escaped) = super::text::percent(path.as_os_str().as_bytes());
        Self { path, ..self }.escaped(escaped)
    }

    /// The same problem, with the note whether its path was escaped (second value of [`super::text::percent`]).
    #[must_use]
    pub fn escaped(mut self, path_escaped: bool) -> Self {
        self.path_escaped = path_escaped;
        self
    }
}
