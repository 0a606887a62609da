//! `untaint explain CODE|REASON|ADVISORY-ID`: our own pages, and the facts of an advisory from the embedded snapshot.

use std::fmt::Write as _;

use crate::cli::args::ExplainArgs;
use crate::cli::exit::Exit;
use crate::cli::{Ports, fail, print};
use crate::model::text::printable;
use crate::pipeline::advise::catalogue;
use crate::pipeline::advise::ranges::{AffectedRange, Event};
use crate::pipeline::advise::record::AdvisoryRecord;
use crate::pipeline::advise::snapshot;
use crate::pipeline::report::explain;

/// Prints what is known under a name.
pub(in crate::cli) fn run(args: &ExplainArgs, ports: &Ports<'_>) -> Exit {
    if let Some(page) = explain::topic(&args.what) {
        return print(ports, page.as_bytes());
    }
    let mut pages = String::new();
    for feed in catalogue::feeds() {
        let records = match snapshot::open(&feed.name) {
            None => continue,
            Some(index) => index.and_then(|index| index.find(&args.what)),
        };
        match records {
            Ok(records) => {
                for record in &records {
                    page(&mut pages, &feed.ecosystem, &feed.name, record);
                }
            }
            Err(error) => return fail(ports, &format!("the snapshot of {}: {error}", feed.name)),
        }
    }
    if pages.is_empty() {
        return fail(
            ports,
            &format!(
                "'{}' is no finding code, no reason and no advisory of the embedded snapshot",
                args.what
            ),
        );
    }
    print(ports, pages.as_bytes())
}

/// The facts of an advisory about one package.
fn page(out: &mut String, ecosystem: &str, feed: &str, record: &AdvisoryRecord) {
    let mut line = |name: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "  {name:<10} {}", printable(text));
        }
    };
    line("advisory", &record.id);
    line("also", &record.aliases.join(", "));
    line("package", &format!("{} ({ecosystem})", record.package));
    line("kind", &format!("{:?}", record.kind).to_lowercase());
    for range in &record.ranges {
        line("affected", &range_text(range));
    }
    line("affected", &record.versions.join(", "));
    line("fixed in", &record.fixed().join(", "));
    line("severity", &record.vectors.join(", "));
    line("rated", record.label.as_deref().unwrap_or_default());
    if record.withdrawn.is_some() {
        line("withdrawn", "yes: it matches nothing any more");
    }
    line("read on", record.link.as_deref().unwrap_or_default());
    line("source", feed);
    out.push('\n');
}

fn range_text(range: &AffectedRange) -> String {
    let words = range.events.iter().map(|event| match event {
        Event::Introduced(version) if version == "0" => "from the first".to_owned(),
        Event::Introduced(version) => format!("from {version}"),
        Event::Fixed(version) => format!("to before {version}"),
        Event::LastAffected(version) => format!("to {version}"),
        Event::Limit(version) => format!("looked at below {version}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_facts_stay_on_their_line() {
        let record = AdvisoryRecord {
            id: "X-1\n::error::".into(),
            package: "a\u{1b}[31m".into(),
            ranges: vec![AffectedRange {
                events: vec![
                    Event::Introduced("0".into()),
                    Event::Fixed("1.2\u{202e}".into()),
                ],
            }],
            ..AdvisoryRecord::default()
        };
        let mut out = String::new();
        page(&mut out, "cargo", "feed", &record);
        assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'));
        let lines = out.lines().filter(|l| !l.is_empty());
        assert!(lines.clone().all(|line| line.starts_with("  ")), "{out}");
        assert!(out.contains("from the first to before 1.2"));
    }
}
