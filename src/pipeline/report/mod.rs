//! Stage report: who needs to read it, in which format? Values in, bytes out: no port, no clock, no state.
//!
//! Every format is made from the same [`Report`], and every scanned text in it is taken for hostile: machine formats
//! escape what could act on a terminal, the table shows it escaped and never at the start of a line.

mod checks;
mod cyclonedx;
pub mod explain;
mod json;
mod order;
mod portable;
mod remedy;
pub mod schema;
mod table;
mod writer;

pub use writer::pretty;

use crate::model::report::Report;

/// What a report can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// For people.
    Table,
    /// One object, `untaint.report/1`.
    Json,
    /// One NDJSON row per subject, `untaint.check/1`.
    Checks,
    /// A bill of materials, CycloneDX 1.6.
    CycloneDx,
}

impl Format {
    /// Every format, in the order that help texts list them.
    pub const ALL: [Self; 4] = [Self::Table, Self::Json, Self::Checks, Self::CycloneDx];

    /// Spelling in options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Checks => "checks",
            Self::CycloneDx => "cyclonedx",
        }
    }

    /// Reads the spelling of options.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == text)
    }
}

/// How much the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Detail {
    /// The verdict line alone (`-q`).
    Quiet,
    /// What needs doing, the rest counted.
    #[default]
    Normal,
    /// Everything (`-v`).
    Verbose,
}

/// What the reader wants; none of it changes what a machine format says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How much the table says.
    pub detail: Detail,
    /// Whether the table is coloured.
    pub color: bool,
    /// Columns that the table may fill; commands, paths and pictures of lines are never broken.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            detail: Detail::Normal,
            color: false,
            width: 100,
        }
    }
}

/// The report as bytes: UTF-8 text that ends with a line end, or nothing where a format has nothing to list.
///
/// The same report gives the same bytes.
pub fn render(report: &Report, format: Format, options: &Options) -> Vec<u8> {
    let hidden = portable::hidden(report);
    let report = hidden.as_ref().unwrap_or(report);
    match format {
        Format::Table => table::render(report, options),
        Format::Json => json::render(report),
        Format::Checks => checks::render(report),
        Format::CycloneDx => cyclonedx::render(report),
    }
}

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
pub(super) mod sample;
