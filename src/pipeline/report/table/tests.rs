//! The table as people see it, and hostile names in it.

use super::super::sample;
use super::*;
use crate::model::report::{RunFacts, VerdictResult};
use crate::model::text::printable;
use crate::model::{Coverage, Severity};

fn text(report: &Report, detail: Detail) -> String {
    let options = Options {
        detail,
        ..Options::default()
    };
    String::from_utf8(render(report, &options)).unwrap()
}

fn recorded(text: &str) -> String {
    text.replace("@VERSION@", env!("CARGO_PKG_VERSION"))
}

#[test]
fn the_rich_table_is_as_recorded() {
    let recorded = recorded(include_str!("../golden/rich.table.txt"));
    assert_eq!(text(&sample::rich(), Detail::Normal), recorded);
}

#[test]
fn the_long_table_is_as_recorded() {
    let recorded = recorded(include_str!("../golden/rich.verbose.txt"));
    assert_eq!(text(&sample::rich(), Detail::Verbose), recorded);
}

#[test]
fn the_clean_table_is_as_recorded() {
    let recorded = recorded(include_str!("../golden/clean.table.txt"));
    assert_eq!(text(&sample::clean(), Detail::Normal), recorded);
}

#[test]
fn quiet_is_the_verdict_alone() {
    assert_eq!(
        text(&sample::rich(), Detail::Quiet),
        "safe to build: no: 4 integrity findings, 1 advisory finding, checks weakened (exit code 1)\n"
    );
}

/// Words that a line may begin with: ours, and nothing that was scanned.
#[test]
fn no_line_begins_with_scanned_text_and_nothing_acts_on_a_terminal() {
    for detail in [Detail::Quiet, Detail::Normal, Detail::Verbose] {
        let mut report = sample::rich();
        report.run.targets = vec![sample::HOSTILE.into()];
        report.verdict.reasons = vec![sample::HOSTILE.into()];
        report.run.weakened = vec![sample::HOSTILE.into()];
        for options in [40, 100].map(|width| Options {
            detail,
            width,
            color: false,
        }) {
            let text = String::from_utf8(render(&report, &options)).unwrap();
            for line in text.lines() {
                assert_eq!(printable(line), line);
                assert!(!line.contains("##"), "{line}");
                let start = line.trim_start();
                assert!(
                    !start.starts_with("::") && !start.starts_with("evil"),
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn colour_changes_nothing_but_the_look() {
    let options = Options {
        color: true,
        ..Options::default()
    };
    let coloured = String::from_utf8(render(&sample::rich(), &options)).unwrap();
    assert!(coloured.contains('\u{1b}'));
    let plain: String = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(plain, text(&sample::rich(), Detail::Normal));
}

#[test]
fn what_was_left_out_is_counted() {
    let mut report = sample::rich();
    let one = report.findings.remove(0);
    report.findings = (0..30)
        .map(|n| {
            let mut finding = one.clone();
            finding.id = format!("f-{n:016x}");
            finding.caused_by = None;
            finding
        })
        .collect();
    let short = text(&report, Detail::Normal);
    assert!(
        short.contains("and 10 more findings (-v shows all)"),
        "{short}"
    );
    assert!(short.contains("and 22 more (-v shows all)"), "{short}");
    let long = text(&report, Detail::Verbose);
    assert!(!long.contains("-v shows all"), "{long}");
    assert_eq!(long.matches("tree-modified  critical").count(), 30);
}

#[test]
fn digests_that_begin_alike_are_shown_whole() {
    let mut report = sample::rich();
    let mut close = [0x49; 32];
    close[31] = 0;
    for finding in &mut report.findings {
        if finding.observed.is_some() {
            finding.observed = Some(crate::model::Digest::sha256(close));
        }
    }
    let text = text(&report, Detail::Normal);
    assert!(text.contains(&sample::sha(0x49).to_string()), "{text}");
    assert!(text.contains(&format!("{}00", "49".repeat(31))), "{text}");
}

/// Never a word of safety where something was not looked at.
#[test]
fn only_a_clean_verdict_says_yes() {
    for (result, word) in [
        (VerdictResult::Clean, "safe to build: yes"),
        (VerdictResult::Findings, "safe to build: no:"),
        (VerdictResult::Failed, "safe to build: cannot tell"),
        (VerdictResult::Incomplete, "safe to build: cannot tell"),
        (VerdictResult::Stale, "safe to build: cannot tell"),
        (VerdictResult::Empty, "safe to build: nothing to audit"),
    ] {
        let mut report = sample::clean();
        report.verdict.result = result;
        let last = text(&report, Detail::Normal);
        assert!(last.lines().last().unwrap().starts_with(word), "{last}");
    }
}

#[test]
fn an_empty_run_claims_nothing() {
    let mut report = sample::clean();
    report.verdict.result = VerdictResult::Empty;
    report.coverage = Coverage::default();
    report.run = RunFacts::default();
    report.sources.clear();
    let text = text(&report, Detail::Normal);
    assert!(text.contains("advisories: none used"), "{text}");
    assert!(text.contains("not covered: advisories"), "{text}");
}

#[test]
fn a_portable_table_names_no_absolute_path() {
    let mut report = sample::rich();
    report.run.portable = true;
    let options = Options::default();
    let bytes = super::super::render(&report, super::super::Format::Table, &options);
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains("/home") && !text.contains("/srv"), "{text}");
}

#[test]
fn minor_findings_take_a_line_each() {
    let report = sample::rich();
    let minor = report
        .findings
        .iter()
        .filter(|f| f.severity < Severity::Medium);
    let text = text(&report, Detail::Normal);
    for finding in minor {
        let start = format!("{}  {}  ", finding.code, finding.severity.as_str());
        assert_eq!(text.lines().filter(|l| l.starts_with(&start)).count(), 1);
    }
}
