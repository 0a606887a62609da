//! Scanned text is hostile: it is escaped before a person or a program's log sees it.
//!
//! Two escapes: [`percent`] keeps bytes that are not UTF-8 readable in machine formats (CONTRACT section 3);
//! [`printable`] makes any text safe for a terminal or a log line.

use std::fmt::Write as _;

/// Bytes as text; what is not UTF-8 is percent-escaped. The second value says whether anything was escaped.
///
/// A literal `%` is escaped too if anything else is, so that the escape can be undone.
pub fn percent(bytes: &[u8]) -> (String, bool) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), false);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '%' {
                out.push_str("%25");
            } else {
                out.push(c);
            }
        }
        for b in chunk.invalid() {
            let _ = write!(out, "%{b:02X}");
        }
    }
    (out, true)
}

/// Several at once: if one of them has to be escaped, all are, so that one word says it of all.
pub fn percent_all<'a>(all: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, bool) {
    let pairs: Vec<(String, bool)> = all.into_iter().map(percent).collect();
    let any = pairs.iter().any(|(_, escaped)| *escaped);
    let alike = |(text, escaped): (String, bool)| match any && !escaped {
        true => text.replace('%', "%25"),
        false => text,
    };
    (pairs.into_iter().map(alike).collect(), any)
}

/// Text for a person: control characters, line ends, bidirectional and zero-width characters become visible escapes.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) {
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that can move the cursor, reorder or hide text.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_stay_readable() {
        assert_eq!(percent(b"a%b"), ("a%b".into(), false));
        assert_eq!(percent(b"a%b\xff"), ("a%25b%FF".into(), true));
    }

    #[test]
    fn several_are_escaped_alike() {
        let all = |all: &[&'static [u8]]| percent_all(all.iter().copied());
        assert_eq!(all(&[b"a%", b"b"]), (vec!["a%".into(), "b".into()], false));
        assert_eq!(
            all(&[b"a%", b"\xff%"]),
            (vec!["a%25".into(), "%FF%25".into()], true)
        );
    }

    #[test]
    fn nothing_hostile_reaches_a_terminal() {
        let shown = printable("a\x1b[31m\n::error::\u{202e}x");
        assert!(!shown.contains('\x1b') && !shown.contains('\n') && !shown.contains('\u{202e}'));
    }
}
