//! The picture of a line in a file: its number, its text, and marks under what it is about.

use super::page::{Look, Page, shown};
use crate::model::Finding;

/// A line is cut after so many characters: lockfile lines are short, an attacker's need not be.
const LONGEST: usize = 120;

/// Where a finding is written down; with the line itself where its text is known.
pub(super) fn draw(page: &mut Page, finding: &Finding) {
    let Some(at) = &finding.location else {
        return;
    };
    let Some(line) = at.line else {
        page.whole("set in", &at.file);
        return;
    };
    page.whole("line", &format!("{}:{line}", at.file));
    let Some(excerpt) = &finding.excerpt else {
        return;
    };
    let text = cut(&shown(excerpt.trim_end_matches(['\n', '\r'])));
    let number = line.to_string();
    let blank = " ".repeat(number.len());
    let lead = text.chars().take_while(|c| *c == ' ').count();
    let marked = text.trim().chars().count().max(1);
    let (space, marks) = (" ".repeat(lead), "^".repeat(marked));
    page.line(
        Look::Plain,
        "            ",
        &[(Look::Dim, &format!("{number} | ")), (Look::Plain, &text)],
    );
    page.line(
        Look::Plain,
        "            ",
        &[
            (Look::Dim, &format!("{blank} | ")),
            (Look::Plain, &space),
            (Look::Bad, &marks),
        ],
    );
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push_str(" ...");
    }
    short
}
