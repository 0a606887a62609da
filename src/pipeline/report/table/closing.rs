//! The first line and the last ones: what was audited with data of which day, what was not covered, what to do, and
//! whether it is safe to build. Never says that nothing is wrong where something was not looked at.

use std::collections::BTreeMap;

use super::super::Detail;
use super::findings::{commands, is_minor, subject};
use super::gaps::subjects;
use super::groups::Group;
use super::page::{Look, Page};
use crate::model::report::{FeedFacts, Report, VerdictResult};
use crate::model::when;
use crate::model::{Effect, Reason, Severity};

/// Things to do that are listed without `-v`.
const STEPS: usize = 10;

/// What was audited, and how old the advisories are.
pub(super) fn first_line(page: &mut Page, report: &Report) {
    let mut text = format!(
        " {} audited {}: {} in {} source{}",
        env!("CARGO_PKG_VERSION"),
        targets(report),
        subjects(report.coverage.total().subjects()),
        report.sources.len(),
        if report.sources.len() == 1 { "" } else { "s" },
    );
    if report.run.offline {
        text.push_str(", offline");
    }
    if report.run.isolated {
        text.push_str(", isolated");
    }
    let feeds: Vec<String> = report
        .run
        .feeds
        .iter()
        .map(|feed| data(feed, report.run.started))
        .collect();
    let feeds = if feeds.is_empty() {
        "none used".to_owned()
    } else {
        feeds.join(", ")
    };
    text.push_str(&format!("; advisories: {feeds}"));
    page.line(Look::Bold, "untaint", &[(Look::Plain, &text)]);
}

fn targets(report: &Report) -> String {
    if report.run.targets.is_empty() {
        return "caches".to_owned();
    }
    report.run.targets.join(", ")
}

fn data(feed: &FeedFacts, now: i64) -> String {
    let age = match when::days_between(feed.updated, now) {
        0 => "less than a day old".to_owned(),
        1 => "1 day old".to_owned(),
        days => format!("{days} days old"),
    };
    let origin = match feed.origin {
        "embedded" => "embedded snapshot",
        other => other,
    };
    let old = if feed.too_old { ", too old" } else { "" };
    format!(
        "{} of {} ({age}, {origin}{old})",
        feed.name,
        when::day(feed.updated)
    )
}

/// Totals, gaps, steps and the verdict.
pub(super) fn write(page: &mut Page, report: &Report, groups: &[Group<'_>], detail: Detail) {
    page.gap();
    totals(page, report);
    not_covered(page, report);
    if !report.run.weakened.is_empty() {
        page.line(
            Look::Unsure,
            "weakened by: ",
            &[(Look::Plain, &report.run.weakened.join(", "))],
        );
    }
    steps(page, report, groups, detail);
    verdict(page, report);
}

fn totals(page: &mut Page, report: &Report) {
    let sum = report.coverage.total();
    let unverifiable: u64 = sum.unverifiable.values().sum();
    let mut text = format!(
        "{}: {} verified ({} or better), {} tainted, {} in conflict, {unverifiable} unverifiable",
        subjects(sum.subjects()),
        sum.verified,
        report.verdict.assurance,
        sum.tainted,
        sum.conflict,
    );
    if sum.absent > 0 {
        text.push_str(&format!("; {} locked but in no cache", sum.absent));
    }
    if sum.first_party > 0 {
        text.push_str(&format!("; {} first-party", sum.first_party));
    }
    let open = |severity: Severity| {
        let same = report
            .findings
            .iter()
            .filter(|f| f.waived.is_none() && f.severity == severity);
        (same.count(), severity.as_str())
    };
    let found: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .map(open)
        .filter(|(n, _)| *n > 0)
        .map(|(n, severity)| format!("{n} {severity}"))
        .collect();
    let waived = report
        .findings
        .iter()
        .filter(|f| f.waived.is_some())
        .count();
    let found = if found.is_empty() {
        "none".to_owned()
    } else {
        found.join(", ")
    };
    text.push_str(&format!("; findings: {found}"));
    if waived > 0 {
        text.push_str(&format!(" ({waived} waived)"));
    }
    let fixable = report
        .findings
        .iter()
        .filter(|f| f.remedy.is_some() && f.waived.is_none())
        .count();
    if fixable > 0 {
        text.push_str(&format!("; {fixable} can be fixed"));
    }
    page.line(Look::Bold, "total: ", &[(Look::Plain, &text)]);
}

fn not_covered(page: &mut Page, report: &Report) {
    let mut gaps: Vec<String> = Vec::new();
    let unverifiable = report.coverage.total().unverifiable;
    let all: u64 = unverifiable.values().sum();
    if all > 0 {
        let reasons: Vec<String> = unverifiable
            .iter()
            .filter(|(_, n)| **n > 0)
            .map(|(reason, n)| format!("{n} {reason}"))
            .collect();
        gaps.push(format!("{} ({})", subjects(all), reasons.join(", ")));
    }
    for (effect, what) in [
        (Effect::Skipped, "not read"),
        (Effect::Partial, "read in part"),
    ] {
        let n = report
            .problems
            .iter()
            .filter(|p| p.effect == effect)
            .count();
        if n > 0 {
            gaps.push(format!("{n} place{} {what}", if n == 1 { "" } else { "s" }));
        }
    }
    let old = report.run.feeds.iter().filter(|f| f.too_old);
    gaps.extend(old.map(|f| format!("what {} learned since {}", f.name, when::day(f.updated))));
    if report.run.feeds.is_empty() {
        gaps.push("advisories".to_owned());
    }
    let text = if gaps.is_empty() {
        "nothing".to_owned()
    } else {
        gaps.join("; ")
    };
    page.line(Look::Bold, "not covered: ", &[(Look::Plain, &text)]);
}

fn steps(page: &mut Page, report: &Report, groups: &[Group<'_>], detail: Detail) {
    let mut all: Vec<(String, Vec<String>)> = groups
        .iter()
        .filter_map(|group| Some((group, group.head()?)))
        .filter(|(_, head)| head.waived.is_none() && !is_minor(head))
        .map(|(group, head)| (format!("{} {}", head.code, subject(head)), commands(group)))
        .collect();
    let mut advised: Vec<&String> = Vec::new();
    for notice in &report.notices {
        let Some(remedy) = notice.remedy.as_ref().filter(|r| !advised.contains(r)) else {
            continue;
        };
        advised.push(remedy);
        // What the policy allows is listed above; there is nothing to do about it.
        let counts = |reason: &str| {
            let end = format!("({reason})");
            report.verdict.reasons.iter().any(|r| r.ends_with(&end))
        };
        let mild = |r: Reason| r.allowed_by_default() || r == Reason::Derived;
        if notice
            .reason
            .is_some_and(|r| mild(r) && !counts(r.as_str()))
        {
            continue;
        }
        let why = notice.reason.map_or(notice.code.as_str(), |r| r.as_str());
        all.push((why.to_owned(), vec![remedy.clone()]));
    }
    if all.is_empty() {
        return;
    }
    let all = together(all);
    page.line(Look::Bold, "to do:", &[]);
    let most = if detail == Detail::Verbose {
        all.len()
    } else {
        STEPS
    };
    for (why, commands) in all.iter().take(most) {
        page.line(Look::Plain, "  - ", &[(Look::Plain, why)]);
        for command in commands {
            let lead = if is_command(command) {
                "      $ "
            } else {
                "      -> "
            };
            page.line(Look::Plain, lead, &[(Look::Bold, command)]);
        }
    }
    if all.len() > most {
        let text = format!("{} more (-v shows all)", all.len() - most);
        page.line(Look::Dim, "  - and ", &[(Look::Dim, &text)]);
    }
}

/// What one call of heal does for several findings is said once: the findings themselves name the call for each.
fn together(all: Vec<(String, Vec<String>)>) -> Vec<(String, Vec<String>)> {
    let call = |commands: &[String]| -> Option<String> {
        let (first, rest) = commands.split_first()?;
        let (call, _) = first.split_once(" --only ")?;
        let same = |c: &String| {
            c.split_once(" --only ")
                .is_some_and(|(other, _)| other == call)
        };
        (call.starts_with("untaint heal") && rest.iter().all(same)).then(|| call.to_owned())
    };
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for (_, commands) in &all {
        if let Some(call) = call(commands) {
            *calls.entry(call).or_default() += 1;
        }
    }
    calls.retain(|_, count| *count > 1);
    let mut short: Vec<(String, Vec<String>)> = calls
        .iter()
        .map(|(call, count)| {
            let why = format!("quarantine {count} of these and put in place what was published");
            (why, vec![format!("{call} --yes")])
        })
        .collect();
    let alone = |(_, commands): &(String, Vec<String>)| {
        call(commands).is_none_or(|call| !calls.contains_key(&call))
    };
    short.extend(all.into_iter().filter(alone));
    short
}

/// Whether a remedy can be typed as it stands.
fn is_command(remedy: &str) -> bool {
    let word = remedy.split(' ').next().unwrap_or_default();
    matches!(
        word,
        "untaint" | "rm" | "chmod" | "chown" | "cargo" | "go" | "git"
    )
}

/// The one line that answers the question.
pub(super) fn verdict(page: &mut Page, report: &Report) {
    let result = report.verdict.result;
    let (look, word) = match result {
        VerdictResult::Clean => (Look::Good, "yes"),
        VerdictResult::Findings => (Look::Bad, "no"),
        VerdictResult::Failed | VerdictResult::Incomplete | VerdictResult::Stale => {
            (Look::Unsure, "cannot tell")
        }
        VerdictResult::Empty => (Look::Unsure, "nothing to audit"),
    };
    let mut why = report.verdict.reasons.join(", ");
    if why.is_empty() {
        why = own_words(report);
    }
    let weakened = if report.run.weakened.is_empty() {
        ""
    } else {
        ", checks weakened"
    };
    page.line(
        Look::Bold,
        "safe to build: ",
        &[
            (look, word),
            (
                Look::Plain,
                &format!(": {why}{weakened} (exit code {})", result.exit_code()),
            ),
        ],
    );
}

fn own_words(report: &Report) -> String {
    let sum = report.coverage.total();
    let all = subjects(sum.subjects());
    match report.verdict.result {
        VerdictResult::Clean if sum.subjects() == 0 => format!(
            "nothing that it would be built from lies here; {} locked packages are still to be fetched",
            sum.absent
        ),
        VerdictResult::Clean if sum.verified == sum.subjects() => {
            format!("{all}, every one is what was published, and no finding counts")
        }
        VerdictResult::Clean => format!(
            "{} of {all} are what was published, the policy allows the rest, and no finding counts",
            sum.verified
        ),
        VerdictResult::Findings => "there are findings".to_owned(),
        VerdictResult::Failed => "the run failed".to_owned(),
        VerdictResult::Incomplete => "something present could not be verified".to_owned(),
        VerdictResult::Stale => "advisory data is missing or too old".to_owned(),
        VerdictResult::Empty => {
            "no lockfile and no cache entry; name a project folder, or scan --caches".to_owned()
        }
    }
}
