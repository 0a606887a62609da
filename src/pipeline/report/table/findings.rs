//! Findings in the table: what is bad in full, what is minor in a line, what is waived dim and last.

use super::super::Detail;
use super::super::remedy;
use super::groups::Group;
use super::page::{Look, Page};
use super::picture;
use crate::model::{Digest, Finding, Scheme, Severity};

/// Findings shown in full, minor ones shown in a line, copies and followers of one finding, and its files.
const FULL: usize = 20;
const MINOR: usize = 10;
const COPIES: usize = 5;
const FILES: usize = 5;

/// What a finding is about, in a few words.
pub(super) fn subject(finding: &Finding) -> String {
    let named = match (&finding.package, &finding.version) {
        (Some(package), Some(version)) => Some(format!("{package}@{version}")),
        (Some(package), None) => Some(package.to_string()),
        _ => finding.artifact.as_deref().map(str::to_owned),
    };
    named
        .or_else(|| finding.rel.clone())
        .or_else(|| finding.location.as_ref().map(|at| at.file.clone()))
        .unwrap_or_else(|| finding.place.as_str().to_owned())
}

/// Minor findings are worth a line, not a block.
pub(super) fn is_minor(finding: &Finding) -> bool {
    finding.severity < Severity::Medium
}

/// All groups that are not waived, then those that are.
pub(super) fn write(page: &mut Page, groups: &[Group<'_>], detail: Detail) {
    let heads = || groups.iter().filter_map(|g| Some((g, g.head()?)));
    let open = || heads().filter(|(_, f)| f.waived.is_none());
    let most = |n: usize| {
        if detail == Detail::Verbose {
            usize::MAX
        } else {
            n
        }
    };
    let minor = |f: &Finding| detail != Detail::Verbose && is_minor(f);

    let (full, shown) = (open().filter(|(_, f)| !minor(f)), most(FULL));
    for (group, head) in full.clone().take(shown) {
        page.gap();
        block(page, group, head, detail);
    }
    more(page, full.count().saturating_sub(shown), "findings");

    page.gap();
    let lines = open().filter(|(_, f)| minor(f));
    for (_, head) in lines.clone().take(MINOR) {
        page.line(
            Look::of(head.severity),
            head.code.as_str(),
            &[(
                Look::Plain,
                &format!(
                    "  {}  {}: {}",
                    head.severity.as_str(),
                    subject(head),
                    head.message
                ),
            )],
        );
    }
    more(page, lines.count().saturating_sub(MINOR), "minor findings");

    page.gap();
    let waived = heads().filter(|(_, f)| f.waived.is_some());
    for (_, head) in waived.clone().take(most(MINOR)) {
        page.line(
            Look::Dim,
            head.code.as_str(),
            &[(
                Look::Dim,
                &format!(
                    "  {}  {}  {}",
                    head.severity.as_str(),
                    subject(head),
                    waiver(head)
                ),
            )],
        );
    }
    more(
        page,
        waived.count().saturating_sub(most(MINOR)),
        "waived findings",
    );
}

fn more(page: &mut Page, left: usize, what: &str) {
    if left > 0 {
        page.line(
            Look::Dim,
            "and ",
            &[(Look::Dim, &format!("{left} more {what} (-v shows all)"))],
        );
    }
}

fn waiver(finding: &Finding) -> String {
    finding.waived.as_ref().map_or_else(String::new, |waived| {
        let owner = waived
            .owner
            .as_ref()
            .map_or_else(String::new, |o| format!(" ({o})"));
        format!("waived until {}{owner}: {}", waived.expires, waived.reason)
    })
}

fn block(page: &mut Page, group: &Group<'_>, head: &Finding, detail: Detail) {
    let verbose = detail == Detail::Verbose;
    let state = head.state.map_or_else(String::new, |s| format!("  {s}"));
    page.line(
        Look::Bold,
        head.code.as_str(),
        &[
            (
                Look::of(head.severity),
                &format!("  {}", head.severity.as_str()),
            ),
            (Look::Bold, &format!("  {}", subject(head))),
            (Look::Dim, &format!("  {}{state}", head.id)),
        ],
    );
    page.field("what", &head.message);
    let most = if verbose { usize::MAX } else { COPIES };
    for copy in group.same.iter().take(most) {
        if let Some(place) = place(copy) {
            page.whole("at", &place);
        }
    }
    count(page, group.same.len(), most, "more copies");
    digests(page, head, verbose);
    picture::draw(page, head);
    files(page, head, verbose);
    advisory(page, head);
    for chain in head.why.iter().take(if verbose { usize::MAX } else { 1 }) {
        page.field("why", &chain.join(" > "));
    }
    for after in group.follows.iter().take(most) {
        let place = place(after).unwrap_or_else(|| subject(after));
        page.whole("so also", &format!("{} {place}", after.code));
        files(page, after, verbose);
    }
    count(page, group.follows.len(), most, "more that follow from it");
    for command in commands(group) {
        page.whole("do", &command);
    }
}

fn count(page: &mut Page, all: usize, most: usize, what: &str) {
    if all > most {
        page.field("", &format!("and {} {what}", all - most));
    }
}

/// Where it is: the path, or the root's name and the path below it.
fn place(finding: &Finding) -> Option<String> {
    let below = || {
        let rel = finding.rel.as_deref()?;
        Some(match &finding.root {
            Some(root) => format!("{}: {rel}", root.as_str()),
            None => rel.to_owned(),
        })
    };
    finding.path.clone().or_else(below)
}

/// Every command that mends a group, each once.
pub(super) fn commands(group: &Group<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let own = group.same.iter().map(|f| remedy::of(f));
    let after = group.follows.iter().filter_map(|f| f.remedy.clone());
    for command in own.chain(after) {
        if !all.contains(&command) {
            all.push(command);
        }
    }
    all
}

fn files(page: &mut Page, finding: &Finding, verbose: bool) {
    let most = if verbose { usize::MAX } else { FILES };
    let total = usize::try_from(finding.entries_total)
        .unwrap_or(usize::MAX)
        .max(finding.entries.len());
    let listed = finding.entries.len().min(most);
    for entry in finding.entries.iter().take(most) {
        page.whole("file", &format!("{} {}", entry.kind.as_str(), entry.path));
    }
    if total > listed {
        page.field("", &format!("and {} more files", total - listed));
    }
}

fn advisory(page: &mut Page, finding: &Finding) {
    let Some(advisory) = &finding.advisory else {
        return;
    };
    let mut text = advisory.id.clone();
    if !advisory.aliases.is_empty() {
        text.push_str(&format!(" ({})", advisory.aliases.join(", ")));
    }
    if let Some(score) = advisory.score {
        text.push_str(&format!(", score {score:.1}"));
    }
    page.field("advisory", &text);
    if let Some(link) = &advisory.link {
        page.whole("see", link);
    }
    let fixed = match advisory.fixed.as_slice() {
        [] => "in no version yet".to_owned(),
        versions => format!("in {}", versions.join(", ")),
    };
    page.field("fixed", &fixed);
}

/// Who expects which digest, and what the bytes hash to.
fn digests(page: &mut Page, finding: &Finding, verbose: bool) {
    let mut all: Vec<Digest> = finding.expected.iter().map(|e| e.digest).collect();
    all.extend(finding.observed);
    all.sort();
    all.dedup();
    // Digests that begin alike may be an attacker's work: then only the whole of them tells.
    let mut shorts: Vec<String> = all.iter().map(short).collect();
    shorts.sort();
    shorts.dedup();
    let whole = verbose || shorts.len() < all.len();
    let spell = |digest: &Digest| {
        if whole {
            digest.to_string()
        } else {
            short(digest)
        }
    };

    let mut expected: Vec<Digest> = Vec::new();
    for claim in &finding.expected {
        if expected.contains(&claim.digest) {
            continue;
        }
        expected.push(claim.digest);
        let says: Vec<String> = finding
            .expected
            .iter()
            .filter(|e| e.digest == claim.digest)
            .map(|e| format!("{} ({})", e.by.as_str(), e.assurance))
            .collect();
        page.field(
            "expected",
            &format!("{} by {}", spell(&claim.digest), says.join(", ")),
        );
    }
    if let Some(observed) = &finding.observed {
        page.field("observed", &spell(observed));
    }
}

/// The first characters of a digest.
fn short(digest: &Digest) -> String {
    let text = digest.to_string();
    if digest.scheme() == Scheme::H1 {
        return text;
    }
    let keep = digest.scheme().prefix().len() + 13;
    match text.get(..keep) {
        Some(start) => format!("{start}.."),
        None => text,
    }
}
