//! What heal acts on, and what it is there for: the rest is left to the user, and says so.

use super::Choice;
use super::places::strays;
use crate::model::{Class, Code, Finding, Outcome, Place};
use crate::pipeline::ailing::Ailing;

/// Whether a finding is about something that heal is there for: where no step answers it, it is the user's own work.
pub fn is_healings(finding: &Finding) -> bool {
    match finding.class() {
        Class::Integrity
        | Class::Lockfile
        | Class::Malicious
        | Class::Indicator
        | Class::Revoked => true,
        Class::Place => finding.place == Place::Cache,
        Class::Upstream | Class::Advisory | Class::Source | Class::Policy => false,
    }
}

/// Whether the plan acts on it.
pub(super) fn is_for_us(ailing: &Ailing, choice: &Choice) -> bool {
    let ours = match ailing.place {
        Place::Cache => true,
        Place::Vendor => choice.project,
        _ => false,
    };
    if !ours || ailing.healer.is_none() {
        return false;
    }
    let named =
        choice.only.is_empty() || ailing.findings.iter().any(|f| choice.only.contains(&f.id));
    if !named {
        return false;
    }
    if ailing.rel.as_os_str().is_empty() {
        // What lies in a vendor folder and is no module's was published by nobody.
        return ailing.place == Place::Vendor
            && ailing.outcome == Outcome::Tainted
            && !strays(ailing).is_empty();
    }
    // What lies in a place that itself says which version it is may be the right one: who knows is the project's lockfile.
    if ailing.place == Place::Vendor && ailing.kind == "tree" && !ailing.is_built {
        return false;
    }
    let has = |code: Code| ailing.findings.iter().any(|f| f.code == code);
    let unwanted = ailing.unwanted && !ailing.findings.is_empty();
    let tainted = ailing.outcome == Outcome::Tainted
        && !ailing.findings.is_empty()
        && (ailing.trusted || has(Code::EntryMisbound) || ailing.remade.is_some());
    let armed = ailing.remade.is_some()
        && (has(Code::LinkEscape) || ailing.findings.iter().any(|f| f.class() == Class::Source));
    let unverified = choice.purge_unverified
        && (matches!(ailing.kind, "archive" | "tree" | "listing" | "entry")
            || has(Code::LinkEscape)
            || ailing.remade.is_some())
        && match ailing.outcome {
            Outcome::Conflict => true,
            Outcome::Unverifiable(reason) => !choice.allowed.contains(&reason),
            Outcome::Tainted => true,
            Outcome::Verified(_) => false,
        };
    let link = ailing.is_link_above_trees() && !ailing.findings.is_empty();
    unwanted || tainted || armed || unverified || link || ailing.is_torn_listing()
}
