//! Facts about coverage that are no findings.

use super::ecosystem::EcosystemId;
use super::reason::Reason;

/// Stable codes of notices (CONTRACT section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeCode {
    /// Something is unverifiable, with a reason.
    Unverifiable,
    /// Advisory data is missing or older than allowed.
    FeedTooOld,
    /// An authority was slow, limited or down.
    Degraded,
    /// A manifest without a lockfile.
    NoLockfile,
    /// First-party code outside the scanned root.
    FirstPartyOutside,
    /// Policy of a scanned tree that has no effect unless named.
    InertPolicy,
    /// A tool may take any package of its cache, so all of it is judged.
    WholeCache,
}

impl NoticeCode {
    /// Spelling in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unverifiable => "unverifiable",
            Self::FeedTooOld => "feed-too-old",
            Self::Degraded => "degraded",
            Self::NoLockfile => "no-lockfile",
            Self::FirstPartyOutside => "first-party-outside",
            Self::InertPolicy => "inert-policy",
            Self::WholeCache => "whole-cache",
        }
    }
}

/// A coverage fact. Notices never reach the threshold; they drive exit 3 and 4.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// Stable code.
    pub code: NoticeCode,
    /// For `unverifiable`: why.
    pub reason: Option<Reason>,
    /// Which ecosystem, if one.
    pub ecosystem: Option<EcosystemId>,
    /// Package name, if one.
    pub package: Option<String>,
    /// Package version, if one.
    pub version: Option<String>,
    /// Root and path of the subject, if one.
    pub path: Option<String>,
    /// What is so, as a lower-case fragment.
    pub message: String,
    /// What to do.
    pub remedy: Option<String>,
}
