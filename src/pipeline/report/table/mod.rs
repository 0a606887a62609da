//! The table: short, for people. Its first line says what was audited and how old the data is, its last lines whether
//! it is safe to build, what is bad with one command each, and what was not covered.
//!
//! May fold and count; must never leave out that something was left out.

mod closing;
mod findings;
mod gaps;
mod groups;
mod page;
mod picture;

use super::{Detail, Options, order};
use crate::model::report::Report;

/// The table as text.
pub(super) fn render(report: &Report, options: &Options) -> Vec<u8> {
    let mut page = page::Page::new(options);
    if options.detail == Detail::Quiet {
        closing::verdict(&mut page, report);
        return page.finish();
    }
    let sorted = order::findings(&report.findings);
    let groups = groups::of(&sorted);
    closing::first_line(&mut page, report);
    findings::write(&mut page, &groups, options.detail);
    gaps::write(&mut page, report, options.detail);
    closing::write(&mut page, report, &groups, options.detail);
    page.finish()
}

#[cfg(test)]
mod tests;
