//! The page that the table is written on. It is the one terminal boundary: every text that reaches it is escaped,
//! and a line can only begin with a word of ours, because some CI systems take a line of scanned text for a command.

use anstyle::{AnsiColor, Style};

use super::super::Options;
use crate::model::Severity;
use crate::model::text::printable;

/// Width of the column with our own words.
const LABEL: usize = 10;
/// Words are not wrapped into less than this.
const LEAST: usize = 40;

/// How a piece of text looks where colour is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Unsure,
}

impl Look {
    /// The look of a severity.
    pub(super) fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Self::Bad,
            Severity::Medium => Self::Unsure,
            Severity::Low | Severity::Info => Self::Dim,
        }
    }

    fn style(self) -> Style {
        let bold = |color: AnsiColor| color.on_default().bold();
        match self {
            Self::Plain => Style::new(),
            Self::Bold => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Good => bold(AnsiColor::Green),
            Self::Bad => bold(AnsiColor::Red),
            Self::Unsure => bold(AnsiColor::Yellow),
        }
    }
}

/// Text being written, line by line.
pub(super) struct Page {
    out: String,
    color: bool,
    width: usize,
}

impl Page {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            out: String::new(),
            color: options.color,
            width: options.width.max(LEAST),
        }
    }

    /// The finished text.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    /// An empty line between sections, never at the top.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A line that begins with a word of ours and goes on with pieces that may be scanned text.
    pub(super) fn line(&mut self, look: Look, first: &'static str, pieces: &[(Look, &str)]) {
        self.say(look, first);
        for (look, text) in pieces {
            self.say(*look, text);
        }
        self.out.push('\n');
    }

    /// An indented, labelled text, broken between words; lines after the first begin with dots.
    pub(super) fn field(&mut self, label: &'static str, text: &str) {
        let text = shown(text);
        let room = self.width.saturating_sub(LABEL + 2).max(LEAST / 2);
        let mut rows: Vec<String> = vec![String::new()];
        for word in text.split(' ') {
            let fits = rows.last().is_none_or(|row| {
                row.is_empty() || row.chars().count() + 1 + word.chars().count() <= room
            });
            match rows.last_mut() {
                Some(row) if fits => {
                    if !row.is_empty() {
                        row.push(' ');
                    }
                    row.push_str(word);
                }
                _ => rows.push(word.to_owned()),
            }
        }
        for (i, row) in rows.iter().enumerate() {
            self.label(if i == 0 { label } else { "..." });
            self.out.push_str(row);
            self.out.push('\n');
        }
    }

    /// An indented, labelled text that must stay whole, since people copy it: a path or a command.
    pub(super) fn whole(&mut self, label: &'static str, text: &str) {
        self.label(label);
        self.out.push_str(&shown(text));
        self.out.push('\n');
    }

    fn label(&mut self, label: &'static str) {
        self.out.push_str("  ");
        self.say(Look::Dim, &format!("{label:<LABEL$}"));
    }

    fn say(&mut self, look: Look, text: &str) {
        let text = shown(text);
        let style = look.style();
        if self.color && look != Look::Plain {
            self.out
                .push_str(&format!("{}{text}{}", style.render(), style.render_reset()));
        } else {
            self.out.push_str(&text);
        }
    }
}

/// Text for a person, that no terminal and no log reader acts upon.
pub(super) fn shown(text: &str) -> String {
    // Some log readers obey `##[...]` wherever it stands in a line.
    printable(text).replace("##", r"#\u{23}")
}
