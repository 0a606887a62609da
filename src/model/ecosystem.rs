//! The name of an ecosystem, as it stands in reports (`cargo`, `go`, `npm`, ...).

use std::fmt;

/// An ecosystem's stable lower-case name. Only the ecosystem's own folder makes one; nobody else matches on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EcosystemId(&'static str);

impl EcosystemId {
    /// Wraps a stable name: lower-case ASCII, as used on the command line and in reports.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for EcosystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
