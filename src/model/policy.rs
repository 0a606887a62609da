//! The policy: what makes a run fail, what may stay unverifiable, what is waived. Pure values; `decide` applies them.
//!
//! Spellings are those of options and policy files (CONTRACT sections 1, 2 and 6). Lists replace the built-in list;
//! the word `default` stands for it.

use std::collections::BTreeSet;
use std::fmt;

use super::claim::Assurance;
use super::code::{Class, Code, Severity};
use super::day::Day;
use super::digest::Digest;
use super::finding::Finding;
use super::reason::Reason;

/// What a run must fail on: a class from a severity upward, or one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Selector {
    /// A class, from this severity upward.
    Class(Class, Severity),
    /// One code, at any severity.
    Code(Code),
}

impl Selector {
    /// Reads `CLASS`, `CLASS:LEVEL` or `CODE`; a class without a level means from low.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, level) = match text.split_once(':') {
            Some((head, level)) => (head, Some(Severity::parse(level)?)),
            None => (text, None),
        };
        if let Some(class) = Class::parse(head) {
            return Some(Self::Class(class, level.unwrap_or(Severity::Low)));
        }
        let code = Code::ALL.iter().copied().find(|c| c.as_str() == head)?;
        level.is_none().then_some(Self::Code(code))
    }

    /// Whether a finding of this code and severity is meant.
    pub fn selects(self, code: Code, severity: Severity) -> bool {
        match self {
            Self::Class(class, level) => code.class() == class && severity >= level,
            Self::Code(own) => own == code,
        }
    }

    /// Whether everything that `other` selects is selected by this one too.
    pub fn includes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Class(a, level), Self::Class(b, other)) => a == b && level <= other,
            // A code may come with any severity.
            (Self::Class(a, level), Self::Code(code)) => {
                a == code.class() && level == Severity::Info
            }
            (Self::Code(a), Self::Code(b)) => a == b,
            (Self::Code(_), Self::Class(..)) => false,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class, Severity::Low) => f.write_str(class.as_str()),
            Self::Class(class, level) => write!(f, "{}:{}", class.as_str(), level.as_str()),
            Self::Code(code) => f.write_str(code.as_str()),
        }
    }
}

/// What to make of derived state (`--derived`), strictest last so that `Ord` reads as "stricter than".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Derived {
    /// Not even listed.
    Ignore,
    /// Listed with its size; has no effect.
    Note,
    /// Unverifiable, exit 3.
    Deny,
}

impl Derived {
    /// Every mode, mildest first.
    pub const ALL: [Self; 3] = [Self::Ignore, Self::Note, Self::Deny];

    /// Spelling in options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Note => "note",
            Self::Deny => "deny",
        }
    }

    /// Reads the spelling of options.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str() == text)
    }
}

/// What a waiver is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waivable {
    /// An advisory's id or alias, or a finding's id.
    Id(String),
    /// A code for a package, and for one version of it if given.
    Code {
        /// Which code.
        code: Code,
        /// Package name, verbatim.
        package: String,
        /// Package version, verbatim.
        version: Option<String>,
    },
}

/// A finding that somebody answers for, until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// What it is about.
    pub what: Waivable,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub until: Day,
    /// Who answers for it.
    pub owner: Option<String>,
    /// File and line that say so, for messages.
    pub at: String,
}

impl Waiver {
    /// Whether it is about this finding; whether it still holds is [`Day::is_over`]'s question.
    ///
    /// An integrity finding is covered only by its own id, and only if that id was made from an artifact and a digest.
    pub fn covers(&self, finding: &Finding) -> bool {
        let exact = finding.artifact.is_some() && finding.observed.is_some();
        match &self.what {
            Waivable::Id(id) if *id == finding.id => {
                finding.code.class() != Class::Integrity || exact
            }
            _ if finding.code.class() == Class::Integrity => false,
            Waivable::Id(id) => finding
                .advisory
                .as_ref()
                .is_some_and(|a| a.id == *id || a.aliases.contains(id)),
            Waivable::Code {
                code,
                package,
                version,
            } => {
                *code == finding.code
                    && finding.package.as_deref() == Some(package.as_str())
                    && version
                        .as_ref()
                        .is_none_or(|v| finding.version.as_deref() == Some(v.as_str()))
            }
        }
    }
}

/// The artifact of an [`Accept`]: `ECOSYSTEM:NAME@VERSION:FILE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AcceptedArtifact {
    /// Ecosystem, as reports name it.
    pub ecosystem: String,
    /// Package name, verbatim.
    pub name: String,
    /// Package version, verbatim.
    pub version: String,
    /// File name of the artifact.
    pub file: String,
}

impl AcceptedArtifact {
    /// Reads `ECOSYSTEM:NAME@VERSION:FILE`; a name may hold `@` and `:`.
    pub fn parse(text: &str) -> Option<Self> {
        let (ecosystem, rest) = text.split_once(':')?;
        let (package, file) = rest.rsplit_once(':')?;
        let (name, version) = package.rsplit_once('@')?;
        let parts = [ecosystem, name, version, file];
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let [ecosystem, name, version, file] = parts.map(str::to_owned);
        Some(Self {
            ecosystem,
            name,
            version,
            file,
        })
    }
}

impl fmt::Display for AcceptedArtifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ecosystem,
            name,
            version,
            file,
        } = self;
        write!(f, "{ecosystem}:{name}@{version}:{file}")
    }
}

/// An unverifiable artifact that somebody answers for, by its bytes, until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    /// Which artifact.
    pub artifact: AcceptedArtifact,
    /// Which bytes; never a weak digest.
    pub digest: Digest,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub until: Day,
    /// File and line that say so, for messages.
    pub at: String,
}

/// Everything that turns what was seen into a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What a run fails on.
    pub fail_on: Vec<Selector>,
    /// Reasons that may stay; never holds [`Reason::Derived`], which follows [`Policy::derived`].
    pub allow: BTreeSet<Reason>,
    /// What to make of derived state.
    pub derived: Derived,
    /// Assurance from which a subject is verified.
    pub require: Assurance,
    /// Oldest advisory data that counts, in seconds.
    pub max_feed_age: u64,
    /// Waivers in force, in the order of their files.
    pub waivers: Vec<Waiver>,
    /// Accepted artifacts, in the order of their files.
    pub accepts: Vec<Accept>,
    /// Whether advisories are judged (`--no-advisories`).
    pub advisories: bool,
    /// Whether integrity is judged (`--no-integrity`).
    pub integrity: bool,
    /// Whether nothing to audit is a 0.
    pub allow_empty: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fail_on: Self::default_fail_on().to_vec(),
            allow: Self::default_allow(),
            derived: Derived::Note,
            require: Assurance::Published,
            max_feed_age: Self::DEFAULT_MAX_FEED_AGE,
            waivers: Vec::new(),
            accepts: Vec::new(),
            advisories: true,
            integrity: true,
            allow_empty: false,
        }
    }
}

impl Policy {
    /// Seven days, in seconds.
    pub const DEFAULT_MAX_FEED_AGE: u64 = 7 * 86_400;

    /// The built-in threshold.
    pub const fn default_fail_on() -> [Selector; 9] {
        [
            Selector::Class(Class::Integrity, Severity::Low),
            Selector::Class(Class::Lockfile, Severity::High),
            Selector::Class(Class::Upstream, Severity::High),
            Selector::Class(Class::Malicious, Severity::Low),
            Selector::Class(Class::Revoked, Severity::Low),
            Selector::Class(Class::Indicator, Severity::Low),
            Selector::Class(Class::Source, Severity::High),
            Selector::Class(Class::Place, Severity::High),
            Selector::Class(Class::Advisory, Severity::High),
        ]
    }

    /// The reasons that are allowed unless somebody says otherwise.
    pub fn default_allow() -> BTreeSet<Reason> {
        Reason::ALL
            .into_iter()
            .filter(|reason| reason.allowed_by_default())
            .collect()
    }

    /// Whether a finding of this code and severity fails the run.
    pub fn reaches(&self, code: Code, severity: Severity) -> bool {
        self.fail_on.iter().any(|s| s.selects(code, severity))
    }

    /// Whether something may stay unverifiable for this reason.
    pub fn allows(&self, reason: Reason) -> bool {
        match reason {
            Reason::Derived => self.derived != Derived::Deny,
            other => self.allow.contains(&other),
        }
    }
}

#[cfg(test)]
mod tests;
