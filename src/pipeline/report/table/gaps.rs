//! What was not verified, by reason; what could not be read; what else is worth a notice.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Detail;
use super::page::{Look, Page};
use crate::model::report::{CheckRow, Report};
use crate::model::{Effect, NoticeCode, Outcome, Reason};

/// Names of one reason, and problems or notices, that are shown without `-v`.
const NAMES: usize = 3;
const LINES: usize = 10;

pub(super) fn write(page: &mut Page, report: &Report, detail: Detail) {
    unverifiable(page, report, detail);
    problems(page, report, detail);
    notices(page, report, detail);
}

fn unverifiable(page: &mut Page, report: &Report, detail: Detail) {
    let counts = report.coverage.total().unverifiable;
    let all: u64 = counts.values().sum();
    if all == 0 {
        return;
    }
    page.gap();
    page.line(
        Look::Bold,
        "could not be verified: ",
        &[(Look::Plain, &subjects(all))],
    );
    let mut reasons: Vec<(Reason, u64)> = counts.into_iter().filter(|(_, n)| *n > 0).collect();
    // What the default policy lets pass comes last.
    reasons
        .sort_by_key(|(reason, n)| (reason.allowed_by_default(), std::cmp::Reverse(*n), *reason));
    let named = names(report);
    for (reason, n) in reasons {
        let names = named.get(&reason).map_or(&[][..], Vec::as_slice);
        let most = if detail == Detail::Verbose {
            names.len()
        } else {
            NAMES
        };
        let mut text = format!(
            "  {n}  {}",
            names
                .iter()
                .take(most)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        );
        if names.len() > most {
            text.push_str(&format!(" and {} more (-v)", names.len() - most));
        }
        page.line(
            Look::Unsure,
            reason.as_str(),
            &[(Look::Plain, text.trim_end())],
        );
        page.field("->", reason.advice());
    }
}

pub(super) fn subjects(n: u64) -> String {
    format!("{n} subject{}", if n == 1 { "" } else { "s" })
}

/// What to call the subjects of each reason, each once, sorted.
fn names(report: &Report) -> BTreeMap<Reason, Vec<String>> {
    let mut all: BTreeMap<Reason, BTreeSet<String>> = BTreeMap::new();
    for row in &report.checks {
        if let Outcome::Unverifiable(reason) = row.outcome {
            all.entry(reason).or_default().insert(name(row));
        }
    }
    for notice in &report.notices {
        if let (Some(reason), Some(package)) = (notice.reason, &notice.package) {
            let version = notice
                .version
                .as_ref()
                .map_or_else(String::new, |v| format!("@{v}"));
            all.entry(reason)
                .or_default()
                .insert(format!("{package}{version}"));
        }
    }
    all.into_iter()
        .map(|(reason, names)| (reason, names.into_iter().collect()))
        .collect()
}

fn name(row: &CheckRow) -> String {
    match (&row.package, &row.version) {
        (Some(package), Some(version)) => format!("{package}@{version}"),
        _ => format!("{}: {}", row.root.as_str(), row.rel),
    }
}

fn problems(page: &mut Page, report: &Report, detail: Detail) {
    // What its own tool ignores too has no effect, and is no news.
    let shown: Vec<_> = report
        .problems
        .iter()
        .filter(|p| detail == Detail::Verbose || p.effect != Effect::AsTheTool)
        .collect();
    page.gap();
    let most = if detail == Detail::Verbose {
        shown.len()
    } else {
        LINES
    };
    for problem in shown.iter().take(most) {
        page.line(
            Look::Unsure,
            "problem",
            &[(
                Look::Plain,
                &format!(
                    "  {}  {}: {}",
                    problem.effect.as_str(),
                    problem.path,
                    problem.message
                ),
            )],
        );
    }
    rest(page, shown.len(), most, "problems");
}

fn notices(page: &mut Page, report: &Report, detail: Detail) {
    let shown: Vec<_> = report
        .notices
        .iter()
        .filter(|n| detail == Detail::Verbose || n.code != NoticeCode::Unverifiable)
        .collect();
    page.gap();
    let most = if detail == Detail::Verbose {
        shown.len()
    } else {
        LINES
    };
    for notice in shown.iter().take(most) {
        let about = match (&notice.package, &notice.path) {
            (Some(package), _) => format!("{package}: "),
            (None, Some(path)) => format!("{path}: "),
            (None, None) => String::new(),
        };
        page.line(
            Look::Dim,
            "notice",
            &[(
                Look::Plain,
                &format!("  {}  {about}{}", notice.code.as_str(), notice.message),
            )],
        );
    }
    rest(page, shown.len(), most, "notices");
}

fn rest(page: &mut Page, all: usize, most: usize, what: &str) {
    if all > most {
        let text = format!("{} more {what} (-v shows all)", all - most);
        page.line(Look::Dim, "and ", &[(Look::Dim, &text)]);
    }
}
