//! Why a subject could not be verified: a closed list, each with its effect and one line of advice.

use std::fmt;

/// A reason why something is unverifiable (CONTRACT section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The run was offline and nothing remembered says.
    Offline,
    /// The authority did not answer.
    Unreachable,
    /// A limit of ours was reached.
    Limit,
    /// The file could not be read.
    Unreadable,
    /// The file changed while it was read, twice.
    ChangedWhileRead,
    /// Its tool could load it; as what, we cannot say.
    Unbound,
    /// Its registry is neither recognised nor pinned.
    UnpinnedRoot,
    /// The authority answers, but knows nothing of it yet.
    NoRecord,
    /// Only a lockfile vouches for it.
    DeclaredOnly,
    /// Only our own memory vouches for it.
    RememberedOnly,
    /// Only SHA-1 or MD5 vouch for it.
    WeakDigest,
    /// Nothing to compare a tree with.
    ArchiveNotHeld,
    /// A newer format than we know.
    UnknownFormatVersion,
    /// Known, but there is no reader for it.
    Unsupported,
    /// Private by our own configuration.
    Private,
    /// Private by the tool's settings alone.
    PrivateUnconfirmed,
    /// The tree equals the locked commit's objects: declared.
    Git,
    /// A vendored git package, or objects gone.
    GitUnheld,
    /// Built on this machine.
    LocallyBuilt,
    /// Changed by its own install script.
    PostInstall,
    /// Build cache, `target/`, byte code.
    Derived,
    /// Content that no tool would load.
    Orphan,
}

impl Reason {
    /// Every reason, in the contract's order.
    pub const ALL: [Self; 22] = [
        Self::Offline,
        Self::Unreachable,
        Self::Limit,
        Self::Unreadable,
        Self::ChangedWhileRead,
        Self::Unbound,
        Self::UnpinnedRoot,
        Self::NoRecord,
        Self::DeclaredOnly,
        Self::RememberedOnly,
        Self::WeakDigest,
        Self::ArchiveNotHeld,
        Self::UnknownFormatVersion,
        Self::Unsupported,
        Self::Private,
        Self::PrivateUnconfirmed,
        Self::Git,
        Self::GitUnheld,
        Self::LocallyBuilt,
        Self::PostInstall,
        Self::Derived,
        Self::Orphan,
    ];

    /// Spelling in reports and in `--allow`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Unreachable => "unreachable",
            Self::Limit => "limit",
            Self::Unreadable => "unreadable",
            Self::ChangedWhileRead => "changed-while-read",
            Self::Unbound => "unbound",
            Self::UnpinnedRoot => "unpinned-root",
            Self::NoRecord => "no-record",
            Self::DeclaredOnly => "declared-only",
            Self::RememberedOnly => "remembered-only",
            Self::WeakDigest => "weak-digest",
            Self::ArchiveNotHeld => "archive-not-held",
            Self::UnknownFormatVersion => "unknown-format-version",
            Self::Unsupported => "unsupported",
            Self::Private => "private",
            Self::PrivateUnconfirmed => "private-unconfirmed",
            Self::Git => "git",
            Self::GitUnheld => "git-unheld",
            Self::LocallyBuilt => "locally-built",
            Self::PostInstall => "post-install",
            Self::Derived => "derived",
            Self::Orphan => "orphan",
        }
    }

    /// Reads the spelling of `--allow`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }

    /// Whether the default policy allows it (and lists it). `derived` follows `--derived` instead.
    pub const fn allowed_by_default(self) -> bool {
        matches!(self, Self::Git | Self::PostInstall | Self::Orphan)
    }

    /// One line that says what to do.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Offline => "run once without --offline, or pass --claims FILE@sha256:HEX",
            Self::Unreachable => "the registry did not answer: check the network and run again",
            Self::Limit => {
                "it is larger than untaint's limits: raise --max-fetch or look at it by hand"
            }
            Self::Unreadable => "make it readable for this user, or remove it",
            Self::ChangedWhileRead => "something writes there: run again when builds have ended",
            Self::Unbound => {
                "it cannot be told which package it is: remove it, its tool will fetch it again"
            }
            Self::UnpinnedRoot => "pin its registry: `untaint trust discover` prints the command",
            Self::NoRecord => "published very recently: run again in an hour",
            Self::DeclaredOnly => {
                "only a lockfile vouches for it: pin its registry, or allow with --require declared"
            }
            Self::RememberedOnly => {
                "only an earlier run vouches for it: pin its registry, or allow with --require remembered"
            }
            Self::WeakDigest => {
                "only SHA-1 or MD5 vouch for it: regenerate the lockfile with a current tool"
            }
            Self::ArchiveNotHeld => {
                "allow fetching (--fetch-archives missing, without --offline), or remove the tree"
            }
            Self::UnknownFormatVersion => {
                "written by a newer tool than untaint knows: update untaint"
            }
            Self::Unsupported => "there is no reader for it yet",
            Self::Private => {
                "private by your configuration: set `require` in [private] of trust.toml"
            }
            Self::PrivateUnconfirmed => {
                "private by the tool's settings alone, so nobody was asked: confirm it under [private] in trust.toml (`untaint trust discover` prints the lines)"
            }
            Self::Git => {
                "equals the objects of the locked commit; nothing outside vouches for the commit itself"
            }
            Self::GitUnheld => {
                "its git objects are not here: let the tool fetch them, then run again"
            }
            Self::LocallyBuilt => {
                "built on this machine: accept it by digest (`untaint accept --help`) or build again"
            }
            Self::PostInstall => "changed by its own install script",
            Self::Derived => "build again from verified sources, or allow with --derived note",
            Self::Orphan => "no tool loads it",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
