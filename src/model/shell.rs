//! Words for a POSIX shell: remedies are commands that people copy, so what they name must arrive as one word.
//!
//! The result never holds a control, reordering or invisible character: such bytes become octal escapes inside
//! `$'...'`, which bash, zsh and ksh have long had and POSIX has since 2024. It must never be used to run something.

use std::fmt::Write as _;

use super::text;

/// One shell word that stands for exactly these bytes.
///
/// Safe text stays as it is, other printable text is put in single quotes, the rest is written as `$'...'`.
/// A word that begins with `-` gets no protection here: put `--` before it.
pub fn quote(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => text.to_owned(),
        // `##` opens a command for some CI log readers wherever it stands in a line.
        Ok(text) if text::printable(text) == text && !text.contains("##") => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => dollar_quoted(bytes),
    }
}

/// Text that no shell changes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['~', '='])
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-+@%,:=".contains(&b))
}

/// `$'...'` with three octal digits for every byte that is not plain ASCII: no digit after it can join in.
fn dollar_quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2 + 3);
    out.push_str("$'");
    for b in bytes {
        match b {
            b'\'' | b'\\' => {
                out.push('\\');
                out.push(char::from(*b));
            }
            b'#' | 0..=0x1f | 0x7f.. => {
                let _ = write!(out, "\\{b:03o}");
            }
            _ => out.push(char::from(*b)),
        }
    }
    out.push('\'');
    out
}

/// The bytes behind a text that [`text::percent`] escaped.
///
/// Only for texts known to be escaped: in others a `%` stands for itself.
pub fn unescape(escaped: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |b: &u8| {
            char::from(*b)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        match tail {
            [high, low, after @ ..] if *first == b'%' => {
                if let (Some(high), Some(low)) = (hex(high), hex(low)) {
                    out.push(high << 4 | low);
                    rest = after;
                    continue;
                }
                out.push(*first);
            }
            _ => out.push(*first),
        }
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_arrives_as_one() {
        assert_eq!(quote(b"/a/b-1.0.crate"), "/a/b-1.0.crate");
        assert_eq!(quote(b""), "''");
        assert_eq!(quote(b"~root"), "'~root'");
        assert_eq!(quote(b"a b$(x)'"), r"'a b$(x)'\'''");
        assert_eq!(quote(b"a\n::error::1"), r"$'a\012::error::1'");
        assert_eq!(quote("\u{202e}1'".as_bytes()), r"$'\342\200\2561\''");
        assert_eq!(quote(b"a\xff\\"), r"$'a\377\\'");
        assert_eq!(quote(b"##vso[x]"), r"$'\043\043vso[x]'");
    }

    #[test]
    fn the_shell_rules_read_the_same_bytes_back() {
        for bytes in [
            &b"a\xff\x01 '\\\n9"[..],
            b"--help",
            b"$(id)`id`\"",
            "\u{200b}é".as_bytes(),
        ] {
            let shown = quote(bytes);
            assert_eq!(text::printable(&shown), shown);
            assert_eq!(read_back(&shown), bytes, "{shown}");
        }
    }

    /// What a shell makes of a word, by the rules of POSIX for the three forms that `quote` writes.
    fn read_back(word: &str) -> Vec<u8> {
        let Some(body) = word.strip_prefix("$'").and_then(|w| w.strip_suffix('\'')) else {
            return match word.strip_prefix('\'').and_then(|w| w.strip_suffix('\'')) {
                Some(body) => body.replace(r"'\''", "'").into_bytes(),
                None => word.as_bytes().to_vec(),
            };
        };
        let (mut out, mut rest) = (Vec::new(), body.bytes());
        while let Some(b) = rest.next() {
            if b != b'\\' {
                out.push(b);
                continue;
            }
            let next = rest.next().unwrap();
            if next.is_ascii_digit() {
                let digits = [next, rest.next().unwrap(), rest.next().unwrap()];
                let text = std::str::from_utf8(&digits).unwrap();
                out.push(u8::from_str_radix(text, 8).unwrap());
            } else {
                out.push(next);
            }
        }
        out
    }

    #[test]
    fn the_percent_escape_can_be_undone() {
        let bytes = b"a%41\xff/b";
        let (escaped, was) = text::percent(bytes);
        assert!(was);
        assert_eq!(unescape(&escaped), bytes);
        assert_eq!(unescape("100%"), b"100%");
    }
}
