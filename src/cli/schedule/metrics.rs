//! What a run counted, as a text file that Prometheus collects (text exposition format 0.0.4).

use std::fmt::Write as _;

use crate::model::Severity;
use crate::model::report::{Report, VerdictResult};

/// What a night adds to its report.
#[derive(Debug, Clone, Copy, Default)]
pub struct Night {
    /// Entries that were healed.
    pub healed: u64,
    /// Roots that are gone.
    pub vanished: u64,
}

/// All metrics of a run.
pub fn render(report: &Report, night: Night) -> String {
    let mut page = Page::default();
    let run = &report.run;
    page.one(
        "last_run_timestamp_seconds",
        "When the last run began.",
        run.started,
    );
    let seconds = run.duration_ms / 1000;
    let millis = run.duration_ms % 1000;
    page.head("duration_seconds", "How long it took.");
    page.row("duration_seconds", "", &format!("{seconds}.{millis:03}"));
    page.one(
        "exit_code",
        "How it ended: 0 clean, 1 findings, 2 failed, 3 incomplete, 4 stale, 5 empty.",
        report.verdict.result.exit_code(),
    );
    page.head("result", "1 for the verdict of the last run.");
    for result in VerdictResult::ALL {
        let labels = format!("result=\"{}\"", result.as_str());
        page.row(
            "result",
            &labels,
            &u8::from(result == report.verdict.result),
        );
    }
    let tallies: Vec<_> = report.coverage.by_ecosystem.iter().collect();
    type Count = fn(&crate::model::coverage::Tally) -> u64;
    let counts: [(&str, &str, Count); 4] = [
        ("subjects", "Subjects that were audited.", |t| t.subjects()),
        ("verified", "Subjects that are what was published.", |t| {
            t.verified
        }),
        (
            "tainted",
            "Subjects that are not, or on which claims differ.",
            |t| t.tainted + t.conflict,
        ),
        (
            "absent",
            "Artifacts that lockfiles name and no cache holds.",
            |t| t.absent,
        ),
    ];
    for (name, help, count) in counts {
        page.head(name, help);
        for (id, tally) in &tallies {
            page.row(
                name,
                &format!("ecosystem=\"{}\"", id.as_str()),
                &count(tally),
            );
        }
    }
    page.head(
        "unverifiable",
        "Subjects of which it could not be told, by reason.",
    );
    for (id, tally) in &tallies {
        for (reason, count) in &tally.unverifiable {
            let labels = format!(
                "ecosystem=\"{}\",reason=\"{}\"",
                id.as_str(),
                reason.as_str()
            );
            page.row("unverifiable", &labels, count);
        }
    }
    page.head("match_ratio", "Verified subjects of all.");
    for (id, tally) in &tallies {
        let of = tally.subjects();
        // Six digits without floating point; nothing to audit is no mismatch.
        let millionths = (tally.verified.saturating_mul(1_000_000))
            .checked_div(of)
            .unwrap_or(1_000_000);
        let value = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        page.row(
            "match_ratio",
            &format!("ecosystem=\"{}\"", id.as_str()),
            &value,
        );
    }
    page.head("findings", "Findings by severity, waived ones left out.");
    for severity in Severity::ALL {
        let count = report
            .findings
            .iter()
            .filter(|f| f.severity == severity && f.waived.is_none())
            .count();
        page.row(
            "findings",
            &format!("severity=\"{}\"", severity.as_str()),
            &count,
        );
    }
    page.one(
        "problems",
        "Things that could not be read.",
        report.problems.len(),
    );
    page.one(
        "healed",
        "Entries that were healed before the audit.",
        night.healed,
    );
    page.one(
        "vanished_roots",
        "Roots of the schedule that are gone.",
        night.vanished,
    );
    page.head(
        "feed_updated_timestamp_seconds",
        "When a feed's server last confirmed it.",
    );
    for feed in &run.feeds {
        let labels = format!("feed=\"{}\"", label(&feed.name));
        page.row("feed_updated_timestamp_seconds", &labels, &feed.updated);
    }
    page.out
}

/// Text between the quotes of a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[derive(Default)]
struct Page {
    out: String,
}

impl Page {
    fn head(&mut self, name: &str, help: &str) {
        let _ = writeln!(
            self.out,
            "# HELP untaint_{name} {help}\n# TYPE untaint_{name} gauge"
        );
    }

    fn row(&mut self, name: &str, labels: &str, value: &dyn std::fmt::Display) {
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{labels}}}")
        };
        let _ = writeln!(self.out, "untaint_{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, help);
        self.row(name, "", &value);
    }
}
