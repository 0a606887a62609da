//! Beside the stages: how a heal ends. One value, from which the word, the exit code and the JSON are printed.
//!
//! A pure function of the last scan, of what was done, and of what was left. What heal can do nothing about (advisories,
//! settings) does not make it fail, but never lets it say that all is clean: that word belongs to a scan that ends 0.

use std::collections::{BTreeMap, BTreeSet};

use super::built::Left;
use super::heal::plan::is_healings;
use super::heal::receipt::{Ended, Receipts};
use super::heal::recover::Recovered;
use crate::model::policy::Policy;
use crate::model::report::{CheckRow, Report, VerdictResult};
use crate::model::{Class, Effect, Finding, NoticeCode, Outcome, Place, Reason, Severity};

/// The end of a heal in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealResult {
    /// As this scan ended.
    As(VerdictResult),
    /// Nothing is left for heal to do; a scan does not end clean all the same.
    Done,
}

impl HealResult {
    /// Spelling in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::As(result) => result.as_str(),
            Self::Done => "done",
        }
    }

    /// The verdict that an exit code is made of.
    pub const fn verdict(self) -> VerdictResult {
        match self {
            Self::As(result) => result,
            Self::Done => VerdictResult::Clean,
        }
    }
}

/// Something that keeps a heal from ending clean, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Why, by the list of reasons; `None` where something could not be read.
    pub reason: Option<Reason>,
    /// Where, escaped where it is not UTF-8; empty where there is no place.
    pub path: String,
    /// What it is, or what went wrong.
    pub what: String,
    /// What to do, where the message does not say it.
    pub advice: Option<&'static str>,
}

/// How a heal ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealVerdict {
    /// The worst that applies.
    pub result: HealResult,
    /// Every reason that led to it, worst first.
    pub reasons: Vec<String>,
    /// What a scan reports besides, about which heal can do nothing.
    pub beside: Vec<String>,
    /// Everything that could not be read or verified, and that the policy does not allow.
    pub gaps: Vec<Gap>,
}

/// What a verdict is made of.
pub struct Facts<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The last scan: after what was done, if anything was.
    pub report: &'a Report,
    /// Steps of a plan that was shown and not carried out.
    pub planned: usize,
    /// What was done.
    pub receipts: Option<&'a Receipts>,
    /// Interrupted runs that were looked at.
    pub recovered: &'a [Recovered],
    /// What was built and is left to the user.
    pub left: &'a [Left],
}

impl HealVerdict {
    /// From everything that is known at the end.
    pub fn of(facts: &Facts<'_>) -> Self {
        let mut reasons: Vec<(VerdictResult, String)> = Vec::new();
        let mut add = |result, text| reasons.push((result, text));
        if facts.planned > 0 {
            let text = counted(facts.planned as u64, "step is planned", "steps are planned");
            add(VerdictResult::Findings, text);
        }
        let (ours, others) = reaching(facts);
        for (class, n) in ours {
            add(VerdictResult::Findings, told(class, n));
        }
        if let Some(text) = still_tainted(facts) {
            add(VerdictResult::Findings, text);
        }
        for text in attacked(facts) {
            add(VerdictResult::Findings, text);
        }
        let (tainted, unclear): (Vec<&Left>, Vec<&Left>) =
            facts.left.iter().partition(|left| left.tainted);
        if !tainted.is_empty() {
            let text = counted(tainted.len() as u64, "place holds", "places hold");
            let text = format!("{text} what was built from a taint and is left to you");
            add(VerdictResult::Findings, text);
        }
        if !unclear.is_empty() {
            let text = counted(unclear.len() as u64, "place", "places");
            let text = format!("{text} of which nobody can tell what was built there");
            add(VerdictResult::Incomplete, text);
        }
        for text in undone(facts) {
            add(VerdictResult::Incomplete, text);
        }
        let gaps = gaps(facts);
        for text in incomplete(facts) {
            add(VerdictResult::Incomplete, text);
        }
        let notices = &facts.report.notices;
        if notices.iter().any(|n| n.code == NoticeCode::FeedTooOld) {
            let text = "advisory data missing or older than allowed".to_owned();
            add(VerdictResult::Stale, text);
        }
        let verdict = &facts.report.verdict;
        if verdict.result == VerdictResult::Empty {
            add(VerdictResult::Empty, "nothing to audit".to_owned());
        }
        reasons.sort_by_key(|(result, _)| result.exit_code());
        let mut result = match reasons.first() {
            Some((result, _)) => HealResult::As(*result),
            None if others.is_empty() && verdict.result == VerdictResult::Clean => {
                HealResult::As(VerdictResult::Clean)
            }
            None => HealResult::Done,
        };
        let mut reasons: Vec<String> = reasons.into_iter().map(|(_, text)| text).collect();
        // A scan that is worse for a reason that nobody thought of here is believed.
        if result == HealResult::Done && others.is_empty() {
            result = HealResult::As(verdict.result);
            reasons.clone_from(&verdict.reasons);
        }
        Self {
            result,
            reasons,
            beside: others
                .into_iter()
                .map(|(class, n)| told(class, n))
                .collect(),
            gaps,
        }
    }

    /// The line that closes a page, without what stands before its colon.
    pub fn line(&self) -> String {
        let mut line = match self.result {
            HealResult::As(result) => result.as_str().to_owned(),
            HealResult::Done => "nothing is left for heal".to_owned(),
        };
        if !self.reasons.is_empty() {
            line.push_str(&format!(" ({})", self.reasons.join(", ")));
        }
        if !self.beside.is_empty() {
            line.push_str(&format!(
                "; a scan still reports {}",
                self.beside.join(", ")
            ));
        }
        line
    }
}

/// Findings by class: those that heal is there for and that must not stay, and the others that a scan tells of.
fn reaching(facts: &Facts<'_>) -> (BTreeMap<Class, u64>, BTreeMap<Class, u64>) {
    let (mut ours, mut others) = (BTreeMap::new(), BTreeMap::new());
    for finding in facts.report.findings.iter().filter(|f| f.waived.is_none()) {
        let reaches = facts.policy.reaches(finding.code, finding.severity);
        // What does not fit in a project's own copies is no taint, and yet no build goes by it.
        let copies = finding.place == Place::Vendor && finding.severity >= Severity::Medium;
        let is_ours = is_healings(finding);
        let is_told = reaches || (is_ours && finding.severity > Severity::Info);
        if !is_told {
            continue;
        }
        let counts = if is_ours && (reaches || copies) {
            &mut ours
        } else {
            &mut others
        };
        *counts.entry(finding.class()).or_default() += 1;
    }
    (ours, others)
}

/// A threshold may leave integrity out; what is tainted stays so. A waiver by exact bytes may.
fn still_tainted(facts: &Facts<'_>) -> Option<String> {
    let total = facts.report.coverage.total();
    let stays = total.tainted + total.conflict;
    let below = |f: &&Finding| {
        matches!(f.class(), Class::Integrity | Class::Lockfile)
            && f.severity >= Severity::High
            && f.waived.is_none()
            && !facts.policy.reaches(f.code, f.severity)
    };
    let below = facts.report.findings.iter().filter(below).count();
    (stays > 0 && below > 0).then(|| {
        counted(
            stays,
            "subject stays tainted, below the threshold",
            "subjects stay tainted, below the threshold",
        )
    })
}

/// What a registry sent that it had not published.
fn attacked(facts: &Facts<'_>) -> Vec<String> {
    let done = facts.receipts.iter().flat_map(|receipts| &receipts.done);
    let other = done.filter(|receipt| receipt.other_bytes);
    let told = other.map(|receipt| {
        format!(
            "for {} {} other bytes were sent than those that were published: an attack, or a broken mirror; nothing of it was used",
            receipt.ecosystem, receipt.package
        )
    });
    told.collect()
}

/// What could not be done, and what could not be written down.
fn undone(facts: &Facts<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for recovered in facts.recovered {
        for why in recovered.stuck.iter().chain(&recovered.refused) {
            all.push(format!("run {} is still open: {why}", recovered.run));
        }
    }
    let Some(receipts) = facts.receipts else {
        return all;
    };
    for receipt in &receipts.done {
        let (word, why) = match &receipt.ended {
            Ended::Failed(why) => ("failed", why),
            Ended::Stuck(why) => ("stuck", why),
            Ended::Healed | Ended::Removed(_) | Ended::Kept(_) | Ended::Nothing => continue,
        };
        let step = format!("{} {}", receipt.ecosystem, receipt.package);
        all.push(format!("{step} {word}: {why}"));
    }
    if let Some(why) = &receipts.early {
        all.push(format!("ended early: {why}"));
    }
    if !receipts.closed {
        all.push("the run is still open: run `untaint heal --yes` again".to_owned());
    }
    let recovered = facts.recovered.iter().filter_map(|r| r.unlogged.as_ref());
    let unlogged: BTreeSet<&String> = recovered.chain(&receipts.unlogged).collect();
    all.extend(unlogged.into_iter().map(|why| format!("audit log: {why}")));
    all
}

/// Why the last scan is not complete.
fn incomplete(facts: &Facts<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for (reason, n) in &facts.report.coverage.total().unverifiable {
        if !facts.policy.allows(*reason) {
            all.push(format!("{n} could not be verified ({reason})"));
        }
    }
    let unread = facts.report.problems.iter();
    let unread = unread.filter(|p| p.effect != Effect::AsTheTool).count();
    if unread > 0 {
        let text = counted(unread as u64, "problem", "problems");
        all.push(format!("{text} in reading"));
    }
    if facts.report.verdict.cut_short {
        all.push("the run was cut short".to_owned());
    }
    all
}

/// What could not be read or verified, each with its place.
fn gaps(facts: &Facts<'_>) -> Vec<Gap> {
    let mut gaps: BTreeSet<Gap> = BTreeSet::new();
    let unread = facts.report.problems.iter();
    gaps.extend(
        unread
            .filter(|p| p.effect != Effect::AsTheTool)
            .map(|problem| Gap {
                reason: None,
                path: problem.path.clone(),
                what: problem.message.clone(),
                advice: None,
            }),
    );
    for row in &facts.report.checks {
        if let Outcome::Unverifiable(reason) = row.outcome
            && !facts.policy.allows(reason)
        {
            gaps.insert(Gap {
                reason: Some(reason),
                path: path(facts.report, row),
                what: named(row),
                advice: Some(reason.advice()),
            });
        }
    }
    gaps.into_iter().collect()
}

fn path(report: &Report, row: &CheckRow) -> String {
    let root = report.run.roots.iter().find(|root| root.id == row.root);
    let root = root.map_or(row.root.as_str(), |root| root.path.as_str());
    if row.rel.is_empty() {
        root.to_owned()
    } else {
        format!("{root}/{}", row.rel)
    }
}

fn named(row: &CheckRow) -> String {
    match (&row.package, &row.version) {
        (Some(package), Some(version)) => format!("{} {package}@{version}", row.kind),
        _ => row.kind.to_owned(),
    }
}

fn told(class: Class, n: u64) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {} finding{plural}", class.as_str())
}

fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
