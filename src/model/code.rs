//! Finding codes: stable, unique, with class and severity (CONTRACT section 4). The one place to add one.

use std::fmt;

/// What a finding is about. A code never changes its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Bytes are not what was published.
    Integrity,
    /// A lockfile says what is not so.
    Lockfile,
    /// What became of it at its registry.
    Upstream,
    /// A security advisory.
    Advisory,
    /// Known to be malicious.
    Malicious,
    /// An indicator of compromise.
    Indicator,
    /// Revoked by its publisher.
    Revoked,
    /// Where it comes from, and what runs on the way.
    Source,
    /// Who can write where it lies.
    Place,
    /// Our own policy and data.
    Policy,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 10] = [
        Self::Integrity,
        Self::Lockfile,
        Self::Upstream,
        Self::Advisory,
        Self::Malicious,
        Self::Indicator,
        Self::Revoked,
        Self::Source,
        Self::Place,
        Self::Policy,
    ];

    /// Spelling in reports and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::Lockfile => "lockfile",
            Self::Upstream => "upstream",
            Self::Advisory => "advisory",
            Self::Malicious => "malicious",
            Self::Indicator => "indicator",
            Self::Revoked => "revoked",
            Self::Source => "source",
            Self::Place => "place",
            Self::Policy => "policy",
        }
    }

    /// Reads the spelling of options.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }
}

/// How bad it is, mildest first so that `Ord` reads as "worse than".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// Spelling in reports and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Reads the spelling of options.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// The severity of a CVSS score (0.0 to 10.0).
    pub fn of_score(score: f64) -> Self {
        match score {
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Medium,
            s if s > 0.0 => Self::Low,
            _ => Self::Info,
        }
    }
}

macro_rules! codes {
    ($($variant:ident $name:literal $class:ident $severity:ident $summary:literal;)*) => {
        /// A stable finding code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $summary] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Kebab-case spelling in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its class.
            pub const fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)* }
            }

            /// Its severity where the circumstances do not change it.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What it means, in one line.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }
        }
    };
}

codes! {
    ArchiveTampered "archive-tampered" Integrity Critical "bytes differ from what claims from outside say";
    TreeModified "tree-modified" Integrity Critical "a file of an unpacked tree differs from its verified archive";
    TreeMissingFile "tree-missing-file" Integrity Critical "a file of the verified archive is missing from its unpacked tree";
    TreeExtraFile "tree-extra-file" Integrity Critical "an unpacked tree holds a file that its verified archive does not";
    TreeIrregularFile "tree-irregular-file" Integrity Critical "an unpacked tree holds a link, a device or a mode that its verified archive does not";
    ArchiveAmbiguous "archive-ambiguous" Integrity Critical "two readers would extract different content from this archive";
    EntryMisbound "entry-misbound" Integrity Critical "genuine bytes under the wrong key";
    SidecarForged "sidecar-forged" Integrity Critical "the cache's own checksum record is valid and false";
    MetadataPoisoned "metadata-poisoned" Integrity Critical "a cached listing says of a version what the registry denies";
    NeverPublished "never-published" Integrity Critical "the registry never published this version";
    PublishedHashChanged "published-hash-changed" Integrity Critical "two trusted claims about the same artifact disagree";
    LogRecordForged "log-record-forged" Integrity Critical "a cached transparency-log record is not in the log";
    LogTileForged "log-tile-forged" Integrity Critical "a cached transparency-log tile does not hash to its parent";
    LogForked "log-forked" Integrity Critical "two signed heads of the same log cannot both be true";
    FirstSeenChanged "first-seen-changed" Integrity Critical "the bytes differ from those first seen on this machine";
    BuildCacheTampered "build-cache-tampered" Integrity Critical "a build cache holds content that its name or source denies";
    BuiltFromTainted "built-from-tainted" Integrity Critical "something was built from tainted bytes";
    ChangedDuringRun "changed-during-run" Integrity Critical "audited bytes changed while the guarded command ran";
    LockfileHashMismatch "lockfile-hash-mismatch" Lockfile Critical "the recorded hash is not what was published";
    LockfileHashUnknown "lockfile-hash-unknown" Lockfile High "a recorded hash is unknown in a set of which another is genuine";
    LockfileFactMismatch "lockfile-fact-mismatch" Lockfile High "the lockfile says of an artifact what the registry denies";
    LockfileHashMissing "lockfile-hash-missing" Lockfile Medium "the lockfile records no hash";
    LockfileHashWeak "lockfile-hash-weak" Lockfile Medium "the lockfile records only a weak hash";
    Withdrawn "withdrawn" Upstream High "gone from the registry, once there";
    Yanked "yanked" Upstream Medium "its authors took it back";
    QuarantinedUpstream "quarantined-upstream" Upstream High "its registry holds it in quarantine";
    Vulnerable "vulnerable" Advisory High "a security advisory covers this version";
    Unsound "unsound" Advisory Info "an advisory calls this version unsound";
    Unmaintained "unmaintained" Advisory Info "an advisory calls this package unmaintained";
    Malicious "malicious" Malicious Critical "an advisory calls this version malicious";
    IndicatorMatch "indicator-match" Indicator Critical "it matches a recorded indicator of compromise";
    Revoked "revoked" Revoked Critical "it was revoked by its publisher";
    SourceRedirected "source-redirected" Source High "settings send a source elsewhere, neither a known root nor a pinned mirror";
    ChecksumDatabaseDisabled "checksum-database-disabled" Source High "settings turn the checksum database off";
    InsecureTransport "insecure-transport" Source High "settings allow transport that anyone on the way can change";
    ExtraIndex "extra-index" Source Medium "settings add a further index";
    PlaceRedirected "place-redirected" Source Medium "a scanned tree moves a cache or a store";
    CodeInSettings "code-in-settings" Source Medium "settings make a tool run a program";
    LookalikeName "lookalike-name" Source Medium "the name looks like a well-known one";
    InstallScript "install-script" Source Info "it runs a script when it is installed";
    SuspiciousContent "suspicious-content" Source High "published content that matches a rule for malicious code";
    CacheWritableByOthers "cache-writable-by-others" Place High "others can write into the cache";
    ForeignOwner "foreign-owner" Place Medium "a cache entry belongs to another user";
    LinkEscape "link-escape" Place High "a link leads out of the cache";
    CredentialsExposed "credentials-exposed" Place High "others can read stored credentials";
    SelfExposed "self-exposed" Place High "untaint's own program, configuration or state can be changed by others";
    FilesOmitted "files-omitted" Place Info "a committed vendor folder lacks files that an ignore rule names";
    WaiverExpired "waiver-expired" Policy Medium "a waiver has run out";
    WaiverUnused "waiver-unused" Policy Info "a waiver matches nothing";
    LicenceDenied "licence-denied" Policy High "its licence is denied by policy";
    FeedRolledBack "feed-rolled-back" Policy High "an advisory feed went back in time or shrank and was refused";
}

impl Code {
    /// Reads the spelling of options and reports.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(
            names
                .iter()
                .all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        );
        assert!(
            Code::ALL
                .iter()
                .all(|c| Code::parse(c.as_str()) == Some(*c))
        );
    }
}
